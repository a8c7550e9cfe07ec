"""Words for a terminal, a report or a notebook: rows as a table, numbers, first lines."""

import difflib
import html
import math
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

Rows = Sequence[Sequence[str]]
Parts = Sequence[str | Rows]
"""What is said of a result, in order: sentences, and tables whose first row is their header."""
TRACED = "inside jit, vmap or grad, where its numbers are not known"

_Class = TypeVar("_Class", bound=type[Any])
_LEFT = "text-align: left; vertical-align: top; padding: 0.2em 1.5em 0.2em 0"
_FAINT = "border-bottom: 1px solid color-mix(in srgb, currentColor 30%, transparent)"
"""Of a notebook's page it is only known what it writes with, in a light theme or a dark one."""


def columns(rows: Rows) -> str:
    """A line for each row, cells padded to the width of their column.

    >>> print(mv.text.columns([("name", "age"), ("Ada", "36")]))
    name  age
    Ada   36
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def markdown(rows: Rows) -> str:
    """A Markdown table; the first row is its header.

    >>> print(mv.text.markdown([("name", "age"), ("Ada", "36")]))
    | name | age |
    | --- | --- |
    | Ada | 36 |
    """
    header, *body = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in [header, ["---"] * len(header), *body])


def plain(parts: Parts) -> str:
    """Sentences and tables, line by line."""
    return "\n".join(part if isinstance(part, str) else columns(part) for part in parts)


def table(rows: Rows) -> str:
    """A table in HTML, which is no wider than its page; the first row is its header."""
    said = [[html.escape(cell) for cell in row] for row in rows]
    header, *body = [
        "".join(f'<{tag} style="{_LEFT}">{cell}</{tag}>' for cell in row)
        for row, tag in zip(said, ["th", *["td"] * (len(said) - 1)], strict=True)
    ]
    lines = [f'<tr style="{_FAINT}">{header}</tr>', *(f"<tr>{row}</tr>" for row in body)]
    whole = '<table style="margin: 0.3em 0; border-collapse: collapse; font-variant-numeric: tabular-nums">'
    return f'<div style="overflow-x: auto">{whole}{"".join(lines)}</table></div>'


def shown(of: _Class) -> _Class:
    """A class whose `_parts()` say what it has to tell: `print` and a notebook show them.

    To be put on a class, not inherited from: so a `NamedTuple` is one way to be told like a dataclass, and neither
    changes as a record.
    """

    def printed(self: Any) -> str:
        return plain(self._parts())

    def displayed(self: Any) -> str:
        return "".join(_paragraph(part) if isinstance(part, str) else table(part) for part in self._parts())

    of._repr_html_ = displayed
    if "__str__" not in vars(of):
        of.__str__ = printed  # type: ignore[assignment]  # a class's own, and not `type`'s
    return of


def _paragraph(said: str) -> str:
    """In HTML; several lines stay as they are, one below the other."""
    tag = "pre" if "\n" in said else "p"
    return f'<{tag} style="margin: 0.3em 0">{html.escape(said)}</{tag}>'


def count(number: int) -> str:
    r"""A whole number with narrow spaces between thousands: 50 000.

    >>> mv.text.count(50_000)
    '50\u202f000'
    """
    return f"{number:,}".replace(",", "\u202f")


def counted(number: int, what: str) -> str:
    """1 column, 2 columns.

    >>> mv.text.counted(1, "column"), mv.text.counted(2, "column")
    ('1 column', '2 columns')
    """
    return f"{number} {what}{'' if number == 1 else 's'}"


def vector(numbers: Iterable[float], digits: int) -> str:
    """(1.5, -2), as `listed`; what is rounding beside the others is 0.

    >>> mv.text.vector([1.5, -2.0], 3), mv.text.vector([np.pi], 3), mv.text.vector([1.0, 1e-17], 3)
    ('(1.5, -2)', '3.14', '(1, 0)')
    """
    values = [float(v) for v in numbers]
    least = 1e-15 * max((abs(v) for v in values if math.isfinite(v)), default=0)
    return listed([f"{0.0 if abs(v) <= least else v:.{digits}g}" for v in values])


def listed(words: Sequence[str]) -> str:
    """(one, two); one alone without brackets; of many those in the middle are left out."""
    if len(words) > 8:
        words = [*words[:4], "…", *words[-3:]]
    return words[0] if len(words) == 1 else f"({', '.join(words)})"


def first_line(said: object, otherwise: str = "(without a message)") -> str:
    r"""The first line of a text, or of what an exception says; `otherwise` if that is nothing.

    >>> mv.text.first_line(ValueError("no\nsuch file")), mv.text.first_line("")
    ('no', '(without a message)')
    """
    try:
        lines = str(said).splitlines()
    except Exception:  # an exception's own words may fail it
        lines = []
    return (lines or [otherwise])[0]


def unknown(what: str, name: object, known: Iterable[str], otherwise: str = "") -> str:
    """Says that a name is not known, and which is near; the known ones are listed, or `otherwise` is said."""
    names = list(known)
    near = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"unknown {what} {name!r}; {hint}{otherwise or 'known: ' + ', '.join(names)}"
