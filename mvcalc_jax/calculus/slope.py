r"""Slopes by rise over run: derivatives from values of a function alone.

    forward   (f(x + h) − f(x)) / h          = f′(x) + f″(x) h/2 + …
    central   (f(x + h) − f(x − h)) / 2h     = f′(x) + f‴(x) h²/6 + …

A small step h leaves little truncation error, but divides the rounding error of f, about ε|f|, by h. Between
the two lies a best step: near √ε for the forward difference and ∛ε for the central one, which leaves at best
half, or two thirds, of the digits. Reference: Press et al., Numerical Recipes (2007), §5.7.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mvcalc_jax import require
from mvcalc_jax.require import AnyArray


def forward_difference(
    f: Callable[[Array], Array], x: Float[AnyArray, "*in"], step: float | AnyArray
) -> Float[Array, "*out_in"]:
    """∂f/∂x from one value more for each entry of x; output axes first."""
    return _differences(f, x, step, lambda at, h, e: (f(at + h * e) - f(at)) / h)


def central_difference(
    f: Callable[[Array], Array], x: Float[AnyArray, "*in"], step: float | AnyArray
) -> Float[Array, "*out_in"]:
    """∂f/∂x from two values for each entry of x; output axes first."""
    return _differences(f, x, step, lambda at, h, e: (f(at + h * e) - f(at - h * e)) / (2 * h))


def _differences(
    f: Callable[[Array], Array], x: AnyArray, step: float | AnyArray, slope: Callable[..., Array]
) -> Array:
    """One slope along every axis of x, each axis with the step that floating point really took."""
    require.floating("x", x)
    require.positive("step", step)
    x = jnp.asarray(x)
    h = jnp.asarray(step, x.dtype)
    axes = jnp.eye(x.size, dtype=x.dtype).reshape(x.size, *x.shape)
    slopes = jax.vmap(lambda e: slope(x, h, e), out_axes=-1)(axes)
    return slopes.reshape(*slopes.shape[:-1], *x.shape)
