"""What a function is called, as its user would write it."""

from collections.abc import Callable
from functools import partial
from typing import Any


def name(f: Callable[..., Any], otherwise: str) -> str:
    """The name of a function: with its module's, and through a `partial`; `otherwise` if it has none."""
    while isinstance(f, partial):
        f = f.func
    name = getattr(f, "__qualname__", type(f).__name__)
    if "<" in name:  # a lambda, or defined inside another function
        name = name.rpartition(".")[2]
        return otherwise if name == "<lambda>" else name
    module = getattr(f, "__module__", None)
    return name if module in (None, "__main__") else f"{module.rpartition('.')[2]}.{name}"


def written(f: Callable[..., Any], otherwise: str) -> str:
    """The function as its user would write it again, with the arguments that a `partial` holds."""
    if not isinstance(f, partial):
        return name(f, otherwise)
    held = [*map(repr, f.args), *(f"{name}={value!r}" for name, value in f.keywords.items())]
    return f"partial({', '.join([written(f.func, otherwise), *held])})"
