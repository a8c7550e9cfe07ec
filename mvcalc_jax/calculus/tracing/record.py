"""A function taken apart: every primitive operation that it performed at a point, and every value between them.

`jax.make_jaxpr` writes a function down as equations of primitives. They are carried out here one by one, each once;
functions within the function are entered, of a branch the one that was taken, and of a loop every round.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Literal

from mvcalc_jax import text
from mvcalc_jax.jaxprs import inputs_of_scan, opened

STEPS = 4000
"""Longer functions are not taken apart."""

OWN_RULE = ("custom_jvp_call", "custom_vjp_call")
"""Functions whose authors gave them a derivative: it is asked for, and they are one step."""
_CALLS = ("jit", "pjit", "closed_call", "core_call", "remat", "remat2", "checkpoint", "custom_lin")


class TooLong(ValueError):
    """A function of more than `STEPS` steps."""


class Performed(NamedTuple):
    """One operation: outputs = apply(*inputs), where inputs and outputs are numbers of values."""

    primitive: str
    params: dict[str, Any]
    apply: Callable[..., list[Any]]
    """apply(*values, **params that differ)"""
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


class Record(NamedTuple):
    """All values that a function computed, and what was done between them; the arguments' values come first."""

    values: list[Any]
    performed: list[Performed]
    literals: set[int]
    """Which values are constants written in the function."""
    result: int = -1


def record(f: Callable[..., Any], leaves: Sequence[Any]) -> Record:
    """Carry out f(*leaves), whose result is one array, operation by operation.

    Raises:
        TooLong: if there are more than `STEPS` steps, loops unrolled.
        Exception: whatever f raises.
    """
    closed = jax.make_jaxpr(f)(*leaves)
    kept = Record([jnp.asarray(leaf) for leaf in leaves], [], set())
    (result,) = _run(kept, closed.jaxpr, closed.consts, list(range(len(leaves))))
    return kept._replace(result=result)


def _run(kept: Record, jaxpr: Any, consts: Sequence[Any], args: Sequence[int]) -> list[int]:
    number: dict[Any, int] = dict(zip(jaxpr.invars, args, strict=True))
    for var, const in zip(jaxpr.constvars, consts, strict=True):
        number[var] = _keep(kept, const, literal=True)

    def read(atom: Any) -> int:
        if isinstance(atom, Literal):
            return _keep(kept, np.asarray(atom.val, getattr(atom.aval, "dtype", None)), literal=True)
        return number[atom]

    for equation in jaxpr.eqns:
        inputs = [read(atom) for atom in equation.invars]
        number.update(zip(equation.outvars, _carry_out(kept, equation, inputs), strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def _carry_out(kept: Record, equation: Any, inputs: list[int]) -> list[int]:
    name, params = equation.primitive.name, equation.params
    if name == "cond":
        taken = params["branches"][int(kept.values[inputs[0]])]
        return _enter(kept, taken, inputs[1:])
    if name == "scan":
        return _rounds(kept, params, inputs)
    if name == "while":
        return _while(kept, params, inputs)
    if name in _CALLS:
        inner = next(params[key] for key in ("jaxpr", "call_jaxpr", "fun_jaxpr") if key in params)
        return _enter(kept, inner, inputs)

    def apply(*values: Any, **other: Any) -> list[Any]:
        bound = equation.primitive.get_bind_params(params) | other
        found = equation.primitive.bind(*values, **bound)
        return list(found) if equation.primitive.multiple_results else [found]

    return _perform(kept, name, params, apply, inputs)


def _perform(
    kept: Record, name: str, params: dict[str, Any], apply: Callable[..., list[Any]], inputs: Sequence[int]
) -> list[int]:
    if len(kept.performed) >= STEPS:
        raise TooLong(
            f"`f` must take at most {STEPS} steps, each round of a loop counted; take fewer rounds, or a part of it"
        )
    try:
        found = apply(*(kept.values[n] for n in inputs))
    except Exception as error:
        said = f"{type(error).__name__}: {text.first_line(error)}"
        raise ValueError(
            f"`f` uses the primitive `{name}`, which cannot be carried out by itself ({said}); differentiate it by "
            "jax.grad"
        ) from error
    outputs = [_keep(kept, value) for value in found]
    kept.performed.append(Performed(name, params, apply, tuple(inputs), tuple(outputs)))
    return outputs


def _keep(kept: Record, value: Any, literal: bool = False) -> int:
    kept.values.append(value)
    if literal:
        kept.literals.add(len(kept.values) - 1)
    return len(kept.values) - 1


def _enter(kept: Record, inner: Any, inputs: Sequence[int]) -> list[int]:
    """A function within the function.

    Its arguments are passed by a step of their own, so that what comes back along several ways is summed within before
    it is added to the rest: in the order that JAX adds it, to the last bit.
    """
    passed = [n if n in kept.literals else _perform(kept, "enter", {}, lambda x: [x], [n])[0] for n in inputs]
    return _run(kept, *opened(inner), passed)


def _rounds(kept: Record, params: dict[str, Any], inputs: list[int]) -> list[int]:
    """`lax.scan` and loops that are made of it, round by round."""
    body, held = opened(params["jaxpr"])
    consts, carried = inputs_of_scan(params)
    fixed, carry, lists = inputs[:consts], inputs[consts : consts + carried], inputs[consts + carried :]
    order = range(params["length"])
    rows: dict[int, list[int]] = {}
    for t in reversed(order) if params["reverse"] else order:
        taken = [_perform(kept, "entry", {"index": t}, lambda x, t=t: [x[t]], [n])[0] for n in lists]
        out = _run(kept, body, held, [*fixed, *carry, *taken])
        carry, rows[t] = out[:carried], out[carried:]
    stacked = []
    last: list[Any] = body.outvars[carried:]
    for k, var in enumerate(last):
        if rows:
            join = lambda *values: [jnp.stack(values)]
            stacked += _perform(kept, "rows", {}, join, [rows[t][k] for t in order])
        else:
            nothing = np.zeros((0, *var.aval.shape), var.aval.dtype)
            stacked.append(_keep(kept, nothing, literal=True))
    return [*carry, *stacked]


def _while(kept: Record, params: dict[str, Any], inputs: list[int]) -> list[int]:
    """`lax.while_loop`, as many rounds as it took."""
    tests, held = params["cond_nconsts"], params["body_nconsts"]
    test, body = opened(params["cond_jaxpr"]), opened(params["body_jaxpr"])
    asked, fixed, carry = inputs[:tests], inputs[tests : tests + held], inputs[tests + held :]
    while True:
        (more,) = _run(kept, *test, [*asked, *carry])
        if not kept.values[more]:
            return carry
        carry = _run(kept, *body, [*fixed, *carry])
