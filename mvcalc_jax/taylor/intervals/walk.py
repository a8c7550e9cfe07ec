"""A function, carried out on expansions or intervals in place of numbers, equation by equation of its jaxpr.

Every number of floating point becomes an expansion, constants of the function included, so that the result encloses the
function in exact arithmetic, its constants taken as the numbers that they are. Whole numbers and conditions that do not
depend on the arguments are computed as they are. Functions within the function are entered, loops carried out round by
round.
"""

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax import jaxprs, require
from mvcalc_jax.taylor.intervals import truths
from mvcalc_jax.taylor.intervals.arithmetic import Interval, outward, point
from mvcalc_jax.taylor.intervals.elementary import softplus
from mvcalc_jax.taylor.intervals.expansions import Expansion, chain, constant, entrywise, minus, plus
from mvcalc_jax.taylor.intervals.rules import OF_CONDITIONS, RULES
from mvcalc_jax.taylor.intervals.truths import Truth

ROUNDS = 1000
"""Loops of more rounds are not carried out."""


class Unsupported(ValueError):
    """A primitive for which there is no rule."""


def carried_out(
    f: Callable[..., Any], shapes: Sequence[Any], args: Sequence[Any], like: Expansion | None
) -> list[Any]:
    """f at expansions; its results, flat."""
    closed = jax.make_jaxpr(f)(*shapes)
    return run(closed.jaxpr, closed.consts, args, like)


def run(jaxpr: Any, consts: Sequence[Any], args: Sequence[Any], like: Expansion | None) -> list[Any]:
    """A jaxpr at expansions, truths and plain values."""
    return jaxprs.walk(
        jaxpr,
        consts,
        args,
        lambda equation, inputs: _outputs(equation, inputs, like),
        partial(_lifted, like=like),
    )


def _lifted(value: Any, like: Expansion | None) -> Any:
    """A number of floating point as an expansion; all else as it is."""
    if isinstance(value, Expansion | Truth) or not jnp.issubdtype(jnp.result_type(value), jnp.floating):
        return value
    return constant(point(value), like)


def _outputs(equation: Any, inputs: list[Any], like: Expansion | None) -> list[Any]:
    name, params = equation.primitive.name, equation.params
    inner = jaxprs.called(equation)
    if inner is not None:
        if name == "custom_jvp_call" and _is_logaddexp(inner):
            return [_logaddexp(*inputs)]
        return run(*jaxprs.opened(inner), inputs, like)
    if name == "scan":
        return _rounds(params, inputs, like)
    if name == "cond":
        return _branch(params, inputs, like)
    bind = partial(equation.primitive.bind, **equation.primitive.get_bind_params(params))
    if not any(isinstance(value, Expansion | Truth) for value in inputs):
        found = jaxprs.performed(equation, *inputs)
        if name == "convert_element_type" and jnp.issubdtype(params["new_dtype"], jnp.floating):
            exact = np.finfo(params["new_dtype"]).nmant  # larger whole numbers may be rounded
            return [_lifted_whole(inputs[0], found[0], 2.0 ** (exact + 1), like)]
        return [_lifted(value, like) for value in found]
    to_number = name == "convert_element_type" and jnp.issubdtype(params["new_dtype"], jnp.floating)
    if to_number and isinstance(inputs[0], Truth):
        return [truths.as_number(inputs[0], params["new_dtype"], like)]
    rule = RULES.get(name)
    if rule is None:
        raise Unsupported(
            f"`f` must be made of operations that have an interval rule; {name!r} has none; "
            f"known: {', '.join(sorted(RULES))}"
        )
    try:
        found = rule(params, bind, *_mixed(name, inputs))
    except NotImplementedError as error:
        raise Unsupported(
            f"`f` must be made of operations that have an interval rule; {name!r}: {error}"
        ) from None
    return list(found) if isinstance(found, list) else [found]


def _lifted_whole(whole: Any, value: Any, most: float, like: Expansion | None) -> Expansion:
    """Whole numbers as floating-point ones, which hold them exactly up to some size."""
    if not require.traced(whole) and np.all(np.abs(np.asarray(whole).astype(float)) <= most):
        return constant(point(value), like)
    return constant(outward(value, value), like)


