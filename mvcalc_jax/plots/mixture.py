"""A histogram of two populations, taken apart: its parts and their bands, the truth, and correlations of the errors."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from mvcalc_jax.plots.heights import Bins
from mvcalc_jax.plots.style import BLUE, INK, QUIET, RED, Figure

COLOURS = RED, BLUE


class Part(NamedTuple):
    """What was found of one population: at x its density and the standard error of that; and its true histogram.

    >>> x = np.linspace(60, 76, 5)
    >>> part = mv.plots.mixture.Part("men", x, np.full(5, 0.1), np.full(5, 0.01), truth=np.full(3, 0.1))
    >>> part.name, part.density.shape == part.x.shape
    ('men', True)
    """

    name: str
    x: Float[np.ndarray, " k"]
    density: Float[np.ndarray, " k"]
    error: Float[np.ndarray, " k"]
    truth: Float[np.ndarray, " n"]


def taken_apart(
    bins: Bins,
    parts: Sequence[Part],
    names: Sequence[str],
    correlations: Float[np.ndarray, "p p"],
    unit: str,
) -> Figure:
    """The pooled histogram with the parts that were found in it; the same parts with the truth; the correlations.

    >>> men = mv.data.histogram("galton-men")
    >>> bins, x = mv.plots.heights.Bins("height / in", men.centres, men.widths, men.density), men.centres
    >>> half, error = men.density / 2, np.full(len(x), 0.01)
    >>> parts = [mv.plots.mixture.Part(name, x, half, error, half) for name in ("a", "b")]
    >>> figure = mv.plots.mixture.taken_apart(bins, parts, ["mean", "stddev"], np.eye(2), "in")
    >>> len(figure.axes)
    3
    """
    figure = Figure(figsize=(13, 4.4), layout="constrained")
    pooled, truth, errors = figure.subplots(1, 3, sharex=False, width_ratios=(1, 1, 0.82))
    draw_parts(pooled, bins, parts)
    pooled.set(
        title="what is seen, and what it is taken for", ylabel=f"people per {unit}" if unit else "people"
    )
    pooled.legend(loc="upper right")
    draw_truth(truth, bins, parts)
    truth.sharey(pooled)
    truth.set_title("the same, beside what the labels say")
    truth.legend(loc="upper right")
    top = max(bins.density.max(), *(np.max(part.density + part.error) for part in parts))
    pooled.set_ylim(0, 1.38 * top)
    draw_correlations(errors, names, correlations)
    return figure


def draw_parts(ax: Axes, bins: Bins, parts: Sequence[Part]) -> None:
    """Bars of the whole, the parts with a band of one standard error, and their sum.

    >>> men = mv.data.histogram("galton-men")
    >>> bins, x = mv.plots.heights.Bins("height / in", men.centres, men.widths, men.density), men.centres
    >>> half, error = men.density / 2, np.full(len(x), 0.01)
    >>> parts = [mv.plots.mixture.Part(name, x, half, error, half) for name in ("a", "b")]
    >>> figure, ax = mv.plots.chart()
    >>> mv.plots.mixture.draw_parts(ax, bins, parts)
    >>> len(ax.patches) == len(men.centres)
    True
    """
    ax.bar(
        bins.centres,
        bins.density,
        width=bins.widths * 0.94,
        color=QUIET,
        alpha=0.4,
        linewidth=0,
        label="everyone, without labels",
    )
    for part, colour in zip(parts, COLOURS, strict=True):
        _draw_part(ax, part, colour, f"{part.name}, found")
    ax.plot(parts[0].x, sum(part.density for part in parts), color=INK, linewidth=1.4, label="their sum")
    _frame(ax, bins)


def draw_truth(ax: Axes, bins: Bins, parts: Sequence[Part]) -> None:
    """Each part over the histogram of those who really belong to it.

    >>> men = mv.data.histogram("galton-men")
    >>> bins, x = mv.plots.heights.Bins("height / in", men.centres, men.widths, men.density), men.centres
    >>> half, error = men.density / 2, np.full(len(x), 0.01)
    >>> parts = [mv.plots.mixture.Part(name, x, half, error, half) for name in ("a", "b")]
    >>> figure, ax = mv.plots.chart()
    >>> mv.plots.mixture.draw_truth(ax, bins, parts)
    >>> [line.get_color() for line in ax.lines] == list(mv.plots.mixture.COLOURS)
    True
    """
    edges = np.append(bins.centres - bins.widths / 2, bins.centres[-1] + bins.widths[-1] / 2)
    for part, colour in zip(parts, COLOURS, strict=True):
        ax.stairs(part.truth, edges, color=colour, linewidth=1.1, alpha=0.85, label=f"{part.name}, by label")
        _draw_part(ax, part, colour, "", band=f"{part.name}, found, ± one standard error")
    _frame(ax, bins)


def draw_correlations(ax: Axes, names: Sequence[str], correlations: Float[np.ndarray, "p p"]) -> None:
    """A matrix of correlations, a number in each cell.

    >>> figure, ax = mv.plots.chart(4, 4)
    >>> mv.plots.mixture.draw_correlations(ax, ["mean", "stddev"], np.array([[1.0, -0.3], [-0.3, 1.0]]))
    >>> sorted({text.get_text() for text in ax.texts})
    ['1', '−0.30']
    """
    ax.imshow(correlations, cmap="RdBu_r", vmin=-1, vmax=1)
    for (i, j), value in np.ndenumerate(correlations):
        colour = "white" if abs(value) > 0.6 else INK
        words = f"{value:+.2f}".replace("-", "−") if i != j else "1"
        ax.text(j, i, words, ha="center", va="center", color=colour, fontsize=8.5)
    ax.set_xticks(range(len(names)), names, rotation=35, ha="right")
    ax.set_yticks(range(len(names)), names)
    ax.set_title("correlations of the errors")
    ax.grid(False)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)


def _draw_part(ax: Axes, part: Part, colour: str, label: str, band: str = "") -> None:
    low, high = np.maximum(part.density - part.error, 0), part.density + part.error
    ax.fill_between(part.x, low, high, color=colour, alpha=0.2, linewidth=0, label=band)
    ax.plot(part.x, part.density, color=colour, label=label)


def _frame(ax: Axes, bins: Bins) -> None:
    ax.set(xlabel=bins.label, xlim=(bins.centres[0] - bins.widths[0], bins.centres[-1] + bins.widths[-1]))
    ax.grid(axis="x", visible=False)
