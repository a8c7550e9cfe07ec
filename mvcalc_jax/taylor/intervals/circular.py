"""Recurrences for circular and hyperbolic functions and their inverses."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from mvcalc_jax.taylor.intervals.arithmetic import (
    Interval,
    filled,
    greatest,
    inverse,
    least,
    outward,
    scaled,
    square,
    where,
)
from mvcalc_jax.taylor.intervals.powers import ROOTS
from mvcalc_jax.taylor.intervals.recurrences import (
    Recurrence,
    at_ends,
    convolved,
    integrated,
    monotone,
    power_of_quadratic,
    units,
    where_defined,
)

TURNS = 1e4
"""Sines of more turns than these are only known to lie between −1 and 1: 2π is not known to enough digits."""


def circular(phase: int) -> Recurrence:
    """sin (phase 0) and cos (phase 1)."""

    def recurrence(u: Interval, order: int) -> list[Interval]:
        cycle = [wave(u, phase)]
        if order:
            cycle.append(wave(u, 1 - phase))
        sign, factorial, ys = (1, 1, -1, -1) if phase == 0 else (1, -1, -1, 1), 1.0, []
        for k in range(order + 1):
            factorial *= max(k, 1)
            ys.append(scaled(cycle[k % 2], sign[k % 4] / factorial))
        return ys

    return recurrence


def wave(u: Interval, phase: int) -> Interval:
    """The range of sin or cos: their values at the ends, and ±1 where a crest or a trough lies between."""
    name, f, crest = (("sin", jnp.sin, 0.25), ("cos", jnp.cos, 0.0))[phase]
    first, second = at_ends((name, 0), f, u)
    if u.hi is u.lo:
        found = outward(first, first, units(name, u.lo.dtype))
        return _unless_far(u, Interval(greatest(found.lo, -1.0), least(found.hi, 1.0)))
    found = outward(least(first, second), greatest(first, second), units(name, u.lo.dtype))
    # Crests are at whole numbers of turns; room is left for the errors of 2π and of what is computed with it.
    low, high = u.lo / (2 * jnp.pi), u.hi / (2 * jnp.pi)
    room = 8 * float(jnp.finfo(u.lo.dtype).eps) * (1 + greatest(-low, high))
    meets = lambda where: jnp.floor(high - where + room) >= jnp.ceil(low - where - room)
    return _unless_far(
        u,
        Interval(
            jnp.where(meets(crest + 0.5), -1.0, greatest(found.lo, -1.0)),
            jnp.where(meets(crest), 1.0, least(found.hi, 1.0)),
        ),
    )


def _unless_far(u: Interval, found: Interval) -> Interval:
    """What was found, for arguments that are not too large."""
    near = (u.lo > -2 * jnp.pi * TURNS) & (u.hi < 2 * jnp.pi * TURNS)
    return Interval(jnp.where(near, found.lo, -1.0), jnp.where(near, found.hi, 1.0))


def tan(u: Interval, order: int) -> list[Interval]:
    """y′ = 1 + y²; nothing is known across a pole."""
    low, high = u.lo / jnp.pi - 0.5, u.hi / jnp.pi - 0.5
    room = 8 * float(jnp.finfo(u.lo.dtype).eps) * (2 + greatest(-low, high))
    one_branch = (jnp.floor(low - room) == jnp.floor(high + room)) & (greatest(-low, high) < TURNS)
    ys = [monotone("tan", jnp.tan, u)]
    for k in range(order):
        slope = 1.0 + square(ys[0]) if k == 0 else convolved(ys, ys)
        ys.append(scaled(slope, 1 / (k + 1)))
    return [where(one_branch, y) for y in ys]


def tanh(u: Interval, order: int) -> list[Interval]:
    """y′ = 1 − y²"""
    ys = [monotone("tanh", jnp.tanh, u, -1.0, 1.0)]
    for k in range(order):
        slope = 1.0 - square(ys[0]) if k == 0 else -convolved(ys, ys)
        ys.append(scaled(slope, 1 / (k + 1)))
    return ys


def sinh(u: Interval, order: int) -> list[Interval]:
    """(eᵘ − e⁻ᵘ)/2"""
    return _hyperbolic(u, order, monotone("sinh", jnp.sinh, u), cosh_range)


def cosh(u: Interval, order: int) -> list[Interval]:
    """(eᵘ + e⁻ᵘ)/2"""
    return _hyperbolic(u, order, cosh_range(u), lambda u: monotone("sinh", jnp.sinh, u))


def cosh_range(u: Interval) -> Interval:
    """The range of cosh, whose least value is at 0."""
    first, second = at_ends(("cosh", 0), jnp.cosh, u)
    lowest = jnp.where((u.lo <= 0) & (u.hi >= 0), 1.0, least(first, second))
    found = outward(lowest, greatest(first, second), units("cosh", u.lo.dtype))
    return Interval(greatest(found.lo, 1.0), found.hi)


def _hyperbolic(
    u: Interval, order: int, value: Interval, other: Callable[[Interval], Interval]
) -> list[Interval]:
    pair = [value, other(u)] if order else [value]
    factorial, ys = 1.0, []
    for k in range(order + 1):
        factorial *= max(k, 1)
        ys.append(scaled(pair[k % 2], 1 / factorial))
    return ys


def inverse_circular(name: str, f: Callable[[Any], Any], sign: float) -> Recurrence:
    """asin (sign 1) and acos (−1): y′ = ± (1 − u²)^(−½), 1 − u² = (1 − u)(1 + u)."""

    def recurrence(u: Interval, order: int) -> list[Interval]:
        value = where_defined(u, -1.0, 1.0, monotone(name, f, u, sign=int(sign)))
        if order == 0:
            return [value]
        w = (1.0 - u) * (1.0 + u)
        start = ROOTS["rsqrt"](w, 0)[0]
        ys = power_of_quadratic((w, scaled(u, -2.0), filled(u, -1.0)), -0.5, start, order - 1)
        return integrated(value, [scaled(y, sign) for y in ys])

    return recurrence


def atan(u: Interval, order: int) -> list[Interval]:
    """y′ = 1/(1 + u²)"""
    value = monotone("atan", jnp.arctan, u)
    if order == 0:
        return [value]
    w = 1.0 + square(u)
    return integrated(
        value, power_of_quadratic((w, scaled(u, 2.0), filled(u, 1.0)), -1.0, inverse(w), order - 1)
    )


def asinh(u: Interval, order: int) -> list[Interval]:
    """y′ = (1 + u²)^(−½)"""
    value = monotone("asinh", jnp.arcsinh, u)
    if order == 0:
        return [value]
    w = 1.0 + square(u)
    start = ROOTS["rsqrt"](w, 0)[0]
    return integrated(value, power_of_quadratic((w, scaled(u, 2.0), filled(u, 1.0)), -0.5, start, order - 1))


def acosh(u: Interval, order: int) -> list[Interval]:
    """y′ = (u² − 1)^(−½), for u > 1"""
    value = where_defined(u, 1.0, jnp.inf, monotone("acosh", jnp.arccosh, u, low=0.0))
    if order == 0:
        return [value]
    w = where_defined(u, 1.0, jnp.inf, (u - 1.0) * (u + 1.0))
    start = ROOTS["rsqrt"](w, 0)[0]
    return integrated(value, power_of_quadratic((w, scaled(u, 2.0), filled(u, 1.0)), -0.5, start, order - 1))


def atanh(u: Interval, order: int) -> list[Interval]:
    """y′ = 1/(1 − u²), for |u| < 1"""
    value = where_defined(u, -1.0, 1.0, monotone("atanh", jnp.arctanh, u))
    if order == 0:
        return [value]
    w = where_defined(u, -1.0, 1.0, (1.0 - u) * (1.0 + u))
    ys = power_of_quadratic((w, scaled(u, -2.0), filled(u, -1.0)), -1.0, inverse(w), order - 1)
    return integrated(value, ys)
