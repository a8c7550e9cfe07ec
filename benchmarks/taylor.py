"""How many digits have Taylor coefficients, how long does an order take, and is the radius of convergence right?

    python -m benchmarks.taylor

Digits: every function of the catalogue, at points of its domain, to order 20, against ball arithmetic. Speed: the
coefficients of exp(sin x)/(1 + x²), first call and later ones, against nested `jax.grad` as far as that ends in
reasonable time. Radius: functions whose nearest singularity is known; one that is not found must be called unknown,
not wrong. Batches: the band of a composition over a million boxes, compiled, over the cost of the composition there;
what bands are worth is asked by `benchmarks.enclosures`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import mvcalc_jax as mv
from benchmarks import catalogue, results
from benchmarks.harness import Timing, measure, spoken
from benchmarks.results import Bar, Findings, Table, progress
from mvcalc_jax import text
from mvcalc_jax.plots.style import chart
from mvcalc_jax.taylor.series.polynomial import taylor

QUESTION = (__doc__ or "").partition("\n")[0]
ORDER = 20
DIGITS, COVERED, SECONDS, TIMES = 13.0, 50, 5.0, 30
"""What is asked: correct digits to order 20, functions covered of the fifty-three, seconds to compile order 30, and how
many times f a band may cost over many boxes."""
HELD = 0.99
"""How often `rounding` must be at least the error."""
SPEED = (1, 2, 3, 4, 5, 6, 8, 12, 20, 30)
FEW_ORDERS = (1, 3)


@dataclass(frozen=True)
class Config:
    """Digits, speed and radius of convergence of Taylor series; three minutes."""

    points: int = 5
    """In the domain of every function."""
    nested: int = 6
    """The highest order by nested `jax.grad`: 8 takes a minute to compile."""
    functions: int = 69
    """How many of the catalogue."""
    boxes: int = 1_000_000
    """Of the batch; a multiple of 1000."""
    quick: bool = False
    """Three functions, two orders, two radii and a thousand boxes."""


Part = Callable[[Config], Findings]


def digits(config: Config) -> Findings:
    """The digits of every function of the catalogue."""
    rows, worsts, covered, held = [("", "digits", "worst at", "seconds")], {}, 0, []
    for entry in catalogue.CATALOGUE[: config.functions]:
        began = time.perf_counter()
        try:
            worst, at, sound = judged(entry, config.points)
        except (TypeError, ValueError) as error:
            rows.append((entry.name, "–", text.first_line(str(error)), ""))
            worsts[entry.name] = 0.0
            continue
        held += sound
        covered += entry in catalogue.FUNCTIONS
        rows.append((entry.name, f"{worst:.1f}", f"{at:.3g}", f"{time.perf_counter() - began:.1f}"))
        worsts[entry.name] = worst
    share, least = float(np.mean(held)), min(worsts, key=lambda name: worsts[name])
    every = config.functions >= len(catalogue.FUNCTIONS)
    spread = f"coefficients to order {ORDER} have {worsts[least]:.1f} digits at least ({least})"
    return Findings(
        [Table("Digits", rows)],
        [
            Bar(worsts[least] >= DIGITS, f"{spread}; the bar is {DIGITS:g}"),
            Bar(
                covered >= COVERED if every else None,
                f"{covered} of the {len(catalogue.FUNCTIONS)} functions are covered; the bar is {COVERED}",
            ),
            Bar(
                share >= HELD,
                f"`rounding` is at least the error in {share:.2%} of them; the bar is {HELD:.0%}",
            ),
        ],
        f"Of {text.counted(len(worsts), 'function')}, {spread}, and {median(worsts.values()):.1f} in the median.",
        numbers={"digits": worsts},
    )


def judged(entry: catalogue.Entry, points: int) -> tuple[float, float, list[bool]]:
    """The fewest digits of a coefficient, the point where, and for every coefficient whether `rounding` holds."""
    low, high = entry.domain
    worst, sound = (np.inf, np.nan), []
    for share in (np.arange(points) + 0.5) / points:
        x = float(low + share * (high - low))
        exact, found = catalogue.coefficients(entry, x, ORDER + 8), taylor(entry.f, x, ORDER)
        worst = min(worst, (float(catalogue.digits(found.coefficients, exact).min()), x))
        sound += (np.abs(found.coefficients - exact[: ORDER + 1]) <= found.rounding).tolist()
    return *worst, sound


def course(x: Any) -> Any:
    """The function that is timed."""
    return jnp.exp(jnp.sin(x)) / (1 + x * x)


def nested(f: Callable[[Any], Any], order: int) -> Callable[[Any], list[Any]]:
    """All derivatives up to an order, by `jax.grad` of `jax.grad` of …"""
    derivatives = [f]
    for _ in range(order):
        derivatives.append(jax.grad(derivatives[-1]))
    return lambda x: [d(x) for d in derivatives]


def speed(config: Config) -> Findings:
    """Seconds by order, against nested gradients."""
    rows: list[tuple[str, ...]] = [("order", "first call", "later", "nested grad, first call", "later")]
    numbers: dict[int, dict[str, Timing]] = {}
    for order in FEW_ORDERS if config.quick else SPEED:
        ours = jax.jit(lambda x, n=order: taylor(course, x, n).coefficients)
        contenders: dict[str, Callable[[], Any]] = {"taylor": lambda ours=ours: ours(0.5)}
        if order <= config.nested:
            theirs = jax.jit(nested(course, order))
            factorials = np.cumprod([1.0, *range(1, order + 1)])
            np.testing.assert_allclose(ours(0.5) * factorials, np.stack(theirs(0.5)), rtol=1e-9)
            jax.clear_caches()  # so that the first call is one
            contenders["nested"] = lambda theirs=theirs: theirs(0.5)
        taken = numbers[order] = measure(contenders)
        cells = [f"{spoken(t.first)}|{spoken(t.typical)}".split("|") for t in taken.values()]
        cells += [["", ""]] * (2 - len(cells))
        rows.append((str(order), *cells[0], *cells[1]))
    top = max(numbers)
    slowest = max(of["taylor"].first for of in numbers.values())
    last = max(order for order, of in numbers.items() if "nested" in of)
    ours, theirs = numbers[last]["taylor"], numbers[last]["nested"]
    return Findings(
        [Table("Speed", rows)],
        [
            Bar(
                None if config.quick else slowest <= SECONDS,
                f"the first call of order {top} or less takes {spoken(slowest)}; the bar is {spoken(SECONDS)}",
            )
        ],
        f"At order {last} nested `jax.grad` takes {theirs.over(ours):.3g} times as long, and its first call "
        f"{theirs.first / ours.first:.3g} times; order {top} takes {spoken(numbers[top]['taylor'].typical)}.",
        numbers={"seconds": numbers},
        figures={"orders": drawn(numbers)},
    )


def drawn(numbers: dict[int, dict[str, Timing]]) -> Figure:
    """Seconds against the order."""
    figure, axes = chart()
    for name, label in (("taylor", "taylor"), ("nested", "nested jax.grad")):
        for colour, what in enumerate(("first", "typical")):
            orders = [order for order, of in numbers.items() if name in of]
            seconds = [getattr(numbers[order][name], what) for order in orders]
            style = "o-" if name == "taylor" else "s--"
            axes.plot(orders, seconds, style, color=f"C{colour}", label=f"{label}, {WORDS[what]}")
    axes.set(yscale="log", xlabel="order", ylabel="seconds")
    axes.legend()
    return figure


WORDS = {"first": "first call", "typical": "later"}


RADII: tuple[tuple[str, Callable[[Any], Any], float, complex | None], ...] = (
    ("1/(1 + x²)", lambda x: 1 / (1 + x * x), 0.0, 1j),
    ("1/(1 + x²)", lambda x: 1 / (1 + x * x), 0.7, 1j),
    ("exp(sin x)/(1 + x²)", course, 0.5, 1j),
    ("log x", jnp.log, 2.0, 0),
    ("√x", jnp.sqrt, 3.0, 0),
    ("∛x", jnp.cbrt, 2.0, 0),
    ("tan x", jnp.tan, 0.3, np.pi / 2),
    ("tanh x", jnp.tanh, 0.0, 0.5j * np.pi),
    ("atan x", jnp.arctan, 1.0, 1j),
    ("asin x", jnp.arcsin, 0.2, 1),
    ("acosh x", jnp.arccosh, 3.0, 1),
    ("atanh x", jnp.arctanh, -0.3, -1),
    ("softplus", jax.nn.softplus, 0.0, 1j * np.pi),
    ("sigmoid", jax.nn.sigmoid, 1.0, 1j * np.pi),
    ("log Γ", jax.scipy.special.gammaln, 2.5, 0),
    ("erf⁻¹", jax.scipy.special.erfinv, 0.3, 1),
    ("x/(1 + x⁴)", lambda x: x / (1 + x**4), 0.1, np.exp(0.25j * np.pi)),
    ("√(1 + x⁴)", lambda x: jnp.sqrt(1 + x**4), 0.2, np.exp(0.25j * np.pi)),
    ("log(2 + cos x)", lambda x: jnp.log(2 + jnp.cos(x)), 1.0, np.pi + 1j * np.arccosh(2)),
    ("exp(x) √(x + 2)", lambda x: jnp.exp(x) * jnp.sqrt(x + 2), 0.5, -2),
    ("exp(1/(2 − x))", lambda x: jnp.exp(1 / (2 - x)), 0.5, 2),
    ("exp(−1/x²)", lambda x: jnp.exp(-1 / x**2), 1.0, 0),
    ("xˣ", lambda x: x**x, 2.0, 0),
    ("1/(1.1 − cos x)", lambda x: 1 / (1.1 - jnp.cos(x)), 0.5, 1j * np.arccosh(1.1)),
    ("1/(100 − x) + eˣ", lambda x: 1 / (100 - x) + jnp.exp(x), 0.5, 100),
    ("√x + 1/(6 − x)", lambda x: jnp.sqrt(x) + 1 / (6 - x), 2.9, 0),
    ("1/x + 1/(2 − x)³", lambda x: 1 / x + 1 / (2 - x) ** 3, 1.1, 2),
    ("|x|", jnp.abs, 2.0, None),
    ("sinc", jnp.sinc, 0.5, None),
    ("exp(−x²)", lambda x: jnp.exp(-x * x), 1.0, np.inf),
    ("exp(sin x)", lambda x: jnp.exp(jnp.sin(x)), 0.0, np.inf),
    ("x⁵ − 3x", lambda x: x**5 - 3 * x, 1.0, np.inf),
)
"""Functions, points, and the nearest singularity: inf where there is none, None where `taylor` cannot know."""


def radii(config: Config) -> Findings:
    """The nearest singularities that are found."""
    rows, wrong, unknown = [("", "x₀", "singularity found", "off by", "its error")], [], 0
    known = RADII[:2] if config.quick else RADII
    for name, f, at, true in known:
        found = taylor(f, at, 3).convergence
        off = abs(found.singularity - true) if true is not None and np.isfinite(true) else np.nan
        place = (
            "none"
            if found.radius == np.inf
            else "unknown"
            if np.isnan(found.radius)
            else f"{found.singularity:.7g}"
        )
        rows.append((name, f"{at:g}", place, f"{off:.1e}", f"{found.error:.1e}"))
        unknown += bool(np.isnan(found.radius) and true is not None)
        right = (
            np.isnan(found.radius) or (found.radius == np.inf and true == np.inf) or off <= 10 * found.error
        )
        if not right:
            wrong.append(f"{name} at {at:g}")
    tenth = len(known) // 10
    return Findings(
        [Table("Singularities", rows)],
        [
            Bar(not wrong, f"of {len(known)} nearest singularities {len(wrong)} are wrong; the bar is 0"),
            Bar(unknown <= tenth, f"{unknown} are called unknown; the bar is {tenth}"),
        ],
        f"Of {len(known)} singularities {len(wrong)} are wrong{results.named(wrong)} and {unknown} unknown.",
    )


def batches(config: Config) -> Findings:
    """The cost of enclosing a composition over many boxes, over that of its values there."""
    rng, size = np.random.default_rng(0), 1000 * min(8, config.boxes // 1000)
    x, radius = (
        jnp.asarray(a) for a in (rng.uniform(-2, 2, config.boxes), rng.uniform(0.01, 0.5, config.boxes))
    )
    rows_of = lambda a: a.reshape(-1, size)
    rows, costs, numbers = [("order", "f", "bands", "per box", "times f", "first call")], {}, {}
    for order in (1,) if config.quick else (1, 2):
        one = lambda x, r, n=order: mv.taylor_enclosure(course, x, r, n).remainder
        # In chunks, so that what lies between the operations stays in the cache.
        chunk = lambda t, one=one: jax.vmap(one)(*t)
        bands = jax.jit(lambda x, r, chunk=chunk: jax.lax.map(chunk, (rows_of(x), rows_of(r))))
        values = jax.jit(jax.vmap(course))
        found = bands(x, radius)
        assert np.all(np.asarray(found.lo) < np.asarray(found.hi))
        jax.clear_caches()
        runs = {"f": lambda v=values: v(x), "bands": lambda b=bands: b(x, radius)}
        taken = numbers[order] = measure(runs, rounds=5)
        times = costs[order] = taken["bands"].over(taken["f"])
        each = f"{taken['bands'].typical / config.boxes * 1e9:.0f} ns"
        cells = (spoken(taken["f"].typical), spoken(taken["bands"].typical), each, f"{times:.0f}")
        rows.append((str(order), *cells, spoken(taken["bands"].first)))
    said = " and ".join(f"{times:.0f} of order {order}" for order, times in costs.items())
    words = f"bands over {text.count(config.boxes)} boxes cost so many times f: {said}; the bar is {TIMES}"
    bar = Bar(None if config.quick else max(costs.values()) <= TIMES, words)
    return Findings([Table("Many boxes", rows)], [bar], numbers={"boxes": numbers})


PARTS: tuple[Part, ...] = (digits, speed, radii, batches)


def findings(config: Config) -> Findings:
    mv.require.whole("points", config.points, least=1)
    mv.require.whole("nested", config.nested, least=1)
    mv.require.whole("functions", config.functions, least=1)
    mv.require.whole("boxes", config.boxes, least=1000)
    if config.quick:
        config = replace(config, points=1, nested=2, functions=3, boxes=1000)
    found = Findings(limits="Digits are counted at a few points of each domain, and not near its ends.")
    with mv.devices.computing("cpu", "float64"):
        for part in PARTS:
            found += part(config)
            progress(f"      {part.__name__}")
    return found


if __name__ == "__main__":
    results.leave(findings, Config)
