"""Taylor series of any function that JAX can trace: its jaxpr is walked with series for numbers.

Linear operations act on every coefficient alike, products are Cauchy products, and elementary functions have the
recurrences of `recurrences`; functions within the function are entered, those with a derivative of their own
(`custom_jvp`) too, a `scan` carries series from round to round, and of a `cond` the branch is walked that is taken.
What remains is asked of `jax.experimental.jet`, through the one door to JAX's autodiff.

At a tie – |x| at 0, max(x, y) where x = y, a branch at its edge – numbers do not say which piece of the function is
meant, but series do: just right of x₀ (side 1) one of the pieces goes on, and just left of it (side −1) maybe another.
So the series here is one-sided, and a function has a Taylor series where both sides agree, as those of softplus at 0
do though it is written with |x| and max.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from mvcalc_jax import autodiff, jaxprs
from mvcalc_jax.jaxprs import inputs_of_scan, opened
from mvcalc_jax.taylor.series import elementary, matrices, pieces, recurrences

LINEAR = frozenset((
    "neg", "real", "imag", "complex", "conj", "add", "add_any", "sub", "convert_element_type",
    "broadcast_in_dim", "concatenate", "split", "stack", "unstack", "pad", "reshape", "squeeze", "expand_dims",
    "rev", "transpose", "slice", "reduce_sum", "reduce_window_sum", "cumsum", "fft", "copy", "copy_p",
    "device_put", "dynamic_slice", "dynamic_update_slice", "gather", "scatter", "scatter-add", "scatter_add",
    "select_and_scatter_add", "reduce_precision", "sharding_constraint", "optimization_barrier", "reshard",
))  # fmt: skip
ELEMENTWISE = frozenset((
    "add", "sub", "mul", "div", "pow", "atan2", "max", "min", "rem", "lt", "le", "gt", "ge", "eq", "ne", "add_any",
))  # fmt: skip
BILINEAR = frozenset(("mul", "dot_general", "conv_general_dilated"))


class Series(NamedTuple):
    """A value of the function as a series in t; the first axis is the order."""

    c: Array


class Way(NamedTuple):
    """How to walk.

    Attributes:
        order: of the series.
        side: 1 just right of t = 0, −1 just left of it.
        fill: where given, quotients 0/0 are followed to their limits, and it stands for coefficients that are then
            unknown: what depends on it is none of f's.
    """

    order: int
    side: Any
    fill: Any = None


def series(closed: Any, x: Sequence[Array], way: Way) -> list[Array]:
    """The series of every output of a jaxpr, from those of its inputs."""
    found = walk(*opened(closed), [Series(u) for u in x], way)
    return [v.c if isinstance(v, Series) else recurrences.constant(v, way.order) for v in found]


def has_pieces(jaxpr: Any) -> bool:
    """Whether a function may be made of pieces: whether it compares, chooses or rounds."""
    return any(
        equation.primitive.name in pieces.PIECES and any(_real(atom.aval) for atom in equation.invars)
        for equation in jaxprs.equations(opened(jaxpr)[0])
    )


def walk(jaxpr: Any, consts: Sequence[Any], args: Sequence[Any], way: Way) -> list[Any]:
    """The outputs of a jaxpr, each a `Series`, or an array where it does not depend on t."""
    return jaxprs.walk(jaxpr, consts, args, partial(_equation, way=way))


def _equation(equation: Any, inputs: list[Any], way: Way) -> list[Any]:
    name, params = equation.primitive.name, equation.params
    inner = jaxprs.called(equation)
    if inner is not None:
        return walk(*opened(inner), inputs, way)
    if name in ELEMENTWISE:
        inputs = [_widened(v, equation.outvars[0].aval.shape) for v in inputs]
    moving = [isinstance(v, Series) for v in inputs]
    if name in _STRUCTURES and (any(moving) or name in ("scan", "cond", "while")):
        return _STRUCTURES[name](params, inputs, way)
    bind = partial(equation.primitive.bind, **equation.primitive.get_bind_params(params))
    if not any(moving):
        return jaxprs.performed(equation, *inputs)
    whole = name == "convert_element_type" and not _real(equation.outvars[0].aval)
    if name in LINEAR and not whole:
        return _linear(bind, inputs, way)
    plain = [v.c if m else v for v, m in zip(inputs, moving, strict=True)]
    if name in BILINEAR:
        if not all(moving):
            return _linear_in_one(bind, plain, moving)
        return [Series(recurrences.product(bind, *plain))]
    found = elementary.applied(name, params, plain, moving, way.fill)
    if found is not None:
        return [Series(found)]
    if name in _MATRICES:
        return _MATRICES[name](params, bind, [_promoted(v, way) for v in inputs])
    if name == "sort":
        found = pieces.ordered(params, plain, moving, way.side)
        return [Series(v) if m else v for v, m in zip(found, moving, strict=True)]
    return [_piece(equation, bind, inputs, way)]


def _piece(equation: Any, bind: Callable[..., Any], inputs: list[Any], way: Way) -> Any:
    """A comparison, a choice; or what else JAX's own Taylor mode knows."""
    name, params = equation.primitive.name, equation.params
    if name == "stop_gradient":
        return inputs[0].c[0]
    if name == "select_n":
        return _linear(lambda *cases: bind(inputs[0], *cases), inputs[1:], way)[0]
    if name == "reduce_prod":
        return Series(_multiplied(inputs[0].c, params["axes"]))
    series = [_promoted(v, way) for v in inputs]
    found = pieces.decided(name, params, bind, series, way.side)
    if found is not None:
        return found
    found = pieces.chosen(name, params, series, way.side)
    return Series(_by_jet(name, bind, series) if found is None else found)


