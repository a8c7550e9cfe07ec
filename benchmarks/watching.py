"""What do the progress bar, the history and the checkpoints cost, against a bare `lax.scan` of the same step?

    python -m benchmarks.watching

The course's network on 100 points, 200 000 steps of steepest descent. Bare: one `jax.lax.scan` over the step and
nothing else, its noise drawn beforehand where there is noise. Watched, as draw_curve is: in chunks of
10 000 steps, with a row of history and its cost every 100, a progress bar on a terminal, and a checkpoint on
disk every two seconds and at the end. Both must end at the same parameters.
"""

import contextlib
import io
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

import mvcalc_jax as mv
from benchmarks import results
from benchmarks.harness import measure, spoken
from benchmarks.results import Findings, Table
from benchmarks.training import DATA, RATE, START
from mvcalc_jax import options
from mvcalc_jax.descent.advance import WIDE

QUESTION = (__doc__ or "").partition("\n")[0]


@dataclass(frozen=True)
class Config:
    """Time a watched descent against a bare scan of the same step; half a minute."""

    device: options.Device = "auto"
    rounds: int = 9
    """Rounds in which both are timed."""
    steps: int = 200_000
    """Steps of a run."""
    quick: bool = False
    """Two rounds of 20 000 steps."""


class Terminal(io.StringIO):
    """Takes what is written and says that it is a terminal, so that the progress bar is really drawn."""

    def isatty(self) -> bool:
        return True


def bare(noise: float, steps: int, params: Any, key: Any) -> Any:
    """Nothing but the step, scanned."""

    def step(params: Any, factors: Any) -> tuple[Any, None]:
        tensors, structure = jax.tree.flatten(mv.network.jacobian(params, *DATA))
        if noise:
            tensors = [tensor * factors[k] for k, tensor in enumerate(tensors)]
        return jax.tree.map(lambda p, J: p - RATE * J, params, structure.unflatten(tensors)), None

    draw = lambda step: 1 + noise * jax.random.normal(jax.random.fold_in(key, step), (6,))
    factors = jax.vmap(draw)(jnp.arange(steps)) if noise else None
    return jax.lax.scan(step, params, factors, length=steps)[0]


def watched(noise: float, steps: int, directory: str) -> Any:
    """The same step with everything that draw_curve asks for, pictures excepted."""
    with contextlib.redirect_stderr(Terminal()):
        result = mv.steepest_descent(
            mv.network.jacobian, START, steps=steps, learning_rate=RATE, cost=mv.network.cost, data=DATA,
            noise=noise, key=jax.random.key(0), record_every=100, chunk=10_000, progress=True,
            watch=[mv.runs.checkpoints(Path(directory) / "checkpoint.npz")],
        )  # fmt: skip
    return result.params


def findings(config: Config) -> Findings:
    steps = mv.require.whole("steps", config.steps, least=100)
    rounds = mv.require.whole("rounds", config.rounds, least=1)
    if config.quick:
        steps, rounds = min(steps, 20_000), min(rounds, 2)
    rows = [
        (
            "noise",
            "bare scan, a step",
            "watched, a step",
            "watched / bare",
            "fastest – slowest round",
            "apart",
        )
    ]
    numbers, costs = {}, []
    with mv.devices.computing(config.device), tempfile.TemporaryDirectory() as directory:
        for noise in (0.0, 1.0):
            scan = jax.jit(bare, static_argnums=(0, 1), compiler_options=WIDE)
            contenders = {
                "bare": partial(scan, noise, steps, START, jax.random.key(0)),
                "watched": partial(watched, noise, steps, directory),
            }
            timings = measure(contenders, rounds)
            ends = mv.descent.apart(*[run() for run in contenders.values()])
            assert ends < 1e-3, f"bare and watched end {ends} apart"
            ratios = timings["watched"].ratios(timings["bare"])
            scanned, looped = (spoken(timings[name].typical / steps) for name in contenders)
            costs.append(timings["watched"].over(timings["bare"]) - 1)
            spread = f"{min(ratios):.3f} – {max(ratios):.3f}"
            rows.append((f"{noise:g}", scanned, looped, f"{1 + costs[-1]:.3f}", spread, f"{ends:.0e}"))
            numbers[f"noise {noise:g}"] = timings
    return Findings(
        [Table("", rows)],
        conclusion=f"Progress bar, history and checkpoints add {costs[0]:.1%} to a step without noise, and "
        f"{costs[1]:.1%} to one with it.",
        limits="Checkpoints go to this machine's temporary folder.",
        numbers=numbers,
    )


if __name__ == "__main__":
    results.leave(findings, Config)
