"""What stands inside a jaxpr, and where the versions of JAX put it."""

from collections.abc import Iterator, Sequence
from typing import Any

import jax
from jax.extend.core import ClosedJaxpr, Jaxpr


def opened(jaxpr: Any) -> tuple[Jaxpr, Sequence[Any]]:
    """A jaxpr, and its constants if it holds them; whether they come together depends on the version of JAX.

    >>> from mvcalc_jax import jaxprs
    >>> jaxpr, _ = jaxprs.opened(jax.make_jaxpr(jnp.sin)(1.0))
    >>> [str(equation.primitive) for equation in jaxpr.eqns]
    ['sin']
    """
    return getattr(jaxpr, "jaxpr", jaxpr), getattr(jaxpr, "consts", ())


def inputs_of_scan(params: dict[str, Any]) -> tuple[int, int]:
    """How many inputs of a `scan` are the same in every round, and how many are carried on; the rest are rows.

    >>> from mvcalc_jax import jaxprs
    >>> f = lambda x: jax.lax.scan(lambda carry, row: (carry + row * x, carry), 0.0, jnp.arange(3.0))
    >>> (scan,) = (e for e in jax.make_jaxpr(f)(2.0).eqns if str(e.primitive) == "scan")
    >>> jaxprs.inputs_of_scan(scan.params)  # x, and the carry
    (1, 1)
    """
    if "ft_in" in params:  # since JAX 0.11
        consts, carried = [len(list(part)) for part in params["ft_in"].unpack()][:2]
        return consts, carried
    return params["num_consts"], params["num_carry"]


def inside(jaxpr: Jaxpr) -> Iterator[tuple[Jaxpr, Sequence[Any]]]:
    """The jaxprs of all functions that a jaxpr calls, and of those that they call, each with its constants.

    >>> from mvcalc_jax import jaxprs
    >>> outer = jax.make_jaxpr(jax.jit(lambda x: jnp.sin(x) + 1))(1.0).jaxpr
    >>> [str(e.primitive) for inner, _ in jaxprs.inside(outer) for e in inner.eqns]
    ['sin', 'add']
    """
    for equation in jaxpr.eqns:
        for inner in jax.tree.leaves(list(equation.params.values()), is_leaf=_is_jaxpr):
            if _is_jaxpr(inner):
                yield opened(inner)
                yield from inside(opened(inner)[0])


def _is_jaxpr(value: Any) -> bool:
    return isinstance(value, (Jaxpr, ClosedJaxpr))
