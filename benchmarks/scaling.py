"""How this package's speed and memory grow with the number of fits, of points and of parameters.

The model of `curve_fit` is a peak on a polynomial, that of `fit_gaussian` a peak, both with their default tolerances.
Data repeat after some thousand fits, which a fit does not notice. Run by `benchmarks.fitting`.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from benchmarks import batches, peers
from benchmarks.batches import Batch
from benchmarks.harness import alone, peak_memory
from benchmarks.results import Table
from mvcalc_jax import text

PART = 4096
"""Different fits in a batch."""


class Sizes(NamedTuple):
    fits: tuple[int, ...]
    points: tuple[int, ...]
    params: tuple[int, ...]
    many: int
    """Fits where points or parameters vary; fewer where there are many points."""
    precisions: tuple[str, ...] = ("float32", "float64")


class Curve(NamedTuple):
    """Fits a second of one fitter against one size."""

    name: str
    against: str
    sizes: list[int]
    rates: list[float]


def sizes(full: bool) -> Sizes:
    fits = tuple(10**k for k in range(3, 8 if full else 7))
    return Sizes(fits, (8, 16, 32, 64, 128, 256, 512), (2, 3, 4, 5, 6, 7, 8), 200_000)


def curves(sizes: Sizes) -> list[Curve]:
    """Everything that there is to measure."""
    found = []
    for precision in sizes.precisions:
        named = f"curve_fit, {precision}"
        peak = batches.peaks(PART, 0)
        few = [repeated(peak, fits, precision) for fits in sizes.fits]
        found.append(_curve(named, "number of fits", sizes.fits, few, peers.curve_fit))
        many = [
            repeated(
                batches.peaks(PART, 0, points=points), min(sizes.many, sizes.many * 32 // points), precision
            )
            for points in sizes.points
        ]
        found.append(_curve(named, "points", sizes.points, many, peers.curve_fit))
        wide = [repeated(batches.peaks(PART, 0, params=p), sizes.many, precision) for p in sizes.params]
        found.append(_curve(named, "parameters", sizes.params, wide, peers.curve_fit))
        peak, named = batches.gaussians(PART, 0), f"fit_gaussian, {precision}"
        few = [repeated(peak, fits, precision) for fits in sizes.fits]
        found.append(_curve(named, "number of fits", sizes.fits, few, peers.fit_gaussian))
    spot = batches.spots(PART, 0)
    few = [repeated(spot, fits, "float32") for fits in sizes.fits]
    fit_spots = partial(peers.fit_gaussian, model="2d")
    found.append(_curve("Gpufit's spots, float32", "number of fits", sizes.fits, few, fit_spots))
    return found


def repeated(batch: Batch, fits: int, precision: str) -> Batch:
    """A batch of so many fits, the given ones again and again."""
    batch = batch.of(precision)
    y, p0 = (np.resize(a, (fits, a.shape[1])) for a in (batch.y, batch.p0))
    return replace(batch, y=y, p0=p0)


def _curve(
    name: str, against: str, sizes: tuple[int, ...], some: list[Batch], fit: Callable[[Batch], Any]
) -> Curve:
    return Curve(name, against, list(sizes), [_rate(fit, batch) for batch in some])


def _rate(fit: Callable[[Batch], Any], batch: Batch) -> float:
    """Fits a second, the median of three calls after one to warm up."""
    taken = []
    for _ in range(4):
        began = time.perf_counter()
        fit(batch)
        taken.append(time.perf_counter() - began)
    return len(batch.y) / float(np.median(taken[1:]))


def grouped(curves: list[Curve]) -> dict[str, list[Curve]]:
    """By what they are drawn against."""
    return {
        what: [c for c in curves if c.against == what] for what in dict.fromkeys(c.against for c in curves)
    }


def table(curves: list[Curve]) -> Table:
    """A row for each fitter, precision and size that varies."""
    rows = [("fits/s", "against", *[""] * max(len(curve.sizes) for curve in curves))]
    width = len(rows[0])
    for curve in curves:
        cells = [f"{text.count(n)}: {r:.2g}" for n, r in zip(curve.sizes, curve.rates, strict=True)]
        rows.append((curve.name, curve.against, *cells, *[""] * (width - 2 - len(cells))))
    return Table("Growth", rows)


def memory(fits: int) -> Table:
    """Peak memory above that of the data, each in a process of its own."""
    rows = [(f"{text.count(fits)} fits of 32 points", "data", "peak above it", "bytes a fit")]
    for name in ("curve_fit", "fit_gaussian"):
        for precision in ("float32", "float64"):
            held, above = alone(weighed, name, precision, fits)
            cells = f"{held / 1e6:.0f} MB", f"{above / 1e6:.0f} MB", f"{above / fits:.0f}"
            rows.append((f"{name}, {precision}", *cells))
    return Table("Memory", rows)


def weighed(name: str, precision: str, fits: int) -> tuple[int, int]:
    """Bytes of the data, and of the peak above what the process held before, with XLA warmed up."""
    part = batches.gaussians(PART, 0)
    fit = {"curve_fit": peers.curve_fit, "fit_gaussian": peers.fit_gaussian}[name]
    fit(part.of(precision))
    batch = repeated(part, fits, precision)
    before = peak_memory()
    fit(batch)
    return batch.y.nbytes + batch.p0.nbytes, peak_memory() - before
