"""Taylor polynomials: how they close in on a function, the disc in which they do, and how fast."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Complex, Float
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import MaxNLocator

from mvcalc_jax.plots.gif import save_gif
from mvcalc_jax.plots.style import BLUE, GOLD, GREEN, INK, PALE, QUIET, RED, VIOLET, Figure

_CLOSE = LinearSegmentedColormap.from_list("close", [BLUE, "#cfe3ec", "white", "#f3cfd4", RED])
_LINES = (GOLD, RED, VIOLET, BLUE, GREEN)


class Sums(NamedTuple):
    """A function, and its partial sums about a point.

    Attributes:
        formula: of the function.
        x: where all are drawn.
        f: there.
        orders: of the partial sums.
        p: their values, a row for each.
        at: the point x₀.
        radius: of convergence; inf or nan where there is none.

    >>> x = np.linspace(-2, 2, 5)
    >>> sums = mv.plots.taylor.Sums("exp x", x, np.exp(x), (0, 1), np.stack([1 + 0 * x, 1 + x]), 0.0, np.inf)
    >>> sums.p[1].tolist()
    [-1.0, 0.0, 1.0, 2.0, 3.0]
    """

    formula: str
    x: Float[np.ndarray, " k"]
    f: Float[np.ndarray, " k"]
    orders: Sequence[int]
    p: Float[np.ndarray, "r k"]
    at: float
    radius: float


def partial_sums(sums: Sums, shown: Sequence[int]) -> Figure:
    """The function, some of its partial sums, and below them how far each is off.

    >>> x = np.linspace(-2, 2, 50)
    >>> sums = mv.plots.taylor.Sums("exp x", x, np.exp(x), (0, 1), np.stack([1 + 0 * x, 1 + x]), 0.0, np.inf)
    >>> len(mv.plots.taylor.partial_sums(sums, shown=(0, 1)).axes)
    2
    """
    figure = Figure(figsize=(8.2, 6.0), layout="constrained")
    above, below = figure.subplots(2, 1, height_ratios=[1.35, 1], sharex=True)
    _draw_function(above, sums)
    for n, colour in zip(shown, _LINES, strict=False):
        row = sums.p[list(sums.orders).index(n)]
        above.plot(sums.x, row, color=colour, linewidth=1.4, label=f"order {n}")
        below.plot(sums.x, np.maximum(np.abs(row - sums.f), 1e-18), color=colour, linewidth=1.4)
    above.set_title(f"{sums.formula} and its partial sums about {sums.at:.4g}")
    above.legend(loc="best", fontsize=9, ncols=2, frameon=True, framealpha=0.85, edgecolor="none")
    _draw_disc(below, sums)
    below.set(yscale="log", ylim=(1e-17, 1e4), xlabel="x", ylabel="|f − p|")
    return figure


def _draw_function(ax: Axes, sums: Sums) -> None:
    """f, in a window that has room for what the partial sums do outside the disc."""
    low, high = float(np.nanmin(sums.f)), float(np.nanmax(sums.f))
    room = 0.35 * (high - low or 1.0)
    _draw_disc(ax, sums)
    ax.plot(sums.x, sums.f, color=INK, linewidth=2.6, alpha=0.8, label="f")
    ax.set(xlim=(sums.x[0], sums.x[-1]), ylim=(low - room, high + room))


def _draw_disc(ax: Axes, sums: Sums) -> None:
    if np.isfinite(sums.radius):
        left, right = sums.at - sums.radius, sums.at + sums.radius
        ax.axvspan(left, right, color=PALE, alpha=0.8, zorder=0)
        for edge in (left, right):
            ax.axvline(edge, color=QUIET, linewidth=1, linestyle="--")
    ax.plot([sums.at] * 2, [0, 0.025], color=INK, linewidth=4, transform=ax.get_xaxis_transform())


def animate(path: Path, sums: Sums) -> None:
    """One partial sum after the other, a frame for each order.

    >>> from pathlib import Path
    >>> x = np.linspace(-2, 2, 50)
    >>> sums = mv.plots.taylor.Sums("exp x", x, np.exp(x), (0, 1), np.stack([1 + 0 * x, 1 + x]), 0.0, np.inf)
    >>> mv.plots.taylor.animate(Path("sums.gif"), sums)
    >>> Path("sums.gif").exists()
    True
    """
    figure = Figure(figsize=(7.4, 4.3), dpi=100)
    ax = figure.add_axes((0.09, 0.1, 0.88, 0.8))
    _draw_function(ax, sums)
    ax.set_title(sums.formula)
    (line,) = ax.plot([], [], color=RED, linewidth=2)
    ax.plot([], [], color=RED, linewidth=2, label="partial sum")
    ax.legend(loc="upper right")
    words = ax.text(0.99, 1.02, "", transform=ax.transAxes, ha="right", color=QUIET)
    far = 3 * np.ptp(ax.get_ylim())

    def show(k: int) -> None:
        line.set_data(sums.x, np.clip(sums.p[k], -far, far))
        words.set_text(f"order {sums.orders[k]}")

    save_gif(path, figure, (line, words), show, range(len(sums.orders)), milliseconds=220)


class Plane(NamedTuple):
    """Partial sums in the complex plane.

    Attributes:
        box: (left, right, low, high).
        errors: |f − p| on a grid, by order.
        at: the point x₀.
        singularities: of f in the box, as far as they are known.
        radius: of convergence.

    >>> errors = {2: np.full((8, 8), 1e-3)}
    >>> plane = mv.plots.taylor.Plane((-2.0, 2.0, -2.0, 2.0), errors, 0.0, np.array([1j, -1j]), radius=1.0)
    >>> bool(np.all(abs(plane.singularities) == plane.radius))
    True
    """

    box: tuple[float, float, float, float]
    errors: Mapping[int, Float[np.ndarray, "k k"]]
    at: float
    singularities: Complex[np.ndarray, " s"]
    radius: float


def disc(plane: Plane) -> Figure:
    """Where in the complex plane partial sums are near f, for several orders: it becomes the disc.

    >>> x, y = np.meshgrid(np.linspace(-2, 2, 8), np.linspace(-2, 2, 8))
    >>> z = x + 1j * y
    >>> errors = {2: abs(z**4 / (1 + z**2)), 4: abs(z**6 / (1 + z**2))}  # of 1 − z² and 1 − z² + z⁴
    >>> plane = mv.plots.taylor.Plane((-2.0, 2.0, -2.0, 2.0), errors, 0.0, np.array([1j, -1j]), radius=1.0)
    >>> len(mv.plots.taylor.disc(plane).axes)
    3
    """
    figure = Figure(figsize=(10, 3.9), layout="constrained")
    axes = figure.subplots(1, len(plane.errors), sharey=True, squeeze=False)[0]
    poles = np.array([(z.real, z.imag) for z in plane.singularities]).reshape(-1, 2)
    images = []
    for ax, (n, error) in zip(axes, plane.errors.items(), strict=True):
        seen = np.log10(np.clip(np.nan_to_num(error, nan=1e6, posinf=1e6), 1e-6, 1e6))
        images.append(ax.imshow(seen, origin="lower", extent=plane.box, cmap=_CLOSE, vmin=-6, vmax=6))
        turn = np.linspace(0, 2 * np.pi, 200)
        if np.isfinite(plane.radius):
            x, y = plane.at + plane.radius * np.cos(turn), plane.radius * np.sin(turn)
            ax.plot(x, y, "--", color=INK, linewidth=1.3)
        ax.plot(poles[:, 0], poles[:, 1], "x", color=INK, markersize=10, markeredgewidth=2.4)
        ax.plot(plane.at, 0, "o", color=INK, markersize=5)
        ax.set(title=f"order {n}", xlabel="Re z", xlim=plane.box[:2], ylim=plane.box[2:])
        ax.xaxis.set_major_locator(MaxNLocator(5))
        ax.grid(False)
    axes[0].set_ylabel("Im z")
    bar = figure.colorbar(images[-1], ax=axes, shrink=0.85, ticks=[-6, -4, -2, 0, 2, 4, 6])
    bar.ax.set_yticklabels(["≤ 10⁻⁶", "10⁻⁴", "0.01", "1", "100", "10⁴", "≥ 10⁶"])
    bar.set_label("|f − p|")
    return figure


class Falling(NamedTuple):
    """Errors of polynomials at distances h: measured, and the slope that was read off, and the one expected.

    >>> h = np.array([0.1, 0.01])
    >>> falling = mv.plots.taylor.Falling(1, h, h**2 / 2, slope=2.0, expected=2)
    >>> falling.order + 1 == falling.expected
    True
    """

    order: int
    h: Float[np.ndarray, " h"]
    error: Float[np.ndarray, " h"]
    slope: float
    expected: int


def orders(
    falling: Sequence[Falling], c: Float[np.ndarray, " k"], rounding: np.ndarray, radius: float
) -> Figure:
    """Left, errors against the distance, both as logarithms; right, the coefficients, which fall like 1/Rᵏ.

    >>> h = np.array([0.1, 0.01])
    >>> falling = [mv.plots.taylor.Falling(1, h, h**2 / 2, slope=2.0, expected=2)]
    >>> figure = mv.plots.taylor.orders(falling, np.array([1.0, 1.0, 0.5]), np.full(3, 1e-16), radius=np.inf)
    >>> [ax.get_yscale() for ax in figure.axes]
    ['log', 'log']
    """
    figure = Figure(figsize=(10, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1.15, 1])
    for one, colour in zip(falling, _LINES, strict=False):
        label = f"order {one.order}: slope {one.slope:.2f}, expected {one.expected}"
        left.plot(one.h, np.maximum(one.error, 1e-18), color=colour, label=label)
    left.set(
        xscale="log", yscale="log", ylim=(1e-17, None), xlabel="h = x − x₀", ylabel="|f(x₀ + h) − p(x₀ + h)|"
    )
    left.set_title("error against distance")
    left.legend(fontsize=8.5, loc="upper left")
    k = np.arange(len(c))
    size = np.where(c == 0, np.nan, np.abs(c))
    right.plot(k, size, "o", color=BLUE, markersize=4, label="|cₖ|")
    right.plot(
        k, np.where(rounding > 0, rounding, np.nan), ".", color=QUIET, markersize=4, label="their rounding"
    )
    if np.isfinite(radius):
        top = np.nanmax(size * radius**k)
        right.plot(k, top / radius**k, "--", color=INK, linewidth=1.2, label=f"1/Rᵏ, R = {radius:.4g}")
    right.set(yscale="log", xlabel="k")
    right.set_title("coefficients")
    right.legend(fontsize=9)
    return figure
