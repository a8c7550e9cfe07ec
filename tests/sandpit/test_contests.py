"""Contests: many walks at once are the walks one by one; par, basins and tables follow from them."""

import numpy as np
import pytest

from mvcalc_jax.sandpit import ENDS, FLOORS, STRATEGIES, basins, compete, floor, own_strategy, walk
from mvcalc_jax.sandpit.contest import Contest, Walks, _until_found, follow, par, start
from mvcalc_jax.sandpit.strategies.walks import End

STARTS = np.array([(1.0, 1.0), (3.0, 3.0), (5.2, 1.3), (0.0, 6.0), (2.5, 4.4)])


def same(walks, k, way):
    """Whether one of many walks is that one."""
    assert ENDS[walks.ends[k]] is way.end
    assert (walks.dips[k], walks.found[k]) == (way.dips, way.found)
    np.testing.assert_allclose(walks.positions[k, : way.dips], way.positions, rtol=1e-7, atol=1e-7)
    np.testing.assert_array_equal(walks.positions[k, way.dips :], np.tile(walks.last[k], (25 - way.dips, 1)))
    assert walks.depths[k] == pytest.approx(way.depths[-1], abs=1e-6)


@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=STRATEGIES)
def test_many_walks_on_one_floor_are_the_walks_one_by_one(strategy):
    pit = floor("random", 3)
    walks = follow(pit, strategy, STARTS)
    for k, begin in enumerate(STARTS):
        same(walks, k, walk(pit, strategy, begin, 24))


def test_many_walks_on_as_many_floors():
    pits = [floor("eggbox", seed) for seed in range(20)]  # more than few
    starts = np.array([start(seed) for seed in range(20)])
    walks = follow(pits, STRATEGIES["trust-region"], starts)
    for k in range(20):
        same(walks, k, walk(pits[k], STRATEGIES["trust-region"], starts[k], 24))


TOLD = sorted({(name, by) for name in FLOORS for by in STRATEGIES} - {("rocks", "newton")})
"""Among rocks the last digit of a start decides where Newton's steps lead after some twenty."""


@pytest.mark.long
@pytest.mark.parametrize(("name", "by"), TOLD)
def test_many_walks_on_every_floor(name, by):
    strategy = STRATEGIES[by]
    pits = [floor(name, seed) for seed in range(5)]
    walks = follow(pits, strategy, STARTS)
    for k in range(5):
        same(walks, k, walk(pits[k], strategy, STARTS[k], 24))


def test_the_rate_and_the_number_of_dips_are_the_callers():
    pit, strategy = floor("random", 3), STRATEGIES["gradient"]
    walks = follow(pit, strategy, STARTS[:1], 0.05, dips=7)
    way = walk(pit, strategy, STARTS[0], 6, 0.05)
    np.testing.assert_allclose(walks.positions[0], way.positions)
    assert follow(pit, strategy, STARTS, dips=1).dips.tolist() == [1] * 5


def test_one_family_at_a_time():
    with pytest.raises(ValueError, match="`floors` must be of one family"):
        follow([floor("wells"), floor("cliff")], STRATEGIES["gradient"], STARTS[:2])


def test_ones_own_competes(here):
    own = own_strategy("own.py:rated")
    known = STRATEGIES["gradient"]
    pit = floor("wells")
    a, b = (follow(pit, s, STARTS, 0.3) for s in (own, known))
    for mine, theirs in zip(a, b, strict=True):
        np.testing.assert_allclose(mine, theirs)
    found = compete(["own.py:bowl", "wells"], 3, [own, known], 0.3)
    assert found.strategies == ("own.py:rated", "gradient")
    np.testing.assert_array_equal(found.dips[0], found.dips[1])


def test_a_contest_has_a_walk_for_every_strategy_floor_and_seed():
    names, strategies = ("wells", "saddle"), [STRATEGIES[name] for name in ("gradient", "trust-region")]
    found = compete(names, 6, strategies)
    assert found.found.shape == found.dips.shape == found.ends.shape == (2, 2, 6)
    for s, strategy in enumerate(strategies):
        for f, name in enumerate(names):
            for seed in range(6):
                way = walk(floor(name, seed), strategy, start(seed), 24)
                assert (found.found[s, f, seed], found.dips[s, f, seed]) == (way.found, way.dips)
    again = compete(names, 6, strategies)
    np.testing.assert_array_equal(again.dips, found.dips)


