r"""Where a function has a kink, a jump or a pole: where its gradient does not vanish, and yet a way downhill ends.

From each start f goes downhill, or uphill, by steps −h ∇f/‖∇f‖, longer after each that helps and shorter after each
that does not. At a smooth extremum ∇f vanishes first. Where h shrinks to nothing and ∇f does not, its two sides differ
however near they are: ‖∇f(x + ηn) − ∇f(x − ηn)‖ is the same for η and for 100 η, where for a smooth f it would be a
hundredth.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from mvcalc_jax import compiling
from mvcalc_jax.calculus.roots import in_chunks
from mvcalc_jax.calculus.stationary.degenerate import Field

_STEPS = 90


class Breaks(NamedTuple):
    """Where descents ended at a break of the gradient, and at which of these f grows without bound."""

    points: Float[np.ndarray, "m d"]
    poles: Bool[np.ndarray, " m"]


def breaks(field: Field, box: Float[np.ndarray, "d 2"], starts: Float[np.ndarray, "m d"]) -> Breaks:
    """The kinks, jumps and poles inside a box that ways up and down from the starts lead to.

    Args:
        field: f and its derivatives, in a unit in which its slope is about 1.
        box: of the search.
        starts: of the ways.
    """
    ways = np.concatenate([starts, starts])
    signs = np.repeat(np.array([1, -1], starts.dtype), len(starts))
    points, jumps, steep = in_chunks(_program(field, box), ways, signs)
    steep = np.nan_to_num(steep, nan=np.inf)
    inside = ((points > box[:, 0]) & (points < box[:, 1])).all(axis=1)
    at = inside & jumps & (steep > 1e-4)
    return Breaks(points[at], steep[at] > 1e6)


def _program(field: Field, box: np.ndarray) -> Callable[..., tuple[Any, ...]]:
    w = field.half

    def run(z: Array, sign: Array) -> tuple[Array, Array, Array]:
        η = 10 * jnp.finfo(z.dtype).eps ** 0.5

        def normal(z: Array) -> tuple[Any, Array]:
            g = w * field.gradient(z)
            size = jnp.linalg.norm(g)
            return g / jnp.where(size > 0, size, 1), size

        def step(state: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], None]:
            z, h = state
            tried = z - sign * h * w * normal(z)[0]
            better = sign * field.f(tried) < sign * field.f(z)
            outside = jnp.any((z <= box[:, 0]) | (z >= box[:, 1]))
            return (
                jnp.where(better & ~outside, tried, z),
                jnp.where(better, 1.6 * h, h / 3).clip(0, 0.2),
            ), None

        (z, h), _ = jax.lax.scan(step, (z, jnp.asarray(0.1, z.dtype)), length=_STEPS)
        n, size = normal(z)
        jump = [
            jnp.linalg.norm(w * (field.gradient(z + far * w * n) - field.gradient(z - far * w * n)))
            for far in (η, 100 * η)
        ]
        return z, (h < η) & (jump[0] >= 0.1 * size) & (jump[0] >= 0.5 * jump[1]), size

    return jax.jit(jax.vmap(run), compiler_options=compiling.quickly())
