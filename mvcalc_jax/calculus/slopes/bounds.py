r"""How wrong a difference will be, before it is taken: what a step leaves out, and what rounding puts in.

| difference | truncation    | round-off | best step             | error there       |
|------------|---------------|-----------|-----------------------|-------------------|
| forward    | \|f″\| h/2      | 2η/h      | 2 √(η/\|f″\|)           | 2 √(η\|f″\|)        |
| central    | \|f‴\| h²/6     | η/h       | ∛(3η/\|f‴\|)            | ½ ∛(9η²\|f‴\|)      |

The first is the next term of Taylor's series, by autodiff in float64: of short steps nearly equal to the error, of
long ones not. The second bounds the error of any step, for values of f with an error up to η: half a unit in the last
place, ε|f|/2, or the rounding that is measured (`slopes.noise`), where that is more. It often is: in
cos x − 1 near 0 the cosine was rounded, and in sin(100x) the product. On doubly logarithmic paper the sum of both
is a V. Reference: Press et al., Numerical Recipes (2007), §5.7.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from mvcalc_jax import autodiff, compiling, precision, require
from mvcalc_jax.calculus.slopes import ladder as rising
from mvcalc_jax.calculus.slopes import noise


class Bounds(NamedTuple):
    """The two parts of a difference's error at each step, and the step at which their sum is least.

    Attributes:
        step: the steps, (h,).
        truncation: what each leaves out.
        roundoff: what rounding may put in.
        best_step: infinite where nothing is left out.
        least: the sum of both at the best step.
    """

    step: Float[np.ndarray, " h"]
    truncation: Float[np.ndarray, " h"]
    roundoff: Float[np.ndarray, " h"]
    best_step: float
    least: float


class ErrorModel(NamedTuple):
    """What the bounds are made of: f, f′, f″ and f‴ at a point, and the rounding η of f there.

    >>> model = mv.calculus.error_model(lambda x: x**3, 2.0)
    >>> model.f, model.first, model.second, model.third
    (8.0, 12.0, 12.0, 6.0)
    >>> model.forward(1e-3).truncation, model.central(1e-3).truncation  # f″h/2 and f‴h²/6
    (np.float64(0.006), np.float64(1e-06))
    """

    f: float
    first: float
    second: float
    third: float
    rounding: float

    @np.errstate(over="ignore")  # of steps that are far too long, or too short, infinite is the bound
    def forward(self, step: Any) -> Bounds:
        """Of (f(x + h) − f(x))/h; ValueError, TypeError for steps that are not positive numbers."""
        step = _required(step)
        bend, η = abs(self.second), self.rounding
        best = 2 * np.sqrt(η / bend) if bend else np.inf
        return Bounds(step, bend * step / 2, 2 * η / step, float(best), float(2 * np.sqrt(η * bend)))

    @np.errstate(over="ignore")
    def central(self, step: Any) -> Bounds:
        """Of (f(x + h) − f(x − h))/2h; raises as `forward`."""
        step = _required(step)
        twist, η = abs(self.third), self.rounding
        best = np.cbrt(3 * η / twist) if twist else np.inf
        return Bounds(
            step, twist * step**2 / 6, η / step, float(best), float(np.cbrt(9 * η * twist) * np.cbrt(η) / 2)
        )  # η² may overflow


def _required(step: Any) -> Any:
    step = precision.floats("step", step)
    require.finite("step", step)
    if not (step > 0).all():
        raise ValueError(f"`step` must be positive; got {step.min():g}")
    return step.astype(float)


def error_model(f: Callable[..., Any], x: Any) -> ErrorModel:
    """f and its derivatives at a number, and how f is rounded in the number's precision.

    Args:
        f: of one number, written in JAX, three times differentiable.
        x: a number; of float32, for differences in float32.

    Raises:
        TypeError: where f is not written in JAX, or x is no number.
        ValueError: where x is not finite, or f returns several numbers.

    >>> model = mv.calculus.error_model(jnp.exp, np.float32(0))
    >>> print(f"{model.forward(1e-4).best_step:.0e}, {model.central(1e-4).best_step:.0e}")  # like √ε and ∛ε, of float32
    6e-04, 6e-03
    """
    require.number("x", x)
    at = rising.points(x).reshape(1)
    with precision.of(at):
        require.scalar("f", f, jax.ShapeDtypeStruct((), at.dtype))
        values, eps = rising.values_of("f", f, at)
        measured = float(noise.of(rising.climb(values, eps, at, rising.rungs(at)))[0])
    with precision.of(np.float64(0)):
        of = [f]
        for _ in range(3):
            of.append(_slope(of[-1]))
        exact = jax.jit(lambda x: [g(x) for g in of], compiler_options=compiling.quickly())(
            at[0].astype(float)
        )
    value, first, second, third = map(float, exact)
    return ErrorModel(value, first, second, third, max(measured, eps / 2 * abs(value)))


def _slope(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x: autodiff.push(f, (x,), (jax.numpy.ones_like(x),))[1]
