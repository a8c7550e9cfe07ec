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
from benchmarks.harness import setting, spoken
from mvcalc_jax import autodiff, command, text
from mvcalc_jax.calculus import SURFACES

QUESTION = (__doc__ or "").partition("\n")[0]
BOX = ((-1.0, 1.0), (-1.0, 1.0))
CELLS = 1500


@dataclass(frozen=True)
class Config:
    """Find the critical points of known and of random surfaces. --debug shows where an error comes from."""

    random: int = 50
    """Random surfaces."""
    seed: int = 0
    """Of these."""


def main(config: Config) -> int:
    mv.require.whole("random", config.random, least=0)
    with mv.devices.computing("cpu", "float64") as device:
        print(f"{QUESTION}\n{setting(device)}\n")
        rows, wrong = [("surface", "found", "known", "judged", "time")], 0
        for name, surface in SURFACES.items():
            began = time.perf_counter()
            found = mv.critical_points(surface.f, surface.box)
            took = time.perf_counter() - began
            right = Counter(p.kind for p in found) == surface.kinds
            wrong += not right
            known = str(sum(surface.kinds.values()))
            rows.append((name, str(len(found)), known, "rightly" if right else "wrongly", spoken(took)))
        print(f"{text.columns(rows)}\n")
        points = missed = 0
        for k in range(config.random):
            f = waves(np.random.default_rng([config.seed, k]))
            extrema, saddles = counted(f, BOX, CELLS)
            found = mv.critical_points(f, BOX)
            got = Counter("saddle" if p.kind == "saddle" else "extremum" for p in found)
            points += extrema + saddles
            missed += abs(got["extremum"] - extrema) + abs(got["saddle"] - saddles)
        print(f"{config.random} random surfaces: {points} points by turns; the search differs in {missed}")
    return command.FAILED if wrong or missed else command.DONE


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
    command.leave(command.run(main, Config, prog="python -m benchmarks.surfaces"))
