"""Pictures of changes of variables, gradient fields, surfaces and products: what is drawn, and where."""

import jax.numpy as jnp
import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

import mvcalc_jax as mv
from mvcalc_jax.plots import coordinates, products, surface


def test_cells_are_drawn_where_the_map_takes_them(tmp_path):
    grid = mv.calculus.areas("parabolic", ((0, 1), (-1, 1)), 3)
    image = lambda u: mv.calculus.images("parabolic", u).x
    det = grid.middle / grid.before
    cells = coordinates.Cells(grid.low, grid.high, det, grid.singular, 4, ("before", "after"))
    figure = coordinates.before_and_after(cells, image, ("u", "v"), "parabolic")
    left, right, bar = figure.axes
    for ax, take in ((left, lambda u: u), (right, image)):
        (drawn,) = (c for c in ax.collections if isinstance(c, PolyCollection))
        np.testing.assert_array_equal(drawn.get_array(), det)
        for path, low, high in zip(drawn.get_paths(), grid.low, grid.high, strict=True):
            corners = take(np.array([low, high]))
            for corner in corners:
                assert np.abs(path.vertices - corner).sum(axis=1).min() < 1e-12
    assert {t.get_text() for ax in (left, right) for t in ax.texts} == {"before", "after"}
    assert bar.get_ylabel().startswith("|det J|")
    mv.plots.save(figure, tmp_path / "cells.png")


@pytest.mark.parametrize("name", ["spherical", "twist"])
def test_a_shrinking_cell_in_the_plane_and_in_space(name, tmp_path):
    d = len(mv.calculus.COORDINATES[name].variables)
    at, image = np.full(d, 0.7), lambda u: mv.calculus.images(name, u).x
    cell = mv.calculus.shrinking_cell(name, at)
    figure = coordinates.linearised(mv.calculus.change_of_variables(name, at), cell, image)
    assert len(figure.axes) == 4
    assert f"{cell.after[0]:.4g}" in figure.axes[0].get_title(loc="center")
    if d == 2:
        _, linear = figure.axes[0].lines
        x, y = linear.get_data()
        shoelace = abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2
        assert shoelace == pytest.approx(cell.sizes[0] ** 2, rel=1e-12)  # det J = 1
    mv.plots.save(figure, tmp_path / "linear.png")


def test_edges_of_cells():
    square = coordinates.edges(np.zeros(2), np.array([1.0, 2]))
    assert square.shape[0] == 1
    assert (np.abs(square.max(axis=(0, 1)) - [1, 2]) < 1e-12).all()
    assert coordinates.edges(np.zeros(3), np.ones(3)).shape[::2] == (12, 3)


def test_arrows_point_uphill_and_are_left_out_where_nothing_is_known():
    field = mv.calculus.gradient_field(lambda x, y: x + 2 * y, ((0, 1), (0, 1)), 4)
    figure, ax = mv.plots.chart()
    surface.draw_gradient_field(ax, field)
    (arrows,) = ax.collections
    np.testing.assert_allclose(np.asarray(arrows.V) / np.asarray(arrows.U), 2)
    assert ax.get_aspect() == 1
    root = mv.calculus.gradient_field(lambda x, y: jnp.sqrt(x) + y, ((-1, 1), (0, 1)), 5)
    _, ax = mv.plots.chart()
    surface.draw_gradient_field(ax, root)
    assert ax.collections[0].N == 10  # two of five columns have x > 0
    flat = mv.calculus.gradient_field(lambda x, y: 0 * x, ((-1, 1), (0, 1)), 3)
    surface.draw_gradient_field(mv.plots.chart()[1], flat)
    assert figure


def test_the_tangent_plane_touches_and_the_floor_lies_below(tmp_path):
    field = mv.calculus.gradient_field(lambda x, y: x**2 - y, ((-1, 1), (-1, 1)), 20)
    figure = Figure()
    ax = figure.add_subplot(projection="3d")
    surface.draw_surface(ax, surface.Surface(*field[:3]), (0.5, 0.0), 0.25, (1.0, -1.0))
    assert ax.get_zlim()[0] < field.z.min()
    dot = ax.lines[-1].get_data_3d()
    assert [float(np.squeeze(c)) for c in dot] == [0.5, 0, 0.25]
    mv.plots.save(figure, tmp_path / "surface.png")
    mv.plots.save(surface.gradient_seen(field, field, (0.5, 0.0), 0.25, (0.0, 0.0)), tmp_path / "seen.png")


def test_blocks_are_as_large_as_their_matrices_and_fit(tmp_path):
    links = [("y", lambda x: jnp.outer(x, x).reshape(-1), None), ("z", lambda y: y[:3], None)]
    chain = mv.calculus.matrix_chain(links, [1.0, 2, 3, 4])
    figure = products.chain_rule(chain)
    words = [t.get_text() for t in figure.axes[0].texts]
    assert {"3×16", "16×4", "3×4", "∂z/∂y", "∂y/∂x", "∂z/∂x"} <= set(words)
    assert f"{chain.reverse} multiplications" in words
    extents = [image.get_extent() for image in figure.axes[0].images]
    sizes = [((b - a), (d - c)) for a, b, c, d in extents]
    unit = sizes[0][0] / 4
    assert sizes[0] == pytest.approx((4 * unit, 3 * unit))
    assert sizes[1] == pytest.approx((16 * unit, 3 * unit))
    assert figure.get_figwidth() <= 10.7
    assert figure.get_figheight() <= 7.1
    mv.plots.save(figure, tmp_path / "chain.png")
