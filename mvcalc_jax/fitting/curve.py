"""Any model fitted to any number of curves."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from mvcalc_jax import require, verify
from mvcalc_jax.fitting import columns
from mvcalc_jax.fitting.losses import LOSSES
from mvcalc_jax.fitting.problem import EVERYWHERE, Bounds, Options, Problem, prepared
from mvcalc_jax.fitting.result import Fit

_MOST = 1000
"""Steps of each try: SciPy takes 200 for each parameter and one more."""


def curve_fit(
    f: Callable[..., Any],
    xdata: Any,
    ydata: Any,
    p0: Any = None,
    sigma: Any = None,
    absolute_sigma: bool = False,
    bounds: Bounds = EVERYWHERE,
    method: str = "lm",
    jac: Callable[..., Any] | None = None,
    *,
    mask: Any = None,
    loss: str = "linear",
    f_scale: float = 1.0,
    fixed: Sequence[int | str] = (),
    nan_policy: str | None = None,
    xtol: float | None = None,
    max_steps: int | None = None,
    check_jac: bool = False,
) -> Fit:
    """Fit f(x, *params) to one curve or to many, with SciPy's arguments and meaning: `popt, pcov = curve_fit(…)`.

    Axes before the last of `ydata` are a batch: each row is a fit of its own, with a status of its own, and one that
    fails harms no other. `xdata`, `p0`, `sigma`, `bounds` and `mask` may have the same axes, or none. NumPy arrays,
    lists and integers are fitted in float64, float32 in float32, and the results are NumPy arrays; inside `jit`,
    `vmap` and `grad` they are JAX's, and can be differentiated by the data and by whatever f holds.

    Args:
        f: the model, written in JAX: x and one argument for each parameter in, (n,) out.
        xdata: (n,), or (k, n) for k predictors; (..., n) where each curve has its own. An array of ydata's shape is
            taken for the latter.
        ydata: (..., n).
        p0: (..., p), where to start; all ones unless given, or the middle of the bounds.
        sigma: (..., n), standard deviations of ydata; for a single curve also its covariance (n, n).
        absolute_sigma: whether sigma is in the units of ydata; else only ratios count, and the covariance is scaled
            so that χ² is its degrees of freedom.
        bounds: (lower, upper), each a number or (..., p). A p0 beyond them is moved onto them.
        method: lm, gauss-newton, newton or steepest.
        jac: jac(x, *params), (n, p), written by hand; else JAX differentiates.
        mask: (..., n), true where a point counts.
        loss: linear, soft_l1, huber or cauchy, for data with outliers.
        f_scale: from how many sigmas on a residual is taken for an outlier.
        fixed: names or numbers of parameters that stay at p0.
        nan_policy: "omit" leaves out points where x, y or sigma is not finite; else such a fit has the status for it.
        xtol: how near the minimum, relative to the size of the residuals; unless given, as near as rounding allows.
        max_steps: iterations of one fit.
        check_jac: whether to have `jac` checked first, at the first p0.

    Raises:
        ValueError, TypeError: for arguments that do not fit together, before any work.
        AssertionError: where `check_jac` finds `jac` wrong; the report says where and why.

    >>> x = np.linspace(0, 4, 9)
    >>> fits = mv.curve_fit(lambda x, a, b: a * jnp.exp(-b * x), x, [3 * np.exp(-x / 2), 5 * np.exp(-x)])
    >>> print(fits.params.round(6).tolist(), fits.success)  # a row for each curve
    [[3.0, 0.5], [5.0, 1.0]] [ True  True]
    >>> popt, pcov = fits[0]  # one of them, as SciPy returns it
    >>> print(popt.round(6), pcov.shape)
    [3.  0.5] (2, 2)
    """
    f = require.function("f", f)
    names = parameter_names(f, p0)
    options = Options(method, absolute_sigma, fixed, nan_policy, xtol, max_steps).checked(names, _MOST)
    require.one_of("loss", loss, LOSSES)
    require.positive("f_scale", f_scale)
    function = f
    if p0 is None:
        p0 = _middle(bounds, len(names))
    if sigma is not None and np.ndim(ydata) == 1 and np.ndim(sigma) == 2:
        white = _whitener(sigma, len(np.asarray(ydata)))  # the residuals' covariance is then 1
        f, jac, sigma = lambda x, *params: white @ function(x, *params), None, None
        ydata = white @ np.asarray(ydata)
    inputs, shape = prepared(xdata, ydata, sigma, mask, p0, bounds, names)
    holds_traced = _require_model(f, jac, inputs, names)
    if check_jac and jac is not None:
        x, start, by_hand = inputs.x[0], inputs.p0[0], jac
        verify.assert_jacobian(lambda params: f(x, *params), lambda params: by_hand(x, *params), start)
    model = columns.model(f, jac, loss, float(f_scale))
    problem = Problem(model, names, inputs, shape, options, function, start=None, polished=True)
    return problem.solve_traced() if holds_traced else problem.solve()


def parameter_names(f: Callable[..., Any], p0: Any) -> tuple[str, ...]:
    """The parameters of f(x, *params), by its signature, or numbered where it has none.

    Raises:
        ValueError: where neither the signature nor p0 says how many there are, or they disagree.
    """
    count = None if p0 is None else (np.shape(p0) or (None,))[-1]
    try:
        parameters = list(inspect.signature(f).parameters.values())[1:]
    except (TypeError, ValueError):
        parameters = None
    if parameters is not None and all(q.kind is not q.VAR_POSITIONAL for q in parameters):
        wanted = [q for q in parameters if q.kind in (q.POSITIONAL_ONLY, q.POSITIONAL_OR_KEYWORD)]
        required = [q for q in wanted if q.default is q.empty]
        if count is None:
            wanted = required
        elif not len(required) <= count <= len(wanted):
            raise ValueError(
                f"`p0` must have {len(required)} values on its last axis, as f has parameters; got {count}"
            )
        else:
            wanted = wanted[:count]
        if not wanted:
            raise ValueError("`f` must have parameters after x: f(x, a, b, …)")
        return tuple(q.name for q in wanted)
    if count is None:
        raise ValueError("`p0` is needed, for f does not say how many parameters it has; pass p0=[1.0, …]")
    return tuple(f"p{k}" for k in range(count))


def _require_model(f: Callable[..., Any], jac: Any, inputs: Any, names: tuple[str, ...]) -> bool:
    """Call f as it will be called, on shapes only; whether what it holds stands inside `jit`, `vmap` or `grad`."""
    n, p, dtype = inputs.y.shape[-1], len(names), inputs.y.dtype
    with jax.enable_x64(dtype == np.float64):
        x = jax.ShapeDtypeStruct(inputs.x.shape[1:], dtype)
        one = jax.ShapeDtypeStruct((), dtype)
        for name, function, shape in (("f", f, (n,)), ("jac", jac, (n, p))):
            if function is None:
                continue
            out = require.traceable(name, function, x, *[one] * p)
            if getattr(out, "shape", None) != shape:
                what = (
                    "one value for each point"
                    if name == "f"
                    else "a row for each point, a column for each parameter"
                )
                raise ValueError(f"`{name}` must return {shape}, {what}; got {getattr(out, 'shape', out)}")
        return any(require.holds_traced(g, x, *[one] * p) for g in (f, jac) if g is not None)


def _middle(bounds: Bounds, p: int) -> np.ndarray:
    """Ones, as SciPy starts; or between the bounds, or one beyond the only bound."""
    try:
        lower, upper = (
            np.broadcast_to(np.asarray(side, float), (*np.shape(side)[:-1], p)) for side in bounds
        )
    except (TypeError, ValueError):
        return np.ones(p)  # `prepared` will say what is wrong with them
    lower, upper = np.broadcast_arrays(lower, upper)
    with np.errstate(invalid="ignore"):
        middle = np.where(np.isfinite(lower) & np.isfinite(upper), (lower + upper) / 2, 1.0)
        middle = np.where(np.isfinite(lower) & np.isposinf(upper), lower + 1, middle)
        return np.where(np.isneginf(lower) & np.isfinite(upper), upper - 1, middle)


def _whitener(covariance: Any, points: int) -> np.ndarray:
    """L⁻¹ of a covariance L Lᵀ of so many points.

    Raises:
        ValueError: where it is none.
    """
    covariance = np.asarray(covariance, float)
    require.shape("sigma", covariance, (points, points), "a covariance of ydata")
    try:
        return np.linalg.inv(np.linalg.cholesky(covariance))
    except np.linalg.LinAlgError:
        raise ValueError(
            "`sigma`, as a covariance, must be positive definite; it has no Cholesky factor"
        ) from None
