"""A function step by step: every primitive operation that it performed at a point, and the values between them."""

import linecache
import re
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.extend.core import Jaxpr

from mvcalc_jax import jaxprs
from mvcalc_jax.jaxprs import opened
from mvcalc_jax.verify.points import Leaves

STEPS = 1500
"""Longer functions are not taken apart."""

_LONG = 100
"""So much of a line is quoted."""

_HERE, _JAX = Path(__file__).parents[1], Path(jax.__file__).parent


class TooLong(Exception):
    """The function has more than `STEPS` steps, or one that cannot be taken apart."""


class Step(NamedTuple):
    """One operation: outputs = apply(*inputs), all of them numbers of values on the tape.

    `site` is where it stands in the function; steps of a loop's rounds share it. `line` is the user's line.
    """

    primitive: str
    params: dict[str, Any]
    apply: Callable[..., list]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    site: tuple[int, ...]
    line: str


class Region(NamedTuple):
    """A function inside the function that is called by a name, such as `softmax`: the steps from first to last.

    `source` and `result` are the values that go in and come out, where there is one of each to differentiate.
    """

    name: str
    site: tuple[int, ...]
    line: str
    first: int
    last: int
    source: int
    result: int


class Tape(NamedTuple):
    """All values that a function computed at a point, and the steps between them.

    `arguments` are the numbers of all arguments, `inputs` of those to differentiate by, and `names` what they are
    called.
    """

    values: list[Any]
    steps: list[Step]
    regions: list[Region]
    arguments: list[int]
    inputs: list[int]
    outputs: list[int]
    names: dict[int, str]


def record(f: Callable[..., Any], leaves: Leaves, others: Leaves, names: Sequence[str] = ()) -> Tape:
    """Run f step by step; `names` are those of the leaves.

    Raises:
        TooLong: if there are too many steps.
        Exception: whatever f raises.
    """
    closed = jax.make_jaxpr(f)(leaves, others)
    tape = Tape([], [], [], [], [], [], {})
    every = [_kept(tape, leaf) for leaf in [*leaves, *others]]
    tape.arguments.extend(every)
    tape.names.update(zip(every, names, strict=False))
    tape.inputs.extend(every[: len(leaves)])
    tape.outputs.extend(_run(tape, closed.jaxpr, closed.consts, every, (), ""))
    _share_sites(tape)
    return tape


def _share_sites(tape: Tape) -> None:
    """Give steps of a line that was run through several times, in a loop of Python's, the same sites."""
    visits: dict[str, list[list[int]]] = {}
    before = ""
    for k, step in enumerate(tape.steps):
        if step.line and step.line != before:
            visits.setdefault(step.line, []).append([])
        if step.line:
            visits[step.line][-1].append(k)
        before = step.line
    for runs in visits.values():
        if len(runs) == 1:
            runs = _periods(runs[0], [tape.steps[k].primitive for k in runs[0]])
        kinds = [[tape.steps[k].primitive for k in run] for run in runs]
        if len(runs) > 1 and all(kind == kinds[0] for kind in kinds):
            for run in runs[1:]:
                for first, k in zip(runs[0], run, strict=True):
                    tape.steps[k] = tape.steps[k]._replace(site=tape.steps[first].site)


