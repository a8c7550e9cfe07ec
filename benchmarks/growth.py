"""How do time, memory and the first call of a training loop grow with samples, width, depth and members?

    python -m benchmarks.growth

The compiled loop of steepest descent with the hand-written Jacobian, logistic, in float32. One size at a time grows:
the samples of the course's 1-6-7-2 network, the width of two hidden layers, the number of hidden layers, and the
members of an ensemble of the course's network. The work is the number of multiplications in a step, proportional to the
samples, nearly to the square of the width, to the products between hidden layers, and to the members. All sizes are
timed in turns, and the fastest round of each counts. The slope is that of the logarithm of the time of a step over the
logarithm of its work, 1 where time grows as the work does. It is fitted beyond the cache: where what the loop holds,
arguments and temporary arrays together, is at least twice the last cache. Below that it lies in one cache or another,
each as fast as it is. Samples are fitted only where each array of theirs is larger than the 32 MiB up to which the C
library keeps memory for its next use: larger ones it takes from the system anew in every step, page by page, so that on
the way there a step grows faster than its work. Members are walked one after the other on every core, whose cache holds
only one of them, however many there are: their slope is fitted from eight members a core on.
"""

import resource
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from matplotlib.figure import Figure

import mvcalc_jax as mv
from benchmarks import loops, results
from benchmarks.harness import Timing, measure, spoken
from benchmarks.results import Bar, Findings, Table
from mvcalc_jax import options, text
from mvcalc_jax.plots.style import BLUE, QUIET, RED

QUESTION = (__doc__ or "").partition("\n")[0]
BAR = 0.15
"""How far a slope may be from 1."""
BEYOND = 2
"""Times the last cache: there at least half of what is read again comes from memory."""
LEAST = 3
"""Sizes beyond the cache, or there is no slope."""
CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
KEPT = 32 << 20
"""Bytes above which glibc always takes memory from the system: its DEFAULT_MMAP_THRESHOLD_MAX, mallopt(3)."""
A_CORE = 8
"""Members on each core from which their slope is fitted."""
TURN, FEWEST = 0.1, 5
"""Seconds of a turn, about, and its steps at least: over these the first touch of the loop's memory is spread."""


class Axis(NamedTuple):
    """What grows, how it is made, and its sizes."""

    name: str
    of: str
    make: Callable[[int], loops.Problem]
    sizes: Sequence[int]
    quick: Sequence[int]
    fitted: Callable[[int, int, int], bool] = lambda size, held, cache: held >= BEYOND * cache
    """Whether a size, at which so many bytes are held, counts for the slope."""
    build: Callable[..., loops.Loop] = loops.compiled


COURSE = (1, 6, 7, 2)
AXES = (
    Axis(
        "samples", "1-6-7-2", lambda n: loops.problem(COURSE, n),
        (100, 1000, 10_000, 100_000, 1_000_000, 2_000_000, 4_500_000, 6_000_000, 8_000_000), (100, 1000),
        lambda size, held, cache: held >= BEYOND * cache and 2 * 4 * size > KEPT,
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
        (1, 4, 16, 64, 256, 1024, 4096, 16_384), (1, 16),
        lambda size, held, cache: size >= A_CORE * mv.devices.cores(), loops.ensemble,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Config:
    """Find how training grows; about 6 minutes and 2 GB."""

    device: options.Device = "auto"
    quick: bool = False
    """Small sizes, all of them within the cache."""
    rounds: int = 7
    """Rounds in which every size is timed."""
    axis: str = ""
    """Only what grows by a name that contains this."""


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
    faults: float
    """Pages that the system had to find in a step."""
    fitted: bool
    """Whether it counts for the slope."""

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
    axes = [axis for axis in AXES if config.axis in axis.name]
    if not axes:
        raise ValueError(
            f"`axis` must be part of {', '.join(axis.name for axis in AXES)}; got {config.axis!r}"
        )
    with mv.devices.computing(config.device) as device:
        cache = last_cache(device.platform)
        curves = [
            _curve(axis, axis.quick if config.quick else axis.sizes, config.rounds, cache) for axis in axes
        ]
    tables = [Table(f"{c.axis.capitalize()}: {c.of}", _rows(c, cache)) for c in curves]
    return Findings(
        [Table("Slopes of the time over the work", _slopes(curves)), *tables],
        [_bar(curve) for curve in curves],
        conclusion=_concluded(curves),
        limits=f"The last cache here has {_megabytes(cache)}; on the way beyond it, and beyond what the C library "
        "keeps, time grows faster than the work, once. A slope is as good as its standard error, which knows of the "
        "scatter about the line and of nothing else.",
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
        built[size] = axis.build(mv.network.jacobian, of, max(of.steps(TURN), FEWEST))
    timings = measure({str(size): loop.run for size, loop in built.items()}, rounds)
    points = []
    for size, loop in built.items():
        fitted = axis.fitted(size, loop.held, cache)
        faults = _faults(loop)
        points.append(
            Point(size, work[size], loop.steps, timings[str(size)], loop.first, loop.held, faults, fitted)
        )
    results.progress(f"{axis.name}: done")
    within = [p for p in points if p.held <= cache and not p.fitted]
    return Curve(axis.name, axis.of, points, slope(within), slope([p for p in points if p.fitted]))


def _faults(loop: loops.Loop) -> float:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    jax.block_until_ready(loop.run())
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / loop.steps


def slope(points: Sequence[Point]) -> Slope | None:
    """That of the line through the logarithms; None of fewer than `LEAST` points."""
    if len(points) < LEAST:
        return None
    line = mv.linear_regression(np.log([p.work for p in points]), np.log([p.seconds for p in points]))
    return Slope(float(line.params[1]), float(line.stderr[1]), (points[0].size, points[-1].size))


def _rows(curve: Curve, cache: int) -> list[tuple[str, ...]]:
    heads = (
        "multiplications in a step",
        "a step",
        "slowest round",
        "a second",
        "first call",
        "held",
        "page faults a step",
        "",
    )
    rows: list[tuple[str, ...]] = [(curve.axis, *heads)]
    for p in curve.points:
        where = "fitted" if p.fitted else "" if p.held > cache else "within the cache"
        rows.append(
            (
                text.count(p.size), f"{p.work:.3g}", spoken(p.seconds), spoken(max(p.timing.rounds) / p.steps),
                f"{p.work / p.seconds:.2g}", spoken(p.first), _megabytes(p.held), f"{p.faults:.3g}", where,
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
    """Whether a slope is near 1; one that is known no better than the bar is wide is not judged."""
    if curve.beyond is None:
        return Bar(None, f"{curve.axis}: fewer than {LEAST} sizes are large enough")
    first, last = map(text.count, curve.beyond.sizes)
    words = f"{curve.axis}: from {first} to {last} the slope is {curve.beyond}; the bar is 1 ± {BAR}"
    if not curve.beyond.stderr < BAR:
        return Bar(None, f"{words}, and it is known too badly: the machine was busy")
    return Bar(abs(curve.beyond.value - 1) <= BAR, words)


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
    figure = Figure(figsize=(9, 3.2 * -(-len(curves) // 2)), layout="constrained")
    axes = figure.subplots(-(-len(curves) // 2), 2, squeeze=False).flat
    for ax in axes[len(curves) :]:
        ax.set_axis_off()
    for ax, curve in zip(axes, curves, strict=False):
        work, seconds = (np.array([getattr(p, of) for p in curve.points]) for of in ("work", "seconds"))
        beyond = np.array([p.fitted for p in curve.points])
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
