"""A block of fits from its data to its results, in one compiled program.

The block is cut into chunks that fit a processor's cache. Each goes round the loop a few times, enough for most
fits; those that are still running are then gathered from all chunks and go on together, for otherwise every chunk
would wait for its slowest. What still fails starts again with a heavier damping: some basins are only found slowly.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from mvcalc_jax.compiling import quickly
from mvcalc_jax.fitting import loop, normal
from mvcalc_jax.fitting.loop import Data, Model, State
from mvcalc_jax.fitting.normal import Normal
from mvcalc_jax.fitting.result import Status
from mvcalc_jax.require import AnyArray


class Inputs(NamedTuple):
    """What the user gave; each with the fits as its first axis, or 1 there where all fits share it; or None."""

    x: Any
    y: Any
    sigma: Any
    mask: Any
    p0: Any
    lower: Any
    upper: Any


class Plan(NamedTuple):
    """What is compiled in.

    Attributes:
        model: its normal equations.
        free: which parameters are free.
        method: one of `loop.METHODS`.
        lanes: fits in a chunk.
        polished: whether there is a stage without the Hessian before the one with it.
        absolute_sigma: whether sigma is in the units of y, and not only relative.
        omit: whether points that are not finite are left out.
        start: from `Data` to p0, where none was given.
    """

    model: Model
    free: tuple[bool, ...]
    method: str
    lanes: int
    polished: bool
    absolute_sigma: bool
    omit: bool
    start: Any = None


class Solution(NamedTuple):
    """The arrays of a `Fit`, the fits as their first axis."""

    params: AnyArray
    stderr: AnyArray
    cov: AnyArray
    cost: AnyArray
    chi2: AnyArray
    dof: AnyArray
    status: AnyArray
    nit: AnyArray
    nfev: AnyArray


FEW = 4
"""Rounds that every chunk takes before what is still running is gathered."""
SOON = 256
"""Fits in a block that are done sooner than they could be compiled well."""


@cache
def compiled(soon: bool) -> Callable[[Plan, Inputs, Any, Any], Solution]:
    """`solve_block`, compiled well, or soon, which is better for blocks of no more than `SOON` fits."""
    return jax.jit(solve_block, static_argnames="plan", compiler_options=quickly() if soon else None)


def solve_block(plan: Plan, inputs: Inputs, offset: Any, steps: Any) -> Solution:
    """Fit a block.

    Args:
        plan: what is compiled in.
        inputs: the data; the number of fits must be a multiple of `plan.lanes`.
        offset: the relative offset to reach.
        steps: the most iterations of a fit.
    """
    many = max(leaf.shape[0] for leaf in inputs if leaf is not None)
    each = Inputs(*(a if a is not None and a.shape[0] == many else None for a in inputs))
    shared = Inputs(*(None if e is not None else a for a, e in zip(inputs, each, strict=True)))
    if many == 1:
        each, shared = inputs, Inputs(*[None] * len(inputs))
    chunks = many // plan.lanes

    def chunk_of(rows: Callable[[Any], Any]) -> Inputs:
        return Inputs(*(s if e is None else rows(e) for s, e in zip(shared, each, strict=True)))

    def running(done: tuple[State, Solution]) -> Any:
        return done[0].status == Status.RUNNING

    def go_on(carry: tuple[Any, tuple[State, Solution]]) -> tuple[Any, tuple[State, Solution]]:
        """Take up the fits that are still running, a chunk of them at a time, for more rounds than before."""
        budget, before = carry
        first = budget == FEW  # everyone, in their own order, so that nothing needs to be gathered
        order = jnp.where(first, jnp.arange(many), jnp.argsort(~running(before), stable=True))
        total = jnp.where(first, many, jnp.sum(running(before)))

        def take(carry: tuple[Any, tuple[State, Solution]]) -> tuple[Any, tuple[State, Solution]]:
            k, done = carry
            begin = k * plan.lanes
            index = lax.dynamic_slice_in_dim(order, begin, plan.lanes)
            of = lambda rows: (chunk_of(rows), jax.tree.map(rows, done[0]))
            chunk, state = lax.cond(
                first,
                lambda: of(lambda a: lax.dynamic_slice_in_dim(a, begin, plan.lanes)),
                lambda: of(lambda a: a[index]),
            )
            after = _solve_chunk(plan, chunk, state, first, offset, steps, budget)
            done = lax.cond(
                first,
                lambda: jax.tree.map(
                    lambda a, new: lax.dynamic_update_slice_in_dim(a, new, begin, 0), done, after
                ),
                lambda: jax.tree.map(lambda a, new: a.at[index].set(new), done, after),
            )
            return k + 1, done

        return 4 * budget, lax.while_loop(lambda c: c[0] * plan.lanes < total, take, (0, before))[1]

    blank = _blank(many, len(plan.free), inputs.y.dtype)
    if chunks == 1:  # nothing to gather, and less to compile
        every = chunk_of(lambda a: a)
        on = lambda carry: (
            1,
            _solve_chunk(plan, every, carry[1][0], carry[0] == 0, offset, steps, 3 * steps),
        )
        unsolved = lambda carry: (carry[0] == 0) | jnp.any(running(carry[1]))
        return lax.while_loop(unsolved, on, (0, blank))[1][1]
    unsolved = lambda carry: (carry[0] == FEW) | jnp.any(running(carry[1]))
    return lax.while_loop(unsolved, go_on, (FEW, blank))[1][1]


def _blank(many: int, p: int, dtype: Any) -> tuple[State, Solution]:
    """Room for fits that have not begun, the fits as the first axis."""
    one, each, none = jnp.zeros(many, dtype), jnp.zeros((many, p), dtype), jnp.zeros(many, "int32")
    state = State(each, one, one, none, none, none, jnp.zeros(many, bool), each)
    cov = jnp.zeros((many, p, p), dtype)
    return state, Solution(each, each, cov, one, one, none, none, none, none)


def _first_axis(tree: Any) -> Any:
    return jax.tree.map(lambda a: jnp.moveaxis(a, -1, 0), tree)


def _solve_chunk(
    plan: Plan, chunk: Inputs, begun: State, first: Any, offset: Any, steps: Any, budget: Any
) -> tuple[State, Solution]:
    """Let the fits of one chunk begin, or go on from where they are; every array has the fits as its first axis."""
    data, begin = prepare(plan, chunk)
    last = jax.tree.map(lambda a: jnp.moveaxis(a, 0, -1), begun)
    state = jax.tree.map(lambda new, old: jnp.where(first, new, old), loop.start(data.start, begin), last)
    before = state.status
    go = partial(loop.iterate, model=plan.model, method=plan.method, data=data, steps=steps)
    if plan.polished:
        state, _ = go(plan.model.normal, state=state, offset=jnp.maximum(offset, 1e-4), budget=budget)
        arrived = (state.status > 0) | (state.status == Status.STALLED)
        state = loop.go_on(state, arrived & (before == Status.RUNNING))
    state, at = go(plan.model.exact, state=state, offset=offset, budget=budget)
    state = state._replace(status=_verdict(plan, state, at, data))
    solution = finish(plan, state, at, data, begin)
    if plan.method == "lm":
        failed = (state.status <= 0) & (state.status > Status.RUNNING) & (begin == Status.RUNNING)
        state = loop.again(state, failed & ~state.again & (state.status != Status.OUTSIDE), data)
    return _first_axis((state, solution))


def prepare(plan: Plan, chunk: Inputs) -> tuple[Data, Array]:
    """The data of a chunk with the fits last, and the status of fits: running, or why they cannot even begin."""
    m, p = plan.lanes, len(plan.free)
    last = lambda a: None if a is None else jnp.moveaxis(a, 0, -1)
    x, y, sigma, p0 = (
        jnp.moveaxis(chunk.x, 0, -1),
        jnp.moveaxis(chunk.y, 0, -1),
        last(chunk.sigma),
        last(chunk.p0),
    )
    lower, upper = last(chunk.lower), last(chunk.upper)
    there = jnp.ones((1, 1), bool) if chunk.mask is None else jnp.moveaxis(chunk.mask, 0, -1)
    placed = jnp.isfinite(x) if x.ndim == 2 else jnp.all(jnp.isfinite(x), axis=0)
    sound = jnp.isfinite(y) & placed
    if plan.omit:
        there = there & sound if sigma is None else there & sound & ~jnp.isnan(sigma)
    bad = jnp.any(there & ~sound, axis=0)
    one = jnp.argmax(placed, axis=0)[None]
    some = jnp.take_along_axis(jnp.where(placed, x, 0), one if x.ndim == 2 else one[None], axis=-2)
    x = jnp.where(placed, x, some)  # a point that is left out must not make the model NaN
    y = jnp.where(there & jnp.isfinite(y), y, 0)
    weights, bad_sigma = None, jnp.zeros(m, bool)
    if sigma is not None:
        good = (sigma > 0) & jnp.isfinite(sigma)
        bad_sigma = jnp.any(there & ~good, axis=0)
        weights = jnp.where(there, 1 / jnp.where(good, sigma, 1) ** 2, 0)
    elif chunk.mask is not None or plan.omit:
        weights = there.astype(y.dtype)
    size = jnp.broadcast_to(jnp.sum(y * y if weights is None else weights * y * y, axis=0), (m,))
    held = None if all(plan.free) else ~jnp.array(plan.free)[:, None]
    data = Data(x, y, weights, lower, upper, held, size, None)
    theta = jnp.broadcast_to(plan.start(data) if p0 is None else p0, (p, m)).astype(y.dtype)
    crossed = jnp.zeros(m, bool)
    if lower is not None and upper is not None:
        crossed = jnp.any(~(lower < upper), axis=0)
        theta = jnp.clip(theta, lower, upper)
    lost = jnp.any(~jnp.isfinite(theta), axis=0)
    points = jnp.sum(jnp.broadcast_to(there, (y.shape[0], m)), axis=0)
    limits = jnp.finfo(y.dtype)  # what is a rounding error of the sum must still be a number
    vanishing = (size < limits.tiny / limits.eps) & jnp.any(y != 0, axis=0)
    status = jnp.full(m, Status.RUNNING)
    for where, code in (
        (vanishing | jnp.isinf(size), Status.OUT_OF_RANGE),
        (lost | bad, Status.NOT_FINITE),
        (points < sum(plan.free), Status.TOO_FEW_POINTS),
        (bad_sigma, Status.BAD_SIGMA),
        (crossed, Status.CROSSED_BOUNDS),
    ):
        status = jnp.where(where, code, status)
    return data._replace(start=jnp.where(lost, 1, theta)), status.astype("int32")


def finish(plan: Plan, state: State, at: Normal, data: Data, begin: Array) -> Solution:
    """Covariances and verdicts."""
    m, p = state.theta.shape[-1], len(plan.free)
    seen = loop.look(state.theta, at, data)
    points = data.y.shape[0] if data.weights is None else jnp.sum(data.weights > 0, axis=0)
    dof = jnp.broadcast_to(points - sum(plan.free), (m,)).astype("int32")
    per_dof = jnp.where(dof > 0, 1 / jnp.maximum(dof, 1).astype(at.cost.dtype), jnp.nan)
    chi2 = 2 * at.cost
    if plan.model.columns is None:
        factored = normal.factor(at.gram, seen.scale)
    else:
        factored = normal.factor_of(plan.model.columns(state.theta, data), seen.held)
    cov = normal.inverse(factored)
    if plan.model.spread is not None and at.hessian is not None:
        filling, chi2 = plan.model.spread(state.theta, data)
        bread = normal.inverse(normal.factor(at.hessian, seen.scale))
        cov = jnp.einsum("ijm,jkm,klm->ilm", bread, normal.unpacked(filling, p), bread)
    elif not plan.absolute_sigma:
        cov = cov * chi2 * per_dof
    status = state.status
    fixed = jnp.zeros((p, 1), bool) if data.held is None else data.held
    unknown = (status < 0) | (seen.held & ~fixed)
    cov = jnp.where(unknown[:, None] | unknown, jnp.nan, cov)
    stderr = jnp.sqrt(jnp.stack([cov[k, k] for k in range(p)]))
    known = lambda a: jnp.where(begin == Status.RUNNING, a, jnp.nan)
    ends = status, state.nit, state.nfev
    return Solution(known(state.theta), stderr, cov, known(at.cost), known(chi2), dof, *ends)


def _verdict(plan: Plan, state: State, at: Normal, data: Data) -> Array:
    """The status, looked at once more where the last step has led."""
    seen, status = loop.look(state.theta, at, data), state.status
    for where, code in (
        (~loop.arrived(at, seen, data, loop.NEARLY), Status.STALLED),
        (~seen.definite, Status.SINGULAR),
    ):
        status = jnp.where((status > 0) & where, code, status)
    lost = loop.faded(state, seen, data) & ((status > 0) | (status == Status.SINGULAR))
    status = jnp.where(lost, Status.DEGENERATE, status)
    if plan.model.outside is not None:
        status = jnp.where((status > 0) & plan.model.outside(state.theta, data), Status.OUTSIDE, status)
    return status.astype("int32")
