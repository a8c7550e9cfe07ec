"""Repairs of a block as a whole: what must be done to what was written by hand to make it what autodiff says?

Each function takes a block by hand and by autodiff at all points and yields the mistakes that explain the
difference, the plainest first. Nothing is certified that does not hold at every point to rounding.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from mvcalc_jax.verify.claims import Misshapen
from mvcalc_jax.verify.errors import unit

_ROUNDING = 1e-9
"""Of a block's largest entry: what a repaired block may be off."""
_PERMUTED = 6
"""Blocks of more axes than this are not permuted."""


class Repair(NamedTuple):
    """A mistake that explains a block: its kind, in words, and whether it is certified. Low ranks come first."""

    kind: str
    detail: str
    certified: bool
    rank: float


class Seen(NamedTuple):
    """A block at all points, by hand and by autodiff; `out` is how many of its axes are the output's.

    `real_rows` says that the output's axes are such, and not those of random cotangents.
    """

    path: str
    hand: list[np.ndarray]
    exact: list[np.ndarray]
    out: int
    real_rows: bool
    sizes: dict[str, int]

    def explained_by(self, repaired: Sequence[Any]) -> bool:
        """Whether the repaired block is what autodiff says, at all points, and the block by hand is not."""
        return matches(repaired, self.exact, self.hand)


def matches(repaired: Sequence[Any], exact: Sequence[np.ndarray], hand: Sequence[np.ndarray]) -> bool:
    """Whether arrays agree at all points to rounding: to much less than what there is to explain."""
    for ours, theirs, before in zip(map(np.asarray, repaired), exact, hand, strict=True):
        size = unit(theirs, otherwise=unit(before))
        if ours.shape != theirs.shape:
            return False
        explained = (
            float(np.abs(before - theirs).max(initial=0)) if before.shape == theirs.shape else math.inf
        )
        if not np.abs(ours - theirs).max(initial=0) <= min(
            _ROUNDING * size, max(1e-3 * explained, 1e-11 * size)
        ):
            return False
    return True


def repairs(seen: Seen, others: Sequence[Seen]) -> Iterator[Repair]:
    """All repairs of a block as a whole; `others` are the other blocks of the same point."""
    yield from _zero(seen)
    yield from _multiple(seen)
    yield from _conjugate(seen)
    yield from _asymmetric(seen)
    yield from _swapped(seen, others)
    yield from _rearranged(seen)
    yield from _partly(seen)


def misshapen(seen: Seen, found: Misshapen) -> Repair:
    """Why a leaf has the wrong shape: not summed, transposed, or only shaped otherwise."""
    exact, leaf, rows = seen.exact[-1], found.leaf, 0 if seen.real_rows else seen.out
    if found.rows:
        exact, rows = exact.reshape(found.rows, *exact.shape[seen.out :]), 1
    if leaf.shape[:rows] == exact.shape[:rows]:
        for axis in range(rows, leaf.ndim):
            if matches([leaf.sum(axis=axis)], [exact], [0 * exact]):
                said = (
                    f"{found.reason}: it must be summed over axis {axis - rows}, of length {leaf.shape[axis]}"
                )
                return Repair("missing-sum", said, True, 0)
        if leaf.ndim == exact.ndim <= _PERMUTED:
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


def factor(hand: Sequence[Any], exact: Sequence[np.ndarray]) -> complex | None:
    """The one number c with exact = c · hand at all points; None if there is none."""
    over = sum(np.vdot(h, h).real for h in hand)
    if not over or any(h.shape != e.shape for h, e in zip(hand, exact, strict=True)):
        return None
    c = sum(np.vdot(h, e) for h, e in zip(hand, exact, strict=True)) / over
    c = complex(c) if np.iscomplexobj(c) and abs(c.imag) > 1e-9 * abs(c) else float(np.real(c))
    return c if c and matches([c * h for h in hand], exact, hand) else None


