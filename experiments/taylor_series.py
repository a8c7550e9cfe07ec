"""Taylor series: how do polynomials close in on a function, and where do they stop?

    python -m experiments.taylor_series
    python -m experiments.taylor_series --function sine
    python -m experiments.taylor_series --function witch --at 1

The partial sums of exp(sin x)/(1 + x²) about ½ close in on it from 0.5 − 1.118 to 0.5 + 1.118, and nowhere else, though
nothing can be seen there: the poles are at ±i, off the real axis, 1.118 away. Inside, the error of the polynomial of
order n falls like the distance to the power n + 1: slopes 2.00, 3.00, 4.00, 5.00, read off. Takes about 6 s.
"""

from __future__ import annotations  # not evaluated, so that --help need not wait for JAX

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np

import mvcalc_jax as mv
from mvcalc_jax import command, options

PROG = command.called("taylor_series")
SHOWN = (1, 2, 4, 8, 16)
SLOPES = (1, 2, 3, 4)
PLANE = (4, 12, 36)
SCENE = """A Taylor polynomial of order n has the value and the first n derivatives of a function at one point. \
With n it comes nearer to the function – in a disc about the point that reaches to the nearest singularity in the \
complex plane."""
SUMS = """Above, f and some of its partial sums; below, how far each is off. Between the dashed lines is the disc"""
DISC = """|f − p| in the complex plane, blue where p is near f, red where it is far. The dashed circle goes through \
the nearest singularity (×), and the blue fills it as the order grows"""
ORDER = """Left, the error against the distance from x₀, both as logarithms, so that h to the power n + 1 is a \
straight line of slope n + 1; at the lower edge, rounding. Right, the coefficients, which fall or grow like 1/Rᵏ"""


class Example(NamedTuple):
    """A function with its formula, a point, and how far to look."""

    formula: str
    f: Callable[[Any], Any]
    at: float
    reach: float


def examples() -> dict[str, Example]:
    import jax.numpy as jnp

    return {
        "course": Example("exp(sin x)/(1 + x²)", lambda x: jnp.exp(jnp.sin(x)) / (1 + x * x), 0.5, 2.5),
        "witch": Example("1/(1 + x²)", lambda x: 1 / (1 + x * x), 0.0, 2.5),
        "sine": Example("sin x", jnp.sin, 0.0, 9.0),
        "logarithm": Example("log x", jnp.log, 1.0, 0.98),
        "tangent": Example("tan x", jnp.tan, 0.3, 1.2),
        "hyperbolic": Example("tanh x", jnp.tanh, 0.0, 3.5),
        "softplus": Example("log(1 + eˣ)", lambda x: jnp.log(1 + jnp.exp(x)), 0.0, 7.0),
        "root": Example("√x", jnp.sqrt, 1.0, 0.98),
    }


@dataclass(frozen=True)
class Config:
    """Watch Taylor polynomials close in on a function."""

    function: Literal["course", "witch", "sine", "logarithm", "tangent", "hyperbolic", "softplus", "root"] = (
        "course"
    )
    """The function to look at."""
    at: Annotated[float | None, options.POINT] = None
    order: int = 39
    """The highest, 16 to 170; also how many pictures the animation has, up to 40."""
    points: int = 160
    """Along each side of the picture of the complex plane."""
    device: options.Device = "auto"
    out: options.Out = Path("runs")


def main(config: Config) -> int:
    known = examples()
    mv.require.one_of("function", config.function, known)
    mv.require.whole("points", config.points, least=10)
    mv.require.whole("order", config.order, least=max(SHOWN))
    example = known[config.function]
    at = example.at if config.at is None else config.at
    mv.require.finite("at", at)
    with mv.devices.computing(config.device, "float64") as device:
        p = taylor(example.f, at, config.order)
        found = p.convergence
        run = mv.runs.create("taylor_series", config, 0, device, config.out)
        sums, falling = drawn(example, p, found), [fallen(example, p, n, found) for n in SLOPES]
        plane = in_the_plane(example, p, found, config.points)
        with mv.plots.style():
            mv.plots.taylor.animate(run / "partial_sums.gif", sums)
            mv.plots.save(mv.plots.taylor.partial_sums(sums, SHOWN), run / "partial_sums.png")
            mv.plots.save(mv.plots.taylor.disc(plane), run / "disc.png")
            figure = mv.plots.taylor.orders(falling, p.coefficients, p.rounding, found.radius)
            mv.plots.save(figure, run / "order.png")
    conclude(example, p, found, falling, run)
    return command.DONE


