"""Fitted lines among their points, with the bands that say how far they can be trusted."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from mvcalc_jax.plots.style import BLUE, GOLD, INK, OCHRE, RED, Figure


class Line(NamedTuple):
    """A fitted line at x, where it itself may be, and where a new point may be.

    >>> fit = mv.linear_regression([1, 2, 3, 4, 5], [1.1, 1.9, 3.2, 3.9, 5.1])
    >>> x = np.linspace(1, 5, 9)
    >>> line = mv.plots.lines.Line(x, fit.predict(x), fit.confidence_band(x), fit.prediction_band(x))
    >>> line.confidence.shape
    (9, 2)
    """

    x: Float[np.ndarray, " k"]
    y: Float[np.ndarray, " k"]
    confidence: Float[np.ndarray, "k 2"]
    prediction: Float[np.ndarray, "k 2"]


def draw_points(ax: Axes, x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"]) -> None:
    """The data, smaller and fainter the more there are.

    >>> figure, ax = mv.plots.chart()
    >>> mv.plots.lines.draw_points(ax, np.arange(5.0), np.arange(5.0) ** 2)
    >>> len(ax.lines) + len(ax.collections)
    1
    """
    n = len(x)
    size, alpha = (34, 0.85) if n <= 60 else (16, 0.55) if n <= 500 else (9, 0.35)
    ax.scatter(x, y, s=size, color=BLUE, alpha=alpha, linewidths=0, zorder=3)


def draw_line(ax: Axes, line: Line, color: str = RED, label: str = "") -> None:
    """The line, its confidence band (dark) and its prediction band (light).

    >>> of, x = mv.linear_regression([1, 2, 3, 4], [2.1, 3.9, 6.2, 7.8]), np.linspace(1, 4, 9)
    >>> line = mv.plots.lines.Line(x, of.predict(x), of.confidence_band(x), of.prediction_band(x))
    >>> figure, ax = mv.plots.chart()
    >>> mv.plots.lines.draw_line(ax, line, label="y = 2x")
    >>> len(ax.lines), len(ax.collections)  # the line; its bands
    (1, 2)
    """
    ax.fill_between(line.x, *line.prediction.T, color=color, alpha=0.09, linewidth=0, gid="prediction")
    ax.fill_between(line.x, *line.confidence.T, color=color, alpha=0.28, linewidth=0, gid="confidence")
    ax.plot(line.x, line.y, color=color, label=label, zorder=4)


def fit(
    x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"], line: Line, labels: tuple[str, str]
) -> Figure:
    """One line among its points.

    >>> x, y = np.arange(5.0), np.array([1.1, 1.9, 3.2, 3.9, 5.1])
    >>> of = mv.linear_regression(x, y)
    >>> line = mv.plots.lines.Line(x, of.predict(x), of.confidence_band(x), of.prediction_band(x))
    >>> mv.plots.lines.fit(x, y, line, ("time / s", "way / m")).axes[0].get_xlabel()
    'time / s'
    """
    figure = Figure(figsize=(7, 5), layout="constrained")
    ax = figure.subplots()
    draw_points(ax, x, y)
    draw_line(ax, line, label="fit, its confidence band, and prediction band")
    ax.set(xlabel=labels[0], ylabel=labels[1])
    _legend(
        ax, "best" if len(x) <= 1000 else "lower right"
    )  # to look for the best takes long among many points
    return figure


def quartet(
    points: Sequence[tuple[str, Float[np.ndarray, " n"], Float[np.ndarray, " n"]]],
    lines: Sequence[Line],
    words: str,
) -> Figure:
    """Sets of points with a title each, all on one scale, and the same words about each line.

    >>> Line, points, lines = mv.plots.lines.Line, [], []
    >>> for four in mv.data.ANSCOMBE:
    ...     of, x = mv.linear_regression(four.x, four.y), np.linspace(3, 20, 9)
    ...     points.append((four.title, four.x, four.y))
    ...     lines.append(Line(x, of.predict(x), of.confidence_band(x), of.prediction_band(x)))
    >>> [ax.get_title() for ax in mv.plots.lines.quartet(points, lines, "y = 3 + x/2").axes][:2]
    ['a line and noise', 'a curve']
    """
    figure = Figure(figsize=(9.5, 6.6), layout="constrained")
    for ax, (title, x, y), line in zip(
        figure.subplots(2, 2, sharex=True, sharey=True).flat, points, lines, strict=True
    ):
        draw_line(ax, line)
        draw_points(ax, x, y)
        ax.set(title=title, xlabel="x", ylabel="y")
        ax.text(0.98, 0.05, words, transform=ax.transAxes, ha="right")
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        ax.label_outer()
    everything = np.concatenate([y for _, _, y in points])
    room = 0.12 * np.ptp(everything)
    figure.axes[0].set_ylim(everything.min() - room, everything.max() + room)
    return figure


def both_ways(
    x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"], lines: tuple[Line, Line], labels: tuple[str, str]
) -> Figure:
    """Both regressions, y on x and x on y, between them the line of equal standard deviations, and means by class.

    Args:
        x, y: the points.
        lines: y on x; and x on y, whose `x` is y.
        labels: of x and y.

    >>> pairs = mv.data.fathers_and_sons()
    >>> def line(x, y):
    ...     of, at = mv.linear_regression(x, y), np.linspace(x.min(), x.max(), 9)
    ...     return mv.plots.lines.Line(at, of.predict(at), of.confidence_band(at), of.prediction_band(at))
    >>> lines = line(pairs.x, pairs.y), line(pairs.y, pairs.x)
    >>> figure = mv.plots.lines.both_ways(pairs.x, pairs.y, lines, (pairs.x_label, pairs.y_label))
    >>> figure.axes[0].get_ylabel()
    "son's height / in"
    """
    figure = Figure(figsize=(8.2, 7.2), layout="constrained")
    ax = figure.subplots()
    draw_points(ax, x, y)
    by_x, by_y = lines
    centre, spread = np.array([x.mean(), y.mean()]), np.array([x.std(), y.std()])
    reach = np.array([-3.4, 3.4])
    ax.plot(
        *(centre[:, None] + spread[:, None] * reach),
        color=INK,
        linewidth=1.4,
        linestyle=(0, (5, 3)),
        zorder=4,
    )
    draw_line(ax, by_x)
    ax.fill_betweenx(by_y.x, *by_y.confidence.T, color=GOLD, alpha=0.3, linewidth=0, gid="confidence")
    ax.plot(by_y.y, by_y.x, color=GOLD, zorder=4)
    classes = np.round(x)
    for place in np.unique(classes):
        some = y[classes == place]
        if len(some) >= 8:
            ax.plot(place, some.mean(), "o", color="white", markeredgecolor=RED, markersize=6.5, zorder=5)
    ax.set(xlabel=labels[0], ylabel=labels[1])
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    ax.set(xlim=(left, right + 0.14 * (right - left)), ylim=(low, high + 0.05 * (high - low)))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(8, integer=True, steps=[1, 2, 5, 10]))
    first, second = map(_plain, labels)
    _say(ax, (by_x.x[-1], by_x.y[-1]), f"{second}\nby {first}", RED)
    _say(ax, (by_y.y[-1], by_y.x[-1]), f"{first}\nby {second}", OCHRE, up=True)
    _say(ax, centre + spread * reach[1], "equally far from\nboth means, in\nstandard deviations", INK)
    ax.plot([], [], "o", color="white", markeredgecolor=RED, label=f"mean {second} at each whole {first}")
    _legend(ax)
    return figure


def _plain(label: str) -> str:
    """A label without its unit."""
    return label.partition(" / ")[0]


def _say(ax: Axes, at: Any, words: str, color: str, up: bool = False) -> None:
    offset, ha, va = ((0, 8), "center", "bottom") if up else ((8, 0), "left", "center")
    label = ax.annotate(
        words, at, offset, textcoords="offset points", color=color, ha=ha, va=va, fontsize=9.5
    )
    label.set(zorder=6, path_effects=[withStroke(linewidth=3, foreground="white")])


def _legend(ax: Axes, where: Literal["best", "lower right"] = "lower right") -> None:
    ax.legend(loc=where, frameon=True, framealpha=0.9, edgecolor="none")
