"""What a descent leaves behind: where it is, how it came there, and how it ended."""

from collections.abc import Callable, Generator, Sequence
from enum import IntEnum
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int, PyTree

from mvcalc_jax import require
from mvcalc_jax.require import AnyArray

Params = PyTree[Float[AnyArray, "..."]]


class Status(IntEnum):
    """How a run ended: 0 as asked, below 0 not."""

    FINISHED = 0
    NOT_FINITE = -1
    INTERRUPTED = -2


class State(NamedTuple):
    """What the next step needs. `rule` is what the update rule remembers."""

    step: Int[AnyArray, "*m"]
    params: Any
    rule: Any


class Trace(NamedTuple):
    """What happened on the way: row r says where the run was after step[r] steps, the start being row 0.

    The cost is that of the batch of the step that follows, where there are batches; None if no cost was given.
    Members of an ensemble, if any, come before the rows in `params` and `cost`.
    """

    step: Int[np.ndarray, " r"]
    params: Any
    cost: Any


class Result(NamedTuple):
    """A run, or a chunk of one. A tree of arrays, so `jax.vmap` may return many at once."""

    state: State
    trace: Trace
    status: Status | Int[AnyArray, "*m"]

    @property
    def params(self) -> Any:
        """The parameters after the last step; after a failure, the last that were finite."""
        return self.state.params

    @property
    def cost(self) -> Any:
        """The cost of `params`, one for each member of an ensemble; None if no cost was given."""
        return None if self.trace.cost is None else self.trace.cost[..., -1]

    @property
    def steps(self) -> int:
        """The number of steps taken."""
        return int(np.asarray(self.state.step).max())  # not np.max: JAX would queue it behind the next chunk

    @property
    def message(self) -> str:
        """The status as a sentence."""
        if np.ndim(self.status):
            kept = int(np.sum(np.asarray(self.status) == Status.FINISHED))
            return f"{kept} of {np.size(self.status)} members took all their steps and stayed finite"
        match Status(int(self.status)):
            case Status.FINISHED:
                return f"took all {self.steps} steps"
            case Status.INTERRUPTED:
                return f"stopped on request after step {self.steps}"
            case Status.NOT_FINITE if self.cost is not None and not np.isfinite(self.cost):
                return (
                    "stopped before the first step: the cost is infinite or NaN at the start; look at the parameters "
                    "and the data"
                )
            case Status.NOT_FINITE:
                return (
                    f"stopped after step {self.steps}: the next one makes the cost or a parameter infinite or "
                    "NaN; the last finite parameters are kept; try a smaller learning rate"
                )


Stream = Generator[Result, None, None]
"""The chunks of a run, as they are computed."""

Watcher = Callable[[Stream], Stream]
"""Stands between the loop and its result: is given the stream of chunks, and passes every one on."""


def join(parts: Sequence[Result]) -> Result:
    """One result from consecutive chunks of a run."""
    last = parts[-1]
    if len(parts) == 1:
        return last
    rows = np.ndim(last.state.step)  # the axis of the rows: members of an ensemble come before it
    concatenate = jnp.concatenate if require.traced(parts[-1]) else np.concatenate
    step = np.concatenate([part.trace.step for part in parts])
    traces = [part.trace._replace(step=None) for part in parts]
    trace = jax.tree.map(lambda *pieces: concatenate(pieces, axis=rows), *traces)
    return last._replace(trace=trace._replace(step=step))
