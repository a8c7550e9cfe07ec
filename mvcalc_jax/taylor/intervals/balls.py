"""Numbers that are known to rounding, by a middle and a radius: all that lies within ρ of m.

Half as many operations as for intervals, and no comparisons. What is not bounded has ∞ or NaN for a radius, which all
that is computed with it inherits, and as an interval is [−∞, ∞]. Rounding errors are those of
`mvcalc_jax.taylor.intervals.arithmetic`: half a unit of every result, and less than ω where it underflows.
"""

from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import Any, NamedTuple

import jax.numpy as jnp

from mvcalc_jax.taylor.intervals.arithmetic import Interval, known, middle
from mvcalc_jax.taylor.intervals.ulps import FLOOR


class Ball(NamedTuple):
    """m ± ρ"""

    m: Any
    ρ: Any


def ball(a: Interval) -> Ball:
    """The ball around an interval."""
    m, ρ = middle(a)
    return Ball(m, jnp.zeros_like(m) if ρ is None else ρ)


def interval(a: Ball) -> Interval:
    """The interval of a ball that was computed here, which has room for the rounding of its ends."""
    return known(a.m - a.ρ, a.m + a.ρ)


def difference(a: Ball, b: Ball) -> Ball:
    """a − b"""
    m = a.m - b.m
    return _roomy(m, jnp.abs(m), a.ρ + b.ρ, 1)


def dot(pairs: Sequence[tuple[Ball, Ball]], plus: Sequence[Ball] = ()) -> Ball:
    """Σ a b + Σ c:  |a b − m_a m_b| ≤ ρ_a (|m_b| + ρ_b) + |m_a| ρ_b."""
    terms = [a.m * b.m for a, b in pairs] + [c.m for c in plus]
    spread = [a.ρ * (jnp.abs(b.m) + b.ρ) + jnp.abs(a.m) * b.ρ for a, b in pairs] + [c.ρ for c in plus]
    return _roomy(reduce(add, terms), reduce(add, map(jnp.abs, terms)), reduce(add, spread), len(terms))


def _roomy(m: Any, size: Any, spread: Any, terms: int) -> Ball:
    """m, a sum whose partial sums are at most `size`, ± `spread`, itself rounded, and the rounding of it all.

    Half a unit of `size` for each term, for each addition and for an end that is computed from it, and as much for
    room; the spread is rounded terms + 4 times at most. In every term up to four products may underflow.
    """
    info = jnp.finfo(m.dtype)
    ρ = spread * float(1 + (terms + 6) * info.eps) + size * float((terms + 2) * info.eps)
    return Ball(m, ρ + float((4 * terms + FLOOR + 1) * info.tiny))
