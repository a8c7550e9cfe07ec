"""The sandpit on a figure: one class on matplotlib's events, the same in a window, in a notebook and on a page.

A click digs; everything else is pressed, on the board or on the keyboard:

    m  mode       f  floor         n  new pit       h  hint, for three dips
    c  scenario   s  strategy      a  again         r  reveal       ← →  learning rate

Capitals go back. Once the floor is shown nothing is lost any more: in the modes automatic and race a click then shows
where the strategies go from there, and so does the slider.
"""

import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.backend_bases import MouseButton
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from mvcalc_jax import text
from mvcalc_jax.plots.style import BLUE, GOLD, GREEN, INK, QUIET, RED, VIOLET, style
from mvcalc_jax.sandpit import rules
from mvcalc_jax.sandpit.floors import FLOORS
from mvcalc_jax.sandpit.panel import BOARD, PIT, RATES, Area, Lane, Panel, Words, metres, rate_at
from mvcalc_jax.sandpit.rules import DIPS, MODES, Dip, Game, Status
from mvcalc_jax.sandpit.scene import BOX, Below, Marks, Scene, Way
from mvcalc_jax.sandpit.strategies import STRATEGIES, End, Walk, walk

SCENARIOS: Any = {}

SIZE = (BOARD[0] / 100, BOARD[1] / 100)
"""Inches, of a figure that the board fits."""
WELCOME = "Click on the sand to dig. The phone lies at the deepest point, 9 m down."
FREE = "–"
"""In place of a scenario's name."""
_TONES = {
    Status.DIGGING: BLUE, Status.STUCK: GOLD, Status.HURRY: RED, Status.FOUND: GREEN, Status.LOST: RED,
}  # fmt: skip
_COLORS = {
    "gradient": RED, "momentum": GOLD, "adam": VIOLET, "trust-region": BLUE, "newton": INK, "hybrid": GREEN,
    "line-search": "#c26b2e", "constant": QUIET,
}  # fmt: skip
_OWN = "#d977ae"
"""The colour of a strategy of the player's own."""
_GRID = 121
_KEYS = {
    "m": "mode", "f": "floor", "s": "strategy", "c": "scenario", "n": "new", "a": "again", "h": "hint", "r": "reveal",
}  # fmt: skip
_ENDED = {
    End.FOUND: "found it", End.STUCK: "stopped", End.LEFT: "left the pit", End.NOT_FINITE: "not finite",
    End.RAISED: "failed", End.USED_UP: "used up",
}  # fmt: skip


@dataclass(frozen=True)
class Notice:
    """Something to say until the next thing happens."""

    words: str
    tone: str


