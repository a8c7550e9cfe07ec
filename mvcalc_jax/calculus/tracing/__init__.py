"""Differentiation watched at work: which rule is applied at each step of a function.

rule        what a rule is: a local derivative, pushed forward or pulled back
elementary  the table of functions that act entry by entry
structural  the table of steps that move, copy, choose and sum entries
table       which rule a step is differentiated by
record      a function taken apart, operation by operation
walk        the chain rule over a record, from either end
words       a trace, and how it is told
trace       trace_rules
"""

from mvcalc_jax.calculus.tracing.table import PRIMITIVES as PRIMITIVES
from mvcalc_jax.calculus.tracing.trace import trace_rules as trace_rules
from mvcalc_jax.calculus.tracing.words import Edge as Edge
from mvcalc_jax.calculus.tracing.words import Input as Input
from mvcalc_jax.calculus.tracing.words import Step as Step
from mvcalc_jax.calculus.tracing.words import Trace as Trace
