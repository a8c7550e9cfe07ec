"""A derivative by differences, with its own margin of error: a witness that knows nothing of autodiff.

Central differences at steps h, h/2, h/4 …, each pair of neighbours combined so that the error of order h² cancels
(Richardson). Large steps suffer from curvature and small ones from rounding, and neighbours that agree show
where neither is large: the margin is how far a value lies from both its neighbours, or what rounding of f alone
may do to it, whichever is more. At a kink the differences to both sides stay apart, however small the step.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

_STEPS = 2.0 ** -np.arange(3, 53)
"""From an eighth of the argument's size down to its rounding."""
_COARSEST = 0.02
"""Rounding to the fewest digits, those of an 8-bit float aside, changes a value by less."""
_USEFUL = 26
"""So many of them may give a derivative; smaller ones show how f is rounded."""


class Difference(NamedTuple):
    """A derivative, and how far it may be from the truth; at a kink, the derivatives to both sides."""

    value: float
    margin: float
    sides: tuple[float, float] | None = None
    unsure: float = 0.0
    """How far the derivatives to both sides may be from the truth."""

    def contradicts(self, value: float, doubt: float) -> bool:
        """Whether a derivative cannot be right: `doubt` margins away, or outside of a kink's two sides."""
        if self.sides is not None:
            low, high = sorted(self.sides)
            return not low - doubt * self.unsure <= value <= high + doubt * self.unsure
        return abs(value - self.value) > doubt * self.margin


def difference(f: Callable[[float], float], size: float) -> Difference:
    """The derivative at 0 of a function of one number, whose argument is of about this size.

    Steps that leave the domain of f, where it is not finite, are not used; the margin is infinite if none is left.
    """
    steps, middle = size * _STEPS, f(0.0)
    up, down = (np.array([f(sign * float(h)) for h in steps]) for sign in (1, -1))
    with np.errstate(all="ignore"):
        noise = _noise(up, middle, down)
        up, down, steps = (values[:_USEFUL] for values in (up, down, steps))
        central = (up - down) / (2 * steps)
        better = (4 * central[1:] - central[:-1]) / 3
        away = np.abs(np.diff(better))
        margin = np.maximum(np.maximum(away[:-1], away[1:]), noise / steps[2:-1])
    margin = np.where(np.isfinite(margin), margin, np.inf)
    best = int(margin.argmin())
    sides = _sides(up, middle, down, steps, noise)
    value, margin_there = float(better[1 + best]), float(margin[best])
    return Difference(value, margin_there, *sides) if sides else Difference(value, margin_there)


def _sides(
    up: Float[np.ndarray, " h"],
    middle: float,
    down: Float[np.ndarray, " h"],
    steps: Float[np.ndarray, " h"],
    noise: float,
) -> tuple[tuple[float, float], float] | None:
    """The derivatives to the left and to the right with a margin, if they stay apart at small steps; else None.

    Of a smooth function the gap is halved with the step; over ten halvings it would all but vanish.
    """
    with np.errstate(all="ignore"):
        right, left = (up - middle) / steps, (middle - down) / steps
        gap, unsure = np.abs(right - left), 2 * noise / steps
    clear = np.nonzero(np.isfinite(gap) & (gap > 20 * unsure))[0]
    if len(clear) < 11 or gap[clear[-1]] < 0.5 * gap[clear[-11]]:
        return None
    with np.errstate(all="ignore"):
        moved = np.maximum(np.abs(np.diff(left)), np.abs(np.diff(right))) + unsure[1:]
        moved += 2 * np.finfo(float).eps * abs(middle) / steps[1:]
    best = 1 + int(np.nanargmin(np.where(np.isfinite(moved), moved, np.inf)))
    return (float(left[best]), float(right[best])), float(moved[best - 1])


def _noise(up: Float[np.ndarray, " h"], middle: float, down: Float[np.ndarray, " h"]) -> float:
    """How much rounding moves f: as much as its last digit; as its second differences at steps so small that its
    curvature does not show; and as the smallest change of it at all, which is large where it was rounded on the way.
    """
    second, changes = np.abs(up - 2 * middle + down)[-8:], np.abs(np.concatenate([up, down]) - middle)
    least = changes[changes > 0].min(initial=np.inf)
    if least > _COARSEST * np.nanmax(np.abs([*up, *down, middle]), initial=0):
        least = np.inf  # no rounding is as coarse as that: f is flat here, and begins to rise further off
    seen = np.concatenate([second[np.isfinite(second)], [least]])
    return float(max(np.finfo(float).eps * abs(middle), *seen[np.isfinite(seen)], 0.0))
