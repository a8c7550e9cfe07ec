"""Pictures of one neuron and of the step to networks: paths, answers, factors in order, gradients by layer."""

import numpy as np

import mvcalc_jax as mv
from mvcalc_jax.plots import neuron
from mvcalc_jax.plots.surface import Surface


def test_the_path_the_cost_and_the_answers(tmp_path):
    w = np.linspace(-2, 2, 20)
    surface = Surface(w, w, np.add.outer(w**2, w**2))
    path, cost = np.array([[1.5, 1.0], [0.5, 0.2], [0.1, 0.0]]), np.array([3.25, 0.29, 0.01])
    total = np.linspace(-0.4, 1.4, 9)
    response = neuron.Response(total, total, 1 - total, np.array([0.0, 1]), np.array([1.0, 0]))
    figure = neuron.learned(surface, path, cost, response, np.array([0.0, 0.0]))
    left, middle, right = figure.axes
    np.testing.assert_array_equal(np.array(left.lines[0].get_data()).T, path)
    assert [t.get_text() for t in left.texts] == ["start", "better: (0, 0)"]
    np.testing.assert_array_equal(middle.lines[0].get_ydata(), cost)
    assert right.get_xlabel() == "x"
    np.testing.assert_array_equal(right.lines[2].get_ydata(), response.target)
    mv.plots.save(figure, tmp_path / "learned.png")


def test_factors_stand_in_the_order_in_which_they_are_multiplied(rng, float64, tmp_path):
    x, y = np.array([[0.8]]), np.zeros((1, 1))
    chains = [mv.network.factors(mv.network.init(rng, sizes), x, y) for sizes in ((1, 1), (1, 3, 1))]
    figure = neuron.growing(chains)
    words = [t.get_text() for t in figure.axes[0].texts]
    names = [word for word in words if word.startswith("∂")]
    expected = [[f.name for f in chain.path("W1")] for chain in chains]
    assert names == ["∂C/∂W¹", *expected[0], "∂C/∂W¹", *expected[1]]
    assert [word for word in words if "layer" in word] == ["1 layer", "2 layers"]
    matrices = [np.asarray(image.get_array()) for image in figure.axes[0].images]
    whole, *factors = matrices[4:]
    product = factors[0]
    for factor in factors[1:]:
        product = product @ factor
    np.testing.assert_allclose(product, whole, rtol=1e-12)
    mv.plots.save(figure, tmp_path / "factors.png")


def test_gradients_by_layer_with_powers_of_a_quarter(tmp_path):
    sizes = {"tanh": np.array([1, 0.5, 0.3]), "logistic": np.array([0.2, 0.04, 0.008])}
    figure = neuron.vanishing(sizes, "logistic")
    tanh, logistic, quarter = (line.get_ydata() for line in figure.axes[0].lines)
    np.testing.assert_array_equal(tanh, sizes["tanh"])
    np.testing.assert_array_equal(logistic, sizes["logistic"])
    np.testing.assert_allclose(quarter, [0.2, 0.05, 0.0125])
    mv.plots.save(figure, tmp_path / "vanishing.png")
