r"""How a function is rounded, read off its ladder.

It is measured, for it may be much more than ε|f|: in cos x − 1 or sin(10⁶x) the digits are lost inside.
At the lowest rungs f is a straight line to either side, and f(x + h) − 3f(x + h/2) + 2f(x + h/4) would be 0; what is
seen there instead is rounding, at most 3(1 + 1 + …) times that of one value. Where the line is level and f changes
first by q at some higher rung, q is how coarse its values are. Where digits are lost inside, and f is smooth for as
long as they stay the same, it breaks at some rung and stays coarse; and powers of 2, which change 1 + x without
rounding, show nothing, so that some uneven steps are looked at, too. See J. J. Moré and S. M. Wild, Estimating
computational noise, SIAM J. Sci. Comput. 33 (2011), for another way to the same number.
"""

import numpy as np
from jaxtyping import Bool, Float

from mvcalc_jax.calculus.slopes.ladder import Ladder, finest

_COARSEST = 1e-3
"""Rounding to the fewest digits that anyone would call rounding, of the value."""
_LATE = 8
"""Rounding of x, or of what it is made into, may show at steps of many last digits only; so many times ε(|f| + |xf′|)
is what it may be then, and no small waves of f."""
_DEGREE = 4
"""Of the curves through values at uneven steps, a dozen to each side."""
_LASTS = 7
"""Over so many rungs a coarse f stays coarse."""


def of(ladder: Ladder) -> Float[np.ndarray, " n"]:
    """How much rounding may move a value of f at x."""
    with np.errstate(all="ignore"):
        halved = np.abs(ladder.right - 4 * np.pad(ladder.right, ((0, 0), (0, 2)))[:, 2:]) < 0.1 * ladder.right
        up, down = (
            np.where(halved & np.isfinite(of), np.abs(of), np.nan)
            for of in map(_bent, (ladder.up, ladder.down))
        )
        bent = np.nan_to_num(np.fmax(up, down))  # where f has an end, there is something to see on one side
        found = np.maximum(_quantum(ladder, bent), np.maximum(_sudden(ladder, up), _sudden(ladder, down)))
        found = np.maximum(found, np.maximum(_lasting(ladder, up), _lasting(ladder, down)))
        found = np.maximum(found, _scattered(ladder, np.fmax(up, down)))
        found = np.maximum(found, np.maximum(ladder.eps / 2 * np.abs(ladder.middle), ladder.tiny))
        steep = finest(ladder, np.fmax(*map(np.abs, ladder.slopes())), 24)[:, 2:]
        most = _LATE * ladder.eps * (np.abs(ladder.middle)[:, None] + np.abs(ladder.x)[:, None] * steep)
        most[:, :5] = np.inf
        seen = np.stack([finest(ladder, side, 24)[:, 2:] for side in (up, down)])
        above = np.pad(seen[:, :, 3:], ((0, 0), (0, 0), (0, 3)), constant_values=np.nan)
        level = (seen <= most) & (
            above <= 4 * seen
        )  # curvature grows fourfold from rung to rung, 64-fold in three
        found = np.maximum(found, np.where(level, seen, 0).max(axis=(0, 2)))
        seen = np.nan_to_num(np.fmax(*seen))
        found = np.maximum(found, seen[:, :2].max(axis=1))
        alike = np.logical_and.accumulate(seen <= 3 * found[:, None], axis=1)
        found = np.maximum(found, np.where(alike, seen, 0).max(axis=1))
    return np.where(np.isfinite(found), found, 0.0)


