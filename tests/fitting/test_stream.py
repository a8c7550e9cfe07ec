"""Files of curves: what is fitted is what memory would give, however the work is cut, stopped or shared."""

import os
import zipfile

import numpy as np
import pytest

import mvcalc_jax as mv
from mvcalc_jax.data import tables
from mvcalc_jax.fitting import stream
from mvcalc_jax.fitting.result import Status
from mvcalc_jax.fitting.stream import fit_file
from tests.fitting.conftest import FITS, POINTS

pytestmark = pytest.mark.usefixtures("small_blocks")


def test_a_file_is_fitted_as_its_array_is(curves, tmp_path, monkeypatch):
    x, y = curves
    seen = []
    found = fit_file(tmp_path / "y.npy", x=tmp_path / "x.npy", watch=seen.append)
    fit = mv.fit_gaussian(x, y)
    got = np.load(found.out)
    assert found.out == tmp_path / "y_fits.npy"
    names = "amplitude mean stddev amplitude_stderr mean_stderr stddev_stderr chi2 dof status nit"
    assert got.dtype.names == tuple(names.split())
    for k, name in enumerate(found.names):
        np.testing.assert_array_equal(got[name], fit.params[:, k])
        np.testing.assert_array_equal(got[f"{name}_stderr"], fit.stderr[:, k])
    for name in ("chi2", "dof", "status", "nit"):
        np.testing.assert_array_equal(got[name], getattr(fit, name))
    assert sum(found.counts.values()) == found.fits == found.fitted == FITS
    assert [progress.done for progress in seen] == [0, 128, 256, 384, 512, 640, 700]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.npy", "y.npy", "y_fits.npy"]


@pytest.mark.parametrize("kind", ["f4", "i4", ">f8"])
def test_numbers_of_any_kind(kind, curves, tmp_path):
    y = (100 * curves[1]).astype(kind)
    np.save(tmp_path / "y.npy", y)
    got = np.load(fit_file(tmp_path / "y.npy", x=tmp_path / "x.npy").out)
    assert got["mean"].dtype == ("f4" if kind == "f4" else "f8")
    fit = mv.fit_gaussian(curves[0].astype(got["mean"].dtype), y.astype(got["mean"].dtype))
    np.testing.assert_array_equal(got["mean"], fit.params[:, 1])


def test_precision_can_be_asked_for(curves, tmp_path):
    assert np.load(fit_file(tmp_path / "y.npy", precision="float32").out)["mean"].dtype == "f4"


def test_an_array_in_fortrans_order_and_members_of_an_archive(curves, tmp_path, rng):
    x, y = curves
    sigma, mask = rng.uniform(0.04, 0.06, y.shape), rng.random(y.shape) > 0.1
    wanted = mv.fit_gaussian(x, y, sigma=sigma, mask=mask, absolute_sigma=True)
    np.save(tmp_path / "f.npy", np.asfortranarray(y))
    np.savez(tmp_path / "stored.npz", x=x, y=np.asfortranarray(y), sigma=sigma, mask=mask)
    np.savez_compressed(tmp_path / "packed.npz", x=x, y=y, sigma=sigma, mask=mask)
    assert isinstance(tables.read_curves(tmp_path / "stored.npz").y, tables.Mapped)
    for name in ("stored", "packed"):
        got = np.load(fit_file(tmp_path / f"{name}.npz", absolute_sigma=True).out)
        np.testing.assert_array_equal(got["stddev"], wanted.params[:, 2])
        np.testing.assert_array_equal(got["stddev_stderr"], wanted.stderr[:, 2])
    got = np.load(fit_file(tmp_path / "f.npy", x=tmp_path / "x.npy").out)
    np.testing.assert_array_equal(got["mean"], mv.fit_gaussian(x, y).params[:, 1])


def test_a_last_block_of_one_fit(curves, tmp_path):
    x, y = curves[0], curves[1][:257]
    np.save(tmp_path / "y.npy", y)
    got = np.load(fit_file(tmp_path / "y.npy", x=tmp_path / "x.npy").out)
    np.testing.assert_array_equal(got["mean"], mv.fit_gaussian(x, y).params[:, 1])


