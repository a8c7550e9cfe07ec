"""The rules of the sandpit, without a screen: where the phone is, and what a dip says of it.

A phone lies at the lowest point of a hidden floor, at −9 m; the highest is at −1 m. A dip within 0.15 m of it wins. One
as near to another minimum says so. 25 dips are allowed, and from the 22nd on there is a hurry; the 26th loses, and
the floor is shown. A hint costs three dips.

A `State` never changes; pure functions make new ones. `Game` holds the one that is.
"""

import csv
import io
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from mvcalc_jax import require
from mvcalc_jax.atomic import write_text
from mvcalc_jax.sandpit import floors
from mvcalc_jax.sandpit.floors import NEAR, Floor
from mvcalc_jax.sandpit.strategies import STRATEGIES, Strategy, Walk, walk
from mvcalc_jax.sandpit.strategies.walk import at_minimum, in_box

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
    """How a game stands, as a sentence."""

    DIGGING = "keep digging"
    FOUND = "you found the phone"
    STUCK = "level ground, and a hollow, but not the deepest: the phone is elsewhere"
    HURRY = "hurry"
    LOST = "the phone is lost"


class Dip(NamedTuple):
    """One dip: where, how deep the floor is there, its gradient (NaN where the mode does not tell it), how the game
    stood then, and the strategy that made it ("" for the player)."""

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
    if state.over:
        raise ValueError(f"this game is over: {state.status}; begin another")
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
    if state.over:
        raise ValueError(f"this game is over: {state.status}; begin another")
    if state.left < HINT:
        raise ValueError(f"a hint costs {HINT} dips, and {state.left} are left")
    return replace(state, hints=(*state.hints, len(state.dips)))


def shown(state: State) -> State:
    """The state once the floor is shown."""
    return state if state.over else replace(state, revealed=True)


def hint(floor: Floor, number: int) -> Hint:
    """The hint of a number, from 1: a square with the phone in it, of half the sides of the one before."""
    side = 6 / 2**number
    (x, y) = (float(side * min(np.floor(c / side), 2**number - 1)) for c in floor.lowest)
    ends = (x, x + side), (y, y + side)
    words = " and ".join(f"{a:g} ≤ {c} ≤ {b:g}" for c, (a, b) in zip("xy", ends, strict=True))
    return Hint(*ends, f"the phone lies where {words}")


