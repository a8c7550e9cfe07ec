"""The sandpit in a notebook: a pit below its cell, to be clicked in. ipympl brings the clicks."""

import importlib
from typing import TYPE_CHECKING, Any

from mvcalc_jax.sandpit.rules import Game

if TYPE_CHECKING:
    from mvcalc_jax.sandpit.view import Pit


def play(game: Game | None = None) -> "Pit":
    """A pit that a notebook shows, as the last line of a cell: click in it to dig.

    What was dug is in `.game`, such as `pit.game.history`. In a terminal there is `mvcalc sandpit`.

    Args:
        game: to begin with; a new one on the floor "wells" unless given.

    Raises:
        ImportError: where there is no ipympl.
    """
    try:
        widgets: Any = importlib.import_module("ipympl.backend_nbagg")
    except ImportError:
        raise ImportError(
            "clicks in a notebook need ipympl: run `%pip install ipympl`, and load the notebook's page anew"
        ) from None
    from matplotlib.figure import Figure  # loaded by those who play

    from mvcalc_jax.sandpit.view import SIZE, Pit

    canvas = widgets.Canvas(Figure(figsize=SIZE, dpi=100))
    canvas.toolbar_visible = canvas.header_visible = canvas.footer_visible = False
    manager = widgets.FigureManager(canvas, 0)
    manager.set_window_title("The sandpit")
    canvas.mpl_disconnect(manager.key_press_handler_id)  # whose keys would save, zoom and close
    return Pit(canvas.figure, game, say=lambda line: None)  # for the board says it all
