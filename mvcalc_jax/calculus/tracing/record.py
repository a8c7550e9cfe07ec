"""A function taken apart: every primitive operation that it performed at a point, and every value between them.

`jax.make_jaxpr` writes a function down as equations of primitives. They are carried out here one by one, each once;
functions within the function are entered, of a branch the one that was taken, and of a loop every round. A function
whose author gave it a derivative is one step: its derivative is asked for.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from mvcalc_jax import jaxprs, text

STEPS = 4000
"""Longer functions are not taken apart."""


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
    return jaxprs.walk(jaxpr, consts, args, partial(_carry_out, kept), partial(_keep, kept, literal=True))


def _carry_out(kept: Record, equation: Any, inputs: list[int]) -> list[int]:
    name, params = equation.primitive.name, equation.params
    if name == "cond":
        taken = params["branches"][int(kept.values[inputs[0]])]
        return _enter(kept, taken, inputs[1:])
    if name == "scan":
        return _rounds(kept, params, inputs)
    if name == "while":
        return _while(kept, params, inputs)
    if name in jaxprs.CALLS:
        return _enter(kept, jaxprs.called(equation), inputs)
    return _perform(kept, name, params, partial(jaxprs.performed, equation), inputs)


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
    return _run(kept, *jaxprs.opened(inner), passed)


def _rounds(kept: Record, params: dict[str, Any], inputs: list[int]) -> list[int]:
    """`lax.scan` and loops that are made of it, round by round."""

    def entry(array: int, t: int, _: int) -> int:
        return _perform(kept, "entry", {"index": t}, lambda x: [x[t]], [array])[0]

    def stack(rows: list[int], _: int) -> int:
        return _perform(kept, "rows", {}, lambda *values: [jnp.stack(values)], rows)[0]

    constant = partial(_keep, kept, literal=True)
    return jaxprs.unrolled(params, inputs, partial(_run, kept), entry, stack, constant)


def _while(kept: Record, params: dict[str, Any], inputs: list[int]) -> list[int]:
    """`lax.while_loop`, as many rounds as it took."""
    tests, held = params["cond_nconsts"], params["body_nconsts"]
    test, body = jaxprs.opened(params["cond_jaxpr"]), jaxprs.opened(params["body_jaxpr"])
    asked, fixed, carry = inputs[:tests], inputs[tests : tests + held], inputs[tests + held :]
    while True:
        (more,) = _run(kept, *test, [*asked, *carry])
        if not kept.values[more]:
            return carry
        carry = _run(kept, *body, [*fixed, *carry])
