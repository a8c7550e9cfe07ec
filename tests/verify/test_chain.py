"""Chains: the wrong link is named, whatever the others do, and so is a product of right ones put together wrongly."""

import ast

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mvcalc_jax as mv
from mvcalc_jax.models import network
from mvcalc_jax.models.activations import ACTIVATIONS
from mvcalc_jax.models.chain import Factor
from mvcalc_jax.verify import Link
from tests.cases import long

pytestmark = pytest.mark.slow  # what a newer JAX may break is tested in less time elsewhere

RNG = np.random.default_rng(11)
A, B, V = (RNG.standard_normal((3, 3)) for _ in range(3))
X = np.array([1.4, 0.8, -0.6])


def affine(x):
    return jnp.asarray(A) @ x + jnp.asarray(B[0])


def d_tanh(z):
    return jnp.diag(1 - jnp.tanh(z) ** 2)


LINKS = [
    Link("affine", affine, lambda x: A),
    Link("tanh", jnp.tanh, d_tanh),
    Link("output", lambda a: jnp.asarray(V) @ a, lambda a: V),
]


def total(x):
    return jnp.asarray(V) @ d_tanh(affine(x)) @ jnp.asarray(A)


def broken(**jacs):
    return [link._replace(jac=jacs.get(link.name, link.jac)) for link in LINKS]


def blamed(report):
    return [link.name for link in report.links if link.verdict == "wrong"]


def test_a_right_chain_with_and_without_its_total(float64):
    for whole in (None, total, np.asarray(total(X))):
        report = mv.check_chain(LINKS, X, whole)
        assert report.verdict == "correct", str(report)
        assert [(link.name, link.verdict) for link in report.links] == [
            (link.name, "correct") for link in LINKS
        ]
    mv.assert_chain(LINKS, X, total)
    assert (
        "3 of 3 links are right, each at its own input; so is the whole"
        in mv.check_chain(LINKS, X, total).reason
    )


def test_the_wrong_link_is_named_and_no_other():
    report = mv.check_chain(broken(tanh=lambda z: -d_tanh(z)), X, total)
    assert (report.verdict, blamed(report)) == ("wrong", ["tanh"])
    assert (report.diagnoses[0].kind, report.diagnoses[0].where) == ("sign", "tanh: args[0]")
    assert "the local Jacobian of tanh is wrong; 2 of 3 links are right" in report.reason
    assert "the whole is correct" in report.reason
    assert report.links[1].report.verdict == "wrong"
    assert "the input of tanh" in report.links[1].report.again
    with pytest.raises(AssertionError, match="sign in tanh"):
        mv.assert_chain(broken(tanh=lambda z: -d_tanh(z)), X, total)


def test_links_that_make_up_for_each_other():
    report = mv.check_chain(broken(affine=lambda x: 2 * A, output=lambda a: V / 2), X, total)
    assert blamed(report) == ["affine", "output"]
    assert [(cause.kind, cause.certified) for cause in report.diagnoses] == [
        ("compensating", True),
        ("scale", True),
        ("scale", True),
    ]
    assert report.diagnoses[0].where == "affine and output"


PRODUCTS = {
    "in the wrong order": (
        lambda x: jnp.asarray(A) @ d_tanh(affine(x)) @ jnp.asarray(V),
        "reversed-order",
        "affine · tanh · output",
    ),
    "without a factor": (lambda x: jnp.asarray(V @ A), "missing-factor", "Jacobian of tanh is missing"),
    "a factor twice": (
        lambda x: jnp.asarray(V) @ d_tanh(affine(x)) @ d_tanh(affine(x)) @ jnp.asarray(A),
        "missing-factor",
        "Jacobian of tanh stands in the product twice",
    ),
    "a factor transposed": (
        lambda x: jnp.asarray(V.T) @ d_tanh(affine(x)) @ jnp.asarray(A),
        "transpose",
        "Jacobian of output is transposed",
    ),
    "a factor at another value": (
        lambda x: jnp.asarray(V) @ d_tanh(x) @ jnp.asarray(A),
        "wrong-intermediate",
        "tanh is evaluated at the input of the chain instead of the output of affine",
    ),
}