class Pit:
    """A game on a figure, and all games that follow it there.

    Args:
        figure: an empty one, of `SIZE` or in proportion.
        game: to begin with.
        say: takes each line that is said beside the picture.
        buttons: whether there is anything to press.
        scenario: the name of the one that the game belongs to, if it does.

    Attributes:
        game: that is played now.
        games: all that were, this one too.
    """

    def __init__(
        self,
        figure: Figure,
        game: Game | None = None,
        *,
        say: Callable[[str], None] = print,
        buttons: bool = True,
        scenario: str = "",
    ):
        self.figure, self.game, self.say = figure, game or Game(), say
        self.games = [self.game]
        self._floors = list(dict.fromkeys([*FLOORS, self.game.state.floor]))
        self._strategies = list(dict.fromkeys([*STRATEGIES, self.game.state.strategy]))
        self._scenario = scenario
        self._notice: Notice | None = None
        self._explored: tuple[Walk, ...] = ()
        self._below: tuple[Game, Below] | None = None
        self._sliding = False
        self._still: list[Any] = []
        self._drawn_at = (0, 0)
        with style():
            self._board = figure.add_axes((0, 0, 1, 1))
            self._ax = figure.add_axes(tuple(np.divide(PIT, BOARD * 2)))
            self._panel = Panel(self._board, MODES, DIPS, buttons)
            self._scene = Scene(self._ax)
        self._areas = [self._scene.area, *self._panel.areas]
        self._sizes = [(words, words.get_fontsize()) for words in figure.findobj(Text)]
        for event, handle in {
            "button_press_event": self._on_press,
            "motion_notify_event": self._on_move,
            "button_release_event": self._on_release,
            "key_press_event": self._on_key,
            "draw_event": self._on_draw,
            "resize_event": self._on_resize,
        }.items():
            figure.canvas.mpl_connect(event, handle)
        self._place()
        self.game.floor.look(np.array([3.0, 3.0]))  # compiled before the first click, which need not wait for it
        self.show()

    # What happens

    def dig(self, point: tuple[float, float]) -> None:
        """Dig at a point, and say what came of it."""
        game = self.game
        if game.over:
            self._explore(point)
            return
        before, hints = len(game.history), len(game.state.hints)
        game.dip(point)
        self._notice = next((Notice(w.message, RED) for w in game.walks if w.end is End.RAISED), None)
        for k, dip in enumerate(game.history[before:], before + 1):
            self.say(spoken(k, dip, DIPS - rules.HINT * hints - k))
        for way in game.walks:
            self.say(f"  {way.message}; {text.counted(way.dips, 'dip')}, {metres(way.depths[-1])} m")
        self._end()

    def _explore(self, point: tuple[float, float]) -> None:
        """Once the floor is shown: where the strategies go from a point."""
        state = self.game.state
        if state.mode not in ("automatic", "race"):
            raise ValueError("this game is over: press n for a new pit, or a to dig this one again")
        names = (state.strategy,) if state.mode == "automatic" else state.racers
        self._explored = tuple(
            walk(self.game.floor, self.game._strategy(name), point, DIPS - 1, state.learning_rate)
            for name in names
        )
        found = sorted((way.dips, way.strategy) for way in self._explored if way.found)
        words = f"{found[0][1]} finds the phone with {text.counted(found[0][0], 'dip')}" if found else "none finds the phone"
        self._notice = Notice(sentence(self._explored[0].message if len(names) == 1 else f"from there {words}"), BLUE)

    def hint(self) -> None:
        """Tell a square in which the phone is, for three dips."""
        told = self.game.hint()
        self._notice = Notice(sentence(told.sentence), VIOLET)
        self.say(f"hint: {told.sentence}; {text.counted(self.game.left, 'dip')} left")

    def reveal(self) -> None:
        """Show what lies below, and end the game."""
        if not self.game.over:
            self.game.reveal()
            self._end()

    def _end(self) -> None:
        if self.game.over:
            self.say(result(self.game))

    def begin(self, scenario: str = "", **changes: Any) -> None:
        """Begin another game, like this one but for some changes to floor, mode, seed, strategy or learning rate."""
        state = self.game.state
        settings = {
            "floor": state.floor, "mode": state.mode, "seed": state.seed,
            "strategy": state.strategy, "learning_rate": state.learning_rate,
        } | changes  # fmt: skip
        self.game = Game(**settings)
        self._race()
        self._scenario, self._explored, self._notice = scenario, (), None
        self.games = [game for game in self.games if game.history] + [self.game]
        self.say(f"{begun(self.game)}{f': {self._lesson}' if scenario else ''}")

    def _race(self) -> None:
        """Whoever was chosen takes part in a race."""
        state = self.game.state
        if state.mode == "race":
            racers = tuple(dict.fromkeys((*rules.RACERS, state.strategy)))
            self.game.use(learning_rate=state.learning_rate, racers=racers)

    def choose(self, strategy: str) -> None:
        """Have another strategy dig from now on, at its own learning rate."""
        self.game.use(strategy)
        self._race()
        self._again()

    def set_rate(self, rate: float) -> None:
        """Have strategies dig at another learning rate from now on."""
        self.game.use(learning_rate=float(np.clip(rate, *RATES)))
        self._again()

    def _again(self) -> None:
        if self.game.over and self._explored:
            self._explore(tuple(self._explored[0].positions[0]))

    @property
    def _lesson(self) -> str:
        return SCENARIOS[self._scenario].sentence if self._scenario else ""

    def press(self, name: str) -> None:
        """Do what a button says: new, again, hint, reveal, mode:NAME, or mode, floor, strategy or scenario with :on
        or :back."""
        state = self.game.state
        what, _, way = name.partition(":")
        step = {"on": 1, "back": -1}.get(way, 0)
        if what == "new":
            self.begin(seed=state.seed + 1)
        elif what == "again":
            self.begin(self._scenario)
        elif what == "hint":
            self.hint()
        elif what == "reveal":
            self.reveal()
        elif what == "mode":
            self.begin(mode=_next(MODES, state.mode, step) if step else way)
        elif what == "floor":
            self.begin(floor=_next(self._floors, state.floor, step), seed=0)
        elif what == "strategy":
            self.choose(_next(self._strategies, state.strategy, step))
        elif what == "scenario":
            self._play(_next(["", *SCENARIOS], self._scenario, step))

    def _play(self, name: str) -> None:
        if not name:
            self.begin()
            return
        s = SCENARIOS[name]
        self.begin(
            name, floor=s.floor, seed=s.seed, mode=s.mode, strategy=s.strategy, learning_rate=s.learning_rate
        )

    # What is seen

    def show(self) -> None:
        """Bring the figure up to date."""
        game, state = self.game, self.game.state
        self._panel.show(self._words())
        ways = self._explored or (game.walks if state.mode == "race" else ())
        dips = game.history
        self._scene.show(
            Marks(
                np.array([(dip.x, dip.y) for dip in dips]).reshape(-1, 2),
                np.array([dip.depth for dip in dips]),
                np.array([dip.arrow for dip in dips]).reshape(-1, 2),
                [bool(dip.by) for dip in dips[1:]],
            ),
            ways=[Way(way.positions, _COLORS.get(way.strategy, _OWN)) for way in ways],
            starts=np.array(SCENARIOS[self._scenario].starts).reshape(-1, 2) if self._scenario else np.empty((0, 2)),
            squares=[(h.x, h.y) for h in (rules.hint(game.floor, k + 1) for k in range(len(state.hints)))],
            below=self._revealed() if game.over else None,
        )
        self._refresh()

    def _revealed(self) -> Below:
        if self._below is None or self._below[0] is not self.game:
            along = np.linspace(0, BOX, _GRID)
            grid = np.stack(np.meshgrid(along, along), axis=-1).reshape(-1, 2)
            floor = self.game.floor
            self._below = self.game, Below(floor.heights(grid).reshape(_GRID, _GRID), floor.minima)
        return self._below[1]

    def _words(self) -> Words:
        game, state = self.game, self.game.state
        notice = self._notice or Notice(said(game) if game.history or game.over else self._lesson or WELCOME, _TONES[game.status])
        strategy = self.game._strategy(state.strategy)
        idle = {"gradient": {"strategy", "rate"}, "depth": {"strategy", "rate"}}.get(state.mode, set())
        if state.mode == "automatic" and strategy.learning_rate is None:
            idle = {"rate"}
        own = state.learning_rate is None
        return Words(
            code=f"{state.floor} · {state.mode} · seed {state.seed}",
            about=sentence(game.floor.title),
            left=game.left,
            score="",
            message=notice.words,
            tone=notice.tone,
            dips=[(dip.depth, float(np.hypot(*dip.gradient))) for dip in game.history],
            lanes=_lanes(self._explored or game.walks) if state.mode == "race" else (),
            mode=state.mode,
            chosen={"scenario": self._scenario or FREE, "floor": Path(state.floor).name, "strategy": Path(state.strategy).name},
            idle=frozenset(idle),
            rate=strategy.rate(state.learning_rate),
            rate_words="own" if own and state.mode == "race" else f"{strategy.rate(state.learning_rate):g}",
        )

    def describe(self) -> dict[str, Any]:
        """What is seen, for those who cannot see it, and for programs."""
        game, words = self.game, self._words()
        left, bottom, width, height = PIT
        across, up = BOARD
        return {
            "told": words.message,
            "floor": game.state.floor, "seed": game.state.seed, "mode": game.state.mode,
            "strategy": game.state.strategy, "rate": words.rate, "scenario": self._scenario,
            "left": game.left, "over": game.over, "status": game.status.name.lower(),
            "dips": [[dip.x, dip.y, dip.depth] for dip in game.history],
            "games": len(self.games),
            "pit": [left / across, 1 - (bottom + height) / up, (left + width) / across, 1 - bottom / up],
            "buttons": {name: [x / across, 1 - y / up] for name, (x, y) in self._panel.buttons().items()},
        }  # fmt: skip

    def _refresh(self) -> None:
        """Draw what has changed where that is possible, else everything soon."""
        canvas: Any = self.figure.canvas
        if not (self._still and canvas.supports_blit and self._drawn_at == canvas.get_width_height()):
            canvas.draw_idle()
            return
        stale = [(area, still) for area, still in zip(self._areas, self._still, strict=True) if area.stale]
        for _, still in stale:
            canvas.restore_region(still)
        self._draw(area for area, _ in stale)
        canvas.blit(self.figure.bbox)

    def _draw(self, areas: Iterable[Area]) -> None:
        for area in areas:
            area.stale = False
            for artist in sorted(area.artists, key=lambda artist: artist.get_zorder()):
                self.figure.draw_artist(artist)

    def _on_draw(self, event: Any) -> None:
        canvas: Any = self.figure.canvas
        if canvas.is_saving():  # then everything is drawn by itself
            return
        if canvas.supports_blit:
            self._still = [canvas.copy_from_bbox(self._pixels(area.box)) for area in self._areas]
            self._drawn_at = canvas.get_width_height()
        self._draw(self._areas)

    def _pixels(self, box: tuple[float, float, float, float]) -> Bbox:
        left, bottom, width, height = box
        low, high = self._board.transData.transform([(left, bottom), (left + width, bottom + height)])
        return Bbox([np.floor(low), np.ceil(high)])

    def _place(self) -> None:
        """Show the board as large as the figure allows, and its words in proportion."""
        size = self.figure.bbox.size
        scale = min(np.divide(size, BOARD))
        shares = np.tile(np.multiply(BOARD, scale) / size, 2)
        corner = (1 - shares[:2]) / 2
        for ax, box in ((self._board, (0, 0, *BOARD)), (self._ax, PIT)):
            left, bottom, width, height = np.divide(box, BOARD * 2) * shares
            ax.set_position((left + corner[0], bottom + corner[1], width, height))
        for words, points in self._sizes:
            words.set_fontsize(points * scale * 100 / self.figure.dpi)

    def _on_resize(self, event: Any) -> None:
        self._still = []
        self._place()
        self.figure.canvas.draw_idle()

    # Mouse and keys

    def _on_press(self, event: Any) -> None:
        if event.button != MouseButton.LEFT or not self.figure.canvas.widgetlock.available(self):
            return
        x, y = self._board.transData.inverted().transform((event.x, event.y))
        name = self._panel.at(x, y)
        inside = event.inaxes is self._ax
        if name == "rate":
            self._sliding = True
            self._try(lambda: self.set_rate(rate_at(x)))
        elif name:
            self._try(lambda: self.press(name))
        elif inside and not event.dblclick:  # whose first half has dug already
            self._try(lambda: self.dig(self._point(event)))

    def _point(self, event: Any) -> tuple[float, float]:
        x, y = self._ax.transData.inverted().transform((event.x, event.y))
        return float(np.clip(x, 0, BOX)), float(np.clip(y, 0, BOX))

    def _on_move(self, event: Any) -> None:
        if self._sliding:
            x, _ = self._board.transData.inverted().transform((event.x, event.y))
            self._try(lambda: self.set_rate(rate_at(x)))

    def _on_release(self, event: Any) -> None:
        self._sliding = False

    def _on_key(self, event: Any) -> None:
        key = event.key or ""
        name = _KEYS.get(key.lower()) if len(key) == 1 else None
        if key in ("left", "right"):
            state = self.game.state
            rate = self.game._strategy(state.strategy).rate(state.learning_rate)
            self._try(lambda: self.set_rate(float(f"{rate * (1.25 if key == 'right' else 0.8):.2g}")))
        elif name in ("mode", "floor", "strategy", "scenario"):
            self._try(lambda: self.press(f"{name}:{'back' if key.isupper() else 'on'}"))
        elif name and not key.isupper():
            self._try(lambda: self.press(name))

    def _try(self, action: Callable[[], None]) -> None:
        """Do something for the player; what is wrong with it is said, and the game goes on."""
        self._notice = None
        try:
            action()
        except ValueError as error:
            self._notice = Notice(sentence(text.first_line(error)), GOLD)
        except Exception as error:
            traceback.print_exc()
            self._notice = Notice(f"an error inside: {type(error).__name__}: {text.first_line(error)}", RED)
        self.show()


