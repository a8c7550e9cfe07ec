"""The one loop: from parameters, a Jacobian and a rule to a result, in compiled chunks.

    J = ∂C/∂params               by hand, on all of the data or on a batch of it
    J ← J · (1 + noise · N(0,1))  one draw for each tensor and step
    update, s = rule(J, s)       steepest descent, or any optax transformation
    params ← params + update

Steps are compiled together in equal chunks of `lax.scan`. Between chunks the host looks: it checks that
everything is finite, and passes the chunk to whoever watches – a progress bar, a checkpoint, a live
picture. A chunk is itself a short `Result`; the results of all chunks, joined, are the result of the run.

Random draws are numbered by step, not by chunk, so a run that is interrupted and resumed repeats the
undisturbed run bit for bit; one that is made longer does so to rounding, for its odd ends are compiled
apart. Under `jax.vmap` or `jax.jit` nothing can be looked at, and the whole run is one chunk.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from functools import partial
from typing import Any, TypedDict, Unpack

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key

from mvcalc_jax import require
from mvcalc_jax.descent import draws, members
from mvcalc_jax.descent.advance import advance
from mvcalc_jax.descent.ahead import Sent, planned, sent_in_parts, sent_off
from mvcalc_jax.descent.draws import Data, Random
from mvcalc_jax.descent.problem import Problem, Rule, check, check_resumable, check_room
from mvcalc_jax.descent.progress import progress_bar
from mvcalc_jax.descent.result import Params, Result, State, Status, Stream, Trace, Watcher, join
from mvcalc_jax.require import AnyArray


class ChunkOptions(TypedDict, total=False):
    """What a descent can be asked for, beside its steps and its rule.

    Attributes:
        cost: `cost(params, *data)`, a scalar; of all the data in the trace, and of a step's batch in a line search.
        data: arrays passed on to `jacobian` and `cost`, samples on their last axis.
        batch_size: samples drawn for each step, without replacement within a pass over the data.
        record_every: steps between two rows of the trace; 1 unless given.
        chunk: at most so many steps are compiled together, and lie between two looks by the host; 1000 unless given.
        resume: a result to go on from, in place of `params`; its trace is kept, and `steps` counts its steps too.
        ensemble: `params` and `key` carry a leading axis of members; a member that fails does not stop
            the others, and `status` has an entry for each.

    >>> mv.descent.ChunkOptions(chunk=100, record_every=10)  # a dictionary, to be passed on with two stars
    {'chunk': 100, 'record_every': 10}
    """

    cost: Callable[..., Array] | None
    data: Sequence[AnyArray]
    batch_size: int | None
    record_every: int
    chunk: int
    resume: Result | None
    ensemble: bool


class Options(ChunkOptions, TypedDict, total=False):  # named once more: Python 3.11 forgets it of the base
    """`ChunkOptions`, and what is to be done with the chunks.

    Attributes:
        progress: show a progress bar on stderr.
        watch: who else is shown the stream of chunks, in order: checkpoints, a live picture, one's own.

    >>> options = mv.descent.Options(record_every=10, progress=False)
    >>> run = mv.steepest_descent(lambda p: p, np.float32([1.0]), steps=30, learning_rate=0.5, **options)
    >>> print(run.trace.step)
    [ 0 10 20 30]
    """

    progress: bool
    watch: Sequence[Watcher]


def begin(
    rule: Rule, params: Params, *, cost: Callable[..., Array] | None = None, ensemble: bool = False
) -> Result:
    """The result of no steps: where a run starts, with an empty trace.

    Raises:
        ValueError, TypeError: unless `params` is a tree of floating-point arrays, with members if an ensemble.

    >>> run = mv.descent.begin(mv.descent.steepest(0.5), np.float32([1.0]))
    >>> print(run.params, run.steps, run.trace.step.size)
    [1.] 0 0
    """
    if not isinstance(rule, Rule):
        raise TypeError(
            f"`rule` must be a Rule, as descent.rule and descent.steepest make them; got {type(rule).__name__}"
        )
    if isinstance(params, Iterator):
        raise TypeError(f"`params` must be a tree of arrays; got {type(params).__name__}; make a list of it")
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        require.floating("params" + jax.tree_util.keystr(path), leaf)
    params = jax.device_put(params)
    leaves = jax.tree.leaves(params)
    if not leaves:
        raise ValueError(f"`params` must hold at least one array; got {params!r}")
    members = leaves[0].shape[:1] if ensemble else ()
    if ensemble and (members in ((), (0,)) or any(leaf.shape[:1] != members for leaf in leaves)):
        shapes = [leaf.shape for leaf in leaves]
        raise ValueError(
            f"`params` of an ensemble need a leading axis of members, all as long; got shapes {shapes}"
        )
    no_rows = jax.tree.map(lambda p: np.zeros((*members, 0, *p.shape[len(members) :]), p.dtype), params)
    dtype = jnp.result_type(*leaves)
    init = jax.vmap(rule.init) if ensemble else rule.init
    return Result(
        State(jax.device_put(np.zeros(members, int)), params, init(params)),
        Trace(np.zeros(0, int), no_rows, None if cost is None else np.zeros((*members, 0), dtype)),
        None if cost is None else np.full(members, np.nan, dtype),
        np.zeros(members, int) if ensemble else Status.FINISHED,
    )


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
        noise: standard deviation of the factor by which each tensor of the Jacobian is multiplied. The number 0
            compiles no draws; an array of any value shares one compiled loop.
        key: from `jax.random.key`, one for each member of an ensemble; needed where there is noise or a batch size.
        **the rest: see `ChunkOptions`.

    Raises:
        ValueError, TypeError: for arguments that do not fit together, at once, before any step.

    >>> stream = mv.descent.chunks(
    ...     mv.descent.steepest(0.5), lambda p: p, np.float32([1.0]), cost=lambda p: p @ p, steps=4, chunk=2
    ... )
    >>> [(part.steps, float(part.cost)) for part in stream]
    [(2, 0.0625), (4, 0.00390625)]
    """
    jacobian = require.function("jacobian", jacobian)
    cost = None if cost is None else require.function("cost", cost)
    steps = require.whole("steps", steps, least=1)
    if steps > (most := jnp.iinfo(jax.dtypes.canonicalize_dtype(int)).max):
        raise ValueError(
            f"`steps` must be at most {most}; got {steps}; with jax.enable_x64 there may be more"
        )
    record_every = min(require.whole("record_every", record_every, least=1), steps)
    chunk = require.whole("chunk", chunk, least=1)
    if not isinstance(data, (tuple, list)) or not all(isinstance(array, AnyArray) for array in data):
        kinds = (
            [type(array).__name__ for array in data]
            if isinstance(data, (tuple, list))
            else type(data).__name__
        )
        raise TypeError(f"`data` must be a tuple of arrays, such as (x, y); got {kinds}")
    arrays = tuple(jax.device_put(array) for array in data)
    so_far, begun = begin(rule, params, cost=cost, ensemble=ensemble), 0
    if resume is not None:
        check_resumable(resume, so_far)
        state = resume.state._replace(rule=rule.resume(so_far.state.rule, resume.state.rule))
        so_far, begun = resume._replace(state=state), resume.steps
    if begun > steps:
        raise ValueError(f"`steps` must be at least the {begun} taken already; got {steps}")
    chance, random = draws.prepare(noise, batch_size, key, arrays, np.shape(so_far.state.step))
    in_turn = ensemble and members.in_turn(so_far.params)
    problem = Problem(jacobian, cost, rule.update, chance, ensemble, in_turn)
    check(problem, so_far.state, arrays)
    check_room(so_far.params, steps, record_every)
    if require.traced((so_far, arrays, random)):
        chunk = steps
    plan = partial(planned, begun, steps, record_every, chunk)
    places = members.places(so_far.params) if ensemble else []
    if len(places) > 1:
        sent = sent_in_parts(problem, so_far.state, arrays, random, plan, places)
    else:
        sent = sent_off(problem, so_far.state, arrays, random, plan())
    return _seen(
        problem, so_far, arrays, random, sent, lambda step: (step % record_every == 0) | (step == steps)
    )


