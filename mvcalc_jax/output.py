"""What a command answers: words for people, or under `--json` one document for programs, and nothing else on stdout.

A document is JSON as RFC 8259 has it: what is infinite or NaN is null. Whatever else is written to stdout then, by
print, by a child process or by C, goes to stderr.
"""

import contextlib
import json
import math
import os
import sys
from collections.abc import Iterator, Mapping, Sequence, Set
from contextvars import ContextVar
from pathlib import PurePath
from typing import Any

from mvcalc_jax.text import Rows

_DOCUMENTS: ContextVar[list[Any] | None] = ContextVar("documents", default=None)


def answer(words: str, document: Any) -> None:
    """Say what a command has found, once.

    Args:
        words: printed, unless a document is wanted.
        document: the same in dicts, lists, strings and numbers, arrays included; see `plain`.
    """
    documents = _DOCUMENTS.get()
    if documents is None:
        print(words, flush=True)
    else:
        documents.append(plain(document))


def wanted() -> bool:
    """Whether a document is wanted, and not words."""
    return _DOCUMENTS.get() is not None


@contextlib.contextmanager
def one_document() -> Iterator[None]:
    """Within it `answer` keeps its document, which is printed at the end, alone, as JSON."""
    documents: list[Any] = []
    before, stdout = _DOCUMENTS.set(documents), sys.stdout
    try:
        with stdout_kept():
            yield
    finally:
        _DOCUMENTS.reset(before)
    for document in documents:
        print(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False), file=stdout, flush=True)


@contextlib.contextmanager
def stdout_kept() -> Iterator[None]:
    """Whatever is written to stdout within goes to stderr: by print, by a child process, or by C."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        for stream in (sys.__stdout__, sys.stderr):
            if stream:
                stream.flush()
        os.dup2(kept, 1)
        os.close(kept)


def plain(value: Any) -> Any:
    """A value in dicts, lists, strings, booleans, whole and finite numbers; what is infinite or NaN is None."""
    if hasattr(value, "tolist"):  # an array, or a number of NumPy's
        value = value.tolist()
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (Sequence, Set)) and not isinstance(value, str):
        return [plain(each) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int)):
        return value
    return os.fspath(value) if isinstance(value, PurePath) else str(value)


def table(rows: Rows) -> dict[str, Any]:
    """Rows of a report: the first are the columns. Numbers in the cells are read as such, and 2.5 ± 0.1 as a pair."""
    header, *body = rows
    return {"columns": list(header), "rows": [[_cell(cell) for cell in row] for row in body]}


def _cell(cell: str) -> Any:
    digits = cell.replace("\u2212", "-").replace("\u202f", "")
    for number in (int, float):
        with contextlib.suppress(ValueError):
            return number(digits)
    value, sign, error = digits.partition("±")
    if not sign:
        return cell
    pair = {"value": _cell(value.strip()), "error": _cell(error.strip())}
    return pair if all(isinstance(each, (int, float)) for each in pair.values()) else cell
