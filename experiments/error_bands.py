"""Error bands: how far can a function be from its Taylor polynomial, and which bounds on that can be believed?

    python -m experiments.error_bands
    python -m experiments.error_bands --function bell --order 4
    python -m experiments.error_bands --function softplus --radius 6 --pieces 8

Of x/(1 + x²) about ½ on [0, 1] the proven band is 0.049 wide where it is widest, the textbook's 0.36, and plain
interval arithmetic 1.0. Near the point, bounds that were computed in ordinary arithmetic are wrong at most points or at
all of them; the exact value is never outside a proven band. Takes about 12 s.
"""

from __future__ import annotations  # not evaluated, so that --help need not wait for JAX

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np

import mvcalc_jax as mv
from mvcalc_jax import command, options

PROG = command.called("error_bands")
RADII, PRECISIONS, MAGNIFIED = tuple(10.0**-k for k in range(1, 9)), ("float64", "float32"), 1e-6
TOLD = (1e-2, 1e-4, 1e-6, 1e-8)
MOST = 8
"""Higher derivatives by nested autodiff take minutes."""
SCENE = """A Taylor polynomial says nothing of its error. Lagrange's remainder does, f⁽ⁿ⁾(ξ)/n! · hⁿ for some ξ in \
between, if one knows how large f⁽ⁿ⁾ can be there."""
WAYS = """Four ways to know it. *Proven*: an interval R that provably holds (f − p)/hⁿ for all of the region, from \
rules for every operation. *Textbook*: ± the largest |f⁽ⁿ⁾|/n! met at many points. *Lagrange by intervals*: f⁽ⁿ⁾/n! \
over the region in interval arithmetic. *Intervals alone*: f itself in interval arithmetic, no polynomial."""
BAND = """Above, f in its bands; below, all less the polynomial. Each band should hold the black line, and the \
narrower it is, the more one knows"""
WIDTHS = """How wide the bands are at the ends of regions of all sizes. The steeper the line, the better: slope 1 \
without a polynomial, n with one, n + 1 if R shrinks, too. The proven band levels off where it is as narrow as \
rounding permits; the others go on, below what their own arithmetic can hold"""
WRONG = """Every operation of a computer is rounded, and near x₀ hⁿ is smaller than that. Bounds that leave this \
out are wrong there. *Sharp* ones are p + [min, max] f⁽ⁿ⁾/n! · hⁿ, in ordinary arithmetic like the textbook's. At \
how many points is the exact f – computed with 60 digits – outside, and at how many even the floating-point number \
next to it?"""
ROUNDING = """Left, at how many of the points f is outside; full lines float64, dashed float32. Right, one region \
magnified, all less the exact f: a bound above 0 on both sides, or below it, does not hold"""


@dataclass(frozen=True)
class Config:
    """Compare proven bands with others."""

    function: Literal["fraction", "bell", "root", "logistic", "softplus", "tail"] = "fraction"
    """The function to look at."""
    at: Annotated[float | None, options.POINT] = None
    radius: float | None = None
    """How far the region reaches on either side."""
    order: int = 2
    """n, the power of h that the remainder comes with, 1 to 8."""
    pieces: int = 1
    """Parts of the region, each with a remainder of its own."""
    samples: int = 201
    """Points at which each band is held against the exact function."""
    device: options.Device = "auto"
    out: options.Out = Path("runs")


def main(config: Config) -> int:
    from experiments import bounding  # here and not above, so that --help need not wait for JAX

    mv.require.one_of("function", config.function, bounding.EXAMPLES)
    mv.require.whole("samples", config.samples, least=11)
    mv.require.whole("order", config.order, least=1, most=MOST)
    example = bounding.EXAMPLES[config.function]
    at = example.at if config.at is None else config.at
    radius = example.radius if config.radius is None else config.radius
    mv.require.finite("at", at)
    mv.require.positive("radius", radius)
    with (
        mv.devices.computing(config.device, "float64") as device,
        mv.aside.Aside(config.device, "float64") as aside,
    ):
        e = mv.taylor_enclosure(example, at, radius, config.order, pieces=config.pieces)
        if not np.isfinite(float(example(e.x0))):
            raise ValueError(f"`at` must be a point where {example.formula} is defined; got {at:g}")
        run = mv.runs.create("error_bands", config, 0, device, config.out)
        waiting = {
            (name, precision): aside.submit(
                bounding.near, each, each.at, precision, RADII, config.order, config.samples
            )
            for name, each in bounding.EXAMPLES.items()
            for precision in PRECISIONS
            if name in (*bounding.COUNTED, config.function)
        }
        banded, widths = bounding.in_bands(example, e), bounding.over_radii(example, e)
        near = {of: one.result() for of, one in waiting.items()}
        counts = bounding.counts(near)
        seen = bounding.magnified(near[config.function, "float64"][RADII.index(MAGNIFIED)], "float64")
        with mv.plots.style():
            mv.plots.save(mv.plots.bands.banded([banded]), run / "bands.png")
            mv.plots.save(mv.plots.bands.widths(*widths, banded.title), run / "widths.png")
            mv.plots.save(mv.plots.bands.rounding(RADII, bounding.shares(counts), seen), run / "rounding.png")
    conclude(banded, widths, counts, run)
    return command.DONE


def conclude(banded: Any, widths: Any, counts: dict[Any, Any], run: Path) -> None:
    radii, by_name = widths
    mv.runs.write_metrics(run, {"radius": radii, **by_name})
    spans = {name: float((band.hi - band.lo).max()) for name, band in banded.bands.items()}
    rows = [("band", "at its widest", "so many times the proven one", "proven?")]
    known = lambda number, otherwise: f"{number:.4g}" if np.isfinite(number) else otherwise
    rows += [
        (name, known(span, "nothing is known"), known(span / spans["proven"], "–"), proven)
        for (name, span), proven in zip(spans.items(), ("yes", "no", "but for rounding", "yes"), strict=True)
    ]
    wrong = [("precision", "radius", "points", "textbook", "sharp", "sharp, f rounded", "proven")]
    wrong += [(p, f"{r:.0e}", *map(str, numbers)) for (p, r), numbers in counts.items() if r in TOLD]
    points, textbook, sharp, rounded, proven = np.sum(list(counts.values()), axis=0).tolist()
    mv.runs.report(
        run,
        "Error bands: how far can a function be from its Taylor polynomial, and which bounds can be believed?",
        SCENE,
        mv.runs.Written(WAYS),
        f"Here f(x) = {banded.title}, on [{banded.x[0]:g}, {banded.x[-1]:g}].",
        mv.runs.Picture(BAND, "bands.png"),
        rows,
        mv.runs.Picture(WIDTHS, "widths.png"),
        mv.runs.Written("## What rounding does to bounds"),
        mv.runs.Written(WRONG),
        wrong,
        f"In all, at {points} points: f is outside the textbook's band at {textbook}, outside the sharp one at {sharp} "
        f"(rounded, at {rounded}), and outside the proven one at {proven}.",
        mv.runs.Picture(ROUNDING, "rounding.png"),
        mv.runs.Next(
            f"{PROG} --function bell --order 4", "a higher order: steeper lines, down to the same floor"
        ),
        mv.runs.Next(f"{PROG} --pieces 8", "a remainder for each part of the region: a sharper band"),
        mv.runs.Next(
            f"{PROG} --function tail --radius 0.999",
            "nearly as far as the singularity at 0: who knows of it?",
        ),
        mv.runs.Next(
            "python -m experiments.safe_steps", "what such a band is good for: steps that provably go down"
        ),
    )


if __name__ == "__main__":
    command.leave(command.run(main, Config, prog=PROG))
