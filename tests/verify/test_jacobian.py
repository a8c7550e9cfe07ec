"""The checker: it says correct of what is, wrong of what is not, and inconclusive where nobody can tell."""

import json
import re
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mvcalc_jax as mv
from mvcalc_jax.models.network import Layer
from mvcalc_jax.verify import catalogue
from mvcalc_jax.verify.jacobian import check_part
from tests.cases import long

pytestmark = pytest.mark.slow  # what a newer JAX may break is tested in less time elsewhere


@pytest.mark.parametrize("derivative", catalogue(seed=3), ids=lambda d: d.name)
def test_every_hand_written_derivative_of_the_package(derivative):
    _, f, jac, args, argnums = derivative
    mv.assert_jacobian(f, jac, *args, argnums=argnums, seed=5)


@pytest.fixture
def network(rng):
    return (
        mv.network.init(rng, (2, 4, 3)),
        rng.standard_normal((2, 7)).astype("float32"),
        rng.random((3, 7)).astype("float32"),
    )


def test_report_on_a_correct_jacobian(network):
    report = mv.check_jacobian(mv.network.cost, mv.network.jacobian, *network)
    assert report.verdict == "correct"
    assert report.error < 1e-14
    assert [leaf.path for leaf in report.leaves] == [
        "args[0][0].W",
        "args[0][0].b",
        "args[0][1].W",
        "args[0][1].b",
    ]
    assert [leaf.shape for leaf in report.leaves] == [(4, 2), (4, 1), (3, 4), (3, 1)]
    assert "at 3 points" in report.reason
    assert report.again == "check_jacobian(network.cost, network.jacobian, *args, argnums=0, seed=0)"


def break_leaf(which, how):
    def jacobian(params, x, y):
        layers = list(mv.network.jacobian(params, x, y))
        layer, name = which
        layers[layer] = layers[layer]._replace(**{name: how(getattr(layers[layer], name))})
        return tuple(layers)

    return jacobian


BREAKS = {
    "scale": lambda J: 1.01 * J,
    "sign": lambda J: -J,
    "zero": lambda J: 0 * J,
    "flipped": lambda J: J[::-1],
    "one entry": lambda J: J.at[1, 0].multiply(1 + 1e-4),
    "nan": lambda J: J.at[0, 0].set(jnp.nan),
}


LEAVES = (0, "W"), (0, "b"), (1, "W"), (1, "b")
BROKEN = [
    (which, how) if how == "one entry" or which == (1, "W") else long(which, how)
    for which in LEAVES
    for how in BREAKS
]


@pytest.mark.parametrize(("which", "how"), BROKEN, ids=str)
def test_a_broken_leaf_is_found_and_no_other_is_blamed(which, how, network):
    report = check_part(mv.network.cost, break_leaf(which, BREAKS[how]), *network, explain=False)
    wrong = [leaf.path for leaf in report.leaves if leaf.verdict == "wrong"]
    assert report.verdict == "wrong"
    assert wrong == [f"args[0][{which[0]}].{which[1]}"]
    assert re.match(r"1 (of 4 leaves|leaf is)", report.reason)


def test_worst_entry_is_the_one_that_was_broken(network, unexplained):
    params, x, y = network
    report = mv.check_jacobian(
        mv.network.cost, break_leaf((1, "W"), lambda J: J.at[2, 3].multiply(3.0)), params, x, y
    )
    leaf = report.leaves[2]
    assert leaf.index == (2, 3)
    assert leaf.ratio == pytest.approx(3)
    assert leaf.by_hand == pytest.approx(3 * leaf.autodiff)
    assert f"{leaf.by_hand:.9g}" in str(report)
    assert report.to_dict()["leaves"][2]["index"] == [2, 3]


def test_zeros_do_not_hide_a_missing_factor(unexplained):
    """At zero the derivative |x| of x·|x|/2 and twice that are both zero; at the points nearby they are not."""
    f = lambda x: jnp.sum(x * jnp.abs(x)) / 2
    report = mv.check_jacobian(f, lambda x: 2 * jnp.abs(x), jnp.zeros(3))
    assert report.verdict == "wrong"


def test_symmetry_does_not_hide_a_transpose(rng, unexplained):
    W = jnp.ones((3, 3))
    f = lambda W: jnp.sum(jnp.sin(W @ W))
    right = jax.grad(f)
    assert mv.check_jacobian(f, right, W).verdict == "correct"
    assert mv.check_jacobian(f, lambda W: right(W).T, W).verdict == "wrong"


