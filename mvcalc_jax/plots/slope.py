"""Rise over run: secants that close on the tangent, and how wrong their slopes are, step by step."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import NullFormatter

from mvcalc_jax.calculus.slopes.bounds import Bounds
from mvcalc_jax.plots.gif import save_gif
from mvcalc_jax.plots.style import BLUE, GOLD, GREEN, INK, QUIET, RED, VIOLET, Figure

_CLOSING = LinearSegmentedColormap.from_list("closing", [GOLD, RED])
KINDS = {"forward": RED, "central": BLUE}
_LEVELS = {"ridders": GREEN, "complex step": VIOLET, "autodiff": GOLD}


class Secants(NamedTuple):
    """A function about a point, and secants through it: label of f, the curve, the point, steps, f there, the slope.

    >>> x, h = np.linspace(-1, 2, 50), np.array([1.0, 0.5, 0.25])
    >>> secants = mv.plots.slope.Secants("x²", x, x**2, 1.0, 1.0, h, (1 + h) ** 2, slope=2.0)
    >>> secants.slopes.tolist()  # 2 + h
    [3.0, 2.5, 2.25]
    """

    label: str
    x: Float[np.ndarray, " k"]
    y: Float[np.ndarray, " k"]
    at: float
    value: float
    steps: Float[np.ndarray, " h"]
    values: Float[np.ndarray, " h"]
    slope: float

    @property
    def slopes(self) -> Float[np.ndarray, " h"]:
        """Rise over run of every secant."""
        return (self.values - self.value) / self.steps


class Vee(NamedTuple):
    """Errors of differences in one precision.

    Attributes:
        title: of the picture.
        measured: the error at each step, by kind of difference.
        bounds: what was predicted, by kind.
        levels: the errors of methods without a step.
        unit: of all errors, such as the size of the derivative.
        floor: in this unit; below it, nothing is drawn: a fraction of a rounding.

    >>> h = np.geomspace(1e-6, 1e-1, 6)
    >>> bounds = mv.calculus.error_model(jnp.exp, 1.0).forward(h)
    >>> vee = mv.plots.slope.Vee("exp", {"forward": h}, {"forward": bounds}, {"autodiff": 1e-16}, 1.0, 1e-17)
    >>> f"{vee.bounds['forward'].best_step:.0e}"
    '3e-08'
    """

    title: str
    measured: Mapping[str, Float[np.ndarray, " h"]]
    bounds: Mapping[str, Bounds]
    levels: Mapping[str, float]
    unit: float
    floor: float


def closing(secants: Secants) -> Figure:
    """Secants over the curve, and their slopes against the step.

    >>> x, h = np.linspace(-1, 2, 50), np.array([1.0, 0.5, 0.25])
    >>> secants = mv.plots.slope.Secants("x²", x, x**2, 1.0, 1.0, h, (1 + h) ** 2, slope=2.0)
    >>> len(mv.plots.slope.closing(secants).axes)
    2
    """
    figure = Figure(figsize=(10, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
    _draw_curve(left, secants)
    _draw_slopes(right, secants)
    colours = _CLOSING(np.linspace(0, 1, len(secants.steps)))
    for h, y, slope, colour in zip(secants.steps, secants.values, secants.slopes, colours, strict=True):
        left.plot(*_line(secants, slope), color=colour, linewidth=1.3)
        left.plot(secants.at + h, y, "o", color=colour, markersize=5)
        right.plot(h, slope, "o", color=colour, markersize=5)
    left.plot(*_line(secants, secants.slope), color=INK, linewidth=2, label="tangent")
    left.plot([], [], "o-", color=GOLD, linewidth=1.3, markersize=5, label="secants, long step to short")
    left.plot(secants.at, secants.value, "o", color=INK, markersize=7, zorder=5)
    left.legend(loc="best", fontsize=9, frameon=True, framealpha=0.8, edgecolor="none")
    return figure


def animate(path: Path, secants: Secants) -> None:
    """One secant that closes on the tangent, and its slope.

    >>> from pathlib import Path
    >>> x, h = np.linspace(-1, 2, 50), np.array([1.0, 0.5])
    >>> secants = mv.plots.slope.Secants("x²", x, x**2, 1.0, 1.0, h, (1 + h) ** 2, slope=2.0)
    >>> mv.plots.slope.animate(Path("secant.gif"), secants)
    >>> Path("secant.gif").exists()
    True
    """
    figure = Figure(figsize=(8, 3.7), dpi=100)
    left, right = figure.add_axes((0.1, 0.15, 0.44, 0.73)), figure.add_axes((0.66, 0.15, 0.32, 0.73))
    _draw_curve(left, secants)
    _draw_slopes(right, secants)
    left.plot(*_line(secants, secants.slope), color=QUIET, linewidth=1.2, linestyle="--")
    left.plot(secants.at, secants.value, "o", color=INK, markersize=6, zorder=5)
    (line,) = left.plot([], [], color=RED)
    (run,) = left.plot([], [], color=INK, linewidth=1.6)
    (end,) = left.plot([], [], "o", color=RED, markersize=6)
    (trail,) = right.plot([], [], "o", color=RED, markersize=4)
    said = left.text(0, 1.04, "", transform=left.transAxes, fontweight="bold")
    left.set_title("")  # `said` stands there

    def show(k: int) -> None:
        h, y, slope = secants.steps[k], secants.values[k], secants.slopes[k]
        line.set_data(*_line(secants, slope))
        run.set_data([secants.at, secants.at + h, secants.at + h], [secants.value, secants.value, y])
        end.set_data([secants.at + h], [y])
        trail.set_data(secants.steps[: k + 1], secants.slopes[: k + 1])
        said.set_text(f"run {h:.2g}, rise {y - secants.value:.2g}, slope {slope:.4g}")

    save_gif(path, figure, (line, run, end, trail, said), show, range(len(secants.steps)), milliseconds=130)


def _draw_curve(ax: Axes, secants: Secants) -> None:
    """f, in a window that it fills."""
    ax.plot(secants.x, secants.y, color=BLUE, linewidth=2.2)
    low, high = np.nanmin(secants.y), np.nanmax(secants.y)
    room = 0.12 * (high - low or 1)
    ax.set(xlim=(secants.x[0], secants.x[-1]), ylim=(low - room, high + room), xlabel="x")
    ax.set_title(f"f(x) = {secants.label}")
    ax.locator_params(axis="x", nbins=5)


def _draw_slopes(ax: Axes, secants: Secants) -> None:
    """What the slopes of the secants are on their way to."""
    ax.axhline(secants.slope, color=INK, linewidth=1.2)
    ax.set(xscale="log", xlabel="step h", title="rise over run")
    ax.xaxis.set_minor_formatter(NullFormatter())
    low, high = min(secants.slopes.min(), secants.slope), max(secants.slopes.max(), secants.slope)
    room = 0.1 * (high - low or 1)
    ax.set_ylim(low - room, high + room)
    ax.set_xlim(secants.steps.min() / 1.6, secants.steps.max() * 1.6)
    ax.invert_xaxis()
    above = secants.slopes[-1] < secants.slope or secants.slope - low < 0.5 * (high - low)
    place = (0.02, secants.slope), (0, 4 if above else -13)
    ax.annotate(f"f′ = {secants.slope:.6g}", *place, ("axes fraction", "data"), "offset points", fontsize=9)


def _line(secants: Secants, slope: float) -> tuple[np.ndarray, np.ndarray]:
    """The line through the point with a slope, from side to side."""
    x = secants.x[[0, -1]]
    return x, secants.value + slope * (x - secants.at)


def vees(several: Sequence[Vee], unit: str) -> Figure:
    """Error against step for forward and central differences, on the lines that were predicted.

    Args:
        several: a picture for each.
        unit: the name of the errors' unit; empty where that is 1.

    >>> h, model = np.geomspace(1e-8, 1e-1, 8), mv.calculus.error_model(jnp.exp, 1.0)
    >>> bounds = {"forward": model.forward(h), "central": model.central(h)}
    >>> measured = {kind: bound.truncation + bound.roundoff for kind, bound in bounds.items()}
    >>> vee = mv.plots.slope.Vee("exp at 1", measured, bounds, {"autodiff": 1e-16}, 1.0, 1e-17)
    >>> [ax.get_title() for ax in mv.plots.slope.vees([vee], "").axes]
    ['exp at 1']
    """
    figure = Figure(figsize=(11, 5.2), layout="constrained")
    axes = figure.subplots(1, len(several), sharey=True, squeeze=False)[0]
    for ax, vee in zip(axes, several, strict=True):
        draw_vee(ax, vee)
    lowest = min(vee.floor for vee in several)
    axes[0].set(ylabel=f"error / {unit}" if unit else "error", ylim=(lowest / 100, 30))
    for kind, colour in KINDS.items():
        axes[0].plot([], [], "o", color=colour, markersize=3.5, label=f"{kind} difference, measured")
    axes[0].plot([], [], "-", color=INK, linewidth=1.2, label="truncation, predicted")
    axes[0].plot([], [], ":", color=INK, linewidth=1.5, label="bound of round-off, predicted")
    axes[0].plot([], [], "*", color=INK, markersize=11, linestyle="", label="best step")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=9)
    return figure


def draw_vee(ax: Axes, vee: Vee) -> None:
    """Measured errors as points, both predictions as lines, the best steps as stars, other methods as levels.

    >>> h, model = np.geomspace(1e-8, 1e-1, 8), mv.calculus.error_model(jnp.exp, 1.0)
    >>> bounds = {"forward": model.forward(h), "central": model.central(h)}
    >>> measured = {kind: bound.truncation + bound.roundoff for kind, bound in bounds.items()}
    >>> figure, ax = mv.plots.chart()
    >>> mv.plots.slope.draw_vee(ax, mv.plots.slope.Vee("exp at 1", measured, bounds, {}, 1.0, 1e-17))
    >>> ax.get_title(), ax.get_xscale(), sorted(mv.plots.slope.KINDS)
    ('exp at 1', 'log', ['central', 'forward'])
    """
    for kind, colour in KINDS.items():
        bounds = vee.bounds[kind]
        error = np.maximum(vee.measured[kind] / vee.unit, vee.floor)
        ax.plot(bounds.step, error, "o", color=colour, markersize=3, alpha=0.75)
        ax.plot(bounds.step, bounds.truncation / vee.unit, "-", color=colour, linewidth=1.2)
        ax.plot(bounds.step, bounds.roundoff / vee.unit, ":", color=colour, linewidth=1.6)
        if bounds.step[0] <= bounds.best_step <= bounds.step[-1]:
            star = {"color": colour, "markersize": 14, "markeredgecolor": "white", "zorder": 5}
            ax.plot(bounds.best_step, bounds.least / vee.unit, "*", **star)
        ax.set_xlim(bounds.step[0], bounds.step[-1])
    ax.set(xscale="log", yscale="log", xlabel="step h", title=vee.title)
    place = np.inf
    if not any(np.isfinite(error).any() for error in vee.measured.values()):
        ax.text(0.5, 0.5, "no difference has a digit here", transform=ax.transAxes, ha="center", color=QUIET)
    for label, error in sorted(vee.levels.items(), key=lambda of: -of[1]):
        colour = _LEVELS.get(label, QUIET)
        shown = float(np.clip(error / vee.unit, vee.floor, 8))  # within the picture
        ax.axhline(shown, color=colour, linewidth=1.4, linestyle="--")
        place = min(np.log10(shown), place - 0.9)  # names stay apart, however close the lines
        said = f"{label}: {error / vee.unit:.0e}" if error else f"{label}: 0"
        white = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1}
        style = {"color": colour, "fontsize": 9, "fontweight": "bold", "bbox": white, "zorder": 6}
        ax.annotate(said, (0.015, 10**place), (0, 3), ("axes fraction", "data"), "offset points", **style)
