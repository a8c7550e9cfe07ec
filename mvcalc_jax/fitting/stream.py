"""Gaussians fitted to more curves than memory holds: blocks of a file in, blocks of results out, as they come.

Beside OUT there are, while it is being made, OUT.part, the results of all fits in the order of the curves, and
OUT.journal, which blocks are done. Whatever ends the run, the same call goes on from there, and since every block is
computed by itself the results are the same to the last bit, for any number of devices and of processes.

The results are written as NumPy's structured arrays, in place and not through a map, for a full disk is then an error
and not a signal; room for all of them is taken before the first fit. A `.csv` or `.parquet` is made of them at the end.
"""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mvcalc_jax import __version__, text
from mvcalc_jax.data import tables
from mvcalc_jax.fitting import batch, hosts, records
from mvcalc_jax.fitting.hosts import ALONE, Host
from mvcalc_jax.fitting.journal import Journal
from mvcalc_jax.fitting.result import Status, counts
from mvcalc_jax.fitting.solve import Inputs
from mvcalc_jax.fitting.source import Asked, Job, look

_SECONDS = 1.0
"""How often what was written is made sure of; so much is done again after a crash."""


class Progress(NamedTuple):
    """How far this process is with its part: fits done, out of how many, and how those of this call ended."""

    done: int
    fits: int
    counts: dict[Status, int]


@text.shown
@dataclass(frozen=True)
class Summary:
    """What came of a file.

    Attributes:
        out: the results.
        fits: how many there are.
        points: of each curve.
        names: of the parameters.
        counts: how many ended how, the most frequent first; of several processes, those of the first know all.
        fitted: fits that this call made itself; the others were there before, or were another process's.
        seconds: that it took for them.

    >>> x = np.linspace(-3, 3, 25)
    >>> np.save("curves.npy", np.exp(-((x - np.zeros((4, 1))) ** 2) / 2))
    >>> summary = mv.fit_file("curves.npy", "fits.npy")
    >>> summary.fits, summary.points, summary.names, {s.name: many for s, many in summary.counts.items()}
    (4, 25, ('amplitude', 'mean', 'stddev'), {'GTOL': 4})
    """

    out: Path
    fits: int
    points: int
    names: tuple[str, ...]
    counts: dict[Status, int]
    fitted: int
    seconds: float

    @property
    def message(self) -> str:
        """What came of it, in a line."""
        converged = sum(many for status, many in self.counts.items() if status > 0)
        fits = f"{text.count(self.fits)} fit{'s' * (self.fits != 1)}"
        line = (
            f"{self.out}: {fits} of {text.counted(self.points, 'point')}, {text.count(converged)} converged"
        )
        if not self.fitted:
            return line
        rate = self.fitted / self.seconds
        said = text.count(round(rate)) if rate > 10 else f"{rate:.2g}"
        part = f"{text.count(self.fitted)} of them " if self.fitted < self.fits else ""
        return f"{line}; {part}in {self.seconds:.1f} s, {said} fits/s"

    def _parts(self) -> text.Parts:
        ended = [(status.sentence, text.count(many)) for status, many in self.counts.items()]
        return [self.message, [("how they ended", "fits"), *ended]]


