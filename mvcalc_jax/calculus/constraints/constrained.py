"""The search for extrema on a constraint: where it is met, its singular points, its stationary ones, a verdict on each.

What is said of the lowest
and the highest point is checked against f at all points of the constraint that were met on the way.
"""

import numpy as np
from jaxtyping import Bool, Float

from mvcalc_jax import text
from mvcalc_jax.calculus.constraints import bordered, creases, multipliers, resolved
from mvcalc_jax.calculus.constraints.extrema import Extrema, Irregular, Status, told
from mvcalc_jax.calculus.constraints.judging import (
    RESOLVED,
    SAME,
    Look,
    Solutions,
    distinct,
    judged,
    plain,
    rounded,
)
from mvcalc_jax.calculus.constraints.multipliers import Ended, Problem
from mvcalc_jax.calculus.multistart import scattered

_VANISHED = 1e-9
"""What may be left of equations whose terms are of the size of 1."""
_NEAR = 1e-5
"""Newton's step at a solution, in unit coordinates: at a triple one, rounding leaves that much."""
_MULTIPLE = 1e-2
"""Newton's step at a solution of higher multiplicity."""
_PLAIN = 1e-100
"""A slope of f that is this small beside the largest one, all around a point, is none."""
_APART, _SURE = 1e-9, 1e-8
"""The same, for those that are known to be so exact."""
_NEARER = 0.15
"""How far around the lowest and the highest value met more points are looked at."""
_ENDS = 10
_EXACT = 1e-12
"""What may be left of them at a singular point, which the constraint must meet and not only near."""
_CLOSELY = 0.3
"""In unit coordinates: all of a constraint that lies so closely together is looked at again from near."""
_GRAIN = 1e-10
"""How far numbers next to x may be from it, beside all of a constraint."""
_WAYS = 32
"""Points of the constraint from which one goes down, and up, to find kinks."""
_SAME_KINK = 1e-4
_FEW = 12
"""Singular points that are told one by one."""


def nothing(status: Status, look: Look, more: str = "") -> Extrema:
    """Nothing was found, and why."""
    seen = np.zeros((0, look.starts.shape[1])), np.zeros(0)
    return Extrema((), (), None, None, status, status.sentence + more, *seen)


