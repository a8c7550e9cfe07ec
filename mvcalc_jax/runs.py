"""A run directory: what was asked, what came of it, and where to go on.

    runs/<experiment>/<UTC time>-s<seed>/
        config.json       settings, versions, device, command line
        metrics.csv       a line for each row of the trace
        params.npz        the parameters, an array for each leaf, named by its path in the tree
        checkpoint.npz    the whole result so far, for --resume
        report.md, *.png, *.gif

Every file is whole or not there at all, whenever the process dies.
"""

import contextlib
import csv
import hashlib
import importlib.metadata
import io
import itertools
import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_args, get_type_hints

import jax
import numpy as np

try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None

from mvcalc_jax import __version__, output, text
from mvcalc_jax.arrays import load_arrays as load_arrays
from mvcalc_jax.arrays import save_arrays as save_arrays
from mvcalc_jax.atomic import write_text
from mvcalc_jax.descent.result import Result, Stream, Watcher, join
from mvcalc_jax.devices import Device
from mvcalc_jax.text import Rows

Config = TypeVar("Config", bound=Any)

_CONFIG = "config.json"
_PACKAGES = ("jax", "jaxlib", "optax", "numpy")


def create(experiment: str, config: Any, seed: int, device: Device, root: Path, data: Any = ()) -> Path:
    """Make a new run directory under `root` and write its `config.json`.

    Raises:
        OSError: where the directory cannot be made or written.

    >>> directory = mv.runs.create("dig", mv.sandpit.State(seed=7), 7, jax.devices()[0], Path("runs"))
    >>> directory.name.endswith("-s7"), [file.name for file in directory.iterdir()]
    (True, ['config.json'])
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
    try:
        describe(directory, experiment, config, device, data)
    except OSError:
        directory.rmdir()
        raise
    return directory


def describe(directory: Path, experiment: str, config: Any, device: Device, data: Any = ()) -> None:
    """Write the `config.json` of a run: its settings, what it works with and on, and a digest of its data.

    >>> mv.runs.describe(Path(), "dig", mv.sandpit.State(seed=7), jax.devices()[0])
    """
    description = {
        "experiment": experiment,
        "settings": asdict(config),
        "data": digest(data),
        "device": f"{device.platform} ({device.device_kind})",
        "python": platform.python_version(),
        "versions": {"mvcalc-jax": __version__} | {n: importlib.metadata.version(n) for n in _PACKAGES},
        "command": sys.argv,
    }
    write_text(directory / _CONFIG, json.dumps(description, indent=2, default=str) + "\n")


def digest(tree: Any) -> str:
    """A short name for the contents of a tree of arrays: another one for other contents.

    >>> mv.runs.digest(np.arange(3.0)) == mv.runs.digest(np.arange(4.0))
    False
    """
    sha = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        array = np.ascontiguousarray(leaf)
        sha.update(f"{jax.tree_util.keystr(path)} {array.dtype} {array.shape} ".encode())
        sha.update(array.tobytes())
    return sha.hexdigest()[:16]


def settings(directory: Path, experiment: str, kind: type[Config]) -> Config:
    """The settings that a run directory was made with.

    Raises:
        ValueError: where it is not the directory of a run of `experiment`.

    >>> mv.runs.describe(Path(), "dig", mv.sandpit.State(seed=7), jax.devices()[0])
    >>> mv.runs.settings(Path(), "dig", mv.sandpit.State).seed
    7
    """
    path = directory / _CONFIG
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
        found, values = description["experiment"], dict(description["settings"])
        hints, known = get_type_hints(kind), fields(kind())  # every setting has a default
        config = kind(**{field.name: _revived(field, hints, values.pop(field.name)) for field in known})
        if values:
            raise ValueError(f"there is no setting {min(values)}")
    except (FileNotFoundError, NotADirectoryError):
        raise ValueError(f"{directory} is no run directory: it has no {_CONFIG}") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        what = f"{type(error).__name__}: {error}"
        raise ValueError(f"{path} is damaged or from elsewhere ({what}); start a new run") from None
    if found != experiment:
        raise ValueError(f"{directory} is a run of {found}, not of {experiment}")
    return config


def _revived(field: Any, hints: dict[str, Any], value: Any) -> Any:
    """A setting as it was: JSON knows no tuples and no paths."""
    hint = hints[field.name]
    if value is not None and (hint is Path or Path in get_args(hint)):
        return Path(value)
    value = tuple(value) if isinstance(value, list) else value
    kinds = (int, float) if isinstance(field.default, float) else (type(field.default),)
    if field.default is not None and not isinstance(value, kinds):
        raise TypeError(f"{field.name} cannot be {value!r}")
    return value


def require_same_data(directory: Path, data: Any) -> None:
    """Refuse to go on with a run whose data have changed since.

    >>> mv.runs.describe(Path(), "dig", mv.sandpit.State(), jax.devices()[0], data=np.arange(3.0))
    >>> mv.runs.require_same_data(Path(), np.arange(3.0))
    """
    before = json.loads((directory / _CONFIG).read_text(encoding="utf-8")).get("data")
    if before != digest(data):
        raise ValueError(
            f"the data of {directory} have changed since, in their file or by hand; start a new run"
        )


@contextlib.contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Within it, no other process works in a run directory; the system sees to it, even if this one is killed.

    Raises:
        ValueError: where another process is at work there.

    >>> with mv.runs.alone(Path()): mv.runs.save_arrays("params.npz", {"W": np.eye(2)})
    """
    if fcntl is None:
        yield
        return
    opened = os.open(directory, os.O_RDONLY)
    try:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(f"another process is at work in {directory}; wait for it, or stop it") from None
        yield
    finally:
        os.close(opened)


