"""Blocks whose numbers are right and in the wrong places: transposed, permuted, flipped, rolled or reshaped."""

import itertools
from collections.abc import Iterator

import numpy as np

from mvcalc_jax.verify.causes.seen import Repair, Seen, factor, spoken
from mvcalc_jax.verify.errors import unit

PERMUTED = 6
"""Blocks of more axes than this are not permuted."""


def rearranged(seen: Seen) -> Iterator[Repair]:
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
                f"runs backwards along {axes_named(some, seen)}",
                0.6,
            )
    for a in axes:
        for shift in range(1, min(shape[a], 65)):
            yield from found(
                "axis-permuted",
                lambda h, a=a, s=shift: np.roll(h, -s, a),
                f"is rolled by {shift} along {axes_named((a,), seen)}",
                0.7,
            )
        order = _order(seen, a)
        if order is not None:
            yield from found(
                "axis-permuted",
                lambda h, a=a, o=order: np.take(h, o, a),
                f"has its entries along {axes_named((a,), seen)} in another order: {order.tolist()[:12]}",
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
    if len(axes) > PERMUTED:  # of very many axes, the argument's alone
        axes = [a for a in axes if a >= seen.out]
        if len(axes) > PERMUTED:
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


def axes_named(axes: tuple[int, ...], seen: Seen) -> str:
    """Axes in words, the output\'s and the argument\'s each counted from 0."""
    said = [f"the output's axis {a}" if a < seen.out else f"axis {a - seen.out}" for a in axes]
    return " and ".join(said)