def _multiple(seen: Seen) -> Iterator[Repair]:
    c = factor(seen.hand, seen.exact)
    if c is None:
        return
    if abs(c + 1) < 1e-9:
        yield Repair("sign", "has the wrong sign", True, 0)
        return
    said = spoken(1 / c, seen.sizes)
    exactly = isinstance(c, float) and said != f"{1 / c:.6g}"
    yield Repair(
        "scale",
        f"is {said} times what it must be: multiply it by {spoken(c, seen.sizes)}",
        True,
        0 if exactly else 2.5,
    )


def spoken(number: complex, sizes: dict[str, int]) -> str:
    """A factor in words: ±1, 2, ½, or made of the lengths of axes."""
    if isinstance(number, complex):
        return f"{number:.6g}"
    sign, size = ("-" if number < 0 else ""), abs(number)
    for value, name in _factors(sizes):
        if abs(size / value - 1) < 1e-9:
            return sign + name
    return f"{number:.6g}"


def _factors(sizes: dict[str, int]) -> Iterator[tuple[float, str]]:
    for n in (1, 2, 3, 4):
        yield float(n), str(n)
        yield 1 / n, f"1/{n}"
    lengths = sorted({n for n in sizes.values() if n > 1})
    called = {
        n: f"{n}, the length of {' or '.join(dict.fromkeys(name for name, m in sizes.items() if m == n))},"
        for n in lengths
    }
    for n in lengths:
        yield float(n), called[n]
        yield 1 / n, f"1/{n} (1 over {called[n]})"
        yield math.sqrt(n), f"√{n} (the root of {called[n]})"
        yield 1 / math.sqrt(n), f"1/√{n} (1 over the root of {called[n]})"
        yield n - 1.0, f"{n - 1} (one less than {called[n]})"
        yield 1 / max(n - 1, 0.5), f"1/{n - 1} (1 over one less than {called[n]})"
        yield n / max(n - 1, 0.5), f"{n}/{n - 1}"
        yield (n - 1) / n, f"{n - 1}/{n}"
    for n, m in itertools.combinations_with_replacement(lengths, 2):
        yield float(n * m), f"{n}·{m}"
        yield 1 / (n * m), f"1/({n}·{m})"
        yield n / m, f"{n}/{m}"
        yield m / n, f"{m}/{n}"
    for n in range(5, 13):
        yield float(n), str(n)
        yield 1 / n, f"1/{n}"
    for value, name in (
        (math.pi, "π"),
        (2 * math.pi, "2π"),
        (math.sqrt(math.pi), "√π"),
        (math.sqrt(2 * math.pi), "√(2π)"),
        (math.sqrt(2), "√2"),
        (math.log(2), "ln 2"),
        (math.log(10), "ln 10"),
        (180 / math.pi, "180/π"),
    ):
        yield value, name
        yield 1 / value, f"1/{name}"


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
            mutual = matches(other.hand, seen.exact, other.exact)
            yield Repair(
                "swapped-leaves", f"holds the derivative by {other.path}", True, 0.5 if mutual else 0.9
            )
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


def _rearranged(seen: Seen) -> Iterator[Repair]:
    """Transposed, permuted, flipped, rolled or reshaped in the wrong order; up to a factor."""
    shape, n, first = seen.exact[0].shape, seen.exact[0].ndim, 0 if seen.real_rows else seen.out
    axes = [a for a in range(first, n) if shape[a] > 1]

    def found(kind: str, turn, said: str, rank: float) -> Iterator[Repair]:
        turned = [turn(h) for h in seen.hand]
        if turned[0].shape != shape:
            return
        if seen.explained_by(turned):
            yield Repair(kind, f"{said}", True, rank)
        elif (
            not any(
                np.allclose(t, h, rtol=1e-9, atol=1e-12 * unit(h))
                for t, h in zip(turned, seen.hand, strict=True)
            )
            and (c := factor(turned, seen.exact)) is not None
        ):
            yield Repair(kind, f"{said}, and multiplied by {spoken(1 / c, seen.sizes)}", True, rank + 1)

    for permuted in _permutations(seen, axes):
        kind, said = _name_of(permuted, seen)
        many = sum(a != b for a, b in enumerate(permuted)) > 2 and kind != "transpose"
        yield from found(kind, lambda h, p=permuted: np.transpose(h, p), said, 4.8 if many else 0.6)
    for permuted in _permutations(seen, axes, reshaped=True):
        kind, said = _name_of(permuted, seen)
        yield from found(
            kind,
            lambda h, p=permuted: np.transpose(h.reshape(_inverse(shape, p)), p),
            f"{said}: the numbers are laid out in the wrong order",
            0.7,
        )
    for count in (1, 2):
        for some in itertools.combinations(axes, count):
            yield from found(
                "axis-flipped",
                lambda h, s=some: np.flip(h, s),
                f"runs backwards along {_axes(some, seen)}",
                0.6,
            )
    for a in axes:
        for shift in range(1, min(shape[a], 65)):
            yield from found(
                "axis-permuted",
                lambda h, a=a, s=shift: np.roll(h, -s, a),
                f"is rolled by {shift} along {_axes((a,), seen)}",
                0.7,
            )
        order = _order(seen, a)
        if order is not None:
            yield from found(
                "axis-permuted",
                lambda h, a=a, o=order: np.take(h, o, a),
                f"has its entries along {_axes((a,), seen)} in another order: {order.tolist()[:12]}",
                0.8,
            )


