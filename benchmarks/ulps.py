"""By how much are XLA's elementary functions wrong, and is it less than the committed table allows?

    nice python -m benchmarks.ulps

Every function of `mvcalc_jax.taylor.intervals.ulps` in float32 and in float64, at random arguments over the whole
range, near 1, near multiples of π/2, near branch points, zeros and poles, near overflow and underflow, and then around
the worst of these; compiled for arrays, for rows and single numbers in a loop, inside a fusion with a product and a
sum, with one number as the last argument of all, of constants, and op by op. Each result is compared with Arb's, which
encloses the true one in at least 200 bits. An error is counted in eps·|result|, or eps·(|result| + 1) for functions
whose zeros keep no relative error, after what underflow may do has been taken off; it must be less than the table
allows. Then compositions that XLA rewrites, as they are and with barriers between their steps, where they must keep to
the table, too; and what becomes of subnormal and of infinite numbers.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import flint
import jax
import jax.numpy as jnp
import numpy as np
from flint import arb

import mvcalc_jax as mv
from benchmarks import results
from benchmarks.results import Bar, Findings, Table, progress
from mvcalc_jax import options, text
from mvcalc_jax.taylor.intervals import ulps

QUESTION = (__doc__ or "").partition("\n")[0]
PRECISION = 200
"""Bits of Arb, doubled until so many less a hundred of a result are known."""
ROW, FEW = 7, 5
"""Of a row the last numbers fill no vector register of the processor; a call for each number takes its time."""
ROUNDS = 5
"""One anywhere, the others around the worst of the one before."""
FAR = 900
"""Results beyond 2**±FAR are scaled before they become a pair of floats."""


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


class Case(NamedTuple):
    """A function of XLA's, the exact one, where it is defined, and places to look at more closely."""

    f: Callable[..., Any]
    exact: Callable[..., arb]
    defined: Callable[..., Any] = lambda *x: True
    near: Sequence[float] = ()


def _odd(f: Callable[[arb], arb]) -> Callable[[arb], arb]:
    return lambda x: f(x) if x > 0 else -f(-x) if x < 0 else x


def _lgamma(x: arb) -> arb:
    if x > 0:
        return x.lgamma()
    return abs(arb.pi() / ((arb.pi() * x).sin() * x)).log() - (-x).lgamma()


def _atan2(y: arb, x: arb) -> arb:
    return arb.atan2(y, x)


def _softplus(x: arb) -> arb:
    return x.exp().log1p()


def _logaddexp(x: arb, y: arb) -> arb:
    return x + _softplus(y - x)


GAMMA = (1.0, 2.0, 1.4616321449683623, -0.504083, -1.573498, -2.610720, -3.635293, -2.457024738, -2.747682647)
GAMMA += (-3.143580888, -3.955294284, -4.039361840, -4.991544640, -1.0, -2.0, -3.0, -4.0, -5.0, -10.0, -20.0)
SMALL = lambda x: abs(x) <= 1
POSITIVE = lambda x: x > 0

