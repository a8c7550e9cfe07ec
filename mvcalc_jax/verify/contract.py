"""What must hold before any number is compared: a function returns the same each time, and numbers."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from mvcalc_jax.verify.causes.tape import record
from mvcalc_jax.verify.claims import Claim
from mvcalc_jax.verify.evidence import Refuted
from mvcalc_jax.verify.points import Leaves
from mvcalc_jax.verify.subject import Undecided, arrays


def repeatable(claim: Claim) -> None:
    """Require f and the derivative to depend on their arguments alone.

    Raises:
        Undecided: if f returns something else the second time.
        Refuted: if the derivative does.
    """
    subject, point = claim.subject, claim.subject.point
    if not _repeats(subject.flat, point.leaves, point.others):
        raise Undecided(
            f"{subject.name} returns something else each time; make it a function of its arguments, and of a key"
        )
    if not _repeats(claim.by_leaves, point.leaves, point.others):
        paths = [block.path for block in claim.blocks]
        try:
            first, second = (arrays(claim.by_leaves(point.leaves, point.others)) for _ in range(2))
            paths = [path for path, a, b in zip(paths, first, second, strict=True) if not _same(a, b)]
        except Exception:  # which of them it is cannot be told
            paths = []
        raise Refuted(f"{claim.name} returns something else each time", "nondeterministic", claim.name, paths)


def _repeats(f: Callable[[Leaves, Leaves], Leaves], leaves: Leaves, others: Leaves) -> bool:
    """Whether f is the same program when it is traced again; if it cannot be traced, whether it returns the same."""
    try:
        first, second = (jax.make_jaxpr(lambda *args: f(*args))(leaves, others) for _ in range(2))
    except Exception:  # it looks at values, or is at fault, which shows later
        try:
            first, second = (arrays(f(leaves, others)) for _ in range(2))
        except Exception:
            return True
        return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(first, second, strict=True))
    if str(first) != str(second):
        return False
    same = zip(first.consts, second.consts, strict=True)
    if not all(a is b or _same(a, b) for a, b in same):
        return False
    if first.effects:  # a callback may return anything
        once, twice = (arrays(f(leaves, others)) for _ in range(2))
        return all(map(_same, once, twice))
    return True


def _same(a: Any, b: Any) -> bool:
    if jax.numpy.issubdtype(getattr(a, "dtype", float), jax.dtypes.prng_key):
        a, b = jax.random.key_data(a), jax.random.key_data(b)
    return np.array_equal(np.asarray(a), np.asarray(b), equal_nan=np.asarray(a).dtype.kind in "fc")


def origin_of_nan(claim: Claim, leaves: Leaves) -> str:
    """The operation in the derivative where the first NaN or infinity appears; empty if it is not found."""
    try:
        tape = record(claim.by_leaves, leaves, claim.subject.point.others)
    except Exception:  # it cannot be taken apart
        return ""
    for step in tape.steps:
        values = [tape.values[n] for n in step.outputs]
        before = [tape.values[n] for n in step.inputs]
        if not all(map(_all_finite, values)) and all(map(_all_finite, before)):
            return f"first in `{step.primitive}`" + (f" in {step.line}" if step.line else "")
    return ""


def _all_finite(value: Any) -> bool:
    return jax.numpy.result_type(value).kind not in "fc" or bool(np.isfinite(np.asarray(value)).all())
