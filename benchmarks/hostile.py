"""Is "converged" ever said of a point that is no minimum, whatever is fitted: random curves, a tenth of them hostile?

    python -m benchmarks.hostile

Peaks and decays of any height, place, width and noise, and among them what detectors and tables really contain:
nothing, one bin, NaN, a peak beside the data or upside down, steps, spikes, too few points, no sigma, hopeless starts.
Every fit that says it converged is looked at again without this package, in 80-bit numbers, by formulas of its own: the
gradient must vanish and the Hessian be positive definite, to what rounding in the fit's precision explains. Fits that
must not converge, such as those of NaN, must have the one status that says so; those that stopped at a minimum and do
not know it are counted.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import jax
import numpy as np

import mvcalc_jax as mv
from benchmarks import batches, results
from benchmarks.harness import spoken
from benchmarks.results import Bar, Findings, Table
from mvcalc_jax import options, text
from mvcalc_jax.fitting.result import Status
from mvcalc_jax.text import Rows

QUESTION = (__doc__ or "").partition("\n")[0]
POINTS = 32
CHUNK = 50_000
"""Fits that are looked at again at once."""
NEAR = 1e-3
"""The relative offset that convergence promises at least; see `mvcalc_jax.fitting.loop`."""


@dataclass(frozen=True)
class Config:
    """Fit a million random curves, and look again; a minute."""

    fits: int = 1_000_000
    """In all, half of them peaks and half decays."""
    precision: str = "float64"
    """float64 or float32."""
    seed: options.Seed = 0
    quick: bool = False
    """Four thousand curves."""


class Curves(NamedTuple):
    """What is fitted: x (n,), y (m, n), sigma (m, n), mask (m, n), p0 (m, p) or None, and each fit's kind, (m,)."""

    x: np.ndarray
    y: np.ndarray
    sigma: np.ndarray
    mask: np.ndarray
    p0: np.ndarray | None
    kind: np.ndarray

    def of(self, precision: str) -> "Curves":
        """The same in a precision."""
        x, y, sigma = (a.astype(precision) for a in (self.x, self.y, self.sigma))
        return self._replace(x=x, y=y, sigma=sigma, p0=None if self.p0 is None else self.p0.astype(precision))

    def part(self, which: Any) -> "Curves":
        """Some of them."""
        y, sigma, mask, kind = (a[which] for a in (self.y, self.sigma, self.mask, self.kind))
        return Curves(self.x, y, sigma, mask, None if self.p0 is None else self.p0[which], kind)


KINDS = [
    "ordinary",
    "nothing",
    "constant",
    "one bin",
    "noise",
    "upside down",
    "beside the data",
    "narrow",
    "wide",
    "step",
    "spike",
    "two at once",
    "1e15 high",
    "1e-15 high",
    "NaN",
    "infinite",
    "too few points",
    "sigma 0",
    "sigma negative",
    "far start",
    "NaN start",
    "exact",
]
MUST = {
    "NaN": Status.NOT_FINITE,
    "infinite": Status.NOT_FINITE,
    "NaN start": Status.NOT_FINITE,
    "too few points": Status.TOO_FEW_POINTS,
    "sigma 0": Status.BAD_SIGMA,
    "sigma negative": Status.BAD_SIGMA,
}
"""Kinds that have only one right status."""
POSSIBLE = [
    s for s in Status if s >= Status.DEGENERATE and s not in (Status.NOT_FINITE, Status.TOO_FEW_POINTS)
]
POSSIBLE += [Status.OUTSIDE, Status.OUT_OF_RANGE, Status.NOT_FINITE_START]
"""How all others may end."""


class Law(NamedTuple):
    """A model: in NumPy its value, first and second derivatives at θ (m, p, 1), in the precision of θ, and its fit."""

    name: str
    derivatives: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, list[Any], dict[tuple[int, int], Any]]]
    curves: Callable[[int, np.random.Generator], Curves]
    fit: Callable[..., mv.Fit]
    """Of curves, and keywords."""


