"""How many fits a second, and how good are they: this package, SciPy, lmfit, optimistix and jaxopt on the same curves?

    python -m benchmarks.fitting

All fit the same simulated curves, in turns, in one process; who is slow is timed on fewer of them. SciPy and lmfit loop
over the curves. The JAX peers are vmapped over chunks, and get the loosest tolerance that reaches the accuracy asked
for, 1e-8 in float64 and 1e-4 in float32 in 99.9 % of the fits, and then the best of several chunks, on one thread or on
all cores; where none reaches it, the loosest that comes as near as any. This package gets its by the same rule.
Errors are relative to minima found independently (see `benchmarks.batches`). Everybody but `fit_gaussian` is given
starts near the truth. Then: how speed and memory of this package grow with fits, points and parameters.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator

import mvcalc_jax as mv
from benchmarks import batches, peers, results, scaling
from benchmarks.batches import Batch
from benchmarks.harness import Timing, measure, seconds, spoken
from benchmarks.peers import Chunked, Found
from benchmarks.results import Bar, Findings, Table, progress
from mvcalc_jax import options, text

QUESTION = (__doc__ or "").partition("\n")[0]
ACCURACY = {"float64": 1e-8, "float32": 1e-4}
"""Relative error to reach in 99.9 % of the fits."""
TOLERANCES = {
    "float64": (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10),
    "float32": (1e-1, 1e-2, 1e-3, 1e-4, 1e-5),
}
"""Loosest first."""
CHUNKS = (64, 256, 1024, 4096)
OURS, VMAPPED = ("fit_gaussian", "curve_fit"), ("optimistix", "jaxopt")


@dataclass(frozen=True)
class Config:
    """Race the fitters, and see how this package scales; about 20 minutes."""

    problems: str = ""
    """Only races whose title contains this."""
    device: options.Device = "auto"
    """Of everything in JAX."""
    rounds: int = 5
    """Rounds in which every contender is timed."""
    fits: int = 500_000
    """This package's, in a race."""
    quick: bool = False
    """Toy sizes, which show that all of it runs and measure nothing."""
    full: bool = False
    """Scale up to ten million fits; needs 8 GB."""


class Problem(NamedTuple):
    """What a race is about."""

    title: str
    make: Callable[[int, int], Batch]
    precisions: Sequence[str] = ("float64", "float32")
    gaussian: str = ""
    """The model of `fit_gaussian`, if it is one."""


PEAKS = Problem("Gaussian, 32 points, 3 parameters", batches.gaussians, gaussian="amplitude")
SPOTS = Problem("Gpufit's spots, 5 × 5 pixels, 5 parameters", batches.spots, ("float32",), "2d")
MODELS = (
    Problem("exponential decay, 32 points, 3 parameters", batches.decays),
    Problem("Hill curve, 24 points, 3 parameters", batches.hills),
    Problem("damped sine, 64 points, 5 parameters", batches.ringings),
)
PROBLEMS = (PEAKS, SPOTS, *MODELS)


class Sizes(NamedTuple):
    """How many fits each kind of contender is timed on, and how many minima are known."""

    ours: int
    vmapped: int
    scipy: int
    lmfit: int
    known: int

    @property
    def tuned(self) -> bool:
        """Whether there is enough to compare settings by."""
        return self.known >= 1000


class Contender(NamedTuple):
    """Someone in a race; `missing` says why not."""

    name: str
    fits: int
    run: Callable[[], Found] | None = None
    settings: str = "defaults"
    first: float | None = None
    """Seconds of its first call, compilation included, if that was before the race."""
    missing: str = ""


class Result(NamedTuple):
    """How a contender did: its seconds, what 99.9 % and all of its errors are below, what share converged."""

    contender: Contender
    timing: Timing
    errors: tuple[float, float]
    converged: float

    @property
    def rate(self) -> float:
        return self.contender.fits / self.timing.typical

    def times(self, other: "Result") -> float:
        """How many times as fast as `other`, by the median of the rounds."""
        return other.timing.over(self.timing) * self.contender.fits / other.contender.fits


