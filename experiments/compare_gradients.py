"""By hand, by autodiff, or by finite differences: how many digits does each way of differentiating give?

    python -m experiments.compare_gradients

Every hand-written derivative of the package against forward- and reverse-mode autodiff and against central
differences with their best step, in float64 and float32. By hand and by autodiff agree to a few roundings,
near 1e-16 and 1e-7; differences lose a third of the digits at best and all of them with a step far too
small or too large, as the picture shows. Takes about 10 s.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import mvcalc_jax as mv
from mvcalc_jax import command, options

PROG = command.called("compare_gradients")
PRECISIONS = ("float64", "float32")
RIGHT = 1e-13
"""The error in float64 from which a derivative by hand is called wrong: some hundred roundings."""


@dataclass(frozen=True)
class Config:
    """Compare ways of differentiating."""

    seed: options.Seed = 0
    device: options.Device = "auto"
    out: options.Out = Path("runs")


def main(config: Config) -> int:
    seed = mv.require.whole("seed", config.seed, least=0)
    with mv.devices.computing(config.device, "float64") as device:
        found = [compare(derivative) for derivative in mv.verify.catalogue(seed)]
        network = next(c for c in found if c.name == "network.jacobian, logistic")
        run = mv.runs.create("compare_gradients", config, seed, device, config.out)
        draw(network, run)
    columns = [(precision, way) for precision in PRECISIONS for way in network.errors[precision]]
    errors = {f"{way}, {precision}": [c.errors[precision][way] for c in found] for precision, way in columns}
    mv.runs.write_metrics(run, {"derivative": [c.name for c in found], **errors})
    wrong = [c.name for c in found if not c.errors["float64"]["by hand"] < RIGHT]
    mv.runs.report(
        run,
        "Errors of derivatives, in units of the largest entry",
        "Measured against reverse mode in float64, at the same points.",
        [
            ("derivative", *errors),
            *((c.name, *(f"{errors[k][n]:.0e}" for k in errors)) for n, c in enumerate(found)),
        ],
        f"wrong by hand: {', '.join(wrong)}" if wrong else "by hand, all are right",
        mv.runs.Picture("errors by step", "steps.png"),
    )
    return command.FAILED if wrong else command.DONE


class Comparison(NamedTuple):
    """The errors of each way to a derivative, by precision, and what the errors are measured against."""

    name: str
    errors: dict[str, dict[str, float]]
    at: dict[str, Any]
    exact: Any


def compare(derivative: Any) -> Comparison:
    """Differentiate in both precisions, at a point that float32 holds exactly, so that it is the same point."""
    single = derivative._replace(args=mv.verify.ways.rounded(derivative.args, np.float32))
    at = {"float64": single._replace(args=mv.verify.ways.rounded(single.args, np.float64)), "float32": single}
    found = {precision: mv.verify.ways.four_ways(derivative) for precision, derivative in at.items()}
    exact = found["float64"].pop("reverse mode")
    errors = {p: {way: mv.verify.ways.error(J, exact) for way, J in of.items()} for p, of in found.items()}
    return Comparison(derivative.name, errors, at, exact)


def draw(network: Comparison, run: Path) -> None:
    """The picture: error against step, for both kinds of difference in both precisions."""
    steps = np.logspace(-15, 0, 61)
    curves = {
        f"{kind} differences, {precision}": error
        for precision, derivative in network.at.items()
        for kind, error in mv.verify.ways.errors_by_step(derivative, network.exact, steps).items()
    }
    levels = {f"by hand, {precision}": errors["by hand"] for precision, errors in network.errors.items()}
    with mv.plots.style():
        figure, ax = mv.plots.chart(8, 5)
        mv.plots.errors.draw_error_by_step(ax, steps, curves, levels)
        mv.plots.save(figure, run / "steps.png")


if __name__ == "__main__":
    command.leave(command.run(main, Config, prog=PROG))
