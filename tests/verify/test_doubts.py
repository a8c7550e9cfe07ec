"""What the checker does not know: it says so, and holds nothing against the hand that may be the machine's fault."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mvcalc_jax as mv

pytestmark = [
    pytest.mark.slow,  # what a newer JAX may break is tested in less time elsewhere
    pytest.mark.usefixtures("unexplained"),
]


def test_functions_that_allow_one_mode_only():
    loop = lambda x: jax.lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, c[1] * x), (0, x))[1]
    report = mv.check_jacobian(loop, lambda x: 4 * x**3, jnp.array(1.3))
    assert report.verdict == "correct"
    assert "agrees with forward-mode autodiff of" in report.reason
    assert "the other mode cannot differentiate it" in report.reason

    @jax.custom_vjp
    def square(x):
        return x**2

    square.defvjp(lambda x: (x**2, x), lambda x, g: (2 * x * g,))
    assert mv.check_jacobian(square, lambda x: 2 * x, jnp.array(1.3)).verdict == "correct"


@pytest.mark.parametrize(
    ("f", "x", "reason"),
    [
        (lambda x: jnp.sum(jnp.sqrt(x - 5)), jnp.ones(2), "infinite or NaN at these arguments"),
        (lambda x: x.nope, jnp.ones(2), "raises AttributeError"),
        (lambda x: jnp.ones(10**5) * x.sum(), jnp.ones(10**4), "too many to form"),
        (lambda x: jnp.round(x).astype(int), jnp.ones(2), "must be floating-point to have a derivative"),
        (lambda x: jnp.asarray(np.asarray(x)), jnp.ones(2), "autodiff cannot differentiate f: "),
    ],
)
def test_inconclusive_says_why(f, x, reason):
    report = mv.check_jacobian(f, lambda x: x, x)
    assert report.verdict == "inconclusive"
    assert reason in report.reason


@jax.custom_jvp
def two_faced(x):
    """x², whose derivative is 2x in forward mode and 3x in reverse."""
    return x**2


@two_faced.defjvp
def _(primals, tangents):
    return primals[0] ** 2, linear(primals[0], tangents[0])


def linear(x, tangent):
    """2x·tangent, whose transpose is 3x."""
    solve = lambda _, t: 2 * x * t
    transposed = lambda _, g: 3 * x * g
    return jax.lax.custom_linear_solve(lambda t: t, tangent, solve, transposed)


def test_disagreeing_modes_are_not_held_against_the_hand():
    x = jnp.array(1.5)
    assert jax.jacfwd(two_faced)(x) == 3 and jax.jacrev(two_faced)(x) == 4.5
    for jac in (lambda x: 2 * x, lambda x: 3 * x, lambda x: 2.5 * x):
        report = mv.check_jacobian(two_faced, jac, x)
        assert report.verdict == "inconclusive"
        assert "disagree, so neither can be the judge" in report.reason
    assert mv.check_jacobian(two_faced, lambda x: -99 * x, x).verdict == "wrong"  # that is not their quarrel


def test_rounding_inside_is_not_held_against_the_hand():
    f = lambda x: jnp.sum(jnp.tanh(x.astype("float32"))).astype(float)
    right = lambda x: 1 - jnp.tanh(x) ** 2
    x = jnp.linspace(0.1, 1, 5)
    report = mv.check_jacobian(f, right, x)
    assert report.verdict == "inconclusive"
    assert "computes with fewer digits than float64 has: an error below 1e-04" in report.reason
    assert mv.check_jacobian(f, lambda x: 1.01 * right(x), x).verdict == "wrong"
    exact = lambda x: jnp.sum(jnp.tanh(x))
    for rounded in (
        lambda x: right(x.astype("float32")),
        lambda x: np.asarray(right(x), "float32"),
        lambda x: right(jax.jit(lambda x: x.astype("bfloat16"))(x)),
    ):
        assert mv.check_jacobian(exact, rounded, x).verdict == "inconclusive"


@pytest.mark.parametrize(("x", "points"), [(0.1, "3 points"), (0.95, "2 points"), (0.99, "1 point")])
def test_points_outside_the_domain_are_left_out_and_counted(x, points):
    """arcsin ends at 1; with seed 1 the points nearby lie at 1.035 x and 1.082 x."""
    f = lambda x: jnp.sum(jnp.arcsin(x))
    report = mv.check_jacobian(f, lambda x: 1 / jnp.sqrt(1 - x**2), jnp.array([x]), seed=1)
    assert report.verdict == "correct"
    assert f"at {points}, " in report.reason


FINER_THAN_AUTODIFF = {
    "tanh": (lambda x: jnp.tanh(x).sum(), lambda x: 1 / jnp.cosh(x) ** 2, [8.0, -9.0]),
    "tanh, saturated": (lambda x: jnp.tanh(x).sum(), lambda x: 1 / jnp.cosh(x) ** 2, [18.0, -17.0, 16.0]),
    "logistic": (
        lambda x: jax.nn.sigmoid(x).sum(),
        lambda x: jax.nn.sigmoid(x) * jax.nn.sigmoid(-x),
        [15.0, 16],
    ),
    "log logistic": (lambda x: jnp.log(jax.nn.sigmoid(x)).sum(), lambda x: jax.nn.sigmoid(-x), [30.0, 25.0]),
    "each": (jax.nn.sigmoid, lambda x: jnp.diag(jax.nn.sigmoid(x) * jax.nn.sigmoid(-x)), [30.0, 25.0, 20.0]),
}


@pytest.mark.parametrize("case", FINER_THAN_AUTODIFF)
def test_a_formula_that_is_finer_than_autodiff_is_not_wrong(case):
    f, jac, x = FINER_THAN_AUTODIFF[case]
    assert mv.check_jacobian(f, jac, np.array(x)).verdict != "wrong"
    assert mv.check_jacobian(f, jac, np.array(x) / 10).verdict == "correct"
    assert mv.check_jacobian(f, lambda x: 1.001 * jac(x), np.array(x) / 10).verdict == "wrong"


def test_a_gradient_that_is_all_rounding_is_decided_elsewhere(rng):
    X, y = np.vander(np.linspace(0, 1, 9), 4), np.sin(np.linspace(0, 1, 9))
    best = np.linalg.lstsq(X, y, rcond=None)[0]
    f, expanded = (
        lambda w, X, y: ((X @ w - y) ** 2).mean(),
        lambda w, X, y: 2 * (X.T @ X @ w - X.T @ y) / len(y),
    )
    report = mv.check_jacobian(f, expanded, best, X, y)
    assert report.verdict == "correct"
    assert "at 2 points" in report.reason
    assert mv.check_jacobian(f, lambda *args: -expanded(*args), best, X, y).verdict == "wrong"


def test_a_kink_is_not_held_against_the_hand():
    x = np.zeros(2)
    assert mv.check_jacobian(lambda x: jnp.abs(x).sum(), jnp.sign, x).verdict == "correct"
    assert mv.check_jacobian(lambda x: jnp.abs(x).sum(), lambda x: -jnp.sign(x), x).verdict == "wrong"


def test_few_digits_anywhere_do_not_excuse_everything():
    f = lambda x, t: (x**2).sum() + 0 * t.astype(jnp.bfloat16).sum().astype(float)
    assert mv.check_jacobian(f, lambda x, t: -2 * x, np.arange(1.0, 4), np.ones(2)).verdict == "wrong"


def test_what_f_leaves_behind_for_jac_is_said():
    class Net:
        def cost(self, x):
            self.z = jnp.tanh(x)
            return (self.z**2).sum()

        def jac(self, x):
            return 2 * self.z * (1 - self.z**2)

    net = Net()
    report = mv.check_jacobian(net.cost, net.jac, np.array([0.3, 0.5, -1.0]))
    assert report.verdict == "inconclusive"
    assert "jac uses something that" in report.reason


def test_a_mode_that_would_fill_the_memory_is_left_out(rng):
    params = mv.network.init(rng, (1, 300, 300, 2))
    data = rng.random((1, 4)), rng.random((2, 4))
    report = mv.check_jacobian(mv.network.cost, mv.network.jacobian, params, *data)
    assert report.verdict == "correct"
    assert "agrees with reverse-mode autodiff" in report.reason
    assert "the other mode would take too much memory" in report.reason
