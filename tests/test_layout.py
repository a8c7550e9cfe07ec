"""The shape of the house: which way imports point, and the doors that there is one of."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

import mvcalc_jax

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "mvcalc_jax"
FILES = sorted(PACKAGE.rglob("*.py"))

LAYERS = [
    {"autodiff"},
    {"text", "interrupts"},
    {"require", "status", "atomic", "compiling", "jaxprs", "arguments", "output"},
    {"arrays", "binning", "precision", "named", "devices", "options"},
    {"calculus"},
    {"taylor"},
    {"models"},
    {"descent"},
    {"verify"},
    {"data"},
    {"fitting"},
    {"plots"},
    {"sandpit"},
    {"runs", "aside", "doctor", "check", "fit"},
    {"dig"},
    {"command", "completion"},
    {"cli"},
]
"""A module imports from its own layer's name or from layers above it in this list, never from those below."""

DOWNWARD = {
    ("verify/report.py", "plots"),
    ("fitting/regression.py", "plots"),
    ("taylor/bands/enclosure.py", "plots"),
    ("taylor/bands/tensors.py", "plots"),
}
"""But for the `plot` of reports, regressions and enclosures, a word for those who look for the picture where the result
is: they load it when called."""

AUTODIFF = {
    "grad", "value_and_grad", "jacobian", "jacfwd", "jacrev", "hessian", "jvp", "vjp", "linearize", "linear_transpose",
    "custom_jvp", "custom_vjp", "custom_gradient", "checkpoint", "remat", "jet",
}  # fmt: skip


def room(path):
    """The layer's name for a file: its folder in the package, or its own name if it lies at the top."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0].removesuffix(".py")


def imported(tree):
    """Every module that a file imports, with the names it takes from it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, alias.name) for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_one_way(path):
    rank = {name: k for k, layer in enumerate(LAYERS) for name in layer}
    if path.name == "__init__.py" and path.parent == PACKAGE:
        return
    here = room(path)
    assert here in rank, f"{here} is in no layer; give it its place in LAYERS"
    for module, name in imported(ast.parse(path.read_text())):
        if module.split(".")[0] != "mvcalc_jax":
            continue
        there = module.split(".")[1] if "." in module else name
        if there == "__version__":  # a constant of the package itself
            continue
        if (path.relative_to(PACKAGE).as_posix(), there) not in DOWNWARD:
            assert rank[there] < rank[here] or there == here, f"{here} must not import {there}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_autodiff_enters_by_one_door(path):
    if path.name == "autodiff.py":
        return
    assert not autodiff_used(path.read_text())


def autodiff_used(source):
    """What a file takes of JAX's autodiff, whatever it calls `jax`, or the part of it."""
    tree = ast.parse(source)
    aliases = {"jax"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            aliases |= {
                alias.asname for alias in node.names if alias.name.split(".")[0] == "jax" and alias.asname
            }
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "jax":
            aliases |= {alias.asname or alias.name for alias in node.names}
    used = {name for module, name in imported(tree) if module.split(".")[0] == "jax" and name}
    used |= {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and next((n.id for n in ast.walk(node.value) if isinstance(n, ast.Name)), "") in aliases
    }
    return used & AUTODIFF


@pytest.mark.parametrize(
    "source",
    [
        "import jax\njax.vjp(f, x)",
        "import jax as j\nj.grad(f)",
        "from jax import grad",
        "from jax import hessian as h",
        "import jax.experimental.jet as t\nt.jet(f)",
        "from jax import experimental\nexperimental.jet.jet(f)",
    ],
)
def test_the_door_test_can_fail(source):
    assert autodiff_used(source)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_pictures_import_matplotlib_and_nobody_touches_jaxs_settings(path):
    source = path.read_text()
    if room(path) not in ("plots", "sandpit"):
        assert not any(module.split(".")[0] == "matplotlib" for module, _ in imported(ast.parse(source)))
    assert "config.update" not in source
    assert "jax._src" not in source


def test_every_public_name_can_be_had():
    names = re.findall(r"import (\w+) as \1", (PACKAGE / "__init__.pyi").read_text())
    assert sorted(names) == sorted(mvcalc_jax.__all__)
    for name in names:
        value = getattr(mvcalc_jax, name)
        assert value.__doc__, f"{name} has no docstring"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_every_module_and_public_function_says_what_it_is(path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree)
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{path.name}: {node.name} has no docstring"


@pytest.mark.parametrize("init", sorted(PACKAGE.rglob("__init__.py")), ids=lambda p: p.parent.name)
def test_maps_name_every_module_of_their_folder(init):
    docstring = ast.get_docstring(ast.parse(init.read_text())) or ""
    modules = {path.stem for path in init.parent.glob("*.py")} - {"__init__"}
    modules |= {path.parent.name for path in init.parent.glob("*/__init__.py")}
    for module in modules:
        assert re.search(rf"^ *{module}\b", docstring, re.MULTILINE), module


LONG = 400
"""Lines of a Python file. One that has more says in the docstring it begins with: Long because ..."""


def too_long(source):
    lines = source.splitlines()
    return len(lines) > LONG and "Long because " not in (ast.get_docstring(ast.parse(source)) or "")


def test_files_stay_readable_or_say_why_they_are_long():
    paths = [ROOT / name for name in tracked() if name.endswith(".py")]
    assert [str(path) for path in paths if path.exists() and too_long(path.read_text())] == []


@pytest.mark.parametrize(("reason", "expected"), [("", True), (" Long because it is a table.", False)])
def test_a_file_that_is_too_long_is_found(reason, expected):
    assert too_long(f'"""A table.{reason}"""\n' + "x = 1\n" * LONG) == expected
    assert not too_long('"""A table."""\n' + "x = 1\n" * (LONG - 1))


def tracked():
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip("no git checkout to list")
    return listing.stdout.splitlines()


def test_top_level_is_four_folders_and_what_packaging_needs():
    top = {line.split("/")[0] for line in tracked()}
    visible = {name for name in top if not name.startswith(".")}
    assert visible == {
        "mvcalc_jax",
        "experiments",
        "tests",
        "benchmarks",
        "pyproject.toml",
        "README.md",
        "RESULTS.md",
        "CHANGELOG.md",
        "LICENSE",
    }


def test_typing_marker_is_there():
    assert (PACKAGE / "py.typed").exists()
