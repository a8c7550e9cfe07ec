"""Factors and terms that are values of the function: what a leaf must be multiplied by, or what must be added.

The last resort: where no single step's derivative explains a leaf, its quotient or difference with what autodiff
says may still be a value that the function computes.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from mvcalc_jax.verify.causes.products import products, regular
from mvcalc_jax.verify.causes.seen import Repair, Seen, factor, matches, spoken
from mvcalc_jax.verify.causes.tape import Tape
from mvcalc_jax.verify.causes.words import called

_SHAPES: dict[str, Callable[[Any], Any]] = {
    "{}": lambda w: w,
    "1/{}": lambda w: 1 / w,
    "{}²": lambda w: w**2,
    "1/{}²": lambda w: 1 / w**2,
    "√{}": lambda w: np.sqrt(np.abs(w)),
    "1/√{}": lambda w: 1 / np.sqrt(np.abs(w)),
    "1 - {}": lambda w: 1 - w,
    "1 - {}²": lambda w: 1 - w**2,
    "{0}·(1 - {0})": lambda w: w * (1 - w),
    "{}³": lambda w: w**3,
    "1/{}³": lambda w: 1 / w**3,
    "exp {}": lambda w: np.exp(np.clip(w, -700, 700)),
    "exp(-{})": lambda w: np.exp(np.clip(-w, -700, 700)),
}
"""What may be made of a value."""

_LARGE = 3 * 10**5


def factors(tapes: Sequence[Tape], seen: Seen) -> Iterator[Repair]:
    """Values of the function by which a block must be multiplied, or that must be added to it."""
    if not all(map(np.isrealobj, [*seen.hand, *seen.exact])) or seen.hand[0].size > _LARGE:
        yield from _hints(seen)
        return
    numbers = _numbers(tapes[0])
    yield from _contents(tapes, numbers, seen)
    yield from _multiplied(tapes, numbers, seen)
    yield from products(tapes, numbers, seen)
    yield from _by_matrices(tapes, numbers, seen)
    yield from _added(tapes, numbers, seen)
    yield from _hints(seen)


def _contents(tapes: Sequence[Tape], numbers: list[int], seen: Seen) -> Iterator[Repair]:
    """A block that holds a value of the function where it must hold another."""
    mask = [e != 0 for e in seen.exact[: len(tapes)]]
    if all(m.all() for m in mask) and not seen.out:
        return  # a gradient may be anything
    for n in numbers:
        for k, (where, first) in enumerate(_aligned(np.asarray(tapes[0].values[n]), seen)):
            if first.size < 2 or not np.ptp(first):
                continue
            aligned = [list(_aligned(np.asarray(tape.values[n]), seen))[k][1] for tape in tapes]
            held = [np.where(m, a, 0) for m, a in zip(mask, aligned, strict=True)]
            c = factor(held, seen.hand[: len(tapes)])
            if c is not None and len(tapes) > 1:
                times = "" if abs(c - 1) < 1e-9 else f"{spoken(c, seen.sizes)} times "
                yield Repair(
                    "wrong-intermediate",
                    f"holds {times}{called(tapes[0], n)}{where} where another value belongs",
                    True,
                    4.9,
                )
                return


def _numbers(tape: Tape) -> list[int]:
    """The numbers of all different values."""
    kept: list[int] = []
    for n, value in enumerate(tape.values):
        if not jnp.issubdtype(jnp.result_type(value), jnp.floating) or np.size(value) == 0:
            continue
        if not any(
            np.shape(value) == np.shape(tape.values[m]) and np.array_equal(value, tape.values[m])
            for m in kept
        ):
            kept.append(n)
    return kept[:120]


def _aligned(value: np.ndarray, seen: Seen) -> Iterator[tuple[str, np.ndarray]]:
    """A value as a factor of the block: along the argument's axes, or along the output's."""
    shape = seen.exact[0].shape
    into, out = shape[seen.out :], shape[: seen.out] if seen.real_rows else ()
    if value.size == 1:
        yield "", value.reshape(())
        return
    if _fits(value.shape, into):
        yield "", value
    if out and _fits(value.shape, out):
        yield " along the output", value.reshape(*value.shape, *[1] * len(into))


def _fits(shape: tuple[int, ...], into: tuple[int, ...]) -> bool:
    return len(shape) <= len(into) and all(a in (1, b) for a, b in zip(shape[::-1], into[::-1], strict=False))


def _multiplied(tapes: Sequence[Tape], numbers: list[int], seen: Seen) -> Iterator[Repair]:
    for n in numbers:
        for k, (where, _) in enumerate(_aligned(np.asarray(tapes[0].values[n]), seen)):
            aligned = [list(_aligned(np.asarray(tape.values[n]), seen))[k][1] for tape in tapes]
            if all(np.array_equal(a, aligned[0]) for a in aligned) and aligned[0].size == 1:
                continue  # a constant: a multiple by any other name
            for said, of in _SHAPES.items():
                with np.errstate(all="ignore"):
                    turned = [np.nan_to_num(of(a)) * h for a, h in zip(aligned, seen.hand, strict=False)]
                if (c := factor(turned, seen.exact[: len(turned)])) is None:
                    continue
                name = said.format(called(tapes[0], n))
                times = "" if abs(c - 1) < 1e-9 else f" (and {spoken(c, seen.sizes)})"
                yield Repair(
                    "missing-factor",
                    f"must be multiplied by {name}{where}{times}",
                    len(tapes) > 1,
                    5 + (times != ""),
                )
                return


def _by_matrices(tapes: Sequence[Tape], numbers: list[int], seen: Seen) -> Iterator[Repair]:
    """Matrices that stand before or behind a block, or should."""
    shape = seen.exact[0].shape
    if not 1 <= len(shape) - seen.out <= 2:
        return
    for n in numbers:
        matrix = [np.asarray(tape.values[n]) for tape in tapes]
        if not regular(matrix):
            continue
        name = called(tapes[0], n)
        for axis in range(seen.out, len(shape)):
            if shape[axis] != len(matrix[0]):
                continue

            def applied(M: np.ndarray, block: np.ndarray, axis: int = axis) -> np.ndarray:
                return np.moveaxis(np.tensordot(M, block, axes=(1, axis)), 0, axis)

            plain, turned = matrix, [m.T for m in matrix]
            for ours, theirs, kind, said in (
                (plain, turned, "transpose", f"{name} stands where its transpose should, or its inverse's"),
                (turned, plain, "transpose", f"{name} stands where its transpose should, or its inverse's"),
                (plain, None, "missing-factor", f"must be multiplied by the matrix {name}"),
                (turned, None, "missing-factor", f"must be multiplied by the transpose of the matrix {name}"),
                (None, plain, "missing-factor", f"is multiplied by the matrix {name} once too often"),
                (
                    None,
                    turned,
                    "missing-factor",
                    f"is multiplied by the transpose of the matrix {name} once too often",
                ),
            ):
                left = [
                    h if ours is None else applied(ours[t], h) for t, h in enumerate(seen.hand[: len(tapes)])
                ]
                right = [
                    e if theirs is None else applied(theirs[t], e)
                    for t, e in enumerate(seen.exact[: len(tapes)])
                ]
                if matches(left, right, [0 * r for r in right]) and any(np.any(r) for r in right):
                    yield Repair(kind, said, len(tapes) > 1, 5.2)
                    return


def _added(tapes: Sequence[Tape], numbers: list[int], seen: Seen) -> Iterator[Repair]:
    """A multiple of a value that is missing."""
    if seen.out and not (seen.real_rows and seen.exact[0].size == np.prod(seen.exact[0].shape[seen.out :])):
        return
    gap = [e - h for e, h in zip(seen.exact, seen.hand, strict=True)][: len(tapes)]
    for n in numbers:
        value = [np.asarray(tape.values[n]) for tape in tapes]
        if value[0].size < 2 or value[0].shape != gap[0].shape:
            continue
        if (c := factor(value, gap)) is not None:
            term = f"{spoken(c, seen.sizes)} times {called(tapes[0], n)}"
            yield Repair("missing-term", f"the term {term} is missing", len(tapes) > 1, 5.4)
            return


def _hints(seen: Seen) -> Iterator[Repair]:
    """What the quotient, the difference or the zeros look like, where nothing explains them."""
    sizes = [1e-12 * np.abs(e).max(initial=0) for e in seen.exact]
    ours = [np.abs(h) > size for h, size in zip(seen.hand, sizes, strict=True)]
    theirs = [np.abs(e) > size for e, size in zip(seen.exact, sizes, strict=True)]
    pairs = list(zip(ours, theirs, strict=True))
    if all((h <= e).all() and h.sum() < e.sum() for h, e in pairs):
        yield Repair("missing-support", "is zero where it must not be, and wrong elsewhere, too", False, 8.5)
        return
    if all((h >= e).all() and h.sum() > e.sum() for h, e in pairs):
        yield Repair("extra-support", "is not zero where it must be, and wrong elsewhere, too", False, 8.5)
        return
    with np.errstate(all="ignore"):
        quotient = [
            np.where(h & e, x / y, np.nan)
            for h, e, x, y in zip(ours, theirs, seen.exact, seen.hand, strict=True)
        ]
    for axes in _axis_sets(seen):
        others = tuple(a for a in range(quotient[0].ndim) if a not in axes)
        if others and all(_constant(q, others) for q in quotient):
            said = " and ".join(
                f"the output's axis {a}" if a < seen.out else f"axis {a - seen.out}" for a in axes
            )
            yield Repair(
                "missing-factor",
                f"must be multiplied by a factor that depends on {said or 'the point'} alone",
                False,
                8,
            )
            return
    yield Repair("missing-term", f"differs by a term of {_share(seen):.2g} of its size", False, 9)


def _axis_sets(seen: Seen) -> list[tuple[int, ...]]:
    axes = [a for a, n in enumerate(seen.exact[0].shape) if n > 1]
    return [(), *((a,) for a in axes)]


def _constant(q: np.ndarray, axes: tuple[int, ...]) -> bool:
    known = np.isfinite(q)
    if known.sum() < 2:
        return False
    low, high = (
        np.nanmin(np.where(known, q, np.inf), axis=axes),
        np.nanmax(np.where(known, q, -np.inf), axis=axes),
    )
    counted = np.isfinite(low) & np.isfinite(high)
    return bool(
        counted.any()
        and (np.abs(high - low)[counted] <= 1e-8 * np.abs(high)[counted]).all()
        and known.sum() > counted.sum()
    )


def _share(seen: Seen) -> float:
    over = sum(float(np.sum(np.abs(e) ** 2)) for e in seen.exact)
    gap = sum(float(np.sum(np.abs(e - h) ** 2)) for e, h in zip(seen.exact, seen.hand, strict=True))
    return (gap / over) ** 0.5 if over else float("inf")
