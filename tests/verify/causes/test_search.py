"""Every kind of mistake is called by its name, at its line, and no right leaf is blamed."""

import inspect
import math
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mvcalc_jax as mv
from mvcalc_jax.verify.causes.search import KINDS
from tests.verify.causes import functions
from tests.verify.causes.functions import A, P, T, W, X, b, d_layer, d_softmax, layer
from tests.verify.causes.mistakes import MISTAKES


def test_there_is_a_mistake_of_every_kind():
    assert {mistake.kind for mistake in MISTAKES.values()} == set(KINDS)


LINES = {
    "no tanh′": "a = jnp.tanh(z)",
    "no mean's derivative": "mean = x.mean()",
    "no coupling": "total = e.sum()",
    "factors reversed": "C = A @ B",
    "indices twice": "taken = x[INDEX]",
    "no inner derivative": "inner = jnp.sin(x)",
}
"""The lines of `functions.py` that must be named."""
LEAVES = {"no tanh′": "args[0], args[1]"}
"""Leaves that one cause must explain together."""

OF_NUMBERS = {
    "axis-permuted", "axis-flipped", "swapped-leaves", "zero", "asymmetric", "compensating", "localised",
    "missing-support",
}  # fmt: skip
"""Kinds that are found in the numbers alone: nothing of JAX's is taken apart that a newer one may build otherwise."""


def named(name):
    return pytest.param(name, marks=[pytest.mark.slow] * (MISTAKES[name].kind in OF_NUMBERS))


@pytest.mark.parametrize("name", [named(name) for name in MISTAKES])
def test_every_mistake_is_called_by_its_name_and_at_its_line(name):
    kind, check, word, certified = MISTAKES[name]
    report = check()
    assert report.verdict == ("correct" if kind == "accuracy" else "wrong"), str(report)
    first = report.diagnoses[0]
    assert (first.kind, first.certified) == (kind, certified), str(report)
    assert word in first.detail, first.detail
    if name in LINES:
        source = inspect.getsource(functions).splitlines()
        number = next(k for k, line in enumerate(source, 1) if line.strip() == LINES[name])
        assert f"`{LINES[name]}` (functions.py:{number})" in first.detail
    assert first.where == LEAVES.get(name, first.where)


def test_there_is_a_mistake_for_every_line_that_must_be_named():
    assert {*LINES, *LEAVES} <= set(MISTAKES)


def test_causes_of_their_own_for_leaves_that_have_them():
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


@pytest.mark.parametrize("shape", [(4, 1), (1, 4)], ids=str)
def test_a_sum_over_the_other_of_two_axes(shape, float64):
    A, x, axis = np.cos(np.arange(16.0)).reshape(4, 4), np.arange(4.0).reshape(shape), shape.index(1)
    report = mv.check_jacobian(
        lambda x: jnp.sin(x + A).sum(), lambda x: jnp.cos(x + A).sum(1 - axis).reshape(shape), x
    )
    first = report.diagnoses[0]
    assert (first.kind, first.certified) == ("axis-permuted", True)
    assert "is over axis 1 or 0, not the other" in first.detail


def test_a_factor_that_is_missing_in_one_round(float64):
    def rounds(x):
        return jax.lax.scan(lambda x, k: (jnp.tanh(x + k), None), x, jnp.arange(3.0))[0].sum()

    def jac(x):
        first = jnp.tanh(x)
        return (1 - first**2) * (1 - jnp.tanh(jnp.tanh(first + 1) + 2) ** 2)

    first = mv.check_jacobian(rounds, jac, P).diagnoses[0]
    assert (first.kind, first.certified) == ("missing-factor", True)
    assert first.detail.startswith("tanh′ is missing as a factor in round 2 of 3 of `tanh` in `")


