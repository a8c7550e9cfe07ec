r"""The course's five floors, each f beside its gradient and its Hessian, by hand.

    wells    −‖p − a‖² − 30 exp(−‖p − b‖²/2.8)                       a hill, and a well beside it
    random   Σ a_nm cos(πnx/6 + φ_n) cos(πmy/6 + φ′_m) + wall,  n, m = 0 … 3,  a_nm = U(0, 1)/((n+1)(m+1))²
             wall = (1 − x(x − 6) y(y − 6)/81)⁷/9
    eggbox   −s(u) s(v),  s(t) = sin(πt)/(πt),  (u, v) = k R_θ (p − a)
    rocks    random + the same series at ten times the frequency and a twenty-fifth of the height
    narrow   random − 0.6 exp(−‖p − a‖²/(2 · 0.2²))

With u_n(x) = cos(ω_n x + φ_n), ω_n = πn/6, a series is uᵀAv, and its derivatives are those of u and v in turn:
∂f/∂x = u′ᵀAv, ∂²f/∂x∂y = u′ᵀAv′. Of a Gaussian G = exp(−‖d‖²/w), d = p − a: ∇G = −(2/w) d G and
H = ((4/w²) d dᵀ − (2/w) I) G.
"""

import math
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from mvcalc_jax.sandpit.floors.family import Family


class Wells(NamedTuple):
    """The middles of the hill and of the well."""

    hill: Any
    well: Any


def _gaussian(d: Any, w: float) -> Any:
    return jnp.exp(-(d @ d) / w)


def _d_gaussian(d: Any, w: float) -> Any:
    return -2 / w * d * _gaussian(d, w)


def _dd_gaussian(d: Any, w: float) -> Any:
    return (4 / w**2 * jnp.outer(d, d) - 2 / w * jnp.eye(2, dtype=d.dtype)) * _gaussian(d, w)


def wells(c: Wells, p: Any) -> Any:
    """f."""
    return -((p - c.hill) @ (p - c.hill)) - 30 * _gaussian(p - c.well, 2.8)


def d_wells(c: Wells, p: Any) -> Any:
    """∇f."""
    return -2 * (p - c.hill) - 30 * _d_gaussian(p - c.well, 2.8)


def dd_wells(c: Wells, p: Any) -> Any:
    """H."""
    return -2 * jnp.eye(2, dtype=p.dtype) - 30 * _dd_gaussian(p - c.well, 2.8)


def _draw_wells(rng: np.random.Generator) -> Wells:
    return Wells(0.5 + 5 * rng.random(2), 1 + 4 * rng.random(2))


class Series(NamedTuple):
    """A, (4, 4), and the phases of the waves along x and along y, (4,) each."""

    A: Any
    along_x: Any
    along_y: Any


def _draw_series(rng: np.random.Generator) -> Series:
    n = np.arange(1, 5)
    A = rng.random((4, 4)) / np.outer(n, n) ** 2
    return Series(A, 2 * np.pi * rng.random(4), 2 * np.pi * rng.random(4))


def _waves(t: Any, phase: Any, times: int) -> tuple[Any, Any, Any]:
    """u, u′ and u″ at one coordinate.

    The multiples of θ = times πt/6 follow from cos θ and sin θ by the addition theorems: a quarter of the sines.
    """
    θ = times * jnp.pi / 6 * t
    c, s = [jnp.ones_like(θ), jnp.cos(θ)], [jnp.zeros_like(θ), jnp.sin(θ)]
    for _ in range(2):
        c, s = [*c, c[-1] * c[1] - s[-1] * s[1]], [*s, s[-1] * c[1] + c[-1] * s[1]]
    C, S, cos_φ, sin_φ = jnp.stack(c), jnp.stack(s), jnp.cos(phase), jnp.sin(phase)
    cos, sin = C * cos_φ - S * sin_φ, S * cos_φ + C * sin_φ
    ω = jnp.asarray(times * np.pi / 6 * np.arange(4), phase.dtype)
    return cos, -ω * sin, -(ω**2) * cos


def _series(c: Series, p: Any, times: int = 1) -> Any:
    (u, _, _), (v, _, _) = _waves(p[0], c.along_x, times), _waves(p[1], c.along_y, times)
    return u @ c.A @ v


def _d_series(c: Series, p: Any, times: int = 1) -> Any:
    (u, du, _), (v, dv, _) = _waves(p[0], c.along_x, times), _waves(p[1], c.along_y, times)
    return jnp.stack([du @ c.A @ v, u @ c.A @ dv])


def _dd_series(c: Series, p: Any, times: int = 1) -> Any:
    (u, du, ddu), (v, dv, ddv) = _waves(p[0], c.along_x, times), _waves(p[1], c.along_y, times)
    mixed = du @ c.A @ dv
    return jnp.stack([jnp.stack([ddu @ c.A @ v, mixed]), jnp.stack([mixed, u @ c.A @ ddv])])


def _wall(p: Any) -> Any:
    """w⁷/9, w = 1 − q₁q₂/81, q = z(z − 6): 1/9 on the edge, 0 in the middle."""
    q = p * (p - 6)
    return (1 - q[0] * q[1] / 81) ** 7 / 9


def _d_wall(p: Any) -> Any:
    q, dq = p * (p - 6), 2 * p - 6
    w = 1 - q[0] * q[1] / 81
    return 7 * w**6 / 9 * (-dq * q[::-1] / 81)


def _dd_wall(p: Any) -> Any:
    q, dq = p * (p - 6), 2 * p - 6
    w, dw = 1 - q[0] * q[1] / 81, -dq * q[::-1] / 81
    mixed = -dq[0] * dq[1] / 81
    ddw = jnp.stack([jnp.stack([-2 * q[1] / 81, mixed]), jnp.stack([mixed, -2 * q[0] / 81])])
    return 42 * w**5 / 9 * jnp.outer(dw, dw) + 7 * w**6 / 9 * ddw


