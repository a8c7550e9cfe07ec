"""What every command does alike, whether `mvcalc` or an experiment.

A frozen dataclass is the command line. Results go to stdout, progress to stderr. Bad input is one line, with
a traceback where `--debug` was given. Exit codes:

    0    done
    1    done, and the answer is no: a check failed, a descent left the finite numbers
    2    bad input, or a file that cannot be read or written
    3    an error inside the program
    130  stopped by Ctrl-C; what there was is saved
"""

import contextlib
import gc
import io
import os
import shlex
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, NoReturn

import tyro

from mvcalc_jax.text import first_line

DONE, FAILED, MISUSED, BROKEN, INTERRUPTED = 0, 1, 2, 3, 130

PACKAGE = Path(__file__).parent
EXPERIMENTS = PACKAGE.parent / "experiments"
"""Where they are in a checkout; they are no part of what is installed without one."""


def run(
    command: Callable[[Any], int],
    config: Any,
    *,
    prog: str,
    earlier: Callable[[Any], Any] = lambda config: None,
) -> int:
    """Read the command line into a `config`, run the command, and return its exit code.

    Args:
        command: takes the config and returns an exit code.
        config: a frozen dataclass; its docstrings are the help.
        prog: what the user typed, for messages.
        earlier: the config of an earlier run that this one goes on with, or None. What the command line does
            not name is then as it was.
    """

    def parsed(args: list[str]) -> int:
        settings = tyro.cli(config, prog=prog, args=args)
        before = earlier(settings)
        return command(settings if before is None else tyro.cli(config, prog=prog, args=args, default=before))

    return guarded(parsed, prog=prog)


def guarded(command: Callable[[list[str]], int], *, prog: str) -> int:
    """Run a command on this process's arguments; whatever it raises becomes a line and an exit code."""
    args = [arg for arg in sys.argv[1:] if arg != "--debug"]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no μ shall not cost a run
    # By default JAX takes three quarters of a GPU's memory for itself; a few thousand parameters need none of it.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    try:
        code = command(args)
        sys.stdout.flush()  # a stdout that is full or closed is met here, and not at exit
        return code
    except KeyboardInterrupt:
        print(f"\n{prog}: stopped", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains at exit, too
        return DONE
    except Exception as error:
        if "--debug" in sys.argv:
            traceback.print_exc()
        print(f"{prog}: {sentence(error)}", file=sys.stderr)
        return MISUSED if meant_for_the_user(error) else BROKEN


@contextlib.contextmanager
def loading() -> Iterator[None]:
    """Within it modules load without looks for garbage: they leave none, and to look takes a tenth of a second."""
    if "jax" in sys.modules:  # in a process that is somebody else's, too
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()  # what was loaded stays
        gc.enable()


def leave(code: int) -> NoReturn:
    """End the process with an exit code.

    After an interrupt it ends at once: XLA may still be computing what nobody waits for, and crashes if Python is
    taken down around it.
    """
    if code == INTERRUPTED:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
    gc.freeze()  # else Python looks for garbage among all that it is about to drop anyway, for a quarter of a second
    sys.exit(code)


def line(prog: str, config: Any) -> str:
    """The command line that gives these settings, all that have their defaults left out."""
    words = []
    for field in fields(config):
        value = getattr(config, field.name)
        if value == field.default or field.name == "resume":
            continue
        flag = field.name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            words += [f"--{flag}", *map(str, value if isinstance(value, tuple) else [value])]
    return f"{prog} {shlex.join(words)}".strip()


def exit_code(status: Any) -> int:
    """The exit code for a descent's status; an ensemble fails only if every member failed."""
    if getattr(status, "ndim", 0):
        return DONE if (status == 0).any() else FAILED
    return {0: DONE, -2: INTERRUPTED}.get(int(status), FAILED)


def meant_for_the_user(error: Exception) -> bool:
    """Whether an exception speaks of what the user gave: raised by this project, or by the system about a file."""
    if isinstance(error, OSError) or _is_of_memory(error):
        return True
    if not isinstance(error, (ValueError, TypeError)):
        return False
    last = traceback.extract_tb(error.__traceback__)[-1]
    ours = any(Path(last.filename).is_relative_to(place) for place in (PACKAGE, EXPERIMENTS))
    # NumPy's functions have no frames: what they raise seems to come from the line that called them.
    return ours and (last.line or "").startswith("raise")


def sentence(error: Exception) -> str:
    """An exception in one line: as it is if it was meant for the user, else with its type and a way on."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    first = first_line(error, "")
    if _is_of_memory(error):
        return f"there is not enough memory for this; ask for less ({first})"
    if meant_for_the_user(error):
        return first
    return f"{type(error).__name__}: {first} (an error inside; --debug shows where)"


def _is_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or str(error).startswith("RESOURCE_EXHAUSTED")
