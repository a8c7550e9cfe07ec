r"""Taylor polynomials of any order.

    one variable        p(x) = Σ cₖ (x − x₀)ᵏ,                cₖ = f⁽ᵏ⁾(x₀)/k!
    along a direction   p(t) = Σ cₖ tᵏ                        of t ↦ f(x₀ + t d)
    several variables   p(x) = Σ Tₖ (x − x₀, …, x − x₀),      Tₖ = Dᵏf(x₀)/k!: gradient, half the Hessian, …

The coefficients come from recurrences for series (`jets`), all orders at once: nested derivatives would double in size
with every order. They are computed twice, the second time for t ↦ f(x₀ + st) with an s that rounds every number
differently: what the two differ by is rounding, and `rounding` says so. Reference: Griewank and Walther, Evaluating
Derivatives (2008), §13.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from math import factorial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from mvcalc_jax import precision, require, text
from mvcalc_jax.compiling import quickly
from mvcalc_jax.taylor.series import jets, radius, tensors

HIGHEST = 170
"""171! is more than the greatest float64."""

_OTHER = 0.7310585786300049
"""The s of the second computation: no power of two, so that it rounds otherwise."""
_ROWS = 20
"""Of a polynomial, so many coefficients are shown."""
_GUARD = 8
"""Orders more where quotients 0/0 are followed to their limits: each such quotient costs some."""


@text.shown
@partial(
    jax.tree_util.register_dataclass,
    data_fields=["coefficients", "x0", "direction", "neglected", "rounding"],
    meta_fields=["f", "order"],
)
@dataclass(frozen=True)
class Polynomial:
    """A Taylor polynomial; call it to evaluate it.

    Attributes:
        coefficients: one variable, or along a direction: (order + 1, *out), cₖ = f⁽ᵏ⁾(x₀)/k!. Several variables: one
            array for each order k, (*out, n, …, n) with n k times, symmetric in them.
        x0: the point.
        direction: d of p(t) = f(x₀ + t d) + …, or None.
        neglected: the first coefficient left out: the error is about neglected (x − x₀)^error_order. None for several
            variables.
        rounding: about how far each coefficient is off by rounding, in the form of `coefficients`; an estimate, from a
            second computation that rounds otherwise.
        f: the function.
        order: of the polynomial.

    >>> p = mv.taylor(jnp.exp, 0.0, 3)
    >>> p(np.array([0.0, 0.1])).round(9), p.derivatives
    (array([1.        , 1.10516667]), array([1., 1., 1., 1.]))
    >>> round(float(p.neglected), 6), p.error_order  # the first term left out is x⁴/24
    (0.041667, 4)
    """

    coefficients: Any
    x0: Any
    direction: Any
    neglected: Any
    rounding: Any
    f: Callable[..., Any]
    order: int

    @property
    def error_order(self) -> int:
        """The error falls like the distance to this power, or faster where the coefficient left out is zero."""
        return self.order + 1

    @property
    def derivatives(self) -> Any:
        """Those of f at x₀, of order 0 to `order`: k! times the coefficients, in their form."""
        if isinstance(self.coefficients, tuple):
            return tuple(factorial(k) * c for k, c in enumerate(self.coefficients))
        size = np.array([float(factorial(k)) for k in range(self.order + 1)])
        with np.errstate(over="ignore"):
            size = size.astype(self.coefficients.dtype)
        return self.coefficients * size.reshape(-1, *(1,) * (self.coefficients.ndim - 1))

    def __call__(self, x: Any) -> Any:
        """p(x), by Horner's rule; along a direction p(t).

        Args:
            x: a number or an array of them, (*points); for several variables (*points, n).

        Returns:
            (*points, *out).
        """
        several = isinstance(self.coefficients, tuple)
        terms = list(self.coefficients)
        xp: Any = jnp if require.traced((self.coefficients, self.x0, x)) else np
        with precision.promoting():
            x = _of_kind(xp, x, terms[0].dtype)
            if several and x.shape[-1:] != self.x0.shape:
                raise ValueError(f"`x` must have shape (..., {len(self.x0)}), as `x0` has; got {x.shape}")
            h = x if self.direction is not None else x - self.x0
            if several:
                return tensors.evaluated(terms, h, xp)
            h = h.reshape(h.shape + (1,) * terms[0].ndim)
            found = xp.zeros(h.shape, h.dtype) + terms[-1]
            with np.errstate(
                over="ignore", invalid="ignore"
            ):  # far off it is infinite, or infinity less infinity
                for c in reversed(terms[:-1]):
                    found = found * h + c
            return found[()]

    def remainder(self, x: Any) -> Any:
        """About f(x) − p(x), for x near x₀: the first term left out, neglected (x − x₀)^(order + 1).

        Raises:
            TypeError: for several variables without a direction.
        """
        if self.neglected is None:
            raise TypeError(
                "`remainder` is for one variable; ask `taylor` for the polynomial along a `direction`"
            )
        xp: Any = jnp if require.traced((self.neglected, self.x0, x)) else np
        with precision.promoting():
            x = _of_kind(xp, x, self.coefficients.dtype)
            h = x if self.direction is not None else x - self.x0
            with np.errstate(over="ignore"):
                return (h.reshape(h.shape + (1,) * self.neglected.ndim) ** self.error_order * self.neglected)[
                    ()
                ]

    def truncated(self, order: int) -> "Polynomial":
        """The polynomial of a lower order."""
        require.whole("order", order, least=0)
        if order >= self.order:
            raise ValueError(f"`order` must be less than {self.order}, that of the polynomial; got {order}")
        c, rounding = self.coefficients[: order + 1], self.rounding[: order + 1]
        neglected = None if self.neglected is None else self.coefficients[order + 1]
        return Polynomial(c, self.x0, self.direction, neglected, rounding, self.f, order)

    def _parts(self) -> text.Parts:
        if require.traced(self):
            return [f"a polynomial of order {self.order}, {text.TRACED}"]
        if np.ndim(self.x0) > (isinstance(self.coefficients, tuple) or self.direction is not None):
            return [
                f"{text.count(len(self.x0))} polynomials of order {self.order}"
            ]  # that `vmap` put together
        h = "t" if self.direction is not None else "h"
        rows = [("", "coefficient", "rounding")]
        for k, (c, rounding) in enumerate(zip(self.coefficients, self.rounding, strict=True)):
            power = f"{h}^{k}" if k > 1 else ("1", h)[k]
            rows.append((power, text.vector(np.ravel(c), 16), f"{np.max(np.asarray(rounding)):.1g}"))
        x0 = text.vector(np.ravel(self.x0), 16)
        way = (
            f"h = x - {x0}"
            if self.direction is None
            else f"x = {x0} + t {text.vector(np.ravel(self.direction), 6)}"
        )
        more = [f"and {len(rows) - 1 - _ROWS} more"] if len(rows) - 1 > _ROWS else []
        return [rows[: _ROWS + 1], *more, way]

    @property
    def convergence(self) -> radius.Convergence:
        """Where the series converges, and which singularity stops it; see `radius.convergence`."""
        return radius.convergence(self)

    @property
    def radius(self) -> float:
        """The distance to the nearest singularity in the complex plane; inf if f has none, nan if it is not known."""
        return self.convergence.radius

    @property
    def singularity(self) -> complex:
        """The nearest singularity of f in the complex plane – the upper one of a pair; nan if it is not known."""
        return self.convergence.singularity


def _of_kind(xp: Any, x: Any, dtype: Any) -> Any:
    """Numbers as precise as a polynomial's coefficients; inside `jit`, as far as the caller's JAX is."""
    return xp.asarray(precision.floats("x", x)).astype(
        dtype if xp is np else jax.dtypes.canonicalize_dtype(dtype)
    )


def taylor(f: Callable[..., Any], x0: Any, order: int, *, direction: Any = None) -> Polynomial:
    """The Taylor polynomial of f at x0.

    Args:
        f: a function of a number, or of an array (n,), to a number or an array (*out), written in JAX.
        x0: a number, or (n,). The precision of the result is that of x0; a Python number is a float64.
        order: 0 to 170; for several variables without a direction the tensors must hold at most 10⁵ numbers.
        direction: (n,), or a number for one variable: the polynomial in t of f(x0 + t direction).

    Works inside `jit`, `vmap` and `grad`, and of itself; where f has no Taylor series, what should be its
    coefficients is then nan.

    Raises:
        TypeError: where f is no function that JAX can trace, returns no floating-point numbers, or contains an
            operation whose series is not known; where x0 holds no real numbers.
        ValueError: where x0 is not finite, order is out of range, shapes do not fit, or f has no Taylor series at
            x0: on a pole, a branch point, a kink or a jump.

    >>> p = mv.taylor(jnp.exp, 0.0, 4)
    >>> p.coefficients.round(6), round(float(p(1.0)), 6)  # 1/k!, and 65/24
    (array([1.      , 1.      , 0.5     , 0.166667, 0.041667]), 2.708333)
    >>> q = mv.taylor(lambda x: x[0] * jnp.exp(x[1]), np.zeros(2), 2)
    >>> q.coefficients[1], q.coefficients[2]  # ∇f, and half the Hessian
    (array([1., 0.]), array([[0. , 0.5],
           [0.5, 0. ]]))
    >>> mv.taylor(jnp.sqrt, 0.0, 2)
    Traceback (most recent call last):
        ...
    ValueError: `f` must have a Taylor series at x0 = 0.0; its coefficient of order 1 cannot be had: a branch
    point, as that of √x at 0, a pole too near, or an overflow; move x0, or ask for less than order 1
    """
    f = require.function("f", f)
    order = _checked_order(order)
    traced = require.traced((x0, direction))
    x = precision.floats("x0", x0)
    if x.ndim > 1 or not x.size:
        raise ValueError(f"`x0` must be a number, or of shape (n,); got shape {x.shape}")
    require.finite("x0", x)
    way = None if direction is None else precision.floats("direction", direction)
    if way is not None:
        if way.shape != x.shape:
            raise ValueError(f"`direction` must have the shape of `x0`, {x.shape}; got {way.shape}")
        require.finite("direction", way)
    with precision.of(x):
        x = jnp.asarray(x)
        way = None if way is None else jnp.asarray(way).astype(x.dtype)
        _checked_value(require.traceable("f", f, x))
        if way is None and x.ndim:
            return _of_several(f, x, order, traced)
        found = expanded(f, x, jnp.ones_like(x) if way is None else way, order, known=not traced)
        c, neglected, rounding = found.c[: order + 1], found.c[order + 1], found.rounding[: order + 1]
        return Polynomial(
            c, _same(x, c), None if way is None else _same(way, c), neglected, rounding, f, order
        )


def _same(x: Array, c: Any) -> Any:
    return np.asarray(x) if isinstance(c, np.ndarray) else x


def _of_several(f: Callable[..., Any], x: Array, order: int, traced: bool) -> Polynomial:
    directions = tensors.directions(len(x), order)
    found = expanded(f, x, jnp.asarray(directions, x.dtype), order, known=not traced, many=True)
    c = tensors.assembled(found.c, len(x), order)
    rounding = tensors.assembled(found.rounding, len(x), order, bound=True)
    return Polynomial(c, _same(x, c[0]), None, None, rounding, f, order)


def _checked_order(order: Any) -> int:
    order = require.whole("order", order, least=0)
    if order > HIGHEST:
        raise ValueError(f"`order` must be at most {HIGHEST}, as {HIGHEST + 1}! overflows; got {order}")
    return order


def _checked_value(value: Any) -> None:
    if not hasattr(value, "dtype"):
        raise TypeError(
            f"`f` must return a number or one array; got {type(value).__name__}; take one of its parts"
        )
    if not jnp.issubdtype(value.dtype, jnp.floating):
        raise TypeError(f"`f` must return floating-point numbers; got {value.dtype}")


@dataclass(frozen=True)
class Expansion:
    """Coefficients 0 … order + 1 and what rounding may have done to each; a leading axis for many directions."""

    c: Any
    rounding: Any


def expanded(
    f: Callable[..., Any], x: Array, direction: Array, order: int, *, known: bool, many: bool = False
) -> Expansion:
    """The series of t ↦ f(x + t d), for one direction d or many; checked, as a NumPy array, where x is known.

    Raises:
        ValueError: where there is none and x is known.
    """
    closed = jax.make_jaxpr(f)(x)
    if not known or require.traced(closed.consts):
        c, rounding, _, _ = _both_sides(closed, x, direction, order, None, many)
        return Expansion(c, rounding)
    c, rounding, left, right = map(np.asarray, _program()(f, x, direction, order, False, many))
    inside = (slice(None), slice(order + 1)) if many else slice(order + 1)
    if not (np.isfinite(left[inside]).all() and np.isfinite(right[inside]).all()):
        limit = _program()(f, x, direction, order, True, many)
        if np.isfinite(np.asarray(limit[0])[inside]).all():
            c, rounding, left, right = map(np.asarray, limit)
    if not np.isfinite(c[inside]).all():
        _refuse(x, *(np.moveaxis(v, 1, 0) if many else v for v in (c, left, right)))
    return Expansion(c, rounding)


@cache
def _program() -> Any:
    return jax.jit(_series, static_argnames=("f", "order", "limits", "many"), compiler_options=quickly())


def _series(f: Any, x: Array, direction: Array, order: int, limits: bool, many: bool) -> Any:
    closed = jax.make_jaxpr(f)(x)
    if not limits:
        return _both_sides(closed, x, direction, order, None, many)
    kept = (slice(None), slice(order + 2)) if many else slice(order + 2)
    found = [
        [v[kept] for v in _both_sides(closed, x, direction, order + _GUARD, fill, many)]
        for fill in (0.0, 1.0)
    ]
    same = jnp.abs(found[0][0] - found[1][0]) <= 1e-3 * jnp.abs(found[0][0]) + 10 * found[0][1]
    return jnp.where(same, found[0][0], jnp.nan), *found[0][1:]


def _both_sides(closed: Any, x: Array, direction: Array, order: int, fill: Any, many: bool) -> Any:
    """Coefficients with nan from where the sides differ, their rounding, and the coefficients of either side."""
    if many:
        return jax.vmap(lambda d: _both_sides(closed, x, d, order, fill, False))(direction)
    n = order + 1

    def row(s: Any, side: Any) -> Array:
        line = jnp.concatenate([x[None], (s * direction)[None], jnp.zeros((n - 1, *x.shape), x.dtype)])
        (c,) = jets.series(closed, [line], jets.Way(n, side, fill))
        return c / (s ** jnp.arange(n + 1, dtype=x.dtype)).reshape(-1, *(1,) * (c.ndim - 1)).astype(c.dtype)

    one = jnp.ones((), x.dtype)
    if not jets.has_pieces(closed):
        right, other = jax.vmap(lambda s: row(s, one))(jnp.stack([one, _OTHER * one]))
        return right, _rounding(right, other), right, right
    rows = jnp.stack([one, one, _OTHER * one]), jnp.stack([one, -one, one])
    right, left, other = jax.vmap(row)(*rows)
    rounding = _rounding(right, other)
    apart = jnp.abs(right - left) > 100 * rounding
    kink = jnp.cumsum(apart, axis=0) > 0
    return jnp.where(kink, jnp.nan, right), rounding, left, right


def _rounding(c: Array, other: Array) -> Array:
    """What rounding may have done to each coefficient: what it did to it or to its neighbours, and a unit of each."""
    size = jnp.abs(c)
    beside = jnp.concatenate([size[1:], jnp.zeros_like(size[:1])]) + jnp.concatenate(
        [jnp.zeros_like(size[:1]), size[:-1]]
    )
    off = jnp.abs(c - other)
    off = jnp.where(jnp.isfinite(off), off, 0.0)
    near = jnp.maximum(off, jnp.concatenate([off[1:], jnp.zeros_like(off[:1])]))
    near = jnp.maximum(near, jnp.concatenate([jnp.zeros_like(off[:1]), off[:-1]]))
    return 8 * near + jnp.finfo(c.dtype).eps * (size + jnp.where(jnp.isfinite(beside), beside, 0.0))


def _refuse(x: Array, c: np.ndarray, left: np.ndarray, right: np.ndarray) -> None:
    """Say why f has no Taylor series at x."""
    at = f"x0 = {np.asarray(x)}"
    bad = int(np.argmax([not np.isfinite(v).all() for v in c]))
    less = f", or ask for less than order {bad}" if bad else ""
    sides = np.isfinite(left[bad]).all() and np.isfinite(right[bad]).all()
    if sides:
        k = tuple(np.argwhere(~np.isfinite(c[bad]))[0])
        what = "jump" if bad == 0 else "kink"
        raise ValueError(
            f"`f` must have a Taylor series at {at}; it has a {what} there: its coefficient of order {bad} is "
            f"{left[bad][k]:.6g} from the left and {right[bad][k]:.6g} from the right; move x0{less}"
        )
    if bad == 0:
        raise ValueError(
            f"`f` must have a Taylor series at {at}; its value there is not finite: a pole, an edge of its domain, "
            "or an overflow; move x0"
        )
    raise ValueError(
        f"`f` must have a Taylor series at {at}; its coefficient of order {bad} cannot be had: a branch point, as "
        f"that of √x at 0, a pole too near, or an overflow; move x0{less}"
    )
