"""The one loop: from parameters, a Jacobian and a rule to a result, in compiled chunks.

    J = ∂C/∂params               by hand, on all of the data or on a batch of it
    J ← J · (1 + noise · N(0,1))  one draw for each tensor and step
    update, s = rule(J, s)       steepest descent, or any optax transformation
    params ← params + update

Steps are compiled together in equal chunks of `lax.scan`. Between chunks the host looks: it checks that
everything is finite, and passes the chunk to whoever watches – a progress bar, a checkpoint, a live
picture. A chunk is itself a short `Result`; the results of all chunks, joined, are the result of the run.

Random draws are numbered by step, not by chunk, so a run that is interrupted and resumed repeats the
undisturbed run bit for bit. Under `jax.vmap` or `jax.jit` nothing can be looked at, and the whole run
is one chunk.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from typing import Any, NamedTuple, TypedDict, Unpack

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax
from jaxtyping import Array, Key

from mvcalc_jax import autodiff, require
from mvcalc_jax.descent import draws
from mvcalc_jax.descent.draws import Chance, Draw, Random
from mvcalc_jax.descent.progress import progress_bar
from mvcalc_jax.descent.result import Params, Result, State, Status, Stream, Trace, Watcher, join
from mvcalc_jax.require import AnyArray

_ROOM = 2**30
"""Bytes that the rows of a trace may take; more is refused with a hint, not found out by the kernel."""


class Rule(NamedTuple):
    """How a Jacobian becomes an update: the two functions of an optax transformation."""

    init: Callable[[Any], Any]
    update: Callable[..., tuple[Any, Any]]


class Options(TypedDict, total=False):
    """What a descent can be asked for, beside its steps and its rule.

    cost: `cost(params, *data)`, a scalar; recorded in the trace, and needed by line searches.
    data: arrays passed on to `jacobian` and `cost`, samples on their last axis.
    batch_size: samples drawn for each step, without replacement within a pass over the data.
    noise: standard deviation of the factor by which each tensor of the Jacobian is multiplied. The number 0
        compiles no draws; an array of any value shares one compiled loop.
    key: from `jax.random.key`; needed where there is noise or a batch size.
    record_every: steps between two rows of the trace; 1 unless given.
    chunk: steps compiled together, and so between two looks by the host; 1000 unless given.
    resume: a result to go on from, in place of `params`; its trace is kept, and `steps` counts its steps too.
    ensemble: `params` and `key` carry a leading axis of members; a member that fails does not stop
        the others, and `status` has an entry for each.
    """

    cost: Callable[..., Array] | None
    data: Sequence[AnyArray]
    batch_size: int | None
    noise: float | AnyArray
    key: Key[Array, "*m"] | None
    record_every: int
    chunk: int
    resume: Result | None
    ensemble: bool


class _Problem(NamedTuple):
    """All that is fixed when a chunk is compiled."""

    jacobian: Callable[..., Any]
    cost: Callable[..., Array] | None
    update: Callable[..., tuple[Any, Any]]
    chance: Chance
    ensemble: bool


def begin(
    rule: Rule, params: Params, *, cost: Callable[..., Array] | None = None, ensemble: bool = False
) -> Result:
    """The result of no steps: where a run starts, with an empty trace.

    Raises:
        ValueError, TypeError: unless `params` is a tree of floating-point arrays, with members if an ensemble.
    """
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        require.floating("params" + jax.tree_util.keystr(path), leaf)
        if ensemble and leaf.shape[:1] in ((), (0,)):
            raise ValueError(
                f"`params` of an ensemble need a leading axis of members; got shape {leaf.shape}"
            )
    params = jax.device_put(params)
    leaves = jax.tree.leaves(params)
    if not leaves:
        raise ValueError(f"`params` must hold at least one array; got {params!r}")
    members = leaves[0].shape[:1] if ensemble else ()
    no_rows = jax.tree.map(lambda p: np.zeros((*members, 0, *p.shape[len(members) :]), p.dtype), params)
    no_costs = None if cost is None else np.zeros((*members, 0), jnp.result_type(*leaves))
    init = jax.vmap(rule.init) if ensemble else rule.init
    state = State(jax.device_put(np.zeros(members, int)), params, init(params))
    status = np.zeros(members, int) if ensemble else Status.FINISHED
    return Result(state, Trace(np.zeros(0, int), no_rows, no_costs), status)


def chunks(
    rule: Rule,
    jacobian: Callable[..., Any],
    params: Params,
    *,
    steps: int,
    cost: Callable[..., Array] | None = None,
    data: Sequence[AnyArray] = (),
    batch_size: int | None = None,
    noise: float | AnyArray = 0.0,
    key: Key[Array, "*m"] | None = None,
    record_every: int = 1,
    chunk: int = 1000,
    resume: Result | None = None,
    ensemble: bool = False,
) -> Stream:
    """The chunks of a descent, each computed when it is asked for; `collect` makes a result of them.

    Args:
        rule: how a Jacobian becomes an update.
        jacobian: `jacobian(params, *data)`, with the structure, shapes and dtypes of `params`.
        params: any tree of floating-point arrays.
        steps: how many steps to take, those of `resume` included.
        **the rest: see `Options`.

    Raises:
        ValueError, TypeError: for arguments that do not fit together, at once, before any step.
    """
    steps = require.whole("steps", steps, least=1)
    record_every = min(require.whole("record_every", record_every, least=1), steps)
    chunk = require.whole("chunk", chunk, least=1)
    data = tuple(jax.device_put(array) for array in data)
    chance, random = draws.prepare(noise, batch_size, key, data)
    problem = _Problem(jacobian, cost, rule.update, chance, ensemble)
    so_far = begin(rule, params, cost=cost, ensemble=ensemble) if resume is None else resume
    begun = 0 if resume is None else resume.steps
    if begun > steps:
        raise ValueError(f"`steps` must be at least the {begun} that `resume` has taken already; got {steps}")
    _check(problem, so_far.params, data)
    _check_room(so_far.params, steps, record_every)
    chunk = steps if require.traced((so_far, data, random)) else max(chunk // record_every, 1) * record_every
    return _computed(problem, so_far, data, random, _plan(begun, steps, record_every, chunk))


def collect(stream: Stream, watch: Sequence[Watcher] = ()) -> Result:
    """Run a stream to its end, past whoever watches, and join its chunks.

    Ctrl-C ends it early, with what there is until then and a status that says so.
    """
    for watcher in watch:
        stream = watcher(stream)
    parts: list[Result] = []
    with closing(stream):
        try:
            for part in stream:
                parts.append(part)
        except KeyboardInterrupt:
            if not parts:
                raise
            return join(parts)._replace(status=Status.INTERRUPTED)
    return join(parts)


def descend(
    rule: Rule,
    jacobian: Callable[..., Any],
    params: Params,
    *,
    steps: int,
    progress: bool = False,
    watch: Sequence[Watcher] = (),
    **options: Unpack[Options],
) -> Result:
    """Take steps of `rule` from `params`: `collect` of the `chunks`, with a progress bar on stderr if asked for."""
    bar = [progress_bar(steps)] if progress else []
    return collect(chunks(rule, jacobian, params, steps=steps, **options), [*watch, *bar])


def _plan(begun: int, steps: int, block: int, chunk: int) -> Iterator[tuple[int, int, int]]:
    """Cut the steps into chunks: (steps before it, blocks, steps in a block), a row of the trace per block.

    Chunks start at multiples of `chunk`, wherever the run is resumed; odd ends are chunks of their own.
    """
    while begun < steps:
        odd, left = begun % block, steps - begun
        if odd or left < block:
            blocks, size = 1, min(block - odd, left)
        else:
            blocks, size = min((chunk - begun % chunk) // block, left // block), block
        yield begun, blocks, size
        begun += blocks * size


class _Chunk(NamedTuple):
    """A chunk that has been sent off to be computed; its arrays may not be there yet."""

    before: State
    step: np.ndarray
    state: State
    rows: Any
    last: Any


def _computed(
    problem: _Problem,
    so_far: Result,
    data: tuple[AnyArray, ...],
    random: Random,
    plan: Iterator[tuple[int, int, int]],
) -> Stream:
    """What there is so far, if it has a trace, and then the chunks as they are computed."""
    opened = so_far.trace.step.size > 0
    if opened:
        yield so_far._replace(status=Status.FINISHED)
    for chunk in _one_ahead(_sent_off(problem, so_far.state, data, random, plan)):
        part = _part(problem, chunk)
        if part.status is Status.NOT_FINITE:
            part = _up_to_last_finite(problem, chunk.before, data, random, part)
        yield _without_start(part) if opened else part
        opened = True
        if not require.traced(part) and np.all(part.status == Status.NOT_FINITE):
            return


def _sent_off(
    problem: _Problem,
    state: State,
    data: tuple[AnyArray, ...],
    random: Random,
    plan: Iterator[tuple[int, int, int]],
) -> Iterator[_Chunk]:
    for begun, blocks, block in plan:
        before = state
        state, rows, last = _advance(problem, before, data, random, blocks, block)
        yield _Chunk(before, begun + block * np.arange(blocks + 1), state, rows, last)


def _one_ahead(chunks: Iterator[_Chunk]) -> Iterator[_Chunk]:
    """Hand over a chunk when the next is on its way, so that the host looks at one while the other is computed."""
    ahead = None
    for chunk in chunks:
        if ahead is not None:
            yield ahead
        ahead = chunk
    if ahead is not None:
        yield ahead


def _part(problem: _Problem, chunk: _Chunk) -> Result:
    """A chunk as a `Result`: its rows and the last one, and whether every member is finite there."""
    traced = require.traced(chunk)
    rows, last = (chunk.rows, chunk.last) if traced else jax.device_get((chunk.rows, chunk.last))
    xp, time = (jnp if traced else np), (1 if problem.ensemble else 0)
    joined = jax.tree.map(lambda r, l: xp.concatenate([r, xp.expand_dims(l, time)], time), rows, last)
    looked_at = jax.tree.leaves((joined[1], last))
    finite = xp.stack([xp.isfinite(leaf).all(axis=tuple(range(time, leaf.ndim))) for leaf in looked_at]).all(
        axis=0
    )
    status = xp.where(finite, int(Status.FINISHED), int(Status.NOT_FINITE))
    if not traced and not problem.ensemble:
        status = Status(int(status))
    return Result(chunk.state, Trace(chunk.step, *joined), status)


def _without_start(part: Result) -> Result:
    """A chunk's trace begins where the one before it ended: leave that row out."""
    after = (slice(None),) * np.ndim(part.state.step) + (slice(1, None),)  # members come first
    step, *rows = part.trace
    return part._replace(trace=Trace(step[1:], *jax.tree.map(lambda row: row[after], rows)))


