"""A function step by step: every primitive operation that it performed at a point, and the values between them."""

import linecache
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.extend.core import Jaxpr, Literal

from mvcalc_jax.jaxprs import inputs_of_scan, opened
from mvcalc_jax.verify.points import Leaves

STEPS = 1500
"""Longer functions are not taken apart."""

_LONG = 100
"""So much of a line is quoted."""
_SHORTEST = 3
"""Shorter sequences may repeat within a line: x·y·z is two products."""

_CALLS = (
    "jit",
    "pjit",
    "closed_call",
    "core_call",
    "remat",
    "remat2",
    "checkpoint",
    "custom_jvp_call",
    "custom_vjp_call",
)
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
    """The visits of a line that is all there is in a loop: equal sequences one after the other."""
    for period in range(_SHORTEST, len(run) // 2 + 1):
        if len(run) % period == 0 and kinds == kinds[:period] * (len(run) // period):
            return [run[k : k + period] for k in range(0, len(run), period)]
    return [run]


def _kept(tape: Tape, value: Any) -> int:
    tape.values.append(value)
    return len(tape.values) - 1


def _run(
    tape: Tape, jaxpr: Jaxpr, consts: Sequence[Any], args: list[int], site: tuple[int, ...], line: str
) -> list[int]:
    """Every equation of a jaxpr; those of functions inside it one by one, too."""
    number: dict[Any, int] = {}
    for var, const in zip(jaxpr.constvars, consts, strict=True):
        number[var] = _kept(tape, const)
    number.update(zip(jaxpr.invars, args, strict=True))

    def read(atom: Any) -> int:
        return (
            _kept(tape, jnp.asarray(atom.val, atom.val.dtype if hasattr(atom.val, "dtype") else None))
            if isinstance(atom, Literal)
            else number[atom]
        )

    for k, equation in enumerate(jaxpr.eqns):
        inputs, here, name = [read(atom) for atom in equation.invars], (*site, k), equation.primitive.name
        where = _line(equation) or line
        inner = _inner(name, equation.params, [tape.values[n] for n in inputs])
        if inner is not None:
            body, skipped = inner
            first = len(tape.steps)
            outputs = _run(tape, *opened(body), inputs[skipped:], here, where)
            sources = [n for n in inputs[skipped:] if differentiable(tape.values[n])]
            if len(sources) == len(outputs) == 1 and len(tape.steps) > first:
                called = str(equation.params.get("name", name)).strip("_")
                tape.regions.append(
                    Region(called, here, where, first, len(tape.steps), sources[0], outputs[0])
                )
        elif name == "scan":
            outputs = _scan(tape, equation.params, inputs, here, where)
        else:
            if len(tape.steps) >= STEPS:
                raise TooLong

            def apply(*values: Any, equation: Any = equation) -> list:
                found = equation.primitive.bind(
                    *values, **equation.primitive.get_bind_params(equation.params)
                )
                return list(found) if equation.primitive.multiple_results else [found]

            outputs = [_kept(tape, value) for value in apply(*(tape.values[n] for n in inputs))]
            tape.steps.append(Step(name, equation.params, apply, tuple(inputs), tuple(outputs), here, where))
        number.update(zip(equation.outvars, outputs, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def _inner(name: str, params: dict[str, Any], values: list[Any]) -> tuple[Any, int] | None:
    """The function that an equation calls, and how many inputs come before its arguments; None if it calls none."""
    if name == "cond":
        return params["branches"][int(values[0])], 1
    if name in _CALLS:
        return next((params[key], 0) for key in ("jaxpr", "call_jaxpr", "fun_jaxpr") if key in params)
    return None


def _scan(
    tape: Tape, params: dict[str, Any], inputs: list[int], site: tuple[int, ...], line: str
) -> list[int]:
    """A loop, round by round."""
    length, (body, held) = params["length"], opened(params["jaxpr"])
    consts, carried = inputs_of_scan(params)
    fixed, carry, lists = inputs[:consts], inputs[consts : consts + carried], inputs[consts + carried :]
    rows: list[list[int]] = []
    rounds = range(length - 1, -1, -1) if params["reverse"] else range(length)
    if length * (len(body.eqns) + len(lists)) > STEPS:
        raise TooLong

    def step(name: str, apply: Callable[..., list], values: list[int], at: int) -> int:
        out = _kept(tape, apply(*(tape.values[n] for n in values))[0])
        tape.steps.append(Step(name, {}, apply, tuple(values), (out,), (*site, at), line))
        return out

    for t in rounds:
        taken = [step("round", lambda x, t=t: [x[t]], [n], -2 - k) for k, n in enumerate(lists)]
        out = _run(tape, body, held, [*fixed, *carry, *taken], site, line)
        carry = out[:carried]
        rows.append(out[carried:])
    if params["reverse"]:
        rows.reverse()
    stacked = [
        step("stack", lambda *values: [jnp.stack(values)], [row[k] for row in rows], -100 - k)
        for k in range(len(body.outvars) - carried)
        if rows
    ]
    return [*carry, *stacked]


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
