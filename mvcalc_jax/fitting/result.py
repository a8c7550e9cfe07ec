"""What a fit leaves behind: parameters, their uncertainties, and how it ended."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from mvcalc_jax import require, text
from mvcalc_jax.atomic import write_text
from mvcalc_jax.precision import floats
from mvcalc_jax.require import AnyArray
from mvcalc_jax.status import Spoken


class Status(Spoken):
    """How a fit ended: above 0 at a minimum (SciPy's numbers), 0 at the limit of its steps, below 0 not at all."""

    RUNNING = -100, "has not ended"
    OUT_OF_RANGE = -13, "the squares of y leave the range of its numbers; pass float64, or y in other units"
    BAD_EDGES = -12, "the edges of the bins must increase"
    BAD_COUNTS = -11, "counts must not be negative"
    FEW_BINS = -10, "fewer bins hold anything than there are parameters; take narrower bins"
    OUTSIDE = -9, "the peak lies outside the data; give data that contain it, or bounds"
    NOT_FINITE_START = -8, "the model is infinite or NaN at the start; give another p0"
    CROSSED_BOUNDS = -7, "a lower bound is not below its upper bound, or one of them is NaN"
    BAD_SIGMA = -6, "sigma must be positive and finite wherever there is a point"
    DEGENERATE = (
        -5,
        "a parameter has no influence on the model where the fit ended; give another p0, or fix it",
    )
    SINGULAR = -4, "the data do not determine all parameters; fix one, or take a simpler model"
    STALLED = -3, "no step lowers the cost, and yet the gradient does not vanish; give another p0"
    TOO_FEW_POINTS = -2, "there are fewer points than free parameters"
    NOT_FINITE = -1, "x, y or p0 has values that are infinite or NaN; mask them, or pass nan_policy='omit'"
    STEP_LIMIT = (
        0,
        "stopped at the limit of its steps before the minimum; raise max_steps, or give another p0",
    )
    GTOL = 1, "converged: the gradient is zero to rounding"
    FTOL = 2, "converged: no step lowers the cost in this precision"
    XTOL = 3, "converged: the minimum is nearer than the tolerance"


@text.shown
@dataclass(frozen=True)
class Fit:
    """One fit, or a batch of them: every array then has the axes of the batch first. A tree of arrays for JAX.

    It unpacks as SciPy's `curve_fit` returns, `popt, pcov = fit`; `fit[3]` and `fit[2:5]` are parts of a batch.

    Attributes, arrays of NumPy's or JAX's, of one shape (...) but for the first three:
        params: the parameters, (..., p).
        stderr: their standard errors; 0 for a fixed one, NaN where a bound holds one or the fit failed.
        cov: their covariance, (..., p, p).
        cost: ½ Σ ρ(((f − y)/σ)²), (...).
        chi2: Σ ((f − y)/σ)²; σ = 1 where none was given.
        dof: points that were not masked, less the free parameters.
        status: a `Status` for each; see `message`.
        nit: iterations.
        nfev: evaluations of the model and its derivatives.
        names: of the parameters.
        model: f(x, *params).

    >>> x = np.linspace(-3, 3, 25)
    >>> fit = mv.fit_gaussian(x, 2 * np.exp(-((x - 0.5) ** 2) / 2) + 0.1 * np.cos(9 * x))
    >>> print(fit.summary())
               value         standard error
    amplitude  1.9996...     0.03445
    mean       0.5001...     0.01989
    stddev     1.0004...     0.01998
    χ² = 0.123106 with 22 degrees of freedom; ... iterations
    converged: the gradient is zero to rounding
    >>> print(fit.predict(np.array([0.5])).round(2), fit.confidence_interval().round(2).tolist())
    [2.] [[1.93, 2.07], [0.46, 0.54], [0.96, 1.04]]
    """

    params: Any
    stderr: Any
    cov: Any
    cost: Any
    chi2: Any
    dof: Any
    status: Any
    nit: Any
    nfev: Any
    names: tuple[str, ...] = field(default=(), repr=False)
    model: Callable[..., Any] | None = field(default=None, repr=False, compare=False)

    @property
    def redchi2(self) -> Any:
        """χ² for each degree of freedom; NaN where there are none."""
        if require.traced(self.chi2):
            return jax.numpy.where(self.dof > 0, self.chi2 / self.dof, jax.numpy.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(np.asarray(self.dof) > 0, np.asarray(self.chi2) / self.dof, np.nan)[()]

    @property
    def success(self) -> Any:
        """Whether it converged: at a point that is stationary, a minimum, and determined by the data."""
        return self.status > 0

    @property
    def shape(self) -> tuple[int, ...]:
        """The axes of the batch."""
        return tuple(np.shape(self.status))

    @property
    def message(self) -> str:
        """The status as a sentence; of a batch, how many ended how."""
        if not self.shape:
            return Status(int(self.status)).sentence
        ended = counts(self.status)
        return "; ".join(f"{text.count(many)} {status.sentence}" for status, many in ended.items())

    def __iter__(self) -> Iterator[AnyArray]:
        """popt, pcov."""
        return iter((self.params, self.cov))

    def __len__(self) -> int:
        """The number of fits along the first axis of the batch."""
        if not self.shape:
            raise TypeError("a single fit has no length; a batch has")
        return self.shape[0]

    def __getitem__(self, index: Any) -> "Fit":
        """Some fits of a batch, by anything that indexes an array's first axes."""
        if not self.shape:
            raise TypeError(
                "a single fit has no parts; its parameters are in `params`, by name in `to_dict()`"
            )
        arrays = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("names", "model")}
        taken = np.empty(self.shape, bool)[index]
        if np.ndim(taken) > len(self.shape):
            raise IndexError(f"a batch of shape {self.shape} has no axis for the index {index!r}")
        return replace(self, **{name: array[index] for name, array in arrays.items()})

    def predict(self, x: Any) -> Float[AnyArray, "*b n"]:
        """The model at x with each fit's parameters."""
        if self.model is None:
            raise ValueError("these fits know no model; they were read from a file")
        model, x = self.model, floats("x", x)
        with jax.enable_x64(np.dtype(self.params.dtype) == np.float64):
            run = lambda params: model(x, *params)
            for _ in self.shape:
                run = jax.vmap(run)
            values = run(self.params)
            return values if require.traced((values, x)) else np.asarray(values)

    def confidence_interval(self, level: float = 0.95) -> Float[np.ndarray, "*b p 2"]:
        """From where to where each parameter is, with probability `level`, by Student's t.

        Raises:
            ValueError: for a level that is not between 0 and 1.
        """
        from scipy.stats import t

        level = require.level("level", level)
        dof = np.asarray(self.dof)[..., None]
        half = t.ppf(0.5 + level / 2, np.where(dof > 0, dof, np.nan)) * np.asarray(self.stderr)
        return np.stack([self.params - half, self.params + half], axis=-1)

    def to_dict(self) -> dict[str, Any]:
        """A single fit as numbers by name, ready for JSON."""
        if self.shape:
            raise TypeError(
                f"`to_dict` is for a single fit; take one of these {self.shape}, as fit[0].to_dict()"
            )
        value = {name: float(v) for name, v in zip(self.names, self.params, strict=True)}
        error = {name: float(v) for name, v in zip(self.names, self.stderr, strict=True)}
        whole = {name: int(getattr(self, name)) for name in ("dof", "status", "nit", "nfev")}
        real = {name: float(getattr(self, name)) for name in ("cost", "chi2", "redchi2")}
        return {"params": value, "stderr": error} | real | whole | {"message": self.message}

    def summary(self) -> str:
        """The fit as a table; of a batch, how the fits ended and how their parameters are spread. So it prints."""
        return str(self)

    def _parts(self) -> text.Parts:
        if require.traced(self):
            return [f"fits of shape {self.shape}, {text.TRACED}"]
        rows: list[tuple[str, ...]]
        params, error = np.asarray(self.params), np.asarray(self.stderr)
        if not self.shape:
            rows = [("", "value", "standard error")]
            rows += [(n, f"{v:.10g}", f"{e:.4g}") for n, v, e in zip(self.names, params, error, strict=True)]
            last = (
                f"χ² = {float(self.chi2):.6g} with {int(self.dof)} degrees of freedom; {self.nit} iterations"
            )
            return [rows, last, self.message]
        params, error = params[np.asarray(self.success)], error[np.asarray(self.success)]
        rows = [("", "10 %", "median", "90 %", "median standard error")]
        for k, name in enumerate(self.names):
            if len(params):
                spread = tuple(f"{v:.6g}" for v in np.quantile(params[:, k], [0.1, 0.5, 0.9]))
                known = error[~np.isnan(error[:, k]), k]
                rows.append((name, *spread, f"{np.median(known):.4g}" if len(known) else "nan"))
        ended = [(status.sentence, text.count(many)) for status, many in counts(self.status).items()]
        return [rows, [("how they ended", "fits"), *ended]]

    def to_csv(self, path: str | Path) -> None:
        """Write a row for each fit: parameters, standard errors, χ², degrees of freedom, status, iterations."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([*self.names, *(f"{n}_stderr" for n in self.names), "chi2", "dof", "status", "nit"])
        p = len(self.names)
        params, error = np.asarray(self.params).reshape(-1, p), np.asarray(self.stderr).reshape(-1, p)
        rest = [np.ravel(a) for a in (self.chi2, self.dof, self.status, self.nit)]
        for k in range(len(params)):
            writer.writerow([*params[k], *error[k], *(column[k] for column in rest)])
        write_text(Path(path), out.getvalue())


jax.tree_util.register_dataclass(
    Fit, [f.name for f in fields(Fit) if f.name not in ("names", "model")], ["names", "model"]
)


def counts(status: Any) -> dict[Status, int]:
    """How many fits ended how, the most frequent first."""
    codes, many = np.unique(np.asarray(status), return_counts=True)
    order = np.argsort(-many, kind="stable")
    return {Status(int(codes[k])): int(many[k]) for k in order}