def _bent(values: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n k"]:
    """A third of f(x + h) − 3f(x + h/2) + 2f(x + h/4), at the rung of h."""
    pad = np.pad(values, ((0, 0), (0, 2)), mode="edge")
    return (pad[:, :-2] - 3 * pad[:, 1:-1] + 2 * pad[:, 2:]) / 3


def _sudden(ladder: Ladder, bent: Float[np.ndarray, "n k"]) -> Float[np.ndarray, " n"]:
    """Twice the first thing to be seen above a straight line that does not come little by little, as curvature does.

    In eˣ − 1 − x near 0, many last digits of x change nothing in eˣ, and f falls like −x, as if it were exact.
    """
    seen = np.nan_to_num(bent)
    finer = np.pad(np.maximum.accumulate(seen[:, ::-1], axis=1)[:, ::-1][:, 1:], ((0, 0), (0, 1)))
    padded = np.pad(bent[:, :-1], ((0, 0), (3, 0)), constant_values=np.nan)
    above = np.maximum(np.maximum(padded[:, :-2], padded[:, 1:-1]), padded[:, 2:])  # of the next three rungs
    most = 4 * ladder.eps * np.maximum(np.abs(ladder.middle), np.maximum(1, np.abs(ladder.x)))
    straight = finer <= 2 * ladder.eps * np.abs(ladder.middle)[:, None]
    rough = straight & (seen > 16 * finer) & (above <= 4 * seen) & (seen <= most[:, None])
    return 2 * np.where(rough, seen, 0).max(axis=1)


def _lasting(ladder: Ladder, bent: Float[np.ndarray, "n k"]) -> Float[np.ndarray, " n"]:
    """The most that is seen where f breaks from what it was at the rungs below, and does not mend over the next ones.

    In (1 − cos x)/x² near 0 the numerator is the same for many last digits of x, and f is as smooth as 1/x²; only at
    longer steps does it show how coarse it is, at once and from there on. Waves come little by little, a step of f is
    passed within two rungs, and curvature grows.
    """
    seen = np.nan_to_num(bent)
    finer = np.pad(np.maximum.accumulate(seen[:, ::-1], axis=1)[:, ::-1][:, 1:], ((0, 0), (0, 1)))
    ahead = [np.pad(seen[:, : -k or None], ((0, 0), (k, 0))) for k in range(_LASTS)]
    typical = np.median(ahead, axis=0)
    near = ladder.right < np.abs(ladder.x)[:, None] / 1024
    breaks = (
        (seen > 64 * finer)
        & (typical > 16 * finer)
        & (typical <= 8 * seen)
        & near
        & (ahead[-1] <= 5 * typical)
    )
    return 2 * np.where(breaks, np.max(ahead[:-2], axis=0), 0).max(axis=1)


def _scattered(ladder: Ladder, bent: Float[np.ndarray, "n k"]) -> Float[np.ndarray, " n"]:
    """How far values at uneven steps are from a smooth curve, where the even steps of the ladder show no waves.

    Powers of 2 are added to 1 + x without rounding: in ln(1 + x)/x all rungs are off alike, and look smooth. Waves
    come little by little, so that some rungs see a part of them; rounding is seen in full or not at all. Each side of x
    has a curve of its own, for f may jump there.
    """
    reach = np.abs(ladder.aside).max(axis=1, initial=0)
    offs = []
    for sign in (1, -1):
        side = sign * ladder.aside > 0
        t = np.where(side, ladder.aside / np.where(reach > 0, reach, 1)[:, None], 0)
        basis = np.where(side[:, :, None], t[:, :, None] ** np.arange(_DEGREE + 1), 0)
        rise = np.where(side, ladder.beside - ladder.middle[:, None], 0)
        known = np.asarray(np.isfinite(rise).all(axis=1))
        rise = np.where(known[:, None], rise, 0)[:, :, None]
        off = np.abs(basis @ (np.linalg.pinv(basis) @ rise) - rise).max(axis=(1, 2))
        offs.append(np.where(known, off, np.inf))
    off = np.minimum(*offs)
    below = (ladder.right < reach[:, None]) & (ladder.right > 0)
    least = np.nan_to_num(finest(ladder, bent, 12)).max(axis=1)  # terms that cancel in f round as they are
    floor = 4 * np.maximum(16 * ladder.eps * np.abs(ladder.middle), least)[:, None]
    between = below & (bent > floor) & (bent < off[:, None] / 16)
    rises = np.nan_to_num(np.abs(ladder.beside - ladder.middle[:, None])).max(axis=1, initial=0)
    told = (
        np.isfinite(off) & (off > 256 * ladder.eps * rises) & (between.sum(axis=1) < 2)
    )  # the fit rounds, too
    return np.where(told, 2 * off, 0)


def _quantum(ladder: Ladder, bent: Float[np.ndarray, "n k"]) -> Float[np.ndarray, " n"]:
    """The first change of f on the way up, where it is level at the lowest rungs; 0 where that is no rounding."""
    f = ladder.middle[:, None]
    changes = np.fmax(np.abs(ladder.up - f), np.abs(ladder.down - f))
    level = (finest(ladder, changes, 2) == 0).all(axis=1)
    rung = changes.shape[1] - 1 - (changes > 0)[:, ::-1].argmax(axis=1)
    least = np.take_along_axis(changes, rung[:, None], axis=1)[:, 0]
    steps = np.take_along_axis(bent, np.maximum(rung[:, None] - np.arange(4), 0), axis=1).max(axis=1)
    size = (
        64 * ladder.eps * np.maximum(1, np.abs(ladder.x))
    )  # of what was added and taken away inside, perhaps
    next_one = np.take_along_axis(changes, np.maximum(rung - 1, 0)[:, None], axis=1)[:, 0]
    coarse = (least <= np.maximum(_COARSEST * np.abs(ladder.middle), size)) & ~(next_one > 1000 * least)
    return np.where(level & coarse, np.minimum(least, 3 * steps), 0.0)


def jumps(ladder: Ladder, rounding: Float[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """Whether f changes by as much at the lowest rung as 64 times further up, not by rounding nor by a pole near by."""
    sudden, straight = _abrupt(ladder, rounding)
    return sudden & straight


def _abrupt(
    ladder: Ladder, rounding: Float[np.ndarray, " n"]
) -> tuple[Bool[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
    """Whether f changes so at the lowest rung; and whether it is straight on both sides, as it is not beside a pole."""
    f = ladder.middle[:, None]
    changes = finest(ladder, np.abs(ladder.up - f) + np.abs(f - ladder.down), 7)
    sudden = (changes[:, 0] > 30 * rounding) & (changes[:, 0] > 0.5 * changes[:, 6])
    bent = np.abs(_bent(ladder.up)) + np.abs(_bent(ladder.down))
    seen = np.nan_to_num(finest(ladder, bent, 7)[:, 2:], nan=0.0, posinf=np.inf).max(axis=1)
    across = finest(ladder, np.abs(ladder.up - ladder.down), 1)[
        :, 0
    ]  # f itself may stand alone, as in a hole
    sides = [np.abs(finest(ladder, side, 7)) for side in (ladder.up, ladder.down)]
    falls = np.logical_and(*(side[:, 0] > 4 * side[:, 6] for side in sides))
    straight = seen <= np.maximum(0.01 * np.fmin(changes[:, 0], across), 8 * rounding)
    return sudden, np.asarray(straight & ~falls & np.isfinite(changes[:, 0]))


def drowned(ladder: Ladder, rounding: Float[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """Whether f changes from number to number by as much as over all of |x| or 1, and not just by its last digits.

    Or, as beside a logarithm's pole, by the same at all scales and in one direction, which is not what rounding does.
    """
    f, near = ladder.middle[:, None], ladder.right <= np.maximum(1, np.abs(ladder.x))[:, None]
    reach = lambda of: np.where(near & np.isfinite(of), np.abs(of), 0).max(axis=1, initial=0)
    change = np.maximum(reach(ladder.up - f), reach(ladder.down - f))
    size = np.maximum(reach(ladder.up), reach(ladder.down))
    bent = np.stack([_bent(ladder.up), _bent(ladder.down)])
    alike = near & (np.abs(bent) < 8 * rounding[:, None]) & (np.abs(bent) > rounding[:, None] / 8)
    ways = [(alike & (sign * bent > 0)).sum(axis=(0, 2)) for sign in (1, -1)]
    scaleless = (np.maximum(*ways) >= 24) & (8 * np.minimum(*ways) <= np.maximum(*ways))
    much = rounding > 1e4 * (ladder.eps * size + ladder.tiny)
    sudden, straight = _abrupt(ladder, rounding)
    return np.asarray(much & ((rounding > 0.05 * change) | scaleless) | (sudden & ~straight))


def by_rung(ladder: Ladder, rounding: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n k"]:
    """What rounding may do to a difference over a step, times the step: more where the values are larger."""
    return np.maximum(rounding[:, None], ladder.eps / 2 * np.fmax(np.abs(ladder.up), np.abs(ladder.down)))
