"""Results on the disk: a record of fixed length for each fit, which NumPy reads as a structured array."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mvcalc_jax.atomic import replacing
from mvcalc_jax.data import parquet, tables
from mvcalc_jax.fitting.solve import Solution

_READ = 2**17
"""Results read at once."""


class Results:
    """A file of results that are NumPy's records, of which some can be read."""

    def __init__(self, path: Path):
        rows = tables.mapped(path)
        self.fits, self.names, self._rows = rows.shape[0], rows.dtype.names or (), rows

    def __iter__(self) -> Iterator[np.ndarray]:
        """All of them, many at a time."""
        for begin in range(0, self.fits, _READ):
            yield self._rows.read(begin, min(begin + _READ, self.fits))


def dtype_of(names: tuple[str, ...], kind: np.dtype) -> np.dtype:
    """The result of one fit."""
    real = [*names, *(f"{name}_stderr" for name in names), "chi2"]
    return np.dtype([(name, kind) for name in real] + [(name, "i4") for name in ("dof", "status", "nit")])


def of(solution: Solution, dtype: np.dtype) -> np.ndarray:
    """A block's solution as records."""
    columns = [
        *solution.params.T,
        *solution.stderr.T,
        solution.chi2,
        solution.dof,
        solution.status,
        solution.nit,
    ]
    found = np.empty(len(solution.status), dtype)
    for name, column in zip(dtype.names or (), columns, strict=True):
        found[name] = column
    return found


def make(part: Path, dtype: np.dtype, fits: int) -> None:
    """The file of results, with room for all of them."""
    with part.open("wb") as file:
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": (fits,)}
        np.lib.format.write_array_header_1_0(file, header)
        file.flush()
        begin, room = file.tell(), fits * dtype.itemsize
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), begin, room)  # a disk that is too small says so now
        file.truncate(begin + room)
        os.fsync(file.fileno())


def put(part: Path, out: Path, dtype: np.dtype) -> None:
    """Put the results in their place, in the form that its name asks for."""
    if out.suffix.lower() == ".npy":
        part.replace(out)
        return
    with replacing(out) as file:
        if out.suffix.lower() == ".csv":
            tables.write_csv(file, dtype.names or (), Results(part))
        else:
            parquet.write(file, dtype, Results(part))
    part.unlink()
