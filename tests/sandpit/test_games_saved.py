"""Games as files and codes: what was played comes back, and nothing else is believed."""

import json

import numpy as np
import pytest

from mvcalc_jax.sandpit import MODES, Game, Status, floor

WELLS = floor("wells")


def played(mode="gradient", name="random", seed=3, **settings):
    game = Game(name, mode, seed, **settings)
    game.dip((2, 3.5))
    game.hint()
    if not game.over:
        game.dip((5.9, 0.2))
    return game


def finished(end):
    game = Game()
    if end == "found":
        game.dip((2, 2))
        game.dip(WELLS.lowest)
    elif end == "revealed":
        game.dip((2, 2))
        game.reveal()
    else:
        for _ in range(26):
            game.dip((5, 1))
    return game


GAMES = {mode: lambda mode=mode: played(mode) for mode in MODES}
GAMES |= {end: lambda end=end: finished(end) for end in ("found", "revealed", "lost")}
GAMES["new"] = Game
GAMES["changed"] = lambda: played("automatic", learning_rate=0.1, racers=("adam",))


@pytest.mark.parametrize("make", GAMES.values(), ids=GAMES)
def test_a_game_comes_back(make, tmp_path):
    game = make()
    game.save(tmp_path / "game.json")
    back = Game.load(tmp_path / "game.json")
    assert back.state == game.state
    assert (back.message, back.over, back.left) == (game.message, game.over, game.left)
    assert [p.name for p in tmp_path.iterdir()] == ["game.json"]
    if not back.over:
        assert back.dip((1, 1)) == game.dip((1, 1))


def test_strategies_may_change_within_a_game(tmp_path):
    game = played("automatic", strategy="adam")
    game.use("gradient")
    game.dip((4, 4))
    game.save(tmp_path / "game.json")
    assert Game.load(tmp_path / "game.json").state == game.state


def test_a_won_race_comes_back(tmp_path):
    game = Game("rocks", "race", 1)
    game.dip((3, 3))
    game.save(tmp_path / "game.json")
    back = Game.load(tmp_path / "game.json")
    assert back.status is Status.FOUND
    assert back.state == game.state
    assert back.score == game.score


def test_code_is_run_only_for_those_who_trust_it(here):
    game = Game("own.py:bowl", "automatic", strategy="own.py:rated", learning_rate=0.1)
    game.dip((5, 5))
    game.save(here / "game.json")
    (here / "own.py").write_text((here / "own.py").read_text() + "\nopen('run', 'w')\n")
    with pytest.raises(ValueError, match=r"names own.py:bowl, which is code .* load it with trusted=True"):
        Game.load("game.json")
    assert not (here / "run").exists()
    assert Game.load("game.json", trusted=True).state == game.state


def test_a_strategy_in_a_saved_game_is_code_too(here):
    game = Game(racers=("adam", "own.py:rated"))
    game.save(here / "game.json")
    with pytest.raises(ValueError, match=r"names own\.py:rated, which is code"):
        Game.load("game.json")


DIP = {"x": 2.0, "y": 3.5, "depth": float(floor("random", 3).depth(np.array([2.0, 3.5]))), "by": ""}
LANE = {"strategy": "adam", "dips": 3, "depth": -9.0, "found": True, "message": ""}
WRONG = {
    "another format": ({"format": "chess 1"}, "its format must be 'mvcalc-jax sandpit 1'"),
    "floor": ({"floor": "well"}, "floor must be one of 'wells'"),
    "floor of a kind": ({"floor": 3}, "floor must be one of"),
    "seed": ({"seed": -1}, "seed must be a whole number from 0 to"),
    "seed is a truth": ({"seed": True}, "seed must be a whole number"),
    "seed is a float": ({"seed": 3.0}, "seed must be a whole number"),
    "mode": ({"mode": "fast"}, "mode must be one of 'gradient', 'depth', 'automatic', 'race'"),
    "mode of a kind": ({"mode": ["gradient"]}, "mode must be one of"),
    "strategy": ({"strategy": "sgd"}, "strategy must be one of"),
    "rate": ({"learning_rate": 0}, "learning_rate must be positive, or null"),
    "rate of a kind": ({"learning_rate": "fast"}, "learning_rate must be a finite number"),
    "racers": ({"racers": []}, "racers must be a list of 1 to 100"),
    "racer": ({"racers": ["sgd"]}, "racers must be one of"),
    "dips": ({"dips": {}}, "dips must be a list of 0 to 26"),
    "many dips": ({"dips": [DIP] * 27}, "dips must be a list of 0 to 26"),
    "dip": ({"dips": [[1, 2]]}, "dips must have the fields x, y, depth, by"),
    "dip of more": ({"dips": [DIP | {"z": 1}]}, "dips must have the fields"),
    "x": ({"dips": [DIP | {"x": "2"}]}, "dips x must be a finite number"),
    "x is huge": ({"dips": [DIP | {"x": 10**400}]}, "dips x must be a finite number"),
    "outside": (
        {"dips": [DIP | {"x": 7}]},
        "was not made by the rules: `point` must be two numbers from 0 to 6",
    ),
    "depth": ({"dips": [DIP | {"depth": -5.5}]}, "dip 1 is said to be 5.5 m deep, and it is .* m deep there"),
    "by": ({"dips": [DIP | {"by": "adam"}]}, "dips by must be one of ''"),
    "hints": ({"hints": [5]}, "hints must be a whole number from 0 to 0"),
    "many hints": ({"hints": [0] * 9}, "was not made by the rules: a hint costs 3 dips; there are 1 left"),
    "lanes": ({"lanes": [LANE]}, "lanes must be a list of 0 to 0"),
    "lane": (
        {"mode": "race", "dips": [DIP], "lanes": [LANE | {"dips": 99}]},
        "lanes dips must be a whole number",
    ),
    "lane found": (
        {"mode": "race", "dips": [DIP], "lanes": [LANE | {"found": 1}]},
        "found must be true or false",
    ),
    "note": ({"note": "x" * 1001}, "note must be a text of at most 1000 letters"),
    "revealed": ({"revealed": 0}, "revealed must be true or false"),
    "more": ({"cheat": 1}, "there is no field 'cheat'"),
}


