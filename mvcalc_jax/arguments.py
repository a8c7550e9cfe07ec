"""A frozen dataclass as a command line: its fields are the options, and their docstrings are the help.

    steps: int = 200                            --steps INT
    learning_rate: float | None = None          --learning-rate FLOAT
    start: tuple[float, float] = (1.3, -0.1)    --start FLOAT FLOAT
    hidden: tuple[int, ...] = (6, 7)            --hidden [INT ...]
    device: Literal["auto", "cpu", "gpu"]       --device NAME, and no other name
    live: bool = False                          --live or --no-live

`Annotated[…, Arg(…), Only(…)]` says the rest, and `argparse` reads. Nothing is guessed, abbreviated or silently
ignored: whatever does not fit is a `ValueError` of one sentence, in the words of the command line.
"""

import argparse
import ast
import inspect
import re
import shutil
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import MISSING, fields, replace
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
_NEGATIVE = re.compile(r"-(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$|-(inf|nan)$", re.IGNORECASE)
"""A number, and no option."""


class Setting(argparse.Action):
    """A field on the command line. For `argparse` it has no default, so that what is read is what was given."""

    complete: Any
    """Where `shtab` looks for what to offer; not there unless set."""

    def __init__(
        self,
        option_strings: Sequence[str],
        dest: str,
        nargs: int | str | None,
        default: Any,
        kind: type,
        names: tuple[str, ...],
        arg: Arg,
        only: list[Only],
        said: str,
    ) -> None:
        self.usual, self.kind, self.names, self.arg, self.only, self.said = (
            default,
            kind,
            names,
            arg,
            only,
            said,
        )
        self.flag = option_strings[0] if option_strings else arg.metavar
        metavar = arg.metavar or ("NAME" if names or arg.known else _METAVARS.get(kind))
        super().__init__(option_strings, dest, nargs, default=argparse.SUPPRESS, metavar=metavar)
        self.help = self._explained().replace("%", "%%")

    @property
    def shown(self) -> Sequence[str]:
        """Its names for people; of a switch the form that changes something."""
        return [self.option_strings[self.usual is True]] if self.kind is bool else self.option_strings[::-1]

    def _explained(self) -> str:
        said = self.said
        if self.names:
            said += f" One of {', '.join(self.names)}."
        elif self.arg.known:
            said += f" By name: {', '.join(self.arg.known)}."
        said += "".join(f" Only for --{_hyphened(only.field)}." for only in self.only if only.value is ...)
        values = self.usual if isinstance(self.usual, tuple) else (self.usual,)
        if self.kind is not bool and self.usual not in (None, MISSING, (), ""):
            said += f" (default: {' '.join(map(str, values))})"
        return said.strip()

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        """Take what `argparse` has found for it."""
        if hasattr(namespace, self.dest):
            raise ValueError(f"{self.flag} is given twice")
        if self.kind is bool:
            value = option_string == self.flag
        else:
            value = tuple(map(self._value, values)) if isinstance(values, list) else self._value(values)
        setattr(namespace, self.dest, value)

    def _value(self, word: str) -> Any:
        if self.names and word not in self.names:
            raise ValueError(text.unknown(self.flag.lstrip("-").replace("-", " ").lower(), word, self.names))
        try:
            return self.kind(word)
        except ValueError:
            raise ValueError(f"{self.flag} must be {_WANTED[self.kind]}; got {word!r}") from None


