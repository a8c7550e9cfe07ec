r"""The complex step: f′(x) = Im f(x + ih)/h + O(h²), without a difference, so that nothing is lost by a tiny h.

    f(x + ih) = f(x) + ih f′(x) − h² f″(x)/2 − …

holds for analytic f alone. Where |·|, a maximum or a comparison stands in f, the formula gives a number that means
nothing; such functions are refused (`slopes.analytic`). h is |x|/2²⁵⁵ in float64 and |x|/2³¹ in float32,
so that h² is nothing, and h itself is far from where numbers end. W. Squire and G. Trapp, Using complex variables to
estimate derivatives of real functions, SIAM Review 40 (1998); J. R. R. A. Martins, P. Sturdza and J. J. Alonso, The
complex-step derivative approximation, ACM TOMS 29 (2003).

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


def complex_step(f: Callable[..., Any], x: Any) -> Estimate:
    """The derivative of an analytic function, as precise as f itself.

    Args:
        f: of one number, written in JAX, of analytic functions alone.
        x: a number, or an array of them, in float32 or float64.

    Raises:
        TypeError: where f is not analytic as it is written, or unknown to JAX for complex numbers; or not in JAX.
        ValueError: where x is not finite, or f returns several numbers.
    """
    at = rising.points(x)
    if at.dtype not in (np.float32, np.float64):
        raise TypeError(f"`x` must be of float32 or float64, to have complex numbers; got {at.dtype}")
    exponent = int(jnp.finfo(at.dtype).minexp)
    far, near = (np.asarray(2.0**e, at.dtype) for e in (exponent // 4, max(exponent // 4, -30)))
    tiny, one = (np.asarray(v, at.dtype) for v in (2.0 ** (0.6 * exponent), 1))

    def imaginary(x: Any, times: float) -> tuple[Any, Any]:
        size = jnp.where(x == 0, one, jnp.abs(x))
        h = size * jnp.where(size < tiny, near, far) * times
        value = jnp.asarray(f(jax.lax.complex(x, h.astype(at.dtype))))
        return jnp.real(value), jnp.where(jnp.isfinite(f(x)), jnp.imag(value) / h, jnp.nan)

    with precision.of(at), np.errstate(all="ignore"):
        require.scalar("f", f, jax.ShapeDtypeStruct((), at.dtype))
        require_analytic("f", f, np.result_type(at.dtype, np.complex64))
        seen = lambda x: (f(x), *imaginary(x, 8), imaginary(x, 64)[1])
        run = jax.jit(jax.vmap(seen), compiler_options=compiling.quickly())
        value, real, eightfold, again = (np.asarray(of).astype(float) for of in run(at.ravel()))
        found = exactly(lambda x: imaginary(x, 1)[1], value, at)
        slope, error = (np.ravel(of).astype(float) for of in (found.value, found.error))
        size = 64 * np.finfo(at.dtype).eps * np.maximum(1, np.abs(at.ravel()))
        other = np.abs(real - value) > 0.01 * np.abs(value) + size
        other |= np.abs(eightfold - slope) > 0.001 * np.abs(slope) + 10 * error
        shrinks = eightfold / slope
        other |= (np.abs(shrinks) < 0.99) & (np.abs(again / eightfold - shrinks) < 0.001 * np.abs(shrinks))
        other = (other & np.ravel(found.found)) | (np.isfinite(value) & ~np.isfinite(slope))
    status = np.where(other, Status.OTHER_BRANCH, np.ravel(found.status))
    return packed(slope, error, np.zeros(slope.shape), status, at, at.shape)
