"""Are all critical points of a surface found, and rightly judged?

    python -m benchmarks.surfaces

The standard surfaces with known points; and random ones, sums of a dozen waves, whose points are counted independently
of the search: around each cell of a fine grid ∇f turns +1 times about an extremum, −1 times about a saddle.
"""

import time
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import mvcalc_jax as mv
from benchmarks import results
from benchmarks.harness import spoken
from benchmarks.results import Bar, Findings, Table
from mvcalc_jax import autodiff, options
from mvcalc_jax.calculus import SURFACES

QUESTION = (__doc__ or "").partition("\n")[0]
BOX = ((-1.0, 1.0), (-1.0, 1.0))
CELLS = 1500


@dataclass(frozen=True)
class Config:
    """Find the critical points of known and of random surfaces; a minute."""

    random: int = 50
    """Random surfaces."""
    seed: options.Seed = 0
    quick: bool = False
    """Two of the standard surfaces, and one random one, counted on a coarser grid."""


def findings(config: Config) -> Findings:
    random, cells = mv.require.whole("random", config.random, least=0), CELLS
    known = list(SURFACES.items())
    if config.quick:
        random, cells, known = min(random, 1), CELLS // 5, known[:2]
    rows, seconds, wrong = [("surface", "found", "known", "judged", "time")], {}, 0
    points = missed = 0
    with mv.devices.computing("cpu", "float64"):
        for name, surface in known:
            began = time.perf_counter()
            found = mv.critical_points(surface.f, surface.box)
            seconds[name] = time.perf_counter() - began
            right = Counter(p.kind for p in found) == surface.kinds
            wrong += not right
            there = str(sum(surface.kinds.values()))
            rows.append(
                (name, str(len(found)), there, "rightly" if right else "wrongly", spoken(seconds[name]))
            )
        for k in range(random):
            f = waves(np.random.default_rng([config.seed, k]))
            extrema, saddles = counted(f, BOX, cells)
            got = Counter("saddle" if p.kind == "saddle" else "extremum" for p in mv.critical_points(f, BOX))
            points += extrema + saddles
            missed += abs(got["extremum"] - extrema) + abs(got["saddle"] - saddles)
    return Findings(
        [Table("", rows)],
        [
            Bar(wrong == 0, f"{wrong} of {len(known)} standard surfaces are wrongly judged; the bar is 0"),
            Bar(
                missed == 0 if random else None,
                f"of {points} points by turns on {random} random surfaces, the search misses {missed}; the bar is 0",
            ),
        ],
        f"All points of {len(known) - wrong} of {len(known)} standard surfaces are found and rightly judged, and of "
        f"{points} points on random ones all but {missed}.",
        "Turns tell extrema from saddles, and not minima from maxima.",
        {"seconds": seconds, "random": {"points": points, "missed": missed}},
    )


def waves(rng: np.random.Generator) -> Any:
    """A sum of a dozen plane waves, some of them longer than the box and some a quarter of it."""
    along, phase, high = 6 * rng.normal(size=(12, 2)), rng.uniform(0, 2 * np.pi, 12), rng.normal(size=12)

    def f(p: Any) -> Any:
        x, y = p
        return jnp.sum(high * jnp.sin(along[:, 0] * x + along[:, 1] * y + phase))

    return f


def counted(f: Any, box: Any, cells: int) -> tuple[int, int]:
    """Extrema and saddles in a box, by the turns of ∇f around the cells of a grid, so many along each side."""
    axes = [np.linspace(low, high, cells + 1) for low, high in box]
    for k, inner in enumerate(axes):  # aside by a little, so that no point lies on the edge of a cell
        inner[1:-1] += 1e-4 * np.sqrt(k + 2)
    slope = autodiff.gradient(lambda x, y: f((x, y)), (0, 1))
    u, v = jax.jit(jax.vmap(jax.vmap(slope, (0, None)), (None, 0)))(*axes)
    angle = np.arctan2(v, u)
    corners = [angle[:-1, :-1], angle[:-1, 1:], angle[1:, 1:], angle[1:, :-1], angle[:-1, :-1]]
    sides = [(b - a + np.pi) % (2 * np.pi) - np.pi for a, b in pairwise(corners)]
    turns = np.round(sum(sides) / (2 * np.pi)).astype(int)
    return int((turns == 1).sum()), int((turns == -1).sum())


if __name__ == "__main__":
    results.leave(findings, Config)
