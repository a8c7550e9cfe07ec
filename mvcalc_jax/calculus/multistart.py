r"""All roots of a system of equations that many starts lead to.

    F(z) = 0,   F: ℝᵈ → ℝᵈ,   J = ∂F/∂z

Every start goes downhill on ‖F‖² by Levenberg's step p = −(JᵀJ + λI)⁻¹JᵀF, λ smaller after a step that helps and larger
after one that does not: Newton's step near a root, a short step down the gradient far from one, and defined where J is
singular. The last steps are Newton's own, by the pseudo-inverse J⁺, which keeps the digits that JᵀJ loses.

A point counts as a root where Newton's step would no longer move it, and ‖F‖ is zero to rounding or Newton's steps grow
shorter by a factor: at a root of multiplicity m by 1 − 1/m. A valley of ‖F‖ that has a floor above zero is none, nor is
a plain on which F only fades away. Roots at which J is singular are met less exactly, and `error` says how exactly.

Which roots are found depends on the starts: that all of them were is likely where many starts led to each, and never
proven. Reference: Moré, The Levenberg–Marquardt algorithm (1978).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from mvcalc_jax import autodiff, compiling

_STAGES, _STEPS, _NEWTON = 6, 20, 5
"""Of Levenberg's steps, and of Newton's after them; at an m-fold root each leaves (m − 1)/m of the way."""
_NEAR = 1e-5
"""Newton's step at a root, beside the size of z: at a triple root, rounding leaves that much."""
_VANISHED = 1e-9
"""‖F‖ at a root beside ‖F‖ at a typical start."""
_SAME = 1e-6
"""Roots are the same if they are this near, beside the spread of the starts, or nearer than their errors."""
_CONTRACTS = 0.7
"""Newton's step at most, beside the one a stage of steps before; on a plain that only fades away it stays the same."""
_CLOSE = 0.1
"""A step of Newton's near a root, in units of the scale."""
_ROUNDINGS = 1000
"""So many times what rounding makes of F is zero."""
_CHUNK = 256
"""Starts that are followed at once, and always as many, so that one program does for any number of them."""


class Ends(NamedTuple):
    """Where starts ended, lengths in units of the scale: point, error, Newton's step, ‖F‖, whether F vanishes there."""

    points: Float[np.ndarray, "m d"]
    error: Float[np.ndarray, " m"]
    step: Float[np.ndarray, " m"]
    size: Float[np.ndarray, " m"]
    vanishes: Bool[np.ndarray, " m"]


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
    spread = float(np.linalg.norm(np.ptp(starts, axis=0))) or 1.0
    ends = descent(F, spread)(starts)
    error, step, size = ends.error * spread, ends.step * spread, ends.size / spread
    typical = np.nanmedian(np.asarray(jax.vmap(lambda z: jnp.linalg.norm(F(z)))(starts)))
    with np.errstate(invalid="ignore"):
        met = step <= _NEAR * (1 + np.linalg.norm(ends.points, axis=1))
        met &= ends.vanishes & (size <= _VANISHED * typical)
    which, cluster = distinct(ends.points[met], error[met], _SAME * spread)
    many = np.bincount(cluster, minlength=len(which))
    order = np.argsort(-many, kind="stable")
    which = np.flatnonzero(met)[which[order]]
    return Roots(ends.points[which], error[which], many[order])


