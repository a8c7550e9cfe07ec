"""Recurrences for exponentials, logarithms, powers and roots."""

from collections.abc import Callable
from math import comb
from typing import Any

import jax.numpy as jnp
from jax import lax

from mvcalc_jax.taylor.intervals.arithmetic import (
    Interval,
    enclosing,
    filled,
    greatest,
    inverse,
    least,
    outward,
    power,
    scaled,
    where,
)
from mvcalc_jax.taylor.intervals.recurrences import (
    Recurrence,
    at_ends,
    monotone,
    tiny,
    units,
    where_defined,
)

LN2 = 0.6931471805599453


def exp(u: Interval, order: int) -> list[Interval]:
    """eᵘ"""
    ys = [monotone("exp", jnp.exp, u, low=0.0)]
    for k in range(order):
        ys.append(scaled(ys[k], 1 / (k + 1)))
    return ys


def exp2(u: Interval, order: int) -> list[Interval]:
    """2ᵘ"""
    ys = [monotone("exp2", jnp.exp2, u, low=0.0)]
    for k in range(order):
        ys.append(scaled(ys[k], LN2 / (k + 1)))
    return ys


def expm1(u: Interval, order: int) -> list[Interval]:
    """eᵘ − 1"""
    return [monotone("expm1", jnp.expm1, u, low=-1.0), *exp(u, order)[1:]]


def log(u: Interval, order: int) -> list[Interval]:
    """log u, for u > 0"""
    return _logarithm(where_defined(u, tiny(u), jnp.inf, monotone("log", jnp.log, u)), u, order)


def log1p(u: Interval, order: int) -> list[Interval]:
    """log(1 + u), for u > −1"""
    value = where_defined(u, -1 + float(jnp.finfo(u.lo.dtype).eps), jnp.inf, monotone("log1p", jnp.log1p, u))
    return _logarithm(value, 1.0 + u, order)


def _logarithm(value: Interval, w: Interval, order: int) -> list[Interval]:
    """log⁽ᵏ⁾(w)/k! = −(−1/w)ᵏ / k."""
    if order == 0:
        return [value]
    over = inverse(w)
    rest = (scaled(power(over, k), (-1) ** (k + 1) / k) for k in range(1, order + 1))
    return [value, *(where_defined(w, tiny(w), jnp.inf, y) for y in rest)]


def _nonzero(u: Interval) -> Any:
    """Whether u keeps away from zero."""
    return (u.lo >= tiny(u)) | (u.hi <= -tiny(u))


def reciprocal(u: Interval, order: int) -> list[Interval]:
    """1/u"""
    over = inverse(u)
    return [where(_nonzero(u), scaled(power(over, k + 1), float((-1) ** k))) for k in range(order + 1)]


def integer_power(n: int) -> Recurrence:
    """uⁿ: coefficients binom(n, k) uⁿ⁻ᵏ."""

    def recurrence(u: Interval, order: int) -> list[Interval]:
        ys = []
        for k in range(order + 1):
            binomial = comb(n, k) if n >= 0 else (-1) ** k * comb(k - n - 1, k)
            ys.append(scaled(power(u, n - k), float(binomial)) if binomial else filled(u, 0.0))
        return ys if n >= 0 else [where(_nonzero(u), y) for y in ys]

    return recurrence


def real_power(p: Any) -> Recurrence:
    """uᵖ for u > 0 and a fixed number p: y_{k+1} = y_k (p − k) / ((k + 1) u)."""

    def recurrence(u: Interval, order: int) -> list[Interval]:
        low, high = at_ends(("pow", 0), lambda x: jnp.power(x, p), u)
        value = outward(least(low, high), greatest(low, high), units("pow", u.lo.dtype))
        ys = [where_defined(u, tiny(u), jnp.inf, Interval(greatest(value.lo, 0.0), value.hi))]
        over = inverse(u)
        for k in range(order):
            factor = enclosing(p, u) - float(k) if k else enclosing(p, u)
            ys.append(scaled(ys[k] * over * factor, 1 / (k + 1)))
        return ys

    return recurrence


def root(name: str, f: Callable[[Any], Any], exponent: float, low: float) -> Recurrence:
    """√u, 1/√u and ∛u."""

    def recurrence(u: Interval, order: int) -> list[Interval]:
        value = monotone(name, f, u, low=0.0 if low == 0 else -jnp.inf, sign=1 if exponent > 0 else -1)
        ys = [where_defined(u, low if exponent > 0 else tiny(u), jnp.inf, value)]
        over = inverse(u) if order else u
        for k in range(order):
            ys.append(scaled(ys[k] * over, (exponent - k) / (k + 1)))
        return ys

    return recurrence


ROOTS: dict[str, Recurrence] = {
    "sqrt": root("sqrt", jnp.sqrt, 0.5, 0.0),
    "rsqrt": root("rsqrt", lax.rsqrt, -0.5, 0.0),
    "cbrt": root("cbrt", jnp.cbrt, 1 / 3, -jnp.inf),
}
