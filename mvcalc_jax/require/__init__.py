"""What an argument must be, said once: what was required, what was got, what to do.

Misuse raises before any work: `ValueError` for a wrong value or shape, `TypeError` for a wrong kind.
A numerical outcome is never raised; it is a status (see `mvcalc_jax.descent`).

    values     numbers, arrays and names
    functions  functions, and what derivatives ask of them

The names of the axes, in every signature of the package:

    n    samples (columns of a network's x and y), or bins of a histogram
    i    inputs of a layer or network
    o    outputs of a layer or network
    h    rows of the layer before
    p    parameters
    s    steps of a descent
    r    rows of a trace
    m    members of an ensemble
    k    points on a drawn line
    ...  any axes
"""

from mvcalc_jax.require.functions import differentiable as differentiable
from mvcalc_jax.require.functions import function as function
from mvcalc_jax.require.functions import holds_traced as holds_traced
from mvcalc_jax.require.functions import scalar as scalar
from mvcalc_jax.require.functions import traceable as traceable
from mvcalc_jax.require.functions import twice_differentiable as twice_differentiable
from mvcalc_jax.require.values import BOX as BOX
from mvcalc_jax.require.values import LARGEST as LARGEST
from mvcalc_jax.require.values import MOST as MOST
from mvcalc_jax.require.values import AnyArray as AnyArray
from mvcalc_jax.require.values import array as array
from mvcalc_jax.require.values import box as box
from mvcalc_jax.require.values import finite as finite
from mvcalc_jax.require.values import floating as floating
from mvcalc_jax.require.values import is_native as is_native
from mvcalc_jax.require.values import is_real as is_real
from mvcalc_jax.require.values import level as level
from mvcalc_jax.require.values import number as number
from mvcalc_jax.require.values import one_of as one_of
from mvcalc_jax.require.values import port as port
from mvcalc_jax.require.values import positive as positive
from mvcalc_jax.require.values import reals as reals
from mvcalc_jax.require.values import shape as shape
from mvcalc_jax.require.values import traced as traced
from mvcalc_jax.require.values import unmasked as unmasked
from mvcalc_jax.require.values import whole as whole

__all__ = [
    "floating",
    "array",
    "unmasked",
    "shape",
    "finite",
    "number",
    "positive",
    "level",
    "whole",
    "port",
    "reals",
    "box",
    "one_of",
    "function",
    "traceable",
    "scalar",
    "differentiable",
    "twice_differentiable",
    "is_native",
    "is_real",
    "traced",
    "holds_traced",
    "AnyArray",
    "LARGEST",
    "MOST",
    "BOX",
]
