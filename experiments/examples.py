"""Surfaces whose gradients are worth a look, and chains of functions whose Jacobians are. `jacobians` shows them."""

from typing import Any

import jax.numpy as jnp
import numpy as np

SURFACES = {
    "hills": (lambda x, y: x * y**2 * jnp.exp(-(x**2) - y**2 / 2), (-1.3, 0.75)),
    "bowl": (lambda x, y: x**2 + 0.5 * y**2, (1.0, -1.0)),
    "saddle": (lambda x, y: x**2 - y**2, (-1.0, 1.0)),
    "ripples": (lambda x, y: jnp.cos(3 * jnp.sqrt(x**2 + y**2 + 0.01)), (-1.1, -0.8)),
}
"""Each with the point at which its tangent plane is drawn."""

CHAINS = ("course", "cost", "motion")
LONG, MIDDLE = 12, 8


def chain(name: str, t: float) -> tuple[list[tuple[str, Any, Any]], Any, str]:
    """Links (name, f, jac), where the first begins, and what that is called."""
    match name:
        case "cost":  # twelve parameters, eight features, and how far they are from 1
            p = t * np.cos(np.arange(LONG))
            return (
                [("a", _mixed, None), ("b", jnp.tanh, None), ("C", lambda b: jnp.sum((b - 1) ** 2), None)],
                p,
                "p",
            )
        case "motion":  # time, two angles of an arm, its elbow and hand, and six points along it
            return [("θ", _angles, None), ("h", _joints, None), ("x", _along, None)], t, "t"
    return [("u", _course_u, None), ("x", _course_x, _d_course_x), ("f", _course_f, _d_course_f)], t, "t"


def _course_u(t: Any) -> Any:
    return jnp.stack([jnp.cos(t / 2), jnp.sin(2 * t)])


def _course_x(u: Any) -> Any:
    return jnp.stack([2 * u[0] + 3 * u[1], 2 * u[0] - 3 * u[1]])


def _d_course_x(u: Any) -> Any:
    return jnp.array([[2, 3], [2, -3]], u.dtype)


def _course_f(x: Any) -> Any:
    return x[0] ** 2 - x[1] ** 2


def _d_course_f(x: Any) -> Any:
    return jnp.stack([2 * x[0], -2 * x[1]])


def _mixed(p: Any) -> Any:
    rows, columns = np.mgrid[:MIDDLE, :LONG]
    return jnp.asarray(np.cos(rows * (columns + 1.0)) / 2, p.dtype) @ p


def _angles(t: Any) -> Any:
    return jnp.stack([jnp.sin(t), 2 * t])


def _joints(θ: Any) -> Any:
    elbow = jnp.stack([jnp.cos(θ[0]), jnp.sin(θ[0])])
    hand = elbow + jnp.stack([jnp.cos(θ[0] + θ[1]), jnp.sin(θ[0] + θ[1])])
    return jnp.concatenate([elbow, hand])


def _along(h: Any) -> Any:
    share = jnp.asarray(np.linspace(0, 1, LONG // 4 + 1)[1:], h.dtype)
    upper, lower = jnp.outer(share, h[:2]), h[:2] + jnp.outer(share, h[2:] - h[:2])
    return jnp.concatenate([upper.reshape(-1), lower.reshape(-1)])
