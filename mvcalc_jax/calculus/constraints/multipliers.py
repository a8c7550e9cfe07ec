r"""Where constraints are met, and where multipliers hold the gradient of a function on them.

    ν₀∇f(x) = Σ ν_k ∇g_k(x),   g(x) = 0,   |ν| = 1

Fritz John's equations: d + m + 1 of them, as many as there are unknowns. With ν₀ ≠ 0, λ_k = ν_k/ν₀ are Lagrange's
multipliers, ∇f = Σ λ_k ∇g_k. With ν₀ = 0 the gradients of the constraints are linearly dependent: a singular point of
the constraint, such as a cusp, where there may be an extremum and no multiplier. In Lagrange's own unknowns (x, λ) such
a point lies where λ is infinite, and seems to be neared for ever; here it is a root like any other.

Everything is computed in unit coordinates u, x = centre + width · u: each variable is measured by the width of where
one looks, f and each g_k by a typical gradient, so that metres and millimetres are alike. Two programs are compiled, f
and g up to their first and up to their second derivatives; what is built of them, equations with Jacobians by hand, is
solved by loops on the host, since to compile it would take longer than all of its steps.

References: John, Extremum problems with inequalities as subsidiary conditions (1948); Moré, The Levenberg–Marquardt
algorithm (1978).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mvcalc_jax import autodiff, compiling

_CHUNK = 64
"""Points that the programs take at once, whatever number is asked for, so that each is compiled once."""
_STEPS = 120
"""Of Levenberg's: at an m-fold root each leaves (m − 1)/m of the way, so that a triple one is met to rounding."""
_LONGEST = 0.1
"""A step, in unit coordinates: longer ones may leap over all that is nearby to where f has faded away."""
_POLISH = 4
_FAR = 20
_SMALL = 4e-16
"""A step this small beside 1 + |z| changes nothing."""
_CUT = 1e-13
"""A singular value of a Jacobian this small beside its largest is none: nothing happens along that direction."""