@pytest.mark.parametrize("how", PRODUCTS)
def test_right_links_put_together_wrongly(how):
    wrong, kind, said = PRODUCTS[how]
    report = mv.check_chain(LINKS, X, wrong)
    assert (report.verdict, blamed(report)) == ("wrong", [])
    first = report.diagnoses[0]
    assert (first.kind, first.where, first.certified) == (kind, "total", True)
    assert said in first.detail


def test_a_total_that_is_known_at_one_point_only(float64):
    report = mv.check_chain(LINKS, X, np.asarray(total(X)).T)
    assert (report.verdict, blamed(report)) == ("wrong", [])
    report = mv.check_chain(LINKS, X, np.asarray(total(X))[:2])
    assert report.verdict == "wrong"
    assert "must have shape (3, 3); got (2, 3)" in str(report)


def test_a_link_evaluated_at_another_value_on_the_way():
    """The derivative of tanh at the chain's input, which the link must first find from its own."""

    def at_the_start(z):
        return d_tanh(jnp.linalg.solve(jnp.asarray(A), z - jnp.asarray(B[0])))

    report = mv.check_chain(broken(tanh=at_the_start), X, total)
    assert blamed(report) == ["tanh"]
    first = report.diagnoses[0]
    assert (first.kind, first.where, first.certified) == ("wrong-intermediate", "tanh", True)
    assert "evaluated at the input of the chain instead of the output of affine" in first.detail


def test_values_on_the_way_may_be_trees():
    eye = np.eye(3)
    links = [
        Link(
            "split", lambda x: {"a": x[:2], "b": x[2] ** 2}, lambda x: {"a": eye[:2], "b": 2 * x[2] * eye[2]}
        ),
        Link(
            "join",
            lambda p: jnp.sin(p["a"]) * p["b"],
            lambda p: {"a": jnp.diag(jnp.cos(p["a"]) * p["b"]), "b": jnp.sin(p["a"])},
        ),
    ]
    assert mv.check_chain(links, X).verdict == "correct"
    links[0] = links[0]._replace(jac=lambda x: {"a": eye[:2], "b": x[2] * eye[2]})
    report = mv.check_chain(links, X)
    assert blamed(report) == ["split"]
    assert report.diagnoses[0].where == "split: out['b'] by args[0]"
    assert report.diagnoses[0].kind == "scale"


def test_a_link_that_cannot_be_run_ends_the_chain():
    links = [LINKS[0], LINKS[1]._replace(f=lambda z: 1 / 0), LINKS[2]]
    report = mv.check_chain(links, X)
    assert report.verdict == "inconclusive"
    assert "link tanh raises ZeroDivisionError: division by zero" in report.reason
    report = mv.check_chain(broken(output=lambda a: 1 / 0), X)
    assert blamed(report) == ["output"]


@pytest.mark.parametrize("how", ["raises", "nan"])
def test_a_link_that_refuses_points_nearby_is_looked_at_where_it_can_be(how):
    """Then one point is left, and a cause that explains it is a hint."""

    def only_here(x):
        here = np.array_equal(np.asarray(x), X) if not isinstance(x, jax.core.Tracer) else True
        if how == "raises" and not here:
            raise ValueError("not here")
        return affine(x) if here else np.nan * affine(x)

    links = [LINKS[0]._replace(f=only_here), *LINKS[1:]]
    at_the_start = lambda z: d_tanh(jnp.linalg.solve(jnp.asarray(A), z - jnp.asarray(B[0])))
    links[1] = links[1]._replace(jac=at_the_start)
    report = mv.check_chain(links, X)
    assert blamed(report) == ["tanh"]
    assert (report.diagnoses[0].kind, report.diagnoses[0].certified) == ("wrong-intermediate", False)
    report = mv.check_chain([links[0], *LINKS[1:]], X, lambda x: -total(x))
    assert (report.verdict, blamed(report)) == ("wrong", [])


def test_a_link_that_is_given_nothing_to_differentiate_by_is_undecided():
    links = [LINKS[0]._replace(f=lambda x: ()), LINKS[1]._replace(f=lambda nothing: jnp.ones(3)), LINKS[2]]
    report = mv.check_chain(links, X)
    assert report.verdict != "correct"
    assert report.links[1].verdict == "inconclusive"
    assert "the input of tanh: `x` must hold numbers to differentiate by" in report.links[1].report.reason


