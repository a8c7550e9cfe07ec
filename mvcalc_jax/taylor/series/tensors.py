"""Symmetric tensors from series along lines.

The coefficient of tᵏ along x₀ + t d is Tₖ(d, …, d), a homogeneous polynomial of d. Its values at as many directions d
as it has coefficients, all d of whole numbers ≥ 0 with sum k, determine it (Griewank, Utke and Walther, Math. Comp. 69
(2000), 1117): one compiled series for all entries of all tensors, instead of nested derivatives.
"""

from itertools import combinations_with_replacement
from math import comb, factorial, prod
from typing import Any

import numpy as np

MOST = 10**5
"""Numbers in the greatest tensor."""


def _exponents(n: int, k: int) -> np.ndarray:
    """All (a₁, …, aₙ) of whole numbers ≥ 0 with sum k."""
    rows = np.zeros((comb(n + k - 1, k), n), int)
    for row, which in zip(rows, combinations_with_replacement(range(n), k), strict=True):
        np.add.at(row, list(which), 1)
    return rows


def directions(n: int, order: int) -> np.ndarray:
    """All directions that the tensors up to an order need.

    Raises:
        ValueError: where the tensors would be too large.
    """
    if n**order > MOST:
        raise ValueError(
            f"`order` must be less for {n} variables: the tensor of order {order} would hold {n}^{order} numbers, more "
            f"than {MOST}; ask for fewer orders, or for the polynomial along a `direction`"
        )
    return np.concatenate([_exponents(n, k) for k in range(1, order + 1)] or [np.zeros((1, n), int)])


def assembled(rows: Any, n: int, order: int, *, bound: bool = False) -> tuple[Any, ...]:
    """The tensors T₀, T₁, …, each (*out, n, …, n), from the series along each direction, (directions, order + 2,
    *out).

    With `bound`, the rows are bounds, and so are the entries.
    """
    tensors, first = [rows[0, 0, ...]], 0
    for k in range(1, order + 1):
        exponents = _exponents(n, k)
        values = rows[first : first + len(exponents), k]
        first += len(exponents)
        powers = np.prod(exponents[:, None, :] ** exponents[None, :, :].astype(float), axis=2)
        inverse = np.abs(np.linalg.inv(powers)) if bound else np.linalg.inv(powers)
        monomials = inverse.astype(rows.dtype) @ values.reshape(len(values), -1)
        place, share = _spread(n, k, exponents)
        entries = monomials[place] * share[:, None].astype(rows.dtype)
        tensors.append(entries.T.reshape(*values.shape[1:], *(n,) * k))
    return tuple(tensors)


def _spread(n: int, k: int, exponents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For every entry of the tensor which monomial it belongs to, and which share of it."""
    number = {tuple(row): i for i, row in enumerate(exponents.tolist())}
    indices = np.indices((n,) * k).reshape(k, -1)
    counts = np.stack([(indices == i).sum(axis=0) for i in range(n)], axis=1)
    place = np.array([number[tuple(row)] for row in counts.tolist()])
    share = np.array([prod(map(factorial, row)) / factorial(k) for row in counts.tolist()])
    return place, share


def evaluated(terms: list[Any], h: Any, xp: Any) -> Any:
    """Σ Tₖ(h, …, h), by Horner's rule: h enters the tensor of the highest order first, (*points, *out)."""
    wide = h.reshape(-1, h.shape[-1])
    total = terms[-1][..., None] + xp.zeros(len(wide), h.dtype)
    for term in reversed(terms[:-1]):
        total = xp.einsum("...np,pn->...p", total, wide) + term[..., None]
    return xp.moveaxis(total, -1, 0).reshape((*h.shape[:-1], *terms[0].shape))[()]
