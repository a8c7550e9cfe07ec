"""The same on a GPU as on the CPU; a separate command, `python -m pytest -m gpu`, where there is one."""

import jax
import numpy as np
import pytest

import mvcalc_jax as mv
from benchmarks import linear
from benchmarks.strd.linear import PROBLEMS
from mvcalc_jax import devices
from mvcalc_jax.fitting import triangle


def gpu():
    try:
        return devices.choose("gpu")
    except ValueError as error:
        pytest.skip(str(error))


pytestmark = [pytest.mark.gpu, pytest.mark.usefixtures("standard_promotion")]


def test_jacobian_and_descent_agree_with_the_cpu(rng, precision):
    device = gpu()
    params, x, y = mv.network.init(rng, (1, 6, 7, 2)), rng.random((1, 50)), rng.random((2, 50))
    options = {
        "steps": 200,
        "learning_rate": 1.0,
        "data": (x, y),
        "cost": mv.network.cost,
        "record_every": 50,
    }
    ends = []
    for where in (device, devices.choose("cpu")):
        with jax.default_device(where):
            result = mv.steepest_descent(mv.network.jacobian, params, **options)
            assert result.params[0].W.devices() == {where}
            ends.append(result.trace.cost)
    np.testing.assert_allclose(*ends, rtol={"float32": 1e-3, "float64": 1e-10}[precision])


def test_check_on_the_gpu(rng):
    with jax.default_device(gpu()):
        params, x, y = mv.network.init(rng, (2, 5, 3)), rng.random((2, 8)), rng.random((3, 8))
        mv.assert_jacobian(mv.network.cost, mv.network.jacobian, params, x, y)


def test_certified_digits_on_the_gpu(monkeypatch):
    """There, too, no contraction spoils what is computed in twice the precision."""
    monkeypatch.setattr(triangle, "EAGER", 0)
    problem = next(problem for problem in PROBLEMS if problem.name == "Filip")
    with jax.default_device(gpu()):
        found = linear.fitted(problem)
    assert linear.lre(found.params, problem.params) >= 12
    assert linear.lre(found.stderr, problem.stderr) >= 12
