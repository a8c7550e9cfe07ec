"""How much of a step of a large network is its matrix products?

    python -m benchmarks.products

A 1-64-64-2 network on 10 000 samples, float32: the package's compiled loop against a loop of the same products and
nothing else – forward Wˡa, back dz aᵀ and Wᵀdz, eight of them – each of which depends on the one before, so that none
can be left out. Wider and deeper ones beside it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import mvcalc_jax as mv
from benchmarks import results
from benchmarks.harness import measure, spoken
from benchmarks.results import Bar, Findings, Table, of_time
from mvcalc_jax import options
from mvcalc_jax.models import network

QUESTION = (__doc__ or "").partition("\n")[0]
COURSE = (1, 64, 64, 2)
NETWORKS = (COURSE, (1, 64, 64, 64, 64, 2), (1, 128, 128, 2), (1, 256, 256, 2))
SAMPLES, RATE, BAR = 10_000, 0.1, 2.0
"""Samples, a rate at which all of them stay finite, and how many times its products a step may take."""


@dataclass(frozen=True)
class Config:
    """Time large steps and their products; two minutes."""

    device: options.Device = "auto"
    rounds: int = 9
    """Rounds in which all are timed."""
    quick: bool = False
    """The first network, a tenth of its samples, two rounds."""


def findings(config: Config) -> Findings:
    mv.require.whole("rounds", config.rounds, least=1)
    networks = NETWORKS[:1] if config.quick else NETWORKS
    samples, rounds = (SAMPLES // 10, 2) if config.quick else (SAMPLES, config.rounds)
    rows = [("network", "a step", "its products", "step / products", "fastest – slowest round", "first call")]
    numbers, ratio = {}, {}
    with mv.devices.computing(config.device):
        for sizes in networks:
            steps = max(2, int(1e10 / (samples * sum(o * i for i, o in pairwise(sizes))) / 5))
            timings = measure(contenders(sizes, samples, steps), rounds)
            step, alone = timings["step"], timings["products"]
            ratios = step.ratios(alone)
            name = "-".join(map(str, sizes))
            ratio[sizes], numbers[name] = step.over(alone), timings
            spread = f"{min(ratios):.2f} – {max(ratios):.2f}"
            times = spoken(step.typical / steps), spoken(alone.typical / steps)
            rows.append((name, *times, f"{ratio[sizes]:.2f}", spread, spoken(step.first)))
    held = f"a step of 1-64-64-2 takes {ratio[COURSE]:.2f} times its products; the bar is {BAR:g}"
    return Findings(
        [Table(f"{samples} samples", rows)],
        of_time([Bar(ratio[COURSE] <= BAR, held)], config.quick),
        f"Of a step of 1-64-64-2, {1 / ratio[COURSE]:.0%} is products of matrices; the rest is σ, sums, and what goes "
        "through the memory between them.",
        "The products are those that XLA chooses for these shapes, on all cores; others may be faster.",
        numbers,
    )


def contenders(sizes: Sequence[int], samples: int, steps: int) -> dict[str, Callable[[], Any]]:
    """A compiled run of so many steps, and one of only their products."""
    rng = np.random.default_rng(0)
    params = network.init(rng, sizes, scale=max(sizes) ** -0.5, dtype=np.float32)
    x, y = (rng.random((width, samples), np.float32) for width in (sizes[0], sizes[-1]))
    run = partial(
        mv.steepest_descent, network.jacobian, params, data=(x, y), steps=steps, learning_rate=RATE,
        record_every=steps, chunk=steps,
    )  # fmt: skip
    data = tuple(map(jax.device_put, (x, y)))
    return {"step": lambda: run().params, "products": lambda: products(params, *data, steps=steps)}


@partial(jax.jit, static_argnames="steps")
def products(params: Any, x: Any, y: Any, *, steps: int) -> Any:
    """The products of `network.jacobian` in its order, and a step along what comes out."""

    def step(Ws: Any, _: Any) -> tuple[Any, None]:
        a = [x]
        for W in Ws:
            a.append(W @ a[-1])
        dz, after = a[-1], []
        for l in reversed(range(len(Ws))):
            after.append(Ws[l] - 1e-9 * (dz @ a[l].T))
            if l:
                dz = Ws[l].T @ dz
        return after[::-1], None

    return jax.lax.scan(step, [jnp.asarray(W) for W, _ in params], None, length=steps)[0]


if __name__ == "__main__":
    results.leave(findings, Config)
