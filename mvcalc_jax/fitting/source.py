"""A file of curves or images, looked at before any work: what is to be fitted, and what all of them share."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mvcalc_jax import devices, require
from mvcalc_jax.data import tables
from mvcalc_jax.data.tables import Curves, Held, Rows
from mvcalc_jax.fitting import batch, gaussian
from mvcalc_jax.fitting.problem import EVERYWHERE, Options, Problem, prepared
from mvcalc_jax.fitting.solve import Inputs


class Asked(NamedTuple):
    """What a file is to be fitted with: the arguments of `fit_file` by these names."""

    model: str = "amplitude"
    x: str | Path | None = None
    sigma: str | Path | float | None = None
    absolute_sigma: bool = False
    rows: bool = False
    omit: bool = False
    precision: str | None = None
    xtol: float | None = None
    max_steps: int | None = None


@dataclass(frozen=True)
class Job:
    """A file of curves, looked at: what is fitted, what is shared by all, whether x only counts the points."""

    curves: Curves
    problem: Problem
    image: bool
    counted: bool

    @property
    def fits(self) -> int:
        return self.curves.y.shape[0]

    @property
    def points(self) -> int:
        return math.prod(self.curves.y.shape[1:])

    def inputs(self, begin: int, end: int, block: int) -> Inputs:
        """The data of the fits from `begin` until before `end`, made up to a full block."""
        shared, kind = self.problem.inputs, self.problem.inputs.y.dtype

        def of(name: str) -> Any:
            rows, common = getattr(self.curves, name), getattr(shared, name)
            if rows is None or (name != "y" and rows.shape[0] == 1):
                return common
            shape = common.shape[1:]
            found = rows.read(begin, end).reshape(end - begin, *shape)
            found = found.astype(bool if name == "mask" else kind, copy=False)
            return np.ascontiguousarray(batch.filled(found, block))

        return Inputs(of("x"), of("y"), of("sigma"), of("mask"), None, None, None)


def look(data: Path, asked: Asked) -> Job:
    """Open a file of curves and see that all fits together, at its first curve."""
    model, x, sigma = asked.model, asked.x, asked.sigma
    family = gaussian.family_of(model)
    policy = "omit" if asked.omit else None
    options = Options("lm", asked.absolute_sigma, (), policy, asked.xtol, asked.max_steps)
    options = options.checked(family.names, gaussian.MOST)
    if asked.precision is not None:
        require.one_of("precision", asked.precision, devices.PRECISIONS)
    image = family.axes == 2 and x is None
    curves = tables.read_curves(data, rows=asked.rows, image=image, with_x=x is None)
    if x is not None:
        curves = curves._replace(x=tables.read_array(Path(x)))
    if isinstance(sigma, (str, Path)):
        curves = curves._replace(sigma=tables.read_array(Path(sigma)))
    elif sigma is not None:
        require.positive("sigma", sigma)
    shape = curves.y.shape
    if len(shape) != (3 if image else 2):
        wanted = "(images, rows, columns)" if image else "(curves, points)"
        raise ValueError(f"{data} must have the shape {wanted} for the model {model}; got {shape}")
    fits, points = shape[0], math.prod(shape[1:])
    counted = False
    if image:
        down, across = np.mgrid[: shape[1], : shape[2]]
        curves = curves._replace(x=Held(np.stack([across.ravel(), down.ravel()]).astype(float)[None]))
    elif curves.x is None:
        counted, curves = True, curves._replace(x=Held(np.arange(float(points))[None]))
    else:
        curves = curves._replace(x=_for_all("x", curves.x, fits, points, family.axes))
    for name in ("sigma", "mask"):
        rows_of = getattr(curves, name)
        if rows_of is not None:
            curves = curves._replace(**{name: _for_all(name, rows_of, fits, points, 1)})
    error = sigma if curves.sigma is None else curves.sigma.read(0, 1).reshape(1, points)
    mask = None if curves.mask is None else curves.mask.read(0, 1).reshape(1, points).astype(bool)
    y = curves.y.read(0, 1).reshape(1, points).astype(_kind(curves.y.dtype, asked.precision))
    assert curves.x is not None
    along = curves.x.read(0, 1)[0]
    inputs, _ = prepared(along, y, error, mask, None, EVERYWHERE, family.names, axes=family.axes)
    problem = Problem(
        gaussian.normal_equations(model),
        family.names,
        inputs,
        (fits,),
        options,
        gaussian.function(model),
        start=gaussian.automatic(model),
        polished=False,
    )
    return Job(curves, problem, image, counted)


def _for_all(name: str, rows: Rows, fits: int, points: int, axes: int) -> Rows:
    """x, sigma or mask of every fit, or with an axis of 1 of all of them."""
    shape = rows.shape
    own = (fits, *((2,) if axes == 2 else ()), points)
    if math.prod(shape) == math.prod(own[1:]):
        return Held(rows.read(0, shape[0]).reshape(1, *own[1:]))
    if shape[0] == fits and math.prod(shape[1:]) == math.prod(own[1:]) and len(shape) >= len(own):
        return rows
    raise ValueError(f"`{name}` must have shape {own[1:]} for all curves, or {own}; got {shape}")


def _kind(dtype: np.dtype, precision: str | None) -> np.dtype:
    """float32 where the file has that or less, else float64; unless told."""
    if precision is not None:
        return np.dtype(precision)
    return np.dtype("f4") if dtype.kind == "f" and dtype.itemsize <= 4 else np.dtype("f8")