def collect(stream: Stream, watch: Sequence[Watcher] = ()) -> Result:
    """Run a stream to its end, past whoever watches, and join its chunks.

    Ctrl-C ends it early, with what there is until then and a status that says so.

    >>> stream = mv.descent.chunks(mv.descent.steepest(0.5), lambda p: p, np.float32([1.0]), steps=4, chunk=2)
    >>> print(mv.descent.collect(stream).trace.params[:, 0])
    [1.     0.5    0.25   0.125  0.0625]
    """
    if not isinstance(watch, Sequence):
        raise TypeError(f"`watch` must be a list of watchers; got {type(watch).__name__}")
    parts: list[Result] = []
    ended = False

    def computed(stream: Stream) -> Stream:
        nonlocal ended
        for part in stream:
            if watch and require.traced(part):
                raise ValueError(
                    "nobody can watch a descent inside jit or vmap; leave out `progress` and `watch`"
                )
            yield part
        ended = True

    with ExitStack() as stack:  # closes every watcher, the last first, before anything is returned
        stream = stack.enter_context(closing(computed(stack.enter_context(closing(stream)))))
        for watcher in watch:
            stream = watcher(stream)
            if not isinstance(stream, Generator):
                name = getattr(watcher, "__name__", type(watcher).__name__)
                raise TypeError(
                    f"a watcher must be a generator function, which yields every chunk it is given; `{name}` "
                    f"returned {type(stream).__name__}"
                )
            stack.enter_context(closing(stream))
        try:
            for part in stream:
                parts.append(part)
        except KeyboardInterrupt:
            if not parts:
                raise
    if not parts:
        raise ValueError("no chunk came past the watchers; each must yield what it is given")
    if not ended and np.any(parts[-1].status == Status.FINISHED):
        parts.append(parts.pop()._replace(status=Status.INTERRUPTED))
    return join(parts)


