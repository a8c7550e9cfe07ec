"""The hot paths of the package, as a worker runs them: for `benchmarks.guard`, which compares two trees.

A worker is this file, run by its path, with a tree of the package before everything else on Python's search path: the
paths are the same for any revision, and only the package differs. It answers each line of JSON on stdin,

    {"path": name, "calls": how many, "slow": share}

with a line that holds the seconds of the processor that the calls took, its own and those of processes that it has
begun, or "absent" and why where this revision has no such path. `slow` plants a slow-down: after the calls it spins for
this share of what they took.
"""

import gc
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import mvcalc_jax as mv

Run = Callable[[], Any]


def network(members: int = 0) -> tuple[Any, tuple[np.ndarray, np.ndarray]]:
    """The course's network, or an ensemble of it, and 100 points of the heart."""
    heart = mv.data.curve("heart")
    rng = np.random.default_rng(0)
    params = [mv.network.init(rng, (1, 6, 7, 2)) for _ in range(members or 1)]
    start = jax.tree.map(lambda *p: np.stack(p), *params) if members else params[0]
    return start, (heart.t.astype("float32"), heart.points.astype("float32"))


def training() -> Run:
    start, data = network()
    return lambda: (
        mv.steepest_descent(
            mv.network.jacobian, start, steps=1000, learning_rate=7.0, data=data, record_every=1000
        ).params
    )


def ensemble() -> Run:
    start, data = network(members=64)
    return lambda: (
        mv.steepest_descent(
            mv.network.jacobian, start, steps=50, learning_rate=7.0, data=data, record_every=50, ensemble=True
        ).params
    )


def jacobian() -> Run:
    start, data = network()
    return lambda: mv.network.jacobian(start, *data)


def _peaks(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    x = np.linspace(-5, 5, 32)
    truth = rng.uniform((50, -1, 0.7), (150, 1, 1.5), (count, 3))
    a, m, s = truth.T[:, :, None]
    y = a * np.exp(-(((x - m) / s) ** 2) / 2) + rng.normal(0, 0.05 * a, (count, 32))
    return x, y, truth * rng.uniform(0.9, 1.1, (count, 3))


def fit_gaussian() -> Run:
    x, y, _ = _peaks(2000)
    return lambda: mv.fit_gaussian(x, y, model="amplitude").params


def curve_fit() -> Run:
    x, y, p0 = _peaks(500)
    peak = lambda x, a, m, s: a * jnp.exp(-(((x - m) / s) ** 2) / 2)
    return lambda: mv.curve_fit(peak, x, y, p0=p0).params


def check() -> Run:
    x = np.linspace(-1, 1, 5)
    f = lambda x: jnp.tanh(x)
    d_f = lambda x: jnp.diag(1 - jnp.tanh(x) ** 2)
    return lambda: mv.check_jacobian(f, d_f, x)


def taylor() -> Run:
    f = lambda x: jnp.exp(x) * jnp.sin(x)
    return lambda: mv.taylor.taylor(f, 0.3, 10).coefficients


def dip() -> Run:
    from mvcalc_jax.sandpit import rules

    points = np.random.default_rng(0).uniform(0.5, 5.5, (8, 2))

    def game() -> Any:
        game = rules.Game("wells", "gradient", 0)
        return [game.dip(point) for point in points]

    return game


def main_command() -> Run:
    def importing() -> None:
        subprocess.run([sys.executable, "-P", "-c", "import experiments.draw_curve"], check=True)

    return importing


PATHS: dict[str, Callable[[], Run]] = {
    "training step, compiled": training,
    "jacobian, called eagerly": jacobian,
    "ensemble step, compiled": ensemble,
    "fit_gaussian of a batch": fit_gaussian,
    "curve_fit of a batch": curve_fit,
    "check_jacobian": check,
    "taylor coefficients": taylor,
    "sandpit, a game's dips": dip,
    "main command, import": main_command,
}


def spent() -> float:
    """Seconds of the processor so far: another process's turn does not count."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def timed(run: Run, calls: int, slow: float) -> float:
    began = spent()
    for _ in range(calls):
        jax.block_until_ready(run())
    until = spent() + slow * (spent() - began)
    while slow and spent() < until:
        pass
    return spent() - began


def serve() -> None:
    """Answer until stdin ends. What a path prints goes to stderr: stdout is for answers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the guard, and stdin ends with it
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    ready: dict[str, Run] = {}
    for line in sys.stdin:
        asked = json.loads(line)
        name = asked["path"]
        try:
            if name not in ready:
                ready[name] = PATHS[name]()
                jax.block_until_ready(ready[name]())
                gc.freeze()  # what is there to stay need not be looked through in somebody's turn
            answer: Any = {"seconds": timed(ready[name], asked["calls"], asked["slow"])}
        except Exception as error:
            answer = {"absent": f"{type(error).__name__}: {mv.text.first_line(error)}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    serve()
