r"""Which solutions of Lagrange's equations are some, as far as rounding lets anybody tell.

Along the constraint, in the basis v of eigenvectors of ∂²L/∂x² there, ∇L has components c_i and slopes μ_i. A solution
is made as exact as it can be by Newton's steps −c/μ, each direction measured by its own μ, so that one in which f is
flat keeps its digits beside one in which it is steep; at an m-fold root m times as long. Then it must satisfy

    |c_i| ≤ ρ_i   or   |c_i| ≤ 10⁻⁹ |μ_i| and ≤ 10⁻⁶,

ρ the rounding of ∇L: nothing is left that could be told from 0, or the root is nearer than anything that matters, and
next to nothing is left of a typical slope, for near a kink or an edge of f some μ are as large as one likes. So
x³/3 + cx, which only comes near, is none, and x − sin x, whose slope is lost in rounding for |x| < 10⁻⁸, is one.

ρ is measured nearby by fourth differences of values of ∇L very near to each other, in which all that is smooth is gone.
Reference: Moré & Wild, Estimating computational noise (2011).
"""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from mvcalc_jax.calculus.constraints.multipliers import Problem

_STEPS = 40
_LONGEST = 1e-2
"""A step along one direction; a longer one is a quotient of rounding errors, in a family."""
_NEAR, _LITTLE = 1e-9, 1e-6
_ROUNDINGS = 30
"""So many times what rounding makes of ∇L is 0."""
_BASES = 1e-3, 0.01
"""How far away rounding is measured: at a root itself differences may be 0 over and over, as those of 1 − cos x."""
_SPACING = 1e-8
_FOURTH = np.array([1, -4, 6, -4, 1]) / np.sqrt(70)
_SPANS = 1e-3, 0.03
"""Over which it is looked how μ changes."""
_LEAST = 1e-10, 1e-6
"""The same, as near as can be."""
_DEPENDENT = 0.1
_PLAIN = 1e-100
"""A slope of f that is this small beside a typical one is none."""
_EPS = float(np.finfo(float).eps)


class Local(NamedTuple):
    """At points (k, d): g, λ that fits best, ∇L; along the constraint a basis, and ∇L's components and slopes in it."""

    u: Float[np.ndarray, "k d"]
    g: Float[np.ndarray, "k m"]
    multipliers: Float[np.ndarray, "k m"]
    left: Float[np.ndarray, "k d"]
    basis: Float[np.ndarray, "k d e"]
    components: Float[np.ndarray, "k e"]
    slopes: Float[np.ndarray, "k e"]
    hessian: Float[np.ndarray, "k d d"]
    back: Float[np.ndarray, "k d m"]
    """A⁺."""
    terms: Float[np.ndarray, "k d"]
    """|∇f| + Σ|λ∇g|, what ∇L is made of."""

    def __getitem__(self, which: slice | np.ndarray) -> "Local":  # pyright: ignore[reportIncompatibleMethodOverride]
        return Local(*(a[which] for a in tuple(self)))


def local(problem: Problem, u: Float[np.ndarray, "k d"]) -> Local:
    """What there is at each point; NaN where anything is not finite."""
    value, slope, curved = problem.curvatures(u)
    finite = [np.isfinite(a).all(axis=tuple(range(1, a.ndim))) for a in (value, slope, curved)]
    fine = np.logical_and.reduce(finite)
    df, A = (np.where(fine[:, None, None], a, 0) for a in (slope[:, :1], slope[:, 1:]))
    curved, m = np.where(fine[:, None, None, None], curved, 0), A.shape[1]
    back = np.linalg.pinv(A)
    λ = np.einsum("kdm,kd->km", back, df[:, 0])
    pulled = λ[:, :, None] * A
    left = np.where(fine[:, None], df[:, 0] - pulled.sum(axis=1), np.nan)
    L = curved[:, 0] - np.einsum("km,kmij->kij", λ, curved[:, 1:])
    Z = np.linalg.svd(A)[2][:, m:].swapaxes(1, 2)
    V = Z @ np.linalg.eigh(Z.swapaxes(1, 2) @ L @ Z)[1]
    c = np.einsum("kde,kd->ke", V, left)
    μ = np.einsum("kde,kdf,kfe->ke", V, L, V)
    terms = np.abs(df[:, 0]) + np.abs(pulled).sum(axis=1)
    return Local(u, value[:, 1:], λ, left, V, c, μ, L, back, terms)