def fit_file(
    data: str | Path,
    out: str | Path | None = None,
    *,
    model: str = "amplitude",
    x: str | Path | None = None,
    sigma: str | Path | float | None = None,
    absolute_sigma: bool = False,
    rows: bool = False,
    omit: bool = False,
    precision: str | None = None,
    xtol: float | None = None,
    max_steps: int | None = None,
    force: bool = False,
    host: Host = ALONE,
    watch: Callable[[Progress], None] = lambda progress: None,
    review: Callable[[Job, records.Results], None] = lambda job, results: None,
) -> Summary:
    """Fit a Gaussian to each curve or image of a file, and write the results to another.

    Each result is a record of the parameters, their standard errors (`mean_stderr`, …), chi2, dof, status and nit.
    Interrupted in any way, the same call goes on where it was.

    Args:
        data: .npy, .npz, .csv or .parquet; see `data.tables.read_curves`.
        out: .npy, .csv or .parquet; unless given, beside the data, such as curves_fits.npy.
        model: as of `fit_gaussian`.
        x: a file of x, (points,) or (curves, points); unless given, the data's own, or 0, 1, 2, …
        sigma: standard deviations of y: a number, or a file as for x.
        absolute_sigma: whether sigma is in the units of y, and not only relative.
        rows: as of `read_curves`.
        omit: whether points that are not finite are left out; else such a fit has the status for it.
        precision: float32 or float64; unless given, as y is in the file, and float64 for integers.
        xtol, max_steps: as of `fit_gaussian`.
        force: whether an `out` that exists is replaced, and a part that was begun otherwise is begun anew.
        host: which of several processes this is; see `hosts.meet`.
        watch: called after each block, and once more with what is kept where the run is interrupted.
        review: called in the first process with all results, before they are put in place.

    Raises:
        ValueError, TypeError, OSError: for what cannot be read, fitted or written, before any work.
        ConnectionError: where another process has ended before its part was done.

    >>> x = np.linspace(-3, 3, 25)
    >>> np.savetxt("curves.csv", np.column_stack([x, np.exp(-((x - 0.5) ** 2) / 2)]), delimiter=",")
    >>> mv.fit_file("curves.csv", "means.npy").fits
    1
    >>> print(np.load("means.npy")["mean"].round(6))
    [0.5]
    """
    data = Path(data)
    out = default_out(data) if out is None else Path(out)
    part, book = out.with_name(f"{out.name}.part"), out.with_name(f"{out.name}.journal")
    files = [data, *(Path(f) for f in (x, sigma) if isinstance(f, (str, Path)))]
    require_writable(out, files, force)
    asked = Asked(model, x, sigma, absolute_sigma, rows, omit, precision, xtol, max_steps)
    job = look(data, asked)
    kind = job.problem.inputs.y.dtype
    size = batch.size_of(job.fits, job.points, kind.itemsize)
    dtype, blocks = records.dtype_of(job.problem.names, kind), -(-job.fits // size.block)
    description = {
        **{f"file {file.name}": {"bytes": s.st_size, "written": s.st_mtime_ns} for file, s in _stats(files)},
        "fits": job.fits,
        "points": job.points,
        **asked._replace(
            x=None, sigma=sigma if isinstance(sigma, (int, float)) else None, precision=kind.name
        )._asdict(),
        "device": batch.workers()[0].platform,
        "fits in a block": size.block,
        "versions": " ".join([__version__, version("jax"), version("jaxlib")]),
    }
    journal = Journal(book, host.index, blocks)
    with closing(journal):
        journal.begin(description, part, lambda: records.make(part, dtype, job.fits), force)
        hosts.gather(host, journal)
        began, mine = time.perf_counter(), host.share(blocks)
        done = journal.done()
        todo = [k for k in mine if not done[k]]
        before = sum(_many(job.fits, size.block, k) for k in mine if done[k])
        ended, fitted = _fit(job, size, todo, part, dtype, journal, watch, before)
        seconds = time.perf_counter() - began
        hosts.wait(host, journal)
        if host.index == 0:
            ended = _counted(records.Results(part))
            review(job, records.Results(part))
            records.put(part, out, dtype)
            book.unlink()
    return Summary(out, job.fits, job.points, job.problem.names, ended, fitted, seconds)


def default_out(data: Path) -> Path:
    """Where results go unless told: beside the data, in a file of their kind."""
    suffix = data.suffix if data.suffix.lower() in tables.WRITTEN else ".npy"
    return data.with_name(f"{data.stem}_fits{suffix}")


def require_writable(out: Path, files: list[Path], force: bool) -> None:
    """Require a file of results that can be written, and harms none that is read."""
    tables.require_suffix("a file of results", out, tables.WRITTEN)
    for file in files:
        if out.resolve() == file.resolve():
            raise ValueError(f"results must not be written over the data; got {out} for both")
    if not out.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {out.parent} to write to")
    if out.exists() and not force:
        raise FileExistsError(f"{out} exists; write to another file, or replace it with --force (force=True)")


def _fit(
    job: Job,
    size: batch.Size,
    todo: list[int],
    part: Path,
    dtype: np.dtype,
    journal: Journal,
    watch: Callable[[Progress], None],
    before: int,
) -> tuple[dict[Status, int], int]:
    """Fit blocks and write them to their place; how the fits ended, and how many there were."""
    ended, fitted = Counter[Status](), 0
    total = before + sum(_many(job.fits, size.block, k) for k in todo)
    written: list[int] = []
    file = os.open(part, os.O_RDWR)

    def commit() -> None:
        if not written:
            return
        os.fsync(file)
        journal.mark(written)
        written.clear()

    def blocks() -> Iterator[tuple[int, Inputs]]:
        for k in todo:
            many, begin = _many(job.fits, size.block, k), k * size.block
            yield many, job.inputs(begin, begin + many, size.block)

    try:
        start = os.fstat(file).st_size - job.fits * dtype.itemsize
        last = time.monotonic()
        watch(Progress(before, total, {}))
        with closing(job.problem.solved(blocks(), size)) as solutions:
            for k, (many, solution) in zip(todo, solutions, strict=True):
                found = records.of(solution, dtype)
                _write(file, found, start + k * size.block * dtype.itemsize, part)
                written.append(k)
                if time.monotonic() - last > _SECONDS:
                    commit()
                    last = time.monotonic()
                ended.update(counts(found["status"]))
                fitted += many
                watch(Progress(before + fitted, total, dict(ended.most_common())))
        commit()
    except BaseException:
        with suppress(OSError):
            commit()
        kept = journal.done()
        done = before + sum(_many(job.fits, size.block, k) for k in todo if kept[k])
        watch(Progress(done, total, dict(ended.most_common())))
        raise
    finally:
        os.close(file)
    return dict(ended.most_common()), fitted


def _write(file: int, found: np.ndarray, offset: int, part: Path) -> None:
    left = memoryview(found.tobytes())
    while left:
        try:
            wrote = os.pwrite(file, left, offset)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(part)) from error
        left, offset = left[wrote:], offset + wrote


def _counted(results: records.Results) -> dict[Status, int]:
    ended = Counter[Status]()
    for found in results:
        ended.update(counts(found["status"]))
    return dict(ended.most_common())


def _many(fits: int, block: int, k: int) -> int:
    """How many fits the k-th block has."""
    return min(block, fits - k * block)


def _stats(files: list[Path]) -> list[tuple[Path, os.stat_result]]:
    return [(file, file.stat()) for file in files]
