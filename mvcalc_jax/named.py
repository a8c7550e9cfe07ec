"""What a name on the command line stands for, in a file of the user's or a module: `layer.py:f`, `package.module:f`.

A file is run once, as a module of its own name, and found again among those that are loaded. Whatever its code raises
is told in a line, with the line of the user's that it came from.
"""

import difflib
import importlib
import os
import sys
import sysconfig
import traceback
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NamedTuple

from mvcalc_jax import text


class Target(NamedTuple):
    """What a name stands for, and the module that it was found in; `place` is the file or module as given.

    >>> from mvcalc_jax import named
    >>> (target,) = named.targets(("math:pi",))
    >>> target.name, target.module.__name__, target.value
    ('pi', 'math', 3.141592653589793)
    """

    place: str
    name: str
    module: ModuleType
    value: Any

    @property
    def file(self) -> Path:
        """That it is in."""
        return Path(self.module.__file__ or "")

    def __str__(self) -> str:
        return f"{self.place}:{self.name}"


def targets(names: tuple[str, ...]) -> list[Target]:
    r"""What some names stand for, `FILE.py:NAME` or `package.module:NAME`; after the first, `NAME` is in its file.

    Raises:
        ValueError: where a name is none of these, is not in its file, or the file cannot be imported.
        OSError: where there is no such file.

    >>> from pathlib import Path
    >>> from mvcalc_jax import named
    >>> _ = Path("parabola.py").write_text("f = lambda x: x**2\njac = lambda x: 2 * x\n")
    >>> f, jac = named.targets(("parabola.py:f", "jac"))
    >>> str(jac), f.value(3.0), jac.value(3.0)
    ('parabola.py:jac', 9.0, 6.0)
    """
    first, _ = _parted(names[0])
    alone = [k > 0 and ":" not in name and not _is_path(name) for k, name in enumerate(names)]
    parted = [(first, name) if bare else _parted(name) for name, bare in zip(names, alone, strict=True)]
    files = [_file(place) for place, _ in parted]  # all of them before one is run and changes the directory
    loaded = [_loaded(place, file) for (place, _), file in zip(parted, files, strict=True)]
    return [_found(*part, module) for part, module in zip(parted, loaded, strict=True)]


def _parted(name: str) -> tuple[str, str]:
    """The file or module of a name, and the name in it."""
    if not isinstance(name, str):
        raise TypeError(f"a function is named by a text, such as layer.py:f; got {type(name).__name__}")
    place, _, inside = name.rpartition(":")
    if not place or not inside:
        file = name.rstrip(":") if _is_path(name.rstrip(":")) else "layer.py"
        raise ValueError(f"`{name}` must name a function and the file that it is in, such as {file}:f")
    return place, inside


def _is_path(place: str) -> bool:
    return place.endswith(".py") or "/" in place or os.sep in place


def _file(place: str) -> Path | None:
    """The path of a file; None if it is the dotted name of a module."""
    path = Path(place).expanduser().resolve()
    if not _is_path(place) and not path.is_file():
        return None
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {place}{near(path, '*.py')}")
    if path.suffix != ".py":
        raise ValueError(f"`{place}` must be a file of Python, with the suffix .py")
    return path


def near(path: Path, like: str) -> str:
    """A hint at a file beside it that is called something like it.

    >>> from pathlib import Path
    >>> from mvcalc_jax import named
    >>> _ = Path("layers.py").write_text("")
    >>> named.near(Path("layer.py"), "*.py")
    '; did you mean layers.py?'
    """
    beside = sorted(file.name for file in path.parent.glob(like))
    found = difflib.get_close_matches(path.name, beside, n=1)
    return f"; did you mean {found[0]}?" if found else ""


