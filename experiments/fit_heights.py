"""How tall are people? A Gaussian fitted to a histogram of heights by steepest descent.

    python -m experiments.fit_heights
    python -m experiments.fit_heights --data mine.csv --learning-rate 30

Follows χ² downhill through (μ, σ) by its hand-written Jacobian, beside optax.sgd and the exact optimum, and
shows what the learning rate does: too small, right, at the limit of stability, too large. From (155, 6) at
rate 2000 the course's 50 steps end at (178.519824, 7.549908) with χ² = 4.39245e-4. Takes about 5 s.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import mvcalc_jax as mv
from mvcalc_jax import command

COURSE_START, COURSE_RATE = (155.0, 6.0), 2000.0
AWAY = -3.1, 0.8
"""Other data start where the course does: so many standard deviations from the mean, and so many wide."""
SHARE = 0.4
"""And go as fast: at this share of the largest rate that is stable at the optimum."""


@dataclass(frozen=True)
class Config:
    """Fit a Gaussian to heights by steepest descent. With --debug, errors show where."""

    data: str = "course"
    """course, galton, galton-men, galton-women, macdonell; or a .csv file of raw values, or of bins and counts."""
    bin_width: float | None = None
    """For raw values; chosen from them unless given."""
    start: tuple[float, float] | None = None
    """The first μ and σ; three deviations below the mean unless given."""
    learning_rate: float | None = None
    """The course's "aggression"; 0.4 of the largest stable rate unless given."""
    steps: int = 50
    """Steps of the descent."""
    device: str = "auto"
    """auto, cpu or gpu."""
    out: Path = Path("runs")
    """Where run directories are made."""


class Task(NamedTuple):
    """What is fitted, from where and how fast, and where a perfect fit would end."""

    histogram: mv.data.Histogram
    start: np.ndarray
    rate: float
    optimum: np.ndarray
    limit: float

    @property
    def data(self) -> tuple[np.ndarray, np.ndarray]:
        return self.histogram.centres, self.histogram.density

    def descend(self, rule: Any, steps: int) -> mv.Result:
        jacobian, cost = mv.gaussian.chi_squared_jacobian, mv.gaussian.chi_squared
        return mv.descent.descend(rule, jacobian, self.start, cost=cost, data=self.data, steps=steps)


def main(config: Config) -> int:
    with mv.devices.computing(config.device, "float64") as device:
        task = pose(config)
        by_hand = task.descend(mv.descent.steepest(task.rate), config.steps)
        sgd = task.descend(mv.descent.rule("sgd", task.rate), config.steps)
        run = mv.runs.create("fit_heights", config, 0, device, config.out)
        save(config, task, by_hand, run)
        report(config, task, by_hand, sgd, run)
    return command.exit_code(by_hand.status)


def pose(config: Config) -> Task:
    """The task that the settings describe. Whatever does not fit is said here, before any work."""
    import jax

    histogram = mv.data.histogram(config.data, config.bin_width).padded(6.0)
    data = histogram.centres, histogram.density
    hessian = jax.jit(mv.autodiff.hessian(mv.gaussian.chi_squared))
    moments = np.array([histogram.mean, histogram.stddev])
    newton = mv.descent.newton(lambda theta: hessian(theta, *data))
    best = mv.descent.descend(newton, mv.gaussian.chi_squared_jacobian, moments, data=data, steps=30)
    curvature = np.linalg.eigvalsh(hessian(best.params, *data))
    if best.status is not mv.Status.FINISHED or not curvature[0] > 0:
        raise ValueError(
            f"{config.data} has no minimum of χ² near its mean and deviation; is it one bell at all?"
        )
    limit = 2 / float(curvature[-1])
    course = config.data == "course"
    start = COURSE_START if course else (moments[0] + AWAY[0] * moments[1], AWAY[1] * moments[1])
    rate = COURSE_RATE if course else SHARE * limit
    start = np.array(start if config.start is None else config.start, float)
    mv.require.finite("start", start)
    mv.require.positive("start's sigma", start[1])
    rate = rate if config.learning_rate is None else config.learning_rate
    return Task(histogram, start, rate, np.asarray(best.params), limit)


