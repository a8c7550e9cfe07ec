"""Rise over run: how small should the run be, and how good a slope does it give?

    python -m experiments.rise_over_run
    python -m experiments.rise_over_run --function cancelling
    python -m experiments.rise_over_run --at 3.141592653589793

Secants close on the tangent of sin(x) e^cos x at 2, whose slope is −0.81984. But not for ever: below a step of 3e-8 in
float64, and 6e-4 in float32, rounding makes the slope worse again. Error against step is a V, both sides of which are
predicted. In float64 the forward difference has 8 digits, the central one 11, Ridders 14, and autodiff 16: in 4 s.
"""

from __future__ import annotations  # not evaluated, so that --help need not wait for JAX

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np

import mvcalc_jax as mv
from mvcalc_jax import command, options

PROG = command.called("rise_over_run")
RANGE = 1e30
"""Of sizes that float32, in which everything is done once more, holds well."""
PRECISIONS = ("float64", "float32")
SECANTS = """Left, secants from the point to others nearer and nearer, and the tangent that they close on; right, \
their slopes, on their way to f′ as the step shrinks"""
STEPS = """Error against step. Points are measured; solid lines are what a step leaves out, dotted ones the most that \
rounding can do, both predicted before any difference was taken; stars are the best steps"""
TRIES = {
    "cancelling": "cos x − 1 has lost its digits before any step is taken, and the V stands higher",
    "ripples": "waves of length 0.06: the V bends where the step is as long",
    "offset": "10⁶ added to x³ takes nearly all of its digits, and those of the slope",
}
Found = tuple[float, dict[str, Any], Any]


@dataclass(frozen=True)
class Config:
    """Slopes by rise over run, and what limits them."""

    function: Literal[
        "course",
        "exponential",
        "sine",
        "logarithm",
        "square",
        "offset",
        "steep",
        "cancelling",
        "root",
        "ripples",
        "switch",
        "flat",
        "chirp",
        "pole",
    ] = "course"
    """The function to look at."""
    at: Annotated[float | None, options.POINT] = None
    device: options.Device = "auto"
    out: options.Out = Path("runs")


def main(config: Config) -> int:
    mv.require.one_of("function", config.function, mv.calculus.SLOPE_EXAMPLES)
    case = mv.calculus.SLOPE_EXAMPLES[config.function]
    at = case.at if config.at is None else config.at
    mv.require.finite("at", at)
    sizes = np.abs([at, *exactly(case, at)])
    if not np.isfinite(sizes).all():
        raise ValueError(f"`at` must be where {case.formula} has a slope; got {at}; take another point")
    if ((sizes != 0) & ((sizes < 1 / RANGE) | (sizes > RANGE))).any():
        raise ValueError(
            f"`at` must be where x, f and f′ are within the range of float32, 0 or {1 / RANGE:g} to {RANGE:g} in size; "
            f"got {at}; take another point"
        )
    if np.spacing(abs(at)) > case.scale / 100:
        raise ValueError(
            f"`at` must be where the numbers of float64 lie closer together than {case.formula} changes; got {at:g}; "
            "take a smaller one"
        )
    with mv.devices.computing(config.device, "float64") as device, np.errstate(all="ignore"):
        found = {precision: measure(case, np.asarray(at, precision)) for precision in PRECISIONS}
        secants = close(case, at)
        run = mv.runs.create("rise_over_run", config, 0, device, config.out)
    save(found, secants, run)
    conclude(config, case, at, found, run)
    return command.DONE


def exactly(case: Any, x: Any) -> tuple[float, float]:
    """f and f′ by hand, in 80 bits where there are as many."""
    with np.errstate(all="ignore"):
        f, d_f = (float(g(np.longdouble(x))) for g in case.of(np))
    return f, d_f


def measure(case: Any, x: np.ndarray) -> Found:
    """f′ by hand, estimates by every method, and errors of differences at many steps, measured and predicted."""
    exact, eps = exactly(case, x)[1], float(np.finfo(x.dtype).eps)
    by = {name: method(case.f, x) for name, method in mv.calculus.SLOPE_METHODS.items()}
    smallest = max(float(np.spacing(abs(x))), 1e-4 * eps * case.scale)
    steps = np.geomspace(smallest, 30 * case.scale, 121).astype(x.dtype)
    at, model = np.full(steps.shape, x), mv.calculus.error_model(case.f, x)
    taken = {"forward": mv.calculus.forward_slope, "central": mv.calculus.central_slope}
    off = lambda estimate: np.abs(np.asarray(estimate.value, float) - exact)
    vee = mv.plots.slope.Vee(
        str(x.dtype),
        {kind: off(slope(case.f, at, steps)) for kind, slope in taken.items()},
        {"forward": model.forward(steps.astype(float)), "central": model.central(steps.astype(float))},
        {name: float(off(by[name])) for name in ("ridders", "complex step", "autodiff") if by[name].found},
        abs(exact) or 1.0,
        eps / 30,
    )
    return exact, by, vee


