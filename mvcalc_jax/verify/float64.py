"""JAX computes in float64 while a check runs, and nothing of that is left behind.

JAX 0.10 to 0.12 converts a NumPy array that a function closes over once, and takes the converted one for it as long as
anything holds that, whatever the precision is by then. A user's own float32 code would be given float64, and fail.
"""

import gc
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import jax
import numpy as np


class _Left(NamedTuple):
    """What a check leaves behind: arrays that were converted, and programs that hold some of them."""

    converted: list[weakref.ref]
    programs: dict[Any, Any]


_left: ContextVar[_Left | None] = ContextVar("_left", default=None)


@contextmanager
def in_float64() -> Iterator[None]:
    """JAX computes in float64 within; on the way out, arrays that it converted are let go of."""
    if _left.get() is not None or jax.dtypes.canonicalize_dtype(float) == np.float64:
        with jax.enable_x64(True):
            yield
        return
    left = _Left([], {})
    token = _left.set(left)
    aside = not gc.get_freeze_count()
    if aside:
        gc.freeze()  # so that what is collected on the way out is looked for only in what came since
    try:
        with jax.enable_x64(True):
            yield
    finally:
        _left.reset(token)
        left.programs.clear()
        if any(array() is not None for array in left.converted):
            gc.collect()  # they hang on functions that hold each other
        if aside:
            gc.unfreeze()


def remember(constants: Iterable[Any]) -> None:
    """Constants of a function that was traced: those that were NumPy's must not outlive the check."""
    left = _left.get()
    if left is not None:
        left.converted.extend(weakref.ref(const) for const in constants if isinstance(const, np.ndarray))


def of_this_check() -> dict[Any, Any] | None:
    """What is forgotten when the check ends; None where float64 is the user's own precision."""
    left = _left.get()
    return None if left is None else left.programs
