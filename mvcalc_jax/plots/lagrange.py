"""Extrema on a constraint: parallel gradients on the contours, f along the constraint, and what it costs to move it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from mvcalc_jax.calculus.constraints.extrema import Extrema, Irregular, Point
from mvcalc_jax.calculus.constraints.following import Curve, Shadow
from mvcalc_jax.plots.style import BLUE, GOLD, GREEN, INK, QUIET, RED, VIOLET, Figure
from mvcalc_jax.plots.surface import Surface, draw_even_contours

COLOURS = {"minimum": BLUE, "maximum": RED, "saddle": GOLD, "degenerate": VIOLET}
"""Of kinds of points; all others are grey."""
_F, _G = VIOLET, GREEN
"""Of ∇f, and of ∇g."""
_WHITE = {"boxstyle": "circle,pad=0.18", "facecolor": "white", "alpha": 0.85, "linewidth": 0}


def on_contours(surface: Surface, curves: Sequence[Curve], found: Extrema) -> Figure:
    """The constraint on the contours of f, with ∇f and ∇g at each point; and f along the constraint.

    >>> f, g, box = lambda p: p[0] * p[1], lambda p: p @ p - 2, ((-2.0, 2.0), (-2.0, 2.0))
    >>> found = mv.lagrange(f, g, (1.0, 0.5))
    >>> curves = mv.calculus.constraint_curves(f, g, found, box)
    >>> surface = mv.plots.surface.sampled(lambda x, y: x * y, np.array(box))
    >>> len(mv.plots.lagrange.on_contours(surface, curves, found).axes)
    2
    """
    figure = Figure(figsize=(10.8, 4.9), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.05))
    draw_even_contours(left, surface)
    for point in found.points:
        left.contour(
            *surface, levels=[point.value], colors=_colour(point), linewidths=1.4, linestyles="solid"
        )
    draw_constraint(left, curves, found)
    parallel = "∇f = λ∇g: where contours touch the constraint"
    left.set(xlabel="x", ylabel="y", title=parallel if found.points else "contours of f, and the constraint")
    if 0.6 < np.ptp(surface.x) / np.ptp(surface.y) < 1.7:
        left.set_aspect("equal", anchor="N")
    draw_along(right, curves, found)
    _legend(figure, found, "∇g")
    return figure


def in_space(
    sheets: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]], curves: Sequence[Curve], found: Extrema
) -> Figure:
    """The curve in which two constraints meet, with the gradients at each point; and f along it.

    Args:
        sheets: the constraints' surfaces as grids of x, y and z.
        curves: where they meet.
        found: the points.

    >>> f, g = lambda p: p[0], lambda p: jnp.array([p @ p - 1, p[2]])  # a sphere and a plane
    >>> found, box = mv.lagrange(f, g, (0.5, 0.5, 0.0)), ((-2.0, 2.0),) * 3
    >>> curves = mv.calculus.constraint_curves(f, g, found, box)
    >>> sheets = [mv.plots.lagrange.sphere(1.0), mv.plots.lagrange.plane(np.array([0.0, 0.0, 1.0]), 0.0, 1.0)]
    >>> len(mv.plots.lagrange.in_space(sheets, curves, found).axes)
    2
    """
    figure = Figure(figsize=(10.8, 4.9), layout="constrained")
    space, right = figure.add_subplot(1, 2, 1, projection="3d"), figure.add_subplot(1, 2, 2)
    ax: Any = space
    for (x, y, z), colour in zip(sheets, (QUIET, GREEN, GOLD), strict=False):
        ax.plot_surface(x, y, z, color=colour, alpha=0.16, linewidth=0, shade=False)
    for curve in curves:
        ax.plot(*curve.x.T, color=INK, linewidth=2.2)
    x = np.concatenate([c.x for c in curves])
    middle, reach = (x.max(axis=0) + x.min(axis=0)) / 2, np.ptp(x, axis=0).max()
    for k, point in enumerate(found.points):
        ax.plot(*point.x[:, None], "o", color=_colour(point), markeredgecolor="white", markersize=8, zorder=9)
        for normal in point.normals:
            ax.quiver(
                *point.x, *(0.3 * reach * _unit(normal)), color=_G, linewidth=1.2, arrow_length_ratio=0.15
            )
        ax.quiver(
            *point.x, *(0.3 * reach * _unit(point.gradient)), color=_F, linewidth=2.4, arrow_length_ratio=0.2
        )
        aside = 0.1 * reach * _unit(np.linalg.svd(point.normals)[2][-1])
        ax.text(
            *(point.x + aside), f"{k + 1}", fontsize=9.5, ha="center", va="center", bbox=_WHITE, zorder=10
        )
    for name, centre in zip("xyz", middle, strict=True):
        getattr(ax, f"set_{name}lim")(centre - 0.55 * reach, centre + 0.55 * reach)
        ax.locator_params(axis=name, nbins=4)
        ax.tick_params(axis=name, labelsize=8, pad=-2)
        getattr(ax, f"set_{name}label")(name, labelpad=-6)
    ax.set_title("∇f = λ₁∇g₁ + λ₂∇g₂: no part of it along the curve")
    ax.set_box_aspect((1, 1, 1), zoom=1.12)
    ax.view_init(24, 28)
    draw_along(right, curves, found)
    _legend(figure, found, "∇g₁, ∇g₂")
    return figure


def draw_constraint(ax: Axes, curves: Sequence[Curve], found: Extrema) -> None:
    """The constraint as a bold curve, and on it points with arrows along ∇g and ∇f.

    >>> f, g = lambda p: p[0] * p[1], lambda p: p @ p - 2
    >>> found = mv.lagrange(f, g, (1.0, 0.5))
    >>> figure, ax = mv.plots.chart()
    >>> mv.plots.lagrange.draw_constraint(ax, mv.calculus.constraint_curves(f, g, found, ((-2, 2), (-2, 2))), found)
    >>> mv.plots.lagrange.COLOURS["minimum"] in [line.get_color() for line in ax.lines]
    True
    """
    for curve in curves:
        ax.plot(*curve.x.T, color=INK, linewidth=2.6, solid_capstyle="round")
    low, high = np.array([ax.get_xlim(), ax.get_ylim()]).T
    size, shift = high - low, {"angles": "xy", "scale_units": "xy", "scale": 1}
    for k, point in enumerate(found.points):
        # as long on the page whichever way they point; ∇f, thick and short, lies on ∇g or opposite to it
        normal = point.normals[0] / np.linalg.norm(point.normals[0] / size)
        way = float(np.sign(point.multipliers[0]))
        ax.quiver(*point.x, *(0.17 * normal), color=_G, width=0.006, zorder=6, **shift)
        if way:
            ax.quiver(*point.x, *(0.085 * way * normal), color=_F, width=0.011, zorder=7, **shift)
        ax.plot(*point.x, "o", color=_colour(point), markeredgecolor="white", markersize=9, zorder=8)
        side = np.array([-normal[1] / size[1], normal[0] / size[0]]) * size
        _number(ax, k, *(point.x + 0.05 * side))
    for point in found.irregular:
        ax.plot(*point.x, "X", color=INK, markeredgecolor="white", markersize=11, zorder=8)


def draw_along(ax: Axes, curves: Sequence[Curve], found: Extrema) -> None:
    """f along the constraint, piece after piece, with the points on it; its slope is 0 at all that are stationary.

    >>> f, g = lambda p: p[0] * p[1], lambda p: p @ p - 2
    >>> found = mv.lagrange(f, g, (1.0, 0.5))
    >>> figure, ax = mv.plots.chart()
    >>> mv.plots.lagrange.draw_along(ax, mv.calculus.constraint_curves(f, g, found, ((-2, 2), (-2, 2))), found)
    >>> len(ax.lines) > 0
    True
    """
    heights = [
        height for curve in curves for height in curve.value
    ]  # none where few starts met the constraint
    begin, spread = 0.0, (np.ptp(heights) if heights else 0.0) or 1.0
    starts = []
    curves = [_opened(curve, found.points) for curve in curves]
    for curve in curves:
        ax.plot(begin + curve.length, curve.value, color=INK, linewidth=2.2)
        starts.append(begin)
        begin += 1.08 * curve.length[-1]
    candidates: list[Point | Irregular] = [*found.points, *found.irregular]
    for k, point in enumerate(candidates):
        away = [np.linalg.norm(curve.x - point.x, axis=1) for curve in curves]
        on = int(np.argmin([a.min() for a in away]))
        at = starts[on] + curves[on].length[int(np.argmin(away[on]))]
        if not isinstance(point, Point):
            ax.plot(at, point.value, "X", color=INK, markeredgecolor="white", markersize=11, zorder=5)
            continue
        ax.plot(at, point.value, "o", color=_colour(point), markeredgecolor="white", markersize=9, zorder=5)
        up = -1 if point.kind == "minimum" else 1
        _number(ax, k, at, point.value + 0.07 * up * spread)
    ax.margins(y=0.14)
    ax.set(xlabel="distance along the constraint", ylabel="f", title="f along the constraint")


def prices(found: Sequence[Point], shadows: Sequence[Sequence[Shadow]], names: Sequence[str]) -> Figure:
    """f* against c on g = c, a panel for each point, and the tangent whose slope is λ; for points that are alike, one.

    Args:
        found: the points.
        shadows: for each point, how it moves with each constraint.
        names: of the constraints.

    >>> f, g = lambda p: p[0] * p[1], lambda p: p @ p - 2
    >>> found = mv.lagrange(f, g, (1.0, 0.5))
    >>> shadows = mv.calculus.shadows(f, g, found.points, (-0.1, 0.0, 0.1))
    >>> [ax.get_xlabel() for ax in mv.plots.lagrange.prices(found.points, shadows, ["g"]).axes]
    ['c, for g = c', 'c, for g = c']
    """
    alike: dict[tuple[Any, ...], list[int]] = {}
    for k, p in enumerate(found):
        alike.setdefault((p.kind, *(float(f"{v:.6g}") for v in (p.value, *p.multipliers))), []).append(k)
    columns = min(len(alike), 4)
    rows = -(-len(alike) // columns)
    figure = Figure(figsize=(max(2.7 * columns, 5.4), 3.4 * rows), layout="constrained")
    axes = np.ravel(figure.subplots(rows, columns, squeeze=False))
    for ax in axes[len(alike) :]:
        ax.set_visible(False)
    for ax, members in zip(axes, alike.values(), strict=False):
        point = found[members[0]]
        for k, (shadow, colour) in enumerate(
            zip(shadows[members[0]], (_colour(point), GOLD, GREEN), strict=False)
        ):
            c = shadow.levels[:, k]
            there = c[np.isfinite(shadow.value)]
            ax.plot(c, shadow.value, color=colour, linewidth=2.2, label=names[k])
            tangent = point.value + point.multipliers[k] * there
            ax.plot(there, tangent, "--", color=INK, linewidth=1, label="" if k else "slope λ")
        ax.plot(0, point.value, "o", color=_colour(point), markeredgecolor="white", markersize=8, zorder=5)
        words = ", ".join(f"{λ:.4g}".replace("-", "−") for λ in point.multipliers)
        ax.set_title(f"{', '.join(str(k + 1) for k in members)}: {point.kind}\nλ = {words}", fontsize=10)
        ax.set_xlabel("c, for g = c")
        ax.locator_params(nbins=4)
        if len(point.multipliers) > 1 or ax is axes[0]:
            ax.legend(fontsize=8.5)
    axes[0].set_ylabel("f*")
    return figure


def sphere(radius: float, points: int = 40) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A sphere around the origin as a grid.

    >>> x, y, z = mv.plots.lagrange.sphere(2.0, points=5)
    >>> x.shape, bool(np.allclose(x**2 + y**2 + z**2, 4))
    ((5, 5), True)
    """
    θ, φ = np.meshgrid(np.linspace(0, np.pi, points), np.linspace(0, 2 * np.pi, points))
    return radius * np.sin(θ) * np.cos(φ), radius * np.sin(θ) * np.sin(φ), radius * np.cos(θ)


