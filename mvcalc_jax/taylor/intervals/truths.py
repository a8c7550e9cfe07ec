"""Comparisons of what is only known to lie in intervals, and choices that hang on them.

A comparison is certain, possible or impossible, at the base point and over the region. A choice that is certain for
both is the branch chosen. Where it changes within the region the function may have a jump or a kink there: its
range is that of both branches, and its remainders follow from its values, (u − Σ c h)/hᵐ, as far as the region
keeps away from the base point.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from mvcalc_jax.taylor.intervals.arithmetic import (
    Interval,
    chosen,
    filled,
    greatest,
    inverse,
    scaled,
)
from mvcalc_jax.taylor.intervals.elementary import absolute
from mvcalc_jax.taylor.intervals.expansions import (
    Entry,
    Expansion,
    chain,
    constant,
    entrywise,
    minus,
    negative,
    plus,
    tightened,
)


class Known(NamedTuple):
    """What is known of a condition, entrywise."""

    certain: Any
    possible: Any


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Truth:
    """A condition at the base point and over the region."""

    at: Known
    over: Known

    @property
    def shape(self) -> tuple[int, ...]:
        return jnp.shape(self.over.certain)


def fact(value: Any) -> Truth:
    """A condition that does not depend on x."""
    return Truth(Known(value, value), Known(value, value))


def compared(name: str, u: Expansion, v: Expansion) -> Truth:
    """One of JAX's comparisons: lt, le, gt, ge, eq, ne."""
    over = _COMPARISONS[name](u.range, v.range)
    if u.order == 0:
        return Truth(over, over)
    zero = filled(u.range, 0.0)
    return Truth(_COMPARISONS[name](u.c[0] or zero, v.c[0] or zero), over)


def _less(a: Interval, b: Interval) -> Known:
    return Known(a.hi < b.lo, ~(a.lo >= b.hi))  # of NaN, everything is possible


def _less_or_equal(a: Interval, b: Interval) -> Known:
    return Known(a.hi <= b.lo, ~(a.lo > b.hi))


def _equal(a: Interval, b: Interval) -> Known:
    return Known((a.lo == b.hi) & (a.hi == b.lo), ~((a.lo > b.hi) | (b.lo > a.hi)))


def _not(known: Known) -> Known:
    return Known(~known.possible, ~known.certain)


_COMPARISONS: dict[str, Callable[[Interval, Interval], Known]] = {
    "lt": _less,
    "le": _less_or_equal,
    "gt": lambda a, b: _less(b, a),
    "ge": lambda a, b: _less_or_equal(b, a),
    "eq": _equal,
    "ne": lambda a, b: _not(_equal(a, b)),
}


def combined(name: str, *truths: Truth) -> Truth:
    """not, and, or of conditions."""
    if name == "not":
        return Truth(_not(truths[0].at), _not(truths[0].over))
    f = {"and": jnp.logical_and, "or": jnp.logical_or}[name]
    of = lambda known: Known(*(f(a, b) for a, b in zip(*known, strict=True)))
    return Truth(of([t.at for t in truths]), of([t.over for t in truths]))


def select(truth: Truth, no: Expansion, yes: Expansion) -> Expansion:
    """`yes` where the condition holds, `no` where it does not."""
    certain, impossible = truth.at.certain & truth.over.certain, ~(truth.at.possible | truth.over.possible)
    c = tuple(_picked(truth.at.certain, ~truth.at.possible, y, n) for y, n in zip(yes.c, no.c, strict=True))
    r = [_picked(truth.over.certain, ~truth.over.possible, yes.r[0], no.r[0])]
    over = None if no.h is None else inverse(no.h)
    for m in range(no.order):
        by_values = times(minus(r[m], c[m]), over)
        agreed = _picked(certain, impossible, yes.r[m + 1], no.r[m + 1])
        settled = certain | impossible
        r.append(_where(settled, agreed, by_values))
    return tightened(Expansion(c, tuple(r), no.h))


