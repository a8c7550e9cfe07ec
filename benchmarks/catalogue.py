"""Common functions of one variable, each in JAX and in ball arithmetic (python-flint), with an interval where it is
smooth.

Fifty-three functions, and sixteen compositions. `Entry.oracle` takes a power series of balls, `flint.arb_series`,
and gives the function's: what comes out is a proof to as many digits as flint is asked for. Where flint has no
series of a function, there is a formula for it in functions that flint has.
"""

from collections.abc import Callable
from math import comb, factorial
from typing import Any, NamedTuple

import flint
import jax
import jax.numpy as jnp
import numpy as np

A = flint.arb


class Entry(NamedTuple):
    """A function: its name, itself in JAX and in flint, and an open interval in which it is smooth."""

    name: str
    f: Callable[[Any], Any]
    oracle: Callable[[Any], Any]
    domain: tuple[float, float]


def coefficients(entry: Entry, x: float, order: int, bits: int = 600) -> np.ndarray:
    """The exact Taylor coefficients of an entry at x, rounded to float64."""
    before = flint.ctx.prec, flint.ctx.cap
    flint.ctx.prec, flint.ctx.cap = bits, order + 1
    try:
        found = list(entry.oracle(flint.arb_series([A(x), 1])).coeffs())
    finally:
        flint.ctx.prec, flint.ctx.cap = before
    return np.array([_float(c) for c in found] + [0.0] * (order + 1 - len(found)))


def values(entry: Entry, x: float, bits: int = 200) -> Any:
    """f(x) as a ball."""
    before = flint.ctx.prec, flint.ctx.cap
    flint.ctx.prec, flint.ctx.cap = bits, 1
    try:
        return entry.oracle(flint.arb_series([A(x)]))[0]
    finally:
        flint.ctx.prec, flint.ctx.cap = before


