"""How far is each way of training the course's network from what the machine can do?

    python -m benchmarks.training

Steepest descent of the 1-6-7-2 network on 100 points of the heart, full batch, no noise, in float32 except for NumPy,
which has the exercise's float64. From the exercise's NumPy, which runs the network anew for every Jacobian, over one
that shares a pass, JAX operation by operation, a compiled step in a Python loop and a whole loop compiled, to the step
that the package takes, whose products are written out (`mvcalc_jax/models/lanes.py`), and to the same in C, one core of
it. Derivatives are by hand or by `jax.grad`, steps are taken by hand or by optax. "As one kernel" is the package's loop
in a process of its own, with a setting of XLA's that must be made before it starts. PyTorch, where it is installed.
All must be at the same parameters after 50 steps. Slow ones are timed on fewer steps; times are per step.
"""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple
from unittest import mock

import jax
import numpy as np
import optax
from matplotlib.figure import Figure

import mvcalc_jax as mv
from benchmarks import course, gradients, limit, results, torch_peer
from benchmarks.harness import Timing, measure, spoken
from benchmarks.results import Bar, Findings, Table, of_time
from mvcalc_jax import autodiff, options
from mvcalc_jax.plots.style import CYCLE, QUIET

QUESTION = (__doc__ or "").partition("\n")[0]
RATE = 7.0
STEPS = 50_000
"""Of a compiled loop: so many that the two milliseconds in which its arguments are looked at do not count."""
HEART = mv.data.curve("heart")
DATA = HEART.t.astype("float32"), HEART.points.astype("float32")
START = mv.network.init(np.random.default_rng(0), (1, 6, 7, 2), dtype=np.float32)
EXERCISE, SHARED = "NumPy, the exercise", "NumPy, sharing a pass"
PLAIN, OURS, ONE, C = (
    "compiled loop, plain formula",
    "compiled loop, the package",
    "… as one kernel",
    "C, one core",
)
PEER = "compiled loop, jax.grad, optax.sgd"
BARS = {C: 3.0, EXERCISE: 60.0, PEER: 1.5}
"""At most so many times a step in C, and at least so many times as fast as the others."""
ONE_KERNEL = "--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=262144"
"""Loops that touch less than a quarter of a megabyte in each round are compiled whole."""


@dataclass(frozen=True)
class Config:
    """Time a training step in every way; about a minute."""

    device: options.Device = "auto"
    rounds: int = 15
    """Rounds in which every contender is timed."""
    quick: bool = False
    """Two rounds."""


class Contender(NamedTuple):
    """Takes a number of steps from the start and returns the parameters; timed on so many of them."""

    run: Callable[[int], Any]
    steps: int


def findings(config: Config) -> Findings:
    mv.require.whole("rounds", config.rounds, least=1)
    with mv.devices.computing(config.device) as device, one_kernel(device.platform) as kernel:
        here = contenders(kernel)
        errors = apart(here)
        runs = {name: partial(run, steps) for name, (run, steps) in here.items()}
        timings = per_step(measure(runs, min(config.rounds, 2) if config.quick else config.rounds), here)
    absent = torch_peer.missing() | ({C: limit.missing()} if limit.missing() else {})
    return Findings(
        [Table("", rows(timings, here, errors, absent))],
        of_time(bars(timings, absent), config.quick),
        conclusion(timings),
        "One network of one size on one processor: with wider layers and more samples the products of matrices decide "
        "(`benchmarks.gradients`, `benchmarks.growth`). On a GPU so small a network waits for launches.",
        {"seconds of a step": timings, "first call": {name: of.first for name, of in timings.items()}},
        {"ladder": ladder(timings)},
    )


def contenders(kernel: Callable[[int], Any] | None = None) -> dict[str, Contender]:
    """By name, from the slowest to the fastest."""
    by_hand, by_grad = mv.network.jacobian, autodiff.gradient(mv.network.cost)
    eager_hand, eager_grad = partial(jax_step, by_hand), partial(jax_step, by_grad)
    steepest, sgd = mv.descent.steepest(RATE), mv.descent.optax_rule(optax.sgd(RATE))
    here = {
        EXERCISE: Contender(partial(repeat, partial(numpy_step, course.recomputing_step)), 50),
        SHARED: Contender(partial(repeat, partial(numpy_step, course.sharing_step)), 50),
        "JAX eager, by hand": Contender(partial(repeat, eager_hand), 5),
        "JAX eager, jax.grad": Contender(partial(repeat, eager_grad), 5),
        "compiled step, by hand": Contender(partial(repeat, jax.jit(eager_hand)), 500),
        "compiled step, jax.grad": Contender(partial(repeat, jax.jit(eager_grad)), 500),
    }
    torch = torch_peer.contenders(START, DATA, RATE)
    here |= {name: Contender(run, 100) for name, run in torch.items()}
    here |= {
        PEER: Contender(partial(descend, sgd, by_grad), STEPS),
        "compiled loop, jax.grad": Contender(partial(descend, steepest, by_grad), STEPS),
        PLAIN: Contender(partial(descend, steepest, gradients.products), STEPS),
        "compiled loop, the package, optax.sgd": Contender(partial(descend, sgd, by_hand), STEPS),
        OURS: Contender(partial(descend, steepest, by_hand), STEPS),
    }
    if kernel is not None:
        here[ONE] = Contender(kernel, STEPS)
    if not limit.missing():
        here[C] = Contender(lambda count: limit.trained(START, *DATA, RATE, count), STEPS)
    return here


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


