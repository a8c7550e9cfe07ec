"""What is "correct" worth? The derivative by hand is broken on purpose, and the check must notice.

Mistakes are planted into it leaf by leaf and judged at the same points with the same tolerance. What is not noticed
would not have been noticed either had it been made: a transposed derivative that is symmetric, a wrong sign of one
that is zero. Arguments that are known to hide mistakes are named as well.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from mvcalc_jax import text
from mvcalc_jax.verify.errors import errors, unit
from mvcalc_jax.verify.evidence import Block, Evidence
from mvcalc_jax.verify.points import Point, is_symmetric
from mvcalc_jax.verify.report import Adequacy

_LARGE = 10**6
_SAID, _WARNED = 3, 4


def adequate(
    point: Point,
    blocks: Sequence[Block],
    evidence: Sequence[Evidence],
    threshold: float,
    kinks: Sequence[str] = (),
) -> Adequacy:
    """How many planted mistakes are further off than `threshold` at some point; `kinks` join the warnings."""
    caught, planted = 0, 0
    invisible: dict[str, list[str]] = {}
    for k, block in enumerate(blocks):
        hand = [at.hand[k] for at in evidence]
        if not hand[0].size or hand[0].size > _LARGE:
            continue
        for name, why, broken in _mistakes(k, block, hand, blocks, evidence):
            planted += 1
            if any(
                errors(b, h, unit(h)).max(initial=0) > threshold for b, h in zip(broken, hand, strict=True)
            ):
                caught += 1
            else:
                invisible.setdefault(f"{name} is invisible, for it {why}", []).append(block.path)
    hiding: dict[str, list[str]] = {}
    for path, what in _hiding(point):
        hiding.setdefault(what, []).append(path)
    said = [f"in {', '.join(paths)} {what}" for what, paths in invisible.items()]
    warnings = [*(f"{what}: {text.listed(paths)}" for what, paths in hiding.items()), *kinks]
    return Adequacy(caught, planted, _few(said, _SAID), _few(warnings, _WARNED))


def _few(said: list[str], most: int) -> tuple[str, ...]:
    return tuple(said if len(said) <= most else [*said[:most], f"and {len(said) - most} more"])


def _mistakes(
    k: int, block: Block, hand: list[np.ndarray], blocks: Sequence[Block], evidence: Sequence[Evidence]
) -> Iterator[tuple[str, str, list[np.ndarray]]]:
    """Mistakes that can be made in a leaf: their names, why they may not show, and what they make of it."""

    def made(change: Callable[[np.ndarray], np.ndarray]) -> list[np.ndarray]:
        return [np.asarray(change(h)) for h in hand]

    into = len(block.into)
    yield "a wrong factor", "is zero", made(lambda h: 2 * h)
    yield "a factor off by 1e-3", "is zero", made(lambda h: 1.001 * h)
    yield "a wrong sign", "is zero", made(lambda h: -1.0 * h)
    yield "a missing derivative", "is zero", made(np.zeros_like)
    if hand[0].ndim and hand[0].size > 1:
        yield "one wrong entry", "is zero there", made(lambda h: _one(h, lambda entry: 1.01 * entry))
        yield "one missing entry", "is zero there", made(lambda h: _one(h, lambda entry: 0 * entry))
    axes = [a for a in range(hand[0].ndim - into, hand[0].ndim) if hand[0].shape[a] > 1]
    for a in axes:
        b = a - hand[0].ndim
        yield (
            f"an axis {a - hand[0].ndim + into} in reverse",
            "is the same both ways",
            made(lambda h, b=b: np.flip(h, b)),
        )
        yield (
            f"an axis {a - hand[0].ndim + into} rolled by one",
            "is the same all along it",
            made(lambda h, b=b: np.roll(h, 1, b)),
        )
    if into >= 2 and block.into[-1] == block.into[-2] > 1:
        yield "a transpose", "is symmetric", made(lambda h: np.swapaxes(h, -1, -2))
    for j, other in enumerate(blocks[:k]):
        if evidence[0].hand[j].shape == hand[0].shape:
            yield (
                f"the derivative by {other.path} in its place",
                "is the same",
                [at.hand[j] for at in evidence],
            )


def _one(h: np.ndarray, change: Callable[[Any], Any]) -> np.ndarray:
    """One entry changed: the median by magnitude, for neither the largest nor a zero is typical."""
    changed = h.copy().ravel()
    nonzero = np.nonzero(changed)[0]
    if len(nonzero):
        at = nonzero[np.argsort(np.abs(changed[nonzero]))[len(nonzero) // 2]]
        changed[at] = change(changed[at])
    return changed.reshape(h.shape)


def _hiding(point: Point) -> Iterator[tuple[str, str]]:
    """Arguments that hide mistakes, and how."""
    for path, leaf, moved in [
        *((path, leaf, True) for path, leaf in zip(point.paths, point.leaves, strict=True)),
        *((path, leaf, False) for path, leaf in zip(point.other_paths, point.others, strict=True)),
    ]:
        if not hasattr(leaf, "dtype") or getattr(leaf.dtype, "kind", "") not in tuple("biufc"):
            continue
        value = np.asarray(leaf)
        if not value.size:
            yield path, "empty, so that nothing is checked there"
        if value.ndim > 1 and 1 in value.shape:
            yield path, "with an axis of length 1, which hides sums and means over it"
        if value.size < 2 or moved:
            continue
        if not value.any():
            yield path, "all zeros, which hides factors"
        elif (value == value.ravel()[0]).all():
            yield path, f"{value.ravel()[0]} throughout, which hides mixed up entries"
        elif is_symmetric(value):
            yield path, "symmetric, which hides a transpose"
        elif value.dtype.kind in "iu" and len(np.unique(value)) == value.size:
            yield path, "with no number twice, which hides sums over repeated indices"
