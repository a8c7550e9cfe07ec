r"""The normal equations of a shape whose derivatives are written by hand (`models.bell`, `models.bins`).

    least squares   C = ½ Σ w (f − y)²            g = Σ w r J    H = Σ w (J Jᵀ + r ∂²f)
    likelihood      C = Σ f − y + y ln(y/f)       g = Σ (1 − y/f) J    H = Σ (y/f²) J Jᵀ + (1 − y/f) ∂²f

The likelihood is that of counts y, each Poisson with mean f; C is half of its deviance, and its gram matrix is
Fisher's information Σ J Jᵀ/f, so that the same loop climbs it. Reference: T. A. Laurence and B. A. Chromy, Efficient
maximum likelihood estimator fitting of histograms, Nature Methods 7 (2010), 338-339.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax.numpy as jnp

from mvcalc_jax.fitting import normal
from mvcalc_jax.fitting.loop import Data, Model
from mvcalc_jax.fitting.losses import LOSSES
from mvcalc_jax.fitting.normal import Normal
from mvcalc_jax.models.bell import Shape

Limit = Callable[[Any, Any, Data], Any]


@lru_cache(maxsize=64)
def least_squares(
    shape: Callable[..., Shape],
    limit: Limit | None = None,
    outside: Callable[[Any, Data], Any] | None = None,
    loss: str = "linear",
    f_scale: float = 1.0,
) -> Model:
    """Least squares, or a robust loss. The same arguments give the same object."""
    ρ = LOSSES[loss]

    def evaluate(theta: Any, data: Data, whole: bool) -> Normal:
        f, columns, second = shape(theta, data.x)
        r, w, bend = f - data.y, data.weights, None
        if loss == "linear":
            cost = jnp.sum(r * r if w is None else w * r * r, axis=0) / 2
        else:
            z = r * r / f_scale**2 if w is None else w * r * r / f_scale**2
            cost = f_scale**2 * jnp.sum(ρ.value(z), axis=0) / 2
            slope = ρ.slope(z)
            curved = slope + 2 * z * ρ.bend(z)
            w, bend = (slope, curved) if w is None else (w * slope, w * curved)
        gradient, gram = normal.equations(r, columns, w)
        if not whole:
            return Normal(cost, gradient, gram, None)
        flat = gram if bend is None else normal.equations(r, columns, bend)[1]
        return Normal(cost, gradient, gram, _curved(flat, second, r if w is None else w * r))

    def spread(theta: Any, data: Data) -> Any:
        f, columns, _ = shape(theta, data.x)
        r, w = f - data.y, 1 if data.weights is None else data.weights
        ψ = w * ρ.slope(w * r * r / f_scale**2) * r
        return normal.equations(r, columns, ψ**2)[1], jnp.sum(w * r * r, axis=0)

    normal_only, whole = (lambda t, d: evaluate(t, d, False)), (lambda t, d: evaluate(t, d, True))
    spread_or_none = None if loss == "linear" else spread
    return Model(normal_only, whole, limit, outside=outside, spread=spread_or_none)


@lru_cache(maxsize=64)
def likelihood(
    shape: Callable[..., Shape], limit: Limit | None = None, outside: Callable[[Any, Data], Any] | None = None
) -> Model:
    """The likelihood of Poisson counts. The same arguments give the same object."""

    def evaluate(theta: Any, data: Data, whole: bool) -> Normal:
        f, columns, second = shape(theta, data.x)
        y, w = data.y, data.weights
        f = jnp.maximum(f, jnp.finfo(f.dtype).tiny ** 0.5)  # a mean of 0 would make every count impossible
        ratio = y / f
        parts = _deviance(f, y)
        cost = jnp.sum(parts if w is None else w * parts, axis=0)
        force = 1 - ratio if w is None else w * (1 - ratio)
        gradient = jnp.stack([normal.dot(c, force) for c in columns])
        gram = normal.equations(force, columns, 1 / f if w is None else w / f)[1]
        if not whole:
            return Normal(cost, gradient, gram, None)
        flat = normal.equations(force, columns, ratio / f if w is None else w * ratio / f)[1]
        return Normal(cost, gradient, gram, _curved(flat, second, force))

    return Model(
        lambda t, d: evaluate(t, d, False), lambda t, d: evaluate(t, d, True), limit, outside=outside
    )


def _deviance(f: Any, y: Any) -> Any:
    """f − y + y ln(y/f), half of a count's deviance.

    Where f and y are near, the terms cancel, and what is left would be right to the rounding of y only; with log1p it
    is right to that of f − y.
    """
    near = jnp.abs(f - y) < y / 2
    t = jnp.where(near, (f - y) / jnp.where(near, y, 1), 0)
    ratio = jnp.where(near | (y == 0), 1, y / f)
    return jnp.where(near, y * (t - jnp.log1p(t)), f - y + y * jnp.log(ratio))


def _curved(flat: Any, second: dict[tuple[int, int], Any], force: Any) -> Any:
    """The Hessian: a packed matrix and Σ force ∂²f."""
    entries = list(flat)
    for (i, j), entry in second.items():
        entries[normal.packed(i, j)] = entries[normal.packed(i, j)] + normal.dot(force, entry)
    return jnp.stack(entries)
