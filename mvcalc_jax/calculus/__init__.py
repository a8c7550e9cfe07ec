"""Functions of one and several variables, and their slopes.

slope  rise over run: forward and central differences
roots  all roots of a system of equations that many starts lead to
point  a function of several numbers or of one vector, as a function of one vector
variables     partial, total and directional derivatives, Jacobians, Hessians, gradient fields
coordinates   polar, spherical and other coordinates, with their Jacobians, determinants and inverses
change        a change of variables at one point
areas         what a change of variables does to areas and volumes
matrix_chain  the chain rule with matrices, factor by factor
"""

from mvcalc_jax.calculus.areas import areas as areas
from mvcalc_jax.calculus.areas import refined_areas as refined_areas
from mvcalc_jax.calculus.areas import shrinking_cell as shrinking_cell
from mvcalc_jax.calculus.change import change_of_variables as change_of_variables
from mvcalc_jax.calculus.coordinates import COORDINATES as COORDINATES
from mvcalc_jax.calculus.coordinates import Coordinates as Coordinates
from mvcalc_jax.calculus.matrix_chain import matrix_chain as matrix_chain
from mvcalc_jax.calculus.slope import central_difference as central_difference
from mvcalc_jax.calculus.slope import forward_difference as forward_difference
from mvcalc_jax.calculus.variables import directional_derivative as directional_derivative
from mvcalc_jax.calculus.variables import gradient_field as gradient_field
from mvcalc_jax.calculus.variables import hessian as hessian
from mvcalc_jax.calculus.variables import jacobian as jacobian
from mvcalc_jax.calculus.variables import partial as partial
from mvcalc_jax.calculus.variables import total_derivative as total_derivative
