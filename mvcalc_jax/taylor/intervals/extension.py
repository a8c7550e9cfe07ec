"""`interval`: a function of numbers as a function of intervals."""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp

from mvcalc_jax import precision, require
from mvcalc_jax.taylor.intervals.arithmetic import Interval, point, where
from mvcalc_jax.taylor.intervals.compiled import compiled_apart
from mvcalc_jax.taylor.intervals.expansions import Expansion, constant
from mvcalc_jax.taylor.intervals.truths import Truth
from mvcalc_jax.taylor.intervals.walk import carried_out


def interval(f: Callable[..., Any]) -> Callable[..., Any]:
    """The interval extension of f: what it may return for any arguments within given intervals.

    `interval(f)(X, y)` takes an `Interval` wherever f takes floating-point numbers, or an array for exactly these
    numbers, within pytrees, too, and returns f's results with an `Interval` for every array of floating-point
    numbers. All values of f in exact arithmetic lie in them, under the bounds on rounding errors of
    `mvcalc_jax.taylor.intervals.ulps`; they are wider than the range where an argument stands in f more than once.
    [−∞, ∞] says that f is not defined everywhere, or that nothing is known.

    Works in `jit` and `vmap`. Conditions in the result are returned where they are certain, and are refused elsewhere.

    Raises:
        ValueError: for an operation that no rule is known for, by name; or an interval whose ends are in the wrong
            order.
        TypeError: for a function that cannot be traced, or returns a condition that depends on the arguments.

    >>> X = mv.Interval(jnp.float32(0), jnp.float32(1))
    >>> y = mv.interval(lambda x: jnp.exp(x) - x)(X + 1.0)  # from e − 1 to e² − 2, but x stands there twice
    >>> round(float(y.lo), 4), round(float(y.hi), 4)
    (0.7183, 6.3891)
    """
    f = require.function("f", f)

    def extended(*args: Any) -> Any:
        is_interval = lambda a: isinstance(a, Interval)
        for k, arg in enumerate(args):
            if isinstance(arg, Iterator):
                raise TypeError(f"argument {k} must be numbers or intervals; got {type(arg).__name__}")
        leaves, structure = jax.tree.flatten(args, is_leaf=is_interval)
        numbers = [end for leaf in leaves for end in ((leaf.lo, leaf.hi) if is_interval(leaf) else (leaf,))]
        with precision.of(*numbers), compiled_apart(require.traced(numbers)):
            given = [_given(k, leaf) for k, leaf in enumerate(leaves)]
            shapes = [_shape(leaf) for leaf in given]
            result = require.traceable("f", f, *jax.tree.unflatten(structure, shapes))
            flat = lambda *values: jax.tree.leaves(f(*jax.tree.unflatten(structure, values)))
            found = carried_out(flat, shapes, given, None)
            return jax.tree.unflatten(jax.tree.structure(result), [_result(value) for value in found])

    return extended


def _given(number: int, leaf: Any) -> Any:
    if not isinstance(leaf, Interval):
        whole = require.array(f"argument {number}", leaf)
        if not require.traced(leaf) and whole.dtype.kind in "iub":
            return jnp.asarray(whole)
        return constant(point(precision.floats(f"argument {number}", leaf)))
    low, high = (jnp.asarray(precision.floats(f"argument {number}", end)) for end in (leaf.lo, leaf.hi))
    if low.shape != high.shape:
        raise ValueError(f"an interval must have ends of one shape; got {low.shape} and {high.shape}")
    if not require.traced((low, high)) and not bool(jnp.all(low <= high)):
        raise ValueError(f"an interval must have lo <= hi; got [{low}, {high}]")
    a, b = point(low).lo, point(high).hi
    ordered = low <= high  # inside `jit` and `vmap` the wrong order cannot be refused
    return constant(where(ordered, Interval(a, b)))


def _shape(leaf: Any) -> jax.ShapeDtypeStruct:
    like = leaf.range.lo if isinstance(leaf, Expansion) else leaf
    return jax.ShapeDtypeStruct(jnp.shape(like), like.dtype)


def _result(value: Any) -> Any:
    if isinstance(value, Expansion):
        return value.range
    if isinstance(value, Truth):
        if not require.traced(value) and bool(jnp.all(value.over.certain == value.over.possible)):
            return value.over.certain
        raise TypeError("`f` must return numbers; got a condition that is neither certain nor impossible")
    return value
