"""Words for a terminal or for a report: rows as a table, numbers, first lines."""

from collections.abc import Sequence

Rows = Sequence[Sequence[str]]


def columns(rows: Rows) -> str:
    """A line for each row, cells padded to the width of their column."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def markdown(rows: Rows) -> str:
    """A Markdown table; the first row is its header."""
    header, *body = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in [header, ["---"] * len(header), *body])


def count(number: int) -> str:
    """A whole number with narrow spaces between thousands: 50 000."""
    return f"{number:,}".replace(",", "\u202f")


def counted(number: int, what: str) -> str:
    """1 column, 2 columns."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def first_line(said: object, otherwise: str = "(without a message)") -> str:
    """The first line of a text, or of what an exception says; `otherwise` if that is nothing."""
    try:
        lines = str(said).splitlines()
    except Exception:  # an exception's own words may fail it
        lines = []
    return (lines or [otherwise])[0]
