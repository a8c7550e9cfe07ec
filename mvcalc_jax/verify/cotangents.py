"""What must hold of a backward pass without knowing the derivative: it is linear, and its forward pass is f."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax.verify.backward import VjpClaim
from mvcalc_jax.verify.errors import errors, unit
from mvcalc_jax.verify.points import Leaves
from mvcalc_jax.verify.subject import arrays

_ROUNDING, _HALF = 1e-9, 5e-4
_TOGETHER = 10**6
"""Larger arguments are pulled back to for one cotangent after the other."""

_TESTS: dict[str, tuple[float, float]] = {
    "is not zero for a cotangent of zero": (0.0, 0.0),
    "does not double when the cotangent doubles": (2.0, 0.0),
    "does not change its sign with the cotangent's": (-1.0, 0.0),
    "of a sum of cotangents is not the sum of what they give": (1.0, 1.0),
    "is not proportional to the cotangent when that is large: is it clipped?": (2.0**20, 0.0),
    "is not proportional to the cotangent when that is very large: is it clipped?": (2.0**60, 0.0),
    "is not proportional to the cotangent when that is small": (2.0**-20, 0.0),
    "is not proportional to the cotangent when that is very small": (2.0**-60, 0.0),
}
"""What is not so if bwd(a·v + b·w) is not a·bwd(v) + b·bwd(w), by (a, b)."""


def nonlinear(claim: VjpClaim, rng: np.random.Generator) -> dict[int, tuple[str, str]]:
    """The blocks whose cotangents are no linear function of the incoming one, with the kind and what was seen."""
    v, w = ([np.asarray(leaf[0]) for leaf in claim.subject.cotangents(1, rng)] for _ in range(2))
    tolerance = max(_ROUNDING, 1e3 * max(claim.rounds, claim.subject.compute.rounds))
    pull = _puller(claim, v, w)
    of_v, of_w = pull(1.0, 0.0), pull(0.0, 1.0)
    usable = [
        k
        for k in range(len(of_v))
        if of_v[k].size and np.isfinite(of_v[k]).all() and np.isfinite(of_w[k]).all()
    ]
    size = {k: max(unit(of_v[k]), unit(of_w[k])) for k in usable}
    same = {k for k in usable if np.any(of_v[k]) and not _off(of_v[k], of_w[k], size[k], tolerance)}
    found: dict[int, tuple[str, str]] = {}
    half = max(claim.rounds, claim.subject.compute.rounds) > _HALF
    for said, (a, b) in _TESTS.items():
        if half and not 1e-3 < max(abs(a), abs(b)) < 1e3 and a:
            continue  # half precision overflows there by itself
        given = pull(a, b)
        for k in usable:
            if k not in found and _off(
                given[k], a * of_v[k] + b * of_w[k], max(abs(a), abs(b)) * size[k] or size[k], tolerance
            ):
                found[k] = "nonlinear-in-cotangent", said
                if k in same and not _off(given[k], of_v[k], size[k], tolerance):
                    said = f"is the same whatever the cotangent: {claim.name} does not use it"
                    found[k] = "ignores-cotangent", said
    return found


def _off(a: Any, b: Any, size: float, tolerance: float) -> bool:
    return bool(np.max(errors(np.asarray(a), np.asarray(b), size), initial=0) > tolerance)


def _puller(claim: VjpClaim, v: Leaves, w: Leaves) -> Callable[[float, float], list[np.ndarray]]:
    """bwd of a·v + b·w: of all that will be asked for at once, unless that is too large."""
    leaves = claim.subject.point.leaves
    asked = [(1.0, 0.0), (0.0, 1.0), *_TESTS.values()]

    def cotangents(some: list[tuple[float, float]]) -> Leaves:
        return [jnp.asarray(np.stack([a * x + b * y for a, b in some])) for x, y in zip(v, w, strict=True)]

    def wide(leaf: np.ndarray) -> np.ndarray:
        return np.asarray(leaf).astype(np.result_type(leaf, float), copy=False)

    if claim.inputs * len(asked) > _TOGETHER:
        return lambda a, b: [wide(leaf[0]) for leaf in claim.by_hand(leaves, cotangents([(a, b)]))]
    together = [wide(leaf) for leaf in claim.by_hand(leaves, cotangents(asked))]
    return lambda a, b: [np.asarray(leaf[asked.index((a, b))]) for leaf in together]


def other_primal(claim: VjpClaim, leaves: Leaves) -> str:
    """How the value that fwd returns differs from f's; empty if it does not."""
    point, subject = claim.subject.point, claim.subject
    returned = claim.fwd(*point.arguments(leaves, point.others))[0]
    if jax.tree.structure(returned) != subject.structure:
        return f"has the structure {jax.tree.structure(returned)} instead of {subject.structure}".replace(
            "PyTreeDef", ""
        )
    tolerance = max(_ROUNDING, 1e2 * max(claim.rounds, subject.compute.rounds))
    for path, theirs, ours in zip(
        subject.out_paths, subject.value(leaves), arrays(jax.tree.leaves(returned)), strict=True
    ):
        if ours.shape != theirs.shape:
            return f"{path} has shape {ours.shape} instead of {theirs.shape}".strip()
        error = errors(ours.astype(np.result_type(ours, float)), theirs, unit(theirs))
        if error.max(initial=0) > tolerance:
            at = np.unravel_index(int(error.argmax()), error.shape) if error.ndim else ()
            return f"{path} is {ours[at]:.9g} where {subject.name} is {theirs[at]:.9g}".strip()
    return ""
