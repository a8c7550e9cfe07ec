"""Where a check looks: at the arguments it was given, in float64, and at random points near them.

One point can hide an error: zeros hide a missing factor, a symmetric matrix hides a transpose. So the
differentiated arguments are also moved at random, by about a tenth of their size.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Float

from mvcalc_jax import require
from mvcalc_jax.autodiff import Argnums
from mvcalc_jax.require import AnyArray

Leaves = list[Any]


class Point(NamedTuple):
    """The user's arguments, taken apart: arrays to differentiate by, other arrays, and whatever is no array.

    Attributes:
        leaves: what is differentiated by, in float64 or complex128.
        paths: what each of them is called, such as `args[0][1].W`.
        others, other_paths: the other arrays, floats in float64, and what they are called.
        arguments: puts the user's arguments together again, from leaves and others.
    """

    leaves: Leaves
    paths: list[str]
    others: Leaves
    arguments: Callable[[Leaves, Leaves], tuple]
    other_paths: list[str]

    @property
    def names(self) -> list[str]:
        """What leaves and others are called, in this order."""
        return [*self.paths, *self.other_paths]


def taken_apart(args: tuple, by: Callable[[int, Any], bool], *, widen: bool = True) -> Point:
    """The arguments as a `Point`; `by(k, leaf)` says whether to differentiate by a leaf of the k-th argument."""
    paths, flat = (
        zip(*jax.tree_util.tree_leaves_with_path(args), strict=True) if jax.tree.leaves(args) else ((), ())
    )
    structure = jax.tree.structure(args)
    chosen = [k for k, (path, leaf) in enumerate(zip(paths, flat, strict=True)) if by(path[0].idx, leaf)]
    other = [k for k, leaf in enumerate(flat) if k not in chosen and _is_array(leaf)]

    def arguments(leaves: Leaves, others: Leaves) -> tuple:
        every = list(flat)
        for k, leaf in zip([*chosen, *other], [*leaves, *others], strict=True):
            every[k] = leaf
        return jax.tree.unflatten(structure, every)

    convert = _widened if widen else jnp.asarray
    names = [f"args[{path[0].idx}]{jax.tree_util.keystr(path[1:])}" for path in paths]
    return Point(
        [convert(flat[k]) for k in chosen],
        [names[k] for k in chosen],
        [convert(flat[k]) for k in other],
        arguments,
        [names[k] for k in other],
    )


def chosen_arguments(args: tuple, argnums: Argnums) -> tuple[int, ...]:
    """`argnums`, counted from the front; all that they choose must be of floating-point or complex numbers.

    Raises:
        ValueError: for `argnums` that are out of range, or values that cannot be looked at.
        TypeError: for an argument to differentiate by that is not of floating-point or complex numbers.
    """
    looked_at(args)
    chosen = tuple(
        require.whole("argnums", n, least=-len(args))
        for n in (argnums if isinstance(argnums, tuple) else (argnums,))
    )
    if not chosen or max(chosen) >= len(args) or len({n % len(args) for n in chosen}) < len(chosen):
        raise ValueError(f"`argnums` must name some of the {len(args)} arguments, each once; got {argnums}")
    chosen = tuple(n % len(args) for n in chosen)
    for n in chosen:
        if not jax.tree.leaves(args[n]):
            raise ValueError(f"`args[{n}]` must hold numbers to differentiate by; got {args[n]!r}")
        for path, leaf in jax.tree_util.tree_leaves_with_path(args[n]):
            if not inexact(leaf):
                require.floating(f"args[{n}]{jax.tree_util.keystr(path)}", leaf)
    return chosen


def looked_at(args: tuple) -> None:
    """Require arguments with values, which can be read more than once."""
    for arg in args:
        if isinstance(arg, Iterator):
            raise TypeError(
                f"arguments must hold arrays; got {type(arg).__name__}; make an array, or a list, of it"
            )
    if require.traced(args) or isinstance(jax.device_put(np.zeros(())), Tracer):
        raise ValueError("values cannot be looked at inside jit or vmap; check outside of it")


def inexact(leaf: Any) -> bool:
    """Whether one can differentiate by it: floating-point or complex numbers, a Python number included."""
    if isinstance(leaf, (float, complex)):
        return True
    if isinstance(leaf, np.ndarray) and not require.is_native(leaf.dtype):
        return False
    return (
        isinstance(leaf, (AnyArray, np.generic))
        and _is_array(leaf)
        and jnp.issubdtype(leaf.dtype, jnp.inexact)
    )


def near(leaves: Leaves, rng: np.random.Generator, *, symmetric: bool = False) -> Leaves:
    """Each entry moved by about a tenth of its size, or of its leaf's if zero; on request, symmetric ones stay so."""

    def moved(leaf: Any) -> Any:
        value = np.asarray(leaf)
        step = np.asarray(rng.standard_normal(value.shape))
        if np.iscomplexobj(value):
            step = step + 1j * rng.standard_normal(value.shape)
        if symmetric and is_covariance(value):
            step = (step + np.swapaxes(step, -1, -2)) / 2
        step *= sizes(value)  # in place: a large leaf must not be held many times over
        step *= 0.1
        step += value
        return jax.device_put(step.astype(value.dtype, copy=False))

    return [moved(leaf) for leaf in leaves]


def is_symmetric(value: np.ndarray) -> bool:
    """Whether a leaf holds square matrices that equal their transposes, and are not just ones or zeros."""
    square = value.ndim >= 2 and value.shape[-1] == value.shape[-2] > 1
    return square and np.array_equal(value, np.swapaxes(value, -1, -2))


def is_covariance(value: np.ndarray) -> bool:
    """Whether a leaf holds symmetric, positive definite matrices that are not diagonal: then it is so on purpose."""
    if not is_symmetric(value) or np.iscomplexobj(value):
        return False
    diagonal = np.eye(value.shape[-1], dtype=bool)
    return bool((value[..., ~diagonal] != 0).any() and (np.linalg.eigvalsh(value) > 0).all())


def sizes(leaf: AnyArray) -> Float[np.ndarray, "..."]:
    """How large each entry is: its magnitude, or that of its leaf where it is zero, or 1 where all are."""
    value = np.abs(np.asarray(leaf).astype(float) if not np.iscomplexobj(leaf) else np.asarray(leaf))
    largest = float(value.max(initial=0))
    with np.errstate(all="ignore"):
        typical = largest * math.sqrt(float(np.mean((value / largest) ** 2))) if largest else 0.0
    return np.where(value == 0, typical or 1.0, value)


def _is_array(leaf: Any) -> bool:
    """Whether it may be traced. Python numbers may stand for sizes, or be asked for by an `if`: they may not."""
    if isinstance(leaf, (np.ndarray, np.generic)):
        return leaf.dtype.kind in "biufc" or jnp.issubdtype(leaf.dtype, jnp.inexact)
    return isinstance(leaf, jax.Array)


def _widened(leaf: Any) -> Any:
    kind = jnp.result_type(leaf)
    if not jnp.issubdtype(kind, jnp.inexact):
        return leaf
    wide = np.complex128 if jnp.issubdtype(kind, jnp.complexfloating) else np.float64
    # A copy, for JAX 0.10 may give one thread the other's precision if both convert the same NumPy array at once.
    return jax.device_put(np.array(leaf, wide))
