r"""Newton's step: to the lowest point of the parabola that has the cost's slope and curvature here.

    p ← p − H⁻¹ J,    J = ∂C/∂p,  H = ∂²C/∂p²

Near a minimum each step about doubles the number of right digits. Far from one it may go uphill, to a maximum
or a saddle: it looks for J = 0 and does not care of which kind. Reference: Nocedal and Wright, Numerical
Optimization (2006), §3.3.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from mvcalc_jax import require
from mvcalc_jax.descent.problem import Rule


class _Update(NamedTuple):
    hessian: Callable[[Any], Array]

    def __call__(
        self, jacobian: Any, state: tuple[()], params: Any, **_: Any
    ) -> tuple[Float[Array, " p"], tuple[()]]:
        require.floating("params", params)
        require.shape("params", params, (None,), "(parameters,): a flat array, for Newton's rule")
        hessian = self.hessian(params)
        require.shape("hessian(params)", hessian, (params.size, params.size), "(parameters, parameters)")
        return -jnp.linalg.solve(hessian, jacobian), state


def newton(hessian: Callable[[Any], Array]) -> Rule:
    """The rule p ← p − H⁻¹J for a flat array of parameters; `hessian(params)` is (p, p).

    >>> H = jnp.array([[2.0, 0.0], [0.0, 20.0]])
    >>> rule = mv.descent.newton(lambda p: H)
    >>> print(mv.descent.descend(rule, lambda p: H @ p, np.float32([3.0, -4.0]), steps=1).params)
    [0. 0.]
    """
    return Rule(lambda params: (), _Update(hessian))
