"""From evidence to a verdict.

Both sides are evaluated in float64, whatever the precision of the arguments: there a correct formula agrees with
autodiff to about 1e-15 of the leaf's largest entry and a wrong one does not, so a threshold of 1e-10 tells
them apart. Autodiff is asked twice, in forward and in reverse mode, at the arguments and at random points near
them. Where the two modes disagree, or something rounds to fewer digits on the way, an error as small as that
is held against nobody; nor is one that differences, which know nothing of autodiff, do not see. If there is no
point without such doubts, the verdict is "inconclusive".
"""

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from mvcalc_jax.text import counted
from mvcalc_jax.verify.claims import Claim
from mvcalc_jax.verify.errors import errors, unit
from mvcalc_jax.verify.evidence import Block, Evidence, Raises
from mvcalc_jax.verify.points import is_covariance, near
from mvcalc_jax.verify.references import rounding
from mvcalc_jax.verify.report import Leaf, Report, Verdict
from mvcalc_jax.verify.steadiness import hidden, hidden_in, steadied
from mvcalc_jax.verify.subject import Undecided

TOLERANCE = 1e-10
"""The largest error of a correct Jacobian in float64, in units of the leaf's largest entry."""

POINTS = 3
"""The arguments, and two points near them."""

_MISS, _RELATIVE = 0.8, 1e-4
"""A random cotangent misses an error of relative size δ with a probability of 0.8 times the tolerance over δ."""
_DOUBT = 10
"""Modes that disagree by d excuse errors up to this many d."""
_ROUNDINGS, _EXCUSED = 1e3, 0.1
"""So many roundings to fewer digits than float64 has may add up in a correct derivative, but never to so much."""
_CONSTANTS = 8
"""So many ε of the user's precision may be constants that were rounded to it."""
_KEPT, _PART = 4 * 10**6, 10**6
"""Evidence of at most so many numbers a point is kept, for the diagnosis; more is compared part by part."""


class Findings(NamedTuple):
    """The verdict, and the evidence behind it by point, unless it was too large to keep; `decided` is correct."""

    report: Report
    evidence: list[Evidence]
    decided: list[Evidence]


def judged(claim: Claim, rng: np.random.Generator, points: int = POINTS, given: float = 0.0) -> Findings:
    """The verdict on what is found at all points in f's domain; `given` is ε of the user's precision."""
    f, jac, point = claim.subject.name, claim.name, claim.subject.point
    rounds = [claim.subject.compute.rounds, claim.rounds]
    if claim.compute.shapes is None:  # what is not traced may round to float32 unseen
        given = max(given, float(np.finfo(np.float32).eps))
    symmetric = any(is_covariance(np.asarray(leaf)) for leaf in point.leaves)
    found: list[tuple[Leaf, ...]] = []
    kept: list[Evidence] = []
    good: list[Evidence] = []
    for number in range(points):
        leaves = near(point.leaves, rng, symmetric=number > 1) if number else point.leaves
        try:
            evidence = claim.at(leaves, rng)
        except Raises:
            if not number:
                raise
            continue  # a point that the user has not asked for, and may refuse
        if evidence is None:
            if number == 0:
                raise Undecided(f"{f}, or its derivative by autodiff, is infinite or NaN at these arguments")
            continue
        rounds[1] = max(rounds[1], *(rounding(leaf.dtype) for leaf in evidence.hand), 0.0)
        seen = compared(evidence, claim.blocks, max(_ROUNDINGS * max(rounds), _CONSTANTS * given))
        seen = tuple(_witnessed(claim, evidence, k, leaf) for k, leaf in enumerate(seen))
        found.append(steadied(claim, evidence, seen, rng))
        if sum(leaf.size for leaf in evidence.hand) <= _KEPT:
            kept.append(evidence)
            good += [evidence] * _none_wrong(found[-1])
        del evidence
    worst = _worst(found)
    wrong = sum(leaf.verdict == "wrong" for leaf in worst)
    if wrong and symmetric and all(_none_wrong(found[k]) for k in (0, *range(2, len(found)))):
        reason = f"{jac} is the derivative of {f} only where its symmetric arguments are moved symmetrically"
        return Findings(Report("inconclusive", reason, worst), kept, good)
    if wrong:
        reason = f"{wrong} of {len(worst)} leaves of {jac} are not the derivative of {f}"
        reason += "".join(f"; {leaf.path} {hidden_in(leaf)}" for leaf in worst if hidden(leaf))
        if len(found) > 1 and _none_wrong(found[0]):
            reason += "; at the arguments themselves all are right, and wrong near them"
        if len(found) > 1 and all(_none_wrong(leaves) for leaves in found[1:]):
            reason += "; near the arguments all are right, and wrong at the arguments themselves"
        return Findings(Report("wrong", reason, worst), kept, good)
    # A point where nobody can tell says nothing against those where one can.
    decided = [leaves for leaves in found if all(leaf.verdict == "correct" for leaf in leaves)]
    if not decided:
        return Findings(Report("inconclusive", "; ".join(_doubts(claim, rounds, worst)), worst), kept, good)
    probes = claim.probes
    against = f" pulling back {counted(probes, 'random cotangent')}" if probes else ""
    reason = (
        f"{jac} agrees with {'- and '.join(claim.modes.modes)}-mode autodiff of {f}{against} at "
        f"{counted(len(decided), 'point')}, in float64, to {TOLERANCE:g} of each leaf's largest entry"
    )
    missed = (_MISS * TOLERANCE / _RELATIVE) ** (probes * len(decided)) if probes else 0.0
    reason += claim.modes.why + claim.unchecked
    return Findings(Report("correct", reason, _worst(decided), missed=missed), kept, good)


