"""Would the tests notice? Mistakes are planted in the package's own lines, one at a time, and tests must fail.

    pip install -e '.[test,mutation]'
    python -m tests.mutation                          # 100 mistakes in each of models, descent and verify
    python -m tests.mutation --rooms models --number 300 --seed 1
    python -m tests.mutation --rooms verify --files --again   # only those that survived last time

cosmic-ray knows the mistakes: another operator, another number, a comparison turned round, a loop that ends at once.
Places are drawn evenly, then a mistake for each, so that `+`, which can become six other things, counts once. Left
alone are annotations, which do not run, and what any test would notice: what Python cannot read, and an operator of
bits in the place of one that is none, since numbers with a fraction have no bits.

A first run under coverage tells which tests reach which line; a mistake is then tried on those that reach its own, the
quickest first, until one fails. JAX traces a function once: a test that runs what an earlier one compiled does not
reach its lines, and would notice all the same. What survives the tests that reach it is therefore tried on all those of
its room before it is said to survive. `--files` does without the first run: the file of tests named after the
mistake's own comes first, then those that speak of it, then the others of its room. All happens in copies of the tree,
which share what JAX has compiled, or most of the time would go there.

What is tried is listed with its line and the test that noticed, and written to `runs/mutation/<room>.json` as it goes.
In the end the tests that noticed must pass without a mistake. Exit code 0 if at least `--bar` of the mistakes were
noticed in each room, else 1.
"""

import argparse
import ast
import contextlib
import functools
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple
from xml.etree import ElementTree

from mvcalc_jax import atomic
from mvcalc_jax.devices import cores

ROOT = Path(__file__).parent.parent
RUNS = ROOT / "runs" / "mutation"
TESTS = {
    "models": ("tests/models", "tests/descent"),
    "descent": ("tests/descent", "tests/models"),
    "verify": ("tests/verify",),
}
"""Where each room is tested: in its own folder first, which a mistake must survive as a whole."""
PYTEST = ("-m", "pytest", "-x", "-n", "0", "-p", "no:cacheprovider")
PATIENCE, START = 5.0, 60.0
"""A mistake that takes more times as long as the tests do without it, and the seconds to begin, is an endless loop."""
BITS = tuple(f"_{name}" for name in ("BitOr", "BitAnd", "BitXor", "LShift", "RShift", "Invert"))
"""Ends of the names of operators that put one of bits in another's place."""
NONE_RAN = 5
"""pytest's exit code where there was nothing to run."""


class Place(NamedTuple):
    """A mistake: in which file and line, by which operator of cosmic-ray's, at which of its occurrences."""

    file: str
    line: int
    column: int
    operator: str
    occurrence: int


class Reach(NamedTuple):
    """Tests by the lines that they reach, and how long each takes, in seconds."""

    tests: dict[str, dict[int, set[str]]]
    seconds: dict[str, float]

    def of(self, place: Place) -> list[str]:
        """Tests that reach a line, quickest first; none are known for a line that runs when its file is imported."""
        return sorted(self.tests.get(place.file, {}).get(place.line, ()), key=self.seconds.__getitem__)

    def near(self, place: Place) -> list[str]:
        """Files of tests of a line: that named after its file, the others of its room, and those that reach it."""
        room, stem = place.file.split("/")[1], Path(place.file).stem
        speaks = re.compile(rf"\b{stem}\b")
        files = {test.partition("::")[0] for test in self.seconds}
        reaching = {test.partition("::")[0] for test in self.of(place)}
        own = {file for file in files if Path(file).is_relative_to(TESTS[room][0])}

        def order(file: str) -> tuple[bool, bool, bool, str]:
            said = speaks.search((ROOT / file).read_text(encoding="utf-8"))
            return Path(file).stem != f"test_{stem}", file not in own, said is None, file

        return sorted(reaching | own, key=order)

    def took(self, tests: list[str]) -> float:
        """Seconds that tests, or files of them, took without a mistake."""
        return sum(t for test, t in self.seconds.items() if test in tests or test.partition("::")[0] in tests)