Program = Callable[[Float[np.ndarray, "k d"]], list[np.ndarray]]
Equations = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Of unknowns z (k, n) and what is known (k, q): what shall vanish, (k, e), and its Jacobian, (k, e, n)."""


class Problem(NamedTuple):
    """f and g, and how they are measured."""

    first: Program
    """Of points x: (f, g…), and their gradients."""
    second: Program
    """And their Hessians, too."""
    centre: Float[np.ndarray, " d"]
    width: Float[np.ndarray, " d"]
    unit: Float[np.ndarray, " c"]
    """Of f and each constraint."""

    def plain(self, u: Any) -> Any:
        """x of u."""
        return self.centre + self.width * u

    def slopes(self, u: Float[np.ndarray, "k d"]) -> tuple[np.ndarray, np.ndarray]:
        """Values (k, 1+m) and gradients (k, 1+m, d) in unit coordinates."""
        value, slope = self.first(self.plain(u))
        return value / self.unit, slope * self.width / self.unit[:, None]

    def curvatures(self, u: Float[np.ndarray, "k d"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """And Hessians (k, 1+m, d, d)."""
        value, slope, curved = self.second(self.plain(u))
        unit, area = self.unit[:, None], np.outer(self.width, self.width)
        return value / self.unit, slope * self.width / unit, curved * area / unit[:, None]


def problem(
    f: Callable[[Array], Array],
    g: Callable[[Array], Array],
    centre: Float[np.ndarray, " d"],
    width: Float[np.ndarray, " d"],
) -> Problem:
    """The programs of f and g, whose units are still 1."""
    both = lambda x: jnp.concatenate([jnp.reshape(f(x), 1), jnp.reshape(g(x), -1)])
    slopes = autodiff.jacobian(both)
    first = _program(lambda x: (both(x), slopes(x)))
    second = _program(lambda x: (both(x), slopes(x), autodiff.jacobian(slopes, mode="forward")(x)))
    constraints = first(centre[None])[0].shape[1]
    return Problem(first, second, centre, width, np.ones(constraints))


def _program(run: Callable[[Array], tuple[Array, ...]]) -> Program:
    compiled = jax.jit(jax.vmap(run), compiler_options=compiling.quickly())

    def chunks(x: np.ndarray) -> list[np.ndarray]:
        rows = -(-max(len(x), 1) // _CHUNK) * _CHUNK
        padded = (
            np.concatenate([x, np.repeat(x[-1:], rows - len(x), axis=0)])
            if len(x)
            else np.zeros((rows, x.shape[1]))
        )
        parts = [compiled(padded[k : k + _CHUNK]) for k in range(0, rows, _CHUNK)]
        return [np.concatenate(part)[: len(x)] for part in zip(*parts, strict=True)]

    return chunks


class Ended(NamedTuple):
    """Where starts ended: the unknowns (k, n); as norms (k,), Newton's step there and what is left of the equations.

    `whole` is the step with all of J⁻¹, however small its singular values: where equations only fade away, it is as
    long as ever, and where there is a curve of solutions, it is a quotient of two rounding errors. `past` is what is
    left twenty such steps ahead: no less than here, behind a solution of whatever multiplicity, and next to nothing
    where the equations fade.
    """

    z: Float[np.ndarray, "k n"]
    step: Float[np.ndarray, " k"]
    whole: Float[np.ndarray, " k"]
    left: Float[np.ndarray, " k"]
    past: Float[np.ndarray, " k"]


def projected(problem: Problem, u: Float[np.ndarray, "k d"]) -> Ended:
    """Where starts end that go straight to g = 0."""

    def equations(u: np.ndarray, _: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        value, slope = problem.slopes(u)
        return value[:, 1:], slope[:, 1:]

    return descended(equations, u)


def fritz_john(problem: Problem, u: Float[np.ndarray, "k d"], *, objective: bool = True) -> Ended:
    """Where starts end that solve Fritz John's equations, as z = (u, ν), each from the ν that fits best at its u.

    Args:
        problem: of f and g.
        u: starts.
        objective: whether f is among the functions. Without it the solutions are the singular points of the constraint,
            z = (u, ν₁ …), and there are more equations than unknowns.
    """
    d, kept = u.shape[1], slice(0 if objective else 1, None)

    def equations(z: np.ndarray, sign: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        u, ν = z[:, :d], z[:, d:]
        value, slope, curved = problem.curvatures(u)
        B = slope[:, kept] * sign[:, :, None]
        r = np.concatenate(
            [_times(B.swapaxes(1, 2), ν), value[:, 1:], (ν**2).sum(axis=1)[:, None] - 1], axis=1
        )
        J = np.zeros((len(z), r.shape[1], z.shape[1]))
        J[:, :d, :d] = np.einsum("kc,kcij->kij", sign * ν, curved[:, kept])
        J[:, :d, d:] = B.swapaxes(1, 2)
        J[:, d:-1, :d] = slope[:, 1:]
        J[:, -1, d:] = 2 * ν
        return r, J

    slope = problem.slopes(u)[1]
    u, slope = (a[np.isfinite(slope).all(axis=(1, 2))] for a in (u, slope))
    sign = -np.ones(slope.shape[:2])
    sign[:, 0] = 1 / _or_one(
        _norm(slope[:, 0])
    )  # f in units of its gradient at the start, whatever that is elsewhere
    sign = sign[:, kept]
    ν = np.linalg.svd((slope[:, kept] * sign[:, :, None]).swapaxes(1, 2))[2][:, -1]
    ended = descended(equations, np.concatenate([u, ν], axis=1), sign)
    return ended._replace(z=np.concatenate([ended.z[:, :d], ended.z[:, d:] * np.abs(sign)], axis=1))


def lagrange_again(
    problem: Problem,
    u: Float[np.ndarray, "k d"],
    multipliers: Float[np.ndarray, "k m"],
    level: Float[np.ndarray, "k m"],
    *,
    along: Float[np.ndarray, "k d"] | None = None,
    ahead: Float[np.ndarray, " k"] | None = None,
    scale: Float[np.ndarray, " k"] | None = None,
) -> Ended:
    """Lagrange's equations solved from nearby, on g = c or a step along a path: z = (u, λ, τ).

        ∇f = Σ λ_k∇g_k + τv,   g = c,   v·(u − u₀) = t

    Args:
        problem: of f and g.
        u: u₀, where each solution is looked for.
        multipliers: λ there.
        level: c.
        along: v, a direction. τ is the slope of f along the path, the last equation's multiplier; without v it is 0.
        ahead: t.
        scale: of ∇f nearby, beside which what is left of the first equation is measured; 1 if it is left out.
    """
    (k, d), m = u.shape, multipliers.shape[1]
    v = np.zeros((k, d)) if along is None else along
    t = np.zeros(k) if ahead is None else ahead
    unit = np.ones((k, 1)) if scale is None else scale[:, None]
    free = np.full((k, 1), float(along is None))
    known = np.concatenate([u, v, t[:, None], free, unit, level], axis=1)

    def equations(z: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        u, λ, τ = z[:, :d], z[:, d:-1], z[:, -1:]
        start, v, t, free, unit, c = np.split(known, (d, 2 * d, 2 * d + 1, 2 * d + 2, 2 * d + 3), axis=1)
        value, slope, curved = problem.curvatures(u)
        A = slope[:, 1:]
        pulled = slope[:, 0] / unit - _times(A.swapaxes(1, 2), λ) - τ * v
        last = np.sum(v * (u - start), axis=1, keepdims=True) - t + free * τ
        J = np.zeros((len(z), d + m + 1, d + m + 1))
        J[:, :d, :d] = curved[:, 0] / unit[:, :, None] - np.einsum("km,kmij->kij", λ, curved[:, 1:])
        J[:, :d, d:-1] = -A.swapaxes(1, 2)
        J[:, d:-1, :d] = A
        J[:, :d, -1], J[:, -1, :d], J[:, -1, -1] = -v, v, free[:, 0]
        return np.concatenate([pulled, value[:, 1:] - c, last], axis=1), J

    ended = descended(equations, np.concatenate([u, multipliers / unit, np.zeros((k, 1))], axis=1), known)
    return ended._replace(z=np.concatenate([ended.z[:, :d], ended.z[:, d:] * unit], axis=1))


def descended(
    equations: Equations, z: Float[np.ndarray, "k n"], known: Float[np.ndarray, "k q"] | None = None
) -> Ended:
    """Where starts end that go down on ‖r‖² by Levenberg's steps, −(JᵀJ + μI)⁻¹Jᵀr, and at last by Newton's, −J⁺r.

    μ is smaller after a step that helps and larger after one that does not, so that they, too, are Newton's steps near
    a solution; but JᵀJ keeps only half of the digits of J. A start at which anything is not finite stays where it is.
    """
    known = np.zeros((len(z), 0)) if known is None else known
    z, μ = z.copy(), np.full(len(z), 1e-2)
    with np.errstate(all="ignore"):
        r, J = equations(z, known)
        fine = np.isfinite(r).all(axis=1) & np.isfinite(J).all(axis=(1, 2))

        def tried(on: np.ndarray, p: np.ndarray) -> np.ndarray:
            """Take the steps p from z[on] that help; which these are."""
            new, slope = equations(z[on] + p, known[on])
            better = (_norm(new) < _norm(r[on])) & np.isfinite(slope).all(axis=(1, 2))
            z[on[better]], r[on[better]], J[on[better]] = (z[on] + p)[better], new[better], slope[better]
            return better

        going = np.array(fine)
        for _ in range(_STEPS):
            (on,) = np.nonzero(going)
            if not len(on):
                break
            p = _levenberg(r[on], J[on], μ[on])
            p *= np.minimum(1, _LONGEST / _norm(p))[:, None]
            better = tried(on, p)
            μ[on] = np.where(better, μ[on] / 5, 4 * μ[on]).clip(1e-30, 1e10)
            going[on] = _norm(p) > _SMALL * (1 + _norm(z[on]))
        (on,) = np.nonzero(fine)
        for _ in range(_POLISH):
            on = on[tried(on, -_times(_pinv(J[on]), r[on]))] if len(on) else on
        step, whole, left, past = np.full((4, len(z)), np.inf)
        U, σ, V = np.linalg.svd(J[fine], full_matrices=False)
        parts = _times(U.swapaxes(1, 2), r[fine])
        steps = np.where(parts != 0, parts / σ, 0)
        step[fine], whole[fine] = _norm(np.where(σ > _CUT * σ[:, :1], steps, 0)), _norm(steps)
        left[fine] = _norm(r[fine])
        past[fine] = _norm(equations(z[fine] - _FAR * _times(V.swapaxes(1, 2), steps), known[fine])[0])
    return Ended(z, *(np.nan_to_num(a, nan=np.inf) for a in (step, whole, left, past)))


def _levenberg(r: np.ndarray, J: np.ndarray, μ: np.ndarray) -> np.ndarray:
    """−(JᵀJ + μI)⁻¹Jᵀr, or, the same, −Jᵀ(JJᵀ + μI)⁻¹r where there are fewer equations than unknowns."""
    T = J.swapaxes(1, 2)
    scale = μ * np.mean(J**2, axis=(1, 2)) + 1e-200
    if J.shape[1] < J.shape[2]:
        return -_times(T, _solve(J @ T + scale[:, None, None] * np.eye(J.shape[1]), r))
    return -_solve(T @ J + scale[:, None, None] * np.eye(J.shape[2]), _times(T, r))


def _solve(A: np.ndarray, b: np.ndarray) -> np.ndarray:
    """A⁻¹b for each; by pseudo-inverses if one A is singular to the last bit."""
    try:
        return np.linalg.solve(A, b[..., None])[..., 0]
    except np.linalg.LinAlgError:
        return _times(np.linalg.pinv(A), b)


def _pinv(J: np.ndarray) -> np.ndarray:
    return np.linalg.pinv(J, rcond=_CUT)


def _times(A: np.ndarray, x: np.ndarray) -> np.ndarray:
    return (A @ x[..., None])[..., 0]


def _or_one(scale: np.ndarray) -> np.ndarray:
    return np.where((scale > 0) & np.isfinite(scale), scale, 1.0)


def _norm(x: np.ndarray) -> np.ndarray:
    return np.linalg.norm(x, axis=-1)
