r"""Is a function analytic, as it is written: may its argument be complex?

An analytic function is made of analytic ones. So f is traced for a complex argument, and every step of it that depends
on the argument is looked up in a table: sums, products, exp, sin, … are analytic; |z|, a maximum, a comparison, the
real part of a number and whatever is not in the table are refused by name. `real` and `imag` of one number that come
together again as one, as in JAX's logarithms to base 2 and 10, are allowed.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax.extend.core import ClosedJaxpr, Jaxpr

from mvcalc_jax.jaxprs import inputs_of_scan, opened
from mvcalc_jax.text import first_line

_ANALYTIC = {
    "add", "add_any", "sub", "mul", "div", "neg", "integer_pow", "pow", "square", "sqrt", "rsqrt", "exp",
    "exp2", "expm1", "log", "log2", "log1p", "logistic", "sin", "cos", "tan", "asin", "acos", "atan", "sinh",
    "cosh", "tanh", "asinh", "acosh", "atanh", "reduce_sum", "reduce_prod", "cumsum", "cumprod",
    "dot_general", "triangular_solve", "broadcast_in_dim", "reshape", "transpose", "squeeze",
    "expand_dims", "concatenate", "stack", "split", "pad", "slice", "rev", "copy", "copy_p",
    "dynamic_slice", "dynamic_update_slice", "gather", "select_n", "convert_element_type", "stop_gradient",
    "optimization_barrier", "name",
}  # fmt: skip
_CHOOSING = {
    "select_n": slice(0, 1),
    "dynamic_slice": slice(1, None),
    "dynamic_update_slice": slice(2, None),
    "gather": slice(1, None),
}
"""Which operands of these say what is taken; they must not depend on the argument."""
_WORDS = {
    "abs": "an absolute value",
    "max": "a maximum",
    "min": "a minimum",
    "reduce_max": "a maximum",
    "reduce_min": "a minimum",
    "sign": "a sign",
    "real": "a real part",
    "imag": "an imaginary part",
    "conj": "a complex conjugate",
    "select_n": "a choice",
    "cond": "a choice",
    "while": "a loop",
    "convert_element_type": "a conversion to real numbers",
} | dict.fromkeys(("lt", "le", "gt", "ge", "eq", "ne"), "a comparison")


class _Refused(Exception):
    """The name of a primitive that is not analytic."""


def require_analytic(name: str, f: Callable[..., Any], dtype: Any) -> None:
    """Require a function that JAX can compute for complex numbers, and that is analytic as it is written.

    Args:
        name: of f, for the message.
        f: of one number.
        dtype: of the complex number.

    Raises:
        TypeError: where it is not; with the step of f that is to blame.
    """
    way_out = "use ridders, or autodiff"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a part thrown away; it is refused below
            closed = jax.make_jaxpr(f)(jax.ShapeDtypeStruct((), dtype))
    except Exception as error:
        raise TypeError(
            f"`{name}` must be a function that JAX knows for complex numbers; {way_out}: {first_line(error)}"
        ) from error
    try:
        _follow(closed.jaxpr, [True])
    except _Refused as refused:
        primitive = str(refused)
        raise TypeError(
            f"`{name}` must be analytic; got {_WORDS.get(primitive, 'a step')} that depends on its argument (JAX's "
            f"`{primitive}`); {way_out}"
        ) from None


def _follow(jaxpr: Jaxpr, given: Sequence[bool]) -> list[bool]:
    """Which results depend on the argument, where those inputs do."""
    depends = dict(zip(jaxpr.invars, given, strict=True))
    parts: dict[Any, tuple[Any, ...]] = {}  # real or imaginary, of what, and what was done to it
    known = lambda v: not hasattr(v, "val") and depends.get(v, False)
    for equation in jaxpr.eqns:
        primitive, of = equation.primitive.name, list(map(known, equation.invars))
        if not any(of):
            continue
        taken = [parts.get(v) if on else None for v, on in zip(equation.invars, of, strict=True)]
        if primitive in ("real", "imag"):
            parts[equation.outvars[0]] = (primitive, equation.invars[0])
            results = [True]
        elif any(taken):
            results = [True]
            _keep(equation, taken, parts)
        else:
            results = _through(equation, primitive, of)
        depends.update(zip(equation.outvars, results, strict=True))
    for v in jaxpr.outvars:
        if known(v) and v in parts:
            raise _Refused(parts[v][0])
    return list(map(known, jaxpr.outvars))


def _keep(equation: Any, taken: list[Any], parts: dict[Any, Any]) -> None:
    """Follow a real or imaginary part through scaling, to where it becomes one number with the other; else refuse."""
    primitive = equation.primitive.name
    part = next(filter(None, taken))
    if primitive in ("mul", "div") and sum(map(bool, taken)) == 1 and not (primitive == "div" and taken[1]):
        by = equation.invars[1 if taken[0] else 0]
        parts[equation.outvars[0]] = (*part, primitive, by.val if hasattr(by, "val") else by)
    elif not (primitive == "complex" and all(taken) and [p[0] for p in taken] == ["real", "imag"]) or (
        taken[0][1:] != taken[1][1:]
    ):
        raise _Refused(part[0])


def _through(equation: Any, primitive: str, of: list[bool]) -> list[bool]:
    """Which results of one step depend on the argument; refused if it is not analytic."""
    if primitive in _ANALYTIC:
        if any(of[_CHOOSING.get(primitive, slice(0, 0))]):
            raise _Refused(primitive)
        to_real = not jax.numpy.issubdtype(equation.outvars[0].aval.dtype, jax.numpy.complexfloating)
        if primitive == "convert_element_type" and to_real:
            raise _Refused(primitive)
        return [True] * len(equation.outvars)
    params = equation.params
    if primitive == "scan":
        return _round(opened(params["jaxpr"])[0], of, *inputs_of_scan(params))
    if primitive == "while":
        ahead, consts = params["cond_nconsts"], params["body_nconsts"]
        inside = of[ahead:]
        results = _round(opened(params["body_jaxpr"])[0], inside, consts, len(inside) - consts)
        if any(_seen(opened(params["cond_jaxpr"])[0], of[:ahead] + results)):
            raise _Refused(primitive)
        return results
    if primitive == "cond":
        if of[0]:
            raise _Refused(primitive)
        branches = [_follow(opened(branch)[0], of[1:]) for branch in params["branches"]]
        return [any(results) for results in zip(*branches, strict=True)]
    inner = [opened(p)[0] for p in params.values() if isinstance(p, (Jaxpr, ClosedJaxpr))]
    if len(inner) != 1 or len(inner[0].invars) != len(of):
        raise _Refused(primitive)
    return _follow(inner[0], of)


def _round(body: Jaxpr, of: list[bool], consts: int, carried: int) -> list[bool]:
    """The same for the body of a loop, whose results are its next inputs."""
    of = list(of)
    while True:
        results = _follow(body, of)
        now = [a or b for a, b in zip(of[consts : consts + carried], results, strict=False)]
        if now == of[consts : consts + carried]:
            return now + results[carried:]
        of[consts : consts + carried] = now


def _seen(jaxpr: Jaxpr, of: list[bool]) -> list[bool]:
    """Whether a condition depends on the argument; if it compares it, it does."""
    try:
        return _follow(jaxpr, of)
    except _Refused:
        return [True]
