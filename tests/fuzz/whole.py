"""Whether files are whole: each of the kind that its name says, from its beginning to its end."""

import csv
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
from PIL import Image


def _picture(path: Path) -> None:
    with Image.open(path) as image:
        for frame in range(getattr(image, "n_frames", 1)):
            image.seek(frame)
            image.load()


def _table(path: Path) -> None:
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        rows = list(csv.reader(file))
    assert rows and len({len(row) for row in rows}) == 1, "rows of one length"


def _text(path: Path) -> None:
    assert path.read_text(encoding="utf-8", errors="surrogateescape").endswith("\n"), "a last line that ends"


def _arrays(path: Path) -> None:
    with np.load(path) as arrays:
        for name in arrays.files:
            arrays[name]


def _parquet(path: Path) -> None:
    import pyarrow.parquet

    pyarrow.parquet.read_table(path)


READ = {
    ".json": lambda path: json.loads(path.read_text(encoding="utf-8")),
    ".npy": lambda path: np.asarray(np.load(path)),
    ".npz": _arrays,
    ".csv": _table,
    ".png": _picture,
    ".gif": _picture,
    ".svg": ET.parse,
    ".md": _text,
    ".html": _text,
    ".parquet": _parquet,
}


def files(folder: Path) -> dict[Path, tuple[int, int]]:
    """All files below a folder, by when they were written and their size."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            stat = path.stat()
            found[path] = stat.st_mtime_ns, stat.st_size
    return found


def broken(folder: Path, before: dict[Path, tuple[int, int]], *, killed: bool = False) -> list[str]:
    """What is not whole among the files below a folder that are new.

    Args:
        folder: to look in.
        before: what `files` found there before.
        killed: whether the process was given no chance to tidy up.
    """
    found = []
    for path, stamp in files(folder).items():
        if before.get(path) == stamp:
            continue
        if path.name.startswith(".") and path.suffix == ".part":
            found += [] if killed else [f"{path.name} left behind"]
        elif path.suffix in READ:
            try:
                READ[path.suffix](path)
            except ImportError:
                continue
            except Exception as error:
                found.append(f"{path.suffix} that is not whole: {type(error).__name__}: {error}")
    return found
