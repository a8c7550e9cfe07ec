"""To follow a constraint along its curve, and a stationary point on it as the constraint is moved.

Where there is one constraint fewer than variables, g = 0 is a curve: x moves by a step along the tangent, A·t = 0, and
back onto the curve by Newton's −A⁺g. Where g = c moves, the stationary point is found again from where it was for the c
before. Both are what pictures are drawn from. Reference: Allgower & Georg, Numerical Continuation Methods (1990), §6.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Array, Float

from mvcalc_jax import precision, require
from mvcalc_jax.calculus.constraints import multipliers
from mvcalc_jax.calculus.constraints.extrema import Extrema, Point
from mvcalc_jax.calculus.constraints.lagrange import count_of, of_vectors
from mvcalc_jax.calculus.constraints.multipliers import Problem

_STEPS = 360
"""Along the diagonal of the box."""
_LONGEST = 8
"""The longest curve that is followed, in diagonals."""
_CURVES = 6


class Curve(NamedTuple):
    """A piece of a constraint: points (k, d), how far along it each is, f there; whether it comes back to its start.

    >>> f, g, box = (lambda x, y: x), (lambda x, y: y - x**2), ((-1, 1), (0, 1))
    >>> (parabola,) = mv.calculus.constraint_curves(f, g, mv.lagrange(f, g, box=box), box)
    >>> parabola.closed, bool(np.allclose(parabola.x[:, 1], parabola.x[:, 0] ** 2))
    (False, True)
    """

    x: Float[np.ndarray, "k d"]
    length: Float[np.ndarray, " k"]
    value: Float[np.ndarray, " k"]
    closed: bool


class Shadow(NamedTuple):
    """A stationary point on g = c for each c: where it is (k, d), f* (k,) and λ (k, m); NaN where it is lost.

    >>> f, g = (lambda x, y: x * y), (lambda x, y: x + y - 2)
    >>> found = mv.lagrange(f, g, box=((-3, 3), (-3, 3)))
    >>> ((shadow,),) = mv.calculus.shadows(f, g, found.points, [0.0, 2.0])
    >>> shadow.x.round(9).tolist(), shadow.value.round(9), shadow.multipliers.round(9).ravel()
    ([[1.0, 1.0], [2.0, 2.0]], array([1., 4.]), array([1., 2.]))
    """

    levels: Float[np.ndarray, "k m"]
    x: Float[np.ndarray, "k d"]
    value: Float[np.ndarray, " k"]
    multipliers: Float[np.ndarray, "k m"]


def constraint_curves(
    f: Callable[..., Array], g: Callable[..., Any], found: Extrema, box: Any
) -> tuple[Curve, ...]:
    """The curves that g = 0 consists of in a box, as many as points were met on.

    Args:
        f: as for `lagrange`.
        g: as for `lagrange`, with one constraint fewer than there are variables.
        found: what `lagrange` found of them.
        box: a pair (low, high) for each variable.

    Raises:
        ValueError: where g = 0 is no curve.

    >>> f, g, box = (lambda x, y: x), (lambda x, y: x**2 + y**2 - 1), ((-2, 2), (-2, 2))
    >>> (circle,) = mv.calculus.constraint_curves(f, g, mv.lagrange(f, g, box=box), box)
    >>> circle.closed, round(float(circle.length[-1]), 3)  # 2π
    (True, 6.283)
    """
    limits = require.box("box", box, found.seen.shape[1])
    d = len(limits)
    with precision.of(np.zeros(())), np.errstate(all="ignore"):
        f, g = of_vectors(f, g, d)
        count_of(f, g, d)
        problem = multipliers.problem(f, g, np.zeros(d), np.ones(d))
        if len(problem.unit) != d:
            raise ValueError(
                f"g = 0 is a curve for {d - 1} constraints on {d} variables; got {len(problem.unit) - 1}"
            )
        pieces: list[tuple[np.ndarray, bool]] = []
        step = float(np.linalg.norm(np.ptp(limits, axis=1))) / _STEPS
        seeds = [*(p.x for p in found.points), *found.seen]
        for seed in np.asarray(seeds, float).reshape(-1, d):
            outside = ((seed < limits[:, 0]) | (seed > limits[:, 1])).any()
            near = min((np.linalg.norm(x - seed, axis=1).min() for x, _ in pieces), default=np.inf)
            if not outside and near > 3 * step and len(pieces) < _CURVES:
                pieces.append(_piece(problem, seed, limits, step))
        joined = _joined(pieces, [np.asarray(p.x, float) for p in found.irregular], 4 * step)
        return tuple(_measured(problem, x, closed) for x, closed in joined)


def _piece(
    problem: Problem, seed: Float[np.ndarray, " d"], limits: Float[np.ndarray, "d 2"], step: float
) -> tuple[np.ndarray, bool]:
    """The curve through a point, both ways, and whether it is closed."""
    ahead, closed = _walk(problem, seed, limits, step)
    if not closed:
        behind, _ = _walk(problem, seed, limits, -step)
        ahead = [*behind[:0:-1], *ahead]
    return np.array(ahead), closed


def _joined(
    pieces: list[tuple[np.ndarray, bool]], singular: list[np.ndarray], near: float
) -> list[tuple[np.ndarray, bool]]:
    """The pieces, prolonged to the singular points that they end in; two that meet in one, as at a cusp, are one."""
    for point in singular:
        ends = [
            (k, end)
            for k, (x, closed) in enumerate(pieces)
            for end in (0, -1)
            if not closed and np.linalg.norm(x[end] - point) < near
        ]
        for k, end in ends:
            x, _ = pieces[k]
            pieces[k] = np.insert(x, len(x) if end else 0, point, axis=0), False
        if len(ends) == 2 and ends[0][0] != ends[1][0]:
            first, second = (pieces[k][0] if end else pieces[k][0][::-1] for k, end in ends)
            kept = [piece for k, piece in enumerate(pieces) if k not in (ends[0][0], ends[1][0])]
            pieces = [(np.concatenate([first, second[-2::-1]]), False), *kept]
    return pieces


def _measured(problem: Problem, x: Float[np.ndarray, "k d"], closed: bool) -> Curve:
    length = np.append(0, np.cumsum(np.linalg.norm(np.diff(x, axis=0), axis=1)))
    return Curve(x, length, problem.slopes(x)[0][:, 0], closed)


def _walk(
    problem: Problem, seed: Float[np.ndarray, " d"], limits: Float[np.ndarray, "d 2"], step: float
) -> tuple[list[np.ndarray], bool]:
    """Points from the seed on, until the walk leaves the box, comes back, or the curve ends in a singular point."""
    x, points, before = seed, [seed], None
    A = problem.slopes(x[None])[1][0, 1:]
    for _ in range(_LONGEST * _STEPS):
        tangent = np.linalg.svd(A)[2][-1]
        if before is None:  # one way round for all calls: its largest component grows
            tangent = tangent * np.sign(tangent[np.argmax(np.abs(tangent))])
        else:
            tangent = tangent * np.sign(tangent @ before)
        moved = x + step * tangent
        for _ in range(2):
            value, slope = problem.slopes(moved[None])
            A = slope[0, 1:]
            if not np.isfinite(A).all():
                return points, False
            moved = moved - np.linalg.pinv(A, rcond=1e-9) @ value[0, 1:]
        lost = np.linalg.norm(moved - x - step * tangent) > 0.5 * abs(step)
        turned = before is not None and tangent @ before < 0.5
        if lost or turned or ((moved < limits[:, 0]) | (moved > limits[:, 1])).any():
            return points, False
        x, before = moved, tangent
        points.append(x)
        if len(points) > 3 and np.linalg.norm(x - seed) < 0.75 * abs(step):
            return [*points[:-1], seed], True
    return points, False


def shadows(
    f: Callable[..., Array], g: Callable[..., Any], points: Sequence[Point], levels: Sequence[float] | Any
) -> tuple[tuple[Shadow, ...], ...]:
    """Stationary points followed as constraints move, each alone, to g_k = c: for each point, and for each k.

    The slope of f* against c is λ_k at c = 0, and everywhere.

    Args:
        f: as for `lagrange`.
        g: as for `lagrange`.
        points: some of those that were found.
        levels: c, ascending.

    >>> f, g = (lambda x, y: x + y), (lambda x, y: x**2 + y**2 - 2)
    >>> found = mv.lagrange(f, g, box=((-2, 2), (-2, 2)))
    >>> ((shadow,),) = mv.calculus.shadows(f, g, [found.maximum], [-1.5, 0.0, 6.0])
    >>> shadow.value.round(9)  # 2√(1 + c/2)
    array([1., 2., 4.])
    """
    c = np.asarray(precision.floats("levels", levels), float)
    require.shape("levels", c, (None,), "one number for each step")
    require.finite("levels", c)
    if not points:
        return ()
    with precision.of(np.zeros(())), np.errstate(all="ignore"):
        d, m = len(points[0].x), len(points[0].multipliers)
        f, g = of_vectors(f, g, d)
        count_of(f, g, d)
        problem = multipliers.problem(f, g, np.zeros(d), np.ones(d))
        return tuple(tuple(_shadow(problem, p, np.outer(c, row)) for row in np.eye(m)) for p in points)


def _shadow(problem: Problem, point: Point, levels: Float[np.ndarray, "k m"]) -> Shadow:
    """One point, from the level nearest to 0 to each side, each time from where it was before."""
    (k, m), d = levels.shape, len(point.x)
    z, value = np.full((k, d + m), np.nan), np.full(k, np.nan)
    middle = int(np.argmin(np.linalg.norm(levels, axis=1)))
    for side in (range(middle, k), range(middle, -1, -1)):
        scale = np.maximum(np.linalg.norm(point.gradient), 1e-300).reshape(1)
        last = np.concatenate([point.x, point.multipliers]).astype(float)
        for n in side:
            at, λ = last[None, :d], last[None, d:]
            ended = multipliers.lagrange_again(problem, at, λ, levels[n : n + 1], scale=scale)
            last = ended.z[0, :-1]
            if not ended.left[0] <= 1e-9 * (1 + np.abs(last).max()):
                break
            z[n], value[n] = last, problem.slopes(last[None, :d])[0][0, 0]
    return Shadow(levels, z[:, :d], value, z[:, d:])
