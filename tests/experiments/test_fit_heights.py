"""Heights at full size, for it is small: the course's numbers in its files, other data, misuse."""

import csv
import re
from dataclasses import replace

import numpy as np
import pytest

import mvcalc_jax as mv
from experiments import estimating, fit_heights
from experiments.fit_heights import Config, main
from mvcalc_jax import command
from mvcalc_jax.plots import heights
from tests.cases import long

pytestmark = pytest.mark.slow  # from start to end; their parts are tested beside them, in less time


@pytest.fixture
def still(monkeypatch):
    """No animation, which takes as long as all else: the course's descent has it."""
    monkeypatch.setattr(heights, "animate", lambda *what: None)


@pytest.fixture
def undrawn(monkeypatch):
    """No pictures: others look at them."""
    monkeypatch.setattr(fit_heights, "save_pictures", lambda *what: None)


def only_run(out):
    (run,) = (out / "fit_heights").iterdir()
    return run


def path(run):
    with (run / "metrics.csv").open() as file:
        return np.array(
            [[float(row[name]) for name in ("mu", "sigma", "chi_squared")] for row in csv.DictReader(file)]
        )


def test_the_courses_descent(tmp_path, capsys):
    assert main(Config(compare=False, out=tmp_path)) == command.DONE
    run = only_run(tmp_path)
    files = {
        "config.json",
        "metrics.csv",
        "params.npz",
        "report.md",
        "histogram.png",
        "contours.png",
        "learning_rate.png",
        "descent.gif",
    }
    assert {file.name for file in run.iterdir()} == files
    rows = path(run)
    assert len(rows) == 51
    np.testing.assert_allclose(rows[2, :2], (157.27745168, 15.52087417), atol=5e-9)
    np.testing.assert_allclose(rows[50], (178.519824, 7.549908, 4.39245367e-4), rtol=1e-7)
    said = capsys.readouterr().out
    assert "by hand and optax sgd agree to the last bit" in said
    assert "stable below 5106.5" in said
    assert "above the optimum's\n" in said


def test_other_methods_and_estimators(tmp_path, capsys, still):
    assert main(Config(data="macdonell", out=tmp_path)) == command.DONE
    assert {"methods.png", "errors.png"} < {file.name for file in only_run(tmp_path).iterdir()}
    said = capsys.readouterr().out
    assert re.search(r"by hand, at one learning rate +46 ", said)
    assert re.search(r"Newton +9 ", said)
    assert re.search(
        r"the density at the bin's middle +65.51 ± 0.057 +2.517 ± 0.05 +2.568 +2.653 +2.773", said
    )
    assert re.search(r"likelihood +65.54 ± 0.047 +2.542 ± 0.033 +2.542 +2.542 +2.543", said)
    assert "σ's error 0.022; by the counts' own scatter that of the same estimate is 0.05" in said


def test_shares_have_no_errors():
    fit = mv.Fit(*np.zeros((2, 10, 3)), np.zeros((10, 3, 3)), *np.ones((2, 10)), *np.ones((4, 10), int))
    merged = np.repeat(estimating.MERGED, estimating.MERGED)
    found = estimating.Comparison({}, {}, fit, dict.fromkeys(estimating.ESTIMATORS, fit), merged, 1.0, False)
    assert "shares of an unknown number of people" in estimating.verdict(found)
    assert not any("±" in cell for row in estimating.estimator_rows(found) for cell in row)
    assert np.isnan(estimating.by_width(found, "likelihood")[2]).all()


@pytest.mark.parametrize("data", ["galton", long("macdonell")])
def test_other_data_arrive_at_their_optimum(data, tmp_path, undrawn):
    assert main(Config(data=data, compare=False, out=tmp_path)) == command.DONE
    report = (only_run(tmp_path) / "report.md").read_text()
    rows = {
        row.split("|")[1].strip(): row.split("|")[2:5] for row in report.splitlines() if row.startswith("| ")
    }
    ours, best = ([float(cell) for cell in rows[who]] for who in ("by hand, 50 steps", "exact optimum"))
    np.testing.assert_allclose(ours, best, rtol=1e-5)


def test_own_values_from_a_file(tmp_path, rng, undrawn):
    (tmp_path / "own.csv").write_text("height\n" + "\n".join(f"{h:.1f}" for h in rng.normal(170, 7, 500)))
    assert (
        main(Config(data=str(tmp_path / "own.csv"), bin_width=2.0, compare=False, out=tmp_path))
        == command.DONE
    )
    mu, sigma, _ = path(only_run(tmp_path))[-1]
    assert mu == pytest.approx(170, abs=1)
    assert sigma == pytest.approx(7, abs=1)


def test_a_rate_far_too_large_is_a_status(tmp_path, capsys, still):
    assert main(Config(start=(178.0, 20.0), learning_rate=1e6, compare=False, out=tmp_path)) == command.FAILED
    assert "try a smaller learning rate" in capsys.readouterr().out
    assert np.isfinite(path(only_run(tmp_path))).all()


def test_a_descent_that_arrives_nowhere_is_said_to_do_so(tmp_path, capsys, undrawn):
    assert main(Config(learning_rate=1e7, steps=5, compare=False, out=tmp_path)) == command.DONE
    sentence = (
        "χ² ends 0.015 above the optimum's: a learning rate above the stability limit is too large to arrive"
    )
    assert sentence in capsys.readouterr().out
    assert sentence in (only_run(tmp_path) / "report.md").read_text()


@pytest.mark.long
def test_a_start_far_off_is_on_every_picture(tmp_path, monkeypatch):
    seen = []
    draw_path, overlap = heights.draw_path, heights.before_and_after
    monkeypatch.setattr(heights, "draw_path", lambda ax, *a, **k: (draw_path(ax, *a, **k), seen.append(ax)))
    monkeypatch.setattr(
        heights, "before_and_after", lambda *a: seen.extend((figure := overlap(*a)).axes) or figure
    )
    assert main(Config(start=(0.0, 1.0), steps=3, compare=False, out=tmp_path)) == command.DONE
    assert len(seen) == 7
    for ax in seen:
        low, high = ax.get_xlim()
        assert low < 0 < 178 < high


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": "galtn"}, "did you mean 'galton'"),
        ({"start": (155.0, 0.0)}, "sigma` must be positive; got 0"),
        ({"start": (155.0, -6.0)}, "sigma` must be positive; got -6"),
        ({"start": (float("nan"), 6.0)}, "`start` must be finite"),
        ({"learning_rate": 0.0}, "`learning_rate` must be positive"),
        ({"steps": 0}, "`steps` must be at least 1"),
        ({"steps": 10**6 + 1}, "`steps` must be at most 1000000; got 1000001"),
        ({"steps": 10**12}, "`steps` must be at most 1000000; got 1000000000000"),
        ({"bin_width": 1.0}, "`bin_width` is for raw values"),
    ],
    ids=str,
)
def test_misuse_is_said_before_anything_is_written(change, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        main(replace(Config(out=tmp_path), **change))
    assert not list(tmp_path.iterdir())


def test_data_without_a_bell_are_refused(tmp_path):
    (tmp_path / "decay.csv").write_text("\n".join(f"{k},{np.exp(-k / 4)}" for k in range(20)))
    with pytest.raises(ValueError, match="is it one bell at all"):
        main(Config(data=str(tmp_path / "decay.csv"), out=tmp_path / "runs"))
