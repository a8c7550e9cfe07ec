"""What a suite finds, in one shape, and the one place that tells it.

A suite is a module of this folder. Its docstring's first line is the question, and what follows the command says how
it is measured; then come

    QUESTION           that line
    Config             a frozen dataclass with `quick`, and with `device` where it runs on a GPU, too
    findings(config)   measures, and returns `Findings`; progress goes to stderr

and at the end `results.leave(findings, Config)`. Alone, `python -m benchmarks.SUITE` prints what it finds and ends
with 1 where a bar is not held; `python -m benchmarks` runs many, each in a process of its own.
"""

import ast
import importlib.util
import io
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, NoReturn

import numpy as np
from matplotlib.figure import Figure

import mvcalc_jax as mv
from benchmarks import harness
from mvcalc_jax import command, text
from mvcalc_jax.atomic import replacing
from mvcalc_jax.output import answer
from mvcalc_jax.plots.style import style
from mvcalc_jax.text import Rows

FOLDER = Path("runs/benchmarks")
"""Where everything goes, unless asked otherwise."""


class Table(NamedTuple):
    title: str
    """Empty for the only one."""
    rows: Rows
    """The first is the header."""


class Bar(NamedTuple):
    """What was promised, and whether it is so."""

    held: bool | None
    """None where it was not measured; the words say why."""
    words: str
    """A sentence with the measured figure and the bar."""


def of_time(bars: Sequence[Bar], quick: bool) -> list[Bar]:
    """Bars of seconds, which a quick run does not judge: others measure beside it, and it measures for too short."""
    return [bar._replace(held=None) if quick else bar for bar in bars]


@dataclass(frozen=True)
class Findings:
    """What a suite has measured; all words are made of the figures of this run."""

    tables: Sequence[Table] = ()
    bars: Sequence[Bar] = ()
    conclusion: str = ""
    """The answer to the question, with the measured figures in it."""
    limits: str = ""
    """What these figures do not say."""
    numbers: Mapping[str, Any] = field(default_factory=dict)
    """Everything raw, such as the seconds of every round; arrays, tuples and records become JSON."""
    figures: Mapping[str, Figure] = field(default_factory=dict)
    """By name; drawn within the package's style."""

    def __add__(self, other: "Findings") -> "Findings":
        """Those of two parts of a suite, one after the other; each with its words in paragraphs of their own."""
        both = lambda a, b: "\n\n".join(part for part in (a, b) if part)
        return Findings(
            [*self.tables, *other.tables],
            [*self.bars, *other.bars],
            both(self.conclusion, other.conclusion),
            both(self.limits, other.limits),
            {**self.numbers, **other.numbers},
            {**self.figures, **other.figures},
        )


class MissingError(Exception):
    """Raised by a suite that cannot run here, for want of a browser or a compiler; says what to install."""


@dataclass(frozen=True)
class Section:
    """A suite's findings with all that they depend on: what is kept as JSON, and told as Markdown."""

    suite: str
    question: str
    how: str
    command: str
    quick: bool
    when: str
    seconds: float
    setting: Mapping[str, Any]
    """See `harness.described`."""
    said: str = ""
    """Why there are no figures, where there are none."""
    broken: bool = False
    """Whether that is an error, rather than something that is not installed here."""
    tables: Sequence[Table] = ()
    bars: Sequence[Bar] = ()
    conclusion: str = ""
    limits: str = ""
    numbers: Mapping[str, Any] = field(default_factory=dict)
    figures: Sequence[str] = ()
    """Names of files."""

    @property
    def failed(self) -> bool:
        return self.broken or any(bar.held is False for bar in self.bars)

    @property
    def gpu(self) -> bool:
        return self.setting["platform"] == "gpu"


class Measured(NamedTuple):
    """A section, and its pictures as PNG, by the names of their files."""

    section: Section
    pictures: Mapping[str, bytes]


def leave(findings: Callable[[Any], Findings], config: Any) -> NoReturn:
    """Run a suite by itself, as the command line asks, and end the process."""
    suite = sys.modules[findings.__module__]
    prog = f"python -m {_name(suite)}"

    def told(asked: Any) -> int:
        try:
            found = measured(suite, asked)
        except (MissingError, ModuleNotFoundError) as why:
            print(f"{prog}: {advice(why)}", file=sys.stderr)
            return command.MISUSED
        about = f"{found.section.question}\n{harness.spoken_setting(found.section.setting)}"
        answer(f"{about}\n\n{markdown(found.section)}", as_json(found.section))
        for path in save_pictures(found, FOLDER):
            progress(f"wrote {path}")
        return command.FAILED if found.section.failed else command.DONE

    command.leave(command.run(told, config, prog=prog))


