"""The experiment on proven rates: costs that only fall, and rates that are nearly as large as can be."""

import csv
from dataclasses import replace

import numpy as np
import pytest

import mvcalc_jax as mv
from experiments.safe_steps import Config, main
from mvcalc_jax import command
from tests.cases import long

SMALL = Config(samples=8, steps=6, height_steps=8, measured=4)

pytestmark = pytest.mark.usefixtures("standard_promotion")


@pytest.mark.slow
@pytest.mark.parametrize("hidden", [(), long((6, 7))], ids=str)
def test_both_tasks_in_a_run_directory(hidden, tmp_path, capsys, monkeypatch):
    init = mv.network.init  # a hidden layer more takes twice as long to enclose
    monkeypatch.setattr(mv.network, "init", lambda rng, sizes, **how: init(rng, (1, *hidden, 2), **how))
    assert main(replace(SMALL, out=tmp_path)) == command.DONE
    (run,) = (tmp_path / "safe_steps").iterdir()
    assert {path.name for path in run.iterdir()} == {
        "network.png", "heights.png", "config.json", "metrics.csv", "report.md",
    }  # fmt: skip
    with (run / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == SMALL.steps
    assert np.all(np.diff([float(row["cost"]) for row in rows]) < 0)
    assert all(float(row["proven rate"]) > 0.5 for row in rows)
    said = capsys.readouterr().out
    assert "No proven step goes up" in said
    assert "at 4 steps the proven rate is" in said
    assert "What to try next" in (run / "report.md").read_text()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"curve": "hart"}, "did you mean 'heart'"),
        ({"steps": 1}, "`steps` must be at least 2"),
        ({"samples": 1}, "`samples` must be at least 2"),
        ({"measured": 0}, "`measured` must be at least 1"),
        ({"learning_rate": 0.0}, "`learning_rate` must be positive"),
        ({"too_large": float("nan")}, "`too_large` must be"),
    ],
    ids=str,
)
def test_misuse_is_said_before_anything_is_written(change, message, tmp_path):
    with pytest.raises((ValueError, OSError), match=message):
        main(replace(SMALL, out=tmp_path, **change))
    assert not list(tmp_path.iterdir())
