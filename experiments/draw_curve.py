"""Can 77 numbers learn to draw a heart, by derivatives written by hand?

    python -m experiments.draw_curve
    python -m experiments.draw_curve --curve mine.svg --hidden 30 30 --optimizer adam --live

Trains a network on the points of a curve, proves its hand-written Jacobian against autodiff, and races
optax from the same start: with noise 0, steepest descent by hand and optax.sgd must take the same path.
The heart ends near a cost of 1e-3 after 50 000 steps. Takes about 6 s on a laptop.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import mvcalc_jax as mv
from mvcalc_jax import command


@dataclass(frozen=True)
class Config:
    """Train a network to draw a curve, every derivative written by hand. With --debug, errors show where."""

    curve: str = "heart"
    """A name (heart, star, butterfly …), or a .csv or .svg file of your own."""
    samples: int = 100
    """Points on the curve."""
    hidden: tuple[int, ...] = (6, 7)
    """Widths of the hidden layers."""
    activation: str = "logistic"
    """Of the hidden layers: logistic, tanh, relu, softplus, sin or identity."""
    output_activation: str = "logistic"
    """Of the output layer."""
    optimizer: str = "steepest"
    """steepest (by hand), or sgd, momentum, adam or lbfgs (optax)."""
    race: tuple[str, ...] = ("sgd",)
    """Optimizers to compare with, from the same start and without noise: sgd, momentum, adam, lbfgs."""
    steps: int = 50_000
    """Steps of the descent."""
    learning_rate: float | None = None
    """The course's "aggression"; 7 for steepest descent unless given."""
    noise: float = 1.0
    """Standard deviation of the factor on each tensor of the Jacobian."""
    batch_size: int | None = None
    """Samples for each step; all of them unless given."""
    seed: int = 0
    """Of the first parameters, the noise and the batches."""
    seeds: int = 1
    """Train this many networks at once, from seed on, and show how they spread."""
    precision: str = "float32"
    """float32 or float64."""
    device: str = "auto"
    """auto, cpu or gpu; so small a network is slower on a GPU."""
    live: bool = False
    """Watch it learn, in a window or a browser."""
    port: int = 8988
    """For --live in a browser."""
    browser: bool = True
    """For --live: open the page; else its address is printed."""
    resume: Path | None = None
    """Go on with the run in this directory; --steps may ask for more of them."""
    out: Path = Path("runs")
    """Where run directories are made."""


MAY_CHANGE = ("steps", "device", "live", "port", "browser", "resume", "out")
"""What a resumed run may have otherwise than before."""


def main(config: Config) -> int:
    from experiments import drawing  # here and not above, so that --help need not wait for JAX

    if config.resume:
        mv.runs.require_same(earlier(config), config, but=MAY_CHANGE)
    with mv.devices.computing(config.device, config.precision) as device:
        task = drawing.pose(config)
        run = config.resume or mv.runs.create("draw_curve", config, config.seed, device, config.out)
        with mv.aside.Aside(config.device, config.precision) as aside:
            proof = aside.submit(task.prove, config.seed)
            aside.submit(lambda: mv.plots.curve)  # matplotlib loads while XLA compiles
            result = drawing.train(config, task, run)
            who, *rivals = task.runners if result.status is mv.Status.FINISHED else list(task.runners)[:1]
            races = {rival: aside.submit(drawing.race, task, rival, aside.watch) for rival in rivals}
            with mv.plots.style():
                drawing.save_drawing(config, task, result, run)
                results = {who: result} | {rival: race.result() for rival, race in races.items()}
                drawing.save_costs(config, results, run)
        drawing.save_report(config, task, results, proof.result(), run)
    if config.live:
        mv.plots.live.hold()
    if proof.result().verdict != "correct":
        return command.FAILED
    return command.exit_code(result.status)


def earlier(config: Config) -> Config | None:
    """The settings of the run that is to be resumed."""
    return None if config.resume is None else mv.runs.settings(config.resume, "draw_curve", Config)


if __name__ == "__main__":
    sys.exit(command.run(main, Config, prog="python -m experiments.draw_curve", earlier=earlier))
