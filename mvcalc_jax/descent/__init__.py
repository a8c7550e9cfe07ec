"""Descents: rules that turn a Jacobian into a step, and the one compiled loop that takes the steps.

    steepest  p ← p − ηJ, with the course's multiplicative noise
    proven    the same, with a rate that is proven at every step
    newton    p ← p − H⁻¹J
    baseline  optax's optimisers in the same loop
    rules     all of them by name
    loop      compiled chunks, and what the host does between them
    ahead     chunks sent off before the one before is looked at
    advance   what is compiled
    members   the members of an ensemble, on all cores or devices
    problem   what is descended, and whether it fits together
    draws     noise and mini-batches, numbered by step
    result    State, Trace, Result and Status: what every descent returns
    progress  the progress bar

It knows no model: a descent is given a Jacobian and parameters.
"""

from mvcalc_jax.descent.baseline import optax_descent as optax_descent
from mvcalc_jax.descent.baseline import optax_rule as optax_rule
from mvcalc_jax.descent.loop import ChunkOptions as ChunkOptions
from mvcalc_jax.descent.loop import Options as Options
from mvcalc_jax.descent.loop import begin as begin
from mvcalc_jax.descent.loop import chunks as chunks
from mvcalc_jax.descent.loop import collect as collect
from mvcalc_jax.descent.loop import descend as descend
from mvcalc_jax.descent.newton import newton as newton
from mvcalc_jax.descent.problem import Rule as Rule
from mvcalc_jax.descent.progress import progress_bar as progress_bar
from mvcalc_jax.descent.proven import proven as proven
from mvcalc_jax.descent.result import Result as Result
from mvcalc_jax.descent.result import State as State
from mvcalc_jax.descent.result import Status as Status
from mvcalc_jax.descent.result import Stream as Stream
from mvcalc_jax.descent.result import Trace as Trace
from mvcalc_jax.descent.result import Watcher as Watcher
from mvcalc_jax.descent.result import apart as apart
from mvcalc_jax.descent.rules import RULES as RULES
from mvcalc_jax.descent.rules import rule as rule
from mvcalc_jax.descent.steepest import stability_limit as stability_limit
from mvcalc_jax.descent.steepest import steepest as steepest
from mvcalc_jax.descent.steepest import steepest_descent as steepest_descent

__all__ = [
    "steepest_descent",
    "optax_descent",
    "Result",
    "Status",
    "Trace",
    "State",
    "stability_limit",
    "RULES",
    "rule",
    "Rule",
    "steepest",
    "proven",
    "newton",
    "optax_rule",
    "descend",
    "Options",
    "ChunkOptions",
    "begin",
    "chunks",
    "collect",
    "Stream",
    "Watcher",
    "apart",
    "progress_bar",
]
