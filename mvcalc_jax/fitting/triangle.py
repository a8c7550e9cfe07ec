r"""Least squares through the triangle R of QR, in twice the precision: AᵀWA = RᵀR, minimise Σ w (y − A b)².

Squaring a matrix squares its condition number κ, and costs normal equations half their digits; in numbers of twice the
precision, that half is the half that nobody needs. The sums AᵀWA are one pass over the data, compiled if they are
many, after which everything is small. R is taken column by column: with the rows of R⁻ᵀ known for the columns before j,

    l = R⁻ᵀ(AᵀWa_j)        the components of a_j along the orthonormal basis Q = A R⁻¹ so far
    c = R⁻¹ l              a_j ≈ Σ c_k a_k, as well as the columns before can
    d² = a_jᵀWa_j − |l|²   what is left, squared; row j of R⁻ᵀ is (e_j − c)/d

so that a column which depends on others says at once on which, and how. Where some d² is so small that its digits do
not last, the same is done once more with Q. Then b = R⁻¹R⁻ᵀ AᵀWy, and iterative refinement: r = y − A b by the data,
in twice the precision, and b + R⁻¹R⁻ᵀ AᵀWr, until nothing is left to mend.

References: I. Yamazaki, S. Tomov, J. Dongarra, Mixed-precision Cholesky QR factorization, SIAM J. Sci. Comput. 37
(2015); Y. Yamamoto et al., Roundoff error analysis of the CholeskyQR2 algorithm, ETNA 44 (2015); Å. Björck, Numerical
methods for least squares problems (1996), on iterative refinement and corrected seminormal equations.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from mvcalc_jax.fitting.doubled import Doubled, add, divide, doubled, minus, multiply, square_root, total
from mvcalc_jax.require import AnyArray

UNRESOLVED = 1e-29
"""A d² of less than this share of |a_j|² is rounding in numbers of 32 digits."""
EAGER = 2**18
"""So many products are summed by NumPy: XLA is faster at that, but compiles for a second before it begins."""
_SHARP = 1e-14
"""Of R with such a `least`, digits are missing in the sixteenth place."""
_REFINEMENTS, _SETTLED = 3, 2.0**-80
"""Refinement ends when it changes b by so little; that is at once, but for columns that all but depend."""
_LANES, _CELLS = 256, 2**20
"""Points that are summed beside each other, and the most sums that are kept for them."""


class Blocks(NamedTuple):
    """The data in blocks, the last one filled up with points of weight 0.

    Attributes:
        rows: (blocks, p + 1, lanes), a row for each column of A, and y as the last.
        weights: (blocks, lanes).
    """

    rows: Doubled
    weights: Float[AnyArray, "blocks lanes"]


class Triangle(NamedTuple):
    """R of the columns that are independent of those before.

    Attributes:
        root: R⁻ᵀ, lower triangular, with zeros for a column that is not kept.
        kept: which columns are.
        combination: row j is c: what column j is of the kept columns before it, as well as it can be.
        left: d, the length of what is left of each.
        least: the smallest d²/|a|² of a column that is kept: the digits of R are those of numbers here, less those
            of this.
    """

    root: Doubled
    kept: Bool[np.ndarray, " p"]
    combination: Float[np.ndarray, "p p"]
    left: Float[np.ndarray, " p"]
    least: float


class Solution(NamedTuple):
    """b, and what follows from it.

    Attributes:
        coefficients: b, 0 for a column that is not kept.
        residuals: y − A b.
        leverage: wₖ|R⁻ᵀaₖ|², how much of point k's own y is in its fitted value.
        along: R⁻ᵀAᵀWy, the components of y along Q.
        root: R⁻ᵀ, with all its digits.
    """

    coefficients: Doubled
    residuals: Float[np.ndarray, " n"]
    leverage: Float[np.ndarray, " n"]
    along: Float[np.ndarray, " p"]
    root: Doubled


def blocks(columns: Doubled, y: Float[np.ndarray, " n"], weights: Float[np.ndarray, " n"]) -> Blocks:
    """Data in one block, if they are few; else in many of a size that processors have room for."""
    p, n = columns.hi.shape
    lanes = max(n, 1) if n * (p + 1) ** 2 <= EAGER else min(_LANES, max(8, _CELLS // (p + 1) ** 2))

    def cut(a: Float[np.ndarray, "... n"]) -> Float[np.ndarray, "blocks ... lanes"]:
        padded = np.pad(a, [(0, 0)] * (a.ndim - 1) + [(0, -n % lanes)])
        return np.moveaxis(padded.reshape(*a.shape[:-1], -1, lanes), -2, 0)

    rows = (np.concatenate(pair) for pair in zip(columns, doubled(y[None]), strict=True))
    return Blocks(Doubled(*map(cut, rows)), cut(weights))


def triangle(
    gram: Doubled, dependent: Any = lambda j, c, d: False, dropped: tuple[int, ...] = ()
) -> Triangle:
    """R from AᵀWA.

    Args:
        gram: (p, p), symmetric.
        dependent: whether column j is what c makes of those before it, given d, the length of what is left.
        dropped: columns that are known to depend on those before.
    """
    p = len(gram.hi)
    root, combination = doubled(np.zeros((p, p))), np.zeros((p, p))
    kept, left, least = np.zeros(p, bool), np.zeros(p), 1.0
    for j in range(p):
        l = times(root, gram.part((slice(None), j)))
        c = times(transposed(root), l)
        d2 = add(gram.part((j, j)), minus(total(multiply(l, l))))
        combination[j], left[j] = c.hi, np.sqrt(max(d2.hi, 0.0))
        if j in dropped or d2.hi <= UNRESOLVED * gram.hi[j, j] or dependent(j, c.hi, left[j]):
            continue
        kept[j], least = True, min(least, float(d2.hi / gram.hi[j, j]))
        row = minus(c)
        row.hi[j], row.lo[j] = 1.0, 0.0
        row = divide(row, square_root(d2))
        root.hi[j], root.lo[j] = row
    return Triangle(root, kept, combination, left, least)


def solve(data: Blocks, R: Triangle, moments: Doubled, n: int) -> Solution:
    """b from R and the moments AᵀWy, refined."""
    R = sharpened(data, R)
    along = times(R.root, moments)
    b = times(transposed(R.root), along)
    residuals, moments = residual(data, b)
    for _ in range(_REFINEMENTS):
        change = times(transposed(R.root), times(R.root, moments))
        if np.abs(change.hi).max() <= _SETTLED * np.abs(b.hi).max():
            break
        b = add(b, change)
        residuals, moments = residual(data, b)
    h = leverage(data, R.root)
    return Solution(b, residuals[:n], h[:n], np.asarray(along.hi), R.root)


def sharpened(data: Blocks, R: Triangle) -> Triangle:
    """R with all its digits, where the sums AᵀWA have kept too few: that of Q = A R⁻¹, all but orthonormal, times R."""
    if R.least > _SHARP:
        return R
    again = triangle(_symmetric(total(_computed(_orthogonal, data, R.root)[0])))
    return R._replace(root=times(again.root, R.root))


def times(matrix: Doubled, vector: Doubled) -> Doubled:
    """A matrix times a vector, or times the columns of a matrix."""
    if vector.hi.ndim == 1:
        return total(multiply(matrix, vector.part(None)))
    rows = transposed(vector)
    return total(multiply(matrix.part((slice(None), None)), rows.part(None)))


def transposed(matrix: Doubled) -> Doubled:
    """Of a matrix."""
    return Doubled(matrix.hi.T, matrix.lo.T)


def gram(data: Blocks) -> tuple[Doubled, Doubled]:
    """AᵀWA and AᵀWy, in NumPy's arrays."""
    whole = _symmetric(total(_computed(_products, data, None)[0]))
    return whole.part((slice(-1), slice(-1))), whole.part((slice(-1), -1))


