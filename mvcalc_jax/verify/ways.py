"""One derivative, four ways: by hand, by autodiff forward and in reverse, and by central differences.

Each way gives a matrix for every leaf of the argument. Errors are measured in units of the leaf's largest entry.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from mvcalc_jax import autodiff
from mvcalc_jax.verify.catalogue import Derivative
from mvcalc_jax.verify.errors import errors, unit

WAYS = ("by hand", "forward mode", "reverse mode", "differences")

Matrices = list[Float[np.ndarray, "_ _"]]
"""For each leaf, a row for each output and a column for each entry."""


def best_step(dtype: Any) -> float:
    """∛ε: where the truncation and the rounding error of a central difference balance, for x and f near 1.

    >>> f"{mv.verify.ways.best_step(np.float32):.4f}", f"{mv.verify.ways.best_step(np.float64):.0e}"
    ('0.0049', '6e-06')
    """
    return float(jnp.finfo(dtype).eps) ** (1 / 3)


def four_ways(derivative: Derivative) -> dict[str, Matrices]:
    """The derivative at its point, in the precision of its arguments, by the name of the way.

    >>> found = mv.verify.ways.four_ways(mv.verify.catalogue()[-2])  # gaussian.jacobian
    >>> tuple(found) == mv.verify.ways.WAYS, {J.shape for matrices in found.values() for J in matrices}
    (True, {(17, 2)})
    """
    from mvcalc_jax.calculus import (
        central_difference,
    )  # here: no check needs all of calculus, a tenth of a second

    _, f, jac, args, argnums = derivative
    along, flat, sizes = _flattened(derivative)

    @jax.jit
    def compute(*args: Any) -> tuple[Any, ...]:
        forward, reverse = (
            autodiff.jacobian(f, argnums, mode=mode)(*args) for mode in ("forward", "reverse")
        )
        return jac(*args), forward, reverse, central_difference(along, flat, best_step(flat.dtype))

    *trees, differences = compute(*args)
    differences = np.asarray(differences).reshape(-1, flat.size)
    matrices = [
        [np.asarray(leaf).reshape(len(differences), -1) for leaf in jax.tree.leaves(J)] for J in trees
    ]
    matrices.append(np.split(differences, np.cumsum(sizes)[:-1], axis=1))
    return dict(zip(WAYS, matrices, strict=True))


def errors_by_step(
    derivative: Derivative, exact: Matrices, steps: Float[np.ndarray, " h"]
) -> dict[str, Float[np.ndarray, " h"]]:
    """How wrong forward and central differences are, for each step.

    >>> of, steps = mv.verify.catalogue()[-2], np.array([1e-1, 1e-2])
    >>> exact = mv.verify.ways.four_ways(of)["by hand"]
    >>> by_kind = mv.verify.ways.errors_by_step(of, exact, steps)
    >>> {kind: found.round(2).tolist() for kind, found in by_kind.items()}
    {'forward': [0.13, 0.01], 'central': [0.03, 0.0]}
    """
    from mvcalc_jax.calculus import central_difference, forward_difference  # here, as above

    along, flat, sizes = _flattened(derivative)
    by_kind = {}
    for name, difference in {"forward": forward_difference, "central": central_difference}.items():
        found = jax.jit(jax.vmap(lambda h, of=difference: of(along, flat, h)))(steps.astype(flat.dtype))
        by_leaf = np.split(
            np.asarray(found).reshape(len(steps), -1, flat.size), np.cumsum(sizes)[:-1], axis=2
        )
        by_kind[name] = np.array([error([leaf[k] for leaf in by_leaf], exact) for k in range(len(steps))])
    return by_kind


def _flattened(derivative: Derivative) -> tuple[Callable[[Array], Array], Array, list[int]]:
    """f as a function of one flat array, where that array is, and how many of its entries each leaf has."""
    _, f, _, args, argnums = derivative
    flat, unravel = ravel_pytree(args[argnums])
    sizes = [leaf.size for leaf in jax.tree.leaves(args[argnums])]
    return lambda v: f(*args[:argnums], unravel(v), *args[argnums + 1 :]), flat, sizes


def error(found: Matrices, exact: Matrices) -> float:
    """The largest error of any entry, in units of the largest entry of its leaf.

    >>> print(mv.verify.ways.error([np.array([[1.0, 2.5]])], [np.array([[1.0, 2.0]])]))
    0.25
    """
    return max(float(errors(a, b, unit(b)).max()) for a, b in zip(found, exact, strict=True))


def rounded(args: tuple[Any, ...], dtype: Any) -> tuple[Any, ...]:
    """The same arguments, all of their numbers rounded to a precision.

    >>> mv.verify.ways.rounded((np.array([0.1]),), np.float32)
    (array([0.1], dtype=float32),)
    """
    return jax.tree.map(lambda leaf: np.asarray(leaf, dtype), args)
