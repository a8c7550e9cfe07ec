r"""Where ∇f vanishes and is continuous, and H has other limits from other sides, as of x|x| and max(x, 0)² − x² at 0.

Autodiff gives the H of one piece of f, which says nothing of the others. So H is looked at on all sides, p ± s v, at
distances s from a hundredth of half the box down to some errors of p: of a smooth f these H come together as s shrinks;
where they stay as far apart at every distance, H does not exist at p. Where all of them are positive definite f is
convex about p, which is a minimum then; in one variable the signs of f′ on the two sides decide.
"""

from typing import Any

import numpy as np
from jaxtyping import Float

from mvcalc_jax.calculus.stationary.kinds import Kind
from mvcalc_jax.calculus.stationary.survey import Look

_FARTHEST, _NEAREST, _DISTANCES = 1e-2, 1e-7, 4
_STAYS = 1.5
"""How much the distance of one-sided H may change from the farthest to the nearest: of a smooth f, as they do."""
_CLEAR = 1e-3
"""So far apart, beside the largest entry, they are not by rounding."""


def judged(
    look: Look, p: Float[np.ndarray, " d"], w: Float[np.ndarray, " d"], error: float
) -> dict[str, Any]:
    """What f does at p where H does not exist, as attributes of a `CriticalPoint`; nothing where it seems to.

    Args:
        look: at f, ∇f and H.
        p: where ∇f is zero.
        w: half the sides of the box.
        error: of p, in these units.
    """
    d = len(p)
    nearest = min(max(_NEAREST, 1e3 * float(np.finfo(p.dtype).eps), 10 * error), _FARTHEST / 30)
    dense = np.cos(1 + np.arange(d * d)).reshape(d, d)
    v = np.concatenate([np.eye(d), dense / np.linalg.norm(dense, axis=1, keepdims=True)])[
        : 2 * d if d > 1 else 1
    ]
    v = np.concatenate([v, -v])
    s = np.geomspace(_FARTHEST, nearest, _DISTANCES)
    _, g, H = look((p + w * (s[:, None, None] * v)).reshape(-1, d).astype(p.dtype))
    g, H = (w * g).reshape(len(s), len(v), d), (w[:, None] * H * w).reshape(len(s), len(v), d, d)
    if not (np.isfinite(g).all() and np.isfinite(H).all()):
        return {}
    apart, size = np.ptp(H, axis=1).max(axis=(1, 2)), np.abs(H).max()
    if not (apart.min() > _CLEAR * size and apart.max() <= _STAYS * apart.min()):
        return {}
    return {"eigenvalues": np.full(d, np.nan, p.dtype)} | _sides(
        np.sign((g * v).sum(axis=2)), np.linalg.eigvalsh(H)
    )


def _sides(rises: Float[np.ndarray, "s v"], λ: Float[np.ndarray, "s v d"]) -> dict[str, Any]:
    """The kind by the signs of the slope outward, and by the eigenvalues of H on the sides."""
    d = λ.shape[2]
    told = "H does not exist, for its limits from different sides differ"
    if d == 1 and (rises == rises[:1]).all() and rises[0].all():
        ahead, behind = rises[0]
        kind = {2: Kind.MINIMUM, -2: Kind.MAXIMUM}.get(int(ahead + behind), Kind.INFLECTION)
        how = {Kind.MINIMUM: "rises on both sides", Kind.MAXIMUM: "falls on both sides"}
        why = f"{told}, and f {how.get(kind, 'rises on one side and falls on the other')}, as f′ there says"
    elif (λ > _CLEAR * np.abs(λ).max()).all():
        kind, why = Kind.MINIMUM, f"{told}, and every eigenvalue of all of these is positive"
    elif (λ < -_CLEAR * np.abs(λ).max()).all():
        kind, why = Kind.MAXIMUM, f"{told}, and every eigenvalue of all of these is negative"
    else:
        kind, why = Kind.UNDECIDED, f"{told}; compare f on the sides"
    turns = {Kind.MINIMUM: 1, Kind.MAXIMUM: (-1) ** d, Kind.INFLECTION: 0}.get(kind)
    order = 2 if kind in (Kind.MINIMUM, Kind.MAXIMUM) else None
    index = d if kind is Kind.MAXIMUM else 0
    return {"kind": kind, "order": order, "index": index, "turns": turns, "verdict": f"{kind}: {why}"}
