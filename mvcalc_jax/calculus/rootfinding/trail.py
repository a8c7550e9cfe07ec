r"""Newton's steps, compiled once: every iterate with its value and its slope, until there is no next one.

    one variable         x ← x − m f/f′          m = 1, or the multiplicity of the root
    several variables    x ← x − m J⁻¹f
    between two signs    the same, but by halving where the step leaves the bracket or is not half the one before

A walk ends where f is zero, where f or f′ is not finite or f′ is zero, where a step is lost in the rounding of x, or
at the limit of its steps. What the ending means is not decided here. All functions are pure.

Reference for the bracketed steps: Press et al., Numerical Recipes (2007), §9.4.
"""

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax import autodiff, compiling, precision, require

Function = Callable[..., Any]

UNDERIVED = (TypeError, ValueError, NotImplementedError)
"""What JAX raises where it has no derivative of a step of f."""
SAMPLES = 256
"""Points at which f is evaluated at once, so that one program serves for all questions."""


class Walk(NamedTuple):
    """Rows 0 … last of x, f and f′ (or J), and whether a row was reached by halving a bracket.

    >>> walk = mv.calculus.iterate(lambda x: x**2 - 2, 1.0, steps=2)
    >>> walk.x, walk.f
    (array([1.        , 1.5       , 1.41666667]), array([-1.        ,  0.25      ,  0.00694444]))
    """

    x: Any
    f: Any
    df: Any
    halved: Any
    last: Any


def norms(rows: np.ndarray) -> np.ndarray:
    """|row|, of numbers of any size."""
    wide = np.abs(rows.astype(float))
    if wide.ndim == 1:
        return wide
    with np.errstate(all="ignore"):
        top = wide.max(axis=1, keepdims=True)
        top = np.where((top > 0) & np.isfinite(top), top, 1.0)
        return top[:, 0] * np.linalg.norm(wide / top, axis=1)


def levels(found: Walk) -> np.ndarray:
    """|f| at every iterate; of a system, each entry beside what its terms usually are. Infinite where f is not."""
    with np.errstate(all="ignore"):
        sizes = norms(found.f / usual(found))
    return np.where(np.isfinite(sizes), sizes, np.inf)


def usual(found: Walk) -> Any:
    """Of a system, what the terms of each entry usually are; 1 of one variable."""
    if found.f.ndim == 1:
        return 1.0
    with np.errstate(all="ignore"):
        wide = np.abs(found.df.astype(float))
        terms = np.abs(found.f) + np.einsum("kij,kj->ki", wide, np.abs(found.x))
        terms = terms[np.isfinite(terms).all(axis=1)]
        size = np.median(terms, axis=0) if len(terms) else np.zeros(found.f.shape[1])
    return np.where(size > 0, size, 1.0)


def slope_of(f: Function, derivative: Function | None, x: Any, args: tuple) -> Function:
    """(x, *args) ↦ f, f′ – or f, J – by hand where a derivative is given, else forward, or else reverse.

    Raises:
        TypeError: where JAX can differentiate f in neither direction.
    """
    if derivative is not None:
        return lambda x, *args: (f(x, *args), derivative(x, *args))

    def forward(x: Any, *args: Any) -> tuple[Any, Any]:
        if jnp.ndim(x):
            return f(x, *args), autodiff.jacobian(f, mode="forward")(x, *args)
        return autodiff.push(lambda x: f(x, *args), (x,), (jnp.ones_like(x),))

    def reverse(x: Any, *args: Any) -> tuple[Any, Any]:
        return f(x, *args), (autodiff.jacobian(f) if jnp.ndim(x) else autodiff.gradient(f))(x, *args)

    kinds, tree = _kinds(x, args)
    for way, name in ((forward, "forward"), (reverse, "reverse")):
        if _differentiable(f, name, kinds, tree, way):
            return way
    raise TypeError("`f` must be differentiable by JAX; pass its `derivative`, written by hand")


def _kinds(*tree: Any) -> tuple[tuple, Any]:
    """Shapes and dtypes of a tree of arguments, and its structure: what a compiled program is known by."""
    leaves, structure = jax.tree.flatten(tree)
    leaves = [leaf if hasattr(leaf, "dtype") else np.asarray(leaf) for leaf in leaves]
    return tuple(jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) for leaf in leaves), structure


_modes: dict[Any, bool] = {}


def _differentiable(f: Function, mode: str, kinds: tuple, tree: Any, way: Function) -> bool:
    """Whether JAX can: a custom_vjp has no forward mode, which shows when it is lowered, a while_loop no reverse."""
    key = (f, mode, kinds, tree)
    if key not in _modes:
        x, args = jax.tree.unflatten(tree, kinds)
        try:
            jax.jit(way).lower(x, *args)
            _modes[key] = True
        except UNDERIVED:
            _modes[key] = False
    return _modes[key]