def times(a: Entry, b: Interval | None) -> Entry:
    """a b"""
    return None if a is None or b is None else a * b


def preferred(truth: Truth, yes: Expansion, otherwise: Expansion) -> Expansion:
    """Two expansions of one function: the first where the condition is certain, the other one elsewhere."""
    at, over = truth.at.certain, truth.over.certain
    c = tuple(_where(at, y, n) for y, n in zip(yes.c, otherwise.c, strict=True))
    first, *rest = (
        _where(over & at if m else over, y, n)
        for m, (y, n) in enumerate(zip(yes.r, otherwise.r, strict=True))
    )
    return tightened(Expansion(c, (first, *rest), yes.h))


def as_number(truth: Truth, dtype: Any, like: Expansion | None) -> Expansion:
    """1 where a condition holds, 0 where it does not."""
    no, yes = (jnp.full(truth.shape, value, dtype) for value in (0, 1))
    return select(truth, constant(Interval(no, no), like), constant(Interval(yes, yes), like))


def _picked(certain: Any, impossible: Any, yes: Entry, no: Entry) -> Entry:
    if yes is None and no is None:
        return None
    yes, no = _both(yes, no)
    return chosen(certain, yes, chosen(impossible, no, yes | no))


def _both(a: Entry, b: Entry) -> tuple[Interval, Interval]:
    """Two entries, of which one may be an exact zero, as numbers."""
    zero = filled(a or b, 0.0)  # type: ignore[arg-type]
    return a or zero, b or zero


def _where(which: Any, a: Entry, b: Entry) -> Entry:
    if a is None and b is None:
        return None
    return chosen(which, *_both(a, b))


def maximum(u: Expansion, v: Expansion) -> Expansion:
    """The larger of two: the one that certainly is, or (u + v + |u − v|)/2."""
    difference = entrywise(minus, u, v)
    both = entrywise(plus, entrywise(plus, u, v), chain(absolute, difference))
    half = entrywise(lambda e: None if e is None else scaled(e, 0.5), both)
    truth = compared("gt", u, v)
    pick = lambda known: (
        lambda y, n, h: _where(
            known.certain | ~known.possible, _picked(known.certain, ~known.possible, y, n), h
        )
    )
    both = Known(truth.at.certain & truth.over.certain, truth.at.possible | truth.over.possible)
    c = tuple(map(pick(truth.at), u.c, v.c, half.c))
    r = tuple(map(pick(both), u.r, v.r, half.r))
    a, b = u.range, v.range
    sharp = Interval(greatest(a.lo, b.lo), greatest(a.hi, b.hi))
    return tightened(Expansion(c, (sharp, *r[1:]), u.h))


def minimum(u: Expansion, v: Expansion) -> Expansion:
    """−max(−u, −v)"""
    return entrywise(negative, maximum(entrywise(negative, u), entrywise(negative, v)))


def stepwise(f: Callable[[Any], Any], u: Expansion) -> Expansion:
    """floor, ceil, round and sign: constant where both ends have one value, a jump elsewhere.

    With derivatives of zero, which they have wherever they have one, the remainders follow from the values.
    """
    value = Interval(f(u.range.lo), f(u.range.hi))
    if u.order == 0:
        return Expansion((), (value,), u.h)
    at = u.c[0] or filled(value, 0.0)
    start = Interval(f(at.lo), f(at.hi))
    zero = filled(value, 0.0)
    same = (value.lo == value.hi) & (start.lo == value.lo) & (start.hi == value.lo)
    r: list[Entry] = [value]
    over = None if u.h is None else inverse(u.h)
    for m in range(u.order):
        r.append(_where(same, zero, times(minus(r[m], start) if m == 0 else r[m], over)))
    return Expansion((start, *[None] * (u.order - 1)), tuple(r), u.h)