def _order(seen: Seen, axis: int) -> np.ndarray | None:
    """How the slices along an axis would have to be ordered; None if they are no reordering at all."""
    hand, exact = (
        np.moveaxis(leaf[0], axis, 0).reshape(leaf[0].shape[axis], -1) for leaf in (seen.hand, seen.exact)
    )
    if len(hand) > 64:
        return None
    away = np.abs(hand[None] - exact[:, None]).max(axis=2, initial=0)
    if not away.size:
        return None
    order = away.argmin(axis=1)
    return (
        order
        if len(set(order.tolist())) == len(order) and away.min(axis=1).max() < 1e-9 * unit(exact)
        else None
    )


def _permutations(seen: Seen, axes: list[int], *, reshaped: bool = False) -> Iterator[tuple[int, ...]]:
    """Those that are not the identity, and keep the shape; or, `reshaped`, do not."""
    shape = seen.exact[0].shape
    if len(axes) > _PERMUTED:  # of very many axes, the argument's alone
        axes = [a for a in axes if a >= seen.out]
        if len(axes) > _PERMUTED:
            return
    for order in itertools.permutations(axes):
        full = list(range(len(shape)))
        for a, b in zip(axes, order, strict=True):
            full[a] = b
        keeps = all(shape[a] == shape[b] for a, b in zip(axes, order, strict=True))
        if tuple(order) != tuple(axes) and keeps is not reshaped:
            yield tuple(full)


def _inverse(shape: tuple[int, ...], permuted: tuple[int, ...]) -> tuple[int, ...]:
    before = [0] * len(shape)
    for a, b in enumerate(permuted):
        before[b] = shape[a]
    return tuple(before)


def _name_of(permuted: tuple[int, ...], seen: Seen) -> tuple[str, str]:
    moved = [a for a, b in enumerate(permuted) if a != b]
    into = len(permuted) - seen.out
    across = all(permuted[permuted[a]] == a and (a < seen.out) != (permuted[a] < seen.out) for a in moved)
    if seen.real_rows and seen.out and across:
        pairs = " and ".join(f"{a} and the output's {permuted[a]}" for a in moved if a >= seen.out)
        return "transpose", f"is transposed: axes {pairs} stand for each other".replace(
            pairs,
            " and ".join(f"{a - seen.out} and the output's {permuted[a]}" for a in moved if a >= seen.out),
        )
    if len(moved) == 2 and into == 2 and min(moved) >= seen.out:
        return "transpose", "is transposed"
    return "axis-permuted", f"has its axes in the wrong order: it must be transposed to {tuple(permuted)}"


def _axes(axes: tuple[int, ...], seen: Seen) -> str:
    said = [f"the output's axis {a}" if a < seen.out else f"axis {a - seen.out}" for a in axes]
    return " and ".join(said)


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
    where = ", ".join(f"{_axes((a,), seen)} at {_ranges(places[a])}" for a in confined)
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
    elif confined:
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