def taylor(f: Callable[[Any], Any], at: float, order: int) -> Any:
    from mvcalc_jax.taylor.series.polynomial import taylor

    return taylor(f, at, order)


def partial(p: Any, order: int) -> Any:
    return p if order == p.order else p.truncated(order)


def drawn(example: Example, p: Any, found: Any) -> Any:
    """f and every partial sum that is shown."""
    x = np.linspace(p.x0 - example.reach, p.x0 + example.reach, 601)
    shown = sorted({*np.linspace(0, p.order, min(p.order + 1, 40)).astype(int).tolist(), *SHOWN})[-40:]
    values = np.stack([partial(p, n)(x) for n in shown])
    return mv.plots.taylor.Sums(
        example.formula, x, np.asarray(example.f(x)), shown, values, float(p.x0), found.radius
    )


def fallen(example: Example, p: Any, order: int, found: Any) -> Any:
    """The error at many distances, and the slope of its logarithm where it is neither rounding nor far away."""
    h = (found.radius if np.isfinite(found.radius) else 1.0) * np.geomspace(1e-5, 0.9, 120)
    f = np.asarray(example.f(p.x0 + h))
    error = np.abs(f - partial(p, order)(p.x0 + h))
    clear = np.flatnonzero(error > 1e4 * 2.0**-52 * np.abs(f).max())[:25]
    slope = np.polyfit(np.log(h[clear]), np.log(error[clear]), 1)[0] if len(clear) > 4 else np.nan
    following = np.flatnonzero(np.abs(p.coefficients[order + 1 :]) > 10 * p.rounding[order + 1 :])
    return mv.plots.taylor.Falling(order, h, error, float(slope), order + 1 + int(following[0]))


def in_the_plane(example: Example, p: Any, found: Any, points: int) -> Any:
    reach = 1.6 * found.radius if np.isfinite(found.radius) else example.reach
    side = np.linspace(-reach, reach, points)
    z = p.x0 + side + 1j * side[:, None]
    with np.errstate(all="ignore"):
        f = np.asarray(example.f(z))
        sums = {n: np.polyval(p.coefficients[n::-1], z - p.x0) for n in PLANE if n <= p.order}
        errors = {n: np.abs(f - value) for n, value in sums.items()}
    known = [found.singularity, np.conj(found.singularity)] if np.isfinite(found.radius) else []
    box = (p.x0 - reach, p.x0 + reach, -reach, reach)
    return mv.plots.taylor.Plane(box, errors, float(p.x0), np.array(known, complex), found.radius)


def conclude(example: Example, p: Any, found: Any, falling: list[Any], run: Path) -> None:
    k = np.arange(p.order + 1)
    columns = {"k": k, "coefficient": p.coefficients, "derivative": p.derivatives, "rounding": p.rounding}
    mv.runs.write_metrics(run, columns)
    slopes = [("order n", "slope measured", "expected", "first term left out")]
    slopes += [
        (str(o.order), f"{o.slope:.3f}", str(o.expected), f"{p.coefficients[o.expected]:+.4g} h^{o.expected}")
        for o in falling
    ]
    powers = ("", " h", " h²", " h³", " h⁴", " h⁵")
    first = " ".join(
        f"{c:+.4g}{power}" for c, power in zip(p.coefficients, powers, strict=False) if abs(c) > 1e-15
    )
    mv.runs.report(
        run,
        "Taylor series: how do polynomials close in on a function, and where do they stop?",
        SCENE,
        f"Here f(x) = {example.formula} about x₀ = {p.x0:.6g}: with h = x − x₀, p = {first} …",
        mv.runs.Picture("One order after the other", "partial_sums.gif"),
        mv.runs.Picture(SUMS, "partial_sums.png"),
        mv.runs.Written("## What stops them"),
        f"Radius of convergence {found.radius:.6g}: {found.message}.",
        mv.runs.Picture(DISC, "disc.png"),
        mv.runs.Written("## How fast they close in"),
        slopes,
        mv.runs.Picture(ORDER, "order.png"),
        mv.runs.Next(f"{PROG} --function sine", "no singularity anywhere: the disc has no edge"),
        mv.runs.Next(f"{PROG} --function witch --at 1", "nearer to 1 the poles at ±i are √2 away"),
        mv.runs.Next(
            f"{PROG} --function softplus", "smooth on the whole line, and stopped at π by a pole at ±πi"
        ),
    )


if __name__ == "__main__":
    command.leave(command.run(main, Config, prog=PROG))
