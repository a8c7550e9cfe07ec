"""The sandpit on a figure: one class on matplotlib's events, the same in a window, in a notebook and on a page.

A click digs; everything else is pressed, on the board or on the keyboard:

    m  mode       f  floor         n  new pit       h  hint, for three dips
    c  scenario   s  strategy      a  again         r  reveal       ← →  learning rate

Capitals go back.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from matplotlib.backend_bases import MouseButton
from matplotlib.figure import Figure
from matplotlib.text import Text

from mvcalc_jax.plots.style import style
from mvcalc_jax.sandpit.floors.family import SIDE
from mvcalc_jax.sandpit.panel import BOARD, PIT, Area, Panel, rate_at
from mvcalc_jax.sandpit.rules import Game
from mvcalc_jax.sandpit.scene import Below, Marks, Scene
from mvcalc_jax.sandpit.session import Session
from mvcalc_jax.sandpit.state import DIPS, MODES, hint

SIZE = (BOARD[0] / 100, BOARD[1] / 100)
"""Inches, of a figure that the board fits."""
_GRID = 161
"""Points along a side, on which depths are taken for a floor that is shown."""
_KEYS = {
    "m": "mode", "f": "floor", "s": "strategy", "c": "scenario", "n": "new", "a": "again", "h": "hint", "r": "reveal",
}  # fmt: skip


class Pit:
    """A session on a figure.

    Args:
        figure: an empty one, of `SIZE` or in proportion.
        game: to begin with.
        buttons: whether there is anything to press; a picture of a game has nothing.
        **settings: more for `Session`.

    Attributes:
        session: that is played.
    """

    def __init__(self, figure: Figure, game: Game | None = None, *, buttons: bool = True, **settings: Any):
        self.figure = figure
        self.session = Session(game or Game(), **settings)
        self._below: tuple[Game, Below] | None = None
        self._sliding = False
        self._still: list[Any] = []
        self._ground: tuple[Game, Any] | None = None
        self._drawn_at = (0, 0)
        with style():
            self._board = figure.add_axes((0, 0, 1, 1))
            self._ax = figure.add_axes(tuple(np.divide(PIT, BOARD * 2)))
            self._panel = Panel(self._board, MODES, DIPS, buttons)
            self._scene = Scene(self._ax)
        self._areas = [self._scene.area, *self._panel.areas]
        self._sizes = [(words, words.get_fontsize()) for words in figure.findobj(Text)]
        events: list[tuple[Any, Callable[[Any], None]]] = [
            ("button_press_event", self._on_press),
            ("motion_notify_event", self._on_move),
            ("button_release_event", self._on_release),
            ("key_press_event", self._on_key),
            ("draw_event", self._on_draw),
            ("resize_event", self._on_resize),
        ]
        for event, handle in events:
            figure.canvas.mpl_connect(event, handle)
        self._place()
        self.show()

    @property
    def game(self) -> Game:
        """That is played now."""
        return self.session.game

    def _repr_mimebundle_(self, **formats: Any) -> Any:
        """In a notebook, what the figure's canvas shows there, if it is one of ipympl's; but the picture only once."""
        canvas: Any = self.figure.canvas
        if not hasattr(canvas, "_repr_mimebundle_"):
            return None
        return {
            kind: data for kind, data in canvas._repr_mimebundle_(**formats).items() if kind != "text/html"
        }

    def show(self) -> None:
        """Bring the figure up to date."""
        game, session = self.game, self.session
        self._panel.show(session.words())
        dips = game.history
        self._scene.show(
            Marks(
                np.array([(dip.x, dip.y) for dip in dips]).reshape(-1, 2),
                np.array([dip.depth for dip in dips]),
                np.array([dip.arrow for dip in dips]).reshape(-1, 2),
                [bool(dip.by) for dip in dips[1:]],
            ),
            ways=session.ways or (game.walks if game.state.mode == "race" else ()),
            starts=np.array(session.starts).reshape(-1, 2),
            squares=[hint(game.floor, k + 1)[:2] for k in range(len(game.state.hints))],
            below=self._revealed() if game.over else None,
        )
        self._refresh()

    def _revealed(self) -> Below:
        if self._below is None or self._below[0] is not self.game:
            along = np.linspace(0, SIDE, _GRID)
            grid = np.stack(np.meshgrid(along, along), axis=-1).reshape(-1, 2)
            floor = self.game.floor
            self._below = self.game, Below(floor.heights(grid).reshape(_GRID, _GRID), floor.minima)
        return self._below[1]

    def catch_up(self) -> None:
        """Show what has become known beside the game; to be called now and then."""
        if self.session.news():
            self.show()

    def describe(self) -> dict[str, Any]:
        """What is seen, for those who cannot see it, and for programs; places are shares of the figure, from the upper
        left corner."""
        game, words = self.game, self.session.words()
        (left, bottom, width, height), (across, up) = PIT, BOARD
        return {
            "told": words.notice.words,
            "floor": game.state.floor, "seed": game.state.seed, "mode": game.state.mode,
            "strategy": game.state.strategy, "rate": words.rate, "scenario": self.session.scenario,
            "left": game.left, "over": game.over, "status": game.status.name.lower(), "score": words.score,
            "dips": [[dip.x, dip.y, dip.depth] for dip in game.history],
            "lanes": [lane[:3] for lane in words.lanes],
            "games": len(self.session.games),
            "pit": [left / across, 1 - (bottom + height) / up, (left + width) / across, 1 - bottom / up],
            "buttons": {name: [x / across, 1 - y / up] for name, (x, y) in self._panel.buttons().items()},
        }  # fmt: skip

    def _refresh(self) -> None:
        """Draw what has changed, where that is possible; else everything, soon."""
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
            if area is self._scene.area and self.game.over:
                self._draw_ground()
            for artist in sorted(area.artists, key=lambda artist: artist.get_zorder()):
                self.figure.draw_artist(artist)

    def _draw_ground(self) -> None:
        """What lay below, for which there is no need to wait twice."""
        canvas: Any = self.figure.canvas
        if self._ground and self._ground[0] is self.game:
            canvas.restore_region(self._ground[1])
            return
        self._draw([self._scene.ground])
        if canvas.supports_blit:
            self._ground = self.game, canvas.copy_from_bbox(self._scene.ground.pixels())

    def _on_draw(self, event: Any) -> None:
        canvas: Any = self.figure.canvas
        if canvas.is_saving():  # then nothing is left out that would have to be added here
            return
        if canvas.supports_blit:
            self._still = [canvas.copy_from_bbox(area.pixels()) for area in self._areas]
            self._drawn_at = canvas.get_width_height()
        self._ground = None
        self._draw(self._areas)

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

    def _do(self, action: Callable[..., None], *args: Any) -> None:
        self.session.attempt(action, *args)
        self.show()

    def _on_press(self, event: Any) -> None:
        if event.button != MouseButton.LEFT or not self.figure.canvas.widgetlock.available(self):
            return
        x, y = self._board.transData.inverted().transform((event.x, event.y))
        name = self._panel.at(x, y)
        self._sliding = name == "rate"
        if self._sliding:
            self._do(self.session.set_rate, rate_at(x))
        elif name:
            self._do(self.session.press, name)
        elif event.inaxes is self._ax and not event.dblclick:  # whose first half has dug already
            point = np.clip(self._ax.transData.inverted().transform((event.x, event.y)), 0, SIDE)
            self._do(self.session.dig, (float(point[0]), float(point[1])))

    def _on_move(self, event: Any) -> None:
        if self._sliding:
            x, _ = self._board.transData.inverted().transform((event.x, event.y))
            self._do(self.session.set_rate, rate_at(x))

    def _on_release(self, event: Any) -> None:
        self._sliding = False

    def _on_key(self, event: Any) -> None:
        key = event.key or ""
        name = _KEYS.get(key.lower()) if len(key) == 1 else None
        if key in ("left", "right"):
            self._do(self.session.turn_rate, key == "right")
        elif name in ("mode", "floor", "strategy", "scenario"):
            self._do(self.session.press, f"{name}:{'back' if key.isupper() else 'on'}")
        elif name and not key.isupper():
            self._do(self.session.press, name)
