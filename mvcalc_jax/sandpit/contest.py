"""Contests: many walks at once, of every strategy on every floor, and from every start.

A dip of all walks is two calls: one program looks at the floors, compiled once for a family, and one steps, compiled
once for a strategy: eight strategies on nine families need seventeen programs, and not seventy-two. What comes out is
what `walk` gives, one by one; a strategy of the player's own is followed that way.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Bool, Float, Int

from mvcalc_jax import require, text
from mvcalc_jax.sandpit.floors import NEAR, Floor, floor
from mvcalc_jax.sandpit.floors.family import BOX, double
from mvcalc_jax.sandpit.state import DIPS
from mvcalc_jax.sandpit.strategies import STRATEGIES, Strategy, walk
from mvcalc_jax.sandpit.strategies.own import OwnStrategy
from mvcalc_jax.sandpit.strategies.strategy import required
from mvcalc_jax.sandpit.strategies.walks import End, endings

ENDS = tuple(End)
_ROWS = (16, 1024)
"""Walks that are followed at once: few or many, so that two programs do for any number."""
STARTS = ((3, 3), (1, 1), (5, 5), (1, 5), (5, 1), (3, 1), (3, 5), (1, 3), (5, 3))
"""Where somebody begins who knows nothing: in the middle, then elsewhere."""


class Walks(NamedTuple):
    """Many walks.

    Attributes:
        ends: why each ended, an index into `ENDS`.
        dips: of each, the start included.
        positions: of the dips; after a walk's last, that again.
        depths: at its last.
    """

    ends: Int[np.ndarray, " m"]
    dips: Int[np.ndarray, " m"]
    positions: Float[np.ndarray, "m d 2"]
    depths: Float[np.ndarray, " m"]

    @property
    def found(self) -> Bool[np.ndarray, " m"]:
        """Which of them found the phone."""
        return self.ends == ENDS.index(End.FOUND)

    @property
    def last(self) -> Float[np.ndarray, "m 2"]:
        """Where each ended."""
        return self.positions[:, -1]


@text.shown
class Contest(NamedTuple):
    """Every strategy on every floor, from one start for each seed.

    Attributes:
        floors: their names.
        strategies: their names.
        seeds: of the floors, and of the starts.
        found: whether the phone was found, (strategies, floors, seeds).
        dips: of each walk.
        ends: why it ended, an index into `ENDS`.
    """

    floors: tuple[str, ...]
    strategies: tuple[str, ...]
    seeds: Int[np.ndarray, " k"]
    found: Any
    dips: Any
    ends: Any

    @property
    def success(self) -> Float[np.ndarray, "s f"]:
        """The share of seeds on which the phone was found."""
        return self.found.mean(axis=2)

    @property
    def median(self) -> Float[np.ndarray, "s f"]:
        """The median number of dips of those walks that found it; NaN where none did."""
        return np.array(
            [
                [np.median(dips[found]) if found.any() else np.nan for dips, found in zip(*row, strict=True)]
                for row in zip(self.dips, self.found, strict=True)
            ]
        )

    def rows(self) -> list[tuple[str, ...]]:
        """A table: a row for each strategy, for each floor the share of seeds and the median of dips."""
        cell = lambda share, dips: f"{share:.0%}" + (f" in {dips:.0f}" if share else "")
        shares = zip(self.strategies, self.success, self.median, strict=True)
        return [
            ("", *self.floors),
            *((name, *map(cell, some, dips)) for name, some, dips in shares),
        ]

    def _parts(self) -> text.Parts:
        many = text.counted(len(self.seeds), "seed")
        return [f"how often the phone is found over {many}, and the median of the dips then", self.rows()]


class Basins(NamedTuple):
    """Where a strategy leads to from a grid of starts.

    Attributes:
        starts: along each axis, (n,).
        leads_to: the minimum at which the walk from (x, y) ends, counted from 0, the phone; −1 where at none, (y, x).
        dips: until it ended.
    """

    starts: Float[np.ndarray, " n"]
    leads_to: Int[np.ndarray, "n n"]
    dips: Int[np.ndarray, "n n"]


def follow(
    floors: Floor | Sequence[Floor],
    strategy: Strategy,
    starts: Float[np.ndarray, "m 2"],
    learning_rate: float | None = None,
    dips: int = DIPS,
) -> Walks:
    """Walks of one strategy.

    Args:
        floors: that of all walks, or one for each, of one family.
        strategy: one of `STRATEGIES`, or a player's own.
        starts: in the box.
        learning_rate: the strategy's own, unless given.
        dips: at most, the start included.
    """
    require.whole("dips", dips, least=1)
    required("strategy", strategy)
    rate, each = strategy.rate(learning_rate), [floors] if isinstance(floors, Floor) else floors
    if isinstance(strategy, OwnStrategy):
        pairs = zip(np.resize(np.array(each, object), len(starts)), starts, strict=True)
        walks = [walk(f, strategy, start, dips - 1, learning_rate) for f, start in pairs]
        ends, counts = (
            np.array(a, int) for a in zip(*((ENDS.index(w.end), w.dips) for w in walks), strict=True)
        )
        way = [np.concatenate([w.positions, np.tile(w.positions[-1], (dips - w.dips, 1))]) for w in walks]
        return Walks(ends, counts, np.array(way), np.array([w.depths[-1] for w in walks]))
    family = each[0].family
    if any(f.family is not family for f in each):
        raise ValueError("`floors` must be of one family")
    c = jax.tree.map(lambda *leaves: np.stack(leaves), *(f.coefficients for f in each))
    metres = np.array([(f.scale, f.zero, *f.lowest) for f in each])
    rows, parts = _ROWS[len(starts) > _ROWS[0]], []
    for k in range(0, len(starts), rows):
        which = np.arange(k, k + rows).clip(max=len(starts) - 1)
        own = which if len(each) > 1 else np.zeros(rows, int)
        some = jax.tree.map(lambda leaf, own=own: leaf[own], c)
        parts.append(_followed(family, some, metres[own], strategy, starts[which], rate, dips))
    return Walks(*(np.concatenate(column)[: len(starts)] for column in zip(*parts, strict=True)))


def _followed(
    family: Any, c: Any, metres: np.ndarray, strategy: Strategy, p: np.ndarray, rate: float, dips: int
) -> Walks:
    """The walks of one call's rows, dip by dip."""
    scale, zero, phone = metres[:, 0], metres[:, 1], metres[:, 2:]
    begin, step = strategy.many
    going = np.ones(len(p), bool)
    ends, counts = np.full(len(p), ENDS.index(End.USED_UP)), np.zeros(len(p), int)
    depth, way = np.zeros(len(p)), [p]
    with double(), np.errstate(invalid="ignore", over="ignore"):
        state = begin(p)
        for k in range(dips):
            f, g, H = (np.asarray(a) for a in family.looks(c, p))
            depth = zero + scale * f
            counts += going
            found = going & (np.linalg.norm(p - phone, axis=1) <= NEAR)
            ends[found] = ENDS.index(End.FOUND)
            going &= ~found
            if k == dips - 1 or not going.any():
                break
            state, s = step(state, p, depth, scale[:, None] * g, scale[:, None, None] * H, np.float64(rate))
            s = np.asarray(s)
            for end, so in endings(p, s):
                ends[going & so] = ENDS.index(end)
                going &= ~so
            p = np.where(going[:, None], p + s, p)
            way.append(p)
    way += [p] * (dips - len(way))
    return Walks(ends, counts, np.stack(way, axis=1), depth)


