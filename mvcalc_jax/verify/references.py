"""What autodiff says of a function, in forward and in reverse mode, and how precisely the function computes."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, Jaxpr

from mvcalc_jax import autodiff
from mvcalc_jax.autodiff import Argnums


class Reference(NamedTuple):
    """The value of f at a point, and its Jacobian in both modes; one is both where f allows only one."""

    value: Any
    forward: Any
    reverse: Any


class References(NamedTuple):
    """What autodiff says at a point, and the modes that say it: one or both of "forward" and "reverse"."""

    at: Callable[..., Reference]
    modes: tuple[str, ...]


def references(f: Callable[..., Any], argnums: Argnums, args: tuple[Any, ...]) -> References:
    """The modes that f allows.

    Raises:
        Exception: whatever reverse mode raises, where f allows neither.
    """
    forward, reverse = (autodiff.jacobian(f, argnums, mode=mode) for mode in ("forward", "reverse"))
    both = jax.jit(lambda *args: Reference(f(*args), forward(*args), reverse(*args)))
    try:
        return References(both.trace(*args).lower().compile(), ("forward", "reverse"))
    except Exception:  # whatever f does to one mode, the other may still work
        failed = {}
    for name, mode in {"forward": forward, "reverse": reverse}.items():
        one = jax.jit(lambda *args, mode=mode: (f(*args), mode(*args)))
        try:
            compiled = one.trace(*args).lower().compile()
        except Exception as error:
            failed[name] = error
            continue

        def at(*args: Any, compiled: Callable[..., Any] = compiled) -> Reference:
            value, jacobian = compiled(*args)
            return Reference(value, jacobian, jacobian)

        return References(at, (name,))
    raise failed["reverse"]


def coarsest(jaxpr: Jaxpr) -> float:
    """ε of the narrowest floats that a computation passes through; 0 if it is in float64 throughout."""
    return max(map(rounding, _dtypes(jaxpr)), default=0.0)


def rounding(dtype: Any) -> float:
    """ε of a floating-point dtype narrower than float64; 0 for any other."""
    if dtype is None or not jnp.issubdtype(dtype, jnp.floating) or jnp.finfo(dtype).bits >= 64:
        return 0.0
    return float(jnp.finfo(dtype).eps)


def _dtypes(jaxpr: Jaxpr) -> Iterator[Any]:
    for equation in jaxpr.eqns:
        yield from (getattr(var.aval, "dtype", None) for var in equation.outvars)
        for inner in jax.tree.leaves(list(equation.params.values()), is_leaf=_is_jaxpr):
            if _is_jaxpr(inner):
                yield from _dtypes(inner.jaxpr if isinstance(inner, ClosedJaxpr) else inner)


def _is_jaxpr(value: Any) -> bool:
    return isinstance(value, (Jaxpr, ClosedJaxpr))
