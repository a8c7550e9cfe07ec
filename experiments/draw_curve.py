"""Can 77 numbers learn to draw a heart, by derivatives written by hand?

    python -m experiments.draw_curve
    python -m experiments.draw_curve --curve mine.svg --hidden 30 30 --optimizer adam --live

Trains a network on the points of a curve, proves its hand-written Jacobian against autodiff, and races
optax from the same start: with noise 0, steepest descent by hand and optax.sgd must take the same path.
The heart ends near a cost of 1e-3 after 50 000 steps. Takes about 5 s on a laptop.
"""

from __future__ import annotations  # not evaluated, so that --help need not wait for JAX

import contextlib
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np

import mvcalc_jax as mv
from mvcalc_jax import command, options
from mvcalc_jax.arguments import Arg, Only

PROG = command.called("draw_curve")
MAY_CHANGE = ("steps", "device", "live", "port", "browser", "resume", "out")
"""Settings that a resumed run may have otherwise than before."""


@dataclass(frozen=True)
class Config:
    """Train a network to draw a curve, every derivative written by hand."""

    curve: Annotated[str, options.CURVE] = "heart"
    samples: int = 100
    """Points on the curve."""
    hidden: tuple[int, ...] = (6, 7)
    """Widths of the hidden layers."""
    activation: Literal["logistic", "tanh", "relu", "softplus", "sin", "identity"] = "logistic"
    """How the hidden layers bend their sums."""
    output_activation: Literal["logistic", "tanh", "relu", "softplus", "sin", "identity"] = "logistic"
    """How the output layer does."""
    optimizer: Literal["steepest", "sgd", "momentum", "adam", "lbfgs"] = "steepest"
    """By hand (steepest), or by optax."""
    race: Annotated[tuple[Literal["sgd", "momentum", "adam", "lbfgs"], ...], Only("seeds", 1)] = ("sgd",)
    """Optimizers to compare with, from the same start and without noise."""
    steps: options.Steps = 50_000
    learning_rate: Annotated[float | None, options.RATE] = None
    """Unless given, what suits the optimizer: of steepest descent 7."""
    noise: float = 1.0
    """Standard deviation of the factor on each tensor of the Jacobian."""
    batch_size: int | None = None
    """Samples for each step; all of them unless given."""
    seed: options.Seed = 0
    seeds: int = 1
    """Train this many networks at once, from seed on, and show how they spread; they do not race."""
    precision: options.Precision = "float32"
    device: options.Device = "auto"
    """So small a network is slower on a GPU."""
    live: bool = False
    """Watch it learn, in a window or a browser."""
    port: Annotated[options.Port, Only("live")] = None
    browser: Annotated[options.Browser, Only("live")] = True
    resume: Annotated[Path | None, Arg(metavar="DIR")] = None
    """Go on with the run that is kept there; --steps may ask for more of them."""
    out: options.Out = Path("runs")


def main(config: Config) -> int:
    with command.loading():
        from experiments import drawing  # here and not above, so that --help need not wait for JAX

    if config.resume:
        mv.runs.require_same(earlier(config), config, but=MAY_CHANGE)
    with mv.devices.computing(config.device, config.precision) as device, contextlib.ExitStack() as held:
        if config.resume:
            held.enter_context(mv.runs.alone(config.resume))  # before its checkpoint is read
        task, (first, *rivals) = drawing.pose(config), (runners := drawing.runners(config))
        resume = drawing.so_far(task, runners[first], config.resume)
        # Made here, so that whatever does not fit is said before anything is written.
        stream = drawing.descent(config, task, runners[first], resume)
        run = begin(config, task, device)
        if not config.resume:
            held.enter_context(mv.runs.alone(run))
        with going_on(run), mv.aside.Aside(config.device, config.precision) as aside:
            aside.submit(lambda: mv.plots.curve)  # matplotlib loads while XLA compiles
            begun = 0 if resume is None else resume.steps
            results = {first: drawing.train(config, task, stream, begun, run)}
            with mv.plots.style():
                history = None
                if config.seeds == 1:
                    history = drawing.history(task, results[first])
                    drawing.picture(task, *history, run)
                else:
                    drawing.picture_of_many(task, results[first], config.seed, run)
                # Not sooner: the picture would have to wait for all that these compile.
                if results[first].status is mv.Status.FINISHED:
                    races = {name: aside.submit(task.race, runners[name], aside.watch) for name in rivals}
                else:
                    races = {}
                proof = aside.submit(task.prove, config.seed)
                if history:
                    drawing.animation(task, *history, run)
                results |= {name: race.result() for name, race in races.items()}
                save_costs(config, results, run)
        conclude(config, task, runners, results, proof.result(), run)
    if config.live:
        mv.plots.live.hold()
    if proof.result().verdict != "correct":
        return command.FAILED
    return command.exit_code(results[first].status)


