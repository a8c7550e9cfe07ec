"""What must hold of a backward pass without knowing the derivative: it is linear, and its forward pass is f."""

from typing import Any

import numpy as np

from mvcalc_jax.verify.claims import VjpClaim, arrays
from mvcalc_jax.verify.errors import errors, unit

_ROUNDING = 1e-9


def nonlinear(claim: VjpClaim, rng: np.random.Generator) -> dict[int, tuple[str, str]]:
    """The blocks whose cotangents are no linear function of the incoming one, with the kind and what was seen."""
    v, w = ([np.asarray(leaf[0]) for leaf in claim.subject.cotangents(1, rng)] for _ in range(2))
    stack = [
        np.stack([a, b, a + b, 2 * a, 0 * a, 1e3 * a, 1e-3 * a, -a]) for a, b in zip(v, w, strict=True)
    ]
    found: dict[int, tuple[str, str]] = {}
    tolerance = max(_ROUNDING, 1e3 * max(claim.rounds, claim.subject.compute.rounds))
    for k, back in enumerate(claim.by_hand(claim.subject.point.leaves, [_like(s) for s in stack])):
        back = back.astype(np.result_type(back, float))
        of_v, of_w, of_sum, of_twice, of_zero, of_large, of_small, of_minus = back
        size = max(unit(of_v), unit(of_w)) if back.size else 1.0
        if not np.isfinite(back[:4]).all() or not back.size:
            continue

        def off(a: Any, b: Any, size: float = size) -> bool:
            return bool(errors(a, b, size).max(initial=0) > tolerance)

        if not off(of_v, of_w) and not off(of_v, of_twice) and unit(of_v, otherwise=0.0) > 0:
            found[k] = "ignores-cotangent", "is the same whatever the cotangent: bwd does not use it"
        elif off(of_zero, 0 * of_zero):
            found[k] = "nonlinear-in-cotangent", "is not zero for a cotangent of zero"
        elif off(2 * of_v, of_twice) or off(-of_v, of_minus):
            found[k] = "nonlinear-in-cotangent", "does not double when the cotangent doubles, or does not change its sign with it"
        elif off(of_v + of_w, of_sum):
            found[k] = "nonlinear-in-cotangent", "of a sum of cotangents is not the sum of what they give"
        elif off(of_large / 1e3, of_v) or off(of_small * 1e3, of_v):
            found[k] = "nonlinear-in-cotangent", "is not proportional to the cotangent when that is large or small: is it clipped?"
    return found


def _like(stack: np.ndarray) -> Any:
    import jax.numpy as jnp

    return jnp.asarray(stack)


def other_primal(claim: VjpClaim) -> str:
    """How the value that fwd returns differs from f's; empty if it does not."""
    import jax

    point, subject = claim.subject.point, claim.subject
    returned = claim.fwd(*point.arguments(point.leaves, point.others))[0]
    if jax.tree.structure(returned) != subject.structure:
        return f"has the structure {jax.tree.structure(returned)} instead of {subject.structure}".replace("PyTreeDef", "")
    tolerance = max(_ROUNDING, 1e2 * max(claim.rounds, subject.compute.rounds))
    for path, theirs, ours in zip(
        subject.out_paths, subject.value(point.leaves), arrays(jax.tree.leaves(returned)), strict=True
    ):
        if ours.shape != theirs.shape:
            return f"{path} has shape {ours.shape} instead of {theirs.shape}".strip()
        error = errors(ours.astype(np.result_type(ours, float)), theirs, unit(theirs))
        if error.max(initial=0) > tolerance:
            at = np.unravel_index(int(error.argmax()), error.shape) if error.ndim else ()
            c = _ratio(ours, theirs)
            times = f" ({c:.6g} times as much throughout)" if c is not None else ""
            return f"{path} is {ours[at]:.9g} where {subject.name} is {theirs[at]:.9g}{times}".strip()
    return ""


def _ratio(ours: np.ndarray, theirs: np.ndarray) -> float | None:
    from mvcalc_jax.verify.repairs import factor

    c = factor([theirs], [ours])
    return float(np.real(c)) if c is not None and theirs.size > 1 else None
