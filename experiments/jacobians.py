"""What does a Jacobian do to area, and how do Jacobians multiply?

    python -m experiments.jacobians
    python -m experiments.jacobians --map elliptic
    python -m experiments.jacobians --map spherical --at 1.5 0.6 1.2

A grid of cells goes through a change of variables, and each grows by |det J|: in polar coordinates by r, and 18.85
becomes a disc of 9π = 28.27. A cell and the parallelogram that J makes of it come together as the cell shrinks: half
as wide, the error of |det J| × cell is a quarter from the cell's middle, a half from its corner (in polar coordinates,
none from the middle). Then a gradient, across the contours of a surface; and the chain rule with matrices, factor by
factor: at t = 0.7 the course's df/dt = (1×2)(2×2)(2×1) is 3.608897. Takes about 4 s.
"""

from __future__ import annotations  # not evaluated, so that --help need not wait for JAX

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np

import mvcalc_jax as mv
from mvcalc_jax import command, options

PROG = command.called("jacobians")
LARGEST = 1e6
"""Of a Jacobian's entries, and of times: beyond it, nothing is seen."""
WIDTH, MOST = 0.8, {2: 40, 3: 10}
"""Of the cell that shrinks; and how many cells along an axis can be told apart, by the number of variables."""


@dataclass(frozen=True)
class Config:
    """See what Jacobians do to area, and how they multiply."""

    map: Literal["polar", "cylindrical", "spherical", "elliptic", "parabolic", "twist"] = "polar"
    """The change of variables."""
    at: Annotated[tuple[float, ...], options.POINT] = ()
    """A number for each variable."""
    cells: int = 8
    """Along each axis of the grid."""
    surface: Literal["hills", "bowl", "saddle", "ripples"] = "hills"
    """The surface whose gradient is drawn."""
    chain: Literal["course", "cost", "motion"] = "course"
    """The chain rule that is multiplied out: the course's, from many numbers to one, or from one to many."""
    t: float = 0.7
    """Where the chain rule is taken: of course and motion the time, of cost the size of its numbers."""
    device: options.Device = "auto"
    out: options.Out = Path("runs")


def main(config: Config) -> int:
    from experiments import examples  # here and not above, so that --help need not wait for JAX

    known = mv.calculus.COORDINATES, examples.SURFACES, examples.CHAINS
    for what, names in zip(("map", "surface", "chain"), known, strict=True):
        mv.require.one_of(what, getattr(config, what), names)
    coordinates = mv.calculus.COORDINATES[config.map]
    box = np.array(coordinates.box, float)
    if mv.require.whole("cells", config.cells, least=1) > (most := MOST[len(box)]):
        raise ValueError(f"`cells` must be at most {most}, so that one sees them; got {config.cells}")
    mv.require.finite("t", config.t)
    if abs(config.t) > LARGEST:
        raise ValueError(f"`t` must lie within ±{LARGEST:g}; got {config.t:g}")
    at = np.array(config.at or box @ (0.35, 0.65), float)
    with mv.devices.computing(config.device, "float64") as device:
        point = mv.calculus.change_of_variables(coordinates, at)
        if not (np.isfinite(point.jacobian).all() and np.abs(point.jacobian).max() < LARGEST):
            raise ValueError(
                f"`at` must be where the map is of ordinary size; got {config.at}; take a smaller one"
            )
        cell = mv.calculus.shrinking_cell(coordinates, at, WIDTH, halvings=8)
        grid = mv.calculus.areas(coordinates, box, config.cells)
        links, start, of = examples.chain(config.chain, config.t)
        chain = mv.calculus.matrix_chain(links, start, of)
        run = mv.runs.create("jacobians", config, 0, device, config.out)
        columns = {"width": cell.sizes, "middle": cell.middle, "corner": cell.corner}
        mv.runs.write_metrics(run, columns)
        found = point, cell, grid, chain
        save_pictures(config, examples, found, run)
    conclude(config, found, run)
    return command.DONE


