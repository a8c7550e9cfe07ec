"""The order of a check: contract, evidence, verdict, causes, and what the verdict is worth."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import numpy as np

from mvcalc_jax.text import first_line
from mvcalc_jax.verify.accuracy import graded
from mvcalc_jax.verify.adequacy import adequate
from mvcalc_jax.verify.backward import VjpClaim
from mvcalc_jax.verify.causes.search import diagnosed
from mvcalc_jax.verify.claims import Claim
from mvcalc_jax.verify.contract import repeatable
from mvcalc_jax.verify.cotangents import nonlinear, other_primal
from mvcalc_jax.verify.evidence import Evidence, Raises, Refuted
from mvcalc_jax.verify.kinks import near_kinks
from mvcalc_jax.verify.points import near
from mvcalc_jax.verify.precision import Counted
from mvcalc_jax.verify.report import Compared, Diagnosis, Leaf, Report
from mvcalc_jax.verify.slopes import taylor
from mvcalc_jax.verify.subject import Undecided, Unrunnable
from mvcalc_jax.verify.verdict import POINTS, TOLERANCE, Findings, judged

DEBUG = False
"""Raise what goes wrong in the search for causes; for the checker's own tests."""


def trial(
    prepare: Callable[[bool], Claim],
    rng: np.random.Generator,
    counted: Counted,
    points: int = POINTS,
    *,
    explain: bool = True,
) -> Report:
    """Everything about one claim.

    Args:
        prepare: `prepare(widen)` states the claim, in float64 or in the precision of the arguments.
        rng: for points and cotangents.
        counted: in which precision the formula's digits are.
        points: how many points to look at.
        explain: whether causes are sought.
    """
    try:
        try:
            return _tried(prepare(True), rng, counted, points, explain=explain)
        except (Unrunnable, Raises) as wide:
            try:  # f, or its derivative, may insist on the precision that it was given
                return _tried(prepare(False), rng, counted, points, explain=explain)
            except (Unrunnable, Raises):
                raise wide from None
    except Undecided as reason:
        return Report("inconclusive", str(reason), ())
    except Refuted as reason:
        cause = Diagnosis(reason.kind, ", ".join(reason.leaves) or reason.where, str(reason), certified=True)
        nan = float("nan")
        leaves = tuple(Leaf(path, "wrong", (), float("inf"), nan, (), nan, nan) for path in reason.leaves)
        return Report("wrong", str(reason), leaves, diagnoses=(cause,))
    except Exception as error:  # of a kind that nobody has thought of: the user gets a sentence all the same
        if DEBUG:
            raise
        reason = f"the check could not be carried out: {type(error).__name__}: {first_line(error)}"
        return Report("inconclusive", reason, ())


def _tried(claim: Claim, rng: np.random.Generator, counted: Counted, points: int, *, explain: bool) -> Report:
    repeatable(claim)
    bent, causes = _broken_rules(claim, rng)
    findings = judged(claim, rng, points, counted.rounding)
    report = findings.report
    leaves = tuple(
        replace(leaf, verdict="wrong") if k in bent else leaf for k, leaf in enumerate(report.leaves)
    )
    report = replace(report, leaves=leaves)
    if claim.misshapen:
        report = replace(
            report, verdict="wrong", reason="; ".join(m.reason for m in claim.misshapen.values())
        )
    if causes and report.verdict != "wrong":
        report = replace(report, verdict="wrong", reason=f"{causes[0].where}: {causes[0].detail}")
    if findings.evidence:
        at = findings.evidence[0]
        report = replace(report, slope=taylor(claim, at, rng), compared=_compared(claim, findings))
        if report.verdict == "correct":
            report = _appraised(report, claim, findings, counted)
    if report.verdict == "wrong" and explain:
        skip = [
            replace(leaf, verdict="correct") if k in bent else leaf for k, leaf in enumerate(report.leaves)
        ]
        found, failed = _sought(claim, findings, skip)
        report = replace(report, reason=report.reason + failed, diagnoses=(*causes, *found))
    return report


def _appraised(report: Report, claim: Claim, findings: Findings, counted: Counted) -> Report:
    """What a verdict of "correct" is worth: digits in low precision, and mistakes that would have been noticed."""
    leaves, lost, doubt = graded(claim, findings.decided[0], report.leaves, counted)
    kinks: list[str] = []
    with suppress(Exception):  # a function that cannot be taken apart
        kinks = list(dict.fromkeys(near_kinks(claim.subject)))
    worth = adequate(claim.subject.point, claim.blocks, findings.evidence, TOLERANCE, kinks)
    report = replace(report, leaves=leaves, diagnoses=lost, adequacy=worth)
    return replace(report, verdict="inconclusive", reason=doubt) if doubt else report


def _sought(claim: Claim, findings: Findings, leaves: list[Leaf]) -> tuple[tuple[Diagnosis, ...], str]:
    """The causes, or why they cannot be sought: a verdict must not be lost over its explanation."""
    try:
        return diagnosed(claim, findings.evidence or _gathered(claim), leaves), ""
    except Exception as error:  # a function that cannot be taken apart in a way that nobody has thought of
        if DEBUG:
            raise
        return (), f"; the search for its cause failed: {type(error).__name__}: {first_line(error)}"


def _gathered(claim: Claim) -> list[Evidence]:
    """The evidence of a large claim, which was not kept while it was judged."""
    rng, point = np.random.default_rng(0), claim.subject.point
    found = [claim.at(leaves, rng) for leaves in (point.leaves, near(point.leaves, rng))]
    return [at for at in found if at is not None]


def _broken_rules(claim: Claim, rng: np.random.Generator) -> tuple[set[int], list[Diagnosis]]:
    """What is wrong with a backward pass whatever the derivative is: the leaves that are not linear, and the causes."""
    if not isinstance(claim, VjpClaim):
        return set(), []
    bent = nonlinear(claim, rng)
    claim.formed = claim.formed and not bent
    if not claim.formed:
        claim.blocks = [block._replace(out=None, parts=()) for block in claim.blocks]
    causes = [Diagnosis(kind, claim.blocks[k].path, said, True) for k, (kind, said) in bent.items()]
    point = claim.subject.point
    for leaves in (point.leaves, near(point.leaves, rng)):
        with suppress(Exception):  # near the arguments fwd may refuse
            if primal := other_primal(claim, leaves):
                said = f"the value that it returns {primal}"
                causes.insert(0, Diagnosis("primal-mismatch", claim.forward_name, said, True))
                break
    return set(bent), causes


def _compared(claim: Claim, findings: Findings) -> tuple[Compared, ...]:
    at = findings.evidence[0]
    return tuple(
        Compared(block.path, hand, exact)
        for block, hand, exact in zip(claim.blocks, at.hand, at.reverse, strict=True)
    )