def test_the_line_that_repeats_the_check_of_a_link_is_python():
    for link in mv.check_chain(LINKS, X).links:
        ast.parse(link.report.again)
        assert link.report.again.endswith(f"x, seed=0)  # x is the input of {link.name}")


@pytest.mark.parametrize(
    ("links", "x", "error", "message"),
    [
        ([], X, TypeError, "`links` must be a list of at least one Link"),
        (LINKS[0], X, TypeError, r"`links\[0\]` must be a Link"),
        ([jnp.tanh], X, TypeError, r"`links\[0\]` must be a Link"),
        ([Link("tanh", jnp.tanh, 2)], X, TypeError, "of two functions"),
        (LINKS, np.arange(3), TypeError, "`x` must be of floating-point numbers"),
    ],
)
def test_misuse(links, x, error, message, unchecked):
    with pytest.raises(error, match=message):
        mv.check_chain(links, x)


def test_misuse_of_the_rest(unchecked):
    with pytest.raises((TypeError, ValueError), match="total"):
        mv.check_chain(LINKS, X, "the total")
    with pytest.raises(ValueError, match="`seed` must be at least 0"):
        mv.check_chain(LINKS, X, seed=-1)


def spread(form, kept, *shape):
    """A local Jacobian in full, from the small array that backpropagation keeps."""
    return Factor("", "", "", kept, form, shape).full()


def course_network(wrong=None, change=None):
    """The course's network from W¹ to its cost: links as they stand in the chain rule; on request, one is wrong."""
    n, rng = 2, np.random.default_rng(5)
    params = [(rng.standard_normal((o, i)), rng.standard_normal((o, 1))) for i, o in ((2, 3), (3, 4), (4, 2))]
    x, y = rng.standard_normal((2, n)), rng.random((2, n))
    σ, d_σ = ACTIVATIONS["logistic"]
    (W1, b1), *rest = params
    links = [
        Link("∂z¹/∂W¹", lambda W: W @ x + b1, lambda W: spread("input", jnp.asarray(x), 3, n, *W.shape)),
        Link("∂a¹/∂z¹", σ, lambda z: spread("diagonal", d_σ(z), *z.shape, *z.shape)),
    ]
    for l, (W, b) in zip("²³", rest, strict=True):
        shape = (len(W), n, W.shape[1], n)
        links += [
            Link(
                f"∂z{l}/∂a",
                lambda a, W=W, b=b: jnp.asarray(W) @ a + b,
                lambda a, W=W, shape=shape: spread("weight", jnp.asarray(W), *shape),
            ),
            Link(f"∂a{l}/∂z{l}", σ, lambda z: spread("diagonal", d_σ(z), *z.shape, *z.shape)),
        ]
    links.append(Link("∂C/∂a³", lambda a: ((a - y) ** 2).sum() / n, lambda a: 2 * (a - y) / n))

    def total(W):
        layers = [(W, b1), *rest]
        return network.jacobian([(jnp.asarray(W), jnp.asarray(b)) for W, b in layers], jnp.asarray(x), y)[0][
            0
        ]

    if wrong is not None:
        jac = links[wrong].jac
        links[wrong] = links[wrong]._replace(jac=lambda at: change(jac(at)))
    return links, W1, total


def test_the_courses_network_link_by_link():
    links, W, whole = course_network()
    report = mv.check_chain(links, W, whole)
    assert report.verdict == "correct", str(report)
    assert len(report.links) == 7


@pytest.mark.parametrize("wrong", [k if k in (4, 5) else long(k) for k in range(7)])
def test_each_link_of_the_courses_network_is_named_if_it_is_wrong(wrong):
    change, kind = [
        (lambda J: -J, "sign"),
        (lambda J: 2 * J, "scale"),
        (lambda J: 0 * J, "zero"),
    ][wrong % 3]
    links, W, _ = course_network(wrong, change)
    report = mv.check_chain(links, W)
    assert blamed(report) == [links[wrong].name]
    assert (report.diagnoses[0].kind, report.diagnoses[0].certified) == (kind, True)
    assert report.diagnoses[0].where.startswith(links[wrong].name)
