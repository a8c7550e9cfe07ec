"""The one door to JAX's automatic differentiation.

The package writes its derivatives by hand. Where it needs the machine's – to check a hand-written
one, to compare with it – it asks here, and nothing else in the package calls `jax.grad` and its kin.
That keeps the claim "written by hand" true, and a test enforces it.

Layout: J[i, j] = ∂y_i/∂x_j, output axes first, in the structure that `jax.jacobian` returns.
"""

from collections.abc import Callable
from typing import Any, Literal

import jax
from jax.experimental import jet as taylor_mode

Argnums = int | tuple[int, ...]


def gradient(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """∇f of a scalar function, by reverse mode (`jax.grad`).

    >>> mv.autodiff.gradient(lambda x: x @ x)(jnp.array([1.0, 2.0]))  # 2x
    Array([2., 4.], dtype=float32)
    """
    return jax.grad(f, argnums)


def jacobian(
    f: Callable[..., Any], argnums: Argnums = 0, *, mode: Literal["forward", "reverse"] = "reverse"
) -> Callable[..., Any]:
    """∂f/∂x in full: a column at a time (`forward`) or a row at a time (`reverse`).

    >>> f = lambda x: jnp.stack([x[0] * x[1], x[0] + x[1], x[0] ** 2])
    >>> mv.autodiff.jacobian(f, mode="forward")(jnp.array([2.0, 3.0]))  # a row for each output
    Array([[3., 2.],
           [1., 1.],
           [4., 0.]], dtype=float32)
    """
    return {"forward": jax.jacfwd, "reverse": jax.jacrev}[mode](f, argnums)


def hessian(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """∂²f/∂x² of a scalar function, forward over reverse (`jax.hessian`).

    >>> mv.autodiff.hessian(lambda x: x[0] ** 2 * x[1])(jnp.array([3.0, 5.0]))
    Array([[10.,  6.],
           [ 6.,  0.]], dtype=float32)
    """
    return jax.hessian(f, argnums)


def pull(f: Callable[..., Any], *args: Any) -> tuple[Any, Callable[[Any], tuple]]:
    """f(*args), and the function that pulls a cotangent v of it back to vᵀJ, one for each argument (`jax.vjp`).

    >>> y, back = mv.autodiff.pull(lambda x, z: x * z, 2.0, 5.0)
    >>> float(y), [float(v) for v in back(1.0)]
    (10.0, [5.0, 2.0])
    """
    return jax.vjp(f, *args)


def push(f: Callable[..., Any], args: tuple, tangents: tuple) -> tuple[Any, Any]:
    """f(*args), and the tangent Ju of it that the tangents u of the arguments are pushed to (`jax.jvp`).

    >>> y, dy = mv.autodiff.push(lambda x, z: x * z, (2.0, 5.0), (1.0, 10.0))
    >>> float(y), float(dy)  # dx z + x dz
    (10.0, 25.0)
    """
    return jax.jvp(f, args, tangents)


def jet(f: Callable[..., Any], args: tuple, series: tuple) -> tuple[Any, Any]:
    """f(*args), and the coefficients of t, t², … of f along args + Σ cₖ tᵏ (`jax.experimental.jet`).

    Args:
        f: of some arrays, to an array or several.
        args: their values.
        series: for each of them the list of its coefficients c₁, c₂, …, not multiplied by factorials.

    >>> y, terms = mv.autodiff.jet(jnp.exp, (0.0,), ([1.0, 0.0, 0.0],))
    >>> float(y), [round(float(c), 4) for c in terms]  # 1, 1/2!, 1/3!
    (1.0, [1.0, 0.5, 0.1667])
    """
    return taylor_mode.jet(f, args, series, factorial_scaled=False)


def with_gradient(f: Callable[[Any], Any], gradient: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The scalar function f, whose reverse-mode derivative is `gradient`, written by hand.

    Hands a hand-written derivative to code that differentiates for itself, such as optax's line search.

    >>> square = mv.autodiff.with_gradient(lambda x: x**2, lambda x: 3 * x)  # by a wrong hand
    >>> float(mv.autodiff.gradient(square)(1.0))
    3.0
    """
    wrapped = jax.custom_vjp(f)
    wrapped.defvjp(
        lambda x: (f(x), x),
        lambda x, cotangent: (jax.tree.map(lambda g: cotangent * g, gradient(x)),),
    )
    return wrapped
