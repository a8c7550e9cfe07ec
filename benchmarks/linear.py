"""How many digits does linear regression keep, on problems whose answers are certified, and what does that cost?

    python -m benchmarks.linear

The eleven linear problems of NIST's Statistical Reference Datasets: digits are −log₁₀|b − c|/|c| of the worst
coefficient b against the certified c (|b| where c is 0), and 15 where nothing is left to see; likewise for standard
errors, of those that have them. Beside this package, least squares as NumPy, SciPy, scikit-learn and statsmodels do
it by default (the last two where they are installed), given the powers of polynomials as columns. After that, times on
problems of usual sizes: whoever computes in twice the precision pays for it.
"""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg

import mvcalc_jax as mv
from benchmarks import results
from benchmarks.harness import Timing, measure, spoken
from benchmarks.results import Bar, Findings, Table
from benchmarks.strd.linear import PROBLEMS, Problem
from mvcalc_jax import options

QUESTION = (__doc__ or "").partition("\n")[0]
MOST = 15.0
"""Certified values are printed with so many digits."""
OURS = "linear_regression"
BAR = 12.0
"""Digits that every coefficient and every standard error must have."""
SIZES = ((100, 2), (10_000, 10), (1_000_000, 5))
"""Points and columns of the problems that are timed."""


@dataclass(frozen=True)
class Config:
    """Count the digits of linear regression, and time it; half a minute."""

    device: options.Device = "auto"
    rounds: int = 5
    """Rounds in which every contender is timed."""
    quick: bool = False
    """The same digits, and the times of the two smaller problems."""


def findings(config: Config) -> Findings:
    mv.require.whole("rounds", config.rounds, least=1)
    with mv.devices.computing(config.device, "float64"):
        coefficients, deviations = digits(), errors()
        timings = times(config.rounds, SIZES[:2] if config.quick else SIZES)
    worst = {name: float(cell) for name, cell in zip(coefficients[0][1:], coefficients[-1][1:], strict=True)}
    least = min(float(row[1]) for row in deviations[1:])
    ours, others = worst.pop(OURS), ", ".join(f"{name} {kept:.1f}" for name, kept in worst.items())
    slower = {size: of[OURS].over(of["numpy lstsq"]) for size, of in timings.items()}
    costs = ", ".join(f"{cost:.3g} times on {size}" for size, cost in slower.items())
    return Findings(
        [
            Table("Digits of coefficients", coefficients),
            Table("Digits of standard errors", deviations),
            Table("Times", timed(timings)),
        ],
        [
            Bar(
                ours >= BAR,
                f"the worst coefficient of {len(PROBLEMS)} problems has {ours:.1f} digits; the bar is {BAR:g}",
            ),
            Bar(least >= BAR, f"the worst standard error has {least:.1f} digits; the bar is {BAR:g}"),
        ],
        f"The worst coefficient has {ours:.1f} digits here, and of the others: {others}. A call takes, of that of "
        f"NumPy's lstsq, {costs}.",
        "Certified values have 15 digits, so that nothing beyond can be seen.",
        {"seconds": timings},
    )


def lre(found: Any, certified: Any) -> float:
    """Digits that agree, of the worst entry."""
    b, c = np.asarray(found, float), np.asarray(certified, float)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        error = np.where(c != 0, np.abs(b - c) / np.abs(c), np.abs(b))
        exact = np.nan_to_num(-np.log10(error), nan=0.0, posinf=MOST, neginf=0.0)
    return float(np.clip(exact, 0.0, MOST).min())


def fitted(problem: Problem) -> mv.fitting.Regression:
    """Our fit of a problem."""
    return mv.linear_regression(problem.x, problem.y, intercept=problem.intercept, degree=problem.degree)


def columns(problem: Problem) -> np.ndarray:
    """The matrix that others are given."""
    x = problem.x.reshape(len(problem.y), -1)
    x = x ** np.arange(1, (problem.degree or 1) + 1)
    return np.hstack([np.ones((len(x), int(problem.intercept))), x])


