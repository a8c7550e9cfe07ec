"""Newton's method at work: tangents that walk to a root, the ways in which they fail, and the basins of the roots."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.ticker import MaxNLocator

from mvcalc_jax.plots.gif import FRAMES, save_gif
from mvcalc_jax.plots.style import BLUE, FURTHER, GOLD, GREEN, INK, QUIET, RED, VIOLET, Figure

ROOTS = (RED, BLUE, GOLD, GREEN, VIOLET, *FURTHER)
"""Of basins, in the order of their roots; from the first again if there are more."""

_FARTHEST = 1e30
"""What is farther out is drawn here: beyond, Matplotlib's own numbers overflow."""


class Curve(NamedTuple):
    """A function of one variable as it is drawn.

    >>> x = np.linspace(0, 2, 5)
    >>> curve = mv.plots.newton.Curve("x² − 2", x, x**2 - 2)
    >>> curve.formula, curve.y[[0, -1]].tolist()
    ('x² − 2', [-2.0, 2.0])
    """

    formula: str
    x: Float[np.ndarray, " k"]
    y: Float[np.ndarray, " k"]


class Steps(NamedTuple):
    """Newton's steps as they are drawn: every iterate, f and f′ there, and what came of them in a few words.

    >>> x = np.array([2.0, 1.5, 17 / 12])
    >>> steps = mv.plots.newton.Steps(x, x**2 - 2, 2 * x, "√2", "a root")
    >>> bool(np.allclose(steps.x[:-1] - (steps.f / steps.df)[:-1], steps.x[1:]))
    True
    """

    x: Float[np.ndarray, " r"]
    f: Float[np.ndarray, " r"]
    df: Float[np.ndarray, " r"]
    title: str
    what: str


def draw_curve(ax: Axes, curve: Curve, height: float | None = None) -> None:
    """The function and the axis, in a window as high as most of it needs.

    >>> figure, ax = mv.plots.chart()
    >>> x = np.linspace(0, 2, 50)
    >>> mv.plots.newton.draw_curve(ax, mv.plots.newton.Curve("x² − 2", x, x**2 - 2))
    >>> len(ax.lines)  # the axis, too
    2
    """
    y = np.where(np.isfinite(curve.y), curve.y, np.nan)
    low, high = (min(float(np.nanmin(y)), 0.0), max(float(np.nanmax(y)), 0.0))
    if height is not None:
        low, high = max(low, -height), min(high, height)
    rise = np.abs(np.diff(y, append=np.nan)) > (high - low)  # a pole is no line
    ax.axhline(0, color=QUIET, linewidth=0.9)
    ax.plot(curve.x, np.where(rise, np.nan, y), color=INK, linewidth=1.5)
    room = 0.09 * (high - low)
    ax.set(xlim=(curve.x[0], curve.x[-1]), ylim=(low - room, high + room))


def draw_tangents(ax: Axes, steps: Steps, first: int = 0, last: int | None = None) -> None:
    """Up from every iterate to the curve, and down the tangent to the next one; later steps are drawn darker.

    >>> figure, ax = mv.plots.chart()
    >>> x = np.array([2.0, 1.5, 17 / 12])
    >>> mv.plots.newton.draw_tangents(ax, mv.plots.newton.Steps(x, x**2 - 2, 2 * x, "√2", "a root"))
    >>> len(ax.lines) > 0
    True
    """
    rows = range(first, min(len(steps.x) - 1, len(steps.x) if last is None else last))
    for k in rows:
        alpha = 0.35 + 0.65 * (k - first + 1) / len(rows)
        x, y, following = steps.x[k], steps.f[k], steps.x[k + 1]
        ax.plot([x, x], [0, y], color=BLUE, linewidth=0.9, linestyle=":", alpha=alpha)
        if np.isfinite(following):
            ax.plot([x, following], [y, 0], color=RED, linewidth=1.2, alpha=alpha)
        ax.plot(x, y, "o", color=RED, markersize=3.6, alpha=alpha)
    if first < len(steps.x) <= (last or len(steps.x)) and steps.df[-1] == 0 != steps.f[-1]:
        ax.axhline(steps.f[-1], color=RED, linewidth=1.2, linestyle="--")  # a tangent that has no zero
        ax.plot([steps.x[-1]] * 2, [0, steps.f[-1]], color=BLUE, linewidth=0.9, linestyle=":")
    ax.plot(steps.x[0], 0, "o", color=BLUE, markersize=6, zorder=5, clip_on=False)


