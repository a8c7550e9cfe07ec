r"""What a stationary point is where second order is silent: along directions in which the Hessian of L is 0.

One walks: x(t) makes f stationary among the points of the constraint with v·(x − x₀) = t, and the slope τ of f along
this path, 0 at x₀, tells what comes first there. At radii t, t/2, t/4 … it is looked where τ stands clear of rounding;
the smallest three of these at which it shrinks by one power of t belong to the lowest order that does not vanish, and
the signs of τ there, ahead and behind, are the verdict. If τ is 0 all along, there is a family of stationary points. If
it is lost in rounding before one power shows, as for exp(−1/x²), nothing is decided, and it is said how far one is in
the dark. Of several such directions, f is looked at on circles of the constraint around the point, too.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from mvcalc_jax.calculus.constraints import resolved
from mvcalc_jax.calculus.constraints.bordered import Curved, Kind, judged
from mvcalc_jax.calculus.constraints.multipliers import Problem, lagrange_again, projected

_RADII = 0.1 * 0.5 ** np.arange(20)
"""How far one walks, in unit coordinates."""
_POWER = 0.15
"""How far exponents of one power may differ from one radius to the next."""
_CIRCLES = 0.1, 0.05, 0.025
_TURNS = 32
_FAR = 0.1 * 1.3 ** np.arange(26)
"""How far along a curve it is looked where f stops being level: up to some 70 units."""
_FADED = 1e-10
"""A slope that is this small where it first stands clear of rounding came there little by little."""

Signs = tuple[int, int]
"""1, −1, or 0 for what cannot be told from 0."""


class Verdict(NamedTuple):
    """What a point is by second order; what walking shows where that is silent; whether it is no member of a family.

    `dark` is how far around it the slope of f cannot be told from 0, though it is none of a family.
    """

    kind: Kind
    beyond: Kind | None
    isolated: bool
    dark: float = 0.0


class Walk(NamedTuple):
    """Along a direction: whether f is flat all along; the signs of f − f* behind and ahead, or 0; what is dark."""

    flat: bool
    behind: int
    ahead: int
    dark: float


class Place(NamedTuple):
    """A point in its problem: u, λ, f there, how large ∇L and L may be and yet be 0."""

    problem: Problem
    u: Float[np.ndarray, " d"]
    multipliers: Float[np.ndarray, " m"]
    value: float
    slope_rounding: float
    value_rounding: float


def verdict(place: Place, found: Curved) -> Verdict:
    """The last word on a point: in a family, its flat directions do not count, and elsewhere one walks along them."""
    if not len(found.flat):
        return Verdict(found.kind, None, True)
    place = _as_far_as(place, found.flat)
    walks = walked(place, found.flat)
    dark = max(walk.dark for walk in walks)
    if len(walks) > 1:
        return _around(place, found, any(walk.flat for walk in walks), dark)
    (walk,) = walks
    if walk.flat:
        return Verdict(judged(found.decided) if len(found.decided) else Kind.CONSTANT, None, False)
    if found.kind is not Kind.DEGENERATE:
        return Verdict(found.kind, None, True)
    return Verdict(found.kind, beyond(found.decided, (walk.behind, walk.ahead)), True, walk.dark)


def _as_far_as(place: Place, directions: Float[np.ndarray, "q d"]) -> Place:
    """The same in units of the slope of f as far away as one walks, which may be far larger than nearby."""
    ends = place.u + _RADII[0] * np.concatenate([directions, -directions])
    slope = place.problem.slopes(ends)[1][:, 0]
    ratio = max(1.0, float(np.nan_to_num(np.linalg.norm(slope, axis=1), posinf=1).max()))
    unit = place.problem.unit * np.append(ratio, np.ones(len(place.multipliers)))
    return Place(
        place.problem._replace(unit=unit),
        place.u,
        place.multipliers / ratio,
        place.value / ratio,
        place.slope_rounding / ratio,
        place.value_rounding / ratio,
    )


def _around(place: Place, found: Curved, family: bool, dark: float) -> Verdict:
    """The same for several flat directions, by what f is on circles."""
    signs, around = turned(place, found.flat)
    family = family or around
    if family and signs == (0, 0):
        return Verdict(judged(found.decided) if len(found.decided) else Kind.CONSTANT, None, False)
    if found.kind is not Kind.DEGENERATE:
        return Verdict(found.kind, None, not family)
    if len(found.decided) and not (signs[0] < 0 < signs[1]):
        # the rest of f is not stationary on these circles, so that only what lies beyond it counts
        other = (signs[0],) if (found.decided > 0).all() else (signs[1],)
        kind = beyond(found.decided, other)
        return Verdict(found.kind, kind if kind is Kind.SADDLE else None, not family, dark)
    return Verdict(found.kind, beyond(np.zeros(0), _of_family(signs) if family else signs), not family, dark)


def _of_family(signs: Signs) -> Signs:
    """The signs beside a family, on which f does not change."""
    one = int(np.sign(signs[0] + signs[1]))
    return signs if signs[0] < 0 < signs[1] else (one, one)


def walked(place: Place, directions: Float[np.ndarray, "q d"]) -> list[Walk]:
    """Walk both ways along each direction, as far as a stationary point can be followed."""
    ahead = np.concatenate([-_RADII, _RADII])
    q, s, u, λ = len(directions), len(ahead), place.u, place.multipliers
    again = lambda a: np.repeat(a[None], q * s, axis=0)
    ended = lagrange_again(
        place.problem,
        again(u),
        again(λ),
        np.zeros((q * s, len(λ))),
        along=np.repeat(directions, s, axis=0),
        ahead=np.tile(ahead, q),
    )
    far = np.linalg.norm(ended.z[:, : len(u)] - u, axis=1) > 3 * np.abs(np.tile(ahead, q))
    good = ended.left <= 1e-10 * np.fmax(1, np.abs(ended.z[:, -1]))
    τ = np.where(good & ~far, ended.z[:, -1], np.nan).reshape(q, 2, -1)
    clear = np.abs(τ) > place.slope_rounding + 10 * ended.left.reshape(τ.shape)
    walks = []
    for slopes, seen in zip(τ, clear, strict=True):
        flat = bool(np.isfinite(slopes[:, 0]).all() and not seen.any())
        behind, ahead_ = (_settled(side, sees) for side, sees in zip(slopes, seen, strict=True))
        dark = 0.0 if flat else float(_RADII[~seen.all(axis=0)].max(initial=0))
        walks.append(Walk(flat, -behind, ahead_, dark))
    return walks


def fades(problem: Problem, u: Float[np.ndarray, " d"], v: Float[np.ndarray, " d"]) -> bool:
    """Whether f is level at a point of a curve because its slope fades away there, as that of tanh does far out.

    A smooth function that is level along a piece of a curve is level all along it. If it is so by rounding alone, its
    slope comes out of this little by little on one side, and never on the other.
    """

    near = u + np.concatenate([-_FAR[:8], _FAR[:8]])[:, None] * v
    # far out all may be the same number, and its rounding none
    least = 3 * resolved.rounding(problem, resolved.local(problem, near)).components.max()

    def seen(t: Float[np.ndarray, " t"]) -> Float[np.ndarray, " t"]:
        """The slope along the curve at u + tv, 0 where rounding hides it and NaN where the curve is left."""
        ended = projected(problem, u + t[:, None] * v)
        here = resolved.local(problem, ended.z)
        c = np.abs(here.components[:, 0])
        c = np.where(c > np.maximum(least, resolved.rounding(problem, here).components[:, 0]), c, 0)
        on = (ended.left <= 1e-12) & (np.linalg.norm(ended.z - u - t[:, None] * v, axis=1) <= 0.5 * np.abs(t))
        return np.where(on, c, np.nan)

    faded = []
    for sign in (-1, 1):
        clear = seen(sign * _FAR) > 0
        if not clear.any():
            continue
        k = int(clear.argmax())
        closer = seen(sign * np.linspace(_FAR[k - 1] if k else 0, _FAR[k], 65)[1:])
        faded.append(bool(closer[closer > 0][:1].min(initial=np.inf) <= _FADED))
    return faded == [True]


def _settled(τ: Float[np.ndarray, " r"], clear: np.ndarray) -> int:
    """The sign of τ where, at three radii and at none smaller, it goes like one power of the radius; or 0."""
    with np.errstate(all="ignore"):
        power = -np.diff(np.log2(np.abs(τ)))
    for k in range(len(τ) - 1, 1, -1):
        three = slice(k - 2, k + 1)
        same = clear[three].all() and abs(np.sign(τ[three]).sum()) == 3
        if same and abs(power[k - 1] - power[k - 2]) <= _POWER and power[k - 1] > 0.5:
            return int(np.sign(τ[k]))
    return 0


def turned(place: Place, directions: Float[np.ndarray, "q d"]) -> tuple[Signs, bool]:
    """The signs of the lowest and the highest f − f* on circles of the constraint; whether a family crosses them."""
    unit = np.random.default_rng(0).standard_normal((_TURNS, len(directions))) @ directions
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    patterns: list[Signs] = []
    crossed = []
    for radius in _CIRCLES:
        ended = projected(place.problem, place.u + radius * unit)
        on = ended.z[(ended.left <= 1e-12) & (np.linalg.norm(ended.z - place.u, axis=1) <= 3 * radius)]
        rise = place.problem.slopes(on)[0][:, 0] - place.value
        rise = rise[np.isfinite(rise)]
        ends = (rise.min(), rise.max()) if len(rise) else (0.0, 0.0)
        low, high = (int(np.sign(r)) if abs(r) > place.value_rounding else 0 for r in ends)
        patterns.append((low, high))
        crossed.append(_crossed(place, on, radius))
    inward = pairwise(patterns[::-1])
    first = next((a for a, b in inward if a == b != (0, 0)), (0, 0))
    return first, sum(crossed) >= 2


def _crossed(place: Place, on: Float[np.ndarray, "k d"], radius: float) -> bool:
    """Whether stationary points of the same value lie about as far away as a circle."""
    λ = np.repeat(place.multipliers[None], len(on), axis=0)
    ended = lagrange_again(place.problem, on, λ, np.zeros_like(λ))
    u = ended.z[:, : len(place.u)]
    away = np.linalg.norm(u - place.u, axis=1)
    u = u[(away > 0.3 * radius) & (away < 3 * radius) & (ended.left <= 1e-10)]
    if not len(u):
        return False
    here = resolved.sharpened(place.problem, u)
    same = np.abs(place.problem.slopes(here.u)[0][:, 0] - place.value) <= place.value_rounding
    still = np.linalg.norm(here.u - place.u, axis=1) > 0.3 * radius
    return bool((resolved.solved(here, resolved.rounding(place.problem, here)) & same & still).any())


def beyond(eigenvalues: Float[np.ndarray, " e"], rises: tuple[int, ...]) -> Kind | None:
    """The verdict of a walk where second order has none, or None where the walk has none, either.

    Args:
        eigenvalues: those that are not 0.
        rises: signs of f − f* behind and ahead, or of its extremes around the point.
    """
    signs = [*np.sign(eigenvalues), *rises]
    if min(signs) < 0 < max(signs):
        return Kind.SADDLE
    if not all(rises):
        return None
    return Kind.MINIMUM if rises[0] > 0 else Kind.MAXIMUM
