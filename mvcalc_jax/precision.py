"""A computation is as precise as its arguments, as NumPy reads them: a Python number is a float64.

So `newton(f, 1.0)` gives sixteen digits without any setting of JAX's, and an array in float32 stays what it is.
Inside `jit`, `vmap` and `grad` the precision is the caller's.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax import require


@contextlib.contextmanager
def of(*values: Any) -> Iterator[None]:
    """Within it JAX computes in float64 if any of the values is, and in float32 if none is.

    However strictly the caller's JAX promotes, mixed ranks and kinds of numbers are no error within.

    >>> with mv.precision.of(1.0):  # a number of Python's is a float64
    ...     print(jnp.sin(1.0).dtype)
    float64
    >>> with mv.precision.of(np.float32(1)):
    ...     print(jnp.sin(1.0).dtype)
    float32
    """
    with contextlib.ExitStack() as stack:
        if not require.traced(values):
            kinds = (
                leaf.dtype if hasattr(leaf, "dtype") else np.asarray(leaf).dtype
                for leaf in jax.tree.leaves(values)
            )
            double = any(kind == np.float64 for kind in kinds)
            stack.enter_context(jax.enable_x64(double))
        stack.enter_context(promoting())
        yield


@contextlib.contextmanager
def promoting() -> Iterator[None]:
    """Within it, mixed ranks and kinds of numbers are no error, however strictly the caller's JAX promotes.

    >>> with jax.numpy_dtype_promotion("strict"), mv.precision.promoting():
    ...     print(jnp.float32(1) + jnp.int32(1))
    2.0
    """
    with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):
        yield


def floats(name: str, value: Any) -> Any:
    """A number, an array or a nested list of them as an array of floating-point numbers; whole numbers become float64.

    Raises:
        TypeError: where there are no numbers in it, or complex ones.
        ValueError: where it is ragged.

    >>> mv.precision.floats("x", [[1, 2], [3, 4]])
    array([[1., 2.],
           [3., 4.]])
    >>> mv.precision.floats("x", [1j])
    Traceback (most recent call last):
        ...
    TypeError: `x` must hold real numbers; got dtype('complex128')
    """
    if require.traced(value):
        value = jnp.asarray(value)
        require.floating(name, value)
        return value
    array = require.array(name, value)
    if jnp.issubdtype(array.dtype, jnp.floating):  # bfloat16, which NumPy does not know for one
        return array
    if array.dtype.kind not in "iu":
        raise TypeError(
            f"`{name}` must hold real numbers; got {array.dtype if array.dtype.kind != 'O' else value!r}"
        )
    return array.astype(float)
