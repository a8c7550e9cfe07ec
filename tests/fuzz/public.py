"""Every public function of the package, found by looking: whoever adds one is told to say how it is called.

Public is what `mvcalc_jax/__init__.pyi` lists, what the `__init__` of each room in it lists, and the public methods of
those classes. A function that can be had in several places goes by the first of its names.
"""

import inspect
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import mvcalc_jax as mv

LEFT_OUT = {
    "plots": "its modules draw what they are given by results and experiments, whose `.plot` and commands are called",
    "models.activations": "all by the recipe `activations`",
    "models.bell": "all by the recipe `bell`",
    "models.bins": "all by the recipe `bins`",
    "fitting.histogram": "a module of the same name as its function",
    "fitting.trail.follow": "takes a problem that only the package can pose; `trail.density` poses one",
    "Aside.submit": "by the recipe `aside.Aside`",
    "Aside.watch": "a watcher of descents, which `with` makes and ends",
    "sandpit.play": "a figure below the cell of a notebook, where there is one",
    "text.shown": "is put on classes of the package",
    "verify.ways": "compares derivatives of the catalogue alone, for an experiment",
}
"""Modules in rooms, and functions: why they have no recipes of their own."""


def functions() -> dict[str, Any]:
    """Every public function and method, by its name without `mvcalc_jax.`."""
    found: dict[str, Any] = {}
    seen: dict[Any, str] = {}
    rooms = [(name, getattr(mv, name)) for name in mv.__all__]
    for room, value in sorted(rooms, key=lambda pair: _depth(pair[1])):
        inside = _members(value) if isinstance(value, ModuleType) else [("", value)]
        for name, member in inside:
            full = f"{room}.{name}".rstrip(".")
            for known, what in _callable(full, member):
                if id(what) not in seen:
                    seen[id(what)] = known
                    found[known] = what
    return found


def _depth(value: Any) -> int:
    """Functions have their shortest names first, then come modules, then rooms."""
    return isinstance(value, ModuleType) + (getattr(value, "__file__", None) or "").endswith("__init__.py")


def _members(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """What a room lists; and of a module that is listed by a room, its functions."""
    is_room = (module.__file__ or "").endswith("__init__.py")
    listed = set(_listed(module)) if is_room else {n for n in vars(module) if not n.startswith("_")}
    for name in sorted(listed):
        value = getattr(module, name)
        if isinstance(value, ModuleType):
            path = f"{module.__name__.split('.')[-1]}.{name}"
            if is_room and path not in LEFT_OUT and module.__name__.split(".")[-1] not in LEFT_OUT:
                yield from ((f"{name}.{inner}", what) for inner, what in _members(value))
        elif is_room or getattr(value, "__module__", "") == module.__name__:
            yield name, value


def _listed(module: ModuleType) -> list[str]:
    source = inspect.getsource(module)
    stub = (module.__file__ or "").replace("__init__.py", "__init__.pyi")
    if module.__name__ == "mvcalc_jax.plots":
        source = Path(stub).read_text(encoding="utf-8")
    lines = [
        line.split(" import ")[1]
        for line in source.splitlines()
        if line.startswith("from ") and " as " in line
    ]
    return [
        line.split(" as ")[1].strip()
        for line in lines
        if line.split(" as ")[0] == line.split(" as ")[1].strip()
    ]


def _callable(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """A function, or the public methods of a class."""
    if not inspect.isclass(value):
        if inspect.isroutine(value) or inspect.isfunction(
            inspect.unwrap(value) if callable(value) else value
        ):
            yield name, value
        return
    if issubclass(value, BaseException) or not value.__module__.startswith("mvcalc_jax"):
        return
    for method, what in vars(value).items():
        what = what.__func__ if isinstance(what, (classmethod, staticmethod)) else what
        if not method.startswith("_") and inspect.isfunction(what):
            yield f"{value.__name__}.{method}", what


def missing(recipes: Iterable[str]) -> list[str]:
    """Public functions without a recipe: each is a finding."""
    return sorted(set(functions()) - set(recipes) - set(LEFT_OUT))