def descend(
    rule: Rule,
    jacobian: Callable[..., Any],
    params: Params,
    *,
    steps: int,
    noise: float | AnyArray = 0.0,
    key: Key[Array, "*m"] | None = None,
    progress: bool = False,
    watch: Sequence[Watcher] = (),
    **options: Unpack[ChunkOptions],
) -> Result:
    """Take steps of `rule` from `params`: `collect` of the `chunks`. For the arguments see there and `Options`.

    >>> print(mv.descent.descend(mv.descent.steepest(0.5), lambda p: p, np.float32([1.0]), steps=2).params)
    [0.25]
    """
    resumed = options.get("resume")
    bar = [progress_bar(steps, resumed.steps if resumed else 0)] if progress else []
    watch = [*watch, *bar] if isinstance(watch, Sequence) else watch
    return collect(chunks(rule, jacobian, params, steps=steps, noise=noise, key=key, **options), watch)


def _seen(
    problem: Problem,
    so_far: Result,
    data: Data,
    random: Random,
    sent: Generator[Sent],
    recorded: Callable[[np.ndarray], np.ndarray],
) -> Stream:
    """What there is so far, if it has a trace, and then the chunks as results, the rows that are recorded in them."""
    opened = so_far.trace.step.size > 0
    lost = problem.ensemble and so_far.status == Status.NOT_FINITE  # a member that fails has failed for good
    if opened:
        status = _status(problem, jax.device_get(so_far.params))
        yield so_far._replace(
            status=np.where(lost, int(Status.NOT_FINITE), status) if problem.ensemble else status
        )
    with closing(sent):  # whoever stops early wants no thread to wait for the garbage collector
        for chunk in sent:
            if not (traced := require.traced(chunk)):
                chunk = chunk._replace(rows=jax.device_get(chunk.rows), last=jax.device_get(chunk.last))
            status = _status(problem, (chunk.rows[1], chunk.last))
            if problem.ensemble:
                lost = lost | (status == Status.NOT_FINITE)
                status = (jnp if traced else np).where(lost, int(Status.NOT_FINITE), int(Status.FINISHED))
            if status is Status.NOT_FINITE:
                chunk = _up_to_last_finite(problem, chunk, data, random)
            keep = recorded(chunk.step)
            keep[-1] |= status is Status.NOT_FINITE  # where it ended is worth a row
            keep[0] = not opened
            opened = True
            yield Result(chunk.state, _trace(problem, chunk, keep), chunk.last[1], status)
            if not traced and np.all(status == Status.NOT_FINITE):
                return


def _status(problem: Problem, tree: Any) -> Any:
    """Whether all is finite: a `Status`, or an array of them for the members of an ensemble or under `vmap`."""
    traced, members = require.traced(tree), 1 if problem.ensemble else 0
    xp = jnp if traced else np
    finite = [xp.isfinite(leaf).all(axis=tuple(range(members, leaf.ndim))) for leaf in jax.tree.leaves(tree)]
    status = xp.where(xp.stack(finite).all(axis=0), int(Status.FINISHED), int(Status.NOT_FINITE))
    return status if traced or problem.ensemble else Status(int(status))


def _trace(problem: Problem, chunk: Sent, keep: np.ndarray) -> Trace:
    """The rows of a chunk that are kept, the last of them being where it ends."""
    xp, axis = (jnp if require.traced(chunk) else np), 1 if problem.ensemble else 0
    kept = (slice(None),) * axis + (np.flatnonzero(keep),)
    rows = jax.tree.map(
        lambda r, l: xp.concatenate([r, xp.expand_dims(l, axis)], axis)[kept], chunk.rows, chunk.last
    )
    return Trace(chunk.step[keep], *rows)


def _up_to_last_finite(problem: Problem, chunk: Sent, data: Data, random: Random) -> Sent:
    """The part of a chunk up to the last step that was finite, found by taking its steps again one at a time."""
    state, begun, last = chunk.before, int(chunk.step[0]), None
    for step in range(begun, int(chunk.step[-1])):
        after, first, found = jax.device_get(advance(problem, state, step, data, random, blocks=1, block=1))
        last = jax.tree.map(lambda row: row[0], first)
        if _status(problem, found) is Status.NOT_FINITE:
            break
        state, last = after, found
    rows = chunk.step < int(state.step)
    return Sent(
        chunk.before,
        np.append(chunk.step[rows], int(state.step)),
        state,
        jax.tree.map(lambda row: row[rows[:-1]], chunk.rows),
        last,
    )
