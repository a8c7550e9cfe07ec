"""The experiment on bands: proven ones hold at every point, computed ones do not."""

import csv
from dataclasses import replace

import pytest

from experiments import bounding
from experiments.error_bands import Config, main
from mvcalc_jax import command
from tests.cases import long

SMALL = Config(samples=11)


def rows(said, first):
    return [line.split() for line in said.splitlines() if line.startswith(first)]


@pytest.mark.slow
@pytest.mark.parametrize("counted", [("fraction",), long(bounding.COUNTED)], ids=["one", "all"])
def test_a_fraction_in_a_run_directory(counted, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(bounding, "COUNTED", counted)
    assert main(replace(SMALL, out=tmp_path)) == command.DONE
    (run,) = (tmp_path / "error_bands").iterdir()
    pictures = {"bands.png", "widths.png", "rounding.png"}
    assert {path.name for path in run.iterdir()} == pictures | {"config.json", "metrics.csv", "report.md"}
    said = capsys.readouterr().out
    counted = rows(said, "float")
    assert len(counted) == 8
    assert all(row[-1] == "0" for row in counted)
    naive = {(row[0], row[1]): (int(row[2]), int(row[3]), int(row[4])) for row in counted}
    points, textbook, sharp = naive["float64", "1e-06"]
    assert sharp > 0.9 * points
    assert textbook > 0.2 * points
    (proven,), (textbook,) = rows(said, "proven  "), rows(said, "textbook  ")
    assert float(proven[1]) < 0.06
    assert float(textbook[1]) == pytest.approx(0.364, abs=1e-3)
    with (run / "metrics.csv").open() as file:
        last = list(csv.DictReader(file))[-1]
    assert float(last["proven"]) == pytest.approx(float(proven[1]), rel=1e-3)
    assert "What to try next" in (run / "report.md").read_text()


@pytest.mark.long
def test_another_function_of_another_order_in_pieces(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(bounding, "COUNTED", ())
    settings = replace(SMALL, out=tmp_path, function="bell", order=1, pieces=4, at=0.7, radius=0.4)
    assert main(settings) == command.DONE
    assert "exp(−x²) about 0.7, n = 1, on [0.3, 1.1]" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"function": "bel"}, "unknown function 'bel'; did you mean 'bell'"),
        ({"order": 0}, "`order` must be at least 1"),
        ({"order": 9}, "`order` must be at most 8; got 9"),
        ({"samples": 3}, "`samples` must be at least 11"),
        ({"pieces": 0}, "`pieces` must be at least 1"),
        ({"radius": -1.0}, "`radius` must be positive"),
        ({"at": float("nan")}, "`at` must be finite"),
        ({"function": "tail", "at": -1.5}, "where x exp.* is defined; got -1.5"),
    ],
    ids=str,
)
def test_misuse_is_said_before_anything_is_written(change, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        main(replace(SMALL, out=tmp_path, **change))
    assert not list(tmp_path.iterdir())