def digits(found: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """Correct digits of every coefficient.

    A coefficient that vanishes, or nearly, has no digits of its own; its error is measured against the Newton
    polygon: the line through the points (k, log |cₖ|) that lies above them all and bends only downwards. So `exact`
    should hold some coefficients more than `found`.
    """
    k = np.arange(len(exact))
    seen = np.abs(exact) > 1e-290
    log = np.log(np.abs(exact[seen])) if seen.any() else np.zeros(0)
    hull: list[int] = []
    for i in range(len(log)):
        while len(hull) > 1 and _turns_up(k[seen], log, hull[-2], hull[-1], i):
            hull.pop()
        hull.append(i)
    scale = np.exp(np.interp(k, k[seen][hull], log[hull])) if hull else np.ones(len(k))
    with np.errstate(divide="ignore"):
        return np.clip(-np.log10(np.abs(found - exact[: len(found)]) / scale[: len(found)]), 0.0, 17.0)


def _turns_up(k: np.ndarray, log: np.ndarray, a: int, b: int, c: int) -> bool:
    return (log[b] - log[a]) * (k[c] - k[a]) <= (log[c] - log[a]) * (k[b] - k[a])


def _float(c: Any) -> float:
    if c.rad() > abs(c.mid()) * A(2) ** -60 and c.rad() > 1e-150:
        raise ValueError(f"flint is not sure of {c}: ask for more bits")
    return 0.0 if c.contains(0) else float(c.mid())


def _log(s: Any, number: int) -> Any:
    return s.log() / A(number).log()


def _sinh(s: Any) -> Any:
    return (s.exp() - (-s).exp()) / 2


def _cosh(s: Any) -> Any:
    return (s.exp() + (-s).exp()) / 2


def _tanh(s: Any) -> Any:
    return 1 - 2 / ((2 * s).exp() + 1)


def _erf_inv(s: Any) -> Any:
    """erf(y + t) − x as a series in t, turned around."""
    y = s[0].erfinv()
    around = list(flint.arb_series([y, 1]).erf().coeffs())
    found = flint.arb_series([A(0), *around[1:]]).reversion() if len(around) > 1 else flint.arb_series([A(0)])
    return found + y


def _digamma(s: Any) -> Any:
    flint.ctx.cap += 1
    whole = flint.arb_series([s[0], 1]).lgamma()
    flint.ctx.cap -= 1
    return flint.arb_series(list(whole.derivative().coeffs()))


def _i0(s: Any) -> Any:
    """I₀⁽ᵏ⁾ = 2⁻ᵏ Σ C(k, j) I₍ₖ₋₂ⱼ₎."""
    x, n = s[0], flint.ctx.cap
    order = [x.bessel_i(A(m)) for m in range(n + 1)]
    sums = [sum((comb(k, j) * order[abs(k - 2 * j)] for j in range(k + 1)), A(0)) for k in range(n)]
    return flint.arb_series([v / (A(2) ** k * factorial(k)) for k, v in enumerate(sums)])


def _softplus(s: Any) -> Any:
    return (1 + s.exp()).log()


def _gelu(s: Any) -> Any:
    return s * (1 + (s / A(2).sqrt()).erf()) / 2


def _gelu_tanh(s: Any) -> Any:
    return s * (1 + _tanh((2 / A.pi()).sqrt() * (s + A(np.float64(0.044715)) * s * s * s))) / 2


def _power(s: Any, number: float) -> Any:
    return (s.log() * A(number)).exp()


def _mapped(x: Any) -> Any:
    """Ten rounds of the logistic map at 1.5, as a loop."""
    return jax.lax.scan(lambda s, _: (1.5 * s * (1 - s), None), x, None, length=10)[0]


def _mapped_exactly(s: Any) -> Any:
    for _ in range(10):
        s = A(1.5) * s * (1 - s)
    return s


def _sinc(x: Any) -> Any:
    """By its formula: since JAX 0.12 `jnp.sinc` is a polynomial near whole numbers, and so are its high derivatives."""
    return jnp.sin(np.pi * x) / (np.pi * x)


_POLYNOMIAL = (0.5, -3.0, 0.25, 2.0, -1.0, 4.0)
_MATRIX = ((0.5, -1.0), (0.25, 2.0))


def _horner(s: Any) -> Any:
    total = flint.arb_series([A(0)])
    for c in _POLYNOMIAL:
        total = total * s + A(c)
    return total


def _matrix(x: Any) -> Any:
    """The trace of (M + x I)³."""
    m = jnp.asarray(_MATRIX, x.dtype) + x * jnp.eye(2, dtype=x.dtype)
    return jnp.trace(m @ m @ m)


def _matrix_exactly(s: Any) -> Any:
    (a, b), (c, d) = ((s + A(0.5), A(-1.0)), (A(0.25), s + A(2.0)))
    return a * a * a + d * d * d + 3 * A(b) * A(c) * (a + d)


def _solve(x: Any) -> Any:
    """The first unknown of (M + x I) y = (1, 2)."""
    m = jnp.asarray(_MATRIX, x.dtype) + x * jnp.eye(2, dtype=x.dtype)
    return jnp.linalg.solve(m, jnp.asarray([1.0, 2.0], x.dtype))[0]


def _solve_exactly(s: Any) -> Any:
    return (s + A(2.0) + 2) / ((s + A(0.5)) * (s + A(2.0)) + A(0.25))


def _norm(s: Any) -> Any:
    return (s * s + s * s * s * s + A(9)).sqrt()


FUNCTIONS: tuple[Entry, ...] = (
    Entry("exp", jnp.exp, lambda s: s.exp(), (-3, 3)),
    Entry("exp2", jnp.exp2, lambda s: (s * A(2).log()).exp(), (-3, 3)),
    Entry("expm1", jnp.expm1, lambda s: s.exp() - 1, (-3, 3)),
    Entry("log", jnp.log, lambda s: s.log(), (0.05, 9)),
    Entry("log1p", jnp.log1p, lambda s: (1 + s).log(), (-0.9, 5)),
    Entry("log2", jnp.log2, lambda s: _log(s, 2), (0.05, 9)),
    Entry("log10", jnp.log10, lambda s: _log(s, 10), (0.05, 9)),
    Entry("sqrt", jnp.sqrt, lambda s: s.sqrt(), (0.05, 9)),
    Entry("cbrt", jnp.cbrt, lambda s: (s.log() / 3).exp(), (0.05, 9)),
    Entry("rsqrt", jax.lax.rsqrt, lambda s: s.rsqrt(), (0.05, 9)),
    Entry("reciprocal", jnp.reciprocal, lambda s: 1 / s, (0.05, 9)),
    Entry("x⁵", lambda x: x**5, lambda s: s * s * s * s * s, (-3, 3)),
    Entry("x⁻³", lambda x: x**-3, lambda s: 1 / (s * s * s), (0.1, 5)),
    Entry("x^0.3", lambda x: x**0.3, lambda s: _power(s, 0.3), (0.05, 9)),
    Entry("xˣ", lambda x: x**x, lambda s: (s * s.log()).exp(), (0.2, 4)),
    Entry("sin", jnp.sin, lambda s: s.sin(), (-6, 6)),
    Entry("cos", jnp.cos, lambda s: s.cos(), (-6, 6)),
    Entry("tan", jnp.tan, lambda s: s.tan(), (-1.4, 1.4)),
    Entry("asin", jnp.arcsin, lambda s: s.asin(), (-0.95, 0.95)),
    Entry("acos", jnp.arccos, lambda s: s.acos(), (-0.95, 0.95)),
    Entry("atan", jnp.arctan, lambda s: s.atan(), (-4, 4)),
    Entry("sinh", jnp.sinh, _sinh, (-3, 3)),
    Entry("cosh", jnp.cosh, _cosh, (-3, 3)),
    Entry("tanh", jnp.tanh, _tanh, (-3, 3)),
    Entry("asinh", jnp.arcsinh, lambda s: (s + (s * s + 1).sqrt()).log(), (-4, 4)),
    Entry("acosh", jnp.arccosh, lambda s: (s + (s * s - 1).sqrt()).log(), (1.1, 6)),
    Entry("atanh", jnp.arctanh, lambda s: ((1 + s) / (1 - s)).log() / 2, (-0.95, 0.95)),
    Entry("sigmoid", jax.nn.sigmoid, lambda s: 1 / (1 + (-s).exp()), (-5, 5)),
    Entry("softplus", jax.nn.softplus, _softplus, (-5, 5)),
    Entry("log sigmoid", jax.nn.log_sigmoid, lambda s: -_softplus(-s), (-5, 5)),
    Entry("relu", jax.nn.relu, lambda s: s, (0.1, 5)),
    Entry("silu", jax.nn.silu, lambda s: s / (1 + (-s).exp()), (-5, 5)),
    Entry("gelu", lambda x: jax.nn.gelu(x, approximate=False), _gelu, (-3, 3)),
    Entry("gelu by tanh", jax.nn.gelu, _gelu_tanh, (-3, 3)),
    Entry("erf", jax.scipy.special.erf, lambda s: s.erf(), (-2.5, 2.5)),
    Entry("erfc", jax.scipy.special.erfc, lambda s: s.erfc(), (-2, 4)),
    Entry("erf⁻¹", jax.scipy.special.erfinv, _erf_inv, (-0.9, 0.9)),
    Entry("lgamma", jax.scipy.special.gammaln, lambda s: s.lgamma(), (0.2, 8)),
    Entry("digamma", jax.scipy.special.digamma, _digamma, (0.2, 8)),
    Entry("i0e", jax.scipy.special.i0e, lambda s: (-s).exp() * _i0(s), (0.2, 2.5)),
    Entry("logaddexp", lambda x: jnp.logaddexp(x, 1.5 - x), lambda s: (s.exp() + (A(1.5) - s).exp()).log(), (-3, 3)),
    Entry("abs", jnp.abs, lambda s: -s, (-5, -0.1)),
    Entry("sinc", _sinc, lambda s: s.sin_pi() / (A.pi() * s), (3, 6)),
    Entry("hypot", lambda x: jnp.hypot(x, 5.0), lambda s: (s * s + 25).sqrt(), (-4, 4)),
    Entry("atan2", lambda x: jnp.arctan2(x, 2.0), lambda s: (s / 2).atan(), (-4, 4)),
    Entry("max", lambda x: jnp.maximum(x, x * x), lambda s: s * s, (1.1, 4)),
    Entry("polynomial", lambda x: jnp.polyval(jnp.asarray(_POLYNOMIAL), x), _horner, (-2, 2)),
    Entry("scan", _mapped, _mapped_exactly, (0.1, 0.9)),
    Entry("cond", lambda x: jax.lax.cond(x > 0, jnp.sin, jnp.exp, x), lambda s: s.exp(), (-3, -0.1)),
    Entry("matrix product", _matrix, _matrix_exactly, (-2, 2)),
    Entry("norm", lambda x: jnp.linalg.norm(jnp.stack([x, x * x, 3.0 + 0 * x])), _norm, (-3, 3)),
    Entry(
        "logsumexp", lambda x: jax.scipy.special.logsumexp(jnp.stack([x, -x, 0.5 * x])),
        lambda s: (s.exp() + (-s).exp() + (s / 2).exp()).log(), (-3, 3),
    ),
    Entry("linear solve", _solve, _solve_exactly, (0, 5)),
)  # fmt: skip
"""The fifty-three."""

COMPOSITIONS: tuple[Entry, ...] = (
    Entry("x/(1 + x²)", lambda x: x / (1 + x * x), lambda s: s / (1 + s * s), (-3, 3)),
    Entry("exp(−x²)", lambda x: jnp.exp(-x * x), lambda s: (-s * s).exp(), (-2, 2)),
    Entry("exp(x) √(x + 2)", lambda x: jnp.exp(x) * jnp.sqrt(x + 2), lambda s: s.exp() * (s + 2).sqrt(), (-1.5, 1.5)),
    Entry("exp(sin x)/(1 + x²)", lambda x: jnp.exp(jnp.sin(x)) / (1 + x * x),
          lambda s: s.sin().exp() / (1 + s * s), (-3, 3)),
    Entry("sin(x) exp(cos x)", lambda x: jnp.sin(x) * jnp.exp(jnp.cos(x)), lambda s: s.sin() * s.cos().exp(), (-3, 3)),
    Entry("log(1 + exp(−x))", lambda x: jnp.log(1 + jnp.exp(-x)), lambda s: (1 + (-s).exp()).log(), (-3, 3)),
    Entry("x exp(−x)", lambda x: x * jnp.exp(-x), lambda s: s * (-s).exp(), (-2, 5)),
    Entry("log(2 + cos x)", lambda x: jnp.log(2 + jnp.cos(x)), lambda s: (2 + s.cos()).log(), (-3, 3)),
    Entry("√(1 + x⁴)", lambda x: jnp.sqrt(1 + x**4), lambda s: (1 + s * s * s * s).sqrt(), (-2, 2)),
    Entry("tanh(x²) cos x", lambda x: jnp.tanh(x * x) * jnp.cos(x), lambda s: _tanh(s * s) * s.cos(), (-1.5, 1.5)),
    Entry("atan(exp x)", lambda x: jnp.arctan(jnp.exp(x)), lambda s: s.exp().atan(), (-3, 3)),
    Entry("1/(1 + exp(x²))", lambda x: 1 / (1 + jnp.exp(x * x)), lambda s: 1 / (1 + (s * s).exp()), (-1.5, 1.5)),
    Entry("sin(1/x)", lambda x: jnp.sin(1 / x), lambda s: (1 / s).sin(), (0.5, 4)),
    Entry("x² log x", lambda x: x * x * jnp.log(x), lambda s: s * s * s.log(), (0.2, 5)),
    Entry("tan(sin x)", lambda x: jnp.tan(jnp.sin(x)), lambda s: s.sin().tan(), (-3, 3)),
    Entry("softmax entry", lambda x: jax.nn.softmax(jnp.stack([x, 1 - x, x * x]))[0],
          lambda s: s.exp() / (s.exp() + (1 - s).exp() + (s * s).exp()), (-1, 1.5)),
)  # fmt: skip
CATALOGUE = FUNCTIONS + COMPOSITIONS
