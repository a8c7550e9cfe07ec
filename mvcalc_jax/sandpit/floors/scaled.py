"""A floor: a formula of some family, in metres, with the phone at its lowest point.

    depth(p) = −9 + scale · (f(p) − f(phone)),    scale = 8/(highest − lowest)

so the phone lies at −9 m and the highest point of the box at −1 m. The minima are found as `critical_points` would, but
by programs compiled once for a family: from the lowest points of a grid, by Newton's steps, and each is kept where ∇f
vanishes and H has no negative eigenvalue. A seed is drawn on until its floor can be played: the phone inside the box,
and deeper than every other minimum and than the edge by as much as the family says.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from mvcalc_jax import require
from mvcalc_jax.require import AnyArray
from mvcalc_jax.sandpit.floors.course import COURSE
from mvcalc_jax.sandpit.floors.family import BOX, Coefficients, Family, double
from mvcalc_jax.sandpit.floors.lessons import LESSONS

FLOORS: dict[str, Family] = {family.name: family for family in (*COURSE, *LESSONS)}
"""In the order of teaching."""

TOP, PHONE = -1.0, -9.0
"""Metres: the highest point of the box, and the lowest."""
NEAR = 0.15
"""Metres: a dip as near as that is at a minimum."""

_CHUNK, _ROWS = 4096, 64
"""Points whose heights are asked for at once, and points that are settled at once: one program for any number."""
_MOST = 1024
"""Lowest points of a grid at most: where there are more the floor is flat, or all noise."""
_DRAWS = 10_000


@dataclass(frozen=True, eq=False)
class Floor:
    """A hidden floor. Points are (2,), or (n, 2) for `heights`; arguments in NumPy come back in NumPy, in float64.

    Attributes:
        family: its formula.
        seed: that the coefficients were drawn from.
        coefficients: of the formula.
        scale: metres for one unit of the formula.
        zero: metres where the formula is 0.
        minima: all local minima in the box, (m, 2), deepest first. Where the edge is lower than all of them, as it may
            be on a floor of the player's own, its lowest point comes first.
        highest: the highest point of the box, (2,).
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
        with double():
            seen = self.family.look(self.coefficients, np.asarray(p, float))
            return self._scaled(*map(np.asarray, seen))

    def depth(self, p: Float[AnyArray, "2"]) -> Float[AnyArray, ""]:
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
        return self.zero + self.scale * _heights(self.family, self.coefficients, points)

    def _scaled(self, f: Any, g: Any, H: Any) -> tuple[Any, Any, Any]:
        return self.zero + self.scale * f, self.scale * g, self.scale * H


def floor(name: str, seed: int = 0) -> Floor:
    """The floor of a family that belongs to a seed, the same on every machine.

    Args:
        name: one of `FLOORS`.
        seed: of its coefficients. That of "wells" is the course's own floor where it is 0.

    Raises:
        ValueError: for an unknown name, or a negative seed.
    """
    require.one_of("floor", name, FLOORS)
    return _drawn(name, require.whole("seed", seed, least=0))


@lru_cache(maxsize=64)
def _drawn(name: str, seed: int) -> Floor:
    family, rng = FLOORS[name], np.random.Generator(np.random.PCG64(seed))
    for _ in range(_DRAWS):
        c = family.fixed if family.fixed is not None and seed == 0 else family.draw(rng)
        lie = survey(family, c)
        if _playable(family, lie):
            return made(family, seed, c, lie)
    raise ValueError(f"no floor of {name} with the seed {seed} can be played; take another seed")


class Lie(NamedTuple):
    """The lie of a floor, in the formula's unit: its minima inside, deepest first, and how high they are; the lowest
    point of the edge, and the highest of the box, each with f there."""

    minima: Float[np.ndarray, "m 2"]
    heights: Float[np.ndarray, " m"]
    edge: Float[np.ndarray, "2"]
    edge_height: float
    highest: Float[np.ndarray, "2"]
    top: float


