"""The lie of a floor: where it is lowest and highest, and all its minima.

Found as `critical_points` would find them, but by programs compiled once for a family: from the points of a grid that
are next to one, by Newton's steps; a minimum is where ∇f vanishes then and H has no negative eigenvalue.
"""

from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Bool, Float, Int

from mvcalc_jax.sandpit.floors.family import BOX, Coefficients, Family, double

_CHUNK, _ROWS = 2048, 32
"""Points whose heights are asked for at once, and points that are settled at once: one program for any number."""
_MOST = 1024
"""Lowest points of a grid at most: where there are more the floor is flat, or all noise."""
_NEXT = 2.0
"""Spacings of the grid: Newton's step at a point that a minimum is next to."""
_TOPS = 4
"""Highest points of the grid that are followed."""
_LEVEL = 1e-7
"""∇f counts as zero where it is less than this share of the range of f in a length of the box."""
_SAME = 1e-3
"""Metres: minima that are nearer are one."""
EQUAL = 1e-9
"""Of the range of f: heights that differ by less are equal."""


class Lie(NamedTuple):
    """What a survey finds; heights are in the formula's unit.

    Attributes:
        minima: inside the box, (m, 2), deepest first; of those that are equally deep, the one to the left.
        heights: f there, (m,).
        lowest: the lowest point of the box.
        bottom: f there.
        edge: f where the edge of the box is lower than all around; ∞ where it is so nowhere.
        highest: the highest point of the box.
        top: f there.
    """

    minima: Float[np.ndarray, "m 2"]
    heights: Float[np.ndarray, " m"]
    lowest: Float[np.ndarray, "2"]
    bottom: float
    edge: float
    highest: Float[np.ndarray, "2"]
    top: float


def survey(family: Family, c: Coefficients) -> Lie:
    """The lie of one floor of a family.

    Raises:
        ValueError: where f is not finite on the grid, or the same everywhere.
    """
    n = family.points
    x, y = (np.linspace(low, high, n) for low, high in BOX.tolist())
    grid = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    f, g, H = seen(family, c, grid)
    if not np.isfinite(f).all():
        bad = int(np.argmin(np.isfinite(f)))
        where = f"({grid[bad, 0]:g}, {grid[bad, 1]:g})"
        raise ValueError(
            f"{family.name} must be a finite number everywhere in [0, 6]²; it is {f[bad]} at {where}"
        )
    span = float(np.ptp(f))
    if span <= 1e-9 * np.abs(f).max():
        raise ValueError(f"{family.name} must not be flat; it is {f[0]:g} everywhere in [0, 6]²")
    low = np.flatnonzero(_beside_minima(f.reshape(n, n), g, H, float(x[1] - x[0])))
    low = low[np.argsort(f[low], kind="stable")][:_MOST]
    high = np.flatnonzero(_lowest_of_neighbours(-f.reshape(n, n)))
    high = high[np.argsort(-f[high], kind="stable")][:_TOPS]
    down = np.arange(len(low) + len(high)) < len(low)
    p, f, g, H = _settled(family, c, np.where(down, 1.0, -1.0), grid[np.concatenate([low, high])])
    deep, up = int(np.argmin(np.where(down, f, np.inf))), int(np.argmax(np.where(down, -np.inf, f)))
    on_edge = down & ((p <= BOX[:, 0]) | (p >= BOX[:, 1])).any(axis=1)
    slope = np.linalg.norm(g, axis=1) * float(np.ptp(BOX))
    hollow = down & ~on_edge & (slope <= _LEVEL * span) & _hollow(H)
    inside = _distinct(p, f, slope, hollow, EQUAL * span)
    edge = float(f[on_edge].min(initial=np.inf))
    return Lie(p[inside], f[inside], p[deep], float(f[deep]), edge, p[up], float(f[up]))