def places(room: str, number: int, seed: int) -> list[Place]:
    """Mistakes at so many places of a room, drawn evenly."""
    from cosmic_ray.ast import ast_nodes, get_ast_from_path
    from cosmic_ray.plugins import get_operator, operator_names

    at: dict[tuple[str, int, int, int, int], list[Place]] = {}
    for path in sorted((ROOT / "mvcalc_jax" / room).rglob("*.py")):
        file, silent, tree = path.relative_to(ROOT).as_posix(), annotations(path), get_ast_from_path(path)
        nodes = list(ast_nodes(tree))
        for name in operator_names():
            kind = get_operator(name)
            if kind.arguments() or name.endswith(BITS):
                continue
            spans = (span for node in nodes for span in kind().mutation_positions(node))
            for occurrence, (start, end) in enumerate(spans):
                if not any(first <= start and end <= last for first, last in silent):
                    at.setdefault((file, *start, *end), []).append(Place(file, *start, name, occurrence))
    rng = random.Random(f"{room} {seed}")
    where = (rng.sample(at[span], len(at[span])) for span in rng.sample(sorted(at), len(at)))
    readable = (next(filter(is_python, mistakes), None) for mistakes in where)
    return list(islice(filter(None, readable), number))


def mutated(place: Place, source: str) -> str:
    """A file's text with the mistake."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    found = mutate_code(source, get_operator(place.operator)(), place.occurrence)
    assert found not in (None, source), place
    return found


def is_python(place: Place) -> bool:
    """Whether a file can be read with the mistake; a lone `*` in a signature is no product."""
    try:
        ast.parse(mutated(place, (ROOT / place.file).read_text(encoding="utf-8")))
    except SyntaxError:
        return False
    return True


def annotations(path: Path) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """From where to where in a file there are but types, in lines and characters."""
    source = path.read_text(encoding="utf-8")
    lines = source.splitlines()

    def character(line: int, byte: int) -> int:
        return len(lines[line - 1].encode()[:byte].decode())

    found = []
    for node in ast.walk(ast.parse(source)):
        for child in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if (
                isinstance(child, ast.expr)
                and child.end_lineno is not None
                and child.end_col_offset is not None
            ):
                start = child.lineno, character(child.lineno, child.col_offset)
                end = child.end_lineno, character(child.end_lineno, child.end_col_offset)
                found.append((start, end))
    return found


@contextlib.contextmanager
def copy() -> Iterator[Path]:
    """A copy of what git knows of the tree, and of what it does not ignore."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        for name in filter(None, names.split("\0")):
            if (ROOT / name).is_file():
                (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, Path(folder) / name)
        yield Path(folder)


