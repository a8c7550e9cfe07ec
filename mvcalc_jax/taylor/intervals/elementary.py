"""Elementary functions φ on intervals: the range of φ, and of its Taylor coefficients φ⁽ᵏ⁾/k!.

For each function one recurrence gives φ⁽ᵏ⁾(u)/k! for k = 0 … order from u alone, all in interval arithmetic. At a point
it is as sharp as rounding permits; over a wide interval it is crude where u stands in it more than once
(`mvcalc_jax.taylor.intervals.slopes` makes it sharp again). Outside its domain a function is known to lie in [−∞,
∞], no more.

Recurrences: R. E. Moore, Interval Analysis (1966), §11; the letters are y for φ(u) and w for a power's base.
"""

from collections.abc import Callable
from math import comb
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from mvcalc_jax.taylor.intervals.arithmetic import (
    Interval,
    enclosing,
    greatest,
    inverse,
    least,
    outward,
    power,
    scaled,
    square,
    sum_of_products,
)
from mvcalc_jax.taylor.intervals.ulps import error

Recurrence = Callable[[Interval, int], list[Interval]]
"""recurrence(u, order): ranges of φ⁽ᵏ⁾/k! over u, k = 0 … order."""

LN2, TWO_OVER_ROOT_PI = 0.6931471805599453, 1.1283791670955126
TURNS = 1e4
"""Sines of more turns than these are only known to lie between −1 and 1: 2π is not known to enough digits."""


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
    first = f(u.lo)
    second = first if u.hi is u.lo else f(u.hi)
    low_end, high_end = (first, second) if sign > 0 else (second, first)
    found = outward(low_end, high_end, units(name, u.lo.dtype))
    return Interval(greatest(found.lo, low), least(found.hi, high))


def where(condition: Any, found: Interval) -> Interval:
    """What was found where a condition holds; elsewhere nothing is known."""
    return Interval(jnp.where(condition, found.lo, -jnp.inf), jnp.where(condition, found.hi, jnp.inf))


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


def exp(u: Interval, order: int) -> list[Interval]:
    ys = [monotone("exp", jnp.exp, u, low=0.0)]
    for k in range(order):
        ys.append(scaled(ys[k], 1 / (k + 1)))
    return ys


def exp2(u: Interval, order: int) -> list[Interval]:
    ys = [monotone("exp2", jnp.exp2, u, low=0.0)]
    for k in range(order):
        ys.append(scaled(ys[k], LN2 / (k + 1)))
    return ys


def expm1(u: Interval, order: int) -> list[Interval]:
    return [monotone("expm1", jnp.expm1, u, low=-1.0), *exp(u, order)[1:]]


def log(u: Interval, order: int) -> list[Interval]:
    return _logarithm(where_defined(u, _tiny(u), jnp.inf, monotone("log", jnp.log, u)), u, order)


def log1p(u: Interval, order: int) -> list[Interval]:
    value = where_defined(u, -1 + float(jnp.finfo(u.lo.dtype).eps), jnp.inf, monotone("log1p", jnp.log1p, u))
    return _logarithm(value, 1.0 + u, order)


def _logarithm(value: Interval, w: Interval, order: int) -> list[Interval]:
    """log⁽ᵏ⁾(w)/k! = −(−1/w)ᵏ / k."""
    if order == 0:
        return [value]
    over = inverse(w)
    rest = (scaled(power(over, k), (-1) ** (k + 1) / k) for k in range(1, order + 1))
    return [value, *(where_defined(w, _tiny(w), jnp.inf, y) for y in rest)]


def _tiny(u: Interval) -> float:
    return float(jnp.finfo(u.lo.dtype).tiny)


def _nonzero(u: Interval) -> Any:
    return (u.lo >= _tiny(u)) | (u.hi <= -_tiny(u))


def reciprocal(u: Interval, order: int) -> list[Interval]:
    over = inverse(u)
    return [where(_nonzero(u), scaled(power(over, k + 1), float((-1) ** k))) for k in range(order + 1)]


