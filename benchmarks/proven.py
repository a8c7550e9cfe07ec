"""Functions of several variables in their bands, and what is proven of ranges, roots and integrals, against truths."""

from typing import Any

import flint
import jax
import jax.numpy as jnp
import numpy as np

import mvcalc_jax as mv
from benchmarks.results import Bar, Findings, Table, named
from mvcalc_jax import text
from mvcalc_jax.taylor.bands.roots import RootStatus
from mvcalc_jax.text import Rows

A: Any = flint.arb  # whose stubs know less than it does

SEVERAL = (
    ("x₀² sin x₁", lambda x: x[0] ** 2 * jnp.sin(x[1]), lambda a, b: a**2 * b.sin(), 2),
    ("exp(x₀ x₁)", lambda x: jnp.exp(x[0] * x[1]), lambda a, b: (a * b).exp(), 2),
    ("1/(1 + |x|²)", lambda x: 1 / (1 + x @ x), lambda *x: 1 / (1 + sum(t * t for t in x)), 3),
    ("|x₀| + x₁", lambda x: jnp.abs(x[0]) + x[1], lambda a, b: abs(a) + b, 2),
    ("max x", jnp.max, lambda *x: max(x), 3),
    ("logsumexp", jax.scipy.special.logsumexp, lambda *x: A(sum(t.exp() for t in x)).log(), 3),
    ("log(x₀ + x₁)", lambda x: jnp.log(x[0] + x[1]), lambda a, b: (a + b).log(), 2),
    ("√(x₀² + x₁²)", lambda x: jnp.sqrt(x @ x), lambda a, b: (a * a + b * b).sqrt(), 2),
    ("tanh(x₀ − x₁) x₂", lambda x: jnp.tanh(x[0] - x[1]) * x[2], lambda a, b, c: (a - b).tanh() * c, 3),
    ("floor(x₀) x₁", lambda x: jnp.floor(x[0]) * x[1], lambda a, b: a.floor() * b, 2),
)


def _found(title: str, rows: Rows, missed: list[str], words: str) -> Findings:
    """A table, and the bar that nothing is false."""
    bars = [Bar(not missed, f"{len(missed)} {words}{named(missed)}; the bar is 0")] if len(rows) > 1 else []
    return Findings([Table(title, rows)] if len(rows) > 1 else [], bars)


