"""Surfaces whose critical points are known, each with its box and how many of which kind lie in it.

Most are what optimisers are tried on; of the last ones the Hessian says nothing. The numbers were counted without
`critical_points`: around a cell of a fine grid ∇f turns +1 times about an extremum, and −1 times about a saddle.
Reference: Jamil and Yang, A literature survey of benchmark functions (2013).
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax.numpy as jnp

from mvcalc_jax.calculus.stationary.kinds import Kind


class Landscape(NamedTuple):
    """A function of (x, y), as it is written and as code; a box; how many points of each kind lie in it."""

    formula: str
    f: Callable[[Any], Any]
    box: tuple[tuple[float, float], tuple[float, float]]
    kinds: Mapping[Kind, int]


def _ordinary(minima: int, maxima: int, saddles: int) -> dict[Kind, int]:
    counts = {Kind.MINIMUM: minima, Kind.MAXIMUM: maxima, Kind.SADDLE: saddles}
    return {kind: count for kind, count in counts.items() if count}


def _himmelblau(p: Any) -> Any:
    x, y = p
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def _camel(p: Any) -> Any:
    x, y = p
    return (4 - 2.1 * x**2 + x**4 / 3) * x**2 + x * y + (4 * y**2 - 4) * y**2


def _three_humps(p: Any) -> Any:
    x, y = p
    return 2 * x**2 - 1.05 * x**4 + x**6 / 6 + x * y + y**2


def _rosenbrock(p: Any) -> Any:
    x, y = p
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def _styblinski(p: Any) -> Any:
    return sum(x**4 - 16 * x**2 + 5 * x for x in p) / 2


def _peaks(p: Any) -> Any:
    x, y = p
    wide = 3 * (1 - x) ** 2 * jnp.exp(-(x**2) - (y + 1) ** 2)
    return wide - 10 * (x / 5 - x**3 - y**5) * jnp.exp(-(x**2) - y**2) - jnp.exp(-((x + 1) ** 2) - y**2) / 3


def _branin(p: Any) -> Any:
    x, y = p
    bend = y - 5.1 * x**2 / (4 * jnp.pi**2) + 5 * x / jnp.pi - 6
    return bend**2 + 10 * (1 - 1 / (8 * jnp.pi)) * jnp.cos(x) + 10


def _mccormick(p: Any) -> Any:
    x, y = p
    return jnp.sin(x + y) + (x - y) ** 2 - 1.5 * x + 2.5 * y + 1


def _goldstein(p: Any) -> Any:
    x, y = p
    one = 1 + (x + y + 1) ** 2 * (19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2)
    two = 30 + (2 * x - 3 * y) ** 2 * (18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2)
    return jnp.log(one * two)


SURFACES = {
    "himmelblau": Landscape(
        "(x² + y − 11)² + (x + y² − 7)²", _himmelblau, ((-6, 6), (-6, 6)), _ordinary(4, 1, 4)
    ),
    "camel": Landscape(
        "(4 − 2.1x² + x⁴/3)x² + xy + (4y² − 4)y²", _camel, ((-2.2, 2.2), (-1.3, 1.3)), _ordinary(6, 2, 7)
    ),
    "three-humps": Landscape(
        "2x² − 1.05x⁴ + x⁶/6 + xy + y²", _three_humps, ((-2.6, 2.6), (-2.4, 2.4)), _ordinary(3, 0, 2)
    ),
    "rosenbrock": Landscape("(1 − x)² + 100(y − x²)²", _rosenbrock, ((-2, 2), (-1, 3)), _ordinary(1, 0, 0)),
    "styblinski": Landscape(
        "Σ (x⁴ − 16x² + 5x)/2", _styblinski, ((-4.5, 4.5), (-4.5, 4.5)), _ordinary(4, 1, 4)
    ),
    "peaks": Landscape("three peaks and three hollows", _peaks, ((-3, 3), (-3, 3)), _ordinary(3, 3, 3)),
    "branin": Landscape(
        "(y − 5.1x²/4π² + 5x/π − 6)² + (10 − 5/4π) cos x + 10",
        _branin,
        ((-5, 10), (0, 15)),
        _ordinary(3, 0, 2),
    ),
    "mccormick": Landscape(
        "sin(x + y) + (x − y)² − 1.5x + 2.5y + 1", _mccormick, ((-3, 4), (-4, 4)), _ordinary(2, 0, 2)
    ),
    "goldstein": Landscape(
        "log of Goldstein and Price's polynomial", _goldstein, ((-2, 2), (-2, 2)), _ordinary(4, 1, 4)
    ),
    "two-wells": Landscape(
        "x⁴ + y⁴ − 4xy",
        lambda p: p[0] ** 4 + p[1] ** 4 - 4 * p[0] * p[1],
        ((-2, 2), (-2, 2)),
        _ordinary(2, 0, 1),
    ),
    "egg-box": Landscape(
        "sin x sin y", lambda p: jnp.sin(p[0]) * jnp.sin(p[1]), ((-0.5, 6.8), (-0.5, 6.8)), _ordinary(2, 2, 9)
    ),
    "bowl": Landscape("x² + y²", lambda p: p[0] ** 2 + p[1] ** 2, ((-1, 1.2), (-1.2, 1)), _ordinary(1, 0, 0)),
    "pass": Landscape("x² − y²", lambda p: p[0] ** 2 - p[1] ** 2, ((-1, 1.2), (-1.2, 1)), _ordinary(0, 0, 1)),
    "monkey": Landscape(
        "x³ − 3xy²",
        lambda p: p[0] ** 3 - 3 * p[0] * p[1] ** 2,
        ((-1, 1.2), (-1.2, 1)),
        {Kind.DEGENERATE_SADDLE: 1},
    ),
    "flat": Landscape(
        "x⁴ + y²", lambda p: p[0] ** 4 + p[1] ** 2, ((-1, 1.2), (-1.2, 1)), {Kind.DEGENERATE_MINIMUM: 1}
    ),
    "ledge": Landscape(
        "x³ + y²", lambda p: p[0] ** 3 + p[1] ** 2, ((-1, 1.2), (-1.2, 1)), {Kind.DEGENERATE_SADDLE: 1}
    ),
    "peano": Landscape(
        "(y − x²)(y − 3x²)",
        lambda p: (p[1] - p[0] ** 2) * (p[1] - 3 * p[0] ** 2),
        ((-1, 1.2), (-1.2, 1)),
        {Kind.DEGENERATE_SADDLE: 1},
    ),
    "trough": Landscape(
        "(x² + y² − 1)²",
        lambda p: (p[0] ** 2 + p[1] ** 2 - 1) ** 2,
        ((-1.5, 1.6), (-1.6, 1.5)),
        {Kind.NOT_ISOLATED: 1, Kind.MAXIMUM: 1},
    ),
}
"""By name.

>>> surface = mv.calculus.SURFACES["himmelblau"]
>>> surface.formula, {str(kind): many for kind, many in surface.kinds.items()}
('(x² + y − 11)² + (x + y² − 7)²', {'minimum': 4, 'maximum': 1, 'saddle': 4})
"""
