"""The course's functions: closed forms against autodiff, the traced rules, and the numbers known."""

import numpy as np
import pytest

from mvcalc_jax.calculus import WORKED, trace_rules

NAMES = [one.formula for one in WORKED]


@pytest.mark.parametrize("worked", WORKED, ids=NAMES)
def test_by_hand_by_autodiff_by_rules_and_as_known(worked):
    known = np.asarray(worked.known, float)
    found = [worked.by_hand(), worked.by_autodiff()]
    if worked.kind == "gradient":
        found.append(np.ravel(trace_rules(worked.f)(*worked.at).gradient))
    for one in found:
        assert one.shape == known.shape
        np.testing.assert_allclose(
            one, known, rtol=0, atol=10.0**-worked.digits * max(1, np.abs(known).max())
        )


def test_closed_forms_hold_elsewhere(rng):
    for worked in WORKED:
        moved = worked._replace(at=tuple(x + 0.07 * float(rng.random()) for x in worked.at))
        by_hand, by_machine = moved.by_hand(), moved.by_autodiff()
        np.testing.assert_allclose(by_hand, by_machine, rtol=1e-12, atol=1e-12, err_msg=worked.formula)


def test_determinants_and_the_total_derivative():
    named = dict(zip(NAMES, WORKED, strict=True))
    polar = named["(r cos φ, r sin φ), polar"]
    assert np.linalg.det(polar.by_hand()) == pytest.approx(polar.at[0], rel=1e-14)
    spherical = next(w for name, w in named.items() if "spherical" in name)
    r, _, φ = spherical.at
    assert np.linalg.det(spherical.by_hand()) == pytest.approx(-(r**2) * np.sin(φ), rel=1e-14)
    total = next(w for w in WORKED if w.topic == "total")
    t, partial = total.at[0], named["sin(x) e^(yz²)"]
    dx = np.array([1, 2 * t, -1 / t**2])
    parts = partial._replace(at=(t - 1, t**2, 1 / t)).by_hand()
    assert parts @ dx == pytest.approx(np.e * np.cos(t - 1), rel=1e-14)


def test_the_second_derivative_of_a_worked_gradient_is_symmetric():
    for worked in WORKED:
        if worked.kind == "hessian":
            H = worked.by_hand()
            np.testing.assert_array_equal(H, H.T)
            assert float(np.abs(H).max()) > 0