def several(config: Any) -> Findings:
    """Points of functions of several variables outside their bands."""
    rng, missed, rows = (
        np.random.default_rng(config.seed),
        [],
        [("", "order", "points", "outside", "bounded")],
    )
    boxes, points = max(config.boxes // 2, 4), max(config.points // 2, 4)
    for name, f, exact, d in () if config.functions else SEVERAL:
        x0, radius = rng.uniform(-2, 2, (boxes, d)), 10 ** rng.uniform(-5, 0.5, (boxes, d))
        x = x0[:, None] + radius[:, None] * rng.uniform(-1, 1, (boxes, points, d))
        for order in (1, 2, 3):
            of = lambda a, r, p, f=f, order=order: jax.vmap(mv.taylor_enclosure(f, a, r, order).band)(p)
            found = jax.vmap(of)(x0, radius, x)
            low, high = np.asarray(found.lo), np.asarray(found.hi)
            outside = 0
            for at in np.ndindex(boxes, points):
                y: Any = exact(*(A(t) for t in x[at]))
                if y.is_finite() and not (A(low[at]) <= y <= A(high[at])):
                    outside += 1
            bounded = np.isfinite(low).all(1) & np.isfinite(high).all(1)
            rows.append((name, str(order), str(boxes * points), str(outside), f"{bounded.mean():.0%}"))
            missed += [f"{name}, order {order}: {outside} points outside"] if outside else []
    return _found(
        "Functions of several variables",
        rows,
        missed,
        "points of functions of several variables are outside their bands",
    )


RANGES = (
    ("x² − 2x", lambda x: x * x - 2 * x, (0.0, 3.0), -1.0, 3.0),
    ("sin x", jnp.sin, (0.0, 7.0), -1.0, 1.0),
    ("x exp(−x)", lambda x: x * jnp.exp(-x), (0.0, 5.0), 0.0, np.exp(-1)),
    ("|x|", jnp.abs, (-1.0, 2.0), 0.0, 2.0),
    ("floor x", jnp.floor, (-0.5, 1.5), -1.0, 1.0),
    ("1/x", lambda x: 1 / x, (-1.0, 1.0), -np.inf, np.inf),
    ("log x", jnp.log, (-1.0, 1.0), -np.inf, 0.0),
    ("x·stop(x)", lambda x: x * jax.lax.stop_gradient(x), (-1.0, 2.0), 0.0, 4.0),
    (
        "Rosenbrock",
        lambda x: (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2,
        ((-2.0, 2.0),) * 2,
        0.0,
        3609.0,
    ),
    (
        "Himmelblau",
        lambda x: (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2,
        ((0.0, 5.0),) * 2,
        0.0,
        890.0,
    ),
)


def ranges(config: Any) -> Findings:
    """Proven ranges beside true ones."""
    rows, missed = [("", "proven", "true")], []
    for name, f, box, low, high in () if config.functions else RANGES:
        found = mv.verified_range(f, box)
        a, b = float(found.attained.lo), float(found.attained.hi)
        rows.append((name, f"[{found.lo:.9g}, {found.hi:.9g}]", f"[{low:.9g}, {high:.9g}]"))
        if (
            found.lo > low + 1e-15 * abs(low)
            or found.hi < high - 1e-15 * abs(high)
            or a < low - 1e-15
            or b > high + 1e-12
        ):
            missed.append(f"the range of {name}: {found}")
    return _found("Ranges", rows, missed, "proven ranges are wrong")


ROOTS = (
    ("x² − 2", lambda x: x * x - 2, (0.0, 2.0), [2**0.5]),
    ("x² − 2, both", lambda x: x * x - 2, (-2.0, 2.0), [2**0.5, -(2**0.5)]),
    ("x² + 1", lambda x: x * x + 1, (-3.0, 3.0), []),
    ("x²", lambda x: x * x, (-1.0, 2.0), [0.0]),
    ("x³", lambda x: x**3, (-1.0, 2.0), [0.0]),
    ("cos x − x", lambda x: jnp.cos(x) - x, (0.0, 2.0), [0.7390851332151607]),
    ("1/x", lambda x: 1 / x, (-1.0, 2.0), []),
    ("sign x + ½", lambda x: jnp.sign(x) + 0.5, (-1.0, 2.0), []),
    ("floor x − ½", lambda x: jnp.floor(x) - 0.5, (-1.0, 2.0), []),
    ("x + floor x", lambda x: x + jnp.floor(x) + 0.25, (-0.9, 0.8), []),
    ("|x| − 1", lambda x: jnp.abs(x) - 1, (-0.5, 3.0), [1.0]),
    ("x where > 0", lambda x: jnp.where(x > 0.25, x - 0.5, x + 1), (-0.5, 2.0), [0.5]),
    ("x·stop(x) − 2", lambda x: x * jax.lax.stop_gradient(x) - 2, (1.0, 2.0), [2**0.5]),
    ("√x", jnp.sqrt, (-1.0, 2.0), [0.0]),
    ("x + 0 log x", lambda x: x + 0 * jnp.log(x), (-1.0, 2.0), []),
    ("tan x", jnp.tan, (1.0, 2.0), []),
    ("tan x, zero", jnp.tan, (-1.0, 1.3), [0.0]),
    ("edge", lambda x: x - 1, (0.0, 1.0), [1.0]),
    ("circle, line", lambda x: jnp.stack([x @ x - 1, x[0] - x[1]]), ((0.0, 2.0),) * 2, [0.5**0.5]),
    ("no circle", lambda x: jnp.stack([x @ x + 1, x[0] - x[1]]), ((-2.0, 2.0),) * 2, []),
)


def roots(config: Any) -> Findings:
    """What is proven of roots."""
    rows, missed = [("", "roots", "proven")], []
    for name, f, box, true in () if config.functions else ROOTS:
        found = mv.verified_root(f, box)
        rows.append((name, str(len(true)), text.first_line(found.message)[:100]))
        low, high = np.min(np.asarray(found.root.lo)), np.max(np.asarray(found.root.hi))
        false = (
            found.status is RootStatus.ONE and (len(true) != 1 or not low - 1e-16 <= true[0] <= high + 1e-16)
        ) or (found.status is RootStatus.NONE and true)
        missed += [f"the roots of {name}: {found.message}"] if false else []
    return _found("Roots", rows, missed, "statements about roots are false")


INTEGRALS = (
    ("exp(−x²)", lambda x: jnp.exp(-x * x), 0.0, 1.0, lambda: A.pi().sqrt() / 2 * A(1).erf()),
    ("4/(1 + x²)", lambda x: 4 / (1 + x * x), 0.0, 1.0, A.pi),
    ("sin x", jnp.sin, 0.0, 10.0, lambda: 1 - A(10).cos()),
    ("x¹⁰", lambda x: x**10, -1.0, 2.0, lambda: (A(2) ** 11 + 1) / 11),
    ("|x − ¼|", lambda x: jnp.abs(x - 0.25), 0.0, 1.0, lambda: (A(0.25) ** 2 + A(0.75) ** 2) / 2),
    ("floor x", jnp.floor, 0.0, 3.0, lambda: A(3)),
    ("log x", jnp.log, 0.5, 3.0, lambda: 3 * A(3).log() - 3 - (A(0.5) * A(0.5).log() - A(0.5))),
    ("√x", jnp.sqrt, 0.0, 1.0, lambda: A(2) / 3),
    ("1/x², a pole", lambda x: 1 / (x * x), -1.0, 1.0, lambda: A("inf")),
    ("sin(50 x)", lambda x: jnp.sin(50 * x), 0.0, 3.0, lambda: (1 - A(150).cos()) / 50),
)


def integrals(config: Any) -> Findings:
    """Proven integrals beside true ones."""
    rows, missed = [("", "proven", "pieces")], []
    flint.ctx.prec = 240
    for name, f, low, high, exact in () if config.functions else INTEGRALS:
        found = mv.verified_integral(f, low, high)
        rows.append((name, f"[{found.lo:.16g}, {found.hi:.16g}]", str(found.pieces)))
        right = np.isinf(found.lo) or np.isinf(found.hi)
        if not right and not A(found.lo) <= exact() <= A(found.hi):
            missed.append(f"the integral of {name}: {found.message}")
    return _found("Integrals", rows, missed, "proven integrals are wrong")
