"""What does a regression line say, and what does it not? Anscombe's quartet, and fathers and sons.

    python -m experiments.linear_regression
    python -m experiments.linear_regression --data mine.csv --response weight

Four sets of points have the same line, y = 3.00 + 0.500 x with R² 0.67, and one of them deserves it. Sons of fathers
who are 5 inches taller than the mean are 2.6 inches taller than theirs: 33.9 ± 1.8 in + (0.514 ± 0.027) of their
father's height; and fathers of tall sons are less tall as well. Of your own columns, one is explained by the others,
with every number that the regression has to offer and the pictures that would give it away. Takes about 4 s.
"""

from __future__ import annotations  # not evaluated, so that --help need not wait for JAX

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np

import mvcalc_jax as mv
from mvcalc_jax import command, options
from mvcalc_jax.arguments import Arg, Only

PROG = command.called("linear_regression")


@dataclass(frozen=True)
class Config:
    """Fit lines, and look at them."""

    data: Annotated[Path | None, Arg(metavar="FILE")] = None
    """A .csv file of your own; Anscombe's quartet and fathers and sons unless given."""
    response: Annotated[str | None, Arg(metavar="COLUMN"), Only("data")] = None
    """The name of the column that the others are to explain; the last unless given."""
    degree: Annotated[int | None, Only("data")] = None
    """Fit a polynomial of this degree, in the one other column."""
    intercept: bool = True
    """The line goes through the origin."""
    level: float = 0.95
    """Of confidence intervals and bands."""
    device: options.Device = "auto"
    out: options.Out = Path("runs")


def main(config: Config) -> int:
    with mv.devices.computing(config.device, "float64") as device:
        return own(config, device) if config.data else lessons(config, device)


def lessons(config: Config, device: Any) -> int:
    """Anscombe's quartet, and the heights of fathers and sons both ways."""
    for name in ("response", "degree"):
        if getattr(config, name) is not None:
            raise ValueError(f"`{name}` is for data of your own; give them with --data FILE.csv")
    four, heights = mv.data.ANSCOMBE, mv.data.fathers_and_sons()
    fits = [mv.linear_regression(a.x, a.y, intercept=config.intercept) for a in four]
    by_father = mv.linear_regression(heights.x, heights.y, names="father", intercept=config.intercept)
    by_son = mv.linear_regression(heights.y, heights.x, names="son", intercept=config.intercept)
    window = np.linspace(2, 21, 80)
    spread, labels = 3.2 * heights.x.std() * np.linspace(-1, 1, 80), (heights.x_label, heights.y_label)
    both = (
        line(by_father, heights.x.mean() + spread, config.level),
        line(by_son, heights.y.mean() + spread, config.level),
    )
    run = mv.runs.create("linear_regression", config, 0, device, config.out, data=(heights.x, heights.y))
    with mv.plots.style():
        points = [(a.title, a.x, a.y) for a in four]
        lines = [line(fit, window, config.level) for fit in fits]
        mv.plots.save(mv.plots.lines.quartet(points, lines, formula(fits[0])), run / "anscombe.png")
        mv.plots.save(mv.plots.lines.both_ways(heights.x, heights.y, both, labels), run / "heights.png")
    by_father.plot(run / "diagnostics.png")
    named = {f"Anscombe {k + 1}": fit for k, fit in enumerate(fits)} | {"sons": by_father, "fathers": by_son}
    save_numbers(named, run)
    tall = heights.x.mean() + 5.0
    gain = by_father.predict([tall])[0] - by_father.predict([tall - 5.0])[0]
    mv.runs.report(
        run,
        "What a line says, and what it does not",
        f"Anscombe: {formula(fits[0])}, with residual standard error {fits[0].residual_stderr:.2f}, four times, but "
        f"the largest Cook's distances are {', '.join(map(influence, fits))}",
        mv.runs.Picture("the same line, four times", "anscombe.png"),
        mv.runs.Written("## Sons by their fathers"),
        mv.runs.Verbatim(by_father.summary(config.level)),
        mv.runs.Verbatim(by_son.summary(config.level)),
        f"Fathers 5 in taller than the mean have sons {gain:.1f} in taller than the mean of sons: regression to the "
        f"mean. Two slopes, {by_father.params[-1]:.3f} and {by_son.params[-1]:.3f}, whose product is R² "
        f"{by_father.params[-1] * by_son.params[-1]:.3f}: neither line is the other one turned round.",
        mv.runs.Picture("fathers and sons", "heights.png"),
        mv.runs.Picture("is anything wrong with it?", "diagnostics.png"),
        mv.runs.Written(f"Data: {four[0].source}; {heights.source}.\n\n{again(config)}"),
        mv.runs.Next(f"{PROG} --data mine.csv", "the last column of your own table, explained by the others"),
    )
    return command.DONE


