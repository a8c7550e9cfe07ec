"""Every kind of mistake is called by its name, at its line, and no right leaf is blamed."""

import inspect

import jax.numpy as jnp
import numpy as np
import pytest

import mvcalc_jax as mv
from mvcalc_jax.verify.causes.search import KINDS
from tests.verify.causes import functions
from tests.verify.causes.functions import P, W, X, b, d_layer, d_softmax, layer
from tests.verify.causes.mistakes import MISTAKES


def test_there_is_a_mistake_of_every_kind():
    assert {mistake.kind for mistake in MISTAKES.values()} == set(KINDS)


@pytest.mark.parametrize("name", MISTAKES)
def test_every_mistake_is_called_by_its_name(name):
    kind, check, word, certified = MISTAKES[name]
    report = check()
    assert report.verdict == ("correct" if kind == "accuracy" else "wrong"), str(report)
    first = report.diagnoses[0]
    assert (first.kind, first.certified) == (kind, certified), str(report)
    assert word in first.detail, first.detail


LINES = {
    "no tanh′": "a = jnp.tanh(z)",
    "no mean's derivative": "mean = x.mean()",
    "no coupling": "total = e.sum()",
    "factors reversed": "C = A @ B",
    "indices twice": "taken = x[INDEX]",
    "no inner derivative": "inner = jnp.sin(x)",
}


@pytest.mark.parametrize("name", LINES)
def test_the_line_of_the_function_is_named(name):
    source = inspect.getsource(functions).splitlines()
    number = next(k for k, line in enumerate(source, 1) if line.strip() == LINES[name])
    assert f"`{LINES[name]}` (functions.py:{number})" in MISTAKES[name].check().diagnoses[0].detail


def test_one_cause_for_all_the_leaves_that_it_explains():
    diagnoses = MISTAKES["no tanh′"].check().diagnoses
    assert diagnoses[0].where == "args[0], args[1]"
    report = mv.check_jacobian(
        layer, lambda *a: (-d_layer(*a)[0], 3 * d_layer(*a)[1]), W, b, X, argnums=(0, 1)
    )
    assert [(cause.kind, cause.where) for cause in report.diagnoses[:2]] == [
        ("sign", "args[0]"),
        ("scale", "args[1]"),
    ]


def test_what_nothing_explains_is_a_hint():
    report = mv.check_jacobian(layer, lambda *a: jnp.exp(a[0]) * d_layer(*a)[0].sum() + a[0] ** 3, W, b, X)
    assert report.verdict == "wrong"
    assert report.diagnoses
    assert not any(cause.certified for cause in report.diagnoses)
    assert "hint: " in str(report)


def test_a_mistake_at_one_point_only_is_not_certified():
    """At the first point the derivative is twice what it must be; at the others it is something else."""

    def wrong(x):
        return jnp.where((x == P).all(), 2.0, 3.0 + x.sum()) * jnp.cos(x)

    report = mv.check_jacobian(lambda x: jnp.sin(x).sum(), wrong, P)
    assert report.verdict == "wrong"
    assert not any(cause.certified for cause in report.diagnoses)


def stable_softmax(x):
    shifted = jnp.exp(x - x.max())
    return shifted / shifted.sum()


def test_a_maximum_that_is_subtracted_for_stability_does_not_hide_the_cause():
    """The way through the maximum cancels: whoever derives the softmax by hand leaves it out."""
    for sign, kind in ((0, "missing-term"), (1, "sign")):
        report = mv.check_jacobian(stable_softmax, lambda x, sign=sign: d_softmax(x, sign), P)
        assert (report.diagnoses[0].kind, report.diagnoses[0].certified) == (kind, True), str(report)


def test_a_leaf_that_must_be_summed_over_samples_and_kept_as_a_row():
    report = mv.check_jacobian(layer, lambda *a: d_layer(*a, over=lambda dz: dz), W, b, X, argnums=(0, 1))
    assert "must have shape (1, 2); got (5, 2)" in report.reason
    assert report.diagnoses[0].kind == "missing-sum"


def test_a_jacobian_that_happens_to_be_symmetric_need_not_be():
    """Of an elementwise function the Jacobian is diagonal; entries beside it are no matter of symmetry."""
    beside = lambda x: jnp.diag(2 * x) + jnp.triu(jnp.ones((4, 4), x.dtype), 1)
    report = mv.check_jacobian(lambda x: x**2, beside, P)
    assert report.diagnoses[0].kind == "extra-support"


def test_the_search_can_fail_without_the_verdict(monkeypatch):
    def broken(*args):
        raise RuntimeError("out of ideas")

    monkeypatch.setattr("mvcalc_jax.verify.trial.DEBUG", False)
    monkeypatch.setattr("mvcalc_jax.verify.trial.diagnosed", broken)
    report = mv.check_jacobian(lambda x: (x**2).sum(), lambda x: x, np.ones(2))
    assert report.verdict == "wrong"
    assert not any(cause.certified for cause in report.diagnoses)
