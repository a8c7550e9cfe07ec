"""Whether a function is entire by how it is put together: of functions without a singularity, and of nothing else."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from mvcalc_jax import jaxprs
from mvcalc_jax.jaxprs import opened
from mvcalc_jax.taylor.series import jets

_ENTIRE = frozenset(
    ("exp", "exp2", "expm1", "sin", "cos", "sinh", "cosh", "erf", "erfc", "square", "reduce_prod", "cumprod")
)


def entire(f: Callable[..., Any], x: Any) -> bool:
    """Whether every output of f is put together from entire functions of x; false where that is not seen."""
    closed = jax.make_jaxpr(f)(jnp.asarray(x))
    return all(ok for ok, _ in _entire(closed.jaxpr, [True] * len(closed.jaxpr.invars)))


def _entire(jaxpr: Any, moving: list[bool]) -> list[tuple[bool, bool]]:
    """Of every output of a jaxpr whether it is an entire function of the inputs that move, and whether it moves."""

    def step(equation: Any, inputs: list[tuple[bool, bool]]) -> list[tuple[bool, bool]]:
        sound, moves = all(ok for ok, _ in inputs), [m for _, m in inputs]
        if not any(moves):
            return [(sound, False)] * len(equation.outvars)
        inner, name = jaxprs.called(equation), equation.primitive.name
        if inner is not None:
            return [(ok and sound, m) for ok, m in _entire(opened(inner)[0], moves)]
        if name == "scan":
            body = opened(equation.params["jaxpr"])[0]
            kept = all(ok for ok, _ in _entire(body, [True] * len(body.invars)))
        else:
            kept = _keeps(name, equation, moves)
        return [(sound and kept, True)] * len(equation.outvars)

    args = [(True, m) for m in moving]
    return jaxprs.walk(jaxpr, jaxpr.constvars, args, step, lambda _: (True, False))


def _keeps(name: str, equation: Any, moves: list[bool]) -> bool:
    """Whether an operation makes entire functions of entire ones."""
    if name == "convert_element_type":
        return jnp.issubdtype(equation.outvars[0].aval.dtype, jnp.inexact)
    if name == "div":
        return not moves[1]
    if name == "integer_pow":
        return equation.params["y"] >= 0
    return name in jets.LINEAR or name in jets.BILINEAR or name in _ENTIRE
