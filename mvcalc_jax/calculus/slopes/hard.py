r"""Functions whose slopes are hard to get from their values, each beside its derivative by hand.

| name         | f(x)          | at     | why it is hard                                                       |
|--------------|---------------|--------|----------------------------------------------------------------------|
| sine         | sin x         | 1000   | a step in proportion to x is far too long for its waves              |
| logarithm    | ln x          | 1e-4   | its domain ends near by                                              |
| square       | x²            | 1e-7   | a step in proportion to 1 is far too long                            |
| offset       | x³ + 10⁶      | 0.01   | the offset takes nearly all digits                                   |
| steep        | tanh 50x      | 0.02   | steep, and soon flat                                                 |
| cancelling   | cos x − 1     | 1e-5   | six digits are left in f, and the error of ε\|f\| is no longer true   |
| root         | √x            | 1e-6   | its domain ends near by, where it is vertical                        |
| ripples      | x sin 100x    | 0.7    | many short waves                                                     |
| switch       | atan(10⁴(x−1))| 1.0001 | steep, far from 0                                                    |
| flat         | e^(−1/x²)     | 0.1    | 10⁻⁴⁴, and all its derivatives vanish at 0                           |
| chirp        | sin(1/x)      | 0.05   | waves that become ever shorter                                       |
| pole         | tan x         | 1.57   | infinite a thousandth further                                        |

And two that are not: the course's sin(x)e^{cos x}, at 2 (at π, its slope is −1/e), and eˣ at 1.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp


class Case(NamedTuple):
    """A function to differentiate.

    f and d_f take JAX's numbers. For numbers of another kind, say with 80 bits, `of` makes both from a module that has
    sin, exp and so on, as NumPy has.
    """

    formula: str
    at: float
    scale: float
    """A length over which f bends."""
    of: Callable[[Any], tuple[Callable[[Any], Any], Callable[[Any], Any]]]

    @property
    def f(self) -> Callable[[Any], Any]:
        """The function, in JAX."""
        return self.of(jnp)[0]

    @property
    def d_f(self) -> Callable[[Any], Any]:
        """Its derivative by hand, in JAX."""
        return self.of(jnp)[1]


def _course(m: Any) -> Any:
    f = lambda x: m.sin(x) * m.exp(m.cos(x))
    d_f = lambda x: (m.cos(x) - m.sin(x) ** 2) * m.exp(m.cos(x))
    return f, d_f


def _ripples(m: Any) -> Any:
    f = lambda x: x * m.sin(100 * x)
    d_f = lambda x: m.sin(100 * x) + 100 * x * m.cos(100 * x)
    return f, d_f


def _switch(m: Any) -> Any:
    f = lambda x: m.arctan(10000 * (x - 1))
    d_f = lambda x: 10000 / (1 + (10000 * (x - 1)) ** 2)
    return f, d_f


def _flat(m: Any) -> Any:
    f = lambda x: m.exp(-1 / x**2)
    d_f = lambda x: 2 / x**3 * m.exp(-1 / x**2)
    return f, d_f


HARD = {
    "sine": Case("sin x", 1e3, 1.0, lambda m: (m.sin, m.cos)),
    "logarithm": Case("ln x", 1e-4, 1e-4, lambda m: (m.log, lambda x: 1 / x)),
    "square": Case("x²", 1e-7, 1e-7, lambda m: (lambda x: x**2, lambda x: 2 * x)),
    "offset": Case("x³ + 10⁶", 0.01, 0.02, lambda m: (lambda x: x**3 + 1e6, lambda x: 3 * x**2)),
    "steep": Case(
        "tanh 50x", 0.02, 0.02, lambda m: (lambda x: m.tanh(50 * x), lambda x: 50 / m.cosh(50 * x) ** 2)
    ),
    "cancelling": Case("cos x − 1", 1e-5, 1.0, lambda m: (lambda x: m.cos(x) - 1, lambda x: -m.sin(x))),
    "root": Case("√x", 1e-6, 1e-6, lambda m: (m.sqrt, lambda x: 1 / (2 * m.sqrt(x)))),
    "ripples": Case("x sin 100x", 0.7, 0.01, _ripples),
    "switch": Case("atan(10⁴(x − 1))", 1.0001, 1e-4, _switch),
    "flat": Case("exp(−1/x²)", 0.1, 0.001, _flat),
    "chirp": Case(
        "sin(1/x)", 0.05, 0.0025, lambda m: (lambda x: m.sin(1 / x), lambda x: -m.cos(1 / x) / x**2)
    ),
    "pole": Case("tan x", 1.57, 3e-4, lambda m: (m.tan, lambda x: 1 / m.cos(x) ** 2)),
}
"""The twelve; the first eight are from the literature on finite differences, the last four of our own choice."""

EASY = {
    "course": Case("sin(x) e^cos x", 2.0, 1.0, _course),
    "exponential": Case("eˣ", 1.0, 1.0, lambda m: (m.exp, m.exp)),
}
SLOPE_EXAMPLES = EASY | HARD
"""By name: each a function with the point at which to differentiate it.

>>> case = mv.calculus.SLOPE_EXAMPLES["cancelling"]
>>> print(f"({case.formula})′ at {case.at} is {mv.derivative(case.f, case.at).value:.9e}")
(cos x − 1)′ at 1e-05 is -1.000000000e-05
"""
