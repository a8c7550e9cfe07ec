r"""How often a field turns around a closed curve, and what that says of the zeros inside.

Go once around, counter-clockwise, and count the turns of the field's arrow. For ∇f of a smooth f(x, y) without a zero
on the curve, Poincaré and Hopf's theorem says

    turns = Σ index over the critical points inside = minima + maxima − saddles,

degenerate ones with an index of their own (the monkey saddle's is −2): a witness that none was missed, which never
looks inside. In one variable the curve is a pair of points, and half the change of the sign of f′ is minima − maxima.
Reference: Milnor, Topology from the Differentiable Viewpoint (1965), §6.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

_PIECES = 2048
_TURN = 0.8
"""Radians between neighbours at most; where there are more, neighbours are put between them."""
_ROUNDS = 10


def turns(
    field: Callable[[Float[np.ndarray, "m 2"]], Float[np.ndarray, "m 2"]],
    curve: Callable[[Float[np.ndarray, " m"]], Float[np.ndarray, "m 2"]],
) -> int | None:
    """The turns of a field around a curve t ↦ (x, y), 0 ≤ t ≤ 1; None where it vanishes on it, or jumps."""
    t = np.linspace(0, 1, _PIECES + 1)
    values = field(curve(t))
    for _ in range(_ROUNDS):
        if not (np.isfinite(values).all() and np.abs(values).max(axis=1).min() > 0):
            return None
        angle = np.arctan2(values[:, 1], values[:, 0])
        change = (np.diff(angle) + np.pi) % (2 * np.pi) - np.pi
        wide = np.flatnonzero(np.abs(change) > _TURN)
        if not len(wide):
            return round(change.sum() / (2 * np.pi))
        if len(wide) > _PIECES:
            return None
        between = (t[wide, None] + np.diff(t)[wide, None] * np.arange(1, 8) / 8).ravel()
        order = np.argsort(np.concatenate([t, between]), kind="stable")
        values = np.concatenate([values, field(curve(between))])[order]
        t = np.concatenate([t, between])[order]
    return None


def edge(box: Float[np.ndarray, "2 2"]) -> Callable[[Float[np.ndarray, " m"]], Float[np.ndarray, "m 2"]]:
    """Once around a rectangle."""
    (a, b), (c, d) = box
    corners = np.array([[a, c], [b, c], [b, d], [a, d], [a, c]])
    return lambda t: np.stack([np.interp(4 * t, np.arange(5), corners[:, k]) for k in (0, 1)], axis=1)


def circle(
    centre: Float[np.ndarray, "2"], radii: Float[np.ndarray, "2"]
) -> Callable[[Float[np.ndarray, " m"]], Float[np.ndarray, "m 2"]]:
    """Once around an ellipse whose axes lie along x and y."""
    return lambda t: centre + radii * np.stack([np.cos(2 * np.pi * t), np.sin(2 * np.pi * t)], axis=1)
