"""The normal equations of any model f(x, *params), differentiated by JAX or by the user's own Jacobian."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp

from mvcalc_jax import autodiff
from mvcalc_jax.fitting import normal
from mvcalc_jax.fitting.loop import Data, Model
from mvcalc_jax.fitting.losses import LOSSES
from mvcalc_jax.fitting.normal import Normal

Function = Callable[..., Any]


@lru_cache(maxsize=64)
def model(f: Function, jac: Function | None, loss: str, loss_scale: float) -> Model:
    """A model from f(x, *params), and jac(x, *params) of shape (n, p) if there is one.

    The same arguments give the same object, so that what was compiled for it is found again.
    """
    ρ = LOSSES[loss]

    def value(theta: Any, x: Any) -> Any:
        return f(x, *theta)

    def columns(theta: Any, x: Any) -> tuple[Any, Any]:
        if jac is not None:
            return value(theta, x), jac(x, *theta)
        return value(theta, x), autodiff.jacobian(value, mode="forward")(theta, x)

    def gradient(theta: Any, x: Any, y: Any, weights: Any) -> Any:
        """∂C/∂θ of one fit."""
        f, J = columns(theta, x)
        r = (f - y) * (1 if weights is None else weights)
        if loss != "linear":
            r *= ρ.slope((f - y) * r / loss_scale**2)
        return r @ J

    def cost(theta: Any, x: Any, y: Any, weights: Any) -> Any:
        r = value(theta, x) - y
        z = r * r * (1 if weights is None else weights)
        if loss == "linear":
            return jnp.sum(z) / 2
        return loss_scale**2 * jnp.sum(ρ.value(z / loss_scale**2)) / 2

    def evaluate(theta: Any, data: Data) -> Normal:
        f, J = over_fits(columns, -1)(theta, data.x)
        r, w, p = f - data.y, data.weights, len(theta)
        z = r * r if w is None else w * r * r
        if loss == "linear":
            total = jnp.sum(z, axis=0) / 2
        else:
            z = z / loss_scale**2
            total = loss_scale**2 * jnp.sum(ρ.value(z), axis=0) / 2
            w = ρ.slope(z) * (1 if w is None else w)
        return Normal(total, *normal.equations(r, [J[:, k] for k in range(p)], w), None)

    def exact(theta: Any, data: Data) -> Normal:
        at = evaluate(theta, data)
        of = autodiff.hessian(cost) if jac is None else autodiff.jacobian(gradient, mode="forward")
        H = over_fits(of, -1)(theta, data.x, data.y, data.weights)
        return at._replace(hessian=jnp.stack([H[i, j] for i, j in normal.pairs(len(theta))]))

    def spread(theta: Any, data: Data) -> Any:
        f, J = over_fits(columns, -1)(theta, data.x)
        r, w = f - data.y, 1 if data.weights is None else data.weights
        ψ = w * ρ.slope(w * r * r / loss_scale**2) * r
        return normal.equations(r, [J[:, k] for k in range(len(theta))], ψ**2)[1], jnp.sum(w * r * r, axis=0)

    def weighted(theta: Any, data: Data) -> list[Any]:
        _, J = over_fits(columns, -1)(theta, data.x)
        root = 1 if data.weights is None else jnp.sqrt(data.weights)
        return [root * J[:, k] for k in range(len(theta))]

    if loss == "linear":
        return Model(evaluate, exact, columns=weighted)
    return Model(evaluate, exact, spread=spread)


def over_fits(f: Function, out: int) -> Function:
    """f of one fit, for arguments with the fits on their last axis; what has only one there is shared."""

    def run(*args: Any) -> Any:
        axes = [None if a is None or a.shape[-1] == 1 else -1 for a in args]
        if all(axis is None for axis in axes):
            axes[0] = -1
        args = tuple(a if a is None or axis == -1 else a[..., 0] for a, axis in zip(args, axes, strict=True))
        return jax.vmap(f, in_axes=tuple(axes), out_axes=out)(*args)

    return run
