"""verified_root: Krawczyk's test, for exactly one root in a box or none."""

import enum
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax import precision, require, text
from mvcalc_jax.compiling import quickly
from mvcalc_jax.taylor.bands.boxes import AT_ONCE, function_on_box, halved, padded
from mvcalc_jax.taylor.bands.tensors import along, interval_of, jacobian_over, steady
from mvcalc_jax.taylor.intervals.arithmetic import Interval, point, where

BOXES = 5_000
"""Boxes that are looked at before the search ends."""


class RootStatus(enum.Enum):
    """What is proven of roots in a box.

    >>> [status.value for status in mv.taylor.RootStatus]
    ['exactly one root', 'no root', 'cannot tell']
    """

    ONE = "exactly one root"
    NONE = "no root"
    UNKNOWN = "cannot tell"


@text.shown
class VerifiedRoot(NamedTuple):
    """What `verified_root` proved.

    >>> found = mv.verified_root(jnp.sin, (3, 4))
    >>> float(found.root.lo) <= np.pi <= float(found.root.hi), found.message.split(",")[0]
    (True, 'exactly one root')
    """

    status: RootStatus
    root: Interval
    """Where the root lies, shape (d,) or (); where status is not ONE, what could not be excluded (NaN: nothing is
    left)."""
    message: str

    def _parts(self) -> text.Parts:
        return [self.message]


def verified_root(f: Callable[[Any], Any], box: Any) -> VerifiedRoot:
    """Whether a box holds exactly one root of f, or none.

    Krawczyk's operator, with m the middle of X and Y near the inverse of the Jacobian there,

        K(X) = m − Y f(m) + (I − Y J(X)) (X − m):

    all roots in X lie in K(X), so that X holds none if they do not meet; and exactly one, at which J is regular, if
    K(X) lies within X. Boxes in which f keeps away from zero are dropped, others divided, until one box is left.

    Args:
        f: as many numbers as variables, of an array of shape (d,); or a number of a number.
        box: a pair (low, high) for each variable, or one pair.

    Raises:
        TypeError, ValueError: where an argument is none of these; or f has an operation that no rule is known for.

    Reference: R. Krawczyk, Newton-Algorithmen zur Bestimmung von Nullstellen mit Fehlerschranken, Computing 4
    (1969) 187.

    >>> found = mv.verified_root(jnp.sin, (3, 4))
    >>> found.status.value, f"{float(found.root.lo):.12f}"
    ('exactly one root', '3.141592653590')
    >>> mv.verified_root(jnp.sin, (1, 3)).status.value
    'no root'
    """
    given, box, alone = function_on_box(f, box)
    g = (lambda x: given(x)[None]) if alone else given
    value = require.traceable("f", given, jnp.zeros(len(box)))
    shape = getattr(value, "shape", None)
    if shape != (() if alone else (len(box),)):
        got = f"shape {shape}" if shape is not None else type(value).__name__
        raise ValueError(f"`f` must return as many numbers as it has variables, {len(box)}; got {got}")
    if not jnp.issubdtype(value.dtype, jnp.floating):
        raise TypeError(f"`f` must return floating-point numbers; got {value.dtype}")
    with precision.of(box):
        contract = jax.jit(jax.vmap(partial(_krawczyk, g)), compiler_options=quickly())
        boxes, seen = box[None], 0
        while len(boxes) and seen < BOXES:
            some, rest = boxes[:AT_ONCE], boxes[AT_ONCE:]
            seen += len(some)
            result = [np.asarray(x)[: len(some)] for x in contract(padded(some))]
            inside, empty, low, high = result
            left = np.stack([low, high], axis=-1)
            if (
                inside.any()
                and (whole := _one_for_all(contract, np.concatenate([left[~empty], rest]), box)) is not None
            ):
                return _proven(*whole, alone)
            left = left[~empty]
            shrunk = (left[..., 1] - left[..., 0]).max(1) < 0.7 * (
                some[~empty][..., 1] - some[~empty][..., 0]
            ).max(1)
            boxes = np.concatenate([rest, left[shrunk], *halved(left[~shrunk])])
            if len(boxes) and (boxes[..., 1] - boxes[..., 0]).max() <= 8 * np.spacing(np.abs(boxes).max()):
                break
    if not len(boxes):
        nothing = jnp.full(len(box), jnp.nan)
        return VerifiedRoot(
            RootStatus.NONE,
            _shaped(nothing, nothing, alone),
            f"no root: f keeps away from zero, proven with {seen} boxes",
        )
    low, high = boxes[..., 0].min(0), boxes[..., 1].max(0)
    place = ", ".join(f"[{a:.6g}, {b:.6g}]" for a, b in zip(low, high, strict=True))
    return VerifiedRoot(
        RootStatus.UNKNOWN,
        _shaped(jnp.asarray(low), jnp.asarray(high), alone),
        f"cannot tell: roots in {place} are neither proven nor excluded; several, or one where the Jacobian is "
        "singular, or one on the edge of the box",
    )


def _krawczyk(f: Callable[[Any], Any], box: jax.Array) -> tuple[Any, Any, Any, Any]:
    """Whether exactly one root is in it, whether none, and the part of the box that all roots in it lie in."""
    X, m = Interval(box[:, 0], box[:, 1]), (box[:, 0] + box[:, 1]) / 2
    h = X - point(m)
    J = where(steady(f, point(m), h, 1)[1], jacobian_over(f, X))
    near = jacobian_over(f, point(m))
    Y = jnp.linalg.inv((near.lo + near.hi) / 2)
    Y = jnp.where(jnp.isfinite(Y), Y, 0)
    at, over = interval_of(f, point(m)), interval_of(f, X)
    over &= at + along(J, h)
    slope = interval_of(lambda J: jnp.eye(len(box)) - Y @ J, J)
    K = point(m) - along(point(Y), at) + along(slope, h)
    inside = jnp.all((K.lo > X.lo) & (K.hi < X.hi)) & jnp.all(jnp.isfinite(at.lo + at.hi))
    excluded = jnp.any((over.lo > 0) | (over.hi < 0)) | jnp.any((K.hi < X.lo) | (K.lo > X.hi))
    both = K & X
    return inside, excluded, both.lo, both.hi


def _one_for_all(contract: Any, left: np.ndarray, box: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The root, if one test holds for all that is left, within the box given; contracted as far as it will."""
    low, high = left[..., 0].min(0), left[..., 1].max(0)
    room = 0.1 * (high - low) + 4 * np.spacing(np.maximum(np.abs(low), np.abs(high)))
    wide = np.stack([np.maximum(low - room, box[:, 0]), np.minimum(high + room, box[:, 1])], -1)
    test = lambda b: [np.asarray(x)[0] for x in contract(padded(b[None]))]
    inside, _, low, high = test(wide)
    if not inside:
        return None
    for _ in range(20):
        _, _, next_low, next_high = test(np.stack([low, high], -1))
        if not ((next_high - next_low) < 0.9 * (high - low)).any():
            break
        low, high = next_low, next_high
    return low, high


def _proven(low: np.ndarray, high: np.ndarray, alone: bool) -> VerifiedRoot:
    place = ", ".join(f"[{a:.16g}, {b:.16g}]" for a, b in zip(low, high, strict=True))
    return VerifiedRoot(
        RootStatus.ONE, _shaped(jnp.asarray(low), jnp.asarray(high), alone), f"exactly one root, in {place}"
    )


def _shaped(low: Any, high: Any, alone: bool) -> Interval:
    return Interval(low[0], high[0]) if alone else Interval(low, high)
