"""A network that is to draw a curve: the task, its training, and its pictures. `draw_curve` asks for them."""

import shlex
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np

import mvcalc_jax as mv
from mvcalc_jax import require

if TYPE_CHECKING:
    from experiments.draw_curve import Config

RATES = {"steepest": 7.0, "sgd": 7.0, "momentum": 0.7, "adam": 0.01, "lbfgs": 1.0}
"""Learning rates that suit the heart: the course's, and for the others what comes near it."""

ROWS = 500
"""Rows of a trace, however many steps: enough for a history that fades smoothly."""

CHUNK, PRODUCTS = 10_000, 2 * 10**9
"""Steps in a chunk, and multiplications, at most: a fraction of a second of work, so that Ctrl-C is soon heard."""


class Runner(NamedTuple):
    """One who takes part in the race: a rule, its learning rate, and the noise on its Jacobian."""

    rule: mv.descent.Rule
    rate: float
    noise: float | np.ndarray


class Task(NamedTuple):
    """What to descend, from where, and who does it: first the runner asked for, then its rivals."""

    target: mv.data.Curve
    params: Any
    forward: Callable[..., Any]
    """Of many networks at once, compiled."""
    cost: Callable[..., Any]
    jacobian: Callable[..., Any]
    runners: dict[str, Runner]
    options: dict[str, Any]

    def chunks(self, who: str, **options: Any) -> mv.descent.Stream:
        """One runner's descent, looked at and not yet begun."""
        rule, _, noise = self.runners[who]
        return mv.descent.chunks(rule, self.jacobian, self.params, noise=noise, **self.options | options)

    def prove(self, seed: int) -> mv.Report:
        """The hand-written Jacobian against autodiff, where the (first) network starts."""
        params = jax.tree.map(lambda p: p[0], self.params) if self.options["ensemble"] else self.params
        return mv.check_jacobian(self.cost, self.jacobian, params, *self.options["data"], seed=seed)

    def attempts(self, params: Any) -> np.ndarray:
        """What networks draw, (rows, 2, k), at twice as many points as the target has."""
        t = self.target.t[0]
        fine = np.linspace(t[0], t[-1], 2 * t.size - 1)[None]
        return np.asarray(self.forward(params, fine))


