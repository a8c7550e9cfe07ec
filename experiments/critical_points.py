"""Where does the gradient vanish, and is there a hollow, a peak or a pass?

    python -m experiments.critical_points
    python -m experiments.critical_points --surface camel
    python -m experiments.critical_points --surface monkey

All points of a box at which ∇f = 0, from many starts at once, each judged by the eigenvalues of its Hessian, and by
higher orders where those say nothing. Himmelblau's function has nine: four minima, one maximum, four saddles. The turns
of ∇f around the edge of the box count minima + maxima − saddles, and so tell whether one is missing. Takes about 5 s.
"""

from __future__ import annotations  # not evaluated, so that --help need not wait for JAX

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np

import mvcalc_jax as mv
from mvcalc_jax import command, options

PROG = command.called("critical_points")
MOST = 20_000
"""Starts, which take a few seconds."""
DEGENERATE = ("flat", "ledge", "monkey", "peano", "trough")


@dataclass(frozen=True)
class Config:
    """Find and judge all critical points of a surface."""

    surface: Literal[
        "himmelblau",
        "camel",
        "three-humps",
        "rosenbrock",
        "styblinski",
        "peaks",
        "branin",
        "mccormick",
        "goldstein",
        "two-wells",
        "egg-box",
        "bowl",
        "pass",
        "monkey",
        "flat",
        "ledge",
        "peano",
        "trough",
    ] = "himmelblau"
    """The surface to look at; of the last five the Hessian says nothing."""
    starts: Annotated[int, options.STARTS] = 256
    """More follow where a point was met by few."""
    device: options.Device = "auto"
    out: options.Out = Path("runs")


def main(config: Config) -> int:
    surfaces = mv.calculus.SURFACES
    mv.require.one_of("surface", config.surface, surfaces)
    mv.require.whole("starts", config.starts, least=8, most=MOST)
    with mv.devices.computing(config.device, "float64") as device:
        chosen = surfaces[config.surface]
        found = mv.critical_points(chosen.f, chosen.box, starts=config.starts)
        run = mv.runs.create("critical_points", config, 0, device, config.out)
        save_numbers(found, run)
        with mv.plots.style():
            field = mv.calculus.gradient_field(lambda x, y: chosen.f((x, y)), chosen.box, 17)
            figure = mv.plots.critical.on_contours(sampled(chosen), field, found)
            mv.plots.save(figure, run / "points.png")
            examples = [shown(surfaces[name]) for name in DEGENERATE]
            mv.plots.save(mv.plots.critical.degenerate(examples), run / "degenerate.png")
    conclude(chosen, found, run)
    return command.DONE if found.points else command.FAILED


def sampled(landscape: Any) -> Any:
    """A surface on a grid, for its contours."""
    return mv.plots.surface.sampled(lambda x, y: landscape.f((x, y)), np.array(landscape.box, float), 161)


def shown(landscape: Any) -> tuple[Any, ...]:
    """A surface with a degenerate point, as it is drawn."""
    found = mv.critical_points(landscape.f, landscape.box, starts=64)
    t = np.linspace(-0.8, 0.8, 161)
    beside = mv.calculus.along_valley(landscape.f, min(found, key=lambda p: not p.degenerate), t)
    return landscape.formula, sampled(landscape), found, (t, *beside)


def save_numbers(found: Any, run: Path) -> None:
    """Every point with all that is known of it."""
    columns: dict[str, Any] = {name: [p.point[k] for p in found] for k, name in enumerate("xy")}
    columns |= {"f": [p.value for p in found], "kind": [str(p.kind) for p in found]}
    for k in range(2):
        columns[f"eigenvalue{k + 1}"] = [p.eigenvalues[k] for p in found]
    columns |= {what: [getattr(p, what) for p in found] for what in ("gradient_norm", "error", "starts")}
    mv.runs.write_metrics(run, columns)


def conclude(landscape: Any, found: Any, run: Path) -> None:
    """Say what was found, on the screen and in report.md."""
    odd = dict.fromkeys(p.verdict for p in found if p.degenerate)
    mv.runs.report(
        run,
        (__doc__ or "").partition("\n")[0],
        f"Where f = {landscape.formula} is level, ∇f = 0: two equations for x and y. From each of {found.starts} "
        "starts one walks to where both hold, and looks at how f curves there.",
        mv.runs.Picture(
            "Left, every point found on the contours of f, dark is low; arrows show the way up. Right, the two "
            "curvatures at each, the eigenvalues of its Hessian: both up is a minimum, both down a maximum, one of "
            "each a saddle",
            "points.png",
        ),
        found.rows() if found.points else "",
        *(f"{verdict[0].upper()}{verdict[1:]}." for verdict in odd),
        f"{found.message[0].upper()}{found.message[1:]}.",
        "Where an eigenvalue is zero, f curves neither up nor down along its eigenvector, and the Hessian does not "
        "decide. Then higher orders must, and not those along straight lines alone: (y − x²)(y − 3x²) has a minimum "
        "at 0 along every line through it, and none there, since it is negative between the two parabolas.",
        mv.runs.Picture(
            "Five points of which the second order says nothing; below, f along the direction in which it is flat, "
            "straight on and on the floor of the valley, where f is level across. It is the floor that decides: the "
            "fourth picture's falls where the straight line rises, and the fifth's, the circle, does neither",
            "degenerate.png",
        ),
        mv.runs.Next(
            f"{PROG} --surface camel", "fifteen points: six hollows, two peaks, and the passes between"
        ),
        mv.runs.Next(
            f"{PROG} --surface monkey", "a saddle for someone with a tail: three ways up, three down"
        ),
        mv.runs.Next(
            f"{PROG} --surface branin --starts 8", "few starts, and what the turns around the edge say"
        ),
    )


if __name__ == "__main__":
    command.leave(command.run(main, Config, prog=PROG))
