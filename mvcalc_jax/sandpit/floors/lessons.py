r"""Four floors that each teach one thing, each f beside its gradient and its Hessian, by hand.

    valley   log(1 + r), r = (a − u)² + b (v − u²)²            Rosenbrock's valley; (u, v) = T(p − m)
    plateau  q + 0.95 sin q, q = dᵀMd, d = p − a                terraces: f′(q) = 1 + 0.95 cos q is 0.05 where q = π
    saddle   −log(e^(−q₁) + e^(−q₂ − δ)), q_k = κ ‖p − a_k‖²    two hollows, and a ridge with a saddle between
    cliff    ½κ ‖p − a‖² + h tanh(t), t = (nᵀp − s)/w          a gentle slope that breaks off at nᵀp = s

The logarithm keeps Rosenbrock's minimum and lets the valley's own slope be seen beside its walls'. With
w_k = e^(−q_k − δ_k)/Σ the saddle's derivatives are ∇f = Σ w_k ∇q_k and H = 2κI − w₁w₂ e eᵀ, e = ∇q₁ − ∇q₂.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax.sandpit.floors.family import Family


def _rotation(θ: float) -> np.ndarray:
    return np.array([[np.cos(θ), -np.sin(θ)], [np.sin(θ), np.cos(θ)]])


class Valley(NamedTuple):
    """Where on the valley's floor the minimum is, (u, v) = (a, a²); how steep the walls are; and T."""

    a: Any
    b: Any
    turn: Any


_MIDDLE = np.array([3.0, 3.0])
_LIFT = np.array([0.0, 1.5])
"""v in the middle of the box: so the valley's bend is in it, too."""


def _bent(c: Valley, p: Any) -> tuple[Any, Any]:
    u, v = c.turn @ (p - _MIDDLE) + _LIFT
    return u, v


def _rosenbrock(c: Valley, u: Any, v: Any) -> tuple[Any, Any, Any]:
    """r and its derivatives by u and v."""
    k = v - u**2
    r = (c.a - u) ** 2 + c.b * k**2
    dr = jnp.stack([-2 * (c.a - u) - 4 * c.b * u * k, 2 * c.b * k])
    mixed = -4 * c.b * u
    ddr = jnp.stack([jnp.stack([2 - 4 * c.b * k + 8 * c.b * u**2, mixed]), jnp.stack([mixed, 2 * c.b])])
    return r, dr, ddr


def valley(c: Valley, p: Any) -> Any:
    """f."""
    return jnp.log1p(_rosenbrock(c, *_bent(c, p))[0])


def d_valley(c: Valley, p: Any) -> Any:
    """∇f."""
    r, dr, _ = _rosenbrock(c, *_bent(c, p))
    return c.turn.T @ dr / (1 + r)


def dd_valley(c: Valley, p: Any) -> Any:
    """H."""
    r, dr, ddr = _rosenbrock(c, *_bent(c, p))
    return c.turn.T @ (ddr / (1 + r) - jnp.outer(dr, dr) / (1 + r) ** 2) @ c.turn


def _draw_valley(rng: np.random.Generator) -> Valley:
    """The valley open to one of the box's four sides, its minimum on the one or the other of its arms."""
    a, b = 0.8 + 0.5 * rng.random(), 8 + 8 * rng.random()
    quarter, side = int(4 * rng.random()), 1 if rng.random() < 0.5 else -1
    turn = 2 / 3 * np.diag([side, 1.0]) @ np.round(_rotation(quarter * np.pi / 2))
    return Valley(np.float64(a), np.float64(b), turn)


class Plateau(NamedTuple):
    """The middle, a, and M, (2, 2)."""

    middle: Any
    M: Any


_FLAT = 0.95


def plateau(c: Plateau, p: Any) -> Any:
    """f."""
    d = p - c.middle
    q = d @ c.M @ d
    return q + _FLAT * jnp.sin(q)


def d_plateau(c: Plateau, p: Any) -> Any:
    """∇f."""
    d = p - c.middle
    return (1 + _FLAT * jnp.cos(d @ c.M @ d)) * 2 * (c.M @ d)


def dd_plateau(c: Plateau, p: Any) -> Any:
    """H."""
    d = p - c.middle
    q, dq = d @ c.M @ d, 2 * (c.M @ d)
    return -_FLAT * jnp.sin(q) * jnp.outer(dq, dq) + (1 + _FLAT * jnp.cos(q)) * 2 * c.M


