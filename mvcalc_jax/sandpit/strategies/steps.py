r"""The package's strategies, each a pair of pure functions, `init` and `step`: where to dig next, from the last dip.

    state, s = step(state, p, depth, g, H, learning_rate);    p ← p + s

    constant      s = (η, 0)
    gradient      s = −η g                                          steepest descent
    newton        s = −H⁻¹ g                                        to any point where ∇f = 0, maxima and saddles too
    hybrid        Newton's, unless it goes uphill or ‖s‖ > 2; then −η g
    momentum      m ← 0.9 m + g,  s = −η m                          by optax
    adam          s = −η m̂/(√v̂ + ε)                                 by optax
    line-search   −η g, halved until the depth falls by 10⁻⁴ ‖g‖² η or more (Armijo); doubled after a step that did
    trust-region  the s that has the least g·s + ½ sᵀHs of all ‖s‖ ≤ r; r smaller where that promised too much

None sees the floor but by its dips. So a step that the last two find too long was a dip all the same: the next one goes
back, and not as far. References: Nocedal and Wright, Numerical Optimization (2006), §3.1 and §4.3.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from mvcalc_jax.sandpit.strategies.strategy import Strategy
from mvcalc_jax.sandpit.strategies.trust import init_trust, trust_region


def _stateless(position: Any) -> tuple[()]:
    return ()


def constant(state: Any, p: Any, depth: Any, g: Any, H: Any, learning_rate: Any) -> tuple[Any, Any]:
    """(η, 0)."""
    return state, jnp.stack([learning_rate * jnp.ones_like(g[0]), jnp.zeros_like(g[1])])


def gradient(state: Any, p: Any, depth: Any, g: Any, H: Any, learning_rate: Any) -> tuple[Any, Any]:
    """−η g."""
    return state, -learning_rate * g


def _newton(g: Any, H: Any) -> Any:
    """−H⁻¹g by Cramer's rule; infinite where H is singular."""
    det = H[0, 0] * H[1, 1] - H[0, 1] * H[1, 0]
    return -jnp.stack([H[1, 1] * g[0] - H[0, 1] * g[1], H[0, 0] * g[1] - H[1, 0] * g[0]]) / det


def newton(state: Any, p: Any, depth: Any, g: Any, H: Any, learning_rate: Any) -> tuple[Any, Any]:
    """−H⁻¹g."""
    return state, _newton(g, H)


_LONG = 2.0


def hybrid(state: Any, p: Any, depth: Any, g: Any, H: Any, learning_rate: Any) -> tuple[Any, Any]:
    """Newton's step, unless it goes uphill or farther than 2; then −η g."""
    s = _newton(g, H)
    good = jnp.all(jnp.isfinite(s)) & (s @ g <= 0) & (jnp.linalg.norm(s) <= _LONG)
    return state, jnp.where(good, s, -learning_rate * g)


def _of_optax(rule: optax.GradientTransformation) -> tuple[Callable[[Any], Any], Callable[..., Any]]:
    """`init` and `step` of a rule of optax's that lacks only its learning rate."""

    def step(state: Any, p: Any, depth: Any, g: Any, H: Any, learning_rate: Any) -> tuple[Any, Any]:
        update, state = rule.update(g, state, p)
        return state, -learning_rate * jnp.asarray(update)

    return lambda position: rule.init(position), step


class Search(NamedTuple):
    """A line search: where it began, the depth and the gradient there, how far it tried last, in units of η; whether
    there was a dip at all."""

    start: Any
    depth: Any
    gradient: Any
    tried: Any
    begun: Any


_ENOUGH = 1e-4
"""The share of the promised fall that must come true (Armijo)."""


def _init_search(position: Any) -> Search:
    p = jnp.asarray(position)
    zero = jnp.zeros_like(p[0])
    return Search(p, zero, jnp.zeros_like(p), zero + 1, jnp.asarray(False))


def line_search(state: Search, p: Any, depth: Any, g: Any, H: Any, learning_rate: Any) -> tuple[Search, Any]:
    """−η g, as far as the depth falls by enough."""
    η = learning_rate * state.tried
    fell = depth <= state.depth - _ENOUGH * η * (state.gradient @ state.gradient)
    new = fell | ~state.begun
    start, from_depth = jnp.where(new, p, state.start), jnp.where(new, depth, state.depth)
    slope = jnp.where(new, g, state.gradient)
    tried = jnp.where(new, jnp.where(state.begun, 2 * state.tried, 1.0), state.tried / 2)
    return (
        Search(start, from_depth, slope, tried, jnp.asarray(True)),
        start - learning_rate * tried * slope - p,
    )


def _strategies() -> tuple[Strategy, ...]:
    init_momentum, momentum = _of_optax(optax.trace(decay=0.9))
    init_adam, adam = _of_optax(optax.scale_by_adam())
    return (
        Strategy("constant", "always the same step, whatever the slope is", _stateless, constant, 1.0),
        Strategy(
            "gradient",
            "steepest descent: against the gradient, the farther the steeper",
            _stateless,
            gradient,
            0.5,
        ),
        Strategy("newton", "to where a parabola with this slope and curvature is level", _stateless, newton),
        Strategy(
            "hybrid",
            "Newton's step where it is short and goes down, else the gradient's",
            _stateless,
            hybrid,
            0.5,
        ),
        Strategy(
            "momentum",
            "a ball that rolls on: nine tenths of the last step, and the gradient's",
            init_momentum,
            momentum,
            0.05,
        ),
        Strategy(
            "adam", "the gradient, each coordinate in units of what it was lately", init_adam, adam, 0.4
        ),
        Strategy(
            "line-search", "the gradient, as far as the floor falls by enough", _init_search, line_search, 0.1
        ),
        Strategy(
            "trust-region",
            "the best step within the radius in which the parabola has kept its word",
            init_trust,
            trust_region,
            1.0,
        ),
    )


STRATEGIES: dict[str, Strategy] = {strategy.name: strategy for strategy in _strategies()}
"""In the order of teaching: the course's four first."""
