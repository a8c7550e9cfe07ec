"""The experiment on Taylor series: its files, its numbers, its misuse."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from experiments.taylor_series import Config, main
from mvcalc_jax import command

SMALL = Config(points=20, order=16)


@pytest.mark.slow
def test_the_course_in_a_run_directory(tmp_path, capsys):
    assert main(replace(SMALL, out=tmp_path)) == command.DONE
    (run,) = (tmp_path / "taylor_series").iterdir()
    pictures = {"partial_sums.gif", "partial_sums.png", "disc.png", "order.png"}
    assert {path.name for path in run.iterdir()} == pictures | {"config.json", "metrics.csv", "report.md"}
    with (run / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 17
    assert float(rows[0]["coefficient"]) == pytest.approx(np.exp(np.sin(0.5)) / 1.25)
    said = capsys.readouterr().out
    assert "is at ±i, 1.11803 away" in said
    slopes = [line.split() for line in said.splitlines() if line[:1].isdigit() and " h^" in line]
    assert [int(row[2]) for row in slopes] == [2, 3, 4, 5]
    assert all(abs(float(row[1]) - int(row[2])) < 0.05 for row in slopes)
    assert "What to try next" in (run / "report.md").read_text()


@pytest.mark.long
@pytest.mark.slow
def test_one_without_a_singularity_and_one_at_another_point(tmp_path, capsys):
    assert main(replace(SMALL, out=tmp_path, function="sine")) == command.DONE
    assert "Radius of convergence inf" in capsys.readouterr().out
    assert main(replace(SMALL, out=tmp_path, function="witch", at=1.0)) == command.DONE
    assert "1.41421 away" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"function": "sin"}, "unknown function 'sin'; did you mean 'sine'"),
        ({"order": 8}, "`order` must be at least 16"),
        ({"points": 3}, "`points` must be at least 10"),
        ({"at": float("inf")}, "`at` must be finite"),
        ({"function": "logarithm", "at": -1.0}, "value there is not finite"),
        ({"order": 500}, "`order` must be at most 170"),
    ],
    ids=str,
)
def test_misuse_is_said_before_anything_is_written(change, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        main(replace(SMALL, out=tmp_path, **change))
    assert not list(tmp_path.iterdir())
