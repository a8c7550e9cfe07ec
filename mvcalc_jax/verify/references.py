"""What autodiff says of a function, in forward and in reverse mode, and how precisely the function computes."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import eval_jaxpr
from jax.extend.core import ClosedJaxpr, Jaxpr

from mvcalc_jax import autodiff
from mvcalc_jax.compiling import quickly
from mvcalc_jax.jaxprs import equations, inside, opened
from mvcalc_jax.verify.float64 import of_this_check, remember
from mvcalc_jax.verify.points import Leaves

ROOM = 5 * 10**7
"""How many numbers a mode may keep at once: all rows or columns of a Jacobian are carried through f together."""

_CONSTANTS = 0.1
"""A constant that was rounded once does less harm than a computation that rounds throughout."""

_OPAQUE = ("callback", "pallas", "ffi", "custom_call", "random", "key")
"""Parts of the names of operations of which a jaxpr's text does not say all."""
_HELD = 10**5
"""The compile cache keeps the constants of its 256 programs twice, in the jaxpr and as bytes to compare by: of
programs that hold more numbers than this, a few would fill the memory, so they are not cached."""

Flat = Callable[[Leaves, Leaves], Leaves]
"""A function of the leaves to differentiate by, and of other arrays, that returns its leaves as a list."""


class Reference(NamedTuple):
    """The value of f at a point, and its Jacobian in both modes; one is both where f allows only one.

    Jacobians are lists of blocks, one for each pair of an output leaf and an input leaf, the output's axes first.
    """

    value: Leaves
    forward: Leaves
    reverse: Leaves


class References(NamedTuple):
    """What autodiff says at a point, the modes that say it, and why not both of them do."""

    at: Callable[[Leaves, Leaves], Reference]
    modes: tuple[str, ...]
    why: str = ""


class Traced(NamedTuple):
    """A function, compiled for some arguments if that is possible, and what is known of it before it is run."""

    call: Callable[..., Any]
    shapes: Any
    """The shapes and dtypes of what it returns; None where it could not be traced."""
    rounds: float
    """ε of the narrowest floats that it passes through; 0 if it computes in float64 throughout."""
    widest: int
    """The size of the largest array in it."""


def traced(f: Callable[..., Any], args: tuple[Any, ...]) -> Traced:
    """Compile f for these arguments; what cannot be traced, for it looks at values, is called as it is."""
    try:
        closed, shapes = jax.make_jaxpr(f, return_shape=True)(*args)
    except Exception:  # whatever it is: a function that is at fault says so again when it is called
        return Traced(f, None, 0.0, 0)
    program, kinds = _program(closed), _kinds(args)
    structure = jax.tree.structure(shapes)

    def call(*args: Any) -> Any:
        if _kinds(args) != kinds:
            return traced(f, args).call(*args)
        return jax.tree.unflatten(structure, program(closed.consts, *jax.tree.leaves(args)))

    arrays = list(_arrays(closed.jaxpr))
    rounds = max((rounding(aval.dtype) for aval in arrays), default=0.0)
    constants = (rounding(const.dtype) for const in closed.consts if hasattr(const, "dtype"))
    rounds = max(rounds, _CONSTANTS * max(constants, default=0.0))
    return Traced(call, shapes, rounds, max((aval.size for aval in arrays), default=0))


class Program(NamedTuple):
    """A jaxpr that equals others by what it says: functions that are traced anew need not be compiled anew."""

    text: Any
    jaxpr: Jaxpr

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Program) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)


def _program(closed: ClosedJaxpr) -> Callable[..., list[Any]]:
    """A program, compiled; one that holds what `in_float64` must let go of is known for the time of the check."""
    within = [const for _, consts in inside(closed.jaxpr) for const in consts]
    remember([*closed.consts, *within])
    text = _written(closed)
    if text is None:
        return _evaluated(closed.jaxpr)
    program, known = Program(text, closed.jaxpr), of_this_check()
    holds = any(isinstance(const, np.ndarray) for const in (*opened(closed.jaxpr)[1], *within))
    if known is None or not holds:
        return _compiled(program)
    if program not in known:
        known[program] = _evaluated(closed.jaxpr)
    return known[program]


