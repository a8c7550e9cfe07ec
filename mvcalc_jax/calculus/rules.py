r"""The rules of differentiation, as ways to build a function and its derivative together, from pairs (f, f′).

| rule     | f       | f′                   |
|----------|---------|----------------------|
| constant | c       | 0                    |
| power    | xⁿ      | n xⁿ⁻¹               |
| sum      | f + g   | f′ + g′              |
| product  | f · g   | f′ g + f g′          |
| quotient | f / g   | (f′ g − f g′) / g²   |
| chain    | f(g(x)) | f′(g(x)) · g′(x)     |

A pair is a function of one variable, of a number, or of an array entry by entry. Operators build, too:

    x = power(1)
    print(sin(2 * x**5 + 3 * x))     f  = sin(2·x⁵ + 3·x)
                                     f′ = cos(2·x⁵ + 3·x)·(2·5·x⁴ + 3)
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from mvcalc_jax import precision, require, text

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SUM, _PRODUCT, _POWER, _ATOM = range(4)
"""How tightly a formula holds together: looser ones go in brackets inside tighter ones."""


class Formula(NamedTuple):
    """A formula in x: `{0}` stands for x between brackets, `{1}` for x where a formula in its place needs its own."""

    text: str
    holds: int = _ATOM

    def __str__(self) -> str:
        return self.text.format("x", "x")

    def inside(self, holds: int) -> str:
        """As a part of a formula that holds so tightly."""
        return self.text if self.holds >= holds else f"({self.text})"

    def of(self, inner: "Formula") -> "Formula":
        """With another formula in the place of x."""
        bare = self.text in ("{0}", "{1}")
        return inner if bare else Formula(self.text.format(inner.text, inner.inside(_ATOM)), self.holds)


@text.shown
@dataclass(frozen=True)
class Pair:
    """A function of one variable and its derivative, with a formula for each; `print` shows both.

    `f` and `d_f` are functions in JAX. `pair(x)` is f, `pair.at(x)` is f and f′, and `pair(other)` the chain rule.

    >>> from mvcalc_jax.calculus.rules import exp, power, sin
    >>> wave = sin(power(2))
    >>> print(wave * exp)
    f  = sin(x²)·exp(x)
    f′ = cos(x²)·2·x·exp(x) + sin(x²)·exp(x)
    >>> tuple(round(y, 6) for y in wave.at(0.5))  # sin ¼ and cos ¼
    (0.247404, 0.968912)
    """

    f: Callable[[Any], Array]
    d_f: Callable[[Any], Array]
    name: Formula
    d_name: Formula

    def __call__(self, x: Any) -> Any:
        return chain_rule(self, x) if isinstance(x, Pair) else self.f(x)

    def at(self, x: Any) -> tuple[Any, Any]:
        """f(x) and f′(x), as precise as x.

        Raises:
            TypeError: where x holds no real numbers.
        """
        x = precision.floats("x", x)
        with precision.of(x):
            found = self.f(jnp.asarray(x)), self.d_f(jnp.asarray(x))
        value, slope = (y if require.traced(y) else np.asarray(y)[()] if y.ndim else y.item() for y in found)
        return value, slope

    def _parts(self) -> text.Parts:
        return [f"f  = {self.name}", f"f′ = {self.d_name}"]

    def __add__(self, other: Any) -> "Pair":
        return sum_rule(self, _pair(other))

    def __radd__(self, other: Any) -> "Pair":
        return sum_rule(_pair(other), self)

    def __neg__(self) -> "Pair":
        return product_rule(constant(-1), self)

    def __sub__(self, other: Any) -> "Pair":
        return sum_rule(self, -_pair(other))

    def __rsub__(self, other: Any) -> "Pair":
        return sum_rule(_pair(other), -self)

    def __mul__(self, other: Any) -> "Pair":
        return product_rule(self, _pair(other))

    def __rmul__(self, other: Any) -> "Pair":
        return product_rule(_pair(other), self)

    def __truediv__(self, other: Any) -> "Pair":
        return quotient_rule(self, _pair(other))

    def __rtruediv__(self, other: Any) -> "Pair":
        return quotient_rule(_pair(other), self)

    def __pow__(self, n: float) -> "Pair":
        return chain_rule(power(n), self)


def constant(c: float) -> Pair:
    """c′ = 0.

    Raises:
        TypeError: if c is not a single number.
        ValueError: if it is not finite.
    """
    require.number("c", c)
    held = Formula(_number(c), _ATOM if c >= 0 else _SUM)
    return Pair(lambda x: jnp.full_like(x, c), jnp.zeros_like, held, Formula("0"))


def power(n: float) -> Pair:
    """(xⁿ)′ = n xⁿ⁻¹, for any real n; `power(1)` is x.

    Raises:
        TypeError: if n is not a single number.
        ValueError: if it is not finite.
    """
    require.number("n", n)
    n = int(n) if n == int(n) else float(n)
    if n == 0:
        return constant(1)
    slope = _product(Formula(_number(n), _ATOM if n >= 0 else _SUM), _raised(n - 1))
    if n == 1:
        return Pair(lambda x: jnp.asarray(x), jnp.ones_like, Formula("{1}"), Formula("1"))
    return Pair(lambda x: x**n, lambda x: n * x ** (n - 1), _raised(n), slope)


def sum_rule(f: Pair, g: Pair) -> Pair:
    """(f + g)′ = f′ + g′."""
    _require(f=f, g=g)
    return Pair(
        lambda x: f.f(x) + g.f(x),
        lambda x: f.d_f(x) + g.d_f(x),
        _sum(f.name, g.name),
        _sum(f.d_name, g.d_name),
    )


def product_rule(f: Pair, g: Pair) -> Pair:
    """(f g)′ = f′ g + f g′."""
    _require(f=f, g=g)
    return Pair(
        lambda x: f.f(x) * g.f(x),
        lambda x: f.d_f(x) * g.f(x) + f.f(x) * g.d_f(x),
        _product(f.name, g.name),
        _sum(_product(f.d_name, g.name), _product(f.name, g.d_name)),
    )


def quotient_rule(f: Pair, g: Pair) -> Pair:
    """(f/g)′ = (f′ g − f g′)/g²."""
    _require(f=f, g=g)
    above = _sum(_product(f.d_name, g.name), _product(Formula("−1", _SUM), _product(f.name, g.d_name)))
    return Pair(
        lambda x: f.f(x) / g.f(x),
        lambda x: (f.d_f(x) * g.f(x) - f.f(x) * g.d_f(x)) / g.f(x) ** 2,
        _over(f.name, g.name),
        _over(above, Formula(g.name.inside(_ATOM) + "²", _POWER)),
    )


def chain_rule(f: Pair, g: Pair) -> Pair:
    """f(g(x))′ = f′(g(x)) g′(x)."""
    _require(f=f, g=g)
    return Pair(
        lambda x: f.f(g.f(x)),
        lambda x: f.d_f(g.f(x)) * g.d_f(x),
        f.name.of(g.name),
        _product(f.d_name.of(g.name), g.d_name),
    )


def _elementary(
    f: Callable[[Any], Any], d_f: Callable[[Any], Any], name: str, d_name: str, holds: int = _ATOM
) -> Pair:
    return Pair(f, d_f, Formula(name), Formula(d_name, holds))


sin = _elementary(jnp.sin, jnp.cos, "sin({0})", "cos({0})")
cos = _elementary(jnp.cos, lambda x: -jnp.sin(x), "cos({0})", "−sin({0})", _SUM)
tan = _elementary(jnp.tan, lambda x: 1 + jnp.tan(x) ** 2, "tan({0})", "1 + tan²({0})", _SUM)
exp = _elementary(jnp.exp, jnp.exp, "exp({0})", "exp({0})")
log = _elementary(jnp.log, lambda x: 1 / x, "ln({0})", "1/{1}", _PRODUCT)
sqrt = _elementary(jnp.sqrt, lambda x: 1 / (2 * jnp.sqrt(x)), "√({0})", "1/(2·√({0}))", _PRODUCT)
sinh = _elementary(jnp.sinh, jnp.cosh, "sinh({0})", "cosh({0})")
cosh = _elementary(jnp.cosh, jnp.sinh, "cosh({0})", "sinh({0})")
tanh = _elementary(
    jnp.tanh, lambda x: (1 + jnp.tanh(x)) * (1 - jnp.tanh(x)), "tanh({0})", "1 − tanh²({0})", _SUM
)
asin = _elementary(
    jnp.arcsin, lambda x: 1 / jnp.sqrt((1 + x) * (1 - x)), "asin({0})", "1/√(1 − {1}²)", _PRODUCT
)
acos = _elementary(
    jnp.arccos, lambda x: -1 / jnp.sqrt((1 + x) * (1 - x)), "acos({0})", "−1/√(1 − {1}²)", _SUM
)
atan = _elementary(jnp.arctan, lambda x: 1 / (1 + x**2), "atan({0})", "1/(1 + {1}²)", _PRODUCT)
logistic = _elementary(
    jax.nn.sigmoid,
    lambda x: jax.nn.sigmoid(x) * jax.nn.sigmoid(-x),
    "σ({0})",
    "σ({0})·(1 − σ({0}))",
    _PRODUCT,
)

ELEMENTARY = {
    "sin": sin, "cos": cos, "tan": tan, "exp": exp, "log": log, "sqrt": sqrt, "sinh": sinh, "cosh": cosh,
    "tanh": tanh, "asin": asin, "acos": acos, "atan": atan, "logistic": logistic,
}  # fmt: skip
"""Functions whose derivatives one knows by heart."""


def _pair(value: Any) -> Pair:
    return value if isinstance(value, Pair) else constant(value)


def _require(**pairs: Any) -> None:
    for name, pair in pairs.items():
        if not isinstance(pair, Pair):
            raise TypeError(
                f"`{name}` must be a Pair, so that its derivative goes with it; got {type(pair).__name__}; "
                "take constant, power, one of ELEMENTARY, or Pair(f, d_f, …)"
            )


def _number(c: float) -> str:
    return "π" if c == math.pi else f"{float(c):.6g}".replace("-", "−")


def _raised(n: float) -> Formula:
    """xⁿ"""
    if n == 0:
        return Formula("1")
    if n == 1:
        return Formula("{1}")
    if isinstance(n, int):
        return Formula("{1}" + str(n).translate(_SUPERSCRIPT), _POWER)
    return Formula("{1}^" + (_number(n) if n > 0 else f"({_number(n)})"), _POWER)


def _sum(a: Formula, b: Formula) -> Formula:
    if "0" in (a.text, b.text):
        return b if a.text == "0" else a
    minus = b.text.startswith("−")
    return Formula(f"{a.text} − {b.text[1:]}" if minus else f"{a.text} + {b.text}", _SUM)


def _product(a: Formula, b: Formula) -> Formula:
    if "0" in (a.text, b.text):
        return Formula("0")
    if "1" in (a.text, b.text):
        return b if a.text == "1" else a
    if a.text == "−1":
        return Formula("−" + b.inside(_PRODUCT), _SUM)
    return Formula(f"{a.inside(_PRODUCT)}·{b.inside(_PRODUCT)}", _PRODUCT)


def _over(a: Formula, b: Formula) -> Formula:
    return a if b.text == "1" else Formula(f"{a.inside(_PRODUCT)}/{b.inside(_POWER)}", _PRODUCT)
