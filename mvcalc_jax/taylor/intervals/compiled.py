"""What compiled programs of intervals need: parts that are kept apart."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend.core import jaxpr_as_fun

from mvcalc_jax import require

COMPILING = ContextVar("whether the expansion is part of a program that is compiled", default=False)


@contextmanager
def compiled_apart(compiling: bool) -> Iterator[None]:
    """Within it, `apart` keeps apart, if the program is to be compiled."""
    token = COMPILING.set(compiling)
    try:
        yield
    finally:
        COMPILING.reset(token)


def apart(f: Callable[..., Any], *args: Any) -> Any:
    """f(*args), kept apart from what surrounds it when it is compiled.

    XLA merges operations on arrays into loops, and computes what two of them need in both. Where everything depends on
    everything, that multiplies the work by five. It does not merge across a branch, and does not know which one is
    taken.
    """
    true = _unknown()
    if true is None:
        return f(*args)
    leaves, structure = jax.tree.flatten(args)
    unknown = {id(x): x for x in leaves if require.traced(x)}

    def of_unknown(*values: Any) -> Any:
        """What is known while the program is written, and what is one object, stays so in its parts."""
        given = dict(zip(unknown, values, strict=True))
        return f(*jax.tree.unflatten(structure, [given.get(id(x), x) for x in leaves]))

    jaxpr, shapes = jax.make_jaxpr(of_unknown, return_shape=True)(*unknown.values())  # once: parts have parts
    nothing = [jnp.zeros(x.shape, x.dtype) for x in jax.tree.leaves(shapes)]
    found = lax.cond(true, jaxpr_as_fun(jaxpr), lambda *_: nothing, *unknown.values())
    return jax.tree.unflatten(jax.tree.structure(shapes), found)


def _unknown() -> Any:
    """True, so that XLA does not know it; None where nothing is compiled, as inside `vmap` alone."""
    true = lax.optimization_barrier(np.array(True)) if COMPILING.get() else None
    return true if require.traced(true) else None


def each_by_itself(f: Callable[..., Any], *args: Any) -> Any:
    """f of each row of the args; one after the other when it is compiled, and else all together.

    Rows of many boxes at once would be arrays in which what belongs to one row is not side by side.
    """
    if _unknown() is not None:
        return lax.map(lambda row: f(*row), args)
    return jax.vmap(f)(*args)
