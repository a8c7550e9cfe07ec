"""Where is a function highest and lowest on a constraint, and what would it be worth to move the constraint?

    python -m experiments.lagrange
    python -m experiments.lagrange --problem circle-in-space
    python -m experiments.lagrange --problem cusp

At an extremum of f on g = 0 no step along the constraint changes f to first order, so that ∇f and ∇g are parallel,
∇f = λ∇g. Every such point is found, judged and drawn: for f = exp(−(2x² + y² − xy)/2) on x² + 3(y + 1)² = 1 there are
four, with f from 0.114944 to 0.923811. λ is the price of the constraint, df*/dc for g = c; measured by solving again,
it is the same to eleven digits. Takes about 3 s.
"""

from __future__ import annotations  # not evaluated, so that --help need not wait for JAX

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np

import mvcalc_jax as mv
from mvcalc_jax import command, options

PROG = command.called("lagrange")
MOST = 20_000
"""Starts, which take a few seconds."""


@dataclass(frozen=True)
class Config:
    """Find all extrema of f on a constraint."""

    problem: Literal["course-1", "course-2", "ellipse", "budget", "cusp", "circle-in-space"] = "course-1"
    """What to optimise, on which constraint."""
    starts: Annotated[int, options.STARTS] = 400
    """With very few, not all extrema are found."""
    device: options.Device = "auto"
    out: options.Out = Path("runs")


def main(config: Config) -> int:
    from experiments.constraints import PROBLEMS
    from mvcalc_jax.calculus.constraints.lagrange import lagrange

    mv.require.one_of("problem", config.problem, PROBLEMS)
    mv.require.whole("starts", config.starts, least=1, most=MOST)
    f, g, box = (problem := PROBLEMS[config.problem]).f, problem.g, problem.box
    with mv.devices.computing(config.device, "float64") as device:
        found = lagrange(f, g, box=box, starts=config.starts)
        run = mv.runs.create("lagrange", config, 0, device, config.out)
        save_numbers(found, run)
        curves = mv.calculus.constraint_curves(f, g, found, box)
        with mv.plots.style():
            if len(box) == 3:
                figure = mv.plots.lagrange.in_space(problem.sheets(), curves, found)
            else:
                surface = mv.plots.surface.sampled(f, np.array(box))
                figure = mv.plots.lagrange.on_contours(surface, curves, found)
            mv.plots.save(figure, run / "extrema.png")
            if found.points:
                levels = problem.reach * np.linspace(-1, 1, 41)
                moved = mv.calculus.shadows(f, g, found.points, levels)
                mv.plots.save(mv.plots.lagrange.prices(found.points, moved, problem.names), run / "price.png")
    others = {name: other.words for name, other in PROBLEMS.items() if name != config.problem}
    conclude(problem, found, others, run)
    return command.DONE if found.points or found.irregular else command.FAILED


def save_numbers(found: Any, run: Path) -> None:
    points, variables = found.points, "xyz"[: found.seen.shape[1]]
    columns: dict[str, Any] = {name: [p.x[k] for p in points] for k, name in enumerate(variables)}
    columns |= {"f": [p.value for p in points], "kind": [str(p.kind) for p in points]}
    for k in range(len(points[0].multipliers) if points else 0):
        columns |= {f"lambda{k + 1}": [p.multipliers[k] for p in points]}
        columns |= {f"solved_again{k + 1}": [p.shadow[k] for p in points]}
    mv.runs.write_metrics(run, columns | {"apart": [p.apart for p in points]})


def conclude(problem: Any, found: Any, others: dict[str, str], run: Path) -> None:
    """Say what was found, on the screen and in report.md."""
    vector = mv.text.vector
    rows = [("", "x", "f", "λ", "df*/dc, solved again", "verdict", "∂²L along g = 0")]
    for k, p in enumerate(found.points):
        row = vector(p.x, 10), f"{p.value:.10g}", vector(p.multipliers, 10), vector(p.shadow, 10), p.verdict
        rows.append((str(k + 1), *row, vector(p.eigenvalues, 4)))
    space = "where the constraints meet, with the gradients at each point"
    plane = "the constraint on the contours of f; where one touches it, ∇f and ∇g are parallel"
    caption = f"Left: {space if len(problem.box) == 3 else plane}. "
    caption += "Right: f as one walks along the constraint: it is level at the same points."
    blocks: list[Any] = [
        f"Sought are the extrema of {problem.words}. At an extremum no step along the constraint may change f to first "
        "order: ∇f has no part along it, and is a multiple of the constraint's gradient, or a sum of such, ∇f = Σ λ∇g.",
        mv.runs.Picture(caption, "extrema.png"),
        *([rows] if found.points else []),
        *(
            f"The constraint is irregular at {vector(p.x, 6)}, f = {p.value:.6g}: {p.reason}."
            for p in found.irregular
        ),
        f"{found.message[:1].upper()}{found.message[1:]}.",
        problem.lesson,
    ]
    if found.points:
        worst = max(p.apart for p in found.points)
        blocks += [
            "A point's kind is read from second derivatives of L = f − Σ λg along the constraint, the last column. λ "
            "is a price: if g = 0 is moved to g = c, f* follows at the rate df*/dc = λ, with the sign that ∇f = Σ λ∇g "
            f"gives it. Solved again at c = ±δ, the rates agree with λ to {worst:.0e} of it.",
            mv.runs.Picture(
                "f* against c, and lines of slope λ: the price holds to first order. A curve that ends "
                "early ends where the point meets another one, and both vanish.",
                "price.png",
            ),
        ]
    following = [mv.runs.Next(f"{PROG} --problem {name}", words) for name, words in others.items()]
    mv.runs.report(run, (__doc__ or "").partition("\n")[0], *blocks, *following[-3:])


if __name__ == "__main__":
    command.leave(command.run(main, Config, prog=PROG))