@pytest.mark.parametrize(("shift", "round_"), [(-1, "round before"), (1, "next round")])
def test_a_value_of_another_round(shift, round_, float64):
    def rounds(x):
        return jax.lax.scan(lambda x, k: (k * jnp.tanh(x), None), x, jnp.arange(1.0, 4))[0].sum()

    def jac(x):
        taken = [x]
        for k in (1, 2):
            taken.append(k * jnp.tanh(taken[-1]))
        others = (taken[min(max(k + shift, 0), 2)] for k in range(3))
        return 6 * math.prod(1 - jnp.tanh(other) ** 2 for other in others)

    first = mv.check_jacobian(rounds, jac, P).diagnoses[0]
    assert (first.kind, first.certified) == ("wrong-intermediate", True)
    assert first.detail.startswith(f"tanh′ takes its operand of the {round_} in `return jax.lax.scan(")


def three_paths(x, y):
    a = jnp.sin(x) * y
    c = x**3 * jnp.exp(y)
    d = jnp.cosh(x)
    return (a + c + d).sum()


def test_two_paths_that_are_missing_at_once(float64):
    y = P[::-1].copy()
    right_by_y = lambda x, y: jnp.sin(x) + x**3 * jnp.exp(y)
    only_c = lambda x, y: (3 * x**2 * jnp.exp(y), right_by_y(x, y))
    (cause,) = mv.check_jacobian(three_paths, only_c, P, y, argnums=(0, 1)).diagnoses
    assert (cause.kind, cause.where, cause.certified) == ("missing-term", "args[0]", True)
    sine, cosh = cause.detail.split("; and ")
    assert sine.startswith("the dependence through the sine in `a = jnp.sin(x) * y` (test_search.py:")
    assert cosh.startswith("the dependence through `cosh` in `d = jnp.cosh(x)` (test_search.py:")

    different = lambda x, y: (only_c(x, y)[0], jnp.sin(x))
    causes = mv.check_jacobian(three_paths, different, P, y, argnums=(0, 1)).diagnoses
    assert [(c.kind, c.where, "; and " in c.detail) for c in causes] == [
        ("missing-term", "args[1]", False),
        ("missing-term", "args[0]", True),
    ]


@pytest.mark.parametrize(("factor", "words"), [
    (lambda x: (3 * x**2, 0), "the sine in `sine = jnp.sin(x).sum()`; the exponential in `grown = jnp.exp(x).sum()`"),
    (lambda x: (3 * x**2, np.exp(x)), "the sine in `sine = jnp.sin(x).sum()`"),
])  # fmt: skip
def test_where_one_point_alone_can_be_looked_at_causes_are_hints(factor, words, float64):
    """Points further off are outside of the function's domain."""
    inside = lambda x: (jnp.abs(x - P) < 0.02).all()

    def f(x):
        sine = jnp.sin(x).sum()
        cubed = (x**3).sum()
        grown = jnp.exp(x).sum()
        return jnp.where(inside(x), (sine + cubed) + grown, jnp.nan)

    report = mv.check_jacobian(f, lambda x: jnp.where(inside(x), sum(factor(x)), jnp.nan), P)
    first = report.diagnoses[0]
    assert (report.verdict, first.kind, first.certified) == ("wrong", "missing-term", False)
    assert all(
        f"the dependence through {word} (test_search.py:" in first.detail for word in words.split("; ")
    )


def test_a_value_whose_sign_is_wrong_wherever_it_is_multiplied_by(float64):
    def f(x, y):
        gate = jnp.sin(y)
        a = (gate * x).sum()
        c = (gate * x**3).sum()
        return (a + jnp.exp(x).sum()) + c

    jac = lambda x, y: jnp.exp(x) - jnp.sin(y) * (1 + 3 * x**2)
    (cause,) = mv.check_jacobian(f, jac, P, P[::-1].copy()).diagnoses
    assert (cause.kind, cause.certified) == ("sign", True)
    assert cause.detail.startswith("the factor the sine in `gate = jnp.sin(y)` (test_search.py:")
    assert cause.detail.endswith(") has the wrong sign wherever it is multiplied by")


