"""The process in which calls are made, and the watch over it: it may hang, and it may die.

It reads a case from stdin as a line of JSON, and answers with one. What else anybody prints there is caught.
"""

import contextlib
import faulthandler
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.fuzz.calls import Case, tried
from tests.fuzz.judge import Finding
from tests.fuzz.recipe import RECIPES
from tests.memory import resident

_MUCH = 2500 << 20
"""Bytes of memory after which it begins anew: compiled programs are kept."""
_BUSY, _IDLE = 10, 0.002
"""So many times as long by the clock may a case take; and who has had a smaller share of the processor than this waits
for something else."""


class Worker:
    """The watch over a process that makes calls; another one is started when it is gone."""

    def __init__(self, recipes: Sequence[str]):
        self._recipes = recipes
        self._process: subprocess.Popen[str] | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="fuzz-")
        """Of all that the process writes: when it is killed, it takes nothing away itself."""
        self._stacks = Path(self._folder.name) / "stacks"

    def tried(self, name: str, seed: int, case: int, seconds: float) -> Case:
        """Have a case tried, for so many seconds at most."""
        process = self._process or self._started()
        assert process.stdin and process.stdout
        try:
            process.stdin.write(json.dumps([name, seed, case]) + "\n")
            process.stdin.flush()
            ready = self._answered(process, seconds)
            line = process.stdout.readline() if ready else ""
        except BrokenPipeError:
            ready, line = True, ""
        if line:
            ended, call, findings, full = json.loads(line)
            if full:
                self._end()
            return Case(ended, call, [Finding(*found) for found in findings])
        return self._died(seconds) if ready else self._hung(seconds)

    def _answered(self, process: subprocess.Popen[str], seconds: float) -> bool:
        """Wait for an answer: so many seconds of the processor's, and on a busy machine longer by the clock."""
        began, used = time.monotonic(), _seconds_of(process.pid)
        while not select.select([process.stdout], [], [], 0.5)[0]:
            spent, past = _seconds_of(process.pid) - used, time.monotonic() - began
            if spent > seconds or past > _BUSY * seconds or (past > seconds and spent < _IDLE * past):
                return False
        return True

    def _hung(self, seconds: float) -> Case:
        process = self._process
        assert process
        process.send_signal(signal.SIGUSR1)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1)  # it writes down where it is, and goes on
        said = self._where()
        place = next(
            (line.strip() for line in said.splitlines() if "/mvcalc_jax/" in line), "nowhere in the package"
        )
        self._end()
        return Case(
            "hung", "", [Finding("hang", f"after {seconds:.0f} s {place.split('/mvcalc_jax/')[-1]}", said)]
        )

    def _died(self, seconds: float) -> Case:
        process = self._process
        assert process
        code = process.wait()
        said = self._where()
        self._end()
        return Case("died", "", [Finding("crash", f"exit code {code}: {said[:80]}", said)])

    def _where(self) -> str:
        return self._stacks.read_text()[-2500:]

    def _started(self) -> subprocess.Popen[str]:
        self._stacks.write_bytes(b"")
        command = [sys.executable, "-m", "tests.fuzz.worker", str(self._stacks), *self._recipes]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"TMPDIR": self._folder.name},
        )
        return self._process

    def close(self) -> None:
        """End the process, and take away what it wrote."""
        self._end()
        self._folder.cleanup()

    def _end(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            for end in (self._process.stdin, self._process.stdout):
                with contextlib.suppress(OSError):
                    end.close()  # type: ignore[union-attr]
        self._process = None


def _seconds_of(process: int) -> float:
    """What a process has had of the processor; as long as it lives, where the system does not tell."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return time.monotonic()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def _heard() -> Iterator[Any]:
    """Within it, stdout and stderr of the whole process go into files; what they hold is returned by a function."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        for file, to in ((out, 1), (err, 2)):
            os.dup2(file.fileno(), to)

        def said() -> str:
            sys.stdout.flush()
            sys.stderr.flush()
            err.seek(0)
            return err.read().decode(errors="replace")

        yield said


def _noise(said: str) -> list[Finding]:
    lines = [line for line in said.splitlines() if line.strip()]
    return [Finding("noise", f"on stderr: {lines[0][:100]}", said[:800])] if lines else []


def main(stacks: str, *recipes: str) -> None:
    """Answer cases until stdin ends."""
    where = Path(stacks).open("a")  # noqa: SIM115 – faulthandler writes to it when all is lost
    faulthandler.enable(where)
    faulthandler.register(signal.SIGUSR1, where)
    for module in recipes:
        importlib.import_module(module)
    with tempfile.TemporaryDirectory(prefix="fuzz-cwd-") as empty, os.fdopen(os.dup(1), "w") as answers:
        os.chdir(empty)
        for line in sys.stdin:
            name, seed, case = json.loads(line)
            with _heard() as said:
                try:
                    found = tried(name, RECIPES[name], seed, case)
                except BaseException as error:  # a mistake of the fuzzer's own
                    words = "".join(traceback.format_exception(error))[-1500:]
                    found = Case("no call", "", [Finding("recipe", f"{name}: {type(error).__name__}", words)])
                findings = [*found.findings, *_noise(said())]
            full = resident() > _MUCH
            answers.write(json.dumps([found.ended, found.call, findings, full]) + "\n")
            answers.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
