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
from jaxtyping import Float

from mvcalc_jax import require
from mvcalc_jax.autodiff import Argnums
from mvcalc_jax.require import AnyArray


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
        ValueError: for `argnums` that are out of range, or values that cannot be looked at.
        TypeError: for functions that are none, or an argument to differentiate by that is not of floating-point
            numbers.
    """
    for name, function in {"f": f, "jac": jac}.items():
        if not callable(function):
            raise TypeError(f"`{name}` must be a function; got {type(function).__name__}")
    if require.traced(args):
        raise ValueError("values cannot be looked at inside jit or vmap; check outside of it")
    single = not isinstance(argnums, tuple)
    chosen = tuple(require.whole("argnums", n, least=-len(args)) for n in ((argnums,) if single else argnums))
    if not chosen or max(chosen) >= len(args) or len({n % len(args) for n in chosen}) < len(chosen):
        raise ValueError(f"`argnums` must name some of the {len(args)} arguments, each once; got {argnums}")
    chosen = tuple(n % len(args) for n in chosen)
    for n in chosen:
        for path, leaf in jax.tree_util.tree_leaves_with_path(args[n]):
            if not isinstance(leaf, (float, np.floating)):  # a Python number will do, too
                require.floating(f"args[{n}]{jax.tree_util.keystr(path)}", leaf)
    labels = tuple(
        k for k, arg in enumerate(args) if k in chosen or all(map(_is_array, jax.tree.leaves(arg)))
    )

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
        renumbered[0] if single else renumbered,
        labels,
    )


def near(question: Question, rng: np.random.Generator) -> tuple[Any, ...]:
    """The arguments, each entry of those chosen moved by about a tenth of its size, or of its leaf's if zero."""

    def moved(leaf: Any) -> Any:
        return jax.device_put(np.asarray(leaf) + 0.1 * sizes(leaf) * rng.standard_normal(leaf.shape))

    return tuple(
        jax.tree.map(moved, arg) if k in question.chosen else arg for k, arg in enumerate(question.args)
    )


def sizes(leaf: AnyArray) -> Float[np.ndarray, "..."]:
    """How large each entry is: its magnitude, or that of its leaf where it is zero, or 1 where all are."""
    value = np.abs(np.asarray(leaf))
    typical = math.sqrt(float(np.mean(value**2))) if value.size else 0.0
    return np.where(value == 0, typical or 1.0, value)


def _is_array(leaf: Any) -> bool:
    """Whether it may be traced. Python numbers may stand for sizes, or be asked for by an `if`: they may not."""
    return isinstance(leaf, (AnyArray, np.generic))


def _as_float64(leaf: Any) -> Any:
    if not jnp.issubdtype(jnp.result_type(leaf), jnp.floating):
        return leaf
    # A copy, for JAX 0.10 may give one thread the other's precision if both convert the same NumPy array at once.
    return jax.device_put(np.array(leaf, np.float64))
