"""How long do a new pit, its par and a thousand games take, and is a seed the same pit on every machine?

    python -m benchmarks.sandpit

Pits: the first of each family, which compiles, and many after it, each with another seed, each dug twice and the faster
counts, so that what else the machine does counts less; then the slowest of them. A contest: eight strategies on the
course's five floors over 1000 seeds, 25 dips a walk, from nothing, in a process of its own. And minima again in a
process that may use no more of the processor than every x86-64 of the last 15 years has: other instructions, other
roundings; it stands in for another machine.
"""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

import mvcalc_jax as mv
from benchmarks import results
from benchmarks.harness import seconds, spoken
from benchmarks.results import Bar, Findings, Table, progress
from mvcalc_jax import text
from mvcalc_jax.sandpit.contest import par
from mvcalc_jax.sandpit.floors.catalogue import _drawn
from mvcalc_jax.text import Rows

QUESTION = (__doc__ or "").partition("\n")[0]
PIT, CONTEST, APART = 0.1, 60.0, 1e-6
"""The bars: seconds for a new pit and for a contest, and how far minima may be apart."""
COURSE = ("wells", "random", "eggbox", "rocks", "narrow")

_CONTEST = """
import json, sys, time
began = time.perf_counter()
from mvcalc_jax import sandpit
found = sandpit.compete(sys.argv[2:], int(sys.argv[1]))
print(json.dumps([time.perf_counter() - began, found.rows()]))
"""
_MINIMA = """
import json, sys
from mvcalc_jax import sandpit
seeds = range(int(sys.argv[1]))
print(json.dumps({name: [sandpit.floor(name, k).minima.tolist() for k in seeds] for name in sys.argv[2:]}))
"""


@dataclass(frozen=True)
class Config:
    """Time pits and a contest, and compare minima; about a minute."""

    pits: int = 100
    """New pits of each family."""
    seeds: int = 1000
    """Of the contest."""
    quick: bool = False
    """Two pits of two families, and a contest of two seeds on one of them."""


def findings(config: Config) -> Findings:
    count = mv.require.whole("pits", config.pits, least=2)
    seeds = mv.require.whole("seeds", config.seeds, least=1)
    floors, course = tuple(mv.sandpit.FLOORS), COURSE
    if config.quick:
        count, seeds, floors, course = 2, 2, COURSE[:2], COURSE[:1]
    with mv.devices.computing("cpu", "float64"):
        rows, slowest = pits(count, floors)
    progress("      pits")
    taken, scores = contest(seeds, course)
    progress("      contest")
    apart = elsewhere(count, floors)
    pit = f"the slowest of the new pits took {spoken(slowest)}"
    game = f"a contest over {text.counted(seeds, 'seed')} took {spoken(taken)}, imports and all"
    same = f"{text.count(count)} seeds of each floor are the same in both processes, and minima {apart:.1g} apart"
    timed = lambda held: None if config.quick else held
    return Findings(
        [Table("New pits", rows), Table("A contest", scores)],
        [
            Bar(timed(slowest <= PIT), f"{pit}; the bar is {spoken(PIT)}"),
            Bar(timed(taken <= CONTEST), f"{game}; the bar is {spoken(CONTEST)} for 1000 seeds"),
            Bar(apart <= APART, f"{same}; the bar is {APART:g}"),
        ],
        f"{pit[0].upper()}{pit[1:]}; {game}; {same}.",
        "The other machine is this one with fewer instructions.",
        {"slowest pit, s": slowest, "contest, s": taken, "minima apart": apart},
    )


def pits(count: int, floors: Sequence[str]) -> tuple[list[tuple[str, ...]], float]:
    """A row for each family, and the slowest pit of all that were not the first."""
    rows: list[tuple[str, ...]] = [("floor", "first pit", "a new pit", "the slowest", "its par", "minima")]
    slowest = 0.0
    par(mv.sandpit.floor("cliff"))  # the strategies are compiled once for all floors
    for name in floors:
        first = seconds(lambda name=name: look(name, 0))
        twice = []
        for _ in range(2):
            _drawn.cache_clear()
            twice.append([seconds(lambda name=name, k=k: look(name, k)) for k in range(1, count)])
        later = np.min(twice, axis=0).tolist()
        par(mv.sandpit.floor(name))
        scored = [seconds(lambda name=name, k=k: par(mv.sandpit.floor(name, k))) for k in range(1, count)]
        some = [len(mv.sandpit.floor(name, k).minima) for k in range(count)]
        slowest = max(slowest, *later)
        times = (first, float(np.median(later)), max(later), float(np.median(scored)))
        rows.append((name, *[spoken(seconds) for seconds in times], f"{min(some)} – {max(some)}"))
    return rows, slowest


def look(name: str, seed: int) -> None:
    """A pit, and all that a view needs of it."""
    pit = mv.sandpit.floor(name, seed)
    depth, g, _ = pit.look(np.array([1.0, 2.0]))
    assert np.isfinite([depth, *g]).all() and abs(pit.depth(pit.lowest) + 9) < 1e-9


def contest(seeds: int, floors: Sequence[str]) -> tuple[float, Rows]:
    """How long a contest takes in a new process, and what came of it."""
    taken, rows = json.loads(_run(_CONTEST, str(seeds), *floors))
    return taken, rows


def elsewhere(seeds: int, floors: Sequence[str]) -> float:
    """The distance between minima of the same seeds, here and with fewer instructions; ∞ where there are others."""
    plain = {"XLA_FLAGS": "--xla_cpu_max_isa=SSE4_2"} if platform.machine() in ("x86_64", "AMD64") else {}
    there = json.loads(_run(_MINIMA, str(seeds), *floors, **plain))
    worst = 0.0
    for name, minima in there.items():
        for seed, other in enumerate(minima):
            own = mv.sandpit.floor(name, seed).minima
            if own.shape != np.shape(other):
                return float("inf")
            worst = max(worst, float(np.abs(own - other).max()))
    return worst


def _run(code: str, *args: str, **more: str) -> str:
    found = subprocess.run(
        [sys.executable, "-c", code, *args],
        env=dict(os.environ) | more,
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode:
        raise RuntimeError(found.stderr)
    return found.stdout


if __name__ == "__main__":
    results.leave(findings, Config)