def compete(
    floors: Iterable[str],
    seeds: int = 1000,
    strategies: Iterable[Strategy] = tuple(STRATEGIES.values()),
    learning_rate: float | None = None,
) -> Contest:
    """Every strategy on every floor over many seeds, each seed with its own floor and its own start.

    Args:
        floors: names of `FLOORS`, or FILE.py:f, which has one floor for all seeds.
        seeds: how many, from 0.
        strategies: that compete.
        learning_rate: of all of them; each one's own unless given.

    Raises:
        ValueError: for no floors or strategies, or unknown ones.
        TypeError: for what is not several of them.

    >>> strategies = [mv.sandpit.STRATEGIES[name] for name in ("gradient", "newton")]
    >>> found = mv.sandpit.compete(["wells"], seeds=3, strategies=strategies)
    >>> found.strategies, found.found.shape
    (('gradient', 'newton'), (2, 1, 3))
    >>> [str(mv.sandpit.ENDS[end]) for end in found.ends[0, 0]]  # of the gradient, on the only floor
    ['wants to leave the sandpit', 'used up its steps', 'wants to leave the sandpit']
    """
    for name, several in (("floors", floors), ("strategies", strategies)):
        if isinstance(several, (str, jax.Array)) or not isinstance(several, Iterable):
            raise TypeError(f"`{name}` must be several, such as a tuple; got {several!r}")
    count, floors, strategies = require.whole("seeds", seeds, least=1), tuple(floors), tuple(strategies)
    if not (floors and strategies):
        raise ValueError(f"there must be floors and strategies; got {len(floors)} and {len(strategies)}")
    for strategy in strategies:
        required("strategies", strategy)
    names, starts = floors, np.array([start(seed) for seed in range(count)])
    walks = []
    for name in names:
        pits = [floor(name)] * count if ":" in str(name) else [floor(name, seed) for seed in range(count)]
        walks.append([follow(pits, strategy, starts, learning_rate) for strategy in strategies])
    found, dips, ends = (
        np.array([[getattr(walks[f][s], what) for f in range(len(names))] for s in range(len(strategies))])
        for what in ("found", "dips", "ends")
    )
    return Contest(names, tuple(s.name for s in strategies), np.arange(count), found, dips, ends)


