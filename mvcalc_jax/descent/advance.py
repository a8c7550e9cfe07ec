"""The compiled part of the loop: blocks of steps, and a row of the trace before each."""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import lax
from jaxtyping import Array, Int

from mvcalc_jax import autodiff, require
from mvcalc_jax.descent import draws
from mvcalc_jax.descent.draws import Batches, Data, Random
from mvcalc_jax.descent.problem import Problem
from mvcalc_jax.descent.result import State
from mvcalc_jax.require import AnyArray

_AT_ONCE = 2**16
"""Noise is drawn for so many steps at once, for all of a longer chunk it would take too much memory."""


WIDE = {"xla_cpu_prefer_vector_width": 512}
"""XLA keeps to half of the widest registers unless told; where there are none so wide it makes no difference."""


def advance(
    problem: Problem,
    state: State,
    begun: int | Int[AnyArray, ""],
    data: Data,
    random: Random,
    *,
    blocks: int,
    block: int,
) -> tuple[State, Any, Any]:
    """Take blocks × block steps of every member of an ensemble, or of the one run.

    Args:
        problem: what to descend.
        state: where the run is.
        begun: the steps taken before: the step of every member, so that nothing that depends on it is batched.
        data: passed on to the Jacobian and the cost.
        random: what draws depend on.
        blocks: how many blocks.
        block: how many steps in each.

    Returns:
        The state after these steps, and (params, cost) before each block, and after the last.
    """
    if require.traced((state, data, random)):
        return _part_of_a_program(problem, state, begun, None, data, random, blocks=blocks, block=block)
    factors = _ahead(problem, state, begun, random, blocks * block)
    return _program(problem, state, begun, factors, data, random, blocks=blocks, block=block)


def compile_for(
    problem: Problem, state: State, data: Data, random: Random, *, blocks: int, block: int
) -> None:
    """Compile what `advance` will run, so that several threads need not all do it."""
    factors = _ahead(problem, state, 0, random, blocks * block)
    _program.lower(problem, state, 0, factors, data, random, blocks=blocks, block=block).compile()


def _ahead(problem: Problem, state: State, begun: Any, random: Random, steps: int) -> Any:
    """The noise of a chunk that is not too long, drawn by another program."""
    if not problem.chance.noisy or steps > _AT_ONCE:
        return None
    return draws.factors_ahead(random, begun, steps, state.params, ensemble=problem.ensemble)


def _advance(
    problem: Problem,
    state: State,
    begun: Any,
    factors: Any,
    data: Data,
    random: Random,
    *,
    blocks: int,
    block: int,
) -> tuple[State, Any, Any]:
    def advance(member: tuple[State, Any, Any]) -> tuple[State, Any, Any]:
        state, factors, key = member
        return _advance_one(problem, state, begun, factors, data, random._replace(key=key), blocks, block)

    if problem.in_turn:  # a member's numbers then stay in a core's first cache for all these steps
        return lax.map(advance, (state, factors, random.key))
    return (jax.vmap(advance) if problem.ensemble else advance)((state, factors, random.key))


_STATIC = ("problem", "blocks", "block")
_program = jax.jit(_advance, static_argnames=_STATIC, compiler_options=WIDE)
_part_of_a_program = jax.jit(_advance, static_argnames=_STATIC)  # which is compiled as its caller wishes


def _advance_one(
    problem: Problem,
    state: State,
    begun: Any,
    factors: Any,
    data: Data,
    random: Random,
    blocks: int,
    block: int,
) -> tuple[State, Any, Any]:
    steps = begun + jnp.arange(blocks * block)
    at_once = problem.chance.noisy and len(steps) <= _AT_ONCE
    if at_once and factors is None:
        factors = draws.factors(random, steps, state.params)
    size = problem.chance.batch_size
    batches = None if size is None else Batches(random, data, size)
    order = None if batches is None else batches.order(begun)

    def batch_of(step: Any, order: Any) -> tuple[Data, Any]:
        return (data, None) if batches is None else batches.of(step, order)

    def row(params: Any) -> tuple[Any, Array | None]:
        return params, None if problem.cost is None else problem.cost(params, *data)

    def take_step(carry: Any, drawn: tuple[Any, Any]) -> tuple[Any, None]:
        params, rule, order = carry
        step, factors = drawn
        batch, order = batch_of(step, order)
        jacobian = jax.tree.map(jnp.asarray, problem.jacobian(params, *batch))
        if problem.chance.noisy:
            if not at_once:
                (factors,) = draws.factors(random, step[None], params)
            jacobian = draws.noised(jacobian, factors)
        update, rule = problem.update(
            jacobian, rule, params, **_line_search(problem, params, jacobian, batch)
        )
        return (optax.apply_updates(params, update), rule, order), None

    def take_block(carry: Any, drawn: tuple[Any, Any]) -> tuple[Any, Any]:
        return lax.scan(take_step, carry, drawn, length=block)[0], row(carry[0])

    in_blocks = jax.tree.map(lambda d: d.reshape(blocks, block, *d.shape[1:]), (steps, factors))
    (params, rule, _), rows = lax.scan(
        take_block, (state.params, state.rule, order), in_blocks, length=blocks
    )
    after = State(state.step + blocks * block, params, rule)
    return after, rows, row(params)


def _line_search(problem: Problem, params: Any, jacobian: Any, batch: Data) -> dict[str, Any]:
    """What an optax line search asks for; it differentiates the cost, and so gets the hand-written way."""
    if (cost := problem.cost) is None:
        return {}
    value_fn = autodiff.with_gradient(lambda p: cost(p, *batch), lambda p: problem.jacobian(p, *batch))
    return {"value": cost(params, *batch), "grad": jacobian, "value_fn": value_fn}
