"""A session at the sandpit, without a screen: the game, those before it, and everything that can be pressed.

    mode:NAME  mode:on     mode:back         new     again    hint
    floor:on   floor:back  strategy:on …     reveal           scenario:on …

Once the floor is shown nothing is lost any more: in the modes automatic and race a click then shows where strategies go
from there, and so does another learning rate.
"""

import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mvcalc_jax import text
from mvcalc_jax.sandpit import words
from mvcalc_jax.sandpit.ahead import Ahead
from mvcalc_jax.sandpit.floors import FLOORS
from mvcalc_jax.sandpit.rules import Game
from mvcalc_jax.sandpit.scenarios import SCENARIOS
from mvcalc_jax.sandpit.state import DIPS, HINT, MODES, RACERS
from mvcalc_jax.sandpit.strategies import STRATEGIES, End, Walk, walk
from mvcalc_jax.sandpit.words import Notice, Words

RATES = (0.01, 10.0)
"""The least and the greatest learning rate that can be chosen."""
_STEP = 1.25
"""From one learning rate to the next by the arrow keys."""


class Session:
    """A game, and all that were played before it.

    Args:
        game: to begin with.
        say: takes each line that is said beside the picture.
        ended: is told of each game that is over.
        ahead: computes beside the game; unless given, the player waits.
        scenario: the name of the one that the game belongs to, if it does.

    Attributes:
        game: that is played now.
        games: all that were, this one too.
        ways: of strategies, on the floor that is shown, by the last click; empty while one digs.
    """

    def __init__(
        self,
        game: Game,
        *,
        say: Callable[[str], None] = print,
        ended: Callable[[Game], None] = lambda game: None,
        ahead: Ahead | None = None,
        scenario: str = "",
    ):
        self.game, self.games, self.scenario = game, [game], scenario
        self.ways: tuple[Walk, ...] = ()
        self._say, self._ended, self._ahead = say, ended, ahead
        self._floors = list(dict.fromkeys([*FLOORS, game.state.floor]))
        self._strategies = list(dict.fromkeys([*STRATEGIES, game.state.strategy]))
        self._notice: Notice | None = None
        self._race()
        game.floor.look(np.array([3.0, 3.0]))  # compiled before the first click, which need not wait for it

    def attempt(self, action: Callable[..., None], *args: Any) -> None:
        """Do something for the player. What is wrong with it is said, and the game goes on."""
        self._notice = None
        self.disturb()
        try:
            action(*args)
        except ValueError as error:
            self._notice = Notice(words.sentence(text.first_line(error)), "wrong")
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            self._notice = Notice(
                f"An error inside: {type(error).__name__}: {text.first_line(error)}", "wrong"
            )

    def disturb(self) -> None:
        """The player is there: what is computed beside the game waits a while."""
        if self._ahead:
            self._ahead.disturbed()

    def dig(self, point: tuple[float, float]) -> None:
        """Dig at a point, and say what came of it; once the floor is shown, see where it leads."""
        game = self.game
        if game.over:
            self._explore(point)
            return
        before, hints = len(game.history), HINT * len(game.state.hints)
        game.dip(point)
        for k, dip in enumerate(game.history[before:], before + 1):
            self._say(words.dug(k, dip, DIPS - hints - k))
        for way in game.walks:
            self._say(words.walked(way))
            if way.end is End.RAISED:
                self._notice = Notice(words.sentence(words.told(way)), "wrong")
        self._end()

    def _explore(self, point: Sequence[float]) -> None:
        state = self.game.state
        if state.mode not in ("automatic", "race"):
            raise ValueError("this game is over: press n for a new pit, or a to dig this one again")
        names = (state.strategy,) if state.mode == "automatic" else state.racers
        self.ways = tuple(
            walk(self.game.floor, self.game.strategy(name), point, DIPS - 1, state.learning_rate)
            for name in names
        )
        self._notice = Notice(words.explored(self.ways), "digging")

    def _end(self) -> None:
        if self.game.over:
            self._say(words.ended(self.game, self.par))
            self._ended(self.game)

    def press(self, name: str) -> None:
        """Do what a button says.

        Raises:
            ValueError: where the rules do not allow it.
        """
        state = self.game.state
        what, _, way = name.partition(":")
        step = {"on": 1, "back": -1}.get(way, 0)
        if what == "new":
            self._begin(seed=state.seed + (":" not in state.floor))  # a floor of the player's own is but one
        elif what == "again":
            self._begin(self.scenario)
        elif what == "hint":
            told = self.game.hint()
            self._notice = Notice(words.sentence(told.sentence), "hint")
            self._say(f"hint: {told.sentence}; {text.counted(self.game.left, 'dip')} left")
        elif what == "reveal" and not self.game.over:
            self.game.reveal()
            self._end()
        elif what == "mode":
            self._begin(mode=_next(MODES, state.mode, step) if step else way)
        elif what == "floor":
            self._begin(floor=_next(self._floors, state.floor, step), seed=0)
        elif what == "strategy":
            self._use(strategy=_next(self._strategies, state.strategy, step))
        elif what == "scenario":
            self._play(_next(["", *SCENARIOS], self.scenario, step))

    def _begin(self, scenario: str = "", **changes: Any) -> None:
        """Another game, like this one but for some changes."""
        before, state = self.game, self.game.state
        floor, mode, seed, strategy, rate = (
            changes.get(what, getattr(state, what))
            for what in ("floor", "mode", "seed", "strategy", "learning_rate")
        )
        game = before.another(floor, mode, seed)
        game.use(strategy, rate)
        self.game, self.scenario, self.ways = game, scenario, ()
        self._race()
        self.games = [game for game in self.games if game.history] + [self.game]
        self._say(f"{words.begun(self.game)}{f': {self._lesson}' if scenario else ''}")

    def _play(self, name: str) -> None:
        if not name:
            self._begin()
            return
        s = SCENARIOS[name]
        self._begin(
            name, floor=s.floor, seed=s.seed, mode=s.mode, strategy=s.strategy, learning_rate=s.learning_rate
        )

    def _race(self) -> None:
        """Whoever was chosen takes part in a race."""
        state = self.game.state
        if state.mode == "race":
            self.game.use(learning_rate=state.learning_rate, racers=(*state.racers, state.strategy))

    def _use(self, strategy: str | None = None, rate: float | None = None) -> None:
        """Another strategy, at its own learning rate, or another learning rate, from now on."""
        racers = (*RACERS, strategy) if strategy else None
        self.game.use(strategy, rate, racers)
        if self.ways:
            self._explore(self.ways[0].positions[0])

    @property
    def rate(self) -> float:
        """The learning rate."""
        state = self.game.state
        return self.game.strategy(state.strategy).rate(state.learning_rate)

    def set_rate(self, rate: float) -> None:
        """Choose a learning rate, for the dips to come."""
        self._use(rate=float(np.clip(rate, *RATES)))

    def turn_rate(self, up: bool) -> None:
        """The next learning rate, or the one before."""
        self.set_rate(float(f"{self.rate * (_STEP if up else 1 / _STEP):.2g}"))

    @property
    def par(self) -> int | None:
        """The par of this pit; None until it is known."""
        return self._ahead.par(self.game.floor) if self._ahead else self.game.par

    def news(self) -> bool:
        """Whether something has become known beside the game since this was asked last."""
        return self._ahead is not None and self._ahead.news()

    @property
    def starts(self) -> tuple[tuple[float, float], ...]:
        """Where the scenario asks the player to dig."""
        return SCENARIOS[self.scenario].starts if self.scenario else ()

    @property
    def _lesson(self) -> str:
        return SCENARIOS[self.scenario].sentence if self.scenario else ""

    def words(self) -> Words:
        """What the board says."""
        game, state = self.game, self.game.state
        fresh = not (game.history or game.over)
        standing = (words.RINGS if self.starts else words.WELCOME) if fresh else words.standing(game)
        strategy, race = game.strategy(state.strategy), state.mode == "race"
        idle = {"strategy", "rate"} if state.mode in ("gradient", "depth") else set()
        if state.mode == "automatic" and strategy.learning_rate is None:
            idle = {"rate"}
        return Words(
            code=game.code or f"{words.short(state.floor)} · {state.mode}",
            about=self._lesson or words.sentence(game.floor.title),
            left=game.left,
            score=words.score(game, self.par),
            notice=self._notice or Notice(standing, game.status.name.lower()),
            dips=[(dip.depth, float(np.hypot(*dip.gradient))) for dip in game.history],
            lanes=words.lanes(self.ways or game.walks) if race else (),
            mode=state.mode,
            chosen={
                "scenario": self.scenario or "–",
                "floor": words.short(state.floor),
                "strategy": words.short(state.strategy),
            },
            idle=frozenset(idle),
            rate=self.rate,
            rate_words="own" if race and state.learning_rate is None else f"{self.rate:g}",
            notes=words.notes(game),
        )


def _next(names: Sequence[str], now: str, step: int) -> str:
    return names[(names.index(now) + step) % len(names)]
