r"""What a function looks like about one point: a root of some order, a pole, a jump, or nothing of the kind.

f is evaluated at x ± h for h from the rounding of x up to the size of x, each √2 times the one before. About a root of
order m these values fall with h as C hᵐ, all the way down to where rounding of f hides them; about a pole they rise,
beside a jump they stay, with opposite signs; and where |f| has a minimum that is not zero, or f only fades away towards
an asymptote, they stay as they are. The slope of log |f| against log h tells these apart without any derivative:

    m       its slope on the lowest rungs where it is steady
    error   the h of the first of them: from there on f obeys the law of a root, with the signs that m demands
    noise   how far the rungs below are from C hᵐ

and f(x) must be zero to rounding: no more than the noise, and what the last digit of x makes of C hᵐ.
"""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from mvcalc_jax.calculus.rootfinding.trail import Subject

_PER_OCTAVE = 2
_STEADY = 0.3
"""How far a slope may be from its order. Terms of higher order move it, by as much some way off the root."""
_RISE = 6.0
"""Bits by which |f| must grow along the rungs that show an order; rounding does not grow steadily by that much."""
_ORDERS = 40
_LEAST_ORDER = 0.05
"""√x has ½ and ∛x a third; about a jump it is 0, and a little more where f also slopes."""


class Portrait(NamedTuple):
    """What was seen about a point.

    kind: "root", "pole", "jump", "still" (zero on a whole stretch to one side or both), or "none".
    order: of a root or pole; NaN if there is none.
    error: how far from the point a root may be.
    noise: of f about the point.
    """

    kind: str
    order: float
    error: float
    noise: float


def look(subject: Subject, x: Any, size: float, rested: Any = None) -> Portrait:
    """What f looks like about x; of several variables, in the direction in which it changes least.

    `rested` is f at a point where Newton's steps came to rest: another program may round it in another way.
    """
    least = np.inf if rested is None else float(np.linalg.norm(rested))
    if x.ndim == 0:
        h = rungs(float(x), size, x.dtype)
        points = np.concatenate([[x], x + h, x - h]).astype(x.dtype)
        values = subject.sample(points).astype(float)
        digit, floor = float(np.spacing(abs(x))) or float(h[0]), 0.0
    else:
        J = subject.both(x)[1]
        if not np.isfinite(J).all():
            return Portrait("none", np.nan, np.nan, np.nan)
        v = np.linalg.svd(J.astype(float))[2][-1]
        reach = float(np.abs(v) @ np.abs(x))
        reach = max(reach, min(size, 1e3 * float(np.abs(x).max())) if x.any() else size)
        h = rungs(reach, reach, x.dtype)
        points = np.concatenate([x[None], x + np.outer(h, v), x - np.outer(h, v)]).astype(x.dtype)
        with np.errstate(over="ignore"):
            values = np.linalg.norm(subject.sample(points).astype(float), axis=1)
        digit, floor = float(h[0]), 8 * float(np.linalg.norm(np.abs(J) @ np.spacing(np.abs(x))))
    middle, up, down = values[0], values[1 : 1 + len(h)], values[1 + len(h) :]
    return seen(h, min(abs(middle), least), up, down, digit, floor, rough=rested is not None)


def rungs(x: float, size: float, dtype: np.dtype) -> Float[np.ndarray, " k"]:
    """The distances at which f is looked at, from the last digit of x up; `size` is that of x, or of steps near it."""
    info = np.finfo(dtype)
    least = max(float(np.spacing(np.asarray(abs(x), dtype))), size * float(info.eps) / 2, float(info.tiny))
    count = int(np.ceil(_PER_OCTAVE * max(np.log2(max(size, 4 * least) / least), 8)))
    h = least * 2.0 ** (np.arange(count) / _PER_OCTAVE)
    with np.errstate(over="ignore"):
        return (np.asarray(x + h, dtype) - np.asarray(x, dtype)).astype(float)


