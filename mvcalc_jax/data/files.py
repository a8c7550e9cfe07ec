"""Files that people bring: columns of numbers, and the strokes of a drawing.

Whatever is wrong with a file is said in one line, with the line of the file where there is one.
"""

import csv
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import svgelements
from jaxtyping import Float

from mvcalc_jax import require
from mvcalc_jax.text import counted

_CORNERS = 32
"""Straight pieces for one curved segment of a path."""

_RANGE = f"a finite number from {-require.LARGEST:g} to {require.LARGEST:g}"


def read_columns(path: Path, *shapes: tuple[str, ...]) -> Float[np.ndarray, "rows columns"]:
    """The numbers of a CSV file.

    Commas, semicolons, tabs or spaces separate; a first line of names, blank lines and lines that begin
    with # are skipped; with semicolons, decimal commas are understood.

    Args:
        path: the file.
        *shapes: the names of the columns, once for each number of columns that will do. Where the file names
            its columns and has these among them, it may have others too.

    Raises:
        ValueError: for text, a missing column, a missing number or one beyond ±1e100, or no numbers at all.
        OSError: for a file that cannot be read.
    """
    names, rows, separator = _cells(path)
    names = [name.lower() for name in names]
    if not rows:
        raise ValueError(f"{path} holds no numbers; a row of {_spoken(shapes)} for each line is needed")
    chosen = next((shape for shape in shapes if set(shape) <= set(names)), None)
    width = len(rows[0][1])
    columns = [names.index(name) for name in chosen] if chosen else list(range(width))
    if not chosen and width not in map(len, shapes):
        k = rows[0][0]
        raise ValueError(
            f"{path}, line {k}: columns {_spoken(shapes)} are needed; got {counted(width, 'column')}"
        )
    most = max(width, len(names))
    for k, cells in rows:
        if any(cells[most:]):
            raise ValueError(
                f"{path}, line {k}: {counted(most, 'column')} needed, as in the lines before; got {len(cells)}"
            )
    return np.array([[_number(path, k, cells, column, separator) for column in columns] for k, cells in rows])


def read_table(
    path: Path | str, *, omit: bool = False
) -> tuple[tuple[str, ...], Float[np.ndarray, "rows columns"]]:
    r"""The names of the columns of a CSV file, "column 1" and so on if it has none, and the numbers in them.

    Args:
        path: the file.
        omit: whether lines in which a number is missing, NaN or infinite are left out; else they are refused.

    Raises:
        ValueError: as `read_columns` does.
        OSError: for a file that cannot be read.

    >>> _ = Path("points.csv").write_text("x;y\n1;2,5\n2;4,5\n")
    >>> names, numbers = mv.data.read_table(Path("points.csv"))
    >>> names, numbers.tolist()
    (('x', 'y'), [[1.0, 2.5], [2.0, 4.5]])
    """
    names, rows, separator = _cells(path)
    if not rows:
        raise ValueError(
            f"{path} holds no numbers; give a row for each point, and in the first line the names"
        )
    width = len(names) or len(rows[0][1])
    names = names or [f"column {column + 1}" for column in range(width)]
    for k, cells in rows:
        if any(cells[width:]):
            raise ValueError(f"{path}, line {k}: {counted(width, 'column')} needed; got {len(cells)}")
    if omit:
        rows = [(k, cells) for k, cells in rows if len(cells) >= width and not any(map(_is_missing, cells))]
        if not rows:
            raise ValueError(f"{path} has no line in which no number is missing")
    return tuple(names), np.array(
        [[_number(path, k, cells, column, separator) for column in range(width)] for k, cells in rows]
    )


def _is_missing(cell: str) -> bool:
    try:
        return not math.isfinite(float(cell or "nan"))
    except ValueError:  # text, which is refused, or a decimal comma
        return False


def separator_of(lines: Iterable[str]) -> str:
    """What stands between the cells of these lines: a semicolon, a tab, a comma or spaces."""
    lines = list(lines)
    return next((s for s in ";\t," if any(s in line for line in lines)), " ")


def cells_of(path: Path | str, k: int, line: str, separator: str) -> list[str]:
    """The cells of the k-th line of a file.

    Raises:
        ValueError: for quotes that do not close.
    """
    try:
        line = line.strip() if separator == " " else line  # a tab at an end has an empty cell beside it
        cells = next(csv.reader([line], delimiter=separator, skipinitialspace=True))
    except csv.Error as error:
        raise ValueError(f"{path}, line {k}: {error}") from error
    return [cell.strip() for cell in cells]


