r"""The one loop of all fits: a step, a look at where it leads, and a verdict, until every fit has ended.

With g and A the gradient and the matrix of `normal`, D its scaling, and λ each fit's own damping:

    steepest       δ = −D²g · gᵀD²g / (gᵀD²AD²g), along the scaled gradient to where the quadratic model is least
    gauss-newton   δ = −(JᵀJ)⁻¹g
    newton         δ = −H⁻¹g, where H is positive definite; else Gauss and Newton's
    lm             δ = −(H + λE²)⁻¹g, or JᵀJ for H where that is not positive definite

E is D⁻¹, Marquardt's choice, which lets a parameter run away to where the model does not depend on it. A fit that
fails is tried once more with E = |y|/|θ|: a change of a parameter by its own size is held to be worth all of y. Of
NIST's 54 starts the first fails on three and the second on none; but the second lets large parameters grow, and with
them fails on decaying exponentials that are easy for the first.

A trial that raises the cost is not taken: λ grows, and with it lm shortens and turns its step, the others halve
theirs; what a taken step gained, compared to what was promised, decides how far λ falls (Nielsen's rule). Fits end one
by one and wait for the rest.

The measure of convergence is the relative offset √(gᵀH⁻¹g / 2C): how far the quadratic model says that the minimum
still is, in the residuals' own length; no parameter's unit enters it. Once it is below the tolerance and H is
positive definite the last Newton step is taken, and errors are then of the order of its square. A fall in cost is
no measure: it cannot see a change of the parameters below the root of the rounding error.

References: K. Levenberg (1944); D. Marquardt (1963); H. B. Nielsen, Damping parameter in Marquardt's method (1999);
D. M. Bates and D. G. Watts, A relative offset orthogonality convergence criterion for nonlinear least squares,
Technometrics 23 (1981), 179-183.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from mvcalc_jax.fitting import normal
from mvcalc_jax.fitting.normal import Normal
from mvcalc_jax.fitting.result import Status
from mvcalc_jax.require import AnyArray

METHODS = ("lm", "gauss-newton", "newton", "steepest")

_NOISE = 16.0
"""Rounding errors of a sum, in units of the last place of its largest term."""
LIGHT, HEAVY = 1e-3, 1.0
"""Damping to begin with, and on the second try: some basins are only found slowly."""
NEARLY = 1e-3
"""The relative offset that is near enough where nothing lowers the cost any more: a thousandth of an error bar."""
_GIVE_UP = 1e12
"""Damping from which a step is shorter than any that could be told apart."""


class Data(NamedTuple):
    """What is fitted, the fits (or 1, where all share it) on the last axis.

    Attributes:
        x: (n, m), or (k, n, m) for k predictors.
        y: (n, m).
        weights: 1/σ², 0 where masked, (n, m); None for all ones.
        lower, upper: bounds, (p, m), or None.
        held: which parameters stay what they are, (p, m), or None.
        size: Σ w y², (m,), the scale of all that is rounded.
        start: p0, (p, m).
    """

    x: Any
    y: Any
    weights: Any
    lower: Any
    upper: Any
    held: Any
    size: Any
    start: Any


class Model(NamedTuple):
    """What can be asked of a model; compiled in, so its parts are compared by identity.

    Attributes:
        normal: (theta, data) to `Normal`, cheap.
        exact: the same with the Hessian.
        limit: (theta, trial, data) to a trial that does not leave the region where the model makes sense, or None.
        outside: (theta, data) to whether what was found lies outside the data, or None.
        columns: (theta, data) to those of √w J, for a covariance with all its digits, or None.
        spread: (theta, data) to Σ ψ² J Jᵀ, packed, ψ being each point's part in the gradient, and χ², where the
            covariance and χ² do not follow from the gram matrix and the cost; or None.
    """

    normal: Callable[[Any, Data], Normal]
    exact: Callable[[Any, Data], Normal]
    limit: Callable[[Any, Any, Data], Any] | None = None
    outside: Callable[[Any, Data], Any] | None = None
    columns: Callable[[Any, Data], Any] | None = None
    spread: Callable[[Any, Data], Any] | None = None


class State(NamedTuple):
    """Where m fits are.

    Attributes:
        theta: the parameters.
        damping: λ.
        growth: by how much λ grows if the next trial fails; 2 where none has failed lately.
        status: a `Status`.
        nit, nfev: iterations, and evaluations.
        again: whether this is the second try.
        norms: of the columns of J at the start.
    """

    theta: Float[AnyArray, "p m"]
    damping: Float[AnyArray, " m"]
    growth: Float[AnyArray, " m"]
    status: Int[AnyArray, " m"]
    nit: Int[AnyArray, " m"]
    nfev: Int[AnyArray, " m"]
    again: Bool[AnyArray, " m"]
    norms: Float[AnyArray, "p m"]


class Look(NamedTuple):
    """The view from where the fits are.

    Attributes:
        held: parameters that the step must leave alone, (p, m): held by the user, or pressed against a bound.
        scale: D, (p, m).
        step: of Newton, (p, m).
        decrement: gᵀH⁻¹g, (m,).
        definite: whether H is positive definite, beyond rounding.
        cosine: the largest angle's cosine between a column of J and the residuals, (m,).
    """

    held: Bool[AnyArray, "p m"]
    scale: Float[AnyArray, "p m"]
    step: Float[AnyArray, "p m"]
    decrement: Float[AnyArray, " m"]
    definite: Bool[AnyArray, " m"]
    cosine: Float[AnyArray, " m"]


def start(theta: Float[AnyArray, "p m"], status: Int[AnyArray, " m"]) -> State:
    """Fits that are about to begin, or cannot."""
    m, dtype = theta.shape[-1], theta.dtype
    zero = jnp.zeros(m, "int32")
    λ, two, none = jnp.full(m, LIGHT, dtype), jnp.full(m, 2, dtype), jnp.zeros(m, bool)
    return State(theta, λ, two, status, zero, zero, none, jnp.zeros_like(theta))


def again(state: State, which: Bool[AnyArray, " m"], data: Data) -> State:
    """Let some fits that have failed begin once more, with the other damping."""
    state = go_on(state, which)
    return state._replace(
        theta=jnp.where(which, data.start, state.theta),
        damping=jnp.where(which, HEAVY, state.damping),
        nit=jnp.where(which, 0, state.nit),
        again=state.again | which,
    )


def go_on(state: State, which: Bool[AnyArray, " m"]) -> State:
    """Let some fits that have ended run again from where they are, with the damping of a start."""
    return state._replace(
        status=jnp.where(which, Status.RUNNING, state.status).astype("int32"),
        damping=jnp.where(which, LIGHT, state.damping),
        growth=jnp.where(which, 2.0, state.growth).astype(state.growth.dtype),
    )


def held(theta: AnyArray, at: Normal, data: Data) -> Bool[Array, "p m"]:
    """Which parameters a step must leave alone: those that the user holds, and those pressed against a bound."""
    pressed = jnp.zeros(theta.shape, bool) if data.held is None else jnp.broadcast_to(data.held, theta.shape)
    if data.lower is not None:
        pressed |= (theta <= data.lower) & (at.gradient > 0) | (theta >= data.upper) & (at.gradient < 0)
    return pressed


def look(theta: AnyArray, at: Normal, data: Data) -> Look:
    """Solve the normal equations where the fits are."""
    pressed = held(theta, at, data)
    scale = normal.scaling(at.gram, pressed)
    factored = normal.factor(at.gram if at.hessian is None else at.hessian, scale)
    step, decrement = normal.descend(factored, at.gradient)
    felt = jnp.all((scale > 0) | pressed, axis=0)
    definite = felt & (factored.pivot > _pivot_floor(scale))
    cosine = jnp.max(jnp.abs(at.gradient) * scale, axis=0)
    return Look(pressed, scale, step, decrement, definite & jnp.isfinite(decrement), cosine)


def inverted(scale: Any) -> Any:
    """The norms of J's columns from their scaling."""
    return jnp.where(scale > 0, 1 / jnp.where(scale > 0, scale, 1), 0)