def _real(aval: Any) -> bool:
    return jnp.issubdtype(aval.dtype, jnp.inexact)


def _widened(v: Any, shape: tuple[int, ...]) -> Any:
    """A number as an array of this shape, which equations need not say."""
    if isinstance(v, Series):
        return (
            v
            if v.c.ndim > 1 or not shape
            else Series(jnp.broadcast_to(_along(v.c, len(shape)), (len(v.c), *shape)))
        )
    return v if np.ndim(v) or not shape else jnp.broadcast_to(v, shape)


def _along(c: Array, axes: int) -> Array:
    return c.reshape(-1, *(1,) * axes)


def _promoted(v: Any, way: Way) -> Any:
    """The coefficients of a value, whether it moves or not."""
    return v.c if isinstance(v, Series) else recurrences.constant(v, way.order)


def _linear(bind: Callable[..., Any], inputs: list[Any], way: Way) -> list[Any]:
    """The same for every coefficient; indices and the like stay as they are."""
    over = [isinstance(v, Series) or _real(jnp.asarray(v)) for v in inputs]
    values = [_promoted(v, way) if o else v for v, o in zip(inputs, over, strict=True)]
    found = jax.vmap(bind, in_axes=tuple(0 if o else None for o in over))(*values)
    return [Series(v) for v in found] if isinstance(found, (list, tuple)) else [Series(found)]


def _linear_in_one(bind: Callable[..., Any], values: list[Any], moving: list[bool]) -> list[Any]:
    return [Series(jax.vmap(bind, in_axes=tuple(0 if m else None for m in moving))(*values))]


def _multiplied(u: Array, axes: Sequence[int]) -> Array:
    """The product along axes, by halves."""
    u = jnp.moveaxis(u, [axis + 1 for axis in axes], range(1, len(axes) + 1))
    u = u.reshape(len(u), -1, *u.shape[len(axes) + 1 :])
    while u.shape[1] > 1:
        half = u.shape[1] // 2
        u = jnp.concatenate([recurrences.mul(u[:, :half], u[:, half : 2 * half]), u[:, 2 * half :]], axis=1)
    return u[:, 0] if u.shape[1] else recurrences.constant(jnp.ones(u.shape[2:], u.dtype), len(u) - 1)


def _by_jet(name: str, bind: Callable[..., Any], series: list[Array]) -> Array:
    """One primitive by JAX's own Taylor mode."""
    try:
        value, terms = autodiff.jet(bind, tuple(u[0] for u in series), tuple(list(u[1:]) for u in series))
    except (KeyError, NotImplementedError):
        raise TypeError(
            f"`f` must be made of operations whose Taylor series are known; there is none for "
            f"`{name}`; write f without it"
        ) from None
    return jnp.stack([value, *terms])


def _scan(params: dict[str, Any], inputs: list[Any], way: Way) -> list[Any]:
    """`lax.scan`, with series carried from round to round."""
    body, held = opened(params["jaxpr"])
    consts, carried = inputs_of_scan(params)
    fixed, first, rows = inputs[:consts], inputs[consts : consts + carried], inputs[consts + carried :]
    row_of = lambda v: Series(jnp.moveaxis(v.c, 1, 0)) if isinstance(v, Series) else v
    rows = [row_of(v) for v in rows]
    taken = [
        jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape[1:], a.dtype), jax.tree.map(jnp.asarray, v))
        for v in rows
    ]
    run = lambda carry, row: walk(body, held, [*fixed, *carry, *row], way)
    first = _settled(lambda carry, row: run(carry, row)[:carried], first, way, taken)

    def round_(carry: list[Any], row: list[Any]) -> Any:
        found = run(carry, row)
        return _like(found[:carried], carry, way), found[carried:]

    if not params["length"]:
        out = jax.eval_shape(round_, first, taken)[1]
        empty = lambda v: jnp.zeros((0, *v.shape), v.dtype)
        last, stacked = first, jax.tree.map(empty, out)
    else:
        last, stacked = lax.scan(round_, first, rows, length=params["length"], reverse=params["reverse"])
    return [*last, *(Series(jnp.moveaxis(v.c, 0, 1)) if isinstance(v, Series) else v for v in stacked)]


