"""In which precision a formula's digits are counted."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax.verify.points import inexact


class Counted(NamedTuple):
    """The precision in which digits are counted, and whether the user computes in it."""

    dtype: Any
    given: bool

    @property
    def rounding(self) -> float:
        """Its ε, if the user computes in it; 0 if not."""
        return float(jnp.finfo(self.dtype).eps) if self.given else 0.0


def counted_in(args: tuple) -> Counted:
    """The narrowest precision of the arguments, but at most float32."""
    kinds = [
        jnp.result_type(leaf) for leaf in jax.tree.leaves(args) if inexact(leaf) and hasattr(leaf, "dtype")
    ]
    real = [jnp.finfo(kind) for kind in kinds]
    narrow = [info for info in real if info.bits <= 32]
    if not narrow:
        return Counted(np.float32, given=False)
    return Counted(max(narrow, key=lambda info: float(info.eps)).dtype, given=True)