def descent(
    F: Callable[[Array], Array],
    scale: Float[np.ndarray, " d"] | float = 1.0,
    jacobian: Callable[[Array], Array] | None = None,
) -> Callable[[Float[np.ndarray, "m d"]], Ends]:
    """What takes starts to where they end, compiled once for any number of them.

    Args:
        F: (d,) → (d,).
        scale: the length that z and F's entries are measured by, along each axis: for F = ∇f they are then those of a
            box whose sides have equal lengths.
        jacobian: of F; by autodiff where it is left out.
    """
    J = jacobian or autodiff.jacobian(F, mode="forward")

    def local(z: Array) -> tuple[Array, Array]:
        w = jnp.broadcast_to(jnp.asarray(scale, z.dtype), z.shape)
        return w * F(z), w[:, None] * J(z) * w

    def length(z: Array) -> Array:
        return jnp.sum((scale * F(z)) ** 2)

    def levenberg(state: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], None]:
        z, λ = state
        r, A = local(z)
        size = jnp.sum(A**2) / len(z)
        p = -jnp.linalg.solve(A.T @ A + λ * size * jnp.eye(len(z), dtype=z.dtype), A.T @ r)
        better = length(z + scale * p) < jnp.sum(r**2)
        return (jnp.where(better, z + scale * p, z), jnp.where(better, λ / 5, 4 * λ).clip(1e-30, 1e10)), None

    def newton(state: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], tuple[Array, ...]]:
        """Newton's step, or that times the multiplicity that the last two lengths of it speak of.

        Whichever leaves less of J⁻¹F (Deuflhard, Newton Methods (2004), §3.3), and not less of F: no rounding of a
        large entry of F hides then what a small one still has to lose, and a curved valley may be left for a step.
        """
        z, before = state
        ε = jnp.finfo(z.dtype).eps
        r, A = local(z)
        U, σ, Vt = jnp.linalg.svd(A)
        ρ = noise(F, z, scale, r, A) + ε * jnp.abs(A) @ (jnp.abs(z) / scale)
        certain = jnp.abs(U.T @ r) > _ROUNDINGS * (jnp.abs(U.T) @ ρ)
        # of singular values that rounding makes, none is divided by where F is so small that its square underflows
        certain &= (jnp.sum(r**2) > 0) | (σ > 10 * len(z) * ε * σ[0])
        known = certain | (σ > ε**0.5 * σ[0])
        solved = lambda r: Vt.T @ jnp.where(known, U.T @ r / σ, 0)
        p = -solved(r)
        step = jnp.linalg.norm(p)
        m = jnp.where(step < 0.99 * before, 1 / (1 - step / before), 1)
        tried = jnp.stack([z + scale * p, z + scale * m * p])
        left = jnp.linalg.norm(jax.vmap(lambda z: solved(scale * F(z)))(tried), axis=1)
        z = jnp.where(step < _CLOSE, tried[jnp.argmin(jnp.where(jnp.isnan(left), jnp.inf, left))], z)
        unsure = jnp.linalg.norm(ρ) / jnp.where(σ[-1] > 0, σ[-1], jnp.inf)
        error = step * m + unsure.clip(0, ε**0.25)
        zero = jnp.all(jnp.abs(r) <= _ROUNDINGS * ρ) | (step <= 4 * ε * (1 + jnp.linalg.norm(z / scale)))
        return (z, step), (error, step, jnp.linalg.norm(r), zero)

    def stage(state: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], tuple[Array, ...]]:
        z, λ = jax.lax.scan(levenberg, state, length=_STEPS)[0]
        ended, seen = jax.lax.scan(newton, (z, jnp.inf * λ), length=_NEWTON)
        nearer = seen[1][-1] <= seen[1][0]
        seen = jax.tree.map(lambda a: jnp.where(nearer, a[-1], a[0]), seen)
        return (jnp.where(nearer, ended[0], z), λ), seen

    def run(z: Array) -> tuple[Array, ...]:
        first = z, jnp.asarray(1e-2, z.dtype)
        (z, _), (error, step, size, zero) = jax.lax.scan(stage, first, length=_STAGES)
        vanishes = zero[-1] | (step[-1] <= _CONTRACTS * step[-2])
        return z, error[-1], step[-1], size[-1], vanishes

    program = jax.jit(jax.vmap(run), compiler_options=compiling.quickly())
    return lambda starts: Ends(*in_chunks(program, starts))


def noise(F: Callable[[Array], Array], z: Array, scale: Any, r: Array, A: Array) -> Array:
    """How rough each entry of F is within the last places of z, where it is r with Jacobian A, both in the scale."""
    moves = jnp.finfo(z.dtype).eps * jnp.abs(z) * jnp.asarray(_nudges(len(z)), z.dtype)
    odd = jax.vmap(lambda d: jnp.abs(scale * F(z + d) - r - A @ (d / scale)))(moves)
    return jnp.max(odd, axis=0)


def _nudges(d: int) -> np.ndarray:
    """Some directions by which an argument may move in its last places."""
    return np.array([[(k * (i + 2)) % 7 - 3 for i in range(d)] for k in range(1, 7)], float)


def in_chunks(program: Callable[..., tuple[Any, ...]], *rows: np.ndarray) -> list[np.ndarray]:
    """What a program makes of rows of arrays, in calls of one shape, however many there are."""
    count = len(rows[0])
    parts = []
    for k in range(0, max(count, 1), _CHUNK):
        which = np.arange(k, k + _CHUNK).clip(0, max(count - 1, 0))
        parts.append([np.asarray(a) for a in program(*(r[which] for r in rows))])
    return [np.concatenate(column)[:count] for column in zip(*parts, strict=True)]


def distinct(
    points: Float[np.ndarray, "m d"], error: Float[np.ndarray, " m"], same: float
) -> tuple[Int[np.ndarray, " k"], Int[np.ndarray, " m"]]:
    """The most exact one of each cluster of points, and the cluster of each point: those as near as their errors."""
    kept: list[int] = []
    cluster = np.zeros(len(points), int)
    for k in np.argsort(error, kind="stable"):
        away = np.linalg.norm(points[kept] - points[k], axis=1)
        near = away <= same + 10 * (error[kept] + error[k])
        if near.any():
            cluster[k] = int(np.argmin(np.where(near, away, np.inf)))
        else:
            cluster[k] = len(kept)
            kept.append(int(k))
    return np.array(kept, int), cluster
