"""The sandpit without a screen: a game holds the state that it is in, and the floor.

What the rules are is said in `state`.
"""

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

from mvcalc_jax import require, text
from mvcalc_jax.atomic import write_text
from mvcalc_jax.sandpit import floors, saved
from mvcalc_jax.sandpit.contest import par
from mvcalc_jax.sandpit.floors import Floor
from mvcalc_jax.sandpit.state import (
    DIPS,
    MODES,
    RACERS,
    STEPS,
    Dip,
    Hint,
    Lane,
    Revealed,
    State,
    Status,
    counted,
    dug,
    hint,
    hinted,
    shown,
)
from mvcalc_jax.sandpit.strategies import STRATEGIES, End, Strategy, Walk, own_strategy, walk


@text.shown
class Game:
    """A game: the state that it is in, and the floor.

    Args:
        floor: one of `floors.FLOORS`, or FILE.py:f.
        mode: one of `MODES`.
        seed: of the floor.
        strategy: that follows each dip in automatic mode: one of `STRATEGIES`, or FILE.py:f.
        learning_rate: of all strategies; None for each one's own.
        racers: the strategies of a race.

    Attributes:
        floor: that is dug.
        state: of the game.
        walks: of the strategies that followed the last dip.

    Raises:
        ValueError: where one of these is not known.

    >>> game = mv.sandpit.Game("wells", mode="gradient", seed=0)
    >>> dip = game.dip((3.0, 2.0))
    >>> round(dip.depth, 2), [round(g, 2) for g in dip.gradient], game.message
    (-2.23, [1.27, -1.39], 'keep digging; 24 dips left')
    >>> mv.sandpit.MODES, game.code, game.par
    (('gradient', 'depth', 'automatic', 'race'), 'wells-0-gradient', 3)
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
        self.state = State(floor, int(seed), mode)
        self.walks: tuple[Walk, ...] = ()
        self._own: dict[str, Strategy] = {}
        self.use(strategy, learning_rate, racers)

    def another(self, floor: str, mode: str, seed: int) -> "Game":
        """Another game of the same player's, whose own strategies need not be loaded again."""
        game = Game(floor, mode, seed)
        game._own = self._own
        return game

    def use(
        self,
        strategy: str | None = None,
        learning_rate: float | None = None,
        racers: tuple[str, ...] | None = None,
    ) -> None:
        """Choose the strategy, the learning rate and the racers of the dips to come.

        Args:
            strategy: in automatic mode; unless given, it stays.
            learning_rate: of all strategies; unless given, each has its own.
            racers: of a race; unless given, they stay.

        Raises:
            ValueError: for a name that is not known, a rate that is not positive, or a race of none.
            TypeError: for racers that are no names.
        """
        strategy = self.state.strategy if strategy is None else strategy
        racers = self.state.racers if racers is None else racers
        if not isinstance(racers, (tuple, list)) or not all(isinstance(name, str) for name in racers):
            raise TypeError(f"`racers` must be a tuple of names of strategies; got {racers!r}")
        racers = tuple(dict.fromkeys(racers))
        if not racers:
            raise ValueError("`racers` must name at least one strategy; got none")
        for name in (strategy, *racers):
            self.strategy(name).rate(learning_rate)
        rate = None if learning_rate is None else float(learning_rate)
        self.state = replace(self.state, strategy=strategy, learning_rate=rate, racers=racers)

    def strategy(self, name: str) -> Strategy:
        """A strategy by its name, or the player's own, FILE.py:f, which is loaded once for a game."""
        if isinstance(name, str) and ":" in name:
            if name not in self._own:
                self._own[name] = own_strategy(name)
            return self._own[name]
        require.one_of("strategy", name, STRATEGIES)
        return STRATEGIES[name]

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
        strategy, start = self.strategy(state.strategy), state.dips[-1]
        way = walk(self.floor, strategy, (start.x, start.y), STEPS, state.learning_rate)
        for p in way.positions[1:]:
            if state.over:
                break
            state = dug(state, self.floor, p, by=strategy.name)
        self.walks = (way,)
        if state.over or way.end is End.USED_UP:
            return state
        return replace(state, note=way.message)

    def _raced(self, state: State) -> State:
        """A race from a dip: each strategy has all its dips, and the first to find the phone wins."""
        if state.over:
            return state
        start = state.dips[-1]
        self.walks = tuple(
            walk(self.floor, self.strategy(name), (start.x, start.y), DIPS - 1, state.learning_rate)
            for name in state.racers
        )
        lanes = tuple(Lane(w.strategy, w.dips, float(w.depths[-1]), w.found, w.message) for w in self.walks)
        state = replace(state, lanes=lanes)
        if state.won is None:
            return replace(state, note="no strategy found the phone from there")
        first = " and ".join(lane.strategy for lane in lanes if lane.found and lane.dips == state.won)
        dips = (*state.dips[:-1], start._replace(status=Status.FOUND))
        return replace(state, dips=dips, note=f"{first} won with {text.counted(state.won, 'dip')}")

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
    def par(self) -> int:
        """The dips that the best strategy needs from nine starts, one after the other; see `contest.par`."""
        return par(self.floor)

    @property
    def score(self) -> int | None:
        """Dips above par, as in golf: less is better, and less than 0 is under par. In a race, those of the winner.
        None until the phone is found."""
        state = self.state
        if state.status is not Status.FOUND:
            return None
        return (state.used if state.won is None else state.won) - self.par

    @property
    def message(self) -> str:
        """How the game stands, in a sentence."""
        state, status = self.state, self.state.status
        x, y = self.floor.lowest
        if status is Status.FOUND:
            words = f"{status} at ({x:.2f}, {y:.2f})"
            words += f", with {counted(state)}" if state.won is None else ""
        elif status is Status.LOST:
            words = f"{status}: it lies at ({x:.2f}, {y:.2f})"
        else:
            words = f"{status}; {text.counted(state.left, 'dip')} left"
        return f"{words}; {state.note}" if state.note else words

    @property
    def code(self) -> str:
        """A text by which the pit can be dug by others, such as random-7-gradient; "" for a floor of the player's
        own."""
        return saved.code(self.state)

    @classmethod
    def from_code(cls, code: str) -> "Game":
        """A game that is begun in the pit of a code.

        Raises:
            ValueError: where it is none.
        """
        return cls(*saved.from_code(code))

    def save(self, path: Path | str) -> None:
        """Write the game as JSON, whole or not at all."""
        write_text(Path(path), saved.written(self.state))

    @classmethod
    def load(cls, path: Path | str, *, trusted: bool = False) -> "Game":
        """The game that was saved, to go on with.

        Args:
            path: of the file.
            trusted: run the files of Python that it names: a floor's or a strategy's of the player's own.

        Raises:
            ValueError: where it is not the file of a game, was changed by hand, or names files that are not trusted.
            OSError: where it cannot be read.
        """
        told = saved.read(Path(path), trusted)
        named = told.state
        game = cls(
            named.floor,
            named.mode,
            named.seed,
            strategy=named.strategy,
            learning_rate=named.learning_rate,
            racers=named.racers,
        )
        game.state = saved.replayed(Path(path), told, game.floor)
        return game

    def summary(self) -> str:
        """The game as a text: what came of it, every dip, and the code of the pit."""
        head, *rest = self._parts()
        lines = [
            head,
            f"par is {self.par}: the dips that the best strategy needs from nine starts, one after the other",
        ]
        if self.score is not None:
            over = f"{text.counted(abs(self.score), 'dip')} {'over' if self.score > 0 else 'under'} par"
            lines.append(over if self.score else "par")
        return text.plain([*lines, "", *rest])

    def _parts(self) -> text.Parts:
        """But for the par, which may take a second."""
        state = self.state
        return [
            f"{state.floor}, seed {state.seed}, {state.mode} mode: {self.message}",
            *([_rows(state)] if state.dips else []),
            *(
                f"{lane.message}: {text.counted(lane.dips, 'dip')}, {lane.depth:.2f} m"
                for lane in state.lanes
            ),
            *([f"the code of this pit is {self.code}"] if self.code else []),
        ]

    def to_csv(self, path: Path | str) -> None:
        """Write a line for each dip."""
        table = io.StringIO()
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(("dip", "x", "y", "depth", "df_dx", "df_dy", "status", "by"))
        for k, d in enumerate(self.state.dips, 1):
            writer.writerow((k, d.x, d.y, d.depth, *d.gradient, d.status.name.lower(), d.by))
        write_text(Path(path), table.getvalue())


def _rows(state: State) -> list[tuple[str, ...]]:
    """A table of the dips."""
    slopes = state.mode != "depth"
    rows = [("dip", "x", "y", "depth", *(["∂f/∂x", "∂f/∂y"] if slopes else []), "", "")]
    for k, d in enumerate(state.dips, 1):
        slope = [f"{g:.2f}" for g in d.gradient] if slopes else []
        rows.append(
            (str(k), f"{d.x:.2f}", f"{d.y:.2f}", f"{d.depth:.2f}", *slope, d.status.name.lower(), d.by)
        )
    return rows
