"""Strategies in the sandpit: where each start leads to, how often the phone is found, and ways from one start."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb

from mvcalc_jax.plots.style import BLUE, FURTHER, GOLD, GREEN, INK, QUIET, RED, VIOLET, Figure

HOLLOWS = (GREEN, BLUE, VIOLET, GOLD, *FURTHER)
"""Of minima: that of the phone, then the others, deepest first; from the second again if there are more."""
_COLOURS = {
    "constant": QUIET,
    "gradient": RED,
    "newton": INK,
    "hybrid": GREEN,
    "momentum": GOLD,
    "adam": VIOLET,
    "line-search": "#c26b2e",
    "trust-region": BLUE,
}
"""Of strategies, by name."""
_OWN = "#d977ae"
"""Of the player's own."""
_NONE = 0.93
"""The grey of starts that lead to no minimum."""
_SHARES = LinearSegmentedColormap.from_list("shares", ["#f6f8f9", GREEN])


class Ground(NamedTuple):
    """A floor as it is drawn: its name, the box's points along one side, the depths there, (y, x), and its minima.

    >>> pit, along = mv.sandpit.floor("wells"), np.linspace(0, 6, 7)
    >>> points = np.stack(np.meshgrid(along, along), axis=-1).reshape(-1, 2)
    >>> ground = mv.plots.sandpit.Ground(pit.name, along, pit.heights(points).reshape(7, 7), pit.minima)
    >>> ground.depth.shape, ground.minima.shape
    ((7, 7), (1, 2))
    """

    name: str
    along: Float[np.ndarray, " n"]
    depth: Float[np.ndarray, "n n"]
    minima: Float[np.ndarray, "m 2"]


class Basin(NamedTuple):
    """Where the starts of a grid lead to, the number of a minimum or −1; the dips; the share that finds the phone.

    >>> found = mv.sandpit.basins(mv.sandpit.floor("wells"), mv.sandpit.STRATEGIES["gradient"], points=5)
    >>> share = float((found.leads_to == 0).mean())
    >>> basin = mv.plots.sandpit.Basin("gradient", found.leads_to, found.dips, share)
    >>> basin.strategy, basin.share
    ('gradient', 0.52)
    """

    strategy: str
    leads_to: Int[np.ndarray, "k k"]
    dips: Int[np.ndarray, "k k"]
    share: float


class Way(NamedTuple):
    """The dips of a strategy, and whether the last found the phone.

    >>> walk = mv.sandpit.walk(mv.sandpit.floor("wells"), mv.sandpit.STRATEGIES["newton"], (1.0, 4.0))
    >>> mv.plots.sandpit.Way(walk.strategy, walk.positions, walk.found).found
    True
    """

    strategy: str
    positions: Float[np.ndarray, "d 2"]
    found: bool


def colour_of(strategy: str) -> str:
    """The colour of a strategy, wherever it is drawn."""
    return _COLOURS.get(strategy, _OWN)


def draw_ground(ax: Axes, ground: Ground, color: str = QUIET) -> None:
    """Contours, every half metre, the minima as rings and the phone as a star; no axes.

    >>> along = np.linspace(0, 6, 7)
    >>> ground = mv.plots.sandpit.Ground("a slope", along, -9 + np.add.outer(along, along) / 2, np.zeros((1, 2)))
    >>> figure, ax = mv.plots.chart(4, 4)
    >>> mv.plots.sandpit.draw_ground(ax, ground)
    >>> ax.get_title()
    ''
    """
    ax.contour(
        ground.along, ground.along, ground.depth, np.arange(-9, -0.9, 0.5), colors=color, linewidths=0.5,
        linestyles="solid", alpha=0.55,
    )  # fmt: skip
    ax.plot(*ground.minima[1:].T, "o", color="white", markeredgecolor=INK, markersize=4, markeredgewidth=0.8)
    star = {"markersize": 12, "markeredgecolor": INK, "markeredgewidth": 0.9, "zorder": 6}
    ax.plot(*ground.minima[0], "*", color="white", **star)
    ax.spines[:].set(visible=True, color=QUIET, linewidth=0.8)
    edge = (ground.along[0], ground.along[-1])
    ax.set(aspect="equal", xticks=[], yticks=[], xlim=edge, ylim=edge)


def shaded(leads_to: Int[np.ndarray, "k k"], dips: Int[np.ndarray, "k k"]) -> Float[np.ndarray, "k k 3"]:
    """A colour for each minimum, paler the sooner a start comes to it; a start that comes to none is grey.

    >>> picture = mv.plots.sandpit.shaded(np.array([[0, -1]]), np.array([[3, 25]]))
    >>> picture.shape, len(mv.plots.sandpit.HOLLOWS)  # colours of minima
    ((1, 2, 3), 7)
    """
    order = (0, *(1 + np.arange(max(int(leads_to.max(initial=0)), 0)) % (len(HOLLOWS) - 1)))
    colours = np.array([to_rgb(HOLLOWS[k]) for k in order])
    own = colours[np.maximum(leads_to, 0)]
    late = (np.log(np.maximum(dips, 1)) / np.log(max(int(dips.max(initial=2)), 2)))[..., None]
    return np.where(leads_to[..., None] < 0, _NONE, own * late + (0.45 * own + 0.55) * (1 - late))