def faded(state: State, seen: Look, data: Data) -> Bool[Array, " m"]:
    """Whether a parameter has lost all influence on the way.

    A change of it by its own size does nothing to the model. That alone is no defect, for so it is with an offset
    that happens to be 0; but where it once did much it has run away, and where it is now is no minimum.
    """
    ε, norms = jnp.finfo(data.y.dtype).eps, inverted(seen.scale)
    weak = (state.theta != 0) & (jnp.abs(state.theta) * norms < 1e-2 * ε**0.5 * jnp.sqrt(data.size))
    return jnp.any(~seen.held & (weak & (norms < 1e-3 * state.norms) | (seen.scale == 0)), axis=0)


def noise(at: Normal, data: Data) -> Float[Array, " m"]:
    """The decrement that rounding alone makes: J's columns are as wrong as y and f are long."""
    ε = jnp.finfo(at.cost.dtype).eps
    return (_NOISE * ε) ** 2 * data.size + jnp.finfo(at.cost.dtype).tiny


def iterate(
    evaluate: Callable[[Any, Data], Normal],
    model: Model,
    method: str,
    state: State,
    data: Data,
    *,
    offset: Any,
    steps: Any,
    budget: Any,
) -> tuple[State, Normal]:
    """Let every fit that is running go on, for at most `budget` rounds.

    Args:
        evaluate: `model.normal` or `model.exact`.
        model: for its limits.
        method: one of `METHODS`.
        state: where the fits are.
        data: what they fit.
        offset: the relative offset below which a fit has arrived.
        steps: iterations that a fit may take in all.
        budget: rounds in this call.

    Returns:
        The state afterwards and the normal equations there; fits that have not ended are still running.
    """

    def going(carry: tuple[State, Normal, Any]) -> Any:
        state, _, rounds = carry
        return jnp.any(state.status == Status.RUNNING) & (rounds < budget)

    def take_round(carry: tuple[State, Normal, Any]) -> tuple[State, Normal, Any]:
        state, at, rounds = carry
        seen = look(state.theta, at, data)
        running = state.status == Status.RUNNING
        status = _ended(state, at, seen, data, offset, steps)
        ending = running & (status != Status.RUNNING)
        step, promised = _direction(method, state, at, seen, data)
        trial = state.theta + step
        if model.limit is not None:
            trial = model.limit(state.theta, trial, data)
        last = ending & (status > 0)  # Newton's step from where the quadratic model can be trusted
        trial = jnp.where(last, state.theta + seen.step, trial)
        if data.lower is not None:
            trial = jnp.clip(trial, data.lower, data.upper)
        there = evaluate(trial, data)
        better = there.cost <= at.cost + _slack(at, data)
        sound = jnp.isfinite(there.cost) & jnp.all(jnp.isfinite(there.gradient), axis=0)
        taken = running & sound & (better & ~ending | last)
        damping, growth = _damped(method, state, at.cost - there.cost, promised, taken)
        state = State(
            jnp.where(taken, trial, state.theta),
            damping,
            growth,
            jnp.where(running, status, state.status),
            state.nit + running,
            state.nfev + running,
            state.again,
            state.norms,
        )
        at = jax.tree.map(lambda old, new: jnp.where(taken, new, old), at, there)
        return state, at, rounds + 1

    at = evaluate(state.theta, data)
    bad = ~jnp.isfinite(at.cost) & (state.status == Status.RUNNING)
    status = jnp.where(bad, Status.NOT_FINITE_START, state.status)
    norms = jnp.where(state.nit == 0, inverted(normal.scaling(at.gram)), state.norms)
    state = state._replace(status=status.astype("int32"), nfev=state.nfev + 1, norms=norms)
    state, at, _ = lax.while_loop(going, take_round, (state, at, 0))
    return state, at