def sharpened(problem: Problem, u: Float[np.ndarray, "k d"]) -> Local:
    """Solutions made as exact as they can be."""
    here = local(problem, u)
    before = np.full(len(u), np.inf)
    on = np.arange(len(u))
    for _ in range(_STEPS):
        if not len(on):
            break
        now = here[on]
        p, scale = _step(now)
        across = -np.einsum("kdm,km->kd", now.back, now.g)
        length = np.linalg.norm(p + across, axis=1)
        with np.errstate(all="ignore"):
            m = np.where(length < 0.99 * before[on], 1 / (1 - length / before[on]), 1.0).clip(1, 30)
        before[on] = length
        tried = [local(problem, now.u + across + times[:, None] * p) for times in (np.ones_like(m), m)]
        lefts = np.array([_natural(now, scale, t) for t in tried])
        best = np.argmin(np.nan_to_num(lefts, nan=np.inf), axis=0)
        better = lefts[best, np.arange(len(on))] < _natural(now, scale, now)
        for k, new in enumerate(tried):
            which = better & (best == k)
            for old, fresh in zip(here, new, strict=True):
                old[on[which]] = fresh[which]
        on = on[better & (length > _EPS * (1 + np.linalg.norm(now.u, axis=1)))]
    return here


def _step(now: Local) -> tuple[np.ndarray, np.ndarray]:
    """Newton's step along the constraint, and the scale of each direction, |μ|^−½, or 0 for one that does not count."""
    scale = np.where(now.slopes != 0, 1 / np.sqrt(np.abs(np.where(now.slopes != 0, now.slopes, 1))), 0)
    S = np.einsum("kde,kdf,kfg->keg", now.basis, now.hessian, now.basis) * scale[:, :, None] * scale[:, None]
    q = -scale * (np.linalg.pinv(S, rcond=1e-10) @ (scale * now.components)[..., None])[..., 0]
    q = np.where(np.isfinite(q) & (np.abs(q) <= _LONGEST), q, 0)
    return np.einsum("kde,ke->kd", now.basis, q), scale


def _natural(now: Local, scale: np.ndarray, new: Local) -> np.ndarray:
    """What is left of the equations at new points, measured as Newton's step is where they came from."""
    c = np.einsum("kde,kd->ke", now.basis, new.left) * scale**2
    c = np.where(np.abs(now.components) * scale**2 <= _LONGEST, c, 0)
    return np.linalg.norm(c, axis=1) + np.linalg.norm(np.einsum("kdm,km->kd", now.back, new.g), axis=1)


class Rounding(NamedTuple):
    """What cannot be told from 0: of ∇L by components, and as a whole as measured; of L; and how far u is off."""

    components: Float[np.ndarray, "k e"]
    gradient: Float[np.ndarray, " k"]
    value: Float[np.ndarray, " k"]
    off: Float[np.ndarray, " k"]

    def error(self, here: Local) -> Float[np.ndarray, " k"]:
        """How far solutions may be off, where no μ is 0; else infinite."""
        with np.errstate(all="ignore"):
            along = np.abs(self.components / here.slopes)
        return self.off + np.nan_to_num(along, nan=np.inf).max(axis=1, initial=0)


def rounding(problem: Problem, here: Local) -> Rounding:
    """What rounding makes of L, ∇L and g, by fourth differences at bases nearby, and of the sums taken here."""
    k, d = here.u.shape
    m = here.g.shape[1]
    dense = np.cos(1 + np.arange(4 * d)).reshape(4, d)
    dense /= np.linalg.norm(dense, axis=1, keepdims=True)
    bases = np.array([r * s * dense[j] for r in _BASES for s in (-1, 1) for j in (0, 1)])
    uneven = 1 + 0.618 * np.arange(len(bases))[:, None, None, None]  # lest all differences be 0 by chance
    grain = 16 * grains(problem, here.u)
    along = np.arange(5)[:, None, None] * np.maximum(_SPACING, grain)[:, None] * dense[2]
    places = here.u + bases[:, None, None] + uneven * along
    value, slope = problem.slopes(places.reshape(-1, d))
    weights = np.concatenate([np.ones((k, 1)), -here.multipliers], axis=1)
    value = value.reshape(len(bases), 5, k, m + 1)
    L = np.einsum("bskc,kc->bsk", value, weights)
    dL = np.einsum("bskcd,kc->bskd", slope.reshape(len(bases), 5, k, m + 1, d), weights)
    L, dL, g = (_ROUNDINGS * _fourth(a) for a in (L, dL, value[..., 1:]))
    terms = np.einsum("kde,kd->ke", np.abs(here.basis), here.terms)
    terms += np.abs(here.slopes) * (1 + np.linalg.norm(here.u, axis=1)[:, None])
    rough = np.abs(np.einsum("kde,bkd->bke", here.basis, dL)).max(axis=0)
    off = np.einsum("kdm,km->kd", np.abs(here.back), np.abs(g).max(axis=0))
    return Rounding(
        rough + 16 * _EPS * terms + _PLAIN,
        np.linalg.norm(dL, axis=2).max(axis=0),
        np.abs(L).max(axis=0),
        np.linalg.norm(off, axis=1),
    )


