"""A function as a graph of its steps, with local derivatives on its edges and the accumulated ones at its nodes."""

from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.offsetbox import AnnotationBbox, TextArea, VPacker
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Curve

from mvcalc_jax.calculus.tracing import Step, Trace
from mvcalc_jax.calculus.tracing.words import local, shown
from mvcalc_jax.plots.layers import Placed, placed
from mvcalc_jax.plots.style import BLUE, GOLD, GREEN, INK, PALE, QUIET, RED, Figure

MOST = 25
"""Larger graphs cannot be read any more."""
_DIGITS = 4

_HEIGHT = 1.0
"""Inches from layer to layer."""
_LETTER = 0.082
"""Inches of a letter, about."""
_WIDEST, _NARROWEST = 11.0, 5.6
"""Inches of a picture; what would be wider is drawn smaller."""
_TALL, _LOW = 0.29, 0.21
"""From the middle of a box of three lines, or two, to its lower edge, in layers."""


def graph(trace: Trace) -> Figure:
    """The steps of a function from its arguments, on top, to its result, at the bottom.

    Raises:
        ValueError: where it has more than `MOST` steps and arguments.

    >>> trace = mv.trace_rules(lambda x: jnp.sin(x) * x)(2.0)
    >>> len(mv.plots.rules.graph(trace).axes[0].artists), len(trace.steps) <= mv.plots.rules.MOST
    (3, True)
    """
    count = len(trace.steps) + len(trace.inputs)
    if count > MOST:
        raise ValueError(
            f"`trace` must have at most {MOST} steps and arguments to be drawn; got {count}; print it, or trace a part"
        )
    parents: dict[str, tuple[str, ...]] = {i.name: () for i in trace.inputs}
    places = placed(parents | {step.name: step.inputs for step in trace.steps})
    xs = [x for path in places.edges.values() for x, _ in path] + [x for x, _ in places.nodes.values()]
    across, down = max(xs) - min(xs) + 1.1, max(y for _, y in places.nodes.values()) + 1
    unit = 0.35 + _LETTER * max(len(line) for lines in _lines(trace).values() for line in lines)
    scale = min(1, _WIDEST / (unit * across))
    width = max(_NARROWEST, scale * unit * across)
    figure = Figure(figsize=(width, _HEIGHT * down * scale + 0.6))
    ax = figure.add_axes((0, 0, 1, 1))
    middle, half = (max(xs) + min(xs)) / 2, width / (scale * unit) / 2
    ax.set(xlim=(middle - half, middle + half), ylim=(down - 0.45, -0.55 - 0.6 / (_HEIGHT * scale)))
    draw_graph(ax, trace, places, scale)
    return figure


def draw_graph(ax: Axes, trace: Trace, places: Placed, scale: float) -> None:
    """The same, on axes whose units are the distances between nodes; letters smaller by a scale.

    >>> trace = mv.trace_rules(lambda x: jnp.sin(x) * x)(2.0)
    >>> parents = {"x": (), **{step.name: step.inputs for step in trace.steps}}
    >>> figure, ax = mv.plots.chart()
    >>> mv.plots.rules.draw_graph(ax, trace, mv.plots.layers.placed(parents), scale=1.0)
    >>> len(ax.artists)  # a box for each step, and for x
    3
    """
    lines = _lines(trace)
    for step in trace.steps:
        for source in step.inputs:
            high = _TALL if len(lines[source]) > 2 else _LOW
            _draw_edge(ax, places.edges[source, step.name], _label(step, source), high, scale)
    colours = {i.name: GOLD for i in trace.inputs}
    colours |= {step.name: BLUE if step.edges else QUIET for step in trace.steps}
    colours[trace.result] = GREEN
    plain = {"color": INK, "size": 9.5 * scale}
    looks = [plain, plain, {"color": RED, "size": 9.5 * scale, "weight": "bold"}]
    for name, at in places.nodes.items():
        said: list[Any] = [
            TextArea(line, textprops=look) for line, look in zip(lines[name], looks, strict=False)
        ]
        frame = {
            "boxstyle": "round,pad=0.25",
            "facecolor": PALE,
            "edgecolor": colours[name],
            "linewidth": 1.4,
        }
        packed = VPacker(children=said, align="center", sep=2 * scale)
        ax.add_artist(AnnotationBbox(packed, at, frameon=True, bboxprops=frame, zorder=3))
    way = {
        "reverse": "from the result back, bottom to top",
        "forward": "from the arguments on, top to bottom",
    }
    several = trace.mode == "forward" and "," in _variables(trace)
    by = f" ∇ = ∂·/∂({_variables(trace)})" if several else ""
    corner: Any = {"xy": (0, 1), "xycoords": "axes fraction", "textcoords": "offset points"}
    ax.annotate(f"{trace.mode} mode, {way[trace.mode]}", xytext=(10, -16), weight="bold", **corner)
    ax.annotate("local derivatives", xytext=(10, -31), color=BLUE, size=9, **corner)
    ax.annotate(f"accumulated{by}", xytext=(104, -31), color=RED, size=9, weight="bold", **corner)
    ax.axis("off")


