"""A run directory: what was asked, what came of it, and where to go on.

    runs/<experiment>/<UTC time>-s<seed>/
        config.json       settings, versions, device, command line
        metrics.csv       a line for each row of the trace
        params.npz        the parameters, an array for each leaf, named by its path in the tree
        checkpoint.npz    the whole result so far, for --resume
        report.md, *.png, *.gif

Every file is whole or not there at all, whenever the process dies. Arrays are stored without pickle:
nothing that a file contains is ever executed.
"""

import csv
import importlib.metadata
import io
import itertools
import json
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_args, get_type_hints

import jax
import numpy as np

from mvcalc_jax import text
from mvcalc_jax.atomic import replacing, write_text
from mvcalc_jax.descent.result import Result, Stream, Watcher, join
from mvcalc_jax.devices import Device
from mvcalc_jax.text import Rows

Config = TypeVar("Config")

_PACKAGES = ("mvcalc-jax", "jax", "jaxlib", "optax", "numpy")


def create(experiment: str, config: Any, seed: int, device: Device, root: Path) -> Path:
    """Make a new run directory under `root` and write its `config.json`.

    Raises:
        OSError: where the directory cannot be made or written.
    """
    stem, another = root / experiment / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-s{seed}", itertools.count(2)
    directory = stem
    while True:
        try:
            directory.mkdir(parents=True)
            break
        except FileExistsError:
            if not directory.is_dir():
                raise
            directory = stem.with_name(f"{stem.name}-{next(another)}")  # another run of this second
    description = {
        "experiment": experiment,
        "settings": asdict(config),
        "device": f"{device.platform} ({device.device_kind})",
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in _PACKAGES},
        "command": sys.argv,
    }
    write_text(directory / "config.json", json.dumps(description, indent=2, default=str) + "\n")
    return directory


def settings(directory: Path, experiment: str, kind: type[Config]) -> Config:
    """The settings that a run directory was made with.

    Raises:
        ValueError: where it is not the directory of a run of `experiment`.
    """
    path = directory / "config.json"
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
        found, values = description["experiment"], dict(description["settings"])
        hints = get_type_hints(kind)
        config = kind(**{name: _revived(hints[name], value) for name, value in values.items()})
    except (FileNotFoundError, NotADirectoryError):
        raise ValueError(f"{directory} is no run directory: it has no config.json") from None
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is damaged or from elsewhere ({error}); start a new run") from None
    if found != experiment:
        raise ValueError(f"{directory} is a run of {found}, not of {experiment}")
    return config


def _revived(hint: Any, value: Any) -> Any:
    """A setting as it was: JSON knows no tuples and no paths."""
    if value is not None and (hint is Path or Path in get_args(hint)):
        return Path(value)
    return tuple(value) if isinstance(value, list) else value


def require_same(before: Any, now: Any, but: Sequence[str]) -> None:
    """Refuse to go on with a run under other settings, except those named."""
    for field in fields(before):
        was, is_now = getattr(before, field.name), getattr(now, field.name)
        if field.name not in but and was != is_now:
            raise ValueError(
                f"a resumed run keeps its settings: {field.name} was {was} and cannot become {is_now}"
            )


class Picture(NamedTuple):
    """A picture in a report: its caption, and the name of its file in the run directory."""

    caption: str
    file: str


class Verbatim(str):
    """Lines of a report that are shown as they stand."""


class Written(str):
    """Markdown for the report alone, such as a heading."""


def report(directory: Path, title: str, *blocks: str | Picture | Rows) -> None:
    """Say what came of a run: with pictures in `report.md`, and without them on the screen.

    Args:
        directory: of the run.
        title: of the report.
        *blocks: sentences, and rows of tables; `Verbatim`, `Written` and `Picture`. Empty ones are left out.
    """
    written, said = [f"# {title}"], ["", title]
    for block in blocks:
        if isinstance(block, Picture):
            written.append(f"![{block.caption}]({block.file})")
        elif isinstance(block, Verbatim):
            written.append(f"```\n{block}\n```")
            said.append(f"\n{block}")
        elif isinstance(block, Written):
            written.append(block)
        elif not isinstance(block, str):
            written.append(text.markdown(block))
            said.append(f"\n{text.columns(block)}")
        elif block:
            written.append(block)
            said.append(block)
    write_text(directory / "report.md", "\n\n".join(written) + "\n")
    files = sorted(path.name for path in directory.iterdir() if path.suffix in (".md", ".png", ".gif"))
    print("\n".join([*said, f"\nwrote {directory}: {', '.join(files)}"]))


def write_metrics(path: Path, columns: Mapping[str, Sequence[Any] | np.ndarray]) -> None:
    """Write columns of equal length as CSV, with their names as its header."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    write_text(path, table.getvalue())


def save_arrays(path: Path, tree: Any) -> None:
    """Write every leaf of a tree of arrays to an `.npz` file, under its path in the tree."""
    arrays: Any = {jax.tree_util.keystr(key): np.asarray(leaf) for key, leaf in _leaves(tree)}
    with replacing(path) as file:
        np.savez(file, **arrays)


def load_arrays(path: Path, like: Any) -> Any:
    """Read a tree of arrays that `save_arrays` wrote.

    Args:
        path: of the `.npz` file.
        like: a tree of the structure, dtypes and shapes expected; where it has an axis of length 0, any
            length will do.

    Raises:
        ValueError: where the file is cut short, or its arrays are others.
        OSError: where it cannot be read.
    """
    with path.open("rb") as opened:
        try:
            with np.load(opened, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
        except Exception as error:  # a damaged archive can fail in any way
            what = f"{type(error).__name__}: {error}"
            raise ValueError(
                f"{path} is damaged, or no file of arrays ({what}); delete it to start anew"
            ) from None
    leaves = []
    for key, leaf in _leaves(like):
        name, expected = jax.tree_util.keystr(key), np.asarray(leaf)
        found = arrays.pop(name, None)
        if found is None:
            raise ValueError(
                f"{path} belongs to another kind of run: it lacks {name}; delete it to start anew"
            )
        fits = found.ndim == expected.ndim and all(
            want in (0, got) for want, got in zip(expected.shape, found.shape, strict=True)
        )
        if found.dtype != expected.dtype or not fits:
            raise ValueError(
                f"{path} belongs to another kind of run: {name} must be {expected.dtype}{list(expected.shape)}; "
                f"got {found.dtype}{list(found.shape)}; delete it to start anew"
            )
        leaves.append(found)
    if arrays:
        raise ValueError(f"{path} belongs to another kind of run: it also holds {min(arrays)}")
    return jax.tree.unflatten(jax.tree.structure(like), leaves)


def checkpoints(path: Path, *, seconds: float = 2.0) -> Watcher:
    """A watcher that saves the result so far every few seconds, and when the run ends, however it ends."""

    def watch(stream: Stream) -> Stream:
        parts: list[Result] = []
        saved, last = 0, time.monotonic()
        try:
            for part in stream:
                parts.append(part)
                if time.monotonic() - last >= seconds:
                    parts = [join(parts)]
                    save_arrays(path, parts[0])
                    saved, last = part.steps, time.monotonic()
                yield part
        finally:
            if parts and saved != parts[-1].steps:
                save_arrays(path, join(parts))

    return watch


def _leaves(tree: Any) -> list[tuple[Any, Any]]:
    return jax.tree_util.tree_leaves_with_path(tree)
