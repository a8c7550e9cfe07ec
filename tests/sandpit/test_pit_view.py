"""The view on Agg, by mouse and key events: every click, button and key does what the rules say, and is seen."""

import itertools

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from mvcalc_jax.sandpit import SCENARIOS, Game, pictures, served
from mvcalc_jax.sandpit.panel import PIT
from mvcalc_jax.sandpit.strategies import own_strategy
from tests.sandpit.table import FAR, Table


@pytest.fixture(scope="module")
def untouched():
    return Table()


def test_a_click_digs_where_it_was(table):
    for point in [(1.0, 1.0), (5.9, 0.1), (3.2, 4.4)]:
        table.click(*point)
        dip = table.game.history[-1]
        assert (dip.x, dip.y) == pytest.approx(point, abs=0.01)
    assert [line.split(" at ")[0] for line in table.said] == ["dip 1", "dip 2", "dip 3"]
    assert "22 dips left" in table.said[-1]
    state = table.pit.describe()
    assert state["left"] == 22 and state["dips"] == [[d.x, d.y, d.depth] for d in table.game.history]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda t: t.click(3, 3, button=2),
        lambda t: t.click(3, 3, button=3),
        lambda t: t.click(3, 3, dblclick=True),
        lambda t: t.click(3, 3, kind="button_release_event"),
        lambda t: t.click(3, 3, kind="motion_notify_event"),
        lambda t: t.click(-0.1, 3),
        lambda t: t.click(3, 6.1),
        lambda t: t.mouse(-3, 0.5),
        lambda t: t.mouse(5, 5),
        lambda t: t.mouse(0.99, 0.99),
        lambda t: t.mouse(0.9, 0.3),
        lambda t: t.key("q"),
        lambda t: t.key("ctrl+n"),
        lambda t: t.key("N"),
        lambda t: t.key(None),
        lambda t: t.key("escape"),
    ],
    ids=[
        "middle", "right", "double", "release", "move", "left of it", "above it", "off the figure", "far off",
        "a corner", "the list", "no key of ours", "with ctrl", "a capital", "no key", "escape",
    ],
)  # fmt: skip
def test_nothing_else_digs(untouched, wrong):
    wrong(untouched)
    assert not untouched.game.history and len(untouched.pit.session.games) == 1 and not untouched.said


def test_the_edge_belongs_to_the_pit():
    table = Table()
    table.click(0, 0)
    table.click(6, 6)
    assert len(table.game.history) >= 1
    for dip in table.game.history:
        assert 0 <= dip.x <= 6 and 0 <= dip.y <= 6


@pytest.mark.slow
@pytest.mark.parametrize("by", ["key", "button"])
def test_keys_and_buttons_do_the_same(table, by):
    do = {
        "new": "n", "again": "a", "hint": "h", "reveal": "r", "mode:on": "m", "mode:back": "M", "floor:on": "f",
        "floor:back": "F", "strategy:on": "s", "strategy:back": "S", "scenario:on": "c", "scenario:back": "C",
    }  # fmt: skip
    press = lambda name: table.key(do[name]) if by == "key" else table.press(name)
    state = lambda: table.game.state
    table.click(*FAR)
    press("hint")
    assert table.game.left == 21 and "phone lies where" in table.told
    press("again")
    assert state().seed == 0 and not state().dips and table.game.left == 25
    press("new")
    assert state().seed == 1 and len(table.pit.session.games) == 2  # the one that has a dip, and this one
    press("strategy:on")
    assert state().strategy == "newton"
    press("strategy:back")
    press("strategy:back")
    assert state().strategy == "constant"
    press("floor:on")
    assert (state().floor, state().seed, state().strategy) == ("random", 0, "constant")
    press("floor:back")
    press("floor:back")
    assert state().floor == "cliff"
    press("scenario:on")
    first = next(iter(SCENARIOS))
    assert table.pit.session.scenario == first and state().floor == SCENARIOS[first].floor
    press("again")
    assert table.pit.session.scenario == first
    press("scenario:back")
    assert table.pit.session.scenario == "" and state().floor == SCENARIOS[first].floor
    press("reveal")
    assert table.game.over and "lost" in table.said[-1]
    if by == "key":
        press("mode:on")
        assert state().mode == "race"
        press("mode:back")
    else:
        for mode in ("race", "depth", "gradient", "automatic"):
            press(f"mode:{mode}")
            assert state().mode == mode
    assert state().mode == "automatic" and not table.game.over


