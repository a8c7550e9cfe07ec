"""The table of local derivatives, first part: functions that act entry by entry.

A line is: formula, and for each argument its derivative in words and in numbers, d(y, x₁, x₂, …). Where a form could be
written in several ways that round differently, it is the one of JAX's own rule.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import lax

from mvcalc_jax.calculus.tracing.rule import At, Factor, Local, PlusTimes, Rule, diagonal, over, times

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Partial(NamedTuple):
    """∂y/∂xₖ in words, and its factors, or the number itself, from y and all x."""

    text: str
    d: Callable[..., Any]


def _of_jax(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function as JAX computes it, whose last bits NumPy's may not have."""
    return lambda *x: np.asarray(f(*x))


cos, sin, cosh, sinh, exp, log, logistic = map(
    _of_jax, (lax.cos, lax.sin, lax.cosh, lax.sinh, lax.exp, lax.log, lax.logistic)
)
digamma, polygamma, power, rsqrt = map(_of_jax, (lax.digamma, lax.polygamma, lax.pow, lax.rsqrt))


def _fused(f: Callable[..., Any]) -> Callable[..., Any]:
    """A formula as JAX compiles it within jnp's functions, where x·x + 1 is rounded once and not twice."""
    return _of_jax(jax.jit(f))


def elementwise(
    formula: str,
    *partials: Partial,
    word: str | Callable[[At], str] = "chain",
    kink: Callable[[At], str | None] = lambda at: None,
) -> Rule:
    """The rule of a function that acts entry by entry."""

    def local(at: At, k: int) -> Local:
        found = partials[k].d(at.y, *at.xs)
        factors: Sequence[Factor] = found if isinstance(found, list) else [times(found)]
        return diagonal(factors, at.xs[k], at.y)

    name = formula.partition("(")[0]
    said = word if callable(word) else (lambda at: f"chain: {name}" if word == "chain" else word)
    return Rule(said, formula, [partial.text for partial in partials], local, kink)


def _one_or_two(both: str, *single: str) -> Callable[[At], str]:
    """The word for a step of two operands: if both move, or only the first, or only the second."""
    return lambda at: both if all(at.moves) else single[0 if at.moves[0] else -1]


def integer_power(n: int) -> Rule:
    """xⁿ"""
    raised = str(n).translate(_SUPERSCRIPT)
    lower = "{0}" + str(n - 1).translate(_SUPERSCRIPT) if n != 2 else "{0}"
    d = lambda y, x: n * (x if n == 2 else np.asarray(lax.integer_pow(x, n - 1)))
    return elementwise("{0}" + raised, Partial(f"{n}·{lower}" if n else "0", d), word="power")


def _where_zero(what: str, taken: str) -> Callable[[At], str | None]:
    return lambda at: f"{what} where {{0}} = 0; taken: {taken}" if np.any(at.xs[0] == 0) else None


def _jump(there: Any, where: str) -> str | None:
    return (
        f"not differentiable (a jump) where {{0}} is {where}; taken: the slope beside it"
        if np.any(there)
        else None
    )


def _step(at: At) -> str | None:
    return _jump(at.xs[0] == at.y, "whole")


def _ties(at: At) -> str | None:
    tied = np.any(at.xs[0] == at.xs[1])
    return "not differentiable where {0} = {1}; taken: ½ of each side" if tied else None


def _at_an_end(at: At) -> str | None:
    low, x, high = at.xs
    return (
        "not differentiable where {1} is at a bound; taken: 0" if np.any((x == low) | (x == high)) else None
    )


def _share(y: Any, x: Any, other: Any) -> Any:
    """1 where x is the one chosen, ½ where both are."""
    return np.where(x == y, np.where(other == y, 0.5, 1.0), 0.0).astype(y.dtype)


def _side(at: At) -> str:
    """Which side a maximum or minimum took."""
    if np.ndim(at.y):
        return "choice, entry by entry"
    first, second = at.xs[0] == at.y, at.xs[1] == at.y
    return "choice: a tie" if first and second else f"choice: {'first' if first else 'second'}"


def _power_by_base(y: Any, x: Any, p: Any) -> Any:
    if np.issubdtype(np.asarray(p).dtype, np.integer):
        return np.where(p == 0, 0, np.where(p == 0, 1, p) * power(x, p - 1))
    return p * power(x, p - np.ones_like(p))


