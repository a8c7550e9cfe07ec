"""Functions at which Newton's method does something that is worth seeing, each from the start that shows it.

The sextic is the course's, and most of the others are what every course warns of. `FRACTALS` are functions of a complex
number, each with a box in whose picture the basins of its roots are seen.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from mvcalc_jax import require
from mvcalc_jax.calculus.rootfinding.newton import newton
from mvcalc_jax.calculus.rootfinding.outcome import Root
from mvcalc_jax.calculus.rootfinding.trail import iterate


class Classic(NamedTuple):
    """A function as it is written, and from which starts; the window in which it is drawn; a bracket, if it has one."""

    formula: str
    f: Callable[[Any], Any]
    starts: tuple[float, ...]
    window: tuple[float, float]
    bracket: tuple[float, float] | None = None


class Search(NamedTuple):
    """What is looked for, where, and what came of it.

    >>> (search,) = mv.calculus.newton_searches("cubic", (0.0,))
    >>> search.title, search.example.formula, search.found.period
    ('x³ − 2x + 2 from 0', 'x³ − 2x + 2', 2)
    """

    example: Classic
    title: str
    found: Root


class Fractal(NamedTuple):
    """A function of a complex number as it is written, and a box."""

    formula: str
    f: Callable[[Any], Any]
    box: tuple[tuple[float, float], tuple[float, float]] = ((-2.0, 2.0), (-2.0, 2.0))


def sextic(x: Any) -> Any:
    """The course's example: two roots, and between them two maxima and a minimum that send the iterates about."""
    return x**6 / 6 - 3 * x**4 - 2 * x**3 / 3 + 27 * x**2 / 2 + 18 * x - 30


NEWTON_EXAMPLES = {
    "sextic": Classic("x⁶/6 − 3x⁴ − 2x³/3 + 27x²/2 + 18x − 30", sextic, (1.0, 1.99, 3.1), (-5.2, 4.6)),
    "cubic": Classic("x³ − 2x + 2", lambda x: x**3 - 2 * x + 2, (0.0, 0.05), (-2.2, 1.8)),
    "cubic-5": Classic("x³ − 5x", lambda x: x**3 - 5 * x, (1.0, 0.99), (-2.8, 2.8)),
    "root-sign": Classic(
        "sign(x) √|x|", lambda x: jnp.sign(x) * jnp.sqrt(jnp.abs(x)), (1.0,), (-1.7, 1.7), (-1.0, 1.7)
    ),
    "atan": Classic("atan x", jnp.arctan, (1.5, 1.3), (-12.0, 12.0), (-12.0, 9.0)),
    "cube-root": Classic("∛x", jnp.cbrt, (1.0,), (-9.0, 9.0), (-9.0, 5.0)),
    "fading": Classic("x e⁻ˣ", lambda x: x * jnp.exp(-x), (2.0, 0.8), (-0.6, 8.0)),
    "square": Classic("x²", lambda x: x * x, (1.0,), (-0.6, 1.2)),
    "no-root": Classic("x² + 1", lambda x: x * x + 1, (0.6, 1.0), (-2.2, 2.2)),
    "turning": Classic("x³ − 3x + 3", lambda x: x**3 - 3 * x + 3, (1.0, 0.9), (-2.6, 2.4), (-3.0, 0.0)),
    "log": Classic("ln x", jnp.log, (3.0, 2.0), (-0.6, 3.6), (0.5, 3.0)),
    "pole": Classic("1/x", lambda x: 1 / x, (0.7,), (-1.5, 2.2), (-1.0, 2.0)),
}
"""By name.

>>> mv.calculus.NEWTON_EXAMPLES["cubic"].formula
'x³ − 2x + 2'
"""

