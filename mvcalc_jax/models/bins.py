r"""What a Gaussian puts into the bins of a histogram, with first and second derivatives by hand.

A bin does not hold the density at its centre times its width, but the integral of the density. With u = (x − m)/s,
φ the standard normal density, Φ its integral, and Δg = g(u at the upper edge) − g(u at the lower one):

    F     = N ΔΦ
    ∂F    = (ΔΦ,  −N Δφ/s,  −N Δ(uφ)/s)                             in (N, m, s)
    ∂²F   : F_NN = 0,            F_Nm = −Δφ/s,                  F_Ns = −Δ(uφ)/s
            F_mm = −N Δ(uφ)/s²,  F_ms = N (Δφ − Δ(u²φ))/s²,     F_ss = N (2 Δ(uφ) − Δ(u³φ))/s²

since φ′ = −uφ, ∂u/∂m = −1/s and ∂u/∂s = −u/s. N is the area under the whole Gaussian: the count to be expected if the
bins cover the line.

Differences of nearly equal numbers are avoided, so that every digit is right in far tails and narrow bins. Each bin is
mirrored to the side where its centre c is positive; with near edge a, far edge b = a + h:

    ΔΦ    = (erfc(a/√2) − erfc(b/√2))/2, both small in the tail; for a narrow bin the series about its centre,
            φ(c) Σ He₂ₖ(c) h (h/2)²ᵏ/(2k+1)!, k = 0..4
    Δφ    = φ(a) (e^(−ch) − 1), by expm1, for φ(b) = φ(a) e^(−ch)
    Δ(uⁿφ) = (bⁿ − aⁿ) φ(b) + aⁿ Δφ

The edges are the first axis of x: (lower, upper), each of any shape; the outermost may be infinite. `Shape` and what
arranges it, `value`, `jacobian` and `hessian`, are those of `models.bell`.
"""

import math
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jax.scipy.special import erfc

from mvcalc_jax.models import bell
from mvcalc_jax.models.bell import Shape
from mvcalc_jax.models.gaussian import FAR
from mvcalc_jax.require import AnyArray

_NARROW = 0.1
"""h (1 + c) below which erfc's difference would lose a digit, and the series' sixth term is below rounding."""


def binned_peak(theta: Sequence[Any] | AnyArray, edges: Any) -> Shape:
    """A Gaussian's share of each bin, θ = (area, mean, stddev); edges holds lower and upper ones on its first axis.

    >>> edges = jnp.array([[-jnp.inf, -1.0, 1.0], [-1.0, 1.0, jnp.inf]])  # three bins, the outer ones open
    >>> print(np.array(mv.models.bins.binned_peak((1.0, 0.0, 1.0), edges).value).round(4))
    [0.1587 0.6827 0.1587]
    """
    N, m, s = theta
    lower, upper = (jnp.clip(edge, m - FAR * s, m + FAR * s) for edge in edges)
    a, b, h = (lower - m) / s, (upper - m) / s, (upper - lower) / s
    mirrored = a + b < 0
    side = jnp.where(mirrored, -1, 1).astype(a.dtype)  # what is odd in u changes its sign in the mirror
    a, b = jnp.where(mirrored, -b, a), jnp.where(mirrored, -a, b)
    c = (a + b) / 2
    φ_a = jnp.exp(-a * a / 2) / math.sqrt(2 * math.pi)
    φ_b = φ_a * jnp.exp(-c * h)
    Δφ = φ_a * jnp.expm1(-c * h)
    Δuφ = h * φ_b + a * Δφ
    Δu2φ = 2 * c * h * φ_b + a * a * Δφ
    Δu3φ = h * (a * a + a * b + b * b) * φ_b + a * a * a * Δφ
    ΔΦ = jnp.where(
        h * (1 + c) < _NARROW,
        _about_centre(c, h),
        (erfc(a * math.sqrt(0.5)) - erfc(b * math.sqrt(0.5))) / 2,
    )
    second = {
        (1, 0): -side * Δφ / s,
        (2, 0): -Δuφ / s,
        (1, 1): -N / s**2 * Δuφ,
        (2, 1): N / s**2 * side * (Δφ - Δu2φ),
        (2, 2): N / s**2 * (2 * Δuφ - Δu3φ),
    }
    return Shape(N * ΔΦ, (ΔΦ, -N / s * side * Δφ, -N / s * Δuφ), second)


def midpoint_peak(theta: Sequence[Any] | AnyArray, edges: Any) -> Shape:
    """The density at each bin's centre times its width: what is wrong by h²/24 of the density's second derivative.

    >>> edges = jnp.array([[-1.0], [1.0]])  # of one wide bin, which holds 0.6827
    >>> print(np.array(mv.models.bins.midpoint_peak((1.0, 0.0, 1.0), edges).value).round(4))
    [0.7979]
    """
    lower, upper = edges
    width = upper - lower
    at = bell.area_peak(theta, (lower + upper) / 2)
    return Shape(
        at.value * width,
        tuple(column * width for column in at.columns),
        {where: entry * width for where, entry in at.second.items()},
    )


def _about_centre(c: Any, h: Any) -> Any:
    """ΔΦ of a narrow bin. Where it is not narrow, this is another number, but a finite one."""
    cc, k = c * c, h * h / 4
    hermite = [  # He₂, He₄, He₆, He₈
        cc - 1,
        cc * (cc - 6) + 3,
        cc * (cc * (cc - 15) + 45) - 15,
        cc * (cc * (cc * (cc - 28) + 210) - 420) + 105,
    ]
    series = 1 + k * (
        hermite[0] / 6 + k * (hermite[1] / 120 + k * (hermite[2] / 5040 + k * hermite[3] / 362880))
    )
    return h * jnp.exp(-cc / 2) / math.sqrt(2 * math.pi) * series
