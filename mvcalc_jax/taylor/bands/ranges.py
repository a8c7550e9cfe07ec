"""verified_range: bounds on a function over a box that provably hold.

Outer bounds come from intervals, and from dividing the box where they are not sharp yet; inner ones from values of f.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax import precision, require, text
from mvcalc_jax.compiling import quickly
from mvcalc_jax.taylor.bands.boxes import AT_ONCE, function_on_box, halved, padded
from mvcalc_jax.taylor.bands.tensors import along, interval_of, jacobian_over, steady
from mvcalc_jax.taylor.intervals.arithmetic import Interval, point, where

BOXES = 20_000
"""Boxes that are looked at before the search ends."""


@text.shown
class Range(NamedTuple):
    """All values of a function lie in [lo, hi]; it takes values ≤ `attained.lo` and values ≥ `attained.hi`.

    >>> found = mv.verified_range(lambda x: 1 + x * (1 - x), (0, 1))
    >>> found.lo <= 1 <= float(found.attained.lo), float(found.attained.hi) <= 1.25 <= found.hi
    (True, True)
    """

    lo: float
    hi: float
    attained: Interval
    """Between values that f is proven to take: no range can be smaller."""
    message: str

    def _parts(self) -> text.Parts:
        return [self.message]


def verified_range(f: Callable[[Any], Any], box: Any, *, tolerance: float = 1e-6) -> Range:
    """Bounds on f over a box that provably hold, sharp to `tolerance` of their width.

    Args:
        f: a function of an array of shape (d,) with a single number for its value, or of a number for a box of one
            pair.
        box: a pair (low, high) for each variable, or one pair for a function of a number.
        tolerance: how much wider than f's range the bounds may be, relative to it.

    Raises:
        TypeError, ValueError: where an argument is none of these; or f has an operation that no rule is known for.

    >>> found = mv.verified_range(lambda x: 1 + x * (1 - x), (0, 1))
    >>> round(found.lo, 5), round(found.hi, 5)
    (1.0, 1.25)
    """
    f, box, alone = function_on_box(f, box)
    require.positive("tolerance", tolerance)
    require.scalar("f", f, jnp.zeros(len(box)) if not alone else jnp.zeros(1))
    with precision.of(box):
        bounds = jax.jit(jax.vmap(partial(_bounds, f)), compiler_options=quickly())
        boxes, found = box[None], _numbers(bounds(padded(box[None])), 1)
        seen = 1
        while True:
            inner = found.most.min(), found.least.max()  # f is proven to go this far down, and this far up
            lo, hi = found.lo.min(), found.hi.max()
            gap = tolerance * max(inner[1] - inner[0], 0) + 1e-300
            wanted = (found.lo < inner[0] - gap) | (found.hi > inner[1] + gap)
            if not wanted.any() or seen >= BOXES or not np.isfinite(box).all():
                return _range(lo, hi, inner, seen, bool(wanted.any()))
            worst = np.argsort(
                np.where(wanted, np.minimum(found.lo - inner[0], inner[1] - found.hi), np.inf)
            )[: AT_ONCE // 2]
            halves = np.concatenate(halved(boxes[worst]))
            keep = np.setdiff1d(np.arange(len(boxes)), worst)
            new = _numbers(bounds(padded(halves)), len(halves))
            seen += len(halves)
            best = _Bounds(
                found.lo[worst], found.hi[worst], found.least[worst].max(), found.most[worst].min()
            )
            boxes = np.concatenate([boxes[keep], halves])
            found = _Bounds(*(np.concatenate([a[keep], b]) for a, b in zip(found, new, strict=True)))
            found.least[-1], found.most[-1] = max(found.least[-1], best.least), min(found.most[-1], best.most)


class _Bounds(NamedTuple):
    lo: Any
    hi: Any
    least: Any
    """A number that some value of f is at least."""
    most: Any


def _bounds(f: Callable[[Any], Any], box: jax.Array) -> _Bounds:
    """By interval arithmetic on the box, and by the mean value theorem about its middle, whichever is sharper."""
    region, middle = Interval(box[:, 0], box[:, 1]), (box[:, 0] + box[:, 1]) / 2
    at, slope = interval_of(f, point(middle)), jacobian_over(f, region)
    h = region - point(middle)
    centred = where(steady(f, point(middle), h, 1)[1], at + along(slope, h))
    found = interval_of(f, region) & centred
    return _Bounds(found.lo, found.hi, at.lo, at.hi)


def _numbers(found: _Bounds, count: int | None = None) -> _Bounds:
    return _Bounds(*(np.array(x)[:count] for x in found))


def _range(lo: float, hi: float, inner: tuple[float, float], seen: int, short: bool) -> Range:
    unbounded = not (np.isfinite(lo) and np.isfinite(hi))
    message = f"f lies in [{lo:.10g}, {hi:.10g}], proven with {seen} boxes"
    if unbounded:
        message += "; f has a pole or is not defined somewhere in the box, or this cannot be excluded"
    elif short:
        message += f"; not as sharp as asked for: it does reach from {inner[0]:.10g} to {inner[1]:.10g}"
    return Range(float(lo), float(hi), Interval(jnp.asarray(inner[0]), jnp.asarray(inner[1])), message)
