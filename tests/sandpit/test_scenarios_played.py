"""The set pieces: each shows what its sentence says."""

import numpy as np
import pytest

from mvcalc_jax.sandpit import SCENARIOS, STRATEGIES, Game, Status, floor, walk
from mvcalc_jax.sandpit.strategies.walks import End, at_minimum


def played(name, **changes):
    """A game for each start, with one dip."""
    scenario, games = SCENARIOS[name], []
    for begin in scenario.starts:
        settings = {"strategy": scenario.strategy, "learning_rate": scenario.learning_rate} | changes
        games.append(Game(scenario.floor, scenario.mode, scenario.seed, **settings))
        games[-1].dip(begin)
    return games


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_a_scenario_can_be_played(scenario):
    game = Game(scenario.floor, scenario.mode, scenario.seed, strategy=scenario.strategy)
    game.use(learning_rate=scenario.learning_rate)
    assert scenario.sentence.endswith(".")
    assert all(0 <= c <= 6 for begin in scenario.starts for c in begin)


def test_the_courses_lessons_are_all_there():
    assert list(SCENARIOS)[:7] == [
        "which-start", "flat-basin", "split", "overshoot", "many-minima", "rocks", "narrow-well",
    ]  # fmt: skip


def test_which_start():
    good, bad = played("which-start")
    assert good.status is Status.FOUND
    assert bad.walks[0].end is End.LEFT


def test_flat_basin():
    (slow,), (fast,) = played("flat-basin"), played("flat-basin", learning_rate=0.5)
    assert np.ptp([d.depth for d in slow.history[1:]]) < 0.06
    assert all(np.hypot(*d.gradient) < 0.7 for d in slow.history[1:])
    assert fast.status is Status.FOUND


def test_split():
    left, right = played("split")
    assert np.hypot(left.history[0].x - right.history[0].x, left.history[0].y - right.history[0].y) < 0.21
    assert (left.status, right.status) == (Status.STUCK, Status.FOUND)


def test_overshoot():
    (far,), (short,) = played("overshoot"), played("overshoot", learning_rate=0.2)
    assert far.walks[0].end is End.LEFT
    steepest = max(np.hypot(*d.gradient) for d in far.history)
    assert np.hypot(*far.history[-1].gradient) == steepest
    assert short.walks[0].end is End.USED_UP
    assert np.diff([d.depth for d in short.history]).max() < 0


def test_many_minima():
    assert [game.status for game in played("many-minima")] == [Status.STUCK, Status.STUCK, Status.FOUND]


def test_rocks():
    (game,) = played("rocks")
    lanes = {lane.strategy: lane for lane in game.state.lanes}
    careful = next(way for way in game.walks if way.strategy == "trust-region")
    assert careful.end is End.STUCK
    assert at_minimum(game.floor, careful.positions[-1])
    assert lanes["gradient"].found
    assert lanes["adam"].found


def test_narrow_well():
    pit = floor("narrow", 0)
    ring = pit.lowest + 0.75 * np.stack([np.cos(np.arange(12)), np.sin(np.arange(12))], axis=1)
    assert pit.heights(ring).min() > -5.5
    starts = [(1, 1), (1, 5), (3, 5), (5, 5)]
    ends = [walk(pit, STRATEGIES["gradient"], begin, 100).positions[-1] for begin in starts]
    assert sum(np.linalg.norm(end - pit.minima[1]) < 0.5 for end in ends) >= 3


def test_hilltop():
    up, down = played("hilltop")
    assert up.walks[0].end is End.STUCK
    np.testing.assert_allclose([up.history[-1].x, up.history[-1].y], up.floor.highest, atol=1e-4)
    assert down.status is Status.FOUND


def test_valley():
    (game,) = played("valley")
    assert [lane.strategy for lane in game.state.lanes if lane.found] == ["trust-region"]
