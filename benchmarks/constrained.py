"""Are all stationary points on a constraint found, judged rightly and priced rightly, where they are known otherwise?

    python -m benchmarks.constrained

Random problems whose answers come without multipliers. On a curve that can be walked, f is a function of one angle,
whose extrema are bracketed and bisected; a quadratic form on a sphere has eigenvectors; a budget after Cobb and
Douglas, an entropy, and the points of an ellipsoid where a plane touches it have closed forms. Every point must be
there, once, to ten digits, with its kind, and nothing else; λ must agree to 1e-6 with f* solved again at g = c ± δ.
Beside it, what SciPy's SLSQP and trust-constr find of the course's first problem, and the signs of their multipliers.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import brentq, minimize

import mvcalc_jax as mv
from benchmarks import results
from benchmarks.harness import spoken
from benchmarks.results import Bar, Findings, Table, progress
from mvcalc_jax import autodiff, options, text
from mvcalc_jax.calculus.constraints.bordered import Kind
from mvcalc_jax.calculus.constraints.lagrange import lagrange

QUESTION = (__doc__ or "").partition("\n")[0]
DIGITS, PRICE = 1e-10, 1e-6
"""The bars: how far a point may be off, beside 1 + |x|; and λ from what solving again gives, beside λ."""
SIGN = {Kind.MINIMUM: 1, Kind.MAXIMUM: -1, Kind.SADDLE: 0}
Generator = np.random.Generator


@dataclass(frozen=True)
class Config:
    """Random constrained problems; a minute."""

    problems: int = 25
    """Of each kind."""
    seed: options.Seed = 0
    quick: bool = False
    """One of each of the first two kinds."""


class Case(NamedTuple):
    """A problem and its answer: points (k, d), and what each is: 1 a minimum, -1 a maximum, 0 neither."""

    f: Callable[[Any], Any]
    g: Callable[[Any], Any]
    box: np.ndarray
    points: np.ndarray
    kinds: np.ndarray


def findings(config: Config) -> Findings:
    problems = mv.require.whole("problems", config.problems, least=1)
    problems, starts, kinds = (1, 2, 2) if config.quick else (problems, 20, len(KINDS))
    rows = [
        ("", "problems", "points", "missed", "made up", "misjudged", "worst place", "worst price", "a call")
    ]
    tallies = {}
    with mv.devices.computing("cpu", "float64"):
        for name, case in list(KINDS.items())[:kinds]:
            rng = np.random.default_rng(config.seed)
            tallies[name] = judged([case(rng) for _ in range(problems)])
            rows.append((name, *tallies[name].row))
            progress(f"      {name}")
        scipys = others(starts)
    points, missed, made_up, misjudged = (sum(of[k] for of in tallies.values()) for k in (1, 2, 3, 4))
    wrong = missed + made_up + misjudged
    place, price = (max(of[k] for of in tallies.values()) for k in (5, 6))
    return Findings(
        [Table("Random problems", rows), Table("Beside SciPy", scipys)],
        [
            Bar(
                wrong == 0,
                f"of {points} points {missed} are missed, {made_up} made up, {misjudged} misjudged; the bar is 0",
            ),
            Bar(
                place <= DIGITS,
                f"the worst place is off by {place:.0e}, beside 1 + |x|; the bar is {DIGITS:.0e}",
            ),
            Bar(price <= PRICE, f"the worst λ is off by {price:.0e} of itself; the bar is {PRICE:.0e}"),
        ],
        f"Of {points} stationary points {points - missed} are found, to {place:.0e}, and {misjudged} are misjudged. "
        f"Each λ is what solving again gives, to {price:.0e}.",
        "Problems with closed answers, of 2 to 7 variables.",
        {"found": tallies},
    )


class Tally(NamedTuple):
    """What was found of some problems: counts, the worst place and price, and the seconds of each call."""

    problems: int
    points: int
    missed: int
    made_up: int
    misjudged: int
    place: float
    price: float
    seconds: list[float]

    @property
    def row(self) -> tuple[str, ...]:
        typical = spoken(float(np.median(self.seconds)))
        return (*map(text.count, self[:5]), f"{self.place:.0e}", f"{self.price:.0e}", typical)

    @property
    def bad(self) -> bool:
        """Whether a bar is missed."""
        return any(self[2:5]) or self.place > DIGITS or self.price > PRICE


def judged(cases: list[Case]) -> Tally:
    """What `lagrange` finds, beside what is known."""
    counts, place, price, seconds = np.zeros(4, int), [0.0], [0.0], []
    for case in cases:
        began = time.perf_counter()
        found = lagrange(case.f, case.g, box=case.box).points
        seconds.append(time.perf_counter() - began)
        x = np.array([p.x for p in found]).reshape(-1, len(case.box))
        away = np.linalg.norm(case.points[:, None] - x, axis=2)
        hit = away.min(axis=1, initial=np.inf) < 1e-6
        kinds = [SIGN.get(found[k].kind, 9) for k in away.argmin(axis=1)[hit]] if len(x) else []
        wrong = np.sum(np.array(kinds) != case.kinds[hit])
        counts += len(hit), np.sum(~hit), len(x) - np.sum(hit), wrong
        place += list(away.min(axis=1, initial=np.inf)[hit] / (1 + np.abs(case.points).max()))
        price += [np.inf if np.isnan(p.apart) else p.apart for p in found]
    points, missed, made_up, misjudged = map(int, counts)
    return Tally(
        len(cases), points, missed, made_up, misjudged, float(max(place)), float(max(price)), seconds
    )


def walked(f: Callable[[Any], Any], curve: Callable[[Any], Any]) -> tuple[np.ndarray, np.ndarray]:
    """Where f is stationary along a closed curve, by signs of its slope on a fine grid, and what it is there."""
    along = lambda t: f(curve(t))
    slope = jax.jit(jax.vmap(autodiff.gradient(along)))
    t = np.linspace(0, 2 * np.pi, 4001)
    s = np.asarray(slope(jnp.asarray(t)))
    ends = np.flatnonzero(np.sign(s[1:]) * np.sign(s[:-1]) < 0)
    one = lambda t: float(slope(jnp.asarray([t]))[0])
    at = [brentq(one, t[k], t[k + 1], xtol=1e-15) for k in ends]
    return np.array([curve(t) for t in at]), np.where(s[ends + 1] > 0, 1, -1)


def on_an_ellipse(rng: Generator) -> Case:
    """A wave on an ellipse."""
    a, b, c = rng.uniform(0.5, 2, 2), rng.uniform(-1.5, 1.5, 2), rng.uniform(-0.5, 0.5, 2)
    f = lambda x: jnp.sin(b[0] * x[0] + 1) * jnp.exp(0.4 * b[1] * x[1]) + 0.3 * x[0] * x[1]
    g = lambda x: jnp.sum(((x - c) / a) ** 2) - 1
    points, kinds = walked(f, lambda t: c + a * jnp.stack([jnp.cos(t), jnp.sin(t)]))
    return Case(f, g, np.array([[-3.0, 3.0]] * 2), points, kinds)


def distance_to_a_curve(rng: Generator) -> Case:
    """The distance to a bent oval, x⁴ + y² = 1 turned and stretched, from a point inside it or outside."""
    turn, stretch, p = rng.uniform(0, np.pi), rng.uniform(0.7, 1.5), rng.uniform(-1.5, 1.5, 2)
    R = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    f = lambda x: jnp.sum((x - p) ** 2)
    g = lambda x: (R.T @ x)[0] ** 4 + ((R.T @ x)[1] / stretch) ** 2 - 1

    def curve(t: Any) -> Any:  # by the polar angle, along which r solves r⁴cos⁴ + r²sin²/s² = 1
        c, s = jnp.cos(t), jnp.sin(t) / stretch
        return R @ jnp.stack([jnp.cos(t), jnp.sin(t)]) * jnp.sqrt(2 / (s**2 + jnp.sqrt(s**4 + 4 * c**4)))

    return Case(f, g, np.array([[-3.0, 3.0]] * 2), *walked(f, curve))


def on_a_circle_in_space(rng: Generator) -> Case:
    """A cubic where a plane cuts the unit sphere: two constraints."""
    n, offset, A, b = (rng.standard_normal(s) for s in (3, (), (3, 3), 3))
    n, offset = n / np.linalg.norm(n), 0.5 * np.tanh(offset)
    e1, e2 = np.linalg.svd(n[None])[2][1:]
    f = lambda x: x @ A @ x + b @ x + x[0] * x[1] * x[2]
    g = lambda x: jnp.stack([n @ x - offset, x @ x - 1])
    r = np.sqrt(1 - offset**2)
    points, kinds = walked(f, lambda t: offset * n + r * (jnp.cos(t) * e1 + jnp.sin(t) * e2))
    return Case(f, g, np.array([[-1.5, 1.5]] * 3), points, kinds)


def quadratic_on_a_sphere(rng: Generator) -> Case:
    """Its eigenvectors, in 3 to 7 dimensions."""
    d = int(rng.integers(3, 8))
    A = rng.standard_normal((d, d))
    _, V = np.linalg.eigh(A + A.T)
    kinds = np.array([1, *[0] * (d - 2), -1])
    box = np.array([[-1.5, 1.5]] * d)
    return Case(lambda x: x @ A @ x, lambda x: x @ x - 1, box, np.concatenate([V.T, -V.T]), np.tile(kinds, 2))


def budget(rng: Generator) -> Case:
    """Cobb and Douglas: xᵃyᵇ… for a budget of p·x = m spends the share a/Σa on each."""
    d = int(rng.integers(2, 6))
    a, p, m = rng.uniform(0.1, 1, d), 10 ** rng.uniform(-1, 2, d), 10 ** rng.uniform(0, 4)
    f, x = lambda x: jnp.prod(x**a), a / a.sum() * m / p
    return Case(f, lambda x: p @ x - m, np.stack([0 * p, 1.01 * m / p], axis=1), x[None], np.array([-1]))


def entropy(rng: Generator) -> Case:
    """−Σ p log p for Σp = 1 and a given mean of e: Gibbs's distribution, its temperature by bisection."""
    d = int(rng.integers(3, 7))
    e = np.sort(rng.uniform(0, 3, d))
    gibbs = lambda β: np.exp(-β * (e - e[0])) / np.exp(-β * (e - e[0])).sum()
    mean = e @ gibbs(rng.uniform(-1.5, 1.5))
    p = gibbs(brentq(lambda β: e @ gibbs(β) - mean, -3, 3, xtol=1e-15))
    g = lambda p: jnp.stack([p.sum() - 1, e @ p - mean])
    return Case(lambda p: -jnp.sum(p * jnp.log(p)), g, np.array([[0.0, 1.0]] * d), p[None], np.array([-1]))


