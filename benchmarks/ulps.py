"""By how much are XLA's elementary functions wrong, and is it less than the committed table allows?

    nice python -m benchmarks.ulps

Every function of `mvcalc_jax.taylor.intervals.ulps` in float32 and in float64, at random arguments over the whole
range, near 1, near multiples of π/2, near branch points, zeros and poles, near overflow and underflow, and then around
the worst of these; compiled for arrays, for rows and single numbers in a loop, inside a fusion with a product and a
sum, with one number as the last argument of all, of constants, op by op, and compiled quickly (`compiling.quickly`).
Each result is compared with Arb's, which encloses the true one in at least 200 bits. An error is counted in
eps·|result|, or eps·(|result| + 1) for functions whose zeros keep no relative error, after what underflow may do has
been taken off; it must be less than the table allows. Then compositions that XLA rewrites, as they are and with
barriers between their steps, where they must keep to the table, too; and what becomes of subnormal and of infinite
numbers.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import mvcalc_jax as mv
from benchmarks import compositions, results
from benchmarks.elementary import BINARY, CASES, PRECISIONS, Exact, allowance, exactly
from benchmarks.results import Bar, Findings, Table, progress
from mvcalc_jax import options, text
from mvcalc_jax.compiling import quickly
from mvcalc_jax.taylor.intervals import ulps

QUESTION = (__doc__ or "").partition("\n")[0]
ROW, FEW = 7, 5
"""Of a row the last numbers fill no vector register of the processor; a call for each number takes its time."""
ROUNDS = 5
"""One anywhere, the others around the worst of the one before."""


@dataclass(frozen=True)
class Config:
    """Compare XLA's functions with Arb's; ten minutes."""

    points: int = 20_000
    """For each function and precision, about half as many again around the worst."""
    seed: options.Seed = 0
    only: tuple[str, ...] = ()
    """These functions; none means all."""
    quick: bool = False
    """One function, at few points."""


PLACES = (0.5, 1.0, 2.0, 0.6931471805599453, 9.01, 17.0, 18.7, 19.06, 128.0, 1024.0, 126.0, 1022.0)
PLACES += tuple(
    float(k) for t in PRECISIONS for k in np.log([np.finfo(t).max, np.finfo(t).tiny, np.finfo(t).eps])
)
PLACES += tuple(k * np.pi / 2 for k in range(1, 9))


def drawn(name: str, number: int, dtype: Any, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Random arguments, 0 or normal, where the function is defined."""
    if name not in BINARY:
        return kept(name, (_drawn(name, number, dtype, rng),))
    x, y = (_drawn(name, number, dtype, rng) for _ in range(2))
    size = min(len(x), len(y))
    x, y = rng.permutation(x)[:size], rng.permutation(y)[:size]
    third, step = size // 3, 2.0 ** rng.integers(-np.finfo(dtype).nmant - 2, 3, size // 3)
    with np.errstate(
        all="ignore"
    ):  # some are near each other, so that differences and quotients cancel; some
        y[:third] = x[:third] * (rng.choice([-1, 1], third) * (1 + step * rng.normal(size=third))).astype(
            dtype
        )
        if name == "pow":  # powers that neither over- nor underflow
            most = np.log(float(np.finfo(dtype).max)) / np.log(x[third:].astype(float))
            y[third:] = (rng.uniform(-1, 1, size - third) * most).astype(dtype)
    return kept(name, (x, y))