def integer_power(n: int) -> Recurrence:
    """uⁿ: coefficients binom(n, k) uⁿ⁻ᵏ."""

    def recurrence(u: Interval, order: int) -> list[Interval]:
        zero, ys = jnp.zeros_like(u.lo), []
        for k in range(order + 1):
            binomial = comb(n, k) if n >= 0 else (-1) ** k * comb(k - n - 1, k)
            ys.append(scaled(power(u, n - k), float(binomial)) if binomial else Interval(zero, zero))
        return ys if n >= 0 else [where(_nonzero(u), y) for y in ys]

    return recurrence


def real_power(p: Any) -> Recurrence:
    """uᵖ for u > 0 and a fixed number p: y_{k+1} = y_k (p − k) / ((k + 1) u)."""

    def recurrence(u: Interval, order: int) -> list[Interval]:
        low, high = jnp.power(u.lo, p), jnp.power(u.hi, p)
        value = outward(least(low, high), greatest(low, high), units("pow", u.lo.dtype))
        ys = [where_defined(u, _tiny(u), jnp.inf, Interval(greatest(value.lo, 0.0), value.hi))]
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
        ys = [where_defined(u, low if exponent > 0 else _tiny(u), jnp.inf, value)]
        over = inverse(u) if order else u
        for k in range(order):
            ys.append(scaled(ys[k] * over, (exponent - k) / (k + 1)))
        return ys

    return recurrence


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
    first = f(u.lo)
    if u.hi is u.lo:
        found = outward(first, first, units(name, u.lo.dtype))
        return _unless_far(u, Interval(greatest(found.lo, -1.0), least(found.hi, 1.0)))
    second = f(u.hi)
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


def logistic(u: Interval, order: int) -> list[Interval]:
    """y′ = y (1 − y), with 1 − σ(u) = σ(−u)."""
    ys = [monotone("logistic", jax.nn.sigmoid, u, 0.0, 1.0)]
    others = [monotone("logistic", jax.nn.sigmoid, -u, 0.0, 1.0)] if order else []
    for k in range(order):
        ys.append(scaled(convolved(ys, others), 1 / (k + 1)))
        others.append(-ys[-1])
    return ys


def softplus(u: Interval, order: int) -> list[Interval]:
    """log(1 + eᵘ), whose derivative is the logistic function."""
    value = monotone("softplus", lambda x: jnp.logaddexp(x, jnp.zeros_like(x)), u, low=0.0)
    return integrated(value, logistic(u, order - 1)) if order else [value]


def sinh(u: Interval, order: int) -> list[Interval]:
    return _hyperbolic(u, order, monotone("sinh", jnp.sinh, u), cosh_range)


def cosh(u: Interval, order: int) -> list[Interval]:
    return _hyperbolic(u, order, cosh_range(u), lambda u: monotone("sinh", jnp.sinh, u))


def cosh_range(u: Interval) -> Interval:
    first, second = jnp.cosh(u.lo), jnp.cosh(u.hi)
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
        ys = power_of_quadratic((w, scaled(u, -2.0), _one(u, -1.0)), -0.5, start, order - 1)
        return integrated(value, [scaled(y, sign) for y in ys])

    return recurrence


def _one(u: Interval, value: float = 1.0) -> Interval:
    one = jnp.full_like(u.lo, value)
    return Interval(one, one)


def atan(u: Interval, order: int) -> list[Interval]:
    value = monotone("atan", jnp.arctan, u)
    if order == 0:
        return [value]
    w = 1.0 + square(u)
    return integrated(value, power_of_quadratic((w, scaled(u, 2.0), _one(u)), -1.0, inverse(w), order - 1))


def asinh(u: Interval, order: int) -> list[Interval]:
    value = monotone("asinh", jnp.arcsinh, u)
    if order == 0:
        return [value]
    w = 1.0 + square(u)
    start = ROOTS["rsqrt"](w, 0)[0]
    return integrated(value, power_of_quadratic((w, scaled(u, 2.0), _one(u)), -0.5, start, order - 1))


