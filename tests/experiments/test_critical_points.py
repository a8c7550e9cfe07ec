"""The experiment on critical points: its run, its pictures, misuse."""

import csv

import pytest

from experiments.critical_points import Config, main
from mvcalc_jax import command


@pytest.mark.slow
@pytest.mark.parametrize("surface", ["himmelblau", "monkey"])
def test_every_point_is_in_the_table(surface, tmp_path, capsys):
    assert main(Config(surface=surface, out=tmp_path)) == command.DONE
    (run,) = (tmp_path / "critical_points").iterdir()
    files = {"config.json", "metrics.csv", "points.png", "degenerate.png", "report.md"}
    assert {path.name for path in run.iterdir()} == files
    with (run / "metrics.csv").open() as file:
        kinds = [row["kind"] for row in csv.DictReader(file)]
    counts = {"himmelblau": (4, 4, 1), "monkey": (0, 0, 0)}[surface]
    assert tuple(kinds.count(kind) for kind in ("minimum", "saddle", "maximum")) == counts
    said = capsys.readouterr().out
    turns = {"himmelblau": "4 minima + 1 maximum − 4 saddles = 1", "monkey": "degenerate saddle"}[surface]
    assert turns in said


@pytest.mark.parametrize(
    ("change", "message"), [({"surface": "himalaya"}, "unknown surface"), ({"starts": 0}, "`starts`")]
)
def test_misuse_is_said_before_anything_is_written(change, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        main(Config(**change, out=tmp_path))
    assert not list(tmp_path.iterdir())
