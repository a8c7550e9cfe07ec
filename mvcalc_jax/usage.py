"""How a command is used: what `--help` shows, as wide as the terminal."""

import inspect
import shutil
import textwrap
from collections.abc import Iterable

from mvcalc_jax.arguments import options


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
    return "\n".join([(f"  {name}".ljust(_COLUMN) + lines[0][_COLUMN:]).rstrip(), *lines[1:]])


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