def touching_planes(rng: Generator) -> Case:
    """b·x on an ellipsoid xᵀAx = 1: at ±A⁻¹b/√(bᵀA⁻¹b), in units of very different sizes."""
    d = int(rng.integers(2, 7))
    B, scale, b = rng.standard_normal((d, d)), 10 ** rng.uniform(-4, 4, d), rng.standard_normal(d)
    A = (B @ B.T + np.eye(d)) / np.outer(scale, scale)
    b = b / scale
    x = np.linalg.solve(A, b) / np.sqrt(b @ np.linalg.solve(A, b))
    reach = 1.5 * np.sqrt(np.diag(np.linalg.inv(A)))
    return Case(
        lambda x: b @ x,
        lambda x: x @ A @ x - 1,
        np.stack([-reach, reach], axis=1),
        np.stack([-x, x]),
        np.array([1, -1]),
    )


KINDS: dict[str, Callable[[Generator], Case]] = {
    "a wave on an ellipse": on_an_ellipse,
    "the distance to an oval": distance_to_a_curve,
    "a cubic on a circle in space": on_a_circle_in_space,
    "a quadratic form on a sphere": quadratic_on_a_sphere,
    "a budget": budget,
    "an entropy with a given mean": entropy,
    "planes that touch an ellipsoid": touching_planes,
}


