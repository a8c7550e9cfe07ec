"""What stands beside the sandpit: how many dips are left, what was found, messages, and all that can be pressed.

Lengths are in hundredths of an inch from the lower left corner of a board of `BOARD`. What changes is divided into
areas, and only those whose words have changed are drawn again: of a click's time, letters cost the most.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.patches import FancyBboxPatch
from matplotlib.text import Text
from matplotlib.transforms import Bbox, Transform, TransformedBbox

from mvcalc_jax.plots.sandpit import colour_of
from mvcalc_jax.plots.style import BLUE, GOLD, GREEN, INK, PALE, QUIET, RED, VIOLET
from mvcalc_jax.sandpit.session import RATES
from mvcalc_jax.sandpit.words import Lane, Words, metres, short

BOARD = (920, 640)
PIT = (36, 62, 548, 548)
"""Left, bottom, width and height of the sandpit on the board."""
_LEFT, _RIGHT = 612, 900
_LIST = 474
"""The top of the lists."""
_ROWS, _ROW, _LANE = 13, 15.4, 20
"""Dips in a column, and the distances between lines of dips and of a race."""
_LANES = 10
_STEPPER = 700
_SLIDER = (708, 852)
_SPREAD = 1.11
"""By how much letters may be wider where there are few pixels for them."""
_TONES = {
    "digging": BLUE, "stuck": GOLD, "hurry": RED, "found": GREEN, "lost": RED, "hint": VIOLET, "wrong": GOLD,
}  # fmt: skip
"""The colour of a notice of each kind."""
_ROUND = "round,pad=4"
KEYS = "keys: those in grey, and m for the mode;\ncapitals go back"


Box = tuple[float, float, float, float]
"""Left, bottom, width and height on the board."""


_NOTHING_YET = object()


class Area:
    """A part of the board that is drawn again as a whole, whenever what it shows has changed.

    Args:
        box: left, bottom, width and height.
        to_pixels: from there.
    """

    def __init__(self, box: Box, to_pixels: Transform):
        self._box = TransformedBbox(Bbox.from_bounds(*box), to_pixels)
        self.artists: list[Artist] = []
        self.stale = True
        self._shown: Any = _NOTHING_YET

    def add(self, artist: Any) -> Any:
        """Take in an artist, which the figure then no longer draws by itself."""
        artist.set_animated(True)
        artist.set_clip_on(True)
        if isinstance(artist, Text):  # what went beyond would stay there when the area is drawn again
            artist.set_clip_box(self._box)
        self.artists.append(artist)
        return artist

    def pixels(self) -> Bbox:
        """All pixels that it touches."""
        return Bbox([np.floor(self._box.min), np.ceil(self._box.max)])

    def turns(self, shown: Any) -> bool:
        """Whether it has shown anything else so far; if so, it is stale."""
        if shown == self._shown:
            return False
        self._shown, self.stale = shown, True
        return True


class Panel:
    """The board on its Axes, which cover the figure.

    Args:
        ax: to draw on.
        modes: names of the buttons in a row.
        dips: allowed in a game.
        buttons: whether there is anything to press; a picture of a game has nothing.
    """

    def __init__(self, ax: Axes, modes: Sequence[str], dips: int, buttons: bool = True):
        ax.set(xlim=(0, BOARD[0]), ylim=(0, BOARD[1]))
        ax.set_axis_off()
        self._ax, self._modes, self._buttons = ax, tuple(modes), buttons
        self._controls: dict[str, Box] = {}
        self.areas: list[Area] = []
        self._title()
        self._counter(dips)
        self._lists()
        if buttons:
            self._choices()
            self._slider()
            self._actions()
        else:
            area = self._notes_area = self._area((_LEFT - 4, PIT[1], _RIGHT - _LEFT + 8, 200))
            self._notes = self._write(area, _LEFT, PIT[1], 9, va="bottom", linespacing=1.5)

    def _title(self) -> None:
        self._write(None, PIT[0], 624, 12, text="The sandpit", fontweight="bold")
        self._code_area = self._area((PIT[0] + 110, 614, PIT[2] - 104, 18))
        self._code = self._write(self._code_area, PIT[0] + PIT[2], 623, 8.5, color=QUIET, ha="right")
        self._about_area = self._area((PIT[0] - 4, 4, _LEFT - PIT[0] + 2, 38))
        self._about = self._write(self._about_area, PIT[0], 23, 9, linespacing=1.3)

    def _counter(self, dips: int) -> None:
        area = self._counter_area = self._area((_LEFT - 4, 588, _RIGHT - _LEFT + 10, 48))
        self._left = self._write(area, _LEFT, 622, 17, fontweight="bold")
        self._left_words = self._write(area, _LEFT + 40, 619, 9.5)
        self._score = self._write(area, _RIGHT, 619, 9.5, ha="right", fontweight="bold")
        across = np.linspace(_LEFT + 4, _RIGHT - 4, dips)
        self._pips = area.add(self._ax.scatter(across, [598] * dips, s=22, linewidths=0, zorder=3))
        area = self._message_area = self._area((_LEFT - 2, 509, _RIGHT - _LEFT + 6, 74))
        self._rounded(None, (_LEFT, 512, _RIGHT - _LEFT, 68), PALE)
        self._edge = area.add(
            self._ax.add_patch(FancyBboxPatch((_LEFT, 512), 3, 68, boxstyle="square,pad=0", lw=0))
        )
        self._message = self._write(area, _LEFT + 14, 546, 9, linespacing=1.3)

    def _lists(self) -> None:
        area = self._heads_area = self._area((_LEFT - 4, _LIST, _RIGHT - _LEFT + 10, 18))
        small = {"color": QUIET, "size": 7.5, "y": _LIST + 9}
        columns = [(22, "dip"), (76, "depth"), (126, "slope"), (172, "dip"), (226, "depth"), (276, "slope")]
        self._heads = [self._write(area, _LEFT + x, text=word, ha="right", **small) for x, word in columns]
        columns = [
            (16, "left", "strategy"),
            (142, "right", "dips"),
            (196, "right", "depth"),
            (206, "left", "ended"),
        ]
        self._lane_heads = [
            self._write(area, _LEFT + x, text=word, ha=ha, **small) for x, ha, word in columns
        ]
        self._rows = [self._row(k) for k in range(2 * _ROWS)]
        self._lanes = [self._lane(k) for k in range(_LANES)]

    def _row(self, k: int) -> tuple[Area, Any, list[Any]]:
        left, y = _LEFT + 150 * (k // _ROWS), _LIST - 8 - _ROW * (k % _ROWS)
        area = self._area((left - 3, y - 8, 134, 15.4))
        best = self._rounded(area, (left - 1, y - 7, 130, 14), "#f6e2b8", "round,pad=2", 2)
        quiet = {"color": QUIET, "ha": "right"}
        number = self._write(area, left + 22, y, 8.5, text=str(k + 1), **quiet)
        depth = self._write(area, left + 76, y, 8.5, ha="right")
        return area, best, [number, depth, self._write(area, left + 126, y, 8.5, **quiet)]

    def _lane(self, k: int) -> tuple[Area, Any, list[Any]]:
        y = _LIST - 10 - _LANE * k
        area = self._area((_LEFT - 3, y - 9, _RIGHT - _LEFT + 9, 18))
        flag = area.add(self._ax.scatter([_LEFT + 6], [y], s=42, linewidths=0, zorder=3))
        columns = [(16, "left", INK), (142, "right", INK), (196, "right", INK), (206, "left", QUIET)]
        return area, flag, [self._write(area, _LEFT + x, y, 8.5, ha=ha, color=c) for x, ha, c in columns]

    def _choices(self) -> None:
        area = self._mode_area = self._area((_LEFT - 3, 237, _RIGHT - _LEFT + 6, 28))
        width = (_RIGHT - _LEFT) / len(self._modes)
        for k, mode in enumerate(self._modes):
            self._press(f"mode:{mode}", (_LEFT + k * width, 240, width - 4, 22))
        self._lit = self._rounded(area, (_LEFT, 240, width - 4, 22), INK)
        self._mode_words = {
            mode: self._write(area, _LEFT + k * width + width / 2 - 2, 250.5, 8.5, ha="center", text=mode)
            for k, mode in enumerate(self._modes)
        }
        self._values = {}
        for y, name, key in ((204, "scenario", "c"), (175, "floor", "f"), (146, "strategy", "s")):
            self._label(y + 11, name, key)
            self._press(f"{name}:back", (_STEPPER, y, 26, 22), "◀", 7)
            self._press(f"{name}:on", (_RIGHT - 30, y, 26, 22), "▶", 7)
            area = self._area((_STEPPER + 29, y, _RIGHT - _STEPPER - 62, 22))
            self._values[name] = area, self._write(area, (_STEPPER + _RIGHT - 4) / 2, y + 11, 9, ha="center")

    def _slider(self) -> None:
        self._label(128, "rate", "← →")
        self._controls["rate"] = (_STEPPER - 4, 115, _SLIDER[1] - _STEPPER + 12, 26)
        self._ax.plot(_SLIDER, [128, 128], color=QUIET, linewidth=2.5, solid_capstyle="round", zorder=1)
        area = self._rate_area = self._area((_STEPPER - 2, 117, _RIGHT - _STEPPER + 4, 22))
        self._knob = area.add(
            self._ax.scatter([0], [128], s=70, edgecolors="white", linewidths=1.2, zorder=3)
        )
        self._rate = self._write(area, _RIGHT - 4, 128, 9, ha="right")

    def _actions(self) -> None:
        width = (_RIGHT - _LEFT) / 4
        actions = [
            ("new", "New pit", "n"),
            ("again", "Again", "a"),
            ("hint", "Hint −3", "h"),
            ("reveal", "Reveal", "r"),
        ]
        for k, (name, words, key) in enumerate(actions):
            self._press(name, (_LEFT + k * width, 70, width - 4, 30), words, 8.5)
            self._write(None, _LEFT + k * width + width / 2 - 2, 58, 8, text=key, color=QUIET, ha="center")
        self._write(None, _LEFT, 22, 8, text=KEYS, color=QUIET, linespacing=1.4)

    def _area(self, box: Box) -> Area:
        self.areas.append(Area(box, self._ax.transData))
        return self.areas[-1]

    def _write(
        self, area: Area | None, x: float, y: float, size: float, *, text: str = "", **look: Any
    ) -> Any:
        look = {
            "va": "center",
            "color": INK,
            "zorder": 3,
            "parse_math": False,
        } | look  # a file may be called a$b$
        artist = self._ax.text(x, y, text, fontsize=size, **look)
        return artist if area is None else area.add(artist)

    def _rounded(self, area: Area | None, box: Box, color: str, style: str = _ROUND, pad: float = 4) -> Any:
        left, bottom, width, height = box
        corner, sides = (left + pad, bottom + pad), (width - 2 * pad, height - 2 * pad)
        shape = FancyBboxPatch(corner, *sides, boxstyle=style, facecolor=color, lw=0, zorder=1)
        self._ax.add_patch(shape)
        return shape if area is None else area.add(shape)

    def _label(self, y: float, name: str, key: str) -> None:
        self._write(None, _LEFT, y, 9, text=name)
        self._write(None, _STEPPER - 10, y, 8, text=key, color=QUIET, ha="right")

    def _press(self, name: str, box: Box, words: str = "", size: float = 9) -> None:
        self._controls[name] = box
        self._rounded(None, box, PALE)
        left, bottom, width, height = box
        self._write(None, left + width / 2, bottom + height / 2 - 0.5, size, text=words, ha="center")

    def at(self, x: float, y: float) -> str | None:
        """The name of what is pressed at a point of the board, if anything is."""
        for name, (left, bottom, width, height) in self._controls.items():
            if left <= x <= left + width and bottom <= y <= bottom + height:
                return name
        return None

    def buttons(self) -> dict[str, tuple[float, float]]:
        """The middle of everything that can be pressed, by name."""
        boxes = self._controls.items()
        return {
            name: (left + width / 2, bottom + height / 2) for name, (left, bottom, width, height) in boxes
        }

    def show(self, words: Words) -> None:
        """Set what moves."""
        if self._code_area.turns(words.code):
            self._code.set_text(words.code)
        if self._about_area.turns(words.about):
            self._about.set_text(_lines(words.about, _LEFT - PIT[0] - 4, 9, 2))
        if self._counter_area.turns((words.left, words.score)):
            self._left.set_text(str(words.left))
            self._left_words.set_text("dip left" if words.left == 1 else "dips left")
            self._left_words.set_x(_LEFT + (40 if words.left > 9 else 24))
            self._score.set_text(words.score)
            color = RED if words.left <= 3 else BLUE
            pips = range(len(self._pips.get_offsets()))
            self._pips.set_facecolor([color if k < words.left else PALE for k in pips])
        if self._message_area.turns(words.notice):
            self._message.set_text(_lines(words.notice.words, _RIGHT - _LEFT - 24, 9, 4))
            self._edge.set_facecolor(_TONES[words.notice.kind])
        self._show_dips(words.dips, bool(words.lanes))
        self._show_lanes(words.lanes)
        if self._buttons:
            self._show_switches(words)
        elif self._notes_area.turns(words.notes):
            self._notes.set_text("\n".join(words.notes))

    def _show_dips(self, dips: Sequence[tuple[float, float]], race: bool) -> None:
        steep = any(np.isfinite(slope) for _, slope in dips)
        shown = [not race and len(dips) > _ROWS * (k // 3) and (steep or k % 3 < 2) for k in range(6)]
        if self._heads_area.turns((race, shown)):
            for head, visible in zip(self._heads, shown, strict=True):
                head.set_visible(visible)
            for head in self._lane_heads:
                head.set_visible(race)
            for area, *_ in (*self._rows, *self._lanes):
                area.stale = True  # they lie on each other
        lowest = min((depth for depth, _ in dips if np.isfinite(depth)), default=np.inf)
        for k, (area, best, texts) in enumerate(self._rows):
            row = dips[k] if k < len(dips) and not race else None
            if not area.turns((row and tuple(map(metres, row)), row and row[0] == lowest)):
                continue
            best.set_visible(bool(row and row[0] == lowest))
            for text in texts:
                text.set_visible(row is not None)
            if row:
                texts[1].set_text(metres(row[0]))
                texts[2].set_text(f"{row[1]:.2f}" if np.isfinite(row[1]) else "")

    def _show_lanes(self, lanes: Sequence[Lane]) -> None:
        for k, (area, flag, texts) in enumerate(self._lanes):
            lane = lanes[k] if k < len(lanes) else None
            if not area.turns(lane and lane._replace(depth=round(lane.depth, 2))):
                continue
            for artist in (flag, *texts):
                artist.set_visible(lane is not None)
            if lane:
                flag.set_facecolor(colour_of(lane.strategy))
                said = (short(lane.strategy), str(lane.dips), metres(lane.depth), lane.ended)
                for text, word in zip(texts, said, strict=True):
                    text.set_text(word)

    def _show_switches(self, words: Words) -> None:
        if self._mode_area.turns(words.mode):
            left, bottom, width, height = self._controls[f"mode:{words.mode}"]
            self._lit.set_bounds(left + 4, bottom + 4, width - 8, height - 8)
            for mode, text in self._mode_words.items():
                text.set_color("white" if mode == words.mode else INK)
        for name, (area, text) in self._values.items():
            if area.turns((words.chosen[name], name in words.idle)):
                text.set(text=words.chosen[name], color=QUIET if name in words.idle else INK)
        quiet = "rate" in words.idle
        if self._rate_area.turns((words.rate, words.rate_words, quiet)):
            low, high = np.log(RATES)
            share = float(np.clip((np.log(words.rate) - low) / (high - low), 0, 1))
            self._knob.set_offsets([(_SLIDER[0] + share * (_SLIDER[1] - _SLIDER[0]), 128)])
            self._knob.set_facecolor(QUIET if quiet else RED)
            self._rate.set(text=words.rate_words, color=QUIET if quiet else INK)


def rate_at(x: float) -> float:
    """The learning rate at a place on the slider, to two digits."""
    low, high = np.log(RATES)
    share = np.clip((x - _SLIDER[0]) / (_SLIDER[1] - _SLIDER[0]), 0, 1)
    return float(f"{np.exp(low + share * (high - low)):.2g}")


def _lines(words: str, room: float, size: float, most: int) -> str:
    """Words in lines as long as there is room on the board for a font of a size, and no more lines than `most`."""
    ems, lines = room * 0.72 / size / _SPREAD, [""]
    for word in words.split(" "):
        longer = f"{lines[-1]} {word}".lstrip()
        if _width(longer) <= ems:
            lines[-1] = longer
            continue
        if lines[-1]:
            lines.append("")
        for letter in word:  # a word may be the path of a file, and longer than a line
            if _width(lines[-1] + letter) > ems:
                lines.append("")
            lines[-1] += letter
    return "\n".join(lines if len(lines) <= most else [*lines[: most - 1], f"{lines[most - 1][:-2]} …"])


def _width(words: str) -> float:
    """In units of the font's size."""
    return sum(map(_advance, words))


@cache
def _advance(letter: str) -> float:
    font = get_font(findfont(FontProperties()))
    font.set_size(100, 72)
    return font.load_char(ord(letter)).linearHoriAdvance / 65536 / 100
