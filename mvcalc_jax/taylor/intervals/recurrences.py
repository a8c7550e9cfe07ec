"""What all recurrences for elementary functions share: ranges of monotone functions, domains, powers of quadratics.

A recurrence gives φ⁽ᵏ⁾(u)/k! for k = 0 … order from u alone, all in interval arithmetic. At a point it is as sharp
as rounding permits; over a wide interval it is crude where u stands in it more than once
(`mvcalc_jax.taylor.intervals.slopes` makes it sharp again). Outside its domain a function is known to lie in [−∞,
∞], no more.

Reference: R. E. Moore, Interval Analysis (1966), §11; the letters are y for φ(u) and w for a power's base.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp

from mvcalc_jax.taylor.intervals.arithmetic import (
    Interval,
    greatest,
    inverse,
    least,
    outward,
    scaled,
    sum_of_products,
    where,
)
from mvcalc_jax.taylor.intervals.compiled import apart
from mvcalc_jax.taylor.intervals.ulps import error

Recurrence = Callable[[Interval, int], list[Interval]]
"""recurrence(u, order): ranges of φ⁽ᵏ⁾/k! over u, k = 0 … order."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Argument(Interval):
    """An interval, and what functions are at its ends, by name: so that each of them is evaluated there once."""

    values: dict[Any, tuple[jax.Array, jax.Array]] = field(default_factory=dict)


def at_ends(name: Any, f: Callable[[Any], Any], u: Interval) -> tuple[jax.Array, jax.Array]:
    """f(lo) and f(hi)."""
    values = u.values if isinstance(u, Argument) else {}
    if name not in values:
        first = apart(f, u.lo)
        values[name] = first, first if u.hi is u.lo else apart(f, u.hi)
    return values[name]


def units(name: str, dtype: Any) -> float:
    """By how many units in the last place a value of XLA's is moved: its error, and the rounding of the move."""
    return error(name, dtype).ulps + 1


def monotone(
    name: str,
    f: Callable[[Any], Any],
    u: Interval,
    low: float = -jnp.inf,
    high: float = jnp.inf,
    sign: int = 1,
) -> Interval:
    """The range of an increasing (or, with sign −1, decreasing) function, whose values lie between low and high."""
    first, second = at_ends((name, sign), f, u)  # of the logistic function both signs are wanted
    low_end, high_end = (first, second) if sign > 0 else (second, first)
    found = outward(low_end, high_end, units(name, u.lo.dtype))
    return Interval(greatest(found.lo, low), least(found.hi, high))


def where_defined(u: Interval, low: float, high: float, found: Interval) -> Interval:
    """What was found where u lies between low and high; elsewhere nothing is known.

    It must be applied to every coefficient: an even power of what nothing is known of has a sign, and a function with a
    derivative of one sign would be taken for monotone across its pole.
    """
    return where((u.lo >= low) & (u.hi <= high), found)


def integrated(value: Interval, derivative: list[Interval]) -> list[Interval]:
    """Coefficients of y from those of y′: y_{k+1} = y′_k / (k+1)."""
    return [value, *(scaled(d, 1 / (k + 1)) for k, d in enumerate(derivative))]


def convolved(a: list[Interval], b: list[Interval]) -> Interval:
    """The last coefficient of a product that the two lists reach."""
    return sum_of_products(list(zip(a, reversed(b), strict=True)))


def power_of_quadratic(
    w: tuple[Interval, ...], exponent: float, value: Interval, order: int
) -> list[Interval]:
    """y = wᵃ, w = w₀ + w₁ h + w₂ h²:  k w₀ y_k = Σ_j (a j − (k − j)) w_j y_{k−j}."""
    ys, over = [value], inverse(w[0])
    for k in range(1, order + 1):
        terms = [
            (scaled(w[j], exponent * j - (k - j)), ys[k - j])
            for j in range(1, min(k, len(w) - 1) + 1)
            if exponent * j != k - j
        ]
        ys.append(scaled(sum_of_products(terms) * over, 1 / k))
    return ys[: order + 1]


def tiny(u: Interval) -> float:
    """The smallest normal number."""
    return float(jnp.finfo(u.lo.dtype).tiny)
