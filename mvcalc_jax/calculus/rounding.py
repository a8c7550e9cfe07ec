r"""What rounding makes of a function: it is computed again with the last place of its argument, and of each result on
the way, changed at random, and by how much it changes is its rounding ρ.

So 1 − cos x is known to 1e-16 near 0, where the cosine was rounded, and x² + 1e-30 to 1e-46.
Reference: Vignes, Discrete stochastic arithmetic for validating results of numerical software (2004).
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from mvcalc_jax import jaxprs
from mvcalc_jax.jaxprs import inputs_of_scan, opened

CLEAR = 30
"""So many times its rounding, a number stands clear of it."""
_SAMPLES = 8
# fmt: off
_EXACT = frozenset((
    "abs", "neg", "sign", "max", "min", "select_n", "stop_gradient", "copy", "copy_p",
    "broadcast_in_dim", "reshape", "squeeze", "transpose", "slice", "dynamic_slice", "gather",
    "concatenate", "split", "pad", "rev", "iota", "reduce_max", "reduce_min",
))
# fmt: on
"""Primitives that round nothing."""


def shaken(F: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """What takes z to F there, computed several times with other last places: (samples, …)."""

    def run(z: Array) -> Array:
        closed = jax.make_jaxpr(F)(z)

        def once(sample: Array) -> Array:
            count = iter(range(1, 1 << 30))
            move = lambda a: _moved(a, sample, next(count))
            return _carried_out(closed.jaxpr, closed.consts, [move(z)], move)[0]

        return jax.vmap(once)(jnp.arange(_SAMPLES))

    return jax.jit(run)  # so that it is taken apart once


def _moved(a: Any, sample: Array, number: int) -> Any:
    """An array, each entry of it one place up or down in its last."""
    a = jnp.asarray(a)
    if not jnp.issubdtype(a.dtype, jnp.floating):
        return a
    up = np.random.default_rng(number).choice([-1, 1], (_SAMPLES, *a.shape))
    factors = jnp.asarray(1 + float(jnp.finfo(a.dtype).eps) * up, a.dtype)
    return a * jax.lax.dynamic_index_in_dim(factors, sample, keepdims=False)


def _carried_out(
    jaxpr: Any, consts: Sequence[Any], args: Sequence[Any], move: Callable[[Any], Any]
) -> list[Any]:
    """The results of a jaxpr, each operation's moved in its last place."""
    return jaxprs.walk(jaxpr, consts, args, partial(_performed, move=move))


def _performed(equation: Any, inputs: list[Any], move: Callable[[Any], Any]) -> list[Any]:
    name, params = equation.primitive.name, equation.params
    within = lambda inner: lambda *args: _carried_out(*opened(inner), args, move)
    if name == "scan":
        consts, carried = inputs_of_scan(params)
        body, first = within(params["jaxpr"]), inputs[consts : consts + carried]
        step = lambda carry, row: (lambda out: (out[:carried], out[carried:]))(
            body(*inputs[:consts], *carry, *row)
        )
        last, rows = jax.lax.scan(
            step,
            [jnp.asarray(a, v.aval.dtype) for a, v in zip(first, equation.outvars, strict=False)],
            inputs[consts + carried :],
            params["length"],
            params["reverse"],
        )
        return [*last, *rows]
    inner = jaxprs.called(equation)
    if inner is not None:
        return within(inner)(*inputs)
    found = jaxprs.performed(equation, *inputs)
    widened = (
        name == "convert_element_type" and jnp.result_type(inputs[0]).itemsize <= found[0].dtype.itemsize
    )
    return found if name in _EXACT or widened else [move(a) for a in found]
