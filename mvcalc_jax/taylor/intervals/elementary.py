"""Elementary functions φ on intervals, by the names of JAX's primitives: the range of φ, and of φ⁽ᵏ⁾/k!."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from mvcalc_jax.taylor.intervals.arithmetic import (
    Interval,
    filled,
    greatest,
    least,
    scaled,
    square,
    sum_of_products,
)
from mvcalc_jax.taylor.intervals.circular import (
    acosh,
    asinh,
    atan,
    atanh,
    circular,
    cosh,
    inverse_circular,
    sinh,
    tan,
    tanh,
)
from mvcalc_jax.taylor.intervals.powers import ROOTS, exp, exp2, expm1, integer_power, log, log1p
from mvcalc_jax.taylor.intervals.recurrences import (
    Recurrence,
    convolved,
    integrated,
    monotone,
)

TWO_OVER_ROOT_PI = 1.1283791670955126


def logistic(u: Interval, order: int) -> list[Interval]:
    """y′ = y (1 − y), with 1 − σ(u) = σ(−u)."""
    ys = [monotone("logistic", jax.nn.sigmoid, u, 0.0, 1.0)]
    others = [monotone("logistic", lambda x: jax.nn.sigmoid(-x), u, 0.0, 1.0, sign=-1)] if order else []
    for k in range(order):
        ys.append(scaled(convolved(ys, others), 1 / (k + 1)))
        others.append(-ys[-1])
    return ys


def softplus(u: Interval, order: int) -> list[Interval]:
    """log(1 + eᵘ), whose derivative is the logistic function."""
    value = monotone("softplus", lambda x: jnp.logaddexp(x, jnp.zeros_like(x)), u, low=0.0)
    return integrated(value, logistic(u, order - 1)) if order else [value]


def error_function(name: str, f: Callable[[Any], Any], sign: int) -> Recurrence:
    """erf and erfc: y′ = ± 2/√π · exp(−u²)."""

    def recurrence(u: Interval, order: int) -> list[Interval]:
        value = monotone(name, f, u, *((-1.0, 1.0) if sign > 0 else (0.0, 2.0)), sign=sign)
        g = [monotone("exp", jnp.exp, -square(u), low=0.0)] if order else []
        for k in range(order - 1):  # g = exp(−u²), g′ = −2 u g
            terms = [(u, g[k])] + ([(filled(u, 1.0), g[k - 1])] if k else [])
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
