"""The modes in which strategies dig, alone or in a race, without a screen."""

import numpy as np
import pytest

from mvcalc_jax.sandpit import Game, Status, floor

WELLS = floor("wells")


def test_automatic_mode_digs_five_steps_of_a_strategy():
    game = Game("random", "automatic", 3, strategy="momentum", learning_rate=0.02)
    last = game.dip((2, 2))
    (way,) = game.walks
    assert [dip.by for dip in game.history] == ["", *["momentum"] * 5]
    np.testing.assert_array_equal([(d.x, d.y) for d in game.history], way.positions)
    assert last == game.history[-1]
    assert (game.left, game.state.note) == (19, "")
    game.dip((4, 4))
    assert game.left == 13


def test_automatic_mode_stops_where_it_finds_the_phone():
    game = Game(mode="automatic")
    assert game.dip((3, 2)).status is Status.FOUND
    assert game.message == "the phone is found at (1.21, 4.01), with 3 dips"


def test_automatic_mode_says_why_a_strategy_ended():
    game = Game(mode="automatic", strategy="constant")
    game.dip((4.5, 2))
    assert game.message == "keep digging; 23 dips left; constant wants to leave the sandpit, to (6.5, 2)"
    game.use("newton")
    game.dip((3.5, 1.5))
    assert game.state.note == "newton stays where it is"


def test_automatic_mode_ends_with_the_dips_it_has():
    game = Game("random", "automatic", 3, learning_rate=0.01)
    for _ in range(4):
        game.dip((2, 2))
    assert game.left == 1
    assert game.dip((2, 2)).status is Status.LOST
    assert len(game.history) == 26
    lost = Game(mode="automatic")
    lost.dip(WELLS.lowest)
    assert (len(lost.history), lost.walks) == (1, ())


def test_a_race_gives_every_strategy_all_its_dips():
    game = Game("rocks", "race", 1)
    dip = game.dip((3, 3))
    assert dip.status is game.status is Status.FOUND
    assert [lane.strategy for lane in game.state.lanes] == list(game.state.racers)
    by_name = {lane.strategy: lane for lane in game.state.lanes}
    assert (by_name["gradient"].found, by_name["gradient"].dips) == (True, 3)
    assert (by_name["momentum"].found, by_name["momentum"].dips) == (False, 25)
    assert by_name["trust-region"].message.endswith("in a hollow that is not the deepest")
    assert len(game.history) == 1
    assert game.state.won == 3
    assert game.message.endswith("; gradient won with 3 dips")
    assert game.score == 3 - game.par


def test_a_race_that_nobody_wins_costs_one_dip():
    game = Game(mode="race", racers=("constant", "newton"))
    game.dip((3.5, 1.5))
    assert (game.over, game.left) == (False, 24)
    assert game.message.endswith("no strategy found the phone from there")
    assert len(game.walks) == 2
    game.dip((2, 4))
    assert game.status is Status.FOUND
    assert "newton won with 3 dips" in game.message


def test_a_race_with_two_winners():
    game = Game(mode="race", racers=("newton", "hybrid", "newton"))
    assert game.state.racers == ("newton", "hybrid")
    game.dip((2, 4))
    assert "newton and hybrid won with 3 dips" in game.message


def test_a_race_from_the_phone_is_won_before_it_begins():
    game = Game(mode="race")
    assert game.dip(WELLS.lowest).status is Status.FOUND
    assert (game.state.won, game.walks) == (None, ())


def test_strategies_are_chosen_between_dips():
    game = Game("random", "automatic", 3)
    game.use("adam", 0.1)
    game.use(learning_rate=0.2)
    assert (game.state.strategy, game.state.learning_rate) == ("adam", 0.2)
    game.use()
    assert (game.state.strategy, game.state.learning_rate) == ("adam", None)
    before = game.state
    for wrong, message in (
        ({"strategy": "adm"}, "unknown strategy 'adm'; did you mean 'adam'"),
        ({"learning_rate": 0}, "`learning_rate` must be positive"),
        ({"racers": ()}, "`racers` must name at least one strategy"),
        ({"racers": ("adam", "sgd")}, "unknown strategy 'sgd'"),
    ):
        with pytest.raises(ValueError, match=message):
            game.use(**wrong)
    assert game.state is before


def test_ones_own_strategy_plays(here):
    game = Game(mode="automatic", strategy="own.py:rated", learning_rate=0.5)
    assert game.dip((3, 2)).status is Status.FOUND
    assert game.history[-1].by == "own.py:rated"
    failing = Game(mode="automatic", strategy="own.py:divides")
    failing.dip((3, 2))
    assert (failing.left, failing.over) == (24, False)
    assert "ZeroDivisionError" in failing.message
    assert failing.strategy("own.py:divides") is failing.strategy("own.py:divides")
    racing = Game(mode="race", racers=("own.py:divides", "gradient"))
    racing.dip((3, 2))
    assert "gradient won" in racing.message
    with pytest.raises(ValueError, match="must be a function of"):
        Game(strategy="own.py:two")
