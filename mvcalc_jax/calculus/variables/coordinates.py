r"""Coordinates: maps x(u), each beside its Jacobian, the Jacobian's determinant, and its inverse, all by hand.

| name        | u         | x                                       | det J          | u is unique for           |
|-------------|-----------|-----------------------------------------|----------------|---------------------------|
| polar       | (r, φ)    | (r cos φ, r sin φ)                      | r              | r ≥ 0, −π < φ ≤ π         |
| cylindrical | (r, φ, z) | (r cos φ, r sin φ, z)                   | r              | the same                  |
| spherical   | (r, θ, φ) | (r cos θ sin φ, r sin θ sin φ, r cos φ) | −r² sin φ      | r ≥ 0, −π < θ ≤ π, 0…π    |
| elliptic    | (μ, ν)    | (cosh μ cos ν, sinh μ sin ν)            | sinh²μ + sin²ν | μ ≥ 0, −π < ν ≤ π         |
| parabolic   | (u, v)    | ((u² − v²)/2, uv)                       | u² + v²        | u > 0, or u = 0 and v ≥ 0 |
| twist       | (u, v)    | (u, v) turned by the angle u² + v²      | 1              | everywhere                |

J[i, j] = ∂xᵢ/∂uⱼ. |det J| is by how much a small piece of u-space grows; below zero, it is mirrored. In spherical
coordinates θ goes around and φ comes down from the pole: in this order they are left-handed, hence the minus. Where
det J = 0 – at r = 0, on the polar axis, at the foci (±1, 0) – pieces collapse and u cannot be told from x.

References: Morse and Feshbach, Methods of Theoretical Physics (1953), §1.3; `calculus.change` and
`calculus.areas` use them.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mvcalc_jax.require import AnyArray

_TURN = 2 * np.pi


class Coordinates(NamedTuple):
    """A map from u to x, as many as they are; each function takes the vector u, but for `inverse`, which takes x.

    Attributes:
        name: what it is called.
        variables: the names of u's entries.
        f: x(u).
        jac: ∂x/∂u by hand; None leaves it to autodiff.
        det: the determinant by hand; None computes it from `jac`.
        inverse: u(x); None where there is none.
        box: a pair (low, high) for each variable, where it is worth a look.

    >>> shear = mv.calculus.Coordinates("shear", ("a", "b"), lambda u: jnp.stack([u[0] + 3 * u[1], u[1]]))
    >>> mv.calculus.change_of_variables(shear, (1.0, 1.0)).det  # moves points, and keeps areas
    1.0
    """

    name: str
    variables: tuple[str, ...]
    f: Callable[[Any], Any]
    jac: Callable[[Any], Any] | None = None
    det: Callable[[Any], Any] | None = None
    inverse: Callable[[Any], Any] | None = None
    box: tuple[tuple[float, float], ...] | None = None


def polar(u: Float[AnyArray, "2"]) -> Float[Array, "2"]:
    """(r cos φ, r sin φ)."""
    r, φ = u
    return jnp.stack([r * jnp.cos(φ), r * jnp.sin(φ)])


def d_polar(u: Float[AnyArray, "2"]) -> Float[Array, "2 2"]:
    """∂(x, y)/∂(r, φ)."""
    r, φ = u
    cos, sin = jnp.cos(φ), jnp.sin(φ)
    return _matrix([cos, -r * sin], [sin, r * cos])


def det_polar(u: Float[AnyArray, "2"]) -> Float[Array, ""]:
    """r: the farther out, the longer the way around."""
    return jnp.asarray(u[0])


def to_polar(x: Float[AnyArray, "2"]) -> Float[Array, "2"]:
    """(r, φ); φ = 0 at the origin, where it could be anything."""
    return jnp.stack([jnp.hypot(x[0], x[1]), jnp.arctan2(x[1], x[0])])


def cylindrical(u: Float[AnyArray, "3"]) -> Float[Array, "3"]:
    """(r cos φ, r sin φ, z)."""
    r, φ, z = u
    return jnp.stack([r * jnp.cos(φ), r * jnp.sin(φ), jnp.asarray(z)])


def d_cylindrical(u: Float[AnyArray, "3"]) -> Float[Array, "3 3"]:
    """∂(x, y, z)/∂(r, φ, z)."""
    r, φ, z = u
    cos, sin, one, zero = jnp.cos(φ), jnp.sin(φ), jnp.ones_like(z), jnp.zeros_like(z)
    return _matrix([cos, -r * sin, zero], [sin, r * cos, zero], [zero, zero, one])


def det_cylindrical(u: Float[AnyArray, "3"]) -> Float[Array, ""]:
    """r, as in the plane."""
    return jnp.asarray(u[0])


def to_cylindrical(x: Float[AnyArray, "3"]) -> Float[Array, "3"]:
    """(r, φ, z)."""
    return jnp.concatenate([to_polar(x[:2]), jnp.asarray(x[2:])])


def spherical(u: Float[AnyArray, "3"]) -> Float[Array, "3"]:
    """(r cos θ sin φ, r sin θ sin φ, r cos φ)."""
    r, θ, φ = u
    return r * jnp.stack([jnp.cos(θ) * jnp.sin(φ), jnp.sin(θ) * jnp.sin(φ), jnp.cos(φ)])


def d_spherical(u: Float[AnyArray, "3"]) -> Float[Array, "3 3"]:
    """∂(x, y, z)/∂(r, θ, φ)."""
    r, θ, φ = u
    (cos_θ, sin_θ), (cos_φ, sin_φ) = ((jnp.cos(angle), jnp.sin(angle)) for angle in (θ, φ))
    return _matrix(
        [cos_θ * sin_φ, -r * sin_θ * sin_φ, r * cos_θ * cos_φ],
        [sin_θ * sin_φ, r * cos_θ * sin_φ, r * sin_θ * cos_φ],
        [cos_φ, jnp.zeros_like(r), -r * sin_φ],
    )


def det_spherical(u: Float[AnyArray, "3"]) -> Float[Array, ""]:
    """−r² sin φ."""
    r, _, φ = u
    return -(r**2) * jnp.sin(φ)


def to_spherical(x: Float[AnyArray, "3"]) -> Float[Array, "3"]:
    """(r, θ, φ); an angle that could be anything is 0."""
    across = jnp.hypot(x[0], x[1])
    r, φ = jnp.hypot(across, x[2]), jnp.arctan2(across, x[2])
    return jnp.stack([r, jnp.arctan2(x[1], x[0]), φ])


def elliptic(u: Float[AnyArray, "2"]) -> Float[Array, "2"]:
    """(cosh μ cos ν, sinh μ sin ν): ellipses and hyperbolas about the same two foci, (±1, 0)."""
    μ, ν = u
    return jnp.stack([jnp.cosh(μ) * jnp.cos(ν), jnp.sinh(μ) * jnp.sin(ν)])


def d_elliptic(u: Float[AnyArray, "2"]) -> Float[Array, "2 2"]:
    """∂(x, y)/∂(μ, ν): a rotation times a number, as angles are kept."""
    μ, ν = u
    along, across = jnp.sinh(μ) * jnp.cos(ν), jnp.cosh(μ) * jnp.sin(ν)
    return _matrix([along, -across], [across, along])


def det_elliptic(u: Float[AnyArray, "2"]) -> Float[Array, ""]:
    """sinh²μ + sin²ν, which is 0 at the foci."""
    μ, ν = u
    return jnp.sinh(μ) ** 2 + jnp.sin(ν) ** 2


def to_elliptic(x: Float[AnyArray, "2"]) -> Float[Array, "2"]:
    """(μ, ν), from S = sinh²μ and s = sin²ν: S − s = |x|² − 1 and S·s = y².

    The larger of the two is computed first and the other from the product, so that no digits cancel.
    """
    across, up = x
    difference, product = (across - 1) * (across + 1) + up**2, up**2
    larger = (jnp.abs(difference) + jnp.sqrt(difference**2 + 4 * product)) / 2
    smaller = product / jnp.where(larger > 0, larger, jnp.ones_like(larger))
    S, s = (jnp.where(difference >= 0, *pair) for pair in ((larger, smaller), (smaller, larger)))
    μ, side = jnp.arcsinh(jnp.sqrt(S)), jnp.where(up < 0, -jnp.ones_like(up), jnp.ones_like(up))
    return jnp.stack([μ, jnp.arctan2(side * jnp.sqrt(s), across / jnp.cosh(μ))])


def parabolic(u: Float[AnyArray, "2"]) -> Float[Array, "2"]:
    """((u² − v²)/2, uv): two families of parabolas about the same focus, (0, 0)."""
    a, b = u
    return jnp.stack([(a - b) * (a + b) / 2, a * b])


def d_parabolic(u: Float[AnyArray, "2"]) -> Float[Array, "2 2"]:
    """∂(x, y)/∂(u, v)."""
    a, b = jnp.asarray(u[0]), jnp.asarray(u[1])
    return _matrix([a, -b], [b, a])


def det_parabolic(u: Float[AnyArray, "2"]) -> Float[Array, ""]:
    """u² + v²."""
    return jnp.asarray(u[0] ** 2 + u[1] ** 2)


def to_parabolic(x: Float[AnyArray, "2"]) -> Float[Array, "2"]:
    """(u, v) with u ≥ 0: of u² = r + x and v² = r − x the larger, and the other from uv = y."""
    across, up = x
    larger = jnp.sqrt(jnp.hypot(across, up) + jnp.abs(across))
    smaller = up / jnp.where(larger > 0, larger, jnp.ones_like(larger))
    side = jnp.where(up < 0, -jnp.ones_like(up), jnp.ones_like(up))
    ahead, behind = jnp.stack([larger, smaller]), jnp.stack([jnp.abs(smaller), side * larger])
    return jnp.where(across >= 0, ahead, behind)


def twist(u: Float[AnyArray, "2"]) -> Float[Array, "2"]:
    """(u, v) turned about the origin, the more the farther out. No area changes, however odd its shape becomes."""
    return _turned(u, 1)


def d_twist(u: Float[AnyArray, "2"]) -> Float[Array, "2 2"]:
    """∂(x, y)/∂(u, v): the rotation, and what its angle u² + v² adds along (−y, x)."""
    (a, b), (x, y) = u, twist(u)
    angle = a**2 + b**2
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    return _matrix([cos - 2 * a * y, -sin - 2 * b * y], [sin + 2 * a * x, cos + 2 * b * x])


def det_twist(u: Float[AnyArray, "2"]) -> Float[Array, ""]:
    """1: circles slide along themselves."""
    return jnp.ones_like(u[0])


def to_twist(x: Float[AnyArray, "2"]) -> Float[Array, "2"]:
    """(x, y) turned back: the angle depends on the distance alone, which has not changed."""
    return _turned(x, -1)


COORDINATES = {
    c.name: c
    for c in (
        Coordinates("polar", ("r", "φ"), polar, d_polar, det_polar, to_polar, ((0, 3), (0, _TURN))),
        Coordinates(
            "cylindrical",
            ("r", "φ", "z"),
            cylindrical,
            d_cylindrical,
            det_cylindrical,
            to_cylindrical,
            ((0, 2), (0, _TURN), (0, 1)),
        ),
        Coordinates(
            "spherical",
            ("r", "θ", "φ"),
            spherical,
            d_spherical,
            det_spherical,
            to_spherical,
            ((0, 2), (0, _TURN), (0, np.pi)),
        ),
        Coordinates(
            "elliptic",
            ("μ", "ν"),
            elliptic,
            d_elliptic,
            det_elliptic,
            to_elliptic,
            ((0, 1.2), (0, _TURN)),
        ),
        Coordinates(
            "parabolic",
            ("u", "v"),
            parabolic,
            d_parabolic,
            det_parabolic,
            to_parabolic,
            ((0, 1.5), (-1.5, 1.5)),
        ),
        Coordinates("twist", ("u", "v"), twist, d_twist, det_twist, to_twist, ((-1.2, 1.2), (-1.2, 1.2))),
    )
}
"""By name.

>>> for coordinates in mv.calculus.COORDINATES.values():
...     print(coordinates.name, coordinates.variables)
polar ('r', 'φ')
cylindrical ('r', 'φ', 'z')
spherical ('r', 'θ', 'φ')
elliptic ('μ', 'ν')
parabolic ('u', 'v')
twist ('u', 'v')
"""


def _turned(u: AnyArray, way: int) -> Array:
    angle = way * (u[0] ** 2 + u[1] ** 2)
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    return jnp.stack([u[0] * cos - u[1] * sin, u[0] * sin + u[1] * cos])


def _matrix(*rows: list[Any]) -> Array:
    return jnp.stack([jnp.stack(row) for row in rows])
