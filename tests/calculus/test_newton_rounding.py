"""Newton's method where f is lost in rounding: no sign, jump or cancelled digit is taken for a root."""

import jax.numpy as jnp
import pytest

from mvcalc_jax.calculus import newton
from mvcalc_jax.calculus.rootfinding.outcome import Status

pytestmark = pytest.mark.slow  # under a newer JAX the README's examples stand for all of this


@pytest.mark.parametrize(
    "f",
    [
        lambda x: jnp.sin(x) - x + x**3 / 6,
        lambda x: jnp.arctan(x) - x + x**3 / 3,
        lambda x: jnp.log1p(x) - x + x * x / 2,
        lambda x: jnp.tanh(x) - x + x**3 / 3,
    ],
    ids=["sin", "atan", "log1p", "tanh"],
)
def test_a_sign_that_rounding_changes_is_no_root(f):
    for bracket in ((-1, 2), (-0.7, 1.2), (-0.5, 0.9), (-0.9, 1.4)):
        found = newton(f, bracket=bracket)
        assert not found.success or abs(found.x) <= found.error < 1e-15, found.message


CANCELLING = {
    "exp": (lambda x: jnp.exp(x) - 1 - x, 2),
    "cos": (lambda x: jnp.cos(x) - 1 + x * x / 2, 4),
    "log1p": (lambda x: jnp.log1p(x) - x + x * x / 2, 3),
    "sin": (lambda x: jnp.sin(x) - x + x**3 / 6, 5),
    "atan": (lambda x: jnp.arctan(x) - x + x**3 / 3, 5),
    "sinh": (lambda x: jnp.sinh(x) - x, 3),
}


@pytest.mark.parametrize("name", CANCELLING)
def test_multiple_roots_of_what_cancels(name):
    f, m = CANCELLING[name]
    shifted = lambda x, a, b: f((x - b) / a)
    for x0, a, b in ((1.0, 1.0, 0.0), (0.5, 1.0, 0.0), (-0.7, 1.0, 0.0), (0.9, 2.243, 0.0), (5.1, 3.0, 3.6)):
        found = newton(shifted, x0, args=(a, b))
        assert (found.status, found.multiplicity) == (Status.MULTIPLE, m), found.message
        assert abs(found.x - b) <= max(4 * found.error, 1e-15)
        assert found.error < 1e-13
        assert ("keeps its sign" in found.message) == (m % 2 == 0)


@pytest.mark.parametrize(
    "f", [lambda x: jnp.cosh(x) - 1 + 1e-17, lambda x: jnp.abs(x - 1) + 1e-20], ids=["cosh", "corner"]
)
def test_what_digits_do_not_tell_is_said(f):
    assert "may stay" in newton(f, 3.0).message


def test_nor_where_a_message_led_to_it():
    found = newton(lambda x: jnp.exp(x) - 1 - x, bracket=(9.9594323e-09, 9.9595539e-09))
    assert not found.success
    assert "the digits of f are lost" in found.message


@pytest.mark.parametrize("gap", [1e-6, 1e-9, 1e-13])
def test_a_jump_that_ends_near_zero_is_no_root(gap):
    for f in (
        lambda x: jnp.where(x < 1, x - 2, x - 1 + gap),
        lambda x: jnp.where(x < 1, -1.0, (x - 1) ** 2 + gap),
    ):
        assert newton(f, bracket=(0, 3.3)).status == Status.JUMP
