"""Compositions of elementary functions that XLA rewrites: how wrong they are, and what their steps allow together."""

from collections.abc import Callable
from typing import Any

import flint
import jax
import jax.numpy as jnp
import numpy as np
from flint import arb

from benchmarks.elementary import CASES, PRECISION, PRECISIONS, allowance
from mvcalc_jax.taylor.intervals import ulps


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


def compared(number: int, seed: int) -> tuple[list[tuple[str, ...]], list[str]]:
    """A row for each composition, its worst error as a share of what its steps allow; those wrong despite barriers."""
    beyond = []
    rows: list[tuple[str, ...]] = [
        ("share of what the steps allow", "float32", "with barriers", "float64", "with barriers")
    ]
    for name in COMPOSITIONS:
        shares = [share for dtype in PRECISIONS for share in rewritten(name, dtype, number, seed)]
        rows.append((name, *(f"{s:.2g}" for s in shares)))
        beyond += [name] if max(shares[1::2]) > 1 else []
    return rows, beyond
