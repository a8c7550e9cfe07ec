"""Arguments at which an operation's two sides meet, and those that reach one side alone, are named."""

import jax.numpy as jnp
import numpy as np
import pytest

import mvcalc_jax as mv

MET = {
    "a maximum": (lambda x: jnp.maximum(x, 1.0).sum(), lambda x: 0.5 + 0.5 * jnp.sign(x - 1), "the maximum"),
    "an absolute value": (lambda x: jnp.abs(x - 1).sum(), lambda x: jnp.sign(x - 1), "the absolute value"),
    "a guarded choice": (  # smooth: the derivative is right at 1, too, and nothing may say that none is
        lambda x: jnp.where(x > 1, x**2, 2 * x - 1).sum(),
        lambda x: jnp.where(x > 1, 2 * x, 2.0),
        "`gt`",
    ),
}


@pytest.mark.parametrize("how", MET)
def test_two_sides_that_meet_are_named_and_no_derivative_is_denied(how):
    f, jac, what = MET[how]
    report = mv.check_jacobian(f, jac, np.array([1.0, 2.0]))
    assert report.verdict == "correct", str(report)
    (said,) = (said for said in report.adequacy.warnings if "meet" in said)
    assert said.startswith(f"the two sides of {what} in `")
    assert said.endswith("meet at these arguments: is there one derivative?")
    assert not any(
        "meet" in said for said in mv.check_jacobian(f, jac, np.array([0.7, 2.0])).adequacy.warnings
    )


@pytest.mark.parametrize("x", [(1.7, 2.0), (0.3, 0.5)], ids=["above", "below"])
def test_a_maximum_of_which_one_side_is_reached(x):
    f, jac, _ = MET["a maximum"]
    report = mv.check_jacobian(f, jac, np.array(x))
    assert any(said.startswith("one side alone of the maximum in `") for said in report.adequacy.warnings)
