"""Error bars hold, or are infinite, where steps are longer than waves, cross poles, or meet the end of the numbers."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mvcalc_jax.calculus import SLOPE_METHODS, complex_step, derivative
from mvcalc_jax.calculus.slopes.estimates import Status

pytestmark = pytest.mark.slow  # under a newer JAX the README's examples stand for all of this

NEAR = np.float32(0.3183397)
"""Some thousand numbers above 1/π."""
NEAR_A_POLE = {
    "1/(x - 1)": (lambda x: 1 / (x - 1), lambda x: -1 / (x - 1) ** 2, 1.0),
    "1/log": (lambda x: 1 / jnp.log(x), lambda x: -1 / (x * math.log(x) ** 2), 1.0),
    "log |x - 1|": (lambda x: jnp.log(jnp.abs(x - 1)), lambda x: 1 / (x - 1), 1.0),
    "1/sin": (lambda x: 1 / jnp.sin(x), lambda x: -math.cos(x) / math.sin(x) ** 2, math.pi),
    "1/sin, farther": (lambda x: 1 / jnp.sin(x), lambda x: -math.cos(x) / math.sin(x) ** 2, 355.0),
    "tan": (jnp.tan, lambda x: 1 / math.cos(x) ** 2, math.pi / 2),
}


@pytest.mark.long
@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("name", NEAR_A_POLE)
def test_beside_a_pole_a_bar_holds_or_is_infinite_and_there_is_no_jump(name, precision):
    f, slope, pole = NEAR_A_POLE[name]
    pole = np.asarray(pole, precision)
    x = np.array(
        [pole + k * np.spacing(pole) for k in (-1000, -30, -2, -1, 1, 2, 3, 10, 100, 10000)], precision
    )
    exact = np.array([slope(float(a)) for a in x])
    for method in SLOPE_METHODS:
        if method == "complex step" and name.startswith("log"):
            continue
        found = derivative(f, x, method)
        assert not (np.abs(found.value - exact) > 10 * found.error).any(), method
        assert not np.isin(found.status, [Status.JUMP, Status.KINK]).any(), method


@pytest.mark.long
@pytest.mark.parametrize(
    ("f", "x", "exact"),
    [
        (jnp.sin, np.float64(1e8), math.cos(1e8)),
        (jnp.sin, np.float32(1e8), math.cos(1e8)),
        (jnp.sin, np.float32(1e6), math.cos(1e6)),
        (lambda x: jnp.sin(1e12 * x), 1.0, 1e12 * math.cos(1e12)),
        (lambda x: 1 / jnp.sin(1 / x), NEAR, math.cos(1 / NEAR) / (NEAR * math.sin(1 / NEAR)) ** 2),
        (jnp.tanh, 100.0, 4 * math.exp(-200)),
        (jnp.tanh, np.float32(100), 0.0),
        (jnp.tanh, 20.0, 4 * math.exp(-40)),
        (jax.nn.sigmoid, 200.0, math.exp(-200)),
        (lambda x: 1e6 + 1e-3 * jnp.sin(x), np.float32(1e4), 1e-3 * math.cos(1e4)),
        (lambda x: x**2, 1e-160, 2e-160),
        (lambda x: x**2, np.float32(1e-20), 2e-20),
        (lambda x: x + 1e200 * x**2, 1e-150, 1 + 2e50),
        (lambda x: 1 / x, 1e-150, -1e300),
        (jnp.sqrt, 1e-300, 5e149),
        (jnp.exp, -700.0, math.exp(-700)),
    ],
    ids=range(16),
)
def test_the_bar_holds_at_every_size(f, x, exact):
    for method in SLOPE_METHODS:
        found = derivative(f, x, method)
        assert found.status in (Status.FOUND, Status.NOISE), method
        assert not abs(found.value - exact) > 10 * found.error, method


@pytest.mark.parametrize("power", [2, 3])
def test_the_complex_step_scales_with_the_numbers(power):
    x = np.array([1e-150, 3e-140, -1e-100, 1e-50, 1e60, 1e100])
    found = complex_step(lambda x: x**power, x)
    exact = power * x ** (power - 1)
    there = np.isfinite(x**power) & (np.abs(x**power) > 1e-302)
    np.testing.assert_allclose(found.value[there], exact[there], rtol=1e-14)
