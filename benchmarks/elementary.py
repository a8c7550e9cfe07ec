"""XLA's elementary functions beside Arb's: what each is exactly, where it is defined, and how wrong it may be."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import flint
import jax
import jax.numpy as jnp
import numpy as np
from flint import arb

from mvcalc_jax.taylor.intervals import ulps

PRECISION = 200
"""Bits of Arb, doubled until so many less a hundred of a result are known."""
FAR = 900
"""Results beyond 2**±FAR are scaled before they become a pair of floats."""


class Case(NamedTuple):
    """A function of XLA's, the exact one, where it is defined, and places to look at more closely."""

    f: Callable[..., Any]
    exact: Callable[..., arb]
    defined: Callable[..., Any] = lambda *x: True
    near: Sequence[float] = ()


def _odd(f: Callable[[arb], arb]) -> Callable[[arb], arb]:
    return lambda x: f(x) if x > 0 else -f(-x) if x < 0 else x


def _lgamma(x: arb) -> arb:
    if x > 0:
        return x.lgamma()
    return abs(arb.pi() / ((arb.pi() * x).sin() * x)).log() - (-x).lgamma()


def _softplus(x: arb) -> arb:
    return x.exp().log1p()


def _logaddexp(x: arb, y: arb) -> arb:
    return x + _softplus(y - x)


GAMMA = (1.0, 2.0, 1.4616321449683623, -0.504083, -1.573498, -2.610720, -3.635293, -2.457024738, -2.747682647)
GAMMA += (-3.143580888, -3.955294284, -4.039361840, -4.991544640, -1.0, -2.0, -3.0, -4.0, -5.0, -10.0, -20.0)
SMALL = lambda x: abs(x) <= 1
POSITIVE = lambda x: x > 0

CASES: dict[str, Case] = {
    "add": Case(jnp.add, lambda x, y: x + y),
    "sub": Case(jnp.subtract, lambda x, y: x - y),
    "mul": Case(jnp.multiply, lambda x, y: x * y),
    "div": Case(jnp.divide, lambda x, y: x / y, lambda x, y: y != 0),
    "sqrt": Case(jax.lax.sqrt, arb.sqrt, POSITIVE),
    "rsqrt": Case(jax.lax.rsqrt, arb.rsqrt, POSITIVE),
    "cbrt": Case(jax.lax.cbrt, _odd(lambda x: x.root(3))),
    "square": Case(jax.lax.square, lambda x: x * x),
    "pow": Case(jax.lax.pow, lambda x, y: x**y, lambda x, y: x > 0, (1.0,)),
    "exp": Case(jax.lax.exp, arb.exp),
    "exp2": Case(jax.lax.exp2, lambda x: (x * arb.const_log2()).exp()),
    "expm1": Case(jax.lax.expm1, arb.expm1),
    "log": Case(jax.lax.log, arb.log, POSITIVE),
    "log1p": Case(jax.lax.log1p, arb.log1p, lambda x: x > -1, (-1.0, 2**0.5 - 1, 1 - 2**0.5, 0.5**0.5 - 1)),
    "sin": Case(jax.lax.sin, arb.sin),
    "cos": Case(jax.lax.cos, arb.cos),
    "tan": Case(jax.lax.tan, arb.tan),
    "asin": Case(jax.lax.asin, arb.asin, SMALL),
    "acos": Case(jax.lax.acos, arb.acos, SMALL),
    "atan": Case(jax.lax.atan, arb.atan),
    "atan2": Case(jax.lax.atan2, arb.atan2, lambda y, x: (y != 0) | (x > 0)),
    "sinh": Case(jax.lax.sinh, arb.sinh),
    "cosh": Case(jax.lax.cosh, arb.cosh),
    "tanh": Case(jax.lax.tanh, arb.tanh),
    "asinh": Case(jax.lax.asinh, arb.asinh),
    "acosh": Case(jax.lax.acosh, arb.acosh, lambda x: x >= 1),
    "atanh": Case(jax.lax.atanh, arb.atanh, lambda x: abs(x) < 1, (1 - 2**0.5, 2**0.5 - 1)),
    "logistic": Case(jax.lax.logistic, lambda x: 1 / (1 + (-x).exp())),
    "erf": Case(jax.lax.erf, arb.erf),
    "erfc": Case(jax.lax.erfc, arb.erfc),
    "lgamma": Case(jax.lax.lgamma, _lgamma, lambda x: (x > 0) | (x != np.floor(x)), GAMMA),
    "digamma": Case(jax.lax.digamma, arb.digamma, lambda x: (x > 0) | (x != np.floor(x)), GAMMA),
    "softplus": Case(jax.nn.softplus, _softplus),
    "log_sigmoid": Case(jax.nn.log_sigmoid, lambda x: -_softplus(-x)),
    "logaddexp": Case(jnp.logaddexp, _logaddexp),
}
EXPONENTS = (-9, -3, -2, -1, 3, 4, 7, 16, 31)
for _n in EXPONENTS:
    CASES[f"integer_pow {_n}"] = Case(
        lambda x, n=_n: jax.lax.integer_pow(x, n), lambda x, n=_n: x**n, lambda x: x != 0
    )
