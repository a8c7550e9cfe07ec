"""One neuron that learns a gate, and the step to a network: factors that grow in number, gradients that shrink."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from mvcalc_jax import text
from mvcalc_jax.models.chain import ChainRule
from mvcalc_jax.plots.descent import draw_path
from mvcalc_jax.plots.matrices import folded
from mvcalc_jax.plots.products import Block, Row, products
from mvcalc_jax.plots.style import BLUE, CYCLE, GOLD, INK, QUIET, RED, Figure
from mvcalc_jax.plots.surface import Surface, draw_contours


class Response(NamedTuple):
    """What the neuron answers to Σx, before and after, and what it should answer.

    >>> total = np.linspace(0, 2, 5)
    >>> before, after, target = np.full(5, 0.5), (total > 1) * 1.0, np.array([0.0, 0.0, 1.0])
    >>> answer = mv.plots.neuron.Response(total, before, after, np.arange(3.0), target)
    >>> answer.after.tolist()
    [0.0, 0.0, 0.0, 1.0, 1.0]
    """

    total: Float[np.ndarray, " k"]
    before: Float[np.ndarray, " k"]
    after: Float[np.ndarray, " k"]
    asked: Float[np.ndarray, " n"]
    target: Float[np.ndarray, " n"]


def learned(
    surface: Surface,
    path: Float[np.ndarray, "rows 2"],
    cost: Float[np.ndarray, " rows"],
    response: Response,
    better: Float[np.ndarray, "2"] | None = None,
) -> Figure:
    """The way downhill over (w, b), the cost by step, and the neuron's answers before and after.

    Args:
        surface: the cost over w and b.
        path: w and b by step.
        cost: by step.
        response: what the neuron answers.
        better: w and b that are known to be better still.

    >>> total = np.linspace(0, 2, 5)
    >>> before, after, target = np.full(5, 0.5), (total > 1) * 1.0, np.array([0.0, 0.0, 1.0])
    >>> answer = mv.plots.neuron.Response(total, before, after, np.arange(3.0), target)
    >>> surface = mv.plots.surface.sampled(lambda w, b: w**2 + b**2, np.array([[-1.0, 1.0], [-1.0, 1.0]]), points=20)
    >>> path, cost = np.array([[1.0, 1.0], [0.1, 0.1]]), np.array([2.0, 0.02])
    >>> len(mv.plots.neuron.learned(surface, path, cost, answer).axes)
    3
    """
    figure = Figure(figsize=(11, 4), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.25, 1, 1))
    draw_contours(left, surface, 16)
    draw_path(left, path, color=RED, linewidth=0.9)
    left.plot(*path[0], "o", color="white", markeredgecolor=RED, markersize=7, zorder=5)
    near = (
        better is not None
        and (
            np.abs(better - path[0])
            < 0.15 * np.abs([np.ptp(of) for of in (left.get_xlim(), left.get_ylim())])
        ).all()
    )
    _say(left, "start", path[0], -14 if near else 4)
    if better is not None:
        left.plot(*better, "*", color=GOLD, markeredgecolor=INK, markersize=13, zorder=5)
        _say(left, f"better: ({better[0]:g}, {better[1]:g})", better)
    left.locator_params(axis="x", nbins=4)
    left.set(xlabel="w", ylabel="b", title="the cost over (w, b), dark is low")
    middle.plot(cost, color=RED)
    middle.set(yscale="log", xlabel="step", title="cost by step", xlim=(0, max(1, len(cost) - 1)))
    if np.ptp(np.log10(cost[cost > 0])) < 1:
        middle.set_ylim(cost.min() / 2, cost.max() * 2)
    _draw_response(right, response)
    return figure


def growing(chains: Sequence[ChainRule]) -> Figure:
    """The factors of ∂C/∂W¹ of networks with ever more layers, as blocks: a row for each network.

    >>> x = y = np.ones((1, 1), "float32")
    >>> nets = [mv.network.init(np.random.default_rng(0), (1,) * depth) for depth in (2, 3)]
    >>> figure = mv.plots.neuron.growing([mv.network.factors(params, x, y) for params in nets])
    >>> len(figure.axes) > 0
    True
    """
    rows = []
    for layers, chain in enumerate(chains, start=1):
        whole = np.asarray(chain.product("W1"))
        blocks = [Block("∂C/∂W¹", whole.reshape(1, -1))]
        for k, factor in enumerate(chain.path("W1")):
            full = np.asarray(factor.full())
            shape = (1, full.size) if factor.form == "cost" else folded(full.shape)
            blocks.append(Block(factor.name, full.reshape(shape), "·" if k else "="))
        rows.append(Row(text.counted(layers, "layer"), blocks))
    return products(rows, widest=11)


def vanishing(sizes: Mapping[str, Float[np.ndarray, " layers"]], quarter: str | None = None) -> Figure:
    """How large ∂C/∂W is, layer by layer, the last one first: each step back multiplies by two more factors.

    Args:
        sizes: for each activation, of the last layer, the one before it, and so on.
        quarter: the activation whose σ′ is at most ¼, beside which powers of ¼ are drawn.

    >>> sizes = {"logistic": 0.25 ** np.arange(5.0), "relu": np.ones(5)}
    >>> ax = mv.plots.neuron.vanishing(sizes, quarter="logistic").axes[0]
    >>> ax.get_yscale()
    'log'
    """
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    ax = figure.add_subplot()
    for (name, size), colour in zip(sizes.items(), CYCLE, strict=False):
        back = np.arange(len(size))
        ax.plot(back, size, "o-", color=colour, markersize=4)
        ax.annotate(name, (back[-1], size[-1]), (7, 0), textcoords="offset points", va="center", color=colour)
    if quarter is not None and len(sizes[quarter]) > 1:
        size = sizes[quarter]
        back = np.arange(len(size))
        ax.plot(back, size[0] * 0.25**back, ":", color=QUIET, linewidth=1.3)
        ax.annotate(
            "÷ 4 a layer",
            (back[-1], size[0] * 0.25 ** back[-1]),
            (7, 0),
            textcoords="offset points",
            va="center",
            color=QUIET,
        )
    ax.set(yscale="log", xlabel="layers back from the cost", title="size of ∂C/∂W, median over networks")
    ax.margins(x=0.03)
    if all(len(size) == 1 for size in sizes.values()):
        ax.set_xlim(-0.5, 0.5)
        ax.set_xticks([0])
    else:
        ax.locator_params(axis="x", integer=True)
    return figure


def _say(ax: Axes, words: str, place: Any, up: float = 4) -> None:
    """A word beside a point, on the side where there is room."""
    low, high = ax.get_xlim()
    right = place[0] < (low + high) / 2
    ax.annotate(
        words,
        place,
        (9 if right else -9, up),
        textcoords="offset points",
        ha="left" if right else "right",
        fontsize=9.5,
        zorder=6,
    )


def _draw_response(ax: Axes, response: Response) -> None:
    ax.plot(response.total, response.before, "--", color=QUIET, label="before")
    ax.plot(response.total, response.after, color=RED, label="after")
    ax.plot(response.asked, response.target, "o", color=BLUE, markersize=9, zorder=4, label="asked for")
    for total in np.unique(response.asked):
        ax.axvline(total, color=QUIET, linewidth=0.6, zorder=0)
    inputs = "x" if len(response.asked) == 2 else "x₁ + x₂"
    ax.set(xlabel=inputs, title="what the neuron answers")
    ax.set_xticks(np.unique(response.asked))
    ax.legend(fontsize=9)
