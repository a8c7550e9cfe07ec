"""A histogram and the Gaussian that is fitted to it."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.contour import ContourSet

from mvcalc_jax.plots.style import BLUE, GOLD, INK, PALE, RED


def draw_overlap(
    ax: Axes,
    centres: Float[np.ndarray, " n"],
    widths: Float[np.ndarray, " n"],
    density: Float[np.ndarray, " n"],
    model: Callable[[np.ndarray], np.ndarray],
) -> None:
    """Bars coloured by where data and model overlap, where the data exceed it, and where they fall short."""
    f = model(centres)
    shared = np.minimum(density, f)
    bars = {"width": widths * 0.94, "linewidth": 0}
    ax.bar(centres, shared, color=BLUE, alpha=0.75, label="overlap", **bars)
    ax.bar(centres, np.maximum(density - f, 0), bottom=shared, color=GOLD, alpha=0.85, label="excess", **bars)
    ax.bar(centres, np.maximum(f - density, 0), bottom=shared, color=RED, alpha=0.3, label="deficit", **bars)
    fine = np.linspace(*ax.get_xlim(), 400)
    ax.plot(fine, model(fine), color=INK, linewidth=1.6, label="Gaussian")


def draw_contours(
    ax: Axes,
    mu: Float[np.ndarray, " i"],
    sigma: Float[np.ndarray, " j"],
    chi_squared: Float[np.ndarray, "j i"],
    levels: int = 20,
) -> ContourSet:
    """Contours of χ² over (μ, σ), valleys dark."""
    filled = ax.contourf(mu, sigma, chi_squared, levels, cmap="Blues_r")
    ax.contour(mu, sigma, chi_squared, levels, colors=PALE, linewidths=0.5)
    ax.set(xlabel="μ", ylabel="σ")
    ax.grid(False)
    return filled
