"""Safe steps: can a learning rate be proven to go down, before the step is taken?

    python -m experiments.safe_steps
    python -m experiments.safe_steps --curve butterfly --seed 3
    python -m experiments.safe_steps --fixed 3 --too-large 12

Trains the course's network and fits its heights by steepest descent, at every step with the learning rate that Taylor
enclosures of the cost prove to go down, against fixed rates. Over 1000 steps of the network the cost never rises, and
the proven rate is 0.99 of the largest that lowers the cost (median of 20 steps). Takes about 13 s.
"""

from __future__ import annotations  # not evaluated, so that --help need not wait for JAX

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np

import mvcalc_jax as mv
from mvcalc_jax import command, options

PROG = command.called("safe_steps")
SCENE = """Along −J the cost is a function of one number, the learning rate η. Its Taylor enclosure of order 2 is a \
parabola that provably lies above it, for all η up to some bound: where the parabola is lower than where it began, \
so is the cost. No step is tried, and no constant guessed."""
NETWORK = """The network. Above, the cost by step. Below, the rates: in red the proven one, of which a step takes \
half, where the parabola is lowest; as circles, the largest that would have lowered the cost. Steepest descent goes to \
and fro across a valley, so the rates are long and short in turn"""
HEIGHTS = """The same for the two parameters of the Gaussian, where useful rates are a thousand times larger; \
nobody said so. Where the red dots end, the parameters are known to rounding and no step is proven"""


@dataclass(frozen=True)
class Config:
    """Compare proven learning rates with fixed ones."""

    curve: Annotated[str, options.CURVE] = "heart"
    samples: int = 100
    """Points on the curve."""
    steps: options.Steps = 1000
    """Of the network."""
    fixed: float = 7.0
    """A fixed learning rate for the network."""
    too_large: float = 40.0
    """Another one."""
    height_steps: int = 40
    """Steps of the heights."""
    measured: int = 20
    """At how many steps it is measured how far one could have gone."""
    seed: options.Seed = 0
    device: options.Device = "auto"
    out: options.Out = Path("runs")


def main(config: Config) -> int:
    from experiments import stepping  # here and not above, so that --help need not wait for JAX

    for name in ("samples", "steps", "height_steps"):
        mv.require.whole(name, getattr(config, name), least=2)
    mv.require.whole("measured", config.measured, least=1)
    for name in ("fixed", "too_large"):
        mv.require.positive(name, getattr(config, name))
    with (
        mv.devices.computing(config.device, "float64") as device,
        mv.aside.Aside(config.device, "float64") as aside,
    ):
        network = stepping.network(
            config.curve, config.samples, config.seed, (config.fixed, config.too_large)
        )
        heights = stepping.heights((2000.0, 10000.0))
        run = mv.runs.create("safe_steps", config, config.seed, device, config.out, network.data)
        other = aside.submit(compared, heights, config.height_steps, config.measured, 0)
        found = [compared(network, config.steps, config.measured, 1), other.result()]
        with mv.plots.style():
            for (walks, room), picture in zip(found, ("network.png", "heights.png"), strict=True):
                costs, rates = (
                    {walk.label: getattr(walk, what) for walk in walks} for what in ("cost", "rate")
                )
                mv.plots.save(mv.plots.descent.rates(costs, rates, room.step, room.largest), run / picture)
    return conclude([network, heights], found, run)


def compared(task: Any, steps: int, measured: int, level: int) -> tuple[list[Any], Any]:
    """Three descents, and how much room the proven one left."""
    from experiments import stepping

    walks = [stepping.walk(task, steps, rate, level) for rate in (None, *task.rates)]
    return walks, stepping.room(task, walks[0], measured)


def conclude(tasks: list[Any], found: list[Any], run: Path) -> int:
    from experiments import stepping

    proven, _ = found[0][0][0], found[0][1]
    steps = np.arange(len(proven.rate))
    mv.runs.write_metrics(run, {"step": steps, "cost": proven.cost[:-1], "proven rate": proven.rate})
    rows = [("", "learning rate", "cost at the end", "steps that go up", "by at most")]
    for task, (walks, _) in zip(tasks, found, strict=True):
        rows += [
            (
                task.name,
                walk.label,
                f"{walk.cost[-1]:.4g}",
                str(len(walk.rises)),
                f"{max(walk.rises, default=0):.2g} of it",
            )
            for walk in walks
        ]
    beyond = sum(int((walks[0].rises > stepping.ROUNDING).sum()) for walks, _ in found)
    holds = "No proven step goes up" if not beyond else f"{beyond} steps go up that were proven not to"
    mv.runs.report(
        run,
        "Safe steps: can a learning rate be proven to go down, before the step is taken?",
        SCENE,
        mv.runs.Picture(NETWORK, "network.png"),
        rows,
        f"{holds}, by more than the cost's own rounding.",
        mv.runs.Written("## How much is given away"),
        *(f"{task.name}: {said(room)}" for task, (_, room) in zip(tasks, found, strict=True)),
        mv.runs.Picture(HEIGHTS, "heights.png"),
        mv.runs.Next(f"{PROG} --steps 3000", "a fixed rate that happens to be right overtakes, swinging"),
        mv.runs.Next(
            f"{PROG} --fixed 3 --too-large 12", "how narrow the margin is in which a fixed rate does well"
        ),
        mv.runs.Next("python -m experiments.error_bands", "the enclosures that this rests on"),
    )
    return command.FAILED if beyond else command.DONE


def said(room: Any) -> str:
    """How the proven rates compare with the largest ones, in a sentence."""
    ratio, far = room.ratio, int(np.isinf(room.largest).sum())
    words = f"at {len(room.step)} steps the proven rate is "
    words += (
        f"{np.median(ratio):.2f} of the largest that lowers the cost (median; at least {ratio.min():.2f})"
        if len(ratio)
        else ""
    )
    return words + (
        f"; at {far} of them all rates up to 100 times the proven one lower it, too" if far else ""
    )


if __name__ == "__main__":
    command.leave(command.run(main, Config, prog=PROG))
