"""Does a file cost more than an array in memory, and do two processes share it well?

    python -m benchmarks.streaming

Gaussians are fitted to curves of 25 points: an array in memory, by `fit_gaussian`; a file, by `fit_file`, block by
block, its results written as they come; both compiled before their time begins. The command then fits the file in one
process on some cores and in a process for each of these cores, in turns, three times, from its start to its end: each
process loads JAX and compiles for itself. All are processes of their own, and peak memory is what the system has
seen. The results must be the same to the last byte.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

import mvcalc_jax as mv
from benchmarks import results
from benchmarks.harness import alone, peak_memory
from benchmarks.results import Bar, Findings, Table
from mvcalc_jax import text
from mvcalc_jax.fitting import batch
from mvcalc_jax.fitting.stream import fit_file

QUESTION = (__doc__ or "").partition("\n")[0]
POINTS = 25
X = np.linspace(-3, 3, POINTS)
LONGER = 2.0
"""So many times as long as the array, at most, the file may take."""
COMMAND = "from mvcalc_jax.cli import main; main()"


@dataclass(frozen=True)
class Config:
    """Time fits of a file against fits of an array, and two processes against one; about ten minutes."""

    fits: int = 10_000_000
    """How many; 200 bytes each on the disk, twice that in memory."""
    quick: bool = False
    """Four thousand at most, and the command once, by several processes."""
    folder: Path | None = None
    """Where the file is made, for as long as it is needed; unless given, where the system has its temporary files."""


def findings(config: Config) -> Findings:
    fits = mv.require.whole("fits", config.fits, least=1000)
    fits = min(fits, 4000) if config.quick else fits
    if shutil.which("taskset") is None:
        raise results.MissingError("needs the command taskset, of util-linux")
    with tempfile.TemporaryDirectory(dir=config.folder) as name:
        folder = Path(name)
        make(folder, fits)
        memory, memory_peak = alone(weighed, in_memory, folder)
        streamed, streamed_peak = alone(weighed, from_file, folder)
        assert same(folder / "memory.npy", folder / "streamed.npy"), "the streamed results are others"
        cores = sorted(os.sched_getaffinity(0))
        counts = [] if config.quick else [1, len(cores)]
        rounds = [[_commanded(folder, count, cores) for count in counts] for _ in range(3)]
        for count in counts:
            assert same(folder / f"{count}.npy", folder / "streamed.npy"), f"{count} processes differ"
    times = streamed / memory
    rows = [
        (f"{text.count(fits)} curves of {POINTS} points", "seconds", "fits/s", "rate", "peak memory"),
        _row("array in memory", fits, memory, memory, memory_peak),
        _row("file, streamed", fits, streamed, memory, streamed_peak),
    ]
    conclusion = f"A file takes {times:.2f} times as long as an array, and {streamed_peak:.0f} MB at its peak in place "
    conclusion += f"of {memory_peak:.0f} MB."
    if counts:
        one, several = (median(taken) for taken in zip(*rounds, strict=True))
        ratio = median(a / b for a, b in rounds)
        of = f"{text.counted(len(cores), 'core')}, compiling included"
        rows.append(_row(f"1 process on {of}", fits, one, one, None))
        rows.append(_row(f"{len(cores)} processes on {of}", fits, several, ratio * several, None))
        conclusion += f" {len(cores)} processes are {ratio:.2f} times as fast as one on as many cores."
    bar = f"a streamed file takes {times:.2f} times as long as an array in memory; the bar is {LONGER:g}"
    return Findings(
        [Table("", rows)],
        [Bar(None if config.quick else times <= LONGER, bar)],
        conclusion + " All results are the same to the last byte.",
        "One file system, one machine; the file has just been written, and may still be in the system's memory.",
        {
            "seconds": {"memory": memory, "streamed": streamed, "processes": rounds},
            "peak, MB": {"memory": memory_peak, "streamed": streamed_peak},
        },
    )


def _row(name: str, fits: int, seconds: float, base: float, peak: float | None) -> tuple[str, ...]:
    said = "" if peak is None else f"{peak:.0f} MB"
    return name, f"{seconds:.1f}", text.count(round(fits / seconds)), f"{base / seconds:.2f}", said


def make(folder: Path, fits: int) -> None:
    """The file of curves, a piece at a time, and x."""
    rng = np.random.default_rng(0)
    np.save(folder / "x.npy", X)
    with (folder / "y.npy").open("wb") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": (fits, POINTS)}
        np.lib.format.write_array_header_1_0(file, header)
        for begin in range(0, fits, 100_000):
            many = min(100_000, fits - begin)
            height, mean, width = (rng.uniform(*span, (many, 1)) for span in ((1, 3), (-1, 1), (0.5, 1)))
            y = height * np.exp(-(((X - mean) / width) ** 2) / 2)
            file.write((y + 0.05 * rng.standard_normal(y.shape)).tobytes())


def in_memory(folder: Path) -> float:
    """Seconds of the fits of an array."""
    y = np.load(folder / "y.npy")
    _compile(y)
    began = time.perf_counter()
    fit = mv.fit_gaussian(X, y)
    seconds = time.perf_counter() - began
    np.save(folder / "memory.npy", np.concatenate([fit.params, fit.stderr, fit.chi2[:, None]], axis=1))
    return seconds


def from_file(folder: Path) -> float:
    """Seconds of the fits of a file, with all that is read and written."""
    _compile(np.load(folder / "y.npy", mmap_mode="r"))
    began = time.perf_counter()
    fit_file(folder / "y.npy", folder / "streamed.npy", x=folder / "x.npy")
    return time.perf_counter() - began


def _compile(y: np.ndarray) -> None:
    """As many as are cut into blocks of the size that all will have."""
    size = batch.size_of(len(y), POINTS, 8)
    some = next(
        fits for fits in (size.block << k for k in range(8)) if batch.size_of(fits, POINTS, 8) == size
    )
    mv.fit_gaussian(X, np.array(y[:some]))


def same(one: Path, other: Path) -> bool:
    """Whether two files of results are alike, or one of numbers and one of records."""
    a, b = np.load(one, mmap_mode="r"), np.load(other, mmap_mode="r")
    if a.dtype == b.dtype:
        return one.read_bytes() == other.read_bytes()
    return all(np.array_equal(a[:, k], b[name]) for k, name in enumerate((b.dtype.names or ())[: a.shape[1]]))


def weighed(run: Callable[[Path], float], folder: Path) -> tuple[float, float]:
    """Seconds, and peak memory in megabytes."""
    return run(folder), peak_memory() / 2**20


def _commanded(folder: Path, processes: int, cores: list[int]) -> float:
    """Seconds of `mvcalc fit` in so many processes, each on its own share of the cores."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = [
        sys.executable,
        "-c",
        COMMAND,
        "fit",
        "y.npy",
        "--x",
        "x.npy",
        "-o",
        f"{processes}.npy",
        "--force",
    ]
    began, running = time.perf_counter(), []
    for k in range(processes):
        join = ["--coordinator", f"127.0.0.1:{port}", "--processes", str(processes), "--process-id", str(k)]
        line = [*told, "--no-pictures", *(join if processes > 1 else [])]
        mine = ",".join(map(str, cores[k::processes]))
        running.append(
            subprocess.Popen(
                ["taskset", "-c", mine, *line],
                cwd=folder,
                stdout=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
            )
        )
    codes = [process.wait() for process in running]
    assert not any(codes), f"mvcalc fit ended with {codes}"
    return time.perf_counter() - began


if __name__ == "__main__":
    results.leave(findings, Config)
