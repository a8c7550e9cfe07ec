"""Extrema on a constraint from the command line: numbers, pictures, a page, misuse."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from experiments.constraints import PROBLEMS
from experiments.lagrange import Config, main
from mvcalc_jax import command
from tests.cases import few


@pytest.mark.slow
def test_the_courses_first_problem(tmp_path, capsys):
    assert main(Config(out=tmp_path)) == command.DONE
    (run,) = (tmp_path / "lagrange").iterdir()
    assert {file.name for file in run.iterdir()} == {
        "config.json", "metrics.csv", "extrema.png", "price.png", "report.md",
    }  # fmt: skip
    with (run / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["kind"] for row in rows] == ["minimum", "minimum", "maximum", "maximum"]
    np.testing.assert_allclose(
        [float(row["f"]) for row in rows], (0.114944, 0.353902, 0.371748, 0.923811), atol=6e-7
    )
    np.testing.assert_allclose(
        *zip(*((float(r["lambda1"]), float(r["solved_again1"])) for r in rows), strict=True), rtol=1e-9
    )
    with Image.open(run / "extrema.png") as picture:
        assert picture.width <= 1210
    said, page = capsys.readouterr().out, (run / "report.md").read_text()
    assert "4 stationary points: 2 minima, 2 maxima" in said
    assert "![" in page
    assert "## What to try next" in page


@pytest.mark.slow
@pytest.mark.parametrize("problem", few((name for name in PROBLEMS if name != "course-1"), "budget", "cusp"))
def test_every_problem_is_solved_and_drawn(problem, tmp_path, capsys):
    assert main(Config(problem=problem, starts=200, out=tmp_path)) == command.DONE
    (run,) = (tmp_path / "lagrange").iterdir()
    assert (run / "extrema.png").exists()
    said = capsys.readouterr().out
    assert ("no multiplier" in said) == (problem == "cusp")
    assert PROBLEMS[problem].lesson in said


@pytest.mark.parametrize(
    ("change", "message"),
    [({"problem": "course-3"}, "unknown problem"), ({"starts": 0}, "`starts` must be at least 1")],
    ids=str,
)
def test_misuse_is_said_before_anything_is_written(change, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        main(replace(Config(out=tmp_path), **change))
    assert not list(tmp_path.iterdir())
