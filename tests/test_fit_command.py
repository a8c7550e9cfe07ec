"""`mvcalc fit`: a line and a picture at the end, one clear error before the beginning, and exit codes."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mvcalc_jax import cli, plots
from mvcalc_jax.fitting import batch
from mvcalc_jax.plots.fits import Shown

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(batch, "size_of", lambda *args: batch.Size(32, 128))


@pytest.fixture
def curves(rng):
    """Forty curves, one of which has a gap."""
    x = np.linspace(-3, 3, 25)
    y = rng.uniform(1, 3, (40, 1)) * np.exp(-((x - rng.uniform(-1, 1, (40, 1))) ** 2) / 0.8)
    y += 0.05 * rng.standard_normal(y.shape)
    y[3, 4] = np.nan
    np.save("x.npy", x)
    np.save("curves.npy", y)


def mvcalc(monkeypatch, capsys, *args):
    """Exit code, stdout and stderr of `mvcalc`."""
    monkeypatch.setattr(sys, "argv", ["mvcalc", *args])
    with pytest.raises(SystemExit) as ending:
        cli.main()
    said = capsys.readouterr()
    return ending.value.code, said.out.replace("\u202f", " "), said.err


@pytest.mark.slow
def test_a_line_and_a_picture(curves, monkeypatch, capsys):
    code, out, err = mvcalc(monkeypatch, capsys, "fit", "curves.npy", "--x", "x.npy", "--model", "gaussian")
    assert (code, err) == (0, "")
    line, failed, drawn = out.splitlines()
    assert line.startswith("curves_fits.npy: 40 fits of 25 points, 39 converged; in ")
    assert failed.strip().startswith(
        "1 x, y or p0 has values that are infinite or NaN; mask them, or give --omit"
    )
    assert drawn == "drawn: curves_fits.png"
    with Image.open("curves_fits.png") as picture:
        assert picture.size[0] > 1000  # four panels: the failed one, too
    assert len(np.load("curves_fits.npy")) == 40


def test_all_that_fails_is_exit_code_1(monkeypatch, capsys):
    np.save("nothing.npy", np.full((3, 25), np.nan))
    code, out, _ = mvcalc(monkeypatch, capsys, "fit", "nothing.npy", "-o", "n.csv")
    assert code == 1
    assert "3 fits of 25 points, 0 converged" in out
    assert Path("n.csv").read_text().splitlines()[1].endswith(",22,-1,0")
    assert Path("n.png").exists()


def test_one_curve_of_a_csv_with_a_word_for_each_column(monkeypatch, capsys):
    x = np.arange(25.0)
    np.savetxt(
        "one.csv",
        np.column_stack([x, np.exp(-((x - 9) ** 2) / 8)]),
        delimiter=",",
        header="t,counts",
        comments="",
    )
    told = "one.csv", "--no-pictures", "--sigma", "0.1", "--absolute-sigma"
    code, out, _ = mvcalc(monkeypatch, capsys, "fit", *told)
    assert code == 0
    assert out.startswith("one_fits.csv: 1 fit of 25 points, 1 converged")
    assert re.search(r"\n0 +1 +± 0\.\d+ +9 +± 0\.\d+ +2 +± 0\.\d+\n", out)
    values = Path("one_fits.csv").read_text().splitlines()[1].split(",")
    np.testing.assert_allclose([float(v) for v in values[:3]], [1, 9, 2], rtol=1e-12)
    assert not Path("one_fits.png").exists()


def test_a_column_without_a_name_is_x(monkeypatch, capsys):
    x = np.arange(25)
    rows = [f"{k},{y!r}" for k, y in enumerate(np.exp(-((x - 9) ** 2) / 8).tolist())]
    for separator in (",", "\t"):
        Path("pandas.csv").write_text("\n".join([",counts", *rows]).replace(",", separator))
        code, out, _ = mvcalc(monkeypatch, capsys, "fit", "pandas.csv", "--no-pictures", "--force")
        assert code == 0 and re.search(r"\n0 +1 +± \S+ +9 +± \S+ +2 +± ", out)
        assert "its points lie at" not in out


def test_values_that_are_no_curve_are_pointed_elsewhere(monkeypatch, capsys):
    Path("heights.csv").write_text("height\n" + "\n".join(map(str, [170, 180, 175, 171, 169, 174])))
    _, out, _ = mvcalc(monkeypatch, capsys, "fit", "heights.csv", "--no-pictures")
    assert "its points lie at 0, 1, 2, …" in out and "mvcalc run fit_heights --data heights.csv" in out


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["nowhere.npy"], "there is no file nowhere.npy"),
        (["curves.npy", "-o", "out.txt"], "a file of results must end in"),
        (
            ["curves.npy", "-o", "curves.npy"],
            "results must not be written over the data; got curves.npy for both",
        ),
        (
            ["curves.npy", "-o", "x.npy"],
            "x.npy exists; write to another file, or replace it with --force (force=True)",
        ),
        (
            ["curves.npy", "--x", "x.npy", "-o", "x.npy", "--force"],
            "results must not be written over the data",
        ),
        (["curves.npy", "--device", "gpu"], "JAX can use no gpu here"),
        (
            ["curves.npy", "--process-id", "1"],
            "--coordinator, --processes and --process-id must be given together",
        ),
        (["curves.npy", "--max-steps", "-1"], "--max-steps must be at least 0; got -1"),
        (["curves.npy", "--sigma", "nope.npy"], "there is no file nope.npy"),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_code_2(args, said, curves, monkeypatch, capsys):
    code, out, err = mvcalc(monkeypatch, capsys, "fit", *args)
    assert (code, out) == (2, "")
    assert err.startswith("mvcalc: ")
    assert said in err
    assert len(err.splitlines()) == 1
    assert sorted(path.name for path in Path().iterdir()) == ["curves.npy", "x.npy"]


def test_pyarrow_that_is_missing_is_said(curves, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    code, _, err = mvcalc(monkeypatch, capsys, "fit", "curves.npy", "-o", "out.parquet")
    assert code == 2
    assert "a file of results that ends in .parquet needs pyarrow: " in err


def test_help_of_fit_does_not_load_jax():
    loaded = "import sys; from mvcalc_jax.cli import main\ntry: main()\nexcept SystemExit: print('jax' in sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", loaded, "fit", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.endswith("False\n")
    assert "columns x, y1, y2" in found.stdout


def test_pictures_of_what_can_go_wrong(tmp_path):
    y = np.array([1.0, np.nan, 3.0])
    wild = Shown("wild", np.arange(3.0), y, np.full(3, 0.2), np.linspace(0, 2, 9), np.full(9, 1e9))
    lost = Shown("lost", np.arange(3.0), np.full(3, np.nan), None, None, None)
    flat = Shown("flat", None, np.zeros((3, 4)), None, None, np.ones((30, 40)))
    spread = {"same": np.ones(50), "none": np.full(3, np.inf)}
    with plots.style():
        figure = plots.fits.gallery([wild, lost, flat], spread, "all")
        plots.save(figure, tmp_path / "picture.png")
    low, high = figure.axes[0].get_ylim()
    assert -3 < low < high < 8  # the data can still be seen beside a fit that has run away
