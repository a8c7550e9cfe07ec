r"""Linear regression: y = X b + ε, with everything that a statistician asks of it.

    b = argmin Σ w (y − X b)²        cov b = s² (XᵀWX)⁻¹,  s² = Σ w r²/(n − p)
    t = b/stderr,  p = P(|T| > |t|)  h = w xᵀ(XᵀWX)⁻¹x,    Cook's D = w r² h / (p s² (1 − h)²)

The computation is `triangle`'s, in twice the precision, and gives all the digits that float64 can hold: of the 15
that NIST certifies for its eleven problems, the 13 to 15 that are left once the data are floats. The words mean what
they mean in R's `lm`: without an intercept R² and F are about 0 and not about the mean of y, and points of weight 0
count nowhere.

References: NIST, Statistical Reference Datasets; S. Weisberg, Applied linear regression (2014); R. D. Cook, Detection
of influential observation in linear regression, Technometrics 19 (1977).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy import special

from mvcalc_jax import require, text
from mvcalc_jax.fitting import dependence, design, triangle
from mvcalc_jax.fitting.design import Basis
from mvcalc_jax.fitting.doubled import Doubled

_EXACT = 4 * 2.0**-53
"""A residual of no more than this share of the largest y is rounding."""
_HELD = 1e-12
"""A leverage so close to 1 is 1."""
_DOUBT = 0.01
"""Of so many standard errors, the message speaks of rounding."""


class Status(IntEnum):
    """How a regression ended: below 0 there is a coefficient that the data do not determine, or none at all."""

    SOLVED = 0
    EXACT = 1
    SATURATED = 2
    DEPENDENT = -1
    NOT_FINITE = -2


@text.shown
@dataclass(frozen=True, eq=False, repr=False)
class Regression:
    """A regression, in NumPy's arrays.

    Attributes:
        names: of the coefficients, "intercept" first if there is one.
        params: the coefficients; NaN for those that the data do not determine.
        stderr: their standard errors.
        t: params / stderr.
        p: the probability of a |t| at least so large, were the coefficient 0 (two-sided, Student's with `dof`).
        cov: their covariance.
        fitted, residuals: X b, and y − X b.
        weights: as given, or 1.
        dof: degrees of freedom: points with weight, less coefficients that are determined.
        residual_stderr: s, the residual standard error: √(Σ w r²/dof).
        r2, adjusted_r2: the share of Σ w (y − ȳ)² that is explained, or of Σ w y² without an intercept; and
            1 − s²/(the same sum by its degrees of freedom).
        F, F_p: the mean square explained by all columns, over s², and the probability of a larger one, were all 0.
        leverage: how much of a point's own y is in its fitted value.
        cook: Cook's distance: how far all fitted values move if the point is left out, squared, over p s².
        rank: how many columns, the intercept included, are independent.
        status, message: how it ended, and that in a sentence.

    >>> fit = mv.linear_regression([1, 2, 3, 4, 5], [1.1, 1.9, 3.2, 3.9, 5.1], names="x")
    >>> print(fit)
               estimate  standard error  t       p         95 % from  to
    intercept  0.04      0.1625          0.2462  0.821     -0.477086  0.557086
    x          1         0.04899         20.41   0.000257  0.844093   1.15591
    residual standard error 0.154919 on 3 degrees of freedom
    R² 0.992851, adjusted 0.990469
    F 416.67 on 1 and 3, p 0.000257
    2 coefficients from 5 points
    >>> print(fit.predict([6]).round(2), fit.prediction_band([6]).round(2), fit.cook.round(2))
    [6.04] [[5.33 6.75]] [0.28 0.25 0.17 0.25 0.28]
    """

    names: tuple[str, ...]
    params: Float[np.ndarray, " p"]
    stderr: Float[np.ndarray, " p"]
    t: Float[np.ndarray, " p"]
    p: Float[np.ndarray, " p"]
    cov: Float[np.ndarray, "p p"]
    fitted: Float[np.ndarray, " n"]
    residuals: Float[np.ndarray, " n"]
    weights: Float[np.ndarray, " n"]
    dof: int
    residual_stderr: float
    r2: float
    adjusted_r2: float
    F: float
    F_p: float
    leverage: Float[np.ndarray, " n"]
    cook: Float[np.ndarray, " n"]
    rank: int
    status: Status
    message: str
    _inside: "_Inside"

    @property
    def standardised(self) -> Float[np.ndarray, " n"]:
        """Residuals by their own standard deviations, r √w / (s √(1 − h)); NaN where one of these is 0."""
        root = np.sqrt(np.where(self.weights > 0, self.weights, math.nan) / _free(self.leverage))
        return self.residuals * root / (self.residual_stderr or math.nan)

    def confidence_interval(self, level: float = 0.95) -> Float[np.ndarray, "p 2"]:
        """Lower and upper ends of an interval for each coefficient."""
        reach = self._reach(level) * self.stderr
        return np.stack([self.params - reach, self.params + reach], axis=1)

    def predict(self, X: ArrayLike) -> Float[np.ndarray, " k"]:
        """X b at new points, given as those of the fit were."""
        return self._at(X)[0]

    def confidence_band(self, X: ArrayLike, level: float = 0.95) -> Float[np.ndarray, "k 2"]:
        """Where the line itself is at X, point by point."""
        return self._band(X, level, 0.0)

    def prediction_band(self, X: ArrayLike, level: float = 0.95) -> Float[np.ndarray, "k 2"]:
        """Where a new observation at X, of weight 1, will be."""
        return self._band(X, level, 1.0)

    def summary(self, level: float = 0.95) -> str:
        """The coefficients in a table, and the fit as a whole."""
        return text.plain(self._parts(level))

    def _parts(self, level: float = 0.95) -> text.Parts:
        interval = self.confidence_interval(level)
        rows: list[tuple[str, ...]] = [
            ("", "estimate", "standard error", "t", "p", f"{100 * level:g} % from", "to")
        ]
        for k, name in enumerate(self.names):
            values = (self.params[k], self.stderr[k], self.t[k], self.p[k], *interval[k])
            formats = (".8g", ".4g", ".4g", ".3g", ".6g", ".6g")
            rows.append((name, *(f"{v:{f}}" for v, f in zip(values, formats, strict=True))))
        terms = self.rank - self._inside.basis.intercept
        return [
            rows,
            f"residual standard error {self.residual_stderr:.6g} on {text.counted(self.dof, 'degree')} of freedom",
            f"R² {self.r2:.6g}, adjusted {self.adjusted_r2:.6g}",
            *([f"F {self.F:.5g} on {terms} and {self.dof}, p {self.F_p:.3g}"] if terms else []),
            self.message,
        ]

    def plot(self, path: str | Path | None = None) -> Any:
        """Draw residuals by fitted value, their quantiles, their scale and their leverage; write it to `path`, a PNG,
        SVG or PDF, or return the figure."""
        from mvcalc_jax import plots  # pictures lie above fits; nothing else here draws

        x = self.fitted, self.residuals, self.standardised, self.leverage, self.rank
        return plots.drawn(lambda: plots.regression.diagnostics(*x), path)

    def to_dict(self) -> dict[str, Any]:
        """Strings, lists and finite numbers, for JSON; what is infinite or NaN is None."""
        public = [each.name for each in fields(self) if not each.name.startswith("_")]
        return {name: _plain(getattr(self, name)) for name in public} | {"status": self.status.name}

    def __repr__(self) -> str:
        return self.summary()

    def _at(self, X: ArrayLike) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]]:
        """X b, and xᵀ(XᵀWX)⁻¹x, at new points."""
        of, inside = self._inside.basis, self._inside
        x, width = design.numbers("X", X), len(of.centres)
        x = x[:, None] if x.ndim == 1 and width == 1 else x
        require.shape("X", x, (None, width), "a row for each point, with the columns of the fit")
        if not len(x):
            return np.zeros(0), np.zeros(0)
        rows, ones = design.columns(x, of), np.ones(len(x))
        data = triangle.blocks(rows, 0 * ones, ones)
        minus_fit, _ = triangle.residual(data, inside.coefficients)
        h = triangle.leverage(data, inside.root)[: len(x)] * inside.weight
        fit = -minus_fit[: len(x)] * inside.scale
        return (fit + self.params.sum() * 0 if self.rank < len(self.names) else fit), h

    def _band(self, X: ArrayLike, level: float, own: float) -> Float[np.ndarray, "k 2"]:
        fit, h = self._at(X)
        reach = self._reach(level) * self.residual_stderr * np.sqrt(h + own)
        return np.stack([fit - reach, fit + reach], axis=1)

    def _reach(self, level: float) -> float:
        level = require.level("level", level)
        return float(special.stdtrit(self.dof, (1 + level) / 2)) if self.dof else math.nan


@dataclass(frozen=True)
class _Inside:
    """What predictions need: b and R⁻ᵀ in twice the precision, in the basis; the scales of y and of the weights."""

    basis: Basis
    coefficients: Doubled
    root: Doubled
    scale: float
    weight: float


def linear_regression(
    X: ArrayLike,
    y: ArrayLike,
    *,
    intercept: bool = True,
    degree: int | None = None,
    weights: ArrayLike | None = None,
    names: Sequence[str] | str | None = None,
) -> Regression:
    """Fit y = X b by (weighted) least squares, in float64 and, where it matters, in twice its precision.

    Args:
        X: (n,) or (n, columns), a row for each point. Lists and whole numbers will do; a table with `columns` gives
            their names.
        y: (n,), the responses.
        intercept: whether to put a column of 1 before those of X.
        degree: fit a polynomial of this degree in X, which is then one variable.
        weights: (n,), 1/variance of each y up to a common factor; those of weight 0 are left out.
        names: of the columns of X; x1, x2, … unless given.

    Returns:
        The regression. Look at its `status`, or print it: where columns depend on each other, their coefficients are
        NaN and `message` names them.

    Raises:
        ValueError: for shapes that do not fit, numbers that are not finite, fewer points than coefficients.
        TypeError: for what is not real numbers.

    >>> fit = mv.linear_regression([1, 2, 3, 4], [2.1, 3.9, 6.2, 7.8])
    >>> print(fit.params.round(2), fit.stderr.round(2), f"{fit.r2:.4f}")
    [0.15 1.94] [0.25 0.09] 0.9957
    >>> mv.linear_regression(np.outer(np.arange(5.0), [1, 2]), np.arange(5.0)).status.name
    'DEPENDENT'
    """
    data = design.checked(X, y, weights, names, intercept, degree)
    of = design.basis(data, int(intercept), degree)
    scale = 2.0 ** np.frexp(np.abs(data.y).max())[1]
    weight = 2.0 ** np.frexp(data.weights.max())[1]
    with np.errstate(all="ignore"):  # what overflows is said by the status
        scaled = data._replace(y=data.y / scale, weights=data.weights / weight)
        blocks = triangle.blocks(design.columns(data.x, of), scaled.y, scaled.weights)
        gram, moments = triangle.gram(blocks)
        columns = dependence.found(gram, scaled, of)
        solution = triangle.solve(blocks, columns.triangle, moments, len(data.y))
        return _told(data, of, columns, solution, float(scale), float(weight))


def _told(
    data: design.Data,
    of: Basis,
    columns: dependence.Found,
    solution: triangle.Solution,
    scale: float,
    weight: float,
) -> Regression:
    """Everything that is said of a solution."""
    w, r, h = data.weights / weight, solution.residuals, solution.leverage
    rank, points = int(columns.triangle.kept.sum()), int(np.count_nonzero(w))
    dof, terms = points - rank, rank - of.intercept
    exact = bool(np.abs(r[w > 0]).max() <= _EXACT * np.abs(data.y[w > 0]).max() / scale)
    rss = 0.0 if exact else float(w @ r**2)
    explained = float((solution.along[of.intercept :] ** 2).sum())
    if explained <= _EXACT**2 * float(w @ (data.y / scale) ** 2):
        explained = 0.0  # y is constant, and what is left of it is rounding
    s2 = rss / dof if dof else math.nan
    r2 = float(_quotient(explained, explained + rss))
    F = float(_quotient(explained / terms, s2)) if terms else math.nan
    T = design.transform(of)
    params = np.asarray(triangle.times(T, solution.coefficients).hi) * scale
    root = triangle.times(T, triangle.transposed(solution.root))
    params[columns.undetermined] = math.nan
    unit = np.array(triangle.times(root, triangle.transposed(root)).hi)
    unit[columns.undetermined, :] = unit[:, columns.undetermined] = math.nan
    stderr = np.sqrt(np.diagonal(unit)) * math.sqrt(s2) * scale
    t = _quotient(params, stderr)
    rounding = columns.rounding
    if of.degree is None:  # for powers are made here, and are not rounded
        # X + δX moves b by (XᵀWX)⁻¹XᵀW δX b at first order, which is |δX b|/s standard errors at most
        length = design.sizes(data._replace(weights=w), of)
        rounding += float(2.0**-53 * _quotient(np.abs(params) @ length, math.sqrt(s2) * scale))
    status, message = _verdict(params, stderr, columns.message, exact, points, rounding)
    inside = _Inside(of, solution.coefficients, solution.root, scale, 1 / weight)
    return Regression(
        names=data.names,
        params=params,
        stderr=stderr,
        t=t,
        p=2 * special.stdtr(dof, -np.abs(t)) if dof else np.full_like(t, math.nan),
        cov=unit * s2 * scale**2,
        fitted=data.y - r * scale,
        residuals=r * scale,
        weights=data.weights,
        dof=dof,
        residual_stderr=math.sqrt(s2) * scale * math.sqrt(weight),
        r2=r2,
        adjusted_r2=1 - (1 - r2) * (points - of.intercept) / dof if dof else math.nan,
        F=F,
        F_p=float(special.fdtrc(terms, dof, F)) if dof and terms else math.nan,
        leverage=h,
        cook=_quotient(w * r**2 * h, rank * (s2 or math.nan) * _free(h) ** 2),
        rank=rank,
        status=status,
        message=message,
        _inside=inside,
    )


def _verdict(
    params: Float[np.ndarray, " p"],
    stderr: Float[np.ndarray, " p"],
    relation: str,
    exact: bool,
    points: int,
    rounding: float,
) -> tuple[Status, str]:
    """How it ended, and that in a sentence."""
    saturated = points == len(params)
    if relation:
        return Status.DEPENDENT, f"{relation}; until then the coefficients in question are NaN"
    if not (np.isfinite(params).all() and (np.isfinite(stderr).all() or saturated)):
        return Status.NOT_FINITE, "a coefficient or its error is beyond ±1e308; divide the columns of X, or y"
    sizes = f"{text.counted(len(params), 'coefficient')} from {text.counted(points, 'point')}"
    if saturated:
        return Status.SATURATED, (
            f"{sizes}: the fit goes through every point, and nothing is left to tell errors from; give more points"
        )
    if exact:
        return Status.EXACT, (
            f"{sizes}: the fit goes through every point to rounding, so that standard errors are 0, and t and p say "
            "nothing"
        )
    if rounding > _DOUBT:
        return Status.SOLVED, (
            f"{sizes}; rounding of X to float64 alone can move them by {rounding:.2g} standard errors: columns all but "
            "depend on each other, or residuals are as small as rounding"
        )
    return Status.SOLVED, sizes


def _quotient(a: Any, b: Any) -> Any:
    """a/b, NaN for 0/0 and infinite for other quotients by 0."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        return np.divide(a, b)


def _free(leverage: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """1 − h, NaN where a point has no freedom."""
    return np.where(leverage < 1 - _HELD, 1 - leverage, math.nan)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, (tuple, list)):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
