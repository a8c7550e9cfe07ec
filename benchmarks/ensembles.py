"""What does a network cost when many are trained at once?

    python -m benchmarks.ensembles

The course's 1-6-7-2 network on 100 points of the heart, float32, from as many seeds as there are members:
`ensemble=True` of the package, whose members walk one after the other on every core; the same all at once, which is
what `jax.vmap` makes of it; and one after the other from Python. A step of C on one core is the measure. Members must
end where they do alone, bit for bit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import numpy as np
from matplotlib.figure import Figure

import mvcalc_jax as mv
from benchmarks import limit, results
from benchmarks.harness import Timing, measure, spoken
from benchmarks.results import Bar, Findings, Table, of_time
from benchmarks.training import DATA, RATE
from mvcalc_jax import options

QUESTION = (__doc__ or "").partition("\n")[0]
MEMBERS = (1, 4, 16, 64, 256, 1024, 4096)
JUDGED, BAR = 256, 1.5
"""Of so many members, a step of each may take so many times a step of C."""
WORK, CHUNK, OF_C = 400_000, 1000, 20_000
"""Steps of a run, of all members together; of a chunk, at most; and of C, so many that its call does not count."""
OURS, VMAPPED, LOOPED, C = (
    "the package, all cores",
    "all at once (vmap)",
    "one by one, from Python",
    "C, one core",
)


@dataclass(frozen=True)
class Config:
    """Time ensembles; three minutes."""

    device: options.Device = "auto"
    rounds: int = 7
    """Rounds in which all are timed."""
    quick: bool = False
    """Two sizes, an eighth of the steps, two rounds."""


def findings(config: Config) -> Findings:
    mv.require.whole("rounds", config.rounds, least=1)
    sizes, work, rounds = (MEMBERS, WORK, config.rounds) if not config.quick else ((16, JUDGED), WORK // 8, 2)
    found: dict[int, dict[str, Timing]] = {}
    with mv.devices.computing(config.device):
        for members in sizes:
            steps = max(work // members, 20)
            timings = measure(contenders(members, steps), rounds)
            each = members * steps
            found[members] = {
                name: Timing(of.first, tuple(s / (OF_C if name == C else each) for s in of.rounds))
                for name, of in timings.items()
            }
        assert alone(4), "members do not end where they do alone"
    names = list(dict.fromkeys(name for of in found.values() for name in of))
    rows = [("members", *names, f"{OURS}: fastest – slowest", "first call")]
    for members, of in found.items():
        cells = [spoken(of[name].typical) if name in of else "" for name in names]
        rows.append((mv.text.count(members), *cells, of[OURS].spread, spoken(of[OURS].first)))
    return Findings(
        [Table("A step of each network", rows)],
        of_time([judged(found[JUDGED])], config.quick),
        conclusion(found),
        "On a GPU members are walked all at once, and on several each has its share. A core's speed may depend on what "
        "the other does.",
        {"seconds of a network's step": found},
        {"members": drawn(found)},
    )


def starts(members: int) -> Any:
    """As many networks, each from its own seed, stacked."""
    some = [
        mv.network.init(np.random.default_rng(seed), (1, 6, 7, 2), dtype=np.float32)
        for seed in range(members)
    ]
    return jax.tree.map(lambda *leaves: np.stack(leaves), *some)


def trained(params: Any, steps: int, ensemble: bool = True) -> Any:
    return mv.steepest_descent(
        mv.network.jacobian, params, data=DATA, steps=steps, learning_rate=RATE, record_every=steps,
        chunk=min(steps, CHUNK), ensemble=ensemble,
    ).params  # fmt: skip


def contenders(members: int, steps: int) -> dict[str, Callable[[], Any]]:
    params = starts(members)
    here: dict[str, Callable[[], Any]] = {
        OURS: partial(trained, params, steps),
        VMAPPED: partial(jax.jit(jax.vmap(partial(trained, steps=steps, ensemble=False))), params),
    }
    if members <= 64:
        apart = [jax.tree.map(lambda p, k=k: p[k], params) for k in range(members)]
        here[LOOPED] = lambda: [trained(one, steps, ensemble=False) for one in apart]
    if not limit.missing():
        first = jax.tree.map(lambda p: p[0], params)
        here[C] = lambda: limit.trained(first, *DATA, RATE, OF_C)
    return here


def alone(members: int) -> bool:
    """Whether members end, bit for bit, where they do alone."""
    params = starts(members)
    together = jax.tree.leaves(trained(params, 100))
    for k in range(members):
        one = jax.tree.leaves(trained(jax.tree.map(lambda p, k=k: p[k], params), 100, ensemble=False))
        if not all(np.array_equal(a[k], b) for a, b in zip(together, one, strict=True)):
            return False
    return True


def judged(of: dict[str, Timing]) -> Bar:
    if C not in of:
        return Bar(None, f"a member's step against C: {limit.missing()}")
    times = of[OURS].over(of[C])
    words = f"of {JUDGED} members on {mv.devices.cores()} cores, a step of each takes {times:.2f} times C's on one core"
    return Bar(times <= BAR, f"{words}; the bar is {BAR:g}")


def conclusion(found: dict[int, dict[str, Timing]]) -> str:
    most = max(found)
    gain = found[most][VMAPPED].over(found[most][OURS])
    return (
        f"A step of each of {mv.text.count(most)} networks takes {spoken(found[most][OURS].typical)}, "
        f"{gain:.2g} times as fast as all at once: what a member needs stays in a core's first cache for a whole chunk."
    )


def drawn(found: dict[int, dict[str, Timing]]) -> Figure:
    """Seconds of a network's step against the number of members."""
    figure, ax = mv.plots.chart()
    for name in dict.fromkeys(name for of in found.values() for name in of):
        sizes: Sequence[int] = [members for members, of in found.items() if name in of]
        ax.plot(sizes, [found[members][name].typical for members in sizes], "o-", label=name)
    ax.set(xscale="log", yscale="log", xlabel="members", ylabel="seconds of a network's step")
    ax.legend()
    return figure


if __name__ == "__main__":
    results.leave(findings, Config)
