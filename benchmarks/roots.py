"""Is the reason that `newton` gives the right one: roots of 10⁴ random polynomials, and what has none?

    python -m benchmarks.roots

Polynomials of degree 1 to 9 with known roots, real ones – some double or triple – and complex pairs, at scales from
1e-3 to 1e3, from random starts, in three forms: expanded with coefficients that are exact, expanded with coefficients
that had to be rounded, and as products. And functions that fail, each stretched and shifted at random: asymptotes,
poles, cycles, edges. Every answer is looked at again without this package, in numbers of 60 digits: a root must be as
near as rounding of f allows, with its multiplicity; a cycle must close and stay when Newton's step is applied again; a
minimum must be one; and a polynomial fails in no other way than by wandering, or where it is flat.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

import mvcalc_jax as mv
from benchmarks import results
from benchmarks.harness import spoken
from benchmarks.results import Bar, Findings, Table
from mvcalc_jax import options, text
from mvcalc_jax.calculus.rootfinding.newton import newton
from mvcalc_jax.calculus.rootfinding.outcome import Root, Status
from mvcalc_jax.text import Rows

QUESTION = (__doc__ or "").partition("\n")[0]
DEGREE = 9
DIGITS = 60
LIMIT_SHARE = 0.01
"""Of all searches, so many may end at the limit of their steps and say no more."""


@dataclass(frozen=True)
class Config:
    """Search for roots of random polynomials, and look again; a minute."""

    polynomials: int = 10_000
    """How many."""
    others: int = 100
    """Of each function that fails, how many are stretched and shifted at random."""
    seed: options.Seed = 0
    quick: bool = False
    """At most 100 polynomials, and one of each function that fails."""


class Polynomial(NamedTuple):
    """Σ cₖ xᵏ = a Π (x − rᵢ) Π ((x − p)² + q²): its form, its coefficients, its real roots and its pairs."""

    form: str
    a: float
    c: np.ndarray
    r: np.ndarray
    pairs: np.ndarray
    start: float

    @property
    def args(self) -> tuple:
        """What `expanded` or `product` takes beside x, always of one shape."""
        if self.form != "product":
            return (self.c,)
        r, pairs = np.full(DEGREE, np.nan), np.full((DEGREE // 2, 2), np.nan)
        r[: len(self.r)], pairs[: len(self.pairs)] = self.r, self.pairs
        return self.a, r, pairs

    def multiplicity(self, root: float) -> int:
        return int(np.sum(self.r == root))


def expanded(x: Any, c: Any) -> Any:
    """Horner's rule."""
    return jnp.polyval(c[::-1], x, unroll=DEGREE + 1)


def product(x: Any, a: Any, r: Any, pairs: Any) -> Any:
    """From the roots."""
    real = jnp.where(jnp.isnan(r), 1.0, x - r)
    quadratic = jnp.where(jnp.isnan(pairs[:, 0]), 1.0, (x - pairs[:, 0]) ** 2 + pairs[:, 1] ** 2)
    return a * jnp.prod(real) * jnp.prod(quadratic)


