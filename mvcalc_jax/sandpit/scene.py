"""What is drawn in the sandpit itself: sand, the holes that were dug, arrows downhill, and at the end what lay below.

The sand is drawn once, and so is what lay below, once it is shown: `Scene.ground`. All else lies in `Scene.area`, which
is drawn again at every dip. `Scene.show` sets both.
"""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import LightSource, LinearSegmentedColormap, Normalize
from matplotlib.patches import FancyBboxPatch
from matplotlib.transforms import Affine2D

from mvcalc_jax.plots.sandpit import colour_of
from mvcalc_jax.plots.style import BLUE, GOLD, INK, RED, VIOLET
from mvcalc_jax.sandpit.floors.family import SIDE
from mvcalc_jax.sandpit.floors.scaled import PHONE, TOP
from mvcalc_jax.sandpit.panel import Area
from mvcalc_jax.sandpit.strategies import Walk

SAND = LinearSegmentedColormap.from_list("sand", ["#6f5534", "#a5824f", "#d3b279", "#ecd8aa", "#f7ecd0"])
WATER = LinearSegmentedColormap.from_list("water", ["#14425c", BLUE, "#a9d0df"])
_EDGE = 0.07
"""How far an arrow begins from the middle of its dip, which would hide a short one."""
_SHORT = 1e-3
_COARSE = 6
_DRY = (0.925, 0.845, 0.665)


class Marks(NamedTuple):
    """Where something was dug, in order.

    Attributes:
        at: points.
        depth: there; NaN is drawn as unknown.
        arrow: from each, the way down; zero is not drawn.
        joined: whether a line leads from each to the next.
    """

    at: Float[np.ndarray, "k 2"]
    depth: Float[np.ndarray, " k"]
    arrow: Float[np.ndarray, "k 2"]
    joined: Sequence[bool] = ()


class Below(NamedTuple):
    """What lies below: depths on a grid, and the minima, the phone's first."""

    depth: Float[np.ndarray, "i k"]
    minima: Float[np.ndarray, "m 2"]


NOTHING = Marks(np.empty((0, 2)), np.empty(0), np.empty((0, 2)))