def windowed(curve: Curve, steps: Steps) -> tuple[float, float, float]:
    """Left and right edge and height of a window in which most of the steps are seen, if they stay together.

    >>> grid, x = np.linspace(0, 3, 50), np.array([2.0, 1.5, 17 / 12])
    >>> curve = mv.plots.newton.Curve("x² − 2", grid, grid**2 - 2)
    >>> left, right, height = mv.plots.newton.windowed(curve, mv.plots.newton.Steps(x, x**2 - 2, 2 * x, "", ""))
    >>> bool(left < x.min() < x.max() < right)
    True
    """
    left, right = curve.x[0], curve.x[-1]
    inside = (steps.x >= left) & (steps.x <= right) & np.isfinite(steps.f)
    if inside.all() and 0 < np.ptp(steps.x) < 0.2 * (right - left):
        room = max(float(np.ptp(steps.x)), 1e-3 * (right - left))
        left, right = max(left, steps.x.min() - 0.8 * room), min(right, steps.x.max() + 0.8 * room)
    height = 1.8 * float(np.percentile(np.abs(steps.f[inside]), 85)) if inside.any() else 1.0
    shown = np.abs(curve.y[(curve.x >= left) & (curve.x <= right) & np.isfinite(curve.y)])
    if len(shown) and height < 0.02 * float(np.median(shown)):
        height = float(np.median(shown))
    return left, right, height or 1.0


def walks(curve: Curve, walked: Sequence[Steps]) -> Figure:
    """The tangents from several starts, and below each of them where it was after every step.

    >>> grid, x = np.linspace(0, 3, 50), np.array([2.0, 1.5, 17 / 12])
    >>> curve = mv.plots.newton.Curve("x² − 2", grid, grid**2 - 2)
    >>> figure = mv.plots.newton.walks(curve, [mv.plots.newton.Steps(x, x**2 - 2, 2 * x, "from 2", "a root")])
    >>> len(figure.axes)
    2
    """
    figure = Figure(figsize=(10.5, 5.6), layout="constrained")
    axes = figure.subplots(2, len(walked), height_ratios=[1.5, 1], squeeze=False)
    for (above, below), steps in zip(axes.T, walked, strict=True):
        left, right, height = windowed(curve, steps)
        draw_curve(above, curve, height)
        draw_tangents(above, steps, 0, 40)
        if right - left < curve.x[-1] - curve.x[0]:
            reach = 1.5 * float(np.nanmax(np.abs(steps.f)))
            above.set(xlim=(left, right), ylim=(-reach, reach))
        above.set_title(steps.title.removeprefix(curve.formula).strip())
        above.xaxis.set_major_locator(MaxNLocator(5))
        seen = np.clip(steps.x, -_FARTHEST, _FARTHEST)
        below.plot(seen, "o-", color=BLUE, markersize=3.5, linewidth=1)
        below.set(xlabel="step", ylabel="x" if steps is walked[0] else "")
        below.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        below.margins(y=0.12)
        size = np.abs(seen[np.isfinite(seen)])
        if size.max() > 1e4 * max(size[0], 1e-3):
            below.set_yscale("symlog", linthresh=max(size[0], 1e-3))
            far = 10.0 ** np.floor(np.log10(size.max()))
            low, high = below.get_ylim()
            below.set_yticks([v for v in (-far, 0.0, far) if low <= v <= high])
        wide = 116 // len(walked)
        below.set_title("\n".join(textwrap.wrap(steps.what, wide)), fontsize=9, fontweight="normal")
        outside = np.flatnonzero((steps.x < curve.x[0]) | (steps.x > curve.x[-1]))
        if len(outside):
            k = int(outside[0])
            words = f"step {k} leads to {steps.x[k]:.4g}"
            above.text(0.5, 0.94, words, transform=above.transAxes, va="top", ha="center", fontsize=9)
    axes[0, 0].set_ylabel(curve.formula, fontsize=8.5)
    return figure