def begin(config: Config, task: Any, device: Any) -> Path:
    """The directory of a new run, or of the one to be resumed, with the settings it now has."""
    if not config.resume:
        return mv.runs.create("draw_curve", config, config.seed, device, config.out, task.given)
    mv.runs.require_same_data(config.resume, task.given)
    mv.runs.describe(config.resume, "draw_curve", replace(config, resume=None), device, task.given)
    return config.resume


@contextlib.contextmanager
def going_on(run: Path) -> Iterator[None]:
    """Where a run is left early, say how to go on with it, if there is anything to go on with."""
    try:
        yield
    except (KeyboardInterrupt, OSError):
        if not mv.runs.discard_unused(run):
            print(f"\ngo on with: {PROG} --resume {shlex.quote(str(run))}", file=sys.stderr)
        raise


def save_costs(config: Config, results: dict[str, mv.Result], run: Path) -> None:
    """How the costs fell, as a picture and as numbers."""
    figure, ax = mv.plots.chart()
    step, cost = (result := next(iter(results.values()))).trace.step, result.trace.cost
    if config.seeds == 1:
        traces = {who: (result.trace.step, result.trace.cost) for who, result in results.items()}
        mv.plots.descent.draw_costs(ax, traces)
    else:
        traces = {f"seed {config.seed + k}": (step, of_one) for k, of_one in enumerate(cost)}
        mv.plots.descent.draw_spread(ax, step, cost)
    mv.plots.save(figure, run / "cost.png")
    steps, costs = (np.concatenate(column) for column in zip(*traces.values(), strict=True))
    runner = np.repeat(list(traces), [len(steps) for steps, _ in traces.values()])
    mv.runs.write_metrics(run, {"runner": runner, "step": steps, "cost": costs})


def conclude(
    config: Config,
    task: Any,
    runners: dict[str, Any],
    results: dict[str, mv.Result],
    proof: mv.Report,
    run: Path,
) -> None:
    """Say what came of it, on the screen and in report.md."""
    first, result = next(iter(results.items()))
    race = [("runner", "learning rate", "cost", "")]
    race += [(who, f"{runners[who].rate:g}", cost(r), r.message) for who, r in results.items()]
    agreement = ""
    if {"by hand", "optax sgd"} <= set(results):
        apart = mv.descent.apart(results["by hand"].params, results["optax sgd"].params)
        how = f"differ by at most {apart:.1e}" if apart else "agree to the last bit"
        agreement = f"without noise, by hand and optax sgd {how} after {results['by hand'].steps} steps"
    layers = "-".join(map(str, (1, *config.hidden, 2)))
    who = f"a {layers} network" if config.seeds == 1 else f"{config.seeds} {layers} networks"
    mv.runs.report(
        run,
        f"{Path(config.curve).stem}, drawn by {who} of {task.numbers} numbers",
        f"{first}: {result.message}; cost {cost(result)}",
        mv.runs.Picture("the drawing", "drawing.png"),
        mv.runs.Written("## The proof"),
        mv.runs.Verbatim(str(proof)),
        mv.runs.Written("## The race" if len(results) > 1 else "## The end"),
        race,
        agreement,
        mv.runs.Picture("cost by step", "cost.png"),
        mv.runs.Written(f"## Again\n\n```\n{command.line(PROG, config)}\n```"),
        onward(config, result, run),
    )


def onward(config: Config, result: mv.Result, run: Path) -> mv.runs.Next:
    """What to try after this."""
    if result.status is mv.Status.INTERRUPTED:
        return mv.runs.Next(f"{PROG} --resume {shlex.quote(str(run))}", "goes on where this run was stopped")
    if config.curve == "heart":
        return mv.runs.Next(
            f"{PROG} --curve butterfly --hidden 30 30 --live", "a harder curve, and you see it learn"
        )
    return mv.runs.Next(
        command.called("fit_heights"), "the same descent, through two parameters that can be seen"
    )


def cost(result: mv.Result) -> str:
    """The cost, or the quartiles of the costs of many."""
    if np.ndim(result.cost) == 0:
        return f"{result.cost:.3g}"
    finite = result.cost[np.isfinite(result.cost)]
    if not finite.size:
        return "of none is finite"
    low, middle, high = np.quantile(finite, [0.25, 0.5, 0.75])
    return f"{middle:.2e} (median; middle half {low:.2e} to {high:.2e})"


def earlier(config: Config) -> Config | None:
    """The settings of the run that is to be resumed."""
    return None if config.resume is None else mv.runs.settings(config.resume, "draw_curve", Config)


if __name__ == "__main__":
    command.leave(command.run(main, Config, prog=PROG, earlier=earlier))