class Tally(NamedTuple):
    """What came of one kind of curve: how many, how they ended, and how many of the answers are false."""

    fits: int
    converged: int
    false: int
    wrong: int
    missed: int
    """Not converged, and yet at a minimum."""


def findings(config: Config) -> Findings:
    mv.require.whole("fits", config.fits, least=200)
    mv.require.one_of("precision", config.precision, ("float64", "float32"))
    config = replace(config, fits=min(config.fits, 4000)) if config.quick else config
    tables, tallies, seconds = [], {}, {}
    with mv.devices.computing("cpu", config.precision):
        for law in LAWS:
            began = time.perf_counter()
            tallies[law.name] = judge(law, config)
            seconds[law.name] = time.perf_counter() - began
            title = f"{law.name}, {config.precision}, {spoken(seconds[law.name])}"
            tables.append(Table(title, table(tallies[law.name])))
    found = [tally for of in tallies.values() for tally in of.values()]
    fits, converged, false, wrong, missed = (sum(column) for column in zip(*found, strict=True))
    return Findings(
        tables,
        [
            Bar(
                false == 0,
                f"{false} of {text.count(fits)} fits are called converged and are not; the bar is 0",
            ),
            Bar(wrong == 0, f"{wrong} fits have a wrong status; the bar is 0"),
        ],
        f"Of {text.count(fits)} fits {text.count(converged)} are called converged, {false} of them falsely; "
        f"{text.count(missed)} were at a minimum and did not know it.",
        "Two models, one precision and 32 points.",
        {"tallies": tallies, "seconds": seconds},
    )


