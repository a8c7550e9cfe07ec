"""Why is a derivative wrong? Causes are proposed, tried, and certified only if undoing them makes it right.

Three kinds of cause are tried for every wrong leaf: repairs of the leaf as a whole (`repairs`), mistakes in the
derivative of one step of the function (`mutants`), and factors or terms that are values of the function
(`factors`). A cause that explains several leaves at once is preferred to one for each.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from mvcalc_jax.verify.bisection import wrong_rows
from mvcalc_jax.verify.causes.factors import factors
from mvcalc_jax.verify.causes.mutants import Mutant, mutants
from mvcalc_jax.verify.causes.repairs import Repair, Seen, matches, misshapen, repairs, spoken
from mvcalc_jax.verify.causes.swaps import scaled
from mvcalc_jax.verify.causes.tape import Tape, Variant, pulled_back, record
from mvcalc_jax.verify.causes.words import called
from mvcalc_jax.verify.claims import Claim, Evidence, VjpClaim
from mvcalc_jax.verify.contract import origin_of_nan
from mvcalc_jax.verify.errors import unit
from mvcalc_jax.verify.report import Diagnosis, Leaf

KINDS = (
    "scale", "sign", "zero", "transpose", "axis-permuted", "axis-flipped", "swapped-leaves", "missing-factor",
    "missing-term", "missing-sum", "wrong-intermediate", "reversed-order", "localised", "extra-support",
    "missing-support", "ignores-cotangent", "nonlinear-in-cotangent", "primal-mismatch", "nondeterministic", "nan",
    "shape", "conjugate", "compensating", "asymmetric", "accuracy",
)  # fmt: skip
"""The names of all causes."""

_TOGETHER = 2 * 10**7
"""Variants are tried together up to so many numbers."""
_LARGE = 10**6
"""Of larger leaves only the repairs of the whole are tried."""
_AT_ONCE, _PAIRS, _SCALED = 100, 40, 1500


@dataclass(frozen=True)
class _Cause:
    """A repair, with the blocks that it explains, and how many right ones it would have made wrong."""

    repair: Repair
    explains: frozenset[int]
    spoils: int = 0


def diagnosed(claim: Claim, evidence: list[Evidence], leaves: Sequence[Leaf]) -> tuple[Diagnosis, ...]:
    """The causes of all wrong leaves, the most telling first."""
    wrong = [k for k, leaf in enumerate(leaves) if leaf.verdict == "wrong"]
    if not evidence or not wrong:
        return ()
    seen = [_seen(claim, evidence, k) for k in range(len(leaves))]
    infinite = [k for k in wrong if k not in claim.misshapen and not np.isfinite(seen[k].hand).all()]
    shapeless = [_Cause(misshapen(seen[k], m), frozenset({k})) for k, m in claim.misshapen.items()]
    wrong = [k for k in wrong if k not in claim.misshapen]
    if infinite:
        at = next(e for e in evidence if not all(np.isfinite(e.hand[k]).all() for k in infinite))
        origin = origin_of_nan(claim, at.leaves)
        said = "is NaN or infinite where autodiff is not" + (f": {origin}" if origin else "")
        nan = [_Cause(Repair("nan", said, True, 0), frozenset(infinite))]
        rest = [k for k in wrong if k not in infinite]
    else:
        nan, rest = [], wrong
    causes = (
        shapeless
        + nan
        + [
            _Cause(repair, frozenset({k}))
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
        causes += list(_of_steps(claim, evidence, rest, seen))
    return tuple(_told(_merged(causes), [*claim.misshapen, *wrong], claim))


def _seen(claim: Claim, evidence: list[Evidence], k: int) -> Seen:
    block = claim.blocks[k]
    rows = 1 if block.out is None else len(block.out)
    sizes = {
        f"axis {a} of {path}" if np.ndim(leaf) > 1 else path: n
        for path, leaf in zip(
            _names(claim), [*claim.subject.point.leaves, *claim.subject.point.others], strict=True
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


def _ignored_outputs(claim: Claim, seen: list[Seen], wrong: list[int]) -> Iterator[_Cause]:
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
            yield _Cause(Repair("ignores-cotangent", said, True, 0.4), frozenset(explained))


def _few_rows(claim: Claim, evidence: Evidence, wrong: list[int]) -> Iterator[_Cause]:
    """A few outputs whose derivative is wrong, of many."""
    if not isinstance(claim, VjpClaim) or claim.formed:
        return
    for k in wrong:
        rows = wrong_rows(claim, evidence, k, np.random.default_rng(k))
        if rows and len(rows) < claim.outputs:
            said = ", ".join(map(str, rows))
            detail = f"is wrong for {len(rows)} of {claim.outputs} outputs only, counted through all of them: {said}"
            yield _Cause(Repair("localised", detail, True, 5), frozenset({k}))


def _names(claim: Claim) -> list[str]:
    return [*claim.subject.point.paths, *claim.subject.point.other_paths]


def _merged(causes: list[_Cause]) -> list[_Cause]:
    """Causes that say the same of several blocks are one."""
    said: dict[tuple, _Cause] = {}
    for cause in causes:
        key = cause.repair.kind, cause.repair.detail
        if key in said:
            known = said[key]
            cause = _Cause(
                min(known.repair, cause.repair, key=lambda r: r.rank),
                known.explains | cause.explains,
                max(known.spoils, cause.spoils),
            )
        said[key] = cause
    return list(said.values())


def _told(causes: list[_Cause], wrong: list[int], claim: Claim) -> Iterator[Diagnosis]:
    """For the wrong blocks, one after another, the cause that explains most of them; then the other causes."""

    def order(cause: _Cause, missing: set[int]) -> tuple:
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
    others: list[_Cause] = []
    for cause in rest:
        if cause.repair.kind not in {c.repair.kind for c in [*told, *others]} and len(others) < 2:
            others.append(cause)
    for cause in [*told, *others]:
        where = ", ".join(claim.blocks[k].path for k in sorted(cause.explains))
        yield Diagnosis(cause.repair.kind, where, cause.repair.detail, cause.repair.certified)


def _of_steps(claim: Claim, evidence: list[Evidence], wrong: list[int], seen: list[Seen]) -> Iterator[_Cause]:
    """Mistakes in the derivative of one step of f, found by what they lead to."""
    subject = claim.subject
    others = subject.point.others
    count = len(subject.point.leaves)
    outs = range(len(subject.outputs))
    if isinstance(claim, VjpClaim):
        groups = {None: wrong}
    else:
        groups = {o: [k for k in wrong if k // count == o] for o in outs}
    try:
        tapes = [record(subject.flat, at.leaves, others, _names(claim)) for at in evidence]
    except Exception:  # a step that cannot be taken apart: other causes may still be found
        tapes = []
    tapes = [tape for tape in tapes if [s.site for s in tape.steps] == [s.site for s in tapes[0].steps]]
    evidence = evidence[: len(tapes)]
    rng = np.random.default_rng(len(tapes))
    for o, blocks in groups.items():
        if not blocks or not tapes:
            continue
        trials = []
        for at, tape in zip(evidence, tapes, strict=True):
            if at.cotangents is None:
                v = [leaf[0] * (o in (None, k)) for k, leaf in enumerate(subject.cotangents(1, rng))]
                hand, exact = (claim.rows(at, which, v) for which in (at.hand, at.reverse))
            else:
                v = [jnp.asarray(v[0]) for v in at.cotangents]
                hand, exact = [leaf[0] for leaf in at.hand], [leaf[0] for leaf in at.reverse]
            trials.append(_Trial(tape, v, hand, exact))
        local = {k % count: k for k in blocks}
        right = [j for j in range(count) if j not in local]
        causes = list(_explained(trials, local, right, seen))
        explained = {k for cause in causes for k in cause.explains}
        yield from causes
        for j, k in local.items():
            if k not in explained:
                for repair in factors([t.tape for t in trials], seen[k]):
                    yield _Cause(repair, frozenset({k}))


@dataclass
class _Trial:
    """A cotangent at a point, and the leaves' cotangents by hand and by autodiff."""

    tape: Tape
    v: list[Any]
    hand: list[np.ndarray]
    exact: list[np.ndarray]

    def variants(self, changes: list[Variant]) -> list[np.ndarray]:
        """The leaves' cotangents for every variant."""
        widest = sum(np.size(value) for value in self.tape.values) + 1
        chunk = max(1, min(_AT_ONCE, _TOGETHER // widest))
        # Always as many at once: other shapes would have to be compiled anew.
        padded = [*changes, *[Variant()] * (-len(changes) % chunk)]
        parts = [pulled_back(self.tape, self.v, padded[k : k + chunk]) for k in range(0, len(padded), chunk)]
        return [np.concatenate(leaf)[: len(changes)] for leaf in zip(*parts, strict=True)]


def _explained(
    trials: list[_Trial], local: dict[int, int], right: list[int], seen: list[Seen]
) -> Iterator[_Cause]:
    first = trials[0]
    known = mutants(first.tape)
    found = [trial.variants([{}, *(mutant.variant for mutant in known)]) for trial in trials]
    if not all(
        matches(
            [found[t][j][0] for t in range(len(trials))],
            [t.exact[j] for t in trials],
            [1 + t.exact[j] for t in trials],
        )
        for j in local
    ):
        return  # taken apart, f has another derivative: a custom rule inside it
    any_cause = False
    for m, mutant in enumerate(known, 1):
        results = {j: [found[t][j][m] for t in range(len(trials))] for j in [*local, *right]}
        explains = {j: _how(trials, j, results[j], mutant) for j in local}
        by_factor: dict[tuple, set[int]] = {}
        for j, how in explains.items():
            if how is not None:
                by_factor.setdefault(how, set()).add(j)
        for how, which in by_factor.items():
            spoils = sum(
                not matches(results[j], [t.exact[j] for t in trials], [1 + t.exact[j] for t in trials])
                for j in [*right, *(set(local) - which)]
            )
            kind, detail, rank = _said(mutant, how, seen[0].sizes)
            if rank is None:
                continue
            any_cause = True
            yield _Cause(
                Repair(kind, detail, len(trials) > 1, rank), frozenset(local[j] for j in which), spoils
            )
    if not any_cause:
        two = list(_pairs(trials, local, known, found))
        yield from two
        yield from () if two else _scaled_on_the_way(trials, local)


def _how(trials: list[_Trial], j: int, results: list[np.ndarray], mutant: Mutant) -> tuple | None:
    """How a mutant explains leaf j: as it is, with a path that counts α times, or not at all."""
    hand, exact = [t.hand[j] for t in trials], [t.exact[j] for t in trials]
    if matches(results, hand, exact):
        return ("as it is",)
    if not mutant.linear:
        return None
    lost = [e - r for e, r in zip(exact, results, strict=True)]  # what goes through this step
    gap = [h - r for h, r in zip(hand, results, strict=True)]
    over = sum(float(np.vdot(a, a).real) for a in lost)
    if over <= (1e-12 * sum(map(unit, exact))) ** 2:
        return None
    square = lost[0].ndim >= 2 and lost[0].shape[-1] == lost[0].shape[-2]
    if square and matches(
        [r + np.swapaxes(a, -1, -2) for r, a in zip(results, lost, strict=True)], hand, exact
    ):
        return ("transposed",)
    α = sum(float(np.vdot(a, b).real) for a, b in zip(lost, gap, strict=True)) / over
    if abs(α - 1) < 1e-9 or not matches([r + α * a for r, a in zip(results, lost, strict=True)], hand, exact):
        return None
    return ("times", round(α, 9))


def _said(mutant: Mutant, how: tuple, sizes: dict[str, int]) -> tuple[str, str, float | None]:
    if how[0] == "as it is":
        return mutant.kind, mutant.detail, mutant.rank
    if how[0] == "transposed":
        return "transpose", f"{mutant.detail.removesuffix(' is missing')} is transposed", 2.7
    α = how[1]
    term = mutant.detail.removesuffix(" is missing")
    if abs(α + 1) < 1e-8:
        return "sign", f"{term} has the wrong sign", 1.5 + mutant.rank / 10
    said = spoken(α, sizes)
    plain = said != f"{α:.6g}"
    return "scale", f"{term} counts {said} times", 2.6 if plain else 6


def _scaled_on_the_way(trials: list[_Trial], local: dict[int, int]) -> Iterator[_Cause]:
    """A value of the function that is a factor of what some step is given back, or should be."""
    tape = trials[0].tape
    tried, changes = [], []
    sites: set[tuple[int, ...]] = set()
    for step in tape.steps:
        shape = np.shape(tape.values[step.outputs[0]])
        if step.site in sites or len(step.outputs) > 1 or not _floating(tape.values[step.outputs[0]]):
            continue
        sites.add(step.site)
        for n, value in enumerate(tape.values):
            fits = np.ndim(value) == len(shape) and all(
                m in (1, l) for m, l in zip(np.shape(value), shape, strict=True)
            )
            if (
                not fits
                or not _floating(value)
                or np.size(value) < 2
                or not np.ptp(value)
                or len(tried) >= _SCALED
            ):
                continue
            for inverse in (True, False):
                tried.append((step, n, inverse))
                changes.append({step.site: scaled(n, inverse=inverse)})
    if not tried:
        return
    results = [trial.variants(changes) for trial in trials]
    for m, (step, n, inverse) in enumerate(tried):
        which = {
            j
            for j in local
            if matches([r[j][m] for r in results], [t.hand[j] for t in trials], [t.exact[j] for t in trials])
        }
        if which:
            said = "is missing" if inverse else "stands there once too often"
            at = f" on the way back through {step.line}" if step.line else ""
            yield _Cause(
                Repair("missing-factor", f"the factor {called(tape, n)} {said}{at}", len(trials) > 1, 4.6),
                frozenset(local[j] for j in which),
            )


def _floating(value: Any) -> bool:
    return jnp.issubdtype(jnp.result_type(value), jnp.floating)


def _pairs(
    trials: list[_Trial], local: dict[int, int], known: list[Mutant], found: list[list[np.ndarray]]
) -> Iterator[_Cause]:
    """Two or more paths that are missing at once."""
    distinct: list[int] = []
    for m, mutant in enumerate(known, 1):
        if not mutant.linear or len(distinct) >= _PAIRS:
            continue
        effect = [found[0][j][m] for j in local]
        if all(
            np.allclose(e, found[0][j][0], rtol=1e-12, atol=0) for j, e in zip(local, effect, strict=True)
        ):
            continue
        if any(
            all(
                np.allclose(e, found[0][j][n], rtol=1e-9, atol=1e-12 * unit(e))
                for j, e in zip(local, effect, strict=True)
            )
            for n in distinct
        ):
            continue
        distinct.append(m)
    pairs = [
        (a, b)
        for k, a in enumerate(distinct)
        for b in distinct[k + 1 :]
        if known[a - 1].site != known[b - 1].site
    ]
    if not pairs:
        return
    changes = [known[a - 1].variant | known[b - 1].variant for a, b in pairs]
    results = [trial.variants(changes) for trial in trials]
    for p, (a, b) in enumerate(pairs):
        which = {
            j
            for j in local
            if matches([r[j][p] for r in results], [t.hand[j] for t in trials], [t.exact[j] for t in trials])
        }
        if which:
            detail = f"{known[a - 1].detail}; and {known[b - 1].detail}"
            yield _Cause(
                Repair("missing-term", detail, len(trials) > 1, 4.5), frozenset(local[j] for j in which)
            )
