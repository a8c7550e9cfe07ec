"""What stands inside a jaxpr, and where the versions of JAX put it."""

from collections.abc import Iterator, Sequence
from typing import Any

import jax
from jax.extend.core import ClosedJaxpr, Jaxpr


def opened(jaxpr: Any) -> tuple[Jaxpr, Sequence[Any]]:
    """A jaxpr, and its constants if it holds them; whether they come together depends on the version of JAX."""
    return getattr(jaxpr, "jaxpr", jaxpr), getattr(jaxpr, "consts", ())


def inputs_of_scan(params: dict[str, Any]) -> tuple[int, int]:
    """How many inputs of a `scan` are the same in every round, and how many are carried on; the rest are rows."""
    if "ft_in" in params:  # since JAX 0.11
        consts, carried = [len(list(part)) for part in params["ft_in"].unpack()][:2]
        return consts, carried
    return params["num_consts"], params["num_carry"]


def inside(jaxpr: Jaxpr) -> Iterator[tuple[Jaxpr, Sequence[Any]]]:
    """The jaxprs of all functions that a jaxpr calls, and of those that they call, each with its constants."""
    for equation in jaxpr.eqns:
        for inner in jax.tree.leaves(list(equation.params.values()), is_leaf=_is_jaxpr):
            if _is_jaxpr(inner):
                yield opened(inner)
                yield from inside(opened(inner)[0])


def _is_jaxpr(value: Any) -> bool:
    return isinstance(value, (Jaxpr, ClosedJaxpr))