def grains(problem: Problem, u: Float[np.ndarray, "k d"]) -> Float[np.ndarray, " k"]:
    """How far the next numbers are from x, in unit coordinates."""
    return _EPS * np.abs(problem.plain(u) / problem.width).max(axis=1, initial=0)


def _fourth(values: Float[np.ndarray, "b 5 *k"]) -> Float[np.ndarray, "b *k"]:
    """Fourth differences, 0 where one is not finite."""
    difference = np.einsum("s,bs...->b...", _FOURTH, values)
    return np.where(np.isfinite(difference), difference, 0)


def solved(here: Local, ρ: Rounding) -> Bool[np.ndarray, " k"]:
    """Which points are solutions."""
    place = 1 + np.linalg.norm(here.u, axis=1)
    c, near = np.abs(here.components), _NEAR * place
    met = np.linalg.norm(np.einsum("kdm,km->kd", here.back, here.g), axis=1) <= near + ρ.off
    return met & ((c <= ρ.components) | (c <= np.minimum(near[:, None] * np.abs(here.slopes), _LITTLE))).all(
        axis=1
    )


def hidden(
    problem: Problem, here: Local, ρ: Float[np.ndarray, "k e"]
) -> tuple[Bool[np.ndarray, "k e"], Float[np.ndarray, " k"]]:
    """Which μ may be 0, since c changes its slope within the length over which it is lost in rounding, or at once.

    And this length, by which the point may be off.
    """
    k, d, e = here.basis.shape
    weights = np.concatenate([np.ones((k, 1)), -here.multipliers], axis=1)

    def changes(span: Any) -> np.ndarray:
        """How much μ changes, one way or the other."""
        places = here.u[:, None] + np.stack([-1, 1])[:, None, None, None] * (span * here.basis).swapaxes(1, 2)
        curved = problem.curvatures(places.reshape(-1, d))[2].reshape(2, k, e, weights.shape[1], d, d)
        μ = np.einsum("skecij,kc,kie,kje->ske", curved, weights, here.basis, here.basis)
        return np.nan_to_num(np.abs(μ - here.slopes)).max(axis=0)

    third = np.max([changes(span) / span for span in _SPANS], axis=0)
    with np.errstate(all="ignore"):
        least = np.nan_to_num(100 * ρ / np.abs(here.slopes), nan=1, posinf=1).clip(*_LEAST)
    jumps = changes(least[:, None]) > 0.5 * np.abs(here.slopes)
    unsure = jumps | (here.slopes**2 <= 100 * ρ * third)
    with np.errstate(all="ignore"):
        length = np.where(unsure & (third > 0), np.sqrt(2 * ρ / third), 0)
    return unsure, length.max(axis=1, initial=0).clip(0, _SPANS[-1])


def dependent(problem: Problem, u: Float[np.ndarray, "k d"]) -> Bool[np.ndarray, " k"]:
    """At which points of g = 0 its gradients are dependent, or become so nearer than the point is known.

    Kantorovich's condition, ‖A⁺‖·‖g‖·‖A⁺‖·‖∂A‖ small, with the rounding of g: no unit of g or x has any say in it.
    """
    value, slope, curved = problem.curvatures(u)
    g, A, H = value[:, 1:], np.nan_to_num(slope[:, 1:]), np.nan_to_num(curved[:, 1:])
    row = np.linalg.norm(A, axis=2)
    A, g, H = A / _or_one(row)[:, :, None], g / _or_one(row), H / _or_one(row)[:, :, None, None]
    least = np.linalg.svd(A, compute_uv=False)[:, -1]
    off = np.linalg.norm(g, axis=1) + 16 * _EPS * (1 + np.linalg.norm(u, axis=1))
    with np.errstate(all="ignore"):
        ratio = off / least * np.sqrt((H**2).sum(axis=(1, 2, 3))) / least
    return ~(ratio <= _DEPENDENT) | (least <= 1e-12) | (row == 0).any(axis=1)


def _or_one(row: np.ndarray) -> np.ndarray:
    return np.where(row > 0, row, 1.0)
