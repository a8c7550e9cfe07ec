r"""The normal equations of many fits at once, and their solution.

With residuals r = f − y, weights w, the rows of J = ∂f/∂θ and cost C = ½ Σ w r²:

    gradient   ∂C/∂θ = Jᵀ w r
    gram       JᵀwJ, Gauss and Newton's stand-in for the Hessian
    hessian    JᵀwJ + Σ w r ∂²f/∂θ², the whole of it

Every array here has the fits as its last axis, so that a processor's vector lanes each hold a fit, and symmetric
matrices are packed: the lower triangle row by row, (p(p+1)/2, m). They are scaled to a unit diagonal before they are
factored, since one parameter may be a wavelength and the next a count, and factored by a Cholesky decomposition
that is written out, which for so few rows beats any call to a library.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from mvcalc_jax.require import AnyArray


class Normal(NamedTuple):
    """Cost and derivatives at the parameters of m fits; `hessian` is None where only Gauss and Newton's is known."""

    cost: Float[AnyArray, " m"]
    gradient: Float[AnyArray, "p m"]
    gram: Float[AnyArray, "t m"]
    hessian: Float[AnyArray, "t m"] | None


def packed(i: int, j: int) -> int:
    """Where entry (i, j) of a symmetric matrix is among the packed ones."""
    i, j = max(i, j), min(i, j)
    return i * (i + 1) // 2 + j


def pairs(p: int) -> list[tuple[int, int]]:
    """The entries (i, j) of a packed matrix of p rows, in their order."""
    return [(i, j) for i in range(p) for j in range(i + 1)]


def unpacked(matrix: Float[AnyArray, "t m"], p: int) -> Float[Array, "p p m"]:
    """A packed matrix written out."""
    return jnp.stack([jnp.stack([matrix[packed(i, j)] for j in range(p)]) for i in range(p)])


def dot(a: Float[AnyArray, "n #m"], b: Float[AnyArray, "n #m"]) -> Float[Array, " m"]:
    """Σₖ aₖ bₖ for each fit."""
    return jnp.sum(a * b, axis=0)


def equations(
    residual: AnyArray, columns: Sequence[AnyArray], weights: AnyArray | None
) -> tuple[Array, Array]:
    """The gradient Jᵀwr (p, m) and the gram matrix JᵀwJ (packed) of J's columns, each (n, m)."""
    weighted = columns if weights is None else [weights * c for c in columns]
    gradient = jnp.stack([dot(c, residual) for c in weighted])
    return gradient, jnp.stack([dot(weighted[i], columns[j]) for i, j in pairs(len(columns))])


class Factor(NamedTuple):
    """A Cholesky factor L of the scaled matrix D A D, with D = `scale`.

    Attributes:
        columns: of L, each from its diagonal down, (p − j, m); the diagonal is inverted.
        scale: D, (p, m); 0 for a parameter that is held, or that nothing depends on.
        pivot: the least pivot, (m,): the part of a column that the columns before it do not explain.
    """

    columns: list[Any]
    scale: Float[AnyArray, "p m"]
    pivot: Float[AnyArray, " m"]


def scaling(gram: Float[AnyArray, "t m"], held: Bool[AnyArray, "p #m"] | None = None) -> Array:
    """D: one over the norm of each column of √w J, and 0 where it is held or vanishes."""
    count = next(p for p in range(1, len(gram) + 1) if p * (p + 1) // 2 == len(gram))
    diagonal = jnp.stack([gram[packed(i, i)] for i in range(count)])
    used = diagonal > 0 if held is None else (diagonal > 0) & ~held
    return jnp.where(used, 1 / jnp.sqrt(jnp.where(used, diagonal, 1)), 0)


def factor(
    matrix: Float[AnyArray, "t m"],
    scale: Float[AnyArray, "p m"],
    damping: Float[AnyArray, "p m"] | None = None,
) -> Factor:
    """Factor D A D, with the damping added to its diagonal.

    Where a pivot is not positive the matrix is not positive definite, and `pivot` says so.
    """
    p, pivots, columns, inverted = len(scale), [], [], jnp.ones(())
    for j in range(p):
        below = jnp.stack([matrix[packed(i, j)] for i in range(j, p)]) * scale[j:] * scale[j]
        for k, column in enumerate(columns):
            below -= column[j - k :] * column[j - k]
        diagonal = below[0] if damping is None else below[0] + damping[j]
        pivot = jnp.where(scale[j] > 0, diagonal, 1)
        inverted = 1 / jnp.sqrt(jnp.where(pivot > 0, pivot, 1))
        columns.append(
            below * inverted if j == p - 1 else jnp.concatenate([inverted[None], below[1:] * inverted])
        )
        pivots.append(pivot)
    columns[-1] = inverted[None]
    return Factor(columns, scale, jnp.min(jnp.stack(pivots), axis=0))


def factor_of(columns: Sequence[Float[AnyArray, "n m"]], held: Bool[AnyArray, "p m"]) -> Factor:
    """The same factor from the columns of √w J themselves, by the modified method of Gram and Schmidt.

    The gram matrix has lost half of the digits of nearly dependent columns; the columns have not.
    """
    norms = jnp.stack([jnp.sqrt(dot(c, c)) for c in columns])
    used = (norms > 0) & ~held
    scale = jnp.where(used, 1 / jnp.where(used, norms, 1), 0)
    rest, rows, pivots = [c * s for c, s in zip(columns, scale, strict=True)], [], []
    for j, column in enumerate(rest):
        length = jnp.sqrt(dot(column, column))
        inverted = jnp.where(used[j] & (length > 0), 1 / jnp.where(length > 0, length, 1), 1)
        direction = column * inverted
        row = [inverted]
        for k in range(j + 1, len(rest)):
            along = dot(direction, rest[k])
            rest[k] = rest[k] - along * direction
            row.append(along)
        rows.append(jnp.stack(row))
        pivots.append(jnp.where(used[j], length**2, 1))
    return Factor(rows, scale, jnp.min(jnp.stack(pivots), axis=0))


def descend(factored: Factor, gradient: Float[AnyArray, "p m"]) -> tuple[Array, Array]:
    """The step δ = −A⁻¹g, and the decrement gᵀA⁻¹g: twice what the quadratic model says it gains."""
    half = _forward(factored, gradient * factored.scale)
    return -_backward(factored, half) * factored.scale, jnp.sum(half * half, axis=0)


def inverse(factored: Factor) -> Float[Array, "p p m"]:
    """A⁻¹; rows and columns of held parameters are 0."""
    p, scale = len(factored.scale), factored.scale
    unit = jnp.broadcast_to(jnp.eye(p, dtype=scale.dtype)[..., None], (p, *scale.shape))
    return _backward(factored, _forward(factored, unit)) * scale[:, None] * scale


def _forward(factored: Factor, b: Float[AnyArray, "p *k m"]) -> Array:
    """z of L z = b."""
    z = []
    for column in factored.columns:
        z.append(b[0] * column[0])
        b = b[1:] - _beside(column[1:], b) * z[-1]
    return jnp.stack(z)


def _backward(factored: Factor, z: Float[AnyArray, "p *k m"]) -> Array:
    """a of Lᵀ a = z."""
    a: list[Any] = []
    for j, column in reversed(list(enumerate(factored.columns))):
        known = z[j] - sum(_beside(column[1:], z)[k] * a[k] for k in range(len(a)))
        a.insert(0, known * column[0])
    return jnp.stack(a)


def _beside(column: AnyArray, b: AnyArray) -> Any:
    """A column of L, so that it multiplies all right-hand sides."""
    return column if column.ndim == b.ndim else column[:, None]
