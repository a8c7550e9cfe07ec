"""The experiment on strategies in the sandpit: its run, its numbers, its misuse."""

import csv
from dataclasses import replace

import pytest

from experiments.sandpit_strategies import Config, main
from mvcalc_jax import command

SMALL = Config(seeds=4, points=8)
OWN = """
def step(state, position, depth, gradient, hessian):
    return state, -0.5 * gradient

def bowl(x, y):
    return (x - 2) ** 2 + (y - 3) ** 2
"""


@pytest.mark.slow
def test_everybody_competes_everywhere(tmp_path, capsys):
    (tmp_path / "mine.py").write_text(OWN)
    step, bowl = (f"{tmp_path}/mine.py:{name}" for name in ("step", "bowl"))
    options = {"strategy": step, "floor": bowl, "floors": ("cliff", bowl)}
    assert main(replace(SMALL, out=tmp_path / "runs", **options)) == command.DONE
    (run,) = (tmp_path / "runs" / "sandpit_strategies").iterdir()
    pictures = {"success.png", "basins.png", "ways.png"}
    assert {path.name for path in run.iterdir()} == pictures | {"config.json", "metrics.csv", "report.md"}
    with (run / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 9 * 2 * 4
    outcome = {
        name: [
            (row["floor"], row["seed"], row["found"], row["dips"]) for row in rows if row["strategy"] == name
        ]
        for name in ("gradient", "mine.py:step")
    }
    assert len(outcome["gradient"]) == 8
    assert outcome["gradient"] == outcome["mine.py:step"]
    assert all((row["end"] == "found") == (row["found"] == "1") for row in rows)
    report, said = (run / "report.md").read_text(), capsys.readouterr().out
    assert "What to try next" in report
    assert "| trust-region |" in report
    assert " is best, with " in said
    assert "of the sandpit" in said


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"floor": "well"}, "unknown floor 'well'; did you mean 'wells'"),
        ({"floors": ("wells", "clif")}, "unknown floor 'clif'; did you mean 'cliff'"),
        ({"seeds": 0}, "`seeds` must be at least 1"),
        ({"points": 1}, "`points` must be at least 2"),
        ({"start": (7.0, 1.0)}, "`start` must be two numbers from 0 to 6"),
        ({"seed": -1}, "`seed` must be at least 0"),
        ({"strategy": "mine.py:f"}, "there is no file mine.py"),
    ],
    ids=str,
)
def test_misuse_is_said_before_anything_is_written(change, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        main(replace(SMALL, out=tmp_path, **change))
    assert not list(tmp_path.iterdir())
