"""How wrong a derivative is: in units of the largest entry of its leaf.

Entry by entry, a correct derivative may be off by any factor where terms cancel; of the leaf's largest entry it
is off by a few roundings. So that, and not the entry, is the unit.
"""

import numpy as np
from jaxtyping import Float, Inexact


def unit(exact: Inexact[np.ndarray, "..."], otherwise: float = 1.0) -> float:
    """The largest entry of a leaf, in magnitude; `otherwise` for a leaf that is zero throughout, or empty."""
    return float(np.abs(exact).max(initial=0)) or otherwise


def errors(
    found: Inexact[np.ndarray, "*any"], exact: Inexact[np.ndarray, "*any"], unit: float
) -> Float[np.ndarray, "*any"]:
    """|found − exact| in units of `unit`; infinite where one of them is NaN."""
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.abs(found - exact) / unit
    return np.where(np.isnan(error), np.inf, error)
