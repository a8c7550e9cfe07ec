"""Games as text: JSON to go on with, and codes by which a pit is shared.

What is read is believed no further than it can be checked: every field has its kind, the dips are dug again by the
rules, and a depth that is not the floor's gives the file away. Nothing in it is run, unless the caller trusts it.
"""

import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from mvcalc_jax import require
from mvcalc_jax.sandpit.floors import FLOORS, Floor
from mvcalc_jax.sandpit.state import DIPS, MODES, Lane, State, Status, dug, hinted, shown
from mvcalc_jax.sandpit.strategies import STRATEGIES

_FORMAT = "mvcalc-jax sandpit 1"
_LARGEST = 1_000_000
"""Bytes of a file; the longest game has some thousand."""
_SAME = 1e-6
"""Metres: depths may differ by as much between machines."""
_CODE = re.compile(r"([a-z]+)-([0-9]{1,18})-([a-z]+)")


class Told(NamedTuple):
    """What a file says: a state without dips, the dips as (x, y, depth, by), and the rest, still to be checked."""

    state: State
    dips: tuple[tuple[float, float, float, str], ...]
    hints: tuple[int, ...]
    lanes: tuple[Lane, ...]
    note: str
    revealed: bool


def code(state: State) -> str:
    """FLOOR-SEED-MODE; "" where the floor is a file's."""
    return "" if ":" in state.floor else f"{state.floor}-{state.seed}-{state.mode}"


def from_code(given: str) -> tuple[str, str, int]:
    """Floor, mode and seed.

    Raises:
        ValueError: where it is no code.
    """
    found = _CODE.fullmatch(given.strip().lower()) if isinstance(given, str) else None
    if not found:
        shown = repr(given) if len(repr(given)) < 60 else f"{repr(given)[:50]}…"
        raise ValueError(f"a code must be FLOOR-SEED-MODE, such as random-7-gradient; got {shown}")
    name, seed, mode = found.groups()
    require.one_of("floor", name, FLOORS)
    require.one_of("mode", mode, MODES)
    return name, mode, int(seed)


def written(state: State) -> str:
    """A game as JSON."""
    fields = {
        "format": _FORMAT,
        "floor": state.floor,
        "seed": state.seed,
        "mode": state.mode,
        "strategy": state.strategy,
        "learning_rate": state.learning_rate,
        "racers": state.racers,
        "dips": [{"x": d.x, "y": d.y, "depth": d.depth, "by": d.by} for d in state.dips],
        "hints": state.hints,
        "lanes": [lane._asdict() for lane in state.lanes],
        "note": state.note,
        "revealed": state.revealed,
    }
    return json.dumps(fields, indent=1, ensure_ascii=False) + "\n"


def read(path: Path, trusted: bool) -> Told:
    """What a file says, each field of the kind that it must be.

    Raises:
        ValueError: where it is not the file of a game, or names files of Python and is not trusted.
        OSError: where it cannot be read.
    """
    with path.open("rb") as file:
        raw = file.read(_LARGEST + 1)
    try:
        if len(raw) > _LARGEST:
            raise _Wrong("it is too large")
        told = _told(json.loads(raw.decode(), parse_constant=_no_number))
    except _Wrong as wrong:
        raise ValueError(f"{path} is not the file of a game: {wrong}") from None
    except (ValueError, RecursionError):
        raise ValueError(f"{path} is not the file of a game: it is no JSON") from None
    files = [name for name in (told.state.floor, told.state.strategy, *told.state.racers) if ":" in name]
    if files and not trusted:
        raise ValueError(
            f"{path} names {files[0]}, which is code that would be run; if you trust it, load it with trusted=True"
        )
    return told


def replayed(path: Path, told: Told, floor: Floor) -> State:
    """The state that a file tells of, by the rules.

    Raises:
        ValueError: where they do not allow it.
    """
    state = told.state
    try:
        for k in range(len(told.dips) + 1):
            for _ in range(told.hints.count(k)):
                state = hinted(state)
            if k < len(told.dips):
                x, y, depth, by = told.dips[k]
                state = dug(state, floor, (x, y), by)
                if abs(state.dips[-1].depth - depth) > _SAME:
                    real = f"it is {-state.dips[-1].depth:.6g} m deep there"
                    raise _Wrong(f"dip {k + 1} is said to be {-depth:.6g} m deep, and {real}")
    except ValueError as error:
        raise ValueError(f"{path} was not made by the rules: {error}") from None
    state = replace(state, lanes=told.lanes, note=told.note)
    if state.won is not None:
        last = state.dips[-1]._replace(status=Status.FOUND)
        state = replace(state, dips=(*state.dips[:-1], last))
    return shown(state) if told.revealed else state


