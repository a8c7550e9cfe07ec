"""A change of variables as it looks: cells before and after, coloured by |det J|; one cell and what J makes of it."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PolyCollection
from matplotlib.colors import Normalize
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from mpl_toolkits.mplot3d.art3d import Line3DCollection, Poly3DCollection

from mvcalc_jax.plots.style import BLUE, GOLD, INK, QUIET, RED, Figure

Map = Callable[[Float[np.ndarray, "... d"]], Float[np.ndarray, "... d"]]
"""Takes points (..., d) to their images."""

_SIDE = 17
"""Points along each edge of a cell: curved edges look curved."""
_COLOURS = "YlGnBu"


class Cells(NamedTuple):
    """Cells of a grid, as they are drawn: corners, |det J| in the middle, which touch a point where det J = 0.

    >>> low = np.array([[1.0, 0.0], [1.0, 0.5]])  # r and θ of two cells
    >>> cells = mv.plots.coordinates.Cells(low, low + 0.5, np.full(2, 1.25), np.zeros(2, bool), 0, ("in", "out"))
    >>> (cells.high - cells.low).prod(axis=1).tolist(), cells.words[cells.chosen]
    ([0.25, 0.25], 'in')
    """

    low: Float[np.ndarray, "cells d"]
    high: Float[np.ndarray, "cells d"]
    det: Float[np.ndarray, " cells"]
    singular: Any
    chosen: int
    """One cell, drawn bold on both sides."""
    words: tuple[str, str]
    """What is said of it before and after."""


def before_and_after(cells: Cells, image: Map, variables: Sequence[str], name: str) -> Figure:
    """The cells in u-space and their images, of two or three variables, each coloured by |det J|.

    >>> low = np.array([[1.0, 0.0], [1.0, 0.5]])  # r and θ of two cells
    >>> cells = mv.plots.coordinates.Cells(low, low + 0.5, np.full(2, 1.25), np.zeros(2, bool), 0, ("", ""))
    >>> polar = lambda u: np.stack([u[..., 0] * np.cos(u[..., 1]), u[..., 0] * np.sin(u[..., 1])], axis=-1)
    >>> figure = mv.plots.coordinates.before_and_after(cells, polar, ("r", "θ"), "polar")
    >>> figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()
    ('r', 'θ')
    """
    d = cells.low.shape[1]
    figure = Figure(figsize=(10.5, 4.9), layout="constrained")
    kind = {"projection": "3d"} if d == 3 else {}
    shapes = (
        [1, 1] if d == 3 else [_shape(cells.low, cells.high), _shape(*map(image, (cells.low, cells.high)))]
    )
    grid = figure.add_gridspec(1, 2, width_ratios=np.clip(shapes, 0.5, 2))
    left, right = (figure.add_subplot(grid[k], **kind) for k in (0, 1))
    norm = _norm(cells.det)
    draw = _draw_cells_3d if d == 3 else _draw_cells
    draw(left, cells, lambda u: u, norm, cells.words[0])
    draw(right, cells, image, norm, cells.words[1])
    letters = "xyz"[:d]
    for ax, names in ((left, variables), (right, letters)):
        for axis, label in zip("xyz", names, strict=False):
            getattr(ax, f"set_{axis}label")(label, **({} if d == 3 else {"rotation": 0}))
    below = 0.95 if d == 3 else None
    left.set_title(f"before: a grid in ({', '.join(variables)})", y=below)
    right.set_title(f"after: {name}, in ({', '.join(letters)})", y=below)
    bar = figure.colorbar(ScalarMappable(norm, _COLOURS), ax=[left, right], pad=0.02, shrink=0.85)
    bar.set_label("|det J|: by how much a cell grows")
    bar.outline.set_visible(False)
    return figure


def linearised(change: Any, cell: Any, image: Map, shown: int = 3) -> Figure:
    """A cell several times, ever smaller and ever nearer, with what J makes of it; and how the error of |det J| falls.

    Args:
        change: a change of variables of `mvcalc_jax.calculus` at a point, of two or three variables.
        cell: a cell there that shrinks, of `mvcalc_jax.calculus` too.
        image: takes points to their images.
        shown: so many of its widths.

    >>> change = mv.calculus.change_of_variables("polar", (1.0, 0.5))
    >>> cell = mv.calculus.shrinking_cell("polar", (1.0, 0.5), 0.4)
    >>> polar = lambda u: np.stack([u[..., 0] * np.cos(u[..., 1]), u[..., 0] * np.sin(u[..., 1])], axis=-1)
    >>> len(mv.plots.coordinates.linearised(change, cell, polar).axes)
    4
    """
    d, size = len(change.u), "area" if len(change.u) == 2 else "volume"
    figure = Figure(figsize=(11, 3.9), layout="constrained")
    kind = {"projection": "3d"} if d == 3 else {}
    for k in range(shown):
        ax, h = figure.add_subplot(1, shown + 1, k + 1, **kind), cell.sizes[k]
        around = edges(change.u - h / 2, change.u + h / 2)
        _draw_cell(ax, image(around), change.x + (around - change.u) @ change.jacobian.T)
        words = f"h = {h:g}\n{size} {cell.after[k]:.4g}, by J {abs(change.det) * h**d:.4g}"
        ax.set_title(words, fontsize=9.5, loc="center", weight="normal")
    handles = [Line2D([], [], color=BLUE, linewidth=2), Line2D([], [], color=RED, linestyle="--")]
    words = ["true image of the cell", "what J makes of it"]
    figure.legend(handles, words, loc="outside lower left", ncols=2, fontsize=9)
    errors = {"det J in the middle": cell.middle, "det J at the corner": cell.corner}
    _draw_errors(figure.add_subplot(1, shown + 1, shown + 1), cell.sizes, errors)
    return figure


def edges(low: Float[np.ndarray, " d"], high: Float[np.ndarray, " d"]) -> Float[np.ndarray, "edges k d"]:
    """The edges of a cell as points: around it for d = 2; all twelve for d = 3.

    >>> [len(mv.plots.coordinates.edges(np.zeros(d), np.ones(d))) for d in (2, 3)]  # a line around, or twelve
    [1, 12]
    """
    d, t = len(low), np.linspace(0, 1, _SIDE)
    if d == 2:
        return low + _around(t)[None] * (high - low)
    lines = []
    for axis in range(d):
        for ends in product((0.0, 1.0), repeat=d - 1):
            line = np.insert(np.tile(ends, (len(t), 1)), axis, t, axis=1)
            lines.append(low + line * (high - low))
    return np.array(lines)


def _norm(det: Float[np.ndarray, " cells"]) -> Normalize:
    """Colours from 0; where |det J| is the same everywhere, in the middle of the scale."""
    known = det[np.isfinite(det)]
    high = known.max(initial=0) or 1.0
    return Normalize(0, 2 * high if np.ptp(known) < 1e-9 * high else high)


def _around(t: Float[np.ndarray, " k"]) -> Float[np.ndarray, "_ 2"]:
    """The unit square's outline."""
    zero, one = 0 * t, 0 * t + 1
    sides = (t, zero), (one, t), (1 - t, one), (zero, 1 - t)
    return np.concatenate([np.stack(side, axis=1) for side in sides])


