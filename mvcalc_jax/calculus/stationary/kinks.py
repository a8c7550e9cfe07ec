r"""Where a function has a kink, a jump or a pole: where a way up or down ends, and its gradient has no single limit.

From each start f goes downhill, or uphill, by steps −h ∇f/‖∇f‖, longer after each that helps and shorter after each
that does not. At a smooth extremum ∇f vanishes first. Where h shrinks to nothing, J(s) = ‖∇f(x + sn) − ∇f(x − sn)‖
tells what is there, for s as small as h allows: J does not change with s at a kink, shrinks as s where f is smooth, as
a root of s where ∇f vanishes and H does not exist, and grows at a pole. A narrow but smooth peak is no kink so.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from mvcalc_jax import compiling
from mvcalc_jax.calculus.multistart import in_chunks
from mvcalc_jax.calculus.rounding import shaken
from mvcalc_jax.calculus.stationary.degenerate import Field

_STEPS = 120
_APART = 100
"""The ratio of the distances at which the two sides are compared."""


class Breaks(NamedTuple):
    """Where ways up and down ended: all of them; at a break of the gradient; at which of these f grows without bound.

    At `rough` ones ∇f vanishes, and has no derivative.
    """

    ends: Float[np.ndarray, "n d"]
    points: Float[np.ndarray, "m d"]
    poles: Bool[np.ndarray, " m"]
    rough: Float[np.ndarray, "r d"]


def breaks(field: Field, box: Float[np.ndarray, "d 2"], starts: Float[np.ndarray, "m d"]) -> Breaks:
    """The kinks, jumps and poles inside a box that ways up and down from the starts lead to.

    Args:
        field: f and its derivatives, in a unit in which its slope is about 1.
        box: of the search.
        starts: of the ways.
    """
    ways = np.concatenate([starts, starts])
    signs = np.repeat(np.array([1, -1], starts.dtype), len(starts))
    points, jumps, ended, steep = in_chunks(_program(field, box), ways, signs)
    inside = ((points > box[:, 0]) & (points < box[:, 1])).all(axis=1)
    with np.errstate(all="ignore"):
        grows = -np.diff(np.log(jumps), axis=1) / np.log(_APART)
        at = inside & ended & (grows[:, 0] >= -0.15) & (jumps[:, 0] >= 0.1 * steep) & (steep > 1e-4)
    rough = inside & ended & ~at & ((grows > -0.85) & (grows < -0.15)).all(axis=1)
    return Breaks(points[inside], points[at], grows[at, 0] > 0.75, points[rough])


def _program(field: Field, box: np.ndarray) -> Callable[..., tuple[Any, ...]]:
    w, again = field.half, shaken(field.gradient)

    def run(z: Array, sign: Array) -> tuple[Array, ...]:
        ε = jnp.finfo(z.dtype).eps
        η = 10 * ε**0.5

        def step(state: tuple[Array, Array, Array], _: None) -> tuple[tuple[Array, Array, Array], None]:
            z, h, n = state
            g = w * field.gradient(z)
            size = jnp.linalg.norm(g)
            # at a kink itself the gradient may be said to be 0, and at a pole it is no number
            n = jnp.where((size > 0) & (size < jnp.inf), g / jnp.where(size > 0, size, 1), n)
            tried = z - sign * h * w * n
            better = sign * field.f(tried) < sign * field.f(z)
            outside = jnp.any((z <= box[:, 0]) | (z >= box[:, 1]))
            return (
                jnp.where(better & ~outside, tried, z),
                jnp.where(better, 1.6 * h, h / 3).clip(0, 0.2),
                n,
            ), None

        (z, h, n), _ = jax.lax.scan(step, (z, jnp.asarray(0.1, z.dtype), jnp.zeros_like(z)), length=_STEPS)
        s = (100 * h).clip(3000 * ε * (1 + jnp.max(jnp.abs(z / w))), η)
        sides = [
            [w * field.gradient(z + k * far * w * n) for k in (1, -1)]
            for far in (s, _APART * s, _APART**2 * s)
        ]
        jump = jnp.stack([jnp.linalg.norm(right - left) for right, left in sides])
        ρ = jnp.max(jnp.abs(w * again(z + s * w * n) - sides[0][0]))
        steep = jnp.linalg.norm(jnp.stack(sides[0]), axis=1).max()
        return z, jnp.where(jump > 100 * ρ, jump, jnp.nan), h < η, steep

    return jax.jit(jax.vmap(run), compiler_options=compiling.quickly())
