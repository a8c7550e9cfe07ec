"""Is a derivative traced rule by rule JAX's own to the last bits, and what does it cost beside walking the function?

    python -m benchmarks.rules

Random compositions of numbers, and of vectors, with sums, products, quotients, powers, some fifty other functions,
choices, sorting, indexing and loops, each value used several times: `trace_rules` against `jax.grad` in float64, in
units of the last place (ulp) of each entry. The bar is 4 ulp in reverse mode. A third kind also holds functions that
JAX compiles as one (norm, variance, softmax, a function in `jit` …): within those XLA rounds x·y + z once, which no
walk by steps can follow, and JAX without compiling is as far from itself; it is compared so, and beside that.
Then the cost: the median time of a trace over that of carrying out the same equations one by one, which is the least
that any walk costs, beside jax.grad, which is a walk, too, where it is not compiled.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import jaxpr_as_fun

import mvcalc_jax as mv
from benchmarks import results
from benchmarks.harness import measure, spoken
from benchmarks.results import Bar, Findings, Table, progress
from mvcalc_jax import autodiff, options
from mvcalc_jax.calculus.tracing import PRIMITIVES, trace_rules
from mvcalc_jax.calculus.tracing.record import record
from mvcalc_jax.calculus.tracing.walk import Walk

QUESTION = (__doc__ or "").partition("\n")[0]
ULPS = 4.0
"""The bar in reverse mode, from jax.grad."""
LEAST = 50
"""Primitives that must be known."""


@dataclass(frozen=True)
class Config:
    """Trace random functions and compare; two minutes."""

    functions: int = 200
    """Of each kind."""
    operations: int = 12
    """At most so many in each, beside three at its end."""
    seed: options.Seed = 0
    quick: bool = False
    """One short function of each kind."""


UNARY: dict[str, Callable[[Any], Any]] = {
    "neg": lambda u: -u,
    "square": lambda u: u**2,
    "cube": lambda u: u**3,
    "reciprocal": lambda u: 1 / (2 + u * u),
    "power": lambda u: (1 + u * u) ** 1.7,
    "sqrt": lambda u: jnp.sqrt(0.3 + u * u),
    "rsqrt": lambda u: jax.lax.rsqrt(0.3 + u * u),
    "cbrt": lambda u: jnp.cbrt(u + 0.1),
    "exp": lambda u: jnp.exp(-u * u),
    "exp2": lambda u: jnp.exp2(jnp.sin(u)),
    "expm1": lambda u: jnp.expm1(jnp.tanh(u)),
    "log": lambda u: jnp.log(0.5 + u * u),
    "log1p": lambda u: jnp.log1p(u * u),
    "sin": jnp.sin,
    "cos": jnp.cos,
    "tan": lambda u: jnp.tan(jnp.tanh(u)),
    "asin": lambda u: jnp.arcsin(0.9 * jnp.sin(u)),
    "acos": lambda u: jnp.arccos(0.9 * jnp.sin(u)),
    "atan": jnp.arctan,
    "sinh": lambda u: jnp.sinh(jnp.sin(u)),
    "cosh": lambda u: jnp.cosh(jnp.sin(u)),
    "tanh": jnp.tanh,
    "asinh": jnp.arcsinh,
    "acosh": lambda u: jnp.arccosh(1.5 + u * u),
    "atanh": lambda u: jnp.arctanh(0.8 * jnp.sin(u)),
    "logistic": jax.nn.sigmoid,
    "erf": jax.scipy.special.erf,
    "erfc": jax.scipy.special.erfc,
    "erf_inv": lambda u: jax.scipy.special.erfinv(0.8 * jnp.sin(u)),
    "lgamma": lambda u: jax.scipy.special.gammaln(1.2 + u * u),
    "digamma": lambda u: jax.scipy.special.digamma(1.2 + u * u),
    "i0e": jax.scipy.special.i0e,
    "i1e": jax.scipy.special.i1e,
    "abs": jnp.abs,
    "relu": jax.nn.relu,
    "softplus": jax.nn.softplus,
    "gelu": jax.nn.gelu,
    "silu": jax.nn.silu,
    "elu": jax.nn.elu,
    "sinc": jnp.sinc,
    "clip": lambda u: jnp.clip(u, -0.5, 0.7),
    "where": lambda u: jnp.where(u > 0.1, u * u, 0.3 * u),
    "floor": lambda u: u * jnp.floor(3 * u),
    "stopped": lambda u: u * jax.lax.stop_gradient(jnp.cos(u)),
    "looped": lambda u: jax.lax.fori_loop(0, 3, lambda _, w: jnp.sin(w) + 0.5 * u, u),
    "branch": lambda u: jax.lax.cond(jnp.sum(u) > 0, jnp.sin, jnp.cos, u),
    "jitted": jax.jit(lambda u: u * jnp.exp(-jnp.abs(u))),
}
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda u, v: u + v,
    "sub": lambda u, v: u - v,
    "mul": lambda u, v: u * v,
    "div": lambda u, v: u / (1.5 + v * v),
    "pow": lambda u, v: (0.4 + u * u) ** jnp.tanh(v),
    "atan2": lambda u, v: jnp.arctan2(u, v),
    "max": jnp.maximum,
    "min": jnp.minimum,
    "hypot": lambda u, v: jnp.sqrt(u * u + v * v + 0.1),
    "logaddexp": jnp.logaddexp,
    "rem": lambda u, v: jnp.fmod(u, 2 + v * v),
}
VECTOR: dict[str, Callable[[Any], Any]] = {
    "flip": lambda u: jnp.flip(u),
    "roll": lambda u: jnp.roll(u, 1),
    "sorted": jnp.sort,
    "running": jnp.cumsum,
    "softmax": jax.nn.softmax,
    "centred": lambda u: u - jnp.mean(u),
    "normed": lambda u: u / (1 + jnp.linalg.norm(u)),
    "largest": lambda u: u * jnp.max(u),
    "smallest": lambda u: u + jnp.min(u),
    "logsumexp": lambda u: u * jax.nn.logsumexp(u),
    "product": lambda u: u * jnp.prod(jnp.tanh(u)),
    "padded": lambda u: jnp.pad(u[1:-1], 1),
    "joined": lambda u: jnp.concatenate([u[2:], u[:2]]),
    "outer": lambda u: jnp.sum(jnp.outer(u, jnp.sin(u)), axis=1),
    "matrix": lambda u: (MATRIX @ u) / 2,
    "quadratic": lambda u: u * (u @ MATRIX @ u) / 4,
    "gathered": lambda u: u[np.array([0, 0, 3, 1, 4])],
    "put": lambda u: u.at[1].set(jnp.sum(u)),
    "added": lambda u: u.at[np.array([0, 2, 2])].add(u[:3]),
    "scanned": lambda u: jax.lax.scan(lambda c, w: (jnp.sin(c) + w, c * w), u[0], u)[1],
    "split": lambda u: jnp.concatenate(jnp.split(u, [2])[::-1]),
    "variance": lambda u: u * jnp.var(u),
    "mapped": lambda u: jax.vmap(lambda w: w * jnp.sin(w))(u),
}
MATRIX = np.sin(np.arange(25.0)).reshape(5, 5)


COMPILED = (
    "sinc",
    "silu",
    "jitted",
    "product",
    "variance",
    "normed",
    "softmax",
    "scanned",
    "centred",
    "rem",
    "logsumexp",
)
"""Functions of several steps that JAX compiles as one, and a product of entries, which it takes as a tree."""


@dataclass(frozen=True)
class Kind:
    """Compositions of one kind."""

    name: str
    vector: bool
    compiled: bool

    @property
    def operations(self) -> list[dict[str, Callable[..., Any]]]:
        """To choose from, first a group and then one of it."""
        groups = [UNARY, BINARY, VECTOR] if self.vector else [UNARY, BINARY]
        return [{n: f for n, f in group.items() if self.compiled or n not in COMPILED} for group in groups]


KINDS = (
    Kind("numbers", False, False),
    Kind("vectors", True, False),
    Kind("vectors, some compiled", True, True),
)


def composition(
    rng: np.random.Generator, operations: int, kind: Kind
) -> tuple[Callable[..., Any], list[str]]:
    """A random function of x, y and z, numbers or vectors, and what it is made of."""
    program: list[tuple[str, Callable[..., Any], list[int]]] = []
    for k in range(rng.integers(3, operations + 1)):
        groups = kind.operations
        group = groups[rng.integers(len(groups))]
        name = str(rng.choice(list(group)))
        taken = [int(j) for j in rng.integers(0, 3 + k, 2 if name in BINARY else 1)]
        program.append((name, group[name], taken))

    def f(x: Any, y: Any, z: Any) -> Any:
        values = [x, y, z]
        for _, operation, taken in program:
            values.append(operation(*(values[j] for j in taken)))
        total = values[-1] + 0.3 * values[-2] + x * values[-3]
        return jnp.sum(total * total) if kind.vector else total

    return f, [name for name, _, _ in program]


def point(rng: np.random.Generator, kind: Kind) -> list[Any]:
    """Where it is differentiated."""
    return [rng.normal(size=5) if kind.vector else float(rng.normal()) for _ in range(3)]


def ulps(found: Any, expected: Any) -> float:
    """The largest difference of an entry in units of its last place; infinite where one is finite and one is not."""
    a, b = (np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(tree)]) for tree in (found, expected))
    if np.any(np.isfinite(a) != np.isfinite(b)):
        return float("inf")
    a, b = a[np.isfinite(b)], b[np.isfinite(b)]
    unit = np.spacing(np.maximum(np.abs(b), np.finfo(b.dtype).tiny))
    return float(np.max(np.abs(a - b) / unit, initial=0))


def compared(f: Callable[..., Any], at: list[Any]) -> tuple[float, float, float]:
    """How far the trace is from jax.grad, reverse and forward (from jax.jvp), and jax.grad from itself uncompiled."""
    every = tuple(range(len(at)))
    expected = autodiff.gradient(f, every)(*at)
    onward = autodiff.jacobian(f, every, mode="forward")(*at)
    back, on = (trace_rules(f, mode=mode)(*at).gradient for mode in ("reverse", "forward"))
    with jax.disable_jit():
        apart = autodiff.gradient(f, every)(*at)
    return ulps(back, expected), ulps(on, onward), ulps(apart, expected)


def findings(config: Config) -> Findings:
    functions = mv.require.whole("functions", config.functions, least=1)
    operations = mv.require.whole("operations", config.operations, least=3)
    functions, operations = (1, 3) if config.quick else (functions, operations)
    rows = [("", "functions", *(f"{way}, {what}" for way in WAYS for what in ("most", "≤ 4 ulp", "exact")))]
    far = {}
    with mv.devices.computing("cpu", "float64"):
        for kind in KINDS:
            rng = np.random.default_rng(config.seed)
            drawn = [(composition(rng, operations, kind)[0], point(rng, kind)) for _ in range(functions)]
            far[kind.name] = np.array([compared(f, at) for f, at in drawn])
            rows.append((kind.name, str(functions), *_spread(far[kind.name])))
            progress(f"      {kind.name}")
        table, times = costs(1 if config.quick else 15)
    beyond = {name: int((of[:, 0] > ULPS).sum()) for name, of in far.items()}
    exact = ", ".join(f"{name} {(of[:, 0] == 0).mean():.1%}" for name, of in far.items())
    cost = ", ".join(f"{of.traced / of.plain:.1f} ({name})" for name, of in times.items())
    numbers, vectors = (beyond[kind.name] for kind in KINDS[:2])
    few = int(0.01 * functions)
    return Findings(
        [Table("Distances", rows), Table("Costs", table)],
        [
            Bar(
                numbers == 0,
                f"{numbers} of {functions} compositions of numbers are beyond {ULPS:g} ulp; the bar is 0",
            ),
            Bar(vectors <= few, f"{vectors} of {functions} compositions of vectors are; the bar is {few}"),
            Bar(len(PRIMITIVES) >= LEAST, f"{len(PRIMITIVES)} primitives are known; the bar is {LEAST}"),
        ],
        f"In reverse mode so many are JAX's own to the last bit: {exact}. A trace takes so many times what its "
        f"equations take one by one: {cost}.",
        f"The primitives that are known: {', '.join(PRIMITIVES)}.",
        {"ulp": far, "seconds": times},
    )


class Times(NamedTuple):
    """How many equations f has; seconds to carry them out, to do so with rules, to trace all anew, and for jax.grad."""

    equations: int
    plain: float
    walked: float
    traced: float
    gradient: float


WAYS = "reverse from jax.grad", "forward from jax.jvp", "jax.grad from itself uncompiled"


def _spread(found: np.ndarray) -> list[str]:
    columns = []
    for far in found.T:
        columns += [f"{far.max():.3g}", f"{(far <= ULPS).mean():.1%}", f"{(far == 0).mean():.1%}"]
    return columns


def costs(rounds: int) -> tuple[list[tuple[str, ...]], dict[str, Times]]:
    """A row for each function: how long the equations take one by one, parts of a trace, and jax.grad, not compiled."""
    found = {}
    rows: list[tuple[str, ...]] = [
        (
            "",
            "equations",
            "one by one",
            "rules as well",
            "× that",
            "trace_rules in all",
            "× that",
            "jax.grad",
            "× that",
        )
    ]
    for name, f, at in TIMED:
        count, base, *others = found[name] = _times(f, at, rounds)
        cells = [cell for seconds in others for cell in (spoken(seconds), f"{seconds / base:.1f}")]
        rows.append((name, str(count), spoken(base), *cells))
    return rows, found


def _times(f: Callable[..., Any], at: list[Any], rounds: int) -> Times:
    closed: Any = jax.make_jaxpr(f)(*at)
    every = [True] * len(at)
    equations = jaxpr_as_fun(closed)
    runs = {
        "plain": lambda: equations(*at),
        "recorded": lambda: jax.make_jaxpr(f)(*at),
        "walked": lambda: Walk(record(f, at), every).reverse(),
        "traced": lambda: trace_rules(f)(*at),
        "gradient": lambda: autodiff.gradient(f)(*at),
    }
    typical = {name: timing.typical for name, timing in measure(runs, rounds).items()}
    walked = typical["walked"] - typical["recorded"]
    return Times(len(closed.jaxpr.eqns), typical["plain"], walked, typical["traced"], typical["gradient"])


def _deep(x: Any) -> Any:
    for k in range(40):
        x = jnp.sin(x) * 1.1 + jnp.exp(-x * x) / (2 + k)
    return x


def _layers(x: Any, W: Any) -> Any:
    for _ in range(5):
        x = jnp.tanh(W @ x)
    return jnp.sum(x * x)


TIMED: tuple[tuple[str, Callable[..., Any], list[Any]], ...] = (
    ("sin(2x⁵ + 3x)/e⁷ˣ", lambda x: jnp.sin(2 * x**5 + 3 * x) / jnp.exp(7 * x), [np.float64(0.5)]),
    ("forty rounds of a number", _deep, [np.float64(0.5)]),
    (
        "five layers, 300 × 300",
        _layers,
        [np.linspace(0, 1, 300), np.sin(np.arange(90_000.0)).reshape(300, 300) / 20],
    ),
)

if __name__ == "__main__":
    results.leave(findings, Config)
