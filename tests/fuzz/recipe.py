"""What a recipe is: a function of a `Draw` and of an empty folder, which returns a call."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fuzz.draws import Draw


@dataclass
class Call:
    """A call that ought to succeed, until it is spoiled.

    Attributes:
        function: what is called.
        args, options: with what.
        keep: arguments, by place or name, that are never spoiled.
        truth: looks at the result of a call that was not spoiled, and says what is false about it, or None.
    """

    function: Callable[..., Any]
    args: tuple = ()
    options: dict[str, Any] = field(default_factory=dict)
    keep: tuple = ()
    truth: Callable[[Any], str | None] | None = None


@dataclass(frozen=True)
class Recipe:
    """A recipe, and how its calls are treated.

    Attributes:
        draw: makes a call.
        spoil: whether its arguments may become anything at all; what only the package itself calls is called rightly.
        seconds: after which it hangs.
        refusals: exceptions, besides the usual ones, by which it may refuse.
    """

    draw: Callable[[Draw, Path], Call]
    spoil: bool = True
    seconds: float = 120.0
    refusals: tuple[type[Exception], ...] = ()


RECIPES: dict[str, Recipe] = {}


def recipe(*names: str, **how: Any) -> Callable[..., Any]:
    """Enter the function below under these names; with several, it is told which."""

    def enter(draw: Callable[..., Call]) -> Callable[..., Call]:
        for name in names:
            told = draw if len(names) == 1 else lambda d, folder, name=name: draw(d, folder, name)
            RECIPES[name] = Recipe(told, **how)
        return draw

    return enter


def plain(value: Any, *names: str, **how: Any) -> None:
    """Enter functions that take nothing or little, with one and the same call for all."""
    for name in names:
        RECIPES[name] = Recipe(lambda draw, folder, name=name: value(draw, name), **how)