def _settled(run: Callable[..., list[Any]], carry: list[Any], way: Way, *more: Any) -> list[Any]:
    """What is carried, as series wherever a round makes it depend on t."""
    carry = [v if isinstance(v, Series) else jnp.asarray(v) for v in carry]
    while True:
        found = jax.eval_shape(run, carry, *more)
        grown = [
            Series(_promoted(v, way)) if isinstance(new, Series) and not isinstance(v, Series) else v
            for v, new in zip(carry, found, strict=True)
        ]
        if [type(v) for v in grown] == [type(v) for v in carry]:
            return carry
        carry = grown


def _like(found: list[Any], carry: list[Any], way: Way) -> list[Any]:
    return [
        Series(_promoted(v, way)) if isinstance(c, Series) else v for v, c in zip(found, carry, strict=True)
    ]


def _cond(params: dict[str, Any], inputs: list[Any], way: Way) -> list[Any]:
    """The branch that is taken."""
    branches = params["branches"]
    forms = [jax.eval_shape(lambda args, b=b: walk(*opened(b), args, way), inputs[1:]) for b in branches]
    moving = [any(isinstance(form[k], Series) for form in forms) for k in range(len(forms[0]))]

    def run(branch: Any, args: list[Any]) -> list[Any]:
        found = walk(*opened(branch), args, way)
        return [
            Series(_promoted(v, way)) if m else jnp.asarray(v) for v, m in zip(found, moving, strict=True)
        ]

    return lax.switch(jnp.asarray(inputs[0], int), [partial(run, b) for b in branches], inputs[1:])


def _while(params: dict[str, Any], inputs: list[Any], way: Way) -> list[Any]:
    """`lax.while_loop`, where x does not decide how many rounds it takes."""
    asked, fixed = params["cond_nconsts"], params["body_nconsts"]
    test, body = params["cond_jaxpr"], params["body_jaxpr"]
    c, b, carry = inputs[:asked], inputs[asked : asked + fixed], inputs[asked + fixed :]
    moving = lambda values: [isinstance(v, Series) for v in values]
    touched = moving(carry)
    while (more := _joined(touched, _touched(body, [*moving(b), *touched]))) != touched:
        touched = more
    if any(_touched(test, [*moving(c), *touched])):
        raise TypeError(
            "`f` must not let x decide how often a `while_loop` runs: it stops where the value is good, and its "
            "derivatives are not yet; take a fixed number of rounds, by `fori_loop` or `scan`"
        )
    run = lambda jaxpr, args: walk(*opened(jaxpr), args, way)
    carry = _settled(lambda carry: run(body, [*b, *carry]), carry, way)
    first = lambda v: v.c[0] if isinstance(v, Series) else v
    return lax.while_loop(
        lambda carry: run(test, [*map(first, c), *map(first, carry)])[0],
        lambda carry: _like(run(body, [*b, *carry]), carry, way),
        carry,
    )


def _joined(a: list[bool], b: list[bool]) -> list[bool]:
    return [one or other for one, other in zip(a, b, strict=True)]


def _touched(jaxpr: Any, moving: Sequence[bool]) -> list[bool]:
    """Which outputs of a jaxpr may depend on inputs that move."""
    jaxpr = opened(jaxpr)[0]
    spread = lambda equation, inputs: [any(inputs)] * len(equation.outvars)
    return jaxprs.walk(jaxpr, jaxpr.constvars, moving, spread, lambda _: False)


def _linear_solve(params: dict[str, Any], inputs: list[Any], way: Way) -> list[Any]:
    """x with A(t) x = b(t): xₖ solves A(0) xₖ = bₖ − (A x₀ … xₖ₋₁)ₖ."""
    lengths, jaxprs = params["const_lengths"], params["jaxprs"]
    kept = iter(inputs)
    consts = {name: [next(kept) for _ in range(n)] for name, n in zip(lengths._fields, lengths, strict=True)}
    b = [_promoted(v, way) for v in kept]
    settled = [v.c[0] if isinstance(v, Series) else v for v in consts["solve"]]
    solve = lambda right: walk(*opened(jaxprs.solve), [*settled, *right], way)

    def step(k: Array, one: Array, *x: Any) -> Any:
        sofar = walk(*opened(jaxprs.matvec), [*consts["matvec"], *(Series(v.forward) for v in x)], way)
        at = partial(recurrences.at, one)
        return tuple(solve([at(bk) - at(_promoted(v, way)) for bk, v in zip(b, sofar, strict=True)]))

    return [Series(v) for v in recurrences.unfold(tuple(solve([v[0] for v in b])), step, way.order)]


_STRUCTURES = {"scan": _scan, "cond": _cond, "while": _while, "custom_linear_solve": _linear_solve}
_MATRICES = {
    "triangular_solve": lambda params, bind, s: [Series(matrices.triangular_solve(params, bind, *s))],
    "lu": lambda params, bind, s: [Series(v) if k == 0 else v for k, v in enumerate(matrices.lu(bind, *s))],
    "cholesky": lambda params, bind, s: [Series(matrices.cholesky(bind, *s))],
}
