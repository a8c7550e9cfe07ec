r"""The chain rule with matrices, factor by factor: shapes, products from both ends, and what each order costs.

    y = f_L(… f₂(f₁(x))),    dy/dx = J_L ⋯ J₂ J₁,    J_k = ∂f_k/∂(its own input), at its own input

An (m, k) matrix times a (k, n) one takes m·k·n multiplications, and the product may be formed from either end:

    from the left   ((J_L J_{L−1}) ⋯ ) J₁    reverse mode: cheap where y has few entries, as a cost has
    from the right  J_L ( ⋯ (J₂ J₁))         forward mode: cheap where x has few, as time has

Values of any shape are taken as vectors, a number as a vector of one entry. Reference: Griewank and Walther, Evaluating
Derivatives (2008), chapters 3 and 10.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from mvcalc_jax import autodiff, precision, require, text
from mvcalc_jax.calculus.variables.point import evaluated

_AGREES = 1e3
"""Roundings, in units of the largest entry, by which the product may differ from autodiff's Jacobian of the whole."""
_PRINTED = 4
"""Matrices of at most so many rows and columns are printed."""


class Status(StrEnum):
    """How the product came out; the value is the sentence."""

    AGREES = "the product of the factors is the Jacobian of the whole, as autodiff has it"
    DIFFERS = (
        "the product is not the Jacobian of the whole: a `jac` is wrong; look for it with verify.check_chain"
    )
    NOT_FINITE = "a value or a factor is infinite or NaN here; take another point"


class Factor(NamedTuple):
    """One local Jacobian ∂top/∂bottom as a matrix: a row for each entry of the top, a column for each of the bottom."""

    top: str
    bottom: str
    matrix: Float[np.ndarray, "o i"]

    @property
    def name(self) -> str:
        """∂top/∂bottom; d where both are single numbers, or the bottom is the only one."""
        d = "d" if self.matrix.shape[1] == 1 else "∂"
        return f"{d}{self.top}/{d}{self.bottom}"


@text.shown
@dataclass(frozen=True)
class MatrixChain:
    """A chain rule with its numbers. It prints as a table.

    Attributes:
        values: what every link takes, and at the end y; as vectors.
        factors: J_L, …, J₁, as they are written.
        from_left: J_L, J_L J_{L−1}, …: the rows that reverse mode carries back.
        from_right: J₁, J₂ J₁, …: the columns that forward mode carries on.
        reverse, forward: multiplications that either order takes.
        error: the largest difference from autodiff's Jacobian of the whole.
        status: how it came out.

    >>> links = [("z", lambda x: jnp.stack([x, x**2]), None), ("y", lambda z: z[0] * z[1], None)]
    >>> print(mv.calculus.matrix_chain(links, 2.0))
    dy/dx = ∂y/∂z · dz/dx
    1×1 = 1×2 · 2×1
    factor  shape  from the left        from the right
    ∂y/∂z   1×2    1×2                  1×1             +2 ×
    dz/dx   2×1    1×1            +2 ×  2×1
    in all                        2 ×                   2 ×
    ∂y/∂z =  [  4  2  ]
    dz/dx =  [  1  ]
             [  4  ]
    dy/dx =  [  12  ]
    the product of the factors is the Jacobian of the whole, as autodiff has it
    """

    values: tuple[Float[np.ndarray, " _"], ...]
    factors: tuple[Factor, ...]
    from_left: tuple[Float[np.ndarray, "o _"], ...]
    from_right: tuple[Float[np.ndarray, "_ i"], ...]
    reverse: int
    forward: int
    error: float
    status: Status

    @property
    def jacobian(self) -> Float[np.ndarray, "o i"]:
        """dy/dx: the product of all factors, multiplied in the cheaper order."""
        return (self.from_left if self.reverse <= self.forward else self.from_right)[-1]

    def _parts(self) -> text.Parts:
        whole = Factor(self.factors[0].top, self.factors[-1].bottom, self.jacobian)
        head = f"{whole.name} = " + " · ".join(f.name for f in self.factors)
        shapes = f"{_shape(whole.matrix)} = " + " · ".join(_shape(f.matrix) for f in self.factors)
        rows: list[tuple[str, ...]] = [("factor", "shape", "from the left", "", "from the right", "")]
        left, right = ([0, *costs(self.factors, way)] for way in ("left", "right"))
        for k, factor in enumerate(self.factors):
            there = len(self.factors) - 1 - k
            cells = (self.from_left[k], left[k]), (self.from_right[there], right[there])
            carried = (
                word for matrix, cost in cells for word in (_shape(matrix), f"+{cost} ×" if cost else "")
            )
            rows.append((factor.name, _shape(factor.matrix), *carried))
        rows.append(("in all", "", "", f"{self.reverse} ×", "", f"{self.forward} ×"))
        shown = [_matrix(f.name, f.matrix) for f in (*self.factors, whole) if max(f.matrix.shape) <= _PRINTED]
        return [head, shapes, rows, *shown, self.status.value]