def acosh(u: Interval, order: int) -> list[Interval]:
    value = where_defined(u, 1.0, jnp.inf, monotone("acosh", jnp.arccosh, u, low=0.0))
    if order == 0:
        return [value]
    w = where_defined(u, 1.0, jnp.inf, (u - 1.0) * (u + 1.0))
    start = ROOTS["rsqrt"](w, 0)[0]
    return integrated(value, power_of_quadratic((w, scaled(u, 2.0), _one(u)), -0.5, start, order - 1))


def atanh(u: Interval, order: int) -> list[Interval]:
    value = where_defined(u, -1.0, 1.0, monotone("atanh", jnp.arctanh, u))
    if order == 0:
        return [value]
    w = where_defined(u, -1.0, 1.0, (1.0 - u) * (1.0 + u))
    ys = power_of_quadratic((w, scaled(u, -2.0), _one(u, -1.0)), -1.0, inverse(w), order - 1)
    return integrated(value, ys)


def error_function(name: str, f: Callable[[Any], Any], sign: int) -> Recurrence:
    """erf and erfc: y′ = ± 2/√π · exp(−u²)."""

    def recurrence(u: Interval, order: int) -> list[Interval]:
        value = monotone(name, f, u, *((-1.0, 1.0) if sign > 0 else (0.0, 2.0)), sign=sign)
        g = [monotone("exp", jnp.exp, -square(u), low=0.0)] if order else []
        for k in range(order - 1):  # g = exp(−u²), g′ = −2 u g
            terms = [(u, g[k])] + ([(_one(u), g[k - 1])] if k else [])
            g.append(scaled(sum_of_products(terms), -2 / (k + 1)))
        return integrated(value, [scaled(x, sign * TWO_OVER_ROOT_PI) for x in g])

    return recurrence


def absolute(u: Interval, order: int) -> list[Interval]:
    """|u|; across its kink the slope lies between −1 and 1, and no more is known."""
    low, high = jnp.abs(u.lo), jnp.abs(u.hi)
    kink = (u.lo <= 0) & (u.hi >= 0)
    ys = [Interval(jnp.where(kink, 0.0, least(low, high)), greatest(low, high))]
    between = lambda which, a, b: jnp.where(which, a, b).astype(low.dtype)
    ys.append(Interval(between(u.lo > 0, 1.0, -1.0), between(u.hi < 0, -1.0, 1.0)))
    rest = Interval(between(kink, -jnp.inf, 0.0), between(kink, jnp.inf, 0.0))
    return (ys + [rest] * order)[: order + 1]


ROOTS: dict[str, Recurrence] = {
    "sqrt": root("sqrt", jnp.sqrt, 0.5, 0.0),
    "rsqrt": root("rsqrt", lax.rsqrt, -0.5, 0.0),
    "cbrt": root("cbrt", jnp.cbrt, 1 / 3, -jnp.inf),
}

ELEMENTARY: dict[str, Recurrence] = {
    "exp": exp,
    "exp2": exp2,
    "expm1": expm1,
    "log": log,
    "log1p": log1p,
    **ROOTS,
    "square": integer_power(2),
    "sin": circular(0),
    "cos": circular(1),
    "tan": tan,
    "asin": inverse_circular("asin", jnp.arcsin, 1),
    "acos": inverse_circular("acos", jnp.arccos, -1),
    "atan": atan,
    "sinh": sinh,
    "cosh": cosh,
    "tanh": tanh,
    "asinh": asinh,
    "acosh": acosh,
    "atanh": atanh,
    "logistic": logistic,
    "erf": error_function("erf", lax.erf, 1),
    "erfc": error_function("erfc", lax.erfc, -1),
    "abs": absolute,
}
"""By the name of JAX's primitive."""
