"""Calls of fitting: curves, peaks, histograms, lines, and files of curves."""

import functools

import numpy as np

import mvcalc_jax as mv
from mvcalc_jax.fitting.histogram import SHAPES
from mvcalc_jax.fitting.losses import LOSSES
from tests.fuzz.files import brought
from tests.fuzz.functions import MODELS
from tests.fuzz.recipe import Call, recipe

METHODS = ("lm", "gauss-newton", "newton", "steepest")


def converged(fit):
    """A truth: who has converged has parameters and a cost."""
    good = np.asarray(fit.success)
    for name in ("params", "cost"):
        value = np.asarray(getattr(fit, name))
        finite = np.isfinite(value).all(axis=-1) if name == "params" else np.isfinite(value)
        if np.any(good & ~finite):
            return f"converged with {name} that are not finite"
    return None


def _settings(draw, shape):
    """A few of the options that all fits have."""
    options = {"method": draw.one(METHODS)} if draw.chance(0.3) else {}
    options |= {"mask": draw.rng.random(shape) > 0.2} if draw.chance(0.2) else {}
    options |= {"nan_policy": "omit"} if draw.chance(0.2) else {}
    options |= {"max_steps": draw.whole(1, 30)} if draw.chance(0.3) else {}
    return options | ({"xtol": 1e-4} if draw.chance(0.2) else {})


def _robust(draw, y):
    options = {"sigma": np.abs(draw.array(y.shape[-1])) + 0.1} if draw.chance(0.3) else {}
    options |= {"absolute_sigma": True} if draw.chance(0.2) else {}
    return options | ({"loss": draw.one(tuple(LOSSES)), "f_scale": 0.5} if draw.chance(0.2) else {})


@recipe("curve_fit", seconds=240)
def _(draw, folder):
    f, many = draw.one(MODELS)
    x = np.linspace(0.1, 3, draw.whole(many, 12))
    y = np.asarray(f(x, *np.ones(many))) + 0.1 * draw.rng.standard_normal((*draw.one(((), (3,))), len(x)))
    options = _settings(draw, y.shape[-1:]) | _robust(draw, y)
    options |= {"p0": np.full(many, 0.8)} if draw.chance(0.6) else {}
    options |= {"bounds": (np.full(many, -5.0), np.full(many, 5.0))} if draw.chance(0.2) else {}
    options |= {"fixed": (0,), "p0": np.full(many, 1.0)} if draw.chance(0.1) else {}
    options |= {"check_jac": True} if draw.chance(0.05) else {}
    return Call(mv.curve_fit, (f, x, y), options, truth=converged)


@recipe("fit_gaussian", seconds=240)
def _(draw, folder):
    x = np.linspace(-3, 3, draw.whole(5, 20))
    y = np.exp(-(x**2)) + 0.05 * draw.rng.standard_normal((*draw.one(((), (4,))), len(x)))
    model = draw.one(("amplitude", "area", "offset"))
    options = {"model": model} | _settings(draw, y.shape[-1:]) | _robust(draw, y)
    if draw.chance(0.2):
        options |= {"fixed": ("mean",), "p0": [1.0, 0.0, 1.0, *[0.0] * (model == "offset")]}
    if draw.chance(0.2):
        xy = np.stack(np.meshgrid(np.arange(6.0), np.arange(5.0))).reshape(2, -1)
        z = np.exp(-((xy[0] - 2) ** 2) - (xy[1] - 2) ** 2)
        return Call(mv.fit_gaussian, (xy, z), {"model": draw.one(("2d", "2d-oval"))}, truth=converged)
    return Call(mv.fit_gaussian, (x, y), options, truth=converged)