def test_the_slider_follows_the_mouse_and_the_keys():
    table = Table(Game(mode="automatic"))
    x, y = table.pit.describe()["buttons"]["rate"]
    table.mouse(x, y)
    middle = table.game.state.learning_rate
    assert 0.2 < middle < 0.5  # in the middle of 0.01 and 10, by ratios
    table.mouse(x + 0.03, y + 0.2, kind="motion_notify_event")
    assert table.game.state.learning_rate > middle
    table.mouse(5, y, kind="motion_notify_event")
    assert table.game.state.learning_rate == 10
    table.mouse(-5, y, kind="motion_notify_event")
    assert table.game.state.learning_rate == 0.01
    table.mouse(-5, y, kind="button_release_event")
    table.mouse(x, y, kind="motion_notify_event")
    assert table.game.state.learning_rate == 0.01
    table.key("left")
    assert table.game.state.learning_rate == 0.01
    table.key("right")
    assert table.game.state.learning_rate == pytest.approx(0.0125, abs=0.001)
    table.key("s")
    assert table.game.state.learning_rate is None  # another strategy begins with its own


def test_a_game_that_is_won_shows_what_lay_below(table):
    sand = table.pixels()
    table.click(*FAR)
    table.win()
    assert table.game.status.name == "FOUND" and table.told.startswith("The phone is found")
    assert table.said[-1].startswith("the phone is found") and "; par is 3" in table.said[-1]
    assert changed(sand, table.pixels(), PIT) > 0.9
    table.click(3, 3)
    assert len(table.game.history) == 2 and "this game is over" in table.told.lower()
    table.press("hint")
    assert table.game.state.hints == () and "over" in table.told
    table.press("reveal")
    assert table.game.status.name == "FOUND"
    table.press("new")
    assert changed(sand, table.pixels(), PIT) == 0


def test_a_game_that_is_lost_shows_it_too(table):
    sand = table.pixels()
    table.lose()
    assert len(table.game.history) == 26 and table.game.status.name == "LOST" and table.game.left == 0
    assert table.told.startswith("The phone is lost") and table.said[-1].startswith("the phone is lost")
    assert sum(line.startswith("dip ") for line in table.said) == 26
    assert changed(sand, table.pixels(), PIT) > 0.9


def changed(before, after, box):
    """The share of pixels of a part of the board that have changed."""
    left, bottom, width, height = box
    rows = slice(after.shape[0] - bottom - height, after.shape[0] - bottom)
    return float((before != after)[rows, left : left + width].any(axis=2).mean())


def test_the_first_half_of_a_double_click_digs_alone(table):
    table.click(2, 2)
    table.click(2, 2, dblclick=True)
    assert len(table.game.history) == 1
    table.press("new")
    table.mouse(*table.pit.describe()["buttons"]["new"], dblclick=True)
    assert table.game.state.seed == 2  # whoever presses fast presses twice


def test_depth_mode_tells_no_slope():
    table = Table(Game(mode="depth"))
    table.click(2, 2)
    assert "slope" not in table.said[-1] and not table.pit._scene._arrows.get_paths()
    _, steepness = table.pit.session.words().dips[0]
    assert np.isnan(steepness)


def test_automatic_mode_digs_on():
    table = Table(Game(mode="automatic"))
    table.click(4, 3.7)
    assert [dip.by for dip in table.game.history] == ["", "gradient", "gradient", "gradient", "gradient"]
    assert len(table.pit._scene._trail.get_paths()) == 4
    assert table.said[1].startswith("dip 2 by gradient")


def test_a_race_tells_how_each_fared():
    table = Table(Game(mode="race", strategy="newton"))
    table.click(4.4, 3.6)
    lanes = table.pit.describe()["lanes"]
    assert {lane[0] for lane in lanes} == {"gradient", "momentum", "adam", "trust-region", "newton"}
    assert lanes[0][0] == "trust-region" and lanes[0][1] == min(lane[1] for lane in lanes if lane[2] < -8.9)
    assert len(table.pit._scene._ways.get_paths()) == 5
    assert any("newton wants to leave" in line for line in table.said)


