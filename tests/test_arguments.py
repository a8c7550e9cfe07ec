"""A frozen dataclass as a command line: what is read, what is refused in one sentence, and what the help shows."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import pytest

from mvcalc_jax import arguments, command, require
from mvcalc_jax.arguments import Arg, Only
from tests.test_command import here


@dataclass(frozen=True)
class Config:
    """Do something.
        as it stands
    and more."""

    data: Annotated[Path | None, Arg(metavar="DATA", positional=True)] = None
    """What to read:
        a.csv   a table"""
    steps: int = 5
    """Steps."""
    rate: float | None = None
    start: tuple[float, float] = (1.0, -2.5)
    names: tuple[str, ...] = ()
    mode: Literal["fast", "slow"] = "fast"
    """How it is done."""
    live: bool = False
    pictures: bool = True
    """Draw nothing."""
    port: Annotated[int | None, Only("live")] = None
    race: Annotated[str, Only("steps", 1), Arg(metavar="WHO")] = ""
    quiet: Annotated[bool, Only("rate", None)] = False
    out: Annotated[Path, Arg("Where.", "DIR", short="-o", name="to")] = Path("runs")


def parsed(line, default=None):
    return arguments.parse(Config, line.split(), default)


@pytest.mark.parametrize(
    ("line", "given"),
    [
        ("", {}),
        ("--steps 7", {"steps": 7}),
        ("--steps=-7", {"steps": -7}),
        ("--no_pictures", {"pictures": False}),
        ("--rate -1e-300", {"rate": -1e-300}),
        ("--start -1e5 -.5", {"start": (-1e5, -0.5)}),
        ("--names a b -1", {"names": ("a", "b", "-1")}),
        ("--names", {"names": ()}),
        ("--names a --steps 2 file", {"names": ("a",), "steps": 2, "data": Path("file")}),
        ("file --mode slow", {"data": Path("file"), "mode": "slow"}),
        ("-- file", {"data": Path("file")}),
        ("--live --port 0", {"live": True, "port": 0}),
        ("--no-pictures --no-live", {"pictures": False, "live": False}),
        ("--race you --steps 1", {"race": "you", "steps": 1}),
        ("-o x", {"out": Path("x")}),
        ("--to x", {"out": Path("x")}),
    ],
)
def test_words_are_settings(line, given):
    assert parsed(line) == (Config(**given), given)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--stpes 3", "unknown option '--stpes'; did you mean '--steps'? --help lists all"),
        ("-x", "unknown option '-x'; did you mean '-o'? --help lists all"),
        ("--step 3", "unknown option '--step'; did you mean '--steps'?"),
        ("--steps", "--steps expected one argument"),
        ("-o", "--to expected one argument"),
        ("--steps 1e3", "--steps must be a whole number; got '1e3'"),
        ("--rate fast", "--rate must be a number; got 'fast'"),
        ("--start 1", "--start expected 2 arguments"),
        ("--start 1 2 3 4", "'4' stands alone: nothing takes it"),
        ("--mode slwo", "unknown mode 'slwo'; did you mean 'slow'? known: fast, slow"),
        ("--live=yes", "--live ignored explicit argument 'yes'"),
        ("--steps 1 --steps 2", "--steps is given twice"),
        ("--live --no-live", "--live is given twice"),
        ("--port 3", "--port is only for --live"),
        ("--race you", "--race is only for --steps 1"),
        ("--quiet --rate 2", "--quiet is not for --rate"),
        ("one two", "'two' stands alone: nothing takes it"),
    ],
)
def test_what_does_not_fit_is_one_sentence(line, said):
    with pytest.raises(ValueError) as error:
        parsed(line)
    assert str(error.value).startswith(said)


def test_what_is_missing_is_said():
    @dataclass(frozen=True)
    class Wanting:
        """Wants."""

        data: Annotated[Path, Arg(metavar="DATA", positional=True)]
        """A file:
            of curves"""

    with pytest.raises(ValueError, match=r"^DATA must be given: A file$"):
        arguments.parse(Wanting, [])


def test_an_earlier_run_is_the_default():
    before = Config(steps=9, live=True)
    assert parsed("--port 3", before) == (Config(steps=9, live=True, port=3), {"port": 3})


def test_the_help_shows_everything(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    shown = arguments.Parser(Config, "prog", [("--debug", "Show where.")], "100 %, the end.")
    assert shown.format_help() == (
        "usage: prog DATA [options]\n\nDo something.\n    as it stands\nand more.\n\n"
        "  DATA                 What to read:\n"
        "                           a.csv   a table\n\n"
        "  --steps INT          Steps. (default: 5)\n"
        "  --rate FLOAT\n"
        "  --start FLOAT FLOAT  (default: 1.0 -2.5)\n"
        "  --names [TEXT ...]\n"
        "  --mode NAME          How it is done. One of fast, slow.\n"
        "                       (default: fast)\n"
        "  --live\n"
        "  --no-pictures        Draw nothing.\n"
        "  --port INT           Only for --live.\n"
        "  --race WHO\n"
        "  --quiet\n"
        "  -o, --to DIR         Where. (default: runs)\n"
        "  --debug              Show where.\n\n"
        "100 %, the end.\n"
    )


def test_what_is_said_of_a_setting_is_said_as_it_was_typed():
    def refuse(config):
        require.whole("steps", config.steps, least=9)

    found = here(lambda: command.run(refuse, Config, prog="prog"), "--steps", "4")
    assert (found.returncode, found.stderr) == (2, "prog: --steps must be at least 9; got 4\n")
    found = here(lambda: command.run(refuse, Config, prog="prog"))
    assert found.stderr == "prog: `steps` must be at least 9; got 5\n"
