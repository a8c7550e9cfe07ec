"""A network that is to draw a curve: the task, who does it, and the pictures. `draw_curve` asks for them."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

import mvcalc_jax as mv
from mvcalc_jax import require
from mvcalc_jax.compiling import quickly

RATES = {"steepest": 7.0, "sgd": 7.0, "momentum": 0.7, "adam": 0.01, "lbfgs": 1.0}
"""Learning rates that suit the heart: the course's, and for the others what comes near it."""

ROWS, FEW = 500, 10
"""Rows of a trace, however many steps: enough for a history that fades smoothly; and the fewest that show one."""

CHUNK, PRODUCTS, SEARCHES = 10_000, 2 * 10**9, 20
"""Steps in a chunk, and multiplications, at most: a fraction of a second of work, so that Ctrl-C is soon heard. A
line search, such as L-BFGS makes, is as much work as so many steps."""

ROOM, COSTS = 2**29, 200_000
"""Bytes that a history may take, and costs that it may hold: wide networks, and many of them, have fewer rows."""


class Runner(NamedTuple):
    """One who takes part in the race: a rule, its learning rate, and the noise on its Jacobian."""

    rule: mv.descent.Rule
    rate: float
    noise: float | np.ndarray
    searches: bool = False


class Task(NamedTuple):
    """What to descend, and from where."""

    target: mv.data.Curve
    params: Any
    forward: Callable[..., Any]
    """Of many networks at once, compiled."""
    cost: Callable[..., Any]
    jacobian: Callable[..., Any]
    options: dict[str, Any]

    def chunks(self, runner: Runner, **options: Any) -> mv.descent.Stream:
        """A runner's descent, checked and not yet begun."""
        options = self.options | options
        if runner.searches:
            options["chunk"] = max(options["chunk"] // SEARCHES, 1)
        return mv.descent.chunks(runner.rule, self.jacobian, self.params, noise=runner.noise, **options)

    def race(self, runner: Runner, watch: mv.descent.Watcher) -> mv.Result:
        return mv.descent.collect(self.chunks(runner), [watch])

    def prove(self, seed: int) -> "mv.Report":
        """The hand-written Jacobian against autodiff, where the (first) network starts."""
        return mv.check_jacobian(self.cost, self.jacobian, self.start, *self.options["data"], seed=seed)

    def attempts(self, params: Any) -> np.ndarray:
        """What networks draw, (rows, 2, k), at twice as many points as the target has."""
        t = self.target.t[0]
        return np.asarray(self.forward(params, np.linspace(t[0], t[-1], 2 * t.size - 1)[None]))

    def attempt(self, params: Any) -> np.ndarray:
        """What one network draws, the first of many: (2, k)."""
        one = params if self.options["ensemble"] else jax.tree.map(lambda p: p[None], params)
        return self.attempts(jax.tree.map(lambda p: p[:1], one))[0]

    @property
    def given(self) -> Any:
        """What the run is about, and where it starts: a resumed run must have the same."""
        return self.params, self.options["data"]

    @property
    def start(self) -> Any:
        """Where the one network starts, or the first of many."""
        return jax.tree.map(lambda p: p[0], self.params) if self.options["ensemble"] else self.params

    @property
    def numbers(self) -> int:
        """How many parameters a network has."""
        return mv.network.size(self.start)


def pose(config: Any) -> Task:
    """The task that draw_curve's settings describe. Whatever does not fit is said here, before any work."""
    target = mv.data.curve(config.curve, config.samples)
    hidden, output = config.activation, config.output_activation
    activation = output if hidden == output else (*[hidden] * len(config.hidden), output)
    of_network = mv.network.forward, mv.network.cost, mv.network.jacobian
    forward, cost, jacobian = (partial(f, activation=activation) for f in of_network)
    steps, many = require.whole("steps", config.steps, least=1), require.whole("seeds", config.seeds, least=1)
    require.port("port", config.port)
    sizes = (1, *(require.whole("hidden", width, least=1) for width in config.hidden), 2)
    row = np.dtype(config.precision).itemsize * sum(o * (i + 1) for i, o in pairwise(sizes)) * many
    rows = min(ROWS, ROOM // row, max(COSTS // many, FEW))
    if rows < FEW:
        raise ValueError(
            f"a row of the history takes {row / 2**30:.2g} GiB, and {FEW} of them may take {ROOM / 2**30:g}; "
            "ask for fewer `seeds`, or fewer or narrower `hidden` layers"
        )
    seeds = range(require.whole("seed", config.seed, least=0), config.seed + many)
    if seeds.stop > 2**31:
        raise ValueError(f"`seed` must be at most {2**31 - many}; got {config.seed}")
    starts = [mv.network.init(np.random.default_rng(seed), sizes) for seed in seeds]
    stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *starts)
    data = target.t.astype(config.precision), target.points.astype(config.precision)
    options = {
        "cost": cost,
        "data": data,
        "key": keys(seeds),
        "steps": steps,
        "batch_size": config.batch_size,
        "record_every": max(steps // rows, 1),
        "chunk": max(
            min(CHUNK, PRODUCTS // (many * mv.network.multiplications(starts[0], config.samples))), 1
        ),
        "ensemble": many > 1,
    }
    forward = jax.jit(
        jax.vmap(forward, in_axes=(0, None)), compiler_options=quickly()
    )  # it runs once or twice
    return Task(target, starts[0] if many == 1 else stacked, forward, cost, jacobian, options)


def keys(seeds: range) -> Any:
    """`jax.random.key` of a seed, or of each of many, on the host: JAX would compile two programs for it."""
    halves = np.array([(0, seed) for seed in seeds], np.uint32)  # of 64 bits
    of_all = jax.device_put(halves if len(seeds) > 1 else halves[0])
    return jax.random.wrap_key_data(of_all, impl="threefry2x32")


def runners(config: Any) -> dict[str, Runner]:
    """The one that was asked for, and then its rivals: first steepest descent by hand and without noise."""
    asked, rates = config.optimizer, dict(RATES)
    require.one_of("optimizer", asked, mv.descent.RULES)
    if config.learning_rate is not None:
        same = ("steepest", "sgd") if asked in ("steepest", "sgd") else (asked,)
        rates.update(dict.fromkeys(same, config.learning_rate))
    require.number("noise", config.noise)
    # An array, so that steepest descent with and without noise is one compiled loop.
    noise = np.asarray(config.noise) if config.noise else 0.0
    rule = mv.descent.rule(asked, rates[asked])
    found = {label(asked, config.noise): Runner(rule, rates[asked], noise, asked == "lbfgs")}
    rivals = ("steepest", *config.race) if config.race and config.seeds == 1 else ()
    silent = np.zeros(()) if config.noise else 0.0
    for name in rivals:
        rule, none = mv.descent.rule(name, rates.get(name)), silent if name == "steepest" else 0.0
        found.setdefault(label(name, 0), Runner(rule, rates[name], none, name == "lbfgs"))
    return found


def label(name: str, noise: float) -> str:
    who = "by hand" if name == "steepest" else f"optax {name}"
    return f"{who}, noise {noise:g}" if noise else who


def so_far(task: Task, runner: Runner, run: Path | None) -> mv.Result | None:
    """How far a run has come that is to be resumed."""
    if run is None or not (path := run / "checkpoint.npz").exists():
        return None
    start = mv.descent.begin(runner.rule, task.params, cost=task.cost, ensemble=task.options["ensemble"])
    return mv.runs.load_arrays(path, like=start)


def descent(config: Any, task: Task, runner: Runner, resume: mv.Result | None) -> mv.descent.Stream:
    """The first runner's descent, checked and not yet begun; in short chunks if it is to be seen."""
    chunk = task.options["chunk"]
    return task.chunks(
        runner, resume=resume, chunk=max(min(chunk, config.steps // 100), 1) if config.live else chunk
    )


def train(config: Any, task: Task, stream: mv.descent.Stream, begun: int, run: Path) -> mv.Result:
    """Run a descent with a progress bar, checkpoints, and a live picture if one was asked for."""
    watch = [mv.runs.checkpoints(run / "checkpoint.npz"), mv.descent.progress_bar(config.steps, begun)]
    if config.live:
        page = {"port": config.port, "browser": config.browser}
        screen = mv.plots.live.Screen("mvcalc: a network learns to draw", (5, 5), **page)
        watch.append(mv.plots.live.drawing_on(screen, task.target, task.attempt))
    result = mv.descent.collect(stream, watch)
    mv.runs.save_arrays(run / "params.npz", result.params)
    return result


def history(task: Task, result: mv.Result) -> tuple[np.ndarray, list[str]]:
    """What a network drew at each row of its trace, and a caption for each."""
    rows = zip(result.trace.step.tolist(), result.trace.cost.tolist(), strict=True)
    return task.attempts(result.trace.params), [mv.plots.curve.how_far(*row) for row in rows]


def picture(task: Task, attempts: np.ndarray, captions: list[str], run: Path) -> None:
    """The picture of the course."""
    mv.plots.save(mv.plots.curve.drawing(task.target, attempts, captions[-1]), run / "drawing.png")


def animation(task: Task, attempts: np.ndarray, captions: list[str], run: Path) -> None:
    """The same, unfolding."""
    mv.plots.curve.animate(run / "drawing.gif", task.target, attempts, captions)


def picture_of_many(task: Task, result: mv.Result, seed: int, run: Path) -> None:
    """All drawings, four of them by themselves from the best to the worst, and how the costs spread."""
    order = np.argsort(result.cost)  # NaN, a member that failed, sorts last
    ranks = {
        "best": 0,
        "median": len(order) // 2,
        "upper quartile": 3 * len(order) // 4,
        "worst": len(order) - 1,
    }
    shown = {
        f"{rank}: seed {seed + order[k]}, {result.cost[order[k]]:.1e}": int(order[k])
        for rank, k in ranks.items()
    }
    drawn = mv.plots.curve.drawings(task.target, task.attempts(result.params), result.cost, shown)
    mv.plots.save(drawn, run / "drawing.png")