def read_strokes(path: Path) -> list[Float[np.ndarray, "2 _"]]:
    """The paths and shapes of an SVG file as polylines, y upward, every transform applied.

    Raises:
        ValueError: for a file that is not SVG, in which nothing is drawn, or with coordinates beyond ±1e100.
        OSError: for a file that cannot be read.
    """
    read_text(path)
    try:
        drawing = svgelements.SVG.parse(str(path), reify=True)
    except Exception as error:  # the parser fails in many ways on what it does not expect
        raise ValueError(f"{path} is not an SVG file that can be read: {error}") from error
    if not isinstance(drawing, svgelements.SVG):  # some other XML
        raise ValueError(f"{path} is not an SVG file that can be read: it has no <svg> around it all")
    strokes = []
    for shape in drawing.elements(lambda element: isinstance(element, svgelements.Shape)):
        for part in svgelements.Path(shape).as_subpaths():
            points = [point for segment in part for point in _corners(segment)]
            if len(points) > 1:
                strokes.append(np.array([[point.x, -point.y] for point in points], float).T)
    if not strokes:
        raise ValueError(f"{path} draws nothing: a path, line, polygon or other shape is needed")
    for stroke in strokes:
        wild = stroke[~_in_range(stroke)]
        if wild.size:
            raise ValueError(f"{path}: every coordinate must be {_RANGE}; got {wild[0]:g}")
    return strokes


def _cells(path: Path | str) -> tuple[list[str], list[tuple[int, list[str]]], str]:
    """Names, if there are any, the cells of every line with its number, and what separates them."""
    lines = read_text(path).splitlines()
    kept = [
        (k, line) for k, line in enumerate(lines, 1) if line.strip() and not line.lstrip().startswith("#")
    ]
    separator = separator_of(line for _, line in kept)
    rows = [(k, cells_of(path, k, line, separator)) for k, line in kept]
    names = rows[0][1] if rows and not any(map(is_number, rows[0][1])) else []
    return names, rows[1:] if names else rows, separator


def _corners(segment: Any) -> list[Any]:
    """Where a segment leads: its end, or for a curved one points on the way too."""
    if isinstance(segment, (svgelements.Move, svgelements.Line, svgelements.Close)):
        return [] if segment.end is None else [segment.end]
    return [segment.point(k / _CORNERS) for k in range(1, _CORNERS + 1)]


def read_text(path: Path | str) -> str:
    """A text file in UTF-8.

    Raises:
        ValueError: for one that is not.
        OSError: for one that cannot be read.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not a text file in UTF-8") from None


def is_number(cell: str) -> bool:
    """Whether a cell is a number, with a point or a comma."""
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True


def number_in(path: Path | str, k: int, cells: list[str], column: int, separator: str) -> float:
    """The number in a cell of the k-th line of a file; with a decimal comma where semicolons separate.

    Raises:
        ValueError: where it is none.
    """
    cell = cells[column]
    try:
        return float(cell.replace(",", ".") if separator == ";" else cell)
    except ValueError:
        hint = "; decimal commas need semicolons between the columns" if is_number(cell) else ""
        raise ValueError(
            f"{path}, line {k}: column {column + 1} must be a number; got {_short(cell)!r}{hint}"
        ) from None


def _number(path: Path | str, k: int, cells: list[str], column: int, separator: str) -> float:
    if column >= len(cells) or not cells[column]:
        raise ValueError(f"{path}, line {k}: a number is missing in column {column + 1}")
    number = number_in(path, k, cells, column, separator)
    if not _in_range(number):
        raise ValueError(
            f"{path}, line {k}: column {column + 1} must be {_RANGE}; got {_short(cells[column])}"
        )
    return number


def _in_range(number: Any) -> Any:
    """Whether it is a number, and not beyond what can be computed with."""
    return np.abs(number) <= require.LARGEST  # false for NaN


def _short(cell: str) -> str:
    return cell if len(cell) <= 40 else f"{cell[:40]}…"


def _spoken(shapes: tuple[tuple[str, ...], ...]) -> str:
    return " or ".join(", ".join(shape) for shape in shapes)