def test_causes_of_their_own_for_outputs_that_have_them(float64):
    def both(x, z):
        a = jnp.tanh(x) * z
        c = jnp.exp(x) * z**2
        return a, c

    def jac(x, z):  # by x, without tanh′ and without z²
        return (jnp.diag(z), jnp.diag(jnp.tanh(x))), (jnp.diag(jnp.exp(x)), jnp.diag(2 * z * jnp.exp(x)))

    causes = mv.check_jacobian(both, jac, P, P[::-1].copy(), argnums=(0, 1)).diagnoses
    assert [(c.where, c.certified) for c in causes] == [
        ("out[0] by args[0]", True),
        ("out[1] by args[0]", True),
    ]
    assert causes[0].detail.startswith("tanh′ is missing as a factor in `a = jnp.tanh(x) * z`")
    assert causes[1].detail.startswith("the factor the power in `c = jnp.exp(x) * z**2`")


POWERS = {
    "the square root": (jnp.sqrt, lambda x: 0.5 / jnp.sqrt(x), -1),
    "1/√x": (jax.lax.rsqrt, lambda x: -0.5 / x**1.5, -1),
    "the quotient": (lambda x: 1 / x, lambda x: -1 / x**2, -1),
    "the power": (lambda x: x**3, lambda x: 3 * x**2, 1),
    "`pow`": (lambda x: x**2.5, lambda x: 2.5 * x**1.5, 1),
    "the square": (jnp.square, lambda x: 2 * x, 1),
}
"""Functions, their derivatives, and whether these are of positive powers."""


@pytest.mark.parametrize("said", ["too few", "too many"])
@pytest.mark.parametrize("name", POWERS)
def test_a_power_with_another_exponent(name, said, float64):
    f, d_f, sign = POWERS[name]
    power = sign * (1 if said == "too many" else -1)
    first = mv.check_jacobian(lambda x: f(x).sum(), lambda x: d_f(x) * x**power, P).diagnoses[0]
    assert (first.kind, first.certified) == ("missing-factor", True)
    assert first.detail.startswith(f"the derivative of {name} in ")
    assert first.detail.endswith(f" by args[0] has a factor of args[0] {said}")


@pytest.mark.parametrize(("y", "number"), [(P[::-1].copy(), ""), (np.ones(4), " (2.71828)")])
def test_a_factor_is_told_by_its_number_if_it_is_one(y, number, float64):
    def f(x, y):
        grown = jnp.exp(y)
        return (grown * jnp.sin(x)).sum()

    first = mv.check_jacobian(f, lambda x, y: jnp.cos(x), P, y).diagnoses[0]
    assert (first.kind, first.certified) == ("missing-factor", True)
    assert re.fullmatch(
        r"the factor the exponential in `grown = jnp.exp\(y\)` \(test_search.py:\d+\)"
        + re.escape(number)
        + r" is missing in `return \(grown \* jnp.sin\(x\)\).sum\(\)` \(test_search.py:\d+\)",
        first.detail,
    )


def test_a_factor_of_a_product_where_another_value_is_infinite(float64):
    def f(A, X):
        logs = jnp.log(X)
        kept = jnp.where(X > 0, logs, 0.0)
        waves = jnp.sin(kept)
        return jnp.tanh(A @ waves).sum()

    def d_f(A, X):
        kept = np.where(X > 0, np.log(np.where(X > 0, X, 1)), 0.0)
        return (1 - jnp.tanh(A @ jnp.sin(kept)) ** 2) @ kept.T

    matrix = np.where(T.reshape(2, 4) > T.min(), T.reshape(2, 4), 0)
    first = mv.check_jacobian(f, d_f, A[:, :2], matrix).diagnoses[0]
    assert (first.kind, first.where, first.certified) == ("wrong-intermediate", "args[0]", True)
    assert "takes the choice in `kept = " in first.detail and "for the sine in `waves = " in first.detail


