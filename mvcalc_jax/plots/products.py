"""Products of matrices as blocks: a row for each product, every block as wide and as high as its matrix."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.patches import Rectangle

from mvcalc_jax.calculus.variables.matrix_chain import Factor
from mvcalc_jax.plots.style import BLUE, INK, QUIET, RED, Figure

_COLOURS = LinearSegmentedColormap.from_list("signs", [BLUE, "#ffffff", RED])
_PRINTED = 4
"""Matrices of at most so many rows and columns have their values in the cells."""
_GAP, _ABOVE, _BELOW = 0.55, 0.34, 0.36
"""Inches between the blocks of a row, and for what stands above and below them."""


class Block(NamedTuple):
    """A matrix with its name, and the sign that stands before it.

    >>> block = mv.plots.products.Block("∂y/∂u", np.eye(2), sign="=")
    >>> block.name, block.matrix.shape
    ('∂y/∂u', (2, 2))
    """

    name: str
    matrix: Float[np.ndarray, "o i"]
    sign: str = "·"


class Row(NamedTuple):
    """A product, and what is said of it at its left and below.

    >>> Block = mv.plots.products.Block
    >>> row = mv.plots.products.Row("∂y/∂x", [Block("∂y/∂u", np.eye(2)), Block("∂u/∂x", np.ones((2, 3)))])
    >>> [block.matrix.shape for block in row.blocks]
    [(2, 2), (2, 3)]
    """

    title: str
    blocks: Sequence[Block]
    words: str = ""


def products(rows: Sequence[Row], widest: float = 10.5, tallest: float = 7, cell: float = 0.46) -> Figure:
    """A figure with one row of blocks below the other.

    Args:
        rows: the products.
        widest, tallest: the figure at most, in inches.
        cell: width and height of one entry, made smaller where the rows would not fit.

    >>> Block = mv.plots.products.Block
    >>> row = mv.plots.products.Row("∂y/∂x", [Block("∂y/∂u", np.eye(2)), Block("∂u/∂x", np.ones((2, 3)))])
    >>> figure = mv.plots.products.products([row], widest=6)
    >>> bool(figure.get_figwidth() <= 6)  # inches
    True
    """
    left = 0.35 + max(len(line) for row in rows for line in row.title.split("\n")) * 0.095
    spare = [widest - left - _GAP * len(row.blocks) - 0.085 * len(row.words) for row in rows]
    tall = sum(max(b.matrix.shape[0] for b in row.blocks) for row in rows)
    cell = min(cell, (tallest - (_ABOVE + _BELOW) * len(rows)) / tall)
    cell = min(
        [cell, *(s / sum(b.matrix.shape[1] for b in row.blocks) for s, row in zip(spare, rows, strict=True))]
    )
    lengths = [_ends(row, left, cell)[-1] + 0.085 * len(row.words) for row in rows]
    heights = [max(b.matrix.shape[0] for b in row.blocks) * cell + _ABOVE + _BELOW for row in rows]
    wide, top = max(lengths) + 0.1, sum(heights)
    figure = Figure(figsize=(wide, top))
    ax = figure.add_axes((0, 0, 1, 1))
    for row, high in zip(rows, heights, strict=True):
        middle = top - _ABOVE - (high - _ABOVE - _BELOW) / 2
        ax.text(0.15, middle, row.title, va="center", fontsize=10.5, weight="bold")
        ends = _ends(row, left, cell)
        for k, block in enumerate(row.blocks):
            if k:
                ax.text(ends[k] - _GAP / 2, middle, block.sign, ha="center", va="center", fontsize=14)
            _draw_block(ax, block, (ends[k] + ends[k + 1] - _GAP) / 2, middle, cell)
        ax.text(ends[-1] - _GAP / 2, middle, row.words, va="center", fontsize=9.5, color=INK)
        top -= high
    ax.set(xlim=(0, wide), ylim=(0, sum(heights)))
    ax.axis("off")
    return figure


def chain_rule(chain: Any) -> Figure:
    """A matrix chain of `mvcalc_jax.calculus`: its factors, and what is carried from the left and from the right.

    >>> links = [("u", jnp.sin, None), ("y", jnp.sum, None)]
    >>> chain = mv.calculus.matrix_chain(links, np.array([0.5, 1.0, 1.5]))
    >>> len(mv.plots.products.chain_rule(chain).axes) > 0
    True
    """
    whole = Factor(chain.factors[0].top, chain.factors[-1].bottom, chain.jacobian)
    blocks = [Block(whole.name, whole.matrix)]
    blocks += [Block(f.name, f.matrix, "·" if k else "=") for k, f in enumerate(chain.factors)]
    names = [f.name for f in chain.factors]
    left = [Block("·".join(names[: k + 1]), m, "→") for k, m in enumerate(chain.from_left)]
    right = [Block("·".join(names[-k - 1 :]), m, "→") for k, m in enumerate(chain.from_right)]
    return products(
        [
            Row("the chain rule", blocks),
            Row("from the left\n(reverse mode)", left, f"{chain.reverse} multiplications"),
            Row("from the right\n(forward mode)", right, f"{chain.forward} multiplications"),
        ]
    )


def _ends(row: Row, left: float, cell: float) -> list[float]:
    """Where each block begins, and where the last one with its gap ends: blocks are no narrower than their names."""
    wide = [max(b.matrix.shape[1] * cell, 0.085 * len(b.name)) for b in row.blocks]
    return list(accumulate((w + _GAP for w in wide), initial=left))


def _draw_block(ax: Axes, block: Block, centre: float, middle: float, cell: float) -> None:
    """A matrix about a point: coloured by its entries, white where they are 0."""
    rows, columns = block.matrix.shape
    wide, high = columns * cell, rows * cell
    x, top, bottom = centre - wide / 2, middle + high / 2, middle - high / 2
    limit = np.abs(block.matrix[np.isfinite(block.matrix)]).max(initial=0) or 1.0
    norm = Normalize(
        -1.5 * limit, 1.5 * limit
    )  # paler than the ends of the scale, so that numbers can be read
    extent = (x, x + wide, bottom, top)
    ax.imshow(block.matrix, extent=extent, cmap=_COLOURS, norm=norm, aspect="auto", interpolation="nearest")
    ax.add_patch(Rectangle((x, bottom), wide, high, facecolor="none", edgecolor=INK, linewidth=1))
    ax.text(centre, top + 0.06, block.name, ha="center", va="bottom", fontsize=10)
    ax.text(centre, bottom - 0.06, f"{rows}×{columns}", ha="center", va="top", fontsize=9, color=QUIET)
    if max(rows, columns) <= _PRINTED and cell > 0.33:
        for (i, j), value in np.ndenumerate(block.matrix):
            place = x + (j + 0.5) * cell, top - (i + 0.5) * cell
            ax.text(*place, f"{value:.2g}".replace("-", "−"), ha="center", va="center", fontsize=8.5)
