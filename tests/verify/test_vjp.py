"""Backward passes: right and wrong ones, and all that they may return and must not."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mvcalc_jax as mv
from mvcalc_jax.verify import backward
from tests.cases import few

slow = pytest.mark.slow  # what a newer JAX may break is tested in less time by the others

RNG = np.random.default_rng(3)
X, W, Z = RNG.standard_normal((5, 3)), RNG.standard_normal((3, 2)), 1 + RNG.random(4)


def dense(W, x):
    return jnp.tanh(x @ W)


def fwd(W, x):
    a = dense(W, x)
    return a, (W, x, a)


def bwd(residuals, g):
    W, x, a = residuals
    dz = g * (1 - a**2)
    return x.T @ dz, dz @ W.T


def blamed(report):
    return [leaf.path for leaf in report.leaves if leaf.verdict == "wrong"]


def test_a_right_backward_pass():
    report = mv.check_vjp(dense, fwd, bwd, W, X)
    assert report.verdict == "correct"
    assert [(leaf.path, leaf.shape) for leaf in report.leaves] == [
        ("args[0]", (5, 2, 3, 2)),
        ("args[1]", (5, 2, 5, 3)),
    ]
    assert "bwd agrees with forward- and reverse-mode autodiff of" in report.reason
    assert report.missed == 0
    assert report.again == "check_vjp(test_vjp.dense, test_vjp.fwd, test_vjp.bwd, *args, seed=0)"


def test_none_is_for_what_is_not_to_be_differentiated_by():
    report = mv.check_vjp(dense, fwd, lambda r, g: (bwd(r, g)[0], None), W, X)
    assert report.verdict == "correct"
    assert [leaf.path for leaf in report.leaves] == ["args[0]"]
    assert report.reason.endswith("; args[1], for which bwd returns None, is not checked")
    assert "not checked" not in mv.check_vjp(dense, fwd, bwd, W, X).reason
    report = mv.check_vjp(dense, fwd, lambda r, g: (-bwd(r, g)[0], None), W, X)
    assert blamed(report) == ["args[0]"]
    report = mv.check_vjp(dense, fwd, lambda r, g: (None, None), W, X)
    assert report.verdict == "inconclusive"
    assert "None for every argument" in report.reason


def rows(table, index, power):
    return (table[index] ** power).sum(axis=1)


@pytest.mark.parametrize("nothing", [None, np.zeros(3, jax.dtypes.float0)], ids=["None", "float0"])
def test_integer_arguments_and_python_numbers(nothing):
    args = X, np.array([0, 2, 2]), 3

    def back(residuals, g, put):
        table, index, power = residuals
        return put(table, index, g[:, None] * power * table[index] ** (power - 1)), nothing, None

    added = lambda r, g: back(r, g, lambda table, index, d: jnp.zeros_like(table).at[index].add(d))
    put = lambda r, g: back(r, g, lambda table, index, d: jnp.zeros_like(table).at[index].set(d))
    keep = lambda *args: (rows(*args), args)
    report = mv.check_vjp(rows, keep, added, *args)
    assert report.verdict == "correct"
    assert "not checked" not in report.reason  # there is nothing to check in whole numbers
    report = mv.check_vjp(rows, keep, put, *args)
    assert report.verdict == "wrong"
    assert report.diagnoses[0].kind == "missing-sum"
    assert "overwritten instead of added up" in report.diagnoses[0].detail


def test_a_python_scalar_is_an_argument():
    f = lambda s, x: jnp.sin(s * x)

    def back(residuals, g, sign=1):
        s, x = residuals
        return sign * (g * jnp.cos(s * x) * x).sum(), g * jnp.cos(s * x) * s

    keep = lambda s, x: (f(s, x), (s, x))
    assert mv.check_vjp(f, keep, back, 2.5, Z).verdict == "correct"
    report = mv.check_vjp(f, keep, lambda r, g: back(r, g, sign=-1), 2.5, Z)
    assert (blamed(report), report.diagnoses[0].kind) == (["args[0]"], "sign")


TREE = {"v": Z, "w": np.array(1.3)}


def two(p):
    return {"s": (p["v"] ** 2).sum(), "y": p["w"] * jnp.sin(p["v"])}


def two_back(p, g):
    by_v = g["y"] * p["w"] * jnp.cos(p["v"]) + 2 * g["s"] * p["v"]
    return ({"v": by_v, "w": (g["y"] * jnp.sin(p["v"])).sum()},)


def test_trees_and_several_outputs():
    keep = lambda p: (two(p), p)
    assert mv.check_vjp(two, keep, two_back, TREE).verdict == "correct"
    report = mv.check_vjp(two, keep, lambda p, g: two_back(p, {**g, "s": 0 * g["s"]}), TREE)
    assert blamed(report) == ["args[0]['v']"]
    assert report.diagnoses[0].kind == "ignores-cotangent"
    assert "['s']" in report.diagnoses[0].detail and report.diagnoses[0].certified
    report = mv.check_vjp(two, keep, lambda p, g: ({"v": two_back(p, g)[0]["v"]},), TREE)
    assert blamed(report) == ["args[0]['w']"]
    assert "must have the structure of the argument" in report.reason


def test_a_forward_pass_that_returns_another_value():
    report = mv.check_vjp(dense, lambda *args: (1.5 * dense(*args), fwd(*args)[1]), bwd, W, X)
    assert report.verdict == "wrong"
    first = report.diagnoses[0]
    assert (first.kind, first.certified) == ("primal-mismatch", True)
    assert "where test_vjp.dense is" in first.detail
    assert blamed(report) == []
    report = mv.check_vjp(dense, lambda *args: (dense(*args).T, fwd(*args)[1]), bwd, W, X)
    assert report.verdict == "wrong"
    assert "has shape (2, 5) instead of (5, 2)" in report.diagnoses[0].detail


BENT = {
    "ignored": (lambda g: jnp.ones_like(g), "ignores-cotangent", "does not use it"),
    "clipped": (lambda g: jnp.clip(g, -1, 1), "nonlinear-in-cotangent", ""),
    "clipped where it is large": (lambda g: jnp.clip(g, -99, 99), "nonlinear-in-cotangent", "clipped"),
    "squared": (lambda g: g**2, "nonlinear-in-cotangent", ""),
    "absolute": (lambda g: jnp.abs(g), "nonlinear-in-cotangent", ""),
    "shifted": (lambda g: g + 1, "nonlinear-in-cotangent", "is not zero for a cotangent of zero"),
}


@pytest.mark.parametrize("how", few(BENT, *BENT.keys() - {"squared", "absolute"}))
def test_a_backward_pass_must_be_linear(how):
    turn, kind, said = BENT[how]
    report = mv.check_vjp(dense, fwd, lambda r, g: (bwd(r, turn(g))[0], bwd(r, g)[1]), W, X)
    assert report.verdict == "wrong"
    assert blamed(report) == ["args[0]"]
    assert (report.diagnoses[0].kind, report.diagnoses[0].certified) == (kind, True)
    assert said in report.diagnoses[0].detail


BROKEN = {
    "short": (lambda r, g: bwd(r, g)[:1], "must return a tuple of 2", ["args[1]"]),
    "no tuple": (lambda r, g: bwd(r, g)[0], "must return a tuple of 2", ["args[0]", "args[1]"]),
    "None": (lambda r, g: None, "must return a tuple of 2", ["args[0]", "args[1]"]),
    "structure": (lambda r, g: (bwd(r, g)[0], bwd(r, g)), "must have the structure", ["args[1]"]),
    "shape": (lambda r, g: (bwd(r, g)[0][:2], bwd(r, g)[1]), "must have shape (3, 2); got (2, 2)", ["args[0]"]),
    "transposed": (lambda r, g: (bwd(r, g)[0].T, bwd(r, g)[1]), "must have shape (3, 2); got (2, 3)", ["args[0]"]),
    "raises": (lambda r, g: 1 / 0, "raises ZeroDivisionError: division by zero", []),
    "text": (lambda r, g: ("a", "b"), "", []),
}  # fmt: skip


@pytest.mark.parametrize("how", BROKEN)
def test_what_is_no_cotangent_is_wrong_for_a_reason(how):
    back, reason, leaves = BROKEN[how]
    report = mv.check_vjp(dense, fwd, back, W, X)
    assert report.verdict == "wrong"
    assert reason in report.reason
    assert blamed(report) == leaves
    assert report.diagnoses[0].certified
    assert report.diagnoses[0].kind == ("transpose" if how == "transposed" else "shape")


def test_a_forward_pass_must_return_a_pair():
    report = mv.check_vjp(dense, dense, bwd, W, X)
    assert report.verdict == "wrong"
    assert "must return a pair" in report.reason


def neighbours(x):
    return jnp.sin(x) * jnp.roll(x, 1)


def d_neighbours(x, g):
    return (g * jnp.cos(x) * jnp.roll(x, 1) + jnp.roll(g * jnp.sin(x), -1),)


@pytest.fixture
def large(rng):
    return rng.standard_normal(backward._ROWS + 100)


@slow
def test_large_outputs_are_probed_and_the_chance_of_a_miss_is_printed(large):
    keep = lambda x: (neighbours(x), x)
    report = mv.check_vjp(neighbours, keep, d_neighbours, large)
    assert report.verdict == "correct"
    assert f"pulling back {backward._PROBES} random cotangents" in report.reason
    assert 0 < report.missed < 1e-6
    assert re.search(r"is missed with probability \de-\d+", str(report))

    one = lambda x, g: (d_neighbours(x, g)[0].at[1000].multiply(1.001),)
    report = mv.check_vjp(neighbours, keep, one, large)
    assert report.verdict == "wrong"
    assert report.leaves[0].index[1:] == (1000,)
    said = next(c.detail for c in report.diagnoses if c.kind == "localised" and "outputs" in c.detail)
    assert re.match(
        rf"is wrong for \d of {len(large)} outputs only, counted through all of them: .*\b1000\b", said
    )

    half = lambda x, g: (g * jnp.cos(x) * jnp.roll(x, 1),)
    report = mv.check_vjp(neighbours, keep, half, large)
    assert (report.diagnoses[0].kind, report.diagnoses[0].certified) == ("missing-term", True)


@jax.custom_jvp
def two_faced(x):
    """x², whose derivative is 2x in forward mode and 3x in reverse."""
    return x**2


@two_faced.defjvp
def _(primals, tangents):
    (x,) = primals
    solve, transposed = lambda _, t: 2 * x * t, lambda _, g: 3 * x * g
    return x**2, jax.lax.custom_linear_solve(lambda t: t, tangents[0], solve, transposed)


def test_modes_that_disagree_on_a_large_leaf_are_no_judges(large):
    keep = lambda x: (x**2, x)
    for slope in (2, 3):
        report = mv.check_vjp(two_faced, keep, lambda x, g, slope=slope: (slope * x * g,), large)
        assert report.verdict == "inconclusive"
    assert "disagree, so neither can be the judge" in report.reason
    assert report.leaves[0].disagreement > 0.01


@slow
def test_a_large_leaf_that_one_mode_alone_can_differentiate(large):
    loop = jax.custom_vjp(lambda x: x**2)
    loop.defvjp(lambda x: (x**2, x), lambda x, g: (2 * x * g,))
    report = mv.check_vjp(loop, lambda x: (x**2, x), lambda x, g: (2 * x * g,), large)
    assert report.verdict == "correct"
    assert report.leaves[0].disagreement == 0


@slow
@pytest.mark.parametrize("argument", ["real", "complex"])
def test_the_modes_agree_on_large_leaves_of_any_numbers(argument, large, standard_promotion):
    """Of a complex leaf JAX's pull keeps what the real part of a product needs, and no more."""
    c = 1.3 + 0.4j
    z = large * (c if argument == "complex" else 1.0)
    f = lambda z, w: (jnp.abs(z) ** 2 * w + jnp.real(c * z), jnp.conj(c * z) * w)
    taken = lambda z, w: jax.vjp(f, z, w)
    report = mv.check_vjp(f, taken, lambda pull, g: pull(g), z, np.array(1e-6))
    assert report.verdict == "correct"
    assert all(0 < leaf.disagreement < 1e-12 for leaf in report.leaves)