def own(config: Config, device: Any) -> int:
    """One of the columns of a file, explained by the others."""
    names, table = mv.data.read_table(Path(config.data or ""))
    response = names[-1] if config.response is None else config.response
    mv.require.one_of("response", response, names)
    others = [name for name in names if name != response]
    y, X = table[:, names.index(response)], table[:, [names.index(name) for name in others]]
    how: Any = {"names": others, "degree": config.degree, "intercept": config.intercept}
    fit = mv.linear_regression(X, y, **how)
    told = fit.summary(config.level)
    run = mv.runs.create("linear_regression", config, 0, device, config.out, data=(X, y))
    pictures = [mv.runs.Picture("is anything wrong with it?", "diagnostics.png")]
    fit.plot(run / "diagnostics.png")
    if len(others) == 1 and fit.status >= 0:
        room = 0.05 * np.ptp(X)
        there = line(fit, np.linspace(X.min() - room, X.max() + room, 200), config.level)
        with mv.plots.style():
            figure = mv.plots.lines.fit(X[:, 0], y, there, (others[0], response))
            mv.plots.save(figure, run / "fit.png")
        pictures.insert(0, mv.runs.Picture("the fit", "fit.png"))
    save_numbers({response: fit}, run)
    title = f"{response}, explained by {', '.join(others) or 'nothing'}"
    mv.runs.report(run, title, mv.runs.Verbatim(told), *pictures, mv.runs.Written(again(config)))
    return command.DONE if fit.status >= 0 else command.FAILED


def line(fit: Any, x: np.ndarray, level: float) -> Any:
    """A fit and its bands at x, for a picture."""
    return mv.plots.lines.Line(
        x, fit.predict(x), fit.confidence_band(x, level), fit.prediction_band(x, level)
    )


def formula(fit: Any) -> str:
    slope = f"{fit.params[-1]:.3f} x"
    return f"y = {f'{fit.params[0]:.2f} + ' if len(fit.params) > 1 else ''}{slope},  R² {fit.r2:.2f}"


def influence(fit: Any) -> str:
    """The largest of Cook's distances; a point that the line must go through has none."""
    return "beyond all bounds" if np.isnan(fit.cook).any() else f"{fit.cook.max():.2f}"


def again(config: Config) -> str:
    return f"## Again\n\n```\n{command.line(PROG, config)}\n```"


def save_numbers(fits: dict[str, Any], run: Path) -> None:
    """Every coefficient with its errors in a table, and everything else of the fits in a file of arrays."""
    rows = [(name, fit, k) for name, fit in fits.items() for k in range(len(fit.params))]
    columns: dict[str, Any] = {"fit": [name for name, _, _ in rows], "name": [f.names[k] for _, f, k in rows]}
    for what in ("params", "stderr", "t", "p"):
        columns[what] = [getattr(fit, what)[k] for _, fit, k in rows]
    mv.runs.write_metrics(run, columns)
    keep = ("params", "cov", "fitted", "residuals", "leverage", "cook")
    arrays = {name: {what: getattr(fit, what) for what in keep} for name, fit in fits.items()}
    mv.runs.save_arrays(run / "params.npz", arrays)


if __name__ == "__main__":
    command.leave(command.run(main, Config, prog=PROG))