NEWTON_ENDINGS = (
    *(("cubic", 0), ("root-sign", 0), ("atan", 0), ("cube-root", 0), ("fading", 0), ("no-root", 0)),
    *(("square", 0), ("turning", 0), ("log", 0), ("pole", None), ("cubic-5", 1), ("log", None)),
)
"""A gallery of ways to end: examples by name, each from one of its starts, or in its bracket (None)."""

FRACTALS = {
    "three": Fractal("z³ − 1", lambda z: z**3 - 1),
    "cycle": Fractal("z³ − 2z + 2", lambda z: z**3 - 2 * z + 2),
    "double": Fractal("(z − 1)² (z + 1)", lambda z: (z - 1) ** 2 * (z + 1)),
    "five": Fractal("z⁵ − 1", lambda z: z**5 - 1),
    "eight": Fractal("z⁸ + 15z⁴ − 16", lambda z: z**8 + 15 * z**4 - 16),
    "rational": Fractal("(z⁴ − 1)/(z² + ½)", lambda z: (z**4 - 1) / (z**2 + 0.5)),
    "sine": Fractal("sin z", jnp.sin, ((-5.0, 5.0), (-5.0, 5.0))),
}
"""By name.

>>> three = mv.calculus.FRACTALS["three"]
>>> np.sort_complex(mv.calculus.basins(three.f, three.box, points=40).roots).round(3)
array([-0.5-0.866j, -0.5+0.866j,  1. +0.j   ])
"""


def newton_searches(name: str, starts: tuple[float | None, ...]) -> list[Search]:
    """Newton's method for one of the examples, from each start, or in its bracket where that is None.

    >>> for search in mv.calculus.newton_searches("atan", (1.3, 1.5, None)):
    ...     print(search.title, search.found.status.name)
    atan x from 1.3 CONVERGED
    atan x from 1.5 DIVERGED
    atan x in (-12, 9) CONVERGED
    """
    require.one_of("example", name, NEWTON_EXAMPLES)
    example = NEWTON_EXAMPLES[name]
    if not isinstance(starts, (tuple, list)):
        raise TypeError(f"`starts` must be a tuple of numbers, or None for the bracket; got {starts!r}")
    searches = []
    for start in starts:
        if start is not None:
            require.number("starts", start)
        bracket = example.bracket if start is None else None
        where = f"from {start:g}" if bracket is None else f"in ({bracket[0]:g}, {bracket[1]:g})"
        title = f"{example.formula} {where}"
        searches.append(Search(example, title, newton(example.f, start, bracket=bracket)))
    return searches


def newton_endings() -> list[Search]:
    """All the ways to end.

    >>> sorted({search.found.status.name for search in mv.calculus.newton_endings()})
    ['CONVERGED', 'CYCLE', 'DIVERGED', 'DOMAIN', 'FLAT', 'MINIMUM', 'MULTIPLE', 'POLE']
    """
    chosen = [(name, None if k is None else NEWTON_EXAMPLES[name].starts[k]) for name, k in NEWTON_ENDINGS]
    return [search for name, start in chosen for search in newton_searches(name, (start,))]


def newton_errors() -> dict[str, Float[np.ndarray, " r"]]:
    """How far from the root every iterate is: a simple root, and a double one with plain and with modified steps.

    >>> for name, errors in mv.calculus.newton_errors().items():
    ...     print(f"{name}: {(errors > 1e-6).sum()} steps to six digits")
    a simple root: digits double: 6 steps to six digits
    a double root, steps f/f′: half the way each time: 22 steps to six digits
    a double root, steps 2f/f′ once it is seen to be double: 7 steps to six digits
    """
    double = lambda x: (x - 1) ** 2 * (x + 2)
    simple = newton(sextic, -5.0)
    return {
        "a simple root: digits double": np.abs(simple.trace.x - simple.x),
        "a double root, steps f/f′: half the way each time": np.abs(iterate(double, 3.0, 24).x - 1),
        "a double root, steps 2f/f′ once it is seen to be double": np.abs(newton(double, 3.0).trace.x - 1),
    }
