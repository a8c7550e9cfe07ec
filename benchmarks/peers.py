"""Those who fit curves, each behind the same call: a batch and settings in, and out comes a function that runs them.

SciPy and lmfit fit one curve after the other. optimistix and jaxopt are vmapped over chunks of a batch: more curves at
once fill the vector units, but all of a chunk wait for its slowest, and a large one leaves the cache. XLA computes
such loops on one core, so that chunks are also tried on a thread for each.
"""

import importlib
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from scipy import optimize

import mvcalc_jax as mv
from benchmarks.batches import Batch

STEPS = {False: 50, True: 1000}
"""The most iterations of a JAX peer, by whether it is to be robust: all of a chunk wait for one that cannot stop."""


class Found(NamedTuple):
    """Of each fit its parameters, (m, p), whether it says that it converged, (m,), and standard errors, if any."""

    params: np.ndarray
    success: np.ndarray
    stderr: np.ndarray | None = None


class Chunked(Protocol):
    """Fits a batch so many at a time: on one thread, or on several."""

    def __call__(self, threads: int = 1) -> Found: ...


def absent(name: str) -> str:
    """Why a contender cannot run here, or nothing."""
    if name in ("curve_fit", "fit_gaussian"):
        return ""
    return "" if find_spec(name.lower()) else "not installed"


def curve_fit(batch: Batch, xtol: float | None = None, method: str = "lm") -> Found:
    """This package, any model."""
    fit = mv.curve_fit(batch.model.f, batch.x, batch.y, p0=batch.p0, method=method, **_given(xtol))
    return Found(np.asarray(fit.params), fit.success, np.asarray(fit.stderr))


def fit_gaussian(batch: Batch, xtol: float | None = None, model: str = "amplitude") -> Found:
    """This package, its Gaussian; a peak's start is its own affair, a spot's is given, as it is to Gpufit."""
    p0 = batch.p0 if model == "2d" else None
    fit = mv.fit_gaussian(batch.x, batch.y, model=model, p0=p0, **_given(xtol))
    return Found(np.asarray(fit.params), fit.success, np.asarray(fit.stderr))


def _given(xtol: float | None) -> dict[str, Any]:
    return {} if xtol is None else {"xtol": xtol}


def scipy(batch: Batch, method: str = "lm") -> Found:
    """SciPy's `curve_fit` with its default tolerances."""

    def one(y: np.ndarray, p0: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        best, cov = optimize.curve_fit(batch.model.numpy, batch.x, y, p0, method=method)
        return best, np.sqrt(np.diag(cov))

    return _one_by_one(one, batch)


def lmfit(batch: Batch) -> Found:
    """lmfit's `Model.fit` with its defaults."""
    with _quiet():
        model = importlib.import_module("lmfit").Model(batch.model.numpy, independent_vars=["x"])

    def one(y: np.ndarray, p0: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        start = model.make_params(**dict(zip(model.param_names, p0.tolist(), strict=True)))
        result = model.fit(y, start, x=batch.x)
        if not result.success:
            raise RuntimeError(result.message)
        found = [result.params[name] for name in model.param_names]
        return np.array([p.value for p in found]), np.array([p.stderr or np.nan for p in found])

    return _one_by_one(one, batch)


def _one_by_one(one: Callable[..., tuple[np.ndarray, np.ndarray]], batch: Batch) -> Found:
    params, stderr = (np.full(batch.p0.shape, np.nan) for _ in range(2))
    with _quiet(), np.errstate(all="ignore"):
        for k, (y, p0) in enumerate(zip(batch.y, batch.p0, strict=True)):
            try:
                params[k], stderr[k] = one(y, p0)
            except (RuntimeError, ValueError):  # it has given up, or left the finite numbers
                continue
    return Found(params, np.asarray(np.isfinite(params).all(axis=1)), stderr)


def optimistix(batch: Batch, tolerance: float, chunk: int, *, robust: bool = False) -> Chunked:
    """Its Levenberg–Marquardt under vmap; by normal equations, its fastest here, or robust by its default, QR."""
    with _quiet():
        optx, lx = (importlib.import_module(name) for name in ("optimistix", "lineax"))
    linear = lx.QR() if robust else lx.Normal(lx.Cholesky())
    solver = optx.LevenbergMarquardt(rtol=tolerance, atol=tolerance, linear_solver=linear)

    def one(p0: Any, y: Any) -> tuple[Any, Any]:
        residual = lambda p, y: batch.model.f(batch.x, *p) - y
        found = optx.least_squares(residual, solver, p0, args=y, max_steps=STEPS[robust], throw=False)
        return found.value, found.result == optx.RESULTS.successful

    return _chunked(one, batch, chunk)


def jaxopt(batch: Batch, tolerance: float, chunk: int, *, robust: bool = False) -> Chunked:
    """Its Levenberg–Marquardt under vmap, stopped by the gradient; by Cholesky, its fastest here, or robust by QR."""
    with _quiet():
        solvers = importlib.import_module("jaxopt")
    residual = lambda p, y: batch.model.f(batch.x, *p) - y
    if not robust:  # a robust one's tolerance is absolute, as jaxopt's is
        with jax.enable_x64(batch.y.dtype == np.float64):
            gradient = jax.vmap(jax.grad(lambda p, y: (residual(p, y) ** 2).sum() / 2))
            tolerance *= float(np.median(np.linalg.norm(gradient(batch.p0[:64], batch.y[:64]), axis=1)))
    settings = {"maxiter": STEPS[robust], "materialize_jac": True, "implicit_diff": False, "tol": tolerance}
    solver = solvers.LevenbergMarquardt(residual, solver="qr" if robust else "cholesky", **settings)

    def one(p0: Any, y: Any) -> tuple[Any, Any]:
        found = solver.run(p0, y)
        return found.params, found.state.error <= tolerance

    return _chunked(one, batch, chunk)


def _chunked(one: Callable[..., tuple[Any, Any]], batch: Batch, chunk: int) -> Chunked:
    if len(batch.y) % chunk:
        raise ValueError(f"`chunk` must divide the {len(batch.y)} fits; got {chunk}")
    many = jax.jit(jax.vmap(one))

    def run(threads: int = 1) -> Found:
        (device,) = jnp.zeros(()).devices()  # a thread has settings of its own

        def part(begin: int) -> list[np.ndarray]:
            chosen = slice(begin, begin + chunk)
            with jax.enable_x64(batch.y.dtype == np.float64), jax.default_device(device):
                return [np.asarray(a) for a in many(batch.p0[chosen], batch.y[chosen])]

        begins = range(0, len(batch.y), chunk)
        with _quiet(), ThreadPoolExecutor(threads) as pool:
            parts = list(pool.map(part, begins))
        return Found(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    return run


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the warnings of others, such as that they are no longer maintained."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