class Race(NamedTuple):
    """One problem in one precision."""

    problem: Problem
    precision: str
    results: dict[str, Result]
    missing: tuple[Contender, ...]


def findings(config: Config) -> Findings:
    mv.require.whole("rounds", config.rounds, least=1)
    mv.require.whole("fits", config.fits, least=20_000)
    chosen = [problem for problem in PROBLEMS if config.problems.lower() in problem.title.lower()]
    if not chosen:
        raise ValueError(f"`problems` must be part of a title; no title contains {config.problems!r}")
    sizes = Sizes(256, 64, 8, 2, 64) if config.quick else Sizes(config.fits, 16_384, 2000, 200, 2000)
    pairs = [(problem, precision) for problem in chosen for precision in problem.precisions]
    pairs, rounds = (pairs[:1], 1) if config.quick else (pairs, config.rounds)
    races, curves, memory = [], [], []
    with mv.devices.computing(config.device):
        for problem, precision in pairs:
            batch = problem.make(sizes.ours, sizes.known)
            races.append(race(problem, precision, batch.of(precision), sizes, rounds))
            progress(f"      {races[-1].problem.title}, {precision}")
        if not config.quick:
            curves = scaling.curves(scaling.sizes(config.full))
            memory = [scaling.memory(1_000_000)]
    numbers = {f"{race.problem.title}, {race.precision}": _raw(race) for race in races}
    return Findings(
        [*map(table, races), *([scaling.table(curves)] if curves else []), *memory],
        verdicts(races, measured=not config.quick),
        conclusion(races),
        "Simulated curves, of which everybody but `fit_gaussian` is told a start near the truth; where there is a GPU "
        "only this package and the vmapped peers use it.",
        {"races": numbers, "growth": curves},
        {"speeds": drawn(races, curves)},
    )


def race(problem: Problem, precision: str, batch: Batch, sizes: Sizes, rounds: int) -> Race:
    """Find everyone's best settings, and time them in turns.

    Raises:
        AssertionError: where most of someone's fits are not near the minima; its speed would mean nothing.
    """
    entered = contenders(problem, precision, batch, sizes)
    runs = {c.name: c.run for c in entered if c.run is not None}
    timings = measure(runs, rounds)
    results = {}
    for c in entered:
        if c.run is None:
            continue
        found = c.run()
        errors = batch.errors(found.params)
        assert np.median(errors) < 1e-3, f"{c.name} does not fit: {problem.title}, {precision}"
        spread = float(np.quantile(errors, 0.999)), float(errors.max())
        results[c.name] = Result(c, timings[c.name], spread, float(np.mean(found.success)))
    return Race(problem, precision, results, tuple(c for c in entered if c.run is None))


def contenders(problem: Problem, precision: str, batch: Batch, sizes: Sizes) -> list[Contender]:
    """Everyone, and why someone is missing."""
    wide = batch.of("float64")  # as SciPy computes, whatever it is given
    fewer = batch.first(sizes.vmapped)
    gaussian = partial(peers.fit_gaussian, model=problem.gaussian)
    find: dict[str, Callable[[str], Contender]] = {
        "fit_gaussian": lambda name: _ours(name, gaussian, batch, precision, sizes.tuned),
        "curve_fit": lambda name: _ours(name, peers.curve_fit, batch, precision, sizes.tuned),
        "optimistix": lambda name: _vmapped(name, peers.optimistix, fewer, precision, sizes.tuned),
        "jaxopt": lambda name: _vmapped(name, peers.jaxopt, fewer, precision, sizes.tuned),
        "SciPy": lambda name: Contender(name, sizes.scipy, partial(peers.scipy, wide.first(sizes.scipy))),
        "lmfit": lambda name: Contender(name, sizes.lmfit, partial(peers.lmfit, wide.first(sizes.lmfit))),
    }
    if not problem.gaussian:
        del find["fit_gaussian"]
    missing = {name: peers.absent(name) for name in find}
    return [Contender(n, 0, missing=missing[n]) if missing[n] else made(n) for n, made in find.items()]