def _power_by_exponent(y: Any, x: Any, p: Any) -> Any:
    return log(np.where(x == 0, np.ones_like(x), x)) * y


def _i1e(y: Any, x: Any) -> Any:
    tiny = np.abs(x) <= np.finfo(x.dtype).eps
    safe = np.where(tiny, np.ones_like(x), x)
    slope = np.asarray(lax.bessel_i0e(safe)) - y * (np.sign(safe) + 1 / safe)
    return np.where(tiny, 0.5 * np.ones_like(x), slope)


def _one_minus_square(x: Any) -> Any:
    return (1 + x) * (1 - x)  # which keeps the digits where x is near ±1


_one_plus_square = _fused(lambda x: 1 + x * x)
if hasattr(lax, "one_minus_square"):  # of JAX's forms, those that it has had since 0.12
    _asin_slope = lambda x: rsqrt(_one_minus_square(x))
    _asinh_slope = lambda x: rsqrt(x * x + 1)
    _acosh_slope = lambda x: rsqrt(x - 1) * rsqrt(x + 1)
    _expm1_slope = lambda y, x: exp(x)
    _atanh_slope = lambda x: [over(_one_minus_square(x))]
    _tanh_slope = lambda y: [times(_one_minus_square(y))]
else:
    _asin_slope = _fused(lambda x: lax.rsqrt(1 - x * x))
    _asinh_slope = _fused(lambda x: lax.rsqrt(x * x + 1))
    _acosh_slope = _fused(lambda x: lax.rsqrt(x * x - 1))
    _expm1_slope = lambda y, x: y + 1
    _atanh_slope = lambda x: [over(1 - x), times(1 / (1 + x))]
    _tanh_slope = lambda y: [PlusTimes(y), times(1 - y)]
_atan2_slopes = _fused(lambda a, b: b / (a * a + b * b)), _fused(lambda a, b: -a / (a * a + b * b))
_i0e_slope = _fused(lambda y, x: lax.bessel_i1e(x) - lax.sign(x) * y)


def _polynomial(at: At, k: int) -> Local:
    """a₀ + x (a₁ + x (a₂ + …)), by x or by one of the a."""
    x, *a = at.xs
    if k:
        return diagonal([times(x)] * (k - 1), at.xs[k], at.y)
    slope = np.zeros_like(x)
    for j in range(len(a) - 1, 0, -1):
        slope = slope * x + j * a[j]
    return diagonal([times(slope)], x, at.y)


_SCALE = 2 / math.sqrt(math.pi)

_SUM = elementwise(
    "{0} + {1}",
    Partial("1", lambda y, a, b: []),
    Partial("1", lambda y, a, b: []),
    word=_one_or_two("sum", "sum with a constant"),
)