def seen(family: Family, c: Coefficients, points: Float[np.ndarray, "n 2"]) -> list[np.ndarray]:
    """f, (n,), its gradient and its Hessian at many points of one floor."""
    count, parts = len(points), [[np.zeros((0, *shape)) for shape in ((), (2,), (2, 2))]]
    with double():
        for k in range(0, count, _CHUNK):
            which = np.arange(k, k + _CHUNK).clip(max=count - 1)
            parts.append([np.asarray(a) for a in family.sight(c, points[which])])
    return [np.concatenate(column)[:count] for column in zip(*parts, strict=True)]


def _beside_minima(
    f: Float[np.ndarray, "n n"], g: Float[np.ndarray, "n2 2"], H: Float[np.ndarray, "n2 2 2"], spacing: float
) -> Bool[np.ndarray, "n n"]:
    """The points of a grid that a minimum is next to.

    Those from which Newton's step down is short, and no longer than from their neighbours: so even a minimum that is
    shallower than the grid is fine has one. And those that are lower than their neighbours, where there is none of
    these nearby, as on the edge or at a kink.
    """
    n = len(f)
    (a, b), (_, d) = np.moveaxis(H, 0, -1)
    with np.errstate(all="ignore"):
        det = a * d - b**2
        step = np.stack([d * g[:, 0] - b * g[:, 1], a * g[:, 1] - b * g[:, 0]]) / det
        size = np.where((det > 0) & (a + d > 0), np.abs(step).max(axis=0), np.inf).reshape(n, n)
    size[~(size <= _NEXT * spacing)] = np.inf
    short = np.isfinite(size) & _lowest_of_neighbours(size)
    padded = np.pad(short, 2)
    near = np.any([padded[i : i + n, j : j + n] for i in range(5) for j in range(5)], axis=0)
    return short | (_lowest_of_neighbours(f) & ~near)


def _settled(
    family: Family, c: Coefficients, sign: Float[np.ndarray, " m"], points: Float[np.ndarray, "m 2"]
) -> list[np.ndarray]:
    """Where Newton's steps lead, with f, ∇f and H there."""
    count, parts = len(points), []
    shared = jax.tree.map(lambda a: np.broadcast_to(a, (_ROWS, *np.shape(a))), c)
    with double():
        for k in range(0, count, _ROWS):
            which = np.arange(k, k + _ROWS).clip(max=count - 1)
            parts.append([np.asarray(a) for a in family.settle(shared, sign[which], points[which])])
    return [np.concatenate(column)[:count] for column in zip(*parts, strict=True)]


def _lowest_of_neighbours(f: Float[np.ndarray, "n n"]) -> Bool[np.ndarray, "n n"]:
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
    return low


def _hollow(H: Float[np.ndarray, "m 2 2"]) -> Bool[np.ndarray, " m"]:
    """Whether no eigenvalue is negative, as far as rounding tells."""
    finite = np.isfinite(H).reshape(-1, 4).all(axis=1)
    λ = np.linalg.eigvalsh(np.where(np.isfinite(H), H, 0))
    return finite & (λ[:, 0] >= -1e-9 * np.abs(λ).max(axis=1))


def _distinct(
    p: Float[np.ndarray, "m 2"],
    f: Float[np.ndarray, " m"],
    slope: Float[np.ndarray, " m"],
    which: Bool[np.ndarray, " m"],
    equal: float,
) -> Int[np.ndarray, " k"]:
    """Those of some points that are no others, each where it is known best; deepest first, and then from the left, so
    that rounding does not decide."""
    kept: list[int] = []
    for k in np.argsort(np.where(which, slope, np.inf), kind="stable")[: which.sum()]:
        if not kept or np.linalg.norm(p[kept] - p[k], axis=1).min() > _SAME:
            kept.append(int(k))
    found = np.array(kept, int)
    deep = np.round((f[found] - f[found].min(initial=np.inf)) / equal)
    x, y = np.round(p[found] / _SAME).T
    return found[np.lexsort((y, x, deep))]
