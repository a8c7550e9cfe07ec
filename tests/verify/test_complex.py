"""Complex numbers: holomorphic functions, real functions of complex arguments, and those without a Jacobian."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mvcalc_jax as mv

pytestmark = pytest.mark.usefixtures("standard_promotion")  # real and complex numbers are mixed throughout

Z = np.array([1.2 - 0.7j, 0.3 + 1.1j, -0.8 + 0.5j])
M = np.array([[1 + 2j, 0.5j, -1], [0.3, 2 - 1j, 1j]])


def cubic(z):
    return z**3 + 1j * z


def d_cubic(z):
    return jnp.diag(3 * z**2 + 1j)


def test_a_holomorphic_function_has_a_jacobian_of_complex_numbers():
    report = mv.check_jacobian(cubic, d_cubic, Z)
    assert report.verdict == "correct"
    assert isinstance(report.leaves[0].by_hand, complex)
    assert mv.check_jacobian(lambda z: jnp.asarray(M) @ z, lambda z: M, Z).verdict == "correct"


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (jnp.conj, "conjugate"),
        (jnp.negative, "sign"),
        (lambda J: 2 * J, "scale"),
        (lambda J: 1j * J, "scale"),
    ],
)
def test_a_wrong_one_is_found_and_explained(change, kind):
    report = mv.check_jacobian(cubic, lambda z: change(d_cubic(z)), Z)
    assert report.verdict == "wrong"
    assert (report.diagnoses[0].kind, report.diagnoses[0].certified) == (kind, True)


def test_real_functions_of_complex_arguments_have_the_gradient_that_jax_returns():
    f = lambda z: (jnp.abs(z) ** 2).sum()
    assert mv.check_jacobian(f, lambda z: 2 * jnp.conj(z), Z).verdict == "correct"
    report = mv.check_jacobian(f, lambda z: 2 * z, Z)
    assert report.verdict == "wrong"
    assert report.diagnoses[0].kind == "conjugate"


def test_complex_functions_of_real_arguments():
    f = lambda x: jnp.exp(1j * x.astype(complex))
    x = np.array([0.4, 1.7])
    assert mv.check_jacobian(f, lambda x: jnp.diag(1j * f(x)), x).verdict == "correct"
    report = mv.check_jacobian(f, lambda x: jnp.diag(-1j * jnp.conj(f(x))), x)
    assert (report.verdict, report.diagnoses[0].kind) == ("wrong", "conjugate")


@pytest.mark.parametrize("f", [jnp.conj, lambda z: z * jnp.conj(z), lambda z: z.real + 0j * z])
def test_what_is_not_holomorphic_has_none(f):
    report = mv.check_jacobian(f, lambda z: jnp.diag(z), Z)
    assert report.verdict == "inconclusive"
    assert "is not holomorphic" in report.reason


def power(z):
    return (jnp.abs(z) ** 2).sum() ** 2


def test_backward_passes_of_complex_arguments():
    keep = lambda z: (power(z), z)
    right = lambda z, g: (4 * g * (jnp.abs(z) ** 2).sum() * jnp.conj(z),)
    assert mv.check_vjp(power, keep, right, Z).verdict == "correct"
    report = mv.check_vjp(power, keep, lambda z, g: (jnp.conj(right(z, g)[0]),), Z)
    assert report.verdict == "wrong"
    assert (report.diagnoses[0].kind, report.diagnoses[0].certified) == ("conjugate", True)


def test_complex_numbers_where_real_ones_belong_are_wrong():
    report = mv.check_jacobian(lambda x: (x**2).sum(), lambda x: 2 * x + 0j, np.ones(2))
    assert report.verdict == "wrong"
    assert "must be of real numbers; got complex128" in report.reason


def test_strict_promotion_is_the_users_choice_and_not_the_checkers_end():
    with jax.numpy_dtype_promotion("strict"):
        assert mv.check_jacobian(jnp.sin, lambda z: jnp.diag(jnp.cos(z)), Z).verdict == "correct"
