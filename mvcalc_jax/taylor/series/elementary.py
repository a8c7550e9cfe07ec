"""Which recurrence belongs to which primitive of JAX."""

import math
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from mvcalc_jax.require import traced
from mvcalc_jax.taylor.series import recurrences as r
from mvcalc_jax.taylor.series.recurrences import constant, integral, mul, power, reciprocal, started

_SQUARING = 64
"""Whole powers up to this one are products."""


def _one(u: Array) -> Array:
    return constant(jnp.ones_like(u[0]), len(u) - 1)


def _exp(u: Array) -> Array:
    return r.exp(u)


def _exp2(u: Array) -> Array:
    return r.exp(math.log(2) * u, jnp.exp2(u[0]))


def _expm1(u: Array) -> Array:
    return started(r.exp(u), jnp.expm1(u[0]))


def _log1p(u: Array) -> Array:
    return integral(jnp.log1p(u[0]), reciprocal(started(u, 1 + u[0])), u)


def _tan(u: Array) -> Array:
    return r.tangent(1, jnp.tan(u[0]), 1 / jnp.cos(u[0]) ** 2, u)


def _tanh(u: Array) -> Array:
    return r.tangent(-1, jnp.tanh(u[0]), 1 / jnp.cosh(u[0]) ** 2, u)


def _logistic(u: Array) -> Array:
    return started(_tanh(u / 2) / 2, lax.logistic(u[0]))


def _minus_square(u: Array) -> Array:
    """1 − u², without cancellation near ±1."""
    return mul(started(-u, 1 - u[0]), started(u, 1 + u[0]))


def _rsqrt(u: Array) -> Array:
    return power(u, jnp.asarray(-0.5, u.dtype), lax.rsqrt(u[0]))


def _asin(u: Array) -> Array:
    return integral(jnp.arcsin(u[0]), _rsqrt(_minus_square(u)), u)


def _acos(u: Array) -> Array:
    return integral(jnp.arccos(u[0]), -_rsqrt(_minus_square(u)), u)


def _plus_square(u: Array) -> Array:
    return _one(u) + mul(u, u)


def _atan(u: Array) -> Array:
    """u′/(1 + u²), or with v = 1/u, which is small where u is large, −v′/(1 + v²)."""
    large = jnp.abs(u[0]) > 3
    one = _one(u)
    v = jnp.where(large, reciprocal(jnp.where(large, u, one)), u)
    return integral(jnp.arctan(u[0]), jnp.where(large, -1.0, 1.0) * reciprocal(_plus_square(v)), v)


def _asinh(u: Array) -> Array:
    return integral(jnp.arcsinh(u[0]), _rsqrt(_plus_square(u)), u)


def _acosh(u: Array) -> Array:
    return integral(jnp.arccosh(u[0]), _rsqrt(-_minus_square(u)), u)


def _atanh(u: Array) -> Array:
    return integral(jnp.arctanh(u[0]), reciprocal(_minus_square(u)), u)


def _bell(u: Array) -> Array:
    """erf′ = 2/√π exp(−u²)."""
    return 2 / math.sqrt(math.pi) * r.exp(-mul(u, u))


def _erf(u: Array) -> Array:
    return integral(lax.erf(u[0]), _bell(u), u)


def _erfc(u: Array) -> Array:
    return integral(lax.erfc(u[0]), -_bell(u), u)


def _root(exponent: float, value: Callable[[Array], Array]) -> Callable[..., Array]:
    return lambda u: power(u, jnp.asarray(exponent, u.dtype), value(u[0]))


def _circular(sign: int, which: int) -> Callable[[Array], Array]:
    s, c = (jnp.sin, jnp.cos) if sign < 0 else (jnp.sinh, jnp.cosh)
    return lambda u: r.circular(sign, s(u[0]), c(u[0]), u)[which]