def saved(path, **changes):
    Game("random", seed=3).save(path)
    fields = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({name: value for name, value in fields.items() if value is not ...}))
    return path


@pytest.mark.parametrize(("changes", "message"), WRONG.values(), ids=WRONG)
def test_what_was_changed_by_hand_is_refused(changes, message, tmp_path):
    with pytest.raises(ValueError, match=message) as told:
        Game.load(saved(tmp_path / "game.json", **changes))
    assert "\n" not in str(told.value)
    assert str(told.value).startswith(str(tmp_path / "game.json"))


@pytest.mark.parametrize("name", ["format", "floor", "seed", "dips", "revealed"])
def test_what_is_missing_is_named(name, tmp_path):
    with pytest.raises(ValueError, match=f"{name} (is missing|must be)"):
        Game.load(saved(tmp_path / "game.json", **{name: ...}))


def test_a_dip_after_the_end_is_refused(tmp_path):
    x, y = WELLS.lowest.tolist()
    dips = [{"x": x, "y": y, "depth": -9.0, "by": ""}] * 2
    with pytest.raises(ValueError, match="was not made by the rules: this game is over"):
        Game.load(saved(tmp_path / "game.json", floor="wells", seed=0, dips=dips))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "it is no JSON"),
        (b"{", "it is no JSON"),
        (b"\xff\xfe\x00", "it is no JSON"),
        (b"[" * 100_000, "it is no JSON"),
        (b"[1, 2]", "its format must be"),
        (b'"game"', "its format must be"),
        (b"null", "its format must be"),
        (b'{"format": NaN}', "NaN is no number"),
        (b"9" * 5000, "it is no JSON"),
        (b" " * 1_000_001, "it is too large"),
    ],
    ids=["empty", "cut", "bytes", "deep", "list", "text", "null", "NaN", "digits", "large"],
)
def test_what_is_no_game_is_refused(raw, message, tmp_path):
    path = tmp_path / "game.json"
    path.write_bytes(raw)
    with pytest.raises(ValueError, match=f"game.json is not the file of a game: {message}"):
        Game.load(path)


def test_where_there_is_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        Game.load(tmp_path / "game.json")
    with pytest.raises(OSError):
        Game().save(tmp_path / "missing" / "game.json")


@pytest.mark.parametrize("mode", MODES)
def test_a_code_is_the_pit(mode):
    for name in ("wells", "random"):
        game = Game.from_code(f"{name}-12-{mode}")
        assert (game.state.floor, game.state.seed, game.state.mode) == (name, 12, mode)
        assert game.code == f"{name}-12-{mode}"
    assert Game.from_code(" Wells-0-RACE\n").code == "wells-0-race"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("", "a code must be FLOOR-SEED-MODE, such as random-7-gradient; got ''"),
        ("wells", "a code must be"),
        ("wells-0", "a code must be"),
        ("wells--1-race", "a code must be"),
        ("wells-1e3-race", "a code must be"),
        ("wells-٣-race", "a code must be"),
        ("wells-1234567890123456789-race", "a code must be"),
        ("own.py:f-0-race", "a code must be"),
        ("../x-0-race", "a code must be"),
        ("x" * 500, "x…"),
        (7, "a code must be"),
        (None, "a code must be"),
        ("well-0-race", "unknown floor 'well'; did you mean 'wells'"),
        ("wells-0-racing", "unknown mode 'racing'; did you mean 'race'"),
    ],
    ids=lambda v: str(v)[:20],
)
def test_what_is_no_code(code, message):
    with pytest.raises(ValueError, match=message) as told:
        Game.from_code(code)
    assert len(str(told.value)) < 200


@pytest.mark.parametrize(
    "code",
    [None, 3, (x for x in ()), "x" * 100, ["wells-0-depth"]],
    ids=["None", "3", "iterator", "long", "list"],
)
def test_codes_that_are_none(code, unchecked):
    with pytest.raises(ValueError, match="a code must be FLOOR-SEED-MODE"):
        Game.from_code(code)