def test_vector_functions_trees_and_several_arguments(rng, unexplained):
    a, b = jnp.asarray(rng.random(3)), jnp.asarray(rng.random(2))
    f = lambda scale, a, b: {"outer": scale * a[:, None] * b[None, :], "sum": a.sum()}

    def jac(scale, a, b):
        by_a = {"outer": scale * jnp.einsum("ik,j->ijk", jnp.eye(3), b), "sum": jnp.ones(3)}
        by_b = {"outer": scale * jnp.einsum("jk,i->ijk", jnp.eye(2), a), "sum": jnp.zeros(2)}
        return {key: (by_a[key], by_b[key]) for key in by_a}

    report = mv.check_jacobian(f, jac, 2.0, a, b, argnums=(1, 2))
    assert report.verdict == "correct", str(report)
    paths = [leaf.path for leaf in report.leaves]
    assert paths == [
        "out['outer'] by args[1]",
        "out['outer'] by args[2]",
        "out['sum'] by args[1]",
        "out['sum'] by args[2]",
    ]
    assert (
        mv.check_jacobian(
            f, lambda *args: jax.tree.map(jnp.negative, jac(*args)), 2.0, a, b, argnums=(1, 2)
        ).verdict
        == "wrong"
    )


def test_negative_argnums_count_from_the_end():
    f = lambda a, x: a * jnp.sum(x**2)
    assert mv.check_jacobian(f, lambda a, x: 2 * a * x, 3.0, jnp.arange(3.0), argnums=-1).verdict == "correct"


def test_low_precision_arguments_are_checked_in_float64_and_nothing_global_changes():
    x = jnp.linspace(0.1, 1, 5, dtype="bfloat16")
    report = mv.check_jacobian(lambda x: jnp.sum(jnp.tanh(x)), lambda x: 1 - jnp.tanh(x) ** 2, x)
    assert report.verdict == "correct"
    assert report.error < 1e-14
    assert not jax.config.jax_enable_x64
    assert jnp.zeros(1).dtype == "float32"


def test_jacobians_in_numpy_and_with_branches_on_values_can_be_checked():
    f = lambda x: jnp.sum(jnp.where(x > 0, x**2, x))

    def jac(x):
        return np.array([2 * entry if entry > 0 else 1.0 for entry in np.asarray(x)])

    assert mv.check_jacobian(f, jac, jnp.array([-1.0, 2.0])).verdict == "correct"


def test_arguments_that_are_no_arrays_are_left_as_they_are():
    f = lambda kind, x, powers: jnp.sum(getattr(jnp, kind)(x) ** powers["n"])
    right = lambda kind, x, powers: powers["n"] * jnp.sin(x) ** (powers["n"] - 1) * jnp.cos(x)
    args = "sin", jnp.arange(1.0, 4), {"n": 3, "why": "to see"}
    assert mv.check_jacobian(f, right, *args, argnums=1).verdict == "correct"
    report = mv.check_jacobian(f, lambda *args: 2 * right(*args), *args, argnums=(-2,))
    assert "must return (*,), where * stands for an array; got *" in report.reason
    report = mv.check_jacobian(f, lambda *args: (2 * right(*args),), *args, argnums=(-2,))
    assert [leaf.path for leaf in report.leaves] == ["args[1]"]
    assert report.verdict == "wrong"


def test_a_report_is_json_whatever_it_holds():
    f = lambda x: jnp.sum(x**2)
    report = mv.check_jacobian(f, lambda x: jnp.full(3, jnp.nan), jnp.arange(3.0))
    plain = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert plain == report.to_dict()
    assert plain["leaves"][0]["error"] is None and plain["leaves"][0]["shape"] == [3]


@pytest.mark.parametrize(
    ("jac", "reason"),
    [
        (lambda x: x[:1], r"must have shape (3,); got (1,)"),
        (lambda x: (x, x), "jac must return *, where * stands for an array; got (*, *)"),
        (lambda x: None, "jac must return *, where * stands for an array; got None"),
        (lambda x: 1 / 0, "raises ZeroDivisionError: division by zero"),
        (lambda x: np.asarray(x) * 2j, "must be of real numbers; got complex128"),
        (lambda x: np.array(["a", "b", "c"]), "must be of real numbers; got <U1"),
    ],
)
def test_a_jacobian_that_is_none_is_wrong_for_a_reason(jac, reason):
    report = mv.check_jacobian(lambda x: jnp.sum(x**2), jac, jnp.arange(3.0))
    assert report.verdict == "wrong"
    assert reason in report.reason


def test_a_leaf_of_the_wrong_shape_is_wrong_and_the_others_are_not():
    f = lambda x, y: jnp.sum(x**2) + jnp.sum(y**2)
    report = mv.check_jacobian(f, lambda x, y: (2 * x, 2 * y[:1]), *map(np.ones, (2, 3)), argnums=(0, 1))
    assert report.reason == "jac(…)[1] must have shape (3,); got (1,)"
    assert [leaf.verdict for leaf in report.leaves] == ["correct", "wrong"]
    assert report.leaves[1].error == np.inf and report.leaves[1].shape == (3,)
    assert (report.diagnoses[0].kind, report.diagnoses[0].where) == ("shape", "args[1]")