def residual(data: Blocks, b: Doubled) -> tuple[Float[np.ndarray, " _"], Doubled]:
    """r = y − A b, and AᵀWr."""
    sums, r = _computed(_remainders, data, b)
    return r.ravel(), total(sums)


def leverage(data: Blocks, root: Doubled) -> Float[np.ndarray, " _"]:
    """w |R⁻ᵀa|² for every point."""
    return _computed(_lengths, data, root)[1].ravel()


def _products(block: Blocks, _: None, loop: Any) -> tuple[Doubled, None]:
    return _pairs(block.rows, block.weights), None


def _orthogonal(block: Blocks, root: Doubled, loop: Any) -> tuple[Doubled, None]:
    return _pairs(_along(block, root, loop), block.weights), None


def _pairs(rows: Doubled, weights: Float[AnyArray, " lanes"]) -> Doubled:
    """The products of every row with itself and with those after it, weighted."""
    i, j = np.triu_indices(len(rows.hi))
    return multiply(rows.part(i), multiply(rows, doubled(weights[None])).part(j))


def _symmetric(sums: Doubled) -> Doubled:
    """The matrix of which these are the entries on and above the diagonal."""
    size = int(np.sqrt(2 * len(sums.hi)))
    i, j = np.triu_indices(size)
    whole = doubled(np.zeros((size, size)))
    for part, found in zip(whole, sums, strict=True):
        part[i, j] = part[j, i] = found
    return whole