def _draw_plateau(rng: np.random.Generator) -> Plateau:
    """Ellipses, π at a distance of 1.8 to 2.4 from the middle along the one axis, and less along the other."""
    middle, R, θ = 1.2 + 3.6 * rng.random(2), 1.8 + 0.6 * rng.random(), np.pi * rng.random()
    U, along = _rotation(θ), np.array([1.0, 1 + 0.5 * rng.random()])
    M = np.pi / R**2 * (U * along) @ U.T
    return Plateau(middle, (M + M.T) / 2)


class Saddle(NamedTuple):
    """The hollows' middles, how much higher the second is, δ, and how steep both are, κ."""

    first: Any
    second: Any
    higher: Any
    steep: Any


def _shares(c: Saddle, p: Any) -> tuple[Any, Any, Any]:
    """w, (2,), and e."""
    first, second = p - c.first, p - c.second
    w = jax.nn.softmax(-_exponents(c, p))
    return w, 2 * c.steep * (w[0] * first + w[1] * second), 2 * c.steep * (c.second - c.first)


def _exponents(c: Saddle, p: Any) -> Any:
    first, second = p - c.first, p - c.second
    return jnp.stack([c.steep * (first @ first), c.steep * (second @ second) + c.higher])


def saddle(c: Saddle, p: Any) -> Any:
    """f."""
    return -jax.nn.logsumexp(-_exponents(c, p))


def d_saddle(c: Saddle, p: Any) -> Any:
    """∇f."""
    return _shares(c, p)[1]


def dd_saddle(c: Saddle, p: Any) -> Any:
    """H."""
    w, _, e = _shares(c, p)
    return 2 * c.steep * jnp.eye(2, dtype=p.dtype) - w[0] * w[1] * jnp.outer(e, e)


def _draw_saddle(rng: np.random.Generator) -> Saddle:
    middle, half, θ = 2.6 + 0.8 * rng.random(2), 1.5 + 0.3 * rng.random(), 2 * np.pi * rng.random()
    along = half * np.array([np.cos(θ), np.sin(θ)])
    higher, steep = 1 + rng.random(), 0.8 + 0.4 * rng.random()
    return Saddle(middle + along, middle - along, np.float64(higher), np.float64(steep))


class Cliff(NamedTuple):
    """The bowl's middle a and steepness κ; the cliff's direction n, place s, height h and width w."""

    middle: Any
    steep: Any
    n: Any
    s: Any
    h: Any
    w: Any


def _across(c: Cliff, p: Any) -> Any:
    return (c.n @ p - c.s) / c.w


def cliff(c: Cliff, p: Any) -> Any:
    """f."""
    d = p - c.middle
    return c.steep / 2 * (d @ d) + c.h * jnp.tanh(_across(c, p))


def d_cliff(c: Cliff, p: Any) -> Any:
    """∇f."""
    t = jnp.tanh(_across(c, p))
    return c.steep * (p - c.middle) + c.h * (1 - t**2) / c.w * c.n


def dd_cliff(c: Cliff, p: Any) -> Any:
    """H."""
    t = jnp.tanh(_across(c, p))
    return c.steep * jnp.eye(2, dtype=p.dtype) - 2 * c.h * t * (1 - t**2) / c.w**2 * jnp.outer(c.n, c.n)


def _draw_cliff(rng: np.random.Generator) -> Cliff:
    """The middle of the bowl lies off the middle of the box, and the cliff runs between the two."""
    θ, far, along = 2 * np.pi * rng.random(), 1.2 + 0.6 * rng.random(), rng.random() - 0.5
    n = np.array([np.cos(θ), np.sin(θ)])
    middle = 3 - far * n + along * np.array([-n[1], n[0]])
    s = n @ middle + 1.5 + 0.4 * rng.random()
    steep, h, w = 0.3 + 0.1 * rng.random(), 1.5 + 0.5 * rng.random(), 0.15 + 0.05 * rng.random()
    return Cliff(middle, np.float64(steep), n, s, np.float64(h), np.float64(w))


LESSONS = (
    Family(
        "valley",
        "A bent valley like Rosenbrock's: its walls are steep and its floor is not, so the slope points across it.",
        _draw_valley,
        valley,
        d_valley,
        dd_valley,
        minima=(1, 1),
        points=61,
    ),
    Family(
        "plateau",
        "A terrace: the slope all but vanishes where nothing is lowest.",
        _draw_plateau,
        plateau,
        d_plateau,
        dd_plateau,
        minima=(1, 1),
    ),
    Family(
        "saddle",
        "A ridge with a saddle between two hollows: a step to either side of it decides.",
        _draw_saddle,
        saddle,
        d_saddle,
        dd_saddle,
        minima=(2, 2),
    ),
    Family(
        "cliff",
        "A cliff: where the slope is steepest, a step along it overshoots the most.",
        _draw_cliff,
        cliff,
        d_cliff,
        dd_cliff,
        minima=(1, 1),
    ),
)