def _periods(run: list[int], kinds: list[str]) -> list[list[int]]:
    """The visits of a line that is all there is in a loop: equal sequences one after the other.

    One operation again and again is none: x·y·z is two products in one line.
    """
    for period in range(2, len(run) // 2 + 1):
        body = kinds[:period]
        if len(set(body)) > 1 and kinds == body * (len(run) // period):
            return [run[k : k + period] for k in range(0, len(run), period)]
    return [run]


def _kept(tape: Tape, value: Any) -> int:
    tape.values.append(value)
    return len(tape.values) - 1


def _constant(tape: Tape, value: Any) -> int:
    return _kept(tape, jnp.asarray(value))


def _run(
    tape: Tape, jaxpr: Jaxpr, consts: Sequence[Any], args: list[int], site: tuple[int, ...], line: str
) -> list[int]:
    """Every equation of a jaxpr; those of functions inside it one by one, too."""
    numbers = count()

    def step(equation: Any, inputs: list[int]) -> list[int]:
        here, name, where = (*site, next(numbers)), equation.primitive.name, _line(equation) or line
        if name == "scan":
            return _scan(tape, equation.params, inputs, here, where)
        if name == "cond":
            taken, *inputs = inputs
            return _enter(
                tape, equation, equation.params["branches"][int(tape.values[taken])], inputs, here, where
            )
        inner = jaxprs.called(equation)
        if inner is not None:
            return _enter(tape, equation, inner, inputs, here, where)
        if len(tape.steps) >= STEPS:
            raise TooLong
        return _perform(tape, name, equation.params, partial(jaxprs.performed, equation), inputs, here, where)

    return jaxprs.walk(jaxpr, consts, args, step, partial(_constant, tape))


def _perform(
    tape: Tape,
    name: str,
    params: dict[str, Any],
    apply: Callable[..., list],
    inputs: list[int],
    site: tuple[int, ...],
    line: str,
) -> list[int]:
    outputs = [_kept(tape, value) for value in apply(*(tape.values[n] for n in inputs))]
    tape.steps.append(Step(name, params, apply, tuple(inputs), tuple(outputs), site, line))
    return outputs


def _enter(
    tape: Tape, equation: Any, inner: Any, inputs: list[int], site: tuple[int, ...], line: str
) -> list[int]:
    """A function inside the function."""
    first = len(tape.steps)
    outputs = _run(tape, *opened(inner), inputs, site, line)
    sources = [n for n in inputs if differentiable(tape.values[n])]
    if len(sources) == len(outputs) == 1 and len(tape.steps) > first:
        called = str(equation.params.get("name", equation.primitive.name)).strip("_")
        tape.regions.append(Region(called, site, line, first, len(tape.steps), sources[0], outputs[0]))
    return outputs


def _scan(
    tape: Tape, params: dict[str, Any], inputs: list[int], site: tuple[int, ...], line: str
) -> list[int]:
    """A loop, round by round."""
    body = opened(params["jaxpr"])[0]
    arrays = len(body.invars) - sum(jaxprs.inputs_of_scan(params))
    if params["length"] * (len(body.eqns) + arrays) > STEPS:
        raise TooLong
    within = lambda body, held, args: _run(tape, body, held, args, site, line)

    def entry(array: int, t: int, k: int) -> int:
        return _perform(tape, "round", {}, lambda x: [x[t]], [array], (*site, -2 - k), line)[0]

    def stack(rows: list[int], k: int) -> int:
        together = lambda *values: [jnp.stack(values)]
        return _perform(tape, "stack", {}, together, rows, (*site, -100 - k), line)[0]

    return jaxprs.unrolled(params, inputs, within, entry, stack, partial(_constant, tape))


def _line(equation: Any) -> str:
    """The line of the user's source that an equation comes from; empty if it is not known."""
    try:
        frames = equation.source_info.traceback.frames
    except AttributeError:  # not every version of JAX keeps one
        return ""
    for frame in frames:
        path = Path(frame.file_name)
        if _JAX in path.parents or _HERE in path.parents:
            continue
        text = linecache.getline(frame.file_name, frame.line_num).strip()
        text = re.sub(r"\s+", " ", text)
        where = f"{Path(frame.file_name).name}:{frame.line_num}"
        if len(text) > _LONG:
            text = text[:_LONG] + "…"
        return f"`{text}` ({where})" if text else where
    return ""


def differentiable(value: Any) -> bool:
    """Whether a value is of real or complex numbers."""
    return jnp.issubdtype(jnp.result_type(value), jnp.inexact)
