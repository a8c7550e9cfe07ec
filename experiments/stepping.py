"""Descents with rates that are proven and others that are not, and how far one could have gone; for `safe_steps`."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

import mvcalc_jax as mv
from mvcalc_jax import compiling

ROUNDING = 1e-12
"""A cost is computed to this relative accuracy at least."""
SHARE = 0.5
"""Of the proven rate, what a step takes."""
REACH, FINELY = 100.0, 1.05
"""Rates are looked at up to so many times the proven one, each so many times the one before."""


class Task(NamedTuple):
    """What to descend, from where, at which fixed rates: one that is used, and one that is too large."""

    name: str
    cost: Callable[..., Any]
    jacobian: Callable[..., Any]
    params: Any
    data: tuple[np.ndarray, ...]
    rates: tuple[float, float]


class Walk(NamedTuple):
    """A descent: its costs, its rates, 0 where there was no step; and its parameters and Jacobians, flat, by step."""

    label: str
    cost: np.ndarray
    rate: np.ndarray
    result: mv.Result

    @property
    def rises(self) -> np.ndarray:
        """By how much the cost rose, relative to it, in the steps in which it did."""
        up = np.diff(self.cost) / self.cost[:-1]
        return up[up > 0]


def network(curve: str, samples: int, seed: int, rates: tuple[float, float]) -> Task:
    """The course's: 77 numbers that learn to draw a curve."""
    target = mv.data.curve(curve, samples)
    params = mv.network.init(np.random.default_rng(seed), (1, 6, 7, 2), dtype=np.float64)
    data = target.t.astype(float), target.points.astype(float)
    return Task(f"the network, {curve}", mv.network.cost, mv.network.jacobian, params, data, rates)


def heights(rates: tuple[float, float]) -> Task:
    """The course's: a Gaussian fitted to a histogram."""
    histogram = mv.data.histogram("course").padded(6.0)
    data, start = (histogram.centres, histogram.density), np.array([155.0, 6.0])
    return Task("the heights", mv.gaussian.chi_squared, mv.gaussian.chi_squared_jacobian, start, data, rates)


def walk(task: Task, steps: int, rate: float | None, level: int = 1) -> Walk:
    """A descent at a fixed rate, or at one that is proven at every step."""
    options: Any = {"cost": task.cost, "data": task.data, "steps": steps}
    if rate is not None:
        found = mv.steepest_descent(task.jacobian, task.params, learning_rate=rate, **options)
        return Walk(f"rate {rate:g}", found.trace.cost, np.full(found.steps, rate), found)

    def descend(params: Any) -> Any:
        return mv.steepest_descent(
            task.jacobian, params, learning_rate=mv.descent.proven(share=SHARE), **options
        )

    found = jax.device_get(jax.jit(descend, compiler_options=compiling.quickly(level))(task.params))
    return Walk("proven", found.trace.cost, taken(task, found.trace.params) / SHARE, found)


def flat(tree: Any) -> np.ndarray:
    """Rows of a trace as vectors."""
    return np.concatenate([np.reshape(leaf, (len(leaf), -1)) for leaf in jax.tree.leaves(tree)], axis=1)


def taken(task: Task, params: Any) -> np.ndarray:
    """The learning rate of every step, read off the parameters: η = −Δp·J / J·J."""
    J = flat(
        jax.jit(jax.vmap(lambda p: task.jacobian(p, *task.data)))(jax.tree.map(lambda p: p[:-1], params))
    )
    return -(np.diff(flat(params), axis=0) * J).sum(1) / (J * J).sum(1)


class Room(NamedTuple):
    """At some steps: the rate that was proven, and the largest up to which the cost is lower; inf if out of reach."""

    step: np.ndarray
    proven: np.ndarray
    largest: np.ndarray

    @property
    def ratio(self) -> np.ndarray:
        return (self.proven / self.largest)[np.isfinite(self.largest)]


def room(task: Task, walked: Walk, count: int) -> Room:
    """How much farther one could have gone: from the proven rate up until the cost is not lower, then by bisection."""
    step = np.unique(np.linspace(0, len(walked.rate) - 1, count).astype(int))
    step = step[walked.rate[step] > 0]
    p = jax.tree.map(lambda p: p[step], walked.result.trace.params)
    J = jax.jit(jax.vmap(lambda p: task.jacobian(p, *task.data)))(p)
    along = lambda p, J, η: task.cost(jax.tree.map(lambda p, J: p - η * J, p, J), *task.data)
    C = jax.jit(jax.vmap(along))
    proven, start = walked.rate[step], np.asarray(C(p, J, np.zeros(len(step))))
    lower = lambda η: np.asarray(C(p, J, η)) < start
    high, open_ = proven.copy(), np.ones(len(step), bool)
    while open_.any() and (high[open_] < REACH * proven[open_]).any():
        high[open_] *= FINELY
        open_ &= lower(high)
    low = high / FINELY
    top = high.copy()
    for _ in range(40):
        middle = (low + top) / 2
        down = lower(middle)
        low, top = np.where(down, middle, low), np.where(down, top, middle)
    return Room(step, proven, np.where(open_, np.inf, low))
