"""Repairs of a block as a whole: what must be done to what was written by hand to make it what autodiff says?

Each function takes a block by hand and by autodiff at all points and yields the mistakes that explain the
difference, the plainest first. Nothing is certified that does not hold at every point to rounding.
"""

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from mvcalc_jax.verify.causes.rearranged import PERMUTED, axes_named, rearranged
from mvcalc_jax.verify.causes.seen import Repair, Seen, factor, known, matches, spoken
from mvcalc_jax.verify.errors import unit
from mvcalc_jax.verify.evidence import Misshapen

_LARGE = 10**6
"""Larger blocks are not turned about."""


def repairs(seen: Seen, others: Sequence[Seen]) -> Iterator[Repair]:
    """All repairs of a block as a whole; `others` are the other blocks of the same point."""
    yield from _zero(seen)
    yield from _multiple(seen)
    yield from _conjugate(seen)
    yield from _swapped(seen, others)
    if seen.exact[0].size <= _LARGE:
        yield from _asymmetric(seen)
        yield from rearranged(seen)
        yield from _partly(seen)


def misshapen(seen: Seen, found: Misshapen) -> Repair:
    """Why a leaf has the wrong shape: not summed, transposed, or only shaped otherwise."""
    exact, leaf, rows = seen.exact[-1], found.leaf, 0 if seen.real_rows else seen.out
    if found.rows:
        exact, rows = exact.reshape(found.rows, *exact.shape[seen.out :]), 1
    if leaf.shape[:rows] == exact.shape[:rows]:
        for axis in range(rows, leaf.ndim):
            sums = (leaf.sum(axis=axis, keepdims=keep) for keep in (False, True))
            if any(matches([total], [exact], [0 * exact]) for total in sums):
                said = (
                    f"{found.reason}: it must be summed over axis {axis - rows}, of length {leaf.shape[axis]}"
                )
                return Repair("missing-sum", said, True, 0)
        if leaf.ndim == exact.ndim <= PERMUTED:
            for order in itertools.permutations(range(rows, leaf.ndim)):
                turned = leaf.transpose(*range(rows), *order)
                if turned.shape == exact.shape != leaf.shape and matches([turned], [exact], [0 * exact]):
                    return Repair("transpose", f"{found.reason}: it is transposed", True, 0)
        if leaf.size == exact.size and matches([leaf.reshape(exact.shape)], [exact], [0 * exact]):
            return Repair("shape", f"{found.reason}: the numbers are right", True, 0)
    return Repair("shape", found.reason, True, 0)


def _zero(seen: Seen) -> Iterator[Repair]:
    if not any(np.any(hand) for hand in seen.hand):
        yield Repair("zero", "is zero throughout; it must not be", True, 0)


def _multiple(seen: Seen) -> Iterator[Repair]:
    c = factor(seen.hand, seen.exact)
    if c is None or abs(c - 1) < 1e-9:  # what is off by so little is off in other entries than most
        return
    if abs(c + 1) < 1e-9:
        yield Repair("sign", "has the wrong sign", True, 0)
        return
    detail = f"is too large by a factor of {spoken(1 / c, seen.sizes)}"
    if abs(c) > 1:
        detail = f"is too small by a factor of {spoken(c, seen.sizes)}"
    yield Repair("scale", detail, True, 0 if known(c, seen.sizes) else 2.5)


def _conjugate(seen: Seen) -> Iterator[Repair]:
    if any(map(np.iscomplexobj, seen.exact)) and seen.explained_by([np.conj(h) for h in seen.hand]):
        yield Repair("conjugate", "is the complex conjugate of what it must be", True, 0)


def _asymmetric(seen: Seen) -> Iterator[Repair]:
    """A block that must equal its transpose, and does not."""
    for axes in _transpositions(seen):
        turned = [np.transpose(h, axes) for h in seen.hand]
        if not all(
            np.allclose(e, np.transpose(e, axes), rtol=1e-10, atol=1e-12 * unit(e)) for e in seen.exact
        ):
            continue
        if all(
            np.allclose(h, t, rtol=1e-10, atol=1e-12 * unit(h))
            for h, t in zip(seen.hand, turned, strict=True)
        ):
            continue
        if all(np.array_equal(e, e * np.eye(*e.shape[-2:])) for e in seen.exact if e.ndim == 2):
            continue  # a diagonal is symmetric by itself
        tries = {
            "take the mean of it and its transpose": [
                (h + t) / 2 for h, t in zip(seen.hand, turned, strict=True)
            ],
            "add its transpose": [h + t for h, t in zip(seen.hand, turned, strict=True)],
        }
        if seen.hand[0].ndim == 2:
            for said, keep in (("upper", np.triu), ("lower", np.tril)):
                tries[f"only the {said} triangle is right; copy it to the other"] = [
                    keep(h) + keep(h, 1 if said == "upper" else -1).T for h in seen.hand
                ]
            tries["add its transpose, the diagonal once"] = [h + h.T - np.diag(np.diag(h)) for h in seen.hand]
        for said, repaired in tries.items():
            if seen.explained_by(repaired):
                yield Repair("asymmetric", f"must be symmetric and is not: {said}", True, 0.5)
                return
        yield Repair("asymmetric", "must be symmetric and is not", False, 9.5)
        return
    for axes in _transpositions(seen):
        if any(np.allclose(e, np.transpose(e, axes), rtol=1e-10, atol=1e-12 * unit(e)) for e in seen.exact):
            continue
        if all(
            np.allclose(h, np.transpose(h, axes), rtol=1e-10, atol=1e-12 * unit(h)) for h in seen.hand
        ) and (
            matches([(e + np.transpose(e, axes)) / 2 for e in seen.exact], seen.hand, seen.exact)
            or matches([e + np.transpose(e, axes) for e in seen.exact], seen.hand, seen.exact)
        ):
            yield Repair("asymmetric", "was made symmetric; it must not be", True, 0.5)