def discard_unused(directory: Path) -> bool:
    """Remove a run directory in which nothing was computed yet; whether it was one.

    >>> mv.runs.discard_unused(mv.runs.create("dig", mv.sandpit.State(), 0, jax.devices()[0], Path("runs")))
    True
    """
    if {path.name for path in directory.iterdir()} != {_CONFIG}:
        return False
    shutil.rmtree(directory)
    return True


def require_same(before: Any, now: Any, but: Sequence[str]) -> None:
    """Refuse to go on with a run under other settings, except those named.

    >>> mv.runs.require_same(mv.sandpit.State(seed=1), mv.sandpit.State(seed=2), but=("seed",))
    """
    for field in fields(before):
        was, is_now = getattr(before, field.name), getattr(now, field.name)
        if field.name not in but and was != is_now:
            raise ValueError(
                f"a resumed run keeps its settings: {field.name} was {was} and cannot become {is_now}"
            )


class Picture(NamedTuple):
    """A picture in a report: its caption, and the name of its file in the run directory.

    >>> mv.runs.Picture("Cost by step", "cost.png").file
    'cost.png'
    """

    caption: str
    file: str


class Verbatim(str):
    r"""Lines of a report that are shown as they stand.

    >>> mv.runs.Verbatim("a   b")
    'a   b'
    """


class Written(str):
    """Markdown for the report alone, such as a heading.

    >>> mv.runs.Written("## Errors")
    '## Errors'
    """


class Next(NamedTuple):
    """What to try next: a command, and what one sees then.

    >>> mv.runs.Next("mvcalc doctor", "whether all is well").command
    'mvcalc doctor'
    """

    command: str
    what: str


def report(directory: Path, title: str, *blocks: str | Picture | Next | Rows) -> None:
    """Say what came of a run: with pictures in `report.md`, and without them on the screen or as a document.

    Args:
        directory, title: of the run, and of its report.
        *blocks: sentences, and rows of tables; `Verbatim`, `Written` and `Picture`. Empty ones are left out. Each
            `Next` stands at the end.

    >>> mv.runs.describe(Path(), "dig", mv.sandpit.State(), jax.devices()[0])
    >>> mv.runs.report(Path(), "An example", "All went well.")
    An example
    All went well.
    wrote .: report.md
    """
    written, said = [f"# {title}"], ["", title]
    ahead = [block for block in blocks if isinstance(block, Next)]
    there = [block for block in blocks if not isinstance(block, Next) and len(block)]
    for block in there:
        if isinstance(block, Picture):
            # what stands in brackets is not shown
            written.append(f"![{block.caption}]({block.file})\n\n*{block.caption}*")
        elif isinstance(block, Verbatim):
            written.append(f"```\n{block}\n```")
            said.append(f"\n{block}")
        elif isinstance(block, Written):
            written.append(block)
        elif not isinstance(block, str):
            written.append(text.markdown(block))
            said.append(f"\n{text.columns(block)}")
        else:
            written.append(block)
            said.append(block)
    if ahead:
        written.append("## What to try next")
        written.append("\n".join(f"- `{block.command}`: {block.what}" for block in ahead))
    write_text(directory / "report.md", "\n\n".join(written) + "\n")
    shown = sorted(path.name for path in directory.iterdir() if path.suffix in (".md", ".png", ".gif"))
    said.append(f"\nwrote {directory}: {', '.join(shown)}")
    description = json.loads((directory / _CONFIG).read_text(encoding="utf-8"))
    document = {
        **{name: description[name] for name in ("experiment", "settings", "device", "versions")},
        "run": directory,
        "title": title,
        "sentences": [block for block in there if isinstance(block, str) and not isinstance(block, Written)],
        "tables": [output.table(block) for block in there if not isinstance(block, (str, Picture))],
        "pictures": [block._asdict() for block in there if isinstance(block, Picture)],
        "files": sorted(path.name for path in directory.iterdir()),
        "next": [block._asdict() for block in ahead],
    }
    output.answer("\n".join([*said, *(f"next: {block.command}" for block in ahead)]), document)


def write_metrics(directory: Path, columns: Mapping[str, Sequence[Any] | np.ndarray]) -> None:
    """Write columns of equal length as the `metrics.csv` of a run, with their names as its header.

    >>> mv.runs.write_metrics(Path(), {"step": [0, 1], "cost": [2.0, 0.5]})
    """
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    write_text(directory / "metrics.csv", table.getvalue())


def checkpoints(path: Path | str, *, seconds: float = 2.0) -> Watcher:
    """A watcher that saves the result so far every few seconds, and when the run ends, however it ends.

    >>> watch = [mv.runs.checkpoints("checkpoint.npz")]
    >>> run = mv.steepest_descent(lambda p: p, np.float32([1.0]), steps=4, learning_rate=0.5, watch=watch)
    >>> print(mv.runs.load_arrays("checkpoint.npz", like=run).params)
    [0.0625]
    """

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
