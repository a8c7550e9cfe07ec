"""The sandpit: a phone lies at the lowest point of a hidden floor, and each dip tells depth and slope.

Its parts, and what is in them:

    floors      families of floors, in metres, with their minima
    strategies  where to dig next, from what the last dip told
    state       the state of a game, and the rules
    contest     many walks at once: who finds the phone, from where, how fast
    saved       games as text
    rules       the game without a screen
    scenarios   the course's lessons as set pieces
    ahead       what will be wanted, computed beside the game
    words       what is said of a game
    session     games one after the other, and all that can be pressed
    panel       the board beside the pit: this, and what is below, imports matplotlib
    scene       what is drawn in the pit
    view        a session on a figure, by matplotlib's events
    notebook    play: such a figure below a notebook's cell
    pictures    a game as a picture, and as an animation
    page        a figure on a page, and what comes back from there
    served      a window where there is one, else a page
"""

from mvcalc_jax.sandpit.contest import ENDS as ENDS
from mvcalc_jax.sandpit.contest import STARTS as STARTS
from mvcalc_jax.sandpit.contest import basins as basins
from mvcalc_jax.sandpit.contest import compete as compete
from mvcalc_jax.sandpit.floors import FLOORS as FLOORS
from mvcalc_jax.sandpit.floors import Floor as Floor
from mvcalc_jax.sandpit.floors import floor as floor
from mvcalc_jax.sandpit.floors import own_floor as own_floor
from mvcalc_jax.sandpit.notebook import play as play
from mvcalc_jax.sandpit.rules import Game as Game
from mvcalc_jax.sandpit.scenarios import SCENARIOS as SCENARIOS
from mvcalc_jax.sandpit.scenarios import Scenario as Scenario
from mvcalc_jax.sandpit.state import MODES as MODES
from mvcalc_jax.sandpit.state import Dip as Dip
from mvcalc_jax.sandpit.state import State as State
from mvcalc_jax.sandpit.state import Status as Status
from mvcalc_jax.sandpit.strategies import STRATEGIES as STRATEGIES
from mvcalc_jax.sandpit.strategies import Strategy as Strategy
from mvcalc_jax.sandpit.strategies import Walk as Walk
from mvcalc_jax.sandpit.strategies import own_strategy as own_strategy
from mvcalc_jax.sandpit.strategies import walk as walk

__all__ = [
    "Game",
    "Dip",
    "State",
    "Status",
    "MODES",
    "floor",
    "Floor",
    "FLOORS",
    "own_floor",
    "walk",
    "Walk",
    "Strategy",
    "STRATEGIES",
    "own_strategy",
    "compete",
    "basins",
    "STARTS",
    "ENDS",
    "Scenario",
    "SCENARIOS",
]
