"""The four pictures that show what is wrong with a regression.

Residuals by fitted value show what the line has missed; their quantiles, whether they are normal; their size by fitted
value, whether they are of one size; and leverage, which points hold the line where it is.
"""

from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from scipy import special

from mvcalc_jax.plots.lines import draw_points
from mvcalc_jax.plots.style import GOLD, INK, QUIET, RED, Figure, style

_NAMED = 3
"""So many of the outermost points are given their number."""


def diagnostics(
    fitted: Float[np.ndarray, " n"],
    residuals: Float[np.ndarray, " n"],
    standardised: Float[np.ndarray, " n"],
    leverage: Float[np.ndarray, " n"],
    rank: int,
) -> Figure:
    """All four pictures. Points are numbered from 0, as the rows of X are.

    >>> fit = mv.linear_regression([1, 2, 3, 4, 5], [1.1, 1.9, 3.2, 3.9, 5.1])
    >>> figure = mv.plots.regression.diagnostics(
    ...     fit.fitted, fit.residuals, fit.standardised, fit.leverage, fit.rank
    ... )  # as fit.plot(path)
    >>> [ax.get_xlabel() for ax in figure.axes]
    ['fitted value', 'quantile of the normal distribution', 'fitted value', 'leverage']
    """
    with style():
        figure = Figure(figsize=(10, 7.6), layout="constrained")
        axes = figure.subplots(2, 2)
        draw_residuals(axes[0, 0], fitted, residuals)
        draw_quantiles(axes[0, 1], standardised)
        draw_scale(axes[1, 0], fitted, standardised)
        draw_leverage(axes[1, 1], leverage, standardised, rank)
        figure.align_ylabels()
    return figure


def draw_residuals(ax: Axes, fitted: Float[np.ndarray, " n"], residuals: Float[np.ndarray, " n"]) -> None:
    """Residuals against fitted values, with a smooth through them: 0 all along if the model is right.

    >>> fit = mv.linear_regression([1, 2, 3, 4, 5], [1.1, 1.9, 3.2, 3.9, 5.1])
    >>> figure, ax = mv.plots.chart()
    >>> mv.plots.regression.draw_residuals(ax, fit.fitted, fit.residuals)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('fitted value', 'residual')
    """
    ax.axhline(0, color=QUIET, linewidth=1, linestyle=(0, (4, 3)))
    draw_points(ax, fitted, residuals)
    _smooth(ax, fitted, residuals)
    _name(ax, fitted, residuals, np.abs(residuals))
    ax.set(xlabel="fitted value", ylabel="residual", title="Is anything left to explain?")


def draw_quantiles(ax: Axes, standardised: Float[np.ndarray, " n"]) -> None:
    """Quantiles of the standardised residuals against the normal distribution's: on the line if they are normal.

    >>> fit = mv.linear_regression([1, 2, 3, 4, 5], [1.1, 1.9, 3.2, 3.9, 5.1])
    >>> figure, ax = mv.plots.chart()
    >>> mv.plots.regression.draw_quantiles(ax, fit.standardised)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('quantile of the normal distribution', 'standardised residual')
    """
    ax.set(
        xlabel="quantile of the normal distribution", ylabel="standardised residual", title="Is it normal?"
    )
    known = np.flatnonzero(np.isfinite(standardised))
    if not _enough(ax, known):
        return
    order = known[np.argsort(standardised[known], kind="stable")]
    n, y = len(order), standardised[order]
    a = 3 / 8 if n <= 10 else 1 / 2  # Blom's positions, and Hazen's, as R takes them
    x = special.ndtri((np.arange(1, n + 1) - a) / (n + 1 - 2 * a))
    (low, high), quartiles = np.quantile(y, [0.25, 0.75]), special.ndtri([0.25, 0.75])
    slope = (high - low) / (quartiles[1] - quartiles[0])
    ends = np.array([x[0], x[-1]])
    ax.plot(
        ends, low + slope * (ends - quartiles[0]), color=QUIET, linewidth=1.2, linestyle=(0, (4, 3)), zorder=1
    )
    draw_points(ax, x, y)
    _name(ax, x, y, np.abs(y), order)


def draw_scale(ax: Axes, fitted: Float[np.ndarray, " n"], standardised: Float[np.ndarray, " n"]) -> None:
    """√|standardised residual| against fitted values: level if all errors are of one size.

    >>> fit = mv.linear_regression([1, 2, 3, 4, 5], [1.1, 1.9, 3.2, 3.9, 5.1])
    >>> figure, ax = mv.plots.chart()
    >>> mv.plots.regression.draw_scale(ax, fit.fitted, fit.standardised)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('fitted value', '√|standardised residual|')
    """
    ax.set(
        xlabel="fitted value", ylabel="√|standardised residual|", title="Is the spread the same everywhere?"
    )
    size = np.sqrt(np.abs(standardised))
    if not _enough(ax, np.flatnonzero(np.isfinite(size))):
        return
    draw_points(ax, fitted, size)
    _smooth(ax, fitted, size)
    _name(ax, fitted, size, size)
    ax.set_ylim(bottom=0)