def _up_to_last_finite(
    problem: _Problem, state: State, data: tuple[AnyArray, ...], random: Random, part: Result
) -> Result:
    """Repeat a chunk that left the finite numbers a step at a time, up to the step before it did."""
    for _ in range(int(part.state.step) - int(state.step)):
        after, _, last = _advance(problem, state, data, random, 1, 1)
        if not all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(last)):
            break
        state = after
    kept = part.trace.step <= int(state.step)
    return Result(state, jax.tree.map(lambda row: row[kept], part.trace), Status.NOT_FINITE)


@partial(jax.jit, static_argnames=("problem", "blocks", "block"))
def _advance(
    problem: _Problem, state: State, data: tuple[AnyArray, ...], random: Random, blocks: int, block: int
) -> tuple[State, Any, Any]:
    """Take blocks × block steps of every member.

    Returns the state after them, and (params, cost) before each block and after the last.
    """
    advance = partial(_advance_one, problem, blocks=blocks, block=block)
    if problem.ensemble:
        return jax.vmap(lambda state, key: advance(state, data, random._replace(key=key)))(state, random.key)
    return advance(state, data, random)


def _advance_one(
    problem: _Problem, state: State, data: tuple[AnyArray, ...], random: Random, *, blocks: int, block: int
) -> tuple[State, Any, Any]:
    steps, samples = blocks * block, data[0].shape[-1] if data else 0
    drawn = draws.draw(problem.chance, random, state.step, steps + 1, state.params, samples)

    def row(params: Any, draw: Draw) -> tuple[Any, Array | None]:
        return params, None if problem.cost is None else problem.cost(params, *draw.batch(data))

    def take_step(carry: tuple[Any, Any], draw: Draw) -> tuple[tuple[Any, Any], None]:
        params, rule = carry
        batch = draw.batch(data)
        jacobian = draw.noised(problem.jacobian(params, *batch))
        line_search = _for_line_search(problem, row(params, draw)[1], jacobian, batch)
        update, rule = problem.update(jacobian, rule, params, **line_search)
        return (optax.apply_updates(params, update), rule), None

    def take_block(carry: tuple[Any, Any], of_block: Draw) -> tuple[tuple[Any, Any], Any]:
        first = row(carry[0], jax.tree.map(lambda d: d[0], of_block))
        return lax.scan(take_step, carry, of_block, length=block)[0], first

    in_blocks = jax.tree.map(lambda d: d[:-1].reshape(blocks, block, *d.shape[1:]), drawn)
    (params, rule), rows = lax.scan(take_block, (state.params, state.rule), in_blocks, length=blocks)
    last = row(params, jax.tree.map(lambda d: d[-1], drawn))
    return State(state.step + steps, params, rule), rows, last