def _ours(name: str, fit: Callable[..., Found], batch: Batch, precision: str, tuned: bool) -> Contender:
    first, xtol = seconds(partial(fit, batch)), None
    if tuned:
        xtol = _loosest((*TOLERANCES[precision], None), partial(fit, batch), batch, precision)
    settings = "defaults" if xtol is None else f"xtol {xtol:g}"
    return Contender(name, len(batch.y), partial(fit, batch, xtol), settings, first)


def _vmapped(name: str, make: Callable[..., Chunked], batch: Batch, precision: str, tuned: bool) -> Contender:
    tolerance, chunks = ACCURACY[precision], CHUNKS[:1]
    if tuned:
        chunks = CHUNKS
        known = batch.first(len(batch.exact) // CHUNKS[0] * CHUNKS[0])
        trial = lambda tolerance: make(known, tolerance, CHUNKS[0])()
        tolerance = _loosest(TOLERANCES[precision], trial, known, precision)
    runs: dict[str, Callable[[], Found]] = {}
    firsts = []
    for chunk in chunks:
        chunked = make(batch, tolerance, chunk)
        firsts.append(seconds(chunked))
        for threads in sorted({1, mv.devices.cores()}):
            runs[f"tolerance {tolerance:g}, {threads} × {chunk}"] = partial(chunked, threads)
    settings = min(runs, key=lambda said: min(seconds(runs[said]) for _ in range(2)))
    return Contender(name, len(batch.y), runs[settings], settings, min(firsts))


def _loosest(tolerances: Sequence[Any], fit: Callable[[Any], Found], known: Batch, precision: str) -> Any:
    """The first tolerance that reaches the accuracy, or else the first that comes as near as any, give or take 1/4."""
    errors = []
    for tolerance in tolerances:
        errors.append(float(np.quantile(known.errors(fit(tolerance).params), 0.999)))
        if errors[-1] <= ACCURACY[precision]:
            return tolerance
    return next(t for t, error in zip(tolerances, errors, strict=True) if error <= 1.25 * min(errors))


HEADER = (
    *("", "fits/s", "slowest – fastest", "× SciPy", "× best JAX peer", "error of 99.9 %", "largest error"),
    *("converged", "timed on", "first call", "settings"),
)


def table(race: Race) -> Table:
    """A row for each contender."""
    rows: list[Sequence[str]] = [HEADER]
    peer = best_peer(race.results)
    for name, result in race.results.items():
        contender, timing = result.contender, result.timing
        slowest, fastest = (contender.fits / seconds for seconds in (max(timing.rounds), min(timing.rounds)))
        rows.append(
            (
                name,
                _rate(result.rate),
                f"{_rate(slowest)} – {_rate(fastest)}",
                f"{result.times(race.results['SciPy']):.3g}",
                f"{result.times(peer):.3g}" if peer else "–",
                *(f"{error:.0e}" for error in result.errors),
                f"{100 * result.converged:.2f} %",
                text.count(contender.fits),
                spoken(timing.first if contender.first is None else contender.first),
                contender.settings,
            )
        )
    rows += [(c.name, c.missing, *["–"] * (len(HEADER) - 2)) for c in race.missing]
    return Table(f"{race.problem.title}, {race.precision}", rows)


def best_peer(results: dict[str, Result]) -> Result | None:
    """The faster of the vmapped peers."""
    return max((results[name] for name in VMAPPED if name in results), key=lambda r: r.rate, default=None)


def _rate(rate: float) -> str:
    return f"{rate / 1e6:.2f} M" if rate >= 1e5 else f"{rate / 1e3:.3g} k"


def verdicts(races: list[Race], measured: bool = True) -> list[Bar]:
    """What was promised beside what was found; of toy sizes only that, and no verdict."""
    bars = []
    for claim, least, value in claims(races):
        who, _, what = claim.partition(": ")
        if value is not None:
            words = f"{who}: {value:.4g} {what}; the bar is {least:g}"
            bars.append(Bar(value >= least if measured else None, words))
        elif measured:
            bars.append(Bar(None, f"{who}: {what}; not raced here, the bar is {least:g}"))
    return bars


def _raw(race: Race) -> dict[str, Any]:
    return {
        name: {
            "fits": of.contender.fits,
            "settings": of.contender.settings,
            "seconds": of.timing,
            "errors": of.errors,
        }
        | {"converged": of.converged}
        for name, of in race.results.items()
    }


def conclusion(races: list[Race]) -> str:
    """For each race who is fastest, and by how much."""
    said = []
    for race in races:
        ours = max((race.results[name] for name in OURS if name in race.results), key=lambda r: r.rate)
        words = (
            f"{race.problem.title}, {race.precision}: {ours.contender.name} does {_rate(ours.rate)} fits/s"
        )
        peer, scipy = best_peer(race.results), race.results.get("SciPy")
        words += f", {ours.times(scipy):.3g} times SciPy" if scipy else ""
        words += (
            f" and {ours.times(peer):.3g} times {peer.contender.name}"
            if peer
            else ", and no vmapped peer is installed"
        )
        said.append(f"{words}.")
    return "\n".join(f"- {words}" for words in said)


def claims(races: list[Race]) -> list[tuple[str, float, float | None]]:
    """Claim, bar, and value where it could be measured."""
    found = {(race.problem.title, race.precision): race.results for race in races}

    def times(problem: Problem, precision: str, ours: str, other: str) -> float | None:
        results = found.get((problem.title, precision), {})
        peer = best_peer(results) if other == "peer" else results.get(other)
        return results[ours].times(peer) if ours in results and peer else None

    spots = found.get((SPOTS.title, "float32"), {}).get("fit_gaussian")
    any_model = [
        (
            f"curve_fit, {problem.title.partition(',')[0]}, {precision}: times the best vmapped peer",
            10.0,
            times(problem, precision, "curve_fit", "peer"),
        )
        for problem in (PEAKS, *MODELS)
        for precision in problem.precisions
    ]
    return [
        ("Gaussian, float64: times SciPy", 80, times(PEAKS, "float64", "fit_gaussian", "SciPy")),
        (
            "Gaussian, float64: times the best vmapped peer",
            30,
            times(PEAKS, "float64", "fit_gaussian", "peer"),
        ),
        ("Gaussian, float32: times SciPy", 200, times(PEAKS, "float32", "fit_gaussian", "SciPy")),
        ("Gpufit's spots: million fits/s", 1.2, spots and spots.rate / 1e6),
        ("Gpufit's spots: % converged", 99.9, spots and 100 * spots.converged),
        *any_model,
    ]


def drawn(races: list[Race], curves: list[scaling.Curve]) -> Figure:
    """Speeds of all on the left, this package's growth on the right."""
    figure = Figure(figsize=(12, 6.5), layout="constrained")
    against = scaling.grouped(curves)
    grid = figure.add_gridspec(max(len(against), 1), 2 if against else 1)
    axes = figure.add_subplot(grid[:, 0])
    names = [*OURS, *VMAPPED, "SciPy", "lmfit"]
    for bar, name in enumerate(names):
        there = [(k, race.results[name].rate) for k, race in enumerate(races) if name in race.results]
        if there:
            places, rates = np.transpose(there)
            axes.barh(places + 0.14 * (bar - 2.5), rates, 0.13, color=f"C{bar}", label=name)
    labels = [f"{race.problem.title.partition(',')[0]}\n{race.precision}" for race in races]
    axes.set(xscale="log", title="Fits a second", yticks=range(len(races)), yticklabels=labels)
    axes.invert_yaxis()
    axes.legend(fontsize=8, ncols=2, loc="upper left", bbox_to_anchor=(0, -0.05))
    for row, (size, some) in enumerate(against.items()):
        beside = figure.add_subplot(grid[row, 1])
        for curve in some:
            beside.plot(curve.sizes, curve.rates, "o-", markersize=3, label=curve.name)
        beside.set(xscale="log", yscale="log", title=f"Fits a second against {size}")
        beside.set_xticks(some[0].sizes, [f"{n:,}".replace(",", "\u202f") for n in some[0].sizes])
        beside.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        beside.yaxis.set_major_formatter(EngFormatter(sep=""))
        beside.minorticks_off()
        beside.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1, 1))
    return figure


if __name__ == "__main__":
    results.leave(findings, Config)