def test_shares_medians_and_the_table():
    found = np.array([[[True, True, False, True], [False] * 4]])
    dips = np.array([[[3, 5, 25, 9], [25] * 4]])
    told = Contest(("wells", "cliff"), ("adam",), np.arange(4), found, dips, 0 * dips)
    np.testing.assert_array_equal(told.success, [[0.75, 0]])
    np.testing.assert_array_equal(told.median, [[5, np.nan]])
    assert told.rows() == [("", "wells", "cliff"), ("adam", "75% in 5", "0%")]


def test_starts_belong_to_seeds_and_lie_anywhere():
    starts = np.array([start(seed) for seed in range(400)])
    np.testing.assert_array_equal(start(7), starts[7])
    assert starts.min() >= 0
    assert starts.max() <= 6
    np.testing.assert_allclose(starts.mean(axis=0), 3, atol=0.3)


def test_basins_name_the_minimum_at_which_each_start_ends():
    pit = floor("eggbox", 0)
    found = basins(pit, STRATEGIES["trust-region"], 12)
    assert found.leads_to.shape == found.dips.shape == (12, 12)
    np.testing.assert_allclose(found.starts, 0.25 + 0.5 * np.arange(12))
    for i, j in ((0, 0), (4, 6), (11, 3), (9, 10)):
        way = walk(pit, STRATEGIES["trust-region"], (found.starts[j], found.starts[i]), 24)
        away = np.linalg.norm(pit.minima - way.positions[-1], axis=1)
        assert found.leads_to[i, j] == (away.argmin() if away.min() <= 0.15 else -1)
        assert (found.leads_to[i, j] == 0) == way.found
        assert found.dips[i, j] == way.dips
    assert {-1, 0, 1} < set(found.leads_to.ravel().tolist())


def test_par_is_the_least_number_of_dips_from_one_start_after_the_other():
    pit, best = floor("random", 0), 25
    grid = [(3, 3), (1, 1), (5, 5), (1, 5), (5, 1), (3, 1), (3, 5), (1, 3), (5, 3)]
    for strategy in STRATEGIES.values():
        total = 0
        for begin in grid:
            for p in walk(pit, strategy, begin, 24).positions:
                total += 1
                near = np.linalg.norm(pit.minima - p, axis=1) <= 0.15
                if near.any():
                    break
            if near[0]:
                best = min(best, total)
                break
    assert par(pit) == best
    assert 1 < best < 25


def test_par_is_all_dips_where_no_strategy_is_good_enough():
    pit = floor("narrow", 0)
    assert par(pit) == 25


def test_a_walk_that_meets_another_hollow_first_is_given_up():
    pit = floor("random", 1)
    way = np.array([[(3, 3), pit.minima[1], pit.lowest], [(4, 4), pit.lowest, pit.lowest]])
    found = ENDS.index(End.FOUND)
    walks = Walks(np.array([found, found]), np.array([3, 2]), way, np.full(2, -9.0))
    assert _until_found(pit, walks) == 4


@pytest.mark.parametrize("name", ["wells", "random", "saddle", "cliff"])
def test_par_lies_between_one_and_all(name):
    assert all(1 <= par(floor(name, seed)) <= 25 for seed in range(4))


@pytest.mark.parametrize(
    "misuse",
    [lambda: compete(["wells"], 0), lambda: basins(floor("wells"), STRATEGIES["adam"], 1)],
    ids=["seeds", "points"],
)
def test_misuse_of_contests(misuse):
    with pytest.raises(ValueError, match="must be at least"):
        misuse()


def test_contests_of_what_are_no_strategies(unchecked):
    with pytest.raises(TypeError, match="`strategies` must be a Strategy"):
        compete(["wells"], 1, ["adam"])
    with pytest.raises(TypeError, match="`strategy` must be a Strategy"):
        basins(floor("wells"), None, 2)
    with pytest.raises(ValueError, match="unknown floor 3"):
        compete([3], 1)


@pytest.mark.parametrize(
    ("floors", "strategies", "error"),
    [(3, [], TypeError), ("wells", [], TypeError), (["wells"], None, TypeError), ([], [], ValueError)],
    ids=["number", "text", "None", "none"],
)
def test_contests_are_between_several(floors, strategies, error, unchecked):
    with pytest.raises(error, match="must be"):
        compete(floors, 1, strategies)
