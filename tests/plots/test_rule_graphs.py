"""The graph of a traced function: every step and derivative is in it, nothing lies on anything else."""

import jax.numpy as jnp
import numpy as np
import pytest
from matplotlib.offsetbox import AnnotationBbox, TextArea

import mvcalc_jax as mv
from mvcalc_jax.calculus import trace_rules
from mvcalc_jax.plots import layers, rules
from tests.cases import long


@pytest.fixture(autouse=True)
def _style():
    with mv.plots.style():
        yield


FUNCTIONS = {
    "quotient": (lambda x: jnp.sin(2 * x**5 + 3 * x) / jnp.exp(7 * x), (0.5,)),
    "three": (lambda x, y, z: jnp.sin(x) * jnp.exp(y * z**2), (0.5, 1.0, 0.8)),
    "wide": (lambda x: sum(jnp.sin(k * x) for k in range(1, 8)), (0.3,)),
    "branch": (lambda x: jnp.where(x > 0, x**2, -x), (1.0,)),
    "arrays": (lambda x: jnp.sum(jnp.tanh(np.eye(2) @ x) ** 2), (np.array([0.2, 0.4]),)),
    "itself": (lambda x: x, (1.0,)),
}


def boxes(figure):
    """The box of every node, by its first line."""
    figure.draw_without_rendering()
    found = {}
    for artist in figure.axes[0].artists:
        assert isinstance(artist, AnnotationBbox)
        lines = [area.get_text() for area in artist.offsetbox.get_children() if isinstance(area, TextArea)]
        found[lines[0]] = artist.patch.get_window_extent(), lines
    return found


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        *((name, "reverse") for name in FUNCTIONS),
        *((name, "forward") for name in ("three", "arrays")),
        *(long(name, "forward") for name in ("quotient", "wide", "branch", "itself")),
    ],
)
def test_every_step_has_a_box_with_its_value_and_derivative(name, mode):
    f, at = FUNCTIONS[name]
    trace = trace_rules(f, mode=mode)(*at)
    figure = rules.graph(trace)
    assert figure.get_size_inches()[0] <= 11
    found = boxes(figure)
    assert set(found) == {i.name for i in trace.inputs} | {f"{s.name} = {s.formula}" for s in trace.steps}
    for step in trace.steps:
        lines = found[f"{step.name} = {step.formula}"][1]
        assert len(lines) == 2 + (step.accumulated is not None)
    everything = [box for box, _ in found.values()]
    for k, a in enumerate(everything):
        assert figure.bbox.x0 <= a.x0
        assert a.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= a.y0
        assert a.y1 <= figure.bbox.y1
        assert not any(a.overlaps(b) for b in everything[:k])


def test_edges_have_the_local_derivatives():
    trace = trace_rules(FUNCTIONS["quotient"][0])(0.5)
    said = {text.get_text() for text in rules.graph(trace).axes[0].texts}
    assert {"cos(v4)\n0.008296", "5·x⁴\n0.3125", "7", "1/v7\n0.0302"} <= said


def test_too_large_a_graph_is_refused():
    trace = trace_rules(lambda x: sum(jnp.sin(k * x) for k in range(20)))(0.3)
    with pytest.raises(ValueError, match="`trace` must have at most 25 steps and arguments to be drawn; got"):
        rules.graph(trace)


def test_layers_go_down_and_edges_pass_through_every_layer(rng):
    parents = {}
    for k in range(16):
        above = rng.choice(list(parents), min(k, 2), replace=False) if k else []
        parents[f"n{k}"] = tuple(map(str, above))
    places = layers.placed(parents)
    for node, above in parents.items():
        for parent in above:
            path = places.edges[parent, node]
            assert path[0] == places.nodes[parent]
            assert path[-1] == places.nodes[node]
            assert [y for _, y in path] == list(range(path[0][1], path[-1][1] + 1))
    rows = {}
    for x, y in places.nodes.values():
        rows.setdefault(y, []).append(x)
    assert all(np.diff(sorted(row)).min(initial=1) >= 1 - 1e-9 for row in rows.values())


def test_a_planar_graph_is_drawn_without_crossings():
    tree = {"r": (), "a": ("r",), "b": ("r",), "c": ("b",), "d": ("a",), "e": ("b",), "f": ("a",)}
    x = {node: place[0] for node, place in layers.placed(tree).nodes.items()}
    assert (x["a"] < x["b"]) == (max(x["d"], x["f"]) < min(x["c"], x["e"]))