def tested(tree: Path, command: Iterable[str], compiled: Path, seconds: float | None = None) -> str | None:
    """The first test that fails in a copy, or what else went wrong; None if nothing did.

    Raises:
        RuntimeError: where no test ran.
    """
    environment = os.environ | {
        "PYTHONPATH": str(tree),
        "JAX_COMPILATION_CACHE_DIR": str(compiled),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    command = [sys.executable, *command]
    try:
        done = subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, text=True, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        shutil.rmtree(compiled, ignore_errors=True)  # it may hold half a program
        return "an endless loop"
    if done.returncode == NONE_RAN:
        raise RuntimeError(f"no test ran; pytest says:\n{done.stdout[-2000:]}")
    if done.returncode == 0:
        return None
    failed = re.search(r"^(?:FAILED|ERROR) (.+?\.py::\w+)", done.stdout, re.MULTILINE)
    return failed[1] if failed else f"exit code {done.returncode}: {(done.stdout + done.stderr)[-2000:]}"


@functools.cache
def reach(folders: frozenset[str], compiled: Path) -> Reach:
    """Run tests once, without a mistake, and see which lines each of them reaches of the rooms that they test.

    Raises:
        RuntimeError: where they fail as they are.
    """
    from coverage import CoverageData

    rooms = ",".join(f"mvcalc_jax.{room}" for room in TESTS if folders == set(TESTS[room]))
    with copy() as tree:
        (tree / "coverage.ini").write_text(
            f"[run]\ndynamic_context = test_function\nsource = {rooms}\ndata_file = {tree}/coverage.db\n"
        )
        measured = ("-m", "coverage", "run", "--rcfile=coverage.ini")
        failed = tested(tree, (*measured, *PYTEST, "--junitxml=junit.xml", *sorted(folders)), compiled)
        if failed is not None:
            raise RuntimeError(f"all must pass before mistakes are planted; first that does not: {failed}")
        seconds: dict[str, float] = {}
        for case in ElementTree.parse(tree / "junit.xml").iter("testcase"):
            test = node(tree, f"{case.get('classname')}.{str(case.get('name')).partition('[')[0]}")
            seconds[test] = seconds.get(test, 0.0) + float(case.get("time") or 0)
        data = CoverageData(str(tree / "coverage.db"))
        data.read()
        tests = {
            Path(path).relative_to(tree).as_posix(): {
                line: {node(tree, context) for context in contexts} & seconds.keys()
                for line, contexts in data.contexts_by_lineno(path).items()
            }
            for path in data.measured_files()
        }
    return Reach(tests, seconds)


def unmeasured(room: str) -> Reach:
    """The files of a room's tests, of which nothing is known but that none takes longer than minutes."""
    files = [path.relative_to(ROOT).as_posix() for path in (ROOT / TESTS[room][0]).rglob("test_*.py")]
    return Reach({}, dict.fromkeys(files, START))


def node(tree: Path, dotted: str) -> str:
    """pytest's name for a test; empty for what is none."""
    module, _, test = dotted.rpartition(".")
    file = f"{module.replace('.', '/')}.py"
    return f"{file}::{test}" if test.startswith("test") and (tree / file).is_file() else ""


def noticed(place: Place, known: Reach, tree: Path, compiled: Path) -> str | None:
    """The test that fails with a mistake in a copy of the tree, if any does."""
    file = tree / place.file
    whole = file.read_text(encoding="utf-8")
    try:
        file.write_text(mutated(place, whole), encoding="utf-8")
        rounds = filter(None, (known.of(place), known.near(place)))
        tries = (tested(tree, (*PYTEST, *t), compiled, START + PATIENCE * known.took(t)) for t in rounds)
        return next(filter(None, tries), None)
    finally:
        file.write_text(whole, encoding="utf-8")


def examine(
    room: str, mistakes: list[Place], processes: int, files: bool
) -> Iterator[tuple[Place, str | None]]:
    """Each of the mistakes in a room, and the test that notices it.

    Raises:
        RuntimeError: where what noticed fails without a mistake, too.
    """
    with contextlib.ExitStack() as stack:
        compiled = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mutation-")))
        known = unmeasured(room) if files else reach(frozenset(TESTS[room]), compiled)
        trees: SimpleQueue[Path] = SimpleQueue()
        for _ in range(processes):
            trees.put(stack.enter_context(copy()))

        def tried(place: Place) -> str | None:
            tree = trees.get()
            try:
                return noticed(place, known, tree, compiled)
            finally:
                trees.put(tree)

        tests = set()
        pool = stack.enter_context(ThreadPoolExecutor(processes))
        for place, test in zip(mistakes, pool.map(tried, mistakes), strict=True):
            tests |= {test} if test and test.startswith("tests/") else set()
            yield place, test
        failed = tested(trees.get(), (*PYTEST, *sorted(tests)), compiled) if tests else None
        if failed is not None:
            raise RuntimeError(f"a test that noticed a mistake fails without one, too: {failed}")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutation", description="Plant mistakes in the package; tests must notice them."
    )
    parser.add_argument("--rooms", nargs="+", choices=sorted(TESTS), default=sorted(TESTS))
    parser.add_argument("--number", type=int, default=100, help="of mistakes in each room (default: 100)")
    parser.add_argument("--seed", type=int, default=0, help="of the draw (default: 0)")
    parser.add_argument("--bar", type=float, default=0.85, help="the share to be noticed (default: 0.85)")
    parser.add_argument("--processes", type=int, default=cores(), help="at once (default: one for each core)")
    parser.add_argument("--again", action="store_true", help="only what survived the last time")
    parser.add_argument(
        "--files", action="store_true", help="by the names of files of tests, not by coverage"
    )
    options = parser.parse_args()
    held = True
    for room in options.rooms:
        kept = RUNS / f"{room}.json"
        if options.again:
            mistakes = [Place(*values) for values in json.loads(kept.read_text())["survived"]]
        else:
            mistakes = places(room, options.number, options.seed)
        survived: list[Place] = []
        share = 1.0
        for k, (place, test) in enumerate(examine(room, mistakes, options.processes, options.files), 1):
            where = f"{k}. {place.file}:{place.line}:{place.column} {place.operator.removeprefix('core/')}"
            print(f"{where} {f'is noticed by {test}' if test else 'survives'}", flush=True)
            survived += [] if test else [place]
            share = 1 - len(survived) / k
            kept.parent.mkdir(parents=True, exist_ok=True)
            with atomic.replacing(kept) as file:
                file.write(json.dumps({"tried": k, "survived": survived}, indent=1).encode())
        held &= share >= options.bar
        print(
            f"{room}: {len(mistakes) - len(survived)} of {len(mistakes)} mistakes were noticed, {share:.0%}"
        )
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