def derived(f: Function, derivative: Function | None, order: int) -> Function:
    """The derivative of f of some order, by forward mode over the one written by hand, if there is one."""
    if order == 0:
        return f
    if order == 1 and derivative is not None:
        return derivative
    below = derived(f, derivative, order - 1)
    return lambda x, *args: autodiff.push(lambda x: below(x, *args), (x,), (jnp.ones_like(x),))[1]


def walk(evaluate: Function, x0: Any, args: tuple, factor: Any, rows: int) -> Walk:
    """Newton's steps from x0, each `factor` times as long, as many as fit into so many rows."""
    ε = jnp.finfo(x0.dtype).eps

    def step(state: tuple) -> tuple:
        k, x, trail, settled, _ = state
        f, df = (jnp.asarray(a, x.dtype) for a in evaluate(x, *args))
        trail = Walk(trail.x.at[k].set(x), trail.f.at[k].set(f), trail.df.at[k].set(df), trail.halved, k)
        change = factor * (jnp.linalg.solve(df, f) if x.ndim else f / df)
        ended = settled | jnp.all(f == 0) | ~(jnp.all(jnp.isfinite(f)) & jnp.all(jnp.isfinite(df)))
        ended |= ~jnp.all(jnp.isfinite(change)) | (jnp.asarray(x.ndim == 0) & jnp.all(df == 0))
        settled = jnp.all(jnp.abs(change) <= 2 * ε * jnp.abs(x))
        return k + 1, x - change, trail, settled, ended

    state = (0, x0, _empty(x0, rows), jnp.asarray(False), jnp.asarray(False))
    return jax.lax.while_loop(lambda s: (s[0] < rows) & ~s[4], step, state)[2]


def walk_between(evaluate: Function, x0: Any, args: tuple, low: Any, high: Any, sign: Any, rows: int) -> Walk:
    """Newton's steps kept between two numbers where f has opposite signs; `sign` is that of f(high)."""
    ε, tiny = jnp.finfo(x0.dtype).eps, jnp.finfo(x0.dtype).tiny

    def step(state: tuple) -> tuple:
        k, x, low, high, before, trail, halved, _ = state
        f, df = (jnp.asarray(a, x.dtype) for a in evaluate(x, *args))
        rows = (trail.x.at[k].set(x), trail.f.at[k].set(f), trail.df.at[k].set(df))
        trail = Walk(*rows, trail.halved.at[k].set(halved), k)
        above = jnp.sign(f) == sign
        low, high = jnp.where(above, low, x), jnp.where(above, x, high)
        newton = x - f / df
        good = (newton > low) & (newton < high) & (2 * jnp.abs(newton - x) <= jnp.abs(before))
        middle = low / 2 + high / 2
        next_x = jnp.where(good, newton, middle)
        narrow = (middle <= low) | (middle >= high) | (high - low <= tiny / ε)
        ended = (f == 0) | jnp.isnan(f) | narrow | (next_x == x)
        return k + 1, next_x, low, high, next_x - x, trail, ~good, ended

    false = jnp.asarray(False)
    state = (0, x0, low, high, high - low, _empty(x0, rows), false, false)
    return jax.lax.while_loop(lambda s: (s[0] < rows) & ~s[7], step, state)[5]


def _empty(x0: Any, rows: int) -> Walk:
    d = x0.shape
    full = lambda *axes: jnp.full((rows, *axes), jnp.nan, x0.dtype)
    return Walk(full(*d), full(*d), full(*d, *d), jnp.zeros(rows, bool), 0)


def _walked(
    x0: Any, args: tuple, factor: Any, f: Function, df: Function | None, rows: int, order: int
) -> Walk:
    evaluate = slope_of(derived(f, df, order), None if order else df, x0, args)
    return walk(evaluate, x0, args, factor, rows)


def _walked_between(
    x0: Any, args: tuple, bracket: Any, sign: Any, f: Function, df: Function | None, rows: int
) -> Walk:
    return walk_between(slope_of(f, df, x0, args), x0, args, bracket[0], bracket[1], sign, rows)


def _sampled(x: Any, args: tuple, f: Function, df: Function | None, order: int) -> Any:
    g = derived(f, df, order)
    return jax.vmap(lambda x: jnp.asarray(g(x, *args), x.dtype))(x)


def _both(x: Any, args: tuple, f: Function, df: Function | None) -> Any:
    return slope_of(f, df, x, args)(x, *args)


@cache
def _programs() -> dict[str, Any]:
    """Each compiled once for a function: it is known by its identity, and its `args` may change."""
    fast: Any = {"compiler_options": compiling.quickly()}
    return {
        "walk": jax.jit(_walked, static_argnames=("f", "df", "rows", "order"), **fast),
        "between": jax.jit(_walked_between, static_argnames=("f", "df", "rows"), **fast),
        "sample": jax.jit(_sampled, static_argnames=("f", "df", "order"), **fast),
        "both": jax.jit(_both, static_argnames=("f", "df"), **fast),
    }


