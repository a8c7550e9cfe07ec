"""The way that a fit takes, step by step, by the same loop: to be looked at, and therefore for one fit only."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from mvcalc_jax.compiling import quickly
from mvcalc_jax.fitting import gaussian, loop
from mvcalc_jax.fitting.loop import Data, State
from mvcalc_jax.fitting.problem import EVERYWHERE, Options, Problem, prepared
from mvcalc_jax.fitting.result import Status
from mvcalc_jax.fitting.solve import Inputs, Plan, prepare
from mvcalc_jax.models import bell
from mvcalc_jax.precision import promoting

__all__ = ["density", "Trail"]


class Trail(NamedTuple):
    """Parameters and cost ½ Σ r² at the start and after every iteration, refused trials included; how it ended.

    >>> x = np.linspace(-3, 3, 25)
    >>> y = np.exp(-((x - 0.5) ** 2) / 2) / np.sqrt(2 * np.pi)
    >>> way = mv.fitting.trail.density(x, y, np.array([0.0, 2.0]), "lm")
    >>> way.params[0].tolist(), way.status.name, bool(way.cost[-1] < way.cost[0])
    ([0.0, 2.0], 'GTOL', True)
    """

    params: Float[np.ndarray, "rows p"]
    cost: Float[np.ndarray, " rows"]
    status: Status


def density(
    x: Float[np.ndarray, " n"],
    y: Float[np.ndarray, " n"],
    start: Float[np.ndarray, "2"],
    method: str,
    max_steps: int = 100,
) -> Trail:
    """The way of (mean, stddev) of a normal density, whose area is 1, from a start to the least squares of y.

    >>> x = np.linspace(-3, 3, 25)
    >>> y = np.exp(-((x - 0.5) ** 2) / 2) / np.sqrt(2 * np.pi)
    >>> print(mv.fitting.trail.density(x, y, np.array([0.0, 2.0]), "lm").params[-1].round(6))
    [0.5 1. ]
    """
    names = ("area", "mean", "stddev")
    options = Options(method, False, ("area",), None, None, max_steps).checked(names, max_steps)
    inputs, shape = prepared(x, y, None, None, np.append(1.0, start), EVERYWHERE, names)
    model, function = gaussian.normal_equations("area"), partial(bell.value, bell.area_peak)
    way = follow(Problem(model, names, inputs, shape, options, function, start=None, polished=False))
    return way._replace(params=way.params[:, 1:])


def follow(problem: Problem) -> Trail:
    """The way of a problem that is a single fit."""
    plan, steps = problem.plan(1), problem.options.max_steps
    begun, iterated = _programs()
    with jax.enable_x64(problem.inputs.y.dtype == np.float64), promoting():
        data, state, cost = begun(
            plan._replace(method="lm"), problem.inputs
        )  # a start is that of all methods
        params, costs = [state.theta[:, 0]], [cost]
        while state.status[0] == Status.RUNNING:
            state, cost = iterated(plan, data, state, problem.offset, steps)
            params.append(state.theta[:, 0])
            costs.append(cost)
    return Trail(np.stack(params), np.stack(costs), Status(int(state.status[0])))


@cache
def _programs() -> tuple[Callable[..., Any], Callable[..., Any]]:
    """They run a few times, on one fit."""
    compiled = partial(jax.jit, static_argnames="plan", compiler_options=quickly())
    return compiled(_begun), compiled(_iterated)


def _begun(plan: Plan, inputs: Inputs) -> tuple[Data, State, Any]:
    data, begin = prepare(plan, inputs)
    state = loop.start(data.start, begin)
    return data, state, plan.model.normal(state.theta, data).cost[0]


def _iterated(plan: Plan, data: Data, state: State, offset: Any, steps: Any) -> tuple[State, Any]:
    go = partial(loop.iterate, plan.model.exact, plan.model, plan.method, state, data)
    state, at = go(offset=offset, steps=steps, budget=1)
    return state, at.cost[0]
