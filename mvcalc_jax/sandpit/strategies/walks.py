"""A walk: the dips of one strategy from one start, and why it ended."""

from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from mvcalc_jax import require
from mvcalc_jax.sandpit.floors import NEAR, Floor
from mvcalc_jax.sandpit.floors.family import BOX, SIDE
from mvcalc_jax.sandpit.strategies.strategy import Failed, Strategy, required

STILL = 1e-6
"""Metres: a shorter step is none."""


class End(StrEnum):
    """Why a walk ended, as a sentence about the strategy."""

    FOUND = "found the phone"
    STUCK = "stays where it is"
    LEFT = "wants to leave the sandpit"
    NOT_FINITE = "asks for a step that is not finite"
    RAISED = "failed"
    USED_UP = "used up its steps"


class Walk(NamedTuple):
    """The dips of a strategy, the start first.

    Attributes:
        strategy: its name.
        positions: of the dips, (n, 2).
        depths: at them, (n,).
        end: why there are no more.
        message: that as a sentence.

    >>> way = mv.sandpit.walk(mv.sandpit.floor("wells"), mv.sandpit.STRATEGIES["newton"], (1.0, 4.0))
    >>> way.found, way.dips, way.positions.shape
    (True, 2, (2, 2))
    """

    strategy: str
    positions: Float[np.ndarray, "n 2"]
    depths: Float[np.ndarray, " n"]
    end: End
    message: str

    @property
    def dips(self) -> int:
        """How many there were."""
        return len(self.positions)

    @property
    def found(self) -> bool:
        """Whether the last of them found the phone."""
        return self.end is End.FOUND


def walk(
    floor: Floor, strategy: Strategy, start: Any, steps: int = 25, learning_rate: float | None = None
) -> Walk:
    """Follow a strategy from a start, whatever it does.

    Args:
        floor: that is dug.
        strategy: one of `STRATEGIES`, or a player's own.
        start: (x, y) in the box.
        steps: at most; there are as many dips, and the start.
        learning_rate: the strategy's own, unless given.

    Raises:
        ValueError: where the start is not in the box, or the learning rate is not positive.

    >>> pit = mv.sandpit.floor("wells")
    >>> [mv.sandpit.walk(pit, mv.sandpit.STRATEGIES["gradient"], start).message for start in ((2, 4), (5, 1))]
    ['gradient found the phone', 'gradient wants to leave the sandpit, to (6.08, 1.14)']
    """
    required("strategy", strategy)
    p = in_box("start", start)
    require.whole("steps", steps, least=0)
    rate = None if learning_rate is None else strategy.rate(learning_rate)
    positions, depths = [p], []
    end, said, state, s = End.USED_UP, "", None, np.zeros(2)
    for k in range(steps + 1):
        depth, g, H = floor.look(p)
        depths.append(float(depth))
        if np.linalg.norm(p - floor.lowest) <= NEAR:
            end = End.FOUND
            break
        if k == steps:
            break
        try:
            state = strategy.begin(p) if k == 0 else state
            state, s = strategy.next(state, p, depth, g, H, rate)
        except Failed as error:
            end, said = End.RAISED, str(error)
            break
        end = next((end for end, so in endings(p, s) if so), End.USED_UP)
        if end is not End.USED_UP:
            break
        p = p + s
        positions.append(p)
    words = f"{strategy.name} {said or end}"
    if end in (End.STUCK, End.USED_UP) and at_minimum(floor, positions[-1]):
        words += ", in a hollow that is not the deepest"
    elif end is End.LEFT:
        words += f", to ({(p + s)[0]:.3g}, {(p + s)[1]:.3g})"
    return Walk(strategy.name, np.array(positions), np.array(depths), end, words)


def endings(p: Float[np.ndarray, "*m 2"], s: Float[np.ndarray, "*m 2"]) -> list[tuple[End, Any]]:
    """Why a step from a point may be the end of a walk, and whether it is; the first that is so is why."""
    with np.errstate(invalid="ignore", over="ignore"):
        return [
            (End.NOT_FINITE, ~np.isfinite(s).all(axis=-1)),
            (End.STUCK, np.linalg.norm(s, axis=-1) <= STILL),
            (End.LEFT, ((p + s < BOX[:, 0]) | (p + s > BOX[:, 1])).any(axis=-1)),
        ]


def at_minimum(floor: Floor, p: np.ndarray) -> bool:
    """Whether a point is at one of the floor's minima."""
    return bool((np.linalg.norm(floor.minima - p, axis=1) <= NEAR).any())


def in_box(name: str, point: Any) -> Float[np.ndarray, "2"]:
    """Require a point of the sandpit, and return it as an array.

    Raises:
        ValueError: where it is not two finite numbers from 0 to 6.
    """
    pair = f"two numbers from 0 to {SIDE:g}, (x, y)"
    wanted = f"`{name}` must be {pair}"
    p = require.reals(name, point, pair).copy()
    if p.shape != (2,) or not np.isfinite(p).all():
        raise ValueError(f"{wanted}; got {point!r}")
    if (p < BOX[:, 0]).any() or (p > BOX[:, 1]).any():
        raise ValueError(f"{wanted}; got ({p[0]:g}, {p[1]:g}), which is outside")
    return p
