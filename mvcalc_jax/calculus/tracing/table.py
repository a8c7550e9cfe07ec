"""Which rule a step is differentiated by."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import jaxpr_as_fun

from mvcalc_jax import autodiff
from mvcalc_jax.calculus.tracing.elementary import ELEMENTARY, FLAT, Flat, integer_power
from mvcalc_jax.calculus.tracing.record import OWN_RULE, record
from mvcalc_jax.calculus.tracing.rule import At, Local, Rule
from mvcalc_jax.calculus.tracing.structural import STRUCTURAL

PRIMITIVES = sorted(
    {*ELEMENTARY, *STRUCTURAL, *FLAT, *OWN_RULE, "integer_pow"} - {"enter", "entry", "rows", "copy_p"}
)
"""All that are known, beside calls, branches and loops, which are entered."""


def found(primitive: str, params: dict[str, Any]) -> Rule | Flat | None:
    """The rule of a primitive; None if there is none in the table."""
    if primitive == "integer_pow":
        return integer_power(params["y"])
    if primitive in OWN_RULE:
        name = str(params.get("name") or _called(params)).strip("_")
        return Rule(
            lambda at: "chain: its own rule", name + "({0})", ["by its own rule"] * 9, _own, _own_kink
        )
    return ELEMENTARY.get(primitive) or STRUCTURAL.get(primitive) or FLAT.get(primitive)


def _called(params: dict[str, Any]) -> str:
    """The name of a function with a derivative of its own, where this version of JAX tells it."""
    inner = next((params[key] for key in ("call_jaxpr", "fun_jaxpr") if key in params), None)
    return getattr(getattr(getattr(inner, "jaxpr", inner), "debug_info", None), "func_name", "f")


def _own(at: At, k: int) -> Local:
    """The derivative that a function's author gave it, asked for by the one door to autodiff."""
    call = lambda x: at.apply(*at.xs[:k], x, *at.xs[k + 1 :])
    _, back = autodiff.pull(call, jnp.asarray(at.xs[k]))

    def pull(g: Sequence[Any]) -> tuple[Any, ...]:
        pairs = zip(g, at.ys, strict=True)
        return (np.asarray(back([_cotangent(part, y) for part, y in pairs])[0]),)

    def push(t: Any) -> list[Any]:
        """By rows, from reverse mode: a custom_vjp has no other."""
        rows = []
        for n, y in enumerate(at.ys):
            units = np.eye(y.size, dtype=y.dtype).reshape(y.size, *y.shape)
            alone = lambda e, n=n: [e if j == n else None for j in range(len(at.ys))]
            rows.append(np.array([np.sum(pull(alone(e))[0] * t) for e in units], y.dtype).reshape(y.shape))
        return rows

    single = len(at.ys) == 1 and at.ys[0].shape == at.xs[k].shape == ()
    return Local(push, pull, pull([np.ones_like(at.y)])[0] if single else None)


def _cotangent(g: Any, y: Any) -> Any:
    if not jnp.issubdtype(y.dtype, jnp.inexact):
        return np.zeros(y.shape, jax.dtypes.float0)
    return jnp.zeros(y.shape, y.dtype) if g is None else jnp.asarray(g, y.dtype)


def _own_kink(at: At) -> str | None:
    """Whether the function bends here: something in it does, and so do its author's slopes on both sides."""
    inner = next((at.params[key] for key in ("call_jaxpr", "fun_jaxpr") if key in at.params), None)
    if inner is None or len(at.ys) != 1 or not _bends(inner, at.xs):
        return None
    for k, moves in enumerate(at.moves):
        if moves and at.xs[k].shape == at.y.shape:
            h = np.sqrt(np.finfo(at.y.dtype).eps) * np.maximum(1, np.abs(at.xs[k]))
            sides = [at.xs[k] + side * h.astype(at.y.dtype) for side in (1, -1)]
            slopes = [
                _own(at._replace(xs=(*at.xs[:k], x, *at.xs[k + 1 :])), k).pull([np.ones_like(at.y)])[0]
                for x in sides
            ]
            if np.any(np.abs(slopes[0] - slopes[1]) > 0.01 * np.maximum(*map(np.abs, slopes))):
                return "not differentiable (a kink) here; taken: its author's choice"
    return None


def _bends(jaxpr: Any, xs: Sequence[Any]) -> bool:
    """Whether some step of a function is at a kink."""
    kept = record(lambda *xs: jaxpr_as_fun(jaxpr)(*xs)[0], xs)
    for done in kept.performed:
        rule = found(done.primitive, done.params)
        inputs, outputs = (
            tuple(np.asarray(kept.values[n]) for n in of) for of in (done.inputs, done.outputs)
        )
        if rule and rule.kink(At(inputs, outputs, (True,) * len(inputs), done.params, done.apply)):
            return True
    return False
