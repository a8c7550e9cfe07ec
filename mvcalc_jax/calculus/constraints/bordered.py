r"""What a stationary point on a constraint is: a minimum, a maximum or a saddle, and the price of the constraint there.

The Lagrangian L = f − Σ λ_k g_k has the gradient 0 there. Let Z span the directions along the constraint, AZ = 0
with A = ∂g/∂x. Second order decides by the signs of the d − m eigenvalues of Zᵀ(∂²L/∂x²)Z. The same is read from the
bordered Hessian

    B = ⎡0   A        ⎤
        ⎣Aᵀ  ∂²L/∂x²  ⎦

whose leading principal minors of order 2m + 1 … m + d all have the sign (−1)^m at a minimum; at a maximum they
alternate, the last with (−1)^d. That presupposes that the first m columns of A are independent: the variables are taken
in the order of a pivoted factorisation, not as they stand.

Where an eigenvalue is 0, second order says nothing along its direction, and one walks (`flat`).

The shadow price is df*/dc for g = c, where f* is the value at the stationary point. By theory it is λ; here it is
measured, by solving again at c = ±δ.

References: Luenberger & Ye, Linear and Nonlinear Programming (2008), §11; Magnus & Neudecker, Matrix Differential
Calculus (1999), §7.12; Ridders, Accurate computation of F′(x) and F′(x)F″(x) (1982).
"""

from enum import StrEnum
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from mvcalc_jax.calculus.constraints.multipliers import Problem, lagrange_again

_ZERO = 1e-7
"""An eigenvalue this small beside the second derivatives is 0: rounding is less, and what is not 0 mostly more."""
_NONE = 1e-13
"""An eigenvalue this small beside them is nothing but rounding, wherever the point is."""
_NEARBY = 0.03
"""Where derivatives are looked at, too, in unit coordinates, for their size: at a multiple point they may all be 0."""
_MULTIPLE = 300.0
"""By how many of Newton's steps a multiple point may be missed, times the reciprocal of `_NEARBY`."""
_SHIFTS = 1e-2 * 0.25 ** np.arange(11)
"""δ, beside a typical gradient of the constraint."""


class Kind(StrEnum):
    """What a stationary point is, among its neighbours on the constraint."""

    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    SADDLE = "saddle"
    DEGENERATE = "degenerate"
    """Second order says nothing."""
    CONSTANT = "constant"
    """f has the same value at all of them."""
    ALONE = "alone"
    """There are none: as many constraints as variables."""


class Curved(NamedTuple):
    """Second order at one point: eigenvalues along the constraint, signs of minors, the verdict, flat directions."""

    eigenvalues: Float[np.ndarray, " e"]
    minors: Int[np.ndarray, " e"]
    kind: Kind
    flat: Float[np.ndarray, "q d"]
    decided: Float[np.ndarray, " r"]
    """The eigenvalues that are not 0."""


def along(slope: Float[np.ndarray, "m d"], lagrangian: Float[np.ndarray, "d d"]) -> Float[np.ndarray, " e"]:
    """The eigenvalues of ∂²L/∂x² along the constraint."""
    Z = np.linalg.svd(slope)[2][len(slope) :].T
    return np.linalg.eigvalsh(Z.T @ lagrangian @ Z)


def curved(
    slope: Float[np.ndarray, "m d"],
    lagrangian: Float[np.ndarray, "d d"],
    size: float,
    left: Float[np.ndarray, " d"],
    hidden: Bool[np.ndarray, " e"],
) -> Curved:
    """The verdict of second order.

    Args:
        slope: A.
        lagrangian: ∂²L/∂x².
        size: of the second derivatives that it is made of, before they cancel, there and nearby.
        left: ∇L, what is left of it. At a multiple point it tells how far that is, and so how near 0 an eigenvalue.
        hidden: which eigenvalues cannot be told from 0 since rounding hides where the point is.
    """
    m = len(slope)
    Z = np.linalg.svd(slope)[2][m:].T
    eigenvalues, vectors = np.linalg.eigh(Z.T @ lagrangian @ Z)
    off = np.nan_to_num(np.abs(left @ Z @ vectors) / np.abs(eigenvalues), posinf=1.0)
    zero = np.abs(eigenvalues) <= (_NONE + _MULTIPLE * off) * size
    zero |= hidden
    kind = judged(np.where(zero, 0, eigenvalues))
    return Curved(
        eigenvalues, _minors(slope, lagrangian, size), kind, (Z @ vectors[:, zero]).T, eigenvalues[~zero]
    )


