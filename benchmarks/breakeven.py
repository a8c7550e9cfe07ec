"""After how many calls has `jax.jit` paid for its compiling?

    python -m benchmarks.breakeven

A step of training, and loops of several steps, of a tiny and of a larger network, in float32. An eager loop is Python's
over an eager step; a compiled one is `lax.scan`. The first call of a compiled program traces and compiles; later ones
are taken in turns with the eager ones. With first call F, later call c and eager call e, k calls take F + (k − 1)c
against ke: the smallest whole k for which that is less is where compiling has paid, against eager calls that are warm.
But an eager operation is compiled, too, at its first call: from nothing, the eager k calls take E + (k − 1)e. Each
first call is that of a new process, after a small program has woken the compiler up; several of them, without and with
JAX's cache of compiled programs on disk, in a folder of its own for this measurement: empty, and filled by an earlier
process.
"""

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any, NamedTuple

import jax
import numpy as np
from matplotlib.figure import Figure

import mvcalc_jax as mv
from benchmarks import loops, results
from benchmarks.harness import Timing, measure, spoken
from benchmarks.results import Findings, Table
from mvcalc_jax import options, text
from mvcalc_jax.plots.style import CYCLE

QUESTION = (__doc__ or "").partition("\n")[0]
NETWORKS = {
    "the course's, 77 parameters": ((1, 6, 7, 2), 100),
    "2 × 256, 67 000 parameters": ((1, 256, 256, 2), 1000),
}
STEPS = 1, 10, 100
EAGER, WAYS = "eager", ("no cache", "empty cache", "filled cache")
"""How a first call finds JAX's compilation cache."""


@dataclass(frozen=True)
class Config:
    """Find where compiling has paid; about 4 minutes."""

    device: options.Device = "auto"
    quick: bool = False
    """The course's network, one step and ten."""
    rounds: int = 9
    """Rounds in which calls are timed."""
    starts: int = 5
    """New processes for each first call."""


class Case(NamedTuple):
    """A network and a loop of so many steps in one call."""

    network: str
    steps: int
    eager: Timing
    compiled: Timing
    first: dict[str, list[float]]
    """Seconds of the first call in each new process: eager, and compiled by the state of the cache."""

    def breakeven(self, way: str, *, cold: bool = False) -> float:
        """The number of calls from which compiling has paid: against warm eager calls, or with both from nothing."""
        first = median(self.first[EAGER]) if cold else self.eager.typical
        return calls(median(self.first[way]) - first, self.eager.typical - self.compiled.typical)


def calls(more: float, less: float) -> float:
    """The smallest whole k, at least 1, by which a first call that takes so much more has paid, each later one taking
    so much less; infinite where none does.
    """
    if more <= 0:
        return 1
    return 1 + math.ceil(more / less) if less > 0 else math.inf


def findings(config: Config) -> Findings:
    mv.require.whole("rounds", config.rounds, least=1)
    mv.require.whole("starts", config.starts, least=1)
    chosen = [(name, k) for name in NETWORKS for k in STEPS]
    chosen = chosen[:2] if config.quick else chosen
    starts = 1 if config.quick else config.starts
    cases = []
    for name, steps in chosen:
        with mv.devices.computing(config.device):
            timings = _timed(name, steps, config.rounds)
        cases.append(Case(name, steps, *timings, _first(name, steps, config.device, starts)))
        results.progress(f"{name}, {text.counted(steps, 'step')}: done")
    return Findings(
        [Table("", _rows(cases))],
        conclusion=_concluded(cases),
        limits="Of steepest descent by the hand-written Jacobian. How long compiling takes depends on how busy the "
        "machine is, and so do the numbers of calls.",
        numbers={"cases": cases},
        figures={"calls": _drawn(cases)},
    )


def step(jacobian: loops.Jacobian, params: Any, x: Any, y: Any) -> Any:
    return jax.tree.map(lambda p, J: p - loops.RATE * J, params, jacobian(params, x, y))


def eager(steps: int, params: Any, x: Any, y: Any) -> Any:
    for _ in range(steps):
        params = step(mv.network.jacobian, params, x, y)
    return params


def scanned(steps: int, params: Any, x: Any, y: Any) -> Any:
    """The same in one program."""
    if steps == 1:
        return step(mv.network.jacobian, params, x, y)
    return jax.lax.scan(lambda p, _: (step(mv.network.jacobian, p, x, y), None), params, length=steps)[0]


def _arguments(name: str) -> tuple[Any, ...]:
    of = loops.problem(*NETWORKS[name])
    return jax.device_put((of.start, *of.data))


def _timed(name: str, steps: int, rounds: int) -> tuple[Timing, Timing]:
    """Warm calls in turns, once both are found to come to the same."""
    given = _arguments(name)
    runs: dict[str, Callable[[], Any]] = {
        "eager": partial(eager, steps, *given),
        "compiled": partial(jax.jit(partial(scanned, steps)), *given),
    }
    timings = measure(runs, rounds)
    apart = mv.descent.apart(*(run() for run in runs.values()))
    assert apart < 1e-3, f"{name}: eager and compiled end {apart} apart"
    return timings["eager"], timings["compiled"]


