"""Whether slopes come to one number as the step shrinks, read off a ladder of values: else f has no derivative."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from mvcalc_jax.calculus.slopes.ladder import Ladder

Table = Float[np.ndarray, "n k"]


def _stays(ladder: Ladder, table: Table, unsure: Table, most: float) -> Bool[np.ndarray, " n"]:
    """Whether the sizes in a table, of every rung and the next, do not shrink over the last seven that are clear.

    Clear is what is more than rounding. What is not to be seen on the rung below must be hidden by rounding there; else
    it is gone, and does not stay. And the last clear step must be short beside x, or f may still bend there.

    Args:
        ladder: of f.
        table: of sizes.
        unsure: what rounding may make of them.
        most: so many times larger may sizes become over these rungs, on the way down.
    """
    clear = np.isfinite(table) & (np.abs(table) > unsure)
    last = table.shape[1] - 1 - clear[:, ::-1].argmax(axis=1)
    rungs = last[:, None] - np.arange(-1, 7)
    take = lambda of: np.take_along_axis(of, np.clip(rungs, 0, of.shape[1] - 1), axis=1)
    sizes, hidden = np.abs(take(table))[:, 1:], np.pad(unsure, ((0, 0), (0, 1)), constant_values=np.nan)
    seen = take(clear)[:, 1:].all(axis=1) & (rungs[:, -1] >= 0) & ~(take(hidden)[:, 0] < 0.4 * sizes[:, 0])
    x, run = np.abs(ladder.x), np.fmax(ladder.right, ladder.left)
    short = (take(run)[:, 1] <= x / 8) | (x == 0)
    return seen & short & (sizes[:, 0] > 0.3 * sizes.max(axis=1)) & (sizes[:, 0] < most * sizes.min(axis=1))


def unsettled(ladder: Ladder, slopes: Sequence[Table], rough: Table) -> Bool[np.ndarray, " n"]:
    """Whether half the step changes any of some differences by as much as it did before, or by more; not by rounding.

    Those to one side tell what a central one cannot: of √|x| at 0 it is 0 at every step.
    """
    run = np.fmax(ladder.right, ladder.left)
    unsure = 20 * rough[:, :-1] / run[:, 1:]
    return np.any([_stays(ladder, np.diff(D, axis=1), unsure, np.inf) for D in slopes], axis=0)


def kinked(ladder: Ladder, rough: Table) -> Bool[np.ndarray, " n"]:
    """Whether the slopes to both sides are apart by something that is not made less by a smaller step.

    Of a smooth f the gap is h f″ + O(h³), so that twice that of half the step, less that of the step, is O(h³).
    """
    right, left = ladder.slopes()
    gap, run = right - left, np.fmin(ladder.right, ladder.left)
    return _stays(ladder, 2 * gap[:, 1:] - gap[:, :-1], 30 * rough[:, :-1] / run[:, 1:], 3.0)