def judged(eigenvalues: Float[np.ndarray, " e"]) -> Kind:
    """The verdict by signs: zeros leave it open, unless there are both signs besides."""
    if not len(eigenvalues):
        return Kind.ALONE
    if (eigenvalues > 0).any() and (eigenvalues < 0).any():
        return Kind.SADDLE
    if (eigenvalues == 0).any():
        return Kind.DEGENERATE
    return Kind.MINIMUM if eigenvalues[0] > 0 else Kind.MAXIMUM


def _minors(A: np.ndarray, L: np.ndarray, size: float) -> np.ndarray:
    """The signs of the leading principal minors of order 2m + 1 … m + d of the bordered Hessian."""
    m, d = A.shape
    order, rest = [], A / np.linalg.norm(A)
    for _ in range(m):  # Gram–Schmidt, each time with the column that depends least on those before
        column = int(np.argmax(np.linalg.norm(rest, axis=0)))
        order.append(column)
        q = rest[:, column] / np.linalg.norm(rest[:, column])
        rest = rest - np.outer(q, q @ rest)
    order += [k for k in range(d) if k not in order]
    A, L = A[:, order] / np.linalg.norm(A), L[np.ix_(order, order)] / (size or 1.0)
    B = np.block([[np.zeros((m, m)), A], [A.T, L]])
    minors, logs = [], [2 * float(np.linalg.slogdet(A[:, :m])[1])]
    for n in range(2 * m + 1, m + d + 1):
        sign, log = np.linalg.slogdet(B[:n, :n])
        minors.append(int(sign) if log > max(logs[-2:]) + np.log(_ZERO) else 0)
        logs.append(float(log))
    return np.array(minors, int)


def around(u: Float[np.ndarray, "k d"]) -> Float[np.ndarray, "s k d"]:
    """Each point, and points nearby on both sides of it along each axis."""
    d = u.shape[1]
    steps = np.concatenate([np.zeros((1, d)), np.eye(d), -np.eye(d)])
    return u + _NEARBY * steps[:, None]


def slope_scale(problem: Problem, u: Float[np.ndarray, "k d"]) -> Float[np.ndarray, " k"]:
    """The largest |∇f| at each point and nearby: the scale on which ∇f is 0 or not."""
    places = around(u)
    slope = problem.slopes(places.reshape(-1, u.shape[1]))[1][:, 0]
    return np.nan_to_num(np.linalg.norm(slope, axis=1), posinf=0).reshape(len(places), -1).max(axis=0)


def curvature_scale(
    problem: Problem, u: Float[np.ndarray, "k d"], multipliers: Float[np.ndarray, "k m"]
) -> Float[np.ndarray, " k"]:
    """The largest size, there and nearby, of the second derivatives that L is made of, before they cancel."""
    places, weights = around(u), np.concatenate([np.ones((len(u), 1)), np.abs(multipliers)], axis=1)
    curvature = problem.curvatures(places.reshape(-1, u.shape[1]))[2]
    sizes = np.linalg.norm(curvature, axis=(2, 3)).reshape(len(places), len(u), -1)
    return np.nan_to_num(np.einsum("skc,kc->sk", sizes, weights), posinf=0).max(axis=0)


def prices(
    problem: Problem, u: Float[np.ndarray, " d"], multipliers: Float[np.ndarray, " m"]
) -> Float[np.ndarray, " m"]:
    """df*/dc by central differences of f*, solved again at c = ±δ, extrapolated to δ = 0 as Richardson does.

    Of several δ, a factor of 4 apart, that is taken at which the extrapolation changes least; λ has no say in it. NaN
    where f* cannot be followed.
    """
    m, s = len(multipliers), len(_SHIFTS)
    levels = np.einsum("sp,mn->mspn", np.stack([_SHIFTS, -_SHIFTS], axis=1), np.eye(m)).reshape(-1, m)
    again = lambda a: np.repeat(a[None], len(levels), axis=0)
    ended = lagrange_again(problem, again(u), again(multipliers), levels)
    value = problem.slopes(ended.z[:, : len(u)])[0][:, 0]
    value = np.where(ended.left <= 1e-12 * (1 + np.abs(ended.z).max(axis=1)), value, np.nan).reshape(m, s, 2)
    central = (value[..., 0] - value[..., 1]) / (2 * _SHIFTS)
    better = (16 * central[:, 1:] - central[:, :-1]) / 15
    change = np.abs(np.diff(better, axis=1))
    best = np.argmin(np.where(np.isnan(change), np.inf, change), axis=1)[:, None]
    known = np.isfinite(np.take_along_axis(change, best, axis=1))
    return np.where(known, np.take_along_axis(better, best, axis=1), np.nan)[:, 0]
