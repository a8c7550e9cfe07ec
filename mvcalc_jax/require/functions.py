"""What functions must be: written in JAX, and what derivatives ask of them."""

import functools
import inspect
import weakref
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from mvcalc_jax import autodiff
from mvcalc_jax.require.values import traced


def holds_traced(f: Callable[..., Any], *args: Any) -> bool:
    """Whether f, besides such arguments, uses values that stand inside `jit`, `vmap` or `grad`.

    >>> mv.require.holds_traced(jnp.sin, 1.0)
    False
    >>> jax.jit(lambda scale: print(mv.require.holds_traced(lambda x: scale * x, 1.0)))(2.0)
    True
    """
    return traced(jax.make_jaxpr(f)(*args).consts)


def function(name: str, value: Any) -> Callable[..., Any]:
    """Require something that can be called, and return it as JAX can take it.

    >>> mv.require.function("f", 3)
    Traceback (most recent call last):
        ...
    TypeError: `f` must be a function; got int
    """
    if not callable(value):
        raise TypeError(f"`{name}` must be a function; got {type(value).__name__}")
    # JAX remembers functions by hash and weak reference, and crashes on one that has none: a NamedTuple, a ufunc.
    try:
        hash(weakref.ref(value))  # which is that of the value
        return value
    except TypeError:
        pass

    def called(*args: Any, **kwargs: Any) -> Any:
        return value(*args, **kwargs)

    return functools.update_wrapper(called, value)


def traceable(name: str, f: Callable[..., Any], *args: Any) -> Any:
    """Require a function that JAX can compile for these arguments, and return the shapes of what it would return.

    >>> mv.require.traceable("f", jnp.sin, 1.0)
    ShapeDtypeStruct(shape=(), dtype=float32, weak_type=True)
    >>> mv.require.traceable("f", lambda x: x if x > 0 else -x, 1.0)
    Traceback (most recent call last):
        ...
    TypeError: `f` must be written in JAX, so that it can be compiled: no NumPy functions of traced values,
    no `if` on them; it raises TracerBoolConversionError
    """
    f = function(name, f)
    try:
        return jax.eval_shape(f, *args)
    except (jax.errors.JAXTypeError, jax.errors.JAXIndexError) as error:
        raise TypeError(
            f"`{name}` must be written in JAX, so that it can be compiled: no NumPy functions of traced values, no "
            f"`if` on them; it raises {type(error).__name__}"
        ) from error
    except (TypeError, ValueError) as error:
        _called_rightly(name, f, error, *args)
        raise


def _called_rightly(name: str, f: Callable[..., Any], error: Exception, *args: Any) -> None:
    """Say so where JAX complains not of what happens in a function, but of what it takes or returns.

    Raises:
        TypeError: where that is so.
    """
    try:
        inspect.signature(f).bind(*args)
    except TypeError as unfit:
        many = f"{len(args)} argument{'s' * (len(args) != 1)}"
        raise TypeError(
            f"`{name}` must be a function of {many}; got one with which there is {unfit}"
        ) from None
    except ValueError:
        pass  # a function that does not tell
    if isinstance(error, TypeError) and "positional argument" in str(error):
        raise TypeError(f"`{name}` must take what it is called with: {str(error).splitlines()[0]}") from error
    try:
        jax.eval_shape(lambda *values: [f(*values), None][1], *args)
    except Exception:
        return  # it is f itself that fails
    raise TypeError(f"`{name}` must return arrays of numbers; {str(error).splitlines()[0]}") from error


def scalar(name: str, f: Callable[..., Any], *args: Any) -> None:
    """Require a function written in JAX whose value, for these arguments, is one floating-point number.

    Raises:
        TypeError: where it is no function, cannot be traced, or returns whole or complex numbers.
        ValueError: where it returns more than one number, or none.

    >>> mv.require.scalar("f", jnp.exp, jnp.ones(3))
    Traceback (most recent call last):
        ...
    ValueError: `f` must return a single number, of shape (); got an array of shape (3,); sum it, or take one
    entry
    """
    function(name, f)
    value = traceable(name, f, *args)
    shape = getattr(value, "shape", None)
    if shape != ():
        got = f"an array of shape {shape}" if shape is not None else type(value).__name__
        raise ValueError(
            f"`{name}` must return a single number, of shape (); got {got}; sum it, or take one entry"
        )
    if not jnp.issubdtype(value.dtype, jnp.floating):
        raise TypeError(f"`{name}` must return a floating-point number; got {value.dtype}")


def differentiable(name: str, f: Callable[..., Any], *args: Any) -> None:
    """Require a function of one value, which JAX can trace, that it can differentiate by all of these arguments.

    Raises:
        TypeError: as `twice_differentiable` does.

    >>> mv.require.differentiable("f", lambda x, y: x * y, 1.0, 2.0)
    """
    function(name, f)
    _differentiated(name, "differentiable by JAX", autodiff.gradient(f, tuple(range(len(args)))), *args)


def twice_differentiable(name: str, f: Callable[..., Any], x: Any) -> None:
    """Require a function, which JAX can trace, that it can differentiate, too: backward, then forward.

    Raises:
        TypeError: where there is a step in it of which JAX knows no derivative, such as a loop without a fixed length.

    >>> mv.require.twice_differentiable("f", jnp.sin, 1.0)
    >>> mv.require.twice_differentiable("f", lambda x: jax.lax.while_loop(lambda y: y < 9, jnp.exp, x), 1.0)
    Traceback (most recent call last):
        ...
    TypeError: `f` must be differentiable by JAX, twice; it says: ...
    """
    function(name, f)
    _differentiated(
        name, "differentiable by JAX, twice", autodiff.jacobian(autodiff.jacobian(f), mode="forward"), x
    )


def _differentiated(name: str, what: str, derivative: Callable[..., Any], *args: Any) -> None:
    try:
        jax.eval_shape(derivative, *args)
    except (ValueError, TypeError, NotImplementedError) as error:
        said = str(error).strip().split("\n")[0].split(". ")[0].rstrip(".") or type(error).__name__
        raise TypeError(
            f"`{name}` must be {what}; it says: {said}; use jax.lax.scan, or fori_loop with "
            "fixed ends, in place of while_loop, and give a callback its derivatives with jax.custom_jvp"
        ) from error