def searched(problem: Problem, look: Look) -> Extrema:
    """Look for all extrema of a problem whose units are still 1."""
    u = (look.starts - look.centre) / look.width
    value, slope = problem.slopes(u)
    if not (np.isfinite(value[:, 1:]).all(axis=1) & np.isfinite(slope[:, 1:]).all(axis=(1, 2))).any():
        return nothing(Status.NOT_FINITE, look)
    problem = problem._replace(unit=_typical(slope))
    ended = multipliers.projected(problem, u)
    met = _solves(ended) & look.within(problem.plain(ended.z))
    if not met.any():
        return nothing(Status.NEVER_MET, look, _least(problem, np.concatenate([u, ended.z]), look))
    on = ended.z[met]
    value, slope = problem.slopes(on)
    if not (np.isfinite(value[:, 0]) & np.isfinite(slope[:, 0]).all(axis=1)).any():
        return nothing(Status.NOT_FINITE, look, "; it is f that is so, everywhere on the constraint")
    dependent = resolved.dependent(problem, on)
    if dependent.mean() > 0.5:
        return _dependent(problem, on, look)
    closer = _closer(problem, on, look)
    if (
        closer is not None
        and resolved.grains(problem, on).max() * look.width.max() > _GRAIN * closer.width.max()
    ):
        seen, values = _seen(problem, on)
        return told([], [], seen, values, unit=float(problem.unit[0]), status=Status.UNRESOLVED)
    if closer is not None:
        return searched(
            problem._replace(centre=closer.centre, width=closer.width, unit=np.ones_like(problem.unit)),
            closer,
        )
    problem = problem._replace(unit=problem.unit * _typical(slope[~dependent]))
    on = _by_value(problem, np.concatenate([on, _nearer(problem, on, look)]))
    begins = np.concatenate([on, u[: len(u) // 3]])  # those on the constraint in the order of f
    singular = _singular(problem, begins, look)
    seen, values = _seen(problem, on)
    most = float(np.nanmax(np.linalg.norm(slope[:, 0], axis=1))) if np.ptp(values) > 0 else 0.0
    found = _stationary(problem, begins, on, singular, look, most)
    points, kinks, level = judged(problem, found, look)
    kinks = [
        *_irregular(problem, singular, look),
        *_kinks(problem, np.concatenate([_broken(problem, on), kinks]), look),
    ]
    return told(points, kinks, seen, values, unit=float(problem.unit[0]), level=level)


def _closer(problem: Problem, on: Float[np.ndarray, "k d"], look: Look) -> Look | None:
    """Where to look again, if all of the constraint that was met lies closely together; else None."""
    low, high = on.min(axis=0), on.max(axis=0)
    size = float((high - low).max())
    if len(on) < 2 or not RESOLVED * _FEW < size < _CLOSELY:
        return None
    centre, half = problem.plain((low + high) / 2), 1.5 * size * problem.width
    starts = scattered(np.stack([centre - half, centre + half], axis=1), len(look.starts))
    return look._replace(starts=np.concatenate([problem.plain(on), starts]), centre=centre, width=half)


def _dependent(problem: Problem, on: Float[np.ndarray, "k d"], look: Look) -> Extrema:
    """Nothing but points at which the constraints' gradients are dependent: these, and f there."""
    singular = _singular(problem, on, look)
    irregular = _irregular(problem, singular, look)
    seen, values = _seen(problem, on)
    return told([], irregular, seen, values, unit=float(problem.unit[0]), status=Status.DEPENDENT)


def _broken(problem: Problem, on: Float[np.ndarray, "k d"]) -> Float[np.ndarray, "j d"]:
    """Kinks of f along the constraint at which ways down and up end, the lowest first."""
    begins = on[np.unique(np.linspace(0, len(on) - 1, _WAYS).astype(int))]
    both = np.concatenate([begins, begins])
    return _by_value(problem, creases.ends(problem, both, np.repeat([1.0, -1.0], len(begins))))


def _kinks(problem: Problem, u: Float[np.ndarray, "k d"], look: Look) -> list[Irregular]:
    """Kinks in words; where they may fill more than points, those with the lowest and the highest f."""
    u = multipliers.projected(problem, u).z
    u = u[look.within(problem.plain(u))]
    kept, _ = distinct(u, np.zeros(len(u)), _SAME_KINK)
    u = _by_value(problem, u[kept])
    words = "f or g has a kink there, or bends too sharply to be told from one"
    if len(u) > 2 and (u.shape[1] > len(problem.unit) or len(u) > _FEW):
        u = u[[0, -1]]
        words += ", as on a set of points, of which these were met on ways down and up"
    value = problem.slopes(u)[0][:, 0]
    return [
        Irregular(plain(problem, x, look), float(rounded(v)) * float(problem.unit[0]), words)
        for x, v in zip(u, value, strict=True)
    ]


def _nearer(problem: Problem, on: Float[np.ndarray, "k d"], look: Look) -> Float[np.ndarray, "j d"]:
    """More points of the constraint, around those where f is lowest and highest: a narrow peak is met only by few."""
    fine = _by_value(problem, on)
    cube = scattered(np.tile((-_NEARER, _NEARER), (on.shape[1], 1)), max(1, len(look.starts) // 10))
    ended = multipliers.projected(problem, np.concatenate([fine[0] + cube, fine[-1] + cube]))
    return ended.z[_solves(ended) & look.within(problem.plain(ended.z))]


def _by_value(problem: Problem, u: Float[np.ndarray, "k d"]) -> Float[np.ndarray, "j d"]:
    """The points at which f is finite, the lowest first."""
    value = problem.slopes(u)[0][:, 0]
    return u[np.argsort(value)][: np.isfinite(value).sum()]


def _typical(slope: Float[np.ndarray, "k c d"]) -> Float[np.ndarray, " c"]:
    """The median length of each function's gradient, or 1 for one that has none."""
    most = np.abs(slope).max(axis=2)  # of which no square is too large or too small
    size = most * np.linalg.norm(slope / np.where(most > 0, most, 1)[:, :, None], axis=2)
    there = np.isfinite(size) & (size > 0)
    return np.array([np.median(s[t]) if t.any() else 1.0 for s, t in zip(size.T, there.T, strict=True)])


def _solves(ended: Ended) -> Bool[np.ndarray, " k"]:
    return (ended.left <= _VANISHED) & (ended.step <= _NEAR * (1 + np.linalg.norm(ended.z, axis=1)))


def _balanced(ended: Ended, df: Float[np.ndarray, " k"]) -> Bool[np.ndarray, " k"]:
    """Which solve Lagrange's equations, and do not only lie where f fades away.

    At a simple solution Newton's whole step is nothing; at one of higher multiplicity it is short, and the equations
    are as large again behind it; in a family it is not defined, but ∇f, of length df, and Σλ∇g cancel in most digits.
    """
    simple = ended.whole <= _NEAR
    multiple = (ended.whole <= _MULTIPLE) & (ended.past >= ended.left)
    cancelled = (ended.step <= _NEAR) & (ended.left <= _VANISHED * df)
    return (ended.left <= _VANISHED) & (simple | multiple | cancelled)


def _least(problem: Problem, u: Float[np.ndarray, "k d"], look: Look) -> str:
    """How small |g| is at best where we looked, and where."""
    u = u[look.within(problem.plain(u))]
    size = np.linalg.norm(problem.slopes(u)[0][:, 1:] * problem.unit[1:], axis=1)
    best = int(np.nanargmin(size))
    where = text.vector(problem.plain(u[best]), 4)
    return f"; the smallest |g| {'in the box ' * (look.box is not None)}is {size[best]:.4g}, at {where}"


def _seen(problem: Problem, u: Float[np.ndarray, "k d"]) -> tuple[np.ndarray, np.ndarray]:
    """Points of the constraint, and f there."""
    value = problem.slopes(u)[0][:, 0]
    fine = np.isfinite(value)
    return problem.plain(u[fine]), value[fine] * problem.unit[0]


def _singular(problem: Problem, begins: Float[np.ndarray, "k d"], look: Look) -> Solutions:
    """The singular points of the constraint."""
    d = begins.shape[1]
    ended = multipliers.fritz_john(problem, begins, objective=False)
    good = (ended.left <= _EXACT) & _solves(ended) & look.within(problem.plain(ended.z[:, :d]))
    u, error = ended.z[good, :d], ended.step[good]
    kept, of = distinct(u, error)
    return Solutions(u[kept], np.zeros((len(kept), 0)), error[kept], np.bincount(of, minlength=len(kept)))


def _stationary(
    problem: Problem,
    begins: Float[np.ndarray, "k d"],
    on: Float[np.ndarray, "j d"],
    singular: Solutions,
    look: Look,
    most: float,
) -> Solutions:
    """The points that have multipliers.

    Not those on the way to a singular one, at which multipliers grow; nor those around which f is a constant to
    rounding, as exp(−x²) is far out, unless it is so everywhere.

    Args:
        problem: of f and g.
        begins: starts.
        on: points of the constraint, the lowest first. From the first and the last of them Lagrange's equations are
            solved straight away, too.
        singular: points.
        look: where.
        most: the largest |∇f| on the constraint, 0 for a constant f.
    """
    d = begins.shape[1]
    ended = multipliers.fritz_john(problem, begins)
    z = ended.z[(ended.left <= _NEAR) & (np.abs(ended.z[:, d]) > 0)]
    ends = np.concatenate([on[:_ENDS], on[-_ENDS:]])
    slope = problem.slopes(ends)[1]
    fit = np.einsum("kdm,kd->km", np.linalg.pinv(slope[:, 1:]), slope[:, 0])
    u, λ = np.concatenate([z[:, :d], ends]), np.concatenate([z[:, d + 1 :] / z[:, d : d + 1], fit])
    reach = np.append(np.full(len(z), _MULTIPLE), np.full(len(ends), _NEARER))
    scale = bordered.slope_scale(problem, u)
    lively = scale > _PLAIN * most if most else np.ones(len(u), bool)
    u, λ, reach, scale = u[lively], λ[lively], reach[lively], np.where(scale > 0, scale, 1.0)[lively]
    ended = multipliers.lagrange_again(problem, u, λ, np.zeros_like(λ), scale=scale)
    value, slope = problem.slopes(ended.z[:, :d])
    good = _balanced(ended, np.linalg.norm(slope[:, 0], axis=1) / scale) & np.isfinite(value[:, 0])
    good &= (np.linalg.norm(ended.z[:, :d] - u, axis=1) <= reach) & look.within(problem.plain(ended.z[:, :d]))
    away = np.linalg.norm(ended.z[:, None, :d] - singular.u, axis=2) - 30 * singular.error
    away = np.min(away, axis=1, initial=np.inf)
    size = np.linalg.norm(ended.z[:, d:-1], axis=1) / scale
    good &= (size < 1e9) & (away > 1e-4 + 30 * ended.step) & ((size < 1e4) | (away > 1e-2))
    here = resolved.sharpened(problem, ended.z[good, :d])
    ρ = resolved.rounding(problem, here)
    real = resolved.solved(here, ρ) & look.within(problem.plain(here.u)) & creases.inside(problem, here.u)
    off = ρ.error(here)
    error = np.where(off < _SURE, off, np.maximum(ended.step[good], SAME / 20))
    u, λ, error = here.u[real], here.multipliers[real], error[real]
    kept, of = distinct(u, error, _APART)
    return Solutions(u[kept], λ[kept], error[kept], np.bincount(of, minlength=len(kept)))


def _irregular(problem: Problem, singular: Solutions, look: Look) -> list[Irregular]:
    """The singular points in words; of very many, which are a whole set, those with the lowest and the highest f."""
    value, slope = problem.slopes(singular.u)
    scale = bordered.slope_scale(problem, singular.u)
    (fine,) = np.nonzero(np.isfinite(value[:, 0]))
    many = len(fine) > _FEW
    if many:
        fine = np.unique([fine[np.argmin(value[fine, 0])], fine[np.argmax(value[fine, 0])]])
    points = []
    for k in fine:
        df, A = slope[k, 0], slope[k, 1:]
        reason = "∇g = 0" if len(A) == 1 else "the gradients of the constraints are dependent"
        reason += " there, as on a whole set of points" if many else " there"
        if np.isfinite(df).all():
            _, σ, V = np.linalg.svd(A)
            V = V[: len(σ)][σ > 1e-6]
            held = np.linalg.norm(df - V.T @ (V @ df)) <= 1e-6 * scale[k]
            reason += ", and more than one multiplier" if held else ", and no multiplier"
        points.append(
            Irregular(
                plain(problem, singular.u[k], look),
                float(value[k, 0] * problem.unit[0]) if abs(value[k, 0]) > RESOLVED * scale[k] else 0.0,
                reason,
            )
        )
    return points
