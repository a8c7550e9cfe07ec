"""The reference: every public name shows itself at work, and its examples print what they say.

Public is what the `__all__` of the package and of its rooms names, and all without an underscore of a module named
there. An example is what a reader would type into a fresh interpreter after the imports that the docstring of the
package begins its own example with.
"""

import ast
import doctest
import importlib
import inspect
import re
import subprocess
import sys
import types
from pathlib import Path
from typing import TypeVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mvcalc_jax

PACKAGE = Path(mvcalc_jax.__file__).parent
ROOT = PACKAGE.parent
COMMANDS = {
    "arguments", "check", "cli", "command", "completion", "dig", "doctor", "fit", "interrupts", "options", "output",
}  # fmt: skip
"""What stands behind `mvcalc`, of which `--help` has the examples."""
ROOMS = sorted(
    {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in PACKAGE.rglob("*.py")}
    - {"__init__", *COMMANDS}
)
SHOWN = [path for path in sorted(PACKAGE.rglob("*.py")) if ">>> " in path.read_text()]


def named(path):
    """A file as a module's name."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def texts(path):
    """The docstrings in a file, those below a constant or a field, too, each with the number of its line."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield text, node.lineno


def given_values(path):
    """The constants that a file gives a value, and does not import."""
    targets = [node.targets for node in ast.parse(path.read_text()).body if isinstance(node, ast.Assign)]
    targets += [[n.target] for n in ast.parse(path.read_text()).body if isinstance(n, ast.AnnAssign)]
    names = {node.id for some in targets for t in some for node in ast.walk(t) if isinstance(node, ast.Name)}
    return {name for name in names if name.isupper()}


def public(module):
    """Every public name of a module, and of those that it names, with what it stands for."""
    names = getattr(module, "__all__", None)
    if names is None:
        own = lambda value: getattr(value, "__module__", None) == module.__name__
        constants = given_values(Path(module.__file__))
        names = [name for name, value in vars(module).items() if own(value) or name in constants]
    names = [name for name in names if not name.startswith("_")]
    for name in names:
        value = getattr(module, name)
        runs = inspect.isroutine(inspect.unwrap(value)) or isinstance(value, type)
        if isinstance(value, types.ModuleType):
            yield from public(value)
        elif runs or (name.isupper() and not isinstance(value, TypeVar)):  # and not what stands for a type
            yield f"{module.__name__}.{name}", value


def shown(name, value, used):
    """Whether a name has an example: a constant that it is used in one, for its own docstring is not kept."""
    if name.isupper():
        return re.search(rf"\b{name}\b", used)
    return ">>> " in (value.__doc__ or "")


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_has_an_example(room):
    files = [PACKAGE / f"{room}.py", *(PACKAGE / room).rglob("*.py")]
    examples = "\n".join(said for path in files if path.exists() for said, _ in texts(path))
    used = "\n".join(re.findall(r"^ *(?:>>>|\.\.\.) (.*)", examples, re.MULTILINE))
    names = dict(public(importlib.import_module(f"mvcalc_jax.{room}")))
    missing = [path for path, value in names.items() if not shown(path.split(".")[-1], value, used)]
    assert not missing, f"without an example: {', '.join(missing)}"


def test_the_map_has_an_example():
    assert ">>> " in mvcalc_jax.__doc__


@pytest.mark.parametrize("room", [room for room in ROOMS if (PACKAGE / room).is_dir()])
def test_what_a_room_imports_for_others_is_in_its_list(room):
    path = PACKAGE / room / "__init__.py"
    stub = path.with_suffix(".pyi")
    imported = re.findall(
        r"^from \S+ import (\w+) as \1$", (stub if stub.exists() else path).read_text(), re.MULTILINE
    )
    assert sorted(imported) == sorted(importlib.import_module(f"mvcalc_jax.{room}").__all__)


@pytest.mark.parametrize("path", SHOWN, ids=named)
def test_examples_print_what_they_say(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    known = {"Path": Path, "jax": jax, "jnp": jnp, "np": np, "mv": mvcalc_jax}
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    said = []
    with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):
        for text, line in texts(path):
            test = doctest.DocTestParser().get_doctest(text, dict(known), named(path), str(path), line - 1)
            runner.run(test, out=said.append)
    if said:
        pytest.fail("".join(said), pytrace=False)


@pytest.mark.slow
def test_the_readmes_command_builds_the_reference(tmp_path):
    pytest.importorskip("pdoc", reason="pdoc is not installed: pip install -e '.[docs]'")
    command = re.search(
        r"`(?:\.venv/bin/)?python ([^`]* -m pdoc [^`]*) -o \S+ ([^`]*)`", (ROOT / "README.md").read_text()
    )
    asked = [sys.executable, *command[1].split(), "-o", str(tmp_path), *command[2].split()]
    built = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr  # a warning is an error, too
    pages = {page: page.read_text() for page in tmp_path.rglob("*.html")}
    rooms = {page.stem for page in (tmp_path / "mvcalc_jax").glob("*.html")}
    assert rooms == {
        name for name in mvcalc_jax.__all__ if (PACKAGE / f"{name}.py").exists() or (PACKAGE / name).exists()
    }
    for page, html in pages.items():
        for link in re.findall(r'href="([^":$]+)"', html):
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target in pages, f"{page.name} leads to {link}"
            assert not anchor or f'id="{anchor}"' in pages[target], f"{page.name} leads to {link}"
