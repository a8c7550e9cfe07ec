"""The sandpit: a phone lies at the lowest point of a hidden floor, and each dip tells depth and slope.

floors      families of floors, in metres, with their minima
strategies  where to dig next, from what the last dip told
rules       the game without a screen
"""

from mvcalc_jax.sandpit.floors import FLOORS as FLOORS
from mvcalc_jax.sandpit.floors import Floor as Floor
from mvcalc_jax.sandpit.floors import floor as floor
from mvcalc_jax.sandpit.rules import MODES as MODES
from mvcalc_jax.sandpit.rules import Dip as Dip
from mvcalc_jax.sandpit.rules import Game as Game
from mvcalc_jax.sandpit.rules import State as State
from mvcalc_jax.sandpit.rules import Status as Status
from mvcalc_jax.sandpit.strategies import STRATEGIES as STRATEGIES
from mvcalc_jax.sandpit.strategies import Strategy as Strategy
from mvcalc_jax.sandpit.strategies import Walk as Walk
from mvcalc_jax.sandpit.strategies import walk as walk
