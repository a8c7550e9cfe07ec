"""How tall are people? A Gaussian fitted to a histogram of heights by steepest descent.

    python -m experiments.fit_heights
    python -m experiments.fit_heights --data mine.csv --learning-rate 30

Follows χ² downhill through (μ, σ) by its hand-written Jacobian, beside optax.sgd and the exact optimum, and
shows what the learning rate does: too small, right, at the limit of stability, too large. From (155, 6) at
rate 2000 the course's 50 steps end at (178.519824, 7.549908) with χ² = 4.39245e-4. Then the same by Gauss–Newton,
Newton and Levenberg–Marquardt, in a dozen; how well μ and σ are known; and what another estimator than χ² at the bins'
middles would have made of the same bins, and of wider ones. Takes about 20 s.
"""

from __future__ import annotations  # not evaluated, so that --help need not wait for JAX

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np

import mvcalc_jax as mv
from mvcalc_jax import command, options

PROG = command.called("fit_heights")
COURSE_START, COURSE_RATE = (155.0, 6.0), 2000.0
AWAY, WIDE = -3.1, 0.8
"""Other data start, as the course does, this many standard deviations from the mean, with σ this many wide."""
SHARE = 0.4
"""Their learning rate, as a share of the stability limit: about the course's share."""
MOST = 10**6
"""Steps; every one is drawn and written."""


@dataclass(frozen=True)
class Config:
    """Fit a Gaussian to heights by steepest descent."""

    data: Annotated[str, options.HISTOGRAM] = "course"
    bin_width: float | None = None
    """For raw values; chosen from them unless given."""
    start: tuple[float, float] | None = None
    """Initial μ and σ; unless given, as far from the data as the course starts."""
    learning_rate: Annotated[float | None, options.RATE] = None
    """Of heights of your own 0.4 of the largest stable one unless given, of the course's 2000."""
    steps: options.Steps = 50
    compare: bool = True
    """Leave other methods and other estimators out, and take 5 s."""
    device: options.Device = "auto"
    out: options.Out = Path("runs")


def main(config: Config) -> int:
    from experiments import estimating  # here and not above, so that --help need not wait for JAX

    with mv.devices.computing(config.device, "float64") as device:
        task = pose(config)
        by_hand = task.descend(mv.descent.steepest(task.rate), config.steps)
        sgd = task.descend(mv.descent.rule("sgd", task.rate), config.steps)
        run = mv.runs.create("fit_heights", config, 0, device, config.out)
        save_numbers(by_hand, run)
        landscape = save_pictures(config, task, by_hand, run)
        compared = estimating.compared(task, by_hand, landscape, run) if config.compare else []
        conclude(config, task, by_hand, sgd, compared, run)
    return command.exit_code(by_hand.status)


class Task(NamedTuple):
    """What is fitted, from where and how fast; the exact optimum, and the rate that is too large."""

    raw: mv.data.Histogram
    histogram: mv.data.Histogram
    data: tuple[np.ndarray, np.ndarray]
    start: np.ndarray
    rate: float
    best: mv.Result
    limit: float

    def descend(self, rule: Any, steps: int) -> mv.Result:
        return descend(rule, self.start, self.data, steps)

    def chi_squared(self, mu: np.ndarray, sigma: np.ndarray) -> Any:
        import jax
        import jax.numpy as jnp

        one = lambda mu, sigma: mv.gaussian.chi_squared(jnp.stack([mu, sigma]), *self.data)
        return jax.jit(jnp.vectorize(one))(mu, sigma)


def pose(config: Config) -> Task:
    """The task that the settings describe. Whatever does not fit is said here, before any work."""
    import jax  # here and below, and not above, so that --help need not wait for it

    mv.require.whole("steps", config.steps, least=1, most=MOST)
    raw = mv.data.histogram(config.data, config.bin_width)
    if config.start is not None:
        mv.require.finite("start", config.start)
        mv.require.positive("start's sigma", config.start[1])
    if config.learning_rate is not None:
        mv.require.positive("learning_rate", config.learning_rate)
    histogram = raw.padded(6.0)
    data = histogram.centres, histogram.density
    hessian = jax.jit(mv.autodiff.hessian(mv.gaussian.chi_squared))
    moments = np.array([histogram.mean, histogram.stddev])
    newton = mv.descent.newton(lambda theta: hessian(theta, *data))
    best = descend(newton, moments, data, steps=30)
    curvature = hessian(best.params, *data)
    if best.status is not mv.Status.FINISHED or not np.linalg.eigvalsh(curvature)[0] > 0:
        raise ValueError(
            f"{config.data} has no minimum of χ² near its mean and deviation; is it one bell at all?"
        )
    limit, course = mv.descent.stability_limit(curvature), config.data == "course"
    start = COURSE_START if course else moments[1] * np.array([AWAY, WIDE]) + [moments[0], 0]
    start = np.array(start if config.start is None else config.start, float)
    rate = COURSE_RATE if course else SHARE * limit
    rate = rate if config.learning_rate is None else config.learning_rate
    return Task(raw, histogram, data, start, rate, best, limit)


