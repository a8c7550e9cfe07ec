r"""All roots of a system of equations that many starts lead to.

    F(z) = 0,   F: ℝᵈ → ℝᵈ,   J = ∂F/∂z

Every start goes downhill on ‖F‖² by Levenberg's step p = −(JᵀJ + λI)⁻¹JᵀF, λ smaller after a step that helps and larger
after one that does not: Newton's step near a root, a short step down the gradient far from one, and defined where J is
singular. The last steps are Newton's own, by the pseudo-inverse J⁺, which keeps the digits that JᵀJ loses.

A point counts as a root where Newton's step would no longer move it and ‖F‖ has vanished beside its size at the starts.
A valley of ‖F‖ that has a floor above zero is none, nor is a plain on which F only fades away. Roots at which J is
singular are met slowly and less exactly, and `error` says how exactly.

Which roots are found depends on the starts: that all of them were is likely where many starts led to each, and never
proven. Reference: Moré, The Levenberg–Marquardt algorithm (1978).
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from mvcalc_jax import autodiff, compiling

_STEPS = 120
"""Of Levenberg's: at an m-fold root each leaves (m − 1)/m of the way, so that a triple one is met to rounding."""
_POLISH = 3
_NEAR = 1e-5
"""Newton's step at a root, beside the size of z: at a triple root, rounding leaves that much."""
_VANISHED = 1e-9
"""‖F‖ at a root beside ‖F‖ at a typical start."""
_SAME = 1e-6
"""Roots are the same if they are this near, beside the spread of the starts, or nearer than their errors."""


class Roots(NamedTuple):
    """The roots, those that most starts led to first: where, how exactly, and how many starts led there."""

    points: Float[np.ndarray, "k d"]
    error: Float[np.ndarray, " k"]
    starts: Int[np.ndarray, " k"]


def scattered(box: Float[np.ndarray, "d 2"], count: int) -> Float[np.ndarray, "m d"]:
    """Points that fill a box evenly and on no grid: a Kronecker sequence of the powers of 1/g, g^(d+1) = g + 1.

    Reference: Roberts, The unreasonable effectiveness of quasirandom sequences (2018).
    """
    d = len(box)
    g = 1.0
    for _ in range(60):
        g = (1 + g) ** (1 / (d + 1))
    fractions = (0.5 + np.arange(1, count + 1)[:, None] * g ** -np.arange(1.0, d + 1)) % 1
    return box[:, 0] + fractions * (box[:, 1] - box[:, 0])


def roots(F: Callable[[Array], Array], starts: Float[np.ndarray, "m d"]) -> Roots:
    """The distinct roots of F, (d,) → (d,), that the starts lead to, wherever they lie.

    The precision is that of the starts; the caller sees to it that JAX computes in it (`precision.of`).
    """
    points, step, size = (np.asarray(a) for a in _descended(F)(jnp.asarray(starts)))
    typical = np.nanmedian(np.asarray(jax.vmap(lambda z: jnp.linalg.norm(F(z)))(starts)))
    spread = float(np.linalg.norm(np.ptp(starts, axis=0)))
    with np.errstate(invalid="ignore"):
        met = (step <= _NEAR * (1 + np.linalg.norm(points, axis=1))) & (size <= _VANISHED * typical)
    return _distinct(points[met], step[met], _SAME * spread)


def _descended(F: Callable[[Array], Array]) -> Callable[[Array], tuple[Array, Array, Array]]:
    """The program that takes starts (m, d) to where they end, Newton's step there and ‖F‖ there."""
    J = autodiff.jacobian(F, mode="forward")

    def levenberg(state: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], None]:
        z, λ = state
        r, A = F(z), J(z)
        scale = jnp.sum(A**2) / len(z)
        p = -jnp.linalg.solve(A.T @ A + λ * scale * jnp.eye(len(z), dtype=z.dtype), A.T @ r)
        better = jnp.sum(F(z + p) ** 2) < jnp.sum(r**2)
        return (jnp.where(better, z + p, z), jnp.where(better, λ / 5, 4 * λ).clip(1e-30, 1e10)), None

    def newton(z: Array, _: None) -> tuple[Array, None]:
        moved = z - jnp.linalg.pinv(J(z)) @ F(z)
        return jnp.where(jnp.sum(F(moved) ** 2) < jnp.sum(F(z) ** 2), moved, z), None

    def run(z: Array) -> tuple[Array, Array, Array]:
        (z, _), _ = jax.lax.scan(levenberg, (z, jnp.asarray(1e-2, z.dtype)), None, length=_STEPS)
        z, _ = jax.lax.scan(newton, z, None, length=_POLISH)
        return z, jnp.linalg.norm(jnp.linalg.pinv(J(z)) @ F(z)), jnp.linalg.norm(F(z))

    return jax.jit(jax.vmap(run), compiler_options=compiling.quickly())


def _distinct(points: np.ndarray, error: np.ndarray, same: float) -> Roots:
    """One of each cluster of points, the most exact one."""
    kept: list[int] = []
    many: list[int] = []
    for k in np.argsort(error, kind="stable"):
        away = np.linalg.norm(points[kept] - points[k], axis=1)
        near = away <= same + 10 * (error[kept] + error[k])
        if near.any():
            many[int(np.argmin(np.where(near, away, np.inf)))] += 1
        else:
            kept.append(int(k))
            many.append(1)
    order = np.argsort(-np.array(many, int), kind="stable")
    return Roots(points[kept][order], error[kept][order], np.array(many, int)[order])
