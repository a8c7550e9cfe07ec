"""A game as a picture, and as an animation: the board dip by dip, and at its end what lay below."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from mvcalc_jax.atomic import replacing
from mvcalc_jax.plots import gif
from mvcalc_jax.sandpit.rules import Game
from mvcalc_jax.sandpit.state import State
from mvcalc_jax.sandpit.view import SIZE, Pit

_DPI = 110
_WIDTH = 800
"""Pixels of an animation: sand makes large files."""


def save_picture(game: Game, path: Path) -> Path:
    """Write a game as it stands into a .png file, and return its path.

    Raises:
        OSError: if it cannot be written.
    """
    figure = Figure(figsize=SIZE, dpi=_DPI)
    canvas = FigureCanvasAgg(figure)
    Pit(figure, game, buttons=False)
    image = gif.taken(canvas)
    with replacing(path) as file:
        image.quantize(palette=_palette([image])).save(file, format="png", optimize=True)
    return path


def save_film(game: Game, path: Path, *, milliseconds: int = 900, hold: int = 5000) -> Path:
    """Write a game as a .gif file, and return its path.

    Args:
        game: as it stands; it is left so.
        path: of the file.
        milliseconds: for each dip.
        hold: milliseconds for the last.

    Raises:
        OSError: if it cannot be written.
    """
    figure = Figure(figsize=SIZE, dpi=_WIDTH / SIZE[0])
    canvas = FigureCanvasAgg(figure)
    shown = Game(game.state.floor, game.state.mode, game.state.seed)
    pit = Pit(figure, shown, say=lambda line: None)
    images = []
    for state in states(game.state):
        shown.state = state
        shown.walks = game.walks if state is game.state else ()
        pit.show()
        images.append(gif.taken(canvas))
    gif.write(path, images, milliseconds=milliseconds, hold=hold, palette=_palette([images[0], images[-1]]))
    return path


def states(state: State) -> list[State]:
    """The states that a game went through: after each dip and each hint."""
    passed = []
    for dips in range(len(state.dips) + 1):
        before, after = (sum(k < dips + late for k in state.hints) for late in (0, 1))
        passed += [
            replace(
                state, dips=state.dips[:dips], hints=state.hints[:hints], lanes=(), note="", revealed=False
            )
            for hints in range(before, after + 1)
        ]
    return [*passed, state] if state.revealed else [*passed[:-1], state]


def _palette(images: Sequence[Image.Image]) -> Image.Image:
    """256 colours: most are sand's, and some stand on a few pixels only, such as those of dips."""
    width, height = images[0].size
    together = Image.new("RGB", (width, len(images) * height))
    for k, image in enumerate(images):
        together.paste(image, (0, k * height))
    colors = []
    for count, method in ((192, Image.Quantize.MEDIANCUT), (64, Image.Quantize.MAXCOVERAGE)):
        colors += (together.quantize(count, method=method).getpalette() or [])[: 3 * count]
    palette = Image.new("P", (1, 1))
    palette.putpalette(colors)
    return palette
