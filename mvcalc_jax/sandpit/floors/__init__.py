"""Floors of the sandpit: families of formulas with coefficients, in metres.

family   a formula, its derivatives by hand, and the programs compiled from them
course   the course's five: wells, random, eggbox, rocks, narrow
lessons  four that each teach one thing: valley, plateau, saddle, cliff
scaled   a formula in metres, with its minima and the phone
own      the player's own, FILE.py:f
"""

from mvcalc_jax.sandpit.floors.scaled import FLOORS as FLOORS
from mvcalc_jax.sandpit.floors.scaled import NEAR as NEAR
from mvcalc_jax.sandpit.floors.scaled import PHONE as PHONE
from mvcalc_jax.sandpit.floors.scaled import TOP as TOP
from mvcalc_jax.sandpit.floors.scaled import Floor as Floor
from mvcalc_jax.sandpit.floors.scaled import floor as floor
