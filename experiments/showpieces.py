"""The pictures that the README has to itself: no experiment draws them, though all are made of what experiments use.

hero     derivatives by hand, each proved, and the heart that they draw
mistake  a Jacobian by hand, by autodiff, and where they differ
fits     a hundred thousand fits, and whether their error bars are right
proven   a band, and learning rates that are proven to go down
answers  critical points, basins of roots, and a slope as good as can be told
speed    a step of training in every way, as it was measured last
"""

import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from scipy.stats import t as student

import mvcalc_jax as mv
from benchmarks.harness import Timing, spoken
from experiments import draw_curve, drawing, rise_over_run, stepping
from mvcalc_jax.plots import check, critical, curve, gif, matrices, newton, surface
from mvcalc_jax.plots.style import BLUE, GOLD, GREEN, INK, QUIET, RED, VIOLET

MEASURED = Path(__file__).parent.parent / "benchmarks" / "measured" / "results.json"
HERO = draw_curve.Config(seed=21)
"""Of the first 24 seeds the one that draws best."""
WAYS = {
    "JAX eager, by hand": "JAX, operation by operation",
    "NumPy, the exercise": "NumPy, as in the exercise",
    "PyTorch eager, by hand": "PyTorch, eager",
    "torch.compile, by hand": "PyTorch, compiled",
    "NumPy, sharing a pass": "NumPy, one pass forward, one back",
    "compiled step, by hand": "JAX, compiled step",
    "compiled loop, jax.grad, optax.sgd": "JAX, compiled loop, jax.grad, optax",
    "compiled loop, the package": "mvcalc-jax, by hand",
    "… as one kernel": "mvcalc-jax, as one kernel",
    "C, one core": "C, vectorised",
}
"""What is drawn of `benchmarks.training`, as it is called there and here."""
SIZE = 9, 2.9
"""Inches of a strip, as wide as the README and not tall."""
SOME = 200
"""Fits that are drawn."""
BACKWARD = (
    ("dz³ = 2/N (a³ − y) ⊙ σ′(z³)", None),
    ("dW³ = dz³ a²ᵀ", 4),
    ("db³ = Σ dz³", 5),
    ("dz² = W³ᵀ dz³ ⊙ σ′(z²)", None),
    ("dW² = dz² a¹ᵀ", 2),
    ("db² = Σ dz²", 3),
    ("dz¹ = W²ᵀ dz² ⊙ σ′(z¹)", None),
    ("dW¹ = dz¹ xᵀ", 0),
    ("db¹ = Σ dz¹", 1),
)
"""What `network.jacobian` does, line by line, and which leaf of the report each line is."""


def strip(*widths: float) -> tuple[Figure, Sequence[Axes]]:
    """A figure as wide as the README and not tall, with panels of these widths side by side."""
    figure = Figure(figsize=SIZE, layout="constrained")
    axes = figure.subplots(1, len(widths), width_ratios=widths, squeeze=False)[0]
    return figure, axes


def hero(steps: int = HERO.steps) -> list[Image.Image]:
    """The lines, then a mark at each derivative that is right, then what they draw and what it costs."""
    config = replace(HERO, steps=steps)
    with mv.devices.computing("cpu", config.precision):
        task = drawing.pose(config)
        report = task.prove(config.seed)
        report.require_correct()
        runner = next(iter(drawing.runners(config).values()))
        result = mv.descent.collect(task.chunks(runner))
        attempts = task.attempts(result.trace.params)
    return list(_frames(task.target, report, attempts, result.trace))