def arrived(at: Normal, seen: Look, data: Data, offset: Any) -> Bool[Array, " m"]:
    """Whether the relative offset is below the tolerance, or all that is left of it is rounding."""
    return seen.definite & (seen.decrement <= offset**2 * 2 * at.cost + noise(at, data))


def _direction(method: str, state: State, at: Normal, seen: Look, data: Data) -> tuple[Any, Any]:
    """The step that a method proposes, and what the quadratic model says that it gains."""
    matrix, λ = at.gram, state.damping
    if method in ("lm", "newton") and at.hessian is not None:
        matrix = jnp.where(seen.definite, at.hessian, at.gram)
    if method == "lm":
        # near the minimum no damping; but in a narrow, bent valley that fails, and is not tried again for a while
        close = seen.definite & (seen.decrement < 0.02 * at.cost) & (state.growth == 2)
        damping = jnp.broadcast_to(jnp.where(close, 0, λ), seen.scale.shape)
        size = jnp.sqrt(jnp.maximum(data.size, 2 * at.cost))
        least = jnp.maximum(
            0.1 * jnp.abs(data.start), 1e-4 * size * seen.scale
        )  # a parameter may change its sign
        span = jnp.maximum(jnp.abs(state.theta), least)
        relative = size * seen.scale / jnp.where(span > 0, span, 1)
        damping = jnp.where(close, 0, λ) * jnp.where(state.again, relative**2, 1)
        step, decrement = normal.descend(normal.factor(matrix, seen.scale, damping), at.gradient)
        used = seen.scale > 0
        resisted = jnp.where(used, step / jnp.where(used, seen.scale, 1), 0) ** 2 * damping
        return step, (decrement + jnp.sum(resisted, axis=0)) / 2
    if method == "steepest":
        downhill = -at.gradient * seen.scale**2
        p = len(downhill)
        bend = sum(
            (1 if i == j else 2) * matrix[normal.packed(i, j)] * downhill[i] * downhill[j]
            for i, j in normal.pairs(p)
        )
        length = normal.dot(at.gradient, -downhill) / jnp.where(bend > 0, bend, 1)
        return downhill * length / (1 + λ), seen.decrement / 2
    floor = jnp.full_like(
        seen.scale, _pivot_floor(seen.scale)
    )  # a singular matrix is damped until it can be solved
    return normal.descend(normal.factor(matrix, seen.scale, floor), at.gradient)[0] / (
        1 + λ
    ), seen.decrement / 2


