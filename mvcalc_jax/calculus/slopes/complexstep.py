r"""The complex step: f′(x) = Im f(x + ih)/h + O(h²), without a difference, so that nothing is lost by a tiny h.

    f(x + ih) = f(x) + ih f′(x) − h² f″(x)/2 − …

holds for analytic f alone. Where |·|, a maximum or a comparison stands in f, the formula gives a number that means
nothing; such functions are refused (`slopes.analytic`). h is |x|/2²⁵⁶ in float64 and |x|/2³² in float32, so that h² is
nothing. What is then too small a number, as 2xh is in x² at 1e-150, is lost; so |x|/2⁹ and its half and quarter are
tried, too, and extrapolated to 0 as by Richardson, where they settle on another slope. What the smallest number over h
is remains in the error bar. W. Squire and G. Trapp, Using complex variables to estimate derivatives of real functions,
SIAM Review 40 (1998); J. R. R. A. Martins, P. Sturdza and J. J. Alonso, The complex-step derivative approximation, ACM
TOMS 29 (2003).

Even an analytic f may take another branch for complex numbers than for real ones, as (−8)^3.0 does. So f(x + ih) must
be near f(x), and 8h and 64h give what h gives; else a status says so.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax import compiling, precision, require
from mvcalc_jax.calculus.slopes import ladder as rising
from mvcalc_jax.calculus.slopes.analytic import require_analytic
from mvcalc_jax.calculus.slopes.estimates import Estimate, Status, exactly, packed

_LONG = 2.0**-9
"""The longest step, beside |x|."""


def complex_step(f: Callable[..., Any], x: Any) -> Estimate:
    """The derivative of an analytic function, as precise as f itself.

    Args:
        f: of one number, written in JAX, of analytic functions alone.
        x: a number, or an array of them, in float32 or float64.

    Raises:
        TypeError: where f is not analytic as it is written, or unknown to JAX for complex numbers; or not in JAX.
        ValueError: where x is not finite, or f returns several numbers.

    >>> print(f"{mv.calculus.complex_step(lambda x: x**x, 2.0).value:.13f}")  # 4 (1 + ln 2)
    6.7725887222398
    >>> mv.calculus.complex_step(jnp.abs, 1.0)
    Traceback (most recent call last):
        ...
    TypeError: `f` must be analytic; got an absolute value that depends on its argument (JAX's `abs`); use
    ridders, or autodiff
    """
    at = rising.points(x)
    if at.dtype not in (np.float32, np.float64):
        raise TypeError(f"`x` must be of float32 or float64, to have complex numbers; got {at.dtype}")
    eps, least = (float(of) for of in (jnp.finfo(at.dtype).eps, jnp.finfo(at.dtype).tiny))
    far = 2.0 ** (int(jnp.finfo(at.dtype).minexp) // 4)

    def over(x: Any, share: Any) -> tuple[Any, Any, Any]:
        """f(x), Im f(x + ih)/h and h."""
        h = jnp.maximum(jnp.where(x == 0, 1, jnp.abs(x)) * share, 8 * least).astype(at.dtype)
        value = jnp.asarray(f(jax.lax.complex(x, h)))
        return jnp.real(value), jnp.imag(value) / h, h

    def imaginary(x: Any, times: float) -> tuple[Any, Any, Any]:
        """The same by a short step; by longer ones, extrapolated, where they settle on what is lost to it."""
        short = over(x, far * times)
        (_, a, _), (_, b, _), (real, c, h) = (over(x, _LONG * times * share) for share in (1, 1 / 2, 1 / 4))
        once = c + (c - b) / 3
        twice = once + (once - b - (b - a) / 3) / 15
        settled = jnp.abs(twice - once) <= eps**0.5 * jnp.abs(twice)
        lost = settled & ~(jnp.abs(short[1] - twice) <= eps**0.5 * jnp.abs(twice))
        real, found, h = (jnp.where(lost, *pair) for pair in zip((real, twice, h), short, strict=True))
        return real, found, h

    def slope(x: Any) -> Any:
        return jnp.where(jnp.isfinite(f(x)), imaginary(x, 1)[1], jnp.nan)

    with precision.of(at), np.errstate(all="ignore"):
        require.scalar("f", f, jax.ShapeDtypeStruct((), at.dtype))
        require_analytic("f", f, np.result_type(at.dtype, np.complex64))
        seen = lambda x: (f(x), imaginary(x, 1)[2], *imaginary(x, 8)[:2], imaginary(x, 64)[1])
        run = jax.jit(jax.vmap(seen), compiler_options=compiling.quickly())
        value, h, real, eightfold, again = (np.asarray(of).astype(float) for of in run(at.ravel()))
        found = exactly(slope, value, at)
        slopes, error = (np.ravel(of).astype(float) for of in (found.value, found.error))
        error = error + least / h  # what is less than the smallest number is 0
        size = 64 * np.finfo(at.dtype).eps * np.maximum(1, np.abs(at.ravel()))
        other = np.abs(real - value) > 0.01 * np.abs(value) + size
        other |= np.abs(eightfold - slopes) > 0.001 * np.abs(slopes) + 10 * error
        shrinks = eightfold / slopes
        other |= (np.abs(shrinks) < 0.99) & (np.abs(again / eightfold - shrinks) < 0.001 * np.abs(shrinks))
        other = (other & np.ravel(found.found)) | (np.isfinite(value) & ~np.isfinite(slopes))
    status = np.where(other, Status.OTHER_BRANCH, np.ravel(found.status))
    return packed(slopes, error, np.zeros(slopes.shape), status, at, at.shape)
