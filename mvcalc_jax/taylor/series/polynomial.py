r"""Taylor polynomials of any order.

    one variable        p(x) = Σ cₖ (x − x₀)ᵏ,                cₖ = f⁽ᵏ⁾(x₀)/k!
    along a direction   p(t) = Σ cₖ tᵏ                        of t ↦ f(x₀ + t d)
    several variables   p(x) = Σ Tₖ (x − x₀, …, x − x₀),      Tₖ = Dᵏf(x₀)/k!: gradient, half the Hessian, …

The coefficients come from recurrences for series (`jets`), all orders at once: nested derivatives would double in size
with every order. What rounding may have done to them, `coefficients` finds out, and `rounding` says so. Reference:
Griewank and Walther, Evaluating Derivatives (2008), §13.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import factorial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from mvcalc_jax import precision, require, text
from mvcalc_jax.taylor.series import radius, tensors
from mvcalc_jax.taylor.series.coefficients import expanded

HIGHEST = 170
"""171! is more than the greatest float64."""

_ROWS = 20
"""Of a polynomial, so many coefficients are shown."""


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
