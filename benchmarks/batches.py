"""Batches of simulated curves to fit, and the exact minima of some of them.

A batch is the same numbers in float64 and in float32, so that both have the same minimum. That minimum is SciPy's
`leastsq`, pressed to its limit, and then Newton steps with the exact Hessian in float64 until they are rounding.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy import optimize

Function = Callable[..., Any]


class Model(NamedTuple):
    """f(x, *params), in JAX and once more in NumPy for those who loop."""

    name: str
    f: Function
    numpy: Function


@dataclass(frozen=True)
class Batch:
    """Curves y, (m, n), over the same x, starts p0, (m, p), and the minima of the first of them, (k, p)."""

    model: Model
    x: np.ndarray
    y: np.ndarray
    p0: np.ndarray
    exact: np.ndarray
    unit: np.ndarray
    """(k, p): what an error is relative to: the parameter, or for a place the width there."""

    def of(self, precision: str) -> "Batch":
        """The same batch in a precision, without change: its numbers have room in float32."""
        x, y, p0 = (a.astype(precision) for a in (self.x, self.y, self.p0))
        return Batch(self.model, x, y, p0, self.exact, self.unit)

    def first(self, fits: int) -> "Batch":
        """So many of its fits."""
        exact, unit = self.exact[:fits], self.unit[:fits]
        return Batch(self.model, self.x, self.y[:fits], self.p0[:fits], exact, unit)

    def errors(self, params: Any) -> np.ndarray:
        """The largest relative error of each fit whose minimum is known; infinite where a fit has failed."""
        known = np.asarray(params, float)[: len(self.exact)]
        errors = np.abs(known - self.exact[: len(known)]) / self.unit[: len(known)]
        return np.where(np.isfinite(errors), errors, np.inf).max(axis=1)


def _gaussian(xp: Any) -> Function:
    def gaussian(x: Any, amplitude: Any, mean: Any, stddev: Any) -> Any:
        u = (x - mean) / stddev
        return amplitude * xp.exp(-u * u / 2)

    return gaussian


def _spot(xp: Any) -> Function:
    def spot(x: Any, amplitude: Any, x0: Any, y0: Any, width: Any, offset: Any) -> Any:
        squared = (x[0] - x0) ** 2 + (x[1] - y0) ** 2
        return amplitude * xp.exp(-squared / (2 * width**2)) + offset

    return spot


def _decay(xp: Any) -> Function:
    def decay(x: Any, amplitude: Any, rate: Any, offset: Any) -> Any:
        return amplitude * xp.exp(-rate * x) + offset

    return decay


def _hill(xp: Any) -> Function:
    def hill(x: Any, top: Any, half: Any, exponent: Any) -> Any:
        return top / (1 + (half / x) ** exponent)

    return hill


def _ringing(xp: Any) -> Function:
    def ringing(x: Any, amplitude: Any, rate: Any, frequency: Any, phase: Any, offset: Any) -> Any:
        return amplitude * xp.exp(-rate * x) * xp.sin(frequency * x + phase) + offset

    return ringing


def _peak(xp: Any) -> Function:
    def peak(x: Any, amplitude: Any, stddev: Any, *rest: Any) -> Any:
        mean, background = (rest[0], rest[1:]) if rest else (0, ())
        u = (x - mean) / stddev
        y = amplitude * xp.exp(-u * u / 2)
        for power, coefficient in enumerate(background):
            y = y + coefficient * (x / 5) ** power
        return y

    return peak


def _model(name: str, make: Callable[[Any], Function]) -> Model:
    return Model(name, make(jnp), make(np))


GAUSSIAN = _model("Gaussian", _gaussian)
SPOT = _model("5 × 5 pixels", _spot)
DECAY = _model("exponential decay", _decay)
HILL = _model("Hill curve", _hill)
RINGING = _model("damped sine", _ringing)
PEAK = _model("peak on a polynomial", _peak)


def gaussians(fits: int, known: int, points: int = 32) -> Batch:
    """Peaks of three parameters with noise of 5 % of their height; starts up to a tenth beside the truth."""
    rng = np.random.default_rng(1)
    truth = rng.uniform((50, -1, 0.7), (150, 1, 1.5), (fits, 3))
    off = rng.uniform(-0.1, 0.1, (fits, 3))
    start = truth + off * truth[:, [0, 2, 2]]
    return _batch(
        rng, GAUSSIAN, np.linspace(-5, 5, points), truth, start, 0.05 * truth[:, :1], known, (0, 2, 2)
    )


def spots(fits: int, known: int) -> Batch:
    """The problem of Gpufit's benchmark (github.com/gpufit/Gpufit, Gpufit_Cpufit_Performance_Comparison): 5 × 5 pixels
    of a round peak on an offset, a signal of ten times the noise, and everything within a tenth of its mean.
    """
    rng = np.random.default_rng(2)
    jitter = lambda: 0.9 + 0.2 * rng.random((fits, 5))
    middle = np.array([500.0, 2, 2, 1, 10])
    truth = middle * jitter()
    # Its signal is the mean height over a square whose side is the full width at a tenth of the height.
    noise = 2 * np.pi * 500 / 4.292**2 / 10
    x = np.array(np.meshgrid(np.arange(5.0), np.arange(5.0))).reshape(2, 25)
    # The offset is smaller than the noise, and its error is told in units of the noise.
    return _batch(rng, SPOT, x, truth, truth * jitter(), noise, known, (0, 3, 3, 3, noise))


def decays(fits: int, known: int) -> Batch:
    """Exponential decay to an offset, 32 points."""
    rng = np.random.default_rng(3)
    truth = rng.uniform((50, 0.5, 5), (150, 1.5, 20), (fits, 3))
    x = np.linspace(0, 6, 32)
    return _batch(rng, DECAY, x, truth, truth * rng.uniform(0.8, 1.2, truth.shape), 1.0, known)


def hills(fits: int, known: int) -> Batch:
    """Hill's law of binding, 24 doses."""
    rng = np.random.default_rng(4)
    truth = rng.uniform((50, 0.5, 1), (150, 2, 3), (fits, 3))
    x = np.geomspace(0.05, 20, 24)
    return _batch(rng, HILL, x, truth, truth * rng.uniform(0.8, 1.2, truth.shape), 1.0, known)


