r"""A critical point at which the Hessian is singular: what the higher orders of f say.

At p let ∇f = 0, let the columns of N span the null space of H, and those of R the rest of the space. On every plane
p + N s + R t of fixed small s there is one t(s) at which f is stationary in t, and by the splitting lemma f is there,
in coordinates of its own choice,

    f = g(s) + ½ τᵀ Λ τ,    g(s) = f(p + N s + R t(s)),    ∇g(s) = Nᵀ ∇f(p + N s + R t(s)),

Λ the eigenvalues of H that are not zero. So it is g, and not f along straight lines, that decides: (y − x²)(y − 3x²)
has a minimum at 0 on every line through it, but g(x) = −x⁴. Here g is the integral of ∇g along rays (Gauss and
Legendre), so that it keeps its digits where f − f(p) has none left, and is looked at on spheres of radii r₀, r₀/2, …:

    least g on the sphere > 0: a minimum;   greatest g < 0: a maximum;   least < 0 < greatest: neither.

How the least and the greatest shrink with r, as rⁿ, is the order n that decides. It is believed where three radii
agree on a whole number, from the smallest radius on at which g stands clear of rounding. If they never do, as for
exp(−1/x²), no order decides.

A point that has critical points at all of several distances from it is not isolated. Reference: Poston and Stewart,
Catastrophe Theory and Its Applications (1978), ch. 4.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mvcalc_jax import autodiff, compiling, precision, require, text
from mvcalc_jax.calculus.multistart import in_chunks, scattered
from mvcalc_jax.calculus.rounding import CLEAR, shaken
from mvcalc_jax.calculus.stationary.kinds import CriticalPoint

_NODES = 8
"""Of Gauss and Legendre: exact for a g of order 16."""
_NEWTON = 6
_RADII = 15
_LARGEST = 0.2
"""The first radius, half a side of the box being 1."""
_WHOLE = 0.12
"""How far from a whole number an exponent may lie: at a radius r, the next order changes it by about r."""
_SPHERE = 30
_ROUNDS = 4
"""In which the least and the greatest g on a sphere are looked for more closely."""


class Field(NamedTuple):
    """A function: f(x), its gradient and Hessian, and half the sides of the box, by which all is measured."""

    f: Callable[[Array], Array]
    gradient: Callable[[Array], Array]
    hessian: Callable[[Array], Array]
    half: Float[np.ndarray, " d"]


class Verdict(NamedTuple):
    """What g says: the signs of its least and greatest value near p (0 where neither), and the order that decides."""

    least: int
    greatest: int
    order: int | None
    radius: float
    """At which this was seen."""


Reduced = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def reduced(field: Field) -> Reduced:
    """What takes points p (m, d), projectors on null spaces (m, d, d) and vectors v in these (m, d) to g(v), rounding.

    Lengths of v are in units of half the box. NaN where no t(s) is found.
    """
    w, again = field.half, shaken(field.gradient)
    t, weights = np.polynomial.legendre.leggauss(_NODES)
    t, weights = (t + 1) / 2, weights / 2

    def along(p: Array, P: Array, v: Array) -> tuple[Any, Any]:
        Q = jnp.eye(len(p), dtype=p.dtype) - P

        def at(u: Array) -> tuple[Any, Any]:
            z = p + w * u
            return w * field.gradient(z), w[:, None] * field.hessian(z) * w

        def slope(τ: Array) -> tuple[Array, Array]:
            def newton(u: Array, _: None) -> tuple[Array, None]:
                F, H = at(u)
                return u - jnp.linalg.solve(Q @ H + P, Q @ F + P @ (u - τ * v)), None

            u, _ = jax.lax.scan(newton, τ * v, length=_NEWTON)
            F, H = at(u)
            rough = jnp.max(jnp.abs((w * again(p + w * u) - F) @ v))
            left = jnp.linalg.norm(jnp.linalg.solve(Q @ H + P, Q @ F))
            found = (left <= 1e-6 * jnp.linalg.norm(v)) & (jnp.linalg.norm(u) <= 10 * jnp.linalg.norm(v))
            return jnp.where(found, v @ F, jnp.nan), rough

        slopes, rough = jax.vmap(slope)(jnp.asarray(t, p.dtype))
        return jnp.asarray(weights, p.dtype) @ slopes, jnp.max(rough)

    program = jax.jit(jax.vmap(along), compiler_options=compiling.quickly())

    def run(p: np.ndarray, P: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        values, rough = in_chunks(program, p, P, v)
        return values, rough

    return run


def along_valley(
    f: Callable[[Any], Any], point: CriticalPoint, t: Float[np.ndarray, " k"]
) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]]:
    """f − f(p) beside a degenerate p along its flattest direction: straight on, and on the floor of the valley, g.

    Args:
        f: as for `critical_points`.
        point: one of those that were found.
        t: how far along the direction, (k,).

    Returns:
        Two arrays (k,): f(p + tv) − f(p), and the same on the floor, NaN where that is lost.

    >>> f = lambda p: (p[1] - p[0] ** 2) * (p[1] - 2 * p[0] ** 2)  # Peano's: lowest at 0 along every line
    >>> (point,) = mv.critical_points(f, ((-1, 1), (-1, 1)))
    >>> straight, floor = mv.calculus.along_valley(f, point, np.array([0.1]))
    >>> point.kind.value, (straight / 0.1**4).round(3), (floor / 0.1**4).round(3)  # 2x⁴, and −x⁴/4 along y = 3x²/2
    ('degenerate saddle', array([2.]), array([-0.25]))
    """
    f = require.function("f", f)
    require.scalar("f", f, point.point)
    t = require.reals("t", t, "numbers along the valley")
    require.shape("t", t, (None,), "one for each point")
    p, λ = point.point, np.abs(point.eigenvalues)
    n, N = point.eigenvectors[:, λ.argmin()], point.eigenvectors[:, λ <= 1e-6 * λ.max()]
    with precision.of(p):
        slope = autodiff.gradient(f)
        g = reduced(Field(f, slope, autodiff.jacobian(slope, mode="forward"), np.ones_like(p)))
        v = (t[:, None] * n).astype(p.dtype)
        ones = np.ones((len(t), *p.shape), p.dtype)
        floor, _ = g(p * ones, (N @ N.T).astype(p.dtype) * ones[..., None], v)
        straight = np.asarray(jax.vmap(f)(p + v)) - point.value
    return straight, np.where(t == 0, 0, floor)


def verdict(
    g: Reduced, p: Float[np.ndarray, " d"], N: Float[np.ndarray, "d k"], error: float, free: float
) -> Verdict:
    """The signs of g near p, and the order that decides.

    Args:
        g: see `reduced`.
        p: the point.
        N: an orthonormal basis of the null space, lengths in units of half the box.
        error: of p.
        free: how far it is to the next critical point.
    """
    radii = min(_LARGEST, free / 2) * 0.5 ** np.arange(_RADII)
    radii = radii[radii >= max(3 * error, 10 * float(np.finfo(p.dtype).eps) ** 0.5)]
    if len(radii) < 3:
        return Verdict(0, 0, None, float("nan"))
    extremes = [_extreme(g, p, N, radii, sign) for sign in (1, -1)]
    (low, n), (high, m) = (_settled(radii, *extreme) for extreme in extremes)
    values = [extreme[0] for extreme in extremes]
    least, greatest = (int(np.sign(v[k])) if k >= 0 else 0 for v, k in zip(values, (low, high), strict=True))
    orders = {(1, 1): n, (-1, -1): m, (-1, 1): max(n, m)}
    order = orders.get((least, greatest))
    return Verdict(least, greatest, order, float(radii[max(low, high)]))


def _settled(radii: np.ndarray, value: np.ndarray, clear: np.ndarray) -> tuple[int, int]:
    """The place of the smallest radius from which three agree on a whole exponent, and that; −1 where none do."""
    with np.errstate(all="ignore"):
        exponents = np.diff(np.log(np.abs(value))) / np.diff(np.log(radii))
    for k in range(len(radii) - 1, 1, -1):
        three = slice(k - 2, k + 1)
        n = np.round(exponents[k - 1])
        same = (np.sign(value[three]) == np.sign(value[k])).all() and clear[three].all()
        if same and n >= 2 and (np.abs(exponents[k - 2 : k] - n) <= _WHOLE).all():
            return k, int(n)
    return -1, 0


def _extreme(
    g: Reduced, p: np.ndarray, N: np.ndarray, radii: np.ndarray, sign: int
) -> tuple[np.ndarray, np.ndarray]:
    """The least (sign 1) or greatest (−1) g on each sphere, and whether it stands clear of rounding."""
    directions = np.broadcast_to(spread(N.shape[1]), (len(radii), *spread(N.shape[1]).shape))
    P, best, reach = N @ N.T, None, 1.0
    for turn in range(_ROUNDS if N.shape[1] > 1 else 1):
        m = directions.shape[1]
        v = (radii[:, None, None] * directions @ N.T).reshape(-1, len(p)).astype(p.dtype)
        at = (np.broadcast_to(a, (len(v), *a.shape)) for a in (p, P.astype(p.dtype)))
        values, rough = (a.reshape(len(radii), m) for a in g(*at, v))
        pick = np.argmin(np.where(np.isnan(values), np.inf, sign * values), axis=1)
        rows = np.arange(len(radii))
        found = values[rows, pick], np.abs(values[rows, pick]) > CLEAR * rough[rows, pick]
        best = found
        near = directions[rows, pick][:, None, :]
        reach = (4.0 / m ** (1 / max(N.shape[1] - 1, 1))) if turn == 0 else reach / 4
        around = scattered(np.tile([-1.0, 1.0], (N.shape[1], 1)), 32)
        directions = np.concatenate([near, near + reach * around], axis=1)
        directions = directions / np.linalg.norm(directions, axis=2, keepdims=True)
    assert best is not None
    return best


def spread(k: int) -> Float[np.ndarray, "m k"]:
    """Directions that fill the sphere in k dimensions."""
    if k == 1:
        return np.array([[1.0], [-1.0]])
    if k == 2:
        angle = 2 * np.pi * (np.arange(128) + 0.3) / 128
        return np.stack([np.cos(angle), np.sin(angle)], axis=1)
    points = scattered(np.tile([-1.0, 1.0], (k, 1)), 400)
    points = np.concatenate([np.eye(k), -np.eye(k), points])
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def isolated(
    field: Field,
    polished: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    points: Sequence[Float[np.ndarray, " d"]],
    spaces: Sequence[Float[np.ndarray, "d _"]],
) -> list[bool]:
    """Whether each point has no critical points near it, along its null space, at all of several distances."""
    if not points:
        return []
    w, radii = field.half, 0.1 * 10.0 ** (-0.5 * np.arange(4))
    rows, owner = [], []
    for k, (p, N) in enumerate(zip(points, spaces, strict=True)):
        sides = spread(N.shape[1])
        sides = sides[:: max(1, len(sides) // 32)] @ N.T
        rows += [(p, r * side) for r in radii for side in sides]
        owner += [(k, m) for m in range(len(radii)) for _ in sides]
    centres, u = (np.array(a, w.dtype) for a in zip(*rows, strict=True))
    (crossed,) = in_chunks(_on_spheres(field), centres, u)
    ends, zero = polished(crossed)
    there = zero & (np.linalg.norm((ends - crossed) / w, axis=1) <= 0.05 * np.linalg.norm(u, axis=1))
    met = np.zeros((len(points), len(radii)), bool)
    np.logical_or.at(met, tuple(np.array(owner).T), there)
    return [bool(n < 3) for n in met.sum(axis=1)]


def _on_spheres(field: Field) -> Callable[..., tuple[Array]]:
    """What goes from p + w ∘ u to where f is stationary on the sphere about p: a curve of zeros through p crosses it.

    Freely, starts near a curve end at p: where f is homogeneous, Newton's step goes straight there.
    """
    w = field.half

    def run(p: Array, u: Array) -> tuple[Array]:
        r = jnp.linalg.norm(u)

        def step(state: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], None]:
            u, before = state
            z = p + w * u
            n = u / r
            Q = jnp.eye(len(p), dtype=p.dtype) - jnp.outer(n, n)
            σ, U = jnp.linalg.eigh(Q @ (w[:, None] * field.hessian(z) * w) @ Q)
            c = U.T @ (Q @ (w * field.gradient(z)))
            real = jnp.abs(σ) > 1e-14 * jnp.max(jnp.abs(σ))
            s = -Q @ (U @ jnp.where(real, c / jnp.where(real, σ, 1), 0))
            size = jnp.linalg.norm(s)
            m = jnp.where(size < 0.99 * before, 1 / (1 - size / before), 1)
            s = s * jnp.minimum(m, 0.3 * r / jnp.maximum(size, jnp.finfo(p.dtype).tiny))
            new = u + s
            return (r * new / jnp.linalg.norm(new), size), None

        (u, _), _ = jax.lax.scan(step, (u, jnp.asarray(jnp.inf, p.dtype)), length=_SPHERE)
        return (p + w * u,)

    return jax.jit(jax.vmap(run), compiler_options=compiling.quickly())


def words(N: Any) -> str:
    """The directions of a null space."""
    return " and ".join(text.vector(np.round(v, 3) + 0.0, 3) for v in N.T)
