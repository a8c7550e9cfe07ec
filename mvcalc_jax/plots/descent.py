"""How the cost falls, and where its parameters go."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from mvcalc_jax.plots.style import CYCLE, INK, QUIET, Figure

_SEEN = 300
"""Members of an ensemble that are drawn; more are a shade, and take seconds."""


def draw_costs(ax: Axes, runs: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """Cost against step for each run. Every second is dashed, so that two that coincide are both seen.

    >>> figure, ax = mv.plots.chart()
    >>> mv.plots.descent.draw_costs(ax, {"η = 0.1": (np.arange(4), np.array([1, 0.3, 0.1, 0.03]))})
    >>> ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()
    ('step', 'cost', 'log')
    """
    for k, (label, (step, cost)) in enumerate(runs.items()):
        dashes = (0, (3, 3)) if k and k % 2 == 0 else "-"
        ax.plot(step, cost, label=label, color=CYCLE[k % len(CYCLE)], linestyle=dashes)
    last = max(int(step[-1]) for step, _ in runs.values())
    _frame(ax, last, any(np.isfinite(cost).any() for _, cost in runs.values()))


def draw_spread(ax: Axes, step: np.ndarray, costs: Float[np.ndarray, "members rows"]) -> None:
    """The costs of an ensemble: members faint, some hundreds at most, the median bold, the middle half shaded.

    >>> figure, ax = mv.plots.chart()
    >>> mv.plots.descent.draw_spread(ax, np.arange(4), np.geomspace([1, 2], [0.01, 0.03], 4).T)
    >>> ax.get_ylabel(), ax.get_yscale()
    ('cost', 'log')
    """
    costs = np.where(np.isfinite(costs), costs, np.nan)
    low, middle, high = quartiles = np.full((3, len(step)), np.nan)
    known = ~np.isnan(costs).all(axis=0)
    if known.any():
        quartiles[:, known] = np.nanquantile(costs[:, known], [0.25, 0.5, 0.75], axis=0)
    some = costs[:: -(-len(costs) // _SEEN)]
    ax.plot(step, some.T, color=QUIET, linewidth=0.6, alpha=float(np.clip(5 / len(some), 0.03, 0.6)))
    ax.fill_between(step, low, high, color=CYCLE[0], alpha=0.2, linewidth=0, label="middle half")
    ax.plot(step, middle, color=CYCLE[0], label="median")
    _frame(ax, int(step[-1]), bool(known.any()))


def draw_path(ax: Axes, path: Float[np.ndarray, "rows 2"], **line: Any) -> None:
    """The way of a descent through two parameters: a dot for each step, a larger one for the last.

    >>> figure, ax = mv.plots.chart()
    >>> run = mv.steepest_descent(lambda p: p, np.float32([3.0, -4.0]), steps=5, learning_rate=0.5)
    >>> mv.plots.descent.draw_path(ax, run.trace.params, color="black")
    >>> ax.lines[-1].get_xydata().tolist()  # where it ends
    [[0.09375, -0.125]]
    """
    line = {"color": CYCLE[0], "linewidth": 1.2, "marker": "o", "markersize": 2.5} | line
    ax.plot(path[:, 0], path[:, 1], zorder=3, **line)
    ax.plot(*path[-1], "o", color=line["color"], markersize=7, markeredgecolor="white", zorder=4)


def _frame(ax: Axes, last: int, known: bool) -> None:
    """Axes of costs by step; without a legend, but with a word, where no cost is known."""
    ax.set(xlabel="step", ylabel="cost", xlim=(0, max(1, last)))
    ax.locator_params(axis="x", integer=True)
    if known:
        ax.set_yscale("log")
        ax.legend()
    else:  # matplotlib refuses a logarithmic scale for nothing
        ax.set_yticks([])
        ax.text(0.5, 0.5, "no finite cost", ha="center", va="center", color=QUIET, transform=ax.transAxes)


def rates(
    costs: Mapping[str, np.ndarray],
    rates: Mapping[str, np.ndarray],
    step: np.ndarray,
    largest: Float[np.ndarray, " steps"],
) -> Figure:
    """Above, costs by step; below, learning rates, and at some steps the largest that would have lowered the cost.

    Args:
        costs, rates: by the name of a run, the same ones; a rate of 0, where no step was taken, is not drawn.
        step, largest: where the largest is known; where it is not finite, it is not drawn.

    >>> step, cost = np.arange(3), {"0.1": np.array([1.0, 0.5, 0.3])}
    >>> figure = mv.plots.descent.rates(cost, {"0.1": np.full(3, 0.1)}, step, np.array([1.0, 0.9, np.inf]))
    >>> [ax.get_ylabel() for ax in figure.axes]
    ['cost', 'learning rate']
    """
    figure = Figure(figsize=(7.8, 6.4), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    draw_costs(above, {name: (np.arange(len(cost)), cost) for name, cost in costs.items()})
    above.set_xlabel("")
    for k, rate in enumerate(rates.values()):
        # Rates that follow the curvature go to and fro: dots, where a line would fill the space between.
        fixed = len(rate) > 0 and bool(np.all(rate == rate[0]))
        look = (
            {"linestyle": "-"}
            if fixed
            else {"marker": ".", "markersize": 3 if len(rate) > 200 else 7, "linestyle": ""}
        )
        below.plot(
            np.arange(len(rate)), np.where(rate > 0, rate, np.nan), color=CYCLE[k % len(CYCLE)], **look
        )
    known = np.isfinite(largest)
    below.plot(
        step[known], largest[known], "o", color=INK, markersize=8, fillstyle="none",
        label="largest that lowers the cost", zorder=4,
    )  # fmt: skip
    below.set(xlabel="step", ylabel="learning rate", yscale="log")
    below.legend()
    return figure