def test_a_factor_that_is_missing_in_every_round_of_a_loop_of_pythons(float64):
    def f(x):
        for _ in range(3):
            x = jnp.tanh(P * x)
        return x.sum()

    first = mv.check_jacobian(f, lambda x: P**3 + 0 * x, P[::-1].copy()).diagnoses[0]
    assert (first.kind, first.certified) == ("missing-factor", True)
    assert first.detail.startswith("tanh′ is missing as a factor in `x = jnp.tanh(P * x)` (test_search.py:")


def test_a_quotients_derivatives_are_named_after_what_they_are_by(float64):
    f = lambda u, v: (jnp.sin(u) / jnp.exp(v)).sum()
    right = lambda u, v: (jnp.cos(u) / jnp.exp(v), -jnp.sin(u) / jnp.exp(v))
    for k, missing, name in (
        (0, lambda u, v: (jnp.cos(u), right(u, v)[1]), "1/the exponential"),
        (1, lambda u, v: (right(u, v)[0], jnp.exp(v)), "the derivative of the quotient by the exponential"),
    ):
        first = mv.check_jacobian(f, missing, P, 0.5 * P, argnums=(0, 1)).diagnoses[0]
        assert (first.kind, first.certified, first.where) == ("missing-factor", True, f"args[{k}]")
        assert first.detail.startswith(f"the factor {name} in `")


def test_a_value_that_is_a_factor_once_too_often_on_the_way_back(float64):
    def product(W):
        return (jnp.tanh(X @ W) ** 2).sum()

    def jac(W):
        a = jnp.tanh(X @ W)
        return X.T @ (2 * a * (1 - a**2) * (X @ W))

    first = mv.check_jacobian(product, jac, W).diagnoses[0]
    assert (first.kind, first.certified) == ("missing-factor", True)
    assert first.detail.startswith("the factor the product in `return (jnp.tanh(X @ W) ** 2).sum()`")
    assert "stands there once too often on the way back through" in first.detail


def test_a_sum_over_rounds_of_which_the_first_is_taken(float64):
    def rounds(w):
        return jax.lax.scan(lambda x, _: (jnp.sin(x * w), None), P, length=3)[0].sum()

    def jac(w):
        x = jnp.sin(P * w)
        y = jnp.sin(x * w)
        return jnp.cos(y * w) * w * jnp.cos(x * w) * w * jnp.cos(P * w) * P

    first = mv.check_jacobian(rounds, jac, 1 / P).diagnoses[0]
    assert first.certified
    assert "the sum over the rounds of the loop takes the first round only" in first.detail


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
    assert report.reason.endswith("; the search for its cause failed: RuntimeError: out of ideas")


def test_of_a_leaf_that_agrees_as_a_whole_the_entry_is_named_and_no_cause():
    """Beside the first entry any explanation of the second holds to rounding, the wrong ones as well."""
    f = lambda a, w: a[0] ** 2 + 1e-9 * jnp.sin(a[1]) + (w**2).sum()
    wrong = lambda a, w: (jnp.stack([2 * a[0], 1.01e-9 * jnp.cos(a[1])]), 2 * w)
    x = np.array([2.0, 0.3]), np.array([1.3, 0.4])
    report = mv.check_jacobian(f, wrong, *x, argnums=(0, 1))
    assert [leaf.verdict for leaf in report.leaves] == ["wrong", "correct"]
    (only,) = report.diagnoses
    assert (only.kind, only.where, only.certified) == ("localised", "args[0]", False)
    assert "is wrong at [1], where it is small beside the largest entry" in only.detail
    assert f"args[0] {only.detail.partition(':')[0]}" in report.reason
    both = mv.check_jacobian(f, lambda *x: (wrong(*x)[0], -2 * x[1]), *x, argnums=(0, 1))
    causes = [(cause.kind, cause.where, cause.certified) for cause in both.diagnoses]
    assert causes == [("sign", "args[1]", True), ("localised", "args[0]", False)]