def descend(rule: Any, start: np.ndarray, data: tuple[np.ndarray, np.ndarray], steps: int) -> mv.Result:
    jacobian, cost = mv.gaussian.chi_squared_jacobian, mv.gaussian.chi_squared
    return mv.descent.descend(rule, jacobian, start, cost=cost, data=data, steps=steps)


def save_numbers(result: mv.Result, run: Path) -> None:
    theta = result.trace.params
    mv.runs.save_arrays(run / "params.npz", result.params)
    columns = {"step": result.trace.step, "mu": theta[:, 0], "sigma": theta[:, 1]}
    mv.runs.write_metrics(run, columns | {"chi_squared": result.trace.cost})


def save_pictures(config: Config, task: Task, result: mv.Result, run: Path) -> Any:
    """The fit, the way there, what the learning rate does, the descent as an animation; the contours are returned."""
    import jax

    histogram, theta, draw = task.histogram, result.trace.params, mv.plots.heights
    mean, stddev = histogram.mean, histogram.stddev
    landscape = draw.survey(task.chi_squared, mean, stddev, task.start)
    label = f"{histogram.title} / {histogram.unit}" if histogram.unit else histogram.title
    bins = draw.Bins(label, histogram.centres, histogram.widths, histogram.density)
    mu, around = task.start[0], 2 * np.clip(task.start[1], stddev / 2, stddev)
    window = min(mean - 4 * stddev, mu - around), max(mean + 4.5 * stddev, mu + around)
    density = jax.jit(mv.gaussian.density)
    with mv.plots.style():
        mv.plots.save(draw.before_and_after(bins, density, theta, window), run / "histogram.png")
        mv.plots.save(draw.descent_on(landscape, theta, np.asarray(task.best.params)), run / "contours.png")
        rates = draw.by_learning_rate(landscape, *by_learning_rate(config, task))
        mv.plots.save(rates, run / "learning_rate.png")
        draw.animate(run / "descent.gif", bins, density, landscape, theta, window)
    return landscape


def by_learning_rate(config: Config, task: Task) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Paths at four learning rates, all of them computed at once, and how far above the optimum they are."""
    import jax

    asked = task.rate / task.limit
    own = f"{asked:.2g} of the limit" if asked < 1 else f"{asked:.4g} × the limit"
    shares = {"too small": 0.04, own: asked, "at the limit": 1.0, "too large": 2.0}
    sweep = jax.jit(jax.vmap(lambda rate: task.descend(mv.descent.steepest(rate), config.steps)))
    trace = sweep(np.array(list(shares.values())) * task.limit).trace
    paths = dict(zip(shares, np.asarray(trace.params), strict=True))
    return paths, dict(zip(shares, np.asarray(trace.cost) - task.best.cost, strict=True))


def conclude(
    config: Config, task: Task, by_hand: mv.Result, sgd: mv.Result, compared: list[Any], run: Path
) -> None:
    """Say what came of it, on the screen and in report.md."""
    ends = {
        "start": (task.start, by_hand.trace.cost[0]),
        f"by hand, {by_hand.steps} steps": (by_hand.params, by_hand.cost),
        f"optax sgd, {sgd.steps} steps": (sgd.params, sgd.cost),
        "exact optimum": (task.best.params, task.best.cost),
    }
    rows = [(who, *(f"{v:.8g}" for v in (*theta, cost))) for who, (theta, cost) in ends.items()]
    above = f"χ² ends {max(float(by_hand.cost - task.best.cost), 0.0):.2g} above the optimum's"
    if task.rate > task.limit:
        above += ": a learning rate above the stability limit is too large to arrive"
    apart = mv.descent.apart(by_hand.params, sgd.params)
    how = f"differ by at most {apart:.1e}" if apart else "agree to the last bit"
    mv.runs.report(
        run,
        f"{task.histogram.title}, fitted by steepest descent",
        f"learning rate {task.rate:g}, stable below {task.limit:.5g} at the optimum; {by_hand.message}",
        [("", "μ", "σ", "χ²"), *rows],
        above,
        f"by hand and optax sgd {how}",
        mv.runs.Picture("before and after", "histogram.png"),
        mv.runs.Picture("the way there", "contours.png"),
        mv.runs.Picture("what the learning rate does", "learning_rate.png"),
        mv.runs.Picture("the descent", "descent.gif"),
        *compared,
        mv.runs.Written(
            f"Data: {task.histogram.source}.\n\n## Again\n\n```\n{command.line(PROG, config)}\n```"
        ),
        mv.runs.Next(f"{PROG} --data galton", "other people, in inches; or your own, from a .csv file"),
        mv.runs.Next(
            f"{PROG} --learning-rate 10000", "steps too large: it swings about the optimum and never settles"
        ),
    )


if __name__ == "__main__":
    command.leave(command.run(main, Config, prog=PROG))