def compared(evidence: Evidence, blocks: list[Block], excused: float = 0.0) -> list[Leaf]:
    """A `Leaf` for every block, at one point; errors up to `excused` may be rounding."""
    largest = max(map(unit, evidence.reverse), default=1.0)
    found = []
    for block, hand, fwd, rev in zip(blocks, evidence.hand, evidence.forward, evidence.reverse, strict=True):
        # A leaf that is zero throughout is measured against the others, else its rounding would look huge.
        size = unit(rev, otherwise=largest)
        worst, at, disagreement = _worst_entry(hand, fwd, rev, size)
        for rows in block.parts:  # of several outputs each has its own size
            mine, theirs, other = (leaf[slice(*rows)] for leaf in (hand, fwd, rev))
            size = unit(other, otherwise=largest)
            error, place, apart = _worst_entry(mine, theirs, other, size)
            if error > worst:
                worst, at, disagreement = error, place + rows[0] * (hand.size // len(hand)), apart
        disagreement = max(disagreement, evidence.disagreement)
        index = np.unravel_index(at, hand.shape) if hand.size else ()
        values = (hand[index].item(), rev[index].item()) if hand.size else (0.0, 0.0)
        if worst > max(TOLERANCE, _DOUBT * disagreement, min(excused, _EXCUSED)):
            verdict: Verdict = "wrong"
        else:
            verdict = "correct" if max(worst, disagreement) <= TOLERANCE else "inconclusive"
        found.append(
            Leaf(block.path, verdict, hand.shape, worst, disagreement, tuple(map(int, index)), *values)
        )
    return found


def _worst_entry(hand: np.ndarray, fwd: np.ndarray, rev: np.ndarray, size: float) -> tuple[float, int, float]:
    """The largest error, its place, and how far the two modes lie apart; a part at a time, for leaves may be large."""
    ours, theirs, others = (leaf.reshape(-1) for leaf in (hand, rev, fwd))
    worst, at, apart = 0.0, 0, 0.0
    for start in range(0, hand.size, _PART):
        part = slice(start, start + _PART)
        mine = ours[part].astype(np.result_type(ours, float), copy=False)
        error = errors(mine, theirs[part], size)
        if fwd is not rev:
            error = np.minimum(error, errors(mine, others[part], size))
            apart = max(apart, float(errors(others[part], theirs[part], size).max()))
        if (found := float(error.max())) > worst or not start:
            worst, at = found, start + int(error.argmax())
    return worst, at, apart


def _none_wrong(leaves: tuple[Leaf, ...]) -> bool:
    return all(leaf.verdict == "correct" for leaf in leaves)


def _worst(found: list[tuple[Leaf, ...]]) -> tuple[Leaf, ...]:
    """The worst of every leaf over all points."""
    rank: tuple[Verdict, ...] = ("correct", "inconclusive", "wrong")
    return tuple(
        max(leaves, key=lambda leaf: (rank.index(leaf.verdict), leaf.error))
        for leaves in zip(*found, strict=True)
    )


def _doubts(claim: Claim, rounds: list[float], worst: tuple[Leaf, ...]) -> list[str]:
    """Why nobody can tell."""
    f, jac = claim.subject.name, claim.name
    doubts = [
        f"{who} computes with fewer digits than float64 has: an error below {min(_ROUNDINGS * ε, _EXCUSED):.0e} may "
        "be its rounding"
        for who, ε in zip((f, jac), rounds, strict=True)
        if ε
    ]
    if any(leaf.disagreement > TOLERANCE for leaf in worst):
        doubts.append(f"forward- and reverse-mode autodiff of {f} disagree, so neither can be the judge")
    return doubts or [
        f"{jac} and autodiff differ by no more than differences of {f} can tell: by the rounding of "
        "autodiff itself, perhaps, or at a kink"
    ]


def _witnessed(claim: Claim, evidence: Evidence, k: int, leaf: Leaf) -> Leaf:
    """A leaf that seems wrong is so only if differences, too, contradict its worst entry.

    Both modes of autodiff may share a rounding error: at a minimum, or where an activation saturates.
    """
    if leaf.verdict != "wrong" or not math.isfinite(abs(leaf.by_hand)) or isinstance(leaf.autodiff, complex):
        return leaf
    witness = claim.witness(evidence, k, leaf.index)
    if witness.contradicts(float(leaf.by_hand.real), _DOUBT):
        return leaf
    return replace(leaf, verdict="inconclusive")
