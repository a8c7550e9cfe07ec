r"""What many starts find of the zeros of ∇f in a box, and what H is there: the search behind `critical_points`.

All lengths are in units of half the box's sides: g = w ∘ ∇f, and H is w Hf w, whose signs are those of Hf (Sylvester).
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Bool, Float, Int

from mvcalc_jax import compiling
from mvcalc_jax.calculus.multistart import Ends, descent, distinct, in_chunks, scattered
from mvcalc_jax.calculus.stationary import winding
from mvcalc_jax.calculus.stationary.degenerate import Field
from mvcalc_jax.calculus.stationary.zeros import WIDEST, Zeros, blur, zeros

_MOST = 16
"""Times the number of starts asked for, where points are still met by one or two."""
OFTEN = 3
"""Starts that should have led to each point."""
_NEAR = 1e-3
"""Newton's step at a critical point, in units of half the box."""
_EDGE = 1e-9
"""How far beside the box, in such units, a point on its edge may be found."""
_LINKED = 0.3
"""Members of one connected set are this near each other, and equally high."""
_BLURRED = 0.01
"""Isolated ones that are this near are one, met less exactly than starts can tell."""
_MANY = 20

Look = Callable[[np.ndarray], list[np.ndarray]]
"""f, ∇f and Hf at points (m, d)."""


class Found(NamedTuple):
    """Zeros of ∇f: where, how exact, met by how many starts; H's eigenvalues in the box's units, and which are zero."""

    points: Float[np.ndarray, "k d"]
    error: Float[np.ndarray, " k"]
    starts: Int[np.ndarray, " k"]
    values: Float[np.ndarray, " k"]
    gradients: Float[np.ndarray, "k d"]
    hessians: Float[np.ndarray, "k d d"]
    eigenvalues: Float[np.ndarray, "k d"]
    eigenvectors: Float[np.ndarray, "k d d"]
    null: Bool[np.ndarray, "k d"]


class Miss(NamedTuple):
    """Where ∇f comes near zero, and is not: the point, ‖∇f‖, and its rounding there; both in the box's units."""

    point: Float[np.ndarray, " d"]
    size: float
    rounding: float


class Survey(NamedTuple):
    """What was found, by how many starts, and what it was found with."""

    found: Found
    starts: int
    edge: int | None
    """The turns of ∇f around the edge of the box."""
    told: Zeros
    missed: tuple[Miss, ...]


def looker(field: Field) -> Look:
    """The program for f, ∇f and H at points."""
    see = lambda z: (field.f(z), field.gradient(z), field.hessian(z))
    program = jax.jit(jax.vmap(see), compiler_options=compiling.quickly())
    return lambda points: in_chunks(program, points.astype(field.half.dtype))


def survey(
    field: Field, look: Look, box: Float[np.ndarray, "d 2"], starts: int, more: Float[np.ndarray, "m d"]
) -> Survey:
    """Follow starts until each regular point was met by `OFTEN` and the turns around the edge agree, or long enough.

    Args:
        field: f and its derivatives.
        look: at them.
        box: of the search.
        starts: how many at first.
        more: others, which are followed and not counted: about a place where something is to be expected.
    """
    descend, w = descent(field.gradient, field.half, field.hessian), field.half
    told, edge = zeros(field, box), around_edge(field, look, box)
    missed: tuple[Miss, ...] = ()
    met, total = [_inside(descend(more.astype(w.dtype)), told, box, w)[:2]] if len(more) else [], 0
    counted = [np.zeros(len(points), int) for points, _ in met]
    while True:
        new = scattered(box, max(starts, 2 * total))[total:].astype(w.dtype)
        total += len(new)
        points, error, near = _inside(descend(new), told, box, w)
        met.append((points, error))
        counted.append(np.ones(len(points), int))
        missed += near
        ends = [np.concatenate(a) for a in zip(*met, strict=True)]
        found = _looked_at(ends[0], ends[1], np.concatenate(counted), look, told, w)
        regular = ~found.null.any(axis=1)
        often = (found.starts[regular] >= OFTEN).all()
        signs = np.prod(np.sign(found.eigenvalues), axis=1)
        agree = edge is None or not regular.all() or signs.sum() == edge
        if (often and agree) or total >= _MOST * starts:
            return Survey(found, total, edge, told, missed)