def save(config: Config, task: Task, result: mv.Result, run: Path) -> None:
    """Numbers and pictures."""
    import jax

    theta, (mu, sigma) = result.trace.params, (task.histogram.mean, task.histogram.stddev)
    mv.runs.save_arrays(run / "params.npz", result.params)
    columns = {
        "step": result.trace.step,
        "mu": theta[:, 0],
        "sigma": theta[:, 1],
        "chi_squared": result.trace.cost,
    }
    mv.runs.write_metrics(run / "metrics.csv", columns)

    rates = {
        "too small": 0.04,
        f"{task.rate / task.limit:.2g} of the limit": task.rate / task.limit,
        "at the limit": 1,
        "too large": 2,
    }
    at_once = jax.vmap(lambda rate: task.descend(mv.descent.steepest(rate), config.steps))
    swept = jax.jit(at_once)(np.array(list(rates.values())) * task.limit)
    lowest = mv.gaussian.chi_squared(task.optimum, *task.data)
    paths = dict(zip(rates, np.asarray(swept.trace.params), strict=True))
    excess = dict(zip(rates, np.asarray(swept.trace.cost - lowest), strict=True))

    corners = (mu - 3.8 * sigma, mu + 2.85 * sigma, 0.26 * sigma, 4.6 * sigma)
    left, right, low, high = (float(f"{corner:.2g}") for corner in corners)
    grid = np.linspace(left, right, 120), np.linspace(low, high, 120)
    over = jax.jit(
        jax.vmap(jax.vmap(lambda m, s: mv.gaussian.chi_squared(jax.numpy.stack([m, s]), *task.data)))
    )
    landscape = mv.plots.heights.Landscape(*grid, np.asarray(over(*np.meshgrid(*grid))))
    name = f"{task.histogram.title} / {task.histogram.unit}" if task.histogram.unit else task.histogram.title
    bins = mv.plots.heights.Bins(name, task.histogram.centres, task.histogram.widths, task.histogram.density)
    window = min(mu - 4 * sigma, task.start[0] - 2 * task.start[1]), mu + 4.5 * sigma
    density = jax.jit(mv.gaussian.density)
    with mv.plots.style():
        picture = mv.plots.heights
        mv.plots.save(picture.before_and_after(bins, density, theta, window), run / "histogram.png")
        mv.plots.save(picture.descent_on(landscape, theta, task.optimum), run / "contours.png")
        mv.plots.save(picture.by_learning_rate(landscape, paths, excess), run / "learning_rate.png")
        picture.animate(run / "descent.gif", bins, density, landscape, theta, window)


def report(config: Config, task: Task, by_hand: mv.Result, sgd: mv.Result, run: Path) -> None:
    """What came of it, on the screen and in report.md."""
    rows = [("", "μ", "σ", "χ²")]
    lowest = float(mv.gaussian.chi_squared(task.optimum, *task.data))
    for who, theta, cost in (
        ("start", task.start, by_hand.trace.cost[0]),
        (f"by hand, {by_hand.steps} steps", by_hand.params, by_hand.cost),
        (f"optax sgd, {sgd.steps} steps", sgd.params, sgd.cost),
        ("exact optimum", task.optimum, lowest),
    ):
        rows.append((who, f"{theta[0]:.8g}", f"{theta[1]:.8g}", f"{cost:.8g}"))
    apart = float(np.abs(np.asarray(by_hand.params) - np.asarray(sgd.params)).max())
    title = f"{task.histogram.title}, fitted by steepest descent"
    lines = [f"learning rate {task.rate:g}, stable below {task.limit:.5g} at the optimum; {by_hand.message}"]
    lines.append(
        f"by hand and optax sgd differ by {apart:.1e}"
        if apart
        else "by hand and optax sgd agree to the last bit"
    )
    text = [f"# {title}", *lines, mv.text.markdown(rows), "![before and after](histogram.png)"]
    text += ["![the way there](contours.png)", "![what the learning rate does](learning_rate.png)"]
    text += ["![the descent](descent.gif)", f"Data: {task.histogram.source}."]
    mv.atomic.write_text(run / "report.md", "\n\n".join(text) + "\n")
    print("\n".join([title, *lines, mv.text.columns(rows)]))
    print(f"wrote {run}: report.md, histogram.png, contours.png, learning_rate.png, descent.gif")
    print("next: python -m experiments.fit_heights --data galton")


if __name__ == "__main__":
    sys.exit(command.run(main, Config, prog="python -m experiments.fit_heights"))
