"""Walks: why each ends, and that no strategy of the player's own ends the game."""

import re
import threading
import time

import numpy as np
import pytest

from mvcalc_jax.sandpit import STRATEGIES, Strategy, floor, own_strategy, walk
from mvcalc_jax.sandpit.strategies.walks import End
from tests.cases import long

WELLS = floor("wells")


def name_of(value):
    return value if isinstance(value, str) and value.isidentifier() else ""


def test_found():
    way = walk(WELLS, STRATEGIES["gradient"], (3.0, 2.0))
    assert (way.end, way.found, way.dips, way.message) == (End.FOUND, True, 3, "gradient found the phone")
    np.testing.assert_allclose(way.depths, WELLS.heights(way.positions))
    np.testing.assert_array_equal(way.positions[0], [3, 2])
    np.testing.assert_allclose(way.positions[1], [3, 2] - 0.5 * WELLS.gradient(np.array([3.0, 2.0])))


def test_a_start_at_the_phone_is_found_with_one_dip():
    way = walk(WELLS, STRATEGIES["constant"], WELLS.lowest + 0.1)
    assert (way.dips, way.end) == (1, End.FOUND)


def test_left():
    way = walk(WELLS, STRATEGIES["constant"], (4.5, 2.0))
    assert (way.end, way.dips) == (End.LEFT, 2)
    assert way.message == "constant wants to leave the sandpit, to (6.5, 2)"


def test_the_edge_itself_is_inside():
    way = walk(WELLS, STRATEGIES["constant"], (4.0, 2.0))
    assert way.dips == 3
    np.testing.assert_array_equal(way.positions[-1], [6, 2])


def test_stuck_on_a_hilltop_and_in_a_hollow():
    top = walk(WELLS, STRATEGIES["newton"], (3.5, 1.5))
    assert (top.end, top.message) == (End.STUCK, "newton stays where it is")
    hollow = walk(floor("eggbox", 0), STRATEGIES["trust-region"], (1.0, 1.0))
    assert hollow.message == "trust-region stays where it is, in a hollow that is not the deepest"


def test_level_ground_divides_nothing_by_zero():
    for name, strategy in STRATEGIES.items():
        way = walk(WELLS, strategy, WELLS.highest, 3)
        assert np.isfinite(way.positions).all(), name


def test_used_up():
    way = walk(WELLS, STRATEGIES["gradient"], (3.0, 2.0), 1)
    assert (way.end, way.dips, way.message) == (End.USED_UP, 2, "gradient used up its steps")
    assert walk(WELLS, STRATEGIES["gradient"], (3.0, 2.0), 0).dips == 1


def test_not_finite():
    plain = Strategy("plain", "", lambda p: (), lambda state, p, f, g, H, rate: (state, g / 0))
    way = walk(WELLS, plain, (3.0, 2.0))
    assert (way.end, way.dips) == (End.NOT_FINITE, 1)
    assert way.message == "plain asks for a step that is not finite"


@pytest.mark.parametrize(
    "start", [(-0.1, 2), (2, 6.01), (np.nan, 1), (np.inf, 1), (1, 2, 3), 4, "ab", None, ((1, 2), 3)], ids=str
)
def test_a_walk_begins_in_the_box(start):
    with pytest.raises(ValueError, match="`start` must be two numbers from 0 to 6"):
        walk(WELLS, STRATEGIES["gradient"], start)


def test_ones_own_is_followed_like_any_other(here):
    own = walk(WELLS, own_strategy("own.py:good"), (2.0, 2.0))
    known = walk(WELLS, STRATEGIES["gradient"], (2.0, 2.0))
    np.testing.assert_allclose(own.positions, known.positions)
    assert own.message == "own.py:good found the phone"


def test_ones_own_may_ask_for_the_learning_rate_and_return_lists(here):
    rated = walk(WELLS, own_strategy("own.py:rated"), (2.0, 2.0), learning_rate=0.2)
    known = walk(WELLS, STRATEGIES["gradient"], (2.0, 2.0), learning_rate=0.2)
    np.testing.assert_allclose(rated.positions, known.positions)
    listed = walk(WELLS, own_strategy("own.py:listed"), (2.0, 2.0), 2)
    np.testing.assert_allclose(listed.positions, [[2, 2], [2.25, 2], [2.5, 2]])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "end", "message"),
    [
        ("divides", End.RAISED, ": ZeroDivisionError: integer"),
        ("nan", End.NOT_FINITE, "own.py:nan asks for a step that is not finite"),
        ("three", End.RAISED, "must return a step of two numbers, of shape (2,); got (3,)"),
        ("odd", End.RAISED, "must return (state, step); got Odd"),
        ("endless", End.RAISED, "own.py:endless did not return within 0.3 s"),
        ("leaves", End.RAISED, "own.py:leaves ended its process"),
        long("exits", End.RAISED, ": SystemExit: enough"),
        long("word", End.RAISED, "must return a step of two numbers; got 'left'"),
        long("nothing", End.RAISED, "must return (state, step); got None"),
        long("long", End.RAISED, "xxx…"),
    ],
    ids=name_of,
)
def test_whatever_ones_own_does_ends_it_and_nothing_else(name, end, message, here):
    strategy = own_strategy(f"own.py:{name}", patience=0.3 if name == "endless" else 3)
    way = walk(WELLS, strategy, (2.0, 2.0))
    assert (way.end, way.dips) == (end, 1)
    assert message in way.message
    assert re.search(r"own.py:\w+ raised own.py:[0-9]+: ", way.message) or ": " not in message
    again = walk(WELLS, strategy, (2.5, 2.0))  # one that was ended is begun again
    assert again.end is end


def test_it_works_off_the_main_thread_and_on_several_at_once(here):
    strategy, ways = own_strategy("own.py:counting"), {}

    def run(k):
        ways[k] = walk(WELLS, strategy, (2.0 + k, 1.0), 4)

    threads = [threading.Thread(target=run, args=(k,)) for k in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k in range(3):
        np.testing.assert_allclose(ways[k].positions[:, 0], 2 + k + 0.1 * np.array([0, 1, 3, 6, 10]))


def test_an_endless_loop_is_not_left_running(here):
    strategy = own_strategy("own.py:endless", patience=0.2)
    (worker,) = strategy._worker
    began = time.monotonic()
    walk(WELLS, strategy, (2.0, 2.0))
    assert time.monotonic() - began < 5
    assert worker._process.poll() is not None
    assert not strategy._worker


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "own.py:two",
            r"own.py:two must be a function of \(state, position, depth, gradient, hessian\); got one of",
        ),
        ("own.py:number", "got int"),
        ("own.py:goood", "did you mean 'good'"),
        ("owned.py:good", "there is no file owned.py; did you mean own.py"),
        ("quits.py:f", "quits.py:f ended its process, loading"),
    ],
    ids=["arguments", "number", "name", "file", "quits"],
)
def test_what_is_no_strategy(name, message, here):
    (here / "quits.py").write_text("import os\nos._exit(1)\n")
    with pytest.raises(ValueError, match=message):
        own_strategy(name)


@pytest.mark.parametrize(
    "start", ["12", 10**400, [1j, 2], np.array([1 + 1j, 2]), [[1], [1, 2]], None], ids=str
)
def test_starts_that_are_no_points(start):
    with pytest.raises(ValueError, match="`start` must be two numbers from 0 to 6"):
        walk(floor("wells"), STRATEGIES["adam"], start)


def test_a_strategy_is_not_its_name(unchecked):
    with pytest.raises(TypeError, match="`strategy` must be a Strategy, such as"):
        walk(floor("wells"), "adam", (1, 1))
