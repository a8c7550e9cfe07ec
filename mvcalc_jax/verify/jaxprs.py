"""What stands inside a jaxpr. Jaxprs and their constants come together or apart: that depends on the version of JAX."""

from collections.abc import Iterator, Sequence
from typing import Any

import jax
from jax.extend.core import ClosedJaxpr, Jaxpr


def opened(jaxpr: Any) -> tuple[Jaxpr, Sequence[Any]]:
    """A jaxpr, and its constants if it holds them."""
    return getattr(jaxpr, "jaxpr", jaxpr), getattr(jaxpr, "consts", ())


def inside(jaxpr: Jaxpr) -> Iterator[tuple[Jaxpr, Sequence[Any]]]:
    """The jaxprs of all functions that a jaxpr calls, and of those that they call, each with its constants."""
    for equation in jaxpr.eqns:
        for inner in jax.tree.leaves(list(equation.params.values()), is_leaf=_is_jaxpr):
            if _is_jaxpr(inner):
                yield opened(inner)
                yield from inside(opened(inner)[0])


def _is_jaxpr(value: Any) -> bool:
    return isinstance(value, (Jaxpr, ClosedJaxpr))
