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

from mvcalc_jax.calculus.rootfinding.reduced import reduced
from mvcalc_jax.calculus.rootfinding.trail import Subject

_PER_OCTAVE = 2
_STEADY = 0.3
"""How far a slope may be from its order. Terms of higher order move it, by as much some way off the root."""
_RISE = 6.0
"""Bits by which |f| must grow along the rungs that show an order; rounding does not grow steadily by that much."""
_ORDERS = 40
_DIGITS = 32
"""Last places of f by which its values may be wrong wherever they are."""
_LEAST_ORDER = 0.05
"""√x has ½ and ∛x a third; about a jump it is 0, and a little more where f also slopes."""


class Portrait(NamedTuple):
    """What was seen about a point.

    kind: "root", "pole", "jump", "still" (zero on a whole stretch to one side or both), or "none".
    order: of a root or pole; NaN if there is none.
    error: how far from the point a root may be.
    noise: of f about the point.
    law: C of |f| ≈ C hᵐ.
    floor: of a root at which f keeps its sign: as far from zero as that f may stay, for all that its values tell.
    """

    kind: str
    order: float
    error: float
    noise: float
    law: float = np.nan
    floor: float = 0.0


def look(subject: Subject, x: Any, size: Any, rested: Any = None, order: int | None = None) -> Portrait:
    """What f looks like about x; of several variables, in the directions in which it changes least.

    `size` is that of x, or of steps near it, for each variable. `rested` is f at a point where Newton's steps came to
    rest: another program may round it in another way. Only roots of one `order` are looked for where it is given.
    """
    if x.ndim:
        return _of_many(subject, x, size, rested)
    h = rungs(float(x), float(size), x.dtype)
    with np.errstate(over="ignore"):
        points = np.concatenate([[x], x + h, x - h]).astype(x.dtype)
    values = subject.sample(points).astype(float)
    middle = abs(values[0]) if rested is None else min(abs(values[0]), abs(float(rested)))
    digit = float(np.spacing(abs(x))) or float(h[0])
    up, down = values[1 : 1 + len(h)], values[1 + len(h) :]
    found = seen(h, middle, up, down, digit, rough=rested is not None, order=order)
    if x == 0 and values[0] == 0 and order is None and found.kind in ("jump", "none"):
        return _slow(subject, x, float(size)) or found
    return found


def _slow(subject: Subject, x: Any, size: float) -> Portrait | None:
    """A root at 0, as of |x|^0.1, that shows only over all the numbers there are."""
    least = float(np.finfo(x.dtype).tiny) * 2.0**8
    h = np.geomspace(least, max(size, 2.0**40 * least), 32)
    with np.errstate(all="ignore"):
        values = np.log(np.abs(subject.sample(np.concatenate([h, -h]).astype(x.dtype)).astype(float)))
        slopes = np.diff(values.reshape(2, -1)[:, :16]) / np.diff(np.log(h[:16]))
    p = float(np.mean(slopes))
    if not (p > 1e-3 and np.ptp(slopes) < 0.02 * p):
        return None
    return Portrait("root", p, float(h[0]), 0.0, float(np.exp(values[0] - p * np.log(h[0]))))


def jumps(subject: Subject, x: Any, beyond: Any) -> bool:
    """Whether f leaps between two neighbouring numbers, by more than it differs between any that are near."""
    away = np.arange(32) * np.spacing(max(abs(x), abs(beyond)))
    sides = (
        subject.sample(np.concatenate([x - away, beyond + away]).astype(x.dtype)).astype(float).reshape(2, -1)
    )
    with np.errstate(all="ignore"):
        return bool(np.abs(sides[1, 0] - sides[0, 0]) > 30 * np.max(np.abs(np.diff(sides))))


