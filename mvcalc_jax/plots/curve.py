"""The picture of the course: a network's attempts at a curve, fading from the first to the last."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.lines import Line2D

from mvcalc_jax.plots.style import INK, QUIET, RED

_PAPER = LinearSegmentedColormap.from_list("paper", ["#fffdf8", "#f3eee2"])
_FADE = LinearSegmentedColormap.from_list("fade", ["#9fb8c8", "#c98aa5", RED])


def draw_paper(ax: Axes) -> None:
    """The unit square on paper that darkens a little towards its corners, without axes."""
    u = np.linspace(-1, 1, 128)
    ax.imshow(np.hypot(*np.meshgrid(u, u)), cmap=_PAPER, extent=(0, 1, 0, 1), interpolation="bicubic", zorder=0)
    ax.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    ax.axis("off")


def draw_target(ax: Axes, points: Float[np.ndarray, "2 n"], closed: bool, breaks: Sequence[int] = ()) -> Line2D:
    """The curve to be drawn, as dots joined by a quiet line that is broken where the pen was lifted."""
    line = np.concatenate([points, points[:, :1]], axis=1) if closed else points
    line = np.insert(line.astype(float), list(breaks), np.nan, axis=1)
    (artist,) = ax.plot(*line, color=QUIET, linewidth=1, marker="o", markersize=2.6, zorder=2, label="target")
    return artist


def draw_history(ax: Axes, history: Float[np.ndarray, "rows 2 k"]) -> LineCollection:
    """Attempts, faint and cold at first, warmer later."""
    later = np.linspace(0, 1, len(history))
    colours = _FADE(later)
    colours[:, 3] = 0.04 + 0.96 / max(len(history), 1) ** 0.75
    attempts = LineCollection(list(history.swapaxes(1, 2)), colors=colours, linewidths=1, zorder=1)
    ax.add_collection(attempts, autolim=False)
    return attempts


def draw_attempt(ax: Axes, curve: Float[np.ndarray, "2 k"], colour: str = RED, width: float = 3.2) -> Line2D:
    """One attempt, bold."""
    (artist,) = ax.plot(*curve, color=colour, linewidth=width, solid_capstyle="round", zorder=3, label="network")
    return artist


def caption(ax: Axes, text: str) -> None:
    """A line below the square."""
    ax.text(0.5, -0.012, text, ha="center", va="top", color=INK, transform=ax.transAxes, fontsize=10)


def faded(colour: str, by: float) -> tuple[float, float, float]:
    """A colour mixed with white."""
    red, green, blue = (c + (1 - c) * by for c in to_rgb(colour))
    return red, green, blue
