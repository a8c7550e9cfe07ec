"""Which rules does a derivative apply, in what order, and is it the same from both ends?

    python -m experiments.rules
    python -m experiments.rules --function neuron --at 1.3 -0.1 1 0
    python -m experiments.rules --function kinks

A function is taken apart into steps, each of which one rule differentiates: sum, product, quotient, power, chain. The
derivative is accumulated from the result back (reverse mode) and from the arguments on (forward mode), and drawn both
ways. At x = 0.5 the course's sin(2x⁵ + 3x)/e⁷ˣ takes eight steps to −0.2104662581, as jax.grad to the last bit. Then
the course's functions in closed form, to 15 digits or more, but for one that is printed with six. Takes about 5 s.
"""

from __future__ import annotations  # not evaluated, so that --help need not wait for JAX

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np

import mvcalc_jax as mv
from mvcalc_jax import command, options

PROG = command.called("rules")
MODES = ("reverse", "forward")
MOST = 16.0
"""Digits that a float64 has."""


@dataclass(frozen=True)
class Config:
    """Watch a function being differentiated, rule by rule."""

    function: Literal[
        "quotient",
        "chain",
        "power",
        "product",
        "neuron",
        "hill",
        "softmax",
        "kinks",
        "branch",
        "loop",
    ] = "quotient"
    """The function to look at."""
    at: Annotated[tuple[float, ...], options.POINT] = ()
    """A number for each argument."""
    device: options.Device = "auto"
    out: options.Out = Path("runs")


def main(config: Config) -> int:
    from experiments.traced import FUNCTIONS  # here and not above, so that --help need not wait for JAX

    mv.require.one_of("function", config.function, FUNCTIONS)
    f, usual, formula = FUNCTIONS[config.function]
    at = config.at or usual
    if len(at) != len(usual):
        raise ValueError(
            f"`at` must hold {mv.text.counted(len(usual), 'number')} for {config.function}; got {len(at)}"
        )
    with mv.devices.computing(config.device, "float64") as device:
        traces = {mode: mv.calculus.trace_rules(f, mode=mode)(*at) for mode in MODES}
        if not np.isfinite(traces["reverse"].value):
            raise ValueError(f"`at` must be where {config.function} is finite; got {at}; take another point")
        expected = np.array(mv.autodiff.gradient(f, tuple(range(len(at))))(*at))
        if not np.isfinite(expected).all():
            raise ValueError(
                f"`at` must be where the derivative of {config.function} is finite; got {at}; take another point"
            )
        worked = [digits(w) for w in mv.calculus.WORKED]
        run = mv.runs.create("rules", config, 0, device, config.out)
    steps = traces["reverse"].steps
    columns: dict[str, Any] = {"step": [s.name for s in steps], "formula": [s.formula for s in steps]}
    columns |= {"value": [s.value for s in steps], "rule": [s.rule for s in steps]}
    mv.runs.write_metrics(run, columns | {"accumulated": [s.accumulated for s in steps]})
    with mv.plots.style():
        for mode, trace in traces.items():
            mv.plots.save(mv.plots.rules.graph(trace), run / f"{mode}.png")
    conclude(formula, traces, expected, worked, run)
    right = min(min(kept[1:]) - known for kept, known in worked) > -1
    return command.DONE if right else command.FAILED


def digits(worked: Any) -> tuple[tuple[Any, ...], float]:
    """A worked example, and the digits that its closed form, autodiff and the trace have of what is known; how many."""
    found = [worked.by_hand(), worked.by_autodiff()]
    if worked.kind == "gradient":
        found.append(np.ravel(mv.calculus.trace_rules(worked.f)(*worked.at).gradient))
    known = np.asarray(worked.known, float)
    with np.errstate(divide="ignore"):
        error = [np.max(np.abs(one - known)) / max(np.max(np.abs(known)), 1e-300) for one in found]
        return (worked, *(float(min(MOST, -np.log10(e))) for e in error)), min(12, worked.digits)


def conclude(
    formula: str, traces: dict[str, Any], expected: np.ndarray, worked: list[Any], run: Path
) -> None:
    """Say what was seen, on the screen and in report.md."""
    back = traces["reverse"]
    counts = {rule: back.rules.count(rule) for rule in dict.fromkeys(back.rules)}
    rows = [("", "derivative", "from jax.grad, in units of the last place")]
    for mode, trace in traces.items():
        slopes = np.ravel(trace.gradient)
        ulps = np.abs(slopes - expected) / np.spacing(np.maximum(np.abs(expected), np.finfo(float).tiny))
        for i, slope, far in zip(trace.inputs, slopes, ulps, strict=True):
            rows.append((f"{mode} mode, ∂f/∂{i.name}", f"{slope:.16g}", "–" if np.isnan(far) else f"{far:g}"))
    table: list[tuple[str, ...]] = [("", "function", "closed form", "by hand", "autodiff", "traced")]
    for (one, *kept), _ in worked:
        cells = [f"{k:.1f}" for k in kept] + ["–"] * (3 - len(kept))
        table.append((one.topic, one.formula, one.closed, *cells))
    notes = [f"{s.name} = {s.formula}: {s.note}" for s in back.steps if s.note]
    several = len(back.inputs) > 1
    mv.runs.report(
        run,
        "Which rules does a derivative apply, and in what order?",
        f"f = {formula}. Nobody differentiates that at a glance, and nobody has to: it is "
        f"{mv.text.counted(len(back.steps), 'step')}, and for each there is one rule. Used here: "
        + ", ".join(f"{rule} ({count})" for rule, count in counts.items())
        + ".",
        "From the result back: the last step's derivative by itself is 1, and every step hands what it has to those it "
        "was made of, times its local derivative. Where a value was used twice, what comes back is added.",
        mv.runs.Picture("values are computed downwards; red derivatives, from the bottom up", "reverse.png"),
        mv.runs.Verbatim(str(back)),
        "From the arguments on: every step's derivative by "
        + ("each argument" if several else back.inputs[0].name)
        + " is known as soon as its value is. With many arguments that takes a walk for each, and from the result back "
        "it takes one for all: this is why networks are trained backwards.",
        mv.runs.Picture("the same steps; red derivatives, from the top down", "forward.png"),
        rows,
        *notes,
        "The course's functions, each with its derivative on paper: the digits that agree with the value known, of 16.",
        table,
        mv.runs.Next(
            f"{PROG} --function neuron --at 1.3 -0.1 1 0", "one neuron learns NOT: its cost, by w, b, x and y"
        ),
        mv.runs.Next(
            f"{PROG} --function kinks", "where there is no derivative, and what is taken there instead"
        ),
        mv.runs.Next(
            f"{PROG} --function loop", "a loop, round by round: the derivative of √x, without a root in it"
        ),
    )


if __name__ == "__main__":
    command.leave(command.run(main, Config, prog=PROG))
