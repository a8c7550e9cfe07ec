"""Tables in Apache Parquet, by pyarrow where it is installed: the extra `parquet`."""

import importlib
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

_LISTS = ("y", "x", "sigma", "mask")


def require_arrow(what: str, path: Path) -> None:
    """Require pyarrow, with what to do where it is missing."""
    try:
        _module("pyarrow.parquet")
    except ImportError:
        raise ValueError(
            f"{what} that ends in .parquet needs pyarrow: {sys.executable} -m pip install pyarrow; got {path}"
        ) from None


class Grouped:
    """Rows of a Parquet file: a column of lists, or `columns` of numbers. One row group is kept in memory."""

    def __init__(self, path: Path, columns: list[str]):
        self._file, self._path, self._columns = _file(path), path, columns
        self.columns = not _is_list(self._file.schema_arrow.field(columns[0]).type)
        groups = range(self._file.num_row_groups)
        counts = [self._file.metadata.row_group(k).num_rows for k in groups]
        self._starts = np.concatenate([[0], np.cumsum(counts)]).astype(int)
        self._kept: tuple[int, Any] = (-1, None)
        first = next((self._group(int(k)) for k in np.flatnonzero(counts)), np.empty((0, 0)))
        self.shape = (int(self._starts[-1]), *first.shape[1:])
        self.dtype = first.dtype

    def read(self, begin: int, end: int) -> np.ndarray:
        """Rows from `begin` until before `end`."""
        parts = []
        for k, first in enumerate(self._starts[:-1]):
            if first < end and begin < self._starts[k + 1]:
                parts.append(self._group(k)[max(begin - first, 0) : end - first])
        return np.concatenate(parts) if len(parts) != 1 else parts[0]

    def _group(self, k: int) -> np.ndarray:
        if self._kept[0] != k:
            self._kept = (k, None)
            table = self._file.read_row_group(k, columns=self._columns)
            self._kept = (k, self._array(table, int(self._starts[k])))
        return self._kept[1]

    def _array(self, table: Any, start: int) -> np.ndarray:
        columns = [table.column(name).combine_chunks() for name in self._columns]
        if not _is_list(columns[0].type):
            return np.stack([column.to_numpy(zero_copy_only=False) for column in columns], axis=1)
        (column,) = columns
        lengths = np.asarray(column.value_lengths().fill_null(0))
        wanted = self.shape[1] if hasattr(self, "shape") else lengths[0]
        wrong = np.flatnonzero(lengths != wanted)
        if len(wrong):
            row, got = start + int(wrong[0]), lengths[wrong[0]]
            raise ValueError(
                f"{self._path}, row {row + 1}: {wanted} points are needed, as in the rows before; got {got}"
            )
        return column.flatten().to_numpy(zero_copy_only=False).reshape(len(lengths), int(wanted))


def opened(path: Path) -> dict[str, Grouped]:
    """The columns of lists of a file, by name; or all its columns of numbers, as y.

    Raises:
        ValueError: for a damaged file, or one without numbers.
    """
    schema = _file(path).schema_arrow
    lists = [name for name in schema.names if name in _LISTS and _is_list(schema.field(name).type)]
    if "y" in lists:
        return {name: Grouped(path, [name]) for name in lists}
    for name in schema.names:
        if _is_list(schema.field(name).type):
            raise ValueError(f"{path} must call its column of lists y; got {', '.join(schema.names)}")
    return {"y": Grouped(path, list(schema.names))}


def write(file: Any, dtype: np.dtype, parts: Iterable[np.ndarray]) -> None:
    """Write structured arrays, one after the other, a row group for each."""
    pa, parquet = _module("pyarrow"), _module("pyarrow.parquet")
    names = dtype.names or ()
    schema = pa.schema([(name, pa.from_numpy_dtype(dtype[name])) for name in names])
    with parquet.ParquetWriter(file, schema) as writer:
        for part in parts:
            writer.write_table(pa.table([np.ascontiguousarray(part[name]) for name in names], schema=schema))


def _file(path: Path) -> Any:
    try:
        return _module("pyarrow.parquet").ParquetFile(path)
    except _module("pyarrow").ArrowInvalid as error:
        first = str(error).splitlines()[0]
        raise ValueError(f"{path} is cut short, or no Parquet file: {first}") from None


def _is_list(kind: Any) -> bool:
    types = _module("pyarrow.types")
    return types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)


def _module(name: str) -> Any:
    """A part of pyarrow, which not everybody has."""
    return importlib.import_module(name)
