r"""The modified Bessel functions e^(−|x|) I₀(x) and e^(−|x|) I₁(x), as JAX has them, as series.

    I_n′ = (I_{n−1} + I_{n+1})/2,  so that  I_n⁽ᵏ⁾ = 2⁻ᵏ Σ_j C(k, j) I_{n+k−2j},

a sum without cancellation where x > 0. The I_n come from Miller's backward recurrence (Olver et al., NIST Handbook
(2010), §3.6): I_{n−1} = I_{n+1} + 2n/x I_n, started far out, and scaled so that I₀ has the value that JAX gives.
"""

from math import comb

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from mvcalc_jax.taylor.series import recurrences as r

_FARTHER = 100
"""The recurrence starts so far beyond the order needed: enough for |x| < 200."""


def scaled(first: int, u: Array, way: Array) -> Array:
    """e^(−|u|) I₀(u) or e^(−|u|) I₁(u); `way` is the sign of u."""
    x, n = u[0], len(u)
    size = jnp.abs(x)
    orders = _orders(size, n + 1)
    k = np.arange(n)
    weights = np.zeros((n, n + 2))
    for row in k:
        for j in range(row + 1):
            weights[row, abs(first + row - 2 * j)] += comb(row, j) / 2.0**row
    derivatives = jnp.tensordot(jnp.asarray(weights, u.dtype), orders, 1)
    factorials = np.cumprod(np.maximum(k, 1.0))
    local = derivatives / jnp.asarray(factorials, u.dtype).reshape(-1, *(1,) * x.ndim)
    inside = r.composed(local, way * u) * (way if first else 1)
    moved = r.started(way * u, jnp.zeros_like(x))
    return r.mul(inside, r.exp(-moved))


def _orders(x: Array, last: int) -> Array:
    """e⁻ˣ I_n(x) for n = 0 … last."""
    start = last + _FARTHER
    ratio_of = lambda above, n: (1 / (2 * n / x + above),) * 2
    n = jnp.arange(start, 0, -1, dtype=x.dtype)
    ratios = lax.scan(lambda above, n: ratio_of(above, n), jnp.zeros_like(x), n)[1][::-1][:last]
    ratios = jnp.where(x == 0, 0.0, ratios)
    return lax.bessel_i0e(x) * jnp.concatenate([jnp.ones_like(x)[None], jnp.cumprod(ratios, axis=0)])
