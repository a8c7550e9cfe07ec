"""A function of two variables: from above, its contours and what lies on them; and as a surface over its floor."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm
from matplotlib.ticker import MaxNLocator
from mpl_toolkits.mplot3d.art3d import Poly3DCollection

from mvcalc_jax.plots.style import GOLD, INK, QUIET, RED, Figure


class Surface(NamedTuple):
    """A function on a grid: z[i, k] = f(x[k], y[i]).

    >>> x, y = np.linspace(-1, 1, 3), np.linspace(0, 1, 2)
    >>> mv.plots.surface.Surface(x, y, np.add.outer(y, x**2)).z.tolist()
    [[1.0, 0.0, 1.0], [2.0, 1.0, 2.0]]
    """

    x: Float[np.ndarray, " k"]
    y: Float[np.ndarray, " i"]
    z: Float[np.ndarray, "i k"]


def sampled(f: Callable[[Any, Any], Any], box: Float[np.ndarray, "2 2"], points: int = 200) -> Surface:
    """f(x, y), for arrays of x and y, on a grid over a box.

    >>> surface = mv.plots.surface.sampled(lambda x, y: x * y, np.array([[-1.0, 1.0], [0.0, 2.0]]), points=3)
    >>> surface.z.tolist()
    [[-0.0, 0.0, 0.0], [-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0]]
    """
    x, y = (np.linspace(low, high, points) for low, high in box)
    return Surface(x, y, np.asarray(f(*np.meshgrid(x, y))))


def draw_contours(ax: Axes, surface: Surface, levels: Any = 20, **filled: Any) -> None:
    """Filled contours, pale, so that what is drawn over them is seen; thin lines between them.

    Args:
        ax: to draw on.
        surface: what is drawn.
        levels: their number, or the heights themselves.
        **filled: more for `contourf`, such as `cmap` or `norm`.

    >>> figure, ax = mv.plots.chart()
    >>> surface = mv.plots.surface.sampled(lambda x, y: x * y, np.array([[-1.0, 1.0], [0.0, 2.0]]), points=9)
    >>> mv.plots.surface.draw_contours(ax, surface, levels=5)
    >>> len(ax.collections)
    2
    """
    if np.ndim(levels) == 0:
        levels = np.linspace(np.nanmin(surface.z), np.nanmax(surface.z), levels + 1)
    filled = {"cmap": "Blues_r", "alpha": 0.6} | filled
    ax.contourf(*surface, levels=levels, **filled)
    ax.contour(*surface, levels=levels, colors=QUIET, linewidths=0.5)
    ax.set(xlim=(surface.x[0], surface.x[-1]), ylim=(surface.y[0], surface.y[-1]))
    ax.grid(False)


def draw_even_contours(ax: Axes, surface: Surface, count: int = 20) -> None:
    """Contours with as much of the picture between each two, so that what is flat is seen beside what is steep.

    >>> figure, ax = mv.plots.chart()
    >>> surface = mv.plots.surface.sampled(lambda x, y: x**6 + y**6, np.array([[-1.0, 1.0], [0.0, 2.0]]), points=9)
    >>> mv.plots.surface.draw_even_contours(ax, surface, count=5)
    >>> len(ax.collections)
    2
    """
    levels = np.unique(np.nanquantile(surface.z, np.linspace(0, 1, count + 1)))
    draw_contours(ax, surface, levels, norm=BoundaryNorm(levels, 256))


def draw_gradient_field(ax: Axes, field: Any, **arrows: Any) -> None:
    """Arrows along ∇f, across the contours: uphill, and the longer the steeper.

    Args:
        ax: to draw on.
        field: a `mvcalc_jax.calculus` gradient field, with x, y, df_dx and df_dy on a grid.
        **arrows: more for `quiver`.

    >>> figure, ax = mv.plots.chart()
    >>> field = mv.calculus.gradient_field(lambda x, y: x * y, ((-1.0, 1.0), (0.0, 2.0)), points=5)
    >>> mv.plots.surface.draw_gradient_field(ax, field)
    >>> len(ax.collections[0].U)  # arrows
    25
    """
    across, up = (np.ptp(axis) / max(1, len(axis) - 1) for axis in (field.x, field.y))
    arrows = {"color": INK, "width": 0.004, "headwidth": 4.5, "pivot": "mid", "zorder": 3} | arrows
    kept = np.isfinite(field.df_dx) & np.isfinite(field.df_dy)
    x, y, u, v = (a[kept] for a in (*np.meshgrid(field.x, field.y), field.df_dx, field.df_dy))
    steepness = np.hypot(u, v)
    steepest = steepness.max(initial=0) or 1.0
    # Square roots, so that arrows on gentle slopes are seen beside the steepest, which is as long as the grid is wide.
    length = 1.15 * min(across, up) * np.sqrt(steepness / steepest)
    scale = length / np.where(steepness > 0, steepness, 1)
    ax.set_aspect("equal")  # only then do arrows cross the contours at right angles
    ax.quiver(x, y, scale * u, scale * v, angles="xy", scale_units="xy", scale=1, **arrows)


def draw_surface(
    ax: Any,
    surface: Surface,
    at: tuple[float, float] | None = None,
    height: float = 0.0,
    gradient: tuple[float, float] = (0.0, 0.0),
    **faces: Any,
) -> None:
    """A function of x and y as a surface over its contours in the floor; at one point its tangent plane, and ∇f below.

    Args:
        ax: three-dimensional axes, `figure.add_subplot(projection="3d")`.
        surface: what is drawn.
        at: x and y where the plane touches.
        height: f there.
        gradient: ∇f there.
        **faces: more for `plot_surface`.

    >>> from matplotlib.figure import Figure
    >>> ax = Figure().add_subplot(projection="3d")
    >>> surface = mv.plots.surface.sampled(lambda x, y: x * y, np.array([[-1.0, 1.0], [0.0, 2.0]]), points=9)
    >>> mv.plots.surface.draw_surface(ax, surface, at=(0.5, 1.0), height=0.5, gradient=(1.0, 0.5))
    >>> len(ax.collections) > 1
    True
    """
    x, y = np.meshgrid(surface.x, surface.y)
    low, high = np.nanmin(surface.z), np.nanmax(surface.z)
    span = (high - low) or 1.0
    floor = low - 0.8 * span
    ax.computed_zorder = False  # the plane over the surface, whatever the depth of their middles
    ax.contourf(x, y, surface.z, 20, zdir="z", offset=floor, cmap="Blues_r", alpha=0.6, zorder=0)
    mesh = {
        "cmap": "Blues_r",
        "alpha": 0.85,
        "rcount": 50,
        "ccount": 50,
        "edgecolor": "white",
        "linewidth": 0.2,
    }
    ax.plot_surface(x, y, surface.z, zorder=2, **(mesh | faces))
    if at is not None:
        sizes, slope = np.array([np.ptp(surface.x), np.ptp(surface.y)]), np.array(gradient, float)
        steep = np.abs(slope) @ sizes / span
        side = sizes * min(0.17, 0.25 / steep if steep else 1.0)
        a, b = np.meshgrid([-side[0], side[0]], [-side[1], side[1]])
        plane = height + slope[0] * a + slope[1] * b
        ax.plot_surface(
            at[0] + a, at[1] + b, plane, color=GOLD, alpha=0.6, edgecolor=GOLD, zorder=3, shade=False
        )
        ax.plot([at[0]] * 2, [at[1]] * 2, [floor, height], ":", color=INK, linewidth=1, zorder=4)
        ax.plot(*[[c] for c in (*at, height)], "o", color=INK, markersize=4, zorder=5)
        if slope.any():
            flat = np.array(at) + 0.3 * sizes.min() * _arrow(slope / np.linalg.norm(slope))
            arrow = np.column_stack([flat, np.full(len(flat), floor)])
            ax.add_collection3d(Poly3DCollection([arrow], facecolor=RED, edgecolor=RED, zorder=6))
    ax.set(xlim=(x[0, 0], x[0, -1]), ylim=(y[0, 0], y[-1, 0]), zlim=(floor, high))
    ax.tick_params(labelsize=8, pad=0)
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        axis.set_pane_color((1, 1, 1, 0))
        axis.set_major_locator(MaxNLocator(4))
    ax.set_zticks([tick for tick in MaxNLocator(3).tick_values(low, high) if low <= tick <= high])


def _arrow(direction: Float[np.ndarray, "2"]) -> Float[np.ndarray, "7 2"]:
    """The outline of a flat arrow of length 1 from the origin."""
    along = np.array([0, 0.65, 0.65, 1, 0.65, 0.65, 0])
    aside = np.array([0.04, 0.04, 0.14, 0, -0.14, -0.04, -0.04])
    return np.outer(along, direction) + np.outer(aside, [-direction[1], direction[0]])


def gradient_seen(fine: Any, coarse: Any, at: tuple[float, float], height: float, gradient: Any) -> Figure:
    """A gradient field on its contours, beside the surface with the tangent plane at one point.

    Args:
        fine: a gradient field of `mvcalc_jax.calculus`, for the contours and the surface.
        coarse: the same with fewer points, one for each arrow.
        at: where the plane touches.
        height: f there.
        gradient: ∇f there.

    >>> f, box = lambda x, y: x * y, ((-1.0, 1.0), (0.0, 2.0))
    >>> fine, coarse = (mv.calculus.gradient_field(f, box, points=n) for n in (20, 5))
    >>> len(mv.plots.surface.gradient_seen(fine, coarse, (0.5, 1.0), 0.5, (1.0, 0.5)).axes)
    2
    """
    figure = Figure(figsize=(10.5, 4.7))
    left, right = (
        figure.add_axes((0.06, 0.11, 0.4, 0.8)),
        figure.add_axes((0.47, 0.0, 0.5, 0.97), projection="3d"),
    )
    surface = Surface(*fine[:3])
    draw_contours(left, surface)
    draw_gradient_field(left, coarse)
    left.plot(*at, "o", color=RED, markeredgecolor="white", markersize=7, zorder=4)
    left.set(xlabel="x", ylabel="y", title="∇f across the contours of f")
    draw_surface(right, surface, at, height, tuple(gradient))
    right.set(xlabel="x", ylabel="y")
    right.set_title("the plane that touches, and ∇f in the floor", y=0.99)
    return figure
