"""For `lagrange`: functions on constraints, by name, and what each of them teaches."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

import mvcalc_jax as mv


class Problem(NamedTuple):
    """A problem in words and in functions of two or three numbers."""

    words: str
    f: Callable[..., Any]
    g: Callable[..., Any]
    box: tuple[tuple[float, float], ...]
    """Where to look."""
    reach: float
    """How far the constraint is moved, to g = ±reach."""
    lesson: str
    names: tuple[str, ...] = ("f*",)
    """Of f* as each constraint moves."""
    sheets: Callable[[], list[Any]] = list
    """The constraints' surfaces in space, to draw."""


PROBLEMS = {
    "course-1": Problem(
        "f = exp(−(2x² + y² − xy)/2) on the ellipse x² + 3(y + 1)² = 1",
        lambda x, y: jnp.exp(-(2 * x**2 + y**2 - x * y) / 2),
        lambda x, y: x**2 + 3 * (y + 1) ** 2 - 1,
        ((-1.6, 1.6), (-2, 0.4)),
        0.6,
        "Two of the four are minima and two are maxima, and neither λ nor second derivatives tell which of two is the "
        "lower: for that, all must be found and compared.",
    ),
    "course-2": Problem(
        "f = −exp(x − y² + xy) on the curve cosh y + x = 2",
        lambda x, y: -jnp.exp(x - y**2 + x * y),
        lambda x, y: jnp.cosh(y) + x - 2,
        ((-2.2, 1.8), (-2.8, 2.1)),
        0.5,
        "The curve has no end. Farther down its lower branch than is drawn, f falls below every bound: the lowest "
        "value here is the lowest of this box, and of no much larger one.",
    ),
    "ellipse": Problem(
        "f, the squared distance from (0.6, 0.2), on the ellipse x²/4 + y² = 1",
        lambda x, y: (x - 0.6) ** 2 + (y - 0.2) ** 2,
        lambda x, y: x**2 / 4 + y**2 - 1,
        ((-2.9, 2.9), (-2, 2)),
        0.3,
        "The contours are circles around the point, and touch the ellipse four times: from near its middle four "
        "normals can be drawn to it, from far away two.",
    ),
    "budget": Problem(
        "f = x^0.3 y^0.7, the use that one has of two goods, for a budget of 2x + 5y = 100",
        lambda x, y: x**0.3 * y**0.7,
        lambda x, y: 2 * x + 5 * y - 100,
        ((0.1, 40), (0.1, 24)),
        40.0,
        "30 % of the money goes for x and 70 % for y, whatever they cost; λ is what one more coin would be worth.",
    ),
    "cusp": Problem(
        "f = x on the cusp y² = x³",
        lambda x, y: x + 0 * y,
        lambda x, y: y**2 - x**3,
        ((-0.6, 1.6), (-1.3, 1.3)),
        0.1,
        "The minimum is at the tip, and it has no multiplier: ∇g = 0 there, and no multiple of that is ∇f. Whoever "
        "only solves ∇f = λ∇g finds nothing.",
    ),
    "circle-in-space": Problem(
        "f = xyz on the circle in which the plane x + y + z = 1 cuts the sphere x² + y² + z² = 2",
        lambda x, y, z: x * y * z,
        lambda x, y, z: (x + y + z - 1, x**2 + y**2 + z**2 - 2),
        ((-1.5, 1.5),) * 3,
        0.4,
        "With two constraints there are two multipliers and two prices: of moving the plane and of growing the sphere.",
        ("f*, the plane moves", "f*, the sphere grows"),
        lambda: [mv.plots.lagrange.plane(np.ones(3), 1, 1.4), mv.plots.lagrange.sphere(2**0.5)],
    ),
}
