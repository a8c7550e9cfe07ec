"""Many curves in a file, a few at a time: `.npy`, `.npz` are mapped, `.parquet` read by row groups, `.csv` whole.

Everything a file holds is `Rows`: its shape, its kind of numbers, and `read(begin, end)`, an array of its own.
A map is made for each read and dropped after it, so that what is resident is what was read, however large the file.
"""

import io
import math
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from mvcalc_jax.data import parquet
from mvcalc_jax.data.files import cells_of, is_number, number_in, read_text, separator_of
from mvcalc_jax.text import counted

READ = (".csv", ".npy", ".npz", ".parquet")
WRITTEN = (".csv", ".npy", ".parquet")


@runtime_checkable
class Rows(Protocol):
    """An array on a disk or in memory, of which some rows can be had."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype: ...

    def read(self, begin: int, end: int) -> np.ndarray:
        """Rows from `begin` until before `end`."""
        ...


@dataclass(frozen=True)
class Held:
    """Rows that are in memory."""

    array: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def dtype(self) -> np.dtype:
        return self.array.dtype

    def read(self, begin: int, end: int) -> np.ndarray:
        return self.array[begin:end]


@dataclass(frozen=True)
class Mapped:
    """Rows in a file, from some byte on."""

    path: Path
    dtype: np.dtype
    shape: tuple[int, ...]
    offset: int
    fortran: bool = False

    def read(self, begin: int, end: int) -> np.ndarray:
        """A copy, for the map ends with this call."""
        order = "F" if self.fortran else "C"
        return np.array(np.memmap(self.path, self.dtype, "r", self.offset, self.shape, order)[begin:end])


class Curves(NamedTuple):
    """What a file says of curves: y, a row for each, or an image; and x, sigma and mask where it has them."""

    y: Rows
    x: Rows | None = None
    sigma: Rows | None = None
    mask: Rows | None = None


def read_curves(path: Path, *, rows: bool = False, image: bool = False, with_x: bool = True) -> Curves:
    """Open a file of curves.

    .npy      (points,), (curves, points), or images (images, rows, columns)
    .npz      arrays y, as above, and if they are there x, sigma and mask, of y's shape or shared by all curves
    .csv      columns x, y1, y2, …, a line for each point; a line of names may come first
    .parquet  columns of lists y, x, sigma, mask, a row for each curve; or columns of numbers, as in a .csv

    Args:
        path: the file.
        rows: columns of numbers are the points, and a row is a curve; x is then not in the file.
        image: a table of numbers is an image.
        with_x: whether the first of several columns is x.

    Raises:
        ValueError: for a file of another kind, or one that is empty, cut short, ragged, or has no real numbers.
        OSError: for a file that cannot be read.
    """
    arrays = _opened(path)
    if path.suffix.lower() == ".npz" and "y" not in arrays:
        found = ", ".join(arrays) or "nothing"
        raise ValueError(f"{path} must have an array y, and may have x, sigma and mask; got {found}")
    curves = Curves(**{name: arrays[name] for name in Curves._fields if name in arrays})
    numbers = isinstance(curves.y, Held) or getattr(
        curves.y, "columns", False
    )  # a table, not a column of lists
    if path.suffix.lower() in (".csv", ".parquet") and numbers and not image and not rows:
        curves = _columns(_whole(curves.y), with_x)
    for name, array in curves._asdict().items():
        if array is not None:
            require_numbers(f"{name} in {path}" if len(arrays) > 1 else str(path), array, name == "mask")
    if len(curves.y.shape) == (2 if image else 1):
        curves = curves._replace(y=Held(_whole(curves.y)[None]))
    if 0 in curves.y.shape:
        raise ValueError(f"{path} holds no curves: its shape is {curves.y.shape}")
    return curves


def read_array(path: Path) -> Rows:
    """An array that belongs to curves: their x or sigma. A single column or line of a .csv is a vector.

    Raises:
        ValueError, OSError: as `read_curves`.
    """
    arrays = _opened(path)
    if len(arrays) != 1:
        raise ValueError(f"{path} must hold one array; got {', '.join(arrays) or 'nothing'}")
    (array,) = arrays.values()
    require_numbers(str(path), array)
    if path.suffix.lower() == ".csv" and 1 in array.shape:
        return Held(_whole(array).ravel())
    return array


def require_numbers(what: str, array: Rows, flags: bool = False) -> None:
    """Require integers or real numbers; flags may also be booleans."""
    if array.dtype.kind not in ("fiub" if flags else "fiu"):
        raise ValueError(f"{what} must hold real numbers; got {array.dtype}")


def require_suffix(what: str, path: Path, known: tuple[str, ...]) -> None:
    """Require a kind of file that is known."""
    if path.suffix.lower() not in known:
        raise ValueError(f"{what} must end in {', '.join(known[:-1])} or {known[-1]}; got {path}")
    if path.suffix.lower() == ".parquet":
        parquet.require_arrow(what, path)


def write_csv(file: io.BufferedIOBase | Any, names: Iterable[str], parts: Iterable[np.ndarray]) -> None:
    """Write structured arrays, one after the other, as lines of a CSV file."""
    file.write((",".join(names) + "\n").encode())
    for part in parts:
        columns = [part[name].astype(str).tolist() for name in part.dtype.names or ()]
        file.write(("\n".join(map(",".join, zip(*columns, strict=True))) + "\n").encode())


def _opened(path: Path) -> dict[str, Rows]:
    """The arrays of a file, by name."""
    require_suffix("a file of curves", path, READ)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    if path.stat().st_size == 0:
        raise ValueError(f"{path} is empty")
    kind = path.suffix.lower()
    if kind == ".npz":
        return _members(path)
    if kind == ".parquet":
        return dict(parquet.opened(path))
    return {"y": mapped(path) if kind == ".npy" else Held(_table(path))}


def mapped(path: Path, start: int = 0, size: int | None = None, name: str = "") -> Rows:
    """An array as np.save writes it, `start` bytes into a file."""
    size = path.stat().st_size if size is None else size
    with path.open("rb") as file:
        file.seek(start)
        try:
            version = np.lib.format.read_magic(file)
            form = np.lib.format
            read = form.read_array_header_1_0 if version == (1, 0) else form.read_array_header_2_0
            shape, fortran, dtype = read(file)
        except (ValueError, EOFError) as error:
            raise ValueError(
                f"{name or path} is no array that np.save wrote, or is damaged: {error}"
            ) from None
        offset = file.tell()
    if dtype.hasobject:
        raise ValueError(f"{name or path} must hold real numbers; got {dtype}")
    promised = offset - start + math.prod(shape) * dtype.itemsize
    if size < promised:
        raise ValueError(f"{name or path} is cut short: {promised} bytes are needed, it has {size}")
    if not shape or 0 in shape:
        return Held(np.empty(shape or (0,), dtype))  # nothing to map
    return Mapped(path, dtype, shape, offset, fortran)


def _members(path: Path) -> dict[str, Rows]:
    """The arrays of a .npz; mapped where they lie in it as they are, read whole where they are compressed."""
    arrays: dict[str, Rows] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                name = member.filename.removesuffix(".npy")
                if name not in Curves._fields:
                    continue
                if member.compress_type != zipfile.ZIP_STORED:
                    with archive.open(member) as file:
                        arrays[name] = Held(np.lib.format.read_array(file, allow_pickle=False))
                    continue
                with path.open("rb") as file:  # a local header: 30 bytes, the last four of them two lengths
                    file.seek(member.header_offset + 26)
                    lengths = file.read(4)
                start = member.header_offset + 30 + sum(np.frombuffer(lengths, "<u2").tolist())
                arrays[name] = mapped(path, start, member.file_size, f"{name} in {path}")
    except (zipfile.BadZipFile, EOFError, OSError) as error:
        raise ValueError(f"{path} is cut short, or no file that np.savez wrote: {error}") from None
    return arrays


def _table(path: Path) -> np.ndarray:
    """The numbers of a CSV file, (lines, columns); an empty cell is NaN."""
    lines = read_text(path).splitlines()
    kept = [k for k, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")]
    separator = separator_of(lines[k] for k in kept[:2])
    head = cells_of(path, kept[0] + 1, lines[kept[0]], separator) if kept else []
    if any(head) and not is_number(head[0]) and (head[0] or not any(map(is_number, head))):
        kept = kept[1:]  # names; pandas gives the first column none
    if not kept:
        raise ValueError(f"{path} holds no numbers")
    try:  # NumPy's reader is quick, and knows nothing of empty cells and decimal commas
        chosen = (lines[k] for k in kept)
        return np.loadtxt(chosen, delimiter=None if separator == " " else separator, ndmin=2, comments=None)
    except ValueError:
        return _slowly(path, [(k + 1, lines[k]) for k in kept], separator)


def _slowly(path: Path, lines: list[tuple[int, str]], separator: str) -> np.ndarray:
    rows = []
    for k, line in lines:
        cells = cells_of(path, k, line, separator)
        if rows and len(cells) != len(rows[0]):
            wanted = counted(len(rows[0]), "column")
            raise ValueError(f"{path}, line {k}: {wanted} needed, as in the lines before; got {len(cells)}")
        number = lambda c, k=k, cells=cells: number_in(path, k, cells, c, separator)
        rows.append([number(c) if cell else math.nan for c, cell in enumerate(cells)])
    return np.array(rows)


def _columns(table: np.ndarray, with_x: bool) -> Curves:
    """Columns x, y1, y2, … as curves."""
    if with_x and table.ndim == 2 and table.shape[1] > 1:
        return Curves(Held(np.ascontiguousarray(table[:, 1:].T)), Held(table[:, 0]))
    return Curves(Held(np.ascontiguousarray(table.T)))


def _whole(rows: Rows) -> np.ndarray:
    return rows.read(0, rows.shape[0])