class Parser(argparse.ArgumentParser):
    """The command line of a dataclass.

    Args:
        config: a frozen dataclass; its docstring says what the command does.
        prog: what the user types.
        more: switches that all commands have, names and help, of which the help tells.
        closing: the last paragraph of the help.
    """

    def __init__(
        self, config: type, prog: str = "", more: Iterable[tuple[str, str]] = (), closing: str = ""
    ) -> None:
        super().__init__(
            prog,
            description=inspect.getdoc(config),
            epilog=closing,
            formatter_class=_Help,
            add_help=False,
            allow_abbrev=False,
            exit_on_error=False,
        )
        self._negative_number_matcher = _NEGATIVE  # by itself it takes -1e5 for an option
        self.settings: list[Setting] = []
        hints, docstrings = get_type_hints(config, include_extras=True), _docstrings(config)
        alone, options = self.add_argument_group(), self.add_argument_group()
        for field in fields(config):
            hint, notes = _parted(hints[field.name])
            arg = next((note for note in notes if isinstance(note, Arg)), Arg())
            kind, nargs, names = _shape(hint)
            flag = f"--{arg.name or _hyphened(field.name)}"
            flags = [flag, f"--no-{flag[2:]}" if kind is bool else arg.short]
            setting = (alone if arg.positional else options).add_argument(
                *(() if arg.positional else filter(None, flags)),
                action=Setting,
                dest=field.name,
                nargs="?" if arg.positional and nargs is None else nargs,  # it is said here if one is missing
                default=field.default,
                kind=kind,
                names=names,
                arg=arg,
                only=[note for note in notes if isinstance(note, Only)],
                said=" ".join(filter(None, (arg.help, docstrings.get(field.name)))),
            )
            assert isinstance(setting, Setting)
            self.settings.append(setting)
        for names, said in more:
            options.add_argument(*names.split(", "), action="store_true", help=said)
        places = [setting.flag for setting in self.settings if setting.arg.positional]
        self.usage = " ".join([prog, *places, "[options]"])


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
    parser = Parser(config)
    words = [re.sub(r"^--[^=]+", lambda name: _hyphened(name[0]), word) for word in args]
    try:
        found, rest = parser.parse_known_intermixed_args(words)
    except argparse.ArgumentError as error:
        raise ValueError(f"{str(error.argument_name).split('/')[0]} {error.message}") from None
    known = [name for setting in parser.settings for name in setting.option_strings]
    for word in rest:
        if word.startswith("-"):
            raise ValueError(text.unknown("option", word.partition("=")[0], known, "--help lists all"))
    if rest:
        raise ValueError(f"{rest[0]!r} stands alone: nothing takes it; --help shows what can be given")
    given = vars(found)
    for setting in parser.settings:
        if setting.usual is MISSING and setting.dest not in given and default is None:
            raise ValueError(f"{setting.flag} must be given: {text.first_line(setting.said).rstrip(':')}")
    settings = config(**given) if default is None else replace(default, **given)
    for setting in parser.settings:
        for only in setting.only if setting.dest in given else ():
            if why := only.forbids(setting.flag, settings):
                raise ValueError(why)
    return settings, given


class _Help(argparse.HelpFormatter):
    """As wide as the terminal; lines that are indented stay as they are."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=24, width=_width())

    def _format_action_invocation(self, action: argparse.Action) -> str:
        names = action.shown if isinstance(action, Setting) else action.option_strings
        return f"{', '.join(names)} {self._format_args(action, '')}".strip() if names else str(action.metavar)

    def _split_lines(self, text: str, width: int) -> list[str]:
        return wrapped(text, width).splitlines()

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return wrapped(text, width)


def wrapped(said: str, width: int = 0) -> str:
    """Paragraphs as wide as the terminal, or as is said; lines that are indented stay as they are."""
    lines, flowing = [], ""
    for line in [*said.splitlines(), ""]:
        if line and not line.startswith(" "):
            flowing = f"{flowing} {line}".strip()
            continue
        lines += textwrap.wrap(flowing, width or _width(), break_on_hyphens=False)
        lines += [line] if line else []
        flowing = ""
    return "\n".join(lines)


def _width() -> int:
    return min(shutil.get_terminal_size().columns, 100)


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


def _shape(hint: Any) -> tuple[type, int | str | None, tuple[str, ...]]:
    """The type of one value, how many there are in the words of `argparse`, and the only ones, if they are known."""
    if get_origin(hint) is tuple:
        first, *others = get_args(hint)
        kind, _, names = _shape(first)
        return kind, "*" if others == [...] else 1 + len(others), names
    if get_origin(hint) is Literal:
        return str, None, get_args(hint)
    return hint, 0 if hint is bool else None, ()


def _docstrings(config: type) -> dict[str, str]:
    """What stands below each field."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(config))).body
    assert isinstance(tree, ast.ClassDef)
    found = {}
    for field, below in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            said = below.value if isinstance(below, ast.Expr) else None
            if isinstance(said, ast.Constant):
                margin = "\n" + " " * said.col_offset
                found[field.target.id] = str(said.value).replace(margin, "\n")
    return found


def _hyphened(name: str) -> str:
    return name.replace("_", "-")