def by_svd(A: np.ndarray, y: np.ndarray) -> np.ndarray:
    """NumPy's way, the singular value decomposition."""
    return np.linalg.lstsq(A, y, rcond=None)[0]


def by_qr(A: np.ndarray, y: np.ndarray) -> np.ndarray:
    """LAPACK's gelsy: QR with column pivoting."""
    found: Any = scipy.linalg.lstsq(A, y, lapack_driver="gelsy")
    return found[0]


def contenders() -> dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]]:
    """Coefficients from a matrix and y."""
    found = {
        "numpy lstsq": by_svd,
        "scipy gelsy": by_qr,
        "normal equations": lambda A, y: by_svd(A.T @ A, A.T @ y),
    }
    if linear_model := _installed("sklearn.linear_model"):
        found["scikit-learn"] = lambda A, y: (
            linear_model.LinearRegression(fit_intercept=False).fit(A, y).coef_
        )
    if statsmodels := _installed("statsmodels.api"):
        found["statsmodels"] = lambda A, y: statsmodels.OLS(y, A).fit().params
    return found


def digits() -> list[tuple[str, ...]]:
    """A row for each problem, and one for the worst."""
    others = contenders()
    rows: list[tuple[str, ...]] = [("", OURS, *others)]
    worst = np.full(1 + len(others), MOST)
    for problem in PROBLEMS:
        A = columns(problem)
        found = [fitted(problem).params, *(solve(A, problem.y) for solve in others.values())]
        kept = np.array([lre(params, problem.params) for params in found])
        worst = np.minimum(worst, kept)
        rows.append((problem.name, *map("{:.1f}".format, kept)))
    return [*rows, ("worst", *map("{:.1f}".format, worst))]


def errors() -> list[tuple[str, ...]]:
    """The same for standard errors."""
    statsmodels: Any = _installed("statsmodels.api")
    rows: list[tuple[str, ...]] = [("", OURS, *(["statsmodels"] if statsmodels else []))]
    for problem in PROBLEMS:
        found = [fitted(problem).stderr]
        found += [statsmodels.OLS(problem.y, columns(problem)).fit().bse] if statsmodels else []
        rows.append((problem.name, *(f"{lre(stderr, problem.stderr):.1f}" for stderr in found)))
    return rows


def times(rounds: int, sizes: Sequence[tuple[int, int]]) -> dict[str, dict[str, Timing]]:
    """Of random problems, by size and solver; all must agree."""
    rng, found = np.random.default_rng(0), {}
    for n, p in sizes:
        X = rng.standard_normal((n, p))
        y = X.sum(axis=1) + rng.standard_normal(n)
        A = np.hstack([np.ones((n, 1)), X])
        runs = {
            OURS: lambda X=X, y=y: mv.linear_regression(X, y).params,
            "numpy lstsq": lambda A=A, y=y: by_svd(A, y),
            "scipy gelsy": lambda A=A, y=y: by_qr(A, y),
        }
        timings, exact = measure(runs, rounds), runs[OURS]()
        for name, run in runs.items():
            assert np.allclose(run(), exact, rtol=1e-9), f"{name} finds other coefficients"
        found[f"{n} × {p}"] = timings
    return found


def timed(timings: dict[str, dict[str, Timing]]) -> list[tuple[str, ...]]:
    """A row for each size and solver."""
    rows = [("points × columns", "", "first call", "a call", "fastest – slowest", "times numpy's")]
    for size, of in timings.items():
        for name, timing in of.items():
            cost = f"{timing.over(of['numpy lstsq']):.3g}"
            rows.append((size, name, spoken(timing.first), spoken(timing.typical), timing.spread, cost))
    return rows


def _installed(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        return None


if __name__ == "__main__":
    results.leave(findings, Config)