CASES: dict[str, Case] = {
    "add": Case(jnp.add, lambda x, y: x + y),
    "sub": Case(jnp.subtract, lambda x, y: x - y),
    "mul": Case(jnp.multiply, lambda x, y: x * y),
    "div": Case(jnp.divide, lambda x, y: x / y, lambda x, y: y != 0),
    "sqrt": Case(jax.lax.sqrt, arb.sqrt, POSITIVE),
    "rsqrt": Case(jax.lax.rsqrt, arb.rsqrt, POSITIVE),
    "cbrt": Case(jax.lax.cbrt, _odd(lambda x: x.root(3))),
    "square": Case(jax.lax.square, lambda x: x * x),
    "pow": Case(jax.lax.pow, lambda x, y: x**y, lambda x, y: x > 0, (1.0,)),
    "exp": Case(jax.lax.exp, arb.exp),
    "exp2": Case(jax.lax.exp2, lambda x: (x * arb.const_log2()).exp()),
    "expm1": Case(jax.lax.expm1, arb.expm1),
    "log": Case(jax.lax.log, arb.log, POSITIVE),
    "log1p": Case(jax.lax.log1p, arb.log1p, lambda x: x > -1, (-1.0, 2**0.5 - 1, 1 - 2**0.5, 0.5**0.5 - 1)),
    "sin": Case(jax.lax.sin, arb.sin),
    "cos": Case(jax.lax.cos, arb.cos),
    "tan": Case(jax.lax.tan, arb.tan),
    "asin": Case(jax.lax.asin, arb.asin, SMALL),
    "acos": Case(jax.lax.acos, arb.acos, SMALL),
    "atan": Case(jax.lax.atan, arb.atan),
    "atan2": Case(jax.lax.atan2, _atan2, lambda y, x: (y != 0) | (x > 0)),
    "sinh": Case(jax.lax.sinh, arb.sinh),
    "cosh": Case(jax.lax.cosh, arb.cosh),
    "tanh": Case(jax.lax.tanh, arb.tanh),
    "asinh": Case(jax.lax.asinh, arb.asinh),
    "acosh": Case(jax.lax.acosh, arb.acosh, lambda x: x >= 1),
    "atanh": Case(jax.lax.atanh, arb.atanh, lambda x: abs(x) < 1, (1 - 2**0.5, 2**0.5 - 1)),
    "logistic": Case(jax.lax.logistic, lambda x: 1 / (1 + (-x).exp())),
    "erf": Case(jax.lax.erf, arb.erf),
    "erfc": Case(jax.lax.erfc, arb.erfc),
    "lgamma": Case(jax.lax.lgamma, _lgamma, lambda x: (x > 0) | (x != np.floor(x)), GAMMA),
    "digamma": Case(jax.lax.digamma, arb.digamma, lambda x: (x > 0) | (x != np.floor(x)), GAMMA),
    "softplus": Case(jax.nn.softplus, _softplus),
    "log_sigmoid": Case(jax.nn.log_sigmoid, lambda x: -_softplus(-x)),
    "logaddexp": Case(jnp.logaddexp, _logaddexp),
}
EXPONENTS = (-9, -3, -2, -1, 3, 4, 7, 16, 31)
for _n in EXPONENTS:
    CASES[f"integer_pow {_n}"] = Case(
        lambda x, n=_n: jax.lax.integer_pow(x, n), lambda x, n=_n: x**n, lambda x: x != 0
    )
PRECISIONS = (np.float32, np.float64)
BINARY = ("add", "sub", "mul", "div", "pow", "atan2", "logaddexp")

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


