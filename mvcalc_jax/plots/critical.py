"""Critical points on the contours of their function: what each is, and the directions in which it curves."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from mvcalc_jax.calculus.stationary.kinds import CriticalPoint, CriticalPoints, Kind
from mvcalc_jax.plots.style import BLUE, GOLD, GREEN, INK, QUIET, RED, VIOLET, Figure
from mvcalc_jax.plots.surface import Surface, draw_even_contours, draw_gradient_field

_MARKS = {
    Kind.MINIMUM: ("v", BLUE),
    Kind.MAXIMUM: ("^", RED),
    Kind.SADDLE: ("X", GOLD),
    Kind.DEGENERATE_MINIMUM: ("v", VIOLET),
    Kind.DEGENERATE_MAXIMUM: ("^", VIOLET),
    Kind.DEGENERATE_SADDLE: ("X", VIOLET),
    Kind.INFLECTION: ("D", VIOLET),
    Kind.NOT_ISOLATED: ("o", GREEN),
    Kind.UNDECIDED: ("o", QUIET),
}


def on_contours(surface: Surface, field: Any, found: CriticalPoints) -> Figure:
    """The points on the contours with pale arrows along ∇f; beside them, how high each is and how it curves.

    Args:
        surface: the function.
        field: its gradient on a coarser grid, as `calculus.gradient_field` gives it.
        found: its critical points.

    >>> saddle, box = lambda x, y: x**2 - y**2, ((-1.0, 1.0), (-1.0, 1.0))
    >>> surface = mv.plots.surface.sampled(saddle, np.array(box))
    >>> field = mv.calculus.gradient_field(saddle, box)
    >>> found = mv.critical_points(lambda p: saddle(*p), box)
    >>> len(mv.plots.critical.on_contours(surface, field, found).axes)
    2
    """
    figure = Figure(figsize=(10.8, 5.2), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
    draw_even_contours(left, surface)
    draw_gradient_field(left, field, color=INK, alpha=0.25)
    left.set_aspect("auto")
    draw_points(left, found, 0.07)
    left.set(xlabel="x", ylabel="y", title="crosses: the ways in which f curves, solid up, dashed down")
    draw_curvatures(right, found)
    kinds = dict.fromkeys(p.kind for p in found)
    marks = [Line2D([], [], linestyle="", marker=_MARKS[k][0], color=_MARKS[k][1], label=k) for k in kinds]
    if marks:
        figure.legend(handles=marks, loc="outside lower center", ncols=len(marks))
    return figure


def draw_points(ax: Axes, found: Sequence[CriticalPoint] | CriticalPoints, share: float) -> None:
    """A mark for each point by its kind, and the eigenvectors of H through it; `share` of the picture wide at most.

    >>> found = mv.critical_points(lambda p: p[0] ** 2 - p[1] ** 2, ((-1, 1), (-1, 1)))
    >>> figure, ax = mv.plots.chart()
    >>> mv.plots.critical.draw_points(ax, found, share=0.1)
    >>> len(ax.lines)  # two eigenvectors, and the mark
    3
    """
    wide, high = np.ptp(ax.get_xlim()), np.ptp(ax.get_ylim())
    steepest = max((float(np.abs(p.eigenvalues).max()) for p in found), default=0.0) or 1.0
    for point in found:
        for curvature, direction in zip(point.eigenvalues, point.eigenvectors.T, strict=True):
            length = share * (abs(curvature) / steepest) ** 0.25  # else the gentlest would not be seen
            reach = length * direction / np.hypot(direction[0] / wide, direction[1] / high)
            x, y = np.stack([point.point - reach, point.point + reach], axis=1)
            dashes = "-" if curvature >= 0 else (0, (2, 1.2))
            ax.plot(x, y, color=INK, linewidth=1.3, linestyle=dashes, zorder=4)
        mark, colour = _MARKS[point.kind]
        ax.plot(*point.point, mark, color=colour, markersize=9, markeredgecolor="white", zorder=5)


def draw_curvatures(ax: Axes, found: CriticalPoints) -> None:
    """The eigenvalues of H at each point against each other: the quadrant says what it is.

    >>> found = mv.critical_points(lambda p: p[0] ** 2 - p[1] ** 2, ((-1, 1), (-1, 1)))
    >>> figure, ax = mv.plots.chart()
    >>> mv.plots.critical.draw_curvatures(ax, found)
    >>> sorted(text.get_text() for text in ax.texts)
    ['maxima', 'minima', 'saddles']
    """
    pairs = np.array([p.eigenvalues for p in found]).reshape(-1, 2)
    reach = 1.25 * float(np.abs(pairs).max(initial=0)) or 1.0
    small = np.abs(pairs[pairs != 0])
    linear = float(np.quantile(small, 0.2)) if small.size else 1.0
    for point, (low, high) in zip(found, pairs, strict=True):
        mark, colour = _MARKS[point.kind]
        ax.plot(low, high, mark, color=colour, markersize=9, markeredgecolor="white")
    ax.axhline(0, color=QUIET, linewidth=1)
    ax.axvline(0, color=QUIET, linewidth=1)
    ax.set_xscale("symlog", linthresh=linear)
    ax.set_yscale("symlog", linthresh=linear)
    ax.set(xlim=(-reach * 2, reach * 2), ylim=(-reach * 2, reach * 2), title="curvature along both, λ₁ ≤ λ₂")
    ax.set(xlabel="λ₁", ylabel="λ₂")
    decades = 10.0 ** np.arange(np.ceil(np.log10(linear)), np.log10(2 * reach))
    ticks = [*-decades[::-1], 0, *decades]  # those that matplotlib would add between ±linear touch each other
    ax.set(xticks=ticks, yticks=ticks)
    ax.minorticks_off()
    for (x, y), word in {(0.97, 0.97): "minima", (0.03, 0.97): "saddles", (0.03, 0.03): "maxima"}.items():
        side = "right" if x > 0.5 else "left"
        ax.text(x, y, word, ha=side, va="top" if y > 0.5 else "bottom", color=QUIET, transform=ax.transAxes)


def degenerate(
    examples: Sequence[tuple[str, Surface, CriticalPoints, tuple[np.ndarray, np.ndarray, np.ndarray]]],
) -> Figure:
    """Points of which the Hessian says nothing, and below each f beside it in the direction in which it is flat.

    Args:
        examples: formula, surface, what was found; and the way along that direction, f straight on and f on the floor
            of the valley, as `calculus.along_valley` gives them.

    >>> f, box = lambda p: p[0] ** 2 + p[1] ** 4, ((-1.0, 1.0), (-1.0, 1.0))
    >>> surface = mv.plots.surface.sampled(lambda x, y: f((x, y)), np.array(box))
    >>> found, t = mv.critical_points(f, box), np.linspace(-0.5, 0.5, 21)
    >>> way = (t, *mv.calculus.along_valley(f, found[0], t))
    >>> len(mv.plots.critical.degenerate([("x² + y⁴", surface, found, way)]).axes)
    2
    """
    figure = Figure(figsize=(10.8, 5.2), layout="constrained")
    axes = figure.subplots(2, len(examples), height_ratios=(1.25, 1), squeeze=False)
    for (above, below), (formula, surface, found, (t, straight, floor)) in zip(axes.T, examples, strict=True):
        draw_even_contours(above, surface, 12)
        draw_points(above, found, 0.09)
        above.set_xticks([])
        above.set_yticks([])
        point = min(found, key=lambda p: not p.degenerate)
        above.set_title(formula, fontsize=10)
        above.set_xlabel(f"{point.kind}" + (f", order {point.order}" if point.order else ""), fontsize=9)
        below.axhline(0, color=QUIET, linewidth=1)
        below.plot(t, floor, color=RED, label="on the valley's floor")
        below.plot(t, straight, color=INK, linestyle="--", linewidth=1.2, label="straight on")
        below.set_xlabel("along the flat direction", fontsize=9)
        below.tick_params(labelsize=8)
    figure.legend(*axes[1, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=9)
    return figure
