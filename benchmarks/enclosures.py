"""Does a function ever leave its band, and how much wider than it must be is the band?

    nice python -m benchmarks.enclosures [--full] [--functions exp "x/(1 + x²)"] [--orders 1-8]

Soundness: functions of the catalogue and of `benchmarks.edges`, random boxes of radius 1e-6 to 10, many of them across
poles, jumps and kinks, in float32 and float64; random points and the ends of every box, f there in ball arithmetic to
60 digits, and `lower(x)`, `upper(x)` compared with it exactly. Then compiled bands, ranges by `interval`, functions of
several variables, and what is proven of ranges, roots and integrals. Sharpness: the width of the remainder over the
width that it must have, at order 2, beside the textbook's bound by the second derivative. A quarter of an hour;
`--full` takes hours: give it `--functions`, too.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import flint
import jax
import numpy as np

import mvcalc_jax as mv
from benchmarks import catalogue, edges, proven, results
from benchmarks.harness import spoken
from benchmarks.results import Bar, Findings, Table, progress
from mvcalc_jax import options, text
from mvcalc_jax.taylor.bands.enclosure import TaylorEnclosure, taylor_enclosure

QUESTION = (__doc__ or "").partition("\n")[0]
BITS = 240
PRECISIONS = (np.float32, np.float64)
RADII = (0.01, 0.1, 0.5, 1.0)
SIMPLE, COMPOSED, PIECEWISE, RATIONAL, COVERED = 1.05, 2.0, 1.05, 2.0, 40
"""What is asked: median sharpness of elementary functions, of compositions, of both in 16 pieces; of x/(1 + x²) on
[0, 1]; and functions of the catalogue's fifty-three."""


@dataclass(frozen=True)
class Config:
    """Look for points outside of bands; a quarter of an hour."""

    functions: tuple[str, ...] = ()
    """By name; none means all."""
    boxes: int = 24
    """For each function."""
    points: int = 24
    """For each box."""
    orders: str = "1,2,5"
    """Such as 1-8."""
    seed: options.Seed = 0
    full: bool = False
    """200 boxes, 200 points, orders 1-8: hours."""
    quick: bool = False
    """One function, few boxes and points, order 2, and nothing that is proven."""


def orders_of(words: str) -> list[int]:
    """1,2,5 or 1-8."""
    found: list[int] = []
    for part in words.split(","):
        low, _, high = part.partition("-")
        found += range(int(low), int(high or low) + 1)
    return found


class Boxes(NamedTuple):
    """Middles and radii, points of each box, and the largest and smallest float64 on either side of f there."""

    x0: np.ndarray
    radius: np.ndarray
    x: np.ndarray
    below: np.ndarray
    above: np.ndarray


def boxes_of(case: edges.Case, dtype: Any, boxes: int, points: int, rng: np.random.Generator) -> Boxes:
    """Random boxes, three of four of them cut to where the middles are, which for most is where f is smooth."""
    low, high = case.middles
    x0 = rng.uniform(low, high, boxes)
    x0[::5] = np.round(x0[::5])  # where kinks and jumps are
    x0 = np.clip(x0, low, high).astype(dtype)
    radius = 10 ** rng.uniform(-6, 1, boxes)
    cut = (np.arange(boxes) % 4 > 0) & (np.minimum(x0 - low, high - x0) > 1e-5)
    radius = np.where(cut, np.minimum(radius, 0.999 * np.minimum(x0 - low, high - x0)), radius).astype(dtype)
    t = rng.uniform(-1, 1, (boxes, points))
    t[:, :3] = -1, 0, 1
    near = rng.random((boxes, points)) < 0.2
    t = np.where(near, t * 10.0 ** rng.uniform(-6, 0, t.shape), t)
    t[:, :3] = -1, 0, 1
    x = (x0[:, None] + t * radius[:, None]).astype(dtype)
    below, above = exactly(case, x)
    return Boxes(x0, radius, x, below, above)


