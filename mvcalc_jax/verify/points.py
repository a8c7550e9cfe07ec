"""Where a check looks: at the arguments it was given, in float64, and at random points near them.

One point can hide an error: zeros hide a missing factor, a symmetric matrix hides a transpose. So the
differentiated arguments are also moved at random, by about a tenth of their size.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax.autodiff import Argnums


class Question(NamedTuple):
    """Is `jac` the Jacobian of `f` by `argnums`? All of it in terms of `args` alone, which are trees of arrays.

    `labels` says which of the user's arguments each of `args` is.
    """

    f: Callable[..., Any]
    jac: Callable[..., Any]
    args: tuple[Any, ...]
    argnums: Argnums
    labels: tuple[int, ...]

    @property
    def chosen(self) -> tuple[int, ...]:
        """`argnums` as a tuple."""
        return (self.argnums,) if isinstance(self.argnums, int) else self.argnums


def question(f: Callable[..., Any], jac: Callable[..., Any], args: tuple, argnums: Argnums) -> Question:
    """The user's question, with floats in float64, and without the arguments that are no arrays, such as names.

    Raises:
        ValueError: for `argnums` that are out of range.
        TypeError: for an argument to differentiate by that is not of floating-point numbers.
    """
    chosen = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    if not chosen or not all(isinstance(n, int) and -len(args) <= n < len(args) for n in chosen):
        raise ValueError(f"`argnums` must name some of the {len(args)} arguments; got {argnums}")
    chosen = tuple(n % len(args) for n in chosen)
    for n in chosen:
        for path, leaf in jax.tree_util.tree_leaves_with_path(args[n]):
            if not is_array(leaf) or not jnp.issubdtype(jnp.result_type(leaf), jnp.floating):
                what = str(jnp.result_type(leaf)) if is_array(leaf) else type(leaf).__name__
                where = f"args[{n}]{jax.tree_util.keystr(path)}"
                raise TypeError(
                    f"`{where}` must be of floating-point numbers to differentiate by it; got {what}"
                )
    labels = tuple(k for k, arg in enumerate(args) if all(map(is_array, jax.tree.leaves(arg))))

    def of_arrays(g: Callable[..., Any]) -> Callable[..., Any]:
        if len(labels) == len(args):
            return g

        def of_some(*some: Any) -> Any:
            every = list(args)
            for label, arg in zip(labels, some, strict=True):
                every[label] = arg
            return g(*every)

        return of_some

    renumbered = tuple(labels.index(n) for n in chosen)
    return Question(
        of_arrays(f),
        of_arrays(jac),
        tuple(jax.tree.map(_as_float64, args[label]) for label in labels),
        renumbered[0] if isinstance(argnums, int) else renumbered,
        labels,
    )


def near(question: Question, rng: np.random.Generator) -> tuple[Any, ...]:
    """The arguments, each entry of those chosen moved by about a tenth of its size, or of its leaf's if zero."""

    def moved(leaf: Any) -> Any:
        value = np.asarray(leaf)
        typical = math.sqrt(float(np.mean(value**2))) if value.size else 0.0
        size = np.where(value == 0, typical or 1.0, np.abs(value))
        return jnp.asarray(value + 0.1 * size * rng.standard_normal(value.shape))

    return tuple(
        jax.tree.map(moved, arg) if k in question.chosen else arg for k, arg in enumerate(question.args)
    )


def is_array(leaf: Any) -> bool:
    """Whether JAX would take it for an array of numbers."""
    try:
        return jnp.result_type(leaf) is not None and not isinstance(leaf, (str, bytes, type, np.dtype))
    except TypeError:
        return False


def _as_float64(leaf: Any) -> Any:
    if not jnp.issubdtype(jnp.result_type(leaf), jnp.floating):
        return leaf
    # A copy, for JAX 0.10 may give one thread the other's precision if both convert the same NumPy array at once.
    return jnp.asarray(np.array(leaf, np.float64))