def _lines(trace: Trace) -> dict[str, list[str]]:
    """What stands in every box: the step, its value, and the derivative accumulated there."""
    found = {i.name: [i.name, shown(i.value, _DIGITS)] for i in trace.inputs}
    found |= {
        step.name: [f"{step.name} = {step.formula}", shown(step.value, _DIGITS)] for step in trace.steps
    }
    variables = _variables(trace)
    for part in (*trace.steps, *(trace.inputs if trace.mode == "reverse" else ())):
        if part.accumulated is not None:
            of, by = (trace.name, part.name) if trace.mode == "reverse" else (part.name, variables)
            sign = "∇ " if "," in by else f"∂{of}/∂{by} = "
            found[part.name].append(sign + shown(part.accumulated, _DIGITS))
    return found


def _variables(trace: Trace) -> str:
    """What a forward derivative is by."""
    return ", ".join(i.name for i in trace.inputs if i.accumulated is not None)


def _label(step: Step, source: str) -> str:
    """The local derivatives by one input: several, where the step takes it several times."""
    said = [
        local(edge, _DIGITS, "\n") if np.size(edge.value) == 1 else edge.formula
        for edge in step.edges
        if edge.source == source
    ]
    return "\n+ ".join(said)


def _draw_edge(ax: Axes, path: list[tuple[float, int]], label: str, high: float, scale: float) -> None:
    """A curve from below a node, between the others, to above the next; dotted where no derivative goes along."""
    points = [(x, float(y)) for x, y in path]
    points[0] = points[0][0], points[0][1] + high
    points[-1] = points[-1][0], points[-1][1] - (_TALL if label else _LOW) - 0.02
    vertices, codes = [points[0]], [Curve.MOVETO]
    for (xa, ya), (xb, yb) in pairwise(points):
        bend = (yb - ya) / 2
        vertices += [(xa, ya + bend), (xb, yb - bend), (xb, yb)]
        codes += [Curve.CURVE4] * 3
    dashes = "-" if label else ":"
    curve = Curve(vertices, codes)
    ax.add_patch(
        PathPatch(curve, facecolor="none", zorder=1, edgecolor=QUIET, linewidth=1.2, linestyle=dashes)
    )
    ax.plot(*points[-1], marker="v", color=QUIET, markersize=5 * scale, zorder=1)
    if label:
        middle = path[-1][1] - 0.5  # between the layers, whatever the curve does
        drawn = np.asarray(curve.to_polygons(closed_only=False)[0])
        ax.text(
            float(np.interp(middle, drawn[:, 1], drawn[:, 0])),
            middle,
            label,
            color=BLUE,
            fontsize=8.5 * scale,
            ha="center",
            va="center",
            linespacing=1.05,
            zorder=2,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85},
        )