def exactly(case: edges.Case, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest floats below and above f(x): a float is ≤ f(x) just if it is ≤ the first. NaN where f is
    undefined."""
    ends = np.full((2, *x.shape), np.nan)
    before = flint.ctx.prec, flint.ctx.cap
    flint.ctx.prec, flint.ctx.cap = BITS, 1
    try:
        for at in np.ndindex(x.shape):
            if case.holds[0] <= x[at] <= case.holds[1]:
                ends[:, *at] = around(case.exact, x[at], x.dtype)
    finally:
        flint.ctx.prec, flint.ctx.cap = before
    return ends[0], ends[1]


def around(exact: Callable[[Any, Any], Any], x: Any, dtype: Any) -> tuple[float, float]:
    try:
        ball = exact(flint.arb(float(x)), dtype)
    except (ValueError, ZeroDivisionError, ArithmeticError):
        return np.nan, np.nan
    if not ball.is_finite():
        return np.nan, np.nan
    y = float(ball.mid())
    if np.isinf(y):
        return (np.finfo(float).max, np.inf) if y > 0 else (-np.inf, -np.finfo(float).max)
    below, above = flint.arb(y) > ball, flint.arb(y) < ball
    return (np.nextafter(y, -np.inf) if below else y), (np.nextafter(y, np.inf) if above else y)


class Tally(NamedTuple):
    """Points looked at, outside and where; boxes, bounded boxes; and their widths over f's size."""

    points: int
    outside: int
    worst: str
    boxes: int
    bounded: int


def bands(case: edges.Case, at: Boxes, order: int, compiled: bool = False, pieces: int = 1) -> Any:
    """lower(x) and upper(x) of all boxes."""

    def of(x0: Any, radius: Any, x: Any) -> Any:
        band = taylor_enclosure(case.f, x0, radius, order, pieces=pieces).band(x)
        return band.lo, band.hi

    of = jax.vmap(of)
    with jax.enable_x64(at.x0.dtype == np.float64):
        return tuple(
            np.asarray(end, float) for end in (jax.jit(of) if compiled else of)(at.x0, at.radius, at.x)
        )


def tally(case: edges.Case, at: Boxes, found: Any, said: str) -> Tally:
    """How many points are outside."""
    low, high = (np.broadcast_to(end, at.x.shape) for end in found)
    defined = ~np.isnan(at.below)
    outside = defined & ~((low <= at.below) & (at.above <= high))
    worst = ""
    if outside.any():
        k, j = np.argwhere(outside)[0]
        worst = (
            f"{case.name} ({said}) at {at.x[k, j]!r}: {at.below[k, j]!r} outside [{low[k, j]!r}, {high[k, j]!r}], "
            f"x0 = {at.x0[k]!r}, radius = {at.radius[k]!r}"
        )
    bounded = np.isfinite(low).all(1) & np.isfinite(high).all(1)
    return Tally(int(defined.sum()), int(outside.sum()), worst, len(at.x0), int(bounded.sum()))


def chosen(config: Config) -> list[edges.Case]:
    known = {case.name: case for case in edges.CASES}
    for name in config.functions:
        mv.require.one_of("function", name, known)
    return [case for case in edges.CASES if not config.functions or case.name in config.functions]


def soundness(config: Config) -> Findings:
    """Points looked at and outside, by kind."""
    rng, missed, sums, refused = np.random.default_rng(config.seed), [], {}, []
    orders = orders_of(config.orders)
    for number, case in enumerate(chosen(config)):
        for dtype in PRECISIONS:
            at = boxes_of(case, dtype, config.boxes, config.points, rng)
            try:
                kinds = {f"order {n}": bands(case, at, n) for n in orders}
                kinds["order 2, 5 pieces"] = bands(case, at, 2, pieces=5)
                if number % 12 == 0:
                    kinds |= {
                        f"compiled, order {n}": bands(case, at, n, compiled=True)
                        for n in (1, 2, 3)[: 1 + 2 * config.full]
                    }
                kinds["interval"] = by_interval(case, at)
            except ValueError as error:
                refused.append(f"{case.name}: {text.first_line(str(error))[:90]}")
                break
            for kind, found in kinds.items():
                said = f"{kind}, {np.dtype(dtype).name}"
                one = tally(case, at, found, said)
                sums.setdefault(said, []).append(one)
                missed += [f"{one.outside} points outside: {one.worst}"] if one.outside else []
    rows = [("", "functions", "points", "outside", "boxes", "bounded")]
    for said, found in sorted(sums.items()):
        total = [sum(column) for column in list(zip(*found, strict=True))[:2]] + [sum(t.boxes for t in found)]
        share = sum(t.bounded for t in found) / total[2]
        rows.append(
            (said, str(len(found)), text.count(total[0]), str(total[1]), text.count(total[2]), f"{share:.0%}")
        )
    every = [one for of in sums.values() for one in of]
    points, outside, boxes = (
        sum(getattr(one, name) for one in every) for name in ("points", "outside", "boxes")
    )
    return Findings(
        [Table("Points in bands", rows)],
        [
            Bar(
                outside == 0,
                f"{outside} of {text.count(points)} points are outside{results.named(missed)}; the bar is 0",
            )
        ],
        f"Of {text.count(points)} points in {text.count(boxes)} boxes {outside} are outside of their bands.",
        f"Without a band: {'; '.join(dict.fromkeys(refused))}." if refused else "",
    )


def by_interval(case: edges.Case, at: Boxes) -> Any:
    """The range of f over each box, for its points that lie in it."""
    with jax.enable_x64(at.x0.dtype == np.float64):
        low, high = at.x.min(1), at.x.max(1)
        found = jax.vmap(lambda a, b: mv.interval(case.f)(mv.Interval(a, b)))(low, high)
        ends = (found.lo, found.hi) if isinstance(found, mv.Interval) else (found, found)
        return tuple(np.broadcast_to(np.asarray(end, float)[:, None], at.x.shape) for end in ends)


def sharp_width(entry: catalogue.Entry, x0: float, radius: float, order: int = 2, count: int = 100) -> float:
    """How wide f[x₀, …, x₀, x] is over a region, from values to many digits."""
    flint.ctx.prec, flint.ctx.cap = 400, order + 1
    c = list(entry.oracle(flint.arb_series([flint.arb(x0), 1])).coeffs())
    c += [flint.arb(0)] * (order + 1 - len(c))
    found = [float(c[order])]
    for t in np.linspace(-1, 1, 2 * count):
        h = flint.arb(float(t)) * flint.arb(radius)
        flint.ctx.cap = 1
        rest = entry.oracle(flint.arb_series([flint.arb(x0) + h]))[0]
        for k in range(order):
            rest = (rest - c[k]) / h if k == 0 else rest / h - c[k] / h
        found.append(float(rest))
    return max(found) - min(found)


def sharpness(config: Config) -> Findings:
    """How much wider than it must be the remainder is at order 2."""
    names = {case.name for case in chosen(config)} | ({*edges.ROUNDED} if not config.functions else set())
    rows = [("", "functions", "one piece", "16 pieces", "by f″ over the region")]
    bars, said = [], []
    for kind, entries, bar in (
        ("elementary", catalogue.FUNCTIONS, SIMPLE),
        ("compositions", catalogue.COMPOSITIONS, COMPOSED),
    ):
        entries = [e for e in entries if e.name in names]
        ratios = [
            np.concatenate(column) for column in zip(*filter(None, map(ratios_of, entries)), strict=True)
        ]
        if not ratios:
            continue
        quartiles = lambda r: " / ".join(f"{q:.3f}" for q in np.nanquantile(r, (0.25, 0.5, 0.75)))
        row: Any = (kind, str(len(entries)), *map(quartiles, ratios))
        rows.append(row)
        for what, found, limit in (("one piece", ratios[0], bar), ("16 pieces", ratios[1], PIECEWISE)):
            times = float(np.nanmedian(found))
            words = f"{kind} in {what} are {times:.3f} times as wide as they must be, in the median"
            bars.append(Bar(times <= limit, f"{words}; the bar is {limit:g}"))
            said.append(f"{times:.3f} ({kind}, {what})")
    conclusion = (
        f"Remainders of order 2 are so many times as wide as they must be: {', '.join(said)}." if said else ""
    )
    return Findings(
        [Table("Width of the remainder over that of a sharp one; quartiles", rows)], bars, conclusion
    )


def ratios_of(entry: catalogue.Entry) -> tuple[np.ndarray, ...] | None:
    """The ratios of one function, at up to 3 points and all radii that its domain has room for."""
    low, high = entry.domain
    at = [(low + q * (high - low), r) for q in (0.3, 0.5, 0.8) for r in RADII]
    at = [(x, r) for x, r in at if low <= x - r and x + r <= high]
    sharp = np.array([sharp_width(entry, x, r) for x, r in at])
    x0, radius = (np.array(column) for column in zip(*at, strict=True))
    with jax.enable_x64(True):
        try:
            of = lambda pieces: jax.vmap(
                lambda x, r: taylor_enclosure(entry.f, x, r, 2, pieces=pieces).remainder.width
            )
            one, many = (np.asarray(of(pieces)(x0, radius)) for pieces in (1, 16))
        except ValueError:
            return None
        try:
            second = mv.interval(jax.grad(jax.grad(entry.f)))
            plain = np.asarray(jax.vmap(lambda x, r: second(mv.Interval(x - r, x + r)).width / 2)(x0, radius))
        except ValueError:
            plain = np.full(len(x0), np.nan)
    wide = sharp > 1e-10  # elsewhere there is nothing but rounding
    return tuple(np.where(wide, found, np.nan)[wide] / sharp[wide] for found in (one, many, plain))


REFERENCES = (
    ("exp(−x²)", (-0.672805, -0.086084)),
    ("x/(1 + x²)", (-0.72, -0.56)),
    ("exp(x) √(x + 2)", (1.485883, 2.148923)),
)
"""Sharp ranges of the remainder of order 2 about ½ on [0, 1]."""


def references(config: Config) -> Findings:
    """The remainders about ½ on [0, 1] beside the sharp ones."""
    rows, bars = [("about ½ on [0, 1]", "sharp", "one piece", "wider by", "16 pieces", "wider by")], []
    with jax.enable_x64(True):
        for name, (low, high) in REFERENCES:
            f = next(e.f for e in catalogue.COMPOSITIONS if e.name == name)
            found = [taylor_enclosure(f, 0.5, 0.5, 2, pieces=pieces).remainder for pieces in (1, 16)]
            factors = [float(R.width) / (high - low) for R in found]
            words = [f"[{float(R.lo):.6f}, {float(R.hi):.6f}]" for R in found]
            rows.append(
                (name, f"[{low}, {high}]", words[0], f"{factors[0]:.3f}", words[1], f"{factors[1]:.3f}")
            )
            if name == "x/(1 + x²)":
                wide = f"{name} on [0, 1] is {factors[0]:.2f} times as wide as it must be; the bar is {RATIONAL:g}"
                bars.append(Bar(factors[0] <= RATIONAL, wide))
            if not all(float(R.lo) <= low + 1e-6 and high - 1e-6 <= float(R.hi) for R in found):
                bars.append(Bar(False, f"{name}: the sharp range is not within {words}"))
    return Findings([Table("Known remainders", rows)], bars)


def coverage(config: Config) -> Findings:
    """How many of the catalogue's functions have an enclosure."""
    if config.functions:
        return Findings()
    lacking = []
    with jax.enable_x64(True):
        for entry in catalogue.FUNCTIONS:
            try:
                e = taylor_enclosure(entry.f, sum(entry.domain) / 2, 1e-3, 2)
                assert isinstance(e, TaylorEnclosure)
                if not np.isfinite(e.width):
                    lacking.append(f"{entry.name} (unbounded)")
            except (TypeError, ValueError):
                lacking.append(entry.name)
    covered, of = len(catalogue.FUNCTIONS) - len(lacking), len(catalogue.FUNCTIONS)
    return Findings(
        bars=[Bar(covered >= COVERED, f"{covered} of {of} functions have a band; the bar is {COVERED}")],
        limits=f"Functions without a band: {', '.join(lacking)}." if lacking else "",
    )


PARTS = (
    coverage,
    soundness,
    proven.several,
    proven.ranges,
    proven.roots,
    proven.integrals,
    sharpness,
    references,
)


def findings(config: Config) -> Findings:
    mv.require.whole("boxes", config.boxes, least=1)
    mv.require.whole("points", config.points, least=4)
    if config.full:
        config = replace(config, boxes=200, points=200, orders="1-8")
    if config.quick:
        config = replace(config, functions=config.functions or ("exp",), boxes=4, points=4, orders="2")
    found, seconds = Findings(), {}
    with mv.devices.computing("cpu", "float64"):
        for part in (soundness, sharpness) if config.quick else PARTS:
            began = time.perf_counter()
            found += part(config)
            seconds[part.__name__] = time.perf_counter() - began
            progress(f"      {part.__name__}, {spoken(seconds[part.__name__])}")
    return found + Findings(numbers={"seconds": seconds})


if __name__ == "__main__":
    results.leave(findings, Config)
