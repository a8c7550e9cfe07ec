"""A block as it is seen at all points, by hand and by autodiff, and when two of them agree."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from mvcalc_jax.verify.errors import unit

_ROUNDING = 1e-9
"""Of a block's largest entry: what a repaired block may be off."""


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


def matches(repaired: Sequence[Any], exact: Sequence[Any], hand: Sequence[Any]) -> bool:
    """Whether arrays agree at all points to rounding: to much less than what there is to explain."""
    for ours, theirs, before in zip(
        *(map(np.asarray, side) for side in (repaired, exact, hand)), strict=True
    ):
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


@np.errstate(all="ignore")  # a sum of squares may be too large for a number: then there is none
def factor(hand: Sequence[Any], exact: Sequence[Any]) -> complex | None:
    """The one number c with exact = c · hand at all points; None if there is none."""
    over = sum(np.vdot(h, h).real for h in hand)
    if not over or any(h.shape != e.shape for h, e in zip(hand, exact, strict=True)):
        return None
    c = sum(np.vdot(h, e) for h, e in zip(hand, exact, strict=True)) / over
    c = complex(c) if np.iscomplexobj(c) and abs(c.imag) > 1e-9 * abs(c) else float(np.real(c))
    return c if c and matches([c * h for h in hand], exact, hand) else None


def spoken(number: complex, sizes: dict[str, int]) -> str:
    """A factor in words: ±1, 2, ½, or made of the lengths of axes."""
    near = number - 1
    return known(number, sizes) or (f"1 {near.real:+.1e}" if abs(near) < 1e-4 else f"{number:.6g}")


def known(number: complex, sizes: dict[str, int]) -> str:
    """The name of a factor that is one people forget; empty for any other."""
    if isinstance(number, complex):
        return ""
    for value, name in _factors(sizes):
        if abs(abs(number) / value - 1) < 1e-9:
            return ("-" if number < 0 else "") + name
    return ""


def _factors(sizes: dict[str, int]) -> Iterator[tuple[float, str]]:
    for n in (1, 2, 3, 4):
        yield from _with_inverse(float(n), str(n))
    lengths = sorted({n for n in sizes.values() if n > 1})
    for n in lengths:
        axes = " or ".join(dict.fromkeys(name for name, m in sizes.items() if m == n))
        said = f" ({n} is the length of {axes})"
        yield from _with_inverse(float(n), str(n), said)
        yield from _with_inverse(math.sqrt(n), f"√{n}", said)
        if n > 2:
            yield from _with_inverse(n - 1.0, str(n - 1), said)
            yield n / (n - 1), f"{n}/{n - 1}" + said
            yield (n - 1) / n, f"{n - 1}/{n}" + said
    for n, m in itertools.combinations_with_replacement(lengths, 2):
        yield from _with_inverse(float(n * m), f"{n}·{m}", " (the lengths of axes)")
        yield n / m, f"{n}/{m} (the lengths of axes)"
        yield m / n, f"{m}/{n} (the lengths of axes)"
    for n in range(5, 13):
        yield from _with_inverse(float(n), str(n))
    for value, name in _CONSTANTS.items():
        yield from _with_inverse(value, name)


_CONSTANTS = {
    math.pi: "π",
    2 * math.pi: "2π",
    math.sqrt(math.pi): "√π",
    math.sqrt(2 * math.pi): "√(2π)",
    math.sqrt(2): "√2",
    math.log(2): "ln 2",
    math.log(10): "ln 10",
    180 / math.pi: "180/π",
}


def _with_inverse(value: float, name: str, said: str = "") -> Iterator[tuple[float, str]]:
    yield value, name + said
    yield 1 / value, (f"1/({name})" if "/" in name or "·" in name else f"1/{name}") + said


@dataclass(frozen=True)
class Cause:
    """A repair, with the blocks that it explains, and how many right ones it would have made wrong."""

    repair: Repair
    explains: frozenset[int]
    spoils: int = 0