def _frames(target: Any, report: mv.Report, attempts: np.ndarray, trace: Any) -> Iterator[Image.Image]:
    figure = Figure(figsize=(8.6, 4.4), dpi=100)
    canvas = FigureCanvasAgg(figure)
    sheet = curve.paper(figure, shaded=False)
    sheet.set_position((0, 0, 440 / 860, 1))
    curve.draw_target(sheet, target)
    written = figure.add_axes((0.53, 0.4, 0.445, 0.56))
    written.set(xlim=(0, 1), ylim=(len(BACKWARD) + 0.6, -1.2))
    written.axis("off")
    words = {"fontsize": 11.5, "va": "center"}
    written.text(0, -0.7, "the chain rule, by hand", weight="bold", **words)
    written.text(1, -0.7, "off autodiff by", weight="bold", ha="right", **words)
    for row, (formula, _) in enumerate(BACKWARD):
        written.text(0, row + 0.5, formula, family="monospace", **words)
    yield _taken(canvas)
    for row, (_, leaf) in enumerate(BACKWARD):
        if leaf is not None:
            written.text(0.78, row + 0.5, "✓", color=GREEN, weight="bold", **words)
            error = f"{report.leaves[leaf].error:.0e}"
            written.text(1, row + 0.5, error, color=GREEN, family="monospace", ha="right", **words)
            yield _taken(canvas)
    last, low, high = int(trace.step[-1]), float(trace.cost.min()), float(trace.cost.max())
    falling = figure.add_axes((0.59, 0.12, 0.385, 0.25), facecolor="none")
    falling.set(yscale="log", xlim=(0, last), ylim=(low / 1.6, high * 1.6), ylabel="cost")
    ticks = falling.set_xticks([0, last], ["0", f"{mv.text.count(last)} steps"])
    ticks[-1].label1.set_horizontalalignment("right")
    falling.tick_params(labelsize=9)
    (cost,) = falling.plot([], [], color=BLUE, linewidth=1.2)
    (dot,) = falling.plot([], [], "o", color=RED, markersize=5, clip_on=False)
    attempt, caption = curve.draw_attempt(sheet, attempts[0]), curve.draw_caption(sheet)
    for row in gif.frames(len(attempts)):
        step, value = int(trace.step[row]), float(trace.cost[row])
        sheet.plot(*attempts[row], color=RED, alpha=0.16, linewidth=0.8, zorder=1)
        attempt.set_data(*attempts[row])
        caption.set_text(curve.how_far(step, value))
        cost.set_data(trace.step[: row + 1], trace.cost[: row + 1])
        dot.set_data([step], [value])
        yield _taken(canvas)


def _taken(canvas: FigureCanvasAgg) -> Image.Image:
    canvas.draw()
    return gif.taken(canvas)


def mistake() -> Figure:
    """A layer norm's backward pass that forgets that the spread depends on x, too: the README's mistake."""

    def norm(x: Any) -> Any:
        return (x - x.mean(-1, keepdims=True)) / x.std(-1, keepdims=True)

    def backward(x: Any, g: Any) -> Any:
        return ((g - g.mean(-1, keepdims=True)) / x.std(-1, keepdims=True),)

    x = np.random.default_rng(0).standard_normal((3, 6))
    report = mv.check_vjp(norm, lambda x: (norm(x), x), backward, x)
    (found,), taylor = report.compared, report.slope
    assert taylor is not None
    figure = Figure(figsize=SIZE)
    *panels, right = (
        figure.add_axes((left, 0.17, width, 0.68))
        for left, width in ((0.05, 0.2), (0.275, 0.2), (0.5, 0.2), (0.785, 0.17))
    )
    bars = [figure.add_axes((0, 0, 0.1, 0.1)) for _ in range(2)]
    matrices.draw_comparison(panels, bars, found.by_hand, found.autodiff, 1e-9)
    for bar in bars:
        bar.remove()
    check.draw_remainder(right, taylor)
    if legend := right.get_legend():
        legend.remove()
    right.set_title("Taylor remainder by step", fontsize=10, fontweight="normal", pad=4)
    beside: dict[str, Any] = {"textcoords": "offset points"}
    hand, exact = (taylor.steps[11], taylor.by_hand[11]), (taylor.steps[8], taylor.autodiff[8])
    right.annotate("by hand", hand, (0, -24), color=VIOLET, ha="center", **beside)
    right.annotate("autodiff", exact, (-8, -8), color=INK, ha="right", **beside)
    return figure


