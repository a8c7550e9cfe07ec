"""The options that several commands have: each with one name, one meaning, one default and one sentence of help."""

from pathlib import Path
from typing import Annotated, Literal

from mvcalc_jax.arguments import Arg

PORT = 8988
"""Where pages are served unless another port is given."""

Device = Annotated[
    Literal["auto", "cpu", "gpu"], Arg("Where to compute; auto is a GPU where JAX can use one.")
]
Precision = Annotated[Literal["float32", "float64"], Arg("How precisely to compute.")]
Out = Annotated[Path, Arg("The folder in which a run directory is made.", metavar="DIR", short="-o")]
Seed = Annotated[int, Arg("Of all that is random; another seed, another draw.")]
Steps = Annotated[int, Arg("Steps of the descent.")]
Browser = Annotated[bool, Arg("Open no browser; only print the address of the page.")]
Port = Annotated[
    int | None,
    Arg(
        f"Of a page, served even where there is a window. {PORT} unless given, and the next if that is busy."
    ),
]

RATE = Arg('The course\'s "aggression": how far a step goes, in units of the Jacobian.')
OMIT = Arg("Leave out points that are NaN, infinite or, in a .csv, empty.")
STARTS = Arg("How many points to begin from, at most 20000.")
CURVE = Arg(
    "A curve by name, or a .csv or .svg file of your own.",
    metavar="NAME|FILE",
    known=(
        *("heart", "circle", "lemniscate", "trefoil", "star", "butterfly", "rose", "spiral", "lissajous"),
        *("letter", "cardioid", "astroid", "deltoid"),
    ),
)
HISTOGRAM = Arg(
    "A histogram by name, or a .csv file of your own, of bins and counts or of raw values.",
    metavar="NAME|FILE",
    known=("course", "galton", "galton-men", "galton-women", "macdonell"),
)
POINT = Arg("Where to look; unless given, where it is interesting.")
FLOOR = Arg(
    "What lies below; or a function f(x, y) of your own, written in JAX, that is finite on [0, 6] x [0, 6].",
    metavar="NAME|FILE.py:f",
    known=("wells", "random", "eggbox", "rocks", "narrow", "valley", "plateau", "saddle", "cliff"),
)
FLOORS = FLOOR._replace(help="The floors to dig on, all unless given; or functions of your own.")
STRATEGY = Arg(
    "Who digs; or a function of your own, (state, position, depth, gradient, hessian) -> (state, step).",
    metavar="NAME|FILE.py:f",
    known=("constant", "gradient", "newton", "hybrid", "momentum", "adam", "line-search", "trust-region"),
)
