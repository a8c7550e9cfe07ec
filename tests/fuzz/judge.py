"""What is wrong with an error, a warning, a result."""

import inspect
import re
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import mvcalc_jax
from mvcalc_jax import command
from mvcalc_jax.text import first_line

PACKAGE = Path(mvcalc_jax.__file__).parent
USERS = Path(__file__).with_name("functions.py")
HONEST = ("overflow encountered in cast",)
"""Warnings that may be given: a float64 that is too large for the float32 that JAX computes in."""
SYSTEMS = (
    "expected str, bytes or os.PathLike object",
    "embedded null byte",
    "argument should be a str",
)
"""What Python says of paths that are none is as clear as what the system says of files that are none."""
_NUMBERS = re.compile(r"[-+]?\d[\d.e+-]*|0x\w+")


class Finding(NamedTuple):
    """What is wrong: of which kind, its cause in a line that all its cases have in common, and details of this case."""

    kind: str
    cause: str
    detail: str


def of_error(
    error: BaseException, refusals: tuple[type[Exception], ...] = (), doing: str = ""
) -> Finding | None:
    """None if the package refuses in its own words, or a user's function failed."""
    frames = traceback.extract_tb(error.__traceback__)
    place = next((f for f in reversed(frames) if _told_by(f)), frames[-1])
    said = first_line(error, "")
    if (
        Path(place.filename) == USERS
        or isinstance(error, (MemoryError, *refusals))
        or said.startswith(SYSTEMS)
    ):
        return None
    if isinstance(error, Exception) and command.meant_for_the_user(error):
        return (
            None
            if re.search(r"\w{2}", str(error))
            else Finding("unclear", f"{_place(place)} says nothing", repr(error))
        )
    told = "".join(traceback.format_exception(error)[-14:])[-1800:]
    if not _told_by(place):
        return Finding("recipe", f"{type(error).__name__}: {said} in {place.name}", told)
    return Finding(
        "traceback",
        f"{type(error).__name__} from {_place(place)}{doing}: {_NUMBERS.sub('#', said)[:90]}",
        told,
    )


def _told_by(frame: traceback.FrameSummary) -> bool:
    """Whether a frame stands in the package, or in a user's function."""
    path = Path(frame.filename)
    return path.is_relative_to(PACKAGE) or path == USERS or path.stem == "planted"


def _place(frame: traceback.FrameSummary) -> str:
    path = Path(frame.filename)
    return f"{path.relative_to(PACKAGE) if path.is_relative_to(PACKAGE) else path.name}:{frame.lineno} {frame.name}"


def of_warnings(caught: list[warnings.WarningMessage]) -> Iterator[Finding]:
    """Warnings that no user's function gave."""
    for w in caught:
        path = Path(w.filename)
        if path.parent != USERS.parent or path.stem == "planted":
            said = _NUMBERS.sub("#", first_line(w.message))[:90]
            if any(honest in said for honest in HONEST):
                continue
            place = path.relative_to(PACKAGE) if path.is_relative_to(PACKAGE) else path.name
            yield Finding("warning", f"{w.category.__name__} at {place}:{w.lineno}: {said}", str(w.message))


def of_result(result: Any, refusals: tuple[type[Exception], ...]) -> Iterator[Finding]:
    """Reads all that a result has to say, as a notebook would."""
    for thing in (result, *(result[:2] if type(result) in (tuple, list) else ())):
        if not type(thing).__module__.startswith("mvcalc_jax") or inspect.isclass(thing):
            continue
        readers = {"str()": str, "repr()": repr}
        if hasattr(type(thing), "_repr_html_"):
            readers["_repr_html_()"] = lambda thing: thing._repr_html_()
        ours = [cls for cls in type(thing).__mro__ if cls.__module__.startswith("mvcalc_jax")]
        properties = [n for cls in ours for n, member in vars(cls).items() if isinstance(member, property)]
        readers |= {
            f".{n}": lambda thing, n=n: getattr(thing, n) for n in properties if not n.startswith("_")
        }
        for name, read in readers.items():
            try:
                read(thing)
            except Exception as error:
                found = of_error(error, refusals, f" reading {type(thing).__name__}{name}")
                if found:
                    yield found
        yield from _contradictions(thing)


def _contradictions(thing: Any) -> Iterator[Finding]:
    """A slope that was found and is none, a root, a descent."""
    kind = type(thing).__name__
    if kind == "Estimate" and np.any(np.asarray(thing.found) & ~np.isfinite(np.asarray(thing.error))):
        yield Finding("false", "an Estimate that was found, without an error", repr(thing)[:500])
    if kind == "Root" and thing.success and not np.all(np.isfinite(thing.x)):
        yield Finding("false", "a Root that is not finite", repr(thing)[:500])
    if (
        kind == "Report"
        and thing.verdict == "correct"
        and any(leaf.error != leaf.error for leaf in thing.leaves)
    ):
        yield Finding("false", "a correct Report with an error that is NaN", str(thing)[:500])