def fits(curves: int = 100_000) -> Figure:
    """The README's fits: some of them, and how far all are from the truth, in their own standard errors."""
    rng, x = np.random.default_rng(0), np.linspace(-4, 4, 32)
    y = 3 * np.exp(-((x - 0.5) ** 2) / 2) + 0.1 * rng.normal(size=(curves, 32))
    found = mv.fit_gaussian(x, y)
    off = (found.params - np.array([3.0, 0.5, 1.0])) / found.stderr
    figure, (left, middle, right) = strip(1, 1.1, 1.15)
    fine = np.linspace(-4, 4, 161)
    left.plot(x, y[:SOME].T, ".", color=BLUE, markersize=2.5, alpha=0.15)
    left.plot(fine, np.transpose(found[:SOME].predict(fine)), color=RED, linewidth=0.6, alpha=0.1)
    left.set(title=f"{SOME} of {mv.text.count(curves)} fits", xlabel="x", ylabel="y")
    reach = 4.2
    for k, colour in enumerate((BLUE, GOLD, GREEN)):
        look: dict[str, Any] = {
            "histtype": "step",
            "color": colour,
            "linewidth": 1.4,
            "label": found.names[k],
        }
        middle.hist(off[:, k], bins=60, range=(-reach, reach), density=True, **look)
    t = np.linspace(-reach, reach, 201)
    dashes: dict[str, Any] = {
        "color": INK,
        "linewidth": 1.3,
        "linestyle": (0, (3, 2)),
        "label": "Student's t",
    }
    middle.plot(t, student.pdf(t, int(found.dof[0])), **dashes)
    middle.set(title="error / standard error", yticks=[], ylim=(0, 0.58))
    middle.legend(fontsize=8.5, ncols=2, loc="upper center")
    hostile = (np.exp(x), np.ones_like(x), np.where(np.arange(32) == 9, np.nan, y[0]))
    for place, none in zip((2, 1, 0), hostile, strict=True):
        high = place + 0.62 * none / np.nanmax(none)
        right.plot(np.linspace(0, 1, 32), high, ".-", color=BLUE, markersize=3, linewidth=0.8)
        said = mv.fit_gaussian(x, none).message.partition(";")[0]
        right.text(1.12, place + 0.33, textwrap.fill(said, 24), va="center", fontsize=9)
    right.set(title="and where there is none", xlim=(-0.05, 2.75), ylim=(-0.2, 3))
    right.axis("off")
    return figure


def proven() -> Figure:
    """The README's band; and on the course's heights rates that are proven, beside the largest that there are."""
    e = mv.taylor_enclosure(lambda x: x / (1 + x * x), 0.5, 0.5, order=2)
    x = np.linspace(0, 1, 201)
    band = e.band(x)
    figure, (left, middle, right) = strip(1, 1, 1)
    p = 0.4 + 0.48 * (x - 0.5)
    left.fill_between(x, band.lo - p, band.hi - p, color=BLUE, alpha=0.35, linewidth=0, label="proven band")
    left.axhline(0, color=QUIET, linewidth=1.4, linestyle=(0, (4, 2)))
    left.plot(x, x / (1 + x * x) - p, color=INK, linewidth=2, label="x/(1 + x²)")
    left.set(title="less the Taylor polynomial", xlabel="x")
    left.legend(fontsize=9, loc="lower center")
    task = stepping.heights((2000.0, 10000.0))
    walks = [stepping.walk(task, 40, rate, 0) for rate in (None, *task.rates)]
    room = stepping.room(task, walks[0], 20)
    for walk, colour in zip(walks, (RED, BLUE, GOLD), strict=True):
        middle.plot(walk.cost, color=colour, linewidth=1.8 if walk is walks[0] else 1.2, label=walk.label)
    middle.set(title="proven steps only go down", yscale="log", xlabel="step", xlim=(0, 40), ylabel="cost")
    middle.legend(fontsize=9, loc="upper right")
    rate = np.where(walks[0].rate > 0, walks[0].rate, np.nan)
    right.plot(rate, "o", color=RED, markersize=3.5, label="proven")
    right.plot(
        room.step,
        room.largest,
        "o",
        color=INK,
        markersize=7,
        fillstyle="none",
        label="largest that goes down",
    )
    right.set(title="proven learning rates", yscale="log", xlabel="step", xlim=(-1, 40), ylim=(300, 2e5))
    right.legend(fontsize=9, loc="lower right")
    return figure


