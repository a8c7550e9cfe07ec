"""Sharp ranges of what an elementary function leaves beyond its Taylor polynomial.

    Φ_k(u) = φ[u₀, …, u₀, u] = (φ(u) − Σ_{j<k} φ_j (u − u₀)ʲ) / (u − u₀)ᵏ,    φ_j = φ⁽ʲ⁾(u₀)/j!,

the divided difference in which u₀ stands k times. Its derivative φ[u₀, …, u₀, u, u] is a mean of φ⁽ᵏ⁺¹⁾/(k+1)!
between u₀ and u: where that has one sign, Φ_k is monotone, and its range is known from its values at both ends. The
ranges of φ⁽ᵏ⁾/k! follow in the same way, from the top down, since d/du φ⁽ᵏ⁾/k! = (k+1) φ⁽ᵏ⁺¹⁾/(k+1)!.

Where the sign changes, what lies between two ends is bounded by how far the slope lets it rise or fall.
"""

from functools import partial
from typing import Any

import jax.numpy as jnp

from mvcalc_jax.taylor.intervals.arithmetic import (
    Interval,
    chosen,
    greatest,
    inverse,
    least,
    outward,
    sum_of_products,
)
from mvcalc_jax.taylor.intervals.balls import ball, difference, dot, interval
from mvcalc_jax.taylor.intervals.compiled import apart
from mvcalc_jax.taylor.intervals.elementary import absolute
from mvcalc_jax.taylor.intervals.recurrences import Argument, Recurrence

LOW = 2
"""An expansion to at most this order is made for its last remainder, which is made sharp by one order more. To higher
orders, the last one is only there to make the one before sharp."""


def slopes(
    recurrence: Recurrence, at: Interval, u: Interval, order: int
) -> tuple[list[Interval], list[Interval]]:
    """φ₀ … φ_{order−1} at the base point, and Φ₀ … Φ_order over u."""
    phi, found = _slopes(recurrence, at, u, order + 1 if order <= LOW else order)
    return phi[:order], found[: order + 1]


def _slopes(
    recurrence: Recurrence, at: Interval, u: Interval, order: int
) -> tuple[list[Interval], list[Interval]]:
    """The same, the last one of which is not made sharp."""
    at, phi = _at_a_point(recurrence, at, order)
    low, low_values = _at_a_point(recurrence, Interval(u.lo, u.lo), order)
    high, high_values = _at_a_point(recurrence, Interval(u.hi, u.hi), order)
    over = Argument(u.lo, u.hi, {f: (low.values[f][0], high.values[f][0]) for f in low.values})
    ranges = apart(partial(_ranges, recurrence, order), (at, phi), (over, low_values, high_values))
    low_slopes, high_slopes = (
        apart(_at_an_end, end, values[0], (at, phi), ranges[order])
        for end, values in ((u.lo, low_values), (u.hi, high_values))
    )
    v, width = u - at, _up(u.width)
    found = [recurrence(over, 0)[0], *ranges[1:]]
    if recurrence is absolute:
        # Its derivatives say nothing across the kink, its values do where u₀ is far from it.
        by = inverse(v)
        for k in range(order):
            found[k + 1] &= (found[k] - phi[k]) * by
    for k in reversed(range(order)):
        if k:
            found[k] &= sum_of_products([(v, found[k + 1])], [phi[k]])
        found[k] &= between_ends(low_slopes[k], high_slopes[k], ranges[k + 1], width)
    return phi, found


def _at_a_point(recurrence: Recurrence, point: Interval, order: int) -> tuple[Argument, list[Interval]]:
    """φ₀ … φ_{order−1}, and the functions that they are made of."""

    def of(point: Interval) -> Any:
        at = Argument(point.lo, point.hi)
        return recurrence(at, order - 1), at.values

    found, values = apart(of, point)
    return Argument(point.lo, point.hi, values), found


def _ranges(recurrence: Recurrence, order: int, base: Any, over: Any) -> list[Interval]:
    """φ⁽ᵏ⁾/k! over all that lies between u₀ and u, k = 0 … order; the last one is not made sharp."""
    (at, phi), (u, low, high) = base, over
    before, after = at.lo < u.lo, at.hi > u.hi
    hull = Argument(
        jnp.where(before, at.lo, u.lo),
        jnp.where(after, at.hi, u.hi),
        {
            f: (jnp.where(before, at.values[f][0], a), jnp.where(after, at.values[f][1], b))
            for f, (a, b) in u.values.items()
        },
    )
    found, width = recurrence(hull, order), _up(hull.width)
    for k in reversed(range(order)):
        first, last = chosen(before, phi[k], low[k]), chosen(after, phi[k], high[k])
        found[k] &= between_ends(first, last, found[k + 1], width * float(k + 1))
    return found


def _at_an_end(end: Any, value: Interval, base: Any, last: Interval) -> list[Interval]:
    """Φ₀ … Φ_{order−1} at one end: by division where u₀ is far from it, by the range of the last one where it is near.

    One of the two is better for all of them: by both, an error ε of Φ_k goes with an error ε v of Φ_{k−1}.
    """
    at, phi = base
    v = Interval(end, end) - at
    φ, h, over = [ball(entry) for entry in phi], ball(v), ball(inverse(v))
    far, near = [ball(value)], [ball(last)]
    for k in range(len(φ) - 1):
        far.append(dot([(difference(far[k], φ[k]), over)]))
        near.append(dot([(h, near[k])], [φ[-1 - k]]))
    return [value, *(interval(a) & interval(b) for a, b in zip(far[1:], near[:0:-1], strict=True))]


def between_ends(low: Interval, high: Interval, slope: Interval, width: Any) -> Interval:
    """What a function reaches between two ends, from its values there and the range of its slope.

    With a slope of one sign it lies between the two values. Otherwise it rises from one end, and falls to the
    other, by at most |slope| · width.
    """
    rise = jnp.where(slope.hi <= 0, 0.0, _up(slope.hi * width))
    fall = jnp.where(slope.lo >= 0, 0.0, _up(-slope.lo * width))
    return outward(greatest(low.lo - fall, high.lo - rise), least(low.hi + rise, high.hi + fall))


def _up(x: Any) -> Any:
    """A positive number that was rounded, moved up."""
    info = jnp.finfo(x.dtype)
    return x * (1 + 4 * float(info.eps)) + float(2 * info.tiny)
