r"""What a change of variables does to areas and volumes: a small cell of u-space grows by |det J|.

    area of the image of a cell ≈ |det J| · area of the cell,    ∬ g dx dy = ∬ g(x(u)) |det J| du

The true area is measured along the image's outside alone, by the divergence theorem: in d dimensions, with c any point,

    area = (1/d) Σᵢ [∫ det(J with its i-th column replaced by x − c) over the other u]  from uᵢ = low to uᵢ = high

for d = 2 this is ½ ∮ (x dy − y dx). It is integrated by Gauss and Legendre's rule, with the Jacobian of autodiff, so
that it tests a Jacobian and a determinant written by hand. With det J taken in the middle of a cell, the relative
error falls as the square of the cell's width h; taken at its corner, as h. References: Courant and John, Introduction
to Calculus and Analysis II (1974), §4.6 and §5.9.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from mvcalc_jax import autodiff, precision, require, text
from mvcalc_jax.calculus.variables.change import Complete, completed, named, vanishes
from mvcalc_jax.calculus.variables.coordinates import Coordinates
from mvcalc_jax.calculus.variables.point import evaluated

_NODES = 8
"""Of the Gauss–Legendre rule along each edge: exact for polynomials up to degree 15."""
_TOGETHER = 512
"""Cells that are measured at once: bounds the memory."""
_MOST = 100_000
_SMOOTH = 1e-3
"""What J may be off from the slope of a polynomial, beside its largest entry, in a smooth cell."""
_ROUNDING = 1e-13
"""Relative errors below it are rounding."""


@text.shown
@dataclass(frozen=True)
class Areas:
    """A grid of cells before and after a change of variables; "area" stands for length, area or volume.

    Attributes:
        name: of the coordinates.
        low, high: the corners of each cell.
        before: its area.
        after: the area of its image, measured along its outside.
        middle: |det J| in the middle of the cell, times `before`.
        corner: |det J| at its low corner, times `before`.
        singular: cells that touch a point where det J = 0: no relative error is measured there.
        folded: cells in which det J changes its sign: parts of the image lie over each other, and `after` counts them
            against each other.
        bent: cells across a kink of the map, or in which it bends more than polynomials through `after`'s points do.
        not_finite: cells of which something is infinite or NaN.

    >>> cells = mv.calculus.areas("polar", ((0, 1), (0, 1)), cells=2)
    >>> cells.after.round(6), cells.singular
    (array([0.0625, 0.0625, 0.1875, 0.1875]), array([ True,  True, False, False]))
    """

    name: str
    low: Float[np.ndarray, "cells d"]
    high: Float[np.ndarray, "cells d"]
    before: Float[np.ndarray, " cells"]
    after: Float[np.ndarray, " cells"]
    middle: Float[np.ndarray, " cells"]
    corner: Float[np.ndarray, " cells"]
    singular: Bool[np.ndarray, " cells"]
    folded: Bool[np.ndarray, " cells"]
    bent: Bool[np.ndarray, " cells"]
    not_finite: Bool[np.ndarray, " cells"]

    @property
    def regular(self) -> Bool[np.ndarray, " cells"]:
        """Cells on which the map is smooth and can be undone, as far as their corners, middles and nodes tell."""
        return ~(self.singular | self.folded | self.bent | self.not_finite)

    def errors(self, linear: Float[np.ndarray, " cells"]) -> Float[np.ndarray, " cells"]:
        """The relative errors of `middle` or `corner`; NaN where a cell is not regular."""
        after = np.where(self.regular, self.after, np.nan)
        return np.abs(linear - after) / after

    @property
    def message(self) -> str:
        """In words, how many cells are not regular, and why."""
        said = {
            "touch a point where det J = 0, at which the map cannot be undone": self.singular,
            "are folded: det J changes its sign in them": self.folded,
            "have a kink in them, or bend too much to be measured: take more cells, or edges along the kink": self.bent,
            "are infinite or NaN: take another box": self.not_finite,
        }
        told = [f"{which.sum()} of {len(which)} cells {what}" for what, which in said.items() if which.any()]
        return "; ".join(told) or f"all {len(self.before)} cells are regular"

    def _parts(self) -> text.Parts:
        rows = [("", "before", "after", "|det J| in the middle", "at the corner")]
        totals = self.before, self.after, self.middle, self.corner
        rows += [("sum over cells", *(_digits(float(t.sum())) for t in totals))]
        errors = self.errors(self.middle), self.errors(self.corner)
        if self.regular.any():
            rows += [("largest relative error", "", "", *(f"{np.nanmax(e):.2g}" for e in errors))]
        return [f"{self.name}, {len(self.before)} cells", rows, self.message]


@text.shown
class Convergence(NamedTuple):
    """How the relative error of |det J| × cell falls: with the width of one cell, or with the cells of a box.

    >>> found = mv.calculus.refined_areas(lambda x, y: (x * x, y), ((1, 2), (0, 1)), cells=(2, 4))
    >>> found.sizes, found.corner.round(6)
    (array([2., 4.]), array([0.166667, 0.083333]))
    """

    what: str
    sizes: Float[np.ndarray, " n"]
    after: Float[np.ndarray, " n"]
    middle: Float[np.ndarray, " n"]
    corner: Float[np.ndarray, " n"]
    message: str

    def rows(self) -> list[tuple[str, ...]]:
        """A table: a line for each size, and by how much the errors fell from the line before."""
        rows: list[tuple[str, ...]] = [
            (self.what, "error, det J in the middle", "", "error, det J at the corner", "")
        ]
        for k, size in enumerate(self.sizes):
            row = [f"{size:g}"]
            for error in (self.middle, self.corner):
                row += [
                    f"{error[k]:.3g}" if np.isfinite(error[k]) else "–",
                    _fell(error[k - 1], error[k]) if k else "",
                ]
            rows.append(tuple(row))
        return rows

    @property
    def sentence(self) -> str:
        """By how much the errors fell in the last step."""
        if not np.isfinite(self.middle[-1]):
            return f"no relative error is measured here: {self.message}"
        if self.middle.max() < _ROUNDING:
            return "det J in the middle is its mean over the cell here, and errs by rounding alone"
        fell = [error[-2] / error[-1] for error in (self.middle, self.corner) if len(error) > 1]
        if len(fell) < 2:
            return self.message
        return f"half as wide, the error is {fell[0]:.3g} times less from the middle, {fell[1]:.3g} from the corner"

    def _parts(self) -> text.Parts:
        return [self.rows(), self.message]


def areas(
    coordinates: str | Coordinates | Callable[..., Any], box: Any = None, cells: int | Sequence[int] = 12
) -> Areas:
    """The cells of a grid over a box of u-space, and the area of each before and after.

    Args:
        coordinates: as in `change_of_variables`, of one, two or three variables.
        box: a pair (low, high) for each variable; that of the coordinates unless given.
        cells: along each axis, or a number for each.

    Raises:
        ValueError: for unknown coordinates, an empty box, no cells or more than 100 000.
        TypeError: as `change_of_variables`.

    >>> ring = mv.calculus.areas("polar", ((1, 2), (0, 2 * np.pi)), cells=8)
    >>> print(f"{ring.before.sum() / np.pi:.6f} π becomes {ring.after.sum() / np.pi:.6f} π; {ring.message}")
    2.000000 π becomes 3.000000 π; all 64 cells are regular
    """
    coordinates = named(coordinates)
    box = require.box("box", getattr(coordinates, "box", None) if box is None else box)
    d = len(box)
    if d > 3:
        raise ValueError(f"`box` must have one, two or three variables; got {d}")
    given = cells if isinstance(cells, Sequence | np.ndarray) else [cells] * d
    counts = [require.whole("cells", n, least=1) for n in given]
    if len(counts) != d or np.prod(counts, dtype=float) > _MOST:
        raise ValueError(f"`cells` must be a number for each of {d} axes, {_MOST} cells at most; got {cells}")
    edges = [np.linspace(low, high, n + 1) for (low, high), n in zip(box, counts, strict=True)]
    low, high = (
        np.stack([axis.ravel() for axis in np.meshgrid(*part, indexing="ij")], axis=1)
        for part in ([e[:-1] for e in edges], [e[1:] for e in edges])
    )
    return _areas(coordinates, low, high)


def refined_areas(
    coordinates: str | Coordinates | Callable[..., Any],
    box: Any = None,
    cells: Sequence[int] = (4, 8, 16, 32),
) -> Convergence:
    """A whole box in ever smaller cells: how fast Σ |det J| × cell, a sum by Riemann, comes to the true area.

    Raises: as `areas`.

    >>> print(mv.calculus.refined_areas(lambda x, y: (jnp.exp(x), y), ((0, 1), (0, 1)), cells=(2, 4, 8)))
    cells along each axis  error, det J in the middle          error, det J at the corner
    2                      0.0103                              0.229
    4                      0.0026                      ÷ 3.98  0.12                        ÷ 1.91
    8                      0.000651                    ÷ 3.99  0.0612                      ÷ 1.96
    all 64 cells are regular
    """
    if not isinstance(cells, (tuple, list)) or not cells:
        raise TypeError(f"`cells` must be several numbers, such as (4, 8, 16); got {cells!r}")
    found = [areas(coordinates, box, n) for n in cells]
    true = found[-1].after.sum()
    with np.errstate(divide="ignore", invalid="ignore"):  # of no area, or one that is not finite
        middle, corner = (
            np.array([abs(getattr(a, way).sum() - true) / true for a in found])
            for way in ("middle", "corner")
        )
    return Convergence(
        "cells along each axis",
        np.array(cells, float),
        np.array([a.after.sum() for a in found]),
        middle,
        corner,
        found[-1].message,
    )


def shrinking_cell(
    coordinates: str | Coordinates | Callable[..., Any], at: Any, width: float = 0.5, halvings: int = 6
) -> Convergence:
    """One cell around a point, half as wide each time: how fast |det J| × cell comes to its true area.

    Args:
        coordinates: as in `change_of_variables`, of one, two or three variables.
        at: u, in the middle of the cell.
        width: of the first cell, along each axis.
        halvings: how often it is halved.

    Returns:
        A `Convergence`; its errors are NaN for a cell that touches a singular point.

    Raises:
        ValueError, TypeError: as `change_of_variables`; for a width that is not positive.

    >>> print(mv.calculus.shrinking_cell(lambda x, y: (jnp.exp(x), y), (0.0, 0.0), halvings=2).sentence)
    half as wide, the error is 3.99 times less from the middle, 1.96 from the corner
    """
    require.positive("width", width)
    halvings = require.whole("halvings", halvings, least=0)
    middle = precision.floats("at", at).astype(float)
    require.finite("at", middle)
    if middle.ndim != 1 or not 1 <= len(middle) <= 3:
        raise ValueError(f"`at` must be a vector of one, two or three numbers; got shape {middle.shape}")
    widths = width * 0.5 ** np.arange(halvings + 1)
    if (middle + widths[-1] / 2 <= middle - widths[-1] / 2).any():
        raise ValueError(
            f"`width` must be wide enough for {halvings} halvings around {text.vector(middle, 6)}: the last cell, "
            f"{widths[-1]:.3g} wide, has no inside; take a wider one, or fewer halvings"
        )
    found = _areas(coordinates, middle - widths[:, None] / 2, middle + widths[:, None] / 2)
    return Convergence(
        "width", widths, found.after, found.errors(found.middle), found.errors(found.corner), found.message
    )


def _areas(coordinates: Any, low: np.ndarray, high: np.ndarray) -> Areas:
    """Cells given by their corners, before and after."""
    with precision.of(low):
        c = completed(coordinates, low[0])
        measure = lambda ends: _measured(c, _faces(low.shape[1]), *ends)
        after, middle, corner, singular, folded, bent = evaluated(
            lambda *ends: jax.lax.map(measure, ends, batch_size=_TOGETHER), low, high
        )
    with np.errstate(over="ignore", invalid="ignore"):
        before = np.prod(high - low, axis=1)
        sizes = after, middle * before, corner * before
    bad = np.asarray(~np.isfinite([*sizes, before]).all(axis=0))
    regular = singular & ~bad, folded & ~bad, bent & ~(bad | singular | folded), bad
    return Areas(c.name, low, high, before, *sizes, *regular)


class _Faces(NamedTuple):
    """The outside of the unit cell, as points to integrate over: d axes, two faces across each."""

    points: Float[np.ndarray, "q d"]
    weights: Float[np.ndarray, " q"]
    across: Bool[np.ndarray, "q d"]


def _faces(d: int) -> _Faces:
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    inside, weight = (
        np.array(list(product(axis, repeat=d - 1))).reshape(_NODES ** (d - 1), d - 1)
        for axis in ((nodes + 1) / 2, weights / 2)
    )
    weight = np.prod(weight, axis=1)
    ends = list(product(range(d), (1, 0)))
    points = [np.insert(inside, axis, end, axis=1) for axis, end in ends]
    across = [np.broadcast_to(np.arange(d) == axis, (*inside.shape[:1], d)) for axis, _ in ends]
    signed = [(weight if end else -weight) / d for _, end in ends]
    return _Faces(np.concatenate(points), np.concatenate(signed), np.concatenate(across))


def _measured(c: Complete, faces: _Faces, low: Array, high: Array) -> tuple:
    """One cell: area of its image, |det J| in its middle and at its corner; whether it is singular, folded, or bent."""
    wide, middle = high - low, (low + high) / 2
    J, centre = autodiff.jacobian(c.f, mode="forward"), c.f(middle)

    def flux(point: Array, weight: Array, across: Array) -> Array:
        u = low + point * wide
        outwards = jnp.where(across, (c.f(u) - centre)[:, None], J(u))
        return weight * jnp.linalg.det(outwards) * jnp.prod(jnp.where(across, 1, wide))

    signed = jnp.sum(jax.vmap(flux)(*map(jnp.asarray, faces)))
    places = low + np.array(list(product((0.0, 0.5, 1.0), repeat=len(low)))) * wide
    dets, zero = jax.vmap(c.det)(places), jax.vmap(lambda u: vanishes(c, u))(places)
    folded = jnp.any((dets > 0) & ~zero) & jnp.any((dets < 0) & ~zero)
    bent = _bent(c.f, J, low, wide)
    return jnp.abs(signed), jnp.abs(c.det(middle)), jnp.abs(c.det(low)), jnp.any(zero), folded, bent


def _bent(f: Callable[[Any], Any], J: Callable[[Any], Any], low: Array, wide: Array) -> Array:
    """Whether J is not the slope of the polynomial through x at the nodes along an axis, as across a kink it is not."""
    d, nodes = len(low), np.polynomial.legendre.leggauss(_NODES)[0]
    basis = np.polynomial.legendre.legvander(nodes, _NODES - 1)
    slopes = np.polynomial.legendre.legder(np.eye(_NODES), axis=0)
    slope = basis[:, :-1] @ slopes @ np.linalg.inv(basis) * 2  # of values at the nodes; a cell is 1 wide
    grid = low + jnp.asarray(list(product((nodes + 1) / 2, repeat=d))) * wide
    x, slopes_there = jax.vmap(f)(grid), jax.vmap(J)(grid) * wide
    x = x - jnp.mean(x, axis=0)
    off, size = jnp.zeros(()), jnp.max(jnp.abs(slopes_there))
    for axis in range(d):
        cube = jnp.moveaxis(x.reshape(*[_NODES] * d, d), axis, 0)
        along = jnp.moveaxis(slopes_there[:, :, axis].reshape(*[_NODES] * d, d), axis, 0)
        off = jnp.maximum(off, jnp.max(jnp.abs(jnp.tensordot(jnp.asarray(slope), cube, 1) - along)))
    return off > _SMOOTH * size + 1e3 * jnp.finfo(low.dtype).eps * jnp.max(jnp.abs(jax.vmap(f)(grid)))


def _fell(before: float, now: float) -> str:
    """By how much an error fell; nothing where it is rounding."""
    return f"÷ {before / now:.3g}" if now > _ROUNDING and before > 0 else ""


def _digits(value: float) -> str:
    return f"{value:.10g}"