class Exact(NamedTuple):
    """True values 2**−shift (high + low), high infinite where one lies beyond all floats, nan where there is none."""

    high: np.ndarray
    low: np.ndarray
    shift: np.ndarray

    def within(self, dtype: Any) -> np.ndarray:
        """Where a true value is finite in a precision."""
        with np.errstate(all="ignore"):
            return np.abs(np.ldexp(self.high, -self.shift)) <= float(np.finfo(dtype).max)

    def off(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of results their distances and sizes, scaled alike."""
        with np.errstate(all="ignore"):
            scaled = np.ldexp(y.astype(float), self.shift)
            return np.abs((scaled - self.high) - self.low), np.abs(scaled)


def enclosed(f: Callable[..., arb], x: Sequence[float]) -> arb:
    """Arb's value with enough bits, or one that is not finite."""
    try:
        precision = PRECISION
        while True:
            flint.ctx.prec = precision
            value = f(*map(arb, x))
            known = value.is_finite() and (value == 0 or value.rel_accuracy_bits() >= PRECISION - 100)
            if known or precision >= 64 * PRECISION:
                return value if known else arb("nan")
            precision *= 2
    finally:
        flint.ctx.prec = PRECISION


def exactly(name: str, x: tuple[np.ndarray, ...]) -> Exact:
    """True values at arguments."""
    high, low, shift = np.full(len(x[0]), np.nan), np.zeros(len(x[0])), np.zeros(len(x[0]), int)
    for k, at in enumerate(zip(*(v.tolist() for v in x), strict=True)):
        high[k], low[k], shift[k] = pair(enclosed(CASES[name].exact, at))
    return Exact(high, low, shift)


def pair(value: arb) -> tuple[float, float, int]:
    """An enclosed value as a sum of two floats and a power of two taken out."""
    if not value.is_finite():
        return np.nan, 0.0, 0
    middle = value.mid()
    mantissa, exponent = map(int, middle.man_exp()) if middle != 0 else (0, 0)
    size, shift = exponent + mantissa.bit_length(), 0
    if size < -2 * FAR:  # to the table it is 0
        return 0.0, 0.0, 0
    if size > 2 * FAR:
        return np.inf if mantissa > 0 else -np.inf, 0.0, 0
    if abs(size) > FAR:
        shift, middle = -size, middle * arb(2) ** -size
    high = float(middle)
    return high, float(middle - arb(high)), shift


def ways(f: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    """What XLA makes of a function: for arrays, numbers and rows in a loop, in a fusion, op by op, of constants.

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
    return {
        "array": whole,
        "number": number,
        "row": lambda *x: row(*rows(x)),
        "array, fused": lambda *x: fused(*units(x)),
        "number, fused": lambda *x: fused_number(*units(x)),
        "row, fused": lambda *x: fused_row(*rows(units(x))),
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


def allowance(name: str, dtype: Any) -> ulps.Error:
    """The table's row."""
    primitive, _, exponent = name.partition(" ")
    return ulps.error(primitive, dtype, int(exponent) if exponent else None)


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


class Enclosed:
    """Arb's functions, each result widened by what the table allows XLA to be wrong by."""

    def __init__(self, dtype: Any):
        self.dtype, info = dtype, np.finfo(dtype)
        self.eps, self.tiny = float(info.eps), float(info.tiny)

    def __getattr__(self, name: str) -> Callable[..., arb]:
        def widened(*x: Any) -> arb:
            exact = [v if isinstance(v, arb) else arb(float(np.asarray(v, self.dtype))) for v in x]
            value, allowed = CASES[name].exact(*exact), allowance(name, self.dtype)
            for v, (low, high) in zip(exact, allowed.domain, strict=True):
                if not (v >= low and v <= high):
                    return arb("nan")
            size = float(abs(value).upper()) if value.is_finite() else np.inf
            if not size < float(
                np.finfo(self.dtype).max
            ):  # the table says nothing of results that are not finite
                return arb("nan")
            return value + arb(
                0, self.eps * (allowed.ulps * size + allowed.absolute) + ulps.FLOOR * self.tiny
            )

        return widened


class Compiled:
    """XLA's functions, kept apart by barriers or not."""

    def __init__(self, dtype: Any, apart: bool):
        self.dtype, self.apart = dtype, apart

    def __getattr__(self, name: str) -> Callable[..., jax.Array]:
        def called(*x: Any) -> jax.Array:
            y = CASES[name].f(*jnp.broadcast_arrays(*(jnp.asarray(v, self.dtype) for v in x)))
            return jax.lax.optimization_barrier(y) if self.apart else y

        return called


COMPOSITIONS: dict[str, Callable[..., Any]] = {
    "exp(x) y + z": lambda o, x, y, z: o.add(o.mul(o.exp(x), y), z),
    "exp(x) exp(y)": lambda o, x, y, z: o.mul(o.exp(x), o.exp(y)),
    "exp(x) / exp(y)": lambda o, x, y, z: o.div(o.exp(x), o.exp(y)),
    "z / exp(x)": lambda o, x, y, z: o.div(z, o.exp(x)),
    "log(exp(x))": lambda o, x, y, z: o.log(o.exp(x)),
    "exp(x)^y": lambda o, x, y, z: o.pow(o.exp(x), y),
    "(exp(x)^y)^z": lambda o, x, y, z: o.pow(o.pow(o.exp(x), y), z),
    "log(exp(x)^y)": lambda o, x, y, z: o.log(o.pow(o.exp(x), y)),
    "x / exp(y)^z": lambda o, x, y, z: o.div(x, o.pow(o.exp(y), z)),
    "x / sqrt(exp(y))": lambda o, x, y, z: o.div(x, o.sqrt(o.exp(y))),
    "rsqrt(exp(x)) rsqrt(exp(x))": lambda o, x, y, z: o.mul(o.rsqrt(o.exp(x)), o.rsqrt(o.exp(x))),
    "(x / y) / z": lambda o, x, y, z: o.div(o.div(x, y), z),
    "(x / y) / (z / x)": lambda o, x, y, z: o.div(o.div(x, y), o.div(z, x)),
    "(x 1e-30) 1e-30": lambda o, x, y, z: o.mul(o.mul(x, 1e-30), 1e-30),
    "x / (y / z)": lambda o, x, y, z: o.div(x, o.div(y, z)),
    "x y − z x": lambda o, x, y, z: o.sub(o.mul(x, y), o.mul(z, x)),
    "(x + 1e6) − 1e6": lambda o, x, y, z: o.sub(o.add(x, 1e6), 1e6),
    "(x / 0.1) / 0.3": lambda o, x, y, z: o.div(o.div(x, 0.1), 0.3),
    "1 − x x": lambda o, x, y, z: o.sub(1.0, o.mul(x, x)),
    "1 / (1 + exp(x))": lambda o, x, y, z: o.div(1.0, o.add(1.0, o.exp(x))),
    "exp(x)^½": lambda o, x, y, z: o.pow(o.exp(x), 0.5),
    "10^x": lambda o, x, y, z: o.pow(10.0, x),
}


def rewritten(name: str, dtype: Any, number: int, seed: int) -> tuple[float, float]:
    """Of a composition the worst share of what its steps allow together; then the same with barriers between them."""
    rng, info = np.random.default_rng(seed), np.finfo(dtype)
    reach = np.log(float(info.max)) * (0.45 if name.count("exp") > 1 else 0.99)
    x, y, z = (rng.uniform(-1, 1, number) * rng.choice([3, reach], number) for _ in range(3))
    y[::4], z[1::4] = x[::4] * (1 + 1e-3 * rng.normal(size=len(y[::4]))), y[1::4]
    wide = lambda: 2.0 ** rng.uniform(info.minexp, info.maxexp - 1, number) * rng.choice([-1, 1], number)
    few = rng.uniform(size=number) < 0.5
    z = np.where(few, wide(), z)
    if "exp" not in name:
        x, y = np.where(few, wide(), x), np.where(few, wide(), y)
    points = tuple(v.astype(dtype) for v in (x, y, z))
    flint.ctx.prec = PRECISION
    enclosed = Enclosed(dtype)
    balls = [COMPOSITIONS[name](enclosed, *at) for at in zip(*(v.tolist() for v in points), strict=True)]
    shares = []
    for apart in (False, True):
        o = Compiled(dtype, apart)
        found = np.asarray(jax.jit(lambda *x, o=o: COMPOSITIONS[name](o, *x))(*points)).tolist()
        off = [
            float(abs(arb(v) - ball.mid()) / (ball.rad() + arb(2) ** -2000))
            for v, ball in zip(found, balls, strict=True)
            if np.isfinite(v) and ball.is_finite()
        ]
        shares.append(max(off, default=0.0))
    return shares[0], shares[1]


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
    shares, apart = fused(config)
    words = f"{len(apart)} of {len(COMPOSITIONS)} compositions are beyond what their steps allow, despite barriers"
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


def fused(config: Config) -> tuple[list[tuple[str, ...]], list[str]]:
    """A row for each composition, its worst error as a share of what its steps allow; those wrong despite barriers."""
    beyond = []
    rows: list[tuple[str, ...]] = [("share of what the steps allow", *("float32", "with barriers"))]
    rows[0] += ("float64", "with barriers")
    for name in COMPOSITIONS:
        shares = [
            s for t in PRECISIONS for s in rewritten(name, t, max(config.points // 20, 50), config.seed)
        ]
        rows.append((name, *(f"{s:.2g}" for s in shares)))
        beyond += [name] if max(shares[1::2]) > 1 else []
    return rows, beyond


if __name__ == "__main__":
    results.leave(findings, Config)