def _draw_cells(ax: Axes, cells: Cells, image: Map, norm: Normalize, words: str) -> None:
    side = max(_SIDE, min(200, 2000 // len(cells.low)))  # few cells are large, and their edges long
    outlines = image(
        cells.low[:, None] + _around(np.linspace(0, 1, side)) * (cells.high - cells.low)[:, None]
    )
    ax.add_collection(
        PolyCollection(
            list(outlines), array=cells.det, cmap=_COLOURS, norm=norm, edgecolor="white", linewidth=0.8
        )
    )
    for k in np.flatnonzero(cells.singular):
        ax.plot(*outlines[k].T, color=GOLD, linewidth=1.2)
    one = outlines[cells.chosen]
    ax.fill(*one.T, facecolor="none", edgecolor=RED, linewidth=2.5, zorder=4)
    low, high = outlines.min(axis=(0, 1)), outlines.max(axis=(0, 1))
    away = np.where(one.mean(axis=0) > (low + high) / 2, -1, 1)
    ax.annotate(
        words,
        one.mean(axis=0),
        tuple(42 * away),
        textcoords="offset points",
        ha="center",
        va="center",
        fontsize=9.5,
        color=INK,
        bbox={"facecolor": "white", "edgecolor": RED, "boxstyle": "round,pad=0.3", "alpha": 0.92},
        arrowprops={"arrowstyle": "-", "color": RED},
        zorder=5,
    )
    ax.set_aspect("equal" if 0.2 < _shape(low[None], high[None]) < 5 else "auto")
    ax.set(xlim=_widened(low[0], high[0]), ylim=_widened(low[1], high[1]))
    ax.grid(False)


def _shape(low: np.ndarray, high: np.ndarray) -> float:
    """How much wider than high the points lie."""
    across, up = np.ptp(np.concatenate([low, high]), axis=0)
    return float(across / up)


def _widened(low: float, high: float) -> tuple[float, float]:
    return low - 0.03 * (high - low), high + 0.03 * (high - low)


def _draw_cells_3d(ax: Any, cells: Cells, image: Map, norm: Normalize, words: str) -> None:
    """The cells with gaps between them, and a quarter of them left out, so that one sees inside."""
    low, high = cells.low.min(axis=0), cells.high.max(axis=0)
    kept = cells.high[:, 1] <= low[1] + 0.76 * (high[1] - low[1])
    high[1] = cells.high[kept, 1].max()
    kept &= ((cells.low == low) | (cells.high == high)).any(axis=1)  # the others are hidden
    middle, half = (cells.low + cells.high) / 2, 0.43 * (cells.high - cells.low)
    a, b = (grid.ravel() for grid in np.meshgrid([-1, -1 / 3, 1 / 3], [-1, -1 / 3, 1 / 3]))
    quads = []
    for axis, end in product(range(3), (-1.0, 1.0)):
        for u, v in zip(a, b, strict=True):
            corners = [(u, v), (u + 2 / 3, v), (u + 2 / 3, v + 2 / 3), (u, v + 2 / 3)]
            quads.append(np.insert(np.array(corners), axis, end, axis=1))
    faces = image(middle[kept][:, None, None] + half[kept][:, None, None] * np.array(quads))
    colours = np.repeat(colormaps[_COLOURS](norm(cells.det[kept])), len(quads), axis=0)
    ax.add_collection3d(
        Poly3DCollection(faces.reshape(-1, 4, 3), facecolor=colours, edgecolor=colours, linewidth=0.2)
    )
    lines = image(edges(cells.low[cells.chosen], cells.high[cells.chosen]))
    ax.computed_zorder = False
    ax.add_collection3d(Line3DCollection(list(lines), colors=RED, linewidths=1.8, zorder=5))
    ax.text2D(0.5, -0.02, words, transform=ax.transAxes, ha="center", fontsize=9.5, color=RED)
    _plain(ax, faces)


def _plain(ax: Any, points: Float[np.ndarray, "... 3"]) -> None:
    """Three-dimensional axes around points, with few ticks and no walls."""
    flat = points.reshape(-1, 3)
    for axis, low, high in zip("xyz", flat.min(axis=0), flat.max(axis=0), strict=True):
        getattr(ax, f"set_{axis}lim")(low, high)
    ax.set_box_aspect(None, zoom=0.85)
    ax.tick_params(labelsize=8, pad=0)
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        axis.set_pane_color((1, 1, 1, 0))
        axis.set_major_locator(MaxNLocator(4))


def _draw_cell(ax: Any, true: Float[np.ndarray, "edges k d"], linear: Float[np.ndarray, "edges k d"]) -> None:
    """The edges of a cell's image, and of what J makes of it."""
    if true.shape[2] == 2:
        ax.fill(*true[0].T, color=BLUE, alpha=0.35, linewidth=0)
        ax.plot(*true[0].T, color=BLUE)
        ax.plot(*linear[0].T, "--", color=RED)
        ax.set_aspect("equal", adjustable="datalim")
        ax.axis("off")
        return
    ax.add_collection3d(Line3DCollection(list(true), colors=BLUE, linewidths=2))
    ax.add_collection3d(Line3DCollection(list(linear), colors=RED, linewidths=1.4, linestyles="--"))
    _plain(ax, np.concatenate([true, linear]))


def _draw_errors(ax: Axes, sizes: np.ndarray, errors: dict[str, np.ndarray]) -> None:
    rounding = 1e-14
    for (label, error), colour, order in zip(errors.items(), (BLUE, GOLD), (2, 1), strict=False):
        seen = np.maximum(error, rounding)
        ax.plot(sizes, seen, "o-", color=colour, markersize=4, label=label)
        if np.nanmax(error, initial=0) > 1e-12:
            ax.plot(sizes, seen[-1] * (sizes / sizes[-1]) ** order, ":", color=QUIET, linewidth=1)
            k = len(sizes) // 2
            words, place = f"∝ h{'²' if order == 2 else ''}", (sizes[k], seen[k])
            ax.annotate(words, place, (6, -12), textcoords="offset points", fontsize=9, color=INK)
    ax.set(xscale="log", yscale="log", xlabel="width h of the cell", title="relative error of |det J|·cell")
    ax.title.set_fontsize(9.5)
    ax.set_ylim(rounding / 5, 3)
    if not any(np.isfinite(error).any() for error in errors.values()):
        ax.set_xlim(sizes.min() / 1.5, sizes.max() * 1.5)
        ax.text(
            0.5, 0.6, "no relative error here:\nthe cell is not regular", transform=ax.transAxes, ha="center"
        )
        return
    ax.legend(fontsize=8.5, loc="center right", bbox_to_anchor=(1, 0.35))