ELEMENTARY: dict[str, Rule] = {
    "neg": elementwise("−{0}", Partial("−1", lambda y, x: [np.negative]), word="constant multiple"),
    "add": _SUM,
    "add_any": _SUM,  # what JAX's own derivatives are added with
    "sub": elementwise(
        "{0} − {1}",
        Partial("1", lambda y, a, b: []),
        Partial("−1", lambda y, a, b: [np.negative]),
        word=_one_or_two("difference", "difference with a constant"),
    ),
    "mul": elementwise(
        "{0} · {1}",
        Partial("{1}", lambda y, a, b: b),
        Partial("{0}", lambda y, a, b: a),
        word=_one_or_two("product", "constant multiple"),
    ),
    "div": elementwise(
        "{0} / {1}",
        Partial("1/{1}", lambda y, a, b: [over(b)]),
        Partial(
            "−{0}/{1}²", lambda y, a, b: [np.negative, times(a), times(np.asarray(lax.integer_pow(b, -2)))]
        ),
        word=_one_or_two("quotient", "constant multiple", "quotient under a constant"),
    ),
    "rem": elementwise(
        "{0} mod {1}",
        Partial("1", lambda y, a, b: []),
        Partial(
            "−trunc({0}/{1})", lambda y, a, b: [np.negative, times(np.sign(a / b) * np.floor(np.abs(a / b)))]
        ),
        word="remainder",
        kink=lambda at: _jump(at.y == 0, "a multiple of {1}"),
    ),
    "pow": elementwise(
        "{0}^{1}",
        Partial("{1}·{0}^({1} − 1)", _power_by_base),
        Partial("ln({0})·{0}^{1}", _power_by_exponent),
        word=_one_or_two("power, base and exponent", "power", "chain: exponential"),
    ),
    "square": elementwise("{0}²", Partial("2·{0}", lambda y, x: 2 * x), word="power"),
    "one_minus_square": elementwise("1 − {0}²", Partial("−2·{0}", lambda y, x: -2 * x), word="power"),
    "polynomial": Rule(
        lambda at: "powers and sums",
        "polynomial({0})",
        ["its derivative's", *["a power of {0}"] * 99],
        _polynomial,
    ),
    "sqrt": elementwise(
        "√{0}",
        Partial("1/(2√{0})", lambda y, x: 0.5 / y),
        word="power ½",
        kink=_where_zero("not differentiable (a vertical tangent)", "∞"),
    ),
    "rsqrt": elementwise("1/√{0}", Partial("−½·{0}^(−3/2)", lambda y, x: -0.5 * (y / x)), word="power −½"),
    "cbrt": elementwise(
        "∛{0}",
        Partial("{0}^(−2/3)/3", lambda y, x: (1 / 3) * np.asarray(lax.integer_pow(y, -2))),
        word="power ⅓",
        kink=_where_zero("not differentiable (a vertical tangent)", "∞"),
    ),
    "exp": elementwise("exp({0})", Partial("exp({0})", lambda y, x: y)),
    "exp2": elementwise(
        "exp2({0})", Partial("ln 2·2^{0}", lambda y, x: [times(y), times(log(2 * np.ones_like(x)))])
    ),
    "expm1": elementwise("expm1({0})", Partial("exp({0})", _expm1_slope)),
    "log": elementwise("ln({0})", Partial("1/{0}", lambda y, x: [over(x)])),
    "log1p": elementwise("log1p({0})", Partial("1/(1 + {0})", lambda y, x: [over(x + 1)])),
    "sin": elementwise("sin({0})", Partial("cos({0})", lambda y, x: cos(x))),
    "cos": elementwise("cos({0})", Partial("−sin({0})", lambda y, x: [times(sin(x)), np.negative])),
    "tan": elementwise("tan({0})", Partial("1 + tan²({0})", lambda y, x: _one_plus_square(y))),
    "asin": elementwise("asin({0})", Partial("1/√(1 − {0}²)", lambda y, x: _asin_slope(x))),
    "acos": elementwise("acos({0})", Partial("−1/√(1 − {0}²)", lambda y, x: -_asin_slope(x))),
    "atan": elementwise("atan({0})", Partial("1/(1 + {0}²)", lambda y, x: [over(_one_plus_square(x))])),
    "atan2": elementwise(
        "atan2({0}, {1})",
        Partial("{1}/({0}² + {1}²)", lambda y, a, b: _atan2_slopes[0](a, b)),
        Partial("−{0}/({0}² + {1}²)", lambda y, a, b: _atan2_slopes[1](a, b)),
    ),
    "sinh": elementwise("sinh({0})", Partial("cosh({0})", lambda y, x: cosh(x))),
    "cosh": elementwise("cosh({0})", Partial("sinh({0})", lambda y, x: sinh(x))),
    "tanh": elementwise(
        "tanh({0})",
        Partial("(1 + tanh)(1 − tanh)", lambda y, x: _tanh_slope(y)),
    ),
    "asinh": elementwise("asinh({0})", Partial("1/√({0}² + 1)", lambda y, x: _asinh_slope(x))),
    "acosh": elementwise("acosh({0})", Partial("1/√({0}² − 1)", lambda y, x: _acosh_slope(x))),
    "atanh": elementwise("atanh({0})", Partial("1/(1 − {0}²)", lambda y, x: _atanh_slope(x))),
    "logistic": elementwise("σ({0})", Partial("σ(1 − σ)", lambda y, x: y * (1 - y))),
    "erf": elementwise(
        "erf({0})", Partial("2/√π·exp(−{0}²)", lambda y, x: [times(exp(-(x * x))), times(_SCALE)])
    ),
    "erfc": elementwise(
        "erfc({0})", Partial("−2/√π·exp(−{0}²)", lambda y, x: [times(exp(-(x * x))), times(-_SCALE)])
    ),
    "erf_inv": elementwise(
        "erf⁻¹({0})",
        Partial("√π/2·exp({y}²)", lambda y, x: [times(exp(y * y)), times(math.sqrt(math.pi) / 2)]),
    ),
    "lgamma": elementwise("lgamma({0})", Partial("ψ({0})", lambda y, x: digamma(x))),
    "digamma": elementwise("ψ({0})", Partial("ψ′({0})", lambda y, x: polygamma(np.ones_like(x), x))),
    "bessel_i0e": elementwise(
        "I₀ₑ({0})",
        Partial("I₁ₑ({0}) − sign·I₀ₑ({0})", _i0e_slope),
    ),
    "bessel_i1e": elementwise("I₁ₑ({0})", Partial("I₀ₑ − (sign + 1/{0})·I₁ₑ", _i1e)),
    "abs": elementwise(
        "|{0}|",
        Partial("sign({0})", lambda y, x: np.where(x >= 0, np.ones_like(x), -np.ones_like(x))),
        kink=_where_zero("not differentiable (a kink)", "1, the slope on the right"),
        word="chain: |·|",
    ),
    "max": elementwise(
        "max({0}, {1})",
        Partial("1 if {0} is larger", lambda y, a, b: _share(y, a, b)),
        Partial("1 if {1} is larger", lambda y, a, b: _share(y, b, a)),
        word=_side,
        kink=_ties,
    ),
    "min": elementwise(
        "min({0}, {1})",
        Partial("1 if {0} is smaller", lambda y, a, b: _share(y, a, b)),
        Partial("1 if {1} is smaller", lambda y, a, b: _share(y, b, a)),
        word=_side,
        kink=_ties,
    ),
    "clamp": elementwise(
        "clamp({0}, {1}, {2})",
        Partial("1 if {0} > {1}", lambda y, low, x, high: ((low > x) & (low < high)).astype(y.dtype)),
        Partial("1 if between", lambda y, low, x, high: ((x > low) & (x < high)).astype(y.dtype)),
        Partial("1 if {2} < {1}", lambda y, low, x, high: (high < x).astype(y.dtype)),
        word="choice: clamp",
        kink=_at_an_end,
    ),
}
"""By primitive; `integer_pow` has a rule for each exponent."""


