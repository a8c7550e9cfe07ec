"""A frozen dataclass as a command line: its fields are the options, and their docstrings are the help.

    steps: int = 200                            --steps INT
    learning_rate: float | None = None          --learning-rate FLOAT
    start: tuple[float, float] = (1.3, -0.1)    --start FLOAT FLOAT
    hidden: tuple[int, ...] = (6, 7)            --hidden [INT ...]
    device: Literal["auto", "cpu", "gpu"]       --device NAME, and no other name
    live: bool = False                          --live or --no-live

`Annotated[…, Arg(…), Only(…)]` says the rest. Nothing is guessed, abbreviated or silently ignored: whatever does not
fit is a `ValueError` of one sentence, in the words of the command line.
"""

import ast
import inspect
import shutil
import textwrap
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

from mvcalc_jax import text

Config = TypeVar("Config", bound=Any)


class Arg(NamedTuple):
    """What a field's type and docstring do not say of an option."""

    help: str = ""
    """Of an option that many commands have, in place of docstrings."""
    metavar: str = ""
    short: str = ""
    """Such as -o."""
    name: str = ""
    """Where it is not the field's."""
    known: tuple[str, ...] = ()
    """Names to choose from, where there are other values, too."""
    positional: bool = False


class Only(NamedTuple):
    """An option means something only where another field has a value; unless that is given, any but None and False."""

    field: str
    value: Any = ...

    def forbids(self, option: str, config: Any) -> str:
        """Why an option cannot be given beside the others; "" if it can."""
        found, other = getattr(config, self.field), f"--{_hyphened(self.field)}"
        if self.value is ...:
            return "" if found else f"{option} is only for {other}"
        if found == self.value:
            return ""
        none = self.value in (None, False)
        return f"{option} is not for {other}" if none else f"{option} is only for {other} {self.value}"


_METAVARS = {int: "INT", float: "FLOAT", str: "TEXT", Path: "PATH"}
_WANTED = {int: "a whole number", float: "a number"}


@dataclass(frozen=True)
class Option:
    """A field on the command line. `most` is None where it takes any number of values; a switch takes none."""

    field: str
    flag: str
    kind: type
    least: int
    most: int | None
    choices: tuple[str, ...]
    default: Any
    help: str
    arg: Arg
    only: tuple[Only, ...]

    @property
    def switch(self) -> bool:
        """Whether it is there or not, without a value."""
        return self.kind is bool

    @property
    def names(self) -> list[str]:
        """By which it is given."""
        if self.arg.positional:
            return []
        off = [f"--no-{self.flag[2:]}"] if self.switch else []
        return [self.flag, *off, *([self.arg.short] if self.arg.short else [])]

    @property
    def shown(self) -> str:
        """As the help shows it; of a switch the form that changes something."""
        if self.switch:
            return f"--no-{self.flag[2:]}" if self.default is True else self.flag
        metavar = self.arg.metavar or ("NAME" if self.choices or self.arg.known else _METAVARS[self.kind])
        values = f"[{metavar} ...]" if self.most is None else " ".join([metavar] * self.most)
        if self.arg.positional:
            return metavar
        return f"{self.arg.short}, {self.flag} {values}" if self.arg.short else f"{self.flag} {values}"

    @property
    def explained(self) -> str:
        """Its help, with the names to choose from and its default."""
        said = self.help
        if self.choices:
            said += f" One of {', '.join(self.choices)}."
        elif self.arg.known:
            said += f" By name: {', '.join(self.arg.known)}."
        said += "".join(f" Only for --{_hyphened(only.field)}." for only in self.only if only.value is ...)
        values = self.default if isinstance(self.default, tuple) else (self.default,)
        if not self.switch and self.default not in (None, MISSING, ()):
            said += f" (default: {' '.join(map(str, values))})"
        return said.strip()

    def value(self, word: str) -> Any:
        """What a word on the command line stands for."""
        if self.choices and word not in self.choices:
            raise ValueError(text.unknown(self.flag.lstrip("-").replace("-", " "), word, self.choices))
        try:
            return self.kind(word)
        except ValueError:
            raise ValueError(f"{self.flag} must be {_WANTED[self.kind]}; got {word!r}") from None


def options(config: type) -> list[Option]:
    """The options that a dataclass describes, in its order."""
    hints, said = get_type_hints(config, include_extras=True), _docstrings(config)
    found = []
    for field in fields(config):
        hint, notes = _parted(hints[field.name])
        arg = next((note for note in notes if isinstance(note, Arg)), Arg())
        kind, least, most, choices = _shape(hint)
        help = " ".join(each for each in (arg.help, said.get(field.name, "")) if each)
        flag = arg.metavar if arg.positional else f"--{arg.name or _hyphened(field.name)}"
        only = tuple(note for note in notes if isinstance(note, Only))
        found.append(Option(field.name, flag, kind, least, most, choices, field.default, help, arg, only))
    return found


def parse(
    config: type[Config], args: Sequence[str], default: Config | None = None
) -> tuple[Config, dict[str, Any]]:
    """The settings that words on a command line describe, and those of them that were given there.

    Args:
        config: a frozen dataclass.
        args: the words, without the program's name.
        default: the values of what is not given; None for the dataclass's own.

    Raises:
        ValueError: for an option or a value that there cannot be, for one that is missing, and for one that would
            mean nothing beside the others.
    """
    known = options(config)
    given = _read(known, args)
    for option in known:
        if option.default is MISSING and option.field not in given and default is None:
            raise ValueError(f"{option.flag} must be given: {text.first_line(option.help).rstrip(':')}")
    settings = config(**given) if default is None else replace(default, **given)
    for option in known:
        for only in option.only if option.field in given else ():
            if why := only.forbids(option.flag, settings):
                raise ValueError(why)
    return settings, given


