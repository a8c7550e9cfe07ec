"""Mistakes in the derivative of single steps of f, found by what they lead to."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from mvcalc_jax.verify.backward import VjpClaim
from mvcalc_jax.verify.causes.factors import factors
from mvcalc_jax.verify.causes.mutants import mutants
from mvcalc_jax.verify.causes.seen import Cause, Repair, Seen, known, matches, spoken
from mvcalc_jax.verify.causes.swaps import scaled
from mvcalc_jax.verify.causes.tape import Tape, record
from mvcalc_jax.verify.causes.variants import Variant, pulled_back
from mvcalc_jax.verify.causes.words import called
from mvcalc_jax.verify.causes.workshop import Mutant
from mvcalc_jax.verify.claims import Claim
from mvcalc_jax.verify.errors import unit
from mvcalc_jax.verify.evidence import Evidence

_TOGETHER, _AT_ONCE = 2 * 10**7, 100
"""So many variants are tried together, and fewer if they would take more numbers than that."""
_PAIRS, _SCALED = 40, 1500
"""So many paths are dropped in pairs, and so many values are tried as factors on the way."""


def of_steps(claim: Claim, evidence: list[Evidence], wrong: list[int], seen: list[Seen]) -> Iterator[Cause]:
    """Mistakes in the derivative of one step of f, found by what they lead to."""
    subject = claim.subject
    others = subject.point.others
    count = len(subject.point.leaves)
    outs = range(len(subject.outputs))
    groups: dict[int | None, list[int]] = {o: [k for k in wrong if k // count == o] for o in outs}
    if isinstance(claim, VjpClaim):
        groups = {None: wrong}
    try:
        tapes = [record(subject.flat, at.leaves, others, claim.subject.point.names) for at in evidence]
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
                v = [
                    leaf[0] if o in (None, k) else 0 * leaf[0]
                    for k, leaf in enumerate(subject.cotangents(1, rng))
                ]
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
        for k in local.values():
            if k not in explained:
                for repair in factors([t.tape for t in trials], seen[k]):
                    yield Cause(repair, frozenset({k}))


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
        padded = [*changes, *({} for _ in range(-len(changes) % chunk))]
        parts = [pulled_back(self.tape, self.v, padded[k : k + chunk]) for k in range(0, len(padded), chunk)]
        return [np.concatenate(leaf)[: len(changes)] for leaf in zip(*parts, strict=True)]


def _explained(
    trials: list[_Trial], local: dict[int, int], right: list[int], seen: list[Seen]
) -> Iterator[Cause]:
    first = trials[0]
    known = mutants(first.tape)
    variants = [mutant.variant for mutant in known]
    found = [trial.variants([{}, *variants]) for trial in trials]
    # A maximum that is subtracted for stability does not matter; a hand leaves it out, and so must the variants.
    idle = [mutant for m, mutant in enumerate(known, 1) if _is_idle_maximum(mutant, found[0], m, local)]
    if idle:
        without = {site: change for mutant in idle for site, change in mutant.variant.items()}
        variants = [without | variant for variant in variants]
        found = [trial.variants([{}, *variants]) for trial in trials]
    if not all(
        matches(
            [found[t][j][0] for t in range(len(trials))],
            [t.exact[j] for t in trials],
            [1 + t.exact[j] for t in trials],
        )
        for j in local
    ):
        return  # taken apart, f has another derivative: a custom rule inside it
    alone: set[int] = set()
    for m, mutant in enumerate(known, 1):
        results = {j: [found[t][j][m] for t in range(len(trials))] for j in [*local, *right]}
        explains = {j: _how(trials, j, results[j], mutant) for j in local}
        by_factor: dict[tuple[str, float], set[int]] = {}
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
            alone |= which
            yield Cause(
                Repair(kind, detail, len(trials) > 1, rank), frozenset(local[j] for j in which), spoils
            )
    left = {j: k for j, k in local.items() if j not in alone}
    if left:
        two = list(_pairs(trials, left, known, variants, found))
        yield from two
        yield from () if two else _scaled_on_the_way(trials, left)


def _without_effect(found: list[np.ndarray], m: int, local: dict[int, int]) -> bool:
    return all(
        np.allclose(found[j][m], found[j][0], rtol=1e-9, atol=1e-12 * unit(found[j][0])) for j in local
    )


def _is_idle_maximum(mutant: Mutant, found: list[np.ndarray], m: int, local: dict[int, int]) -> bool:
    whole = mutant.rank == 1 and "through the maximum" in mutant.detail
    return whole and _without_effect(found, m, local)


def _how(trials: list[_Trial], j: int, results: list[np.ndarray], mutant: Mutant) -> tuple[str, float] | None:
    """How a mutant explains leaf j: as it is, with a path that counts α times, or not at all."""
    hand, exact = [t.hand[j] for t in trials], [t.exact[j] for t in trials]
    if matches(results, hand, exact):
        return "as it is", 1.0
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
        return "transposed", 1.0
    α = sum(float(np.vdot(a, b).real) for a, b in zip(lost, gap, strict=True)) / over
    if abs(α - 1) < 1e-9 or not matches([r + α * a for r, a in zip(results, lost, strict=True)], hand, exact):
        return None
    return "times", round(α, 9)


def _said(mutant: Mutant, how: tuple[str, float], sizes: dict[str, int]) -> tuple[str, str, float | None]:
    if how[0] == "as it is":
        return mutant.kind, mutant.detail, mutant.rank
    if how[0] == "transposed":
        return "transpose", f"{mutant.detail.removesuffix(' is missing')} is transposed", 2.7
    α = how[1]
    term = mutant.detail.removesuffix(" is missing")
    if abs(α + 1) < 1e-8:
        return "sign", f"{term} has the wrong sign", 1.5 + mutant.rank / 10
    return "scale", f"{term} counts {spoken(α, sizes)} times", 2.6 if known(α, sizes) else 6


def _scaled_on_the_way(trials: list[_Trial], local: dict[int, int]) -> Iterator[Cause]:
    """A value of the function that is a factor of what some step is given back, or should be."""
    tape = trials[0].tape
    tried: list[tuple[Any, int, bool]] = []
    changes: list[Variant] = []
    sites: set[tuple[int, ...]] = set()
    for step in tape.steps:
        out = tape.values[step.outputs[0]]
        if step.site in sites or not _floating(out):
            continue
        shape = np.shape(out)
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
            yield Cause(
                Repair("missing-factor", f"the factor {called(tape, n)} {said}{at}", len(trials) > 1, 4.6),
                frozenset(local[j] for j in which),
            )


def _floating(value: Any) -> bool:
    return jnp.issubdtype(jnp.result_type(value), jnp.floating)


def _pairs(
    trials: list[_Trial],
    local: dict[int, int],
    known: list[Mutant],
    variants: list[Variant],
    found: list[list[np.ndarray]],
) -> Iterator[Cause]:
    """Two or more paths that are missing at once."""
    distinct: list[int] = []
    for m, mutant in enumerate(known, 1):
        if not mutant.linear or len(distinct) >= _PAIRS:
            continue
        effect = [found[0][j][m] for j in local]
        if _without_effect(found[0], m, local):
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
    changes = [variants[a - 1] | variants[b - 1] for a, b in pairs]
    results = [trial.variants(changes) for trial in trials]
    for p, (a, b) in enumerate(pairs):
        which = {
            j
            for j in local
            if matches([r[j][p] for r in results], [t.hand[j] for t in trials], [t.exact[j] for t in trials])
        }
        if which:
            detail = f"{known[a - 1].detail}; and {known[b - 1].detail}"
            yield Cause(
                Repair("missing-term", detail, len(trials) > 1, 4.5), frozenset(local[j] for j in which)
            )
