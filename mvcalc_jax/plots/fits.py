"""Curves and images with what was fitted to them, and how the parameters of many fits are spread."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from mvcalc_jax.plots.style import BLUE, INK, QUIET, RED, Figure

_BINS = 48
"""The most bins of a histogram."""
_TAIL = 0.002
"""What of a histogram is left out at either end, where a few failures would leave nothing of the rest."""


class Shown(NamedTuple):
    """One fit as it is drawn; of an image y is (rows, columns), and x None.

    Attributes:
        title: what it is.
        x, y: the data.
        sigma: their standard deviations, or None.
        fine: where the fitted curve is drawn; None for an image, or where there is none.
        curve: the fitted curve there, or over all of an image, as finely as you like; None where there is none.

    >>> x = np.linspace(-1, 1, 5)
    >>> shown = mv.plots.fits.Shown("a line", x, 2 * x, sigma=None, fine=x, curve=2 * x)
    >>> shown.title, shown.y.shape
    ('a line', (5,))
    """

    title: str
    x: Float[np.ndarray, " n"] | None
    y: Float[np.ndarray, "..."]
    sigma: Float[np.ndarray, " n"] | None
    fine: Float[np.ndarray, " k"] | None
    curve: Float[np.ndarray, "..."] | None


def draw_curve(ax: Axes, shown: Shown) -> None:
    """The points of a curve, with error bars where there are any, and what was fitted to them.

    >>> figure, ax = mv.plots.chart()
    >>> x = np.linspace(-1, 1, 5)
    >>> mv.plots.fits.draw_curve(ax, mv.plots.fits.Shown("a line", x, 2 * x, None, x, 2 * x))
    >>> ax.get_title(), len(ax.lines)
    ('a line', 2)
    """
    assert shown.x is not None
    ax.set_title(shown.title)
    if not np.isfinite(shown.y).any():
        ax.set(xticks=[], yticks=[])
        ax.text(0.5, 0.5, "no finite point", transform=ax.transAxes, ha="center", va="center")
        return
    look: dict[str, Any] = {
        "color": BLUE,
        "markersize": 4,
        "linestyle": "none",
        "marker": "o",
        "label": "data",
    }
    if shown.sigma is None:
        ax.plot(shown.x, shown.y, **look)
    else:
        ax.errorbar(shown.x, shown.y, yerr=shown.sigma, elinewidth=1, **look)
    if shown.fine is not None and shown.curve is not None:
        ax.plot(shown.fine, shown.curve, color=RED, label="fit")
        low, high = _span(shown.y)
        bottom, top = _span(np.append(shown.curve, [low, high]))
        room = high - low or 1.0  # of a fit that has run away, only what lies near the data
        ax.set_ylim(max(bottom, low - room) - 0.06 * room, min(top, high + room) + 0.06 * room)


def draw_image(ax: Axes, shown: Shown) -> None:
    """An image, and contours of what was fitted to it at tenths of its height: 10 %, 30 %, 50 %, 70 % and 90 %.

    >>> figure, ax = mv.plots.chart()
    >>> y = np.exp(-np.hypot(*np.mgrid[-3:4, -3:4]) ** 2 / 4)
    >>> mv.plots.fits.draw_image(ax, mv.plots.fits.Shown("a spot", None, y, None, None, y))
    >>> ax.get_title(), len(ax.images)
    ('a spot', 1)
    """
    rows, columns = shown.y.shape
    extent = (-0.5, columns - 0.5, -0.5, rows - 0.5)
    ax.imshow(shown.y, cmap="Blues", origin="lower", interpolation="nearest", extent=extent)
    if shown.curve is not None:
        low, high = float(shown.curve.min()), float(shown.curve.max())
        if high > low:
            levels = low + (high - low) * np.array([0.1, 0.3, 0.5, 0.7, 0.9])
            ax.contour(shown.curve, levels, colors=RED, linewidths=1.2, extent=extent)
    ax.grid(False)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(4, integer=True))
    ax.set_title(shown.title)


def draw_histogram(ax: Axes, name: str, values: Float[np.ndarray, " m"]) -> None:
    """How a parameter is spread, its far tails left out, with its median.

    >>> figure, ax = mv.plots.chart()
    >>> mv.plots.fits.draw_histogram(ax, "mean", np.linspace(-1, 3, 100))
    >>> ax.get_xlabel(), ax.get_title()
    ('mean', 'median 1')
    """
    values = values[np.isfinite(values)]
    ax.set(xlabel=name, yticks=[])
    ax.spines["left"].set_visible(False)
    ax.grid(False)
    ax.xaxis.set_major_locator(MaxNLocator(4))
    if not len(values):
        return
    low, middle, high = np.quantile(values, [_TAIL, 0.5, 1 - _TAIL])
    bins = int(np.clip(2 * len(values) ** (1 / 3), 8, _BINS))  # Rice's rule
    if high > low:
        ax.hist(values, bins, range=(float(low), float(high)), color=BLUE, alpha=0.8)
    else:
        ax.hist(values, 3, color=BLUE, alpha=0.8)
    ax.axvline(float(middle), color=RED, linewidth=1.4)
    ax.set_title(f"median {middle:.4g}".replace("-", "−"), fontsize=10, color=INK)


def gallery(shown: Sequence[Shown], spread: Mapping[str, Float[np.ndarray, " m"]], caption: str) -> Figure:
    """Some fits side by side, and below them how the parameters of all are spread.

    Args:
        shown: at least one.
        spread: the parameters by name; none for a single fit.
        caption: of the histograms.

    >>> x = np.linspace(-1, 1, 5)
    >>> shown = [mv.plots.fits.Shown(title, x, 2 * x, None, x, 2 * x) for title in ("best", "worst")]
    >>> figure = mv.plots.fits.gallery(shown, {"mean": np.linspace(-1, 3, 100)}, "all fits")
    >>> [ax.get_title() for ax in figure.axes]
    ['best', 'worst', 'median 1']
    """
    columns = max(len(shown), 2)
    figure = Figure(figsize=(3.4 * columns, 6.2 if spread else 3.4), layout="constrained")
    rows = 2 if spread else 1
    above, *below = figure.subfigures(rows, 1, squeeze=False, height_ratios=[1.5, 1][:rows])[:, 0]
    panels = above.subplots(1, len(shown), squeeze=False)[0]
    for ax, one in zip(panels, shown, strict=True):
        if one.x is None:
            draw_image(ax, one)
        else:
            draw_curve(ax, one)
    if panels[0].get_legend_handles_labels()[1]:
        panels[0].legend(fontsize=9)
    for part in below:
        part.suptitle(caption, x=0.01, ha="left", fontsize=10, color=QUIET)
        panels = part.subplots(1, len(spread), squeeze=False)[0]
        for ax, (name, values) in zip(panels, spread.items(), strict=True):
            draw_histogram(ax, name, values)
    return figure


def _span(values: Float[np.ndarray, "..."]) -> tuple[float, float]:
    values = values[np.isfinite(values)]
    return (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
