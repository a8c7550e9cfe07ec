"""Functions of one and several variables, and their slopes.

slope  rise over run: forward and central differences, and derivatives of one variable by five methods
ladder       f seen at every scale, and how it is rounded
estimates    a derivative with its own error bar
extrapolation  Ridders: differences extrapolated to a step of 0
complexstep  an imaginary step, for analytic functions
analytic     is a function analytic, as it is written?
bounds       truncation, round-off, and the best step
hard         twelve functions that are hard to differentiate by differences
roots  all roots of a system of equations that many starts lead to
point  a function of several numbers or of one vector, as a function of one vector
variables     partial, total and directional derivatives, Jacobians, Hessians, gradient fields
coordinates   polar, spherical and other coordinates, with their Jacobians, determinants and inverses
change        a change of variables at one point, and at many
areas         what a change of variables does to areas and volumes
matrix_chain  the chain rule with matrices, factor by factor
lagrange      extrema under constraints: stationary points, multipliers, verdicts, shadow prices
multipliers   where constraints are met, and where multipliers hold the gradient on them
bordered      what a stationary point on a constraint is, and the price of the constraint there
constrained   the search for extrema on a constraint
extrema       what is found of them, and how the search ended
following     a constraint's curve, and a stationary point as the constraint moves
rules         (f, f′) pairs, and the rules that build them from others, formulas and all
tracing       trace_rules: which rule is applied at each step of any function
worked        the course's functions with their derivatives in closed form
newton        roots by Newton's method, with the reason where there is none
outcome       what is found of a root: status, error, multiplicity, trace
trail         Newton's steps, compiled once
portrait      root, pole, jump or nothing: what f looks like about a point
endings       why a search found no root: cycles, divergence, flat tangents, edges
floors        minima of |f| that are not zero
basins        which root every start leads to
classics      functions at which Newton's method does something worth seeing
"""

from mvcalc_jax.calculus.areas import areas as areas
from mvcalc_jax.calculus.areas import refined_areas as refined_areas
from mvcalc_jax.calculus.areas import shrinking_cell as shrinking_cell
from mvcalc_jax.calculus.basins import Basins as Basins
from mvcalc_jax.calculus.basins import basins as basins
from mvcalc_jax.calculus.bounds import error_model as error_model
from mvcalc_jax.calculus.change import change_of_variables as change_of_variables
from mvcalc_jax.calculus.change import images as images
from mvcalc_jax.calculus.classics import FRACTALS as FRACTALS
from mvcalc_jax.calculus.classics import NEWTON_EXAMPLES as NEWTON_EXAMPLES
from mvcalc_jax.calculus.classics import newton_endings as newton_endings
from mvcalc_jax.calculus.classics import newton_errors as newton_errors
from mvcalc_jax.calculus.classics import newton_searches as newton_searches
from mvcalc_jax.calculus.complexstep import complex_step as complex_step
from mvcalc_jax.calculus.coordinates import COORDINATES as COORDINATES
from mvcalc_jax.calculus.coordinates import Coordinates as Coordinates
from mvcalc_jax.calculus.estimates import Estimate as Estimate
from mvcalc_jax.calculus.extrapolation import ridders as ridders
from mvcalc_jax.calculus.extrema import Extrema as Extrema
from mvcalc_jax.calculus.extrema import vector as vector
from mvcalc_jax.calculus.following import constraint_curves as constraint_curves
from mvcalc_jax.calculus.following import shadows as shadows
from mvcalc_jax.calculus.hard import SLOPE_EXAMPLES as SLOPE_EXAMPLES
from mvcalc_jax.calculus.lagrange import lagrange as lagrange
from mvcalc_jax.calculus.matrix_chain import matrix_chain as matrix_chain
from mvcalc_jax.calculus.newton import newton as newton
from mvcalc_jax.calculus.outcome import Root as Root
from mvcalc_jax.calculus.rules import Pair as Pair
from mvcalc_jax.calculus.slope import SLOPE_METHODS as SLOPE_METHODS
from mvcalc_jax.calculus.slope import autodiff_slope as autodiff_slope
from mvcalc_jax.calculus.slope import central_difference as central_difference
from mvcalc_jax.calculus.slope import central_slope as central_slope
from mvcalc_jax.calculus.slope import derivative as derivative
from mvcalc_jax.calculus.slope import forward_difference as forward_difference
from mvcalc_jax.calculus.slope import forward_slope as forward_slope
from mvcalc_jax.calculus.tracing import Trace as Trace
from mvcalc_jax.calculus.tracing import trace_rules as trace_rules
from mvcalc_jax.calculus.trail import iterate as iterate
from mvcalc_jax.calculus.variables import directional_derivative as directional_derivative
from mvcalc_jax.calculus.variables import gradient_field as gradient_field
from mvcalc_jax.calculus.variables import hessian as hessian
from mvcalc_jax.calculus.variables import jacobian as jacobian
from mvcalc_jax.calculus.variables import partial as partial
from mvcalc_jax.calculus.variables import total_derivative as total_derivative
from mvcalc_jax.calculus.worked import WORKED as WORKED
from mvcalc_jax.calculus.worked import Worked as Worked
