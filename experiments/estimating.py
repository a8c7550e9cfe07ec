"""For `fit_heights`: four methods on their way to the same optimum, and three estimators on bins of several widths."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import mvcalc_jax as mv

METHODS = {
    "along the gradient": "steepest",
    "Gauss–Newton": "gauss-newton",
    "Newton": "newton",
    "Levenberg–Marquardt": "lm",
}
ESTIMATORS = {
    "midpoint": "the density at the bin's middle",
    "integrated": "its integral",
    "likelihood": "likelihood",
}
MERGED = 1, 2, 3, 4
"""How many bins are taken together."""
NEAR = 1e-9
"""χ² counts as at its optimum when it is this part above it."""


class Comparison(NamedTuple):
    """Paths by method and χ² on them; the fit at their end; estimates by estimator from bins of several widths."""

    paths: dict[str, np.ndarray]
    costs: dict[str, np.ndarray]
    fit: mv.Fit
    estimates: dict[str, mv.Fit]
    merged: np.ndarray
    width: float
    whole: bool


def compared(task: Any, by_hand: mv.Result, landscape: Any, run: Path) -> list[Any]:
    """Tables, sentences and pictures for the report of `fit_heights`."""
    found = compare(task.raw, task.data, task.start, by_hand, task.best)
    with mv.plots.style():
        save_pictures(found, landscape, task.chi_squared, task.best, task.raw.unit, run)
    return [
        mv.runs.Written("## Other methods"),
        method_rows(found, task.best),
        mv.runs.Picture("other ways to the same place", "methods.png"),
        mv.runs.Written("## Other estimators"),
        estimator_rows(found),
        verdict(found),
        mv.runs.Picture("how well it is known, and what wider bins do", "errors.png"),
    ]


def compare(
    histogram: mv.data.Histogram,
    data: tuple[np.ndarray, np.ndarray],
    start: np.ndarray,
    by_hand: mv.Result,
    best: mv.Result,
) -> Comparison:
    """Every method from the same start, every estimator on the same bins, alone and several taken together."""
    trails = {
        name: mv.fitting.trail.density(*data, start, method, max_steps=200)
        for name, method in METHODS.items()
    }
    first = "by hand, at one learning rate"
    paths = {first: by_hand.trace.params} | {name: way.params for name, way in trails.items()}
    costs = {first: by_hand.trace.cost} | {name: 2 * way.cost for name, way in trails.items()}
    fit = mv.fit_gaussian(*data, model="area", p0=(1, *np.asarray(best.params)), fixed=["area"])
    rows = [(many, skip) for many in MERGED for skip in range(many)]
    bins = max(histogram.merged(many, skip)[1].size for many, skip in rows)
    estimates = {}
    for name in ESTIMATORS:
        merged = [histogram.merged(many, skip, bins, far=name != "midpoint") for many, skip in rows]
        edges, counts = np.stack([e for e, _ in merged]), np.stack([c for _, c in merged])
        estimates[name] = mv.fit_histogram(counts, edges, estimator=name)
    total, width = histogram.counts.sum(), float(np.median(histogram.widths))
    whole = bool(total >= 10 and np.all(histogram.counts == np.round(histogram.counts)))
    return Comparison(paths, costs, fit, estimates, np.array([many for many, _ in rows]), width, whole)


def save_pictures(
    found: Comparison, landscape: Any, chi_squared: Any, best: mv.Result, unit: str, run: Path
) -> None:
    """The ladder of methods, and how well the optimum is known."""
    draw, optimum = mv.plots.ladder, np.asarray(best.params)
    excess = {name: cost - best.cost for name, cost in found.costs.items()}
    mv.plots.save(draw.methods(landscape, found.paths, excess, optimum), run / "methods.png")
    estimates = [draw.Estimate(name, *by_width(found, name)) for name in ESTIMATORS]
    own = draw.Region("its ellipses", optimum, found.fit.cov[1:, 1:])
    others = [
        draw.Region(words, found.estimates[name].params[0, 1:], found.estimates[name].cov[0, 1:, 1:])
        for name, words in (("midpoint", "the same, by the counts' scatter"), ("likelihood", "likelihood"))
        if found.whole and found.estimates[name].success[0]
    ]
    reach = [abs(other.centre - optimum) + 1.5 * np.sqrt(np.diag(other.cov)) for other in others]
    reach = np.max([3 * found.fit.stderr[1:], *reach], axis=0) * (1, 1.5)  # above, there is a legend
    near = mv.plots.heights.closeup(chi_squared, optimum, reach)
    mv.plots.save(draw.errors(near, own, found.fit.redchi2, others, estimates, unit), run / "errors.png")


def by_width(found: Comparison, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Widths of bins, and σ and its error from each, over all ways to take bins of such a width together."""
    fit, widths = found.estimates[name], np.array(MERGED) * found.width
    rows = [(found.merged == many) & (fit.success | ~fit.success.any()) for many in MERGED]
    error = [np.mean(fit.stderr[row, 2]) if found.whole else np.nan for row in rows]
    return widths, np.array([np.mean(fit.params[row, 2]) for row in rows]), np.array(error)


def method_rows(found: Comparison, best: mv.Result) -> list[tuple[str, ...]]:
    """How many iterations each method took to be as near as makes no difference."""
    rows = [("", "iterations", "χ² above the optimum's in the end")]
    for name, cost in found.costs.items():
        above = np.asarray(cost) - float(best.cost)
        near = np.flatnonzero(above <= NEAR * float(best.cost))
        iterations = str(near[0]) if len(near) else f"not in {len(cost) - 1}"
        rows.append((name, iterations, f"{max(above[-1], 0.0):.1g}"))
    return rows


def estimator_rows(found: Comparison) -> list[tuple[str, ...]]:
    """Mean and σ by each estimator, and σ when several bins are taken together."""
    rows: list[tuple[str, ...]] = [("", "μ", "σ", *(f"σ, {many} bins in one" for many in MERGED[1:]))]
    for name, words in ESTIMATORS.items():
        fit, (_, stddev, _) = found.estimates[name][0], by_width(found, name)
        told = [
            f"{v:.4g} ± {e:.2g}" if found.whole else f"{v:.4g}"
            for v, e in zip(fit.params[1:], fit.stderr[1:], strict=True)
        ]
        rows.append((words, *told, *(f"{v:.4g}" for v in stddev[1:])))
    return rows


def verdict(found: Comparison) -> str:
    """What to make of the errors."""
    if not found.whole:
        return (
            "these counts are shares of an unknown number of people: nobody can say how well they determine σ"
        )
    assumed, real, best = (
        f"{e:.2g}"
        for e in (
            found.fit.stderr[2],
            found.estimates["midpoint"].stderr[0, 2],
            found.estimates["likelihood"].stderr[0, 2],
        )
    )
    return (
        "χ² with equal weights takes every bin to be as uncertain as the next, the empty ones, too, and so makes σ's "
        f"error {assumed}; by the counts' own scatter that of the same estimate is {real}, and the likelihood's {best}"
    )
