"""Words for a terminal or for a report: rows as a table, numbers, first lines."""

import difflib
import math
from collections.abc import Iterable, Sequence

Rows = Sequence[Sequence[str]]


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
    """(1.5, -2); one number without brackets; of a long one the middle is left out, and rounding is 0.

    >>> mv.text.vector([1.5, -2.0], 3), mv.text.vector([np.pi], 3), mv.text.vector([1.0, 1e-17], 3)
    ('(1.5, -2)', '3.14', '(1, 0)')
    """
    values = [float(v) for v in numbers]
    least = 1e-15 * max((abs(v) for v in values if math.isfinite(v)), default=0)
    words = [f"{0.0 if abs(v) <= least else v:.{digits}g}" for v in values]
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


def unknown(what: str, name: str, known: Iterable[str], otherwise: str = "") -> str:
    """Says that a name is not known, and which is near; the known ones are listed, or `otherwise` is said."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"unknown {what} {name!r}; {hint}{otherwise or 'known: ' + ', '.join(names)}"