def measured(suite: ModuleType, config: Any) -> Measured:
    """Run a suite and draw its figures."""
    began, when = time.perf_counter(), now()
    with style():
        found = suite.findings(config)
        pictures = {
            f"{_name(suite).rpartition('.')[2]}-{name}.png": _png(figure)
            for name, figure in found.figures.items()
        }
    device = mv.devices.choose(getattr(config, "device", "cpu"))
    told = {
        "tables": found.tables,
        "bars": found.bars,
        "conclusion": found.conclusion,
        "limits": found.limits,
    }
    section = Section(
        **about(_name(suite), command.line("", config)),
        **told,
        quick=config.quick,
        when=when,
        seconds=time.perf_counter() - began,
        setting=harness.described(device),
        numbers=plain(found.numbers),
        figures=tuple(pictures),
    )
    return Measured(section, pictures)


def about(module: str, options: str = "") -> dict[str, Any]:
    """What the docstring of a suite says of it, which is not imported for that; and its command."""
    spec = importlib.util.find_spec(module)
    said = (
        ast.get_docstring(ast.parse(Path(spec.origin).read_text("utf-8"))) if spec and spec.origin else ""
    ) or ""
    question, _, rest = said.partition("\n")
    parts = [part for part in rest.split("\n\n") if part.strip() and not part.strip("\n").startswith("    ")]
    how = [" ".join(part.split()) for part in parts]
    line = f"python -m {module} {options}".strip()
    return {
        "suite": module.rpartition(".")[2],
        "question": question,
        "how": "\n\n".join(how),
        "command": line,
    }


def markdown(section: Section, figures: str = "") -> str:
    """What was found: tables, figures, bars, conclusion, limits. `figures` is the way to their folder."""
    parts = [section.said and f"Not measured: {section.said}"]
    for title, rows in section.tables:
        parts += [title and f"**{title}**", text.markdown(rows)]
    if figures:
        parts += [f"![{Path(name).stem}]({figures}/{name})" for name in section.figures]
    parts += ["\n".join(f"- {spoken_bar(bar)}" for bar in section.bars)]
    parts += [section.conclusion, section.limits and f"Limits: {section.limits}"]
    return "\n\n".join(part for part in parts if part)


VERDICTS = {True: "held", False: "NOT HELD", None: "not measured"}


def spoken_bar(bar: Bar) -> str:
    return f"{VERDICTS[bar.held]}: {bar.words}"


def named(some: Sequence[str]) -> str:
    """Names in brackets; nothing where there are none."""
    return f" ({'; '.join(some)})" if some else ""


def advice(why: Exception) -> str:
    """What is missing, in a line, and how to get it."""
    if isinstance(why, ModuleNotFoundError):
        return f"needs {why.name}, which is not installed; pip install 'mvcalc-jax[bench]'"
    return text.first_line(why)


def save_pictures(found: Measured, folder: Path) -> list[Path]:
    """Write the pictures into a folder, and return their paths."""
    if found.pictures:
        folder.mkdir(parents=True, exist_ok=True)
    for name, picture in found.pictures.items():
        with replacing(folder / name) as file:
            file.write(picture)
    return [folder / name for name in found.pictures]


def plain(value: Any) -> Any:
    """A tree of arrays, records and numbers as JSON has them; what is not finite as a word."""
    if is_dataclass(value) and not isinstance(value, type):
        return {of.name: plain(getattr(value, of.name)) for of in fields(value)}
    if isinstance(value, Mapping):
        spoken = lambda key: ", ".join(map(str, key)) if isinstance(key, tuple) else str(key)
        return {spoken(key): plain(of) for key, of in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain(value._asdict())  # pyright: ignore[reportAttributeAccessIssue]
    if isinstance(value, (list, tuple)):
        return [plain(of) for of in value]
    if isinstance(value, (str, bool, int, type(None))):
        return value
    array = np.asarray(value)
    if array.ndim:
        return plain(array.tolist())
    number = array.item()
    if not isinstance(number, (int, float, str, bool)):
        raise TypeError(f"JSON has no {type(value).__name__}; leave it out of `numbers`")
    return number if not isinstance(number, float) or math.isfinite(number) else str(number)


def as_json(section: Section) -> dict[str, Any]:
    return asdict(section) | {
        "tables": [of._asdict() for of in section.tables],
        "bars": [of._asdict() for of in section.bars],
    }


def from_json(saved: Mapping[str, Any]) -> Section:
    """A section as it was.

    Raises:
        TypeError: where it is no section's JSON.
    """
    tables, bars = ([of(**one) for one in saved[name]] for of, name in ((Table, "tables"), (Bar, "bars")))
    return Section(**{**saved, "tables": tables, "bars": bars})


def progress(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def now() -> str:
    """The time, in UTC, to the minute."""
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"


def _png(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", bbox_inches="tight", metadata={"Software": None})
    return file.getvalue()


def _name(suite: ModuleType) -> str:
    """`benchmarks.fitting`, also where it runs as `__main__`."""
    return suite.__spec__.name if suite.__spec__ else suite.__name__
