"""Ctrl-C before a command has begun, while Python still loads it: no traceback, and the exit code of an interrupt."""

import os
import signal
import sys
from typing import Any


def end_on_interrupt() -> None:
    """From now on an interrupt ends the process at once: nothing has begun, and nothing is lost.

    Whoever imports a command as a library keeps what interrupts mean to them: while Python looks for a module to run,
    the program is called -m, and a script that pip has made mvcalc.
    """
    program = sys.argv[0].replace("\\", "/").rpartition("/")[2]
    if (
        program.split(".")[0] in ("-m", "mvcalc")
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    ):
        signal.signal(signal.SIGINT, _end)


def begun() -> None:
    """An interrupt is a `KeyboardInterrupt` again."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(*_: Any) -> None:
    os._exit(130)