def _for_line_search(
    problem: _Problem, cost: Array | None, jacobian: Any, batch: tuple[AnyArray, ...]
) -> dict[str, Any]:
    """What an optax line search asks for; it differentiates the cost, and so gets the hand-written way."""
    if (cost_of := problem.cost) is None:
        return {}
    value_fn = autodiff.with_gradient(
        lambda params: cost_of(params, *batch), lambda params: problem.jacobian(params, *batch)
    )
    return {"value": cost, "grad": jacobian, "value_fn": value_fn}


def _check(problem: _Problem, params: Params, data: tuple[AnyArray, ...]) -> None:
    """Look at what `jacobian` and `cost` would return, without computing it."""
    members = 1 if problem.ensemble else 0
    member = jax.tree.map(lambda p: jax.ShapeDtypeStruct(p.shape[members:], p.dtype), params)
    batch = tuple(
        jax.ShapeDtypeStruct((*a.shape[:-1], problem.chance.batch_size or a.shape[-1]), a.dtype) for a in data
    )
    got = jax.eval_shape(problem.jacobian, member, *batch)
    if jax.tree.structure(got) != jax.tree.structure(member):
        raise ValueError(
            f"`jacobian` must return the structure of `params`, {jax.tree.structure(member)}; "
            f"got {jax.tree.structure(got)}"
        )
    for (path, want), have in zip(
        jax.tree_util.tree_leaves_with_path(member), jax.tree.leaves(got), strict=True
    ):
        if (have.shape, have.dtype) != (want.shape, want.dtype):
            raise ValueError(
                f"`jacobian(params)`{jax.tree_util.keystr(path)} must be {want.dtype}{list(want.shape)} like "
                f"the parameter it belongs to; got {have.dtype}{list(have.shape)}"
            )
    if problem.cost is not None:
        cost = jax.eval_shape(problem.cost, member, *batch)
        if jax.tree.structure(cost) != jax.tree.structure(0) or cost.shape != ():
            raise ValueError(f"`cost` must return a single number; got {cost}")


def _check_room(params: Any, steps: int, record_every: int) -> None:
    """Refuse a trace that would not fit, before it is computed."""
    needed = (steps // record_every + 1) * sum(leaf.nbytes for leaf in jax.tree.leaves(params))
    if needed > _ROOM:
        raise ValueError(
            f"`record_every` must be larger: with {record_every} the trace takes {needed / 2**30:.1f} GiB and "
            f"may take {_ROOM / 2**30:g}; try record_every={record_every * -(-needed // _ROOM)}"
        )
