"""Other bands than the proven ones, and exact values to hold all of them against; for `experiments.error_bands`."""

from __future__ import annotations

import decimal
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import mvcalc_jax as mv
from mvcalc_jax import compiling
from mvcalc_jax.plots.bands import Band

DIGITS = 60
SAMPLES = 401
NAMES = "proven", "textbook", "Lagrange by intervals", "intervals alone"


class Exactly:
    """The functions that examples are made of, on decimal numbers of 60 digits."""

    exp = staticmethod(lambda x: x.exp())
    log = staticmethod(lambda x: x.ln())
    sqrt = staticmethod(lambda x: x.sqrt())


class Example(NamedTuple):
    """A function with its formula, of a number and of whatever knows exp, log and sqrt of it; a point and a radius."""

    formula: str
    f: Callable[[Any, Any], Any]
    at: float
    radius: float

    def __call__(self, x: Any) -> Any:
        import jax.numpy as jnp

        return self.f(x, jnp)

    def exactly(self, x: np.ndarray) -> list[decimal.Decimal]:
        with decimal.localcontext(decimal.Context(prec=DIGITS)):
            return [self.f(decimal.Decimal(float(each)), Exactly) for each in x]


COUNTED = "fraction", "bell", "root"
"""Held against exact values, whichever is chosen."""
EXAMPLES = {
    "fraction": Example("x/(1 + x²)", lambda x, m: x / (1 + x * x), 0.5, 0.5),
    "bell": Example("exp(−x²)", lambda x, m: m.exp(-x * x), 0.5, 0.5),
    "root": Example("√(1 + x²)", lambda x, m: m.sqrt(1 + x * x), 0.5, 1.0),
    "logistic": Example("1/(1 + e⁻ˣ)", lambda x, m: 1 / (1 + m.exp(-x)), 1.0, 2.0),
    "softplus": Example("log(1 + eˣ)", lambda x, m: m.log(1 + m.exp(x)), 0.0, 2.0),
    "tail": Example("x exp(−x) log(1 + x)", lambda x, m: x * m.exp(-x) * m.log(1 + x), 1.0, 0.8),
}


def of_order(f: Callable[[Any], Any], order: int) -> Callable[[Any], Any]:
    """f⁽ⁿ⁾/n!"""
    g = f
    for _ in range(order):
        g = mv.autodiff.jacobian(g, mode="forward")
    return lambda x: g(x) / math.factorial(order)


def polynomial(f: Callable[[Any], Any], x0: Any, order: int) -> list[Any]:
    """Its coefficients, as they come out of a computer."""
    return [of_order(f, k)(x0) for k in range(order)]


def summed(c: list[Any], h: Any, remainder: Any) -> Any:
    """c₀ + c₁ h + … + R hⁿ by Horner's rule, every operation rounded to the nearest number."""
    total = remainder
    for each in reversed(c):
        total = total * h + each
    return total


def sampled(f: Callable[[Any], Any], x0: Any, radius: Any, order: int) -> tuple[Any, Any]:
    """The least and the greatest f⁽ⁿ⁾/n! that is met at many points of a region."""
    import jax
    import jax.numpy as jnp

    x = x0 + radius * jnp.linspace(-1, 1, SAMPLES, dtype=jnp.result_type(x0))
    found = jax.vmap(of_order(f, order))(x)
    return found.min(), found.max()


def plain(f: Callable[[Any], Any], x0: Any, radius: Any) -> mv.Interval:
    """A function over a region by interval arithmetic alone."""
    return mv.interval(f)(mv.Interval(x0 - radius, x0 + radius))


def between(c: list[Any], h: Any, low: Any, high: Any) -> Any:
    """A band in ordinary arithmetic: the polynomial, and a remainder between two numbers."""
    import jax.numpy as jnp

    ends = [summed(c, h, R * jnp.ones_like(h)) for R in (low, high)]
    return jnp.minimum(*ends), jnp.maximum(*ends)


def in_bands(example: Example, e: Any) -> Any:
    """f and all four bands over the region."""
    ends = e.x0 - e.radius, e.x0 + e.radius
    x = np.clip(np.linspace(*ends, 401), *ends)
    h, c = x - e.x0, polynomial(example, e.x0, e.order)
    proven, alone = e.band(x), plain(example, e.x0, e.radius)
    largest = np.abs(sampled(example, e.x0, e.radius, e.order)).max()
    R = plain(of_order(example, e.order), e.x0, e.radius)
    found = {
        "proven": (proven.lo, proven.hi),
        "textbook": between(c, h, -largest, largest),
        "Lagrange by intervals": between(c, h, R.lo, R.hi),
        "intervals alone": (np.full_like(x, alone.lo), np.full_like(x, alone.hi)),
    }
    bands = {name: Band(*map(np.asarray, band)) for name, band in found.items()}
    title = f"{example.formula} about {float(e.x0):g}, n = {e.order}"
    p, edges = np.asarray(summed(c, h, 0 * h)), np.asarray(e.x0 + e.edges).tolist()
    return mv.plots.bands.Banded(title, x, np.asarray(example(x)), p, bands, float(e.x0), edges)