def _transpositions(seen: Seen) -> Iterator[tuple[int, ...]]:
    """The permutations that swap two axes, or the output's with the input's, of the same lengths."""
    shape, n = seen.exact[0].shape, seen.exact[0].ndim
    rows = seen.out if seen.real_rows else n
    if seen.real_rows and seen.out and shape[: seen.out] == shape[seen.out :] and n == 2 * seen.out:
        yield (*range(rows, n), *range(rows))
    if n - seen.out >= 2 and shape[-1] == shape[-2] > 1:
        yield (*range(n - 2), n - 1, n - 2)


def _swapped(seen: Seen, others: Sequence[Seen]) -> Iterator[Repair]:
    for other in others:
        if other.exact[0].shape == seen.hand[0].shape and matches(seen.hand, other.exact, seen.exact):
            if matches(other.hand, seen.exact, other.exact):
                first, second = sorted((seen.path, other.path))
                yield Repair(
                    "swapped-leaves", f"{first} and {second} hold each other's derivatives", True, 0.5
                )
            else:
                yield Repair("swapped-leaves", f"holds the derivative by {other.path}", True, 0.9)
        elif (
            other.exact[0].size == seen.hand[0].size > 1
            and other.exact[0].ndim == seen.hand[0].ndim
            and other.exact[0].shape != seen.hand[0].shape
            and matches(
                [h.reshape(e.shape) for h, e in zip(seen.hand, other.exact, strict=True)],
                other.exact,
                [0 * e for e in other.exact],
            )
        ):
            yield Repair("swapped-leaves", f"holds the derivative by {other.path}, reshaped", True, 0.5)


def _partly(seen: Seen) -> Iterator[Repair]:
    """Right in most places: which are not?"""
    size = max(map(unit, seen.exact))
    off = np.any([np.abs(h - e) > 1e-9 * size for h, e in zip(seen.hand, seen.exact, strict=True)], axis=0)
    count, total = int(off.sum()), off.size
    if not 0 < count < total:
        return
    first = 0 if seen.real_rows else seen.out
    places = [np.unique(index) for index in np.nonzero(off)]
    confined = [a for a in range(first, off.ndim) if len(places[a]) < off.shape[a]]
    zero_hand = all(not np.any(np.abs(h[off]) > 1e-12 * size) for h in seen.hand)
    zero_exact = all(not np.any(np.abs(e[off]) > 1e-12 * size) for e in seen.exact)
    box = math.prod(len(p) for p in places) == count
    inside = [a for a in confined if a >= seen.out]
    where = ", ".join(f"{axes_named((a,), seen)} at {_ranges(places[a])}" for a in confined)
    share = f"{count} of {total} entries"
    if zero_exact and not (box and len(inside) and count < total / 4):
        yield Repair(
            "extra-support",
            f"must be zero in {share} where it is not{f' ({where})' if where else ''}; the others are right",
            True,
            5,
        )
    elif zero_hand and not (inside and _single(places, inside)):
        yield Repair(
            "missing-support",
            f"is zero in {share} where it must not be{f' ({where})' if where else ''}; the others are right",
            True,
            5,
        )
    elif confined and 2 * count <= total:
        small = count <= total / 4
        yield Repair(
            "localised",
            f"is wrong in {share} only: {where}",
            bool(inside) and box and small,
            5.5 if box and small else 7.5,
        )
        if zero_hand:
            yield Repair("missing-support", f"is zero there ({where}), and must not be", True, 6)
        if zero_exact:
            yield Repair("extra-support", f"is not zero there ({where}), and must be", True, 6)


def _single(places: list[np.ndarray], axes: list[int]) -> bool:
    """Whether it is one entry of the argument, or one of its rows or columns in part."""
    return all(len(places[a]) == 1 for a in axes) and axes == list(range(axes[0], len(places)))


def _ranges(index: np.ndarray) -> str:
    """Numbers as ranges: 2, 5–7."""
    runs = np.split(index, np.nonzero(np.diff(index) > 1)[0] + 1)
    said = [str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs]
    return ", ".join(said[:6]) + ("…" if len(said) > 6 else "")
