"""The rules without a screen: every branch of them but for the modes in which strategies dig."""

import csv

import numpy as np
import pytest

from mvcalc_jax.sandpit import MODES, Game, State, Status, floor
from mvcalc_jax.sandpit.state import arrow, dug, hint, hinted, shown

WELLS, RANDOM = floor("wells"), floor("random", 1)
FAR = (5.0, 1.0)
"""A place in the wells where there is nothing."""


def used_up(game, count=25):
    for _ in range(count - len(game.history)):
        game.dip(FAR)
    return game


def test_a_new_game():
    game = Game()
    assert game.state == State(floor="wells", seed=0, mode="gradient")
    assert (game.history, game.left, game.over, game.status) == ((), 25, False, Status.DIGGING)
    assert game.message == "keep digging; 25 dips left"
    assert game.score is None


def test_a_dip_tells_depth_and_gradient():
    game = Game("random", seed=1)
    dip = game.dip((2, 3.5))
    p = np.array([2, 3.5])
    assert dip == game.history[0]
    assert (dip.x, dip.y, dip.by, dip.status) == (2, 3.5, "", Status.DIGGING)
    assert dip.depth == RANDOM.depth(p)
    assert dip.gradient == tuple(RANDOM.gradient(p))
    assert game.left == 24


def test_depth_mode_tells_the_depth_alone():
    dip = Game("random", "depth", 1).dip((2, 3.5))
    assert np.isnan(dip.gradient).all()
    assert dip.depth == RANDOM.depth(np.array([2, 3.5]))
    np.testing.assert_array_equal(dip.arrow, [0, 0])


def test_a_state_never_changes():
    game = Game()
    before = game.state
    game.dip(FAR)
    assert before.dips == ()
    assert game.state is not before
    with pytest.raises(AttributeError):
        before.seed = 3


def test_found_within_fifteen_centimetres():
    for away, status in ((0.1499, Status.FOUND), (0.1501, Status.DIGGING)):
        game = Game()
        dip = game.dip(WELLS.lowest + np.array([away, 0]))
        assert dip.status is game.status is status
        assert game.over == (status is Status.FOUND)
    game = Game()
    game.dip(FAR)
    game.dip(WELLS.lowest)
    assert game.message == "the phone is found at (1.21, 4.01), with 2 dips"


def test_stuck_in_the_floor_of_another_hollow_and_free_again():
    game = Game("random", seed=1)
    assert game.dip(RANDOM.minima[1] + np.array([0, 0.149])).status is Status.STUCK
    assert game.message.startswith("level ground, and a hollow, but not the deepest")
    assert not game.over
    assert game.dip(RANDOM.minima[1] + np.array([0, 0.151])).status is Status.DIGGING


def test_a_hurry_from_the_twenty_second_dip_on():
    game = Game()
    statuses = [game.dip(FAR).status for _ in range(25)]
    assert statuses == [Status.DIGGING] * 21 + [Status.HURRY] * 4
    assert game.message == "hurry; 0 dips left"
    assert not game.over


def test_in_a_hurry_a_hollow_still_says_so():
    game = Game("random", seed=1)
    for _ in range(22):
        game.dip((2, 3.5))
    assert game.dip(RANDOM.minima[1]).status is Status.STUCK
    assert game.message.endswith("; 2 dips left")


def test_the_twenty_fifth_may_still_find_it():
    game = used_up(Game(), 24)
    assert game.dip(WELLS.lowest).status is Status.FOUND


def test_the_twenty_sixth_loses_even_at_the_phone():
    game = used_up(Game())
    dip = game.dip(WELLS.lowest)
    assert dip.status is game.status is Status.LOST
    assert len(game.history) == 26
    assert (game.over, game.left) == (True, 0)
    assert game.message == "the phone is lost: it lies at (1.21, 4.01)"


@pytest.mark.parametrize("ended", ["found", "lost", "revealed"])
def test_after_the_end_nothing_changes(ended):
    game = Game()
    if ended == "found":
        game.dip(WELLS.lowest)
    elif ended == "lost":
        used_up(game, 26)
    else:
        game.reveal()
    before = game.state
    for again in (lambda: game.dip((1, 1)), game.hint):
        with pytest.raises(ValueError, match=r"this game is over: .*; begin another"):
            again()
    assert game.state is before
    game.reveal()
    assert game.state is before


@pytest.mark.parametrize(
    "point",
    [(-0.01, 3), (3, 6.01), (np.nan, 3), (3, np.inf), (1,), (1, 2, 3), 3.0, "ab", None, ("x", 1), (1j, 2)],
    ids=str,
)
def test_a_dip_that_is_none_changes_nothing(point):
    game = Game()
    game.dip(FAR)
    before = game.state
    with pytest.raises(ValueError, match="`point` must be two numbers from 0 to 6"):
        game.dip(point)
    assert game.state is before


def test_the_edge_is_inside():
    game = Game()
    for corner in ((0, 0), (6, 6), (0, 6), (6, 0)):
        game.dip(corner)
    assert len(game.history) == 4


@pytest.mark.parametrize(
    ("gradient", "expected"),
    [((0, 0), (0, 0)), ((5, 0), (-1, 0)), ((0, 10), (0, -1)), ((3, -4), (-0.6, 0.8)), ((0.5, 0), (-0.1, 0))],
    ids=str,
)
def test_the_arrow_points_down_and_is_a_fifth_of_the_slope_and_at_most_one(gradient, expected):
    np.testing.assert_allclose(arrow(np.array(gradient, float)), expected, atol=1e-15)