def _damped(method: str, state: State, gain: Any, promised: Any, taken: Any) -> tuple[Array, Array]:
    """λ after a trial, and its growth: lower where the trial gained what was promised, higher where it was refused."""
    λ, two = state.damping, jnp.full_like(state.damping, 2)
    if method != "lm":
        return jnp.where(taken, 0.0, 1 + 2 * λ).astype(λ.dtype), two
    ratio = gain / jnp.where(promised > 0, promised, 1)
    lower = jnp.clip(1 - (2 * ratio - 1) ** 3, 1 / 3, 2)
    raised = jnp.maximum(λ * state.growth, jnp.finfo(λ.dtype).eps)
    return jnp.where(taken, λ * lower, raised), jnp.where(
        taken, jnp.maximum(0.8 * state.growth, 2), 2 * state.growth
    )


def _ended(state: State, at: Normal, seen: Look, data: Data, offset: Any, steps: Any) -> Array:
    """The status of a fit where it is now: still running, or how it has ended."""
    rounding = noise(at, data)
    at_rest = seen.decrement <= rounding
    near = arrived(at, seen, data, offset)
    flat = seen.cosine <= offset * jnp.sqrt(2 * at.cost) + jnp.sqrt(rounding)
    stuck = state.damping > _GIVE_UP
    status = jnp.full(at.cost.shape, Status.RUNNING)
    for where, code in (
        (state.nit >= steps, Status.STEP_LIMIT),
        (stuck, Status.STALLED),
        (stuck & arrived(at, seen, data, NEARLY), Status.FTOL),
        (flat & ~seen.definite, Status.SINGULAR),
        (near, Status.XTOL),
        (at_rest & seen.definite, Status.GTOL),
    ):
        status = jnp.where(where, code, status)
    return status.astype("int32")


def _slack(at: Normal, data: Data) -> Array:
    """How much a cost may seem to rise by rounding alone, of its sum, and of each residual by y's last place."""
    ε = jnp.finfo(at.cost.dtype).eps
    return ε * (8 * at.cost + 4 * jnp.sqrt(at.cost * data.size) + 64 * ε * data.size)


def _pivot_floor(scale: AnyArray) -> float:
    return 16 * len(scale) * float(jnp.finfo(scale.dtype).eps)
