"""Functions as JAX writes them down: the one way to walk their equations, and what stands inside them.

A walk goes through a jaxpr equation by equation, with whatever it is that stands for a value there: a number on a tape,
an interval, a series. Who walks says what stands for a constant and what an equation makes of its inputs; calls and
loops are found here, where the versions of JAX put them.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

CALLS = frozenset(("jit", "closed_call", "remat2"))
"""Equations that call a function and do nothing else."""
OWN_RULE = frozenset(("custom_jvp_call", "custom_vjp_call"))
"""Equations that call a function whose author gave it a derivative."""


def walk(
    jaxpr: Jaxpr,
    consts: Sequence[Any],
    args: Sequence[Any],
    step: Callable[[Any, list[Any]], Sequence[Any]],
    constant: Callable[[Any], Any] = lambda value: value,
) -> list[Any]:
    """What stands for the results of a jaxpr.

    Args:
        jaxpr: to walk.
        consts: its constants.
        args: what stands for its arguments.
        step: takes an equation, and what stands for its inputs, to what stands for its outputs.
        constant: takes a constant to what stands for it.
    """
    known: dict[Any, Any] = dict(zip(jaxpr.invars, args, strict=True))
    known.update(zip(jaxpr.constvars, map(constant, consts), strict=True))

    def read(atom: Any) -> Any:
        if isinstance(atom, Literal):
            kind: Any = atom.aval
            return constant(np.asarray(atom.val, kind.dtype))
        return known[atom]

    for equation in jaxpr.eqns:
        found = step(equation, [read(atom) for atom in equation.invars])
        known.update(zip(equation.outvars, found, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def performed(equation: Any, *values: Any, **other: Any) -> list[Any]:
    """An equation carried out by itself, on numbers; `other` are parameters in place of its own."""
    found = equation.primitive.bind(*values, **equation.primitive.get_bind_params(equation.params) | other)
    return list(found) if equation.primitive.multiple_results else [found]


def called(equation: Any) -> Any:
    """The function that an equation calls with its own arguments; None if it is no call."""
    if equation.primitive.name not in CALLS | OWN_RULE:
        return None
    return next(equation.params[key] for key in ("jaxpr", "call_jaxpr") if key in equation.params)


def unrolled(
    params: dict[str, Any],
    inputs: Sequence[Any],
    run: Callable[[Jaxpr, Sequence[Any], list[Any]], list[Any]],
    entry: Callable[[Any, int, int], Any],
    stack: Callable[[list[Any], int], Any],
    constant: Callable[[Any], Any],
) -> list[Any]:
    """What stands for the results of a `scan` whose rounds are walked one by one.

    Args:
        params: of the scan.
        inputs: what stands for its inputs.
        run: walks a jaxpr, given its constants and what stands for its arguments.
        entry: takes what stands for an array, a round and the array's place among the scan's to its entry there.
        stack: puts what stands for entries together; with the array's place among the scan's results.
        constant: takes a constant to what stands for it.
    """
    body, held = opened(params["jaxpr"])
    consts, carried = inputs_of_scan(params)
    fixed, carry, arrays = inputs[:consts], inputs[consts : consts + carried], inputs[consts + carried :]
    order = range(params["length"])
    rows: dict[int, list[Any]] = {}
    for t in reversed(order) if params["reverse"] else order:
        out = run(body, held, [*fixed, *carry, *(entry(array, t, k) for k, array in enumerate(arrays))])
        carry, rows[t] = out[:carried], out[carried:]
    empty = (constant(np.zeros((0, *v.aval.shape), v.aval.dtype)) for v in body.outvars[carried:])  # type: ignore
    together = (stack([rows[t][k] for t in order], k) for k in range(len(body.outvars) - carried))
    return [*carry, *(together if rows else empty)]


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


def equations(jaxpr: Jaxpr) -> Iterator[Any]:
    """Every equation of a jaxpr, and of all functions inside it."""
    yield from jaxpr.eqns
    for inner, _ in inside(jaxpr):
        yield from inner.eqns


def _is_jaxpr(value: Any) -> bool:
    return isinstance(value, (Jaxpr, ClosedJaxpr))
