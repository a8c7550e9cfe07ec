"""Has a hot path of the package become a fifth slower than it was?

    python -m benchmarks.guard [--against REVISION] [--self-test]

The working tree and a revision of git, the last commit unless told, run the same paths in turns, each in a process of
its own, both on the same core. Their clocks count the seconds of the processor, so that another program's turn does
not count, and each comparison is of two runs that were neighbours in time, the one first as often as the other. A
path's slow-down is the median of the pairs' ratios; pairs are added until its 99 % interval, which is that of the sign
test, is narrower than ±5 %. Slower by more than a tenth is an alarm: half way between nothing and a fifth. Exit
code 1 for a slow-down.

--self-test measures the guard: on two cores shared with other programs, in 20 repeats of all paths in turns of 0.03 s,
what was unchanged came out between 0.957 and 1.050, what was a fifth slower between 1.148 and 1.269; there was no false
alarm in 180, and of 180 planted slow-downs none went unnoticed. Turns have since been made longer, not shorter.
"""

import contextlib
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import mvcalc_jax as mv
from benchmarks import harness, results
from benchmarks.hot_paths import PATHS
from benchmarks.results import Bar, Findings, Table
from benchmarks.spread import ratio
from mvcalc_jax import text

QUESTION = (__doc__ or "").partition("\n")[0]
ROOT = Path(__file__).parent.parent
WORKER = Path(__file__).with_name("hot_paths.py")

PLANTED = 0.2
"""The slow-down that must not go unnoticed."""
ALARM = 1 + PLANTED / 2
PRECISE = 0.05
"""Half of the interval, relative: narrower is not asked for."""
LEAST, TURN, CALLS = 11, 0.05, 4
"""Pairs at least; seconds of a turn, about; and its calls at least: the first finds the other's data in the cache."""


@dataclass(frozen=True)
class Config:
    """Compare the working tree with a revision; about a minute."""

    against: str = "HEAD"
    """The revision of git that it was fast at."""
    paths: str = ""
    """Only paths whose name contains this."""
    quick: bool = False
    """The least number of pairs for each path, certain or not."""
    limit: float = 20.0
    """Seconds for each path; what is not certain by then is not called slow."""
    self_test: bool = False
    """Measure the guard itself: the revision against itself, with a slow-down of a fifth in one path, or in none."""
    repeats: int = 20
    """Of the self-test, begun anew each time."""

    @property
    def most(self) -> float:
        return 0 if self.quick else self.limit


class Compared(NamedTuple):
    """A path's time in one tree as a multiple of that in another, with its interval; or why there is none."""

    ratio: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    pairs: int = 0
    seconds: float = float("nan")
    """Of a call, where it was fast."""
    absent: str = ""

    @property
    def certain(self) -> bool:
        return self.high - self.low < 2 * PRECISE * self.ratio

    @property
    def slower(self) -> bool:
        return self.ratio > ALARM and (self.certain or self.low > 1)

    def __str__(self) -> str:
        if self.absent:
            return f"not compared: {self.absent}"
        if self.slower:
            return "SLOWER"
        return "as fast" if self.certain else "not certain"


class Worker:
    """A process that runs hot paths of the package in a tree, on one core where the system can be asked for that."""

    def __init__(self, tree: Path):
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=tree,
            env=os.environ | {"PYTHONPATH": str(tree), "JAX_PLATFORMS": "cpu"},
            preexec_fn=_on_one_core,
        )

    def run(self, path: str, calls: int = 1, slow: float = 0.0) -> float:
        """The seconds that calls of a path take.

        Raises:
            LookupError: where the tree has no such path; the message says why.
        """
        assert self._process.stdin and self._process.stdout
        asked = {"path": path, "calls": calls, "slow": slow}
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        answer: dict[str, Any] = json.loads(self._process.stdout.readline() or '{"absent": "it crashed"}')
        if "absent" in answer:
            raise LookupError(answer["absent"])
        return answer["seconds"]

    def close(self) -> None:
        assert self._process.stdin and self._process.stdout
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


def _on_one_core() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


