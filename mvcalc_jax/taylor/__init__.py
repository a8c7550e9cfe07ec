"""Approximations of functions by polynomials, and bands in which the functions provably lie.

    series     taylor: coefficients of any order, in one variable and in several; the radius of convergence
    intervals  interval: functions of intervals; the arithmetic, its rounding errors, expansions with remainders
    bands      taylor_enclosure, and what it is good for: ranges, roots, integrals and learning rates that are proven

The folder itself is callable: `mv.taylor(f, x0, order)` is `mv.taylor.taylor(f, x0, order)`.
"""

import sys
from types import ModuleType
from typing import Any

from mvcalc_jax.taylor.bands.enclosure import TaylorEnclosure as TaylorEnclosure
from mvcalc_jax.taylor.bands.enclosure import taylor_enclosure as taylor_enclosure
from mvcalc_jax.taylor.bands.integral import VerifiedIntegral as VerifiedIntegral
from mvcalc_jax.taylor.bands.integral import verified_integral as verified_integral
from mvcalc_jax.taylor.bands.ranges import Range as Range
from mvcalc_jax.taylor.bands.ranges import verified_range as verified_range
from mvcalc_jax.taylor.bands.rates import safe_learning_rate as safe_learning_rate
from mvcalc_jax.taylor.bands.roots import RootStatus as RootStatus
from mvcalc_jax.taylor.bands.roots import VerifiedRoot as VerifiedRoot
from mvcalc_jax.taylor.bands.roots import verified_root as verified_root
from mvcalc_jax.taylor.bands.tensors import TensorEnclosure as TensorEnclosure
from mvcalc_jax.taylor.intervals.arithmetic import Interval as Interval
from mvcalc_jax.taylor.intervals.extension import interval as interval
from mvcalc_jax.taylor.series.polynomial import Polynomial as Polynomial
from mvcalc_jax.taylor.series.polynomial import taylor as taylor

__all__ = [
    "taylor",
    "Polynomial",
    "interval",
    "Interval",
    "taylor_enclosure",
    "TaylorEnclosure",
    "TensorEnclosure",
    "verified_range",
    "Range",
    "verified_root",
    "VerifiedRoot",
    "RootStatus",
    "verified_integral",
    "VerifiedIntegral",
    "safe_learning_rate",
]


class _Callable(ModuleType):
    """A module that is one of its own functions, too: the name of the topic is also the name of what it is about."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        return taylor(*args, **options)


sys.modules[__name__].__class__ = _Callable