def test_many_products_of_inputs_and_outputs_are_probed_as_well(monkeypatch):
    monkeypatch.setattr(backward, "_FORMED", 10)
    report = mv.check_vjp(dense, fwd, bwd, W, X)
    assert report.verdict == "correct" and report.missed > 0
    report = mv.check_vjp(dense, fwd, lambda r, g: (bwd(r, g)[0] / 5, bwd(r, g)[1]), W, X)
    assert blamed(report) == ["args[0]"]
    assert report.diagnoses[0].kind == "scale" and "by a factor of 5" in report.diagnoses[0].detail


def product_rule(slope):
    """x sin x, with a derivative in which the cosine counts `slope` times."""
    f = jax.custom_jvp(lambda x: x * jnp.sin(x))
    f.defjvp(lambda p, t: (p[0] * jnp.sin(p[0]), t[0] * (jnp.sin(p[0]) + slope * p[0] * jnp.cos(p[0]))))
    return f


def decorated(back):
    f = jax.custom_vjp(dense)
    f.defvjp(fwd, back)
    return f


def test_functions_with_custom_rules_are_compared_with_their_plain_twins():
    report = mv.check_custom(dense, decorated(bwd), W, X)
    assert report.verdict == "correct"
    assert report.reason.startswith("the rule of test_vjp.dense agrees with")
    report = mv.check_custom(dense, decorated(lambda r, g: (bwd(r, g)[0] / 5, bwd(r, g)[1])), W, X)
    assert (blamed(report), report.diagnoses[0].kind) == (["args[0]"], "scale")
    assert report.again.startswith("check_custom(test_vjp.dense, ")
    plain = lambda x: x * jnp.sin(x)
    assert mv.check_custom(plain, product_rule(1), Z).verdict == "correct"
    report = mv.check_custom(plain, product_rule(0), Z)
    assert (report.verdict, report.diagnoses[0].kind) == ("wrong", "missing-term")
    with pytest.raises(AssertionError, match="cause: missing-term"):
        mv.assert_custom(plain, product_rule(0), Z)
    mv.assert_custom(plain, product_rule(1), Z)


