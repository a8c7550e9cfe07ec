"""How do time, memory and the first call of a training loop grow with samples, width, depth and members?

    python -m benchmarks.growth

The compiled loop of steepest descent with the hand-written Jacobian, logistic, in float32. One size at a time grows:
the samples of the course's 1-6-7-2 network, the width of two hidden layers, the number of hidden layers, and the
members of an ensemble of the course's network. The work is the number of multiplications in a step, proportional to the
samples, nearly to the square of the width, to the products between hidden layers, and to the members. All sizes are
timed in turns, and the fastest round of each counts. The slope is that of the logarithm of the time of a step over the
logarithm of its work, 1 where time grows as the work does. It is fitted beyond the cache: where what the loop holds,
arguments and temporary arrays together, is at least twice the last cache. Below that it lies in one cache or another,
each as fast as it is. Members are walked one after the other on every core, whose cache holds only one of them, however
many there are: their slope is fitted from eight members a core on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

import mvcalc_jax as mv
from benchmarks import loops, results
from benchmarks.harness import Timing, cores, measure, spoken
from benchmarks.results import Bar, Findings, Table
from mvcalc_jax import text
from mvcalc_jax.plots.style import BLUE, QUIET, RED

QUESTION = (__doc__ or "").partition("\n")[0]
BAR = 0.15
"""How far a slope may be from 1."""
BEYOND = 2
"""Times the last cache: there at least half of what is read again comes from memory."""
LEAST = 3
"""Sizes beyond the cache, or there is no slope."""
CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
A_CORE = 8
"""Members on each core from which their slope is fitted."""
TURN = 0.15
"""Seconds of a turn, about: in one of few steps, the first touch of so much memory would count. One may take longer."""


class Axis(NamedTuple):
    """What grows, how it is made, and its sizes."""

    name: str
    of: str
    make: Callable[[int], loops.Problem]
    sizes: Sequence[int]
    quick: Sequence[int]
    build: Callable[..., loops.Loop] = loops.compiled


COURSE = (1, 6, 7, 2)
AXES = (
    Axis(
        "samples", "1-6-7-2", lambda n: loops.problem(COURSE, n),
        (100, 1000, 10_000, 100_000, 300_000, 700_000, 1_000_000, 1_500_000, 2_000_000), (100, 1000),
    ),
    Axis(
        "width", "1-W-W-2 on 2000 samples", lambda width: loops.problem((1, width, width, 2), 2000),
        (4, 16, 64, 256, 1024, 2048, 2560, 3072, 4096), (4, 16),
    ),
    Axis(
        "hidden layers", "layers of 64 on 30 000 samples", lambda depth: loops.problem((1, *[64] * depth, 2), 30_000),
        (1, 2, 4, 8, 12, 16, 24, 32), (1, 2),
    ),
    Axis(
        "members", "1-6-7-2 on 100 samples", lambda members: loops.problem(COURSE, 100, members),
        (1, 4, 16, 64, 256, 1024, 4096, 16_384), (1, 16), loops.ensemble,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Config:
    """Find how training grows; about 8 minutes and 2 GB. --debug shows where an error comes from."""

    device: str = "auto"
    """auto, cpu or gpu."""
    quick: bool = False
    """Small sizes, all of them within the cache."""
    rounds: int = 9
    """Rounds in which every size is timed."""


class Point(NamedTuple):
    """One size."""

    size: int
    work: int
    """Multiplications in a step."""
    steps: int
    timing: Timing
    first: float
    """Seconds to trace and compile the loop."""
    held: int
    """Bytes of arguments and temporary arrays."""
    beyond: bool
    """Whether that is beyond the cache, or there are enough members."""

    @property
    def seconds(self) -> float:
        """Of a step, in the fastest round."""
        return min(self.timing.rounds) / self.steps


class Slope(NamedTuple):
    """Of log time over log work, with its standard error."""

    value: float
    stderr: float
    sizes: tuple[int, int]
    """The first and the last size that it is of."""

    def __str__(self) -> str:
        return f"{self.value:.3f} ± {self.stderr:.3f}"


class Curve(NamedTuple):
    axis: str
    of: str
    points: list[Point]
    within: Slope | None
    beyond: Slope | None


def findings(config: Config) -> Findings:
    mv.require.whole("rounds", config.rounds, least=1)
    with mv.devices.computing(config.device) as device:
        cache = last_cache(device.platform)
        curves = [
            _curve(axis, axis.quick if config.quick else axis.sizes, config.rounds, cache) for axis in AXES
        ]
    tables = [Table(f"{c.axis.capitalize()}: {c.of}", _rows(c, cache)) for c in curves]
    return Findings(
        [Table("Slopes of the time over the work", _slopes(curves)), *tables],
        [_bar(curve) for curve in curves],
        conclusion=_concluded(curves),
        limits=f"Beyond the cache is from {BEYOND} times its {_megabytes(cache)} on; where the two meet, time grows "
        "faster than the work, once. A slope is as good as its standard error, which knows of the scatter about the "
        "line and of nothing else.",
        numbers={"cache": cache, "curves": curves},
        figures={"slopes": _drawn(curves)},
    )  # fmt: skip


def last_cache(platform: str) -> int:
    """Bytes of the largest cache that there is before memory, as far as the system tells."""
    if platform != "cpu":
        return 50 << 20  # the second-level cache of an H100; an H200 has the same
    units = {"K": 1 << 10, "M": 1 << 20}
    sizes = [path.read_text().strip() for path in CACHES.glob("index*/size")]
    return max((int(size[:-1]) * units[size[-1]] for size in sizes), default=32 << 20)


def _curve(axis: Axis, sizes: Sequence[int], rounds: int, cache: int) -> Curve:
    """All sizes of an axis, timed in turns."""
    work, built = {}, {}
    for size in sizes:
        of = axis.make(size)
        work[size] = of.multiplications
        built[size] = axis.build(mv.network.jacobian, of, of.steps(TURN))
    timings = measure({str(size): loop.run for size, loop in built.items()}, rounds)
    points = []
    for size, loop in built.items():
        beyond = size >= A_CORE * cores() if axis.name == "members" else loop.held >= BEYOND * cache
        points.append(Point(size, work[size], loop.steps, timings[str(size)], loop.first, loop.held, beyond))
    results.progress(f"{axis.name}: done")
    within = [p for p in points if p.held <= cache and not p.beyond]
    return Curve(axis.name, axis.of, points, slope(within), slope([p for p in points if p.beyond]))


def slope(points: Sequence[Point]) -> Slope | None:
    """That of the line through the logarithms; None of fewer than `LEAST` points."""
    if len(points) < LEAST:
        return None
    line = mv.linear_regression(np.log([p.work for p in points]), np.log([p.seconds for p in points]))
    return Slope(float(line.params[1]), float(line.stderr[1]), (points[0].size, points[-1].size))


def _rows(curve: Curve, cache: int) -> list[tuple[str, ...]]:
    heads = ("multiplications in a step", "a step", "slowest round", "a second", "first call", "held", "")
    rows: list[tuple[str, ...]] = [(curve.axis, *heads)]
    for p in curve.points:
        where = "fitted" if p.beyond else "" if p.held > cache else "within the cache"
        rows.append(
            (
                text.count(p.size), f"{p.work:.3g}", spoken(p.seconds), spoken(max(p.timing.rounds) / p.steps),
                f"{p.work / p.seconds:.2g}", spoken(p.first), _megabytes(p.held), where,
            )
        )  # fmt: skip
    return rows


def _slopes(curves: Sequence[Curve]) -> list[tuple[str, ...]]:
    rows = [("what grows", "of", "slope within the cache", "beyond it, or of many members", "at sizes")]
    for c in curves:
        sizes = "" if c.beyond is None else " – ".join(text.count(size) for size in c.beyond.sizes)
        rows.append((c.axis, c.of, str(c.within or ""), str(c.beyond or ""), sizes))
    return rows


def _bar(curve: Curve) -> Bar:
    if curve.beyond is None:
        return Bar(None, f"{curve.axis}: fewer than {LEAST} sizes are large enough")
    held = abs(curve.beyond.value - 1) <= BAR
    first, last = map(text.count, curve.beyond.sizes)
    return Bar(
        held, f"{curve.axis}: from {first} to {last} the slope is {curve.beyond}; the bar is 1 ± {BAR}"
    )


def _concluded(curves: Sequence[Curve]) -> str:
    """What grows how, with the largest and the smallest of each curve."""
    words = []
    for c in curves:
        least, most = c.points[0], c.points[-1]
        words.append(
            f"{c.axis.capitalize()}, {text.count(least.size)} to {text.count(most.size)}: a step from "
            f"{spoken(least.seconds)} to {spoken(most.seconds)}, {most.seconds / least.seconds:.3g}-fold for "
            f"{most.work / least.work:.3g} times the work, the first call from {spoken(least.first)} to "
            f"{spoken(most.first)}, and what the loop holds from {_megabytes(least.held)} to {_megabytes(most.held)}."
        )
    return " ".join(words)


def _megabytes(count: float) -> str:
    return f"{count / 2**20:.3g} MiB"


def _drawn(curves: Sequence[Curve]) -> Figure:
    """Time over work, with the fitted lines."""
    figure = Figure(figsize=(9, 6.4), layout="constrained")
    for ax, curve in zip(figure.subplots(2, 2).flat, curves, strict=True):
        work, seconds = (np.array([getattr(p, of) for p in curve.points]) for of in ("work", "seconds"))
        beyond = np.array([p.beyond for p in curve.points])
        ax.plot(work, seconds, color=QUIET, linewidth=1, zorder=1)
        ax.scatter(work[~beyond], seconds[~beyond], color=BLUE, s=22, label="not fitted")
        ax.scatter(work[beyond], seconds[beyond], color=RED, s=22, label="fitted")
        if curve.beyond is not None:
            w, t = np.log(work[beyond]), np.log(seconds[beyond])
            line = t.mean() + curve.beyond.value * (w - w.mean())
            ax.plot(np.exp(w), np.exp(line), "--", color=RED, label=f"slope {curve.beyond}")
        ax.set(xscale="log", yscale="log", title=curve.axis, xlabel="multiplications in a step")
        ax.set_ylabel("seconds a step")
        ax.legend(fontsize=8)
    return figure


if __name__ == "__main__":
    results.leave(findings, Config)