class Scene:
    """The sandpit on its Axes.

    Args:
        ax: to draw on; it is given the box, and ticks.
    """

    def __init__(self, ax: Axes):
        ax.set(xlim=(0, SIDE), ylim=(0, SIDE), xticks=range(int(SIDE) + 1), yticks=range(int(SIDE) + 1))
        ax.tick_params(length=0, labelsize=8, pad=5)
        ax.grid(False)
        for side in ax.spines.values():
            side.set(visible=True, color="#b99a63", linewidth=1.2)
        box = (0, SIDE, 0, SIDE)
        ax.imshow(sand(), extent=box, origin="lower", interpolation="nearest", zorder=0, aspect="auto")
        self._ax = ax
        self._relief = ax.imshow(
            np.zeros((2, 2, 3)), extent=box, origin="lower", interpolation="bilinear", zorder=1, aspect="auto"
        )
        self._lines = LineCollection([], colors=SAND(0.0), linewidths=0.7, alpha=0.55, zorder=2)
        self._hollows = ax.plot([], [], "v", markersize=9, color=BLUE, markeredgecolor="white", zorder=3)[0]
        self._phone = phone()
        self._rings = ax.scatter([], [], s=230, facecolors="none", edgecolors=RED, linestyles=(0, (3, 2)))
        self._squares = LineCollection([], colors=VIOLET, linewidths=1.6, linestyles=(0, (4, 3)), zorder=3)
        self._trail = LineCollection([], colors=INK, linewidths=1.0, alpha=0.6, zorder=4)
        self._ways = LineCollection([], linewidths=1.9, alpha=0.95, zorder=4)
        self._ends = ax.scatter([], [], s=34, edgecolors="white", linewidths=1.0, zorder=6)
        self._dug = ax.scatter([], [], s=190, color="#8d6f41", alpha=0.28, linewidths=0, zorder=3)
        self._arrows = PolyCollection([], facecolors=INK, edgecolors="white", linewidths=0.6, zorder=5)
        self._dips = ax.scatter([], [], s=60, edgecolors="white", linewidths=1.1, zorder=6)
        for collection in (self._lines, self._squares, self._trail, self._ways, self._arrows):
            ax.add_collection(collection, autolim=False)
        for part in self._phone:
            ax.add_patch(part)
        glow = [patheffects.withStroke(linewidth=2.2, foreground="#f6ecd2")]
        self._numbers = [
            ax.text(
                0,
                0,
                str(k + 1),
                fontsize=8.5,
                fontweight="bold",
                ha="center",
                va="center",
                path_effects=glow,
                zorder=7,
            )
            for k in range(32)
        ]
        pit = (0, 0, SIDE, SIDE)
        self.ground, self.area = Area(pit, ax.transData), Area(pit, ax.transData)
        for artist in (self._relief, self._lines, self._hollows, *self._phone):
            self.ground.add(artist)
        for artist in (
            self._squares, self._rings, self._dug, self._trail, self._ways, self._arrows, self._ends, self._dips,
            *self._numbers,
        ):  # fmt: skip
            self.area.add(artist)
        self._below: Below | None = None
        self.show(NOTHING)

    def show(
        self,
        marks: Marks,
        *,
        ways: Sequence[Walk] = (),
        starts: Float[np.ndarray, "k 2"] = NOTHING.at,
        squares: Sequence[tuple[tuple[float, float], tuple[float, float]]] = (),
        below: Below | None = None,
    ) -> None:
        """Set everything that moves.

        Args:
            marks: the dips.
            ways: of strategies.
            starts: where one is asked to dig.
            squares: in which the phone is said to be, by their sides along x and y.
            below: what lies below, once it is revealed.
        """
        self.area.stale = True
        count = len(marks.at)
        self._dug.set_offsets(marks.at)
        self._dips.set_offsets(marks.at)
        self._dips.set_facecolor(
            [tuple(color) for color in WATER(Normalize(PHONE, TOP)(marks.depth))] or "none"
        )
        self._dips.set_edgecolor([*["white"] * (count - 1), RED][-count:] if count else "none")
        self._dips.set_linewidth([*[1.1] * (count - 1), 2.0][-count:] if count else 1.1)
        self._arrows.set_verts(arrows(marks))
        self._trail.set_segments([marks.at[k : k + 2] for k in np.flatnonzero(marks.joined[: count - 1])])
        for k, number in enumerate(self._numbers):
            number.set_visible(k < count)
            if k < count:
                number.set_position(tuple(_beside(marks.at[k], marks.arrow[k])))
        colors = [colour_of(way.strategy) for way in ways] or "none"
        self._ways.set_segments([way.positions for way in ways])
        self._ways.set_color(colors)
        self._ends.set_offsets(np.array([way.positions[-1] for way in ways]).reshape(-1, 2))
        self._ends.set_facecolor(colors)
        self._rings.set_offsets(starts)
        self._squares.set_segments([[(a, c), (b, c), (b, d), (a, d), (a, c)] for (a, b), (c, d) in squares])
        self._uncover(below)

    def _uncover(self, below: Below | None) -> None:
        for artist in (self._relief, self._lines, self._hollows, *self._phone):
            artist.set_visible(below is not None)
        if below is None or below is self._below:
            return
        self._below = below
        self._relief.set_data(relief(below.depth))
        across, up = (np.linspace(0, SIDE, n) for n in below.depth.shape[::-1])
        contours = self._ax.contour(across, up, below.depth, levels=np.arange(-8.5, -0.5, 0.5))
        self._lines.set_segments([part for level in contours.allsegs for part in level])
        contours.remove()
        self._hollows.set_data(*below.minima[1:].T)
        place = Affine2D().rotate_deg(-18).translate(*below.minima[0]) + self._ax.transData
        for part in self._phone:
            part.set_transform(place)


