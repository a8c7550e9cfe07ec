"""Lines at full size, for they are small: the lessons' numbers, columns of one's own, misuse."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from experiments.linear_regression import Config, main
from mvcalc_jax import command


def only_run(out):
    (run,) = (out / "linear_regression").iterdir()
    return run


def coefficients(run):
    with (run / "metrics.csv").open() as file:
        return {(row["fit"], row["name"]): float(row["params"]) for row in csv.DictReader(file)}


def test_the_lessons(tmp_path, capsys):
    assert main(Config(out=tmp_path)) == command.DONE
    run = only_run(tmp_path)
    pictures = {"anscombe.png", "heights.png", "diagnostics.png"}
    assert {file.name for file in run.iterdir()} == pictures | {
        "config.json",
        "metrics.csv",
        "params.npz",
        "report.md",
    }
    found = coefficients(run)
    for k in range(1, 5):
        assert found[f"Anscombe {k}", "intercept"] == pytest.approx(3, abs=3e-3)
        assert found[f"Anscombe {k}", "x"] == pytest.approx(0.5, abs=3e-4)
    assert found["sons", "father"] == pytest.approx(0.514, abs=5e-4)
    assert found["fathers", "son"] == pytest.approx(0.4886, abs=5e-5)
    said = capsys.readouterr().out
    assert "Fathers 5 in taller than the mean have sons 2.6 in taller" in said
    assert "R² 0.251" in said
    assert "beyond all bounds" in said
    assert "Biometrika 2 (1903)" in (run / "report.md").read_text()


@pytest.fixture
def file(tmp_path, rng):
    a, b = rng.standard_normal((2, 30))
    rows = np.stack([a, b, 2 * a - b + 0.1 * rng.standard_normal(30), 2 * a + b], axis=1)
    path = tmp_path / "own.csv"
    path.write_text("Dose,Age,Effect,Sum\n" + "\n".join(",".join(map(repr, row)) for row in rows.tolist()))
    return path


def cut(file, *columns):
    rows = [line.split(",") for line in file.read_text().splitlines()]
    file.write_text("\n".join(",".join(row[k] for k in columns) for row in rows))
    return file


def test_columns_of_ones_own(file, tmp_path, capsys):
    assert main(Config(data=cut(file, 0, 1, 2), out=tmp_path)) == command.DONE
    run = only_run(tmp_path)
    found = coefficients(run)
    assert found["Effect", "Dose"] == pytest.approx(2, abs=0.1)
    assert found["Effect", "Age"] == pytest.approx(-1, abs=0.1)
    assert not (run / "fit.png").exists()
    assert "Effect, explained by Dose, Age" in capsys.readouterr().out


def test_one_column_is_drawn_too(file, tmp_path):
    asked = Config(data=cut(file, 2, 0), response="Effect", degree=2, intercept=False, out=tmp_path)
    assert main(asked) == command.DONE
    assert set(coefficients(only_run(tmp_path))) == {("Effect", "Dose"), ("Effect", "Dose^2")}
    assert (only_run(tmp_path) / "fit.png").exists()


def test_dependent_columns_are_a_failure_that_is_explained(file, tmp_path, capsys):
    assert main(Config(data=file, response="Effect", out=tmp_path)) == command.FAILED
    assert "Sum = 2·Dose + Age to rounding; leave one of them out" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"degree": 2}, "`degree` is for data of your own"),
        ({"response": "y"}, "`response` is for data of your own"),
        ({"level": 95.0}, "`level` must lie between 0 and 1"),
        ({"data": "own", "response": "Efect"}, "did you mean 'Effect'"),
        ({"data": "own", "degree": 2}, "`degree` is for powers of one variable"),
        ({"data": "own", "level": 0.0}, "`level` must lie between 0 and 1"),
    ],
    ids=str,
)
def test_misuse_is_said_before_anything_is_written(change, message, file, tmp_path):
    change = change | ({"data": file} if "data" in change else {})
    with pytest.raises(ValueError, match=message):
        main(replace(Config(out=tmp_path / "runs"), **change))
    assert not (tmp_path / "runs").exists()
