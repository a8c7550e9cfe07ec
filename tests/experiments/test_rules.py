"""The experiment that watches a derivative: its numbers, its report, and misuse."""

import csv

import pytest

from experiments.rules import Config, main
from experiments.traced import FUNCTIONS
from mvcalc_jax import command
from tests.cases import few


@pytest.mark.slow
@pytest.mark.parametrize("function", few(FUNCTIONS, "loop"))
def test_every_function_is_traced_both_ways(function, tmp_path, capsys):
    assert main(Config(function=function, out=tmp_path)) == command.DONE
    (run,) = (tmp_path / "rules").iterdir()
    files = {"config.json", "metrics.csv", "report.md", "reverse.png", "forward.png"}
    assert {file.name for file in run.iterdir()} == files
    said = capsys.readouterr().out
    assert "reverse mode, from the result back" in " ".join(said.split())
    report = (run / "report.md").read_text()
    assert report.count("![") == 2
    assert "## What to try next" in report


@pytest.mark.slow
def test_the_course(tmp_path, capsys):
    assert main(Config(out=tmp_path)) == command.DONE
    said = capsys.readouterr().out
    assert "it is 8 steps" in said
    assert "reverse mode, ∂f/∂x  -0.2104662581324612  0" in said
    (run,) = (tmp_path / "rules").iterdir()
    with (run / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["rule"] for row in rows][-2:] == ["chain: exp", "quotient"]
    assert float(rows[-1]["value"]) == pytest.approx(0.030196344199849366, rel=1e-15)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (Config(function="quotients"), "unknown function 'quotients'; did you mean 'quotient'"),
        (Config(function="neuron", at=(1.0,)), "`at` must hold 4 numbers for neuron; got 1"),
        (Config(at=(float("nan"),)), "must be finite"),
        (Config(at=(1e300,)), "`at` must be where quotient is finite"),
        (Config(at=(1e3,)), "`at` must be where the derivative of quotient is finite"),
    ],
    ids=["function", "number", "nan", "far", "steep"],
)
def test_misuse_is_said_before_anything_is_written(config, message, tmp_path):
    from dataclasses import replace

    with pytest.raises(ValueError, match=message):
        main(replace(config, out=tmp_path))
    assert not list(tmp_path.iterdir())
