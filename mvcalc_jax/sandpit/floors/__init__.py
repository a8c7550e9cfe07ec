"""Floors of the sandpit: families of formulas with coefficients, in metres.

family     a formula, its derivatives by hand, and the programs compiled from them
course     the course's five: wells, random, eggbox, rocks, narrow
lessons    four that each teach one thing: valley, plateau, saddle, cliff
survey     the lie of a floor: its minima, and where it is lowest and highest
scaled     a formula in metres, with its minima and the phone
own        the player's own, FILE.py:f
catalogue  floors by name and seed
"""

from mvcalc_jax.sandpit.floors.catalogue import FLOORS as FLOORS
from mvcalc_jax.sandpit.floors.catalogue import floor as floor
from mvcalc_jax.sandpit.floors.family import Family as Family
from mvcalc_jax.sandpit.floors.own import own_floor as own_floor
from mvcalc_jax.sandpit.floors.scaled import NEAR as NEAR
from mvcalc_jax.sandpit.floors.scaled import PHONE as PHONE
from mvcalc_jax.sandpit.floors.scaled import TOP as TOP
from mvcalc_jax.sandpit.floors.scaled import Floor as Floor