def spoken(number: int, dip: Dip, left: int) -> str:
    """A dip in a line."""
    slope = f", slope ({dip.gradient[0]:.2f}, {dip.gradient[1]:.2f})" if np.isfinite(dip.gradient).all() else ""
    by = f" by {dip.by}" if dip.by else ""
    where = f"dip {number}{by} at ({dip.x:.2f}, {dip.y:.2f}): {dip.depth:.2f} m{slope}"
    return f"{where}; {dip.status}; {text.counted(max(left, 0), 'dip')} left"


def begun(game: Game) -> str:
    """A game that begins, in a line."""
    state = game.state
    return f"a new pit: floor {state.floor}, seed {state.seed}, mode {state.mode}"


def result(game: Game) -> str:
    """A game that is over, in a line."""
    return game.message


def said(game: Game) -> str:
    """How a game stands, in a sentence for the board, on which the dips that are left are counted anyhow."""
    state, status = game.state, game.status
    if state.note and (state.mode == "race" or status is Status.DIGGING):
        return sentence(state.note)
    if status is Status.HURRY:
        return f"Hurry: {text.counted(game.left, 'dip')} left."
    return sentence(game.message if game.over else status)


def sentence(words: str) -> str:
    """Words that begin with a capital and end with a full stop."""
    words = words[:1].upper() + words[1:]
    return words if words.endswith((".", "!", "?", "…")) else f"{words}."


def _next(names: Sequence[str], now: str, step: int) -> str:
    return names[(names.index(now) + step) % len(names)]


def _lanes(walks: Iterable[Walk]) -> list[Lane]:
    """How strategies fared: first those that found the phone, by their dips, then by depth."""
    order = sorted(walks, key=lambda w: (not w.found, w.dips if w.found else 0, w.depths[-1]))
    return [
        Lane(Path(w.strategy).name, _COLORS.get(w.strategy, _OWN), w.dips, float(w.depths[-1]), _ENDED[w.end])
        for w in order
    ]