def _read(known: list[Option], args: Sequence[str]) -> dict[str, Any]:
    """What the words say, by field."""
    flags = {name: option for option in known for name in option.names}
    places = [option for option in known if option.arg.positional]
    given, loose, rest = {}, [], deque(args)
    while rest:
        word = rest.popleft()
        if not _is_flag(word):
            loose.append(word)
            continue
        name, equals, value = word.partition("=")
        name = name.replace("_", "-")
        if name not in flags:
            raise ValueError(text.unknown("option", name, flags, "--help lists all"))
        option = flags[name]
        if option.field in given:
            raise ValueError(f"{option.flag} is given twice")
        if option.switch:
            if equals:
                raise ValueError(f"{name} takes no value; got {value!r}")
            given[option.field] = name == option.flag
            continue
        values = [value] if equals else []
        while rest and (option.most is None or len(values) < option.most) and not _is_flag(rest[0]):
            values.append(rest.popleft())
        given[option.field] = _valued(option, values)
    for option in places:
        taken = loose if option.most is None else loose[: option.most]
        loose = loose[len(taken) :]
        if taken:
            given[option.field] = _valued(option, taken)
    if loose:
        raise ValueError(f"{loose[0]!r} stands alone: nothing takes it; --help shows what can be given")
    return given


def _valued(option: Option, words: list[str]) -> Any:
    if len(words) < option.least:
        wanted = text.counted(option.least, "value") if option.least > 1 else "a value"
        raise ValueError(f"{option.flag} must have {wanted}; got {len(words) or 'none'}")
    values = tuple(map(option.value, words))
    return values if option.most is None or option.most > 1 else values[0]


def _is_flag(word: str) -> bool:
    """Whether a word is an option; a negative number is none."""
    try:
        float(word)
    except ValueError:
        return len(word) > 1 and word.startswith("-")
    return False


def _parted(hint: Any) -> tuple[Any, list[Any]]:
    """A type without None and `Annotated`, and what is noted there."""
    if get_origin(hint) is Annotated:
        inner, *notes = get_args(hint)
        hint, within = _parted(inner)
        return hint, within + notes
    if get_origin(hint) in (Union, UnionType):
        (hint,) = (each for each in get_args(hint) if each is not NoneType)
        return _parted(hint)
    return hint, []


def _shape(hint: Any) -> tuple[type, int, int | None, tuple[str, ...]]:
    """The type of one value, the least and the most number of them, and the only ones, if they are known."""
    if get_origin(hint) is tuple:
        first, *others = get_args(hint)
        kind, _, _, choices = _shape(first)
        return (
            (kind, 0, None, choices) if others == [...] else (kind, 1 + len(others), 1 + len(others), choices)
        )
    if get_origin(hint) is Literal:
        return str, 1, 1, get_args(hint)
    return hint, 1, 1, ()


def _docstrings(config: type) -> dict[str, str]:
    """What stands below each field."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(config))).body
    assert isinstance(tree, ast.ClassDef)
    found = {}
    for field, below in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            said = below.value if isinstance(below, ast.Expr) else None
            if isinstance(said, ast.Constant):
                found[field.target.id] = inspect.cleandoc(str(said.value))
    return found


def _hyphened(name: str) -> str:
    return name.replace("_", "-")


def help(prog: str, config: type, more: Iterable[tuple[str, str]], closing: str) -> str:
    """What `--help` shows.

    Args:
        prog: what the user typed.
        config: a frozen dataclass; its docstring says what the command does.
        more: options that all commands have, each with its help.
        closing: the last paragraph.
    """
    known = options(config)
    places = [option for option in known if option.arg.positional]
    usage = " ".join([prog, *(option.shown for option in places), "[options]"])
    parts = [f"usage: {usage}", wrapped(inspect.getdoc(config) or "")]
    if places:
        parts.append("\n".join(_row(option.shown, option.explained) for option in places))
    rows = [(option.shown, option.explained) for option in known if not option.arg.positional]
    parts.append("\n".join(_row(*row) for row in [*rows, *more]))
    return "\n\n".join([*parts, wrapped(closing)])


_COLUMN = 24


def _row(name: str, said: str) -> str:
    lines = wrapped(said, _COLUMN).splitlines() or [""]
    if len(name) + 4 > _COLUMN:
        return "\n".join([f"  {name}", *lines])
    return "\n".join([f"  {name}".ljust(_COLUMN) + lines[0][_COLUMN:], *lines[1:]])


def wrapped(said: str, indent: int = 0) -> str:
    """Paragraphs as wide as the terminal; lines that are indented stay as they are."""
    width, lines, flowing = min(shutil.get_terminal_size().columns, 100), [], ""
    for line in [*said.splitlines(), ""]:
        if line and not line.startswith(" "):
            flowing = f"{flowing} {line}".strip()
            continue
        lines += textwrap.wrap(flowing, max(width - indent, 40), break_on_hyphens=False)
        lines += [line] if line else []
        flowing = ""
    return textwrap.indent("\n".join(lines), " " * indent)
