"""Why is a derivative wrong? Causes are proposed, tried, and certified only if undoing them makes it right.

Three kinds of cause are tried for every wrong leaf: repairs of the leaf as a whole (`repairs`), mistakes in the
derivative of one step of the function (`mutants`), and factors or terms that are values of the function
(`factors`). A cause that explains several leaves at once is preferred to one for each.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from mvcalc_jax.verify.backward import VjpClaim
from mvcalc_jax.verify.bisection import wrong_rows
from mvcalc_jax.verify.causes.repairs import misshapen, repairs
from mvcalc_jax.verify.causes.seen import Cause, Repair, Seen, matches
from mvcalc_jax.verify.causes.steps import of_steps
from mvcalc_jax.verify.claims import Claim
from mvcalc_jax.verify.contract import origin_of_nan
from mvcalc_jax.verify.evidence import Evidence
from mvcalc_jax.verify.report import Diagnosis, Leaf
from mvcalc_jax.verify.steadiness import hidden, hidden_in

KINDS = (
    "scale", "sign", "zero", "transpose", "axis-permuted", "axis-flipped", "swapped-leaves", "missing-factor",
    "missing-term", "missing-sum", "wrong-intermediate", "reversed-order", "localised", "extra-support",
    "missing-support", "ignores-cotangent", "nonlinear-in-cotangent", "primal-mismatch", "nondeterministic", "nan",
    "shape", "conjugate", "compensating", "asymmetric", "accuracy",
)  # fmt: skip
"""The names of all causes."""

_LARGE = 10**6
"""Of larger leaves only the repairs of the whole are tried."""


def diagnosed(claim: Claim, evidence: list[Evidence], leaves: Sequence[Leaf]) -> tuple[Diagnosis, ...]:
    """The causes of all wrong leaves, the most telling first."""
    faint = [leaf for leaf in leaves if hidden(leaf)]
    wrong = [k for k, leaf in enumerate(leaves) if leaf.verdict == "wrong" and not hidden(leaf)]
    if wrong and evidence:
        return (*_sought(claim, evidence, leaves, wrong), *map(_localised, faint))
    return tuple(map(_localised, faint))


def _localised(leaf: Leaf) -> Diagnosis:
    """What can be said of a leaf that agrees as a whole: any cause would explain it to rounding, the wrong ones too."""
    said = f"{hidden_in(leaf)}: {leaf.by_hand:.9g} by hand, {leaf.autodiff:.9g} by autodiff"
    return Diagnosis("localised", leaf.path, said, certified=False)


def _sought(
    claim: Claim, evidence: list[Evidence], leaves: Sequence[Leaf], wrong: list[int]
) -> Iterator[Diagnosis]:
    """The causes of wrong leaves."""
    seen = [_seen(claim, evidence, k) for k in range(len(leaves))]
    infinite = [k for k in wrong if k not in claim.misshapen and not np.isfinite(seen[k].hand).all()]
    shapeless = [Cause(misshapen(seen[k], m), frozenset({k})) for k, m in claim.misshapen.items()]
    wrong = [k for k in wrong if k not in claim.misshapen]
    if infinite:
        at = next(e for e in evidence if not all(np.isfinite(e.hand[k]).all() for k in infinite))
        origin = origin_of_nan(claim, at.leaves)
        said = "is NaN or infinite where autodiff is not" + (f": {origin}" if origin else "")
        nan = [Cause(Repair("nan", said, True, 0), frozenset(infinite))]
        rest = [k for k in wrong if k not in infinite]
    else:
        nan, rest = [], wrong
    causes = (
        shapeless
        + nan
        + [
            Cause(repair, frozenset({k}))
            for k in rest
            if np.isfinite(seen[k].hand).all()
            for repair in repairs(seen[k], [other for j, other in enumerate(seen) if j != k])
        ]
    )
    causes += list(_ignored_outputs(claim, seen, rest))
    causes += list(_few_rows(claim, evidence[0], rest))
    settled = {k for cause in causes if cause.repair.rank < 2 for k in cause.explains}
    large = sum(leaf.size for leaf in evidence[0].hand) > _LARGE
    if set(rest) - settled and not large:
        causes += list(of_steps(claim, evidence, rest, seen))
    return _told(_merged(causes), [*claim.misshapen, *wrong], claim)


def _seen(claim: Claim, evidence: list[Evidence], k: int) -> Seen:
    block = claim.blocks[k]
    rows = 1 if block.out is None else len(block.out)
    sizes = {
        f"axis {a} of {path}" if np.ndim(leaf) > 1 else path: n
        for path, leaf in zip(
            claim.subject.point.names, [*claim.subject.point.leaves, *claim.subject.point.others], strict=True
        )
        for a, n in enumerate(np.shape(leaf))
    }
    return Seen(
        block.path,
        [at.hand[k].astype(np.result_type(at.hand[k], float)) for at in evidence],
        [at.reverse[k] for at in evidence],
        rows,
        block.out is not None,
        sizes,
    )


def _ignored_outputs(claim: Claim, seen: list[Seen], wrong: list[int]) -> Iterator[Cause]:
    """Outputs of several whose cotangent a backward pass does not use."""
    if not isinstance(claim, VjpClaim) or not claim.formed or len(claim.subject.outputs) < 2:
        return
    at = 0
    for path, out in zip(claim.subject.out_paths, claim.subject.outputs, strict=True):
        rows = slice(at, at + out.size)
        at += out.size
        others = np.r_[0 : rows.start, rows.stop : claim.outputs]
        if any(np.any(h[rows]) for one in seen for h in one.hand):
            continue
        explained = {
            k
            for k in wrong
            if matches(
                [h[others] for h in seen[k].hand],
                [e[others] for e in seen[k].exact],
                [h[others] for h in seen[k].hand],
            )
        }
        if explained:
            said = f"the cotangent of the output {path} is not used"
            yield Cause(Repair("ignores-cotangent", said, True, 0.4), frozenset(explained))


def _few_rows(claim: Claim, evidence: Evidence, wrong: list[int]) -> Iterator[Cause]:
    """A few outputs whose derivative is wrong, of many."""
    if not isinstance(claim, VjpClaim) or claim.formed:
        return
    for k in wrong:
        rows = wrong_rows(claim, evidence, k, np.random.default_rng(k))
        if rows and len(rows) < claim.outputs:
            said = ", ".join(map(str, rows))
            detail = f"is wrong for {len(rows)} of {claim.outputs} outputs only, counted through all of them: {said}"
            yield Cause(Repair("localised", detail, True, 5), frozenset({k}))


def _merged(causes: list[Cause]) -> list[Cause]:
    """Causes that say the same of several blocks are one."""
    said: dict[tuple, Cause] = {}
    for cause in causes:
        key = cause.repair.kind, cause.repair.detail
        if key in said:
            known = said[key]
            cause = Cause(
                min(known.repair, cause.repair, key=lambda r: r.rank),
                known.explains | cause.explains,
                max(known.spoils, cause.spoils),
            )
        said[key] = cause
    return list(said.values())


def _told(causes: list[Cause], wrong: list[int], claim: Claim) -> Iterator[Diagnosis]:
    """For the wrong blocks, one after another, the cause that explains most of them; then the other causes."""

    def order(cause: Cause, missing: set[int]) -> tuple:
        repair = cause.repair
        plain = repair.rank < 1  # what is plain of one leaf is better than what is involved of two
        return (
            not repair.certified,
            -len(cause.explains & missing) if not plain else -len(missing),
            cause.spoils > 0,
            repair.rank,
        )

    missing, told = set(wrong), []
    rest = list(causes)
    while missing:
        useful = [cause for cause in rest if cause.explains & missing]
        if not useful:
            break
        best = min(useful, key=lambda cause: order(cause, missing))
        told.append(best)
        rest.remove(best)
        missing -= best.explains
    rest.sort(key=lambda cause: order(cause, set(wrong)))
    others: list[Cause] = []
    settled = not missing and all(cause.repair.certified for cause in told)
    for cause in () if settled else rest:  # what is proven needs no others beside it
        if cause.repair.kind not in {c.repair.kind for c in [*told, *others]} and len(others) < 2:
            others.append(cause)
    for cause in [*told, *others]:
        where = ", ".join(claim.blocks[k].path for k in sorted(cause.explains))
        yield Diagnosis(cause.repair.kind, where, cause.repair.detail, cause.repair.certified)
