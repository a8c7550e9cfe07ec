"""A histogram and the Gaussian that is fitted to it, and the way there through (μ, σ)."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.ticker import MaxNLocator

from mvcalc_jax.plots.descent import draw_path
from mvcalc_jax.plots.gif import frames, save_gif
from mvcalc_jax.plots.style import BLUE, GOLD, INK, QUIET, RED, VIOLET, Figure
from mvcalc_jax.require import AnyArray

Model = Callable[[np.ndarray, np.ndarray], AnyArray]
"""The density: model(theta, x)."""


class Bins(NamedTuple):
    """A histogram as it is drawn: label of its axis, centres, widths and densities.

    >>> men = mv.data.histogram("galton-men")
    >>> bins = mv.plots.heights.Bins("height / in", men.centres, men.widths, men.density)
    >>> print(bins.label, f"{(bins.density * bins.widths).sum():.1f}")
    height / in 1.0
    """

    label: str
    centres: Float[np.ndarray, " n"]
    widths: Float[np.ndarray, " n"]
    density: Float[np.ndarray, " n"]


class Landscape(NamedTuple):
    """χ² over (μ, σ), as it is drawn.

    >>> land = mv.plots.heights.Landscape(np.arange(3.0), np.arange(1.0, 3.0), np.ones((2, 3)))
    >>> land.chi_squared.shape == (len(land.sigma), len(land.mu))
    True
    """

    mu: Float[np.ndarray, " i"]
    sigma: Float[np.ndarray, " j"]
    chi_squared: Float[np.ndarray, "j i"]


def survey(
    chi_squared: Callable[[np.ndarray, np.ndarray], AnyArray],
    mean: float,
    stddev: float,
    start: Float[np.ndarray, "2"] | None = None,
    points: int = 120,
) -> Landscape:
    """χ² on a grid about data of some mean and standard deviation, and out to where a descent starts.

    Args:
        chi_squared: takes grids of μ and σ.
        mean: of the data.
        stddev: of the data.
        start: μ and σ that are to lie on the grid, too.
        points: along each axis, and as many again to reach the start.

    >>> land = mv.plots.heights.survey(lambda mu, sigma: (mu - 170) ** 2 + (sigma - 5) ** 2, 170.0, 5.0, points=20)
    >>> land.chi_squared.shape, bool(land.mu[0] < 170 < land.mu[-1])
    ((20, 20), True)
    """
    edges = mean - 3.8 * stddev, mean + 2.85 * stddev, 0.26 * stddev, 4.6 * stddev
    unit = 10.0 ** np.floor(np.log10(stddev))
    left, right, low, high = (unit * round(edge / unit, 0 if edge > unit else 1) for edge in edges)
    mu, sigma = np.linspace(left, right, points), np.linspace(low, high, points)
    χ2 = np.asarray(chi_squared(*np.meshgrid(mu, sigma)))
    if start is None or (left <= start[0] <= right and low <= start[1] <= high):
        return Landscape(mu, sigma, χ2)
    highest = χ2.max()  # a narrow Gaussian has a χ² so large that no contour would be left for the rest
    mu = _reaching(mu, start[0], start[0] + 0.08 * (start[0] - mean))
    sigma = _reaching(sigma, start[1], start[1] * (1.08 if start[1] > high else 0.5))
    χ2 = np.asarray(chi_squared(*np.meshgrid(mu, sigma)))
    return Landscape(mu, sigma, np.fmin(χ2, highest))


def closeup(
    chi_squared: Callable[[np.ndarray, np.ndarray], AnyArray],
    optimum: Float[np.ndarray, "2"],
    reach: Float[np.ndarray, "2"],
    points: int = 120,
) -> Landscape:
    """χ² on a grid so far around the optimum.

    >>> chi_squared = lambda mu, sigma: (mu - 170) ** 2 + (sigma - 5) ** 2
    >>> land = mv.plots.heights.closeup(chi_squared, np.array([170.0, 5.0]), np.array([1.0, 0.5]), points=20)
    >>> print(land.mu[[0, -1]], land.sigma[[0, -1]])
    [169. 171.] [4.5 5.5]
    """
    mu, sigma = (
        centre + far * np.linspace(-1, 1, points) for centre, far in zip(optimum, reach, strict=True)
    )
    return Landscape(mu, sigma, np.asarray(chi_squared(*np.meshgrid(mu, sigma))))


def _reaching(axis: Float[np.ndarray, " n"], start: float, beyond: float) -> Float[np.ndarray, " _"]:
    """An axis of a grid, with as many points again out beyond a start that does not lie on it."""
    if start < axis[0]:
        return np.append(np.linspace(beyond, axis[0], len(axis), endpoint=False), axis)
    if start > axis[-1]:
        return np.append(axis, np.linspace(beyond, axis[-1], len(axis), endpoint=False)[::-1])
    return axis


def draw_overlap(ax: Axes, bins: Bins, model: Model, theta: Float[np.ndarray, "2"]) -> None:
    """Bars coloured by where data and model overlap, where the data exceed it, and where they fall short.

    >>> men = mv.data.histogram("galton-men")
    >>> bins = mv.plots.heights.Bins("height / in", men.centres, men.widths, men.density)
    >>> figure, ax = mv.plots.chart()
    >>> mv.plots.heights.draw_overlap(ax, bins, mv.gaussian.density, np.array([68.6, 2.6]))
    >>> len(ax.patches) >= len(men.centres)
    True
    """
    f = np.asarray(model(theta, bins.centres))
    shared = np.minimum(bins.density, f)
    bars = {"width": bins.widths * 0.94, "linewidth": 0}
    ax.bar(bins.centres, shared, color=BLUE, alpha=0.75, label="overlap", **bars)
    ax.bar(
        bins.centres,
        np.maximum(bins.density - f, 0),
        bottom=shared,
        color=GOLD,
        alpha=0.85,
        label="excess",
        **bars,
    )
    ax.bar(
        bins.centres,
        np.maximum(f - bins.density, 0),
        bottom=shared,
        color=RED,
        alpha=0.3,
        label="deficit",
        **bars,
    )
    fine = _fine(bins.centres[0], bins.centres[-1], theta)
    # Of an array of JAX's, Matplotlib takes the first number, for which JAX compiles a program with all of them.
    ax.plot(fine, np.asarray(model(theta, fine)), color=INK, linewidth=1.6, label="Gaussian")
    ax.set(xlabel=bins.label)
    ax.grid(axis="x", visible=False)


def _fine(left: float, right: float, theta: Float[np.ndarray, "2"]) -> Float[np.ndarray, " _"]:
    """Where a Gaussian is drawn: from end to end, and wherever it is, however narrow."""
    bell = theta[0] + theta[1] * np.linspace(-5, 5, 200)
    return np.sort(np.append(np.linspace(left, right, 300), bell))


def _thin_out(figure: Figure) -> None:
    """Fewer ticks along μ and the heights wherever their labels would touch; a common power of ten beside them."""
    figure.draw_without_rendering()
    for ax in figure.axes:
        ax.ticklabel_format(axis="x", scilimits=(-3, 6))
        for most in (6, 5, 4, 3, 2):
            low, high = ax.get_xlim()
            labels = zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
            boxes = [label.get_window_extent() for x, label in labels if low <= x <= high]
            if all(a.x1 + 4 < b.x0 for a, b in pairwise(boxes)):
                break
            ax.xaxis.set_major_locator(MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]))


def before_and_after(
    bins: Bins, model: Model, path: Float[np.ndarray, "rows 2"], window: tuple[float, float]
) -> Figure:
    """The Gaussian over the histogram at the start of a descent and at its end.

    >>> men = mv.data.histogram("galton-men")
    >>> bins = mv.plots.heights.Bins("height / in", men.centres, men.widths, men.density)
    >>> path = np.array([[66.0, 4.0], [68.6, 2.6]])
    >>> len(mv.plots.heights.before_and_after(bins, mv.gaussian.density, path, (58.0, 80.0)).axes)
    2
    """
    figure = Figure(figsize=(9.5, 3.9), layout="constrained")
    for ax, theta, title in zip(
        figure.subplots(1, 2, sharey=True), (path[0], path[-1]), ("before", "after"), strict=True
    ):
        draw_overlap(ax, bins, model, theta)
        ax.set(xlim=window, title=f"{title}: μ {theta[0]:.4g}, σ {theta[1]:.3g}")
    figure.axes[0].set_ylabel("density")
    top = 4 * bins.density.max()
    if figure.axes[0].get_ylim()[1] > top:  # a needle of a Gaussian must leave something of the bars
        figure.axes[0].set_ylim(0, top)
    figure.axes[1].legend()
    _thin_out(figure)
    return figure


def draw_landscape(ax: Axes, landscape: Landscape, levels: int = 20) -> None:
    """Contours of χ² over (μ, σ), the valley light; closer together there, where it is nearly flat.

    >>> figure, ax = mv.plots.chart()
    >>> bowl = mv.plots.heights.survey(lambda mu, sigma: (mu - 170) ** 2 + (sigma - 5) ** 2, 170.0, 5.0, points=20)
    >>> mv.plots.heights.draw_landscape(ax, bowl)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('μ', 'σ')
    """
    lowest, highest = landscape.chi_squared.min(), landscape.chi_squared.max()
    heights = lowest + (highest - lowest) * np.linspace(0, 1, levels + 1) ** 2
    heights[-1] = highest  # to the last bit, or a plateau at this height may remain white
    ax.contourf(*landscape, heights, cmap="Blues", norm=PowerNorm(0.5))
    ax.contour(*landscape, heights[:-1], colors=QUIET, linewidths=0.4)
    ax.set(xlabel="μ", ylabel="σ")
    ax.ticklabel_format(axis="y", scilimits=(-3, 5))
    ax.set_xlim(landscape.mu[0], landscape.mu[-1])
    ax.set_ylim(landscape.sigma[0], landscape.sigma[-1])
    ax.grid(False)


def descent_on(
    landscape: Landscape, path: Float[np.ndarray, "rows 2"], optimum: Float[np.ndarray, "2"]
) -> Figure:
    """The path of a descent on the contours of χ², and the optimum.

    >>> bowl = mv.plots.heights.survey(lambda mu, sigma: (mu - 170) ** 2 + (sigma - 5) ** 2, 170.0, 5.0, points=20)
    >>> path = np.array([[165.0, 8.0], [169.0, 5.5], [170.0, 5.0]])
    >>> len(mv.plots.heights.descent_on(bowl, path, path[-1]).axes)
    1
    """
    figure = Figure(figsize=(7, 5), layout="constrained")
    ax = figure.subplots()
    draw_landscape(ax, landscape)
    draw_path(ax, path)
    ax.plot(*optimum, "+", color=INK, markersize=11, markeredgewidth=1.5, zorder=5, clip_on=False)
    ax.set_title(f"{len(path) - 1} steps of steepest descent on χ²")
    _thin_out(figure)
    return figure


def by_learning_rate(
    landscape: Landscape,
    paths: Mapping[str, Float[np.ndarray, "rows 2"]],
    excess: Mapping[str, Float[np.ndarray, " rows"]],
) -> Figure:
    """The same descent at several learning rates: its paths, and how far χ² is from the optimum.

    >>> bowl = mv.plots.heights.survey(lambda mu, sigma: (mu - 170) ** 2 + (sigma - 5) ** 2, 170.0, 5.0, points=20)
    >>> paths = {"0.1": np.array([[165.0, 8.0], [169.0, 5.5], [170.0, 5.0]])}
    >>> figure = mv.plots.heights.by_learning_rate(bowl, paths, {"0.1": np.array([34.0, 1.2, 0.01])})
    >>> figure.axes[-1].get_yscale()
    'log'
    """
    figure = Figure(figsize=(11, 6.4), layout="constrained")
    axes = figure.subplot_mosaic([list(paths), ["below"] * len(paths)], height_ratios=[1, 0.8])
    lowest = 1e-16 * np.ptp(landscape.chi_squared)  # no smaller difference can be computed
    for (label, path), colour in zip(paths.items(), (GOLD, RED, "#3f9b6c", VIOLET), strict=False):
        draw_landscape(axes[label], landscape)
        draw_path(axes[label], path, color=colour)
        axes[label].set_title(label)
        axes["below"].plot(np.maximum(excess[label], lowest), color=colour, label=label)
    axes["below"].set(yscale="log", xlabel="step", ylabel="χ² − χ² at the optimum")
    low, high = axes["below"].get_ylim()
    if high < 10 * low:  # within a decade, the labels of the ticks would be all but the same
        axes["below"].set_ylim(low / 3, 3 * high)
    axes["below"].legend(ncols=len(paths))
    _thin_out(figure)
    return figure


def animate(
    path_of_file: Path,
    bins: Bins,
    model: Model,
    landscape: Landscape,
    path: Float[np.ndarray, "rows 2"],
    window: tuple[float, float],
) -> None:
    """The Gaussian moving over the histogram, beside the descent on the contours.

    >>> men = mv.data.histogram("galton-men")
    >>> bins = mv.plots.heights.Bins("height / in", men.centres, men.widths, men.density)
    >>> bowl = mv.plots.heights.survey(lambda mu, sigma: (mu - 68) ** 2 + (sigma - 3) ** 2, 68.0, 3.0, points=20)
    >>> path, file = np.array([[66.0, 4.0], [68.6, 2.6]]), Path("fit.gif")
    >>> mv.plots.heights.animate(file, bins, mv.gaussian.density, bowl, path, (58.0, 80.0))
    >>> file.exists()
    True
    """
    figure = Figure(figsize=(7.6, 3.4), dpi=100)
    left, right = figure.add_axes((0.09, 0.16, 0.4, 0.74)), figure.add_axes((0.58, 0.16, 0.4, 0.74))
    left.bar(bins.centres, bins.density, width=bins.widths * 0.94, color=BLUE, alpha=0.55, linewidth=0)
    left.set(xlim=window, xlabel=bins.label, ylim=(0, 1.25 * bins.density.max()))
    draw_landscape(right, landscape)
    left.yaxis.get_offset_text().set_x(-0.2)  # clear of the title
    _thin_out(figure)
    (curve,) = left.plot([], [], color=RED)
    (trail,) = right.plot([], [], color=RED, linewidth=1.2, marker="o", markersize=2.5)
    title = left.text(0, 1.03, "", transform=left.transAxes, color=QUIET)

    def show(row: int) -> None:
        fine = _fine(*window, path[row])
        curve.set_data(fine, model(path[row], fine))
        trail.set_data(*path[: row + 1].T)
        title.set_text(f"step {row}   μ {path[row, 0]:.4g}   σ {path[row, 1]:.4g}")

    save_gif(path_of_file, figure, (curve, trail, title), show, frames(len(path)), milliseconds=120)
