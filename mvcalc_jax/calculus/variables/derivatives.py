r"""Functions of several variables: partial, total and directional derivatives, Jacobians, Hessians, gradient fields.

    partial       ∂f/∂xᵢ: the slope along one variable, the others held still
    total         df/dt = Σᵢ ∂f/∂xᵢ · dxᵢ/dt: each variable's share of the slope along a path x(t)
    directional   D_u f = ∇f · u, |u| = 1: the slope towards u; |∇f| is the steepest, and it is met towards ∇f
    Jacobian      J[i, j] = ∂fᵢ/∂xⱼ;  Hessian  H[i, j] = ∂²f/∂xᵢ∂xⱼ

A function takes several numbers, f(x, y, z), or one vector, f(x). `partial`, `jacobian` and `hessian` make a function
of the same arguments, as JAX's do, so that they nest: `partial(partial(f, "x"), "y")`. Where a point is one argument
among others, a tuple of numbers is f's arguments, and an array or a list is its one vector.

Values are as precise as the point, as NumPy reads it; inside `jit`, `vmap` and `grad` as the caller's. Reference:
Apostol, Mathematical Analysis (1974), chapter 12.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from mvcalc_jax import autodiff, precision, require, text
from mvcalc_jax.calculus.rounding import shaken
from mvcalc_jax.calculus.variables.point import (
    Point,
    argument_names,
    evaluated,
    like,
    require_floats,
    steered,
)

_BESIDE = {"float64": (1e-7, 1e-8, 1e-6)}
"""Distances to both sides, beside the size of x, where a kink is looked for; in other precisions `_COARSE`."""
_COARSE = (1e-2, 1e-3, 3e-2)
_OFF, _LASTS = 1e-2, 0.5
"""At a kink, slopes beside it are off by this share of the larger, and by this share of what they are farther out."""

_SAME = 0.2
"""A small kink's slopes to both sides are apart by the same at all distances, curvature and this share aside; those of
rounding are not."""

_MOST_POINTS = 2000
"""Along each axis of a gradient field: more fill the memory, and no picture shows them."""


class Status(StrEnum):
    """How a derivative came out; the value is the sentence."""

    SMOOTH = "f is smooth here, as far as its values tell"
    KINK = (
        "the slopes beside this point stay away from the derivative that JAX gives: f has a kink or a jump here, or "
        "bends too sharply to tell; take another point"
    )
    NOT_FINITE = "f, the path or a derivative is infinite or NaN here; take another point"


@text.shown
@dataclass(frozen=True)
class TotalDerivative:
    """df/dt along a path, taken apart. It prints as a table.

    Attributes:
        names: of the variables.
        t: where on the path.
        value: f there.
        at: the variables there.
        partials: ∂f/∂xᵢ.
        rates: dxᵢ/dt.
        terms: ∂f/∂xᵢ · dxᵢ/dt, which sum to `derivative`.
        derivative: df/dt.
        status: how it came out.

    >>> found = mv.calculus.total_derivative(lambda x, y: x * y, lambda t: (t**2, t**3), 2.0)
    >>> found.terms, found.derivative
    (array([32., 48.]), 80.0)
    """

    names: tuple[str, ...]
    t: float
    value: float
    at: Float[np.ndarray, " p"]
    partials: Float[np.ndarray, " p"]
    rates: Float[np.ndarray, " p"]
    terms: Float[np.ndarray, " p"]
    derivative: float
    status: Status

    def _parts(self) -> text.Parts:
        rows = [("", "value", "∂f/∂·", "d·/dt", "∂f/∂· · d·/dt")]
        columns = self.at, self.partials, self.rates, self.terms
        rows += [(name, *map(_digits, row)) for name, *row in zip(self.names, *columns, strict=True)]
        rows += [("df/dt", "", "", "sum", _digits(self.derivative))]
        head = f"t = {_digits(self.t)}, f = {_digits(self.value)}"
        failed = [] if self.status is Status.SMOOTH else [self.status.value]
        return [head, rows, *failed]


@text.shown
@dataclass(frozen=True)
class Directional:
    """The slope of f towards one direction, beside the steepest.

    Attributes:
        slope: D_u f, for each unit of length.
        direction: u, of length 1.
        gradient: ∇f.
        steepest: |∇f|.
        angle: between u and ∇f, in degrees; NaN where ∇f = 0.
        status: how it came out.

    >>> found = mv.calculus.directional_derivative(lambda x, y: x**2 + y**2, (3.0, 4.0), (1.0, 0.0))
    >>> found.slope, found.steepest, round(found.angle, 2)
    (6.0, 10.0, 53.13)
    """

    slope: float
    direction: Float[np.ndarray, " p"]
    gradient: Float[np.ndarray, " p"]
    steepest: float
    angle: float
    status: Status

    def _parts(self) -> text.Parts:
        u, g = (", ".join(map(_digits, v)) for v in (self.direction, self.gradient))
        aside = "∇f = 0: level in every direction" if self.steepest == 0 else f"{self.angle:.4g}° from ∇f"
        lines = [f"D_u f = {_digits(self.slope)} towards u = ({u}), {aside}"]
        lines += [f"∇f = ({g}), and the steepest slope |∇f| = {_digits(self.steepest)}"]
        return lines if self.status is Status.SMOOTH else [*lines, self.status.value]


class Field(NamedTuple):
    """A function of x and y and its gradient on a grid: z[i, k] = f(x[k], y[i]), and so ∂f/∂x and ∂f/∂y.

    >>> field = mv.calculus.gradient_field(lambda x, y: x + y**2, ((0, 1), (0, 1)), points=2)
    >>> field.z, field.df_dy
    (array([[0., 1.],
           [1., 2.]]), array([[0., 0.],
           [2., 2.]]))
    """

    x: Float[np.ndarray, " k"]
    y: Float[np.ndarray, " i"]
    z: Float[np.ndarray, "i k"]
    df_dx: Float[np.ndarray, "i k"]
    df_dy: Float[np.ndarray, "i k"]


def partial(f: Callable[..., Any], by: int | str = 0) -> Callable[..., Any]:
    """∂f/∂x_by, a function of f's arguments.

    Args:
        f: of several numbers or of one vector; its value is a number or an array.
        by: the variable: its number from 0, or its name where f takes several numbers.

    Raises, when it is called:
        ValueError: for a variable that f has not, or a point that is not finite.
        TypeError: for a function that is none or not written in JAX, or a point that is not of real numbers.

    >>> f = lambda x, y: x**2 * y
    >>> mv.calculus.partial(f, "y")(3.0, 5.0), mv.calculus.partial(f, 0)(3.0, 5.0)
    (np.float64(9.0), np.float64(30.0))
    """
    f = require.function("f", f)

    def derivative(*at: Any) -> Any:
        point = Point.of(f, at)
        with precision.of(point.u):
            require_floats(point.call, point.u)
            tangent = np.zeros(len(point.names), point.u.dtype)
            tangent[point.number(by)] = 1
            return evaluated(lambda u: autodiff.push(point.call, (u,), (jnp.asarray(tangent),))[1], point.u)

    return like(f, derivative)


def jacobian(f: Callable[..., Any]) -> Callable[..., Any]:
    """All ∂fᵢ/∂xⱼ, a function of f's arguments: (outputs, variables), or (variables,) for a scalar f.

    Args:
        f: of several numbers or of one vector; its value is a number, an array, or a tuple of numbers.

    Raises, when it is called: as `partial`.

    >>> mv.calculus.jacobian(lambda r, t: (r * jnp.cos(t), r * jnp.sin(t)))(2.0, 0.0)  # of polar coordinates
    array([[1., 0.],
           [0., 2.]])
    """
    f = require.function("f", f)

    def derivative(*at: Any) -> Any:
        point = Point.of(f, at)
        with precision.of(point.u):
            require_floats(point.call, point.u)
            return evaluated(autodiff.jacobian(point.stacked, mode="forward"), point.u)

    return like(f, derivative)


def hessian(f: Callable[..., Any]) -> Callable[..., Any]:
    """All ∂²f/∂xᵢ∂xⱼ of a scalar f, a function of its arguments: (variables, variables).

    Raises, when it is called: as `partial`; ValueError for an f that is not scalar.

    >>> mv.calculus.hessian(lambda x, y: x**2 * y)(3.0, 5.0)  # 2y and 2x
    array([[10.,  6.],
           [ 6.,  0.]])
    """
    f = require.function("f", f)

    def derivative(*at: Any) -> Any:
        point = Point.of(f, at)
        with precision.of(point.u):
            require.scalar("f", point.call, point.u)
            return evaluated(autodiff.hessian(point.call), point.u)

    return like(f, derivative)


def total_derivative(f: Callable[..., Any], path: Callable[[Any], Any], t: float) -> TotalDerivative:
    """df/dt = Σᵢ ∂f/∂xᵢ · dxᵢ/dt along a path, with each variable's term.

    An f that depends on t besides has t among its variables, `path = lambda t: (x(t), y(t), t)`: its rate is 1.

    Args:
        f: a scalar function of several numbers, or of one vector.
        path: takes t to f's arguments: a tuple of numbers, or one vector.
        t: where.

    Raises:
        ValueError: for an f that is not scalar, a path that does not lead to its arguments, or a t that is not finite.
        TypeError: for functions that are none, or not written in JAX, or a path to what are no real numbers.

    >>> rate = mv.calculus.total_derivative(lambda x, y: x * y, lambda t: (t**2, t**3), 2.0)
    >>> print(rate)  # (t⁵)′ = 5t⁴
    t = 2, f = 32
           value  ∂f/∂·  d·/dt  ∂f/∂· · d·/dt
    x      4      8      4      32
    y      8      4      12     48
    df/dt                sum    80
    """
    f = require.function("f", f)
    path = require.function("path", path)
    require.number("t", t)
    t = precision.floats("t", t)
    steps = _steps(t)
    with precision.of(t):
        ends = require.traceable("path", path, t)
        along, call, names = steered(f, path, ends)
        require.scalar("f", lambda t: call(along(t)), t)

        def program(t: Any, steps: Any) -> tuple:
            at, rates = autodiff.push(along, (t,), (jnp.ones_like(t),))
            value, partials = call(at), autodiff.gradient(call)(at)
            beside = jax.vmap(lambda h: (call(along(t + h)) - value) / h)
            again = jax.vmap(shaken(lambda t: call(along(t))))(t + np.array([-1, 1]) * steps[1])
            return value, at, partials, rates, partials * rates, beside(steps), beside(-steps), again

        value, at, partials, rates, terms, ahead, behind, again = evaluated(program, t, steps)
    with np.errstate(invalid="ignore"):
        total = terms.sum()
    status = _status([value, total, *at, *partials, *rates], total, ahead, behind, steps, again)
    return TotalDerivative(names, float(t), float(value), at, partials, rates, terms, float(total), status)


def directional_derivative(f: Callable[..., Any], at: Any, direction: Any) -> Directional:
    """The slope of a scalar f towards a direction, whatever the direction's length.

    Args:
        f: of several numbers, or of one vector.
        at: where: a tuple for several numbers, an array or a list for one vector.
        direction: a number for each variable, not all zero.

    Returns:
        The slope, the steepest one, and whether values of f beside the point speak of a kink: see `Status`.

    Raises:
        ValueError: for a direction without length, or a point that is not finite; for an f that is not scalar.
        TypeError: for an f that is no function or not written in JAX, or points that are not of real numbers.

    >>> print(mv.calculus.directional_derivative(lambda x, y: x**2 + y, at=(1.0, 0.0), direction=(3.0, 4.0)))
    D_u f = 2 towards u = (0.6, 0.8), 26.57° from ∇f
    ∇f = (2, 1), and the steepest slope |∇f| = 2.236067977
    """
    f = require.function("f", f)
    point = Point.of(f, at if isinstance(at, tuple) else (at,))
    u = np.asarray(precision.floats("direction", direction), point.u.dtype)
    require.finite("direction", u)
    require.shape("direction", u, point.u.shape, "a number for each variable")
    if not u.any():
        raise ValueError("`direction` must have a length; got zeros; give a direction to go in")
    u = u / np.abs(u).max()  # so that squares neither overflow nor vanish
    u = u / np.linalg.norm(u)
    steps = _steps(point.u)
    with precision.of(point.u):
        require.scalar("f", point.call, point.u)

        def program(at: Any, u: Any, steps: Any) -> tuple:
            value, gradient = point.call(at), autodiff.gradient(point.call)(at)
            beside = jax.vmap(lambda h: (point.call(at + h * u) - value) / h)
            again = jax.vmap(shaken(point.call))(at + steps[1] * jnp.stack([-u, u]))
            return value, gradient, beside(steps), beside(-steps), again

        value, gradient, ahead, behind, again = evaluated(program, point.u, u, steps)
    with np.errstate(invalid="ignore", over="ignore"):
        size = np.abs(gradient).max() or gradient.dtype.type(1)  # so that no square overflows
        unit = gradient / size
        slope, steepest = float(gradient @ u), float(size * np.linalg.norm(unit))
        across = np.linalg.norm(unit - (unit @ u) * u)
        angle = np.degrees(np.arctan2(across, unit @ u)) if steepest > 0 else np.nan
    status = _status([value, slope, steepest], slope, ahead, behind, steps, again)
    return Directional(slope, u, gradient, steepest, float(angle), status)


def gradient_field(f: Callable[[Any, Any], Any], box: Any, points: int = 15) -> Field:
    """f(x, y) and its gradient on a grid over a box, in one compiled run.

    Raises:
        ValueError: for an f that is not scalar, an empty box, or fewer than 2 points along each axis.
        TypeError: for an f that is no function of two numbers, or not written in JAX.

    >>> field = mv.calculus.gradient_field(lambda x, y: x * y, ((-1, 1), (0, 2)), points=3)
    >>> field.df_dx  # y, the same along each row
    array([[0., 0., 0.],
           [1., 1., 1.],
           [2., 2., 2.]])
    """
    f = require.function("f", f)
    box = require.box("box", box, 2)
    points = require.whole("points", points, least=2)
    if points > _MOST_POINTS:
        raise ValueError(
            f"`points` must be at most {_MOST_POINTS} along each axis; got {points}; take a smaller box"
        )
    x, y = (np.linspace(low, high, points) for low, high in box)
    argument_names(f, 2)
    with precision.of(box):
        require.scalar("f", f, x[0], y[0])
        require.differentiable("f", f, x[0], y[0])
        both = lambda x, y: (f(x, y), *autodiff.gradient(f, (0, 1))(x, y))
        z, df_dx, df_dy = evaluated(jax.vmap(jax.vmap(both, (0, None)), (None, 0)), x, y)
    return Field(x, y, z, df_dx, df_dy)


def _steps(x: Any) -> np.ndarray:
    """How far to both sides of x a kink is looked for."""
    beside = np.array(_BESIDE.get(str(x.dtype), _COARSE), x.dtype)
    return beside * np.maximum(1, np.abs(x).max()).astype(x.dtype)


def _status(
    known: list, slope: float, ahead: np.ndarray, behind: np.ndarray, steps: np.ndarray, again: np.ndarray
) -> Status:
    """What values, f's first, slopes to both sides, and f on either side as it is rounded again tell: whether the
    slopes come to the derivative as they should."""
    if not np.isfinite(known).all():
        return Status.NOT_FINITE
    with np.errstate(invalid="ignore"):  # outside f's domain a slope is no number, and no sign of a kink
        off = np.maximum(np.abs(ahead - slope), np.abs(behind - slope))
        spread = np.fmin(*np.ptp(again, axis=1))  # beside the point: at a jump, rounding decides the side
        rounding = np.fmax(100 * np.finfo(steps.dtype).eps * abs(known[0]), 10 * spread) / steps[1]
        kinked = off[1] > max(rounding, _OFF * max(abs(slope), off[1]), _LASTS * off[0])
        gap = ahead - behind
        at_0 = [(steps[j] * gap[k] - steps[k] * gap[j]) / (steps[j] - steps[k]) for j, k in ((0, 1), (2, 0))]
        kinked |= abs(at_0[0]) > rounding and abs(at_0[0] - at_0[1]) < _SAME * abs(at_0[0])
    return Status.KINK if kinked else Status.SMOOTH


def _digits(value: float) -> str:
    return f"{value:.10g}"
