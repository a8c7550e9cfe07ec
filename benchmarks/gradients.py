"""Is a Jacobian by hand faster than `jax.grad`, for which width, depth and number of samples, and why?

    python -m benchmarks.gradients

Networks of one input, some hidden layers and two outputs, logistic, in float32. Their Jacobian by hand,
`mvcalc_jax.network.jacobian`, and by `jax.grad` of the same cost run in the same compiled loop, in turns. A cell is won
where the 99 % interval of the median of the rounds' ratios does not hold 1. To see why, XLA is asked what it counts in
one call of either, as it is written and as it is compiled, for the course's network with each activation and for larger
ones. And single calls, from Python, eagerly and compiled.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product
from statistics import median
from typing import Any, NamedTuple

import jax
import numpy as np
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure

import mvcalc_jax as mv
from benchmarks import loops, results
from benchmarks.harness import Timing, measure, spoken
from benchmarks.results import Findings, Table
from benchmarks.spread import Ratio, ratio
from mvcalc_jax import autodiff, text
from mvcalc_jax.models.activations import ACTIVATIONS

QUESTION = (__doc__ or "").partition("\n")[0]
WIDTHS, DEPTHS, SAMPLES = (2, 8, 32, 128, 256), (1, 2, 4, 8), (10, 100, 1000, 10_000)
QUICK = (2, 32), (1, 4), (10, 1000)
COURSE = (1, 6, 7, 2)
HAND, GRAD = "by hand", "jax.grad"
HOW = "eager", "compiled"
TURN = 0.03
"""Seconds of a turn, about; a single step may take longer."""


@dataclass(frozen=True)
class Config:
    """Compare hand-written Jacobians with jax.grad; about 8 minutes. --debug shows where an error comes from."""

    device: str = "auto"
    """auto, cpu or gpu."""
    quick: bool = False
    """A few small networks."""
    rounds: int = 15
    """Rounds in which both are timed; ten at least, or nothing is certain."""


class Cell(NamedTuple):
    """A network, and both ways to its Jacobian in the compiled loop."""

    width: int
    depth: int
    samples: int
    steps: int
    timings: dict[str, Timing]
    first: dict[str, float]
    """Seconds to trace and compile the loop."""
    temporary: dict[str, int]

    @property
    def ratio(self) -> Ratio:
        """How many times as long `jax.grad` takes."""
        return ratio(self.timings[GRAD].ratios(self.timings[HAND]))

    @property
    def winner(self) -> str:
        if self.ratio.low > 1:
            return HAND
        return GRAD if self.ratio.high < 1 else ""

    def __str__(self) -> str:
        return f"width {self.width}, {text.counted(self.depth, 'hidden layer')}, {text.count(self.samples)} samples"


class Counts(NamedTuple):
    """What XLA counts in a program: as it is written, and as it is compiled."""

    transcendentals: int
    compiled_transcendentals: int
    flops: int
    bytes: int
    """Of memory that is read or written."""
    products: int
    """Of matrices."""
    fusions: int
    temporary: int


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
    """Both Jacobians of the same cost."""
    hand, cost = (partial(f, **options) if options else f for f in (mv.network.jacobian, mv.network.cost))
    return {HAND: hand, GRAD: autodiff.gradient(cost)}


def _cell(width: int, depth: int, samples: int, rounds: int) -> Cell:
    """Both ways, checked against each other and timed in turns."""
    of = loops.problem((1, *[width] * depth, 2), samples)
    steps = of.steps(TURN)
    compiled = {name: loops.compiled(jacobian, of, steps) for name, jacobian in ways().items()}
    apart = mv.descent.apart(*(loop.run() for loop in compiled.values()))
    assert apart < 1e-3, f"width {width}, depth {depth}, {samples} samples: the two end {apart} apart"
    timings = measure({name: loop.run for name, loop in compiled.items()}, rounds)
    first, temporary = (
        {name: getattr(loop, of) for name, loop in compiled.items()} for of in ("first", "temporary")
    )
    return Cell(width, depth, samples, steps, timings, first, temporary)


def _counted(quick: bool) -> dict[str, dict[str, Counts]]:
    """Counts of both ways, for every activation and for larger networks."""
    course = loops.problem(COURSE, 100)
    found = {
        f"{'-'.join(map(str, COURSE))}, {name}": {
            way: counts(jacobian, course) for way, jacobian in ways(activation=name).items()
        }
        for name in ACTIVATIONS
    }
    for width, depth in () if quick else ((32, 2), (256, 2), (256, 8)):
        of = loops.problem((1, *[width] * depth, 2), 1000)
        found[f"{depth} × {width}, 1000 samples"] = {way: counts(J, of) for way, J in ways().items()}
    return found


def counts(jacobian: loops.Jacobian, of: loops.Problem) -> Counts:
    written = jax.jit(jacobian).lower(of.start, *of.data)
    program = written.compile()
    before, after = (_analysis(stage) for stage in (written, program))
    code = program.as_text() or ""
    return Counts(
        before["transcendentals"],
        after["transcendentals"],
        after["flops"],
        after["bytes accessed"],
        len(re.findall(r" = \S+ (?:dot|custom-call)\(", code)),
        len(re.findall(r" = .* fusion\(", code)),
        loops.temporary(program),
    )


def _analysis(stage: Any) -> dict[str, int]:
    found = stage.cost_analysis() or {}
    return {name: int(found.get(name, 0)) for name in ("transcendentals", "flops", "bytes accessed")}


def _called(rounds: int) -> dict[str, Timing]:
    of = loops.problem(COURSE, 100)
    runs: dict[str, Callable[[], Any]] = {}
    for name, jacobian in ways().items():
        runs[f"{name}, {HOW[0]}"] = partial(jacobian, of.start, *of.data)
        runs[f"{name}, {HOW[1]}"] = partial(jax.jit(jacobian), *jax.device_put((of.start, *of.data)))
    return measure(runs, rounds)


def _ratios(cells: list[Cell]) -> list[tuple[str, ...]]:
    samples = sorted({cell.samples for cell in cells})
    rows = [("hidden layers", "width", *(f"{text.count(n)} samples" for n in samples))]
    for depth, width in dict.fromkeys((cell.depth, cell.width) for cell in cells):
        found = {cell.samples: cell.ratio for cell in cells if (cell.depth, cell.width) == (depth, width)}
        rows.append((str(depth), str(width), *(str(found[n]) for n in samples)))
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
            words += f" The most that {way} wins is {cell.ratio}, at {cell}; it wins at {_range(won[way])}."
    return words


def _range(cells: list[Cell]) -> str:
    """Which sizes they have."""
    sizes = [[getattr(cell, of) for cell in cells] for of in ("width", "depth", "samples")]
    names = ("widths", "depths", "samples")
    return ", ".join(
        f"{name} from {text.count(min(some))} to {text.count(max(some))}"
        for name, some in zip(names, sizes, strict=True)
    )


def _eagerly(called: dict[str, Timing]) -> str:
    """Who wins from Python."""
    eager, compiled = (ratio(called[f"{GRAD}, {how}"].ratios(called[f"{HAND}, {how}"])) for how in HOW)
    return f"Called from Python jax.grad takes {eager} times as long eagerly, and {compiled} compiled."


def _why(counted: dict[str, dict[str, Counts]]) -> str:
    """What the counts say: whether knowing σ′ by σ spares a person anything that the compiler would not."""
    same = sum(
        of[HAND].compiled_transcendentals == of[GRAD].compiled_transcendentals for of in counted.values()
    )
    words = (
        f"In {same} of {len(counted)} programs XLA counts as many exponentials and the like by hand as by jax.grad, "
        "once they are compiled."
    )
    for name, of in counted.items():
        hand, grad = of[HAND], of[GRAD]
        if hand.transcendentals > grad.transcendentals == hand.compiled_transcendentals:
            words += (
                f" As it is written, the one by hand asks for {hand.transcendentals} in {name} and jax.grad for "
                f"{grad.transcendentals}, which knows σ′ = σ(1 − σ), too; the compiler sees that both are the same."
            )
            break
    for what in ("flops", "bytes", "products", "fusions"):
        over = [getattr(of[HAND], what) / max(getattr(of[GRAD], what), 1) for of in counted.values()]
        words += f" {what.capitalize()}, by hand over jax.grad: {min(over):.3g} to {max(over):.3g}."
    return words


def _cost(cells: list[Cell]) -> str:
    """First calls and memory."""
    first = median(cell.first[GRAD] / cell.first[HAND] for cell in cells)
    room = median(cell.temporary[GRAD] / max(cell.temporary[HAND], 1) for cell in cells)
    typical = median(cell.first[HAND] for cell in cells)
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
            ax.text(column, row, f"{2**log:.2f}", ha="center", va="center", fontsize=8)
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