def _mixed(name: str, inputs: list[Any]) -> list[Any]:
    """Plain conditions beside ones that are only known in part are facts.

    Raises:
        NotImplementedError: where a condition that is only known in part is used for something else.
    """
    if name in ("and", "or", "not"):
        if not all(isinstance(v, Truth) or v.dtype == jnp.bool_ for v in inputs):
            raise NotImplementedError("a condition used as a whole number")
        return [v if isinstance(v, Truth) else truths.fact(v) for v in inputs]
    if any(isinstance(v, Truth) for v in inputs):
        of_numbers = name == "select_n" and all(isinstance(v, Expansion) for v in inputs[1:])
        if name not in OF_CONDITIONS or (name == "select_n" and not of_numbers):
            raise NotImplementedError("a condition, or a whole number, that depends on the arguments")
    return inputs


def _rounds(params: dict[str, Any], inputs: list[Any], like: Expansion | None) -> list[Any]:
    """`lax.scan`, round by round."""
    if params["length"] > ROUNDS:
        raise Unsupported(f"`f` must have loops of at most {ROUNDS} rounds; got {params['length']}")
    within, constant = partial(run, like=like), partial(_lifted, like=like)
    return jaxprs.unrolled(params, inputs, within, _row, lambda rows, _: _stacked(rows), constant)


def _row(entries: Any, t: int, _: int) -> Any:
    if isinstance(entries, Expansion):
        return entrywise(lambda e: None if e is None else Interval(e.lo[t], e.hi[t]), entries)
    return jax.tree.map(lambda x: x[t], entries)


def _stacked(rows: list[Any]) -> Any:
    if not isinstance(rows[0], Expansion):
        return jax.tree.map(lambda *x: jnp.stack(x), *rows)

    def of(*entries: Any) -> Any:
        if all(e is None for e in entries):
            return None
        shape = rows[0].shape
        zero = jnp.zeros(shape, rows[0].range.lo.dtype)
        full = [Interval(zero, zero) if e is None else e for e in entries]
        return Interval(jnp.stack([e.lo for e in full]), jnp.stack([e.hi for e in full]))

    return entrywise(of, *rows)


def _branch(params: dict[str, Any], inputs: list[Any], like: Expansion | None) -> list[Any]:
    """`lax.cond`: the branch that is certain, or a choice between two."""
    index, *rest = inputs
    branches = [jaxprs.opened(branch) for branch in params["branches"]]
    if not isinstance(index, Truth) and not require.traced(index):
        return run(*branches[min(max(int(index), 0), len(branches) - 1)], rest, like)
    if len(branches) != 2:
        raise Unsupported("`f` must not choose among more than two branches by a traced number")
    no, yes = (run(*branch, rest, like) for branch in branches)
    truth = index if isinstance(index, Truth) else truths.fact(index >= 1)
    if not all(isinstance(value, Expansion) for value in (*no, *yes)):
        raise Unsupported("`f` must not choose between whole numbers or conditions by its arguments")
    return [truths.select(_spread(truth, n.shape), n, y) for n, y in zip(no, yes, strict=True)]


def _spread(truth: Truth, shape: tuple[int, ...]) -> Truth:
    return jax.tree.map(lambda x: jnp.broadcast_to(x, shape), truth)


@cache
def _logaddexp_text(dtype: Any, shape: tuple[int, ...]) -> str:
    """How JAX writes its own log(eᵃ + eᵇ), which is known by this and not by its name."""
    x = jax.ShapeDtypeStruct(shape, dtype)
    (equation,) = [
        e
        for e in jaxprs.equations(jax.make_jaxpr(jnp.logaddexp)(x, x).jaxpr)
        if "custom_jvp" in e.primitive.name
    ]
    return str(equation.params["call_jaxpr"])


def _is_logaddexp(inner: Any) -> bool:
    jaxpr = jaxprs.opened(inner)[0]
    if len(jaxpr.invars) != 2 or len(jaxpr.outvars) != 1:
        return False
    a: Any = jaxpr.invars[0].aval
    return jnp.issubdtype(a.dtype, jnp.floating) and str(inner) == _logaddexp_text(a.dtype, a.shape)


def _logaddexp(u: Expansion, v: Expansion) -> Expansion:
    """v + log(1 + exp(u − v))"""
    return entrywise(plus, v, chain(softplus, entrywise(minus, u, v)))