class _Wrong(ValueError):
    """What is wrong with a file, in a sentence without its subject."""


def _no_number(name: str) -> float:
    raise _Wrong(f"{name} is no number")


def _told(found: Any) -> Told:
    """The fields of a file."""
    if not isinstance(found, dict) or found.get("format") != _FORMAT:
        raise _Wrong(f"its format must be {_FORMAT!r}")
    taken = dict(found)
    taken.pop("format")
    field = lambda name, kind: _taken(taken, name, kind)
    floor, strategy = field("floor", _floor), field("strategy", _strategy)
    seed, mode = field("seed", _whole(0, 10**18)), field("mode", _one_of(MODES))
    rate = field("learning_rate", lambda v: None if v is None else _positive(v))
    racers = tuple(field("racers", _list(_strategy, 1, 100)))
    by: Kind = lambda v: _strategy(v) if v and mode == "automatic" else _one_of(("",))(v)
    dips = field("dips", _list(_record(x=_number, y=_number, depth=_number, by=by), 0, DIPS + 1))
    hints = tuple(field("hints", _list(_whole(0, len(dips)), 0, DIPS)))
    lane = _record(strategy=_strategy, dips=_whole(1, DIPS), depth=_number, found=_bool, message=_text)
    lanes = field("lanes", _list(lane, 0, 100 if mode == "race" and dips else 0))
    note, revealed = field("note", _text), field("revealed", _bool)
    if taken:
        raise _Wrong(f"there is no field {min(taken)!r}")
    return Told(
        State(floor, seed, mode, strategy, rate, racers),
        tuple(tuple(dip.values()) for dip in dips),
        hints,
        tuple(Lane(**lane) for lane in lanes),
        note,
        revealed,
    )


Kind = Callable[[Any], Any]
"""What a field must be: it returns the value, or raises `_Wrong` with what it must be."""


def _taken(fields: dict[str, Any], name: str, kind: Kind) -> Any:
    if name not in fields:
        raise _Wrong(f"{name} is missing")
    value = fields.pop(name)
    try:
        return kind(value)
    except _Wrong as wrong:
        raise _Wrong(f"{name} {wrong}") from None


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 1000:
        raise _Wrong("must be a text of at most 1000 letters")
    return value


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Wrong("must be true or false")
    return value


def _number(value: Any) -> float:
    known = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not (
        known and abs(value) <= sys.float_info.max
    ):  # which NaN is not, nor a whole number that is too large
        raise _Wrong("must be a finite number")
    return float(value)


def _positive(value: Any) -> float:
    if (number := _number(value)) <= 0:
        raise _Wrong("must be positive, or null")
    return number


def _whole(least: int, most: int) -> Kind:
    def kind(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise _Wrong(f"must be a whole number from {least} to {most}")
        return value

    return kind


def _one_of(known: tuple[str, ...]) -> Kind:
    def kind(value: Any) -> str:
        if value not in known:
            raise _Wrong(f"must be one of {', '.join(map(repr, known))}")
        return value

    return kind


def _floor(value: Any) -> str:
    return value if isinstance(value, str) and ":" in value else _one_of(tuple(FLOORS))(value)


def _strategy(value: Any) -> str:
    return value if isinstance(value, str) and ":" in value else _one_of(tuple(STRATEGIES))(value)


def _list(kind: Kind, least: int, most: int) -> Kind:
    def listed(value: Any) -> list[Any]:
        if not isinstance(value, list) or not least <= len(value) <= most:
            raise _Wrong(f"must be a list of {least} to {most}")
        return [kind(each) for each in value]

    return listed


def _record(**kinds: Kind) -> Kind:
    def record(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict) or value.keys() != kinds.keys():
            raise _Wrong(f"must have the fields {', '.join(kinds)}")
        return {name: _taken(dict(value), name, kind) for name, kind in kinds.items()}

    return record
