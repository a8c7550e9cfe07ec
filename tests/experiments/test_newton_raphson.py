"""The experiment on Newton–Raphson: its files, its numbers, its misuse."""

import csv
from dataclasses import replace

import pytest

from experiments.newton_raphson import Config, main
from mvcalc_jax import command

SMALL = Config(points=40)


@pytest.mark.slow
def test_the_course_in_a_run_directory(tmp_path, capsys):
    assert main(replace(SMALL, out=tmp_path)) == command.DONE
    (run,) = (tmp_path / "newton_raphson").iterdir()
    pictures = {"tangents.png", "tangents.gif", "endings.png", "basins.png", "convergence.png"}
    assert {path.name for path in run.iterdir()} == pictures | {"config.json", "metrics.csv", "report.md"}
    with (run / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [round(float(row["x"]), 6) for row in rows[:3]] == [1.063071, -3.760214, -3.760214]
    reasons = (
        ["CONVERGED"] * 3
        + ["CYCLE"] * 2
        + ["DIVERGED"] * 3
        + ["MINIMUM", "MULTIPLE", "FLAT", "DOMAIN", "POLE"]
    )
    assert [row["status"] for row in rows] == [*reasons, "CONVERGED", "CONVERGED"]
    assert "What to try next" in (run / "report.md").read_text()
    assert "a cycle of period 2: 0, 1" in capsys.readouterr().out


@pytest.mark.long
@pytest.mark.slow
def test_another_function_starts_and_fractal(tmp_path, capsys):
    assert (
        main(replace(SMALL, out=tmp_path, function="atan", start=(1.3, 1.4), fractal="cycle")) == command.DONE
    )
    said = capsys.readouterr().out
    assert "atan x from 1.3  " in said
    assert "diverged" in next(line for line in said.splitlines() if "atan x from 1.4" in line)
    assert "-1.769" in said


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"function": "sextc"}, "unknown function 'sextc'; did you mean 'sextic'"),
        ({"fractal": "four"}, "unknown fractal"),
        ({"start": (1.0, float("nan"))}, "`start` must be finite"),
        ({"start": (1.0, 2.0, 3.0, 4.0)}, "`start` must be at most 3 numbers"),
        ({"points": 3}, "`points` must be at least 10"),
    ],
    ids=str,
)
def test_misuse_is_said_before_anything_is_written(change, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        main(replace(SMALL, out=tmp_path, **change))
    assert not list(tmp_path.iterdir())
