"""A change of variables at a point: x(u), its Jacobian and determinant, and whether it can be undone; and at many."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mvcalc_jax import autodiff, precision, require, text
from mvcalc_jax.calculus.variables.coordinates import COORDINATES, Coordinates
from mvcalc_jax.calculus.variables.point import Point, evaluated

_ROUNDINGS = 4


class Status(StrEnum):
    """What a map does at a point; the value is the sentence."""

    REGULAR = "the map can be undone near this point"
    SINGULAR = (
        "det J = 0, within rounding: the map flattens what is near this point and cannot be undone there; "
        "nothing may be divided by det J"
    )
    OUT_OF_RANGE = (
        "det J is too large or too small for a number, though J is finite; measure u or x in other units"
    )
    NOT_FINITE = "x or a derivative is infinite or NaN here; take another point"


@text.shown
@dataclass(frozen=True)
class Change:
    """A change of variables at one point.

    Attributes:
        name, variables: of the coordinates and of u's entries.
        u: the point.
        x: its image.
        jacobian: ∂x/∂u.
        det: its determinant.
        back: u from x again, by the inverse, whose angles lie between −π and π; None where there is none.
        status: whether the map can be undone there.

    >>> found = mv.calculus.change_of_variables(lambda u, v: (u + v, u - v), (3.0, 1.0))
    >>> found.x, found.det, found.status.name
    (array([4., 2.]), -2.0, 'REGULAR')
    """

    name: str
    variables: tuple[str, ...]
    u: Float[np.ndarray, " d"]
    x: Float[np.ndarray, " d"]
    jacobian: Float[np.ndarray, "d d"]
    det: float
    back: Float[np.ndarray, " d"] | None
    status: Status

    def _parts(self) -> text.Parts:
        at = ", ".join(f"{name} = {_digits(v)}" for name, v in zip(self.variables, self.u, strict=True))
        rows = [("", *(f"∂/∂{name}" for name in self.variables))]
        rows += [(f"x{k}", *map(_digits, row)) for k, row in enumerate(self.jacobian)]
        to = ", ".join(map(_digits, self.x))
        told = [] if self.status is Status.REGULAR else [self.status.value]
        if self.back is not None:
            told.append(f"and back: ({', '.join(map(_digits, self.back))})")
        head, det = f"{self.name}: {at} → ({to})", f"det J = {_digits(self.det)}"
        return [head, rows, det, *told]


def change_of_variables(coordinates: str | Coordinates | Callable[..., Any], at: Any) -> Change:
    """x, its Jacobian and determinant at a point u, and whether the map can be undone there.

    det J counts as zero where a change of u by a few roundings would make it so: at φ = π in spherical coordinates,
    though the float nearest to π gives sin φ = 1e-16, and not at r = 1e-20 in polar ones.

    Args:
        coordinates: a name of `COORDINATES`, one of your own, or a function of as many numbers as it returns, or from
            a vector to a vector.
        at: u.

    Raises:
        ValueError: for unknown coordinates, a point that is not finite or has another number of entries, or a map that
            does not lead to as many numbers as it takes.
        TypeError: for a map that is no function or not written in JAX; for a point that is not of real numbers.

    >>> print(mv.calculus.change_of_variables("polar", (2.0, 0.0)))
    polar: r = 2, φ = 0 → (2, 0)
        ∂/∂r  ∂/∂φ
    x0  1     -0
    x1  0     2
    det J = 2
    and back: (2, 0)
    >>> mv.calculus.change_of_variables("polar", (0.0, 1.0)).status.name  # at the origin, there is no way back
    'SINGULAR'
    """
    u = precision.floats("at", at)
    require.finite("at", u)
    if u.ndim != 1 or not u.size:
        raise ValueError(f"`at` must be one vector, a number for each variable; got shape {u.shape}")
    with precision.of(u):
        c = completed(coordinates, u)
        program = lambda u: (c.f(u), c.jac(u), c.det(u), vanishes(c, u), c.inverse(c.f(u)))
        x, J, det, singular, back = evaluated(program, u)
    with np.errstate(divide="ignore"):
        magnitude = np.log2(np.abs(J).max(axis=0)).sum()
    large = magnitude > 0.9 * np.finfo(u.dtype).maxexp
    if not (np.isfinite(x).all() and np.isfinite(J).all() and (np.isfinite(det) or large)):
        status = Status.NOT_FINITE
    elif not np.isfinite(det) or (det == 0 and not singular):
        status = Status.OUT_OF_RANGE
    else:
        status = Status.SINGULAR if singular else Status.REGULAR
    return Change(c.name, c.variables, u, x, J, float(det), back if len(back) else None, status)


class Images(NamedTuple):
    """Many points before and after a change of variables: u and x are (..., d); J is (..., d, d), det J is (...).

    >>> found = mv.calculus.images(lambda u, v: (u * v, v), [(1.0, 2.0), (3.0, 4.0)])
    >>> found.x, found.det  # det J = v
    (array([[ 2.,  2.],
           [12.,  4.]]), array([2., 4.]))
    """

    u: Float[np.ndarray, "... d"]
    x: Float[np.ndarray, "... d"]
    jacobian: Float[np.ndarray, "... d d"]
    det: Float[np.ndarray, "..."]


def images(coordinates: str | Coordinates | Callable[..., Any], points: Any) -> Images:
    """Where a map takes many points, and its Jacobian and determinant at each, in one compiled run.

    Args:
        coordinates: as in `change_of_variables`.
        points: u, (..., d).

    Raises:
        ValueError, TypeError: as `change_of_variables`.

    >>> found = mv.calculus.images("polar", [(1.0, 0.0), (2.0, np.pi)])
    >>> found.x.round(9), found.det
    (array([[ 1.,  0.],
           [-2.,  0.]]), array([1., 2.]))
    """
    u = precision.floats("points", points)
    require.finite("points", u)
    if u.ndim < 2 or not u.size:
        raise ValueError(
            f"`points` must hold a vector u along the last of two axes or more; got shape {u.shape}"
        )
    flat = u.reshape(-1, u.shape[-1])
    with precision.of(u):
        c = completed(coordinates, flat[0])
        made = evaluated(jax.vmap(lambda u: (c.f(u), c.jac(u), c.det(u))), flat)
    return Images(u, *(part.reshape(*u.shape[:-1], *part.shape[1:]) for part in made))


class Complete(NamedTuple):
    """Coordinates with all functions there; an inverse that is not there returns nothing."""

    name: str
    variables: tuple[str, ...]
    f: Callable[[Any], Any]
    jac: Callable[[Any], Any]
    det: Callable[[Any], Any]
    inverse: Callable[[Any], Any]


def completed(coordinates: str | Coordinates | Callable[..., Any], u: np.ndarray) -> Complete:
    """Coordinates that fit a point: x has as many entries as u, and J is square."""
    coordinates = named(coordinates)
    if isinstance(coordinates, Coordinates):
        name, variables, f, jac, det, inverse, _ = coordinates
        if not isinstance(variables, (tuple, list)) or not all(isinstance(each, str) for each in variables):
            raise TypeError(f"`variables` of coordinates must be a tuple of names; got {variables!r}")
        if len(u) != len(variables):
            raise ValueError(f"{name} coordinates have the variables {', '.join(variables)}; got {len(u)}")
    else:
        g: Any = coordinates
        g = require.function("coordinates", g)
        try:
            point = Point.of(g, (u,))
        except TypeError:  # not a function of one vector
            point = Point.of(g, tuple(u))
        name, variables, f = getattr(g, "__name__", "map"), point.names, point.stacked
        jac = det = inverse = None
        name = "map" if name == "<lambda>" else name
    own_jac = jac or autodiff.jacobian(f, mode="forward")
    own_det = det or (lambda u: jnp.linalg.det(own_jac(u)))
    required = [(name, f, u.shape), (f"{name}'s jac", own_jac, u.shape * 2), (f"{name}'s det", own_det, ())]
    required += [] if inverse is None else [(f"{name}'s inverse", inverse, u.shape)]
    for what, g, shape in required:
        g = require.function(what, g)
        made = require.traceable(what, g, u)
        if getattr(made, "shape", None) != shape or not jnp.issubdtype(made.dtype, jnp.floating):
            got = getattr(made, "shape", type(made).__name__)
            raise ValueError(f"`{what}` must return floating-point numbers of shape {shape}; got {got}")
    return Complete(name, variables, f, own_jac, own_det, inverse or (lambda x: x[:0]))


def named(coordinates: Any) -> Any:
    """What a name stands for; anything else as it is."""
    if isinstance(coordinates, str):
        require.one_of("coordinates", coordinates, COORDINATES)
        return COORDINATES[coordinates]
    return coordinates


def vanishes(c: Complete, u: Array) -> Array:
    """Whether det J is zero for what is known of it: u within a few roundings, and products of J's entries."""
    ε = _ROUNDINGS * jnp.finfo(u.dtype).eps
    by_u = jnp.sum(jnp.abs(u * autodiff.gradient(c.det)(u)))
    J = c.jac(u)
    largest = jnp.max(jnp.abs(J), axis=0)
    sizes = jnp.where(largest > 0, largest, 1)
    by_entries = jnp.prod(sizes * jnp.linalg.norm(J / sizes, axis=0))
    small = (by_entries < jnp.finfo(u.dtype).tiny / ε) & (
        largest > 0
    ).all()  # then det J may be less than any number
    flat = jnp.abs(jnp.linalg.det(J / sizes)) <= ε * len(u) ** len(u)
    return jnp.where(small, flat, jnp.abs(c.det(u)) <= ε * (by_u + by_entries))


def _digits(value: float) -> str:
    return f"{value:.10g}"
