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
from mvcalc_jax.taylor.intervals.compiled import apart
from mvcalc_jax.taylor.intervals.elementary import absolute
from mvcalc_jax.taylor.intervals.recurrences import Recurrence


def slopes(
    recurrence: Recurrence, at: Interval, u: Interval, order: int
) -> tuple[list[Interval], list[Interval]]:
    """φ₀ … φ_{order−1} at the base point, and Φ₀ … Φ_order over u."""
    phi = recurrence(at, order)
    low, high = (recurrence(Interval(end, end), order) for end in (u.lo, u.hi))
    ranges = apart(partial(_ranges, recurrence, order), (at, phi), (u, low, high))
    low_slopes = apart(_at_an_end, u.lo, low[0], (at, phi), ranges)
    high_slopes = apart(_at_an_end, u.hi, high[0], (at, phi), ranges)
    v, width = u - at, _up(u.width)
    found = ranges[: order + 1]
    found[0] = recurrence(u, 0)[0]
    if recurrence is absolute:
        # Its derivatives say nothing across the kink, its values do where u₀ is far from it.
        over = inverse(v)
        for k in range(order):
            found[k + 1] &= (found[k] - phi[k]) * over
    for k in reversed(range(order + 1)):
        if 0 < k < order:
            found[k] &= sum_of_products([(v, found[k + 1])], [phi[k]])
        found[k] &= between_ends(low_slopes[k], high_slopes[k], ranges[k + 1], width)
    return phi[:order], found


def _ranges(recurrence: Recurrence, order: int, base: Any, over: Any) -> list[Interval]:
    """φ⁽ᵏ⁾/k! over all that lies between u₀ and u, k = 0 … order + 1; the last one is not made sharp."""
    (at, phi), (u, low, high) = base, over
    hull = at | u
    found, width = recurrence(hull, order + 1), _up(hull.width)
    for k in reversed(range(order + 1)):
        first, last = chosen(at.lo < u.lo, phi[k], low[k]), chosen(at.hi > u.hi, phi[k], high[k])
        found[k] &= between_ends(first, last, found[k + 1], width * float(k + 1))
    return found


def _at_an_end(end: Any, value: Interval, base: Any, ranges: list[Interval]) -> list[Interval]:
    """Φ at one end: by division where u₀ is far from it, by the range of derivatives where it is near."""
    at, phi = base
    v = Interval(end, end) - at
    over = inverse(v)
    found = [value]
    for k in range(len(phi) - 1):
        found.append(((found[k] - phi[k]) * over) & ranges[k + 1])
    for k in reversed(range(1, len(phi) - 1)):
        found[k] &= sum_of_products([(v, found[k + 1])], [phi[k]])
    return found


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
