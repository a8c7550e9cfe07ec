r"""Slopes by rise over run: derivatives from values of a function alone.

    forward   (f(x + h) − f(x)) / h          = f′(x) + f″(x) h/2 + …
    central   (f(x + h) − f(x − h)) / 2h     = f′(x) + f‴(x) h²/6 + …

A small step h leaves little truncation error, but divides the rounding error of f, about ε|f|, by h. Between
the two lies a best step: near √ε for the forward difference and ∛ε for the central one, which leaves at best
half, or two thirds, of the digits. Reference: Press et al., Numerical Recipes (2007), §5.7.

`forward_difference` and `central_difference` are these formulas, at a step of one's own, for arrays; JAX can compile
and differentiate them. `derivative` is for a function of one number: it chooses the step, and gives an error bar.

| method       | function             | what it is                                          |
|--------------|----------------------|-----------------------------------------------------|
| forward      | `forward_slope`      | as above, at √ε                                     |
| central      | `central_slope`      | as above, at ∛ε                                     |
| ridders      | `ridders`            | extrapolated to a step of 0; the one to take        |
| complex step | `complex_step`       | for analytic functions in JAX, as exact as autodiff |
| autodiff     | `autodiff_slope`     | for functions in JAX                                |
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mvcalc_jax import require
from mvcalc_jax.calculus.slopes.complexstep import complex_step
from mvcalc_jax.calculus.slopes.estimates import Estimate, autodiff_slope, central_slope, forward_slope
from mvcalc_jax.calculus.slopes.extrapolation import ridders
from mvcalc_jax.require import AnyArray

SLOPE_METHODS: dict[str, Callable[[Callable[..., Any], Any], Estimate]] = {
    "forward": forward_slope,
    "central": central_slope,
    "ridders": ridders,
    "complex step": complex_step,
    "autodiff": autodiff_slope,
}
"""From the least to the most precise.

>>> for method in mv.calculus.SLOPE_METHODS:
...     slope = mv.derivative(jnp.exp, 0.0, method)
...     print(f"{method:12} {slope.value:.9f}, {-np.log10(slope.error):.0f} digits known")
forward      1.000000000, 8 digits known
central      1.000000000, 10 digits known
ridders      1.000000000, 14 digits known
complex step 1.000000000, 15 digits known
autodiff     1.000000000, 15 digits known
"""


def derivative(f: Callable[..., Any], x: Any, method: str = "ridders") -> Estimate:
    """f′(x) with its own error bar.

    Args:
        f: a function of one number; for the complex step and autodiff written in JAX, for the others in anything.
        x: a number, or an array of them. The precision of the result is that of x; a Python number is a float64.
        method: of `SLOPE_METHODS`.

    Raises:
        TypeError: where f or x is nothing of the kind, or the method cannot be used for f.
        ValueError: where x is not finite, f returns several numbers, or the method is unknown.

    >>> slope = mv.derivative(jnp.sin, 1.0)
    >>> print(f"{slope.value:.12f}", slope.message)
    0.540302305868 there is a derivative, within the error bar
    >>> bool(abs(slope.value - np.cos(1.0)) < slope.error < 1e-12)
    True
    >>> mv.derivative(jnp.abs, 0.0).found  # nor is there a slope where f has a kink
    False
    """
    require.one_of("method", method, SLOPE_METHODS)
    return SLOPE_METHODS[method](f, x)


def forward_difference(
    f: Callable[[Array], Array], x: Float[AnyArray, "*in"], step: float | AnyArray
) -> Float[Array, "*out_in"]:
    """∂f/∂x from one value more for each entry of x; output axes first.

    Args:
        f: of an array of x's shape (*in), to an array (*out), written in JAX.
        x: where.
        step: h, for every entry of x the same; it is in x's units.

    Returns:
        (*out, *in); off by about f″h/2, and by the rounding of f over h.

    >>> mv.calculus.forward_difference(jnp.square, jnp.array([1.0, 2.0, 3.0]), 0.5)  # 2x + h on the diagonal
    Array([[2.5, 0. , 0. ],
           [0. , 4.5, 0. ],
           [0. , 0. , 6.5]], dtype=float32)
    """
    return _differences(f, x, step, lambda at, h, e: (f(at + h * e) - f(at)) / h)


def central_difference(
    f: Callable[[Array], Array], x: Float[AnyArray, "*in"], step: float | AnyArray
) -> Float[Array, "*out_in"]:
    """∂f/∂x from two values for each entry of x; output axes first.

    Takes and returns what `forward_difference` does; it is off by about f‴h²/6, and by the rounding of f over h.

    >>> mv.calculus.central_difference(jnp.square, jnp.array([1.0, 2.0, 3.0]), 0.5)  # 2x: exact for parabolas
    Array([[2., 0., 0.],
           [0., 4., 0.],
           [0., 0., 6.]], dtype=float32)
    """
    return _differences(f, x, step, lambda at, h, e: (f(at + h * e) - f(at - h * e)) / (2 * h))


def _differences(
    f: Callable[[Array], Array], x: AnyArray, step: float | AnyArray, slope: Callable[..., Array]
) -> Array:
    """One slope along every axis of x, each axis with the step that floating point really took."""
    f = require.function("f", f)
    require.floating("x", x)
    require.positive("step", step)
    value = require.traceable("f", f, x)
    if not (hasattr(value, "dtype") and jnp.issubdtype(value.dtype, jnp.inexact)):
        raise TypeError(f"`f` must return an array of floating-point numbers; got {value}")
    x = jnp.asarray(x)
    h = jnp.asarray(step, x.dtype)
    axes = jnp.eye(x.size, dtype=x.dtype).reshape(x.size, *x.shape)
    slopes = jax.vmap(lambda e: slope(x, h, e), out_axes=-1)(axes)
    return slopes.reshape(*slopes.shape[:-1], *x.shape)