def test_once_the_floor_is_shown_clicks_and_rates_show_ways():
    table = Table(Game(mode="race"))
    table.press("reveal")
    table.click(4.4, 3.6)
    assert not table.game.history and "trust-region finds the phone first" in table.told
    before = [way.dips for way in table.pit.session.ways]
    table.key("right")
    after = [way.dips for way in table.pit.session.ways]
    assert len(before) == len(after) == 4 and before != after
    table.press("new")
    assert not table.pit.session.ways
    table.press("mode:automatic")
    table.press("reveal")
    table.click(2, 2)
    assert len(table.pit.session.ways) == 1 and not table.game.history


def test_what_is_wrong_inside_is_said_and_the_game_goes_on(table, monkeypatch, capsys):
    monkeypatch.setattr(table.pit.session, "press", lambda name: 1 // 0)
    table.press("new")
    assert (
        table.told == "An error inside: ZeroDivisionError: integer division or modulo by zero"
        and "Traceback" in capsys.readouterr().err
    )
    table.click(2, 2)
    assert len(table.game.history) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise KeyError('no such thing')", "KeyError"),
        ("while True: pass", "did not return within 0.5 s"),
        ("return state, (float('nan'), 0)", "not finite"),
    ],
    ids=["raises", "hangs", "NaN"],
)
def test_a_strategy_of_ones_own_that_fails_harms_nothing(body, message, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(f"def step(state, position, depth, gradient, hessian):\n    {body}\n")
    name = f"{file}:step"
    game = Game(mode="automatic")
    game._own[name] = own_strategy(name, patience=0.5)
    game.use(name)
    table = Table(game)
    table.click(4, 3.7)
    assert (
        message in table.told
        and table.told.startswith("mine.py:step ")
        and any(message in line for line in table.said)
    )
    assert len(table.game.history) == 1 and not table.game.over
    table.press("new")
    table.click(4, 3.7)
    assert len(table.game.history) == 1 and table.game.state.strategy == name
    game._own[name]._worker[0].end() if game._own[name]._worker else None


def test_a_picture_and_a_film_of_a_game(tmp_path):
    game = Game()
    game.dip(FAR)
    game.hint()
    game.dip((2, 2))
    game.reveal()
    left = game.state
    with Image.open(pictures.save_picture(game, tmp_path / "won.png")) as image:
        assert image.size[0] in (1011, 1012) and image.size[1] == 704  # as matplotlib rounds
        assert len(image.convert("RGB").getcolors(10**6)) > 100
    with Image.open(pictures.save_film(game, tmp_path / "won.gif")) as film:
        assert (film.n_frames, film.size) == (
            5,
            (800, 556),
        )  # nothing, a dip, a hint, a dip, and what lay below
        shown = []
        for k in range(5):
            film.seek(k)
            shown.append(np.asarray(film.convert("RGB"), int))
    changes = [float((np.abs(a - b).sum(axis=2) > 60).mean()) for a, b in itertools.pairwise(shown)]
    assert 0 < max(changes[:3]) < 0.02 < 0.2 < changes[3]
    assert game.state is left


def test_where_there_is_no_window_there_is_none_left_open():
    before = dict(mpl.rcParams)
    assert plt.get_backend().lower() == "agg" and served.window() is None
    assert not plt.get_fignums() and dict(mpl.rcParams) == before


@pytest.mark.slow
def test_a_floor_of_ones_own_is_dug_again_and_again(tmp_path):
    (tmp_path / "mine.py").write_text("def f(x, y):\n    return (x - 2) ** 2 + (y - 4) ** 2\n")
    table = Table(Game(f"{tmp_path / 'mine.py'}:f"))
    assert table.pit.session.words().chosen["floor"] == "mine.py:f"
    table.click(1, 1)
    table.press("new")
    assert not table.game.history and table.game.state.seed == 0 and len(table.pit.session.games) == 2
    table.click(2, 4)
    assert table.game.status.name == "FOUND"
    table.press("floor:on")
    table.press("floor:back")
    assert table.game.floor.name.endswith("mine.py:f") and not table.game.over
