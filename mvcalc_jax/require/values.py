"""What numbers, arrays and names must be."""

import math
import operator
from collections.abc import Iterable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from mvcalc_jax import text

AnyArray = jax.Array | np.ndarray
"""An array of JAX's or NumPy's, or a tracer of one."""
LARGEST = 1e100
"""Squares of larger numbers, summed, leave the range of floats."""
MOST = 2**40
"""Of anything that is counted: more is a slip of the pen, and NumPy and JAX no longer say so in words."""
BOX = "a pair (low, high) for each variable, such as ((-1, 1), (0, 2))"
"""What `box` requires, in words."""


def traced(tree: Any) -> bool:
    """Whether any leaf stands inside `jit` or `vmap`, where its value cannot be looked at.

    >>> mv.require.traced({"x": jnp.ones(3)})
    False
    >>> jax.jit(lambda x: print(mv.require.traced(x)))(1.0)
    True
    """
    return any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(tree, is_leaf=_is_used_up))


def _is_used_up(value: Any) -> bool:
    """Whether it can be read once only, so that nobody may look what is in it; JAX warns of a tree with one."""
    return isinstance(value, Iterator)


def floating(name: str, value: Any) -> None:
    """Require an array of floating-point numbers.

    Raises:
        TypeError: if `value` is not an array, or its numbers are integers, booleans or complex.

    >>> mv.require.floating("x", jnp.arange(3))
    Traceback (most recent call last):
        ...
    TypeError: `x` must hold floating-point numbers; got int32; convert it with x.astype(float)
    """
    if not isinstance(value, AnyArray):
        raise TypeError(
            f"`{name}` must be an array of floating-point numbers; got {type(value).__name__}; "
            f"convert it with jnp.asarray({name}, float)"
        )
    unmasked(name, value)
    if isinstance(value, np.ndarray) and value.dtype.kind == "f" and not is_native(value.dtype):
        raise TypeError(
            f"`{name}` must hold floating-point numbers that JAX knows; got {value.dtype}; convert it with "
            f"{name}.astype(float)"
        )
    if not jnp.issubdtype(value.dtype, jnp.floating):
        raise TypeError(
            f"`{name}` must hold floating-point numbers; got {value.dtype}"
            + (
                ""
                if jnp.issubdtype(value.dtype, jnp.complexfloating)
                else f"; convert it with {name}.astype(float)"
            )
        )


def unmasked(name: str, value: Any) -> None:
    """Refuse NumPy's masked arrays: JAX knows none, and what is hidden in them would be counted.

    >>> mv.require.unmasked("x", np.ma.masked_less([1.0, -1.0], 0))
    Traceback (most recent call last):
        ...
    TypeError: `x` must be an array without a mask; got a masked array; ...
    """
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(
            f"`{name}` must be an array without a mask; got a masked array; give {name}.filled(…), or {name}.data and "
            "leave out what is masked"
        )


def array(name: str, value: Any) -> Any:
    """Require what makes an array that JAX knows, and return it as one of NumPy's; inside `jit` as it is.

    Raises:
        ValueError: for rows of different lengths.
        TypeError: for masked arrays, and for random keys.

    >>> mv.require.array("y", [1, 2])
    array([1, 2])
    """
    unmasked(name, value)
    if isinstance(value, jax.Array) and jnp.issubdtype(value.dtype, jax.dtypes.extended):
        raise TypeError(f"`{name}` must hold numbers; got {value.dtype}")
    if isinstance(value, Tracer):
        return value
    try:
        found = np.asarray(value)
    except ValueError:
        raise ValueError(f"`{name}` must be an array, all rows of one length; got {value!r}") from None
    if found.dtype.kind not in "fiuc":
        return found
    kind = float if found.dtype == np.longdouble else found.dtype.newbyteorder("=")
    return found.astype(kind, copy=False)  # JAX knows no long doubles, and no other order of bytes


def shape(name: str, value: AnyArray, required: tuple[int | None, ...], meaning: str) -> None:
    """Require a shape; `None` in `required` stands for any length. `meaning` names the axes.

    >>> mv.require.shape("x", jnp.ones((2, 3)), (2, None, 2), "a matrix for each")
    Traceback (most recent call last):
        ...
    ValueError: `x` must have shape (2, any, 2), a matrix for each; got (2, 3)
    """
    fits = len(value.shape) == len(required) and all(
        want in (None, got) for want, got in zip(required, value.shape, strict=True)
    )
    if not fits:
        wanted = "(" + ", ".join("any" if n is None else str(n) for n in required)
        wanted += ",)" if len(required) == 1 else ")"
        raise ValueError(f"`{name}` must have shape {wanted}, {meaning}; got {value.shape}")


def finite(name: str, value: Any) -> None:
    """Require finite numbers, where they are known: inside `jit` and `vmap` nothing can be looked at.

    >>> mv.require.finite("x", [mv.require.LARGEST])
    >>> mv.require.finite("x", [1.0, np.nan, np.inf])
    Traceback (most recent call last):
        ...
    ValueError: `x` must be finite; got nan at index (1,) and 1 more like it
    """
    if traced(value):
        return
    array = np.asarray(value)
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        index = tuple(int(i) for i in bad[0])
        where = f" at index {index}" if index else ""
        raise ValueError(
            f"`{name}` must be finite; got {array[index]}{where}"
            + (f" and {len(bad) - 1} more like it" if len(bad) > 1 else "")
        )