def start(seed: int) -> Float[np.ndarray, "2"]:
    """Where the walks of a seed begin: anywhere in the box."""
    return BOX[:, 0] + np.ptp(BOX, axis=1) * np.random.Generator(np.random.PCG64([seed, 1])).random(2)


def basins(
    pit: Floor, strategy: Strategy, points: int = 61, learning_rate: float | None = None, dips: int = DIPS
) -> Basins:
    """The minimum to which a strategy leads from each point of a grid.

    >>> pit, gradient = mv.sandpit.floor("wells"), mv.sandpit.STRATEGIES["gradient"]
    >>> print(mv.sandpit.basins(pit, gradient, points=5).leads_to)  # 0, the phone, or −1
    [[-1 -1  0 -1 -1]
     [ 0  0  0  0 -1]
     [ 0  0  0  0 -1]
     [ 0  0  0 -1 -1]
     [-1  0 -1 -1 -1]]
    >>> mv.sandpit.STARTS[0]  # where to begin, for those who know nothing
    (3, 3)
    """
    n = require.whole("points", points, least=2)
    t = BOX[0, 0] + float(np.ptp(BOX[0])) * (np.arange(n) + 0.5) / n
    x, y = np.meshgrid(t, t)
    walks = follow(pit, strategy, np.stack([x.ravel(), y.ravel()], axis=1), learning_rate, dips)
    away = np.linalg.norm(walks.last[:, None] - pit.minima, axis=2)
    leads_to = np.where(away.min(axis=1) <= NEAR, away.argmin(axis=1), -1)
    return Basins(t, leads_to.reshape(n, n), walks.dips.reshape(n, n))


@lru_cache(maxsize=64)
def par(pit: Floor) -> int:
    """The dips that the best of the package's strategies needs from nine starts, one after the other.

    It begins in the middle and is left to itself until it finds the phone, or its walk ends, or it is at another
    minimum; then it begins anew at the next start, (1, 1), (5, 5), …. All its dips count. Where none finds the phone
    with 25 of them, par is 25.
    """
    needed = [
        _until_found(pit, follow(pit, strategy, np.array(STARTS, float))) for strategy in STRATEGIES.values()
    ]
    return min(*needed, DIPS)


def _until_found(pit: Floor, walks: Walks) -> int:
    """The dips of walks that are taken one after the other, until one finds the phone."""
    total = 0
    away = np.linalg.norm(walks.positions[:, :, None] - pit.minima, axis=3)
    stuck = (away[:, :, 1:] <= NEAR).any(axis=2)
    for k, dips in enumerate(walks.dips):
        told = np.flatnonzero(stuck[k, :dips])
        if walks.found[k] and not len(told):
            return total + int(dips)
        total += int(told[0]) + 1 if len(told) else int(dips)
    return DIPS
