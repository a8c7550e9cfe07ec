"""Can men and women be told apart by their heights alone? Two Gaussians found in one histogram of both.

    python -m experiments.two_populations
    python -m experiments.two_populations --first mine.csv --second theirs.csv

Pools Galton's 453 daughters and 481 sons, forgets which is which, and fits two bell curves by the likelihood of the
counts. It finds 459 ± 183 people at 64.3 ± 0.7 in and 475 ± 184 at 68.7 ± 1.0 in; by their labels it is 453 at
64.44 ± 0.11 in and 481 at 68.59 ± 0.12 in. Right, and known seven times less well: the bells overlap so much that one
may grow at the other's cost, with a correlation of −0.99. Takes about 15 s.
"""

from __future__ import annotations  # not evaluated, so that --help need not wait for JAX

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np

import mvcalc_jax as mv
from mvcalc_jax import command, options

PROG = command.called("two_populations")
AIM = 0.1
"""How well, in units of the heights, one would like to know a mean."""


@dataclass(frozen=True)
class Config:
    """Find two populations in one histogram."""

    first: Annotated[str, options.HISTOGRAM] = "galton-women"
    """Those whose mean is lower."""
    second: Annotated[str, options.HISTOGRAM] = "galton-men"
    """In bins of the same width."""
    device: options.Device = "auto"
    out: options.Out = Path("runs")


def main(config: Config) -> int:
    with mv.devices.computing(config.device, "float64") as device:
        parts = [mv.data.histogram(name) for name in (config.first, config.second)]
        if not parts[0].mean < parts[1].mean:
            raise ValueError(
                f"`first` must have the lower mean; got {parts[0].mean:.4g} and {parts[1].mean:.4g}; swap them"
            )
        both, counts = mv.data.pooled(*parts)
        edges = opened(both)
        labelled = mv.fit_histogram(np.stack([*counts, both.counts]), edges)
        apart, shared = separate(both, edges, labelled)
        run = mv.runs.create("two_populations", config, 0, device, config.out, data=counts)
        save_numbers(apart, labelled, run)
        names = [Path(name).stem.split("-")[-1] for name in (config.first, config.second)]
        save_picture(both, names, counts, apart, run)
        conclude(config, both, apart, shared, labelled, run)
    return command.DONE if apart.success else command.FAILED


def opened(both: mv.data.Histogram) -> np.ndarray:
    """The edges of the bins, the outermost at infinity: nobody is beyond them."""
    edges = both.merged()[0]
    edges[0], edges[-1] = -np.inf, np.inf
    return edges


def separate(both: mv.data.Histogram, edges: np.ndarray, labelled: mv.Fit) -> tuple[mv.Fit, mv.Fit]:
    """Two peaks from counts alone, the start seen in these; and the same where it is known how many are of each."""
    half, aside, width = both.counts.sum() / 2, 0.7 * both.stddev, 0.8 * both.stddev
    start = half, both.mean - aside, width, half, both.mean + aside, width
    apart = mv.fit_histogram(both.counts, edges, peaks=2, p0=start)
    known = np.where(np.arange(6) % 3 == 0, np.repeat(labelled.params[:2, 0], 3), start)
    return apart, mv.fit_histogram(both.counts, edges, peaks=2, p0=known, fixed=["area1", "area2"])


def save_numbers(apart: mv.Fit, labelled: mv.Fit, run: Path) -> None:
    by_label = labelled[:2]
    columns: dict[str, Any] = {"name": apart.names}
    columns |= {"pooled": apart.params, "pooled_stderr": apart.stderr}
    columns |= {"by_label": by_label.params.ravel(), "by_label_stderr": by_label.stderr.ravel()}
    mv.runs.write_metrics(run, columns)
    mv.runs.save_arrays(run / "params.npz", {"params": apart.params, "cov": apart.cov})


def save_picture(
    both: mv.data.Histogram, names: list[str], counts: np.ndarray, apart: mv.Fit, run: Path
) -> None:
    fine = np.linspace(both.mean - 3.6 * both.stddev, both.mean + 3.9 * both.stddev, 301)
    found, error = mv.fitting.histogram.components(apart, fine)
    middle, step = (fine[1:] + fine[:-1]) / 2, np.diff(fine)
    parts = [
        mv.plots.mixture.Part(name, middle, density / step, spread / step, truth / both.widths)
        for name, density, spread, truth in zip(names, found, error, counts, strict=True)
    ]
    label = f"heights / {both.unit}" if both.unit else "value"
    bins = mv.plots.heights.Bins(label, both.centres, both.widths, both.counts / both.widths)
    spread = np.asarray(apart.stderr)
    with mv.plots.style():
        figure = mv.plots.mixture.taken_apart(
            bins, parts, apart.names, np.asarray(apart.cov) / np.outer(spread, spread), both.unit
        )
        mv.plots.save(figure, run / "two_populations.png")


def conclude(
    config: Config, both: mv.data.Histogram, apart: mv.Fit, shared: mv.Fit, labelled: mv.Fit, run: Path
) -> None:
    """Say how well it can be done, on the screen and in report.md."""
    by_label, one = labelled[:2], labelled[2]
    rows = [("", "by label", "pooled", "pooled, shares known", "off by")]
    for k, name in enumerate(apart.names):
        truth = by_label.params.ravel()[k]
        off = f"{abs(apart.params[k] - truth) / apart.stderr[k]:.1f} standard errors"
        told = (pm(truth, by_label.stderr.ravel()[k]), pm(apart.params[k], apart.stderr[k]))
        given = pm(shared.params[k], shared.stderr[k]) if shared.stderr[k] else "–"
        rows.append((name, *told, given, off))
    error = apart.stderr[1]
    correlation = apart.cov[0, 3] / (apart.stderr[0] * apart.stderr[3])
    mv.runs.report(
        run,
        "Two populations in one histogram",
        f"{both.title}, {both.counts.sum():.0f} in all, in bins of {both.widths[0]:g} {both.unit}; {apart.message}",
        rows,
        f"one peak alone has a deviance of {one.chi2:.1f} with {one.dof} degrees of freedom, two have {apart.chi2:.1f} "
        f"with {apart.dof}: counts of this kind show that there are two, and hardly which",
        f"the areas' correlation is {correlation:.3f}: one grows at the other's cost. Without labels the first mean is "
        f"known {error / by_label.stderr[0, 1]:.1f} times less well; to know it to {AIM:g} {both.unit} would take "
        f"{(error / AIM) ** 2:.0f} times as many people, or their labels",
        mv.runs.Picture("one histogram, taken apart", "two_populations.png"),
        mv.runs.Written(f"Data: {both.source}.\n\n## Again\n\n```\n{command.line(PROG, config)}\n```"),
        mv.runs.Next(
            f"{PROG} --first mine.csv --second theirs.csv", "the same of two histograms of your own"
        ),
    )


def pm(value: Any, error: Any) -> str:
    """A value and its error, the error with two digits."""
    digits = max(0, 1 - int(np.floor(np.log10(error)))) if error > 0 else 3
    return f"{value:.{digits}f} ± {error:.{digits}f}"


if __name__ == "__main__":
    command.leave(command.run(main, Config, prog=PROG))
