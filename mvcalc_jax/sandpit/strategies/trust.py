"""Newton's method in a trust region, one dip a trial, so that no saddle and no hill can fool it.

Reference: Nocedal and Wright, Numerical Optimization (2006), algorithm 4.1 and §4.3.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mvcalc_jax.sandpit.floors.family import bends


class Trust(NamedTuple):
    """A trust region: where it is, what was known there, the radius, and the fall that was promised; whether there
    was a dip at all."""

    middle: Any
    depth: Any
    gradient: Any
    hessian: Any
    radius: Any
    length: Any
    promised: Any
    begun: Any


_WIDEST = 2.0


def init_trust(position: Any) -> Trust:
    """Before the first dip."""
    p = jnp.asarray(position)
    zero = jnp.zeros_like(p[0])
    return Trust(
        p, zero, jnp.zeros_like(p), jnp.zeros((2, 2), p.dtype), zero + 1, zero, zero, jnp.asarray(False)
    )


def trust_region(state: Trust, p: Any, depth: Any, g: Any, H: Any, learning_rate: Any) -> tuple[Trust, Any]:
    """The best step within a radius, which is that far at first: η; a step that went uphill is taken back."""
    ratio = (state.depth - depth) / jnp.where(state.promised > 0, state.promised, 1)
    new = ~state.begun | (ratio > 0)
    radius = jnp.where(state.begun, state.radius, learning_rate)
    wider = (ratio > 0.75) & (state.length > 0.99 * radius)
    radius = jnp.where(state.begun & (ratio < 0.25), state.length / 4, radius)
    radius = jnp.where(state.begun & wider, jnp.minimum(2 * radius, _WIDEST), radius)
    middle, from_depth = jnp.where(new, p, state.middle), jnp.where(new, depth, state.depth)
    slope, bend = jnp.where(new, g, state.gradient), jnp.where(new, H, state.hessian)
    s = within(slope, bend, radius)
    promised = -(slope @ s + s @ bend @ s / 2)
    told = Trust(middle, from_depth, slope, bend, radius, jnp.linalg.norm(s), promised, jnp.asarray(True))
    return told, middle + s - p


def within(g: Float[Array, "2"], H: Float[Array, "2 2"], radius: Any) -> Float[Array, "2"]:
    """The s that has the least g·s + ½ sᵀHs of all ‖s‖ ≤ radius.

    With H = VΛVᵀ and a = Vᵀg it is −V a/(λ + μ), μ ≥ max(0, −λ₁) so that it is as long as the radius, or 0 where
    Newton's step is inside. ‖s‖ falls as μ rises, so μ is found by bisection. Where a₁ = 0 and λ₁ < 0, as at a saddle
    or on a ridge, no μ makes it long enough: the rest is along v₁, on which both ways are as good.
    """
    λ, V = bends(H)
    a = V.T @ g
    least = jnp.maximum(0, -λ[0])
    tiny = jnp.finfo(a.dtype).tiny

    def coordinates(μ: Any) -> Any:
        below = λ + μ
        return jnp.where(a == 0, 0, -a / jnp.where(below > 0, below, tiny))

    size = lambda μ: jnp.linalg.norm(coordinates(μ))

    def halve(ends: tuple[Any, Any], _: None) -> tuple[tuple[Any, Any], None]:
        low, high = ends
        middle = (low + high) / 2
        long = size(middle) > radius
        return (jnp.where(long, middle, low), jnp.where(long, high, middle)), None

    # at the upper end every coordinate is at most |a|/(λ₁ + μ) ≤ radius
    ends = least, least + jnp.linalg.norm(a) / radius
    enough = jax.lax.scan(halve, ends, length=60)[0][1]
    c = coordinates(jnp.where(size(least) > radius, enough, least))
    lacking = jnp.sqrt(jnp.maximum(radius**2 - c @ c, 0))
    hard = (λ[0] < 0) & (lacking > 1e-6 * radius)
    return V @ jnp.where(hard, c + lacking * jnp.array([1.0, 0.0], c.dtype), c)
