"""An error that stays when the point is moved by a hair is a mistake, and one that comes out anew is none."""

from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest

import mvcalc_jax as mv
from mvcalc_jax.verify.evidence import Evidence
from mvcalc_jax.verify.report import Leaf
from mvcalc_jax.verify.steadiness import steadied

EXACT = np.array([1.0, -0.7, 1e-6])


def looked_at_again(verdict, size, at, random, rng):
    """A leaf with an error at one entry, after it."""

    def evidence(leaves):
        hand = EXACT.copy()
        hand[at] += size * (rng.standard_normal() if random else 1)
        return Evidence(leaves, [hand], [EXACT], [EXACT])

    first = evidence([np.ones(3)])
    claim = SimpleNamespace(at=lambda leaves, rng: evidence(leaves))
    leaf = Leaf("args[0]", verdict, (3,), size, 0.0, (at,), first.hand[0][at], EXACT[at])
    (found,) = steadied(claim, first, (leaf,), np.random.default_rng(1))
    return found


@pytest.mark.parametrize(("random", "verdict"), [(False, "wrong"), (True, "inconclusive")])
def test_a_large_error_that_comes_out_anew_is_held_against_nobody(random, verdict, rng):
    assert looked_at_again("wrong", 1e-3, 1, random, rng).verdict == verdict


@pytest.mark.parametrize(("random", "verdict"), [(False, "wrong"), (True, "correct")])
def test_a_steady_error_is_found_where_the_largest_entry_hides_it(random, verdict, rng):
    found = looked_at_again("correct", 5e-11, 2, random, rng)
    assert found.verdict == verdict
    if verdict == "wrong":
        assert (found.index, found.autodiff) == ((2,), 1e-6)
        assert found.by_hand == 1e-6 + 5e-11


def stand_in(x, slope):
    """sin(x)/x and its derivative, with this slope at zero."""
    safe = jnp.where(x == 0, 1, x)
    return jnp.where(x == 0, slope, (jnp.cos(safe) - jnp.sin(safe) / safe) / safe)


@pytest.mark.parametrize(("x", "slope", "verdict"), [
    ([0.9, 0.0, 1.4], 0.0, "correct"),
    ([0.9, 0.0, 1.4], -0.3, "wrong"),
    ([0.9, -2.0, 1.4], -0.3, "correct"),  # it is not reached there
    ([0.0, 0.0, 0.0], -0.3, "wrong"),
])  # fmt: skip
def test_what_is_wrong_at_zero_alone_is_found_there(x, slope, verdict):
    f = lambda x: jnp.sinc(x / np.pi).sum()
    report = mv.check_jacobian(f, lambda x: stand_in(x, slope), np.array(x))
    assert report.verdict == verdict
    if verdict == "wrong":
        assert report.reason.endswith(
            "; near the arguments all are right, and wrong at the arguments themselves"
        )
        assert (report.leaves[0].by_hand, report.leaves[0].autodiff) == (-0.3, 0)


def test_at_a_kink_any_slope_between_is_right():
    x = np.array([0.9, 0.0, -1.4])
    for at_zero, verdict in ((0.0, "correct"), (1.0, "correct"), (1.5, "wrong")):
        jac = lambda x, at_zero=at_zero: jnp.where(x == 0, at_zero, jnp.heaviside(x, 0.0))
        report = mv.check_jacobian(lambda x: jnp.maximum(x, 0).sum(), jac, x)
        assert report.verdict == verdict, str(report)