@lru_cache(maxsize=256)
def _compiled(program: Program) -> Callable[..., list[Any]]:
    return _evaluated(program.jaxpr)


def _evaluated(jaxpr: Jaxpr) -> Callable[..., list[Any]]:
    def evaluated(consts: list[Any], *args: Any) -> list[Any]:
        return eval_jaxpr(jaxpr, consts, *args)

    return jax.jit(evaluated, compiler_options=quickly())


def _written(closed: ClosedJaxpr) -> Any:
    """All that a program does: its text, and the constants of functions inside it, which the text leaves out.

    None for programs that call back into Python, hold what cannot be compared, or hold much: they equal no other.
    """
    names = [equation.primitive.name for equation in equations(closed.jaxpr)]
    held = [const for _, consts in inside(closed.jaxpr) for const in consts]
    if any(word in name for name in names for word in _OPAQUE) or sum(map(np.size, held)) > _HELD:
        return None
    return str(closed.jaxpr), tuple(
        (np.shape(c), str(jnp.result_type(c)), np.asarray(c).tobytes()) for c in held
    )


def _kinds(args: tuple[Any, ...]) -> list[Any]:
    return [(np.shape(leaf), jnp.result_type(leaf)) for leaf in jax.tree.leaves(args)]


def references(f: Flat, leaves: Leaves, others: Leaves, outputs: Leaves, widest: int) -> References:
    """The modes that f allows, and for which there is room.

    Args:
        f: the function.
        leaves, others: its arguments.
        outputs: the shapes and dtypes of what it returns.
        widest: the size of the largest array in f.

    Raises:
        Exception: whatever the last mode that was tried raises, where f allows none.
    """
    inputs, results = (sum(leaf.size for leaf in tree) for tree in (leaves, outputs))
    modes: dict[str, Flat] = {}
    if inputs * max(widest, inputs) <= ROOM:
        modes["forward"] = lambda leaves, others: forward(f, leaves, others)
    if results * max(widest, inputs) <= ROOM:
        modes["reverse"] = lambda leaves, others: reverse(f, leaves, others)
    why = "; the other mode would take too much memory" if len(modes) == 1 else ""
    if not modes:
        raise MemoryError("too much memory would be needed; check a smaller case")
    if len(modes) == 2:
        both = traced(
            lambda *args: Reference(f(*args), *(mode(*args) for mode in modes.values())), (leaves, others)
        )
        try:
            jax.block_until_ready(both.call(leaves, others))
        except Exception:  # whatever f does to one mode, the other may still work
            why = "; the other mode cannot differentiate it"
        else:
            return References(both.call, tuple(modes))
    failure: Exception | None = None
    for name, mode in modes.items():
        one = traced(lambda *args, mode=mode: (f(*args), mode(*args)), (leaves, others))

        def at(leaves: Leaves, others: Leaves, one: Traced = one) -> Reference:
            value, jacobian = one.call(leaves, others)
            return Reference(value, jacobian, jacobian)

        try:
            at(leaves, others)
        except Exception as error:
            failure = error
        else:
            return References(at, (name,), why)
    assert failure is not None
    raise failure


def forward(f: Flat, leaves: Leaves, others: Leaves) -> Leaves:
    """The Jacobian, a column at a time."""
    if not any(map(_is_complex, leaves)):
        return jax.tree.leaves(autodiff.jacobian(f, mode="forward")(leaves, others))
    columns = [_columns(f, leaves, others, k) for k in range(len(leaves))]
    return [block for blocks in zip(*columns, strict=True) for block in blocks]


