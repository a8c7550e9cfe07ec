r"""Functions that are differentiated by hand in every first course, each with its derivative in closed form.

All are functions of separate numbers. A derivative is laid out with the axes of the output first: a slope or gradient
(∂f/∂x, ∂f/∂y, …), a Jacobian J[i, j] = ∂fᵢ/∂xⱼ, a Hessian H[i, j] = ∂²f/∂xᵢ∂xⱼ. A value known was worked out
on paper, or with 60 digits by differences, and not by this package.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import jax.numpy as jnp
import numpy as np

from mvcalc_jax import autodiff, precision

E, π = np.e, np.pi

Kind = Literal["gradient", "jacobian", "hessian"]


class Worked(NamedTuple):
    """A worked example: `derivative(*at)` is `known`.

    >>> worked = mv.calculus.WORKED[1]
    >>> worked.formula, worked.closed, worked.known, worked.by_hand(), worked.by_autodiff()
    ('tan x', '1 + tan² x', [2.0], array([2.]), array([2.]))
    >>> all(np.allclose(w.by_hand(), w.known, rtol=10.0 ** (1 - w.digits)) for w in mv.calculus.WORKED)
    True
    """

    topic: str
    formula: str
    kind: Kind
    f: Callable[..., Any]
    derivative: Callable[..., Any]
    """In closed form, by hand, output axes first."""
    closed: str
    at: tuple[float, ...]
    known: Any
    digits: int = 12
    """So many of `known` are known."""

    def by_hand(self) -> Any:
        """The closed form at the point."""
        with precision.of(self.at):
            return np.asarray(self.derivative(*map(np.float64, self.at)), float)

    def by_autodiff(self) -> Any:
        """The same by `mvcalc_jax.autodiff`."""
        every = tuple(range(len(self.at)))
        with precision.of(self.at):
            if self.kind == "hessian":
                rows = autodiff.hessian(self.f, every)(*self.at)
                return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)
            return np.stack(autodiff.jacobian(self.f, every)(*self.at), axis=-1)


def _neuron(w: Any, b: Any, x: Any, y: Any) -> Any:
    return (jnp.tanh(w * x + b) - y) ** 2


def _d_neuron(w: Any, b: Any, x: Any, y: Any) -> Any:
    a = np.tanh(w * x + b)
    dz = 2 * (a - y) * (1 - a**2)
    return [dz * x, dz, dz * w, -2 * (a - y)]


def _can(r: Any, h: Any, t: Any, ρ: Any) -> Any:
    return 2 * π * r**2 * t * ρ + 2 * π * r * h * t * ρ


def _d_can(r: Any, h: Any, t: Any, ρ: Any) -> Any:
    return [2 * π * t * ρ * (2 * r + h), 2 * π * r * t * ρ, 2 * π * r * ρ * (r + h), 2 * π * r * t * (r + h)]


def _total(t: Any) -> Any:
    x, y, z = t - 1, t**2, 1 / t
    return jnp.sin(x) * jnp.exp(y * z**2)


def _polar(r: Any, φ: Any) -> Any:
    return jnp.stack([r * jnp.cos(φ), r * jnp.sin(φ)])


def _spherical(r: Any, θ: Any, φ: Any) -> Any:
    return jnp.stack([r * jnp.cos(θ) * jnp.sin(φ), r * jnp.sin(θ) * jnp.sin(φ), r * jnp.cos(φ)])


def _d_spherical(r: Any, θ: Any, φ: Any) -> Any:
    (ct, st), (cp, sp) = (np.cos(θ), np.sin(θ)), (np.cos(φ), np.sin(φ))
    return [[ct * sp, -r * st * sp, r * ct * cp], [st * sp, r * ct * sp, r * st * cp], [cp, 0, -r * sp]]


def _three(x: Any, y: Any, z: Any) -> Any:
    return jnp.stack(
        [
            9 * x**2 * y**2 + z * jnp.exp(x),
            x * y + x**2 * y**3 + 2 * z,
            jnp.cos(x) * jnp.sin(z) * jnp.exp(y),
        ]
    )


def _d_three(x: Any, y: Any, z: Any) -> Any:
    return [
        [18 * x * y**2 + z * np.exp(x), 18 * x**2 * y, np.exp(x)],
        [y + 2 * x * y**3, x + 3 * x**2 * y**2, 2],
        [
            -np.sin(x) * np.sin(z) * np.exp(y),
            np.cos(x) * np.sin(z) * np.exp(y),
            np.cos(x) * np.cos(z) * np.exp(y),
        ],
    ]


def _first_hessian(x: Any, y: Any, z: Any) -> Any:
    s = -np.sin(y) * np.sin(z)
    corner, mixed = 3 * z**2 * np.exp(x), np.cos(y) * np.cos(z)
    return [[z**3 * np.exp(x), 1, corner], [1, s, mixed], [corner, mixed, s + 6 * z * np.exp(x)]]


def _second_hessian(x: Any, y: Any, z: Any) -> Any:
    (s, c), e = (np.sin(x), np.cos(x)), np.exp(y)
    xy, xz = np.cos(z) - c * e * z**3, -y * np.sin(z) - 3 * c * e * z**2
    yz, zz = -x * np.sin(z) - 3 * s * e * z**2, -x * y * np.cos(z) - 6 * s * e * z
    return [[s * e * z**3, xy, xz], [xy, -s * e * z**3, yz], [xz, yz, zz]]


def _sine_hessian(x: Any, y: Any) -> Any:
    u, ux, uy = π * x - x**2 * y, π - 2 * x * y, -(x**2)
    s, c = np.sin(u), np.cos(u)
    mixed = -s * ux * uy - 2 * x * c
    return [[-s * ux**2 - 2 * y * c, mixed], [mixed, -s * uy**2]]


def _matrices(t: Any) -> Any:
    u1, u2 = jnp.cos(t / 2), jnp.sin(2 * t)
    x1, x2 = 2 * u1 + 3 * u2, 2 * u1 - 3 * u2
    return x1**2 - x2**2


def _d_matrices(t: Any) -> Any:
    u = np.array([np.cos(t / 2), np.sin(2 * t)])
    dx_du, du_dt = np.array([[2, 3], [2, -3]]), np.array([-np.sin(t / 2) / 2, 2 * np.cos(2 * t)])
    x = dx_du @ u
    return [np.array([2 * x[0], -2 * x[1]]) @ dx_du @ du_dt]


def _slope(topic: str, formula: str, closed: str, f: Any, d_f: Any, at: float, known: float) -> Worked:
    """A function of one variable."""
    return Worked(topic, formula, "gradient", f, lambda x: [d_f(x)], closed, (at,), [known])


def _quotient_slope(x: Any) -> Any:
    u = 2 * x**5 + 3 * x
    return ((10 * x**4 + 3) * np.cos(u) - 7 * np.sin(u)) / np.exp(7 * x)


WORKED: tuple[Worked, ...] = (
    _slope(
        "slope",
        "sin(2x⁵ + 3x)/e⁷ˣ",
        "((10x⁴ + 3) cos u − 7 sin u)/e⁷ˣ, u = 2x⁵ + 3x",
        lambda x: jnp.sin(2 * x**5 + 3 * x) / jnp.exp(7 * x),
        _quotient_slope,
        0.5,
        -0.21046625813246123,
    ),
    _slope("slope", "tan x", "1 + tan² x", jnp.tan, lambda x: 1 + np.tan(x) ** 2, π / 4, 2.0),
    _slope(
        "slope",
        "sin(x) e^cos x",
        "(cos x − sin² x) e^cos x",
        lambda x: jnp.sin(x) * jnp.exp(jnp.cos(x)),
        lambda x: (np.cos(x) - np.sin(x) ** 2) * np.exp(np.cos(x)),
        π,
        -1 / E,
    ),
    _slope(
        "slope",
        "x^(3/2) + πx²",
        "(3/2)√x + 2πx",
        lambda x: x**1.5 + π * x**2,
        lambda x: 1.5 * np.sqrt(x) + 2 * π * x,
        2.0,
        1.5 * 2**0.5 + 4 * π,
    ),
    Worked(
        "partial",
        "m = 2πr²tρ + 2πrhtρ, a can",
        "gradient",
        _can,
        _d_can,
        "2π(tρ(2r + h), rtρ, rρ(r + h), rt(r + h))",
        (3.0, 10.0, 0.5, 2.0),
        [32 * π, 6 * π, 156 * π, 39 * π],
    ),
    Worked(
        "partial",
        "sin(x) e^(yz²)",
        "gradient",
        lambda x, y, z: jnp.sin(x) * jnp.exp(y * z**2),
        lambda x, y, z: np.exp(y * z**2) * np.array([np.cos(x), np.sin(x) * z**2, 2 * y * z * np.sin(x)]),
        "e^(yz²)(cos x, z² sin x, 2yz sin x)",
        (π / 6, 1.0, 1.0),
        [E * 3**0.5 / 2, E / 2, E],
    ),
    _slope(
        "total",
        "sin(x) e^(yz²), x = t − 1, y = t², z = 1/t",
        "e cos(t − 1)",
        _total,
        lambda t: E * np.cos(t - 1),
        2.0,
        1.4686939399158851,
    ),
    Worked(
        "jacobian",
        "x²y + 3z",
        "gradient",
        lambda x, y, z: x**2 * y + 3 * z,
        lambda x, y, z: [2 * x * y, x**2, 3],
        "(2xy, x², 3)",
        (2.0, -1.0, 5.0),
        [-4, 4, 3],
    ),
    Worked(
        "jacobian",
        "(r cos φ, r sin φ), polar",
        "jacobian",
        _polar,
        lambda r, φ: [[np.cos(φ), -r * np.sin(φ)], [np.sin(φ), r * np.cos(φ)]],
        "((cos φ, −r sin φ), (sin φ, r cos φ)), det r",
        (2.0, π / 6),
        [[3**0.5 / 2, -1], [0.5, 3**0.5]],
    ),
    Worked(
        "jacobian",
        "r(cos θ sin φ, sin θ sin φ, cos φ), spherical",
        "jacobian",
        _spherical,
        _d_spherical,
        "det −r² sin φ",
        (2.0, π / 6, π / 3),
        [[0.75, -(3**0.5) / 2, 3**0.5 / 2], [3**0.5 / 4, 1.5, 0.5], [0.5, 0, -(3**0.5)]],
    ),
    Worked(
        "jacobian",
        "(9x²y² + ze^x, xy + x²y³ + 2z, cos x sin z e^y)",
        "jacobian",
        _three,
        _d_three,
        "at 0 ((0, 0, 1), (0, 0, 2), (0, 0, 1))",
        (0.0, 0.0, 0.0),
        [[0, 0, 1], [0, 0, 2], [0, 0, 1]],
    ),
    Worked(
        "hessian",
        "x² + y²",
        "hessian",
        lambda x, y: x**2 + y**2,
        lambda x, y: [[2, 0], [0, 2]],
        "((2, 0), (0, 2)), a minimum",
        (0.3, -0.7),
        [[2, 0], [0, 2]],
    ),
    Worked(
        "hessian",
        "x² − y²",
        "hessian",
        lambda x, y: x**2 - y**2,
        lambda x, y: [[2, 0], [0, -2]],
        "((2, 0), (0, −2)), a saddle",
        (0.3, -0.7),
        [[2, 0], [0, -2]],
    ),
    Worked(
        "hessian",
        "xy + sin y sin z + z³e^x",
        "hessian",
        lambda x, y, z: x * y + jnp.sin(y) * jnp.sin(z) + z**3 * jnp.exp(x),
        _first_hessian,
        "((z³eˣ, 1, 3z²eˣ), (1, −s, c), (3z²eˣ, c, 6zeˣ − s))",
        (0.0, π / 2, π / 6),
        [[(π / 6) ** 3, 1, π**2 / 12], [1, -0.5, 0], [π**2 / 12, 0, π - 0.5]],
    ),
    Worked(
        "hessian",
        "xy cos z − sin x e^y z³",
        "hessian",
        lambda x, y, z: x * y * jnp.cos(z) - jnp.sin(x) * jnp.exp(y) * z**3,
        _second_hessian,
        "at 0 ((0, 1, 0), (1, 0, 0), (0, 0, 0))",
        (0.0, 0.0, 0.0),
        [[0, 1, 0], [1, 0, 0], [0, 0, 0]],
    ),
    Worked(
        "hessian",
        "sin(πx − x²y)",
        "hessian",
        lambda x, y: jnp.sin(π * x - x**2 * y),
        _sine_hessian,
        "at (1, π) ((−2π, −2), (−2, 0))",
        (1.0, π),
        [[-2 * π, -2], [-2, 0]],
    ),
    Worked(
        "matrix chain",
        "x₁² − x₂², x = (2u₁ + 3u₂, 2u₁ − 3u₂), u = (cos(t/2), sin 2t)",
        "gradient",
        _matrices,
        _d_matrices,
        "(2x₁, −2x₂) ((2, 3), (2, −3)) (−½ sin(t/2), 2 cos 2t)",
        (1.0,),
        [-22.761038836389359],
    ),
    Worked(
        "neuron",
        "C = (tanh(wx + b) − y)², by w, b, x, y",
        "gradient",
        _neuron,
        _d_neuron,
        "2(a − y)(1 − a²)(x, 1, w), −2(a − y)",
        (2.3, -1.2, 0.0, 1.0),
        [0, -1.1186026425530912, -2.5727860778721097, 3.6673092140243105],
    ),
    Worked(
        "Taylor",
        "xy² e^(−x⁴ − y²/2)",
        "gradient",
        lambda x, y: x * y**2 * jnp.exp(-(x**4) - y**2 / 2),
        lambda x, y: np.exp(-(x**4) - y**2 / 2) * np.array([y**2 * (1 - 4 * x**4), x * y * (2 - y**2)]),
        "e^(−x⁴ − y²/2)(y²(1 − 4x⁴), xy(2 − y²))",
        (-1.0, 2.0),
        [-12 * np.exp(-3), 4 * np.exp(-3)],
    ),
    _slope(
        "Taylor", "e^(x²)", "2x e^(x²)", lambda x: jnp.exp(x**2), lambda x: 2 * x * np.exp(x**2), 1.0, 2 * E
    ),
    _slope("Taylor", "1/x", "−1/x²", lambda x: 1 / x, lambda x: -1 / x**2, 4.0, -1 / 16),
    _slope(
        "Taylor",
        "√(4 − x)",
        "−1/(2√(4 − x))",
        lambda x: jnp.sqrt(4 - x),
        lambda x: -0.5 / np.sqrt(4 - x),
        0.0,
        -0.25,
    ),
    _slope(
        "Taylor",
        "2/(x² − x)",
        "−2(2x − 1)/(x² − x)²",
        lambda x: 2 / (x**2 - x),
        lambda x: -2 * (2 * x - 1) / (x**2 - x) ** 2,
        0.5,
        0.0,
    ),
    _slope(
        "Taylor",
        "1/(1 + x²)²",
        "−4x/(1 + x²)³",
        lambda x: 1 / (1 + x**2) ** 2,
        lambda x: -4 * x / (1 + x**2) ** 3,
        2.0,
        -0.064,
    ),
    _slope(
        "Newton",
        "x⁶/6 − 3x⁴ − 2x³/3 + 27x²/2 + 18x − 30",
        "x⁵ − 12x³ − 2x² + 27x + 18",
        lambda x: x**6 / 6 - 3 * x**4 - 2 * x**3 / 3 + 27 * x**2 / 2 + 18 * x - 30,
        lambda x: x**5 - 12 * x**3 - 2 * x**2 + 27 * x + 18,
        1.0,
        32.0,
    ),
    _slope("Newton", "x³ − 2x + 2", "3x² − 2", lambda x: x**3 - 2 * x + 2, lambda x: 3 * x**2 - 2, 0.0, -2.0),
    Worked(
        "Lagrange",
        "exp(−(2x² + y² − xy)/2)",
        "gradient",
        lambda x, y: jnp.exp(-(2 * x**2 + y**2 - x * y) / 2),
        lambda x, y: np.exp(-(2 * x**2 + y**2 - x * y) / 2) * np.array([(y - 4 * x) / 2, (x - 2 * y) / 2]),
        "½f (y − 4x, x − 2y)",
        (1.0, 1.0),
        [-1.5 / E, -0.5 / E],
    ),
    Worked(
        "Lagrange",
        "−exp(x − y² + xy)",
        "gradient",
        lambda x, y: -jnp.exp(x - y**2 + x * y),
        lambda x, y: -np.exp(x - y**2 + x * y) * np.array([1 + y, x - 2 * y]),
        "f (1 + y, x − 2y)",
        (0.957782, 0.289565),
        [-4.07789, -4.07789 * np.sinh(0.289565)],
        5,
    ),
)