def draw_leverage(
    ax: Axes, leverage: Float[np.ndarray, " n"], standardised: Float[np.ndarray, " n"], rank: int
) -> None:
    """Standardised residuals against leverage, with contours of Cook's distance: beyond 1, a point moves the fit.

    A point of leverage 1 has no residual at all, for the fit goes through it wherever it is; it is marked.

    >>> fit = mv.linear_regression([1, 2, 3, 4, 5], [1.1, 1.9, 3.2, 3.9, 5.1])
    >>> figure, ax = mv.plots.chart()
    >>> mv.plots.regression.draw_leverage(ax, fit.leverage, fit.standardised, fit.rank)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('leverage', 'standardised residual')
    """
    ax.set(xlabel="leverage", ylabel="standardised residual", title="Does one point hold the line?")
    known = np.flatnonzero(np.isfinite(standardised))
    if not _enough(ax, known):
        return
    h, r = leverage[known], standardised[known]
    ax.axhline(0, color=QUIET, linewidth=1, linestyle=(0, (4, 3)))
    draw_points(ax, h, r)
    cook = r**2 * h / (1 - h) / rank
    holding = np.flatnonzero(leverage > 1 - 1e-12)
    right = 1.04 if len(holding) else min(1.12 * h.max(), 0.995)
    top = 1.25 * max(np.abs(r).max(), 1.0)
    ax.set(xlim=(0, right), ylim=(-top, top))
    ax.locator_params(axis="x", nbins=6)
    grid = np.linspace(right / 400, min(right, 0.9999), 400)
    for distance, dashes in ((0.5, (0, (5, 3))), (1.0, "-")):
        bound = np.sqrt(distance * rank * (1 - grid) / grid)
        for side in (-1, 1):
            ax.plot(grid, side * bound, color=RED, linewidth=1, linestyle=dashes, gid="cook", zorder=2)
        if (inside := bound < 0.9 * top).any():
            at = np.argmax(inside) if len(holding) else -1
            offset, ha = ((5, 0), "left") if len(holding) else ((-3, 3), "right")
            _write(ax, f"{distance:g}", (grid[at], bound[at]), offset, RED, ha=ha)
    if len(holding):
        ax.plot(1, 0, "D", color=RED, markersize=7, zorder=4, gid="holding")
        numbers = ", ".join(map(str, holding[:_NAMED])) + " …" * (len(holding) > _NAMED)
        _write(ax, f"{numbers}: the fit goes through it", (1, 0), (-12, 0), RED, ha="right", va="center")
    _name(ax, h, r, cook, known)
    largest = f"Cook's distance, {cook.max():.2g} at most"
    ax.plot([], [], color=RED, linewidth=1, label=largest)
    ax.legend(loc="lower left", fontsize=9, frameon=True, framealpha=0.9, edgecolor="none")


def _smooth(ax: Axes, x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"]) -> None:
    """A local line at every place, of the nearest two thirds of the points, weighted by Cleveland's tricube."""
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    places = np.unique(np.quantile(x, np.linspace(0, 1, 60))) if len(x) else x
    if len(np.unique(x)) < 5:
        return
    nearest = max(int(np.ceil(2 / 3 * len(x))), 4)
    level = []
    for place in places:
        d = np.abs(x - place)
        reach = np.partition(d, nearest - 1)[nearest - 1] or np.ptp(x)
        w = np.clip(1 - (d / (1.0001 * reach)) ** 3, 0, None) ** 3
        mean, height = np.average(x, weights=w), np.average(y, weights=w)
        spread = np.average((x - mean) ** 2, weights=w)
        slope = np.average((x - mean) * (y - height), weights=w) / spread if spread else 0.0
        level.append(height + slope * (place - mean))
    ax.plot(places, level, color=GOLD, linewidth=2, zorder=4, gid="smooth")


def _name(
    ax: Axes,
    x: Float[np.ndarray, " n"],
    y: Float[np.ndarray, " n"],
    outward: Float[np.ndarray, " n"],
    numbers: np.ndarray | None = None,
) -> None:
    """The numbers of the outermost points, beside them where no other such number stands."""
    taken: list[np.ndarray] = []
    ax.autoscale_view()  # which has matplotlib catch up with what was drawn
    for k in np.argsort(np.where(np.isfinite(outward), -outward, np.inf), kind="stable")[:_NAMED]:
        if not np.isfinite(outward[k]) or outward[k] <= 0:
            continue
        number = str(k if numbers is None else numbers[k])
        at = np.asarray(ax.transLimits.transform((x[k], y[k])))  # in shares of the axes
        size = np.array([0.012 + 0.016 * len(number), 0.05])
        inward = -1 if at[0] > 0.5 else 1
        places = [(inward, 0), (-inward, 0), (0, -1 if at[1] > 0.5 else 1), (0, 1 if at[1] > 0.5 else -1)]
        centres = [at + np.array(place) * (0.6 * size + [0.008, 0.028]) for place in places]
        free = [all((np.abs(centre - other) > size).any() for other in taken) for centre in centres]
        chosen = free.index(True) if True in free else 0
        taken.append(centres[chosen])
        across, up = places[chosen]
        ha, va = {-1: "right", 0: "center", 1: "left"}[across], {-1: "top", 0: "center", 1: "bottom"}[up]
        _write(ax, number, (x[k], y[k]), (6 * across, 7 * up), INK, ha=ha, va=va)


def _write(
    ax: Axes, words: str, at: tuple[Any, Any], offset: tuple[float, float], color: str, **how: Any
) -> None:
    """Words beside a point, on a white ground of their own shape."""
    label = ax.annotate(words, at, offset, textcoords="offset points", color=color, fontsize=8.5, **how)
    label.set(zorder=5, path_effects=[withStroke(linewidth=3, foreground="white")])


def _enough(ax: Axes, known: np.ndarray) -> bool:
    """Whether there is anything to draw; if not, the picture says why."""
    if len(known) < 3:
        ax.text(
            0.5,
            0.5,
            "no residuals to speak of:\nthe fit goes through the points",
            ha="center",
            va="center",
            color=QUIET,
            transform=ax.transAxes,
        )
        ax.set(xticks=[], yticks=[])
    return len(known) >= 3