@contextlib.contextmanager
def workers(*trees: Path) -> Iterator[list[Worker]]:
    """A worker for each tree, closed afterwards."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(contextlib.closing(Worker(tree))) for tree in trees]


@contextlib.contextmanager
def checked_out(revision: str) -> Iterator[Path]:
    """The tree of a revision, in a folder for as long as it is needed.

    Raises:
        ValueError: where git knows no such revision.
    """
    with tempfile.TemporaryDirectory() as folder:
        packed = Path(folder) / "tree.zip"
        asked = ["git", "-C", str(ROOT), "archive", "--format=zip", "--output", str(packed), revision]
        said = subprocess.run(asked, capture_output=True, text=True, check=False)
        if said.returncode:
            raise ValueError(
                f"`against` must be a revision; got {revision!r}: {text.first_line(said.stderr)}"
            )
        with zipfile.ZipFile(packed) as archive:
            archive.extractall(folder)
        yield Path(folder)


def compare(path: str, was: Worker, now: Worker, *, limit: float, slow: float = 0.0) -> Compared:
    """How many times as long a path takes now; `slow` is planted in it."""
    try:
        for worker in (was, now):
            worker.run(path)  # compiles
        single = min(was.run(path) for _ in range(3))
        calls = max(CALLS, round(TURN / single))
        ratios: list[float] = []
        began = time.perf_counter()
        while True:
            a, b = lambda: was.run(path, calls), lambda: now.run(path, calls, slow)
            if len(ratios) % 2:
                then, after = a(), b()
            else:
                after, then = b(), a()
            ratios.append(after / then)
            if len(ratios) < LEAST:
                continue
            found = Compared(*ratio(ratios), len(ratios), single)
            if found.certain or time.perf_counter() - began > limit:
                return found
    except LookupError as error:
        return Compared(absent=str(error))


def findings(config: Config) -> Findings:
    mv.require.positive("limit", config.limit)
    mv.require.whole("repeats", config.repeats, least=1)
    names = [name for name in PATHS if config.paths in name]
    if not names:
        raise ValueError(f"`paths` must be part of a name of {', '.join(PATHS)}; got {config.paths!r}")
    with checked_out(config.against) as tree:
        return tested(names, tree, config) if config.self_test else guarded(names, tree, config)


def guarded(names: Sequence[str], tree: Path, config: Config) -> Findings:
    """The working tree against a revision, path by path."""
    with workers(tree, ROOT) as (was, now):
        found = {name: compare(name, was, now, limit=config.most) for name in names}
    rows = [("path", "a call before", "now / before", "99 % interval", "pairs", "so it is")]
    rows += [(name, *_cells(compared)) for name, compared in found.items()]
    return Findings([Table("", rows)], [_bar(found, config.against)], numbers=found)


def _cells(c: Compared) -> tuple[str, ...]:
    if c.absent:
        return ("", "", "", "", str(c))
    return harness.spoken(c.seconds), f"{c.ratio:.3f}", f"{c.low:.3f} – {c.high:.3f}", str(c.pairs), str(c)


def _bar(found: Mapping[str, Compared], against: str) -> Bar:
    slower = [f"{name} takes {c.ratio:.2f} times as long" for name, c in found.items() if c.slower]
    if slower:
        return Bar(False, f"{'; '.join(slower)}; the bar is {ALARM:g} times as long as at {against}")
    unsure = [name for name, c in found.items() if c.absent or not c.certain]
    if unsure:
        return Bar(
            None, f"nothing is seen to be slower than at {against}, but {', '.join(unsure)}: not certain"
        )
    worst = max(c.ratio for c in found.values())
    return Bar(
        True, f"all take at most {worst:.2f} times as long as at {against}; the bar is {ALARM:g} times"
    )


def tested(names: Sequence[str], tree: Path, config: Config) -> Findings:
    """A revision against itself, as it is and with a fifth planted in each path in turn, by processes begun anew."""
    found: dict[float, dict[str, list[Compared]]] = {
        slow: {name: [] for name in names} for slow in (0.0, PLANTED)
    }
    for repeat in range(config.repeats):
        with workers(tree, tree) as (was, now):
            for slow, name in itertools.product(found, names):
                found[slow][name].append(compare(name, was, now, limit=config.most, slow=slow))
        results.progress(f"self-test {repeat + 1} of {config.repeats}")
    heads = [("unchanged", "false alarms"), ("planted", "noticed")]
    rows = [("path", *(of for a, b in heads for of in (f"{a}: ratio", "lowest – highest", b)))]
    for name in names:
        cells = []
        for some in (of[name] for of in found.values()):
            ratios = [c.ratio for c in some]
            cells += [f"{statistics.median(ratios):.3f}", f"{min(ratios):.3f} – {max(ratios):.3f}"]
            cells.append(f"{sum(c.slower for c in some)} of {len(some)}")
        rows.append((name, *cells))
    alarms = {slow: [c.slower for some in of.values() for c in some] for slow, of in found.items()}
    false, noticed, of = sum(alarms[0.0]), sum(alarms[PLANTED]), config.repeats * len(names)
    words = f"{noticed} of {of} planted slow-downs of {PLANTED:.0%} were noticed, with {false} of {of} false alarms"
    return Findings(
        [Table("", rows)],
        [Bar(noticed == of and not false, words)],
        numbers={str(slow): of for slow, of in found.items()},
    )


if __name__ == "__main__":
    results.leave(findings, Config)