class Flat(NamedTuple):
    """A step that carries no derivative: the word for why, its formula, and where it jumps."""

    word: str
    formula: str
    kink: Callable[[At], str | None] = lambda at: None


def _compared(at: At) -> str | None:
    same = at.xs[0] is not at.xs[1] and np.any(at.xs[0] == at.xs[1])
    return "perhaps not differentiable: it is decided here, where {0} = {1}" if same else None


_PIECES, _COMPARISON = "constant piece by piece", "comparison"
FLAT: dict[str, Flat] = {
    "floor": Flat(_PIECES, "⌊{0}⌋", _step),
    "ceil": Flat(_PIECES, "⌈{0}⌉", _step),
    "round": Flat(_PIECES, "round({0})", lambda at: _jump(at.xs[0] % 1 == 0.5, "halfway")),
    "sign": Flat(_PIECES, "sign({0})", lambda at: _jump(at.xs[0] == 0, "0")),
    "stop_gradient": Flat("constant, by stop_gradient", "{0}"),
    "is_finite": Flat(_COMPARISON, "{0} is finite"),
    "eq": Flat(_COMPARISON, "{0} = {1}"),
    "ne": Flat(_COMPARISON, "{0} ≠ {1}"),
    "gt": Flat(_COMPARISON, "{0} > {1}", _compared),
    "ge": Flat(_COMPARISON, "{0} ≥ {1}", _compared),
    "lt": Flat(_COMPARISON, "{0} < {1}", _compared),
    "le": Flat(_COMPARISON, "{0} ≤ {1}", _compared),
}
"""Steps of real numbers that carry no derivative; nor does any whose result are integers or booleans."""
