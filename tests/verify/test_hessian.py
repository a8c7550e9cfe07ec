"""Hessians: symmetric ones and others, by one argument or several."""

import jax.numpy as jnp
import numpy as np
import pytest

import mvcalc_jax as mv

pytestmark = pytest.mark.slow  # what a newer JAX may break is tested in less time elsewhere

X = np.array([1.3, 0.4, 2.2, 0.9])
Y = np.array([0.7, -1.2, 1.9])


def f(x):
    return jnp.exp(jnp.sin(x).sum())


def hess(x):
    c = jnp.cos(x)
    return f(x) * (c[:, None] * c[None, :] - jnp.diag(jnp.sin(x)))


def test_a_right_hessian():
    report = mv.check_hessian(f, hess, X)
    assert report.verdict == "correct"
    assert [(leaf.path, leaf.shape) for leaf in report.leaves] == [("args[0]", (4, 4))]
    assert "autodiff of the gradient of" in report.reason
    assert report.again == "check_hessian(test_hessian.f, test_hessian.hess, *args, argnums=0, seed=0)"
    mv.assert_hessian(f, hess, X)


HALF = lambda H: jnp.triu(H) - jnp.diag(jnp.diag(H)) / 2
ASYMMETRIC = {
    "one triangle": (jnp.triu, "only the upper triangle is right"),
    "the other triangle": (jnp.tril, "only the lower triangle is right"),
    "half of it": (HALF, "add its transpose"),
    "one entry": (lambda H: H.at[0, 2].multiply(2), "only the lower triangle is right"),
    "an antisymmetric part": (lambda H: H + jnp.triu(H) - jnp.tril(H), "the mean of it and its transpose"),
}


@pytest.mark.parametrize("how", ASYMMETRIC)
def test_a_hessian_that_is_not_symmetric(how):
    change, said = ASYMMETRIC[how]
    report = mv.check_hessian(f, lambda x: change(hess(x)), X)
    assert report.verdict == "wrong"
    assert (report.diagnoses[0].kind, report.diagnoses[0].certified) == ("asymmetric", True)
    assert said in report.diagnoses[0].detail
    with pytest.raises(AssertionError, match="must be symmetric and is not"):
        mv.assert_hessian(f, lambda x: change(hess(x)), X)


def test_a_hessian_without_its_outer_product():
    """The Hessian of a sum is diagonal; that of a function of a sum is not."""
    report = mv.check_hessian(f, lambda x: f(x) * -jnp.diag(jnp.sin(x)), X)
    assert report.verdict == "wrong"
    assert report.diagnoses[0].kind in ("missing-term", "missing-support")


def pair(x, y):
    return jnp.sin(x).sum() * (y**2).sum()


def blocks(x, y):
    xy = 2 * jnp.cos(x)[:, None] * y[None, :]
    eye = jnp.eye(3, dtype=y.dtype)
    return (-jnp.diag(jnp.sin(x)) * (y**2).sum(), xy), (xy.T, 2 * jnp.sin(x).sum() * eye)


def test_several_arguments_have_a_block_for_each_pair():
    report = mv.check_hessian(pair, blocks, X, Y, argnums=(0, 1))
    assert report.verdict == "correct"
    assert [leaf.path for leaf in report.leaves] == [
        f"args[{i}] by args[{j}]" for i in (0, 1) for j in (0, 1)
    ]
    assert [leaf.shape for leaf in report.leaves] == [(4, 4), (4, 3), (3, 4), (3, 3)]

    def doubled(x, y):
        (xx, xy), (yx, yy) = blocks(x, y)
        return (xx, xy), (2 * yx, yy)

    report = mv.check_hessian(pair, doubled, X, Y, argnums=(0, 1))
    assert [leaf.path for leaf in report.leaves if leaf.verdict == "wrong"] == ["args[1] by args[0]"]
    assert (report.diagnoses[0].kind, report.diagnoses[0].where) == ("scale", "args[1] by args[0]")


def test_trees_have_paths():
    g = lambda p: p["a"] * (p["b"] ** 3).sum()

    def tree(p):
        ab = 3 * p["b"] ** 2
        return {
            "a": {"a": jnp.zeros_like(p["a"]), "b": ab},
            "b": {"a": ab, "b": jnp.diag(6 * p["a"] * p["b"])},
        }

    report = mv.check_hessian(g, tree, {"a": np.array(1.7), "b": Y})
    assert report.verdict == "correct"
    assert [leaf.path for leaf in report.leaves][1] == "args[0]['a'] by args[0]['b']"


def test_what_has_no_hessian(unchecked):
    report = mv.check_hessian(jnp.sin, hess, X)
    assert report.verdict == "inconclusive"
    assert "scalar" in report.reason
    with pytest.raises(TypeError, match="`f` must be a function"):
        mv.check_hessian(None, hess, X)