def others(starts: int) -> list[tuple[str, ...]]:
    """SciPy on the course's first problem, from so many starts each downhill and uphill."""
    f = lambda x: jnp.exp(-(2 * x[0] ** 2 + x[1] ** 2 - x[0] * x[1]) / 2)
    g = lambda x: x[0] ** 2 + 3 * (x[1] + 1) ** 2 - 1
    began = time.perf_counter()
    points = lagrange(f, g, box=[(-3, 3), (-3, 3)]).points
    rows = [("the course's first problem", "points", "λ at its maximum", "time")]
    top = max(points, key=lambda p: p.value)
    rows.append(
        ("lagrange", f"{len(points)}", f"{top.multipliers[0]:.6f}", spoken(time.perf_counter() - began))
    )
    df, dg = autodiff.gradient(f), autodiff.gradient(g)
    program = jax.jit(lambda x: (f(x), df(x), g(x), dg(x)))
    for method in ("SLSQP", "trust-constr"):
        began, hits, λ = time.perf_counter(), set(), np.nan
        for sign in (1, -1):
            fun = lambda x, s=sign: (s * float(program(x)[0]), s * np.asarray(program(x)[1]))
            equal = {
                "type": "eq",
                "fun": lambda x: float(program(x)[2]),
                "jac": lambda x: np.asarray(program(x)[3]),
            }
            for start in np.random.default_rng(0).uniform(-3, 3, (starts, 2)):
                end = minimize(fun, start, jac=True, method=method, constraints=equal)
                near = [k for k, p in enumerate(points) if np.linalg.norm(p.x - end.x) < 1e-4]
                hits.update(near)
                if sign == -1 and near and points[near[0]] is top:
                    λ = float(np.ravel(end.multipliers if method == "SLSQP" else end.v[0])[0])
        told = f"{-λ:.6f}, with the sign of f turned back" if np.isfinite(λ) else "–"
        rows.append((method, f"{len(hits)}", told, spoken(time.perf_counter() - began)))
    return rows


if __name__ == "__main__":
    results.leave(findings, Config)
