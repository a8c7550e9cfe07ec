r"""Gaussian peaks as one meets them in data – not normalised – with first and second derivatives by hand.

With u = (x − m)/s and e = exp(−u²/2), a peak of height A at m, of standard deviation s, and what it does as they move:

    f     = A e
    ∂f    = e · (1,  A u/s,  A u²/s)                                in (A, m, s)
    ∂²f   : f_AA = 0,       f_Am = e u/s,           f_As = e u²/s
            f_mm = A e (u² − 1)/s²,  f_ms = A e u (u² − 2)/s²,  f_ss = A e u² (u² − 3)/s²

In two dimensions u² + v² stands in the exponent, v = (y − n)/t, and a round peak has t = s.

Every function here returns a `Shape`: the value, the columns of the Jacobian, and the entries of the Hessian that are
not 0, each an array like x broadcast against the parameters. That is what sums over the data are built from, and
`value`, `jacobian` and `hessian` arrange the same in the usual way.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from mvcalc_jax.models.gaussian import FAR
from mvcalc_jax.require import AnyArray


class Shape(NamedTuple):
    """A function of the parameters at many x: its value, ∂f/∂θᵢ, and ∂²f/∂θᵢ∂θⱼ by (i, j), i ≥ j, where it is not 0.

    >>> f = mv.models.bell.peak((3.0, 0.5, 1.0), jnp.array([0.5, 1.5]))
    >>> f.value.shape, [column.shape for column in f.columns], sorted(f.second)
    ((2,), [(2,), (2,), (2,)], [(1, 0), (1, 1), (2, 0), (2, 1), (2, 2)])
    """

    value: Any
    columns: tuple[Any, ...]
    second: dict[tuple[int, int], Any]


def peak(theta: Sequence[Any] | AnyArray, x: Any) -> Shape:
    """A peak in one dimension, θ = (amplitude, mean, stddev).

    >>> f = mv.models.bell.peak((3.0, 0.5, 1.0), jnp.array([0.5, 1.5]))
    >>> print(np.array(f.value).round(4))  # A, and A e^−½
    [3.     1.8196]
    """
    A, m, s = theta
    u, e = standardised(x, m, s)
    Ae, uu = A * e / s, u * u
    second = {
        (1, 0): e * u / s,
        (2, 0): e * uu / s,
        (1, 1): Ae / s * (uu - 1),
        (2, 1): Ae / s * u * (uu - 2),
        (2, 2): Ae / s * uu * (uu - 3),
    }
    return Shape(A * e, (e, Ae * u, Ae * uu), second)


def area_peak(theta: Sequence[Any] | AnyArray, x: Any) -> Shape:
    """The same by its area a = A s √(2π), θ = (area, mean, stddev): a times the normal density.

    >>> f = mv.models.bell.area_peak((2.0, 0.5, 1.0), jnp.array([0.5]))
    >>> print(np.array(f.value).round(4))  # 2/√(2π)
    [0.7979]
    """
    a, m, s = theta
    u, e = standardised(x, m, s)
    φ, uu = e / (s * math.sqrt(2 * math.pi)), u * u
    aφ = a * φ / s
    second = {
        (1, 0): φ * u / s,
        (2, 0): φ * (uu - 1) / s,
        (1, 1): aφ / s * (uu - 1),
        (2, 1): aφ / s * u * (uu - 3),
        (2, 2): aφ / s * (uu * (uu - 5) + 2),
    }
    return Shape(a * φ, (φ, aφ * u, aφ * (uu - 1)), second)


def round_peak(theta: Sequence[Any] | AnyArray, xy: Any) -> Shape:
    """A round peak in two dimensions, θ = (amplitude, mean_x, mean_y, stddev); xy holds x and y on its first axis.

    >>> f = mv.models.bell.round_peak((2.0, 0.0, 0.0, 1.0), jnp.array([[0.0, 1.0], [0.0, 0.0]]))
    >>> print(np.array(f.value).round(4))  # at (0, 0) and (1, 0)
    [2.     1.2131]
    """
    A, m, n, s = theta
    x, y = xy
    u, v = _held((x - m) / s), _held((y - n) / s)
    q = u * u + v * v
    e = jnp.exp(-q / 2)
    Ae = A * e / s
    second = {
        (1, 0): e * u / s,
        (2, 0): e * v / s,
        (3, 0): e * q / s,
        (1, 1): Ae / s * (u * u - 1),
        (2, 1): Ae / s * u * v,
        (2, 2): Ae / s * (v * v - 1),
        (3, 1): Ae / s * u * (q - 2),
        (3, 2): Ae / s * v * (q - 2),
        (3, 3): Ae / s * q * (q - 3),
    }
    return Shape(A * e, (e, Ae * u, Ae * v, Ae * q), second)


def oval_peak(theta: Sequence[Any] | AnyArray, xy: Any) -> Shape:
    """An upright oval peak, θ = (amplitude, mean_x, mean_y, stddev_x, stddev_y).

    >>> f = mv.models.bell.oval_peak((2.0, 0.0, 0.0, 1.0, 2.0), jnp.array([[1.0, 0.0], [0.0, 1.0]]))
    >>> print(np.array(f.value).round(4))  # at (1, 0) and (0, 1)
    [1.2131 1.765 ]
    """
    A, m, n, s, t = theta
    x, y = xy
    u, v = _held((x - m) / s), _held((y - n) / t)
    e = jnp.exp(-(u * u + v * v) / 2)
    Ae = A * e
    along, across = (u / s, u * u / s), (v / t, v * v / t)  # e's relative change as m, s and n, t move
    m_, s_, n_, t_ = along[0], along[1], across[0], across[1]
    second = {
        (1, 0): e * m_,
        (2, 0): e * n_,
        (3, 0): e * s_,
        (4, 0): e * t_,
        (1, 1): Ae * (u * u - 1) / s**2,
        (2, 1): Ae * m_ * n_,
        (2, 2): Ae * (v * v - 1) / t**2,
        (3, 1): Ae * u * (u * u - 2) / s**2,
        (3, 2): Ae * s_ * n_,
        (3, 3): Ae * u * u * (u * u - 3) / s**2,
        (4, 1): Ae * t_ * m_,
        (4, 2): Ae * v * (v * v - 2) / t**2,
        (4, 3): Ae * s_ * t_,
        (4, 4): Ae * v * v * (v * v - 3) / t**2,
    }
    return Shape(Ae, (e, Ae * m_, Ae * n_, Ae * s_, Ae * t_), second)


def summed(*parts: tuple[Callable[..., Shape], int], offset: bool = False) -> Callable[..., Shape]:
    """The sum of shapes, each with its number of parameters, which follow each other; and of a constant at the end.

    >>> bell = mv.models.bell
    >>> two = bell.summed((bell.peak, 3), (bell.peak, 3), offset=True)
    >>> print(np.array(two((3.0, -1.0, 0.5, 2.0, 1.0, 0.5, 0.1), jnp.array([-1.0, 1.0])).value).round(3))
    [3.101 2.101]
    """

    def total(theta: Sequence[Any] | AnyArray, x: Any) -> Shape:
        value: Any = 0
        columns: tuple[Any, ...] = ()
        second: dict[tuple[int, int], Any] = {}
        for shape, count in parts:
            first = len(columns)
            part = shape(theta[first : first + count], x)
            value, columns = value + part.value, columns + part.columns
            second |= {(i + first, j + first): entry for (i, j), entry in part.second.items()}
        if not offset:
            return Shape(value, columns, second)
        constant = theta[len(columns)]
        return Shape(value + constant, (*columns, jnp.ones_like(value)), second)

    return total


def value(shape: Callable[..., Shape], theta: Float[AnyArray, " p"], x: Any) -> Float[Array, "..."]:
    """f(x; θ).

    >>> bell, theta = mv.models.bell, jnp.array([3.0, 0.5, 1.0])
    >>> print(np.array(bell.value(bell.peak, theta, jnp.array([0.5, 1.5]))).round(4))
    [3.     1.8196]
    """
    return jnp.asarray(shape(theta, x).value)


def jacobian(shape: Callable[..., Shape], theta: Float[AnyArray, " p"], x: Any) -> Float[Array, "... p"]:
    """∂f/∂θ at every x.

    >>> bell, theta = mv.models.bell, jnp.array([3.0, 0.5, 1.0])
    >>> print(np.array(bell.jacobian(bell.peak, theta, jnp.array([0.5, 1.5]))).round(4))
    [[1.     0.     0.    ]
     [0.6065 1.8196 1.8196]]
    """
    return jnp.stack(shape(theta, x).columns, axis=-1)


def hessian(shape: Callable[..., Shape], theta: Float[AnyArray, " p"], x: Any) -> Float[Array, "... p p"]:
    """∂²f/∂θ² at every x.

    >>> bell, theta = mv.models.bell, jnp.array([3.0, 0.5, 1.0])
    >>> H = bell.hessian(bell.peak, theta, jnp.array([0.5, 1.5]))
    >>> print(H.shape, H[0, 1, 1])  # f_mm at the top is −A/s²
    (2, 3, 3) -3.0
    """
    at = shape(theta, x)
    p, zero = len(at.columns), jnp.zeros_like(at.value)
    entry = lambda i, j: at.second.get((max(i, j), min(i, j)), zero)
    return jnp.stack([jnp.stack([entry(i, j) for j in range(p)], axis=-1) for i in range(p)], axis=-2)


def _held(u: Any) -> Any:
    return jnp.clip(u, -FAR, FAR)


def standardised(x: Any, m: Any, s: Any) -> tuple[Any, Any]:
    """u = (x − m)/s, and exp(−u²/2).

    >>> u, e = mv.models.bell.standardised(jnp.array([170.0, 180.0]), 170.0, 5.0)
    >>> print(u, e.round(4))
    [0. 2.] [1.     0.1353]
    """
    u = _held((x - m) / s)
    return u, jnp.exp(-u * u / 2)
