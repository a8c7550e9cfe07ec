"""One command: from its name, seed and number to what is wrong with it.

It is given an empty folder to work in. Some are stopped by Ctrl-C at a random time, and some are killed and then run
once more, as one does who wants the rest.
"""

import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz import whole
from tests.fuzz.calls import Case, numbers
from tests.fuzz.draws import Draw
from tests.fuzz.judge import Finding

ROOT = Path(__file__).parent.parent.parent
STOPPED, KILLED, EARLIEST, LATEST = 0.25, 0.12, 0.4, 8.0
"""How often a command is stopped, and killed; and when, in seconds."""
LIMIT, PATIENCE = 600.0, 120.0
"""Seconds that a command may take, and that it may take to end."""
DOCUMENTED = {0, 1, 2, 130}
"""Exit codes; 3 is documented as well, as an error inside, and therefore a finding."""
_BAD = re.compile(
    r"Traceback \(most recent call last\)|Exception ignored|\w*Warning: |^[WEF]\d{4} ", re.MULTILINE
)
"""What nobody should see on stderr."""


@dataclass(frozen=True)
class Command:
    """How a command is given random words.

    Attributes:
        words: from a `Draw` and a folder, the whole command line.
        endless: whether it goes on until it is stopped, if these are its words.
        again: the command line with which one goes on after it was killed.
        seconds: after which it hangs.
        disturbed: whether it may be stopped and killed.
    """

    words: Callable[[Draw, Path], list[str]]
    endless: Callable[[list[str]], bool] = lambda words: False
    again: Callable[[list[str], Path], list[str]] = lambda words, folder: words
    seconds: float = LIMIT
    disturbed: bool = True


COMMANDS: dict[str, Command] = {}


@dataclass
class Ended:
    """How a process ended: its exit code, None if it hung; what it said; whether it left a process behind."""

    code: int | None
    out: str
    err: str
    orphans: bool


def tried(name: str, seed: int, case: int) -> Case:
    """Run the command, and look at what it leaves behind."""
    draw, command = numbers(name, seed, case), COMMANDS[name]
    with tempfile.TemporaryDirectory(prefix="fuzz-") as place:
        folder = Path(place)
        words = command.words(draw, folder)
        endless = command.endless(words)
        how = "stopped" if endless else _disturbance(draw) if command.disturbed else ""
        after = float(draw.rng.uniform(EARLIEST + 3 * endless, LATEST)) if how else 0.0
        before = whole.files(folder)
        ended = run(words, folder, command.seconds, how, after)
        findings = list(_wrong(ended, how, endless))
        if how == "killed":
            findings += _files(folder, before, killed=True)
            before = whole.files(folder)  # what was killed may leave a part, and nobody else takes it away
            ended = run(command.again(words, folder), folder, command.seconds)
            findings += _wrong(ended, "", False)
        findings += _files(folder, before)
        said = f"{shlex.join(words[1:])}" + (f", {how} after {after:.2f} s" if how else "")
        return Case("hung" if ended.code is None else f"exit {ended.code}", said, findings)


def _disturbance(draw: Draw) -> str:
    if draw.chance(STOPPED):
        return "stopped"
    return "killed" if draw.chance(KILLED / (1 - STOPPED)) else ""


def run(words: list[str], folder: Path, seconds: float, how: str = "", after: float = 0.0) -> Ended:
    """Run a command line in a session of its own, perhaps to be stopped or killed."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = os.environ | {"PYTHONPATH": path, "BROWSER": "true"}
    environment.pop("DISPLAY", None)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            words,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env=environment,
            start_new_session=True,
        )
        try:
            try:
                code = process.wait(after if how else seconds)
            except subprocess.TimeoutExpired:
                if not how:
                    raise
                process.send_signal(signal.SIGINT if how == "stopped" else signal.SIGKILL)
                code = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            code = None
        orphans = code is not None and how != "killed" and _alive(process.pid)
        _end(process)
        for file in (out, err):
            file.seek(0)
        return Ended(code, *(file.read().decode(errors="replace") for file in (out, err)), orphans)


def _alive(group: int) -> bool:
    """Whether a process of the session is there a second later."""
    for _ in range(20):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.05)
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _wrong(ended: Ended, how: str, endless: bool) -> list[Finding]:
    found, told = [], (ended.out[-600:] + "\n--- stderr\n" + ended.err[-1800:]).strip()
    last = (ended.err.strip().splitlines() or [""])[-1]
    if ended.code is None:
        found.append(Finding("hang", f"a command {how}", told))
    elif ended.code < 0 and not (how == "killed" and ended.code == -signal.SIGKILL):
        found.append(Finding("crash", f"a command ends by signal {-ended.code} {how}", told))
    elif ended.code not in DOCUMENTED and ended.code >= 0:
        cause = re.sub(r"[-+]?\d[\d.e+-]*|'[^']*'", "#", last.split(": ", 1)[-1])[:110]
        found.append(Finding("exit code", f"{ended.code} {how}: {cause}", told))
    elif ended.code == 130 and how != "stopped":
        found.append(Finding("exit code", "130 without Ctrl-C", told))
    elif ended.code == 2 and not ended.err.strip():
        found.append(Finding("exit code", "2 without a word", told))
    bad = _BAD.search(ended.err)
    if bad:
        line = ended.err[bad.start() :].splitlines()
        said = (
            next((text for text in reversed(line) if "Error" in text), line[0])
            if "Traceback" in line[0]
            else line[0]
        )
        found.append(Finding("noise", f"on stderr: {re.sub(r'[0-9]+', '#', said)[:110]}", told))
    if ended.orphans:
        found.append(Finding("left", "a process goes on after its command", told))
    return found


def _files(folder: Path, before: dict[Path, tuple[int, int]], *, killed: bool = False) -> list[Finding]:
    return [Finding("file", what, str(folder)) for what in whole.broken(folder, before, killed=killed)]


def python(*words: str) -> list[str]:
    """A command line of Python's."""
    return [sys.executable, *words]
