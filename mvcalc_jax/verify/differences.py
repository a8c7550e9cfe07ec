"""A derivative by differences, with its own margin of error: a witness that knows nothing of autodiff.

Central differences at steps h, h/2, h/4 …, each pair of neighbours combined so that the error of order h² cancels
(Richardson). Large steps suffer from curvature and small ones from rounding, and neighbours that agree show
where neither is large: the margin is how far a value lies from both its neighbours, or what rounding of f alone
may do to it, whichever is more.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

_STEPS = 2.0 ** -np.arange(3, 53)
"""From an eighth of the argument's size down to its rounding."""
_USEFUL = 26
"""So many of them may give a derivative; smaller ones show how f is rounded."""


class Difference(NamedTuple):
    """A derivative, and how far it may be from the truth."""

    value: float
    margin: float


def difference(f: Callable[[float], float], size: float) -> Difference:
    """The derivative at 0 of a function of one number, whose argument is of about this size.

    Steps that leave the domain of f, where it is not finite, are not used; the margin is infinite if none is left.
    """
    steps, middle = size * _STEPS, f(0.0)
    up, down = (np.array([f(sign * h) for h in steps]) for sign in (1, -1))
    with np.errstate(all="ignore"):
        noise = _noise(up, middle, down)
        up, down, steps = (values[:_USEFUL] for values in (up, down, steps))
        central = (up - down) / (2 * steps)
        better = (4 * central[1:] - central[:-1]) / 3
        away = np.abs(np.diff(better))
        margin = np.maximum(np.maximum(away[:-1], away[1:]), noise / steps[2:-1])
    margin = np.where(np.isfinite(margin), margin, np.inf)
    best = int(margin.argmin())
    return Difference(float(better[1 + best]), float(margin[best]))


def _noise(up: Float[np.ndarray, " h"], middle: float, down: Float[np.ndarray, " h"]) -> float:
    """How much rounding moves f: as much as its last digit; as its second differences at steps so small that its
    curvature does not show; and as the smallest change of it at all, which is large where it was rounded on the way.
    """
    second, changes = np.abs(up - 2 * middle + down)[-8:], np.abs(np.concatenate([up, down]) - middle)
    seen = np.concatenate([second[np.isfinite(second)], [changes[changes > 0].min(initial=np.inf)]])
    return float(max(np.finfo(float).eps * abs(middle), *seen[np.isfinite(seen)], 0.0))
