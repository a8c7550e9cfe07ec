"""What is descended and by which rule, and a look at whether it all fits together before any step."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
from jaxtyping import Array

from mvcalc_jax.descent.draws import Chance, Data
from mvcalc_jax.descent.result import State

_ROOM = 2**30
"""Bytes that the rows of a trace may take; more is refused with a hint, not found out by the kernel."""


class Rule(NamedTuple):
    """How a Jacobian becomes an update: the two functions of an optax transformation."""

    init: Callable[[Any], Any]
    update: Callable[..., tuple[Any, Any]]


class Problem(NamedTuple):
    """All that is fixed when a chunk is compiled."""

    jacobian: Callable[..., Any]
    cost: Callable[..., Array] | None
    update: Callable[..., tuple[Any, Any]]
    chance: Chance
    ensemble: bool


def check(problem: Problem, state: State, data: Data) -> None:
    """Look at what `jacobian`, `cost` and the rule would return, without computing it.

    Raises:
        ValueError: where a derivative is not shaped like its parameters, a cost is no single number, or the rule
            needs a cost and has none.
    """

    def member(leaf: Any) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(leaf.shape[1:] if problem.ensemble else leaf.shape, leaf.dtype)

    size = problem.chance.batch_size
    params, rule = jax.tree.map(member, (state.params, state.rule))
    batch = [jax.ShapeDtypeStruct((*a.shape[:-1], size), a.dtype) if size else a for a in data]
    jacobian = jax.eval_shape(problem.jacobian, params, *batch)
    if jax.tree.structure(jacobian) != jax.tree.structure(params):
        raise ValueError(
            f"`jacobian` must return the structure of `params`, {jax.tree.structure(params)}; "
            f"got {jax.tree.structure(jacobian)}"
        )
    for (path, want), have in zip(
        jax.tree_util.tree_leaves_with_path(params), jax.tree.leaves(jacobian), strict=True
    ):
        if (have.shape, have.dtype) != (want.shape, want.dtype):
            raise ValueError(
                f"`jacobian(params)`{jax.tree_util.keystr(path)} must be {want.dtype}{list(want.shape)} like "
                f"the parameter it belongs to; got {have.dtype}{list(have.shape)}"
            )
    if problem.cost is not None:
        cost = jax.eval_shape(problem.cost, params, *batch)
        if jax.tree.structure(cost) != jax.tree.structure(0) or cost.shape != ():
            raise ValueError(f"`cost` must return a single number; got {cost}")
        return
    try:
        jax.eval_shape(lambda *of: problem.update(*of), jacobian, rule, params)
    except TypeError as error:
        if "value" not in str(error):
            raise
        raise ValueError(
            "`cost` is needed by a rule with a line search; pass cost=…, the function that `jacobian` belongs to"
        ) from None


def check_room(params: Any, steps: int, record_every: int) -> None:
    """Refuse a trace that would not fit, before it is computed.

    Raises:
        ValueError: saying which `record_every` would do.
    """
    needed = (steps // record_every + 1) * sum(leaf.nbytes for leaf in jax.tree.leaves(params))
    if needed > _ROOM:
        raise ValueError(
            f"`record_every` must be larger: with {record_every} the trace takes {needed / 2**30:.1f} GiB and "
            f"may take {_ROOM / 2**30:g}; try record_every={record_every * -(-needed // _ROOM)}"
        )
