"""The pictures of the README, all of them, made anew.

    python -m experiments.readme [--names NAME ...]

Draws those that the README has to itself (`showpieces`), and runs every experiment and takes a part of its most telling
picture. NAMES are those of files in `experiments/pictures`; all of them, about five minutes, unless given. Each file is
whole or not there, and the same code on the same machine makes the same files.
"""

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from experiments import gallery
from mvcalc_jax import command
from mvcalc_jax.atomic import replacing
from mvcalc_jax.require import one_of

PROG = "python -m experiments.readme"
FOLDER = Path(__file__).parent / "pictures"
HERO, GAME = "heart.gif", "sandpit.gif"
STRIPS = {f"{name}.png": name for name in ("mistake", "fits", "proven", "answers", "speed")}
"""Files, and the functions of `showpieces` that draw them."""
DPI, COLOURS = 180, 256
"""Of strips; and of every picture, so that none is large."""
THUMBNAIL = 480, 360
"""Pixels, twice as many as the README shows."""


class Part(NamedTuple):
    """What is shown of an experiment: one of its pictures, from left, top to right, bottom in parts of 1."""

    picture: str
    box: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    options: tuple[str, ...] = ()
    """With which it is run."""


BUTTERFLY = ("--curve", "butterfly", "--hidden", "30", "30", "--optimizer", "adam")
PARTS = {
    "draw_curve": Part("drawing.png", (0, 0.02, 1, 0.94), BUTTERFLY),
    "fit_heights": Part("contours.png"),
    "two_populations": Part("two_populations.png", (0, 0, 0.36, 1)),
    "compare_gradients": Part("steps.png"),
    "find_the_bug": Part("transposed.png", (0.02, 0.01, 0.6, 0.415)),
    "linear_regression": Part("heights.png"),
    "rise_over_run": Part("secants.png", (0, 0, 0.545, 1)),
    "rules": Part("reverse.png", (0, 0.08, 1, 1)),
    "jacobians": Part("cells.png", (0.43, 0, 1, 1)),
    "critical_points": Part("points.png", (0, 0, 0.545, 0.92), ("--surface", "camel")),
    "newton_raphson": Part("basins.png", (0, 0, 0.49, 0.945)),
    "taylor_series": Part("partial_sums.png"),
    "error_bands": Part("bands.png"),
    "safe_steps": Part("heights.png"),
    "lagrange": Part("extrema.png", (0, 0, 0.5, 0.9)),
    "one_neuron": Part("descent.png", (0, 0, 0.37, 1)),
    "sandpit_game": Part("race.png", (0, 0, 0.645, 0.93)),
    "sandpit_strategies": Part("basins.png", (0.25, 0, 1, 1)),
}  # fmt: skip


@dataclass(frozen=True)
class Pictures:
    """Make the README's pictures anew. --debug shows where an error comes from."""

    names: tuple[str, ...] = ()
    """Files to make, such as heart.gif; all of them unless given."""
    out: Path = FOLDER
    """Where to."""


def files() -> list[str]:
    """The names of all pictures."""
    return [HERO, GAME, *STRIPS, *(f"{name}.png" for name in PARTS)]


def main(config: Pictures) -> int:
    for name in config.names:
        one_of("name", name, files())
    config.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        for name in config.names or files():
            make(name, config.out / name, Path(scratch))
            print(f"{name:<24}{(config.out / name).stat().st_size / 1000:6.0f} kB", flush=True)
    return command.DONE


def make(name: str, path: Path, scratch: Path) -> None:
    """Make one of the pictures; what experiments leave behind goes to `scratch`."""
    if name == HERO:
        from experiments import showpieces  # here and not above, so that --help need not wait for JAX
        from mvcalc_jax.plots import gif, style

        with style():
            images = showpieces.hero()
        gif.write(path, images, milliseconds=90, hold=5000, palette=palette(images[-1]))
    elif name == GAME:
        with replacing(path) as file:
            file.write((ran("sandpit_game", scratch) / "game.gif").read_bytes())
    elif name in STRIPS:
        save(strip(STRIPS[name]), path)
    else:
        save(thumbnail(path.stem, scratch), path)


@cache
def ran(experiment: str, scratch: Path) -> Path:
    """The directory of a new run of an experiment.

    Raises:
        OSError: where it fails.
    """
    process = [
        sys.executable,
        "-m",
        f"experiments.{experiment}",
        *PARTS[experiment].options,
        "--out",
        str(scratch),
    ]
    done = subprocess.run(process, capture_output=True, text=True, check=False)
    run = gallery.newest(scratch / experiment)
    if done.returncode or run is None:
        raise OSError(
            f"{experiment} did not end well; run it alone to see why: python -m experiments.{experiment}"
        )
    return run


def thumbnail(experiment: str, scratch: Path) -> Image.Image:
    """The part of an experiment's picture, in the middle of a white sheet."""
    name, box, _ = PARTS[experiment]
    with Image.open(ran(experiment, scratch) / name) as picture:
        left, top, right, bottom = (round(p * side) for p, side in zip(box, picture.size * 2, strict=True))
        part = picture.convert("RGB").crop((left, top, right, bottom))
    part.thumbnail(THUMBNAIL, Image.Resampling.LANCZOS)
    sheet = Image.new("RGB", THUMBNAIL, "white")
    sheet.paste(part, ((sheet.width - part.width) // 2, (sheet.height - part.height) // 2))
    return sheet


def strip(name: str) -> Image.Image:
    """A figure of `showpieces`, as an image."""
    import mvcalc_jax as mv
    from experiments import showpieces
    from mvcalc_jax.plots import gif

    with mv.devices.computing("cpu", "float64"), mv.plots.style():
        figure = getattr(showpieces, name)()
        figure.set_dpi(DPI)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        return gif.taken(canvas)


def palette(image: Image.Image) -> Image.Image:
    """Few colours for an image: white, some by a median cut, which keeps shades, some by an octree, for small marks."""
    colours = [255, 255, 255]
    for method, count in (
        (Image.Quantize.MEDIANCUT, COLOURS // 2),
        (Image.Quantize.FASTOCTREE, COLOURS // 2 - 1),
    ):
        colours += (image.quantize(count, method).getpalette() or [])[: 3 * count]
    found = Image.new("P", (1, 1))
    found.putpalette(colours)
    return found


def few(image: Image.Image) -> Image.Image:
    """An image in few colours, each pixel in the nearest; Pillow's own way is quicker, and makes white a pale grey."""
    colours = np.array(palette(image).getpalette()).reshape(-1, 3)
    seen, where = np.unique(np.asarray(image).reshape(-1, 3).astype(int), axis=0, return_inverse=True)
    nearest = np.concatenate(
        [((some[:, None] - colours) ** 2).sum(-1).argmin(1) for some in np.array_split(seen, 16)]
    )
    found = Image.fromarray(nearest[where.ravel()].reshape(image.height, image.width).astype(np.uint8))
    found.putpalette(colours.ravel().tolist())
    return found


def save(image: Image.Image, path: Path) -> None:
    """Write an image in few colours as a PNG file, whole or not at all."""
    with replacing(path) as file:
        few(image).save(file, format="PNG", optimize=True)


if __name__ == "__main__":
    command.leave(command.run(main, Pictures, prog=PROG))