def number(name: str, value: Any) -> None:
    """Require a single number, and a finite one where it is known.

    >>> mv.require.number("x0", [1.0])
    Traceback (most recent call last):
        ...
    TypeError: `x0` must be a single number; got [1.0]
    """
    try:
        array = value if isinstance(value, AnyArray) else np.asarray(value)
    except ValueError:  # rows of different lengths
        array = None
    if array is None or array.shape != () or not is_real(array.dtype):
        raise TypeError(f"`{name}` must be a single number; got {value!r}")
    finite(name, value)


def positive(name: str, value: Any) -> None:
    """Require a single finite number above zero, where it is known.

    >>> mv.require.positive("radius", -1.0)
    Traceback (most recent call last):
        ...
    ValueError: `radius` must be positive; got -1.0
    """
    number(name, value)
    if not traced(value) and np.asarray(value) <= 0:
        raise ValueError(f"`{name}` must be positive; got {np.asarray(value)}")


def level(name: str, value: Any) -> float:
    """Require the level of confidence of an interval, and return it.

    Raises:
        TypeError: where it is no number.
        ValueError: where it is not between 0 and 1.

    >>> mv.require.level("level", 0.95)
    0.95
    """
    number(name, value)
    if not 0 < value < 1:
        raise ValueError(f"`{name}` must lie between 0 and 1, such as 0.95; got {value}")
    return float(value)


def whole(name: str, value: Any, least: int, most: int | None = MOST) -> int:
    """Require a whole number from `least` to `most`, and return it as an `int`.

    >>> mv.require.whole("steps", np.int64(5), least=1, most=mv.require.MOST)
    5
    >>> mv.require.whole("steps", 2.5, least=1)
    Traceback (most recent call last):
        ...
    TypeError: `steps` must be a whole number; got 2.5
    """
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"`{name}` must be a whole number; got {value!r}") from None
    if number < least:
        raise ValueError(f"`{name}` must be at least {least}; got {number}")
    if most is not None and number > most:
        raise ValueError(f"`{name}` must be at most {most}; got {number}")
    return number


def port(name: str, value: Any) -> None:
    """Require the number of a port, or None; 0 stands for any that is free.

    >>> mv.require.port("port", 8988)
    """
    if value is not None and not 0 <= value < 2**16:
        raise ValueError(f"`{name}` must be from 0 to {2**16 - 1}; got {value}")


def one_of(what: str, name: str, known: Iterable[str]) -> None:
    """Require a known name; the error suggests the nearest and lists them all.

    >>> mv.require.one_of("curve", "hart", ["heart", "circle"])
    Traceback (most recent call last):
        ...
    ValueError: unknown curve 'hart'; did you mean 'heart'? known: heart, circle
    """
    names = list(known)
    if not isinstance(name, str) or name not in names:
        raise ValueError(text.unknown(what, name, names))


def reals(name: str, value: Any, meaning: str) -> np.ndarray:
    """Require real numbers in any of the forms that people have them in, and return them as float64.

    Raises:
        ValueError: where there are other things among them, or rows of different lengths; it says the `meaning`.

    >>> mv.require.reals("box", [(1, 2), (3, 4)], mv.require.BOX).tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    try:
        array = np.asarray(value)
        # of None, NumPy makes NaN
        missing = array.dtype == object and any(entry is None for entry in array.flat)
        if not missing and (array.dtype in (object, bool) or is_real(array.dtype)):
            return np.asarray(array, float)
    except (TypeError, ValueError, OverflowError):
        pass
    raise ValueError(f"`{name}` must be {meaning}; got {value!r}")


def is_native(dtype: np.dtype) -> bool:
    """Whether JAX knows numbers of a dtype of NumPy's: no long doubles, and no bytes in another order.

    >>> mv.require.is_native(np.dtype("float64")), mv.require.is_native(np.dtype(">f8"))
    (True, False)
    """
    return dtype.isnative and dtype.itemsize <= (16 if dtype.kind == "c" else 8)


def is_real(dtype: Any) -> bool:
    """Whether numbers of a dtype are real: floating-point or whole ones.

    >>> mv.require.is_real(np.dtype("int32")), mv.require.is_real(np.dtype("complex64"))
    (True, False)
    """
    return bool(jnp.issubdtype(dtype, jnp.floating) or jnp.issubdtype(dtype, jnp.integer))


def box(name: str, value: Any, variables: int | None = None) -> np.ndarray:
    """Require a box, a pair (low, high) of finite numbers for each variable, and return it as an array (variables, 2).

    Raises:
        ValueError: where it is something else, or has no inside; or has another number of variables.

    >>> mv.require.box("box", ((-1, 1), (0, 2)))
    array([[-1.,  1.],
           [ 0.,  2.]])
    >>> mv.require.box("box", ((1, -1), (0, 2)))
    Traceback (most recent call last):
        ...
    ValueError: `box` must have low < high for each variable; got (1, -1) for number 0
    """
    array = reals(name, value, BOX)
    if array.ndim != 2 or array.shape[1] != 2 or variables not in (None, len(array)) or not len(array):
        wanted = f" for {variables} variable{'s' * (variables != 1)}" if variables else ""
        raise ValueError(f"`{name}` must be {BOX}{wanted}; got {value!r}")
    finite(name, array)
    for k, (low, high) in enumerate(array):
        if not low < high:
            raise ValueError(
                f"`{name}` must have low < high for each variable; got ({low:g}, {high:g}) for number {k}"
            )
        if not math.isfinite(float(high) - float(low)):
            raise ValueError(
                f"`{name}` must have sides whose lengths are numbers; got ({low:g}, {high:g}) for number {k}; take a "
                "smaller one"
            )
    return array
