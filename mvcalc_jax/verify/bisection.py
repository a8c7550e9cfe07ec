"""Which rows of a large Jacobian are wrong? Halves of the output are tried, and halves of those that are.

A backward pass pulls one cotangent back at a time, so the Jacobian of a function of many outputs is not formed. A
random cotangent that is zero but for some outputs tells whether any of their rows is wrong; s wrong rows of n are
found with about s log₂ n of them.
"""

import jax.numpy as jnp
import numpy as np

from mvcalc_jax.verify.backward import VjpClaim
from mvcalc_jax.verify.errors import errors, unit
from mvcalc_jax.verify.evidence import Evidence
from mvcalc_jax.verify.points import Leaves
from mvcalc_jax.verify.subject import arrays

_FEW = 8
"""More ranges than this at once, and the error is everywhere."""
_WRONG = 1e-9


def wrong_rows(claim: VjpClaim, evidence: Evidence, k: int, rng: np.random.Generator) -> list[int] | None:
    """The rows of block k that are wrong, numbered through all outputs; None if they are many."""
    size = max(map(unit, evidence.reverse))
    ranges, rows = [(0, claim.outputs)], []
    while ranges:
        suspects = []
        for start, stop in ranges:
            if not _is_wrong(claim, evidence.leaves, k, (start, stop), size, rng):
                continue
            if stop - start == 1:
                rows.append(start)
            else:
                middle = (start + stop) // 2
                suspects += [(start, middle), (middle, stop)]
        if len(suspects) > 2 * _FEW or len(rows) > _FEW:
            return None
        ranges = suspects
    return rows


def _is_wrong(
    claim: VjpClaim, leaves: Leaves, k: int, rows: tuple[int, int], size: float, rng: np.random.Generator
) -> bool:
    """Whether some of these rows are wrong."""
    cotangents, at = [], 0
    for out in claim.subject.outputs:
        v = np.zeros(out.size, out.dtype)
        first, last = (min(max(row - at, 0), out.size) for row in rows)
        v[first:last] = rng.standard_normal(last - first)
        cotangents.append(jnp.asarray(v.reshape(1, *out.shape)))
        at += out.size
    hand = claim.by_hand(leaves, cotangents)[k]
    exact = arrays(claim.subject.compiled_pull(leaves, claim.subject.point.others, cotangents))[k]
    return bool(errors(hand.astype(exact.dtype), exact, size).max(initial=0) > _WRONG)
