"""Is a Jacobian by hand faster than `jax.grad`, for which width, depth and number of samples, and why?

    python -m benchmarks.gradients

Networks of one input, some hidden layers and two outputs, logistic, in float32. Three ways to their Jacobian run in the
same compiled loop, in turns: by hand with products of matrices, as the formula is read; by hand with the products
written out in lanes (`mvcalc_jax/models/lanes.py`), where that is thinkable; and by `jax.grad` of the same cost. "By
hand" is whichever of the first two `mvcalc_jax.network.jacobian` takes. A cell is won where the 99 % interval of the
median of the rounds' ratios does not hold 1. To see why, XLA is asked what it counts in one call of either, as it is
written and as it is compiled, for the course's network with each activation and for larger ones. And single calls, from
Python, eagerly and compiled.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product
from statistics import median
from typing import Any, NamedTuple
from unittest import mock

import jax
import numpy as np
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure

import mvcalc_jax as mv
from benchmarks import loops, results
from benchmarks.counts import Counts, counts
from benchmarks.harness import Timing, measure, spoken
from benchmarks.results import Findings, Table
from benchmarks.spread import Ratio, ratio
from mvcalc_jax import autodiff, options, text
from mvcalc_jax.models import lanes
from mvcalc_jax.models.activations import ACTIVATIONS
from mvcalc_jax.plots.style import INK

QUESTION = (__doc__ or "").partition("\n")[0]
WIDTHS, DEPTHS, SAMPLES = (2, 6, 12, 32, 128, 256), (1, 3, 8), (10, 100, 1000, 10_000)
QUICK = (6, 32), (2,), (100, 1000)
COURSE, COURSE_NAME = (1, 6, 7, 2), "1-6-7-2, logistic"
PRODUCTS, LANES, GRAD = "products", "lanes", "jax.grad"
HAND = "by hand"
THINKABLE = 4
"""Lanes are tried up to so many times the sizes from which they are not taken."""
HOW = "eager", "compiled"
TURN = 0.03
"""Seconds of a turn, about; a single step may take longer."""


@dataclass(frozen=True)
class Config:
    """Compare hand-written Jacobians with jax.grad; about 5 minutes."""

    device: options.Device = "auto"
    quick: bool = False
    """A few small networks."""
    rounds: int = 15
    """Rounds in which both are timed; ten at least, or nothing is certain."""


class Cell(NamedTuple):
    """A network, and the ways to its Jacobian in the compiled loop."""

    width: int
    depth: int
    samples: int
    steps: int
    timings: dict[str, Timing]
    first: dict[str, float]
    """Seconds to trace and compile the loop."""
    temporary: dict[str, int]

    taken: str
    """The way by hand that the package takes."""

    @property
    def ratio(self) -> Ratio:
        """How many times as long `jax.grad` takes."""
        return ratio(self.timings[GRAD].ratios(self.timings[self.taken]))

    @property
    def lanes(self) -> Ratio | None:
        """How many times as long products take as lanes, where these are thinkable."""
        if LANES not in self.timings:
            return None
        return ratio(self.timings[PRODUCTS].ratios(self.timings[LANES]))

    @property
    def winner(self) -> str:
        if self.ratio.low > 1:
            return HAND
        return GRAD if self.ratio.high < 1 else ""

    def __str__(self) -> str:
        return f"width {self.width}, {text.counted(self.depth, 'hidden layer')}, {text.count(self.samples)} samples"


def findings(config: Config) -> Findings:
    mv.require.whole("rounds", config.rounds, least=1)
    widths, depths, samples = QUICK if config.quick else (WIDTHS, DEPTHS, SAMPLES)
    with mv.devices.computing(config.device):
        cells = []
        for depth in depths:
            cells += [_cell(w, depth, n, config.rounds) for w, n in product(widths, samples)]
            results.progress(f"{text.counted(depth, 'hidden layer')}: done")
        counted = _counted(config.quick)
        called = _called(config.rounds)
    tables = [
        Table("jax.grad / by hand, in the compiled loop: median (99 % interval)", _ratios(cells)),
        Table("Products / lanes; * where the package takes lanes", _lanes(cells)),
        Table("What XLA counts in a call, by hand / jax.grad", _rows(counted)),
        Table("A single call from Python, of the course's network on 100 samples", _calls(called)),
    ]
    return Findings(
        tables,
        conclusion=" ".join((_where(cells), _eagerly(called), _why(counted), _cost(cells))),
        limits="Logistic networks of equal widths with full batches; a cell is as certain as its interval, and of a "
        "hundred cells without a difference one would still be called won.",
        numbers={"cells": cells, "counts": counted, "calls": called},
        figures={"ratios": _drawn(cells, widths, depths, samples)},
    )


def ways(**options: Any) -> dict[str, loops.Jacobian]:
    """By hand, as the package takes it, and by `jax.grad` of the same cost."""
    hand, cost = (partial(f, **options) if options else f for f in (mv.network.jacobian, mv.network.cost))
    return {HAND: hand, GRAD: autodiff.gradient(cost)}


def products(params: Any, x: Any, y: Any) -> Any:
    """The hand-written Jacobian as its formula is read, whatever the package would take."""
    with mock.patch.object(lanes, "suit", lambda *_: False):
        return mv.network.jacobian(params, x, y)


def in_lanes(params: Any, x: Any, y: Any) -> Any:
    """The hand-written Jacobian in lanes, whatever the package would take."""
    with mock.patch.object(lanes, "suit", lambda *_: True):
        return mv.network.jacobian(params, x, y)


def suited(of: loops.Problem, times: float = 1) -> bool:
    """Whether lanes suit a network on its samples, or would if they did up to so many times the size."""
    with (
        mock.patch.object(lanes, "WIDEST", times * lanes.WIDEST),
        mock.patch.object(lanes, "MOST", times * lanes.MOST),
        mock.patch.object(mv.require, "traced", lambda _: True),
    ):
        return lanes.suit([W for W, _ in of.start], of.data[0])


def _cell(width: int, depth: int, samples: int, rounds: int) -> Cell:
    """All ways, checked against each other and timed in turns."""
    of = loops.problem((1, *[width] * depth, 2), samples)
    steps = of.steps(TURN)
    jacobians = {PRODUCTS: products, GRAD: autodiff.gradient(mv.network.cost)}
    if suited(of, THINKABLE):
        jacobians[LANES] = in_lanes
    compiled = {name: loops.compiled(jacobian, of, steps) for name, jacobian in jacobians.items()}
    ends = {name: loop.run() for name, loop in compiled.items()}
    apart = max(mv.descent.apart(end, ends[GRAD]) for end in ends.values())
    assert apart < 1e-2, f"width {width}, depth {depth}, {samples} samples: they end {apart} apart"
    timings = measure({name: loop.run for name, loop in compiled.items()}, rounds)
    first, temporary = (
        {name: getattr(loop, of) for name, loop in compiled.items()} for of in ("first", "temporary")
    )
    taken = LANES if suited(of) else PRODUCTS
    return Cell(width, depth, samples, steps, timings, first, temporary, taken)


def _counted(quick: bool) -> dict[str, dict[str, Counts]]:
    """Counts of both ways, for every activation and for larger networks."""
    course = loops.problem(COURSE, 100)
    found = {
        f"1-6-7-2, {name}": {way: counts(jacobian, course) for way, jacobian in ways(activation=name).items()}
        for name in ACTIVATIONS
    }
    for width, depth in () if quick else ((32, 2), (256, 2), (256, 8)):
        of = loops.problem((1, *[width] * depth, 2), 1000)
        found[f"{depth} × {width}, 1000 samples"] = {way: counts(J, of) for way, J in ways().items()}
    return found


def _called(rounds: int) -> dict[str, Timing]:
    of = loops.problem(COURSE, 100)
    runs: dict[str, Callable[[], Any]] = {}
    for name, jacobian in ways().items():
        runs[f"{name}, {HOW[0]}"] = partial(jacobian, of.start, *of.data)
        runs[f"{name}, {HOW[1]}"] = partial(jax.jit(jacobian), *jax.device_put((of.start, *of.data)))
    return measure(runs, rounds)


def _ratios(cells: list[Cell]) -> list[tuple[str, ...]]:
    return _by_size(cells, lambda cell: str(cell.ratio))


def _lanes(cells: list[Cell]) -> list[tuple[str, ...]]:
    return _by_size(
        [cell for cell in cells if cell.lanes], lambda cell: f"{cell.lanes}{' *' * (cell.taken == LANES)}"
    )


def _by_size(cells: list[Cell], told: Callable[[Cell], str]) -> list[tuple[str, ...]]:
    """A row for each network, a column for each number of samples."""
    samples = sorted({cell.samples for cell in cells})
    rows = [("hidden layers", "width", *(f"{text.count(n)} samples" for n in samples))]
    for depth, width in dict.fromkeys((cell.depth, cell.width) for cell in cells):
        found = {cell.samples: told(cell) for cell in cells if (cell.depth, cell.width) == (depth, width)}
        rows.append((str(depth), str(width), *(found.get(n, "") for n in samples)))
    return rows


def _rows(counted: dict[str, dict[str, Counts]]) -> list[tuple[str, ...]]:
    heads = ("exp and the like, as written", "compiled", "flops", "bytes", "products", "fusions", "temporary")
    rows: list[tuple[str, ...]] = [("network", *heads)]
    for name, ways in counted.items():
        pairs = zip(ways[HAND], ways[GRAD], strict=True)
        rows.append(
            (name, *(text.count(a) if a == b else f"{text.count(a)} / {text.count(b)}" for a, b in pairs))
        )
    return rows


def _calls(called: dict[str, Timing]) -> list[tuple[str, ...]]:
    rows = [("", "first call", "a call", "fastest – slowest")]
    return rows + [(name, spoken(t.first), spoken(t.typical), t.spread) for name, t in called.items()]


def _where(cells: list[Cell]) -> str:
    """Who wins where, in the compiled loop."""
    won = {way: [cell for cell in cells if cell.winner == way] for way in (HAND, GRAD, "")}
    words = (
        f"In the compiled loop, of {text.counted(len(cells), 'network')} {len(won[HAND])} are faster by hand and "
        f"{len(won[GRAD])} by jax.grad, and of {len(won[''])} it cannot be told; the median of all ratios is "
        f"{median(cell.ratio.median for cell in cells):.3f}."
    )
    for way, best in ((HAND, max), (GRAD, min)):
        if won[way]:
            cell = best(won[way], key=lambda cell: cell.ratio.median)
            words += f" The most that {way} wins is {cell.ratio}, at {cell}."
    of = {way: [c.ratio.median for c in cells if c.taken == way] for way in (LANES, PRODUCTS)}
    said = {LANES: "written out in lanes", PRODUCTS: "left to products of matrices"}
    for way, some in of.items():
        if some:
            words += f" Where they are {said[way]}, jax.grad takes {median(some):.2f} times as long (median)."
    tried = [c for c in cells if c.lanes]
    wrong = [c for c in tried if c.lanes and (c.lanes.high < 1 if c.taken == LANES else c.lanes.low > 1)]
    words += (
        f" Of {len(tried)} networks small enough to ask, the way by hand that the package does not take is certainly "
        f"the faster in {len(wrong)}"
    )
    return f"{words}: {'; '.join(f'{c}, products/lanes {c.lanes}' for c in wrong)}." if wrong else f"{words}."


def _eagerly(called: dict[str, Timing]) -> str:
    """Who wins from Python."""
    eager, compiled = (ratio(called[f"{GRAD}, {how}"].ratios(called[f"{HAND}, {how}"])) for how in HOW)
    return f"Called from Python jax.grad takes {eager} times as long eagerly, and {compiled} compiled."


def _why(counted: dict[str, dict[str, Counts]]) -> str:
    """What the counts say: whether a person's knowledge spares the compiler anything."""
    words = []
    for name, of in counted.items():
        hand, grad = of[HAND], of[GRAD]
        if hand.written_transcendentals == 2 * hand.transcendentals:
            words.append(
                f"That σ′ = σ(1 − σ) spares nothing: {name} asks by hand for {hand.written_transcendentals} "
                f"exponentials as it is written, and the compiler leaves {hand.transcendentals} of them; jax.grad's "
                f"asks for {grad.written_transcendentals} and keeps {grad.transcendentals}."
            )
            break
    for name, of in counted.items():
        hand, grad = of[HAND], of[GRAD]
        if name in (COURSE_NAME, *list(counted)[len(ACTIVATIONS) :]):
            words.append(
                f"{name}: {hand.products} products of matrices and {hand.fusions} fused loops by hand, {grad.products} "
                f"and {grad.fusions} by jax.grad, for {hand.flops / max(grad.flops, 1):.2f} times its flops."
            )
    return " ".join(words)


