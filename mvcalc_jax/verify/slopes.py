"""The symmetric Taylor remainder: a witness along a random line that needs no tolerance.

φ(t) = w·f(x + td) for random w and d. R(h) = |φ(h) − φ(−h) − 2hφ′| falls like h³ if φ′ is the derivative and like h
if it is not; then R/2h is the size of the error along d. The slope is read where rounding does not hide it, as the
median of the slopes between all pairs of the smallest such h (Theil and Sen).
"""

import itertools
from statistics import median

import numpy as np

from mvcalc_jax.verify.claims import Claim
from mvcalc_jax.verify.evidence import Evidence
from mvcalc_jax.verify.points import sizes
from mvcalc_jax.verify.report import Slope

_STEPS = 2.0 ** -np.arange(2, 18)
_ROUNDINGS = 8
"""So many ε of φ may be rounding."""
WRONG, RIGHT = 1.3, 2.7
"""Slopes up to the first are those of a wrong derivative; from the second on, of a right one."""


def taylor(claim: Claim, evidence: Evidence, rng: np.random.Generator) -> Slope | None:
    """The remainder with the derivative by hand and by autodiff; None of complex leaves, or outside the domain."""
    if any(map(np.iscomplexobj, [*evidence.leaves, *evidence.reverse])):
        return None
    leaves = [np.asarray(leaf) for leaf in evidence.leaves]
    if evidence.cotangents is None:
        w = [np.asarray(v)[0] for v in claim.subject.cotangents(1, rng)]
        by_hand, exact = (claim.rows(evidence, J, w) for J in (evidence.hand, evidence.reverse))
    else:
        w = [np.asarray(v)[0] for v in evidence.cotangents]
        by_hand, exact = ([np.asarray(J[0]) for J in side] for side in (evidence.hand, evidence.reverse))
    d = [sizes(leaf) * rng.standard_normal(leaf.shape) for leaf in leaves]

    def φ(t: float) -> float:
        moved = [(leaf + t * step).astype(leaf.dtype) for leaf, step in zip(leaves, d, strict=True)]
        values = claim.subject.value(moved)
        return float(sum(np.real(np.sum(a * b)) for a, b in zip(w, values, strict=True)))

    up, down = (np.array([φ(sign * h) for h in _STEPS]) for sign in (1, -1))
    largest = max(float(np.abs([up, down]).max()), abs(φ(0.0)))
    ε = max(np.finfo(float).eps, claim.subject.compute.rounds)
    noise = _ROUNDINGS * ε * largest
    if not np.isfinite(largest):
        return None

    def remainder(J: list[np.ndarray]) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.abs(up - down - 2 * _STEPS * sum(np.sum(g * s) for g, s in zip(J, d, strict=True)))

    ours, theirs = remainder(by_hand), remainder(exact)
    return Slope(_STEPS, ours, theirs, noise, steepness(_STEPS, ours, noise))


def steepness(steps: np.ndarray, remainder: np.ndarray, noise: float) -> float:
    """d log R / d log h at the smallest steps that rounding leaves readable; NaN if there are fewer than three."""
    clear = np.nonzero(np.isfinite(remainder) & (remainder > 10 * noise))[0]
    chosen = clear[-6:]
    if len(chosen) < 3:
        return float("nan")
    x, y = np.log(steps[chosen]), np.log(remainder[chosen])
    return median((y[b] - y[a]) / (x[b] - x[a]) for a, b in itertools.combinations(range(len(chosen)), 2))
