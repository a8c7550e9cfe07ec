"""What a descent leaves behind: where it is, how it came there, and how it ended."""

from collections.abc import Callable, Generator, Sequence
from enum import IntEnum
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int, PyTree

from mvcalc_jax import require, text
from mvcalc_jax.require import AnyArray

Params = PyTree[Float[AnyArray, "..."]]

_ROWS = 20
"""Of the parameters, so many arrays are shown."""


class Status(IntEnum):
    """How a run ended: 0 as asked, below 0 not.

    >>> run = mv.steepest_descent(lambda p: p, np.float32([1.0]), steps=2, learning_rate=0.5)
    >>> run.status == mv.descent.Status.FINISHED, int(mv.descent.Status.NOT_FINITE)
    (True, -1)
    """

    FINISHED = 0
    NOT_FINITE = -1
    INTERRUPTED = -2


class State(NamedTuple):
    """What the next step needs. `rule` is what the update rule remembers.

    >>> run = mv.steepest_descent(lambda p: p, np.float32([1.0]), steps=2, learning_rate=0.5)
    >>> print(run.state.step, run.state.params)
    2 [0.25]
    """

    step: Int[AnyArray, "*m"]
    params: Any
    rule: Any


class Trace(NamedTuple):
    """What happened on the way: row r says where the run was after step[r] steps, the start being row 0.

    `step` is (r,) and `cost` is (r,), or None if no cost was given; each leaf of `params` has the rows as its first
    axis. Members of an ensemble come before the rows in `cost` and `params`; `jax.vmap` puts its axis first in all.
    A cost is that of all the data, where steps see batches too.

    >>> cost, jacobian, start = lambda p: p @ p, lambda p: 2 * p, np.float32([1.0, 2.0])
    >>> run = mv.steepest_descent(jacobian, start, cost=cost, steps=4, record_every=2, learning_rate=0.25)
    >>> print(run.trace.step, run.trace.cost, run.trace.params.shape)
    [0 2 4] [5.         0.3125     0.01953125] (3, 2)
    """

    step: Any
    params: Any
    cost: Any


@text.shown
class Result(NamedTuple):
    """A run, or a chunk of one. A tree of arrays, so `jax.vmap` may return many at once.

    Attributes:
        state: where it is, and what the next step would need.
        trace: how it came there.
        cost: of `params`, for each member of an ensemble; None if no cost was given.
        status: how it ended, for each member of an ensemble.

    >>> descend = lambda rate: mv.steepest_descent(lambda p: p, np.float32([1.0]), steps=2, learning_rate=rate)
    >>> print(descend(0.5).params, descend(0.5).steps, descend(0.5).message)
    [0.25] 2 took all 2 steps
    >>> print(jax.vmap(descend)(np.float32([0.5, 1.0])).params)  # one row for each rate
    [[0.25]
     [0.  ]]
    """

    state: State
    trace: Trace
    cost: Any
    status: Status | Int[AnyArray, "*m"]

    @property
    def params(self) -> Any:
        """The parameters after the last step.

        After a failure they are the last that were finite; under `jax.vmap`, and in an ensemble, where the others go
        on, they are what they became.
        """
        return self.state.params

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
                return "took its one step" if self.steps == 1 else f"took all {self.steps} steps"
            case Status.INTERRUPTED:
                return f"stopped on request after step {self.steps}"
            case Status.NOT_FINITE if not all(
                np.isfinite(p).all() for p in jax.tree.leaves((self.params, self.cost))
            ):
                return (
                    "stopped before the first step: a parameter or the cost is infinite or NaN at the start; look at "
                    "the parameters and the data"
                )
            case Status.NOT_FINITE if self.steps == 0:
                return (
                    "stopped at the first step, which makes the cost or a parameter infinite or NaN; look at the data, "
                    "or try a smaller learning rate"
                )
            case Status.NOT_FINITE:
                return (
                    f"stopped after step {self.steps}: the next one makes the cost or a parameter infinite or "
                    "NaN; the last finite parameters are kept; try a smaller learning rate"
                )

    def _parts(self) -> text.Parts:
        if require.traced(self):
            return [f"a descent, {text.TRACED}"]
        rows = [("", "shape", "values")]
        leaves = jax.tree_util.tree_leaves_with_path(self.params)
        rows += [(jax.tree_util.keystr(path), str(np.shape(p)), _few(p)) for path, p in leaves[:_ROWS]]
        more = [f"and {text.count(len(leaves) - _ROWS)} more"] if len(leaves) > _ROWS else []
        if self.cost is None or not np.size(self.trace.cost):  # nobody has looked yet
            return [self.message, rows, *more]
        start = np.asarray(self.trace.cost)[..., 0]
        what = "median cost" if np.ndim(self.cost) else "cost"
        return [
            self.message,
            f"{what} from {np.median(start):.6g} to {np.median(self.cost):.6g}",
            rows,
            *more,
        ]


def _few(values: Any) -> str:
    """Numbers, or between which they lie."""
    array = np.asarray(values)
    if array.size <= 8:
        return text.vector(array.ravel(), 6)
    return f"{float(array.min()):.4g} … {float(array.max()):.4g}"


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
    concatenate = jnp.concatenate if require.traced(last) else np.concatenate
    step = np.concatenate([part.trace.step for part in parts])
    traces = [part.trace._replace(step=None) for part in parts]
    trace = jax.tree.map(lambda *pieces: concatenate(pieces, axis=rows), *traces)
    return last._replace(trace=trace._replace(step=step))


def apart(a: Any, b: Any) -> float:
    """The largest difference between two trees of arrays of one structure.

    >>> mv.descent.apart({"W": np.zeros(2), "b": np.ones(1)}, {"W": np.array([0.0, 0.5]), "b": np.ones(1)})
    0.5
    """
    pairs = zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    return max(float(np.abs(np.asarray(x) - np.asarray(y)).max()) for x, y in pairs)