def _loaded(place: str, file: Path | None) -> ModuleType:
    """The module that a file or a dotted name stands for. It is run once, however often it is named."""
    folder = str(file.parent if file else Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        return _run(file) if file else importlib.import_module(place)
    except (Exception, SystemExit) as error:
        if not file and isinstance(error, ModuleNotFoundError) and f"{place}.".startswith(f"{error.name}."):
            raise ValueError(f"there is no module {place}; a file is given as FILE.py:NAME") from None
        said = blame(error, file or Path(folder, "__init__.py"))
        if "attempted relative import" in said:
            said += "; name a module of a package as package.module:NAME"
        raise ValueError(f"{place} cannot be imported: {said}") from error


class _Uncached(SourceFileLoader):
    """Python's cache takes two edits within a second for one, if they leave the file as long as it was."""

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)


def _run(file: Path) -> ModuleType:
    """A file as a module of its own name."""
    for module in list(sys.modules.values()):
        if getattr(module, "__file__", None) == str(file):
            return module
    name = file.stem
    while name in sys.modules:  # the user's jax.py shall not take JAX's place
        name += "_"
    loader = _Uncached(name, str(file))
    spec = spec_from_loader(name, loader)
    assert spec
    module = sys.modules[name] = module_from_spec(spec)  # dataclasses and pickle look for it there
    try:
        loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _found(place: str, name: str, module: ModuleType) -> Target:
    value, where = module, place
    for part in name.split("."):
        if not hasattr(value, part):
            from mvcalc_jax import require  # here, for it waits for JAX, and a player's strategy need not

            public = [known for known in dir(value) if not known.startswith("_")]
            known = [each for each in public if not isinstance(getattr(value, each, None), ModuleType)]
            require.one_of(f"name in {where}:", part, known)
        value, where = getattr(value, part), f"{where}{'.' if ':' in where else ':'}{part}"
    return Target(place, name, module, value)


def blame(error: BaseException, file: Path) -> str:
    r"""What was raised, in a line, and by which line of the user's.

    >>> from pathlib import Path
    >>> from mvcalc_jax import named
    >>> _ = Path("reciprocal.py").write_text("def f(x):\n    return 1 / x\n")
    >>> (f,) = named.targets(("reciprocal.py:f",))
    >>> try:
    ...     f.value(0)
    ... except ZeroDivisionError as error:
    ...     print(named.blame(error, f.file))
    reciprocal.py:2: ZeroDivisionError: division by zero
    """
    place = line(error, file)
    return f"{place}: {kind(error)}" if place else kind(error)


def kind(error: BaseException) -> str:
    r"""What was raised, in a line.

    >>> from mvcalc_jax import named
    >>> named.kind(ValueError("no\nmore")), named.kind(KeyError())
    ('ValueError: no', 'KeyError: (it does not say why)')
    """
    said = error.msg if isinstance(error, SyntaxError) else error
    return f"{type(error).__name__}: {text.first_line(said, '(it does not say why)')}"


def line(error: BaseException, file: Path) -> str:
    r"""The last line of the user's code that an exception went through, such as `layer.py:12`; "" if there is none.

    >>> from pathlib import Path
    >>> from mvcalc_jax import named
    >>> _ = Path("inverse.py").write_text("def f(x):\n    return 1 / x\n")
    >>> (f,) = named.targets(("inverse.py:f",))
    >>> try:
    ...     f.value(0)
    ... except ZeroDivisionError as error:
    ...     print(named.line(error, f.file))
    inverse.py:2
    """
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename).is_file():
        path, number = Path(error.filename), error.lineno
    else:
        frames = traceback.extract_tb(error.__traceback__)
        theirs = [(path, frame.lineno) for frame in frames if _is_theirs(path := Path(frame.filename), file)]
        if not theirs:
            return ""
        path, number = theirs[-1]
    return f"{path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}:{number}"


def _is_theirs(path: Path, file: Path) -> bool:
    places = sysconfig.get_paths()
    foreign = Path(__file__).parent, *(Path(places[name]) for name in ("stdlib", "purelib", "platlib"))
    own = path.is_relative_to(file.parent) or path.is_relative_to(Path.cwd())
    return path == file or (own and not any(map(path.is_relative_to, foreign)))