def close(case: Any, at: float) -> mv.plots.slope.Secants:
    """Secants with shorter and shorter steps, and the curve that they cut."""
    x, steps = at + case.scale * np.linspace(-1.1, 1.9, 401), 1.6 * case.scale * 0.75 ** np.arange(20)
    f = lambda x: np.asarray(case.f(np.asarray(x)), float)
    value, slope = exactly(case, at)
    return mv.plots.slope.Secants(case.formula, x, f(x), at, value, steps, f(at + steps), slope)


def save(found: dict[str, Found], secants: mv.plots.slope.Secants, run: Path) -> None:
    columns: dict[str, Any] = {}
    for precision, (*_, vee) in found.items():
        for kind, bounds in vee.bounds.items():
            named = zip(("step", "truncation", "round-off"), bounds[:3], strict=True)
            columns |= {f"{kind} {name}, {precision}": part for name, part in named}
            columns[f"{kind} error, {precision}"] = vee.measured[kind]
    mv.runs.write_metrics(run, columns)
    few = secants._replace(steps=secants.steps[:12:2], values=secants.values[:12:2])
    with mv.plots.style():
        mv.plots.save(mv.plots.slope.closing(few), run / "secants.png")
        picture = mv.plots.slope.vees([vee for *_, vee in found.values()], "|f′|" if secants.slope else "")
        mv.plots.save(picture, run / "steps.png")
        mv.plots.slope.animate(run / "secants.gif", secants)


def conclude(config: Config, case: Any, at: float, found: dict[str, Found], run: Path) -> None:
    """Say what the slopes are, and how far their error bars can be trusted."""
    rows = [("", "precision", "derivative and its error bar", "off by", "within its bar")]
    for precision, (exact, by, _) in found.items():
        for name, estimate in by.items():
            off = abs(float(estimate.value) - exact)
            held = "yes" if off <= estimate.error else "within ten" if off <= 10 * estimate.error else "no"
            rows.append((name, precision, str(estimate), f"{off:.1e}", held if estimate.found else "no bar"))
        rows.append(("by hand", precision, f"{exact:.{17 if precision == 'float64' else 9}g}", "", ""))
    steps = lambda best: f"{best:.1e}" if np.isfinite(best) else "without bound (nothing is left out here)"
    best = [steps(found[p][2].bounds[k].best_step) for k in ("forward", "central") for p in PRECISIONS]
    mv.runs.report(
        run,
        "Rise over run: how small should the run be?",
        f"The slope of f(x) = {case.formula} at x = {at:.10g} is what rise over run, (f(x + h) − f(x))/h, comes to as "
        "the run h shrinks to nothing. On paper smaller is better. In a computer it is not.",
        mv.runs.Picture(SECANTS, "secants.png"),
        mv.runs.Picture("The same, moving", "secants.gif"),
        "A short step leaves little out: half of h f″ for the forward difference, and a sixth of h² f‴ for the central "
        "one, which looks to both sides. But f is rounded, and the rounding is divided by h. The sum of both is a V.",
        mv.runs.Picture(STEPS, "steps.png"),
        f"The best step of the forward difference is {best[0]} in float64 and {best[1]} in float32; of the central one "
        f"{best[2]} and {best[3]}. Neither can be known without f″, f‴ and the rounding of f.",
        rows,
        "Ridders' method needs no step: it takes central differences at all scales, cancels their errors against "
        "each other, and keeps what agrees best. The complex step has no difference to round. Every method says how "
        "far the truth may be; a bar that is too long costs digits, one that is too short is a lie.",
        *(mv.runs.Next(f"{PROG} --function {f}", what) for f, what in TRIES.items() if f != config.function),
    )


if __name__ == "__main__":
    command.leave(command.run(main, Config, prog=PROG))
