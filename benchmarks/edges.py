"""Functions with poles, jumps, kinks, overflow and rounding in them, each in JAX and in ball arithmetic.

What `benchmarks.catalogue` leaves out on purpose: here a box may reach over any of it. An oracle takes a ball without
width and gives the value of the function with the constants that stand in it; NaN where f is not defined.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import flint
import jax
import jax.numpy as jnp
import numpy as np
from flint import arb

from benchmarks import catalogue

LOCAL = ("cbrt", "relu", "abs", "max", "cond", "i0e", "lgamma", "digamma", "erf⁻¹", "sinc", "xˣ", "atan2")
"""Entries of the catalogue whose oracle holds in their domain alone."""
ROUNDED = ("log10", "sinc", "gelu", "gelu by tanh", "x^0.3")
"""Entries of the catalogue that have constants in them which are not those of the oracle."""


class Case(NamedTuple):
    """A function; the exact one of a ball and a precision; where the middles of boxes lie; where the oracle holds."""

    name: str
    f: Callable[[Any], Any]
    exact: Callable[[Any, Any], Any]
    middles: tuple[float, float]
    holds: tuple[float, float] = (-np.inf, np.inf)


def of_catalogue(entry: catalogue.Entry) -> Case:
    """An entry of the catalogue as a case."""

    def exact(x: Any, dtype: Any) -> Any:
        return entry.oracle(flint.arb_series([x]))[0]

    return Case(
        entry.name,
        entry.f,
        exact,
        entry.domain,
        entry.domain if entry.name in LOCAL else (-np.inf, np.inf),
    )


def _as(dtype: Any, number: float) -> Any:
    return A(float(np.dtype(dtype).type(number)))


def _gelu_tanh(x: Any, dtype: Any) -> Any:
    k, root = _as(dtype, 0.044715), _as(dtype, np.sqrt(2 / np.pi))
    return x * (1 + (root * (x + k * x * x * x)).tanh()) / 2


def _sign(x: Any) -> Any:
    return A(1) if x > 0 else A(-1) if x < 0 else A(0)


def _round(x: Any) -> Any:
    down = x.floor()
    rest = x - down
    up = rest > 0.5 or (rest == 0.5 and int(down.unique_fmpz()) % 2)
    return down + 1 if up else down


def _cbrt(x: Any) -> Any:
    return x.root(3) if x > 0 else -(-x).root(3) if x < 0 else A(0)


def _atan2(y: Any, x: Any) -> Any:
    return A.atan2(y, x)


def _sum(x: Any) -> Any:
    return sum((x * k).sin() for k in range(1, 30))


def _maximum(*of: Any) -> Any:
    best = of[0]
    for other in of[1:]:
        best = other if other > best else best
    return best


def _cumulative(x: Any) -> Any:
    return jnp.cumsum(jnp.stack([x, x * x, -x, 1 - x, jnp.exp(x)]))[-2:].sum()


def _looked_up(x: Any) -> Any:
    return jnp.stack([x, jnp.sin(x), x * x])[jnp.asarray([2, 0])].sum() + jnp.flip(jnp.stack([x, x**3]))[0]


def _carried(x: Any) -> Any:
    return jax.lax.fori_loop(0, 5, lambda k, s: jnp.sin(s) + x * k, x)


def _carried_exactly(x: Any) -> Any:
    s = x
    for k in range(5):
        s = s.sin() + x * k
    return s


A = arb
ANY = (-4.0, 4.0)
EDGES: tuple[Case, ...] = (
    Case("log10", jnp.log10, lambda x, t: x.log() * _as(t, 1 / np.log(10)), (0.05, 9)),
    Case("gelu", lambda x: jax.nn.gelu(x, approximate=False),
         lambda x, t: x * (-x * _as(t, np.sqrt(0.5))).erfc() / 2, (-3, 3)),
    Case("gelu by tanh", jax.nn.gelu, _gelu_tanh, (-3, 3)),
    Case("x^0.3", lambda x: x**0.3, lambda x, t: x ** _as(t, 0.3), (0.05, 9)),
    Case("sinc", jnp.sinc, lambda x, t: A(1) if x == 0 else (x * _as(t, np.pi)).sin() / (x * _as(t, np.pi)), ANY),
    Case("tanh(1/x)", lambda x: jnp.tanh(1 / x), lambda x, t: (1 / x).tanh(), ANY),
    Case("exp(−1/x²)", lambda x: jnp.exp(-1 / x**2), lambda x, t: (-1 / x**2).exp(), ANY),
    Case("1/x²", lambda x: 1 / (x * x), lambda x, t: 1 / (x * x), ANY),
    Case("x⁻³", lambda x: x**-3, lambda x, t: 1 / x**3, ANY),
    Case("log²x", lambda x: jnp.log(x) ** 2, lambda x, t: x.log() ** 2, (-1, 4)),
    Case("log(x²)", lambda x: jnp.log(x * x), lambda x, t: (x * x).log(), ANY),
    Case("tan²x", lambda x: jnp.tan(x) ** 2, lambda x, t: x.tan() ** 2, (-6, 6)),
    Case("exp(tan x)", lambda x: jnp.exp(jnp.tan(x)), lambda x, t: x.tan().exp(), (-3, 3)),
    Case("1/tan x", lambda x: 1 / jnp.tan(x), lambda x, t: 1 / x.tan(), (-3, 3)),
    Case("1/(1 + 1/x)", lambda x: 1 / (1 + 1 / x), lambda x, t: 1 / (1 + 1 / x), ANY),
    Case("atan(1/x)", lambda x: jnp.arctan(1 / x), lambda x, t: (1 / x).atan(), ANY),
    Case("cos(1/x)", lambda x: jnp.cos(1 / x), lambda x, t: (1 / x).cos(), ANY),
    Case("erf(1/x)²", lambda x: jax.lax.erf(1 / x) ** 2, lambda x, t: (1 / x).erf() ** 2, ANY),
    Case("1/cosh(1/x)", lambda x: 1 / jnp.cosh(1 / x), lambda x, t: 1 / (1 / x).cosh(), ANY),
    Case("σ(1/x)", lambda x: jax.nn.sigmoid(1 / x), lambda x, t: 1 / (1 + (-1 / x).exp()), ANY),
    Case("softplus(1/x)", lambda x: jax.nn.softplus(1 / x), lambda x, t: (1 / x).exp().log1p(), ANY),
    Case("logaddexp(1/x, x)", lambda x: jnp.logaddexp(1 / x, x), lambda x, t: ((1 / x).exp() + x.exp()).log(), ANY),
    Case("x/|x|", lambda x: x / jnp.abs(x), lambda x, t: x / abs(x), ANY),
    Case("|x|³", lambda x: jnp.abs(x) * x * x, lambda x, t: abs(x) * x * x, ANY),
    Case("|sin x|", lambda x: jnp.abs(jnp.sin(x)), lambda x, t: abs(x.sin()), ANY),
    Case("√x²", lambda x: jnp.sqrt(x * x), lambda x, t: abs(x), ANY),
    Case("√|x|", lambda x: jnp.sqrt(jnp.abs(x)), lambda x, t: abs(x).sqrt(), ANY),
    Case("√(1 − x²)", lambda x: jnp.sqrt(1 - x * x), lambda x, t: (1 - x * x).sqrt(), (-1, 1)),
    Case("∛x", jnp.cbrt, lambda x, t: _cbrt(x), ANY),
    Case("x^1.5", lambda x: x**1.5, lambda x, t: x.sqrt() * x, (0, 4)),
    Case("x^3.0", lambda x: jnp.power(x, jnp.asarray(3.0, x.dtype)), lambda x, t: x**3, ANY),
    Case("(x²)^−½", lambda x: (x * x) ** -0.5, lambda x, t: 1 / abs(x), ANY),
    Case("x⁷", lambda x: x**7, lambda x, t: x**7, ANY),
    Case("x⁴⁰", lambda x: x**40, lambda x, t: x**40, ANY),
    Case("asin²x", lambda x: jnp.arcsin(x) ** 2, lambda x, t: x.asin() ** 2, (-1, 1)),
    Case("acosh²x", lambda x: jnp.arccosh(x) ** 2, lambda x, t: x.acosh() ** 2, (0.5, 4)),
    Case("exp(atanh x)", lambda x: jnp.exp(jnp.arctanh(x)), lambda x, t: x.atanh().exp(), (-1, 1)),
    Case("rsqrt(x² − 1)", lambda x: jax.lax.rsqrt(x * x - 1), lambda x, t: (x * x - 1).rsqrt(), (-3, 3)),
    Case("log log x", lambda x: jnp.log(jnp.log(x)), lambda x, t: x.log().log(), (0.5, 4)),
    Case("x floor x", lambda x: x * jnp.floor(x), lambda x, t: x * x.floor(), ANY),
    Case("ceil sin 3x", lambda x: jnp.ceil(jnp.sin(3 * x)), lambda x, t: (3 * x).sin().ceil(), ANY),
    Case("round(x) + x²", lambda x: jnp.round(x) + x * x, lambda x, t: _round(x) + x * x, ANY),
    Case("x sign x", lambda x: x * jnp.sign(x), lambda x, t: x * _sign(x), ANY),
    Case("relu²", lambda x: jax.nn.relu(x) ** 2, lambda x, t: _maximum(x, A(0)) ** 2, ANY),
    Case("max(x, x²)", lambda x: jnp.maximum(x, x * x), lambda x, t: _maximum(x, x * x), ANY),
    Case("min(sin, cos)", lambda x: jnp.minimum(jnp.sin(x), jnp.cos(x)),
         lambda x, t: -_maximum(-x.sin(), -x.cos()), ANY),
    Case("clip(eˣ, ½, 3)", lambda x: jnp.clip(jnp.exp(x), 0.5, 3),
         lambda x, t: -_maximum(-_maximum(x.exp(), A(0.5)), A(-3)),
         ANY),
    Case("max of three", lambda x: jnp.max(jnp.stack([x, 1 - x, x * x])), lambda x, t: _maximum(x, 1 - x, x * x), ANY),
    Case("where x > 0", lambda x: jnp.where(x > 0, jnp.sin(x), jnp.exp(x)),
         lambda x, t: x.sin() if x > 0 else x.exp(), ANY),
    Case("guarded log", lambda x: jnp.where(x > 0, jnp.log(jnp.where(x > 0, x, 1)), 0),
         lambda x, t: x.log() if x > 0 else A(0), ANY),
    Case("(x > 1) x", lambda x: (x > 1) * x, lambda x, t: x if x > 1 else A(0), ANY),
    Case("cond", lambda x: jax.lax.cond(x >= 0.5, jnp.cos, jnp.tanh, x),
         lambda x, t: x.cos() if x >= 0.5 else x.tanh(), ANY),
    Case("atan2(x, −1)", lambda x: jnp.arctan2(x, -1.0), lambda x, t: _atan2(x, A(-1)), ANY),
    Case("atan2(1, x)", lambda x: jnp.arctan2(1.0, x), lambda x, t: _atan2(A(1), x), ANY),
    Case("atan2(sin, cos)", lambda x: jnp.arctan2(jnp.sin(x), jnp.cos(x)), lambda x, t: _atan2(x.sin(), x.cos()), ANY),
    Case("hypot", lambda x: jnp.hypot(x, 1 - x), lambda x, t: (x * x + (1 - x) ** 2).sqrt(), ANY),
    Case("exp(exp x)", lambda x: jnp.exp(jnp.exp(x)), lambda x, t: x.exp().exp(), (-4, 6)),
    Case("1/exp(40x)", lambda x: 1 / jnp.exp(40 * x), lambda x, t: 1 / (40 * x).exp(), (-3, 3)),
    Case("sinh/cosh", lambda x: jnp.sinh(9 * x) / jnp.cosh(9 * x),
         lambda x, t: (9 * x).sinh() / (9 * x).cosh(), (-9, 9)),
    Case("(x + 2²⁰) − 2²⁰", lambda x: (x + 2.0**20) - 2.0**20, lambda x, t: x, ANY),
    Case("sin(10⁵ x)", lambda x: jnp.sin(1e5 * x), lambda x, t: (A(100000) * x).sin(), ANY),
    Case("Σ sin kx", lambda x: jnp.sum(jnp.sin(x * jnp.arange(1, 30).astype(x.dtype))), lambda x, t: _sum(x), ANY),
    Case("cumsum", _cumulative, lambda x, t: (x * x + 1 - x) + (x * x + 1 - x + x.exp()), (-3, 3)),
    Case("moved", _looked_up, lambda x, t: x * x + x + x**3, (-3, 3)),
    Case("loop", _carried, lambda x, t: _carried_exactly(x), (-3, 3)),
    Case("product", lambda x: jnp.prod(jnp.stack([x, x - 1, jnp.cos(x)])), lambda x, t: x * (x - 1) * x.cos(), ANY),
    Case("3", lambda x: 3.0, lambda x, t: A(3), ANY),
)  # fmt: skip
"""Poles, jumps, kinks, overflow."""

CASES = (*(of_catalogue(e) for e in catalogue.CATALOGUE if e.name not in ROUNDED), *EDGES)
