"""Methods on their way to the same optimum, how well it is known, and what an estimator makes of wider bins."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from mvcalc_jax.plots.descent import draw_path
from mvcalc_jax.plots.heights import Landscape, draw_landscape
from mvcalc_jax.plots.style import CYCLE, GOLD, GREEN, INK, QUIET, RED, VIOLET, Figure


def methods(
    landscape: Landscape,
    paths: Mapping[str, Float[np.ndarray, "rows 2"]],
    excess: Mapping[str, Float[np.ndarray, " rows"]],
    optimum: Float[np.ndarray, "2"],
) -> Figure:
    """The paths of several methods on the contours of χ², and how far above the optimum each is after every step.

    >>> bowl = mv.plots.heights.survey(lambda mu, sigma: (mu - 170) ** 2 + (sigma - 5) ** 2, 170.0, 5.0, points=20)
    >>> paths, excess = {"newton": np.array([[165.0, 8.0], [170.0, 5.0]])}, {"newton": np.array([34.0, 1e-12])}
    >>> len(mv.plots.ladder.methods(bowl, paths, excess, np.array([170.0, 5.0])).axes)
    2
    """
    figure = Figure(figsize=(11.5, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    draw_landscape(left, landscape)
    lowest = 1e-16 * np.ptp(landscape.chi_squared)  # no smaller difference can be computed
    for k, ((label, path), colour) in enumerate(zip(paths.items(), CYCLE, strict=False)):
        # Of lines that coincide, all are seen: each is wider than the one upon it, by more than a pixel on either side.
        width = 1.2 + 1.7 * (len(paths) - 1 - k) if k else 1.2
        draw_path(left, path, color=colour, linewidth=width, label=label)
        steps = np.arange(len(excess[label]))
        above = np.maximum(excess[label], lowest)
        right.plot(steps, above, color=colour, label=label, linewidth=width, marker="o", markersize=3)
    left.plot(*optimum, "+", color=INK, markersize=11, markeredgewidth=1.5, zorder=5)
    left.set_title("ways to the same place")
    right.set(yscale="log", xlabel="iteration", title="χ² − χ² at the optimum")
    right.locator_params(axis="x", integer=True)
    figure.legend(
        *right.get_legend_handles_labels(), loc="outside lower center", ncols=len(paths), fontsize=9
    )
    return figure


class Estimate(NamedTuple):
    """A standard deviation by one estimator from bins of several widths, and its errors; NaN where none is known.

    >>> one = mv.plots.ladder.Estimate("likelihood", np.array([1.0, 2.0]), np.array([2.6, 2.7]), np.array([0.1, 0.2]))
    >>> one.name, len(one.width)
    ('likelihood', 2)
    """

    name: str
    width: Float[np.ndarray, " k"]
    stddev: Float[np.ndarray, " k"]
    error: Float[np.ndarray, " k"]


class Region(NamedTuple):
    """Where μ and σ are: an ellipse of one standard error.

    >>> region = mv.plots.ladder.Region("likelihood", np.array([68.6, 2.6]), np.diag([0.02, 0.01]))
    >>> region.cov.shape
    (2, 2)
    """

    name: str
    centre: Float[np.ndarray, "2"]
    cov: Float[np.ndarray, "2 2"]


def errors(
    landscape: Landscape,
    own: Region,
    variance: float,
    others: Sequence[Region],
    estimates: Sequence[Estimate],
    unit: str,
) -> Figure:
    """Where χ² has risen by one and by four of a bin's variance, with ellipses; and what wider bins do to σ.

    Args:
        landscape: χ² close to the optimum.
        own: of χ².
        variance: of a bin's residual, by which a rise of χ² is measured.
        others: of other estimators.
        estimates: by each estimator.
        unit: of the widths.

    >>> ladder, width = mv.plots.ladder, np.array([1.0, 2.0])
    >>> bowl = mv.plots.heights.survey(lambda mu, sigma: (mu - 68) ** 2 + (sigma - 3) ** 2, 68.0, 3.0, points=20)
    >>> own = ladder.Region("least squares", np.array([68.0, 3.0]), np.diag([0.02, 0.01]))
    >>> one = ladder.Estimate("likelihood", width, np.array([2.6, 2.7]), np.array([0.1, 0.2]))
    >>> figure = ladder.errors(bowl, own, 0.5, [own._replace(name="likelihood")], [one], "in")
    >>> len(figure.axes)
    2
    """
    figure = Figure(figsize=(11.5, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    mu, sigma, rise = *landscape[:2], (landscape.chi_squared - landscape.chi_squared.min()) / variance
    left.contourf(mu, sigma, np.sqrt(np.maximum(rise, 0)), 16, cmap="Blues_r", alpha=0.7)
    left.contour(mu, sigma, rise, (1, 4), colors=INK, linewidths=0.9, linestyles="--")
    left.plot([], [], "--", color=INK, linewidth=0.9, label="χ² itself, up by 1 and by 4")
    for sigmas in (1, 2):
        label = f"{own.name}, 1σ and 2σ" if sigmas == 1 else ""
        left.plot(*ellipse(own.centre, own.cov, sigmas), color=RED, linewidth=1.6, label=label)
    left.plot(*own.centre, "+", color=INK, markersize=11, markeredgewidth=1.5)
    for other, colour in zip(others, (VIOLET, GOLD), strict=False):
        left.plot(*ellipse(other.centre, other.cov, 1), color=colour, label=f"{other.name}, 1σ")
        left.plot(*other.centre, "x", color=colour)
    left.legend(loc="upper right", fontsize=8.5, framealpha=0.75, frameon=True, edgecolor="none")
    left.set(xlabel="μ", ylabel="σ", title="how well they are known")
    left.grid(False)
    draw_estimates(right, estimates, unit)
    return figure


def draw_estimates(ax: Axes, estimates: Sequence[Estimate], unit: str) -> None:
    """Standard deviations against the width of the bins.

    >>> figure, ax = mv.plots.chart()
    >>> width, stddev, error = np.array([1.0, 2.0]), np.array([2.6, 2.7]), np.array([0.1, 0.2])
    >>> mv.plots.ladder.draw_estimates(ax, [mv.plots.ladder.Estimate("likelihood", width, stddev, error)], "in")
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('width of the bins / in', 'σ')
    """
    narrowest = min(float(e.width.min()) for e in estimates)
    for k, (estimate, colour) in enumerate(zip(estimates, (VIOLET, GREEN, GOLD), strict=False)):
        aside = 0.06 * narrowest * (k - (len(estimates) - 1) / 2)
        error = np.nan_to_num(estimate.error)
        ax.errorbar(
            estimate.width + aside,
            estimate.stddev,
            error,
            fmt="o-",
            color=colour,
            capsize=3,
            linewidth=1.3,
            label=estimate.name,
        )
    best = estimates[-1]
    ax.axhline(best.stddev[0], color=QUIET, linewidth=0.8, zorder=0)
    ax.set(
        xlabel=f"width of the bins / {unit}" if unit else "width of the bins",
        ylabel="σ",
        title="what wider bins do to σ",
    )
    ax.set_xticks(best.width)
    ax.legend()


def ellipse(
    centre: Float[np.ndarray, "2"], cov: Float[np.ndarray, "2 2"], sigmas: float, points: int = 200
) -> Float[np.ndarray, "2 k"]:
    """The points that lie so many standard deviations from a centre: L times a circle, for cov = L Lᵀ.

    >>> print(abs(mv.plots.ladder.ellipse(np.zeros(2), np.diag([4.0, 1.0]), 1.0, points=5)).round(6))
    [[2. 0. 2. 0. 2.]
     [0. 1. 0. 1. 0.]]
    """
    turn = np.linspace(0, 2 * np.pi, points)
    return centre[:, None] + sigmas * np.linalg.cholesky(cov) @ np.stack([np.cos(turn), np.sin(turn)])
