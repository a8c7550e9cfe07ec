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
import numpy as np

import mvcalc_jax as mv
from benchmarks.harness import measure, setting, spoken
from benchmarks.training import DATA, RATE, START
from mvcalc_jax import command

QUESTION = (__doc__ or "").partition("\n")[0]


@dataclass(frozen=True)
class Config:
    """Time a watched descent against a bare scan of the same step. --debug shows where an error comes from."""

    device: str = "auto"
    """auto, cpu or gpu."""
    rounds: int = 9
    """Rounds in which both are timed."""
    steps: int = 200_000
    """Steps of a run."""


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


def main(config: Config) -> int:
    steps = mv.require.whole("steps", config.steps, least=100)
    mv.require.whole("rounds", config.rounds, least=1)
    with mv.devices.computing(config.device) as device, tempfile.TemporaryDirectory() as directory:
        print(f"{QUESTION}\n{setting(device)}\n")
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
        for noise in (0.0, 1.0):
            scan = jax.jit(bare, static_argnums=(0, 1))
            contenders = {
                "bare": partial(scan, noise, steps, START, jax.random.key(0)),
                "watched": partial(watched, noise, steps, directory),
            }
            timings = measure(contenders, config.rounds)
            ends = [jax.tree.leaves(run()) for run in contenders.values()]
            apart = max(
                float(np.abs(np.asarray(a) - np.asarray(b)).max()) for a, b in zip(*ends, strict=True)
            )
            assert apart < 1e-3, f"bare and watched end {apart} apart"
            ratios = sorted(
                w / b for w, b in zip(timings["watched"].rounds, timings["bare"].rounds, strict=True)
            )
            scanned, looped = (spoken(timings[name].typical / steps) for name in contenders)
            ratio = f"{timings['watched'].over(timings['bare']):.3f}"
            rows.append(
                (f"{noise:g}", scanned, looped, ratio, f"{ratios[0]:.3f} – {ratios[-1]:.3f}", f"{apart:.0e}")
            )
        print(mv.text.markdown(rows))
    return command.DONE


if __name__ == "__main__":
    command.leave(command.run(main, Config, prog="python -m benchmarks.watching"))
