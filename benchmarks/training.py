"""What does compiling the training loop bring, and what does writing the derivatives by hand?

    python -m benchmarks.training

The course's 1-6-7-2 network on 100 points of the heart, full batch, no noise, in float32 except for NumPy, which
has the exercise's float64. NumPy once recomputes the network for every Jacobian, as the exercise does, and once
shares a pass; JAX runs eagerly, with a compiled step in a Python loop, and with the whole loop compiled;
derivatives are by hand or by `jax.grad`; and optax takes the steps in the same loop. All must be at the same
parameters after 50 steps. Slow ones are timed on fewer steps; times are per step.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
import optax

import mvcalc_jax as mv
from benchmarks import course
from benchmarks.harness import measure, setting, spoken
from mvcalc_jax import autodiff, command

RATE = 7.0
STEPS = 10_000
HEART = mv.data.curve("heart")
DATA = HEART.t.astype("float32"), HEART.points.astype("float32")
START = mv.network.init(np.random.default_rng(0), (1, 6, 7, 2))


QUESTION = (__doc__ or "").partition("\n")[0]


@dataclass(frozen=True)
class Config:
    """Time one training step and runs of many, in NumPy, JAX and optax. --debug shows where an error comes from."""

    device: str = "auto"
    """auto, cpu or gpu."""
    rounds: int = 9
    """Rounds in which every contender is timed."""


class Contender(NamedTuple):
    """Takes a number of steps from the start and returns the parameters; timed on so many of them."""

    run: Callable[[int], Any]
    steps: int


def main(config: Config) -> int:
    mv.require.whole("rounds", config.rounds, least=1)
    with mv.devices.computing(config.device) as device:
        print(f"{QUESTION}\n{setting(device)}\n")
        print(table("One step, called from Python", steps(), config.rounds))
        print(table(f"A run of up to {STEPS} steps", runs(), config.rounds))
    return command.DONE


def steps() -> dict[str, Contender]:
    """One step at a time, and back to Python in between."""
    by_hand, by_grad = (
        partial(jax_step, mv.network.jacobian),
        partial(jax_step, autodiff.gradient(mv.network.cost)),
    )
    return {
        "NumPy, recomputing": Contender(partial(repeat, partial(numpy_step, course.recomputing_step)), 50),
        "NumPy, sharing": Contender(partial(repeat, partial(numpy_step, course.sharing_step)), 50),
        "JAX eager, by hand": Contender(partial(repeat, by_hand), 5),
        "JAX eager, jax.grad": Contender(partial(repeat, by_grad), 5),
        "JAX compiled step, by hand": Contender(partial(repeat, jax.jit(by_hand)), 500),
        "JAX compiled step, jax.grad": Contender(partial(repeat, jax.jit(by_grad)), 500),
    }


def runs() -> dict[str, Contender]:
    """Many steps: NumPy's loop is Python's, JAX's is compiled."""
    by_hand, by_grad, sgd = (
        mv.network.jacobian,
        autodiff.gradient(mv.network.cost),
        mv.descent.optax_rule(optax.sgd(RATE)),
    )
    steepest = mv.descent.steepest(RATE)
    return {
        **{name: contender for name, contender in steps().items() if "NumPy" in name},
        "compiled loop, by hand": Contender(partial(descend, steepest, by_hand), STEPS),
        "compiled loop, jax.grad": Contender(partial(descend, steepest, by_grad), STEPS),
        "compiled loop, by hand, optax.sgd": Contender(partial(descend, sgd, by_hand), STEPS),
        "compiled loop, jax.grad, optax.sgd": Contender(partial(descend, sgd, by_grad), STEPS),
    }


def jax_step(jacobian: Callable[..., Any], params: Any) -> Any:
    return jax.tree.map(lambda p, J: p - RATE * J, params, jacobian(params, *DATA))


def numpy_step(step: Callable[..., Any], params: Any) -> Any:
    params = [(np.asarray(W, float), np.asarray(b, float)) for W, b in params]
    return step(params, HEART.t, HEART.points, RATE)


def repeat(step: Callable[[Any], Any], count: int) -> Any:
    params = START
    for _ in range(count):
        params = step(params)
    return params


def descend(rule: mv.descent.Rule, jacobian: Callable[..., Any], count: int) -> Any:
    return mv.descent.descend(
        rule, jacobian, START, data=DATA, steps=count, record_every=count, chunk=count
    ).params


def table(title: str, contenders: dict[str, Contender], rounds: int) -> str:
    timings = measure({name: partial(run, count) for name, (run, count) in contenders.items()}, rounds)
    exact = jax.tree.leaves(contenders["NumPy, sharing"].run(50))
    errors = {}
    for name, (run, _) in contenders.items():
        found = jax.tree.leaves(run(50))
        errors[name] = max(float(np.abs(np.asarray(a) - b).max()) for a, b in zip(found, exact, strict=True))
        assert errors[name] < 1e-4, f"{name} ends {errors[name]} away from where it should"
    slowest, baseline = timings["NumPy, recomputing"], contenders["NumPy, recomputing"].steps
    rows = [("", "first call", "a step", "fastest – slowest", "times as fast", "steps", "off by")]
    for name, timing in timings.items():
        count = contenders[name].steps
        spread = f"{spoken(min(timing.rounds) / count)} – {spoken(max(timing.rounds) / count)}"
        gain = slowest.over(timing) * count / baseline
        rows.append(
            (
                name,
                spoken(timing.first),
                spoken(timing.typical / count),
                spread,
                f"{gain:.3g}",
                str(count),
                f"{errors[name]:.0e}",
            )
        )
    return f"{title}\n\n{mv.text.markdown(rows)}\n"


if __name__ == "__main__":
    command.leave(command.run(main, Config, prog="python -m benchmarks.training"))
