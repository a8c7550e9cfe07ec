"""What is descended and by which rule, and a look at whether it all fits together before any step."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array

from mvcalc_jax import require
from mvcalc_jax.descent.draws import Chance, Data
from mvcalc_jax.descent.result import Result, State

_ROOM = 2**30
"""Bytes that the rows of a trace may take; more is refused with a hint, not found out by the kernel."""


class Rule(NamedTuple):
    """How a Jacobian becomes an update: the two functions of an optax transformation, and how it is resumed.

    `resume(fresh, saved)` is the state to go on with, from what `init` makes of the parameters now and from what
    was saved. It is the saved one, except where a state holds a setting that may have changed since.

    >>> step = lambda J, state, params, **more: (-0.5 * jnp.sign(J), state)  # by sign alone
    >>> rule = mv.descent.Rule(lambda params: (), step)
    >>> print(mv.descent.descend(rule, lambda p: 2 * p, np.float32([3.0, -4.0]), steps=4).params)
    [ 1. -2.]
    """

    init: Callable[[Any], Any]
    update: Callable[..., tuple[Any, Any]]
    resume: Callable[[Any, Any], Any] = lambda fresh, saved: saved


class Problem(NamedTuple):
    """All that is fixed when a chunk is compiled; members of an ensemble walk in turn, or else all at once."""

    jacobian: Callable[..., Any]
    cost: Callable[..., Array] | None
    update: Callable[..., tuple[Any, Any]]
    chance: Chance
    ensemble: bool
    in_turn: bool = False


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
    jacobian = require.traceable("jacobian", problem.jacobian, params, *batch)
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
        cost = require.traceable("cost", problem.cost, params, *batch)
        single = jax.tree.structure(cost) == jax.tree.structure(0) and cost.shape == ()
        if not single or not jnp.issubdtype(cost.dtype, jnp.floating):
            raise ValueError(f"`cost` must return a single floating-point number; got {_kind(cost)}")
        return
    try:
        jax.eval_shape(lambda *of: problem.update(*of), jacobian, rule, params)
    except TypeError as error:
        if "required keyword-only argument" not in str(error):
            raise
        raise ValueError(
            "`cost` is needed by a rule with a line search; pass cost=…, the function that `jacobian` belongs to"
        ) from None


def check_resumable(resume: Result, fresh: Result) -> None:
    """Require that a run can go on from `resume` where it would otherwise begin at `fresh`.

    Raises:
        TypeError: where it is no result.
        ValueError: where it is the result of another kind of descent.
    """
    if not isinstance(resume, Result):
        raise TypeError(f"`resume` must be the Result of a descent; got {type(resume).__name__}")
    if (resume.trace.cost is None) != (fresh.trace.cost is None):
        had, has = ("without", "with") if resume.trace.cost is None else ("with", "without")
        raise ValueError(f"`resume` is a descent {had} `cost`, and cannot go on {has} one")
    for what, was, now in (
        ("`params`", resume.state.params, fresh.state.params),
        ("rule", resume.state.rule, fresh.state.rule),
        ("`ensemble`", resume.state.step, fresh.state.step),
    ):
        if _kind(was) != _kind(now):
            raise ValueError(
                f"`resume` is a descent with another {what}: it had {_kind(was)}, and now has {_kind(now)}"
            )


def _kind(tree: Any) -> str:
    """A tree with the dtypes and shapes of its leaves."""
    named = jax.tree_util.tree_leaves_with_path(tree)
    return (
        ", ".join(f"{jax.tree_util.keystr(path)} {a.dtype}{list(a.shape)}".strip() for path, a in named)
        or "none"
    )


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