def scales(box: Float[np.ndarray, "d 2"]) -> Float[np.ndarray, "m d"]:
    """Points at all distances from 0, if it is inside: of a wide box, what happens near 0 is a small part."""
    reach = np.abs(box).max(axis=1) * 2.0 ** (-0.5 * np.arange(64))[:, None]
    points = reach * (2 * scattered(np.tile([0.0, 1.0], (len(box), 1)), 64) - 1)
    return points[((points > box[:, 0]) & (points < box[:, 1])).all(axis=1)]


def _inside(
    ends: Ends, told: Zeros, box: np.ndarray, w: np.ndarray
) -> tuple[np.ndarray, np.ndarray, tuple[Miss, ...]]:
    """The ends that are zeros of ∇f in the box, its edges included; and where there seemed to be one, and is none."""
    beside = (np.maximum(box[:, 0] - ends.points, ends.points - box[:, 1]) / w).max(axis=1)
    with np.errstate(invalid="ignore"):
        near = (
            (ends.step <= _NEAR) & np.isfinite(ends.size) & (beside <= _EDGE + np.minimum(ends.error, _NEAR))
        )
    if not near.any():
        return ends.points[:0], ends.error[:0], ()
    points, zero = told.polished(ends.points[near])
    none = np.flatnonzero(~zero & ends.vanishes[near] & (beside[near] < -_EDGE))
    none = none[np.argsort(ends.size[near][none])]
    at, size = ends.points[near][none], ends.size[near][none]
    rounding = told.rounding(at) if len(none) else size
    missed = tuple(Miss(z, float(r), float(ρ)) for z, r, ρ in zip(at, size, rounding, strict=True))
    return points[zero], ends.error[near][zero], missed


def _looked_at(
    points: np.ndarray, error: np.ndarray, count: np.ndarray, look: Look, told: Zeros, w: np.ndarray
) -> Found:
    """The distinct ends, and H at them. No point is better known than half the box is to its last place."""
    ε = float(np.finfo(w.dtype).eps)
    which, cluster = distinct(points / w, error, 10 * ε**0.5)
    points, error = points[which], error[which]
    if not len(points):
        one = np.zeros((0, len(w)))
        return Found(one, error, which, error, one, one[:, None], one, one[:, None], one > 0)
    values, g, H = look(points)
    exists = np.isfinite(H).all(axis=(1, 2), keepdims=True)
    λ, V = np.linalg.eigh(np.where(exists, w[:, None] * H * w, 0))
    flattest = np.abs(λ).argmin(axis=1)[:, None]
    v = np.take_along_axis(V, flattest[:, :, None], axis=2)[:, :, 0]
    blurred = np.maximum(*blur(told, points, v, w))
    wide = (blurred >= WIDEST)[:, None]
    aside = np.maximum(10 * error, np.where(wide[:, 0], 0, blurred)).clip(4 * ε, WIDEST)
    changes = np.zeros(len(λ))
    for sign in (1, -1):
        there = look(points + sign * w * aside[:, None] * v)[2]
        there = np.where(np.isfinite(there) & exists, there, np.where(exists, H, 0))
        changes = np.maximum(changes, np.abs(np.linalg.eigvalsh(w[:, None] * there * w) - λ).max(axis=1))
    limit = np.maximum(4 * changes, 1000 * ε * np.abs(λ).max(axis=1, initial=0))
    null = (np.abs(λ) <= limit[:, None]) | (wide & (np.arange(len(w)) == flattest))
    many = np.bincount(cluster, count, len(which)).astype(int)
    return Found(points, error, many, values, w * g, H, λ, V, null)


def around_edge(field: Field, look: Look, box: np.ndarray) -> int | None:
    """The turns of ∇f around the edge of a box in one or two variables."""
    if len(box) == 1:
        low, high = (float(np.sign(s)) for s in look(box.T.copy())[1][:, 0])
        return int((high - low) / 2) if low and high and np.isfinite([low, high]).all() else None
    return winding.turns(lambda z: field.half * look(z)[1], winding.edge(box)) if len(box) == 2 else None