def over_radii(example: Example, e: Any, sizes: int = 55) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """How wide each band is at the ends of its region, for regions of many sizes."""
    import jax
    import jax.numpy as jnp

    def one(radius: Any) -> dict[str, Any]:
        proven = mv.taylor_enclosure(example, e.x0, radius, e.order)
        largest = jnp.abs(jnp.stack(sampled(example, e.x0, radius, e.order))).max()
        R = plain(of_order(example, e.order), e.x0, radius)
        return {
            "proven": proven.width,
            "textbook": 2 * largest * radius**e.order,
            "Lagrange by intervals": R.width * radius**e.order,
            "intervals alone": plain(example, e.x0, radius).width,
        }

    radii = float(e.radius) * np.geomspace(1e-9, 1, sizes)
    found = jax.jit(jax.vmap(one), compiler_options=compiling.quickly())(radii)
    return radii, {name: np.asarray(found[name]) for name in NAMES}


class Near(NamedTuple):
    """Numbers about x₀, the exact f there, and its bands: the textbook's, a sharp one and the proven one."""

    radius: float
    x: np.ndarray
    exact: list[decimal.Decimal]
    textbook: Any
    sharp: Any
    proven: Any


def near(
    example: Example, at: float, precision: str, radii: Sequence[float], order: int, points: int
) -> list[Near]:
    """Bands over regions so small that rounding is seen, in float32 or float64."""
    import jax
    import jax.numpy as jnp

    x0, r = np.asarray(at, precision), np.asarray(radii, precision)
    x = np.clip(
        np.linspace(x0 - r, x0 + r, points, axis=1, dtype=precision), (x0 - r)[:, None], (x0 + r)[:, None]
    )

    def bands(x0: Any, radius: Any, x: Any) -> Any:
        c, (low, high) = polynomial(example, x0, order), sampled(example, x0, radius, order)
        largest, proven = jnp.maximum(-low, high), mv.taylor_enclosure(example, x0, radius, order).band(x)
        naive = between(c, x - x0, -largest, largest), between(c, x - x0, low, high)
        return (*naive, (proven.lo, proven.hi))

    programs = jax.jit(jax.vmap(bands, (None, 0, 0)), compiler_options=compiling.quickly())
    found = jax.device_get(programs(x0, r, x))
    rows = []
    for k, radius in enumerate(radii):
        of, which = np.unique(x[k], return_index=True)
        rows.append(
            Near(radius, of, example.exactly(of), *(Band(lo[k, which], hi[k, which]) for lo, hi in found))
        )
    return rows


def counted(one: Near) -> tuple[int, ...]:
    """Of how many points f is outside the textbook's band and the sharp one; f rounded, that; f, the proven one."""
    nearest = [decimal.Decimal(float(one.x.dtype.type(f))) for f in one.exact]
    held = [(one.exact, one.textbook), (one.exact, one.sharp), (nearest, one.sharp), (one.exact, one.proven)]
    return len(one.x), *(int(outside(*each).sum()) for each in held)


Counts = dict[tuple[str, float], tuple[int, ...]]


def counts(found: dict[tuple[str, str], list[Near]]) -> Counts:
    """`counted`, of all functions together, by precision and radius."""
    total: dict[tuple[str, float], Any] = {}
    for (_, precision), rows in found.items():
        for one in rows:
            total[precision, one.radius] = total.get((precision, one.radius), 0) + np.array(counted(one))
    return {
        of: tuple(map(int, numbers))
        for of, numbers in sorted(total.items(), key=lambda item: item[0][0], reverse=True)
    }


def shares(of: Counts) -> dict[str, list[float]]:
    """At which share of points f is outside, by radius, for each kind of bound."""
    rows = lambda precision, k: [n[k] / n[0] for (p, _), n in of.items() if p == precision]
    naive = {
        f"{name}, {p}": rows(p, k)
        for name, k in (("textbook", 1), ("sharp", 2))
        for p in ("float64", "float32")
    }
    both = zip(rows("float64", 4), rows("float32", 4), strict=True)
    return {"proven, either": [max(pair) for pair in both], **naive}


def magnified(one: Near, precision: str) -> Any:
    """As a picture: less the exact f, in units in the last place."""
    middle = len(one.x) // 2
    unit = decimal.Decimal(float(np.spacing(one.x.dtype.type(abs(one.exact[middle])))))
    less = lambda end: np.array(
        [float((decimal.Decimal(float(b)) - f) / unit) for b, f in zip(end, one.exact, strict=True)]
    )
    sharp, proven = (Band(less(band.lo), less(band.hi)) for band in (one.sharp, one.proven))
    title = f"|h| ≤ {one.radius:.0e}, {precision}"
    few = slice(middle % 4, None, 4)
    h, sharp, proven = (
        (one.x.astype(float) - float(one.x[middle]))[few],
        *(Band(band.lo[few], band.hi[few]) for band in (sharp, proven)),
    )
    return mv.plots.bands.Rounded(title, h, sharp, proven, outside(one.exact, one.sharp)[few])


def outside(exact: list[decimal.Decimal], band: Any) -> np.ndarray:
    """Where exact values are not within a band."""
    ends = zip(exact, band.lo.tolist(), band.hi.tolist(), strict=True)
    return np.array([not decimal.Decimal(lo) <= f <= decimal.Decimal(hi) for f, lo, hi in ends])
