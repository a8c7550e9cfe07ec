"""Files that are whole or not there at all: written beside their place, then renamed."""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A binary file that takes the place of `path` once all of it is on the disk, and not before.

    Raises:
        OSError: where there is no room or no right to write; what was at `path` before is then still there.

    >>> from pathlib import Path
    >>> place = Path("numbers.bin")
    >>> with mv.atomic.replacing(place) as file:
    ...     _ = file.write(b"all")
    ...     print(place.exists())
    False
    >>> place.read_bytes()
    b'all'
    """
    if not path.name:
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    beside = path.with_name(f".{path.name}.part")
    try:
        with beside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException as error:
        beside.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno and not error.filename:
            raise OSError(
                error.errno, error.strerror, str(path)
            ) from error  # a full disk names no file itself
        raise


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8, whole or not at all.

    >>> from pathlib import Path
    >>> mv.atomic.write_text(Path("formula.txt"), "σ′ = σ(1 − σ)")
    >>> Path("formula.txt").read_text(encoding="utf-8")
    'σ′ = σ(1 − σ)'
    """
    with replacing(path) as file:
        file.write(text.encode(errors="surrogateescape"))  # so that names of files come out as they went in