def pose(config: "Config") -> Task:
    """The task that the settings describe. Whatever does not fit is said here, before any work."""
    target = mv.data.curve(config.curve, config.samples)
    activation = (*[config.activation] * len(config.hidden), config.output_activation)
    of_network = mv.network.forward, mv.network.cost, mv.network.jacobian
    forward, cost, jacobian = (partial(f, activation=activation) for f in of_network)
    params, key = _members(config)
    steps = require.whole("steps", config.steps, least=1)
    one = jax.tree.map(lambda p: p[0], params) if config.seeds > 1 else params
    products = config.seeds * mv.network.multiplications(one, config.samples)
    options = {
        "cost": cost,
        "data": (target.t, target.points),
        "key": key,
        "steps": steps,
        "batch_size": config.batch_size,
        "record_every": max(steps // ROWS, 1),
        "chunk": max(min(CHUNK, PRODUCTS // products), 1),
        "ensemble": config.seeds > 1,
    }
    forward = jax.jit(jax.vmap(forward, in_axes=(0, None)))
    task = Task(target, params, forward, cost, jacobian, _runners(config), options)
    task.chunks(next(iter(task.runners)))
    return task


def _members(config: "Config") -> tuple[Any, Any]:
    """The first parameters and the key of each network; the k-th of many has those of seed + k alone."""
    first, many = require.whole("seed", config.seed, least=0), require.whole("seeds", config.seeds, least=1)
    if first + many >= 2**31:
        raise ValueError(f"`seed` must be below 2**31; got {first}")

    sizes = (1, *config.hidden, 2)
    starts = [mv.network.init(np.random.default_rng(seed), sizes) for seed in range(first, first + many)]
    if many == 1:
        return starts[0], jax.random.key(first)
    keys = jax.vmap(jax.random.key)(np.arange(first, first + many))
    return jax.tree.map(lambda *leaves: np.stack(leaves), *starts), keys


def _runners(config: "Config") -> dict[str, Runner]:
    asked, rates = config.optimizer, dict(RATES)
    require.one_of("optimizer", asked, mv.descent.RULES)
    if config.learning_rate is not None:
        same = ("steepest", "sgd") if asked in ("steepest", "sgd") else (asked,)
        rates.update(dict.fromkeys(same, config.learning_rate))
    # An array, so that steepest descent with and without noise is one compiled loop.
    noise = np.asarray(config.noise) if config.noise else 0.0
    runners = {_label(asked, config.noise): Runner(mv.descent.rule(asked, rates[asked]), rates[asked], noise)}
    for name in ("steepest", *config.race) if config.race else ():
        rule, none = mv.descent.rule(name, rates.get(name)), 0 * noise if name == "steepest" else 0.0
        runners.setdefault(_label(name, 0), Runner(rule, rates[name], none))
    return runners


def _label(name: str, noise: float) -> str:
    return ("by hand" if name == "steepest" else f"optax {name}") + (f", noise {noise:g}" if noise else "")


def train(config: "Config", task: Task, run: Path) -> mv.Result:
    """Run the first runner, with a progress bar, checkpoints, and a live picture if one was asked for."""
    path, (who, runner) = run / "checkpoint.npz", next(iter(task.runners.items()))
    options: dict[str, Any] = {}
    if path.exists():
        begun = mv.descent.begin(runner.rule, task.params, cost=task.cost, ensemble=task.options["ensemble"])
        options["resume"] = mv.runs.load_arrays(path, like=begun)
    watch = [mv.runs.checkpoints(path), mv.descent.progress_bar(config.steps)]
    if config.live:
        watch.append(_live(config, task))
        options["chunk"] = max(config.steps // 100, 1)
    result = mv.descent.collect(task.chunks(who, **options), watch)
    mv.runs.save_arrays(run / "params.npz", result.params)
    return result


def race(task: Task, who: str, watch: mv.descent.Watcher) -> mv.Result:
    """Run a rival."""
    return mv.descent.collect(task.chunks(who), [watch])


def _live(config: "Config", task: Task) -> mv.descent.Watcher:
    screen = mv.plots.live.Screen(
        "mvcalc: a network learns to draw", (5, 5), port=config.port, browser=config.browser
    )
    ax = mv.plots.curve.paper(screen.figure)
    mv.plots.curve.draw_target(ax, task.target)
    attempt, caption = (
        mv.plots.curve.draw_attempt(ax, task.target.points[:, :1]),
        mv.plots.curve.draw_caption(ax),
    )
    first = (lambda p: p[:1]) if task.options["ensemble"] else (lambda p: p[None])

    def show(part: mv.Result) -> None:
        attempt.set_data(*task.attempts(jax.tree.map(first, part.params))[0])
        caption.set_text(_caption(part.steps, float(np.median(part.cost))))

    return mv.plots.live.shown_on(screen, show)


def save_drawing(config: "Config", task: Task, result: mv.Result, run: Path) -> None:
    """The picture of the course and its animation; or of many networks the best, the median and the worst."""
    if config.seeds > 1:
        order = np.argsort(result.cost)  # NaN, a member that failed, sorts last
        ranks = {"best": order[0], "median": order[len(order) // 2], "worst": order[-1]}
        attempts = task.attempts(jax.tree.map(lambda p: p[np.array(list(ranks.values()))], result.params))
        captions = [f"{rank}: seed {config.seed + k}, cost {result.cost[k]:.2e}" for rank, k in ranks.items()]
        mv.plots.save(mv.plots.curve.drawings(task.target, attempts, captions), run / "drawing.png")
        return
    history = task.attempts(result.trace.params)
    captions = [_caption(*row) for row in zip(result.trace.step, result.trace.cost, strict=True)]
    mv.plots.save(mv.plots.curve.drawing(task.target, history, captions[-1]), run / "drawing.png")
    mv.plots.curve.animate(run / "drawing.gif", task.target, history, captions)


def save_costs(config: "Config", results: dict[str, mv.Result], run: Path) -> None:
    """How the costs fell, as a picture and as numbers."""
    figure, ax = mv.plots.descent.chart()
    if config.seeds > 1:
        (result,) = results.values()
        mv.plots.descent.draw_spread(ax, result.trace.step, result.trace.cost)
        traces = {
            f"seed {config.seed + k}": (result.trace.step, cost) for k, cost in enumerate(result.trace.cost)
        }
    else:
        traces = {who: (result.trace.step, result.trace.cost) for who, result in results.items()}
        mv.plots.descent.draw_costs(ax, traces)
    mv.plots.save(figure, run / "cost.png")
    lengths = [step.size for step, _ in traces.values()]
    columns = [np.concatenate(column) for column in zip(*traces.values(), strict=True)]
    mv.runs.write_metrics(
        run / "metrics.csv",
        {"runner": np.repeat(list(traces), lengths), "step": columns[0], "cost": columns[1]},
    )


def save_report(
    config: "Config", task: Task, results: dict[str, mv.Result], proof: mv.Report, run: Path
) -> None:
    """What came of it, in a few lines on the screen and with pictures in report.md."""
    who, result = next(iter(results.items()))
    layers = "-".join(map(str, (1, *config.hidden, 2)))
    size = sum(leaf.size for leaf in jax.tree.leaves(task.params)) // config.seeds
    title = f"{task.target.name}, drawn by a {layers} network of {size} numbers"
    ended = f"{who}: {result.message}; cost {_cost(result)}"
    agreement = _agreement(results)
    race = [("runner", "learning rate", "cost", "")]
    race += [(who, f"{task.runners[who].rate:g}", _cost(r), r.message) for who, r in results.items()]
    command = f"python -m experiments.draw_curve {shlex.join(sys.argv[1:])}"
    text = [
        f"# {title}",
        ended,
        "![the drawing](drawing.png)",
        "## The race",
        mv.text.markdown(race),
        agreement,
    ]
    text += [
        "![cost by step](cost.png)",
        "## The proof",
        f"```\n{proof}\n```",
        f"## Again\n\n```\n{command}\n```",
    ]
    mv.atomic.write_text(run / "report.md", "\n\n".join(filter(None, text)) + "\n")

    files = ["report.md", "drawing.png", "cost.png"] + ([] if config.seeds > 1 else ["drawing.gif"])
    said = [
        "",
        title,
        ended,
        "",
        str(proof),
        "",
        mv.text.columns(race),
        agreement,
        f"wrote {run}: {', '.join(files)}",
    ]
    print("\n".join(said))
    if result.status is mv.Status.INTERRUPTED:
        print(f"go on with: python -m experiments.draw_curve --resume {run}")
    else:
        print("next: python -m experiments.draw_curve --curve butterfly --hidden 30 30 --live")


def _cost(result: mv.Result) -> str:
    """The cost, or the quartiles of the costs of many."""
    if np.ndim(result.cost) == 0:
        return f"{result.cost:.3g}"
    low, middle, high = np.nanquantile(result.cost, [0.25, 0.5, 0.75])
    return f"{middle:.2e} in the middle, half between {low:.2e} and {high:.2e}"


def _agreement(results: dict[str, mv.Result]) -> str:
    """How far apart steepest descent by hand and optax.sgd end, both without noise."""
    if not {"by hand", "optax sgd"} <= set(results):
        return ""
    ours, theirs = (jax.tree.leaves(results[who].params) for who in ("by hand", "optax sgd"))
    apart = max(float(np.abs(np.asarray(p) - np.asarray(q)).max()) for p, q in zip(ours, theirs, strict=True))
    how = "agree to the last bit" if apart == 0 else f"differ by at most {apart:.1e}"
    return f"without noise, by hand and optax sgd {how} after {results['by hand'].steps} steps"


def _caption(step: int, cost: float) -> str:
    return f"step {mv.text.count(int(step))}   cost {cost:.2g}"
