r"""The columns of a regression: what was given, checked, and the basis in which it is computed.

Column k of the basis is (x_k − c_k)/2^{e_k}, with 1 as column 0 where there is an intercept; of a polynomial it is
the k-th power of ((x − c)/2^e). Differences and powers are formed in twice the precision and the divisions are exact,
so nothing is lost, and columns about 0 of size 1 are far from dependent where the given ones are not: the powers 0 to
10 of x in (−9, −3) have a condition number of 10¹⁵, those of (x − c)/2^e one of 10⁴. Coefficients of the given columns
are T times those of the basis, T triangular: expanding the powers of x − c for a polynomial, and

    a + Σ b_k (x_k − c_k)/2^{e_k} = (a − Σ c_k b_k/2^{e_k}) + Σ (b_k/2^{e_k}) x_k     for other columns.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from mvcalc_jax import require
from mvcalc_jax.fitting.doubled import Doubled, doubled, multiply, two_sum
from mvcalc_jax.text import counted


class Data(NamedTuple):
    """What was given, as float64: x is (n, columns)."""

    x: Float[np.ndarray, "n columns"]
    y: Float[np.ndarray, " n"]
    weights: Float[np.ndarray, " n"]
    names: tuple[str, ...]


class Basis(NamedTuple):
    """What the computation sees of x: centres c and exponents e of its columns; intercept is 1 with one, 0 without."""

    centres: Float[np.ndarray, " columns"]
    exponents: Float[np.ndarray, " columns"]
    intercept: int
    degree: int | None

    @property
    def size(self) -> int:
        """The number of coefficients."""
        return (self.degree or len(self.centres)) + self.intercept


def checked(X: Any, y: Any, weights: Any, names: Any, intercept: bool, degree: int | None) -> Data:
    """What was given, or an error that says what is wrong with it."""
    labels = getattr(X, "columns", None) if names is None else names
    x, y = numbers("X", X), numbers("y", y)
    if y.ndim != 1:
        advice = "; flatten it with y.ravel()" if y.size == max(y.shape, default=0) else ""
        raise ValueError(f"`y` must have shape (n,), a response for each row of X; got {y.shape}{advice}")
    if x.ndim not in (1, 2):
        raise ValueError(f"`X` must have shape (n,) or (n, columns); got {x.shape}")
    if len(x) != len(y):
        advice = "; did you mean X.T?" if x.ndim == 2 and x.shape[1] == len(y) else ""
        raise ValueError(
            f"`X` must have a row for each of the {counted(len(y), 'number')} in y; got shape {x.shape}{advice}"
        )
    single, x = x.ndim == 1, x.reshape(len(x), -1) if x.size else x.reshape(len(x), *x.shape[1:] or (1,))
    if degree is not None:
        require.whole("degree", degree, least=1)
        if x.shape[1] != 1:
            raise ValueError(
                f"`degree` is for powers of one variable: X must have shape (n,); got {x.shape[1]} columns; "
                "give the powers of each as columns of their own"
            )
    if not isinstance(intercept, (bool, np.bool_)):
        raise TypeError(f"`intercept` must be True or False; got {intercept!r}")
    w = np.ones(len(y)) if weights is None else numbers("weights", weights)
    require.shape("weights", w, y.shape, "a weight for each point")
    if (w < 0).any():
        worst = int(np.argmin(w))
        raise ValueError(f"`weights` must not be negative; got {w[worst]:g} at index {worst}")
    terms, points = (degree or x.shape[1]) + bool(intercept), int(np.count_nonzero(w))
    if terms == 0:
        raise ValueError("`X` must have a column where there is no intercept; got none")
    if points < terms:
        weighted = "" if weights is None else " with a weight above 0"
        raise ValueError(
            f"{counted(terms, 'coefficient')} need at least {counted(terms, 'point')}{weighted}; got {points}; give "
            "more points or fewer columns"
        )
    return Data(x, y, w, _names(labels, x.shape[1], single, bool(intercept), degree))


def numbers(name: str, value: Any) -> Float[np.ndarray, "..."]:
    """Real, finite numbers in any of the forms that people have them in, as float64."""
    array = require.array(name, value)
    if array.dtype.kind not in "fiub":
        try:
            array = np.asarray(value, float) if array.dtype.kind == "O" else None
        except (TypeError, ValueError, OverflowError):
            array = None
        if array is None:
            kind = "text" if np.asarray(value).dtype.kind in "US" else str(np.asarray(value).dtype)
            raise TypeError(f"`{name}` must hold real numbers; got {kind}")
    array = np.asarray(array, np.float64)
    require.finite(name, array)
    if array.size and np.abs(array).max() > require.LARGEST:
        raise ValueError(
            f"`{name}` must lie within ±{require.LARGEST:g}, so that its squares can be summed; divide it"
        )
    return array


def basis(data: Data, intercept: int, degree: int | None) -> Basis:
    """Centres in the middle of the points that have weight, and sizes of 1 about them."""
    x = data.x[data.weights > 0]
    low, high = x.min(axis=0), x.max(axis=0)
    centres = low / 2 + high / 2 if intercept else np.zeros(x.shape[1])
    size = np.maximum(high - centres, centres - low)
    return Basis(centres, np.frexp(size)[1].astype(float), intercept, degree)


def columns(x: Float[np.ndarray, "n columns"], of: Basis) -> Doubled:
    """The basis at x, a row for each coefficient: (p, n)."""
    shifted = two_sum(x.T, -of.centres[:, None] + np.zeros_like(x.T))
    scale = 2.0 ** -of.exponents[:, None]
    rows = [Doubled(shifted.hi * scale, shifted.lo * scale)]
    for _ in range((of.degree or 1) - 1):
        rows.append(multiply(rows[-1], rows[0]))
    if of.intercept:
        rows.insert(0, doubled(np.ones((1, len(x)))))
    return Doubled(*(np.concatenate(part) for part in zip(*rows, strict=True)))


def transform(of: Basis) -> Doubled:
    """T: coefficients of the given columns are T times those of the basis."""
    T = np.zeros((of.size, of.size))
    if of.degree is None:
        np.fill_diagonal(T[of.intercept :, of.intercept :], 2.0**-of.exponents)
        if of.intercept:
            T[0, 0] = 1
            T[0, 1:] = -of.centres * 2.0**-of.exponents
        return doubled(T)
    result = doubled(T)
    powers = [doubled(np.ones(()))]
    for _ in range(of.degree):
        powers.append(multiply(powers[-1], doubled(-of.centres[0])))
    first = 1 - of.intercept
    for k in range(of.size):
        for j in range(k + 1):
            binomial, scale = float(math.comb(k + first, j + first)), 2.0 ** -(of.exponents[0] * (k + first))
            term = multiply(powers[k - j], doubled(np.array(binomial)))
            result.hi[j, k], result.lo[j, k] = term.hi * scale, term.lo * scale
    return result


def sizes(data: Data, of: Basis) -> Float[np.ndarray, " p"]:
    """The lengths of the given columns, weighted: what their rounding is measured by."""
    x = np.hstack([np.ones((len(data.x), of.intercept)), data.x])
    return np.sqrt(data.weights @ x**2)


def _names(labels: Any, width: int, single: bool, intercept: bool, degree: int | None) -> tuple[str, ...]:
    if labels is None:
        labels = ["x"] if single or degree is not None else [f"x{k + 1}" for k in range(width)]
    if not isinstance(labels, Iterable):
        raise TypeError(f"`names` must be a text, or one for each column of X; got {type(labels).__name__}")
    labels = [labels] if isinstance(labels, str) else list(map(str, labels))
    if len(labels) != width or len(set(labels)) != width or "intercept" in labels:
        raise ValueError(
            f"`names` must be {counted(width, 'different name')}, one for each column of X and none of them "
            f"'intercept'; got {_listed(labels)}"
        )
    if degree is not None:
        labels = [labels[0] if k == 1 else f"{labels[0]}^{k}" for k in range(1, degree + 1)]
    return (*(["intercept"] * intercept), *labels)


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(labels) if labels else "none"
