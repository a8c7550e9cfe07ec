r"""The normal equations of a peak on a line, from moments: eleven sums instead of the fifteen of its columns.

With u = (x − m)/s, e = exp(−u²/2), residuals r = A e − y and weights w, all first and second derivatives of the cost
½ Σ w r² in (A, m, s) are combinations of

    S_k = Σ w e² uᵏ,   R_k = Σ w e r uᵏ,   k = 0..4

because ∂f = e (1, A u/s, A u²/s). With a = A/s and D = diag(1, a, a):

    Jᵀwr = D (R0, R1, R2)
    JᵀwJ = D [S0 S1 S2; S1 S2 S3; S2 S3 S4] D
    H    = JᵀwJ + D [0 R1 R2; R1 R2−R0 R3−2R1; R2 R3−2R1 R4−3R2] D / A

An offset c adds the column 1, and with it the sums Σ w, Σ w r and Σ w e uᵏ, k = 0..2.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax.numpy as jnp
from jax import lax

from mvcalc_jax.fitting.loop import Data, Model
from mvcalc_jax.fitting.normal import Normal
from mvcalc_jax.models.bell import standardised


@lru_cache(maxsize=8)
def line_peak(
    limit: Callable[[Any, Any, Data], Any], outside: Callable[[Any, Data], Any], *, offset: bool
) -> Model:
    """Least squares of (amplitude, mean, stddev) or (amplitude, mean, stddev, offset)."""

    def exact(theta: Any, data: Data) -> Normal:
        A, m, s = theta[0], theta[1], theta[2]
        u, e = standardised(data.x, m, s)
        r = A * e - data.y + (theta[3] if offset else 0)
        u, e, r = lax.optimization_barrier((u, e, r))  # or XLA takes the exponential once for each sum
        w = data.weights
        we, wr = (e, r) if w is None else (w * e, w * r)
        eu, eu2 = e * u, e * u * u
        S = [jnp.sum(v, axis=0) for v in (we * e, we * eu, we * eu2, we * u * eu2, we * u * u * eu2)]
        R = [jnp.sum(v, axis=0) for v in (wr * e, wr * eu, wr * eu2, wr * u * eu2, wr * u * u * eu2)]
        a, b = A / s, 1 / s
        gradient = [R[0], a * R[1], a * R[2]]
        gram = [S[0], a * S[1], a * a * S[2], a * S[2], a * a * S[3], a * a * S[4]]
        bend = [
            0,
            b * R[1],
            a * b * (R[2] - R[0]),
            b * R[2],
            a * b * (R[3] - 2 * R[1]),
            a * b * (R[4] - 3 * R[2]),
        ]
        if offset:
            ones = jnp.ones_like(data.y) if w is None else jnp.broadcast_to(w, data.y.shape)
            gradient.append(jnp.sum(wr, axis=0))
            E = [jnp.sum(v, axis=0) for v in (we, we * u, we * u * u)]
            gram += [E[0], a * E[1], a * E[2], jnp.broadcast_to(jnp.sum(ones, axis=0), A.shape)]
            bend += [0, 0, 0, 0]
        hessian = jnp.stack([flat + curved for flat, curved in zip(gram, bend, strict=True)])
        return Normal(jnp.sum(wr * r, axis=0) / 2, jnp.stack(gradient), jnp.stack(gram), hessian)

    return Model(lambda theta, data: exact(theta, data)._replace(hessian=None), exact, limit, outside=outside)
