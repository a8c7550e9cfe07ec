"""The state of a game, which never changes, and the rules, which make new ones.

A phone lies at the lowest point of a hidden floor, at −9 m; the highest is at −1 m. A dip within 0.15 m of it wins. One
as near to another minimum says so. 25 dips are allowed, and from the 22nd on there is a hurry; the 26th loses, whoever
digs it, and the floor is shown. A hint costs three dips.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from mvcalc_jax import text
from mvcalc_jax.sandpit.floors import NEAR, Floor
from mvcalc_jax.sandpit.floors.family import BOX
from mvcalc_jax.sandpit.strategies.walks import at_minimum, in_box

MODES = ("gradient", "depth", "automatic", "race")
"""A dip tells depth and gradient; the depth alone; five steps of a strategy follow it; or several strategies race from
it."""
DIPS = 25
"""That are allowed."""
HURRY = 3
"""Dips left from which on there is a hurry."""
HINT = 3
"""Dips that a hint costs."""
STEPS = 5
"""Of a strategy, that follow a dip in automatic mode."""
RACERS = ("gradient", "momentum", "adam", "trust-region")
"""Of a race, unless others are named."""
STEEP = 5.0
"""Metres a metre: the gradient of the longest arrow."""


class Status(StrEnum):
    """How a game stands, as a sentence.

    >>> game = mv.sandpit.Game("wells")
    >>> game.status is mv.sandpit.Status.DIGGING, str(game.dip(game.floor.lowest).status)
    (True, 'the phone is found')
    """

    DIGGING = "keep digging"
    FOUND = "the phone is found"
    STUCK = "level ground, and a hollow, but not the deepest: the phone is elsewhere"
    HURRY = "hurry"
    LOST = "the phone is lost"


class Dip(NamedTuple):
    """One dip: where, how deep the floor is there, its gradient (NaN where the mode does not tell it), how the game
    stood then, and the strategy that made it ("" for the player).

    >>> dip = mv.sandpit.Dip(3.0, 2.0, -2.5, (3.0, -4.0), mv.sandpit.Status.DIGGING)
    >>> dip.arrow.tolist()
    [-0.6, 0.8]
    """

    x: float
    y: float
    depth: float
    gradient: tuple[float, float]
    status: Status
    by: str = ""

    @property
    def arrow(self) -> Float[np.ndarray, "2"]:
        """The way down, (2,): −∇f/5, and no longer than 1; zero where the floor is level or the mode does not tell."""
        return arrow(np.array(self.gradient))


def arrow(gradient: Float[np.ndarray, "2"]) -> Float[np.ndarray, "2"]:
    """−∇f/5, and no longer than 1."""
    with np.errstate(over="ignore"):
        size = float(np.linalg.norm(gradient))
    return -gradient / max(size, STEEP) if np.isfinite(size) else np.zeros(2)


class Lane(NamedTuple):
    """What came of a strategy in the last race: dips, the depth at the last, whether it found the phone, and why it
    ended."""

    strategy: str
    dips: int
    depth: float
    found: bool
    message: str


class Hint(NamedTuple):
    """A square in which the phone is: its sides along x and y, and that as a sentence."""

    x: tuple[float, float]
    y: tuple[float, float]
    sentence: str


class Revealed(NamedTuple):
    """Where the phone is, its depth, and all minima with theirs, deepest first."""

    phone: tuple[float, float]
    depth: float
    minima: Float[np.ndarray, "m 2"]
    depths: Float[np.ndarray, " m"]


@dataclass(frozen=True)
class State:
    """All there is to know of a game, but for the floor, which follows from the first two.

    Attributes:
        floor: its name, or FILE.py:f.
        seed: of it.
        mode: one of `MODES`.
        strategy: that follows a dip in automatic mode.
        learning_rate: of all strategies; None for each one's own.
        racers: the strategies of a race.
        dips: all so far.
        hints: for each, after how many dips it was asked for.
        lanes: of the last race.
        note: what a strategy said last.
        revealed: whether the floor was shown before the phone was found.

    >>> game = mv.sandpit.Game("wells")
    >>> _ = game.dip((3.0, 2.0)), game.hint()
    >>> game.state.used, game.state.left, game.state.floor, len(game.state.dips)
    (4, 21, 'wells', 1)
    """

    floor: str = "wells"
    seed: int = 0
    mode: str = "gradient"
    strategy: str = "gradient"
    learning_rate: float | None = None
    racers: tuple[str, ...] = RACERS
    dips: tuple[Dip, ...] = ()
    hints: tuple[int, ...] = ()
    lanes: tuple[Lane, ...] = ()
    note: str = ""
    revealed: bool = False

    @property
    def used(self) -> int:
        """Dips, and what the hints cost."""
        return len(self.dips) + HINT * len(self.hints)

    @property
    def left(self) -> int:
        """Dips that are left."""
        return max(DIPS - self.used, 0)

    @property
    def won(self) -> int | None:
        """The dips of the winner of the last race; None without one."""
        return min((lane.dips for lane in self.lanes if lane.found), default=None)

    @property
    def status(self) -> Status:
        """How the game stands."""
        last = self.dips[-1].status if self.dips else Status.DIGGING
        if self.revealed and last is not Status.FOUND:
            return Status.LOST
        hurry = last is Status.DIGGING and self.left <= HURRY
        return Status.HURRY if hurry else last

    @property
    def over(self) -> bool:
        """Whether there is nothing left to dig for."""
        return self.status in (Status.FOUND, Status.LOST)


def dug(state: State, floor: Floor, point: Any, by: str = "") -> State:
    """The state after one more dip.

    Raises:
        ValueError: where the game is over, or the point is not in the box.
    """
    _require_open(state)
    p = in_box("point", point)
    depth, g, _ = floor.look(p)
    used = state.used + 1
    if used > DIPS:
        status = Status.LOST
    elif np.linalg.norm(p - floor.lowest) <= NEAR:
        status = Status.FOUND
    elif at_minimum(floor, p):
        status = Status.STUCK
    else:
        status = Status.HURRY if DIPS - used <= HURRY else Status.DIGGING
    told = (np.nan, np.nan) if state.mode == "depth" else (float(g[0]), float(g[1]))
    dip = Dip(float(p[0]), float(p[1]), float(depth), told, status, by)
    return replace(state, dips=(*state.dips, dip), note="", lanes=())


def hinted(state: State) -> State:
    """The state after one more hint.

    Raises:
        ValueError: where the game is over, or has too few dips left.
    """
    _require_open(state)
    if state.left < HINT:
        raise ValueError(f"a hint costs {HINT} dips; there are {state.left} left")
    return replace(state, hints=(*state.hints, len(state.dips)))


def shown(state: State) -> State:
    """The state once the floor is shown."""
    return state if state.over else replace(state, revealed=True)


def _require_open(state: State) -> None:
    if state.over:
        raise ValueError(f"this game is over: {state.status}; begin another")


def hint(floor: Floor, number: int) -> Hint:
    """The hint of a number, from 1: a square with the phone in it, of half the sides of the one before."""
    side = float(np.ptp(BOX[0])) / 2**number
    (x, y) = (side * min(int(c / side), 2**number - 1) for c in floor.lowest)
    ends = (x, x + side), (y, y + side)
    words = " and ".join(f"{a:g} ≤ {c} ≤ {b:g}" for c, (a, b) in zip("xy", ends, strict=True))
    return Hint(*ends, f"the phone lies where {words}")


def counted(state: State) -> str:
    """The dips of a game, in words."""
    words = text.counted(state.used, "dip")
    paid = HINT * len(state.hints)
    return f"{words}, {paid} of them for {text.counted(len(state.hints), 'hint')}" if paid else words