def survey(family: Family, c: Coefficients) -> Lie:
    """Where a floor is lowest and highest: from the points of a grid that are so among their neighbours.

    Raises:
        ValueError: where f is not finite on the grid, or the same everywhere.
    """
    n = family.points
    x, y = (np.linspace(*side, n) for side in BOX)
    grid = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    f = _heights(family, c, grid)
    if not np.isfinite(f).all():
        at = grid[np.flatnonzero(~np.isfinite(f))[0]]
        raise ValueError(
            f"{family.name} must be a finite number everywhere in [0, 6]²; it is {f[~np.isfinite(f)][0]} at "
            f"({at[0]:g}, {at[1]:g})"
        )
    if np.ptp(f) <= 1e-9 * (1e-300 + np.abs(f).max()):
        raise ValueError(f"{family.name} must not be flat: it is {f[0]:g} everywhere in [0, 6]²")
    low, high = _lowest_of_neighbours(f.reshape(n, n)), _lowest_of_neighbours(-f.reshape(n, n))
    low = low[np.argsort(f[low], kind="stable")][:_MOST]
    high = high[np.argsort(-f[high], kind="stable")][:4]
    sign = np.concatenate([np.ones(len(low)), -np.ones(len(high))])
    p, f, g, H = _settled(family, c, sign, grid[np.concatenate([low, high])])
    k, up = int(np.argmin(np.where(sign > 0, f, np.inf))), int(np.argmax(np.where(sign < 0, f, -np.inf)))
    on_edge = ((p <= BOX[:, 0]) | (p >= BOX[:, 1])).any(axis=1) & (sign > 0)
    edge = int(np.argmin(np.where(on_edge, f, np.inf)))
    level = np.linalg.norm(g, axis=1) * 6 <= 1e-7 * np.ptp(f)
    λ = np.linalg.eigvalsh(H)
    hollow = level & (λ[:, 0] >= -1e-9 * np.abs(λ).max(axis=1)) & ~on_edge & (sign > 0)
    inside = _distinct(p, f, np.flatnonzero(hollow))
    if (
        not on_edge.any()
    ):  # nothing on the edge is lower than all around it: then its lowest point is no matter
        return Lie(p[inside], f[inside], p[k], np.inf, p[up], float(f[up]))
    return Lie(p[inside], f[inside], p[edge], float(f[edge]), p[up], float(f[up]))


def made(family: Family, seed: int, c: Coefficients, lie: Lie) -> Floor:
    """The floor that a survey gives, scaled to metres."""
    minima = lie.minima
    if not len(minima) or lie.edge_height < lie.heights[0]:
        minima = np.concatenate([lie.edge[None], minima])
    low = min([lie.edge_height, *lie.heights])
    scale = (TOP - PHONE) / (lie.top - low)
    return Floor(family, seed, c, scale, PHONE - scale * low, minima, lie.highest)


def _playable(family: Family, lie: Lie) -> bool:
    """Whether the phone lies inside, not right at the edge, and deeper than all else by enough."""
    least, most = family.minima
    if not least <= len(lie.minima) <= most:
        return False
    inside = bool(((lie.minima[0] > 2 * NEAR) & (lie.minima[0] < BOX[:, 1] - 2 * NEAR)).all())
    metre = (lie.top - lie.heights[0]) / (TOP - PHONE)
    second = min([lie.edge_height, *lie.heights[1:]])
    return inside and bool(second - lie.heights[0] >= family.apart * metre)


def _heights(family: Family, c: Coefficients, points: np.ndarray) -> np.ndarray:
    count = len(points)
    parts = []
    with double():
        for k in range(0, count, _CHUNK):
            which = np.arange(k, k + _CHUNK).clip(max=count - 1)
            parts.append(np.asarray(family.heights(c, points[which])))
    return np.concatenate([np.zeros(0), *parts])[:count]


def _settled(family: Family, c: Coefficients, sign: np.ndarray, points: np.ndarray) -> list[np.ndarray]:
    count, parts = len(points), []
    shared = jax.tree.map(lambda a: np.broadcast_to(a, (_ROWS, *np.shape(a))), c)
    with double():
        for k in range(0, count, _ROWS):
            which = np.arange(k, k + _ROWS).clip(max=count - 1)
            parts.append([np.asarray(a) for a in family.settle(shared, sign[which], points[which])])
    return [np.concatenate(column)[:count] for column in zip(*parts, strict=True)]


def _lowest_of_neighbours(f: Float[np.ndarray, "n n"]) -> np.ndarray:
    """The points of a grid than which none of the eight around is lower; of equal neighbours, the first."""
    padded = np.pad(f, 1, constant_values=np.inf)
    n, low = len(f), np.ones(f.shape, bool)
    for i in range(3):
        for j in range(3):
            around = padded[i : i + n, j : j + n]
            if (i, j) < (1, 1):
                low &= f < around
            elif (i, j) > (1, 1):
                low &= f <= around
    return np.flatnonzero(low)


def _distinct(p: np.ndarray, f: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Those of some points that are no others, deepest first."""
    kept: list[int] = []
    for k in which[np.argsort(f[which], kind="stable")]:
        if not kept or np.linalg.norm(p[kept] - p[k], axis=1).min() > 1e-3:
            kept.append(int(k))
    return np.array(kept, int)
