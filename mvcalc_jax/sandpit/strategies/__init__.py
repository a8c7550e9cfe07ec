"""Strategies: where to dig next, from what the last dip told.

strategy  a pair of pure functions, and the programs compiled from them
steps     the package's own, by name
trust     Newton's method in a trust region
own       a player's own, FILE.py:f, run in a process beside the game
worker    that process
walks     the dips of a strategy from one start, and why it ended
"""

from mvcalc_jax.sandpit.strategies.own import own_strategy as own_strategy
from mvcalc_jax.sandpit.strategies.steps import STRATEGIES as STRATEGIES
from mvcalc_jax.sandpit.strategies.strategy import Strategy as Strategy
from mvcalc_jax.sandpit.strategies.walks import End as End
from mvcalc_jax.sandpit.strategies.walks import Walk as Walk
from mvcalc_jax.sandpit.strategies.walks import walk as walk