def random(c: Series, p: Any) -> Any:
    """f."""
    return _series(c, p) + _wall(p)


def d_random(c: Series, p: Any) -> Any:
    """∇f."""
    return _d_series(c, p) + _d_wall(p)


def dd_random(c: Series, p: Any) -> Any:
    """H."""
    return _dd_series(c, p) + _dd_wall(p)


class Eggbox(NamedTuple):
    """The middle, a, and T = k times the rotation by θ, (2, 2)."""

    middle: Any
    turn: Any


_K = np.arange(10)
_TAYLOR = np.array([(-1.0) ** k / math.factorial(2 * k + 1) for k in _K])
"""Of s in z = (πt)²: sin(πt)/(πt) = Σ (−z)ᵏ/(2k + 1)!."""
_NEAR = 0.3
"""As far from 0 as that the formulas that divide by t lose digits, and the series has them all."""


def _sinc(t: Any) -> tuple[Any, Any, Any]:
    """s, s′ and s″."""
    near = jnp.abs(t) < _NEAR
    z = (jnp.pi * jnp.where(near, t, 0)) ** 2
    power = lambda coefficients: jnp.polyval(jnp.asarray(coefficients[::-1], z.dtype), z)
    close = (
        power(_TAYLOR),
        jnp.pi**2 * t * power((2 * _K * _TAYLOR)[1:]),
        jnp.pi**2 * power((2 * _K * (2 * _K - 1) * _TAYLOR)[1:]),
    )
    far = jnp.where(near, 1, t)
    s = jnp.sin(jnp.pi * far) / (jnp.pi * far)
    ds = (jnp.cos(jnp.pi * far) - s) / far
    apart = s, ds, -(jnp.pi**2) * s - 2 * ds / far
    value, slope, bend = (jnp.where(near, a, b) for a, b in zip(close, apart, strict=True))
    return value, slope, bend


def eggbox(c: Eggbox, p: Any) -> Any:
    """f."""
    u, v = c.turn @ (p - c.middle)
    return -_sinc(u)[0] * _sinc(v)[0]


def d_eggbox(c: Eggbox, p: Any) -> Any:
    """∇f."""
    u, v = c.turn @ (p - c.middle)
    (s, ds, _), (t, dt, _) = _sinc(u), _sinc(v)
    return -c.turn.T @ jnp.stack([ds * t, s * dt])


def dd_eggbox(c: Eggbox, p: Any) -> Any:
    """H."""
    u, v = c.turn @ (p - c.middle)
    (s, ds, dds), (t, dt, ddt) = _sinc(u), _sinc(v)
    H = jnp.stack([jnp.stack([dds * t, ds * dt]), jnp.stack([ds * dt, s * ddt])])
    return -c.turn.T @ H @ c.turn


def _draw_eggbox(rng: np.random.Generator) -> Eggbox:
    middle, k, θ = 1.5 + 3 * rng.random(2), 0.7 + 0.2 * rng.random(), np.pi / 2 * rng.random()
    return Eggbox(middle, k * np.array([[np.cos(θ), np.sin(θ)], [-np.sin(θ), np.cos(θ)]]))


def rocks(c: Series, p: Any) -> Any:
    """f."""
    return random(c, p) + _series(c, p, 10) / 25


def d_rocks(c: Series, p: Any) -> Any:
    """∇f."""
    return d_random(c, p) + _d_series(c, p, 10) / 25


def dd_rocks(c: Series, p: Any) -> Any:
    """H."""
    return dd_random(c, p) + _dd_series(c, p, 10) / 25


class Narrow(NamedTuple):
    """A random floor, and the middle of the well in it."""

    series: Series
    well: Any


_WIDTH = 2 * 0.2**2


def narrow(c: Narrow, p: Any) -> Any:
    """f."""
    return random(c.series, p) - 0.6 * _gaussian(p - c.well, _WIDTH)


def d_narrow(c: Narrow, p: Any) -> Any:
    """∇f."""
    return d_random(c.series, p) - 0.6 * _d_gaussian(p - c.well, _WIDTH)


def dd_narrow(c: Narrow, p: Any) -> Any:
    """H."""
    return dd_random(c.series, p) - 0.6 * _dd_gaussian(p - c.well, _WIDTH)


def _draw_narrow(rng: np.random.Generator) -> Narrow:
    return Narrow(_draw_series(rng), 0.6 + 4.8 * rng.random(2))


COURSE = (
    Family(
        "wells",
        "A hill beside a well: on which side of the hill one starts decides where one ends.",
        _draw_wells,
        wells,
        d_wells,
        dd_wells,
        fixed=Wells(np.array([4.1, 0.9]), np.array([1.5, 3.7])),
        apart=0.2,
    ),
    Family(
        "random",
        "Hills and hollows at random: the nearest hollow need not be the deepest.",
        _draw_series,
        random,
        d_random,
        dd_random,
        minima=(2, 1000),
    ),
    Family(
        "eggbox",
        "An egg-box: six to eight hollows, and only one is deep.",
        _draw_eggbox,
        eggbox,
        d_eggbox,
        dd_eggbox,
        minima=(6, 8),
    ),
    Family(
        "rocks",
        "Rocks in the sand: the slope at a point says little of the way the floor falls.",
        _draw_series,
        rocks,
        d_rocks,
        dd_rocks,
        apart=0.05,
        points=101,
        minima=(2, 1000),
    ),
    Family(
        "narrow",
        "A narrow well: nothing around it tells that it is there.",
        _draw_narrow,
        narrow,
        d_narrow,
        dd_narrow,
        points=61,
    ),
)
