"""Functions of one and several variables, and their slopes.

slope  rise over run: forward and central differences
roots  all roots of a system of equations that many starts lead to
"""

from mvcalc_jax.calculus.slope import central_difference as central_difference
from mvcalc_jax.calculus.slope import forward_difference as forward_difference