class Subject(NamedTuple):
    """A function whose root is sought, with its derivative if written by hand, and what else it takes."""

    f: Function
    derivative: Function | None
    args: tuple
    order: int = 0
    """Of the derivative of f whose root is sought instead."""

    def walk(self, x0: Any, rows: int, factor: float = 1.0) -> Walk:
        """Newton's steps, as arrays of NumPy's, cut after the last."""
        times = np.asarray(factor, x0.dtype)
        program, static = _programs()["walk"], {"rows": rows, "order": self.order}
        return _cut(program(x0, self.args, times, f=self.f, df=self.derivative, **static))

    def walk_if_derived(self, x0: Any, rows: int) -> Walk | None:
        """The same; None where there is no derivative of that order: one written by hand may have no further one."""
        try:
            return self.walk(x0, rows)
        except UNDERIVED:
            return None

    def sample_if_derived(self, x: np.ndarray) -> np.ndarray | None:
        """`sample`; None where there is no derivative of that order."""
        try:
            return self.sample(x)
        except UNDERIVED:
            return None

    def walk_between(self, x0: Any, bracket: Any, sign: float, rows: int) -> Walk:
        """Newton's steps between two signs."""
        above = np.asarray(sign, x0.dtype)
        found = _programs()["between"](x0, self.args, bracket, above, f=self.f, df=self.derivative, rows=rows)
        return _cut(found)

    def sample(self, x: np.ndarray) -> np.ndarray:
        """f at many points (k,) or (k, d), or its derivative of some order."""
        parts = []
        for start in range(0, len(x), SAMPLES):
            part = x[start : start + SAMPLES]
            padded = np.concatenate([part, np.repeat(part[-1:], SAMPLES - len(part), axis=0)])
            program = _programs()["sample"]
            values = program(padded, self.args, f=self.f, df=self.derivative, order=self.order)
            parts.append(np.asarray(values)[: len(part)])
        return np.concatenate(parts)

    def both(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """f and f′, or f and J, at one point."""
        f, df = _programs()["both"](x, self.args, f=self.f, df=self.derivative)
        return np.asarray(f), np.asarray(df)


def iterate(
    f: Function,
    x0: Any,
    steps: int,
    *,
    derivative: Function | None = None,
    args: tuple = (),
    factor: float = 1.0,
) -> Walk:
    """Newton's steps and nothing else: so many at most, each `factor` times as long; no reason why they ended.

    Args:
        f, x0, derivative, args: as for `newton`.
        steps: how many, at least 1.
        factor: by which each step is longer than Newton's; the order of a root makes up for it.

    Raises:
        TypeError, ValueError: as `newton`.

    >>> mv.calculus.iterate(lambda x: x**2 - 2, 1.0, steps=3).x  # 1, 3/2, 17/12, 577/408
    array([1.        , 1.5       , 1.41666667, 1.41421569])
    """
    f = require.function("f", f)
    if derivative is not None:
        derivative = require.function("derivative", derivative)
    if not isinstance(args, tuple):
        raise TypeError(f"`args` must be a tuple, such as (a,); got {type(args).__name__}")
    require.number("factor", factor)
    rows = require.whole("steps", steps, least=1) + 1
    x = np.asarray(precision.floats("x0", x0))
    require.finite("x0", x)
    if x.ndim > 1 or not x.size:
        raise ValueError(f"`x0` must be a number or a vector (d,); got shape {x.shape}")
    with precision.of(x):
        checked(f, derivative, x, args)
        return Subject(f, derivative, args).walk(x, rows, factor)


def _cut(found: Walk) -> Walk:
    last = int(found.last)
    return Walk._make([*(np.asarray(a)[: last + 1] for a in found[:4]), last])


def checked(f: Any, derivative: Any, x: np.ndarray, args: tuple) -> None:
    """Require a function (and a derivative) of the shapes that Newton's method needs at x.

    Raises:
        TypeError: where one is no function, not written in JAX, or returns whole or complex numbers.
        ValueError: where a shape does not fit.
    """
    _sound(f, derivative, *_kinds(x, args))


@lru_cache(1024)
def _sound(f: Any, derivative: Any, kinds: tuple, tree: Any) -> None:
    """What `checked` requires, found once for a function and arguments of a kind."""
    x, args = jax.tree.unflatten(tree, kinds)
    if x.ndim == 0:
        require.scalar("f", f, x, *args)
    else:
        _shaped("f", f, x, args, x.shape, "as many values as variables")
    if derivative is not None:
        _shaped("derivative", derivative, x, args, x.shape * 2, "∂f_i/∂x_j" if x.ndim else "a number")
    else:
        slope_of(f, None, x, args)


def _shaped(name: str, f: Any, x: Any, args: tuple, shape: tuple[int, ...], meaning: str) -> None:
    value = require.traceable(name, f, x, *args)
    if not hasattr(value, "shape"):
        raise TypeError(
            f"`{name}` must return an array of shape {shape}, {meaning}; got {type(value).__name__}"
        )
    if value.shape != shape:
        raise ValueError(f"`{name}` must return an array of shape {shape}, {meaning}; got {value.shape}")
    if not jnp.issubdtype(value.dtype, jnp.floating):
        raise TypeError(f"`{name}` must return floating-point numbers; got {value.dtype}")