def test_seed_moves_the_points():
    f = lambda x: jnp.sum(x**2)
    wrong = lambda x: 2 * x + (x - 1) ** 2
    found = [mv.check_jacobian(f, wrong, jnp.ones(2), seed=seed).leaves[0].by_hand for seed in (0, 0, 1)]
    assert found[0] == found[1] != found[2]


def test_assert_jacobian_raises_the_report():
    f = lambda x: jnp.sum(x**2)
    mv.assert_jacobian(f, lambda x: 2 * x, jnp.arange(1.0, 4))
    with pytest.raises(AssertionError) as failure:
        mv.assert_jacobian(f, lambda x: x, jnp.arange(1.0, 4))
    assert str(failure.value) == str(mv.check_jacobian(f, lambda x: x, jnp.arange(1.0, 4)))
    with pytest.raises(AssertionError, match="inconclusive"):
        mv.assert_jacobian(lambda x: jnp.log(-x), lambda x: 1 / x, jnp.array(1.0))


def test_partial_functions_go_by_their_own_name(network):
    tanh = partial(mv.network.cost, activation="tanh")
    report = mv.check_jacobian(tanh, partial(mv.network.jacobian, activation="tanh"), *network)
    assert report.verdict == "correct"
    assert "network.jacobian agrees with forward- and reverse-mode autodiff of network.cost" in report.reason
    tanh = "activation='tanh')"
    assert (
        report.again == f"check_jacobian(partial(network.cost, {tanh}, partial(network.jacobian, {tanh}, "
        "*args, argnums=0, seed=0)"
    )


@pytest.mark.parametrize(
    ("args", "argnums", "error", "message"),
    [
        ([jnp.ones(2)], 1, ValueError, "`argnums` must name some of the 1 arguments, each once; got 1"),
        ([jnp.ones(2)], (), ValueError, "`argnums` must name some of the 1 arguments, each once; got ()"),
        ([jnp.ones(2)], (0, -1), ValueError, "each once; got (0, -1)"),
        ([jnp.ones(2)], None, TypeError, "`argnums` must be a whole number; got None"),
        ([jnp.ones(2)], -2, ValueError, "`argnums` must be at least -1; got -2"),
        (
            [jnp.arange(2)],
            0,
            TypeError,
            "`args[0]` must hold floating-point numbers; got int",
        ),
        ([{"a": 1.0, "b": "two"}], 0, TypeError, "`args[0]['b']` must be an array of floating-point numbers"),
    ],
)
def test_misuse_is_not_a_verdict(args, argnums, error, message, unchecked):
    with pytest.raises(error, match=re.escape(message)):
        mv.check_jacobian(jnp.sum, jnp.ones_like, *args, argnums=argnums)


def test_what_is_no_function_is_misuse(unchecked):
    with pytest.raises(TypeError, match="`f` must be a function; got int"):
        mv.check_jacobian(3, jnp.cos, jnp.ones(1))
    with pytest.raises(TypeError, match="`jac` must be a function; got NoneType"):
        mv.check_jacobian(jnp.sin, None, jnp.ones(1))
    with pytest.raises(ValueError, match="inside jit or vmap"):
        jax.jit(lambda x: mv.check_jacobian(jnp.sum, jnp.ones_like, x))(jnp.ones(2))


def test_functions_that_look_at_values_can_be_checked(unexplained):
    f = lambda x, p: (x**p).sum() if p > 1 else x.sum()
    assert mv.check_jacobian(f, lambda x, p: p * x ** (p - 1), np.ones(3) + 0.2, 2.0).verdict == "correct"
    shaped = lambda x, n: (x.reshape(n, -1) ** 2).sum()
    assert mv.check_jacobian(shaped, lambda x, n: 2 * x, np.arange(6.0), 2).verdict == "correct"
    branching = lambda x: x**2 if x > 0 else -x
    assert mv.check_jacobian(branching, lambda x: 2 * x if x > 0 else -1.0, 1.5).verdict == "correct"
    assert mv.check_jacobian(branching, lambda x: 2 * x if x > 0 else 1.0, -1.5).verdict == "wrong"


def test_layers_are_compared_in_the_structure_they_come_in(network):
    params, x, y = network
    lists = [tuple(layer) for layer in params]
    assert mv.check_jacobian(mv.network.cost, mv.network.jacobian, lists, x, y).verdict == "correct"
    assert isinstance(mv.network.jacobian(params, x, y)[0], Layer)