PRECISIONS = (np.float32, np.float64)
BINARY = ("add", "sub", "mul", "div", "pow", "atan2", "logaddexp")


def allowance(name: str, dtype: Any) -> ulps.Error:
    """The table's row."""
    primitive, _, exponent = name.partition(" ")
    return ulps.error(primitive, dtype, int(exponent) if exponent else None)


class Exact(NamedTuple):
    """True values 2**−shift (high + low), high infinite where one lies beyond all floats, nan where there is none."""

    high: np.ndarray
    low: np.ndarray
    shift: np.ndarray

    def within(self, dtype: Any) -> np.ndarray:
        """Where a true value is finite in a precision."""
        with np.errstate(all="ignore"):
            return np.abs(np.ldexp(self.high, -self.shift)) <= float(np.finfo(dtype).max)

    def off(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of results their distances and sizes, scaled alike."""
        with np.errstate(all="ignore"):
            scaled = np.ldexp(y.astype(float), self.shift)
            return np.abs((scaled - self.high) - self.low), np.abs(scaled)


def enclosed(f: Callable[..., arb], x: Sequence[float]) -> arb:
    """Arb's value with enough bits, or one that is not finite."""
    try:
        precision = PRECISION
        while True:
            flint.ctx.prec = precision
            value = f(*map(arb, x))
            known = value.is_finite() and (value == 0 or value.rel_accuracy_bits() >= PRECISION - 100)
            if known or precision >= 64 * PRECISION:
                return value if known else arb("nan")
            precision *= 2
    finally:
        flint.ctx.prec = PRECISION


def exactly(name: str, x: tuple[np.ndarray, ...]) -> Exact:
    """True values at arguments."""
    high, low, shift = np.full(len(x[0]), np.nan), np.zeros(len(x[0])), np.zeros(len(x[0]), int)
    for k, at in enumerate(zip(*(v.tolist() for v in x), strict=True)):
        high[k], low[k], shift[k] = pair(enclosed(CASES[name].exact, at))
    return Exact(high, low, shift)


def pair(value: arb) -> tuple[float, float, int]:
    """An enclosed value as a sum of two floats and a power of two taken out."""
    if not value.is_finite():
        return np.nan, 0.0, 0
    middle = value.mid()
    mantissa, exponent = map(int, middle.man_exp()) if middle != 0 else (0, 0)
    size, shift = exponent + mantissa.bit_length(), 0
    if size < -2 * FAR:  # to the table it is 0
        return 0.0, 0.0, 0
    if size > 2 * FAR:
        return np.inf if mantissa > 0 else -np.inf, 0.0, 0
    if abs(size) > FAR:
        shift, middle = -size, middle * arb(2) ** -size
    high = float(middle)
    return high, float(middle - arb(high)), shift
