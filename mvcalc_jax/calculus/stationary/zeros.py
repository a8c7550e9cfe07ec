r"""Whether ∇f is zero at a point: neither more nor less than its own digits say.

Let g = w ∘ ∇f, in the box's units, and ρ what rounding makes of each partial derivative (see `rounding`). The point is
a zero where none is larger than `CLEAR` ρ, however large or small ∇f is elsewhere: a slope that has digits of its own
is none, and one that rounding hides cannot be told from zero.

How far that goes on along the flattest direction is the `blur`: within it nothing tells where the zero is.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from mvcalc_jax import compiling
from mvcalc_jax.calculus.multistart import in_chunks
from mvcalc_jax.calculus.rounding import CLEAR, shaken
from mvcalc_jax.calculus.stationary.degenerate import Field

WIDEST = 0.01
"""A blur at most: what is zero as far as that may be a whole curve of zeros."""
_STEPS = 16
_NEAR = 1e-3
"""Newton's step at most, from where a start ended."""
_ABOUT = np.outer([1, -1], 10.0 ** np.arange(-10, -1)).ravel()
_DUST = 1e-9
"""Coordinates next to zero are zero, if the point is one of ∇f then, too."""


class Zeros(NamedTuple):
    """The programs that tell zeros of ∇f."""

    polished: Callable[[np.ndarray], tuple[Float[np.ndarray, "m d"], Bool[np.ndarray, " m"]]]
    """Points, by Newton's steps along those eigenvectors of H along which g is clear; and whether each is a zero."""
    rounding: Callable[[np.ndarray], Float[np.ndarray, " m"]]
    """‖ρ‖ at points."""
    along: Callable[[np.ndarray, np.ndarray], Bool[np.ndarray, " m"]]
    """Whether the slope along v, at a point, is zero."""


def zeros(field: Field, box: Float[np.ndarray, "d 2"]) -> Zeros:
    """Those of one function in a box, to which each point is brought back that Newton's steps lead out of it."""
    w, again = field.half, shaken(field.gradient)

    def seen(z: Array) -> tuple[Array, Array]:
        r = jnp.asarray(w * field.gradient(z))
        return r, jnp.max(jnp.abs(w * again(z) - r), axis=0)

    def zero(z: Array) -> Array:
        r, ρ = seen(z)
        size = jnp.linalg.norm(r)
        n = r / jnp.where(size > 0, size, 1)
        about = jax.vmap(lambda d: jnp.linalg.norm(w * field.gradient(z + d * w * n)))(
            jnp.asarray(_ABOUT, z.dtype)
        )
        # next to a pole, too, a slope is all rounding; away from it both are less
        real = jnp.all(ρ < jnp.inf) & (size <= 10 * jnp.nanmax(about))
        return jnp.all(jnp.abs(r) <= CLEAR * ρ) & real & ~broken(z)

    def broken(z: Array) -> Array:
        """Whether ∇f jumps at a point, where autodiff may well say that it is zero."""
        d = 100 * jnp.finfo(z.dtype).eps * (1 + jnp.max(jnp.abs(z / w)))
        axes = jnp.diag(jnp.asarray(w, z.dtype))
        jump = lambda u: jnp.linalg.norm(w * (field.gradient(z + u) - field.gradient(z - u)))
        near, far = (jax.vmap(jump)(k * d * axes) for k in (1, 100))
        return jnp.any((near > 0.5 * far) & (near > 1000 * jnp.max(seen(z + d * w)[1])))

    def swept(z: Array) -> Array:
        return jnp.where(jnp.abs(z) < _DUST * w, 0, z)

    def step(state: tuple[Array, Array, Array], _: None) -> tuple[tuple[Array, Array, Array], None]:
        """Newton's step, or that times the multiplicity which the last two lengths of it speak of."""
        z, before, done = state
        r, ρ = seen(z)
        A = w[:, None] * field.hessian(z) * w
        λ, U = jnp.linalg.eigh(jnp.where(jnp.all(jnp.isfinite(A)), A, 0))
        clear = jnp.abs(U.T @ r) > CLEAR * (jnp.abs(U.T) @ ρ)
        solved = lambda r: (
            U @ jnp.where((λ != 0) & (clear | ~jnp.any(clear)), U.T @ r / jnp.where(λ != 0, λ, 1), 0)
        )
        p = -solved(r)
        size = jnp.linalg.norm(p)
        m = jnp.where(size < 0.99 * before, 1 / (1 - size / before), 1)
        shorter = lambda p: p * jnp.minimum(1, _NEAR / jnp.maximum(jnp.linalg.norm(p), _NEAR))
        tried = jnp.stack([z + w * shorter(p), z + w * shorter(m * p), swept(z)]).clip(box[:, 0], box[:, 1])
        left = jax.vmap(lambda z: jnp.linalg.norm(solved(w * field.gradient(z))))(tried)
        # a curved valley may have to be left for a step: it goes on
        left = jnp.where(jnp.all(tried == z, axis=1) | jnp.isnan(left), jnp.inf, left)
        new = tried[jnp.argmin(left)]
        done = done | jnp.all(jnp.abs(r) <= CLEAR * ρ)
        return (jnp.where(done, z, new), size, done), None

    def polished(z: Array) -> tuple[Array, Array]:
        first = z.clip(box[:, 0], box[:, 1]), jnp.asarray(jnp.inf, z.dtype), jnp.asarray(False)
        z = jax.lax.scan(step, first, length=_STEPS)[0][0]
        clean = zero(swept(z))
        return jnp.where(clean, swept(z), z), clean | zero(z)

    def along(z: Array, v: Array) -> tuple[Array]:
        r, ρ = seen(z)
        return (jnp.abs(v @ r) <= CLEAR * (jnp.abs(v) @ ρ),)

    programs = [
        jax.jit(jax.vmap(one), compiler_options=compiling.quickly())
        for one in (polished, lambda z: (jnp.linalg.norm(seen(z)[1]),), along)
    ]
    at: list[Any] = [lambda *a, run=run: in_chunks(run, *(x.astype(w.dtype) for x in a)) for run in programs]
    return Zeros(lambda z: tuple(at[0](z)), lambda z: at[1](z)[0], lambda z, v: at[2](z, v)[0])


def blur(
    told: Zeros, points: Float[np.ndarray, "k d"], v: Float[np.ndarray, "k d"], w: Float[np.ndarray, " d"]
) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]]:
    """How far from each zero, along v and against it, the slope along v stays zero: from none to `WIDEST`."""
    z, v = (np.concatenate([a, b]) for a, b in ((points, points), (v, -v)))
    on = lambda t: told.along(z + (WIDEST * 2.0**t)[:, None] * w * v, v)
    low, high = np.full(len(z), -50.0), np.zeros(len(z))
    wide = on(high)
    for _ in range(9):
        middle = (low + high) / 2
        zero = on(middle)
        low, high = np.where(zero, middle, low), np.where(zero, high, middle)
    wide &= low > -0.5  # farther out there may be another zero, and none between
    far = WIDEST * np.where(wide, 1, np.where(low > -50, 2.0**low, 0))
    return far[: len(points)], far[len(points) :]
