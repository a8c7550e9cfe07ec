"""Errors of derivatives, against the step that was taken or against each other."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from mvcalc_jax.plots.style import CYCLE, QUIET


def draw_error_by_step(
    ax: Axes,
    steps: Float[np.ndarray, " h"],
    differences: Mapping[str, Float[np.ndarray, " h"]],
    floors: Mapping[str, float],
) -> None:
    """The V of each finite difference, and as level lines the derivatives that need no step."""
    for (label, error), colour in zip(differences.items(), CYCLE, strict=False):
        ax.plot(steps, error, color=colour, marker="o", markersize=3, label=label)
    for (label, error), dashes in zip(floors.items(), ("-", "--", ":"), strict=False):
        ax.axhline(error, color=QUIET, linestyle=dashes, linewidth=1.4, label=label)
    ax.set(xscale="log", yscale="log", xlabel="step h", ylabel="largest error / largest entry")
    ax.legend(fontsize=8)