def seen(
    h: Float[np.ndarray, " k"],
    middle: float,
    up: Float[np.ndarray, " k"],
    down: Float[np.ndarray, " k"],
    digit: float,
    floor: float = 0.0,
    rough: bool = False,
) -> Portrait:
    """What a function is about a point, from f there, f(x + h), f(x − h), and the last digit of x.

    A side on which f is not defined is left out; that a root is at the edge of f's domain is no harm. f(x) may be as
    large as `floor`, too: of several variables, the last digits of those that h does not change. A point is `rough` if
    Newton's steps came to rest at it: at a root of multiplicity m they do so up to 2m digits away.
    """
    with np.errstate(all="ignore"):
        near = len(h) // 2
        sides = [
            np.where(np.isfinite(side), side, np.nan) for side in (up, down) if np.isfinite(side[:near]).all()
        ]
        if not sides or np.isnan(middle):
            return Portrait("none", np.nan, np.nan, np.nan)
        low = slice(0, 5 * _PER_OCTAVE)
        size = np.mean([np.log2(np.abs(side)) for side in sides], axis=0)
        slope = (size[_PER_OCTAVE:] - size[:-_PER_OCTAVE]) / np.log2(h[_PER_OCTAVE:] / h[:-_PER_OCTAVE])
        found = None if any((np.nan_to_num(side) == 0).all() for side in sides) else _steady(slope, size)
        if found is None:
            if any((side[low] == 0).all() for side in sides):
                return Portrait("still", np.nan, float(h[0]), 0.0)
            return Portrait(_apart(sides, low), np.nan, float(h[0]), np.nan)
        first, order = found
        if order < 0:
            return Portrait("pole", -order, float(h[0]), np.nan)
        law, noise = [], 0.0
        for side in sides:
            high = slice(first, first + 2 * _PER_OCTAVE + 1)
            law.append(float(np.nanmedian(np.abs(side[high]) / h[high] ** order)))
            low = slice(
                0, max(first - 2 * _PER_OCTAVE, 0)
            )  # further up, terms other than C hᵐ look like noise
            rest = side[low] - np.sign(side[first]) * law[-1] * h[low] ** order
            noise = max(noise, 4 * float(np.median(np.abs(np.diff(rest)))) if len(rest) > 1 else 0.0)
        few = max(8.0, (4 * order) ** order) if rough else 8.0
        zero = abs(middle) <= few * max(law) * digit**order + 2 * noise + floor
        zero = zero and all(_falls(side, h, first, order) for side in sides)
        kind = "root" if zero else _apart(sides, slice(0, first + 1))
        return Portrait(kind, order if zero else np.nan, float(h[first]), noise)


def _falls(side: np.ndarray, h: np.ndarray, first: int, order: float) -> bool:
    """Whether |f| falls towards the point on this side, too: beside a jump it may do so on the other side alone."""
    last = min(first + 8 * _PER_OCTAVE, len(side) - 1)
    return float(np.abs(side[last] / side[first])) >= float(h[last] / h[first]) ** (0.25 * order)


def _apart(sides: list[np.ndarray], low: slice) -> str:
    """Whether f, which is not zero about a point, has opposite signs to its sides."""
    opposite = len(sides) == 2 and (np.sign(sides[0][low]) * np.sign(sides[1][low]) < 0)[-3:].all()
    return "jump" if opposite else "none"


def _steady(slope: np.ndarray, size: np.ndarray) -> tuple[int, float] | None:
    """The lowest rung from which log |f| has a steady slope, and the slope: a whole number where one fits."""
    runs = []
    for order in (*range(1, _ORDERS), *(-n for n in range(1, _ORDERS))):
        first = _run(np.abs(slope - order) <= (_STEADY if abs(order) > 1 else _STEADY / 2), size, order)
        if first is not None and (order > 0 or not runs):
            runs.append((first, float(order)))
    if not runs:
        near = (np.abs(np.diff(slope, append=np.nan)) < 0.02) & (np.abs(slope) > _LEAST_ORDER)
        first = _run(near, size, 0)
        if first is not None:
            order = float(np.median(slope[first : first + 4 * _PER_OCTAVE]))
            runs.append((first, float(round(order)) if abs(order - round(order)) < 0.02 else order))
    if not runs:
        return None
    first, order = min(runs)
    along = slope[
        first + 8 * _PER_OCTAVE : first + 16 * _PER_OCTAVE
    ]  # the first may still be touched by rounding
    if len(along) > 10 and np.ptp(along) < 0.01 and abs(np.median(along) - order) > 0.03:
        order = float(np.median(along))
    return first, order


def _run(good: np.ndarray, size: np.ndarray, order: int) -> int | None:
    """The first of the rungs, at least three slopes long, along which |f| rises, or falls, by enough."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], good, [False]]).astype(int)))
    below = np.maximum.accumulate(np.concatenate([[-np.inf], np.nan_to_num(size, nan=-np.inf)]))
    for start, beyond in zip(edges[::2], edges[1::2], strict=True):
        for first in range(start, beyond - 2):
            rise = size[beyond - 1 + _PER_OCTAVE] - size[first]
            if abs(rise) < (_RISE if order else 2 * _RISE):
                break
            if rise < 0 or below[first] <= size[first] + 1:  # at a root f is not larger further down
                return first
    return None