def plane(
    normal: Float[np.ndarray, "3"], offset: float, reach: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A square of the plane n·x = offset around its point nearest to the origin, as a grid.

    >>> x, y, z = mv.plots.lagrange.plane(np.array([0.0, 0.0, 1.0]), offset=3.0, reach=1.0)
    >>> set(z.ravel().tolist())
    {3.0}
    """
    n = np.asarray(normal, float)
    along = np.linalg.svd(n[None])[2][1:]
    s, t = np.meshgrid([-reach, reach], [-reach, reach])
    x, y, z = (offset * n / (n @ n))[:, None, None] + np.einsum("kd,kij->dij", along, np.stack([s, t]))
    return x, y, z


def _colour(point: Point) -> str:
    return COLOURS.get(point.kind, QUIET)


def _opened(curve: Curve, points: Sequence[Point]) -> Curve:
    """A closed curve cut open as far from the points as can be, so that none of them lies at its ends."""
    at = sorted(int(np.argmin(np.linalg.norm(curve.x - p.x, axis=1))) for p in points)
    if not curve.closed or not at:
        return curve
    n = len(curve.x) - 1
    gaps = np.diff([*at, at[0] + n])
    widest = int(np.argmax(gaps))
    turn = (np.arange(n + 1) + at[widest] + gaps[widest] // 2) % n
    x = curve.x[turn]
    length = np.append(0, np.cumsum(np.linalg.norm(np.diff(x, axis=0), axis=1)))
    return Curve(x, length, curve.value[turn], True)


def _unit(v: np.ndarray) -> np.ndarray:
    return v / (np.linalg.norm(v) or 1.0)


def _number(ax: Axes, k: int, x: float, y: float) -> None:
    ax.text(x, y, f"{k + 1}", ha="center", va="center", fontsize=9.5, color=INK, bbox=_WHITE, zorder=9)


def _legend(figure: Figure, found: Extrema, normal: str) -> None:
    """What the colours and the arrows are, below both pictures."""
    dot = {"linestyle": "", "marker": "o", "markersize": 8}
    kinds = [kind for kind in COLOURS if any(p.kind == kind for p in found.points)]
    handles = [Line2D([], [], color=COLOURS[kind], label=kind, **dot) for kind in kinds]
    if found.irregular:
        handles.append(
            Line2D([], [], color=INK, label="singular point", linestyle="", marker="X", markersize=9)
        )
    if found.points:
        handles += [Line2D([], [], color=_F, linewidth=4, label="∇f"), Line2D([], [], color=_G, label=normal)]
    handles.append(Line2D([], [], color=INK, linewidth=2.6, label="g = 0"))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
