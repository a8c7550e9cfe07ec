"""A function of several numbers or of one vector, taken as a function of one vector; and how such a function is run."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax import compiling, precision, require, text


class Point(NamedTuple):
    """A point as one vector u, the names of its entries, and f as a function of u."""

    names: tuple[str, ...]
    u: Any
    call: Callable[[Any], Any]

    @classmethod
    def of(cls, f: Callable[..., Any], at: tuple) -> "Point":
        names = argument_names(f, len(at))
        values = [precision.floats(name, value) for name, value in zip(names, at, strict=True)]
        if len(values) == 1 and values[0].ndim == 1 and len(values[0]):
            u, call = values[0], f
            names = tuple(f"{names[0]}[{k}]" for k in range(len(u)))
        elif values and all(value.ndim == 0 for value in values):
            u = (jnp if require.traced(values) else np).stack(values)
            call = lambda u: f(*u)
        else:
            shapes = ", ".join(str(value.shape) for value in values) or "nothing"
            raise ValueError(f"the arguments of `f` must be numbers, or one vector; got {shapes}")
        for name, value in zip(names, () if require.traced(u) else u, strict=False):
            require.finite(name, value)
        return cls(names, u, call)

    def number(self, by: int | str) -> int:
        """A variable's number, from that or from its name."""
        if isinstance(by, str):
            require.one_of("variable", by, self.names)
            return self.names.index(by)
        if require.whole("by", by, least=0) >= len(self.names):
            raise ValueError(
                f"`by` must be below {len(self.names)}, the number of variables, counted from 0; got {by}"
            )
        return int(by)

    def stacked(self, u: Any) -> Any:
        """f(u), a tuple of numbers as a vector."""
        value = self.call(u)
        return jnp.stack(jnp.broadcast_arrays(*value)) if isinstance(value, (tuple, list)) else value


def argument_names(f: Callable[..., Any], count: int) -> tuple[str, ...]:
    """The names of f's first arguments, or x0, x1, … where it does not tell.

    Raises:
        TypeError: where f does not take so many.
    """
    try:
        signature = inspect.signature(f)
    except (TypeError, ValueError):
        return tuple(f"x{k}" for k in range(count))
    try:
        signature.bind(*range(count))
    except TypeError:
        wanted = ", ".join(signature.parameters)
        raise TypeError(
            f"`f` takes the arguments ({wanted}); got {text.counted(count, 'argument')}"
        ) from None
    single = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    own = [p.name for p in signature.parameters.values() if p.kind in single][:count]
    return (*own, *(f"x{k}" for k in range(len(own), count)))


def steered(
    f: Callable[..., Any], path: Callable[[Any], Any], ends: Any
) -> tuple[Callable[[Any], Any], Callable[[Any], Any], tuple[str, ...]]:
    """The path as a vector, f of that vector, and the names of its entries."""
    for end in jax.tree.leaves(ends):
        if not require.is_real(end.dtype):
            raise TypeError(f"`path` must return real numbers; got {end.dtype}")
    if isinstance(ends, (tuple, list)):
        if not ends or any(getattr(end, "shape", None) != () for end in ends):
            raise ValueError(f"`path` must return a number for each argument of `f`; got {ends!r}")
        along = lambda t: jnp.stack([jnp.asarray(x, t.dtype) for x in path(t)])
        return along, lambda u: f(*u), argument_names(f, len(ends))
    if getattr(ends, "ndim", None) == 0:
        return lambda t: jnp.asarray(path(t), t.dtype)[None], lambda u: f(u[0]), argument_names(f, 1)
    if getattr(ends, "ndim", None) != 1:
        raise ValueError(f"`path` must return a tuple of numbers, or one vector; got {ends!r}")
    (name,) = argument_names(f, 1)
    return path, f, tuple(f"{name}[{k}]" for k in range(ends.shape[0]))


def require_floats(call: Callable[[Any], Any], u: Any) -> None:
    """Require a function written in JAX whose values are floating-point numbers."""
    for leaf in jax.tree.leaves(require.traceable("f", call, u)):
        if not jnp.issubdtype(leaf.dtype, jnp.floating):
            raise TypeError(f"`f` must return floating-point numbers; got {leaf.dtype}")


def evaluated(program: Callable[..., Any], *args: Any) -> Any:
    """What a program makes of arrays: NumPy's, or inside another program JAX's own."""
    if require.traced(args) or require.holds_traced(program, *args):
        return program(*args)
    made = jax.jit(program, compiler_options=compiling.quickly())(*args)
    return jax.tree.map(lambda leaf: np.asarray(leaf)[()], made)


def like(f: Callable[..., Any], derivative: Callable[..., Any]) -> Callable[..., Any]:
    """The derivative, which takes f's arguments by f's names."""
    return functools.update_wrapper(derivative, f, assigned=(), updated=())
