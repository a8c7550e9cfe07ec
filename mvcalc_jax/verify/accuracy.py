"""How many digits does a correct formula keep in low precision, compared with autodiff?

ρ = error by hand / error of autodiff, both computed in the precision of the arguments (float32 for float64) and
measured against float64. Correct formulas have ρ of about 1; one that subtracts what is nearly equal, or overflows on
the way, has a large one: grade A up to 2, B up to 10, C up to 100, D above.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax.verify.causes.tape import Tape, record
from mvcalc_jax.verify.claims import Claim, JacobianClaim
from mvcalc_jax.verify.errors import errors, unit
from mvcalc_jax.verify.evidence import Evidence
from mvcalc_jax.verify.points import Leaves
from mvcalc_jax.verify.precision import Counted
from mvcalc_jax.verify.references import reverse, traced
from mvcalc_jax.verify.report import Diagnosis, Grade, Leaf

_GRADES: dict[Grade, float] = {"A": 2.0, "B": 10.0, "C": 100.0, "D": math.inf}
_ELSE = 1e-2
"""A formula that loses more than this without a difference that cancels is another formula in low precision."""
_FEW = 4
"""So many ε of a leaf's largest entry are nobody's fault."""

STABLE = {
    "tanh": "1 − tanh² loses digits where tanh is near ±1; 1/cosh² keeps them",
    "logistic": "1 − σ(x) loses digits where σ is near 1; σ(−x) keeps them",
    "exp": "exp(x) − 1 loses digits near 0; expm1(x) keeps them",
    "log": "log(1 + x) loses digits near 0; log1p(x) keeps them",
    "reduce_sum": "a mean of squares minus the square of the mean loses digits; the mean of squared deviations "
    "keeps them",
}
"""What keeps the digits, by the operation whose result is subtracted."""


def graded(
    claim: Claim, evidence: Evidence, leaves: Sequence[Leaf], counted: Counted
) -> tuple[tuple[Leaf, ...], tuple[Diagnosis, ...], str]:
    """The leaves with their grades, what loses digits where a grade is D, and a doubt if no operation does."""
    dtype = counted.dtype
    try:
        hand, auto = _rounded(claim, evidence, dtype)
    except Exception:  # what does not run in low precision has no grade
        return tuple(leaves), (), ""
    ε = float(jnp.finfo(dtype).eps)
    found, lost = [], []
    for k, leaf in enumerate(leaves):
        exact = evidence.reverse[k]
        size = unit(exact)
        ours, theirs = (float(errors(_wide(a[k]), exact, size).max(initial=0)) for a in (hand, auto))
        ρ = (
            max(ours, _FEW * ε) / max(theirs, _FEW * ε)
            if np.isfinite(theirs)
            else float(not np.isfinite(ours))
        )
        grade = next(grade for grade, limit in _GRADES.items() if ρ <= limit)
        found.append(replace(leaf, grade=grade))
        if grade == "D":
            lost.append((leaf.path, ours, theirs))
    if not lost:
        return tuple(found), (), ""
    where = ", ".join(path for path, *_ in lost)
    _, ours, theirs = max(lost, key=lambda item: item[1])
    name = jnp.dtype(dtype).name
    how = "overflows" if not np.isfinite(ours) else f"is off by {ours:.1e}"
    said = f"the formula is right, but in {name} it {how} where autodiff is off by {theirs:.1e}"
    why = _why(claim, evidence)
    if not why and _ELSE < ours < math.inf:
        doubt = (
            f"{claim.name} agrees with autodiff in float64, but in {name} it is off by {ours:.1e} of {where}, and no "
            "difference in it loses so many digits: does it compute something else there?"
        )
        return tuple(found), (), doubt if counted.given else ""
    said += f": {why}" if why else ""
    return tuple(found), (Diagnosis("accuracy", where, said, certified=True),), ""


def _wide(leaf: Any) -> np.ndarray:
    array = np.asarray(leaf)
    return array.astype(complex if np.iscomplexobj(array) else float)


def _rounded(claim: Claim, evidence: Evidence, dtype: Any) -> tuple[Leaves, Leaves]:
    """The derivative by hand and by autodiff in low precision."""

    def lower(leaf: Any) -> Any:
        kind = jnp.result_type(leaf)
        if not jnp.issubdtype(kind, jnp.inexact):
            return leaf
        narrow = np.complex64 if jnp.issubdtype(kind, jnp.complexfloating) else dtype
        with np.errstate(over="ignore"):
            return jax.device_put(np.asarray(leaf).astype(narrow))  # by NumPy: JAX compiles it for each shape

    leaves, others = (
        [lower(leaf) for leaf in tree] for tree in (evidence.leaves, claim.subject.point.others)
    )
    subject = claim.subject
    if isinstance(claim, JacobianClaim):
        both = traced(lambda *args: (claim.by_leaves(*args), reverse(subject.flat, *args)), (leaves, others))
        return both.call(leaves, others)
    shapes = jax.eval_shape(subject.flat, leaves, others)
    rows = [jnp.asarray(v, shape.dtype) for v, shape in zip(claim.cotangents(evidence), shapes, strict=True)]
    both = traced(lambda *args: (claim.pulled(*args), subject.pulled(*args)), (leaves, others, rows))
    hand, auto = (
        [np.asarray(leaf).reshape(exact.shape) for leaf, exact in zip(side, evidence.reverse, strict=True)]
        for side in both.call(leaves, others, rows)
    )
    return hand, auto


def _why(claim: Claim, evidence: Evidence) -> str:
    """The subtraction that loses most digits, and what would keep them."""
    try:
        tape = record(claim.by_leaves, evidence.leaves, claim.subject.point.others)
    except Exception:  # a formula that cannot be taken apart
        return ""
    worst, said = 1e2, ""
    for step in tape.steps:
        if step.primitive not in ("sub", "add"):
            continue
        a, b = (np.asarray(tape.values[n]) for n in step.inputs)
        out = np.asarray(tape.values[step.outputs[0]])
        if not (np.issubdtype(out.dtype, np.floating) and out.size):
            continue
        with np.errstate(all="ignore"):
            lost = np.maximum(np.abs(a), np.abs(b)) / np.abs(out)
        lost = float(np.nanmax(np.where(np.isfinite(lost), lost, 0)))
        if lost > worst:
            worst = lost
            said = f"the difference in {step.line or 'the formula'} loses a factor of {lost:.0e} of digits"
            for n in step.inputs:
                if (origin := _origin(tape, n)) in STABLE:
                    said += f"; {STABLE[origin]}"
                    break
    return said


def _origin(tape: Tape, n: int) -> str:
    """The operation that a value comes from, seen through squares, products and quotients."""
    for _ in range(4):
        step = next((step for step in tape.steps if n in step.outputs), None)
        if step is None:
            return ""
        if step.primitive in STABLE:
            return step.primitive
        if step.primitive not in (
            "integer_pow",
            "square",
            "mul",
            "div",
            "neg",
            "broadcast_in_dim",
            "convert_element_type",
        ):
            return ""
        n = step.inputs[0]
    return ""
