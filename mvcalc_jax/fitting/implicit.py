r"""Fits inside other computations: under `jit` and `vmap`, and differentiated by whatever they depend on.

At a minimum g(θ, d) = ∂C/∂θ = 0, whatever the data d; hence, by the implicit function theorem,

    dθ = −H⁻¹ (∂g/∂d) dd

The iterations are not differentiated, and it does not matter how many there were. A parameter that is held obeys
θ = what holds it instead.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from mvcalc_jax import autodiff
from mvcalc_jax.fitting import loop
from mvcalc_jax.fitting.solve import Inputs, Plan, Solution, finish, prepare, solve_block


@partial(jax.jit, static_argnames="plan")  # or every operation of its derivatives would be compiled by itself
def solve(plan: Plan, inputs: Inputs, offset: Any, steps: Any) -> Solution:
    """Fit every member of a batch, one by one as far as the caller can see, with derivatives in both modes.

    Args:
        plan: for chunks of one fit.
        inputs: the data, each with an axis of m fits first, or of 1.
        offset: the relative offset to reach.
        steps: the most iterations.
    """
    many = max(leaf.shape[0] for leaf in inputs if leaf is not None)
    axes = Inputs(*(None if a is None or (a.shape[0] == 1 and many > 1) else 0 for a in inputs))
    single = Inputs(
        *(None if a is None else a if x == 0 else a[0] for a, x in zip(inputs, axes, strict=True))
    )
    return jax.vmap(lambda one: _solve_one(plan, one, offset, steps), in_axes=(axes,))(single)


def _solve_one(plan: Plan, one: Inputs, offset: Any, steps: Any) -> Solution:
    inputs = Inputs(*(None if a is None else a[None] for a in one))
    data, begin = prepare(plan, inputs)

    def optimality(theta: Any) -> Any:
        at = plan.model.exact(theta[:, None], data)
        held = loop.held(theta[:, None], at, data)[:, 0]
        holder = data.start[:, 0]
        if data.lower is not None:
            holder = jnp.clip(theta, data.lower[:, 0], data.upper[:, 0])
            holder = jnp.where(jnp.array(plan.free), holder, data.start[:, 0])
        return jnp.where(held, theta - holder, at.gradient[:, 0])

    def descend(_: Any, start: Any) -> tuple[Any, Any]:
        found = solve_block(plan, inputs, offset, steps)
        numbers = (found.status[0], found.nit[0], found.nfev[0])
        return found.params[0], jnp.stack(numbers).astype(
            start.dtype
        )  # whole numbers have no tangents to return

    def tangent_solve(linear: Any, b: Any) -> Any:
        return jnp.linalg.solve(autodiff.jacobian(linear, mode="forward")(jnp.zeros_like(b)), b)

    theta, numbers = lax.custom_root(optimality, data.start[:, 0], descend, tangent_solve, has_aux=True)
    status, nit, nfev = numbers.astype("int32")
    state = loop.start(theta[:, None], status[None])._replace(nit=nit[None], nfev=nfev[None])
    solution = finish(plan, state, plan.model.exact(theta[:, None], data), data, begin)
    return jax.tree.map(lambda a: a[..., 0], solution)