def _drawn(name: str, number: int, dtype: Any, rng: np.random.Generator) -> np.ndarray:
    info = np.finfo(dtype)
    n = max(number // 8, 4)
    near = rng.choice(np.array([*PLACES, *CASES[name].near, *CASES[name].near]), n)
    off = 2.0 ** rng.uniform(-info.nmant - 2, 0, n) * rng.choice([-1, 1], n)
    quarter_turns = np.floor(2.0 ** rng.uniform(0, info.nmant, n)) * (np.pi / 2)
    with np.errstate(over="ignore"):
        positive = [
            2.0 ** rng.uniform(info.minexp, info.maxexp, n),
            2.0 ** rng.uniform(-60, 10, 2 * n),
            rng.uniform(0, 4, n),
            rng.uniform(0, 1.1 * np.log(float(info.max)), n),
            near * (1 + off),
            quarter_turns * (1 + 2.0**-info.nmant * rng.integers(-2, 3, n)),
            np.array([0.0, info.tiny, info.max, 1.0]),
        ]
    x = np.concatenate(positive)
    with np.errstate(all="ignore"):
        return np.unique((x * rng.choice([-1, 1], len(x))).astype(dtype))


def around(
    x: tuple[np.ndarray, ...], dtype: Any, number: int, rng: np.random.Generator
) -> tuple[np.ndarray, ...]:
    """Points around others, at all distances down to the next numbers."""
    info = np.finfo(dtype)
    found = []
    for v in x:
        v = np.resize(v, number).astype(float)
        off = 2.0 ** rng.uniform(-info.nmant - 1, -2, number) * rng.choice([-1, 0, 1], number)
        with np.errstate(all="ignore"):
            found.append((v * (1 + off)).astype(dtype))
    return tuple(found)


def kept(name: str, x: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    """The arguments that are finite, 0 or normal, and where the function is defined."""
    with np.errstate(all="ignore"):
        good = np.broadcast_to(CASES[name].defined(*x), x[0].shape).copy()
    for v in x:
        good &= np.isfinite(v) & ((v == 0) | (np.abs(v) >= np.finfo(v.dtype).tiny))
    return tuple(v[good] for v in x)


def ways(f: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    """What XLA makes of a function: for arrays, numbers and rows in a loop, in a fusion, op by op, of constants; and
    compiled as `mvcalc_jax.compiling.quickly` has it.

    Where the last argument is one number for all, a quotient becomes a product with its reciprocal.
    """
    fused = jax.jit(lambda a, b, *x: f(*x) * a + b)
    loop = lambda g: lambda *x: jax.lax.map(lambda v: g(*v), x)
    rows = lambda x: tuple(v[: len(v) // ROW * ROW].reshape(-1, ROW) for v in x)
    units = lambda x: (jnp.ones_like(x[0]), jnp.zeros_like(x[0]), *x)
    spread = lambda zeros, v: (*(u + zeros for u in v[:-1]), jnp.broadcast_to(v[-1], zeros.shape))
    last = jax.jit(lambda zeros, *x: jax.lax.map(lambda v: f(*spread(zeros, v)), x))
    whole, single = jax.jit(f), jax.jit(f)
    number, row, fused_number, fused_row = map(jax.jit, (loop(f), loop(f), loop(fused), loop(fused)))
    fast, fast_row = (jax.jit(g, compiler_options=quickly()) for g in (fused, loop(fused)))
    return {
        "array": whole,
        "number": number,
        "row": lambda *x: row(*rows(x)),
        "array, fused": lambda *x: fused(*units(x)),
        "number, fused": lambda *x: fused_number(*units(x)),
        "row, fused": lambda *x: fused_row(*rows(units(x))),
        "array, fused, compiled quickly": lambda *x: fast(*units(x)),
        "row, fused, compiled quickly": lambda *x: fast_row(*rows(units(x))),
        "op by op": f,
        "last a number": lambda *x: last(jnp.zeros(ROW, x[0].dtype), *x)[:, 0],
        "constant": lambda *x: jax.jit(lambda: f(*map(np.asarray, x)))(),
        "one": lambda *x: jnp.stack([single(*(v[k] for v in x)) for k in range(min(FEW, len(x[0])))]),
    }


class Worst(NamedTuple):
    """The largest error of a function where the table speaks of it."""

    ulps: float = 0.0
    """As the table counts them."""
    way: str = ""
    at: tuple[float, ...] = ()
    floor: float = 0.0
    """In smallest normal numbers, of results less than four of them."""
    early: tuple[tuple[float, ...], ...] = ()
    """Some arguments whose results are not finite, and should be."""
    points: int = 0


def compared(name: str, x: tuple[np.ndarray, ...], y: np.ndarray, exact: Exact) -> tuple[np.ndarray, ...]:
    """Of each result the error in ulp and in smallest normal numbers, and whether it is lost to overflow."""
    info, allowed = np.finfo(y.dtype), allowance(name, y.dtype)
    offset, (off, size) = allowed.absolute / allowed.ulps, exact.off(y)
    inside = ~np.isnan(exact.high)
    for v, (low, high) in zip(x, allowed.domain, strict=True):
        inside &= (v >= low) & (v <= high)
    with np.errstate(all="ignore"):
        unit, least = np.ldexp(1.0, exact.shift), np.ldexp(float(info.tiny), exact.shift)
        above = np.maximum(off - ulps.FLOOR * least, 0) / (float(info.eps) * (size + offset * unit))
        floor = np.where((size < 4 * least) & (offset == 0), off / least, 0)
    finite = inside & np.isfinite(y)
    kept = lambda v: np.where(finite, np.nan_to_num(v, posinf=np.inf), 0)
    return kept(above), kept(floor), inside & ~np.isfinite(y) & exact.within(y.dtype)


def measured(name: str, dtype: Any, number: int, seed: int) -> Worst:
    """Compare a function with the truth, at random points and around the worst of them."""
    rng = np.random.default_rng(seed)
    x, worst, computed = drawn(name, number, dtype, rng), Worst(), ways(CASES[name].f)
    for _ in range(ROUNDS):
        exact, errors, early = exactly(name, x), np.zeros(len(x[0])), []
        for way, run in computed.items():
            y = np.asarray(run(*map(jnp.asarray, x))).reshape(-1)
            start, true = tuple(v[: len(y)] for v in x), Exact(*(v[: len(y)] for v in exact))
            found, floor, lost = compared(name, start, y, true)
            k = int(np.argmax(found))
            if found[k] > worst.ulps:
                worst = worst._replace(ulps=float(found[k]), way=way, at=tuple(float(v[k]) for v in start))
            early += list(zip(*(v[lost].tolist() for v in start), strict=True))
            worst = worst._replace(floor=max(worst.floor, float(floor.max())))
            errors[: len(y)] = np.maximum(errors[: len(y)], found)
        worst = worst._replace(
            early=(*worst.early, *early[:: max(len(early), 1)]), points=worst.points + len(x[0])
        )
        top = np.argsort(errors)[-max(number // 400, 3) :]
        near = kept(name, around(tuple(v[top] for v in x), dtype, number // 6, rng))
        x = tuple(np.resize(v, max(number // 8, ROW)) for v in near)
    return worst


def subnormal(dtype: Any) -> str:
    """What XLA does to numbers less than the smallest normal one, and to infinite ones."""
    info = np.finfo(dtype)
    small, tiny = np.asarray(info.tiny / 4, dtype), np.asarray(info.tiny, dtype)
    said = []
    for way, run in (("compiled", jax.jit), ("op by op", lambda f: f)):
        taken = float(run(lambda x: x * 2.0**24)(jnp.asarray(small)))
        given = float(run(lambda x: x * 0.25)(jnp.asarray(tiny)))
        log, root = float(run(jnp.log)(jnp.asarray(small))), float(run(jax.lax.rsqrt)(jnp.asarray(small)))
        words = ["kept" if v else "0" for v in (taken, given)]
        said.append(f"{way}: an argument is {words[0]}, a result {words[1]}, log {log:.4g}, rsqrt {root:.4g}")
    return f"subnormal numbers in {np.dtype(dtype).name}, " + "; ".join(said)


def limits(dtype: Any) -> list[tuple[str, ...]]:
    """A row for each function of one argument: its values at −∞, ∞ and nan, and at the largest numbers."""
    ends = np.array([-np.inf, -np.finfo(dtype).max, np.finfo(dtype).max, np.inf, np.nan], dtype)
    rows: list[tuple[str, ...]] = [("", "−∞", "−max", "max", "∞", "nan")]
    for name, case in CASES.items():
        if name not in BINARY:
            rows.append((name, *(f"{v:.6g}" for v in np.asarray(jax.jit(case.f)(ends)).tolist())))
    return rows


def findings(config: Config) -> Findings:
    mv.require.whole("points", config.points, least=50)
    for name in config.only:
        mv.require.one_of("only", name, tuple(CASES))
    if config.quick:
        config = replace(config, points=100, only=config.only or ("exp",))
    with mv.devices.computing("cpu", "float64"):
        began = time.perf_counter()
        rows, beyond, shares = compare(config.only or tuple(CASES), config)
        seconds = time.perf_counter() - began
        worst = max(shares, key=lambda name: shares[name])
        allowed = f"{len(beyond)} of {len(shares)} functions and precisions are beyond the table"
        found = Findings(
            [Table("Functions", rows)],
            [Bar(not beyond, f"{allowed}{results.named(beyond)}; the bar is 0")],
            f"{allowed}; the nearest to what it allows is {worst}, at {shares[worst]:.0%} of it.",
            "The largest errors that were met, which are not the largest there are; of this processor's instructions.",
            {"share of what is allowed": shares, "seconds": seconds},
        )
        return found if config.only else found + _steps(config)


def _steps(config: Config) -> Findings:
    """Of compositions, and at the ends of the numbers."""
    shares, apart = compositions.compared(max(config.points // 20, 50), config.seed)
    many = f"{len(apart)} of {len(shares) - 1} compositions"
    words = f"{many} are beyond what their steps allow, despite barriers"
    ends = [Table(f"At the ends of {np.dtype(dtype).name}", limits(dtype)) for dtype in PRECISIONS]
    return Findings(
        [Table("Compositions, as a share of what their steps allow", shares), *ends],
        [Bar(not apart, f"{words}{results.named(apart)}; the bar is 0")],
        "\n".join(f"- {subnormal(dtype)}" for dtype in PRECISIONS),
    )


def compare(
    names: Sequence[str], config: Config
) -> tuple[list[tuple[str, ...]], list[str], dict[str, float]]:
    """A row for each function and precision, those beyond the table, and all errors over what is allowed."""
    rows = [
        ("", "", "measured ulp", "allowed", "underflow", "worst way", "worst at", "points", "overflows early")
    ]
    beyond, shares = [], {}
    for name in names:
        for dtype in PRECISIONS:
            worst, allowed = measured(name, dtype, config.points, config.seed), allowance(name, dtype)
            shares[f"{name}, {np.dtype(dtype).name}"] = worst.ulps / allowed.ulps
            if worst.ulps > allowed.ulps or worst.floor > ulps.FLOOR:
                beyond.append(f"{name} {np.dtype(dtype).name}")
            figures = (f"{worst.ulps:.3g}", f"{allowed.ulps:.3g}", f"{worst.floor:.2g}")
            early = text.vector(worst.early[0], 6) if worst.early else ""
            at = text.vector(worst.at, 9)
            rows.append(
                (name, np.dtype(dtype).name, *figures, worst.way, at, text.count(worst.points), early)
            )
        progress(f"      {name}")
    return rows, beyond, shares


if __name__ == "__main__":
    results.leave(findings, Config)
