"""Rise over run from start to end: its table, its pictures, misuse."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from experiments.rise_over_run import Config, main
from mvcalc_jax import command
from tests.cases import long


@pytest.mark.slow
@pytest.mark.parametrize(
    "config",
    [Config(), long(Config(function="exponential", at=0.0))],
    ids=["course", "exponential"],
)
def test_every_bar_holds_and_every_picture_is_there(config, tmp_path, capsys):
    assert main(replace(config, out=tmp_path)) == command.DONE
    (run,) = (tmp_path / "rise_over_run").iterdir()
    files = {"config.json", "metrics.csv", "report.md", "secants.gif", "secants.png", "steps.png"}
    assert {file.name for file in run.iterdir()} == files
    with (run / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    for kind, right in (("forward", 3e-8), ("central", 1e-10)):
        errors = np.array([float(row[f"{kind} error, float64"]) for row in rows])
        assert np.nanmin(errors) < right < 1e-3 < np.nanmax(errors)
    said = capsys.readouterr().out
    lines = [line for line in said.splitlines() if " ± " in line]
    assert len(lines) == 10
    assert all(line.endswith(("yes", "within ten")) for line in lines)
    exact = "-0.8198415017086" if config.function == "course" else "1"
    assert sum(exact in line for line in lines) >= 2
    report = (run / "report.md").read_text()
    assert (
        report.startswith("# Rise over run") and report.count("![") == 3 and "## What to try next" in report
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"function": "sin"}, "unknown function 'sin'; did you mean 'sine'"),
        ({"function": "root", "at": -1.0}, "`at` must be where √x has a slope"),
        ({"function": "logarithm", "at": 0.0}, "`at` must be where ln x has a slope"),
        ({"at": float("nan")}, "`at` must be finite"),
        ({"at": 1e300}, "`at` must be where x, f and f′ are within the range of float32"),
        ({"at": 1e20}, "`at` must be where the numbers of float64 lie closer together than sin"),
        ({"device": "tpu"}, "unknown device"),
    ],
    ids=str,
)
def test_misuse_is_said_before_anything_is_written(change, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        main(replace(Config(out=tmp_path), **change))
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_where_nothing_is_left_out_the_best_step_has_no_bound(tmp_path, capsys):
    assert main(Config(function="sine", at=0.0, out=tmp_path)) == command.DONE
    said = capsys.readouterr().out
    assert "the forward difference is without bound (nothing is left out here) in float64" in said
    assert " inf " not in said
