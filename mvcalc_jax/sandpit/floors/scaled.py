"""A floor: a formula of some family, in metres, with the phone at its lowest point.

    depth(p) = −9 + scale · (f(p) − f(phone)),    scale = 8/(highest − lowest)

so the phone lies at −9 m and the highest point of the box at −1 m.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from mvcalc_jax import require
from mvcalc_jax.require import AnyArray
from mvcalc_jax.sandpit.floors.family import BOX, Coefficients, Family, double
from mvcalc_jax.sandpit.floors.survey import EQUAL, Lie, seen

TOP, PHONE = -1.0, -9.0
"""Metres: the highest point of the box, and the lowest."""
NEAR = 0.15
"""Metres: a dip as near as that is at a minimum."""


@dataclass(frozen=True, eq=False)
class Floor:
    """A hidden floor. Points are (2,), or (n, 2) for `heights`; arguments in NumPy come back in NumPy, in float64.

    Attributes:
        family: its formula.
        seed: that the coefficients were drawn from.
        coefficients: of the formula.
        scale: metres for one unit of the formula.
        zero: metres where the formula is 0.
        minima: all local minima inside the box, (m, 2), deepest first. Where the edge or a kink is lower than all of
            them, as it may be on a floor of the player's own, that comes first.
        highest: the highest point of the box, (2,).

    >>> floor = mv.sandpit.floor("wells")
    >>> depth, gradient, hessian = floor.look(np.array([3.0, 2.0]))
    >>> round(float(depth), 2), gradient.shape, hessian.shape, floor.box
    (-2.23, (2,), (2, 2), ((0.0, 6.0), (0.0, 6.0)))
    """

    family: Family
    seed: int
    coefficients: Coefficients
    scale: float
    zero: float
    minima: Float[np.ndarray, "m 2"]
    highest: Float[np.ndarray, "2"]

    @property
    def name(self) -> str:
        """By which the floor is asked for."""
        return self.family.name

    @property
    def title(self) -> str:
        """What it teaches, in a sentence."""
        return self.family.title

    @property
    def box(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The sides of the sandpit, in metres."""
        (a, b), (c, d) = BOX.tolist()
        return (a, b), (c, d)

    @property
    def lowest(self) -> Float[np.ndarray, "2"]:
        """Where the phone lies."""
        return self.minima[0]

    def look(self, p: Float[AnyArray, "2"]) -> tuple[Any, Any, Any]:
        """Depth, gradient (2,) and Hessian (2, 2) at a point, in one call of a compiled program."""
        if require.traced(p):
            return self._scaled(*self.family.seen(self.coefficients, p))
        p = _points(p, (2,))
        with double():
            seen = self.family.look(self.coefficients, p)
            return self._scaled(*map(np.asarray, seen))

    def depth(self, p: Float[AnyArray, "2"]) -> Float[AnyArray, ""] | float:
        """Metres, negative below the ground."""
        if require.traced(p):
            return self.zero + self.scale * self.family.value(self.coefficients, p)
        return self.look(p)[0]

    def gradient(self, p: Float[AnyArray, "2"]) -> Float[AnyArray, "2"]:
        """∂depth/∂p: the way up."""
        if require.traced(p):
            return self.scale * self.family.gradient(self.coefficients, p)
        return self.look(p)[1]

    def hessian(self, p: Float[AnyArray, "2"]) -> Float[AnyArray, "2 2"]:
        """∂²depth/∂p²."""
        if require.traced(p):
            return self.scale * self.family.hessian(self.coefficients, p)
        return self.look(p)[2]

    def heights(self, points: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, " n"]:
        """The depth at many points."""
        points = _points(points, (None, 2))
        return self.zero + self.scale * seen(self.family, self.coefficients, points)[0]

    def _scaled(self, f: Any, g: Any, H: Any) -> tuple[Any, Any, Any]:
        return self.zero + self.scale * f, self.scale * g, self.scale * H


def _points(p: Any, shape: tuple[int | None, ...]) -> np.ndarray:
    """Require a point, or many, and return them as an array."""
    array = require.reals("p", p, "a point (x, y), or a row for each of many")
    require.shape("p", array, shape, "(x, y)" if len(shape) == 1 else "(points, 2): a row (x, y) for each")
    return array


def made(family: Family, seed: int, c: Coefficients, lie: Lie) -> Floor:
    """The floor of a survey, in metres."""
    minima, low = lie.minima, lie.bottom
    # lower than all that is level may be the edge, or a kink
    if not len(minima) or low < lie.heights[0] - EQUAL * (lie.top - low):
        minima = np.concatenate([lie.lowest[None], minima])
    else:
        low = float(lie.heights[0])
    scale = (TOP - PHONE) / (lie.top - low)
    return Floor(family, seed, c, scale, PHONE - scale * low, minima, lie.highest)
