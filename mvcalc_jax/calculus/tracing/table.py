"""Which rule a step is differentiated by."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import jaxpr_as_fun

from mvcalc_jax import autodiff
from mvcalc_jax.calculus.tracing.elementary import ELEMENTARY, FLAT, Flat, integer_power
from mvcalc_jax.calculus.tracing.record import TooLong, record
from mvcalc_jax.calculus.tracing.rule import At, Local, Rule
from mvcalc_jax.calculus.tracing.structural import STRUCTURAL
from mvcalc_jax.jaxprs import OWN_RULE, opened

PRIMITIVES = sorted(
    {*ELEMENTARY, *STRUCTURAL, *FLAT, *OWN_RULE, "integer_pow"} - {"enter", "entry", "rows", "copy_p"}
)
"""All that have a rule written by hand, beside calls, branches and loops, which are entered."""

ASKED = {
    "cumprod": ("running product", "cumprod({0})", "Π of the others, from there on"),
    "cummax": ("choice: the largest so far", "cummax({0})", "1 where taken"),
    "cummin": ("choice: the smallest so far", "cummin({0})", "1 where taken"),
    "cumlogsumexp": ("running ln Σ exp", "cumlogsumexp({0})", "shares of exp({0}) so far"),
    "top_k": ("moved", "largest of {0}", "1 where taken"),
    "triangular_solve": ("linear solve", "{0}⁻¹ {1}", "by JAX's own rule"),
    "custom_linear_solve": ("linear solve", "solve({0}, …)", "by JAX's own rule"),
    "lu": ("factors of a matrix", "LU of {0}", "by JAX's own rule"),
    "cholesky": ("factors of a matrix", "Cholesky of {0}", "by JAX's own rule"),
}
"""The word, the formula and the derivative in words of steps whose derivative JAX is asked for, as for functions that
have one of their own: how it treats ties, and in which order it sums, is not written down anywhere."""


def found(primitive: str, params: dict[str, Any]) -> Rule | Flat | None:
    """The rule of a primitive; None if there is none in the table."""
    if primitive == "integer_pow":
        return integer_power(params["y"])
    if primitive in OWN_RULE:
        name = str(params.get("name") or _called(params)).strip("_")
        return Rule(
            lambda at: "chain: its own rule", name + "({0})", ["by its own rule"] * 9, _own, _own_kink
        )
    if primitive in ASKED:
        word, formula, partial = ASKED[primitive]
        kink = _ties_so_far if primitive in ("cummax", "cummin") else lambda at: None
        return Rule(lambda at: word, formula, [partial] * 99, _own, kink)
    return ELEMENTARY.get(primitive) or STRUCTURAL.get(primitive) or FLAT.get(primitive)


def _called(params: dict[str, Any]) -> str:
    """The name of a function with a derivative of its own, where this version of JAX tells it."""
    return getattr(getattr(opened(params["call_jaxpr"])[0], "debug_info", None), "func_name", "f")


def _own(at: At, k: int) -> Local:
    """The derivative that a function's author gave it, asked for by the one door to autodiff."""
    xs = [jnp.asarray(x) for x in at.xs]  # which a loop in its author's rule may index, as NumPy's may not be
    beside = xs[-1:] if "const_lengths" in at.params else []  # a linear solve has none by its matrix alone
    last = len(xs) - len(beside)
    call = lambda x, *more: at.apply(*[x if n == k else v for n, v in enumerate([*xs[:last], *more])])
    _, back = autodiff.pull(call, xs[k], *beside)

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


def _ties_so_far(at: At) -> str | None:
    """Whether a running extreme meets itself again."""
    x, y = (np.moveaxis(of, at.params["axis"], 0) for of in (at.xs[0], at.y))
    x, y = (x[::-1], y[::-1]) if at.params["reverse"] else (x, y)
    tied = np.any((y[1:] == y[:-1]) & (y[1:] == x[1:]))
    return "not differentiable where entries tie; taken: JAX's shares" if tied else None


def _own_kink(at: At) -> str | None:
    """Whether the function bends here: something in it does, and so do its author's slopes on both sides."""
    inner = at.params.get("call_jaxpr")
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
    """Whether some step of a function is at a kink; of one too long to be taken apart, nobody knows."""
    try:
        kept = record(lambda *xs: jaxpr_as_fun(jaxpr)(*xs)[0], xs)
    except TooLong:
        return False
    for done in kept.performed:
        rule = found(done.primitive, done.params)
        inputs, outputs = (
            tuple(np.asarray(kept.values[n]) for n in of) for of in (done.inputs, done.outputs)
        )
        if rule and rule.kink(At(inputs, outputs, (True,) * len(inputs), done.params, done.apply)):
            return True
    return False
