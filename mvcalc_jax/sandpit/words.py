"""What is said of a game: line by line beside the picture, and on its board."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mvcalc_jax import text
from mvcalc_jax.sandpit.rules import Game
from mvcalc_jax.sandpit.state import HINT, Dip, Status
from mvcalc_jax.sandpit.strategies import End, Walk

WELCOME = "Click on the sand to dig. The phone lies at the deepest point, 9 m down."
RINGS = "Click into a ring, and see where it leads."
_ENDED = {
    End.FOUND: "found it", End.STUCK: "stopped", End.LEFT: "left the pit", End.NOT_FINITE: "not finite",
    End.RAISED: "failed", End.USED_UP: "used up",
}  # fmt: skip


class Lane(NamedTuple):
    """How a strategy fared in a race: its dips, the depth it reached, and how it ended."""

    strategy: str
    dips: int
    depth: float
    ended: str


class Notice(NamedTuple):
    """A sentence, and what kind it is of: a `Status`'s name in small letters, hint, or wrong."""

    words: str
    kind: str


class Words(NamedTuple):
    """What the board says.

    Attributes:
        code: by which this pit is shared.
        about: the floor, or the scenario, in a sentence.
        left: how many dips are left.
        score: and par, in a few words.
        notice: what to make of the last dip, or what went wrong.
        dips: of each the depth, and |∇f|, NaN where it is not shown.
        lanes: of a race; shown in place of the dips.
        mode: which of the modes is on.
        chosen: what stands beside scenario, floor and strategy.
        idle: those of them, and the rate, that do nothing in this mode.
        rate: the learning rate.
        rate_words: that, or what stands in its place.
        notes: lines in place of the buttons, where there are none.
    """

    code: str
    about: str
    left: int
    score: str
    notice: Notice
    dips: Sequence[tuple[float, float]]
    lanes: Sequence[Lane]
    mode: str
    chosen: dict[str, str]
    idle: frozenset[str]
    rate: float
    rate_words: str
    notes: Sequence[str]


def begun(game: Game) -> str:
    """A game that begins, in a line."""
    state = game.state
    return f"a new pit: floor {state.floor}, seed {state.seed}, mode {state.mode}"


def dug(number: int, dip: Dip, left: int) -> str:
    """A dip in a line."""
    slope = ", slope ({:.2f}, {:.2f})".format(*dip.gradient) if np.isfinite(dip.gradient).all() else ""
    where = f"dip {number}{f' by {dip.by}' if dip.by else ''} at ({dip.x:.2f}, {dip.y:.2f})"
    return f"{where}: {dip.depth:.2f} m{slope}; {dip.status}; {text.counted(max(left, 0), 'dip')} left"


def walked(way: Walk) -> str:
    """What a strategy did, in a line."""
    return f"  {way.message}; {text.counted(way.dips, 'dip')}, {way.depths[-1]:.2f} m"


def ended(game: Game, par: int | None) -> str:
    """A game that is over, in a line."""
    return game.message + (f"; par is {par}" if par and game.status is Status.FOUND else "")


def explored(ways: Sequence[Walk]) -> str:
    """Where strategies went from a point of a floor that is shown."""
    if len(ways) == 1:
        return sentence(told(ways[0]))
    found = min(((way.dips, way.strategy) for way in ways if way.found), default=None)
    if found is None:
        return "From there no strategy finds the phone."
    return f"From there {found[1]} finds the phone first, with {text.counted(found[0], 'dip')}."


def told(way: Walk) -> str:
    """Why a walk ended, on the board."""
    return way.message.replace(way.strategy, short(way.strategy))


def standing(game: Game) -> str:
    """How a game stands, in a sentence for the board, on which the dips that are left are counted anyhow."""
    state, status = game.state, game.status
    if state.note and (state.mode == "race" or status is Status.DIGGING):
        note = state.note
        for name in (state.strategy, *state.racers):
            note = note.replace(name, short(name))
        return sentence(note)
    if status is Status.HURRY:
        return f"Hurry: {text.counted(game.left, 'dip')} left."
    return sentence(game.message if game.over else status)


def score(game: Game, par: int | None) -> str:
    """Par, and how far above it a game ended."""
    dips = game.score if par and game.over else None
    return f"{abs(dips)} {'over' if dips > 0 else 'under'} par {par}" if dips else f"par {par or '…'}"


def notes(game: Game) -> tuple[str, ...]:
    """What a picture of a game says in place of buttons."""
    state = game.state
    hints = f", {text.counted(len(state.hints), 'hint')} for {HINT * len(state.hints)}" if state.hints else ""
    again = ("", "dig it yourself:", f"mvcalc sandpit --code {game.code}") if game.code else ()
    return (f"{state.mode} mode: {text.counted(len(state.dips), 'dip')}{hints}", *again)


def lanes(ways: Iterable[Walk]) -> list[Lane]:
    """How strategies fared: first those that found the phone, by their dips, then by depth."""
    order = sorted(ways, key=lambda way: (not way.found, way.dips if way.found else 0, way.depths[-1]))
    return [Lane(way.strategy, way.dips, float(way.depths[-1]), _ENDED[way.end]) for way in order]


def short(name: str) -> str:
    """A name, without the folders of a file's."""
    return Path(name).name


def sentence(words: str) -> str:
    """Words that begin with a capital, but for the name of a file, and end with a full stop; points stay together."""
    if ".py:" not in words.partition(" ")[0]:
        words = words[:1].upper() + words[1:]
    words = re.sub(r"(\([^ )]*), ", "\\1,\u00a0", words)
    return words if words.endswith((".", "!", "?", "…")) else f"{words}."


def metres(depth: float) -> str:
    """A depth to the centimetre, with a minus sign."""
    return f"{depth:.2f}".replace("-", "−")
