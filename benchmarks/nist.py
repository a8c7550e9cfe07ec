"""How many digits of NIST's certified answers do fits find: of the 27 nonlinear problems, from both starts?

    python -m benchmarks.nist

Digits are those of the worst parameter, and after the slash of the worst standard deviation, against the minimum to
17 digits (see `benchmarks.strd.nonlinear`); 0 for a solver that gives up or ends elsewhere, – where there are no
deviations. SciPy and lmfit have their default tolerances; optimistix and jaxopt, who have none, 1e-8.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, wraps
from statistics import median
from typing import Any, NamedTuple

import jax
import numpy as np

import mvcalc_jax as mv
from benchmarks import peers, results
from benchmarks.batches import Batch, Model
from benchmarks.peers import Found
from benchmarks.results import Bar, Findings, Table
from benchmarks.strd import nonlinear
from benchmarks.strd.nonlinear import Problem
from mvcalc_jax import text
from mvcalc_jax.text import Rows

QUESTION = (__doc__ or "").partition("\n")[0]
SOLVED = 4
"""Digits from which on a problem counts as solved."""


@dataclass(frozen=True)
class Config:
    """Fit NIST's problems and count the digits; about two minutes."""

    problems: str = ""
    """Only problems whose name contains this."""
    methods: tuple[str, ...] = ("lm",)
    """Those of this package's `curve_fit` to try."""
    quick: bool = False
    """Three problems of lower difficulty, from their nearer start, by this package."""


class Digits(NamedTuple):
    """Of the worst parameter and the worst deviation: of the minimum, and of the certified numbers."""

    exact: tuple[float, float]
    certified: tuple[float, float]
    deviations: bool
    """Whether the solver gives any."""


Solver = Callable[[Batch], Found]


def findings(config: Config) -> Findings:
    chosen = [p for p in nonlinear.problems() if config.problems.lower() in p.name.lower()]
    if not chosen:
        raise ValueError(
            f"`problems` must be part of the name of a problem; no name contains {config.problems!r}"
        )
    tried, starts = solvers(config.methods), 2
    if config.quick:
        chosen, starts = [p for p in chosen if p.level == "lower"][:3] or chosen[:3], 1
        tried = {name: solve for name, solve in tried.items() if name.startswith(OURS)}
    with mv.devices.computing("cpu", "float64"):
        found = {name: [scores(solve, p, starts) for p in chosen] for name, solve in tried.items()}
    solved = {name: sum(_solved(one) for scored in of for one in scored) for name, of in found.items()}
    fits = starts * len(chosen)
    counts = ", ".join(f"{name} {count}" for name, count in solved.items())
    missing = [f"{name} is {peers.absent(name)}" for name in NEEDED if peers.absent(name)]
    return Findings(
        [Table("Digits", table(chosen, found)), Table("In all", summary(found))],
        [
            Bar(
                solved[name] == fits,
                f"{name}: {solved[name]} of {fits} fits are solved; the bar is all of them",
            )
            for name in found
            if name.startswith(OURS)
        ],
        f"Solved with at least {SOLVED} digits, of {text.count(fits)} fits: {counts}.",
        f"Not measured: {'; '.join(missing)}." if missing and not config.quick else "",
        {
            "digits": {
                name: {p.name: s for p, s in zip(chosen, of, strict=True)} for name, of in found.items()
            }
        },
    )


OURS = "this, "
NEEDED = ("curve_fit", "lmfit", "optimistix", "jaxopt")


def solvers(methods: tuple[str, ...]) -> dict[str, Solver]:
    """All who can run here."""
    known: dict[str, tuple[str, Solver]] = {
        **{f"{OURS}{method}": ("curve_fit", partial(peers.curve_fit, method=method)) for method in methods},
        "SciPy lm": ("scipy", partial(peers.scipy, method="lm")),
        "SciPy trf": ("scipy", partial(peers.scipy, method="trf")),
        "lmfit": ("lmfit", peers.lmfit),
        "optimistix": ("optimistix", lambda batch: peers.optimistix(batch, 1e-8, 1, robust=True)()),
        "jaxopt": ("jaxopt", lambda batch: peers.jaxopt(batch, 1e-8, 1, robust=True)()),
    }
    return {name: solve for name, (needs, solve) in known.items() if not peers.absent(needs)}


def scores(solve: Solver, problem: Problem, starts: int = 2) -> list[Digits]:
    """Of a solver on a problem, from either start, or from the nearer one."""
    return [_score(solve, problem, start) for start in problem.starts[-starts:]]


def _score(solve: Solver, problem: Problem, start: np.ndarray) -> Digits:
    compiled = jax.jit(problem.f)

    @wraps(problem.f)
    def in_numpy(*args: Any, **named: Any) -> np.ndarray:
        return np.asarray(compiled(*args, **named))

    model = Model(problem.name, problem.f, in_numpy)
    exact = problem.minimum[None]
    found = solve(Batch(model, problem.x, problem.y[None], start[None], exact, abs(exact)))
    params = found.params[0]
    stderr = np.full_like(params, np.nan) if found.stderr is None else found.stderr[0]
    return Digits(
        problem.digits(params, stderr),
        problem.digits(params, stderr, certified=True),
        found.stderr is not None,
    )


def table(problems: list[Problem], found: dict[str, list[list[Digits]]]) -> Rows:
    """A row for each problem and start, a column for each solver."""
    rows = [("", "start", *found)]
    for k, problem in enumerate(problems):
        for start in range(-len(next(iter(found.values()))[k]), 0):
            cells = (_spoken(scored[k][start]) for scored in found.values())
            rows.append((f"{problem.name} ({problem.level})", str(start + 3), *cells))
    return rows


def _solved(digits: Digits) -> bool:
    return digits.exact[0] >= SOLVED


def _spoken(digits: Digits) -> str:
    params, deviations = digits.exact
    return f"{params:.1f} / {deviations:.1f}" if digits.deviations else f"{params:.1f} / –"


def summary(found: dict[str, list[list[Digits]]]) -> Rows:
    """How many are solved, and the digits of the worst and the middle one."""
    rows = [
        (
            "",
            "solved",
            "parameters: least, median",
            "deviations: least, median",
            "of the certified: least, median",
        )
    ]
    for name, scored in found.items():
        every = [digits for starts in scored for digits in starts]
        params, deviations = zip(*(digits.exact for digits in every), strict=True)
        certified = [digits.certified[0] for digits in every]
        solved = f"{sum(map(_solved, every))} of {len(every)}"
        spread = _least_and_median(deviations) if every[0].deviations else "–"
        rows.append((name, solved, _least_and_median(params), spread, _least_and_median(certified)))
    return rows


def _least_and_median(digits: Any) -> str:
    return f"{min(digits):.1f}, {median(digits):.1f}"


if __name__ == "__main__":
    results.leave(findings, Config)