def save_pictures(config: Config, examples: Any, found: Any, run: Path) -> None:
    point, cell, grid, chain = found
    draw, image = mv.plots.coordinates, lambda u: mv.calculus.images(config.map, u).x
    chosen = int(np.argmin(np.linalg.norm((grid.low + grid.high) / 2 - point.u, axis=1)))
    size = "area" if len(point.u) == 2 else "volume"
    words = f"{size} {grid.before[chosen]:.4g}", f"{size} {grid.after[chosen]:.4g}"
    cells = draw.Cells(grid.low, grid.high, grid.middle / grid.before, grid.singular, chosen, words)
    f, (x, y) = examples.SURFACES[config.surface]
    fine, coarse = (mv.calculus.gradient_field(f, ((-2, 2), (-2, 2)), n) for n in (120, 15))
    slope = mv.calculus.jacobian(f)(x, y)
    with mv.plots.style():
        mv.plots.save(draw.before_and_after(cells, image, point.variables, config.map), run / "cells.png")
        mv.plots.save(draw.linearised(point, cell, image), run / "linear.png")
        seen = mv.plots.surface.gradient_seen(fine, coarse, (x, y), float(f(x, y)), slope)
        mv.plots.save(seen, run / "gradient.png")
        mv.plots.save(mv.plots.products.chain_rule(chain), run / "chain.png")


def conclude(config: Config, found: Any, run: Path) -> None:
    """Say what came of it, on the screen and in report.md."""
    point, cell, grid, chain = found
    size, piece = {2: ("area", "parallelogram"), 3: ("volume", "parallelepiped")}[len(point.u)]
    gold = ". Gold cells touch a point where det J = 0" if grid.singular.any() and size == "area" else ""
    sums = grid.before.sum(), grid.after.sum(), grid.middle.sum(), grid.corner.sum()
    of = (
        "before",
        "after, measured outside",
        "Σ |det J| × cell, det J in the middle",
        "…, det J at the low corner",
    )
    mv.runs.report(
        run,
        "What does a Jacobian do to area, and how do Jacobians multiply?",
        f"A change of variables takes every point u to a point x. Near u it is almost linear, x + J Δu, and makes of a "
        f"small cell almost a {piece}, whose {size} is |det J| times the cell's: that is what {size} grows by.",
        mv.runs.Picture(
            f"{config.map} coordinates: all cells on the left have the same {size}, and on the right have grown by "
            f"|det J|, which is their colour. The red one is the same on both sides{gold}",
            "cells.png",
        ),
        [(f"{size} of the whole grid", "value"), *((o, f"{v:.10g}") for o, v in zip(of, sums, strict=True))],
        f"{grid.message[0].upper()}{grid.message[1:]}. Now one cell, about the point",
        mv.runs.Verbatim(str(point)),
        mv.runs.Picture(
            "The cell and what J makes of it, enlarged as it shrinks: curves become straight, and the two agree",
            "linear.png",
        ),
        *([cell.rows()] if np.isfinite(cell.middle).any() else []),
        f"{cell.sentence[0].upper()}{cell.sentence[1:]}.",
        mv.runs.Picture(
            "∇f is the Jacobian of a function with one value. It crosses the contours at right angles, the steepest "
            "way up; on the right, the plane with these slopes touches the surface, and the arrow in the floor is ∇f",
            "gradient.png",
        ),
        mv.runs.Picture(
            "The chain rule multiplies Jacobians: inner sizes agree and vanish, the outer ones remain. One may begin "
            "at either end; what that costs depends on the shapes",
            "chain.png",
        ),
        mv.runs.Verbatim(str(chain)),
        mv.runs.Next(f"{PROG} --map twist", "cells become crescents and keep their area: det J = 1"),
        mv.runs.Next(f"{PROG} --map spherical", "volumes grow by r² sin φ, and vanish along the axis"),
        mv.runs.Next(f"{PROG} --chain cost", "from the left, a fifth of the work: backpropagation"),
    )


if __name__ == "__main__":
    command.leave(command.run(main, Config, prog=PROG))
