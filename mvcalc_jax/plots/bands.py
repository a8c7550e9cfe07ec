"""Functions in bands: a polynomial with the band around it, several bands compared, and what rounding does to them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes

from mvcalc_jax import precision
from mvcalc_jax.plots.style import BLUE, GOLD, GREEN, INK, QUIET, RED, VIOLET, Figure, style
from mvcalc_jax.taylor import TaylorEnclosure, TensorEnclosure

ENTRIES, POINTS = 4, 201
"""Entries of an array and variables that are drawn, of more the first ones; and points along a line."""
_COLOURS = (RED, VIOLET, GOLD, GREEN)


class Band(NamedTuple):
    """Lower and upper bounds at every point; infinite where nothing is known.

    >>> band = mv.plots.bands.Band(lo=np.array([-0.1, 0.9]), hi=np.array([0.1, np.inf]))
    >>> (band.hi - band.lo).tolist()
    [0.2, inf]
    """

    lo: Float[np.ndarray, " k"]
    hi: Float[np.ndarray, " k"]


class Banded(NamedTuple):
    """A function in one or several bands.

    Attributes:
        title: of the picture.
        x: where all are drawn, and the points named below are on the same axis.
        f: there.
        p: the polynomial there.
        bands: by name, the one that is shaded first.
        at: the point x₀.
        edges: of the region, and of its pieces.

    >>> x = np.linspace(-1, 1, 5)
    >>> band = mv.plots.bands.Band(x - 0.2, x + 0.2)
    >>> panel = mv.plots.bands.Banded("sin x", x, np.sin(x), x, {"proven": band}, at=0.0, edges=(-1, 1))
    >>> bool((band.lo <= panel.f).all() and (panel.f <= band.hi).all())
    True
    """

    title: str
    x: Float[np.ndarray, " k"]
    f: Float[np.ndarray, " k"]
    p: Float[np.ndarray, " k"]
    bands: Mapping[str, Band]
    at: float
    edges: Sequence[float]


def enclosure(e: TaylorEnclosure) -> Figure:
    """f, the polynomial and the band, as `TaylorEnclosure.plot` shows them; below, all less the polynomial.

    Of a function that returns an array, its first entries side by side.

    >>> e = mv.taylor_enclosure(jnp.sin, 0.0, 1.0, order=3)
    >>> [ax.get_xlabel() for ax in mv.plots.bands.enclosure(e).axes]  # as e.plot()
    ['', 'x']
    >>> mv.plots.bands.ENTRIES, mv.plots.bands.POINTS  # entries of an array at most, and points along each
    (4, 201)
    """
    x0, edges = float(e.x0), float(e.x0) + np.asarray(e.edges)
    x = np.linspace(edges[0], edges[-1], POINTS).astype(e.x0.dtype)
    x = np.clip(x, x0 - np.asarray(e.radius), x0 + np.asarray(e.radius))
    with precision.of(e.x0):
        f = _table(jax.vmap(e.f)(x))
        band = e.band(x)
    c = _table(np.asarray(e.coefficients.lo) / 2 + np.asarray(e.coefficients.hi) / 2)
    p = np.stack([np.polyval(c[::-1, k], x - x0) for k in range(c.shape[1])], -1)
    bands = Band(_table(band.lo), _table(band.hi))
    title = f"about {x0:.4g}, remainder of order {e.order}"
    panels = [
        Banded(
            title if k == 0 else f"entry {k}",
            x,
            f[:, k],
            p[:, k],
            {"proven": Band(bands.lo[:, k], bands.hi[:, k])},
            x0,
            edges.tolist(),
        )
        for k in range(min(f.shape[1], ENTRIES))
    ]
    if float(e.radius) > 1e-3 * abs(x0):
        return _drawn(panels, "x")
    near = [one._replace(x=one.x - x0, at=0.0, edges=(edges - x0).tolist()) for one in panels]
    return _drawn(near, f"x − {x0:.6g}")


def tensor_enclosure(e: TensorEnclosure) -> Figure:
    """f, the polynomial and the band along each variable, the others at x₀, as `TensorEnclosure.plot` shows them.

    Of a function that returns an array, its first entry; of more than four variables, the first four.

    >>> e = mv.taylor_enclosure(lambda p: p[0] * p[1], np.array([1.0, 2.0]), 0.5, order=1)
    >>> [ax.get_xlabel() for ax in mv.plots.bands.tensor_enclosure(e).axes]
    ['', '', 'x[0]', 'x[1]']
    """
    x0, radius = np.asarray(e.x0), np.asarray(e.radius)
    panels = []
    with precision.of(e.x0):
        bounds = jax.jit(jax.vmap(e.band))
        for j in range(min(len(x0), ENTRIES)):
            t = np.linspace(x0[j] - radius[j], x0[j] + radius[j], POINTS).astype(x0.dtype)
            x = np.where(np.arange(len(x0)) == j, t[:, None], x0)
            band = bounds(x)
            f, lo, hi = (_table(values)[:, 0] for values in (jax.vmap(e.f)(x), band.lo, band.hi))
            c = [np.asarray(entry.lo / 2 + entry.hi / 2) for entry in e.coefficients]
            powers = [_table(entry[(..., *[j] * k)][None])[0, 0] for k, entry in enumerate(c)]
            p = np.polyval(powers[::-1], t - x0[j])
            ends = [float(x0[j] - radius[j]), float(x0[j] + radius[j])]
            title = f"x[{j}] about {x0[j]:.4g}, order {e.order}" if j == 0 else f"x[{j}] about {x0[j]:.4g}"
            panels.append(Banded(title, t, f, p, {"proven": Band(lo, hi)}, float(x0[j]), ends))
    return _drawn(panels, [f"x[{j}]" for j in range(len(panels))])


def _table(values: Any) -> np.ndarray:
    """Points as rows, entries of an array as columns."""
    values = np.asarray(values)
    return values.reshape(len(values), -1)


def _drawn(panels: Sequence[Banded], names: str | Sequence[str]) -> Figure:
    with style():
        return banded(panels, names)


def banded(panels: Sequence[Banded], names: str | Sequence[str] = "x") -> Figure:
    """For each panel: above, function, polynomial and bands; below, all of them less the polynomial.

    >>> x = np.linspace(-1, 1, 5)
    >>> band = mv.plots.bands.Band(x - 0.2, x + 0.2)
    >>> panel = mv.plots.bands.Banded("sin x", x, np.sin(x), x, {"proven": band}, at=0.0, edges=(-1, 1))
    >>> figure = mv.plots.bands.banded([panel])
    >>> len(figure.axes), figure.axes[0].get_title()
    (2, 'sin x')
    """
    names = [names] * len(panels) if isinstance(names, str) else names
    wide = len(panels)
    figure = Figure(figsize=(7.6 if wide == 1 else 3.2 + 2.9 * wide, 6.0), layout="constrained")
    axes = figure.subplots(2, wide, sharex="col", squeeze=False, height_ratios=[1.2, 1])
    for k, (one, name) in enumerate(zip(panels, names, strict=True)):
        above, below = axes[:, k]
        _draw(above, one, np.zeros_like(one.p))
        above.set_title(one.title)
        _draw(below, one, one.p)
        room = 0.03 * (one.x[-1] - one.x[0])
        below.set(xlabel=name, xlim=(one.x[0] - room, one.x[-1] + room))
    axes[0, 0].set_ylabel("f(x)")
    axes[1, 0].set_ylabel("less the polynomial")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=9)
    return figure


def _draw(ax: Axes, one: Banded, less: np.ndarray) -> None:
    low, high = _window(one, less)
    for edge in one.edges:
        ax.axvline(edge, color=QUIET, linewidth=1, linestyle="--")
    far = 10 * (high - low)
    for k, (name, band) in enumerate(one.bands.items()):
        lo, hi = (
            np.clip(np.nan_to_num(end - less, nan=np.inf * sign), low - far, high + far)
            for end, sign in ((band.lo, -1), (band.hi, 1))
        )
        if k == 0:
            ax.fill_between(one.x, lo, hi, color=BLUE, alpha=0.35, linewidth=0, label=name)
            ax.plot(one.x, np.stack([lo, hi], -1), color=BLUE, linewidth=0.9, alpha=0.8)
        else:
            ax.plot(one.x, lo, color=_COLOURS[(k - 1) % len(_COLOURS)], linewidth=1.4, label=name)
            ax.plot(one.x, hi, color=_COLOURS[(k - 1) % len(_COLOURS)], linewidth=1.4)
    ax.plot(one.x, one.p - less, color=QUIET, linewidth=1.4, linestyle=(0, (4, 2)), label="polynomial")
    ax.plot(one.x, one.f - less, color=INK, linewidth=2.2, label="f")
    ax.plot([one.at] * 2, [0, 0.03], color=INK, linewidth=4, transform=ax.get_xaxis_transform())
    ax.set_ylim(low, high)


def _window(one: Banded, less: np.ndarray) -> tuple[float, float]:
    """What is seen: f and the bands, as far as they are not much wider than f; of the first one more than of others."""
    f, p = one.f - less, one.p - less
    core = np.concatenate([f[np.isfinite(f)], p[np.isfinite(p)]])
    low, high = (float(core.min()), float(core.max())) if core.size else (-1.0, 1.0)
    size = (high - low) or abs(high) or 1e-300
    for k, band in enumerate(one.bands.values()):
        reach = (12 if k == 0 else 0.5) * size
        ends = np.concatenate([end - less for end in band])
        near = ends[np.isfinite(ends) & (ends > low - reach) & (ends < high + reach)]
        low, high = float(min([low, *near])), float(max([high, *near]))
    room = 0.06 * (high - low) or 1e-300
    return low - room, high + room


def widths(
    radius: Float[np.ndarray, " r"], found: Mapping[str, Float[np.ndarray, " r"]], title: str
) -> Figure:
    """How wide bands are at the ends of regions of many sizes, both as logarithms; the first is the bold one.

    >>> radius = np.array([0.1, 0.2, 0.4])
    >>> figure = mv.plots.bands.widths(radius, {"order 2": radius**2, "order 3": radius**3}, "two orders")
    >>> [line.get_label() for line in figure.axes[0].lines]
    ['order 2', 'order 3']
    """
    figure = Figure(figsize=(7.6, 4.6), layout="constrained")
    ax = figure.subplots()
    for k, (name, width) in enumerate(found.items()):
        colour, line = (BLUE, 2.8) if k == 0 else (_COLOURS[(k - 1) % len(_COLOURS)], 1.6)
        shown = np.where(np.isfinite(width) & (width > 0), width, np.nan)
        ax.plot(radius, shown, color=colour, linewidth=line, label=name, zorder=3 if k == 0 else 2)
    ax.set(xscale="log", yscale="log", xlabel="radius of the region", ylabel="width at its ends", title=title)
    ax.legend()
    return figure


class Rounded(NamedTuple):
    """What bounds say near x₀, less the exact f, in units in the last place.

    Attributes:
        title: of the picture.
        h: x − x₀.
        naive: bounds in ordinary arithmetic.
        proven: bounds that hold.
        outside: where f lies outside the naive ones.

    >>> h, Band = np.linspace(-1e-9, 1e-9, 5), mv.plots.bands.Band
    >>> one = mv.plots.bands.Rounded("near 0", h, Band(h - 0.1, h + 0.1), Band(h - 2, h + 2), abs(h) > 5e-10)
    >>> int(one.outside.sum())
    3
    """

    title: str
    h: Float[np.ndarray, " k"]
    naive: Band
    proven: Band
    outside: Bool[np.ndarray, " k"]


def rounding(radii: Sequence[float], shares: Mapping[str, Sequence[float]], one: Rounded) -> Figure:
    """Where rounding breaks bounds: at which share of points, by the size of the region; and one region magnified.

    >>> h, Band = np.linspace(-1e-9, 1e-9, 5), mv.plots.bands.Band
    >>> one = mv.plots.bands.Rounded("near 0", h, Band(h - 0.1, h + 0.1), Band(h - 2, h + 2), abs(h) > 5e-10)
    >>> figure = mv.plots.bands.rounding([1e-9, 1e-6], {"sin": [0.4, 0.0]}, one)
    >>> [ax.get_xlabel() for ax in figure.axes]
    ['radius of the region', 'h']
    """
    figure = Figure(figsize=(9.2, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    for k, (name, share) in enumerate(shares.items()):
        style_ = {"color": BLUE, "linewidth": 3.2} if k == 0 else {"color": _COLOURS[(k - 1) // 2]}
        left.plot(radii, 100 * np.asarray(share), marker="o", markersize=4, label=name, **style_)
        left.lines[-1].set_linestyle("-" if k == 0 or k % 2 else (0, (3, 2)))
    left.set(xscale="log", xlabel="radius of the region", ylim=(-4, 104), ylabel="% of points with f outside")
    left.set_title("bounds that do not hold")
    left.legend(
        fontsize=9,
        loc="lower left",
        bbox_to_anchor=(0.0, 0.07),
        frameon=True,
        framealpha=0.85,
        edgecolor="none",
    )
    _magnify(right, one)
    return figure


def _magnify(ax: Axes, one: Rounded) -> None:
    reach = 2.5 * float(np.abs(np.concatenate(one.naive)).max())
    lo, hi = (np.clip(end, -10 * reach, 10 * reach) for end in one.proven)
    ax.fill_between(
        one.h,
        lo,
        hi,
        color=BLUE,
        alpha=0.25,
        linewidth=0,
        step="mid",
        label="proven band, to beyond the edges",
    )
    ax.fill_between(one.h, *one.naive, color=VIOLET, alpha=0.9, linewidth=0, step="mid")
    for end, name in zip(one.naive, ("sharp bounds, rounded", None), strict=True):
        ax.step(one.h, end, color=VIOLET, linewidth=1.6, where="mid", label=name)
    ax.axhline(0, color=INK, linewidth=1.6, label="f, exactly")
    ax.plot(
        one.h[one.outside],
        np.zeros(one.outside.sum()),
        "o",
        color=RED,
        markersize=3,
        label="f is outside",
        zorder=4,
    )
    ax.set(title=one.title, xlabel="h", xlim=(one.h[0], one.h[-1]), ylim=(-reach, reach))
    ax.set_ylabel("units in the last place")
    ax.ticklabel_format(axis="x", style="sci", scilimits=(0, 0))
    ax.legend(fontsize=9, frameon=True, framealpha=0.85, edgecolor="none", loc="lower center")