def test_the_arrow_on_level_ground():
    assert np.linalg.norm(Game().dip(WELLS.highest).arrow) < 1e-6


def test_hints_cost_three_dips_and_each_quarters_the_square():
    game = Game()
    game.dip(FAR)
    told = [game.hint() for _ in range(3)]
    assert [hint.x for hint in told] == [(0, 3), (0, 1.5), (0.75, 1.5)]
    assert [hint.y for hint in told] == [(3, 6), (3, 4.5), (3.75, 4.5)]
    assert told[0].sentence == "the phone lies where 0 ≤ x ≤ 3 and 3 ≤ y ≤ 6"
    assert (game.left, game.state.hints, len(game.history)) == (15, (1, 1, 1), 1)
    game.dip(WELLS.lowest)
    assert game.message.endswith("with 11 dips, 9 of them for 3 hints")


@pytest.mark.parametrize("name", ["wells", "random", "saddle"])
def test_every_hint_is_honest(name):
    for seed in range(5):
        pit = floor(name, seed)
        for number in range(1, 9):
            (a, b), (c, d), _ = hint(pit, number)
            assert a <= pit.lowest[0] <= b
            assert c <= pit.lowest[1] <= d
            assert b - a == d - c == 6 / 2**number


def test_a_hint_on_the_far_edge_stays_in_the_box(here):
    (here / "edge.py").write_text("def f(x, y):\n    return -x - 2 * y\n")
    assert hint(floor("edge.py:f"), 2)[:2] == ((4.5, 6), (4.5, 6))


def test_hints_hurry_and_run_out():
    game = used_up(Game(), 16)
    game.hint()
    assert game.status is Status.DIGGING
    game.hint()
    assert (game.status, game.left) == (Status.HURRY, 3)
    game.hint()
    assert game.left == 0
    with pytest.raises(ValueError, match="a hint costs 3 dips; there are 0 left"):
        game.hint()
    assert game.dip(WELLS.lowest).status is Status.LOST


def test_reveal_gives_up_and_shows_everything():
    game = Game("random", seed=1)
    game.dip((2, 3.5))
    told = game.reveal()
    np.testing.assert_array_equal(told.phone, RANDOM.lowest)
    np.testing.assert_array_equal(told.minima, RANDOM.minima)
    np.testing.assert_allclose(told.depths, [-9, *told.depths[1:]])
    assert told.depth == pytest.approx(-9)
    assert (game.over, game.status) == (True, Status.LOST)


def test_reveal_after_a_win_takes_nothing_away():
    game = Game()
    game.dip(WELLS.lowest)
    game.reveal()
    assert game.status is Status.FOUND


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"floor": "well"}, "unknown floor 'well'; did you mean 'wells'"),
        ({"mode": "deep"}, "unknown mode 'deep'; did you mean 'depth'"),
        ({"seed": -1}, "`seed` must be at least 0"),
        ({"strategy": "newtn"}, "did you mean 'newton'"),
    ],
    ids=str,
)
def test_misuse_of_games(settings, message):
    with pytest.raises(ValueError, match=message):
        Game(**settings)


def test_the_pure_functions_are_what_the_game_does():
    state = hinted(dug(State(), WELLS, FAR))
    game = Game()
    game.dip(FAR)
    game.hint()
    assert game.state == state
    assert shown(state).status is Status.LOST


def test_a_score_is_what_is_above_par():
    for extra in (0, 2):
        game = Game()
        for _ in range(game.par - 1 + extra):
            game.dip(FAR)
        game.dip(WELLS.lowest)
        assert game.score == extra
        assert ("2 dips over par" if extra else "\npar\n") in game.summary()
    lucky = Game()
    lucky.dip(WELLS.lowest)
    assert lucky.score == 1 - lucky.par
    assert "under par" in lucky.summary()


@pytest.mark.parametrize("mode", MODES)
def test_a_summary_says_it_all(mode):
    game = Game("random", mode, 3, racers=("newton", "gradient"))
    game.dip((2, 2))
    game.reveal()
    text = game.summary()
    assert text.startswith(f"random, seed 3, {mode} mode: the phone is")
    assert "par is " in text
    assert f"the code of this pit is random-3-{mode}" in text
    assert ("∂f/∂x" in text) == (mode != "depth")
    assert ("newton" in text) == (mode == "race")
    assert "nan" not in text


def test_a_table_of_all_dips(tmp_path):
    game = Game("random", "automatic", 3, learning_rate=0.01)
    game.dip((2, 2))
    game.to_csv(tmp_path / "dips.csv")
    with (tmp_path / "dips.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["dip"]) for row in rows] == [1, 2, 3, 4, 5, 6]
    for row, dip in zip(rows, game.history, strict=True):
        assert tuple(float(row[c]) for c in ("x", "y", "depth", "df_dx", "df_dy")) == (
            *dip[:3],
            *dip.gradient,
        )
        assert (row["status"], row["by"]) == (dip.status.name.lower(), dip.by)


@pytest.mark.parametrize("racers", ["adam", 3, [["adam"]], (None,), {"adam": 1}], ids=str)
def test_racers_that_are_no_names(racers, unchecked):
    with pytest.raises(TypeError, match="`racers` must be a tuple of names of strategies"):
        Game("wells", "race").use(racers=racers)