def families(found: Found, w: Float[np.ndarray, " d"]) -> list[np.ndarray]:
    """The points with a singular H, in groups that may be parts of one connected set: near each other, equally high."""
    flat = (found.hessians == 0).all(axis=(1, 2)) & (found.gradients == 0).all(axis=1)
    plain = [np.flatnonzero(flat & (found.values == f)) for f in np.unique(found.values[flat])]
    many = [group for group in plain if len(group) > _MANY]  # of a plateau: no links need be looked for
    plateau = np.concatenate([np.zeros(0, int), *many])
    singular = np.setdiff1d(np.flatnonzero(found.null.any(axis=1)), plateau)
    return many + linked(found, singular, w, _LINKED)


def linked(found: Found, which: Int[np.ndarray, " m"], w: np.ndarray, reach: float) -> list[np.ndarray]:
    """Groups of equally high points, each no farther from another of its group than it may be."""
    if not len(which):
        return []
    u, f = found.points[which] / w, found.values[which]
    near = np.linalg.norm(u[:, None] - u, axis=2) <= reach
    near &= np.abs(f[:, None] - f) <= _height(found)
    label, before = np.arange(len(u)), np.zeros(0)
    while not np.array_equal(label, before):
        before, label = label, np.where(near, label, len(u)).min(axis=1)
    return [which[label == k] for k in np.unique(label)]


def gathered(found: Found, look: Look, told: Zeros, w: np.ndarray, apart: Sequence[np.ndarray]) -> Found:
    """The regular points, and the singular ones of some groups, of which starts that end near each other met the same.

    Within rounding, ∇f of order n vanishes for some ε^(1/n) around its zero, and starts end anywhere there.
    """
    plain = kept(found, ~found.null.any(axis=1))
    if len(plain.points):
        unsure = told.rounding(plain.points) / np.abs(plain.eigenvalues).min(axis=1)
        plain = plain._replace(error=np.maximum(plain.error, unsure))
    parts = [plain]
    flat = np.concatenate([np.zeros(0, int), *apart])
    parts += [_middle(found, one, look, told, w) for one in linked(found, flat, w, _BLURRED)]
    return Found(*map(np.concatenate, zip(*parts, strict=True)))


def _middle(found: Found, one: Int[np.ndarray, " m"], look: Look, told: Zeros, w: np.ndarray) -> Found:
    """A point from where many starts ended about it: in the middle of what cannot be told from zero."""
    points, starts = found.points[one], np.maximum(found.starts[one], 1)
    best, middle = np.argmin(found.error[one]), np.average(points, axis=0, weights=starts)[None]
    away = (np.average((((points - middle) / w) ** 2).sum(axis=1), weights=starts) / len(one)) ** 0.5
    k = one[best]
    v = found.eigenvectors[[k], :, np.abs(found.eigenvalues[k]).argmin()]
    at = _zero(told, middle, points[[best]])
    forth, back = blur(told, at, v, w)
    at = _zero(told, at + ((forth - back) / 2)[:, None] * w * v, at)
    error = np.maximum(away if len(one) > 1 else found.error[one], (forth + back) / 2)
    seen = _looked_at(at, error, np.array([found.starts[one].sum()]), look, told, w)
    flat = np.argsort(np.abs(seen.eigenvalues[0]))[: found.null[one].sum(axis=1).max()]
    return seen._replace(null=np.isin(np.arange(len(w)), flat)[None])


def _zero(told: Zeros, tried: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    """Where Newton's steps lead from a point, if that is a zero."""
    points, zero = told.polished(tried)
    return np.where(zero[:, None], points, otherwise)


def equally_high(found: Found, sets: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Sets of one height together: starts may be too few to show that they are connected, or that they are not."""
    together: list[np.ndarray] = []
    for group in sets:
        for k, other in enumerate(together):
            if abs(found.values[group[0]] - found.values[other[0]]) <= _height(found):
                together[k] = np.concatenate([other, group])
                break
        else:
            together.append(group)
    return together


def _height(found: Found) -> float:
    """By how much values of f may differ that are equal; f is of a size with which its slope is 1."""
    return 1e-9 + 1e-12 * float(np.abs(found.values).max())


def nearest(found: Found, w: Float[np.ndarray, " d"], k: int) -> float:
    """How far it is from one point to the next, in units of half the box."""
    away = np.linalg.norm((found.points - found.points[k]) / w, axis=1)
    away[k] = np.inf
    return float(away.min(initial=np.inf))


def kept(found: Found, rows: Any) -> Found:
    """Some of the points."""
    return Found(*(a[rows] for a in found))