class Game:
    """A game: the state that it is in, and the floor.

    Args:
        floor: one of `floors.FLOORS`, or FILE.py:f.
        mode: one of `MODES`.
        seed: of the floor.
        strategy: that follows each dip in automatic mode: one of `STRATEGIES`, or FILE.py:f.
        learning_rate: of all strategies; None for each one's own.
        racers: the strategies of a race.

    Raises:
        ValueError: where one of these is not known.
    """

    def __init__(
        self,
        floor: str = "wells",
        mode: str = "gradient",
        seed: int = 0,
        *,
        strategy: str = "gradient",
        learning_rate: float | None = None,
        racers: tuple[str, ...] = RACERS,
    ):
        require.one_of("mode", mode, MODES)
        self.floor: Floor = floors.floor(floor, seed)
        self.state = State(floor, seed, mode)
        self.walks: tuple[Walk, ...] = ()
        self._own: dict[str, Strategy] = {}
        self.use(strategy, learning_rate, racers)

    def use(
        self,
        strategy: str | None = None,
        learning_rate: float | None = None,
        racers: tuple[str, ...] | None = None,
    ) -> None:
        """Choose the strategy, the learning rate (None for each strategy's own) and the racers of the next dips; what
        is left out of the first and the last stays."""
        strategy = self.state.strategy if strategy is None else strategy
        racers = self.state.racers if racers is None else tuple(racers)
        if not racers:
            raise ValueError("a race must have at least one strategy")
        for name in (strategy, *racers):
            self._strategy(name).rate(learning_rate)
        self.state = replace(self.state, strategy=strategy, learning_rate=learning_rate, racers=racers)

    def dip(self, point: Any) -> Dip:
        """Dig at a point, and let follow what the mode says. The last dip comes back.

        Raises:
            ValueError: where the game is over or the point is not two numbers from 0 to 6; nothing has changed then.
        """
        state = dug(self.state, self.floor, point)
        self.walks = ()
        if self.state.mode == "automatic":
            state = self._followed(state)
        elif self.state.mode == "race":
            state = self._raced(state)
        self.state = state
        return state.dips[-1]

    def _followed(self, state: State) -> State:
        """The five steps of a strategy after a dip, as far as the rules let it."""
        if state.over:
            return state
        strategy, start = self._strategy(state.strategy), state.dips[-1]
        way = walk(self.floor, strategy, (start.x, start.y), STEPS, state.learning_rate)
        for p in way.positions[1:]:
            if state.over:
                break
            state = dug(state, self.floor, p, by=strategy.name)
        self.walks = (way,)
        return replace(state, note=way.message)

    def _raced(self, state: State) -> State:
        """A race from a dip: each strategy has all its dips."""
        if state.over:
            return state
        start, found = state.dips[-1], Status.FOUND
        self.walks = tuple(
            walk(self.floor, self._strategy(name), (start.x, start.y), DIPS - 1, state.learning_rate)
            for name in state.racers
        )
        lanes = tuple(Lane(w.strategy, w.dips, float(w.depths[-1]), w.found, w.message) for w in self.walks)
        winners = [lane for lane in lanes if lane.found]
        if not winners:
            return replace(state, lanes=lanes, note="no strategy found the phone from there")
        least = min(lane.dips for lane in winners)
        first = " and ".join(lane.strategy for lane in winners if lane.dips == least)
        dips = (*state.dips[:-1], start._replace(status=found))
        return replace(state, dips=dips, lanes=lanes, note=f"{first} found the phone with {least} dips")

    def _strategy(self, name: str) -> Strategy:
        require.one_of("strategy", name, STRATEGIES)
        return STRATEGIES[name]

    def hint(self) -> Hint:
        """Say in which square of the sandpit the phone is, in a quarter of it first, then in a quarter of that …; it
        costs three dips.

        Raises:
            ValueError: where the game is over, or fewer dips are left.
        """
        self.state = hinted(self.state)
        return hint(self.floor, len(self.state.hints))

    def reveal(self) -> Revealed:
        """Show where the phone is; a game that was not won is then lost."""
        self.state = shown(self.state)
        f = self.floor
        x, y = (float(c) for c in f.lowest)
        return Revealed((x, y), float(f.depth(f.lowest)), f.minima, f.heights(f.minima))

    @property
    def history(self) -> tuple[Dip, ...]:
        """All dips."""
        return self.state.dips

    @property
    def status(self) -> Status:
        """How the game stands."""
        return self.state.status

    @property
    def left(self) -> int:
        """Dips that are left."""
        return self.state.left

    @property
    def over(self) -> bool:
        """Whether the game is over."""
        return self.state.over

    @property
    def message(self) -> str:
        """How the game stands, in a sentence."""
        state, status = self.state, self.state.status
        x, y = self.floor.lowest
        if status is Status.FOUND:
            words = f"{status} at ({x:.2f}, {y:.2f}), with {state.used} dips"
        elif status is Status.LOST:
            words = f"{status}: it lies at ({x:.2f}, {y:.2f})"
        else:
            words = f"{status}; {state.left} dips left"
        return f"{words}; {state.note}" if state.note else words

    def to_csv(self, path: Path | str) -> None:
        """Write a line for each dip."""
        table = io.StringIO()
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(("dip", "x", "y", "depth", "df_dx", "df_dy", "status", "by"))
        for k, d in enumerate(self.state.dips, 1):
            writer.writerow((k, d.x, d.y, d.depth, *d.gradient, d.status.name.lower(), d.by))
        write_text(Path(path), table.getvalue())
