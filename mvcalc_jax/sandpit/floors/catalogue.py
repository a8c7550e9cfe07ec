"""Floors by name and seed.

A seed is drawn on until its floor can be played: with as many minima as the family wants, the phone inside the box and
not right at its edge, and deeper than every other minimum, on the edge, too, by as much as the family says.
"""

from functools import lru_cache

import numpy as np

from mvcalc_jax import require
from mvcalc_jax.sandpit.floors.course import COURSE
from mvcalc_jax.sandpit.floors.family import BOX, Family
from mvcalc_jax.sandpit.floors.lessons import LESSONS
from mvcalc_jax.sandpit.floors.own import own_floor
from mvcalc_jax.sandpit.floors.scaled import NEAR, PHONE, TOP, Floor, made
from mvcalc_jax.sandpit.floors.survey import EQUAL, Lie, survey

FLOORS: dict[str, Family] = {family.name: family for family in (*COURSE, *LESSONS)}
"""In the order of teaching."""

_DRAWS = 1000
_MARGIN = 2 * NEAR
"""Metres from the phone to the edge, at least."""


def floor(name: str, seed: int = 0) -> Floor:
    """The floor of a family that belongs to a seed, the same on every machine.

    Args:
        name: one of `FLOORS`; or FILE.py:f, of the player's own, for which there is no seed but 0.
        seed: of its coefficients. That of "wells" is the course's own floor where it is 0.

    Raises:
        ValueError: for an unknown name, a seed that is negative, or a function that is no floor.
        TypeError: for a seed that is no whole number.

    >>> list(mv.sandpit.FLOORS)
    ['wells', 'random', 'eggbox', 'rocks', 'narrow', 'valley', 'plateau', 'saddle', 'cliff']
    >>> floor = mv.sandpit.floor("wells", seed=0)
    >>> print(floor.lowest.round(2), round(float(floor.depth(floor.lowest)), 6), len(floor.minima))
    [1.21 4.01] -9.0 1
    """
    number = require.whole("seed", seed, least=0, most=None)
    if isinstance(name, str) and ":" in name:
        if number:
            raise ValueError(f"{name} is one floor: its seed must be 0; got {number}")
        return own_floor(name)
    require.one_of("floor", name, FLOORS)
    return _drawn(name, number)


@lru_cache(maxsize=64)
def _drawn(name: str, seed: int) -> Floor:
    family, rng = FLOORS[name], np.random.Generator(np.random.PCG64(seed))
    for _ in range(_DRAWS):
        c = family.fixed if family.fixed is not None and seed == 0 else family.draw(rng)
        lie = survey(family, c)
        if playable(family, lie):
            return made(family, seed, c, lie)
    raise ValueError(f"no floor of {name} with the seed {seed} can be played; take another seed")


def playable(family: Family, lie: Lie) -> bool:
    """Whether the phone lies well inside, and deeper than all else by enough."""
    least, most = family.minima
    if not least <= len(lie.minima) <= most or lie.bottom < lie.heights[0] - EQUAL * (lie.top - lie.bottom):
        return False
    phone, depth = lie.minima[0], lie.heights[0]
    metre = (lie.top - depth) / (TOP - PHONE)
    second = min([lie.edge, *lie.heights[1:]])
    inside = (phone >= BOX[:, 0] + _MARGIN) & (phone <= BOX[:, 1] - _MARGIN)
    return bool(inside.all() and second - depth >= family.apart * metre)