@contextmanager
def one_kernel(platform: str) -> Iterator[Callable[[int], Any] | None]:
    """Trains as `OURS` does, in a process that was told to compile small loops whole; None where that means nothing."""
    if platform != "cpu":
        yield None
        return
    before = os.environ.get("XLA_FLAGS", "")
    here, there = (spawn := multiprocessing.get_context("spawn")).Pipe()
    process = spawn.Process(target=_serve, args=(there,), daemon=True)
    with mock.patch.dict(os.environ, XLA_FLAGS=f"{before} {ONE_KERNEL}".strip()):
        process.start()

    def run(count: int) -> Any:
        here.send(count)
        return here.recv()

    try:
        yield run
    finally:
        here.send(None)
        process.join()


def _serve(pipe: Any) -> None:
    with mv.devices.computing("cpu"):
        while (count := pipe.recv()) is not None:
            pipe.send(jax.device_get(descend(mv.descent.steepest(RATE), mv.network.jacobian, count)))


def apart(contenders: dict[str, Contender]) -> dict[str, float]:
    """How far each is from NumPy's float64 after 50 steps.

    Raises:
        AssertionError: where that is more than float32 explains.
    """
    exact, errors = jax.tree.leaves(repeat(partial(numpy_step, course.sharing_step), 50)), {}
    for name, (run, _) in contenders.items():
        found = jax.tree.leaves(run(50))
        errors[name] = max(float(np.abs(np.asarray(a) - b).max()) for a, b in zip(found, exact, strict=True))
        assert errors[name] < 1e-4, f"{name} ends {errors[name]} away from where it should"
    return errors


def per_step(timings: dict[str, Timing], contenders: dict[str, Contender]) -> dict[str, Timing]:
    """Seconds of a step in place of a run's; first calls as they are."""
    return {
        name: Timing(of.first, tuple(seconds / contenders[name].steps for seconds in of.rounds))
        for name, of in timings.items()
    }


def rows(
    timings: dict[str, Timing],
    contenders: dict[str, Contender],
    errors: dict[str, float],
    absent: dict[str, str],
) -> list[tuple[str, ...]]:
    found = [
        ("", "first call", "a step", "fastest – slowest", "times as fast as the exercise", "steps", "off by")
    ]
    for name, of in timings.items():
        gain = f"{timings[EXERCISE].over(of):.3g}"
        steps, off = str(contenders[name].steps), f"{errors[name]:.0e}"
        found.append((name, spoken(of.first), spoken(of.typical), of.spread, gain, steps, off))
    return [*found, *((name, why, *[""] * 5) for name, why in absent.items())]


def bars(timings: dict[str, Timing], absent: dict[str, str]) -> list[Bar]:
    ours = timings[OURS]
    if C in absent:
        c = Bar(None, f"a step of the compiled loop against C: {absent[C]}")
    else:
        times = ours.over(timings[C])
        c = Bar(
            times <= BARS[C],
            f"a step of the compiled loop takes {times:.2f} times C's; the bar is {BARS[C]:g}",
        )
    against = [
        (EXERCISE, "the exercise's NumPy"),
        (PEER, "jax.grad and optax.sgd in the same loop"),
    ]
    found = [c]
    for name, words in against:
        gain = timings[name].over(ours)
        said = f"it is {gain:.3g} times as fast as {words}; the bar is {BARS[name]:g}"
        found.append(Bar(gain >= BARS[name], said))
    return found


def conclusion(timings: dict[str, Timing]) -> str:
    ours, plain = timings[OURS], timings[PLAIN]
    words = (
        f"Compiling the loop brings {timings[EXERCISE].over(plain):.0f} times the exercise's speed, and its products "
        f"written out {plain.over(ours):.2g} times more: {spoken(ours.typical)} a step. By hand beats jax.grad "
        f"{timings['compiled loop, jax.grad'].over(ours):.2g} times, because a person knew how small the matrices are; "
        f"the plain formula by hand and jax.grad take the same ({plain.over(timings['compiled loop, jax.grad']):.2f})."
    )
    if ONE in timings:
        words += (
            f" Compiled as one kernel the same step takes {spoken(timings[ONE].typical)}: what is left between "
            f"that and the loop is XLA going from operation to operation."
        )
    return words


def ladder(timings: dict[str, Timing]) -> Figure:
    """A bar for each, on a logarithmic scale."""
    figure, ax = mv.plots.chart(8, 0.32 * len(timings) + 1)
    names = list(timings)[::-1]
    seconds = np.array([timings[name].typical for name in names])
    ax.barh(names, seconds, height=0.6, color=[CYCLE[0] if name == OURS else QUIET for name in names])
    for place, value in enumerate(seconds):
        ax.text(value * 1.1, place, spoken(value), va="center", fontsize="small")
    ax.set_xscale("log")
    ax.set_xlim(seconds.min() / 2, seconds.max() * 4)
    ax.set_xlabel("seconds a step")
    ax.grid(axis="y", visible=False)
    return figure


if __name__ == "__main__":
    results.leave(findings, Config)