def _atan2(y: Array, x: Array) -> Array:
    """θ′ = (x y′ − y x′)/(x² + y²); scaled, so that no square overflows."""
    size = jnp.maximum(jnp.abs(x[0]), jnp.abs(y[0]))
    a, b = y / size, x / size
    slope = r.div(mul(b, r.slopes(a)) - mul(a, r.slopes(b)), mul(a, a) + mul(b, b))
    k = jnp.arange(1, len(y), dtype=y.dtype).reshape(-1, *(1,) * (y.ndim - 1))
    return jnp.concatenate([lax.atan2(y[0], x[0])[None], slope[:-1] / k])


def _pow(u: Array, w: Any, moving: bool) -> Array:
    """uʷ; where w depends on t, it is exp(w log u)."""
    if moving:
        value = lax.pow(u[0], w[0])
        return r.exp(mul(w, r.log(u)), value)
    exponent = jnp.broadcast_to(jnp.asarray(w, u.dtype), u[0].shape)
    if not traced(w) and np.all(w == w.flat[0] if (w := np.asarray(w)).size else True) and w.size:
        number = float(w.flat[0])
        if number == int(number) and abs(number) <= _SQUARING:
            return r.whole_power(u, int(number))
    found = power(u, exponent, lax.pow(u[0], exponent))
    if not traced(w) and not np.any((w >= 0) & (w == np.floor(w))):
        return found
    at_zero = (u[0] == 0) & (exponent >= 0) & (exponent == jnp.floor(exponent))
    n = jnp.arange(len(u), dtype=u.dtype).reshape(-1, *(1,) * exponent.ndim)
    return jnp.where(at_zero, r.composed((n == exponent).astype(u.dtype), u), found)


def _zeta(s: Any, q: Array) -> Array:
    """Hurwitz's ζ(s, q) as a function of q: its derivative is −s ζ(s + 1, q)."""
    n, local = len(q), []
    factor = jnp.ones_like(q[0])
    for k in range(n):
        local.append(factor * lax.zeta(s + k, q[0]))
        factor = -factor * (s + k) / (k + 1)
    return r.composed(jnp.stack(local), q)


ELEMENTARY: dict[str, Callable[[Array], Array]] = {
    "exp": _exp, "exp2": _exp2, "expm1": _expm1, "log": r.log, "log1p": _log1p,
    "sin": _circular(-1, 0), "cos": _circular(-1, 1), "tan": _tan, "asin": _asin, "acos": _acos, "atan": _atan,
    "sinh": _circular(1, 0), "cosh": _circular(1, 1), "tanh": _tanh,
    "asinh": _asinh, "acosh": _acosh, "atanh": _atanh, "logistic": _logistic,
    "sqrt": _root(0.5, jnp.sqrt), "rsqrt": _rsqrt, "cbrt": _root(1 / 3, lax.cbrt), "square": lambda u: mul(u, u),
    "erf": _erf, "erfc": _erfc, "erf_inv": r.inverse_erf, "lgamma": r.log_gamma, "digamma": r.digamma,
}  # fmt: skip
"""Functions of one series."""


def applied(name: str, params: dict[str, Any], u: list[Any], moving: list[bool], fill: Any) -> Array | None:
    """The series of an elementary function, or None where it is none; of `u`, those that move with t are series.

    Where `fill` is given, quotients 0/0 are followed to their limits (see `recurrences.removed`).
    """
    if name in ELEMENTARY:
        return ELEMENTARY[name](u[0])
    if name == "integer_pow":
        return r.whole_power(u[0], params["y"])
    if name == "zeta" and not moving[0]:
        return _zeta(*u)
    if name == "pow":
        base = u[0] if moving[0] else constant(u[0], len(u[1]) - 1)
        return _pow(base, u[1], moving[1])
    if name in ("div", "atan2"):
        order = len(u[0] if moving[0] else u[1]) - 1
        if name == "div" and not moving[1]:
            return u[0] / u[1]
        a, b = (v if m else constant(v, order) for v, m in zip(u, moving, strict=True))
        return _atan2(a, b) if name == "atan2" else (r.div(a, b) if fill is None else r.removed(a, b, fill))
    return None
