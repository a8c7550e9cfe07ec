r"""The normal density, its derivatives, and χ² of a histogram against it, all by hand.

With θ = (μ, σ) and u = (x − μ)/σ:

    f = exp(−u²/2) / (σ√2π)
    ∂f/∂μ = f u/σ                      the x-axis seen from a shifted centre
    ∂f/∂σ = f (u² − 1)/σ               the exponent gives u²/σ, the factor 1/σ gives −1/σ
    χ² = Σₖ (yₖ − f(xₖ))²
    ∂χ²/∂θ = −2 Σₖ (yₖ − f(xₖ)) ∂f(xₖ)/∂θ

The last axis of every Jacobian is θ's: (μ, σ). σ must be positive: where its value is known a σ ≤ 0
raises, and inside compiled code it gives NaN, so that a descent which steps there stops and says so.
"""

import math

import jax.numpy as jnp
from jaxtyping import Array, Float

from mvcalc_jax import require
from mvcalc_jax.require import AnyArray

FAR = 64.0
"""exp(−u²/2) and erfc are 0 in float32 and float64 alike long before |u| is this, so holding x within 64σ of μ changes
no value; it keeps 0·u⁴ from becoming 0·∞ in the tails and for a tiny σ, for autodiff too."""


def density(theta: Float[AnyArray, "2"], x: Float[AnyArray, "..."]) -> Float[Array, "..."]:
    """f(x; μ, σ), in units of 1/x.

    Args:
        theta: (mu, sigma), in the units of x.
        x: points, of any shape.

    Raises:
        ValueError: if theta does not have shape (2,), or sigma is not positive.
        TypeError: if either does not hold floating-point numbers.

    >>> print(np.array(mv.gaussian.density(jnp.array([170.0, 5.0]), jnp.array([165.0, 170.0]))).round(4))
    [0.0484 0.0798]
    """
    σ, u = _standardise(theta, x)
    return jnp.exp(-(u**2) / 2) / (σ * math.sqrt(2 * math.pi))


def jacobian(theta: Float[AnyArray, "2"], x: Float[AnyArray, "..."]) -> Float[Array, "... 2"]:
    """∂f/∂(μ, σ) at every x, in units of 1/x².

    >>> print(np.array(mv.gaussian.jacobian(jnp.array([0.0, 1.0]), jnp.array([0.0, 1.0, 2.0]))).round(4))
    [[ 0.     -0.3989]
     [ 0.242   0.    ]
     [ 0.108   0.162 ]]
    """
    σ, u = _standardise(theta, x)
    f = density(theta, x)
    df_dμ = f * u / σ
    df_dσ = f * (u**2 - 1) / σ
    return jnp.stack([df_dμ, df_dσ], axis=-1)


def chi_squared(
    theta: Float[AnyArray, "2"], x: Float[AnyArray, " n"], y: Float[AnyArray, " n"]
) -> Float[Array, ""]:
    """χ² = |y − f(x)|²: how far a histogram's densities y at bin centres x are from the Gaussian's.

    >>> x, y = jnp.array([-1.0, 0.0, 1.0]), jnp.array([0.2, 0.4, 0.3])
    >>> print(f"{mv.gaussian.chi_squared(jnp.array([0.0, 1.0]), x, y):.5f}")
    0.00513
    """
    return jnp.sum(_residual(theta, x, y) ** 2)


def chi_squared_jacobian(
    theta: Float[AnyArray, "2"], x: Float[AnyArray, " n"], y: Float[AnyArray, " n"]
) -> Float[Array, "2"]:
    """∂χ²/∂(μ, σ).

    >>> x, y = jnp.array([-1.0, 0.0, 1.0]), jnp.array([0.2, 0.4, 0.3])
    >>> print(np.array(mv.gaussian.chi_squared_jacobian(jnp.array([0.0, 1.0]), x, y)).round(4))
    [-0.0484  0.0008]
    """
    return -2 * _residual(theta, x, y) @ jacobian(theta, x)


def _residual(theta: AnyArray, x: AnyArray, y: AnyArray) -> Array:
    require.floating("x", x)
    require.floating("y", y)
    require.shape("x", x, (None,), "(bins,)")
    require.shape("y", y, x.shape, "one for each x")
    return jnp.subtract(y, density(theta, x))


def _standardise(theta: AnyArray, x: AnyArray) -> tuple[Array, Array]:
    """σ, or NaN where it is not positive, and u = (x − μ)/σ held to ±64."""
    require.floating("theta", theta)
    require.shape("theta", theta, (2,), "ordered (mu, sigma)")
    require.floating("x", x)
    require.positive("sigma", theta[1])
    μ, σ = theta[0], jnp.where(theta[1] > 0, theta[1], jnp.nan)
    return σ, jnp.clip(x - μ, -FAR * σ, FAR * σ) / σ
