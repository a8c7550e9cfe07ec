"""Mistakes of every kind that is looked for, so that a test can see whether they are found."""

import os
import signal
import time
import warnings
from pathlib import Path

import numpy as np

from tests.fuzz.commands import COMMANDS, Command, python
from tests.fuzz.recipe import Call, plain


class Root:
    """What claims to be the package's, and is no number."""

    success, x = True, float("nan")


Root.__module__ = "mvcalc_jax.planted"


def right() -> float:
    return 1.0


def refuses() -> None:
    Path("nowhere").read_text()


def traceback() -> None:
    [].pop()


def warning() -> None:
    warnings.warn("planted", RuntimeWarning, stacklevel=1)


def noise() -> None:
    os.write(2, b"planted\n")


def false() -> Root:
    return Root()


def left() -> None:
    np.seterr(over="raise")


def file() -> None:
    Path("result.json").write_text('{"a": ')
    Path(".result.csv.part").write_text("a,b")


def hang() -> None:
    time.sleep(60)


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


CALLS = (right, refuses, traceback, warning, noise, false, left, file, hang, crash)
for _function in CALLS:
    _name = f"planted.{_function.__name__}"
    plain(
        lambda draw, name, of=_function: Call(of),
        _name,
        spoil=False,
        seconds=1.0 if _function is hang else 60.0,
    )

SAID = {
    "right": "",
    "exit code": "import sys; print('prog: an error inside', file=sys.stderr); sys.exit(3)",
    "noise": "1 / 0",
    "file": "open('half.npy', 'wb').write(b'half')",
    "hang": "import time; time.sleep(60)",
    "crash": "import os; os.abort()",
    "left": "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])",
}
"""Programs, by the kind of mistake that they make."""
for _kind, _program in SAID.items():
    _words = python("-c", _program)
    COMMANDS[f"planted {_kind}"] = Command(
        lambda draw, folder, words=_words: words, seconds=2.0 if _kind == "hang" else 60.0, disturbed=False
    )