def test_columns_and_rows_of_csv(curves, tmp_path):
    x, y = curves[0], curves[1][:5]
    table = np.column_stack([x, y.T])
    np.savetxt(tmp_path / "named.csv", table, delimiter=",", header="x,a,b,c,d,e", comments="")
    np.savetxt(tmp_path / "bare.csv", table, delimiter=";")
    np.savetxt(tmp_path / "rows.csv", y, delimiter="\t")
    wanted = mv.fit_gaussian(x, y)
    for name, options in (
        ("named", {}),
        ("bare", {}),
        ("rows", {"rows": True, "x": tmp_path / "x.npy"}),
        ("rows", {"rows": True, "x": tmp_path / "named.csv"}),
    ):
        if "named" in str(options.get("x")):
            np.savetxt(tmp_path / "named.csv", x)
        found = fit_file(tmp_path / f"{name}.csv", force=True, **options)
        header, *lines = found.out.read_text().splitlines()
        assert header.startswith("amplitude,mean,stddev,amplitude_stderr")
        got = np.array([[float(cell) for cell in line.split(",")] for line in lines])
        np.testing.assert_array_equal(got[:, :3], wanted.params)


def test_empty_cells_are_points_to_leave_out(curves, tmp_path):
    x, y = curves[0], curves[1][:2].copy()
    lines = ["x,first,second"] + [
        f"{a!r},{b!r},{'' if k == 3 else repr(c)}"
        for k, (a, b, c) in enumerate(zip(*map(list, (x, *y)), strict=True))
    ]
    (tmp_path / "gap.csv").write_text("\n".join(lines).replace("np.float64(", "").replace(")", ""))
    y[1, 3] = np.nan
    got = np.genfromtxt(fit_file(tmp_path / "gap.csv", omit=True).out, delimiter=",", names=True)
    np.testing.assert_array_equal(got["mean"], mv.fit_gaussian(x, y, nan_policy="omit").params[:, 1])
    assert list(got["dof"]) == [9, 8]
    found = fit_file(tmp_path / "gap.csv", force=True)
    assert found.counts[Status.NOT_FINITE] == 1


@pytest.mark.slow
def test_images(tmp_path, rng):
    down, across = np.mgrid[:7, :9]
    centre = rng.uniform(3, 5, (40, 2, 1, 1))
    y = 9 * np.exp(-((across - centre[:, 0]) ** 2 + (down - centre[:, 1]) ** 2) / 4) + 2
    y += 0.1 * rng.standard_normal(y.shape)
    np.save(tmp_path / "y.npy", y)
    got = np.load(fit_file(tmp_path / "y.npy", model="2d").out)
    np.testing.assert_array_equal(got["mean_x"], mv.fit_gaussian(None, y, model="2d").params[:, 1])
    np.savetxt(tmp_path / "one.csv", y[0], delimiter=",")
    assert fit_file(tmp_path / "one.csv", model="2d").fits == 1


def test_parquet_in_and_out(curves, tmp_path):
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    x, y = curves
    lists = pa.FixedSizeListArray.from_arrays(pa.array(y.ravel()), POINTS)
    parquet.write_table(pa.table({"y": lists}), tmp_path / "lists.parquet", row_group_size=150)
    parquet.write_table(pa.table({"x": x, "y1": y[0], "y2": y[1]}), tmp_path / "columns.parquet")
    found = fit_file(tmp_path / "lists.parquet", x=tmp_path / "x.npy")
    assert found.out == tmp_path / "lists_fits.parquet"
    wanted = mv.fit_gaussian(x, y)
    np.testing.assert_array_equal(parquet.read_table(found.out)["mean"].to_numpy(), wanted.params[:, 1])
    got = np.load(fit_file(tmp_path / "columns.parquet", tmp_path / "c.npy").out)
    np.testing.assert_array_equal(got["mean"], wanted.params[:2, 1])
    parquet.write_table(pa.table({"y": [[1.0, 2.0, 1.0], [1.0, 2.0]]}), tmp_path / "ragged.parquet")
    with pytest.raises(ValueError, match="row 2: 3 points are needed, as in the rows before; got 2"):
        fit_file(tmp_path / "ragged.parquet")


