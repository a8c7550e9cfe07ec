"""An error that is a mistake stays when the point is moved by a hair; one that is rounding comes out anew.

So the derivative is looked at again at points a hair apart. An error of a leaf that changes at random is held against
nobody: the formula loses digits there. One that stays as long as zeros do is a mistake, too: in what stands in for a
formula that divides by them. An error that is tiny beside its leaf, but not beside the entry it is in, and stays to a
percent is a mistake that the leaf's largest entry would hide.
"""

from dataclasses import replace

import jax
import numpy as np

from mvcalc_jax.verify.claims import Claim
from mvcalc_jax.verify.errors import unit
from mvcalc_jax.verify.evidence import Evidence
from mvcalc_jax.verify.points import Leaves, sizes
from mvcalc_jax.verify.report import Leaf

_HAIR, _LOOKS = 1e-4, 8
_STEADY, _VERY = 0.5, 0.01
"""The spread of an error, beside its mean, that is a mistake; and of one that only its steadiness gives away."""
_OF_ENTRY, _OF_LEAF = 1e-5, (1e-13, 1e-10)
"""An error is small beside its leaf between these, and large beside its entry above that."""
_ENTRIES = 2000


def steadied(
    claim: Claim, evidence: Evidence, leaves: tuple[Leaf, ...], rng: np.random.Generator
) -> tuple[Leaf, ...]:
    """The leaves of a point, with errors that are rounding excused, and small ones that are none found."""
    asked = {k: _suspects(evidence, k, leaf) for k, leaf in enumerate(leaves)}
    asked = {k: at for k, at in asked.items() if len(at)}
    if not asked:
        return leaves
    gaps = _looks(claim, evidence, asked, rng)

    def stays_at_zeros(k: int, at: np.ndarray) -> bool:
        if all(np.all(leaf) for leaf in evidence.leaves):
            return False
        there = _looks(claim, evidence, {k: at}, rng, zeros=False)[k]
        return len(there) > 1 and bool(np.any(_steady(there, _STEADY)))

    found = list(leaves)
    for k, at in asked.items():
        if len(gaps[k]) < 2:
            continue
        mean = np.abs(np.mean(gaps[k], axis=0))
        if leaves[k].verdict == "wrong":
            if not np.any(_steady(gaps[k], _STEADY)) and not stays_at_zeros(k, at):
                found[k] = replace(leaves[k], verdict="inconclusive")
        elif evidence.cotangents is None and np.any(steady := _steady(gaps[k], _VERY) & (mean > 0)):
            worst = at[np.argmax(np.where(steady, mean, 0))]
            index = tuple(map(int, np.unravel_index(worst, evidence.hand[k].shape)))
            values = evidence.hand[k][index].item(), evidence.reverse[k][index].item()
            found[k] = replace(leaves[k], verdict="wrong", index=index, by_hand=values[0], autodiff=values[1])
    return tuple(found)


def _looks(
    claim: Claim,
    evidence: Evidence,
    asked: dict[int, np.ndarray],
    rng: np.random.Generator,
    zeros: bool = True,
) -> dict[int, list[np.ndarray]]:
    """How far the derivatives lie apart at some entries of blocks, at points a hair away; `zeros` are moved, too."""
    gaps: dict[int, list[np.ndarray]] = {k: [] for k in asked}
    for _ in range(_LOOKS):
        again = claim.at(_moved(evidence.leaves, rng, zeros), np.random.default_rng(0))
        if again is not None:
            for k, at in asked.items():
                gaps[k].append((again.hand[k] - again.reverse[k]).reshape(-1)[at])
    return gaps


def _steady(gaps: list[np.ndarray], most: float) -> np.ndarray:
    """Where the spread of an error is at most so much of its mean."""
    return np.std(gaps, axis=0) <= most * np.abs(np.mean(gaps, axis=0))


def hidden(leaf: Leaf) -> bool:
    """Whether a wrong leaf agrees as a whole: its error is large beside the entry that it is in, and there alone."""
    return leaf.verdict == "wrong" and leaf.error <= _OF_LEAF[1]


def hidden_in(leaf: Leaf) -> str:
    """Where the error of a leaf is hidden, in words."""
    at = f" at [{', '.join(map(str, leaf.index))}]" if leaf.index else ""
    return f"is wrong{at}, where it is small beside the largest entry"


def _suspects(evidence: Evidence, k: int, leaf: Leaf) -> np.ndarray:
    """Which entries of a block, counted through, to look at again."""
    hand, exact, other = (side[k].reshape(-1) for side in (evidence.hand, evidence.reverse, evidence.forward))
    if leaf.verdict == "wrong":
        if not np.isfinite(hand).all():
            return np.array([], int)
        return (
            np.array([np.ravel_multi_index(leaf.index, evidence.hand[k].shape)])
            if leaf.index
            else np.array([0])
        )
    if leaf.verdict != "correct" or evidence.cotangents is not None or hand.size > 10**6:
        return np.array([], int)
    gap, size = np.abs(hand - exact), unit(exact, otherwise=max(map(unit, evidence.reverse), default=1.0))
    low, high = (limit * size for limit in _OF_LEAF)
    agreed = np.abs(other - exact) <= 1e-2 * gap
    return np.nonzero((gap > low) & (gap <= high) & (gap > _OF_ENTRY * np.abs(exact)) & agreed)[0][:_ENTRIES]


def _moved(leaves: Leaves, rng: np.random.Generator, zeros: bool) -> Leaves:
    """Each entry moved by a hair, or each that is not zero."""

    def moved(leaf: np.ndarray) -> np.ndarray:
        step = _HAIR * sizes(leaf) * rng.standard_normal(leaf.shape) * (zeros | (leaf != 0))
        return np.asarray(leaf + step).astype(leaf.dtype)

    return [jax.device_put(moved(np.asarray(leaf))) for leaf in leaves]