def matrix_chain(
    links: Sequence[tuple[str, Callable[..., Any], Callable[..., Any] | None]], x: Any, of: str = "x"
) -> MatrixChain:
    """The factors of a chain rule at a point, their products from both ends, and the multiplications of each order.

    Args:
        links: (name, f, jac), applied first to last; `name` is that of f's value, `jac` its Jacobian by hand, output
            axes first, or None for autodiff's. `mvcalc_jax.verify.Link`s will do.
        x: a number or an array, of which the first link is a function.
        of: its name.

    Raises:
        ValueError: for no links, an x that is not finite, or a `jac` whose shape is not the outputs' axes and then the
            inputs'.
        TypeError: for links that are none, functions that are not written in JAX or return no floating-point numbers,
            or an x that is not of real numbers.

    >>> W = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 3.0]])
    >>> links = [("u", lambda x: x**2, None), ("z", lambda u: W @ u, None), ("y", lambda z: z @ z, None)]
    >>> chain = mv.calculus.matrix_chain(links, np.ones(3))
    >>> chain.jacobian, chain.reverse, chain.forward  # 2 zᵀ W diag(2x), in 15 multiplications or in 24
    (array([[12., 40., 48.]]), 15, 24)
    """
    ready = _required(links)
    x = precision.floats(of, x)
    require.finite(of, x)
    if not x.size:
        raise ValueError(f"`{of}` must hold at least one number; got shape {x.shape}")
    with precision.of(x):
        _check_shapes(ready, x)

        def program(x: Any) -> tuple:
            values = list(accumulate((f for _, f, _ in ready), lambda at, f: f(at), initial=x))
            J = [jac(at) for (_, _, jac), at in zip(ready, values, strict=False)]
            matrices = [j.reshape(b.size, a.size) for j, (a, b) in zip(J, pairwise(values), strict=True)][
                ::-1
            ]
            left, right = (
                list(accumulate(matrices, jnp.matmul)),
                list(accumulate(matrices[::-1], lambda P, A: A @ P)),
            )
            whole = autodiff.jacobian(lambda x: _last(ready, x), mode="forward")(x)
            return (
                [v.reshape(-1) for v in values],
                matrices,
                left,
                right,
                whole.reshape(values[-1].size, x.size),
            )

        values, matrices, left, right, whole = evaluated(program, x)
    names = [of, *(name for name, _, _ in ready)]
    factors = tuple(
        Factor(t, b, m) for (b, t), m in zip(reversed(list(pairwise(names))), matrices, strict=True)
    )
    reverse, forward = (sum(costs(factors, way)) for way in ("left", "right"))
    with np.errstate(invalid="ignore"):
        error = float(np.abs(left[-1] - whole).max())
    if not all(np.isfinite(m).all() for m in (*values, *matrices, whole)):
        status = Status.NOT_FINITE
    else:
        sizes = np.max([np.abs(m).max() for m in (*left, *right, whole)])
        allowed = _AGREES * np.finfo(whole.dtype).eps * sizes
        status = Status.AGREES if error <= allowed else Status.DIFFERS
    return MatrixChain(tuple(values), factors, tuple(left), tuple(right), reverse, forward, error, status)


def costs(factors: Sequence[Factor], way: str) -> list[int]:
    """The multiplications of each product of two matrices, from the "left" or from the "right"."""
    shapes = [factor.matrix.shape for factor in factors]
    if way == "left":
        return [shapes[0][0] * k * n for k, n in shapes[1:]]
    return [m * k * shapes[-1][1] for m, k in shapes[-2::-1]]


def _required(links: Any) -> list[tuple[str, Callable[..., Any], Callable[..., Any]]]:
    if not isinstance(links, (list, tuple)) or not links:
        raise ValueError(f"`links` must be a list of at least one (name, f, jac); got {links!r}")
    ready = []
    for k, link in enumerate(links):
        fits = isinstance(link, (list, tuple)) and len(link) == 3
        if not (fits and callable(link[1]) and (link[2] is None or callable(link[2]))):
            raise TypeError(f"`links[{k}]` must be (name, f, jac), jac a function or None; got {link!r}")
        name, f, jac = link
        ready.append((str(name), f, jac or autodiff.jacobian(f, mode="forward")))
    return ready


def _check_shapes(links: list[tuple[str, Callable[..., Any], Callable[..., Any]]], x: Any) -> None:
    """Require that every link takes what the one before it returns, and that its `jac` fits the two."""
    at = x
    for k, (name, f, jac) in enumerate(links):
        value = _taken(f"links[{k}].f", f, at)
        if not (hasattr(value, "dtype") and jnp.issubdtype(value.dtype, jnp.floating) and value.size):
            raise TypeError(
                f"`links[{k}].f`, {name}, must return an array of floating-point numbers; got {value}"
            )
        J = _taken(f"links[{k}].jac", jac, at)
        shape = (*value.shape, *at.shape)
        if getattr(J, "shape", None) != shape:
            got = getattr(J, "shape", type(J).__name__)
            raise ValueError(
                f"`links[{k}].jac`, of {name}, must return shape {shape}, output axes first; got {got}"
            )
        at = value


def _taken(name: str, f: Callable[..., Any], at: Any) -> Any:
    """The shape of what f makes of its input."""
    try:
        return require.traceable(name, f, at)
    except (ValueError, TypeError, IndexError) as error:
        if isinstance(error.__cause__, Exception):  # said by `require`
            raise
        kind, first = type(error).__name__, text.first_line(error)
        raise TypeError(f"`{name}` cannot take its input, of shape {at.shape}: {kind}: {first}") from error


def _last(links: list[tuple[str, Callable[..., Any], Callable[..., Any]]], x: Any) -> Any:
    for _, f, _ in links:
        x = f(x)
    return x


def _shape(matrix: np.ndarray) -> str:
    return "×".join(map(str, matrix.shape))


def _matrix(name: str, matrix: np.ndarray) -> str:
    """A matrix with its name beside it, its columns aligned."""
    rows = [["[", *(f"{v:.6g}" for v in row), "]"] for row in matrix]
    return text.columns([[f"{name} =" if k == 0 else "", *row] for k, row in enumerate(rows)])