def _of_many(subject: Subject, x: Any, size: Any, rested: Any) -> Portrait:
    """Of several variables: along the direction in which f changes least, or several if J is nearly singular in more.

    At an isolated root |f| grows in all of them; the worst is told.
    """
    with np.errstate(all="ignore"):
        shadow = reduced(subject, x, np.broadcast_to(size, x.shape))
        if shadow is None:
            return Portrait("none", np.nan, np.nan, np.nan)
        found = []
        for way in shadow.ways:
            h = rungs(1.0, 1.0, x.dtype)
            values = shadow.along(way, np.concatenate([[0.0], h, -h]))
            middle = float(np.linalg.norm(values[0]))
            if rested is not None:
                middle = min(middle, float(np.linalg.norm(shadow.of(rested))))
            values = values[:, 0] if values.shape[1] == 1 else np.linalg.norm(values, axis=1)
            up, down = values[1 : 1 + len(h)], values[1 + len(h) :]
            portrait = seen(h, middle, up, down, shadow.digit, rough=rested is not None)
            found.append(portrait._replace(error=portrait.error * shadow.length(way)))
    others = [p for p in found if p.kind != "root"]
    if others:
        return next((p for p in others if p.kind == "still"), others[0])
    return found[0]._replace(error=max(p.error for p in found), floor=max(p.floor for p in found))


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
    rough: bool = False,
    order: int | None = None,
) -> Portrait:
    """What a function is about a point, from f there, f(x + h), f(x − h), and the last digit of x.

    A side on which f is not defined is left out; that a root is at the edge of f's domain is no harm. A point is
    `rough` if Newton's steps came to rest at it: at a root of multiplicity m they do so up to 2m digits away. Of a
    rough point whose order is known, f may be as large as it is where its law begins: the root is yet to be found.
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
        found = (
            None if any((np.nan_to_num(side) == 0).all() for side in sides) else _steady(slope, size, order)
        )
        if found is None:
            if any((side[low] == 0).all() for side in sides):
                return Portrait("still", np.nan, float(h[0]), 0.0)
            return Portrait(_apart(sides, low), np.nan, float(h[0]), np.nan)
        first, m = found
        if m < 0:
            return Portrait("pole", -m, float(h[0]), np.nan)
        law, noise = [], 0.0
        for side in sides:
            high = slice(first, first + 2 * _PER_OCTAVE + 1)
            law.append(float(np.nanmedian(np.abs(side[high]) / h[high] ** m)))
            low = slice(
                0, max(first - 2 * _PER_OCTAVE, 0)
            )  # further up, terms other than C hᵐ look like noise
            rest = side[low] - np.sign(side[first]) * law[-1] * h[low] ** m
            # what the last digits of f itself make falls with f, and is none at the point
            rough_f = np.maximum(np.abs(np.diff(rest)) - _DIGITS * np.spacing(np.abs(side[low][1:])), 0)
            noise = max(noise, 4 * float(np.median(rough_f)) if len(rest) > 1 else 0.0)
        few = max(8.0, (4 * m) ** m) if rough else 8.0
        allowed = few * max(law) * digit**m + 2 * noise
        allowed += max(law) * h[first] ** m if rough and order else 0.0
        zero = abs(middle) <= allowed
        zero = zero and all(_falls(side, h, first, m) for side in sides)
        if not zero:
            return Portrait(_apart(sides, slice(0, first + 1)), np.nan, float(h[first]), noise)
        keeps = len(sides) == 2 and sides[0][first] * sides[1][first] > 0
        blurred = max(law) * h[first] ** m if first > 2 * _PER_OCTAVE else 0.0
        return Portrait(
            "root", m, float(h[first]), noise, max(law), max(abs(middle), blurred) if keeps else 0.0
        )


def _falls(side: np.ndarray, h: np.ndarray, first: int, order: float) -> bool:
    """Whether |f| falls towards the point on this side, too: beside a jump it may do so on the other side alone."""
    last = min(first + 8 * _PER_OCTAVE, len(side) - 1)
    return float(np.abs(side[last] / side[first])) >= float(h[last] / h[first]) ** (0.25 * order)


def _apart(sides: list[np.ndarray], low: slice) -> str:
    """Whether f, which is not zero about a point, has opposite signs to its sides."""
    opposite = len(sides) == 2 and (np.sign(sides[0][low]) * np.sign(sides[1][low]) < 0)[-3:].all()
    return "jump" if opposite else "none"


def _steady(slope: np.ndarray, size: np.ndarray, only: int | None = None) -> tuple[int, float] | None:
    """The lowest rung from which log |f| has a steady slope, and the slope: a whole number where one fits."""
    runs = []
    for order in (*range(1, _ORDERS), *(-n for n in range(1, _ORDERS))) if only is None else (only,):
        first = _run(np.abs(slope - order) <= (_STEADY if abs(order) > 1 else _STEADY / 2), size, order)
        if first is not None and (order > 0 or not runs):
            runs.append((first, float(order)))
    if not runs and only is None:
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
    if only is None and len(along) > 10 and np.ptp(along) < 0.01 and abs(np.median(along) - order) > 0.03:
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