class Failure(NamedTuple):
    """One panel of a gallery.

    >>> grid, x = np.linspace(-3, 3, 50), np.array([1.0, 0.0])
    >>> curve = mv.plots.newton.Curve("x² + 1", grid, grid**2 + 1)
    >>> one = mv.plots.newton.Failure(curve, mv.plots.newton.Steps(x, x**2 + 1, 2 * x, "no root", "level"), mark=0.0)
    >>> one.curve.formula, one.mark
    ('x² + 1', 0.0)
    """

    curve: Curve
    steps: Steps
    mark: float | None = None
    """Where the root, pole or minimum is."""


def gallery(failures: Sequence[Failure], columns: int = 4) -> Figure:
    """A panel for each way to end, with its tangents, its reason and its sentence.

    >>> grid, x = np.linspace(-3, 3, 50), np.array([1.0, 0.0])
    >>> curve = mv.plots.newton.Curve("x² + 1", grid, grid**2 + 1)
    >>> one = mv.plots.newton.Failure(curve, mv.plots.newton.Steps(x, x**2 + 1, 2 * x, "no root", "level"))
    >>> len(mv.plots.newton.gallery([one, one], columns=2).axes)
    2
    """
    rows = -(-len(failures) // columns)
    figure = Figure(figsize=(11, 2.95 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for ax in axes.ravel()[len(failures) :]:
        ax.set_axis_off()
    for ax, (curve, steps, mark) in zip(axes.ravel(), failures, strict=False):
        spread = np.nanmax(np.abs(np.where(np.isfinite(steps.f[:3]), steps.f[:3], 0)))
        draw_curve(ax, curve, 3.0 * float(spread) or None)
        draw_tangents(ax, steps, 0, 9)
        if mark is not None:
            ax.plot(mark, 0, marker="D", color=GREEN, markersize=6, zorder=6)
        ax.set_title(steps.title, fontsize=10)
        ax.set_xlabel("\n".join(textwrap.wrap(steps.what, 34)), fontsize=8.5, loc="left", linespacing=1.25)
        ax.tick_params(labelsize=7.5)
        ax.xaxis.set_major_locator(MaxNLocator(4))
        ax.yaxis.set_major_locator(MaxNLocator(4))
    return figure


def shaded(label: Int[np.ndarray, "*grid"], steps: Int[np.ndarray, "*grid"]) -> Float[np.ndarray, "*grid 3"]:
    """A colour for each root, paler the sooner a start comes to it; a start that comes to none is ink.

    >>> picture = mv.plots.newton.shaded(np.array([[0, 1, -1]]), np.array([[3, 5, 50]]))
    >>> picture.shape, len(mv.plots.newton.ROOTS)  # colours of roots, and then from the first again
    ((1, 3, 3), 8)
    """
    colours = np.array([to_rgb(ROOTS[k % len(ROOTS)]) for k in range(max(int(label.max(initial=0)) + 1, 1))])
    taken = np.log(np.maximum(steps, 1))
    low, high = np.percentile(taken[label >= 0], (2, 97)) if (label >= 0).any() else (0.0, 1.0)
    late = np.clip((taken - low) / max(high - low, 0.5), 0, 1)[..., None]
    own = colours[np.maximum(label, 0)]
    pale, deep = 0.38 * own + 0.62, 0.8 * own
    return np.where(label[..., None] < 0, to_rgb(INK), pale * (1 - late) + deep * late)


def draw_basins(ax: Axes, box: Float[np.ndarray, "2 2"], picture: np.ndarray, roots: np.ndarray) -> None:
    """The plane, coloured by where every start leads; its roots are dots.

    >>> figure, ax = mv.plots.chart(4, 4)
    >>> box, label = np.array([[-2.0, 2.0], [-2.0, 2.0]]), np.zeros((8, 8), int)
    >>> mv.plots.newton.draw_basins(ax, box, mv.plots.newton.shaded(label, label + 3), np.array([1.0 + 0.0j]))
    >>> len(ax.images), len(ax.lines)
    (1, 1)
    """
    ax.imshow(picture, origin="lower", extent=(*box[0], *box[1]), interpolation="antialiased", aspect="equal")
    for k, root in enumerate(np.stack([np.real(roots), np.imag(roots)], -1) if roots.ndim == 1 else roots):
        if all(low <= v <= high for v, (low, high) in zip(root, box, strict=True)):
            ax.plot(*root, "o", color=ROOTS[k % len(ROOTS)], markeredgecolor="white", markersize=7)
    ax.grid(False)


def basins(
    formula: str,
    plane: tuple[Float[np.ndarray, "2 2"], np.ndarray, np.ndarray],
    shares: Mapping[str, float],
    curve: Curve,
    strip: tuple[np.ndarray, np.ndarray],
    bounds: tuple[float, float],
) -> Figure:
    """The basins of a function of a complex number, and those of a function of one variable under its curve.

    Args:
        formula: of the function of a complex number.
        plane: its box, its picture from `shaded`, and its roots.
        shares: of the starts, by name of the root.
        curve: of the other function.
        strip: its picture from `shaded`, a row, and its roots.
        bounds: of the starts of the strip.

    >>> box, label, grid = np.array([[-2.0, 2.0], [-2.0, 2.0]]), np.zeros((8, 8), int), np.linspace(-2, 2, 50)
    >>> picture = mv.plots.newton.shaded(label, label + 3)
    >>> curve, strip = mv.plots.newton.Curve("x³ − 1", grid, grid**3 - 1), (picture[0], np.array([1.0]))
    >>> figure = mv.plots.newton.basins(
    ...     "z³ − 1", (box, picture, np.array([1.0 + 0.0j])), {"1": 1.0}, curve, strip, (-2.0, 2.0)
    ... )
    >>> len(figure.axes)
    2
    """
    figure = Figure(figsize=(10.5, 5.1), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.05])
    draw_basins(left, *plane)
    left.set(title=f"{formula}: which root a start leads to", xlabel="Re z", ylabel="Im z")
    for k, (name, share) in enumerate(shares.items()):
        colour = INK if name == "none" else ROOTS[k % len(ROOTS)]
        left.plot([], [], "s", color=colour, label=f"{name}: {share:.1%}")
    left.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=3, fontsize=8.5, handletextpad=0.2)
    picture, roots = strip
    draw_curve(right, curve, 110)
    low, high = right.get_ylim()
    depth = 0.16 * (high - low)
    right.imshow(
        picture[None], extent=(*bounds, low - depth, low), aspect="auto", interpolation="nearest", zorder=1.5
    )
    for k, root in enumerate(roots):
        right.plot(root, 0, "o", color=ROOTS[k % len(ROOTS)], markeredgecolor="white", markersize=8, zorder=5)
    right.set(
        ylim=(low - depth, high),
        xlim=bounds,
        title="on a line: the strip is the colour of the root",
        xlabel="x",
    )
    return figure


def convergence(errors: Mapping[str, Float[np.ndarray, " r"]]) -> Figure:
    """How far every iterate is from the root, for several searches.

    >>> figure = mv.plots.newton.convergence({"√2 from 2": np.array([0.6, 0.09, 2.5e-3, 2.1e-6, 1.6e-12])})
    >>> figure.axes[0].get_yscale()
    'log'
    """
    figure = Figure(figsize=(8, 4.4), layout="constrained")
    ax = figure.subplots()
    for k, (name, error) in enumerate(errors.items()):
        ax.plot(np.maximum(error, 1e-17), "o-", color=ROOTS[k], markersize=4, label=name)
    ax.set(yscale="log", xlabel="step", ylabel="distance to the root", ylim=(4e-18, None))
    ax.axhline(2.0**-52, color=QUIET, linewidth=0.9, linestyle="--")
    ax.text(
        1, 2.0**-52 * 1.6, "rounding", color=QUIET, fontsize=9, ha="right", transform=ax.get_yaxis_transform()
    )
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(fontsize=9)
    return figure


def animate(path: Path, curve: Curve, steps: Steps) -> None:
    """The tangents walking, a frame for each step; all of them stay, pale.

    >>> from pathlib import Path
    >>> grid, x = np.linspace(0, 3, 50), np.array([2.0, 1.5, 17 / 12])
    >>> curve = mv.plots.newton.Curve("x² − 2", grid, grid**2 - 2)
    >>> mv.plots.newton.animate(Path("steps.gif"), curve, mv.plots.newton.Steps(x, x**2 - 2, 2 * x, "√2", "a root"))
    >>> Path("steps.gif").exists()
    True
    """
    figure = Figure(figsize=(7.4, 4.3), dpi=100)
    ax = figure.add_axes((0.09, 0.1, 0.88, 0.8))
    draw_curve(ax, curve, windowed(curve, steps)[2])
    ax.set_title(steps.title)
    (before,) = ax.plot([], [], color=RED, linewidth=1.1, alpha=0.35)
    (tangent,) = ax.plot([], [], color=RED, linewidth=2)
    (up,) = ax.plot([], [], ":", color=BLUE, linewidth=1.4)
    (point,) = ax.plot([], [], "o", color=RED, markersize=6)
    (start,) = ax.plot([], [], "o", color=BLUE, markersize=7, clip_on=True)
    ax.plot(
        [], [], "o-", color=RED, label="tangent"
    )  # in every frame, or its colour may be missing from the last
    ax.plot([], [], "o", color=BLUE, label="iterate")
    ax.legend(loc="upper center", ncols=2)
    words = ax.text(0.99, 1.02, "", transform=ax.transAxes, ha="right", color=QUIET)
    ends = np.append(steps.x[1:], steps.x[-1])
    lines = np.stack([steps.x, ends, np.full_like(ends, np.nan)], axis=-1)
    heights = np.stack([steps.f, 0 * steps.f, np.full_like(ends, np.nan)], axis=-1)

    def show(k: int) -> None:
        before.set_data(lines[:k].ravel(), heights[:k].ravel())
        tangent.set_data(lines[k], heights[k])
        up.set_data([steps.x[k]] * 2, [0, steps.f[k]])
        point.set_data([steps.x[k]], [steps.f[k]])
        start.set_data([steps.x[k]], [0])
        words.set_text(f"step {k}   x = {steps.x[k]:.6g}")

    moments = sorted({round(k) for k in np.linspace(0, len(steps.x) - 1, min(len(steps.x), FRAMES))})
    save_gif(path, figure, (before, tangent, up, point, start, words), show, moments, milliseconds=350)


def named(root: Any) -> str:
    """A root, complex or not, in a few digits.

    >>> mv.plots.newton.named(-0.5 + 0.8660254j), mv.plots.newton.named(1.0)
    ('-0.5 + 0.866i', '1')
    """
    if np.ndim(root):
        return f"({', '.join(named(v) for v in root)})"
    re, im = (0.0 if abs(v) < 1e-12 else v for v in (float(np.real(root)), float(np.imag(root))))
    if not im:
        return f"{re:.4g}"
    return f"{re:.4g} {'+' if im > 0 else '−'} {abs(im):.4g}i" if re else f"{im:.4g}i"