@slow
def test_what_is_said_of_a_custom_rule_speaks_of_no_function_that_its_user_does_not_see():
    for back in (lambda r, g: bwd(r, jnp.ones_like(g)), lambda r, g: 1 / 0):
        report = mv.check_custom(dense, decorated(back), W, X)
        assert report.verdict == "wrong"
        assert not re.search(r"\b(bwd|fwd)\b", str(report))
    report = mv.check_custom(lambda W, x: 1 + dense(W, x), decorated(bwd), W, X)
    assert report.diagnoses[0].where == "the rule of test_vjp.dense"
    assert "the rule of test_vjp.dense: the value that it returns is" in report.reason


def scaled(p, x):
    """A tree of a number and a whole number is an argument."""
    return p["w"] * x ** p["n"]


def test_trees_of_numbers_and_whole_numbers_have_custom_rules_too():
    p = {"n": np.array(3), "w": np.array(1.3)}

    def ruled(sign):
        f = jax.custom_vjp(scaled)
        by_w = lambda x, p, g: {"n": None, "w": sign * (g * x ** p["n"]).sum()}
        f.defvjp(
            lambda p, x: (scaled(p, x), (p, x)),
            lambda r, g: (by_w(r[1], r[0], g), g * r[0]["w"] * 3 * r[1] ** 2),
        )
        return f

    assert mv.check_custom(scaled, ruled(1), p, Z).verdict == "correct"
    assert blamed(mv.check_custom(scaled, ruled(-1), p, Z)) == ["args[0]['w']"]


