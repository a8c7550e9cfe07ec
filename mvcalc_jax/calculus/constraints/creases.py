r"""Where f has a kink along the constraint: where ∇f does not vanish along it, and yet a way downhill ends.

From points of the constraint one goes down, or up, by steps ∓hn, n the unit vector of ∇f along the constraint, and back
onto it by −A⁺g; h grows after a step that helps and shrinks after one that does not. At a smooth extremum ∇f vanishes
along the constraint first. Where h shrinks to nothing and it does not, the gradients on both sides differ however near
they are: as much at a distance of η as at 100 η, where those of a smooth f would differ a hundredth.
"""

import numpy as np
from jaxtyping import Bool, Float

from mvcalc_jax.calculus.constraints.multipliers import Problem

_STEPS = 160
_BACK = 3
"""Steps back onto the constraint."""
_ON = 1e-13
"""How far off the constraint a step may end: off it f may go on to fall."""
_NEARER, _FARTHER = 1e-7, 1e-5
_SHARE = 0.3
"""Of the difference of gradients over the longer way, what remains over the shorter: a hundredth, of a smooth f."""
_BEND = 0.03
"""The same where a way ends: a tenth, of |x|^3/2."""
_POLE, _LEVEL = 1e6, 1e-6
"""A slope near a pole, and one that is about to vanish."""


def tangential(slope: Float[np.ndarray, "k c d"]) -> Float[np.ndarray, "k d"]:
    """∇f less its part across the constraint."""
    df, A = slope[:, 0], slope[:, 1:]
    fine = np.asarray(np.isfinite(slope).all(axis=(1, 2)))
    A, df = np.where(fine[:, None, None], A, 0), np.where(fine[:, None], df, np.nan)
    return df - np.einsum("kdm,kmi,ki->kd", np.linalg.pinv(A), A, df)


def ends(
    problem: Problem, u: Float[np.ndarray, "k d"], sign: Float[np.ndarray, " k"]
) -> Float[np.ndarray, "j d"]:
    """Kinks at which ways down (sign 1) or up (−1) end that begin at points of the constraint."""
    u, h = u.copy(), np.full(len(u), 0.1)
    value, slope = problem.slopes(u)
    n = np.zeros_like(u)
    for _ in range(_STEPS):
        n = _unit(tangential(slope), n)
        tried, across = u - (sign * h)[:, None] * n, n
        for _ in range(_BACK):
            new, rise = problem.slopes(tried)
            A = np.nan_to_num(rise[:, 1:], posinf=0, neginf=0)
            across = np.einsum("kdm,km->kd", np.linalg.pinv(A), np.nan_to_num(new[:, 1:]))
            tried = tried - across
        new, rise = problem.slopes(tried)
        better = (sign * new[:, 0] < sign * value[:, 0]) & (
            np.linalg.norm(across, axis=1) <= _ON * (1 + np.linalg.norm(u, axis=1))
        )
        better &= np.isfinite(rise).all(axis=(1, 2)) & (np.linalg.norm(tried - u, axis=1) <= 2 * h)
        u[better], value[better], slope[better] = tried[better], new[better], rise[better]
        h = np.where(better, 1.6 * h, h / 3).clip(0, 0.2)
        if (h < 1e-17).all():
            break
    n = _unit(tangential(slope), n)
    steps = np.array([-_NEARER, _NEARER, -_FARTHER, _FARTHER])[:, None, None]
    beside = problem.slopes((u + steps * n).reshape(-1, u.shape[1]))[1]
    beside = tangential(beside).reshape(4, *u.shape)
    nearer, farther = np.linalg.norm(beside[::2] - beside[1::2], axis=2)
    size = np.linalg.norm(beside[:2], axis=2).max(axis=0)
    at = (h < _NEARER) & (size < _POLE) & (size > _LEVEL)
    return u[at & (nearer >= 0.1 * size) & (nearer >= _BEND * farther)]


def creased(
    problem: Problem,
    u: Float[np.ndarray, "k d"],
    multipliers: Float[np.ndarray, "k m"],
    rounding: Float[np.ndarray, " k"],
) -> Bool[np.ndarray, " k"]:
    """At which points ∇L jumps: it differs from side to side, along an axis, however near the sides are."""
    d, weights = u.shape[1], np.concatenate([np.ones((len(u), 1)), -multipliers], axis=1)
    jumps = []
    for η in (_NEARER, _FARTHER):
        places = u + η * np.concatenate([np.eye(d), -np.eye(d)])[:, None]
        slope = problem.slopes(places.reshape(-1, d))[1].reshape(2, d, len(u), weights.shape[1], d)
        dL = np.einsum("sikcd,kc->sikd", slope, weights)
        jumps.append(np.linalg.norm(dL[0] - dL[1], axis=2).max(axis=0))
        if η == _NEARER:  # x itself is rounded, by which a slope of ∇L makes a difference
            size = np.linalg.norm(dL, axis=3).max(axis=(0, 1))
            terms = np.einsum("sikcd,kc->sikd", np.abs(slope), np.abs(weights)).max(axis=(0, 1, 3))
            rounding = rounding + 1e-6 * size + 1e-12 * terms
    return (jumps[0] >= _SHARE * jumps[1]) & (jumps[0] > rounding)


def inside(problem: Problem, u: Float[np.ndarray, "k d"]) -> Bool[np.ndarray, " k"]:
    """Which points are not at an edge of f or g, beyond which they are not finite."""
    d = u.shape[1]
    places = u + _NEARER * np.concatenate([np.eye(d), -np.eye(d)])[:, None]
    slope = problem.slopes(places.reshape(-1, d))[1].reshape(2 * d, len(u), d * len(problem.unit))
    return np.asarray(np.isfinite(slope).all(axis=(0, 2)))


def _unit(v: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Unit vectors, or those before where there are none."""
    size = np.linalg.norm(v, axis=1, keepdims=True)
    return np.where(size > 0, v / np.where(size > 0, size, 1), before)
