"""Four ways to one derivative: the errors that compare_gradients prints are what they claim to be."""

import inspect

import numpy as np
import pytest

from mvcalc_jax.models import activations, network
from mvcalc_jax.models import gaussian as gaussian_model
from mvcalc_jax.verify import catalogue, ways


def test_the_catalogue_has_every_derivative_of_the_models():
    known = {derivative.name for derivative in catalogue(0)}
    for module in (activations, gaussian_model, network):
        short = module.__name__.rpartition(".")[2]
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and (
                name.endswith("jacobian") or name.startswith("d_")
            ):
                assert any(entry.split(",")[0] == f"{short}.{name}" for entry in known), name


@pytest.fixture
def gaussian():
    return next(d for d in catalogue(1) if d.name == "gaussian.jacobian")


def test_all_ways_agree_as_far_as_their_precision_allows(gaussian, float64):
    single = gaussian._replace(args=ways.rounded(gaussian.args, np.float32))
    double = gaussian._replace(args=ways.rounded(single.args, np.float64))
    found, exact = ways.four_ways(double), ways.four_ways(double)["reverse mode"]
    assert ways.error(found["by hand"], exact) < 1e-14
    assert ways.error(found["forward mode"], exact) < 1e-14
    assert 1e-13 < ways.error(found["differences"], exact) < 1e-7
    assert 1e-9 < ways.error(ways.four_ways(single)["by hand"], exact) < 1e-5


def test_a_wrong_derivative_shows(gaussian, float64):
    broken = gaussian._replace(jac=lambda *args: 1.001 * gaussian.jac(*args))
    found = ways.four_ways(broken)
    assert ways.error(found["by hand"], found["reverse mode"]) == pytest.approx(1e-3, rel=1e-6)


def test_errors_by_step_make_a_v(gaussian, float64):
    steps = np.array([1e-13, 1e-8, 1e-5, 1e-1])
    errors = ways.errors_by_step(gaussian, ways.four_ways(gaussian)["reverse mode"], steps)
    assert errors["forward"].argmin() == 1
    assert errors["central"].argmin() == 2
    assert errors["central"].min() < errors["forward"].min()


def test_errors_by_step_are_of_all_leaves(float64):
    network = next(d for d in catalogue(1) if d.name == "network.jacobian, tanh")
    exact = ways.four_ways(network)["reverse mode"]
    steps = np.array([1e-8, 1e-5])
    assert ways.errors_by_step(network, exact, steps)["central"][1] < 1e-7
    for k in range(len(exact)):
        wrong = [leaf * (1.5 if j == k else 1) for j, leaf in enumerate(exact)]
        assert (ways.errors_by_step(network, wrong, steps)["central"] > 0.1).all()
