"""Series of matrices: triangular systems and factors, from the equations that define them, order by order."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import Array, lax

from mvcalc_jax.taylor.series.recurrences import Known, at, unfold

_T = lambda a: jnp.swapaxes(a, -1, -2)


def triangular_solve(params: dict[str, Any], bind: Callable[..., Any], a: Array, b: Array) -> Array:
    """x with a x = b or x a = b: a₀ xₖ = bₖ − Σ_{j≥1} aⱼ xₖ₋ⱼ."""
    half = jnp.tril if params["lower"] else jnp.triu
    later = half(a, -1 if params["lower"] else 1) if params["unit_diagonal"] else half(a)
    later = _T(later) if params["transpose_a"] else later
    behind = jnp.concatenate([later[1:], jnp.zeros_like(later[:1])])
    times = (lambda x: behind @ x) if params["left_side"] else (lambda x: x @ behind)

    def step(k: Array, one: Array, x: Known) -> Any:
        here = at(one, b)
        return (bind(a[0], here - jnp.sum(times(x.backward), axis=0)),)

    return unfold((bind(a[0], b[0]),), step, len(a) - 1)[0]


def lu(bind: Callable[..., Any], a: Array) -> list[Any]:
    """L and U in one array, with their pivots: L₀⁻¹ (Pₖ − Σ Lⱼ Uₖ₋ⱼ) U₀⁻¹ is a strictly lower part and an upper one."""
    packed, pivots, permutation = bind(a[0])
    p = jnp.take_along_axis(a, permutation[None, ..., None], axis=-2)
    n = a.shape[-1]
    eye = jnp.eye(n, dtype=a.dtype)
    L0, U0 = jnp.tril(packed, -1) + eye, jnp.triu(packed)

    def step(k: Array, one: Array, L: Known, U: Known) -> Any:
        rest = at(one, p) - jnp.sum(L.forward[1:] @ U.backward[:-1], axis=0)  # only what both know
        z = lax.linalg.triangular_solve(L0, rest, left_side=True, lower=True, unit_diagonal=True)
        z = lax.linalg.triangular_solve(U0, z, left_side=False, lower=False)
        return L0 @ jnp.tril(z, -1), jnp.triu(z) @ U0

    L, U = unfold((L0, U0), step, len(a) - 1)
    return [jnp.tril(L, -1) + U, pivots, permutation]


def cholesky(bind: Callable[..., Any], a: Array) -> Array:
    """L with L Lᵀ = a: L₀ Φ(L₀⁻¹ (aₖ − Σ Lⱼ Lₖ₋ⱼᵀ) L₀⁻ᵀ), Φ the lower part with half the diagonal."""
    L0 = jnp.tril(bind(a[0]))  # what stands above the diagonal is nobody's

    def step(k: Array, one: Array, L: Known) -> Any:
        rest = at(one, a) - jnp.sum(L.forward[1:] @ _T(L.backward[:-1]), axis=0)
        z = lax.linalg.triangular_solve(L0, rest, left_side=True, lower=True)
        z = lax.linalg.triangular_solve(L0, z, left_side=False, lower=True, transpose_a=True)
        return (L0 @ (jnp.tril(z, -1) + 0.5 * jnp.eye(a.shape[-1], dtype=a.dtype) * z),)

    return unfold((L0,), step, len(a) - 1)[0]
