"""Functions of one and several variables, and their slopes.

slope  rise over run: forward and central differences
"""

from mvcalc_jax.calculus.slope import central_difference as central_difference
from mvcalc_jax.calculus.slope import forward_difference as forward_difference