def _remainders(block: Blocks, b: Doubled, loop: Any) -> tuple[Doubled, Float[AnyArray, " lanes"]]:
    minus_b, columns = minus(b), block.rows.part(slice(-1))
    subtract = lambda k, r: add(r, multiply(columns.part(k), minus_b.part(k)))
    r = loop(0, len(b.hi), subtract, block.rows.part(-1))
    weighted = multiply(r, doubled(block.weights))
    return multiply(columns, weighted.part(None)), r.hi


def _lengths(block: Blocks, root: Doubled, loop: Any) -> tuple[Doubled, Float[AnyArray, " lanes"]]:
    q = _along(block, root, loop)
    return q.part(slice(0)), block.weights * (q.hi**2).sum(0)


def _along(block: Blocks, root: Doubled, loop: Any) -> Doubled:
    """R⁻ᵀa for every point: the rows of Q, transposed."""
    columns = block.rows.part(slice(-1))
    along = lambda k, q: add(q, multiply(root.part((slice(None), k, None)), columns.part((k, None))))
    return loop(0, len(root.hi), along, doubled(columns.hi * 0))


def _computed(step: Any, data: Blocks, given: Any) -> tuple[Doubled, Any]:
    """What `step` finds block by block: its first summed over them, its second one after the other."""
    if len(data.weights) == 1:
        sums, found = step(jax.tree.map(lambda a: a[0], data), given, _loop)
    else:
        with jax.enable_x64(True):
            sums, found = jax.tree.map(np.asarray, _compiled(step, data, given))
    return sums, found


@partial(jax.jit, static_argnums=0)
def _compiled(step: Any, data: Blocks, given: Any) -> tuple[Doubled, Any]:
    def following(sums: Doubled, block: Blocks) -> tuple[Doubled, Any]:
        more, found = step(block, given, jax.lax.fori_loop)
        return add(sums, more), found

    shapes = jax.eval_shape(lambda: step(jax.tree.map(lambda a: a[0], data), given, jax.lax.fori_loop)[0])
    zeros = jax.tree.map(lambda shape: jnp.zeros(shape.shape, shape.dtype), shapes)
    return jax.lax.scan(following, zeros, data)


def _loop(first: int, last: int, f: Any, x: Any) -> Any:
    for k in range(first, last):
        x = f(k, x)
    return x