@cache
def sand(pixels: int = 540, seed: int = 3) -> Float[np.ndarray, "k k 3"]:
    """Dry sand, ripples and all: an RGB image."""
    rng = np.random.default_rng(seed)
    fine = rng.normal(size=(pixels, pixels))
    coarse = _smooth(rng.normal(size=(pixels // _COARSE, pixels // _COARSE)), 4)
    coarse = np.kron(coarse / coarse.std(), np.ones((_COARSE, _COARSE)))[:pixels, :pixels]
    slow = _smooth(rng.normal(size=(pixels // 30, pixels // 30)), 2)
    slow = _stretched(slow / slow.std(), pixels)
    along = np.linspace(0, 1, pixels)
    ripples = np.sin(2 * np.pi * (17 * along[:, None] + 3 * along[None] + 0.55 * slow))
    light = 0.022 * fine + 0.006 * coarse + 0.016 * ripples + 0.012 * slow
    return np.clip(np.array(_DRY) * (1 + light[..., None]), 0, 1)


def _smooth(noise: np.ndarray, times: int) -> np.ndarray:
    for _ in range(times):
        noise = (noise + sum(np.roll(noise, shift, axis) for axis in (0, 1) for shift in (-1, 1))) / 5
    return noise


def _stretched(coarse: np.ndarray, pixels: int) -> np.ndarray:
    """Between the values of a coarse grid, by straight lines."""
    old, new = np.linspace(0, 1, len(coarse)), np.linspace(0, 1, pixels)
    rows = np.array([np.interp(new, old, row) for row in coarse])
    return np.array([np.interp(new, old, column) for column in rows.T]).T


def relief(depth: Float[np.ndarray, "i k"]) -> Float[np.ndarray, "i k 3"]:
    """The floor in sunlight from the upper left, the deeper the wetter: an RGB image."""
    spacing = SIDE / (len(depth) - 1)
    sun = LightSource(azdeg=315, altdeg=50)
    shaded = sun.shade(
        depth, SAND, Normalize(PHONE, TOP), blend_mode="soft", vert_exag=0.35, dx=spacing, dy=-spacing
    )  # it counts rows from above
    return shaded[..., :3]


def arrows(marks: Marks) -> list[Float[np.ndarray, "7 2"]]:
    """Outlines of the arrows, from the edge of each dip on."""
    outlines = []
    for at, arrow in zip(marks.at, marks.arrow, strict=True):
        length = float(np.hypot(*arrow))
        if length < _SHORT:
            continue
        along = arrow / length
        across = np.array([-along[1], along[0]])
        head = min(0.2, 0.7 * length)
        neck, wide = length - head, 0.38 * head
        outline = [
            (0, 0.022),
            (neck, 0.022),
            (neck, wide),
            (length, 0),
            (neck, -wide),
            (neck, -0.022),
            (0, -0.022),
        ]
        outlines.append(at + np.array([(a + _EDGE) * along + b * across for a, b in outline]))
    return outlines


def phone() -> list[FancyBboxPatch]:
    """A phone around the origin."""
    rounded = "round,pad=0,rounding_size=0.06"
    body = FancyBboxPatch(
        (-0.15, -0.27), 0.3, 0.54, boxstyle=rounded, facecolor=INK, edgecolor="white", lw=1.2
    )
    screen = FancyBboxPatch(
        (-0.11, -0.2), 0.22, 0.4, boxstyle="round,pad=0,rounding_size=0.02", facecolor=GOLD, lw=0
    )
    for part in (body, screen):
        part.set_zorder(3.5)
    return [body, screen]


def _beside(at: Float[np.ndarray, "2"], arrow: Float[np.ndarray, "2"]) -> Float[np.ndarray, "2"]:
    """Where a dip's number stands: uphill of it, for the arrow points down."""
    length = float(np.hypot(*arrow))
    uphill = -arrow / length if length >= _SHORT else np.sqrt([0.5, 0.5])
    return np.clip(at + 0.21 * uphill, 0.12, SIDE - 0.12)
