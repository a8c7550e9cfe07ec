"""Newton–Raphson: down the tangent to the root, and what if it does not get there?

    python -m experiments.newton_raphson
    python -m experiments.newton_raphson --function atan --start 1.3 1.39 1.4
    python -m experiments.newton_raphson --fractal cycle

The course's sextic from three starts: from 1 the root 1.063071 has 16 digits after 4 steps; from 1.99 the first step
leads to −36.5, and −3.760214 is reached after 19; from 3.1 it looks like an oscillation for 20 steps, and converges at
the 28th. Then all that goes wrong – cycles, flight to infinity, flat tangents, the edge of the domain – each with its
reason; the basins of the roots of z³ − 1; and why a double root is slow, unless one knows. Takes about 5 s.
"""

from __future__ import annotations  # not evaluated, so that --help need not wait for JAX

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

import mvcalc_jax as mv
from mvcalc_jax import command, options

PROG = command.called("newton_raphson")
STARTS = 3
SCENE = """Newton's method replaces a function by its tangent and takes the tangent's zero for the next guess: \
x ← x − f/f′. Near a simple root every step doubles the number of right digits. Far from one, it may do anything."""
ENDINGS = """Each panel is a function and a start: blue dot, dotted up to the curve, down the red tangent, and so on, \
later steps darker; green diamonds are what was found. The last two have come right, by another start or a bracket"""


@dataclass(frozen=True)
class Config:
    """Watch Newton's method find roots, and fail to."""

    function: Literal[
        "sextic",
        "cubic",
        "cubic-5",
        "root-sign",
        "atan",
        "cube-root",
        "fading",
        "square",
        "no-root",
        "turning",
        "log",
        "pole",
    ] = "sextic"
    """The function to look at."""
    start: tuple[float, ...] = ()
    """Where to start, up to three numbers; the function's own starts unless given."""
    fractal: Literal["three", "cycle", "double", "five", "eight", "rational", "sine"] = "three"
    """Whose basins are drawn."""
    points: int = 600
    """Starts along each side of the basins' picture."""
    device: options.Device = "auto"
    out: options.Out = Path("runs")


def main(config: Config) -> int:
    mv.require.one_of("function", config.function, mv.calculus.NEWTON_EXAMPLES)
    mv.require.one_of("fractal", config.fractal, mv.calculus.FRACTALS)
    mv.require.whole("points", config.points, least=10)
    mv.require.finite("start", np.array(config.start))
    starts = config.start or mv.calculus.NEWTON_EXAMPLES[config.function].starts
    if len(starts) > STARTS:
        raise ValueError(f"`start` must be at most {STARTS} numbers; got {len(starts)}; leave some out")
    with mv.devices.computing(config.device, "float64") as device:
        own, gallery = mv.calculus.newton_searches(config.function, starts), mv.calculus.newton_endings()
        run = mv.runs.create("newton_raphson", config, 0, device, config.out)
        with mv.plots.style():
            curve = drawn(own)
            walked = [steps(search) for search in own]
            mv.plots.save(mv.plots.newton.walks(curve, walked), run / "tangents.png")
            longest = max(walked, key=lambda walk: len(walk.x))
            mv.plots.newton.animate(run / "tangents.gif", curve, longest)
            mv.plots.save(mv.plots.newton.gallery([panel(search) for search in gallery]), run / "endings.png")
            plane = draw_basins(config, own[0].example, curve, run)
            mv.plots.save(mv.plots.newton.convergence(mv.calculus.newton_errors()), run / "convergence.png")
    conclude(own + gallery, plane, run)
    return command.DONE


def panel(search: Any) -> Any:
    """A search in the gallery, with a mark on what it found."""
    marked = search.found.success or search.found.status.name in ("POLE", "MINIMUM")
    return mv.plots.newton.Failure(drawn([search]), steps(search), search.found.x if marked else None)


def drawn(searches: list[Any]) -> Any:
    """An example's curve, in a window that holds roots and starts."""
    example, reach = searches[0].example, list(searches[0].example.window)
    for search in searches:
        reach += [search.found.trace.x[0]] + [search.found.x] * search.found.success
    x = np.linspace(min(reach), max(reach), 801)
    return mv.plots.newton.Curve(example.formula, x, np.asarray(example.f(x)))


def steps(search: Any) -> Any:
    x, f, df, _ = search.found.trace
    return mv.plots.newton.Steps(x, f, df, search.title, search.found.message.partition(";")[0])


def draw_basins(config: Config, example: Any, curve: Any, run: Path) -> Any:
    fractal, bounds = mv.calculus.FRACTALS[config.fractal], (curve.x[0], curve.x[-1])
    plane = mv.calculus.basins(fractal.f, fractal.box, points=config.points)
    line = mv.calculus.basins(example.f, bounds, points=1500, max_steps=200)
    shares = {
        mv.plots.newton.named(root): share for root, share in zip(plane.roots, plane.shares, strict=True)
    }
    shares = dict(list(shares.items())[:8]) | ({"none": plane.nowhere} if plane.nowhere else {})
    left, right = (mv.plots.newton.shaded(b.label, b.steps) for b in (plane, line))
    seen = (plane.box, left, plane.roots)
    figure = mv.plots.newton.basins(fractal.formula, seen, shares, curve, (right, line.roots), bounds)
    mv.plots.save(figure, run / "basins.png")
    return plane


def conclude(searches: list[Any], plane: Any, run: Path) -> None:
    ends = [search.found for search in searches]
    columns: dict[str, Any] = {
        "search": [s.title for s in searches],
        "status": [end.status.name for end in ends],
    }
    for name in ("x", "error", "steps", "multiplicity", "period"):
        columns[name] = [getattr(end, name) for end in ends]
    mv.runs.write_metrics(run, columns)
    table = [("search", "reason", "what happened")]
    table += [(s.title, s.found.status.name.lower().replace("_", " "), s.found.message) for s in searches]
    mv.runs.report(
        run,
        "Newton–Raphson: down the tangent to the root, and what if it does not get there?",
        SCENE,
        mv.runs.Picture("Above, the tangents; below, where each step led", "tangents.png"),
        mv.runs.Picture("The longest of these walks, step by step", "tangents.gif"),
        mv.runs.Written("## Every ending has its reason"),
        mv.runs.Picture(ENDINGS, "endings.png"),
        table,
        mv.runs.Written("## Which root a start leads to"),
        mv.runs.Picture("Paler where it takes fewer steps, ink where it leads to no root", "basins.png"),
        mv.runs.Verbatim(str(plane)),
        "The border of two basins touches all the others: beside it, the last digit of a start decides where it ends.",
        mv.runs.Written("## How fast"),
        mv.runs.Picture("Distance to the root after every step", "convergence.png"),
        "At a root of multiplicity m a step leaves (m − 1)/m of the way. `newton` sees this in its own steps and "
        "takes them m times as long; the last digits, which rounding of f hides, are those of a root of f⁽ᵐ⁻¹⁾.",
        mv.runs.Next(f"{PROG} --function atan --start 1.3 1.39 1.4", "the last start to converge is 1.3917"),
        mv.runs.Next(
            f"{PROG} --fractal cycle", "black lakes, from which Newton's method goes round 0 and 1 for ever"
        ),
        mv.runs.Next(
            f"{PROG} --function cubic --start 0 0.5 -1", "a cycle that attracts: whoever comes near stays"
        ),
    )


if __name__ == "__main__":
    command.leave(command.run(main, Config, prog=PROG))
