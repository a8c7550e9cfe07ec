r"""A system about a point where its Jacobian is all but singular, reduced to the few equations that matter there.

    A = D⁻¹ J S = U Σ Vᵀ,   V = (V₁, V₂),  U = (U₁, U₂),   the second parts those of the smallest singular values
    g(t) = U₂ᵀ D⁻¹ f(x + S (V₂ t + V₁ q(t))),   q such that U₁ᵀ D⁻¹ f = 0

S holds the sizes of the variables, D how large each entry of f is that far from x, so that no scaling of either plays
a part. A root of f is a root of g, of the same multiplicity; but what the other equations lose in the last digits of x
is no part of g, and cannot hide that g stays above zero. Reference: Govaerts, Numerical Methods for Bifurcations of
Dynamical Equilibria (2000), ch. 3, the reduction of Lyapunov and Schmidt.
"""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from mvcalc_jax.calculus.rootfinding.trail import Subject, norms

_SMALL = 1e-2
"""Singular values, beside the largest, whose equations are kept."""
_VANISHED = 0.4
"""And those so small, as a power of ε, beside what D⁻¹ and S make of any: all equations may have lost their slope."""
_CHORDS = 6
"""Steps with one Jacobian for q; near x each leaves a small part of the error."""


class Reduced(NamedTuple):
    """g, and what takes it back to f."""

    subject: Subject
    x: np.ndarray
    S: Float[np.ndarray, " d"]
    D: Float[np.ndarray, " d"]
    U: Float[np.ndarray, "d d"]
    σ: Float[np.ndarray, " d"]
    V: Float[np.ndarray, "d d"]
    k: int
    """How many equations are kept."""

    @property
    def ways(self) -> list[np.ndarray]:
        """Directions t: one that is none of the singular ones, and each of these."""
        one = np.linspace(1, 0.5, self.k)
        return [one / np.linalg.norm(one), *(np.eye(self.k) if self.k > 1 else ())]

    @property
    def digit(self) -> float:
        """The last place of x, in units of S."""
        return float(np.max(np.spacing(np.abs(self.x)) / self.S))

    def length(self, way: np.ndarray) -> float:
        """Of a direction, in x."""
        return float(np.linalg.norm(self.S * (self.V[:, len(self.S) - self.k :] @ way)))

    def of(self, f: np.ndarray) -> np.ndarray:
        """g where f is known."""
        return f.astype(float) / self.D @ self.U[:, len(self.D) - self.k :]

    def along(self, way: np.ndarray, t: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n k"]:
        """g(t way)."""
        r = len(self.D) - self.k
        move = np.outer(t, self.V[:, r:] @ way)
        f = self._sampled(move)
        for _ in range(_CHORDS if r else 0):
            q = f @ self.U[:, :r] / self.σ[:r]
            move = move - np.where(np.isfinite(q).all(axis=1, keepdims=True), q, 0) @ self.V[:, :r].T
            f = self._sampled(move)
        return f @ self.U[:, r:]

    def _sampled(self, move: np.ndarray) -> np.ndarray:
        points = (self.x + move * self.S).astype(self.x.dtype)
        return self.subject.sample(points).astype(float) / self.D


def reduced(subject: Subject, x: np.ndarray, size: Float[np.ndarray, " d"]) -> Reduced | None:
    """g about x, for variables of such sizes; None where f or J is not finite, or so small that it is lost."""
    f, J = (np.asarray(a, float) for a in subject.both(x))
    S = np.where((size > 0) & np.isfinite(size), size, 1.0).astype(float)
    D = extent(subject, x, S, f, J)
    A = J * S / D[:, None]
    least = np.finfo(x.dtype)
    if (least.tiny / least.eps >= D).any():
        return None  # so near that f underflows
    if not (np.isfinite(A).all() and np.isfinite(f).all()):
        return None
    U, σ, Vt = np.linalg.svd(A)
    k = max(int(np.sum(σ <= max(_SMALL * σ[0], float(least.eps) ** _VANISHED))), 1)
    return Reduced(subject, x, S, D, U, σ, Vt.T, k)


def rounded(subject: Subject, x: np.ndarray, size: Float[np.ndarray, " d"], simple: bool) -> float:
    """How far rounding of f, and of x itself, may move a root of a system: |J⁻¹| δ + ε |x|, the norm.

    Not scaled: the largest variable counts as it is. δ is what f is at x, what its terms J x lose, and what it
    differs from J h for h of a few last places. Of a root that is not `simple` in the directions that J determines.
    """
    f, J = (np.asarray(a, float) for a in subject.both(x))
    eps, own = float(np.finfo(x.dtype).eps), np.abs(x.astype(float))
    S = np.where(own > 0, own, size).astype(float)
    with np.errstate(all="ignore"):
        h = np.random.default_rng(0).integers(-8, 9, (64, len(x))) * eps * S
        points = (x + h).astype(x.dtype)
        noise = np.abs(subject.sample(points).astype(float) - f - (points.astype(float) - x) @ J.T)
        δ = np.abs(f) + np.nan_to_num(noise, posinf=0).max(axis=0) + eps * np.abs(J) @ own
        D = np.max(np.abs(J) * S, axis=1)
        D = np.where((D > 0) & np.isfinite(D), D, 1.0)
        A = J * S / D[:, None]
        if not (np.isfinite(A).all() and np.isfinite(δ).all()):
            return float(norms(eps * own[None])[0])
        U, σ, Vt = np.linalg.svd(A)
        r = int(np.sum(σ > (0.0 if simple else _SMALL * σ[0])))
        moved = S * (np.abs(Vt[:r].T / σ[:r] @ U[:, :r].T) @ (δ / D))
    return float(norms((moved + eps * own)[None])[0])


def extent(subject: Subject, x: np.ndarray, S: np.ndarray, f: Any, J: Any) -> Float[np.ndarray, " d"]:
    """How large each entry of f is within S of x."""
    away = np.concatenate([np.diag(S), -np.diag(S), [S, -S]])
    values = np.abs(subject.sample((x + away).astype(x.dtype)).astype(float))
    values = np.where(np.isfinite(values), values, 0).max(axis=0)
    D = np.abs(f) + np.abs(J) @ S + values
    return np.where(np.isfinite(D), D, 1.0)
