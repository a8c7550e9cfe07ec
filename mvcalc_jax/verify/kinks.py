"""Where a function has a kink or a jump, and how far from it the arguments are.

Every operation with two sides – a maximum, an absolute value, a choice by comparison, a rounding – has a margin: how
far its input is from where the sides meet, beside the input's size. At a margin of zero they meet: if the function
bends or jumps there, no derivative is right; if both sides have one slope, as those of a guarded choice may, it is.
"""

from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from mvcalc_jax.jaxprs import equations
from mvcalc_jax.verify.causes.tape import Step, Tape, record
from mvcalc_jax.verify.causes.words import named
from mvcalc_jax.verify.subject import Subject

_NEAR = 1e-6
_BETWEEN = ("max", "min", "gt", "lt", "ge", "le")
_AT_ZERO = ("abs", "sign")
_AT_HALVES = {"floor": 0.0, "ceil": 0.0, "round": 0.5}


def near_kinks(subject: Subject) -> Iterator[str]:
    """The operations whose margin is all but zero, and those of which one side alone is reached."""
    jaxpr = jax.make_jaxpr(subject.flat)(subject.point.leaves, subject.point.others).jaxpr
    if {*_BETWEEN, *_AT_ZERO, *_AT_HALVES}.isdisjoint(e.primitive.name for e in equations(jaxpr)):
        return
    tape = record(subject.flat, subject.point.leaves, subject.point.others)
    for step in tape.steps:
        gap, size = _gap(tape, step)
        if gap is None or not gap.size or not step.line:
            continue
        if np.abs(gap).min() <= _NEAR * size:
            yield f"the two sides of {named(step)} meet at these arguments: is there one derivative?"
        elif (
            step.primitive in ("max", "min", "abs") and gap.size > 1 and ((gap > 0).all() or (gap < 0).all())
        ):
            yield f"one side alone of {named(step)} is reached"


def _gap(tape: Tape, step: Step) -> tuple[Any, float]:
    """How far each entry of a step's input is from where the sides meet, and the input's size; None if it has none."""
    values = [np.asarray(tape.values[n]) for n in step.inputs if hasattr(tape.values[n], "shape")]
    if not values or not all(np.issubdtype(value.dtype, np.floating) for value in values):
        return None, 0.0
    largest = max(float(np.abs(value[np.isfinite(value)]).max(initial=0)) for value in values) or 1.0
    if step.primitive in _BETWEEN and all(np.isfinite(value).all() for value in values):
        return values[0] - values[1], largest
    if step.primitive in _AT_ZERO:
        return values[0], largest
    if step.primitive in _AT_HALVES:
        shifted = values[0] + _AT_HALVES[step.primitive]
        return shifted - np.round(shifted), 1.0
    return None, 0.0
