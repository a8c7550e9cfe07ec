"""Animations as GIF files: the still part is drawn once, the moving part for each frame."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from mvcalc_jax.atomic import replacing

FRAMES = 40
"""More make a file that is slow to write and to load, and show no more."""


def frames(rows: int, count: int = FRAMES) -> list[int]:
    """At most `count` rows of a trace, first and last among them, close together where learning is fast.

    >>> mv.plots.gif.frames(1001, count=6)
    [0, 40, 160, 360, 640, 1000]
    >>> len(mv.plots.gif.frames(10**6)) == mv.plots.gif.FRAMES
    True
    """
    return sorted({round((rows - 1) * (k / (count - 1)) ** 2) for k in range(count)})


def save_gif(
    path: Path,
    figure: Figure,
    moving: Sequence[Artist],
    show: Callable[[Any], None],
    moments: Iterable[Any],
    *,
    milliseconds: int = 70,
    hold: int = 2500,
) -> None:
    """Write an animation, whole or not at all.

    Args:
        path: of the GIF file.
        figure: with everything drawn that stays as it is.
        moving: artists of it that change.
        show: sets them for one moment.
        moments: what to show, in order; the last is held.
        milliseconds: between frames.
        hold: milliseconds for the last.

    >>> from pathlib import Path
    >>> figure, ax = mv.plots.chart(3, 2)
    >>> (dot,) = ax.plot([0], [0], "o")
    >>> mv.plots.gif.save_gif(Path("dot.gif"), figure, [dot], lambda x: dot.set_data([x], [0]), [0.0, 0.01, 0.02])
    >>> Path("dot.gif").read_bytes()[:3]
    b'GIF'
    """
    canvas = FigureCanvasAgg(figure)
    for artist in moving:
        artist.set_animated(True)
    canvas.draw()
    still = canvas.copy_from_bbox(figure.bbox)
    images = []
    for moment in moments:
        show(moment)
        canvas.restore_region(still)
        for artist in moving:
            figure.draw_artist(artist)
        images.append(taken(canvas))
    write(path, images, milliseconds=milliseconds, hold=hold)


def taken(canvas: FigureCanvasAgg) -> Image.Image:
    """What is on a canvas now.

    >>> from matplotlib.backends.backend_agg import FigureCanvasAgg
    >>> canvas = FigureCanvasAgg(mv.plots.chart(3, 2)[0])
    >>> canvas.draw()
    >>> mv.plots.gif.taken(canvas).size
    (300, 200)
    """
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])


def write(
    path: Path,
    images: Sequence[Image.Image],
    *,
    milliseconds: int = 70,
    hold: int = 2500,
    palette: Image.Image | None = None,
) -> None:
    """Write images as an animation, whole or not at all; the last is held.

    Args:
        path: of the GIF file.
        images: in order.
        milliseconds: between them.
        hold: milliseconds for the last.
        palette: an image in the colours that are used for all; unless given, 128 of the last.

    >>> from pathlib import Path
    >>> from PIL import Image
    >>> image = Image.linear_gradient("L").convert("RGB")
    >>> mv.plots.gif.write(Path("turn.gif"), [image.rotate(angle) for angle in (0, 90, 180)], milliseconds=100)
    >>> with Image.open("turn.gif") as turn:
    ...     turn.n_frames, turn.info["duration"]
    (3, 100)
    """
    palette = palette or images[-1].quantize(128, dither=Image.Dither.NONE)
    stills = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    durations = [milliseconds] * (len(stills) - 1) + [hold]
    with replacing(path) as file:
        stills[0].save(
            file, format="GIF", save_all=True, append_images=stills[1:], duration=durations, loop=0
        )
