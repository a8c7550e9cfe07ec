"""Functions of one and several variables: slopes, rules, critical points, roots, extrema under constraints.

Its parts, and what is in them:

    slopes       derivatives of one variable from values of f alone, each with its own error bar
    rules        (f, f′) pairs, and the rules that build them from others, formulas and all
    tracing      trace_rules: which rule is applied at each step of any function
    worked       the course's functions with their derivatives in closed form
    variables    partial, total and directional derivatives, changes of variables, the chain rule with matrices
    multistart   all roots of a system of equations that many starts lead to
    rounding     what rounding makes of a function: it is computed again with other last places
    stationary   critical_points: where the gradient vanishes, and what the function does there
    rootfinding  newton: a root to the last digit, or the reason why there is none; basins
    constraints  lagrange: extrema on constraints, their multipliers, and what moving the constraint is worth
"""

from mvcalc_jax.calculus.constraints.extrema import Extrema as Extrema
from mvcalc_jax.calculus.constraints.extrema import Irregular as Irregular
from mvcalc_jax.calculus.constraints.extrema import Point as Point
from mvcalc_jax.calculus.constraints.following import Curve as Curve
from mvcalc_jax.calculus.constraints.following import Shadow as Shadow
from mvcalc_jax.calculus.constraints.following import constraint_curves as constraint_curves
from mvcalc_jax.calculus.constraints.following import shadows as shadows
from mvcalc_jax.calculus.constraints.lagrange import lagrange as lagrange
from mvcalc_jax.calculus.rootfinding.basins import Basins as Basins
from mvcalc_jax.calculus.rootfinding.basins import basins as basins
from mvcalc_jax.calculus.rootfinding.classics import FRACTALS as FRACTALS
from mvcalc_jax.calculus.rootfinding.classics import NEWTON_EXAMPLES as NEWTON_EXAMPLES
from mvcalc_jax.calculus.rootfinding.classics import Search as Search
from mvcalc_jax.calculus.rootfinding.classics import newton_endings as newton_endings
from mvcalc_jax.calculus.rootfinding.classics import newton_errors as newton_errors
from mvcalc_jax.calculus.rootfinding.classics import newton_searches as newton_searches
from mvcalc_jax.calculus.rootfinding.newton import newton as newton
from mvcalc_jax.calculus.rootfinding.outcome import Root as Root
from mvcalc_jax.calculus.rootfinding.trail import Walk as Walk
from mvcalc_jax.calculus.rootfinding.trail import iterate as iterate
from mvcalc_jax.calculus.rules import Pair as Pair
from mvcalc_jax.calculus.slopes.bounds import ErrorModel as ErrorModel
from mvcalc_jax.calculus.slopes.bounds import error_model as error_model
from mvcalc_jax.calculus.slopes.complexstep import complex_step as complex_step
from mvcalc_jax.calculus.slopes.estimates import Estimate as Estimate
from mvcalc_jax.calculus.slopes.extrapolation import ridders as ridders
from mvcalc_jax.calculus.slopes.hard import SLOPE_EXAMPLES as SLOPE_EXAMPLES
from mvcalc_jax.calculus.slopes.slope import SLOPE_METHODS as SLOPE_METHODS
from mvcalc_jax.calculus.slopes.slope import autodiff_slope as autodiff_slope
from mvcalc_jax.calculus.slopes.slope import central_difference as central_difference
from mvcalc_jax.calculus.slopes.slope import central_slope as central_slope
from mvcalc_jax.calculus.slopes.slope import derivative as derivative
from mvcalc_jax.calculus.slopes.slope import forward_difference as forward_difference
from mvcalc_jax.calculus.slopes.slope import forward_slope as forward_slope
from mvcalc_jax.calculus.stationary.critical import critical_points as critical_points
from mvcalc_jax.calculus.stationary.degenerate import along_valley as along_valley
from mvcalc_jax.calculus.stationary.kinds import CriticalPoint as CriticalPoint
from mvcalc_jax.calculus.stationary.kinds import CriticalPoints as CriticalPoints
from mvcalc_jax.calculus.stationary.surfaces import SURFACES as SURFACES
from mvcalc_jax.calculus.tracing import Trace as Trace
from mvcalc_jax.calculus.tracing import trace_rules as trace_rules
from mvcalc_jax.calculus.variables.areas import Areas as Areas
from mvcalc_jax.calculus.variables.areas import Convergence as Convergence
from mvcalc_jax.calculus.variables.areas import areas as areas
from mvcalc_jax.calculus.variables.areas import refined_areas as refined_areas
from mvcalc_jax.calculus.variables.areas import shrinking_cell as shrinking_cell
from mvcalc_jax.calculus.variables.change import Change as Change
from mvcalc_jax.calculus.variables.change import Images as Images
from mvcalc_jax.calculus.variables.change import change_of_variables as change_of_variables
from mvcalc_jax.calculus.variables.change import images as images
from mvcalc_jax.calculus.variables.coordinates import COORDINATES as COORDINATES
from mvcalc_jax.calculus.variables.coordinates import Coordinates as Coordinates
from mvcalc_jax.calculus.variables.derivatives import Directional as Directional
from mvcalc_jax.calculus.variables.derivatives import Field as Field
from mvcalc_jax.calculus.variables.derivatives import TotalDerivative as TotalDerivative
from mvcalc_jax.calculus.variables.derivatives import directional_derivative as directional_derivative
from mvcalc_jax.calculus.variables.derivatives import gradient_field as gradient_field
from mvcalc_jax.calculus.variables.derivatives import hessian as hessian
from mvcalc_jax.calculus.variables.derivatives import jacobian as jacobian
from mvcalc_jax.calculus.variables.derivatives import partial as partial
from mvcalc_jax.calculus.variables.derivatives import total_derivative as total_derivative
from mvcalc_jax.calculus.variables.matrix_chain import MatrixChain as MatrixChain
from mvcalc_jax.calculus.variables.matrix_chain import matrix_chain as matrix_chain
from mvcalc_jax.calculus.worked import WORKED as WORKED
from mvcalc_jax.calculus.worked import Worked as Worked

__all__ = [
    "derivative",
    "Estimate",
    "ridders",
    "complex_step",
    "forward_difference",
    "central_difference",
    "forward_slope",
    "central_slope",
    "autodiff_slope",
    "SLOPE_METHODS",
    "SLOPE_EXAMPLES",
    "error_model",
    "ErrorModel",
    "Pair",
    "trace_rules",
    "Trace",
    "Worked",
    "WORKED",
    "partial",
    "total_derivative",
    "TotalDerivative",
    "directional_derivative",
    "Directional",
    "jacobian",
    "hessian",
    "gradient_field",
    "Field",
    "change_of_variables",
    "Change",
    "Coordinates",
    "COORDINATES",
    "images",
    "Images",
    "areas",
    "Areas",
    "refined_areas",
    "Convergence",
    "shrinking_cell",
    "matrix_chain",
    "MatrixChain",
    "critical_points",
    "CriticalPoints",
    "CriticalPoint",
    "SURFACES",
    "along_valley",
    "newton",
    "Root",
    "iterate",
    "Walk",
    "basins",
    "Basins",
    "newton_searches",
    "Search",
    "newton_endings",
    "newton_errors",
    "NEWTON_EXAMPLES",
    "FRACTALS",
    "lagrange",
    "Extrema",
    "Point",
    "Irregular",
    "constraint_curves",
    "Curve",
    "shadows",
    "Shadow",
]
