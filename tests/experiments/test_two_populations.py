"""Men and women from one histogram: what is found beside what the labels say, own files, misuse."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from experiments.two_populations import Config, main, pm
from mvcalc_jax import command

pytestmark = pytest.mark.slow  # from start to end; their parts are tested beside them, in less time


def test_galtons_men_and_women(tmp_path, capsys):
    assert main(Config(out=tmp_path)) == command.DONE
    (run,) = (tmp_path / "two_populations").iterdir()
    files = {"config.json", "metrics.csv", "params.npz", "report.md", "two_populations.png"}
    assert {file.name for file in run.iterdir()} == files
    with (run / "metrics.csv").open() as file:
        rows = {row.pop("name"): {k: float(v) for k, v in row.items()} for row in csv.DictReader(file)}
    found = [(round(rows[name]["pooled"], 1), round(rows[name]["pooled_stderr"], 1)) for name in rows]
    assert found[1::3] == [(64.3, 0.7), (68.7, 1.0)]
    assert [round(rows[name]["by_label"], 2) for name in ("mean1", "mean2")] == [64.44, 68.59]
    for row in rows.values():
        assert abs(row["pooled"] - row["by_label"]) < row["pooled_stderr"]
        assert row["pooled_stderr"] > 3 * row["by_label_stderr"]
    said = capsys.readouterr().out
    assert "459 ± 183" in said
    assert "the areas' correlation is -0.98" in said
    with np.load(run / "params.npz") as arrays:
        assert sorted(a.shape for a in arrays.values()) == [(6,), (6, 6)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"first": "galton-men", "second": "galton-women"}, "`first` must have the lower mean"),
        ({"first": "galton-women", "second": "course"}, "must have bins of one width whose edges agree"),
        ({"first": "womn"}, "unknown histogram"),
    ],
    ids=str,
)
def test_misuse_is_said_before_anything_is_written(change, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        main(replace(Config(out=tmp_path), **change))
    assert not list(tmp_path.iterdir())


def test_errors_are_told_with_two_digits():
    assert pm(68.7412, 1.0049) == "68.7 ± 1.0"
    assert pm(64.34, 0.0123) == "64.340 ± 0.012"
    assert pm(459.2, 183.3) == "459 ± 183"