def _columns(f: Flat, leaves: Leaves, others: Leaves, k: int) -> Leaves:
    """All outputs by the k-th leaf. By complex z = x + iy, a real output has ∂/∂x − i ∂/∂y, as JAX's gradients do."""
    leaf = leaves[k]
    basis = jnp.eye(leaf.size, dtype=leaf.dtype).reshape(leaf.size, *leaf.shape)

    def along(direction: Any) -> Leaves:
        tangents = [direction if j == k else jnp.zeros_like(other) for j, other in enumerate(leaves)]
        return autodiff.push(lambda *leaves: f(list(leaves), others), tuple(leaves), tuple(tangents))[1]

    found = jax.vmap(along)(basis)
    if _is_complex(leaf):
        found = [
            by_x if _is_complex(by_x) else by_x - 1j * by_y
            for by_x, by_y in zip(found, jax.vmap(along)(1j * basis), strict=True)
        ]
    return [jnp.moveaxis(by, 0, -1).reshape(*by.shape[1:], *leaf.shape) for by in found]


def reverse(f: Flat, leaves: Leaves, others: Leaves) -> Leaves:
    """The Jacobian, a row at a time."""
    shapes = jax.eval_shape(f, leaves, others)
    if not any(map(_is_complex, [*leaves, *shapes])):
        return jax.tree.leaves(autodiff.jacobian(f, mode="reverse")(leaves, others))
    value, pull = autodiff.pull(lambda *leaves: f(list(leaves), others), *leaves)
    rows = []
    for k, out in enumerate(value):
        basis = jnp.eye(out.size, dtype=out.dtype).reshape(out.size, *out.shape)

        def back(cotangent: Any, k: int = k) -> tuple:
            return pull([cotangent if j == k else jnp.zeros_like(other) for j, other in enumerate(value)])

        found = jax.vmap(back)(basis)
        if _is_complex(out):  # JAX returns the real part of what a real leaf has
            found = [
                by if _is_complex(by) else by - 1j * by_i
                for by, by_i in zip(found, jax.vmap(back)(1j * basis), strict=True)
            ]
        rows += [by.reshape(*out.shape, *leaf.shape) for by, leaf in zip(found, leaves, strict=True)]
    return rows


def holomorphic(f: Flat, leaves: Leaves, others: Leaves, rng: np.random.Generator) -> bool:
    """Whether complex outputs are differentiable by complex leaves: i times a tangent must push to i times it."""
    tangents = [np.asarray(rng.standard_normal(leaf.shape)).astype(leaf.dtype) for leaf in leaves]

    def along(factor: Any) -> Leaves:
        turned = tuple(
            jnp.asarray(factor * t if _is_complex(leaf) else 0 * t, leaf.dtype)
            for t, leaf in zip(tangents, leaves, strict=True)
        )
        return autodiff.push(lambda *leaves: f(list(leaves), others), tuple(leaves), turned)[1]

    for plain, turned in zip(along(1.0), along(1j), strict=True):
        if _is_complex(plain) and not np.allclose(
            1j * plain, turned, rtol=1e-8, atol=1e-10 * float(np.abs(plain).max(initial=0))
        ):
            return False
    return True


def rounding(dtype: Any) -> float:
    """ε of a floating-point dtype narrower than float64; 0 for any other."""
    if not jnp.issubdtype(dtype, jnp.inexact) or float(jnp.finfo(dtype).eps) <= np.finfo(float).eps:
        return 0.0
    return float(jnp.finfo(dtype).eps)


def _is_complex(leaf: Any) -> bool:
    return jnp.issubdtype(leaf.dtype, jnp.complexfloating)


def _arrays(jaxpr: Jaxpr) -> Iterator[Any]:
    """Whatever is computed on the way, as shapes and dtypes."""
    for equation in equations(jaxpr):
        yield from (var.aval for var in equation.outvars if hasattr(var.aval, "dtype"))