def bad_files(folder):
    y = np.ones((4, 6))
    np.save(folder / "cut.npy", y)
    (folder / "cut.npy").write_bytes((folder / "cut.npy").read_bytes()[:-50])
    (folder / "empty.npy").write_bytes(b"")
    (folder / "text.npy").write_text("no array")
    np.save(folder / "none.npy", np.ones((0, 6)))
    np.save(folder / "complex.npy", y + 1j)
    np.save(folder / "objects.npy", np.array([{}, None]))
    np.save(folder / "cube.npy", np.ones((2, 3, 4)))
    np.save(folder / "short.npy", np.ones(5))
    np.save(folder / "good.npy", y)
    np.savez(folder / "other.npz", z=y)
    (folder / "cut.npz").write_bytes(b"PK\x03\x04")
    with zipfile.ZipFile(folder / "odd.npz", "w") as archive:
        archive.writestr("y.npy", b"no array")
    (folder / "ragged.csv").write_text("x,y\n1,2\n2,3,4\n")
    (folder / "word.csv").write_text("1,2\n2,three\n")
    (folder / "header.csv").write_text("x,y\n")
    (folder / "y.txt").write_text("1 2")


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("cut.npy", {}, "cut.npy is cut short: 320 bytes are needed, it has 270"),
        ("empty.npy", {}, "empty.npy is empty"),
        ("text.npy", {}, "text.npy is no array that np.save wrote, or is damaged"),
        ("none.npy", {}, r"none.npy holds no curves: its shape is \(0, 6\)"),
        ("complex.npy", {}, "complex.npy must hold real numbers; got complex128"),
        ("objects.npy", {}, "objects.npy must hold real numbers; got object"),
        (
            "cube.npy",
            {},
            r"cube.npy must have the shape \(curves, points\) for the model amplitude; got \(2, 3, 4\)",
        ),
        ("good.npy", {"model": "cone"}, "unknown model 'cone'"),
        (
            "good.npy",
            {"x": "short.npy"},
            r"`x` must have shape \(6,\) for all curves, or \(4, 6\); got \(5,\)",
        ),
        ("good.npy", {"sigma": "short.npy"}, r"`sigma` must have shape \(6,\) for all curves"),
        ("good.npy", {"sigma": -1.0}, "`sigma` must be positive; got -1.0"),
        (
            "good.npy",
            {"out": "good.npy"},
            "results must not be written over the data; got .*good.npy for both",
        ),
        (
            "good.npy",
            {"out": "out.txt"},
            "a file of results must end in .csv, .npy or .parquet; got .*out.txt",
        ),
        ("good.npy", {"out": "no/out.npy"}, "there is no folder .*no to write to"),
        (
            "good.npy",
            {"out": "none.npy"},
            r"none.npy exists; write to another file, or replace it with --force",
        ),
        ("good.npy", {"xtol": 0.0}, "`xtol` must be positive"),
        ("good.npy", {"precision": "float16"}, "unknown precision 'float16'"),
        ("other.npz", {}, "other.npz must have an array y, and may have x, sigma and mask; got nothing"),
        ("cut.npz", {}, "cut.npz is cut short, or no file that np.savez wrote"),
        ("odd.npz", {}, "y in .*odd.npz is no array that np.save wrote"),
        ("ragged.csv", {}, "ragged.csv, line 3: 2 columns needed, as in the lines before; got 3"),
        ("word.csv", {}, "word.csv, line 2: column 2 must be a number; got 'three'"),
        ("header.csv", {}, "header.csv holds no numbers"),
        ("y.txt", {}, "a file of curves must end in .csv, .npy, .npz or .parquet; got .*y.txt"),
        ("nowhere.npy", {}, "there is no file .*nowhere.npy"),
    ],
)
def test_what_is_wrong_is_said_before_any_work(name, options, said, tmp_path):
    bad_files(tmp_path)
    before = sorted(tmp_path.iterdir())
    for key in ("x", "out", "sigma"):
        if isinstance(options.get(key), str):
            options = options | {key: tmp_path / options[key]}
    with pytest.raises((ValueError, OSError), match=said):
        fit_file(tmp_path / name, **options)
    assert sorted(tmp_path.iterdir()) == before


def test_a_disk_that_is_too_small_says_so_before_any_work(curves, tmp_path, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match=r"No space left on device: '.*y_fits.npy.part'"):
        fit_file(tmp_path / "y.npy")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.npy", "y.npy"]


def test_a_disk_that_fills_up_leaves_what_can_be_gone_on_with(curves, tmp_path, monkeypatch):
    wanted = fit_file(tmp_path / "y.npy", tmp_path / "whole.npy").out.read_bytes()
    write, calls = os.pwrite, []

    def filling(file, data, offset):
        if len(data) > 100:  # no letter of the journal
            calls.append(offset)
            if len(calls) == 3:
                return write(file, data[:1000], offset)
            if len(calls) == 4:
                raise OSError(28, "No space left on device")
        return write(file, data, offset)

    monkeypatch.setattr(stream.os, "pwrite", lambda *a: filling(*a) if a[2] else write(*a))
    with pytest.raises(OSError, match=r"No space left on device: '.*y_fits.npy.part'"):
        fit_file(tmp_path / "y.npy")
    monkeypatch.setattr(stream.os, "pwrite", write)
    assert (tmp_path / "y_fits.npy.journal").read_text().splitlines()[1] == "xx...."
    found = fit_file(tmp_path / "y.npy")
    assert found.out.read_bytes() == wanted
    assert found.fitted == FITS - 256
