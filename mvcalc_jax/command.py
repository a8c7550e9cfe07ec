"""What every command does alike, whether `mvcalc` or an experiment.

A frozen dataclass is the command line. Results go to stdout, progress to stderr; with `--json` there is one document
on stdout and nothing else. Bad input is one line, with a traceback where `--debug` was given. Exit codes: `EXIT_CODES`.
"""

import contextlib
import gc
import io
import os
import shlex
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, NoReturn

from mvcalc_jax import arguments, interrupts, output
from mvcalc_jax.text import first_line

DONE, FAILED, MISUSED, BROKEN, INTERRUPTED = 0, 1, 2, 3, 130
EXIT_CODES = """Exit codes: 0 done; 1 done, and the answer is no, such as a check that failed or a descent that left \
the finite numbers; 2 bad input, or a file that cannot be read or written; 3 an error inside the program; 130 stopped \
by Ctrl-C, and what there was is kept."""
JSON = ("--json", "Print one JSON document on stdout, and nothing else; what is infinite or NaN is null.")
COMMON = (("--debug", "Show where an error comes from."), ("-h, --help", "Show this, and end."))

PACKAGE = Path(__file__).parent
EXPERIMENTS = PACKAGE.parent / "experiments"
"""Where they are in a checkout; they are no part of what is installed without one."""


def called(experiment: str) -> str:
    """How an experiment is run: as this process was, by `mvcalc run`, or else by Python."""
    by_mvcalc = sys.argv[0].startswith("mvcalc run ")
    return f"mvcalc run {experiment}" if by_mvcalc else f"python -m experiments.{experiment}"


def run(
    command: Callable[[Any], int],
    config: Any,
    *,
    prog: str,
    earlier: Callable[[Any], Any] = lambda config: None,
) -> int:
    """Read this process's command line into a `config`, run the command, and return its exit code.

    Args:
        command: takes the config and returns an exit code.
        config: a frozen dataclass; its docstrings are the help.
        prog: what the user typed, for messages.
        earlier: the config of an earlier run that this one goes on with, or None. What the command line does
            not name is then as it was.
    """
    return guarded(lambda args: asked(command, config, args, prog=prog, earlier=earlier), prog=prog)


def asked(
    command: Callable[[Any], int],
    config: Any,
    args: Sequence[str],
    *,
    prog: str,
    earlier: Callable[[Any], Any] = lambda config: None,
    documents: bool = True,
) -> int:
    """Run a command as `args` ask, or show its help.

    Args:
        command, config, prog, earlier: as of `run`.
        args: without the program's name.
        documents: whether it answers with a document under `--json`.
    """
    if "-h" in args or "--help" in args:
        more = (*([JSON] if documents else []), *COMMON)
        print(arguments.Parser(config, prog, more, EXIT_CODES).format_help(), end="")
        return DONE
    wanted = documents and "--json" in args
    words = [word for word in args if not (wanted and word == "--json")]
    settings, given = arguments.parse(config, words)
    if (before := earlier(settings)) is not None:
        settings, given = arguments.parse(config, words, default=before)
    with output.one_document() if wanted else contextlib.nullcontext():
        try:
            return command(settings)
        except (ValueError, TypeError) as error:
            if meant_for_the_user(error):
                error.args = (_as_typed(first_line(error, ""), given),)
            raise


def guarded(command: Callable[[list[str]], int], *, prog: str) -> int:
    """Run a command on this process's arguments; whatever it raises becomes a line and an exit code."""
    args = [arg for arg in sys.argv[1:] if arg != "--debug"]
    _open_what_is_closed()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no μ shall not cost a run
    # By default JAX takes three quarters of a GPU's memory for itself; a few thousand parameters need none of it.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    try:
        with interrupts.Heard():
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


def _as_typed(said: str, given: Iterable[str]) -> str:
    """What was said of `learning_rate` in the words of whoever has typed --learning-rate."""
    for field in given:
        said = said.replace(f"`{field}`", f"--{field.replace('_', '-')}")
    return said


def _open_what_is_closed() -> None:
    """Of a standard stream that was closed, the place is taken; else the next file that is opened would have it."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8"))  # noqa: SIM115, PTH123


def _is_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or str(error).startswith("RESOURCE_EXHAUSTED")
