"""The picture of the course: a network's attempts at a curve, fading from the first to the last."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure as AnyFigure
from matplotlib.lines import Line2D
from matplotlib.path import Path as Outline
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from mvcalc_jax import text
from mvcalc_jax.plots.gif import frames, save_gif
from mvcalc_jax.plots.style import INK, QUIET, RED, Figure

_PAPER = LinearSegmentedColormap.from_list("paper", ["#fffefb", "#f4efe3"])
_FADE = LinearSegmentedColormap.from_list("fade", ["#8fb0c4", "#b98fb5", RED])


@runtime_checkable
class Target(Protocol):
    """What is to be drawn; `mvcalc_jax.data.Curve` is one.

    >>> target = mv.data.curve("spiral", 50)  # has all that is asked for
    >>> target.points.shape, target.closed, target.breaks
    ((2, 50), False, ())
    """

    @property
    def points(self) -> Float[np.ndarray, "2 n"]: ...
    @property
    def closed(self) -> bool: ...
    @property
    def breaks(self) -> Sequence[int]: ...


def sheet(size: float = 8, *, shaded: bool = True) -> tuple[Figure, Axes]:
    """A square figure that is all paper.

    >>> figure, ax = mv.plots.curve.sheet(size=4)
    >>> figure.get_size_inches().tolist(), ax.get_aspect()
    ([4.0, 4.0], 1.0)
    """
    figure = Figure(figsize=(size, size))
    return figure, paper(figure, shaded=shaded)


def paper(figure: AnyFigure, *, shaded: bool = True) -> Axes:
    """Axes over a whole figure: the unit square without ticks, a little darker towards its corners if shaded.

    >>> figure, _ = mv.plots.chart()
    >>> len(mv.plots.curve.paper(figure, shaded=False).images)
    0
    """
    ax = figure.add_axes((0, 0, 1, 1))
    figure.set_facecolor(_PAPER(0.3))
    if shaded:
        u = np.linspace(-1, 1, 64)
        radius = np.hypot(*np.meshgrid(u, u))
        ax.imshow(radius, cmap=_PAPER, extent=(0, 1, 0, 1), interpolation="bicubic", zorder=0)
    ax.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    ax.axis("off")
    return ax


def draw_target(ax: Axes, target: Target) -> Line2D:
    """The points to be met, joined by a quiet line that is broken where the pen was lifted.

    >>> figure, ax = mv.plots.curve.sheet()
    >>> line = mv.plots.curve.draw_target(ax, mv.data.curve("heart", 100))
    >>> len(line.get_xdata())  # it ends where it began
    101
    """
    points = np.concatenate([target.points, target.points[:, :1]], axis=1) if target.closed else target.points
    points = np.insert(points, list(target.breaks), np.nan, axis=1)
    (line,) = ax.plot(*points, color=QUIET, linewidth=0.9, marker="o", markersize=2.4, zorder=2)
    return line


def draw_history(ax: Axes, history: Float[np.ndarray, "rows 2 k"]) -> LineCollection:
    """Attempts, cold and faint at first, warmer later.

    >>> figure, ax = mv.plots.curve.sheet()
    >>> history = np.stack([mv.data.curve("heart", 30).points * size for size in (0.5, 0.8, 1.0)])
    >>> len(mv.plots.curve.draw_history(ax, history).get_segments())
    3
    """
    colours = _FADE(np.linspace(0, 1, len(history)))
    colours[:, 3] = min(1, 20 / len(history))
    attempts = LineCollection(list(history.swapaxes(1, 2)), colors=colours, linewidths=0.9, zorder=1)
    ax.add_collection(attempts, autolim=False)
    return attempts


def draw_attempt(ax: Axes, attempt: Float[np.ndarray, "2 k"]) -> Line2D:
    """One attempt, bold.

    >>> figure, ax = mv.plots.curve.sheet()
    >>> mv.plots.curve.draw_attempt(ax, mv.data.curve("heart", 30).points).get_xydata().shape
    (30, 2)
    """
    # A line without length is not drawn: the marker, as wide as the line, shows an attempt that is a single point.
    dot = {"marker": "o", "markevery": [0], "markersize": 3, "markeredgewidth": 0}
    (line,) = ax.plot(*attempt, color=RED, linewidth=3, solid_capstyle="round", zorder=3, **dot)
    return line


def draw_caption(ax: Axes, text: str = "") -> Text:
    """A line at the foot of the sheet.

    >>> figure, ax = mv.plots.curve.sheet()
    >>> mv.plots.curve.draw_caption(ax, mv.plots.curve.how_far(10, 0.0123)).get_text()
    'step 10   cost 0.012'
    """
    return ax.text(0.5, 0.025, text, ha="center", color=INK, fontsize=11, zorder=4)


def how_far(step: int, cost: float) -> str:
    """How far an attempt has come.

    >>> mv.plots.curve.how_far(10, 0.0123)
    'step 10   cost 0.012'
    """
    return f"step {text.count(int(step))}   cost {cost:.2g}"


def caption_of(attempt: Float[np.ndarray, "2 k"], caption: str) -> str:
    """The caption, and that there is nothing to see where an attempt lies wholly outside the sheet.

    >>> mv.plots.curve.caption_of(np.full((2, 3), 9.0), "step 1")
    'step 1   off the sheet'
    """
    inside = np.all((attempt >= 0) & (attempt <= 1), axis=0).any()  # a single point crosses no edge
    seen = inside or Outline(attempt.T).intersects_bbox(Bbox.unit(), filled=False)
    return caption if seen else f"{caption}   off the sheet".strip()


def drawing(target: Target, history: Float[np.ndarray, "rows 2 k"], caption: str) -> Figure:
    """The target, the fading history, and the last attempt bold.

    >>> heart = mv.data.curve("heart", 30)
    >>> figure = mv.plots.curve.drawing(heart, heart.points[None], "the heart itself")
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['the heart itself']
    """
    figure, ax = sheet()
    draw_history(ax, history)
    draw_target(ax, target)
    draw_attempt(ax, history[-1])
    draw_caption(ax, caption_of(history[-1], caption))
    return figure


def animate(
    path: Path, target: Target, history: Float[np.ndarray, "rows 2 k"], captions: Sequence[str]
) -> None:
    """Write the attempts one after the other as an animation, each with its caption.

    >>> from pathlib import Path
    >>> heart = mv.data.curve("heart", 30)
    >>> mv.plots.curve.animate(Path("heart.gif"), heart, heart.points[None] * np.ones((2, 1, 1)), ["one", "two"])
    >>> Path("heart.gif").read_bytes()[:3]
    b'GIF'
    """
    figure, ax = sheet(4, shaded=False)  # a palette of 128 colours would show the shades as rings
    draw_target(ax, target)
    attempt, caption = draw_attempt(ax, history[0]), draw_caption(ax)

    def show(row: int) -> None:
        attempt.set_data(*history[row])
        caption.set_text(caption_of(history[row], captions[row]))

    save_gif(path, figure, (attempt, caption), show, frames(len(history)))


def drawings(
    target: Target,
    attempts: Float[np.ndarray, "members 2 k"],
    costs: Float[np.ndarray, " members"],
    shown: Mapping[str, int],
) -> Figure:
    """What many networks have drawn: all of it on one sheet, some of them by themselves, and how their costs spread.

    Args:
        target: what was to be drawn.
        attempts: what each network has drawn.
        costs: what it is worth; of a network that failed it is not finite.
        shown: the captions of those that are shown by themselves, and which they are.

    >>> heart = mv.data.curve("heart", 30)
    >>> attempts, costs = heart.points[None] * np.array([0.7, 1.0])[:, None, None], np.array([0.1, 0.01])
    >>> figure = mv.plots.curve.drawings(heart, attempts, costs, {"worst": 0, "best": 1})
    >>> len(figure.axes)
    4
    """
    figure = Figure(figsize=(12, 8))
    ax = paper(figure)
    ax.set_position((0, 0, 2 / 3, 1))
    _draw_all(ax, attempts, costs)
    draw_target(ax, target)
    draw_caption(ax, f"{text.count(len(attempts))} networks, the better the redder")
    for k, (caption, member) in enumerate(shown.items()):
        ax = paper(figure)
        ax.set_position((0.672 + 0.164 * (k % 2), 0.758 - 0.246 * (k // 2), 0.156, 0.234))
        draw_target(ax, target).set(markersize=1, linewidth=0.6)
        draw_attempt(ax, attempts[member]).set_linewidth(2)
        draw_caption(ax, caption_of(attempts[member], caption)).set_fontsize(8)
    _draw_costs(figure.add_axes((0.71, 0.09, 0.26, 0.36)), costs)
    return figure


def _draw_all(
    ax: Axes, attempts: Float[np.ndarray, "members 2 k"], costs: Float[np.ndarray, " members"]
) -> None:
    """Every attempt, faint, the worst first, so that the best lie on top."""
    finite = np.flatnonzero(np.isfinite(costs) & np.isfinite(attempts).all(axis=(1, 2)))
    order = finite[np.argsort(-costs[finite])]
    colours = _FADE(np.linspace(0, 1, len(order)))
    colours[:, 3] = np.clip(30 / max(len(order), 1), 0.03, 0.8)
    lines = LineCollection(list(attempts[order].swapaxes(1, 2)), colors=colours, linewidths=0.8, zorder=1)
    ax.add_collection(lines, autolim=False)


def _draw_costs(ax: Axes, costs: Float[np.ndarray, " members"]) -> None:
    """How many networks have ended at which cost, on a logarithmic scale; with the quartiles."""
    known = costs[np.isfinite(costs) & (costs > 0)]
    ax.set(xlabel="final cost", ylabel="networks")
    if not known.size:  # matplotlib refuses a logarithmic scale for nothing
        ax.text(0.5, 0.5, "no finite cost", ha="center", va="center", color=QUIET, transform=ax.transAxes)
        return
    least, most = known.min() / 1.05, known.max() * 1.05
    bins = np.geomspace(least, most, 1 + int(np.clip(2 * np.sqrt(known.size), 8, 60)))
    ax.hist(known, bins=bins.tolist(), color=_FADE(0.3))
    low, middle, high = np.quantile(known, [0.25, 0.5, 0.75])
    ax.axvspan(low, high, color=QUIET, alpha=0.25, linewidth=0, zorder=0)
    ax.axvline(middle, color=RED, linewidth=1.2)
    ax.set_xscale("log")
    ticks = np.geomspace(least, most, 4)
    ax.set_xticks(ticks, [f"{tick:.1e}" for tick in ticks])
    ax.set_xticks([], minor=True)
    lost = len(costs) - known.size
    title = f"median {middle:.1e}, the middle half shaded"
    ax.set_title(title if not lost else f"{title}; {text.counted(lost, 'network')} failed", fontsize=9)