def judge(law: Law, config: Config) -> dict[str, Tally]:
    """Fit curves of every kind, and look at what was found."""
    curves = law.curves(config.fits // len(LAWS), np.random.default_rng(config.seed)).of(config.precision)
    with np.errstate(all="ignore"):
        fit = fitted(law, curves)
        parts = [slice(k, k + CHUNK) for k in range(0, len(curves.y), CHUNK)]
        truly = np.concatenate([stationary(law, curves.part(part), fit[part]) for part in parts])
    tallies = {}
    for k, kind in enumerate(KINDS):
        of = curves.kind == k
        if not of.any():
            continue
        status, good = fit.status[of], fit.success[of]
        wrong = status != MUST[kind] if kind in MUST else ~np.isin(status, POSSIBLE)
        tallies[kind] = Tally(
            int(of.sum()),
            int(good.sum()),
            int((good & ~truly[of]).sum()),
            int(wrong.sum()),
            int((truly[of] & np.isin(status, (Status.STEP_LIMIT, Status.STALLED))).sum()),
        )
    return tallies


def fitted(law: Law, curves: Curves) -> mv.Fit:
    """Each as most people would: with sigma and a mask only where there is something in them."""
    special = ((curves.sigma != 1) | ~curves.mask).any(axis=1)
    plain, rest = curves.part(~special), curves.part(special)
    some = law.fit(plain), law.fit(rest, sigma=rest.sigma, mask=rest.mask)
    order = np.argsort(np.concatenate([np.flatnonzero(~special), np.flatnonzero(special)]))
    return jax.tree.map(lambda a, b: np.concatenate([a, b])[order], *some)


def stationary(law: Law, curves: Curves, fit: mv.Fit) -> np.ndarray:
    """Whether each fit is at a minimum: in 80-bit numbers, by the relative offset that is left and H's pivots."""
    wide = np.longdouble
    θ = np.nan_to_num(fit.params.astype(wide))[..., None]
    p, ε = θ.shape[1], np.finfo(curves.y.dtype).eps
    there = curves.mask & np.isfinite(curves.y)
    y = np.where(there, curves.y, 0).astype(wide)
    σ = np.where(curves.sigma > 0, curves.sigma, 1).astype(wide)
    w = np.where(there, 1 / σ**2, 0)
    f, columns, second = law.derivatives(θ, curves.x.astype(wide))
    r, last = f - y, 16 * ε * (np.abs(f) + np.abs(y))
    gradient = np.stack([(w * r * c).sum(axis=1) for c in columns], axis=-1)
    H, unsure = np.empty((len(y), p, p), wide), np.zeros((len(y), p, p), wide)
    for i in range(p):
        for j in range(i + 1):
            curved = w * columns[i] * columns[j]
            if (i, j) in second:
                curved = curved + w * r * second[i, j]
                unsure[:, i, j] = unsure[:, j, i] = (w * last * np.abs(second[i, j])).sum(axis=1)
            H[:, i, j] = H[:, j, i] = curved.sum(axis=1)
    norms = np.sqrt(np.stack([(w * c * c).sum(axis=1) for c in columns], axis=-1))
    scale = np.where(norms > 0, 1 / np.where(norms > 0, norms, 1), 0)
    H, unsure = (a * scale[:, :, None] * scale[:, None] for a in (H, unsure))
    H += np.eye(p) * unsure.sum(axis=1)[:, None]  # as definite as the residuals' last places may have it
    pivot, decrement = _cholesky(H, gradient * scale)
    cost, size = (w * r * r).sum(axis=1), (w * y * y).sum(axis=1)
    # lengths of y, and of what the parameters' last places change
    lengths = size + ((θ[..., 0] * norms) ** 2).sum(axis=1)
    rounding = (64 * ε) ** 2 * lengths / np.maximum(pivot, ε)
    small = decrement <= (2 * NEAR) ** 2 * cost + rounding
    return np.asarray(np.isfinite(fit.params).all(axis=1) & (norms > 0).all(axis=1) & (pivot > ε) & small)


def _cholesky(A: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The least pivot of A, and gᵀA⁻¹g, by elimination; no library has it in 80 bits."""
    A, g, pivots, total = A.copy(), g.copy(), [], 0.0
    for j in range(g.shape[1]):
        pivot = A[:, j, j].copy()
        pivots.append(pivot)
        inverse = 1 / np.where(pivot > 0, pivot, 1)
        total = total + g[:, j] ** 2 * inverse
        row, part = A[:, j].copy(), g[:, j].copy()
        A -= row[:, :, None] * row[:, None] * inverse[:, None, None]
        g -= row * (part * inverse)[:, None]
    return np.min(pivots, axis=0), np.asarray(total)


def _peak(θ: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, list[Any], dict[tuple[int, int], Any]]:
    A, m, s = θ[:, 0], θ[:, 1], np.where(θ[:, 2] == 0, 1, θ[:, 2])
    t = x - m
    e = np.exp(-t * t / (2 * s * s))
    f, first, other = A * e, t / s**2, t * t / s**3
    second = {
        (1, 0): e * first,
        (2, 0): e * other,
        (1, 1): f * (first * first - 1 / s**2),
        (2, 1): f * (first * other - 2 * t / s**3),
        (2, 2): f * (other * other - 3 * t * t / s**4),
    }
    return f, [e, f * first, f * other], second


def _decay(θ: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, list[Any], dict[tuple[int, int], Any]]:
    A, rate, c = θ[:, 0], θ[:, 1], θ[:, 2]
    e = np.exp(-rate * x)
    return A * e + c, [e, -x * A * e, np.ones_like(e)], {(1, 0): -x * e, (1, 1): x * x * A * e}


def _peaks(fits: int, rng: np.random.Generator) -> Curves:
    x = np.linspace(-5, 5, POINTS)
    height, mean = 10 ** rng.uniform(-3, 3, (fits, 1)), rng.uniform(-4, 4, (fits, 1))
    width, noise = 10 ** rng.uniform(-0.5, 0.6, (fits, 1)), 10 ** rng.uniform(-4, 0, (fits, 1))
    kind = _kinds(fits, rng, without=("far start", "NaN start"))
    mean = np.where(
        _is(kind, "beside the data"), rng.choice([-1, 1], (fits, 1)) * rng.uniform(5, 30, (fits, 1)), mean
    )
    width = np.where(_is(kind, "narrow"), 10 ** rng.uniform(-3, -0.7, (fits, 1)), width)
    width = np.where(_is(kind, "wide"), 10 ** rng.uniform(0.8, 4, (fits, 1)), width)
    bell = np.exp(-(((x - mean) / width) ** 2) / 2)
    return _spoilt(x, height * bell, height, noise, kind, None, rng)


def _decays(fits: int, rng: np.random.Generator) -> Curves:
    x = np.linspace(0, 6, POINTS)
    height, rate = 10 ** rng.uniform(-3, 3, (fits, 1)), 10 ** rng.uniform(-1, 0.7, (fits, 1))
    noise, kind = 10 ** rng.uniform(-4, 0, (fits, 1)), _kinds(fits, rng, without=("beside the data",))
    rate = np.where(_is(kind, "narrow"), 10 ** rng.uniform(1, 3, (fits, 1)), rate)
    rate = np.where(_is(kind, "wide"), 10 ** rng.uniform(-6, -2, (fits, 1)), rate)
    offset = height * rng.uniform(-1, 1, (fits, 1))
    p0 = np.hstack([height, rate, offset]) * rng.uniform(0.5, 1.5, (fits, 3))
    tall = np.where(_is(kind, "1e15 high"), 1e15, np.where(_is(kind, "1e-15 high"), 1e-15, 1))
    p0[:, [0, 2]] *= tall
    far = 10 ** rng.uniform(-6, 6, (fits, 3)) * rng.choice([-1, 1], (fits, 3))
    p0 = np.where(_is(kind, "far start"), far, np.where(_is(kind, "NaN start"), np.nan, p0))
    return _spoilt(x, height * np.exp(-rate * x) + offset, height, noise, kind, p0, rng)


def _kinds(fits: int, rng: np.random.Generator, without: tuple[str, ...]) -> np.ndarray:
    hostile = [k for k, kind in enumerate(KINDS) if k and kind not in without]
    return np.where(rng.random(fits) < 0.1, rng.choice(hostile, fits), 0)


def _is(kind: np.ndarray, name: str) -> np.ndarray:
    return (kind == KINDS.index(name))[:, None]


def _spoilt(
    x: np.ndarray,
    truth: np.ndarray,
    height: np.ndarray,
    noise: np.ndarray,
    kind: np.ndarray,
    p0: np.ndarray | None,
    rng: np.random.Generator,
) -> Curves:
    """Noise on the curves, and what makes a kind what it is."""
    shape = truth.shape
    error = height * noise * rng.standard_normal(shape)
    y, place = truth + error, rng.integers(POINTS, size=(shape[0], 1)) == np.arange(POINTS)
    some = rng.random(shape) < 0.1
    for name, values in (
        ("nothing", 0.0),
        ("constant", height),
        ("one bin", place * height),
        ("noise", error),
        ("upside down", -y),
        ("step", height * (x > x[POINTS // 3]) + error),
        ("spike", y + 1e6 * place * height),
        ("two at once", y + y[:, ::-1]),
        ("1e15 high", 1e15 * y),
        ("1e-15 high", 1e-15 * y),
        ("NaN", np.where(some | place, np.nan, y)),
        ("infinite", np.where(place, np.inf, y)),
        ("exact", truth),
    ):
        y = np.where(_is(kind, name), values, y)
    sigma, mask = np.ones(shape), np.ones(shape, bool)
    sigma = np.where(_is(kind, "sigma 0") & place, 0, sigma)
    sigma = np.where(_is(kind, "sigma negative") & place, -1, sigma)
    mask &= ~_is(kind, "too few points") | place
    return Curves(x, y, sigma, mask, p0, kind)


LAWS = (
    Law("Gaussian peaks", _peak, _peaks, lambda c, **given: mv.fit_gaussian(c.x, c.y, **given)),
    Law(
        "exponential decays",
        _decay,
        _decays,
        lambda c, **given: mv.curve_fit(batches.DECAY.f, c.x, c.y, c.p0, **given),
    ),
)


def table(tallies: dict[str, Tally]) -> Rows:
    """A row for each kind."""
    rows: list[Sequence[str]] = [("", "fits", "converged", "false", "wrong status", "missed a minimum")]
    for kind, tally in tallies.items():
        rows.append((kind, *map(text.count, tally)))
    return rows


if __name__ == "__main__":
    results.leave(findings, Config)
