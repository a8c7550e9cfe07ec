"""Files as people bring them, and files that are none: damaged, of another kind, of another encoding, folders."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np

from tests.fuzz.draws import DTYPES, Draw, spoiled

SVG = '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0 L10 5 C 1 2 3 4 5 6 Z" transform="scale(2)"/></svg>'


def table(draw: Draw, rows: int, columns: int) -> bytes:
    """A CSV file of numbers that increase in the first column."""
    values = draw.rng.standard_normal((rows, columns)) ** 2
    values[:, 0] = np.arange(rows)
    separator = draw.one((",", ";", "\t", " "))
    names = [separator.join(draw.one((("x", "y", "sigma", "c"), ("a", "b", "c", "d")))[:columns])]
    lines = [separator.join(f"{v:.6g}" for v in row) for row in values]
    return ("\n".join(names * draw.chance(0.5) + lines) + "\n").encode()


def arrays(draw: Draw, kind: str) -> bytes:
    """A `.npy` or `.npz` file of a few peaks."""
    x = np.linspace(-3, 3, 24)
    y = np.exp(
        -((x - draw.rng.uniform(-1, 1, (draw.whole(1, 5), 1))) ** 2)
    ) + 0.01 * draw.rng.standard_normal(24)
    y = y if draw.chance(0.7) else y.astype("float32")
    y = spoiled(draw, y) if draw.chance(0.4) else y
    file = io.BytesIO()
    try:
        if kind == ".npy":
            np.save(file, y, allow_pickle=True)
        else:
            more = {name: draw.array(24) for name in ("x", "sigma", "mask", "other") if draw.chance(0.3)}
            draw.one((np.savez, np.savez_compressed))(file, y=y, **more)
    except Exception:  # not everything can be saved
        return arrays(draw, kind)
    return file.getvalue()


def parquet(draw: Draw) -> bytes:
    """A table in Parquet, where pyarrow is installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        return b"PAR1"
    y = draw.rng.standard_normal((4, 9)) ** 2
    columns = {"y": list(y)} if draw.chance(0.5) else {"x": np.arange(9), "y1": y[0], "y2": y[1]}
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), file)
    return file.getvalue()


def good(draw: Draw, suffix: str) -> bytes:
    """What a file of this kind may well hold."""
    if suffix == ".csv":
        return table(draw, draw.whole(1, 30), draw.whole(1, 4))
    if suffix in (".npy", ".npz"):
        return arrays(draw, suffix)
    if suffix == ".parquet":
        return parquet(draw)
    if suffix == ".svg":
        return SVG.encode()
    return json.dumps(
        {"experiment": "rules", "settings": {"seed": 0}, "format": "mvcalc-jax sandpit 1"}
    ).encode()


def _flipped(draw: Draw, held: bytes) -> bytes:
    changed = bytearray(held)
    for k in draw.rng.integers(0, len(changed), draw.whole(1, 5)):
        changed[k] = draw.whole(0, 255)
    return bytes(changed)


def _huge_header(draw: Draw, held: bytes) -> bytes:
    shape = draw.one(
        ("(10000000000000,)", "(-1,)", "(3, 2**70)", "(1,) * 99999", "'a'", "(18446744073709551616,)")
    )
    head = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + b"\0" * 64


def _bomb(draw: Draw, held: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(draw.one(("y.npy", "../y.npy", "y", "a/")), _huge_header(draw, held))
    return file.getvalue()


DAMAGE = {
    "cut short": lambda draw, held: held[: draw.whole(0, len(held) - 1)],
    "bytes changed": _flipped,
    "garbage": lambda draw, held: draw.rng.bytes(draw.whole(1, 3000)),
    "empty": lambda draw, held: b"",
    "zeros": lambda draw, held: bytes(len(held)),
    "UTF-16": lambda draw, held: held.decode("latin-1").encode("utf-16"),
    "Latin-1": lambda draw, held: "naïve,été\n1,2\n".encode("latin-1") + held,
    "a byte order mark": lambda draw, held: b"\xef\xbb\xbf" + held,
    "words": lambda draw, held: held + draw.one((b"a,b,c\n", b'"open\n', b"1,nan,inf\n", b"1e999,2\n", b"\0\n")),
    "old line ends": lambda draw, held: held.replace(b"\n", draw.one((b"\r", b"\r\n", b"\n\n\n"))),
    "one long line": lambda draw, held: b"1," * 70_000 + b"\n",
    "a wide field": lambda draw, held: b"1," + b"9" * 200_000 + b"\n",
    "another kind": lambda draw, held: good(draw, draw.one((".csv", ".npy", ".npz", ".svg", ".json", ".parquet"))),
    "a huge header": _huge_header,
    "an archive of that": _bomb,
    "twice": lambda draw, held: held + held,
    "entities": lambda draw, held: b'<!DOCTYPE s [<!ENTITY a "b">]><svg><path d="M&a; 1 nan"/></svg>',
    "nested": lambda draw, held: b"[" * 5000,
    "not its settings": lambda draw, held: b'{"experiment": [], "settings": {"seed": null}}',
    "another dtype": lambda draw, held: _array(np.ones((2, 9)).astype(draw.one(DTYPES))),
    "in Fortran's order": lambda draw, held: _array(np.asfortranarray(draw.rng.standard_normal((2, 9)))),
}  # fmt: skip


def _array(values: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


def brought(draw: Draw, folder: Path, *suffixes: str, harm: float = 0.6) -> Path:
    """The path of a file that somebody brings; or of something in its place."""
    path = folder / draw.path(folder, *suffixes)
    how = draw.one(tuple(DAMAGE)) if draw.chance(harm) else ""
    held = good(draw, path.suffix)
    if how and draw.chance(0.15):
        return _no_file(draw, path)
    path.write_bytes(DAMAGE[how](draw, held) if how else held)
    return path


def _no_file(draw: Draw, path: Path) -> Path:
    """A path at which there is no file that can be read."""
    how = draw.whole(0, 5)
    if how == 0:
        path.mkdir()
    elif how == 1:
        path.symlink_to(path)
    elif how == 2:
        return path / "below"
    elif how == 3:
        path.write_bytes(b"")
        return path / "below"
    elif how == 4:
        return path.with_name("n" * 300 + path.suffix)
    return path