def ringings(fits: int, known: int) -> Batch:
    """A damped sine on an offset, 64 points and three or so periods."""
    rng = np.random.default_rng(5)
    truth = rng.uniform((50, 0.2, 1.5, 0.5, 5), (150, 0.5, 2.5, 1, 20), (fits, 5))
    x = np.linspace(0, 10, 64)
    return _batch(rng, RINGING, x, truth, truth * rng.uniform(0.9, 1.1, truth.shape), 2.0, known)


def peaks(fits: int, known: int, points: int = 32, params: int = 3) -> Batch:
    """A peak with as many parameters as asked for, from two up: width, place, and a polynomial below it."""
    rng = np.random.default_rng(6)
    middle = np.array([100, 1, 0.5, *[10] * 5])[:params]
    truth = middle * rng.uniform(0.8, 1.2, (fits, params))
    start = truth * rng.uniform(0.9, 1.1, truth.shape)
    unit = (0, 1, 1, *[10.0] * 5)[:params]
    return _batch(rng, PEAK, np.linspace(-5, 5, points), truth, start, 5.0, known, unit)


def _batch(
    rng: np.random.Generator,
    model: Model,
    x: np.ndarray,
    truth: np.ndarray,
    start: np.ndarray,
    noise: Any,
    known: int,
    units: tuple[int | float, ...] = (),
) -> Batch:
    """A batch; `units` has for each parameter the index of the one its error is relative to, or a number."""
    x, p0 = (a.astype("float32").astype(float) for a in (x, start))
    y = model.numpy(x[..., None, :] if x.ndim == 2 else x, *truth.T[..., None])
    y = (y + noise * rng.standard_normal(y.shape)).astype("float32").astype(float)
    exact = minima(model, x, y[:known], p0[:known])
    columns = [abs(exact[:, u]) if isinstance(u, int) else np.full(len(exact), u) for u in units]
    return Batch(model, x, y, p0, exact, np.stack(columns, axis=1) if columns else abs(exact))


def minima(model: Model, x: np.ndarray, y: np.ndarray, p0: np.ndarray) -> np.ndarray:
    """The parameters at the minimum, to 11 digits at least.

    Raises:
        AssertionError: where Newton's steps do not end in rounding.
    """
    tight = {"xtol": 1e-15, "ftol": 1e-15, "maxfev": 10_000}
    rough = [
        optimize.leastsq(lambda p, y=y: model.numpy(x, *p) - y, p, **tight)[0]
        for p, y in zip(p0, y, strict=True)
    ]

    def newton(p: Any, y: Any) -> Any:
        cost = lambda p: jnp.sum((model.f(x, *p) - y) ** 2) / 2
        return jnp.linalg.solve(jax.hessian(cost)(p), jax.grad(cost)(p))

    with jax.enable_x64(True):
        step = jax.jit(jax.vmap(newton))
        exact = np.array(rough).reshape(p0.shape)
        for _ in range(3):
            exact = exact - np.asarray(step(exact, y))
        left = np.abs(step(exact, y)) / np.abs(exact).max(axis=0, initial=0)
    worst = left.max(initial=0)
    assert worst < 1e-11, f"the reference for {model.name} is {worst:.0e} away from a minimum"
    return exact
