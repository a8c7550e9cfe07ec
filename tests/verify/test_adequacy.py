"""What "correct" is worth: mistakes planted into a right derivative, and arguments that hide them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mvcalc_jax as mv
from mvcalc_jax.verify.adequacy import adequate
from mvcalc_jax.verify.evidence import Block, Evidence
from mvcalc_jax.verify.points import taken_apart

pytestmark = pytest.mark.slow  # what a newer JAX may break is tested in less time elsewhere


def test_at_a_random_point_all_planted_mistakes_are_noticed(rng):
    x = rng.standard_normal((3, 4))
    f = lambda W: jnp.sin(W).sum()
    report = mv.check_jacobian(f, jnp.cos, x)
    assert report.adequacy.caught == report.adequacy.planted == 4 + 2 + 2 * 2  # of all, one entry, each axis
    assert report.adequacy.invisible == () and report.adequacy.warnings == ()
    assert f"adequacy: would have caught {report.adequacy.caught} of" in str(report)


def test_of_a_single_entry_none_is_one_of_many():
    report = mv.check_jacobian(lambda x: jnp.sin(x).sum(), jnp.cos, np.ones(1))
    assert report.adequacy.caught == report.adequacy.planted == 4


def test_a_symmetric_derivative_hides_its_transpose(rng):
    A = rng.standard_normal((3, 3))
    f = lambda W: (W * (A + A.T)).sum() + (W**2).sum() / 2
    report = mv.check_jacobian(f, lambda W: A + A.T + W, np.ones((3, 3)))
    assert not any("a transpose" in said for said in report.adequacy.invisible)
    f = lambda W: (W * (A + A.T)).sum()
    report = mv.check_jacobian(f, lambda W: A + A.T, A)
    assert any("a transpose is invisible, for it is symmetric" in said for said in report.adequacy.invisible)
    assert report.adequacy.caught < report.adequacy.planted


def test_a_derivative_that_is_zero_hides_its_factor():
    report = mv.check_jacobian(lambda x, y: (x**2).sum() + 0 * y.sum(), lambda x, y: (2 * x, 0 * y),
                               np.arange(1.0, 4), np.ones(2), argnums=(0, 1))  # fmt: skip
    assert report.verdict == "correct"
    assert any(
        "in args[1] a wrong factor is invisible, for it is zero" in said for said in report.adequacy.invisible
    )


def test_a_constant_derivative_hides_the_order_of_its_entries():
    report = mv.check_jacobian(lambda x: x.sum(), lambda x: np.ones(4), np.arange(1.0, 5))
    assert any("in reverse" in said for said in report.adequacy.invisible)


HIDING = {
    "zeros": (np.zeros((3, 2)), "all zeros, which hides factors: args[1]"),
    "ones": (np.ones((3, 2)), "1.0 throughout, which hides mixed up entries: args[1]"),
    "symmetric": (np.array([[1.0, 2], [2, 3]]), "symmetric, which hides a transpose: args[1]"),
    "unique indices": (
        np.array([2, 0, 1]),
        "with no number twice, which hides sums over repeated indices: args[1]",
    ),
    "a batch of one": (
        np.array([[1.0, 2, 3]]),
        "with an axis of length 1, which hides sums and means over it: args[1]",
    ),
}


@pytest.mark.parametrize("how", HIDING)
def test_arguments_that_hide_mistakes_are_named(how):
    other, said = HIDING[how]
    report = mv.check_jacobian(
        lambda x, y: (x**2).sum(), lambda x, y: 2 * x, np.array([1.3, 0.4, 2.2]), other
    )
    assert report.verdict == "correct"
    assert any(warning.startswith(said) for warning in report.adequacy.warnings), report.adequacy.warnings
    assert said in str(report)


def test_what_several_arguments_hide_is_said_once():
    x = {"a": np.array([[1.3, 0.4]]), "b": np.array([[2.2], [0.7]])}
    report = mv.check_jacobian(
        lambda x: (x["a"] ** 2).sum() + (x["b"] ** 2).sum(), lambda x: jax.tree.map(lambda v: 2 * v, x), x
    )
    (said,) = report.adequacy.warnings
    assert said.endswith("over it: (args[0]['a'], args[0]['b'])")


def test_arguments_that_hide_nothing_are_not(rng):
    report = mv.check_jacobian(
        lambda x, y, i: (x[i] ** 2).sum() + 0 * y.sum(),
        lambda x, y, i: jnp.zeros_like(x).at[i].add(2 * x[i]),
        rng.standard_normal(3), rng.standard_normal((3, 2)), np.array([0, 2, 2]),
    )  # fmt: skip
    assert report.verdict == "correct"
    assert report.adequacy.warnings == ()


def test_a_wrong_derivative_has_no_worth():
    assert mv.check_jacobian(lambda x: (x**2).sum(), lambda x: x, np.ones(2)).adequacy is None


def test_a_mistake_that_shows_at_one_point_is_caught():
    """At the first point the leaf is zero, at the second it is not; with the first alone nothing shows."""
    point = taken_apart((np.array([1.0, 2]),), lambda *_: True)
    zero, other = np.zeros(2), np.array([1.0, 3])
    at = [Evidence(point.leaves, [h], [h], [h]) for h in (zero, other)]
    block = [Block("args[0]", (), (2,))]
    assert adequate(point, block, at[:1], 1e-10).caught == 0
    worth = adequate(point, block, at, 1e-10)
    assert worth.caught == worth.planted > 0
    assert adequate(point, block, at, 1e9).caught == 0