@recipe("fit_histogram", seconds=240)
def _(draw, folder):
    options = _settings(draw, (9,)) | {"estimator": draw.one(tuple(SHAPES))}
    if draw.chance(0.3):
        return Call(mv.fit_histogram, (), {"samples": draw.array(40), "bin_width": 0.5}, truth=converged)
    counts = draw.rng.poisson(20 * np.exp(-(np.linspace(-2, 2, 9) ** 2)), (*draw.one(((), (3,))), 9))
    return Call(mv.fit_histogram, (counts.astype(float), np.linspace(-2, 2, 10)), options, truth=converged)


@recipe("linear_regression")
def _(draw, folder):
    n = draw.whole(1, 15)
    X = draw.array(n, draw.whole(1, 3)) if draw.chance(0.6) else draw.array(n)
    options = {"intercept": draw.chance(0.7)}
    options |= {"degree": draw.whole(1, 3)} if X.ndim == 1 and draw.chance(0.4) else {}
    options |= {"weights": np.abs(draw.array(n))} if draw.chance(0.3) else {}
    options |= (
        {"names": [f"c{k}" for k in range(X.shape[-1] if X.ndim > 1 else 1)]} if draw.chance(0.2) else {}
    )
    return Call(mv.linear_regression, (X, draw.array(n)), options)


@functools.cache
def _line(k):
    rng = np.random.default_rng(k)
    x = rng.standard_normal((9, 1))
    return mv.linear_regression(x, x[:, 0] * (k != 1) + rng.standard_normal(9) * (k > 1))


@recipe(
    "Regression.predict", "Regression.confidence_band", "Regression.prediction_band", "Regression.summary",
    "Regression.confidence_interval", "Regression.plot", "Regression.to_dict",
)  # fmt: skip
def _(draw, folder, name):
    """Of a line that is fitted exactly, of a constant, of a usual one."""
    which, fit = name.split(".")[1], _line(draw.whole(0, 2))
    args = {
        "summary": (0.9,),
        "confidence_interval": (0.9,),
        "plot": (draw.path(folder, ".png", ".pdf"),),
        "to_dict": (),
    }
    return Call(getattr(fit, which), args.get(which, (draw.array(4, 1), 0.9)[: 1 + ("band" in which)]))


@functools.cache
def _fits(k):
    x = np.linspace(-2, 2, 9)
    y = np.exp(-(x**2)) + 0.1 * np.random.default_rng(0).standard_normal((3, 9))
    return mv.fit_gaussian(x, (y[0], y, np.zeros(9), y * np.nan)[k])


@recipe("Fit.predict", "Fit.confidence_interval", "Fit.to_dict", "Fit.summary", "Fit.to_csv")
def _(draw, folder, name):
    which = name.split(".")[1]
    args = {
        "predict": (draw.array(5),),
        "confidence_interval": (0.9,),
        "to_csv": (draw.path(folder, ".csv"),),
    }
    return Call(getattr(_fits(draw.whole(0, 3)), which), args.get(which, ()))


@recipe("fit_file", seconds=240)
def _(draw, folder):
    options = {
        "model": draw.one(("amplitude", "area", "offset", "2d")),
        "out": draw.path(folder, ".npy", ".csv", ".parquet"),
    }
    options |= {name: True for name in ("rows", "omit", "force", "absolute_sigma") if draw.chance(0.2)}
    options |= (
        {"sigma": draw.one((0.1, str(brought(draw, folder, ".npy", ".csv"))))} if draw.chance(0.2) else {}
    )
    options |= {"x": brought(draw, folder, ".npy", ".csv")} if draw.chance(0.1) else {}
    options |= {"max_steps": draw.whole(1, 20)} if draw.chance(0.2) else {}
    return Call(mv.fit_file, (brought(draw, folder, ".npy", ".npz", ".csv", ".parquet", harm=0.4),), options)


@recipe("fitting.trail.density")
def _(draw, folder):
    x = np.linspace(-3, 3, 12)
    y = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    return Call(
        mv.fitting.trail.density,
        (x, y, np.array([draw.real(), 1.0]), draw.one(METHODS)),
        {"max_steps": draw.whole(1, 9)},
    )
