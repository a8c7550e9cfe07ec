"""How many digits of a derivative do values of f alone give, and does the error bar tell the truth?

    python -m benchmarks.slopes

Twelve functions that are hard (`calculus.slopes.hard`), by every method and by SciPy's `differentiate.derivative`,
against the derivative by hand in 80-bit numbers. Then ten thousand random functions, each at a random point of its
own: sums, products, quotients and compositions of elementary functions, at scales from 1e-6 to 1e6, against the
derivative by the rules of calculus in 80-bit numbers; those left out of which even these know less than three digits.
An error bar holds if the truth is within ten times of it.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from scipy.differentiate import derivative as by_scipy

import mvcalc_jax as mv
from benchmarks import results
from benchmarks.results import Bar, Findings, Table
from mvcalc_jax import options
from mvcalc_jax.calculus.slopes.hard import HARD
from mvcalc_jax.calculus.slopes.slope import SLOPE_METHODS, central_slope, ridders

QUESTION = (__doc__ or "").partition("\n")[0]
MOST = {"float64": 17.0, "float32": 8.0}
"""Digits that are counted: those that numbers have."""
HOLDS, BETTER, COMPLEX = 0.99, 3.0, 14.0
"""What is asked: how often an error bar holds, how many digits Ridders gains, and how many complex steps give."""


@dataclass(frozen=True)
class Config:
    """Differentiate twelve hard functions and ten thousand random ones; two minutes."""

    functions: int = 10_000
    """Random ones, each at a point of its own; a tenth as many again in JAX and in float32."""
    seed: options.Seed = 0
    quick: bool = False
    """A hundred random functions, and the hard ones in float64 alone."""


def findings(config: Config) -> Findings:
    functions = mv.require.whole("functions", config.functions, least=100)
    with mv.devices.computing("cpu", "float64"):
        if config.quick:
            return twelve("float64") + random_ones(100, config.seed)
        hard = twelve("float64") + replace(twelve("float32"), bars=())
        return hard + random_ones(functions, config.seed)


def twelve(precision: str) -> Findings:
    """The digits by method."""
    most = MOST[precision]
    wide = lambda f, x: central_slope(f, x, np.cbrt(np.finfo(x.dtype).eps) * max(1.0, abs(float(x))))
    methods = dict(SLOPE_METHODS) | {"central, ∛ε max(1, |x|)": wide}
    names = [*methods, "SciPy"]
    rows, digits, honest = [("", "at", *names)], [], []
    for case in HARD.values():
        x = np.asarray(case.at, precision)
        exact = case.of(np)[1](np.longdouble(x))
        found = [method(case.f, x) for method in methods.values()]
        values = [(of.value, of.error) for of in found] + [scipys(case.of(np)[0], x)]
        digits.append([correct(value, exact, most) for value, _ in values])
        honest.append([not abs(value - exact) > 10 * error for value, error in values])
        marks = ["" if ok else " !" for ok in honest[-1]]
        rows.append(
            (case.formula, f"{case.at:g}", *(f"{d:.1f}{m}" for d, m in zip(digits[-1], marks, strict=True)))
        )
    table = dict(zip(names, np.array(digits).T, strict=True))
    rows.append(("median", "", *(f"{np.median(of):.1f}" for of in table.values())))
    either = np.maximum(table["central"], table["central, ∛ε max(1, |x|)"])
    gain, gain_over_both = (float(np.median(table["ridders"] - of)) for of in (table["central"], either))
    least = min(
        d
        for d, a in zip(table["complex step"], table["autodiff"], strict=True)
        if a >= COMPLEX or d < COMPLEX
    )
    gained = f"{gain:.1f} digits more than central differences (median; {gain_over_both:.1f} more than the better of "
    gained += "two usual steps)"
    return Findings(
        [Table(f"Correct digits in {precision}; ! where the error bar does not hold", rows)],
        [
            Bar(min(gain, gain_over_both) >= BETTER, f"Ridders has {gained}; the bar is {BETTER:g}"),
            Bar(
                bool(least >= COMPLEX),
                f"a complex step has at least {least:.1f} digits where autodiff has them; the bar is {COMPLEX:g}",
            ),
        ],
        f"Of hard functions in {precision}, Ridders has {gained}; a complex step has at least "
        f"{table['complex step'].min():.1f} digits.",
        numbers={f"digits, {precision}": table},
    )


def scipys(f: Callable[[Any], Any], x: np.ndarray) -> tuple[float, float]:
    """Value and error by SciPy, with its own choice of steps; infinite where it says that it failed."""
    with np.errstate(all="ignore"):
        found = by_scipy(f, x)
    return float(found.df), float(found.error) if found.success else np.inf


def correct(value: float, exact: Any, most: float) -> float:
    """Correct digits; 0 where there is no value."""
    error = abs(np.longdouble(value) - exact) / abs(exact)
    return float(np.clip(-np.log10(max(error, 10.0**-most)), 0, most)) + 0.0 if np.isfinite(error) else 0.0


class Both(NamedTuple):
    """A value and its derivative, which obey the rules of calculus; what a random function is made of."""

    f: Any
    d: Any


Elementary = Callable[[Any, Any], Any]
ELEMENTARY: dict[str, tuple[Elementary, Elementary]] = {
    "sin": (lambda m, u: m.sin(u), lambda m, u: m.cos(u)),
    "cos": (lambda m, u: m.cos(u), lambda m, u: -m.sin(u)),
    "exp": (lambda m, u: m.exp(u), lambda m, u: m.exp(u)),
    "log": (lambda m, u: m.log(u), lambda m, u: 1 / u),
    "sqrt": (lambda m, u: m.sqrt(u), lambda m, u: 1 / (2 * m.sqrt(u))),
    "tanh": (lambda m, u: m.tanh(u), lambda m, u: 1 / m.cosh(u) ** 2),
    "arctan": (lambda m, u: m.arctan(u), lambda m, u: 1 / (1 + u * u)),
    "tan": (lambda m, u: m.tan(u), lambda m, u: 1 / m.cos(u) ** 2),
    "square": (lambda m, u: u * u, lambda m, u: 2 * u),
    "cube": (lambda m, u: u * u * u, lambda m, u: 3 * u * u),
    "reciprocal": (lambda m, u: 1 / u, lambda m, u: -1 / (u * u)),
    "sinh": (lambda m, u: m.sinh(u), lambda m, u: m.cosh(u)),
    "log1p": (lambda m, u: m.log1p(u), lambda m, u: 1 / (1 + u)),
    "expm1": (lambda m, u: m.expm1(u), lambda m, u: m.exp(u)),
    "arcsinh": (lambda m, u: m.arcsinh(u), lambda m, u: 1 / m.sqrt(1 + u * u)),
    "bell": (lambda m, u: m.exp(-u * u), lambda m, u: -2 * u * m.exp(-u * u)),
}


class Node(NamedTuple):
    """A random expression: of x, or a·g(u) + b, or u + v, u·v, u/v, u − v of two others."""

    kind: str
    parts: tuple["Node", ...] = ()
    a: float = 1.0
    b: float = 0.0

    def value(self, m: Any, x: Any) -> Any:
        """At x, with the functions of a module such as NumPy."""
        if self.kind == "x":
            return self.a * x + self.b
        u = [part.value(m, x) for part in self.parts]
        if self.kind in ELEMENTARY:
            return self.a * ELEMENTARY[self.kind][0](m, u[0]) + self.b
        return {
            "+": lambda p, q: p + q,
            "−": lambda p, q: p - q,
            "×": lambda p, q: p * q,
            "÷": lambda p, q: p / q,
        }[self.kind](*u)

    def both(self, x: Any) -> Both:
        """Value and derivative in 80 bits."""
        if self.kind == "x":
            return Both(self.a * x + self.b, self.a * (x / x))
        u = [part.both(x) for part in self.parts]
        if self.kind in ELEMENTARY:
            f, d = (of(np, u[0].f) for of in ELEMENTARY[self.kind])
            return Both(self.a * f + self.b, self.a * d * u[0].d)
        (f, d), (g, e) = u
        return {
            "+": lambda: Both(f + g, d + e),
            "−": lambda: Both(f - g, d - e),
            "×": lambda: Both(f * g, d * g + f * e),
            "÷": lambda: Both(f / g, (d * g - f * e) / (g * g)),
        }[self.kind]()


def grown(rng: np.random.Generator, depth: int, scale: float, precision: str) -> Node:
    """A random expression for numbers of about this size, with constants that the precision holds exactly."""
    one_of = lambda *numbers: float(rng.choice(np.array(numbers, precision)))
    if depth == 0:
        return Node("x", (), one_of(1, rng.normal(), 1 / scale), one_of(0, rng.normal()))
    part = lambda: grown(rng, depth - 1, scale, precision)
    if rng.random() < 0.35:
        return Node(str(rng.choice(list("+−×÷"))), (part(), part()))
    size = lambda: one_of(1, rng.normal(), rng.normal() * 10 ** rng.uniform(-3, 3))
    return Node(str(rng.choice(list(ELEMENTARY))), (part(),), size(), one_of(0, 0, 0, size()))


class Drawn(NamedTuple):
    """A random function, its point, and the truth there."""

    node: Node
    x: Any
    exact: Any
    unsure: Any
    """How far the truth may be from it: what 53 bits make of it in place of 64 is 2048 times as wrong."""


def draw(rng: np.random.Generator, precision: str) -> Drawn:
    """A random function where it and its slope are finite, in the range of the precision."""
    low, high = (1e-25, 1e25) if precision == "float32" else (1e-200, 1e200)
    while True:
        size = 10 ** rng.uniform(-6, 6)
        x = np.dtype(precision).type(rng.choice([-1, 1]) * size)
        node = grown(rng, int(rng.integers(1, 4)), float(abs(x)), precision)
        with np.errstate(all="ignore"):
            f, d = node.both(np.longdouble(x))
            unsure = abs(node.both(np.float64(x)).d - d) / 500
            near = node.value(np, x)
        if np.isfinite(near) and abs(f) < high and low < abs(d) < high and unsure < abs(d) / 1e3:
            return Drawn(node, x, d, unsure)


def random_ones(functions: int, seed: int) -> Findings:
    """How often error bars hold."""
    rng = np.random.default_rng(seed)
    tenth, few = functions // 10, max(functions // 100, 1)
    rows: list[Sequence[str]] = [
        (
            "random functions",
            "",
            "has a value",
            "bar holds",
            "median digits",
            "digits by its bar",
            "time each",
        )
    ]
    plain = [draw(rng, "float64") for _ in range(functions)]
    single = [draw(rng, "float32") for _ in range(tenth)]
    in_numpy = lambda method: lambda node, x: method(lambda x: node.value(np, x), x)
    in_jax = lambda method: lambda node, x: method(lambda x: node.value(jnp, x), x)
    runs = {
        "float64, NumPy: Ridders": (plain, in_numpy(ridders)),
        "central": (plain[:tenth], in_numpy(central_slope)),
        "forward": (plain[:tenth], in_numpy(SLOPE_METHODS["forward"])),
        "SciPy": (plain[:tenth], lambda node, x: scipys(lambda x: node.value(np, x), x)),
        "float64, JAX: Ridders": (plain[:few], in_jax(ridders)),
        "complex step": (plain[:few], in_jax(SLOPE_METHODS["complex step"])),
        "autodiff": (plain[:few], in_jax(SLOPE_METHODS["autodiff"])),
        "float32, NumPy: Ridders": (single, in_numpy(ridders)),
        "float32: central": (single, in_numpy(central_slope)),
    }
    bars, numbers = [], {}
    for name, (drawn, method) in runs.items():
        began = time.perf_counter()
        found = [method(of.node, of.x) for of in drawn]
        taken = (time.perf_counter() - began) / len(drawn)
        value, error = (np.array([of[k] for of in found], np.longdouble) for k in (0, 1))
        exact = np.array([of.exact for of in drawn])
        unsure = np.array([of.unsure for of in drawn])
        there = np.isfinite(value) & np.isfinite(error)
        off, size = np.abs(value - exact)[there], np.abs(exact[there])
        holds = 1 - np.count_nonzero(~(off <= 10 * error[there] + unsure[there])) / len(drawn)
        told = [f"{np.median(-np.log10(np.maximum(of / size, 1e-17))):.1f}" for of in (off, error[there])]
        rows.append(
            (name, f"{len(drawn):,}", f"{there.mean():.1%}", f"{holds:.2%}", *told, f"{1e3 * taken:.1f} ms")
        )
        numbers[name] = {"functions": len(drawn), "bar holds": holds, "seconds each": taken}
        if name.endswith("Ridders"):
            words = f"{name}: the error bar holds for {holds:.2%} of {len(drawn):,} functions; the bar is {HOLDS:.0%}"
            bars.append(Bar(bool(holds >= HOLDS), words))
    held = ", ".join(f"{name} {of['bar holds']:.2%}" for name, of in numbers.items())
    return Findings(
        [Table("Random functions", rows)],
        bars,
        f"Of random functions the error bar holds: {held}.",
        "An error bar is said to hold where the truth is within ten times of it.",
        {"random functions": numbers},
    )


if __name__ == "__main__":
    results.leave(findings, Config)
