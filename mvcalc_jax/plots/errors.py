"""Errors of derivatives, against the step that was taken or against each other."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from mvcalc_jax.plots.style import CYCLE, INK


def draw_error_by_step(
    ax: Axes,
    steps: Float[np.ndarray, " h"],
    differences: Mapping[str, Float[np.ndarray, " h"]],
    levels: Mapping[str, float],
) -> None:
    """The V of each finite difference, and as level lines the derivatives that need no step.

    >>> figure, ax = mv.plots.chart()
    >>> steps = np.array([1e-1, 1e-3, 1e-5])
    >>> mv.plots.errors.draw_error_by_step(ax, steps, {"forward": steps / 2}, {"by hand": 1e-16})
    >>> ax.get_xscale(), ax.lines[0].get_label(), [text.get_text() for text in ax.texts]
    ('log', 'forward', ['by hand'])
    """
    for (label, error), colour in zip(differences.items(), CYCLE, strict=False):
        ax.plot(steps, error, color=colour, marker="o", markersize=3, label=label)
    ax.set(xscale="log", yscale="log", xlabel="step h", ylabel="largest error / largest entry")
    for label, error in levels.items():
        ax.axhline(error, color=INK, linestyle="--", linewidth=1.2)
        ax.annotate(
            label, (0.995, error), (0, 3), ("axes fraction", "data"), "offset points", ha="right", fontsize=9
        )
    ax.legend(fontsize=9, loc="lower left", bbox_to_anchor=(0, 0.12))
