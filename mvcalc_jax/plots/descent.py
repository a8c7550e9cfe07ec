"""How the cost falls, and where its parameters go."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from mvcalc_jax.plots.style import CYCLE, QUIET


def draw_costs(ax: Axes, runs: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """Cost against step for each run. Every second is dashed, so that two that coincide are both seen."""
    for k, (label, (step, cost)) in enumerate(runs.items()):
        dashes = (0, (3, 3)) if k and k % 2 == 0 else "-"
        ax.plot(step, cost, label=label, color=CYCLE[k % len(CYCLE)], linestyle=dashes)
    ax.set(yscale="log", xlabel="step", ylabel="cost")
    ax.set_xlim(0, max(1, *(step[-1] for step, _ in runs.values())))
    ax.legend()


def draw_spread(ax: Axes, step: np.ndarray, costs: Float[np.ndarray, "members rows"]) -> None:
    """The costs of an ensemble: every member faint, the median bold, the middle half shaded."""
    low, middle, high = np.nanquantile(costs[np.isfinite(costs).any(axis=1)], [0.25, 0.5, 0.75], axis=0)
    ax.plot(step, costs.T, color=QUIET, linewidth=0.6, alpha=min(0.6, 5 / len(costs)))
    ax.fill_between(step, low, high, color=CYCLE[0], alpha=0.2, linewidth=0, label="middle half")
    ax.plot(step, middle, color=CYCLE[0], label="median")
    ax.set(yscale="log", xlabel="step", ylabel="cost", xlim=(0, max(1, step[-1])))
    ax.legend()


def draw_path(ax: Axes, path: Float[np.ndarray, "rows 2"], **line: Any) -> None:
    """The way of a descent through two parameters: a dot for each step, a larger one for the last."""
    line = {"color": CYCLE[0], "linewidth": 1.2, "marker": "o", "markersize": 2.5} | line
    ax.plot(path[:, 0], path[:, 1], zorder=3, **line)
    ax.plot(*path[-1], "o", color=line["color"], markersize=7, markeredgecolor="white", zorder=4)
