"""The experiment on critical points: its run, its pictures, misuse."""

import csv

import pytest

from experiments import critical_points
from experiments.critical_points import DEGENERATE, Config, main
from mvcalc_jax import command
from tests.cases import long


@pytest.mark.slow
@pytest.mark.parametrize("degenerate", [("monkey",), long(DEGENERATE)], ids=["one", "all"])
def test_every_point_is_in_the_table(degenerate, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(critical_points, "DEGENERATE", degenerate)
    assert main(Config(out=tmp_path)) == command.DONE
    (run,) = (tmp_path / "critical_points").iterdir()
    files = {"config.json", "metrics.csv", "points.png", "degenerate.png", "report.md"}
    assert {path.name for path in run.iterdir()} == files
    with (run / "metrics.csv").open() as file:
        kinds = [row["kind"] for row in csv.DictReader(file)]
    assert [kinds.count(kind) for kind in ("minimum", "saddle", "maximum")] == [4, 4, 1]
    assert "4 minima + 1 maximum − 4 saddles = 1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "message"), [({"surface": "himalaya"}, "unknown surface"), ({"starts": 0}, "`starts`")]
)
def test_misuse_is_said_before_anything_is_written(change, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        main(Config(**change, out=tmp_path))
    assert not list(tmp_path.iterdir())
