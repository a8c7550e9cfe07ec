"""Boxes, many at once: what searches by dividing them share."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mvcalc_jax import require

AT_ONCE = 64
"""How many boxes are looked at together."""


def function_on_box(f: Any, box: Any) -> tuple[Callable[[Any], Any], np.ndarray, bool]:
    """f as a function of an array of shape (d,); and whether it was one of a number."""
    f = require.function("f", f)
    if require.reals("box", box, require.BOX).ndim == 1:
        return lambda x: f(x[0]), require.box("box", [box]), True
    return f, require.box("box", box), False


def padded(boxes: np.ndarray) -> np.ndarray:
    """To one number of boxes, so that one program serves all rounds."""
    return np.concatenate([boxes, np.repeat(boxes[:1], AT_ONCE - len(boxes), axis=0)])


def halved(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each box cut across its longest side."""
    sides = np.argmax(boxes[..., 1] - boxes[..., 0], axis=1)
    rows = np.arange(len(boxes))
    middle = boxes[rows, sides].mean(-1)
    left, right = boxes.copy(), boxes.copy()
    left[rows, sides, 1], right[rows, sides, 0] = middle, middle
    return left, right