def test_of_a_rule_without_a_transpose_what_is_left_out_is_said():
    f = jax.custom_jvp(lambda p, x: x * jnp.sin(x))

    @f.defjvp
    def _(primals, tangents):  # what goes by way of the host has no transpose
        x = primals[1]
        host = lambda x, t: np.asarray((np.sin(x) + x * np.cos(x)) * t)
        back = jax.pure_callback(
            host, jax.ShapeDtypeStruct(x.shape, x.dtype), x, tangents[1], vmap_method="expand_dims"
        )
        return x * jnp.sin(x), back

    plain = lambda p, x: x * jnp.sin(x)
    report = mv.check_custom(plain, f, {"n": np.array(3), "w": np.array(1.3)}, Z)
    assert report.verdict == "correct", str(report)
    assert report.reason.startswith("the rule of ")
    assert report.reason.endswith("; args[0], which holds more than floating-point numbers, is not checked")


@slow
def test_assert_vjp_raises_the_report():
    mv.assert_vjp(dense, fwd, bwd, W, X)
    wrong = lambda r, g: (bwd(r, g)[0], -bwd(r, g)[1])
    with pytest.raises(AssertionError) as failure:
        mv.assert_vjp(dense, fwd, wrong, W, X)
    assert str(failure.value) == str(mv.check_vjp(dense, fwd, wrong, W, X))


def test_misuse(unchecked):
    with pytest.raises(TypeError, match="`bwd` must be a function; got NoneType"):
        mv.check_vjp(dense, fwd, None, W, X)
    with pytest.raises(TypeError, match="some argument must be of floating-point or complex numbers"):
        mv.check_vjp(rows, rows, rows, np.arange(3), 2)
    with pytest.raises(ValueError, match="inside jit or vmap"):
        jax.jit(lambda x: mv.check_vjp(dense, fwd, bwd, W, x))(X)


def test_an_empty_leaf_and_several_outputs():
    f = lambda x, none: (jnp.sin(x), none * 2)
    fwd = lambda x, none: (f(x, none), x)
    bwd = lambda x, g: (g[0] * jnp.cos(x), 2 * g[1])
    assert mv.check_vjp(f, fwd, bwd, np.arange(1.0, 4), np.zeros((0, 2))).verdict == "correct"
