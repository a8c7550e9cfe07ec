"""A family of floors: one formula with coefficients, its derivatives by hand, and the programs compiled from them.

Coefficients are arguments of every program, so that a new pit of a family that was met before compiles nothing.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mvcalc_jax import compiling, precision

SIDE = 6.0
"""Metres along a side of the sandpit."""
BOX = np.array([[0.0, SIDE], [0.0, SIDE]])

Coefficients = Any
"""A tree of NumPy arrays of float64."""


@dataclass(frozen=True, eq=False)
class Family:
    """A formula f(c, p) of coefficients c and a point p, (2,), in any unit and with any zero: `Floor` scales it.

    Attributes:
        name: by which it is asked for.
        title: what it teaches, in a sentence.
        draw: coefficients, from random numbers.
        value: f(c, p).
        gradient: ∂f/∂p, (2,), by hand.
        hessian: ∂²f/∂p², (2, 2), by hand.
        fixed: coefficients of seed 0, where they are not drawn.
        apart: metres by which the phone lies deeper than any other minimum, on the edge of the box, too; at least.
        minima: how many there may be, at least and at most.
        points: a side, of the grid on which minima are looked for.
    """

    name: str
    title: str
    draw: Callable[[np.random.Generator], Coefficients]
    value: Callable[[Coefficients, Any], Any]
    gradient: Callable[[Coefficients, Any], Any]
    hessian: Callable[[Coefficients, Any], Any]
    fixed: Coefficients | None = None
    apart: float = 0.25
    minima: tuple[int, int] = (1, 1000)
    points: int = 41

    def seen(self, c: Coefficients, p: Any) -> tuple[Any, Any, Any]:
        """f, its gradient and its Hessian."""
        return self.value(c, p), self.gradient(c, p), self.hessian(c, p)

    @cached_property
    def look(self) -> Callable[..., tuple[Array, Array, Array]]:
        """The program for `seen` at one point."""
        return jax.jit(self.seen, compiler_options=compiling.quickly())

    @cached_property
    def looks(self) -> Callable[..., tuple[Array, Array, Array]]:
        """The program for `seen` at many points, each with coefficients of its own."""
        return jax.jit(jax.vmap(self.seen), compiler_options=compiling.quickly(1))

    @cached_property
    def sight(self) -> Callable[..., tuple[Array, Array, Array]]:
        """The program for `seen` at many points of one floor."""
        return jax.jit(jax.vmap(self.seen, (None, 0)), compiler_options=compiling.quickly(1))

    @cached_property
    def settle(self) -> Callable[..., tuple[Array, ...]]:
        """The program of `settled`, for many points, each with coefficients of its own."""
        return jax.jit(jax.vmap(self._settled), compiler_options=compiling.quickly())

    def _settled(self, c: Coefficients, sign: Array, first: Array) -> tuple[Array, ...]:
        """The lowest point nearby of sign · f that the box has: where, f, ∇f and H there.

        Newton's steps, uphill curvatures turned around, no longer than the grid's spacing; none is taken to where f is
        higher. A coordinate at the edge over which f goes on falling stays there.
        """
        low, high = (jnp.asarray(BOX[:, k], first.dtype) for k in (0, 1))
        spacing = float(np.ptp(BOX)) / (self.points - 1)
        snap = 1e-6 * spacing

        def inward(p: Array) -> _Place:
            f, g, H = (sign * a for a in self.seen(c, p))
            free = ~(((p <= low) & (g > 0)) | ((p >= high) & (g < 0)))
            both = free[:, None] & free[None, :]
            return _Place(p, f, jnp.where(free, g, 0), jnp.where(both, H, jnp.eye(2, dtype=p.dtype)))

        def step(state: tuple[_Place, Array, Array, Array]) -> tuple[_Place, Array, Array, Array]:
            at, reach, _, count = state
            λ, V = bends(at.H)
            s = -V @ ((V.T @ at.g) / jnp.maximum(jnp.abs(λ), 1e-12 * (1 + jnp.max(jnp.abs(λ)))))
            length = jnp.linalg.norm(s)
            p = at.p + s * jnp.minimum(1, reach / jnp.maximum(length, 1e-300))
            # onto the edge, and not beside it, where the way out would take all the room that a step has
            p = jnp.where(p < low + snap, low, jnp.where(p > high - snap, high, p))
            new = inward(p)
            # at the end f no longer tells, for it is flat there; its slope does
            level = new.f <= at.f + 1e-12 * (1 + jnp.abs(at.f))
            lower = (new.f < at.f) | (level & (jnp.linalg.norm(new.g) < jnp.linalg.norm(at.g)))
            kept = jax.tree.map(lambda a, b: jnp.where(lower, a, b), new, at)
            return kept, jnp.where(lower, jnp.minimum(2 * reach, spacing), reach / 4), length, count + 1

        def moving(state: tuple[_Place, Array, Array, Array]) -> Array:
            at, reach, length, count = state
            nearby = jnp.linalg.norm(at.p - first) < _NEARBY * spacing
            return (count < _STEPS) & nearby & (jnp.minimum(reach, length) > _STILL * spacing)

        far = jnp.asarray(spacing, first.dtype)
        start = inward(first), far, far, jnp.asarray(0)
        end = jax.lax.while_loop(moving, step, start)[0].p
        return end, *self.seen(c, end)


class _Place(NamedTuple):
    """A point with f, ∇f and H, as far as the box lets it move."""

    p: Array
    f: Array
    g: Array
    H: Array


_STEPS = 40
_NEARBY = 5
"""Spacings: what is farther away than that from a point of the grid is next to another one."""
_STILL = 1e-9
"""Of the spacing: a step as short as that is the last, for Newton's steps double the digits."""


def bends(H: Float[Array, "2 2"]) -> tuple[Float[Array, "2"], Float[Array, "2 2"]]:
    """The eigenvalues of a symmetric matrix, ascending, and its eigenvectors as columns.

    H = m I + r [[cos 2θ, sin 2θ], [sin 2θ, −cos 2θ]], so λ = m ± r, and (cos θ, sin θ) belongs to m + r.
    """
    m, a, b = (H[0, 0] + H[1, 1]) / 2, (H[0, 0] - H[1, 1]) / 2, (H[0, 1] + H[1, 0]) / 2
    r, θ = jnp.hypot(a, b), jnp.arctan2(b, a) / 2
    c, s = jnp.cos(θ), jnp.sin(θ)
    return jnp.stack([m - r, m + r]), jnp.stack([jnp.stack([-s, c]), jnp.stack([c, s])])


@contextlib.contextmanager
def double() -> Iterator[None]:
    """Within it JAX computes in float64 on the processor, and mixed kinds of numbers are no error, whatever the
    caller's settings.

    On a GPU a dip takes longer, for it is next to no work; and the pits of a seed would be others in the last digits.
    """
    with jax.enable_x64(True), jax.default_device(_processor()), precision.promoting():
        yield


@cache
def _processor() -> Any:
    """None, which is JAX's own choice, where it was told to use no processor."""
    try:
        return jax.local_devices(backend="cpu")[0]
    except RuntimeError:
        return None