def _cost(cells: list[Cell]) -> str:
    """First calls and memory."""
    first = median(cell.first[GRAD] / cell.first[cell.taken] for cell in cells)
    room = median(cell.temporary[GRAD] / max(cell.temporary[cell.taken], 1) for cell in cells)
    typical = median(cell.first[cell.taken] for cell in cells)
    return (
        f"To trace and compile the loop takes {spoken(typical)} by hand, and jax.grad {first:.2f} times as long; it "
        f"needs {room:.2f} times the temporary memory (medians)."
    )


def _drawn(cells: list[Cell], widths: tuple, depths: tuple, samples: tuple) -> Figure:
    """A panel for each depth: ratios by width and samples."""
    figure = Figure(figsize=(2.6 * len(depths) + 0.9, 3.1), layout="constrained")
    axes = figure.subplots(1, len(depths), sharey=True, squeeze=False)[0]
    logs = {(c.depth, c.width, c.samples): np.log2(c.ratio.median) for c in cells}
    most = max(0.2, *(abs(log) for log in logs.values()))
    image = None
    for ax, depth in zip(axes, depths, strict=True):
        shown = np.array([[logs[depth, w, n] for n in samples] for w in widths])
        image = ax.imshow(
            shown, cmap="RdBu", norm=TwoSlopeNorm(0, -most, most), origin="lower", aspect="auto"
        )
        for (row, column), log in np.ndenumerate(shown):
            ink = "white" if abs(log) > most / 2 else INK
            ax.text(column, row, f"{2**log:.2f}", ha="center", va="center", fontsize=8, color=ink)
        ax.set(title=text.counted(depth, "hidden layer"), xlabel="samples")
        ax.set_xticks(range(len(samples)), [text.count(n) for n in samples])
        ax.set_yticks(range(len(widths)), [str(w) for w in widths])
        ax.grid(False)
    axes[0].set_ylabel("width")
    if image is not None:
        bar = figure.colorbar(image, ax=axes, ticks=[-most, 0, most])
        bar.ax.set_yticklabels([f"{2**-most:.2f}", "1", f"{2**most:.2f}"])
        bar.set_label("jax.grad / by hand")
    return figure


if __name__ == "__main__":
    results.leave(findings, Config)
