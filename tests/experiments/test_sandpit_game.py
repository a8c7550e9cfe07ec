"""The game that follows the arrows: what it finds, and the files that it leaves."""

from dataclasses import replace

import pytest

from experiments.sandpit_game import Config, followed, main, raced
from mvcalc_jax import command
from mvcalc_jax.sandpit import Game

pytestmark = pytest.mark.usefixtures("standard_promotion")


def test_the_arrows_lead_to_the_wrong_hollow_first_and_then_to_the_phone():
    game = followed(Config())
    told = [dip.status.name for dip in game.history]
    assert told.count("STUCK") == 1 and told[-1] == "FOUND" and len(told) == 10 and game.score == 3


@pytest.mark.slow
def test_pictures_and_a_game_in_a_run_directory(tmp_path, capsys):
    config = Config(floor="wells", seed=0, race_floor="wells", out=tmp_path)
    assert main(config) == command.DONE
    (run,) = (tmp_path / "sandpit_game").iterdir()
    assert {path.name for path in run.iterdir()} == {
        "config.json", "report.md", "game.json", "dips.csv", "game.gif", "game.png", "race.png",
    }  # fmt: skip
    assert Game.load(run / "game.json").status.name == "FOUND"
    assert "the phone is found" in capsys.readouterr().out


def test_a_race_that_nobody_wins_is_shown_all_the_same():
    race = raced("narrow")
    assert race.over and len(race.state.lanes) == 4


def test_a_stride_must_be_positive(tmp_path):
    with pytest.raises(ValueError, match="`stride` must be positive"):
        main(replace(Config(), stride=0.0, out=tmp_path))