def _first(name: str, steps: int, device: str, starts: int) -> dict[str, list[float]]:
    """First calls of the compiled program, each in a new process."""
    found: dict[str, list[float]] = {way: [] for way in (EAGER, *WAYS)}
    for _ in range(starts):
        with tempfile.TemporaryDirectory() as cache:
            for way, folder in zip(found, ("", "", cache, cache), strict=True):
                found[way].append(_in_new_process(name, steps, way, device, folder))
    return found


def _in_new_process(name: str, steps: int, way: str, device: str, cache: str) -> float:
    asked = json.dumps([name, steps, way, device, cache])
    code = "import sys; from benchmarks import breakeven; breakeven.answer(sys.argv[1])"
    said = subprocess.run(
        [sys.executable, "-c", code, asked], capture_output=True, text=True, check=False, env=os.environ
    )
    if said.returncode:
        raise RuntimeError(said.stderr)
    return float(said.stdout)


def answer(asked: str) -> None:
    """In a new process: the seconds of a first call, on stdout."""
    name, steps, way, device, cache = json.loads(asked)
    with mv.devices.computing(device):
        given = _arguments(name)
        jax.block_until_ready(jax.jit(lambda x: x + 1)(np.float32(0)))  # the compiler itself has a first call
        if cache:
            jax.config.update("jax_compilation_cache_dir", cache)
            jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
            jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
        program = partial(eager, steps) if way == EAGER else jax.jit(partial(scanned, steps))
        began = time.perf_counter()
        jax.block_until_ready(program(*given))
        print(time.perf_counter() - began)


def _rows(cases: list[Case]) -> list[tuple[str, ...]]:
    heads = (
        "eager call",
        "compiled call",
        "times as fast",
        *(f"first call, {way}" for way in (EAGER, *WAYS)),
    )
    pays = (f"{against}{way}" for against in ("pays from call, ", "from nothing, ") for way in WAYS[::2])
    rows: list[tuple[str, ...]] = [("network", "steps in a call", *heads, *pays)]
    for c in cases:
        each = (spoken(c.eager.typical), spoken(c.compiled.typical), f"{c.eager.over(c.compiled):.3g}")
        first = (f"{spoken(median(of))} ({spoken(min(of))} – {spoken(max(of))})" for of in c.first.values())
        pays = (_spoken_calls(c.breakeven(way, cold=cold)) for cold in (False, True) for way in WAYS[::2])
        rows.append((c.network, str(c.steps), *each, *first, *pays))
    return rows


def _spoken_calls(number: float) -> str:
    return text.count(int(number)) if math.isfinite(number) else "never"


def _concluded(cases: list[Case]) -> str:
    """A sentence for each network."""
    words = []
    for name in dict.fromkeys(case.network for case in cases):
        some = [case for case in cases if case.network == name]
        pays = [
            f"{text.counted(c.steps, 'step')} from call {_spoken_calls(c.breakeven(WAYS[0]))}"
            f" ({_spoken_calls(c.breakeven(WAYS[2]))} with a filled cache)"
            for c in some
        ]
        words.append(f"{name}: compiling has paid for a call of {', of '.join(pays)}.")
    over = lambda way, other: median(median(c.first[way]) / median(c.first[other]) for c in cases)
    nothing = [c.breakeven(WAYS[0], cold=True) for c in cases]
    return (
        f"{' '.join(words)} That is against warm eager calls; from nothing a first eager call, which compiles each of "
        f"its operations, takes {over(EAGER, WAYS[0]):.2f} times as long as a first compiled one, and compiling has "
        f"paid from call {_spoken_calls(min(nothing))} to {_spoken_calls(max(nothing))}. A first call from a filled "
        f"cache takes {over(WAYS[2], WAYS[0]):.2f} times as long as one without a cache, and one that fills it "
        f"{over(WAYS[1], WAYS[0]):.2f} times (medians)."
    )


def _drawn(cases: list[Case]) -> Figure:
    """Seconds by calls, eager and compiled, for each network and one step."""
    some = [case for case in cases if case.steps == 1]
    figure = Figure(figsize=(4.4 * len(some), 3.6), layout="constrained")
    for ax, case in zip(figure.subplots(1, len(some), squeeze=False)[0], some, strict=True):
        most = 30 * max((k for way in WAYS if math.isfinite(k := case.breakeven(way))), default=100)
        k = np.geomspace(1, most, 200)
        ax.plot(k, k * case.eager.typical, color=CYCLE[0], label="eager")
        for way, color, dashes in zip((WAYS[0], WAYS[2]), CYCLE[1:], ("-", "--"), strict=False):
            taken = median(case.first[way]) + (k - 1) * case.compiled.typical
            ax.plot(k, taken, dashes, color=color, label=f"compiled, {way}")
        ax.set(xscale="log", yscale="log", xlabel="calls", ylabel="seconds", title=case.network)
        ax.legend()
    return figure


if __name__ == "__main__":
    results.leave(findings, Config)
