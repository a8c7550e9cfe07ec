r"""Ridders' derivative: central differences, extrapolated to a step of 0, with the step that f itself asks for.

With D(h) = (f(x + h) − f(x − h))/2h = f′ + c₂h² + c₄h⁴ + …, two differences give one without h², two of those one
without h⁴ (Richardson), which makes a tableau,

    T[k, 0] = D(hₖ)
    T[k, j] = T[k+1, j−1] + (T[k+1, j−1] − T[k, j−1])/((hₖ/hₖ₊ⱼ)² − 1)

and the entry is taken that is closest to those it was made of: C. J. F. Ridders, Advances in Engineering Software 4
(1982), 75–76; Press et al., Numerical Recipes (2007), §5.7. There the result hangs on the first step: far too large a
one jumps over waves, far too small a one drowns in rounding. Here a tableau begins at every rung of a ladder of steps
(`slopes.ladder`), a million |x| long at one end and as short as x's last digit at the other.

**The error bar** of an entry is the sum of

- how far it is from the two entries that it was made of, the larger of both: more than what is left out;
- twice the rounding of f, as it is measured, over the smallest step in it;
- how far it is from any entry of smaller steps, less three times the rounding of that. All of these have to be right,
  too. A step that jumps over whole waves, or across a kink, may seem to converge; but smaller steps contradict it;
- ε|D(2h)| where D(h) is 0, for f may be lost in a larger sum on the way;
- ε|x f″|/2, what half a unit in the last place of x does to f′.

Steps at which f changes no more than at much smaller ones are not used: f has turned on the way.

**At a kink** the slopes to both sides stay apart, however small the step; there is no derivative, and a status says
so. **At an end** of f's domain, differences to the one side are extrapolated, in powers of h instead of h².
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from mvcalc_jax import precision
from mvcalc_jax.calculus.slopes import ladder as rising
from mvcalc_jax.calculus.slopes import noise, settling
from mvcalc_jax.calculus.slopes.estimates import Estimate, Status, packed
from mvcalc_jax.calculus.slopes.ladder import RUNGS, Ladder

COLUMNS = 8
"""Of the tableau; the last removes h² to h¹⁴."""
_TOGETHER = 2048
"""Points at once; a tableau takes 25 kB for each."""

Table = Float[np.ndarray, "n k"]


def ridders(f: Callable[..., Any], x: Any) -> Estimate:
    """The derivative by Ridders' extrapolation, of any function of one number.

    Args:
        f: written in JAX, or not (see `slopes.ladder`).
        x: a number, or an array of them.

    Raises:
        TypeError: where f or x is nothing of the kind.
        ValueError: where x is not finite, or f returns several numbers.

    >>> import math  # whose functions JAX knows nothing of
    >>> print(f"{mv.calculus.ridders(math.gamma, 1.0).value:.10f}")  # −γ, Euler's constant
    -0.5772156649
    """
    at = rising.points(x)
    flat = at.ravel()
    with precision.of(at), np.errstate(all="ignore"):
        values, eps = rising.values_of("f", f, flat)
        parts = [flat[k : k + _TOGETHER] for k in range(0, max(len(flat), 1), _TOGETHER)]
        found = [extrapolated(rising.climb(values, eps, part, rising.rungs(part))) for part in parts]
    value, error, step, status = (np.concatenate(of) for of in zip(*found, strict=True))
    return packed(value, error, step, status, at, at.shape)


def extrapolated(ladder: Ladder) -> tuple[np.ndarray, ...]:
    """Values, error bars, steps and statuses."""
    rounding = noise.of(ladder)
    right, left = ladder.slopes()
    h, D = (ladder.right + ladder.left) / 2, ladder.central()
    usable = _usable(ladder, right - left, h, rounding)
    bend = (right - left) / h
    rough = noise.by_rung(ladder, rounding)
    bounds = rising.bounds_below(D, 4 * rough / np.where(h > 0, h, np.nan), 2)
    value, error, row = _best(np.where(usable, D, np.nan), h, rough, 2, bounds)
    none_left, none_right = _missing(left, ladder.left), _missing(right, ladder.right)
    status = np.where(none_left & none_right, Status.NOT_FINITE, Status.FOUND)
    for side, run, values, ends in (
        (right, ladder.right, ladder.up, none_left & ~none_right),
        (left, ladder.left, ladder.down, none_right & ~none_left),
    ):
        if ends.any():
            unsure = 4 * noise.by_rung(ladder._replace(up=values, down=values), rounding)
            bent = 4 * np.diff(side, axis=1, append=np.nan) / run
            D[ends], h[ends], bend[ends] = side[ends], run[ends], bent[ends]
            any_slope = [np.full(D[ends].shape, end) for end in (-np.inf, np.inf)]
            value[ends], error[ends], row[ends] = _best(D[ends], h[ends], unsure[ends], 1, any_slope)
            status[ends] = Status.ONE_SIDED
    at = lambda table, row: np.take_along_axis(table, np.clip(row, 0, RUNGS - 1)[:, None], axis=1)[:, 0]
    bend = np.fmin.reduce([at(np.abs(bend) + 4 * rough / h**2, row + k) for k in range(6)])
    lost = np.where(value == 0, np.nan_to_num(np.abs(at(D, row - 1))), 0)
    error += ladder.eps * (2 * np.abs(value) + np.abs(ladder.x * np.nan_to_num(bend)) / 2 + lost)
    status = np.where(
        settling.unsettled(ladder, (D, right, left), rough) | ~np.isfinite(error) & (status > 0),
        Status.UNSETTLED,
        status,
    )
    status = np.where(settling.kinked(ladder, rough), Status.KINK, status)
    status = np.where(noise.jumps(ladder, rounding), Status.JUMP, status)
    status = np.where(noise.drowned(ladder, rounding), Status.NOISE, status)
    status = np.where(np.isfinite(ladder.middle), status, Status.NOT_FINITE)
    return value, error, at(h, row), status


def _usable(
    ladder: Ladder, gap: Table, h: Table, rounding: Float[np.ndarray, " n"]
) -> Bool[np.ndarray, "n k"]:
    """Where a step is not so long that f has turned on the way, or bends less than over half of the step.

    Steps over whole waves may find a slope of 0 to any number of digits, where no smaller one sees as many. Where f
    does not change at all but for rounding, steps up to |x| or 1 are usable.
    """
    f, unsure = ladder.middle[:, None], rounding[:, None]
    changes = np.nan_to_num(np.fmax(np.abs(ladder.up - f), np.abs(ladder.down - f)))
    below = np.maximum.accumulate(changes[:, ::-1], axis=1)[:, ::-1]
    below = np.pad(below[:, 3:], ((0, 0), (0, 3)))
    near = np.where(ladder.x == 0, 1, np.minimum(1, np.abs(ladder.x)))
    level = (below <= 10 * unsure) & (h <= near[:, None])
    bend = gap / h
    half, half_step = (np.pad(of[:, 1:], ((0, 0), (0, 1)), constant_values=np.nan) for of in (bend, h))
    other = bend * np.sign(half) < 0.5 * np.abs(half) - 20 * unsure / half_step**2
    grows = (changes > 1.2 * below) & (changes > 10 * unsure)
    return np.asarray((grows | level) & ~other)


def _best(D: Table, h: Table, rounding: Table, order: int, bounds: Sequence[Table]) -> tuple[np.ndarray, ...]:
    """The entry of the tableau with the least error bar, that bar, and the row, that of its largest step.

    Args:
        D: differences at steps from the largest down.
        h: the steps.
        rounding: of the values that each difference is made of.
        order: 2 where they have errors in even powers of the step, 1 where in all.
        bounds: what plain differences of smaller steps allow, usable in a tableau or not.
    """
    n, rows = D.shape
    T, unsure = D, 2 * rounding / np.where(h > 0, h, np.nan)
    values, bars = np.full((2, n, COLUMNS - 1, rows), np.nan)
    for j in range(1, COLUMNS):
        ratio = (h[:, :-j] / np.where(h[:, j:] > 0, h[:, j:], np.nan)) ** order
        finer = T[:, 1:] + (T[:, 1:] - T[:, :-1]) / (ratio - 1)
        bar = np.maximum(np.abs(finer - T[:, 1:]), np.abs(finer - T[:, :-1])) + unsure[:, j:]
        T = finer
        values[:, j - 1, :-j] = T
        others = rising.accumulated(T, rising.TOLERANCE * unsure[:, j:])
        bar = np.maximum(bar, rising.beyond(T, *others))
        bars[:, j - 1, :-j] = np.maximum(bar, rising.beyond(T, *(of[:, j:] for of in bounds)))
    entries = (COLUMNS - 1) * rows
    bars = np.where(np.isfinite(bars) & np.isfinite(values), bars, np.inf).reshape(n, entries)
    best = bars.argmin(axis=1)[:, None]
    take = lambda table: np.take_along_axis(table.reshape(n, entries), best, axis=1)[:, 0]
    return take(values), take(bars), best[:, 0] % rows


def _missing(slopes: Table, steps: Table) -> Bool[np.ndarray, " n"]:
    """Whether there is no slope to a side at the eight smallest steps."""
    last = slopes.shape[1] - 1 - (steps > 0)[:, ::-1].argmax(axis=1)
    lowest = np.take_along_axis(slopes, last[:, None] - np.arange(8), axis=1)
    return np.asarray(~np.isfinite(lowest).any(axis=1))