def basins(ground: Ground, found: Sequence[Basin], columns: int = 4) -> Figure:
    """A panel for each strategy: every start in the colour of the minimum that it leads to.

    >>> along, leads = np.linspace(0, 6, 7), np.zeros((5, 5), int)
    >>> ground = mv.plots.sandpit.Ground("a slope", along, -9 + np.add.outer(along, along) / 2, np.zeros((1, 2)))
    >>> basin = mv.plots.sandpit.Basin("gradient", leads, leads + 4, 1.0)
    >>> len(mv.plots.sandpit.basins(ground, [basin, basin], columns=2).axes)
    2
    """
    rows = -(-len(found) // columns)
    figure = Figure(figsize=(2.7 * columns, 2.95 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax in axes[len(found) :]:
        ax.set_axis_off()
    for ax, basin in zip(axes, found, strict=False):
        low, high = ground.along[[0, -1]]
        picture = shaded(basin.leads_to, basin.dips)
        ax.imshow(picture, origin="lower", extent=(low, high, low, high), interpolation="nearest")
        draw_ground(ax, ground, INK)
        ax.set_title(f"{basin.strategy}  {basin.share:.0%}", fontsize=10)
        ax.grid(False)
    return figure


def success(
    strategies: Sequence[str],
    floors: Sequence[str],
    share: Float[np.ndarray, "s f"],
    dips: Float[np.ndarray, "s f"],
) -> Figure:
    """A table as a picture: the greener, the more often the phone is found; below, the median of the dips needed.

    >>> share, dips = np.array([[0.4, 1.0], [0.6, 0.0]]), np.array([[8.0, 3.0], [5.0, np.nan]])
    >>> figure = mv.plots.sandpit.success(["gradient", "newton"], ["wells", "saddle"], share, dips)
    >>> sorted(text.get_text() for text in figure.axes[0].texts)[:2]
    ['0%', '100%']
    """
    figure = Figure(figsize=(1.9 + 0.95 * len(floors), 0.9 + 0.5 * len(strategies)), layout="constrained")
    ax = figure.subplots()
    ax.imshow(share, cmap=_SHARES, vmin=0, vmax=1, aspect="auto")
    for (s, f), value in np.ndenumerate(share):
        colour = "white" if value > 0.75 else INK
        ax.text(f, s - 0.13, f"{value:.0%}", ha="center", va="center", fontsize=10, color=colour)
        if np.isfinite(dips[s, f]):
            words = f"{dips[s, f]:.0f} dip{'s' * (round(float(dips[s, f])) != 1)}"
            ax.text(f, s + 0.26, words, ha="center", va="center", fontsize=7, color=colour)
    ax.set_xticks(range(len(floors)), floors)
    ax.set_yticks(range(len(strategies)), strategies)
    ax.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
    ax.set_xticks(np.arange(len(floors) - 1) + 0.5, minor=True)
    ax.set_yticks(np.arange(len(strategies) - 1) + 0.5, minor=True)
    ax.grid(False)
    ax.grid(which="minor", color="white", linewidth=2)
    ax.tick_params(which="minor", length=0, top=False)
    ax.spines[:].set_visible(False)
    return figure


def ways(races: Mapping[str, tuple[Ground, Sequence[Way]]], columns: int = 5) -> Figure:
    """A panel for each floor, with the dips of every strategy from one start.

    >>> along = np.linspace(0, 6, 7)
    >>> ground = mv.plots.sandpit.Ground("a slope", along, -9 + np.add.outer(along, along) / 2, np.zeros((1, 2)))
    >>> way = mv.plots.sandpit.Way("gradient", np.array([[3.0, 3.0], [1.0, 1.0], [0.0, 0.0]]), True)
    >>> figure = mv.plots.sandpit.ways({"a slope": (ground, [way])})
    >>> colours = {line.get_color() for ax in figure.axes for line in ax.lines}
    >>> mv.plots.sandpit.COLOURS["gradient"] in colours, mv.plots.sandpit.OWN in colours
    (True, False)
    """
    rows = -(-(len(races) + 1) // columns)
    figure = Figure(figsize=(2.35 * columns, 2.55 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax in axes[len(races) :]:
        ax.set_axis_off()
    for ax, (title, (ground, found)) in zip(axes, races.items(), strict=False):
        draw_ground(ax, ground)
        for way in found:
            ax.plot(
                *way.positions.T,
                "-o",
                color=colour_of(way.strategy),
                markersize=2.4,
                linewidth=1.1,
                alpha=0.9,
            )
        ax.plot(*found[0].positions[0], "o", color="white", markeredgecolor=INK, markersize=6, zorder=5)
        ax.set_title(title, fontsize=10)
        ax.grid(False)
    last = axes[len(races)] if len(axes) > len(races) else axes[-1]
    for name in dict.fromkeys(way.strategy for _, found in races.values() for way in found):
        last.plot([], [], "-o", color=colour_of(name), markersize=4, label=name)
    last.legend(loc="center", fontsize=9)
    return figure