def answers() -> Figure:
    """Himmelblau's nine critical points, the basins of z³ − 1, and slopes with their error bars."""
    figure, (left, middle, right) = strip(1.05, 0.9, 1.2)
    box = np.array([(-6.0, 6.0), (-6.0, 6.0)])
    himmelblau = mv.calculus.SURFACES["himmelblau"]
    found = mv.critical_points(himmelblau.f, box)
    surface.draw_even_contours(left, surface.sampled(lambda x, y: himmelblau.f((x, y)), box, 161))
    critical.draw_points(left, found, 0.07)
    left.set(title="∇f = 0: nine points", xticks=[-5, 0, 5], yticks=[-5, 0, 5])
    plane = mv.calculus.basins(lambda z: z**3 - 1, ((-2, 2), (-2, 2)), points=600)
    newton.draw_basins(middle, plane.box, newton.shaded(plane.label, plane.steps), plane.roots)
    middle.set(title="z³ = 1: the way to a root", xticks=[-2, 0, 2], yticks=[-2, 0, 2])
    case = mv.calculus.SLOPE_EXAMPLES[rise_over_run.Config().function]
    exact, by, vee = rise_over_run.measure(case, np.asarray(case.at))
    slope = by["ridders"]
    for kind, colour in (("forward", GOLD), ("central", BLUE)):
        error = np.maximum(vee.measured[kind], abs(exact) * 1e-17)
        right.plot(
            vee.bounds[kind].step, error, "o", color=colour, markersize=2.5, label=f"{kind} difference"
        )
    right.axhspan(1e-17, float(slope.error), color=RED, alpha=0.15, linewidth=0)
    right.axhline(abs(float(slope.value) - exact), color=RED, linewidth=1.4, label="derivative, ± shaded")
    right.set(title="error of a slope, by step", xscale="log", yscale="log", xlabel="h", ylim=(1e-17, 1e9))
    right.legend(fontsize=8.5, loc="upper right")
    return figure


def speed() -> Figure:
    """Seconds of a step of training, as they were measured last, and how many times as fast as the exercise."""
    section = json.loads(MEASURED.read_text(encoding="utf-8"))["sections"]["training"]
    of = section["numbers"]["seconds of a step"]
    timings = {
        WAYS[name]: Timing(one["first"], tuple(one["rounds"])) for name, one in of.items() if name in WAYS
    }
    exercise = timings[WAYS["NumPy, the exercise"]]
    timings = dict(sorted(timings.items(), key=lambda item: -item[1].typical))
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    ax = figure.subplots()
    for place, (label, timing) in enumerate(timings.items()):
        ours, value = label.startswith("mvcalc-jax"), timing.typical
        colour, size, weight = (RED, 9, "bold") if ours else (QUIET, 7, "normal")
        ax.plot([1e-9, value], [place, place], color=colour, linewidth=1.2, alpha=0.6)
        ax.plot(value, place, "o", color=colour, markersize=size)
        said = f"{spoken(value)}   {exercise.over(timing):.3g} ×"
        ax.annotate(said, (value, place), (10, 0), textcoords="offset points", va="center", weight=weight)
    fastest, slowest = (pick(of.typical for of in timings.values()) for pick in (min, max))
    ax.set_yticks(range(len(timings)), list(timings))
    ax.set(ylim=(len(timings) - 0.5, -0.6), xlim=(fastest / 2, slowest * 6))
    ax.set(xscale="log", title="a step of training: time, and times as fast as the exercise")
    ax.set_xticks([1e-6, 1e-5, 1e-4, 1e-3], ["1 µs", "10 µs", "100 µs", "1 ms"])
    ax.minorticks_off()
    ax.grid(axis="y", visible=False)
    ax.tick_params(axis="y", length=0)
    machine, versions = section["setting"], section["setting"]["versions"]
    said = f"{machine['processor']}, {machine['cores']} cores, jax {versions['jax']}"
    ax.text(1, 0.02, said, transform=ax.transAxes, ha="right", color=QUIET, fontsize=9)
    return figure
