"""What autodiff says of a function, in forward and in reverse mode, and how precisely the function computes."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, Jaxpr

from mvcalc_jax import autodiff
from mvcalc_jax.verify.points import Question

ROOM = 5 * 10**7
"""How many numbers a mode may keep at once: all rows or columns of a Jacobian are carried through f together."""

_QUICKLY = {"xla_backend_optimization_level": 0}
"""What is run three times is not worth optimising: it would be compiled for half as long again."""


class Reference(NamedTuple):
    """The value of f at a point, and its Jacobian in both modes; one is both where f allows only one."""

    value: Any
    forward: Any
    reverse: Any


class References(NamedTuple):
    """What autodiff says at a point, the modes that say it, and why not both of them do."""

    at: Callable[..., Reference]
    modes: tuple[str, ...]
    why: str = ""


class Traced(NamedTuple):
    """A function, compiled for some arguments if that is possible, and what is known of it before it is run."""

    call: Callable[..., Any]
    shapes: Any
    """The shapes and dtypes of what it returns; None where it could not be traced."""
    rounds: float
    """ε of the narrowest floats that it passes through; 0 if it computes in float64 throughout."""
    widest: int
    """The size of the largest array in it."""


def traced(f: Callable[..., Any], args: tuple[Any, ...]) -> Traced:
    """Compile f for these arguments; what cannot be traced, for it looks at values, is called as it is."""
    call = jax.jit(f, compiler_options=_QUICKLY)
    try:
        found = call.trace(*args)
    except Exception:  # whatever it is: a function that is at fault says so again when it is called
        return Traced(f, None, 0.0, 0)
    arrays = list(_arrays(found.jaxpr.jaxpr))
    rounds = max((rounding(aval.dtype) for aval in arrays), default=0.0)
    return Traced(call, found.out_info, rounds, max((aval.size for aval in arrays), default=0))


def references(question: Question, inputs: int, outputs: int, widest: int) -> References:
    """The modes that f allows, and for which there is room.

    Args:
        question: f, its arguments, and those to differentiate by.
        inputs, outputs: how many numbers f is differentiated by, and how many it returns.
        widest: the size of the largest array in f.

    Raises:
        Exception: whatever the last mode that was tried raises, where f allows none.
    """
    f, args = question.f, question.args
    count = {"forward": inputs, "reverse": outputs}
    modes = {
        name: autodiff.jacobian(f, question.argnums, mode=name)
        for name in ("forward", "reverse")
        if count[name] * widest <= ROOM
    }
    why = "; the other mode would take too much memory" if len(modes) == 1 else ""
    if not modes:
        raise MemoryError("too much memory would be needed; check a smaller case")
    if len(modes) == 2:
        both = traced(lambda *args: Reference(f(*args), *(mode(*args) for mode in modes.values())), args)
        try:
            both.call(*args)
        except Exception:  # whatever f does to one mode, the other may still work
            why = "; the other mode cannot differentiate it"
        else:
            return References(both.call, tuple(modes))
    failure: Exception | None = None
    for name, mode in modes.items():
        one = traced(lambda *args, mode=mode: (f(*args), mode(*args)), args)

        def at(*args: Any, one: Traced = one) -> Reference:
            value, jacobian = one.call(*args)
            return Reference(value, jacobian, jacobian)

        try:
            at(*args)
        except Exception as error:
            failure = error
        else:
            return References(at, (name,), why)
    assert failure is not None
    raise failure


def rounding(dtype: Any) -> float:
    """ε of a floating-point dtype narrower than float64; 0 for any other."""
    if not jnp.issubdtype(dtype, jnp.floating) or jnp.finfo(dtype).bits >= 64:
        return 0.0
    return float(jnp.finfo(dtype).eps)


def _arrays(jaxpr: Jaxpr) -> Iterator[Any]:
    """Whatever is computed on the way, as shapes and dtypes."""
    for equation in jaxpr.eqns:
        yield from (var.aval for var in equation.outvars if hasattr(var.aval, "dtype"))
        for inner in jax.tree.leaves(list(equation.params.values()), is_leaf=_is_jaxpr):
            if _is_jaxpr(inner):
                yield from _arrays(inner.jaxpr if isinstance(inner, ClosedJaxpr) else inner)


def _is_jaxpr(value: Any) -> bool:
    return isinstance(value, (Jaxpr, ClosedJaxpr))