def drawn(rng: np.random.Generator) -> Polynomial:
    """A random polynomial and a start."""
    form = rng.choice(["exact", "rounded", "product"])
    scale = 2.0 ** rng.integers(-10, 11) if form == "exact" else 10 ** rng.uniform(-3, 3)
    many = 6 if form == "exact" else DEGREE
    real, complex_pairs = int(rng.integers(0, 5)), int(rng.integers(0, 3))
    draw = lambda n: rng.integers(-24, 25, n) / 8 if form == "exact" else rng.normal(size=n)
    r = list(draw(real))
    if r and rng.random() < 0.5 and form != "rounded":
        r += [r[0]] * int(rng.integers(1, 3))
    r = np.array(r[:many], float) * scale
    pairs = np.stack([draw(complex_pairs), np.abs(draw(complex_pairs)) + 0.125], axis=-1)
    if (
        form != "exact" and rng.random() < 0.3
    ):  # so near to the real axis that they look like a double root from afar
        pairs[:, 1] *= 10 ** -rng.uniform(0, 7)
    pairs = pairs[: (many - len(r)) // 2].reshape(-1, 2) * scale
    if not len(r) + len(pairs):
        r = draw(1) * scale
    a = float(2.0 ** rng.integers(-9, 10)) if form == "exact" else float(10 ** rng.uniform(-3, 3))
    c = coefficients(a, r, pairs)
    wide = np.array([float(v) for v in c] + [0.0] * (DEGREE + 1 - len(c)))
    if form == "exact" and any(Fraction(float(v)) != v for v in c):
        form = "rounded"
    return Polynomial(str(form), a, wide, r, pairs, float(scale * 3 * rng.normal()))


def coefficients(a: float, r: np.ndarray, pairs: np.ndarray) -> list[Fraction]:
    """Multiplied out, exactly; the constant first."""
    c = [Fraction(a)]
    factors = [[-Fraction(v), Fraction(1)] for v in r.tolist()]
    factors += [
        [Fraction(p) ** 2 + Fraction(q) ** 2, -2 * Fraction(p), Fraction(1)] for p, q in pairs.tolist()
    ]
    for factor in factors:
        new = [Fraction(0)] * (len(c) + len(factor) - 1)
        for i, u in enumerate(c):
            for j, v in enumerate(factor):
                new[i + j] += u * v
        c = new
    return c


def derivatives(c: list[Any], x: Any, order: int) -> Any:
    """The derivative of Σ cₖ xᵏ of some order at x, in the numbers of c and x."""
    for _ in range(order):
        c = [k * v for k, v in enumerate(c)][1:]
    total = c[-1] * 0 if c else 0
    for v in reversed(c):
        total = total * x + v
    return total


def judged(p: Polynomial, found: Root) -> str:
    """What is wrong with an answer, or nothing."""
    with localcontext() as context:
        context.prec = DIGITS
        return {True: wrong_root, False: wrong_reason}[found.success](p, found)


def exact(p: Polynomial) -> list[Decimal]:
    """The coefficients of the polynomial that was really given to `newton`."""
    if p.form != "product":
        return [Decimal(v) for v in p.c.tolist()]
    return [Decimal(v.numerator) / Decimal(v.denominator) for v in coefficients(p.a, p.r, p.pairs)]


def wrong_root(p: Polynomial, found: Root) -> str:
    c, m = exact(p), round(found.multiplicity)
    if m != found.multiplicity or (found.status == Status.CONVERGED) != (m == 1):
        return f"multiplicity {found.multiplicity}"
    x = Decimal(found.x)
    root = x
    for _ in range(60):  # a root of multiplicity m is a simple one of the derivative before
        slope = derivatives(c, root, m)
        step = derivatives(c, root, m - 1) / slope if slope else Decimal(0)
        root -= step
        if abs(step) <= abs(root) * Decimal(10) ** (8 - DIGITS):
            break
    off = abs(float(root - x))
    if p.form != "rounded":
        nearest = p.r[np.argmin(np.abs(p.r - found.x))] if len(p.r) else np.nan
        if not abs(float(root) - nearest) <= 1e-25 * max(abs(nearest), 1e-300) + 1e-40:
            return f"no root: {found.x!r}"
        if p.multiplicity(nearest) != m and not resolvable(p, c, float(nearest), found):
            return f"multiplicity {m}, not {p.multiplicity(nearest)}"
        if p.multiplicity(nearest) != m:
            return ""
    elif abs(derivatives(c, root, 0)) > (Decimal(4 * noise(p, c, root, 0)) if m > 1 else scale(c, root)):
        return f"no root: {found.x!r}"
    if off > 4 * attainable(p, c, root, m) + 4 * np.spacing(abs(float(root))):
        return f"off by {off:.1e}, where {attainable(p, c, root, m):.1e} can be had"
    if off > 4 * found.error:
        return f"off by {off:.1e}, and its error says {found.error:.1e}"
    return ""


def noise(p: Polynomial, c: list[Decimal], x: Decimal, order: int) -> float:
    """By how much rounding may move f, or its derivative of some order, at x."""
    size = (
        derivatives([abs(v) for v in c], abs(x), order)
        if p.form != "product"
        else abs(derivatives(c, x, order))
    )
    return 2.0**-52 * DEGREE * float(size)


def scale(c: list[Decimal], x: Decimal) -> Decimal:
    """What is left of f at a root in these numbers."""
    return Decimal(10) ** (20 - DIGITS) * derivatives([abs(v) for v in c], abs(x), 0)


def attainable(p: Polynomial, c: list[Decimal], x: Decimal, m: int) -> float:
    slope = abs(float(derivatives(c, x, m)))
    return noise(p, c, x, m - 1) / slope if slope else np.inf


def resolvable(p: Polynomial, c: list[Decimal], root: float, found: Root) -> bool:
    """Whether other roots are so near that rounding of f lets them look like one, of the multiplicity found."""
    m = round(found.multiplicity)
    slope = abs(float(derivatives(c, Decimal(root), m)))
    reach = (
        (noise(p, c, Decimal(root), 0) * float(np.prod(range(1, m + 1))) / slope) ** (1 / m)
        if slope
        else np.inf
    )
    return int(np.sum(np.abs(p.r - root) < 30 * reach)) >= m


def wrong_reason(p: Polynomial, found: Root) -> str:
    c = exact(p)
    newton_step = lambda x: x - derivatives(c, x, 0) / derivatives(c, x, 1)
    x = Decimal(float(found.x))
    if found.status == Status.CYCLE:
        turns, size = [x], max(abs(Decimal(float(v))) for v in found.trace.x[-found.period :])
        for _ in range(4):
            y = turns[-1]
            for _ in range(found.period):
                y = newton_step(y)
            turns.append(y)
        apart = [abs(b - a) for a, b in pairwise(turns)]
        closes = all(b < a or b < Decimal("1e-12") * size for a, b in pairwise(apart))
        return "" if closes and apart[0] < Decimal("1e-3") * size else "a cycle that does not close"
    if found.status == Status.MINIMUM:
        if len(p.r) and "f has one sign, as far as" in found.message and len(p.r) % 2:
            return "a change of sign was not seen"
        value, level = abs(derivatives(c, x, 0)), Decimal(noise(p, c, x, 0))
        aside = 1e-4 * max(abs(found.x), min((q for _, q in p.pairs.tolist()), default=1.0))
        around = [abs(derivatives(c, x + Decimal(s * aside), 0)) for s in (1, -1)]
        return (
            "" if value <= level or min(around) > value else "no minimum"
        )  # a lesser value may be zero or not
    if found.status == Status.FLAT:
        slope = float(abs(derivatives(c, x, 1)))
        return "" if slope <= noise(p, c, x, 1) or np.ptp(found.trace.x) > 1e6 * abs(p.start) else "not flat"
    return "" if found.status == Status.STEP_LIMIT else f"no polynomial is {found.status.name}"


class Failure(NamedTuple):
    """A function that fails from a start, with the status that says why; the range of the random stretches."""

    name: str
    f: Callable[[Any], Any]
    start: float
    status: tuple[Status, ...]
    bracket: tuple[float, float] | None = None


S = Status
FAILURES = (
    Failure("x³ − 2x + 2", lambda x: x**3 - 2 * x + 2, 0.0, (S.CYCLE,)),
    Failure("atan x", jnp.arctan, 1.5, (S.DIVERGED,)),
    Failure("∛x", jnp.cbrt, 1.0, (S.DIVERGED,)),
    Failure("x² + 1", lambda x: x * x + 1, 0.6, (S.MINIMUM,)),
    Failure("x e⁻ˣ", lambda x: x * jnp.exp(-x), 2.0, (S.DIVERGED,)),
    Failure("eˣ", jnp.exp, 0.0, (S.DIVERGED,)),
    Failure("exp(−x²)", lambda x: jnp.exp(-x * x), 1.0, (S.DIVERGED,)),
    Failure("1/x", lambda x: 1 / x, 1.0, (S.DIVERGED,)),
    Failure("x/(1 + x²)", lambda x: x / (1 + x * x), 2.0, (S.DIVERGED, S.CONVERGED)),
    Failure("tanh x", jnp.tanh, 1.3, (S.DIVERGED,)),
    Failure("ln x", jnp.log, 3.0, (S.DOMAIN,)),
    Failure("√x", jnp.sqrt, 1.0, (S.DOMAIN,)),
    Failure("cos x + 2", lambda x: jnp.cos(x) + 2, 0.3, (S.MINIMUM,)),
    Failure("cosh x", jnp.cosh, 0.6, (S.MINIMUM,)),
    Failure("1/x in a bracket", lambda x: 1 / x, 0.3, (S.POLE,), (-1.0, 2.0)),
    Failure("tan x in a bracket", jnp.tan, 1.2, (S.POLE,), (1.0, 2.0)),
    Failure(
        "a jump in a bracket", lambda x: jnp.where(x < 0, -1.0, 2.0) + x / 9, 0.4, (S.JUMP,), (-1.0, 2.0)
    ),
)


def stretched(f: Callable[[Any], Any]) -> Callable[..., Any]:
    """c f((x − b)/a)."""
    return lambda x, a, b, c: c * f((x - b) / a)


def findings(config: Config) -> Findings:
    many = mv.require.whole("polynomials", config.polynomials, least=1)
    others = mv.require.whole("others", config.others, least=1)
    many, others = (min(many, 100), 1) if config.quick else (many, others)
    rng = np.random.default_rng(config.seed)
    with mv.devices.computing("cpu", "float64"):
        began = time.perf_counter()
        counts, wrong = searched([drawn(rng) for _ in range(many)])
        seconds = time.perf_counter() - began
        failed, wrongly = fail(others, rng)
    limited = sum(n for (_, status), n in counts.items() if status == Status.STEP_LIMIT) / many
    found = sum(n for (_, status), n in counts.items() if status > 0)
    of, ends = (
        f"{text.count(many)} polynomials",
        f"{text.count(others * len(FAILURES))} searches that must fail",
    )
    return Findings(
        [Table("Polynomials", table(counts)), Table("Functions that fail", failed)],
        [
            Bar(not wrong, f"{len(wrong)} answers for {of} are wrong; the bar is 0"),
            Bar(not wrongly, f"{len(wrongly)} of {ends} give another reason; the bar is 0"),
            Bar(
                limited <= LIMIT_SHARE,
                f"{limited:.2%} end at the limit of steps; the bar is {LIMIT_SHARE:.0%}",
            ),
        ],
        f"Of {of} {text.count(found)} lead to a root, {len(wrong)} of all answers are wrong, and {limited:.2%} say no "
        f"more than that the steps are used up; of {ends}, {len(wrongly)} give a wrong reason. A search takes "
        f"{spoken(seconds / many)}, its second look included.",
        "\n".join([*wrong, *wrongly][:20]),
        {"ends": {f"{form}, {status.name}": n for (form, status), n in counts.items()}, "seconds": seconds},
    )


def searched(polynomials: list[Polynomial]) -> tuple[Counter, list[str]]:
    """How the searches ended, by form and status, and what was wrong."""
    counts, wrong = Counter(), []
    for k, p in enumerate(polynomials):
        found = newton(product if p.form == "product" else expanded, p.start, args=p.args)
        counts[p.form, found.status] += 1
        what = judged(p, found)
        if what:
            wrong.append(f"{k}: {what}; {found.status.name}: {found.message}; {p}")
    return counts, wrong


def fail(others: int, rng: np.random.Generator) -> tuple[list[tuple[str, ...]], list[str]]:
    """A row for each function that fails, and what was wrong."""
    rows, wrong = [("", "reason", "right", "took steps")], []
    for failure in FAILURES:
        f, steps, right = stretched(failure.f), [], 0
        for k in range(others):
            exact_case = k == 0 or failure.status == (
                S.CYCLE,
            )  # a cycle that repels is there for exact numbers only
            a = 1.0 if exact_case else float(10 ** rng.uniform(-3, 3))
            b, c = 0.0 if exact_case else float(a * rng.normal()), float(2.0 ** rng.integers(-20, 20))
            bracket = failure.bracket and (a * failure.bracket[0] + b, a * failure.bracket[1] + b)
            found = newton(f, a * failure.start + b, args=(a, b, c), bracket=bracket)
            steps.append(found.steps)
            right += found.status in failure.status
            if found.status not in failure.status:
                wrong.append(f"{failure.name}: {found.status.name}, {found.message}; {(a, b, c)}")
        rows.append(
            (failure.name, failure.status[0].name.lower(), f"{right}/{others}", f"{np.median(steps):.0f}")
        )
    return rows, wrong


def table(counts: Counter) -> Rows:
    forms = ("exact", "rounded", "product")
    statuses = sorted({status for _, status in counts}, reverse=True)
    rows = [("", *(s.name.lower().replace("_", " ") for s in statuses))]
    rows += [(form, *(text.count(counts[form, s]) for s in statuses)) for form in forms]
    return rows


if __name__ == "__main__":
    results.leave(findings, Config)
