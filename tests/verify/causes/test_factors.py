"""Factors and terms that are values of the function, and products of them in the wrong order."""

import jax.numpy as jnp
import numpy as np
import pytest

from mvcalc_jax.verify.causes.factors import _hints, factors
from mvcalc_jax.verify.causes.products import _other_factor, products, regular
from mvcalc_jax.verify.causes.seen import Seen, factor
from mvcalc_jax.verify.causes.tape import record

RNG = np.random.default_rng(4)


@pytest.fixture
def tapes(float64):
    """Of tr(sin(P X Q)), at three points, with the matrices P, X and Q."""
    points = [[RNG.standard_normal((3, 3)) for _ in range(3)] for _ in range(3)]
    f = lambda leaves, _: [jnp.sin(leaves[0] @ leaves[1] @ leaves[2]).trace()]
    return points, [record(f, [jnp.asarray(m) for m in point], [], ["P", "X", "Q"]) for point in points]


def seen(hand, exact):
    return Seen("leaf", hand, exact, 0, True, {"P": 3})


def numbers(tape):
    return list(range(len(tape.values)))[:3]


def test_factors_in_another_order_are_put_right(tapes):
    points, taped = tapes
    unknown = [RNG.standard_normal((3, 3)) for _ in points]
    exact = [P @ G @ Q for (P, _, Q), G in zip(points, unknown, strict=True)]
    hand = [Q @ G @ P for (P, _, Q), G in zip(points, unknown, strict=True)]
    found = list(products(taped, numbers(taped[0]), seen(hand, exact)))
    assert [(repair.kind, repair.certified) for repair in found] == [("reversed-order", True)]
    assert found[0].detail.endswith("the right one is P · … · Q")


def test_what_is_no_product_of_them_is_not(tapes):
    points, taped = tapes
    hand, exact = ([RNG.standard_normal((3, 3)) for _ in points] for _ in range(2))
    assert list(products(taped, numbers(taped[0]), seen(hand, exact))) == []


def test_one_point_does_not_certify(tapes):
    points, taped = tapes
    (P, _, Q), G = points[0], RNG.standard_normal((3, 3))
    for repair in products(taped[:1], numbers(taped[0]), seen([Q @ G @ P], [P @ G @ Q])):
        assert not repair.certified


THIN = {
    "has V as its last factor where W belongs": ("wrong-intermediate", "W", "V"),
    "the factor M is missing in its last factor": ("missing-factor", "W · M", "W"),
    "the factor M stands there once too often in its last factor": ("missing-factor", "W", "W · M"),
}


@pytest.mark.parametrize("turn", [False, True], ids=["last", "first"])
@pytest.mark.parametrize("words", THIN)
def test_a_product_with_another_thin_matrix(words, turn, float64):
    """Of U Wᵀ, which is given back, U need not be known."""
    kind, right, wrong = THIN[words]
    points = [[RNG.standard_normal((5, 2)) for _ in "WVM"] for _ in range(3)]
    f = lambda leaves, _: [(jnp.sin(leaves[0] * leaves[2]) * leaves[1]).sum()]
    taped = [record(f, [jnp.asarray(m) for m in point], [], list("WVM")) for point in points]
    product = next(step.outputs[0] for step in taped[0].steps if step.primitive == "mul")
    values = [{"W": W, "V": V, "W · M": W * M} for W, V, M in points]
    known = [RNG.standard_normal((4, 2)) for _ in points]
    sides = [[U @ value[name].T for U, value in zip(known, values, strict=True)] for name in (wrong, right)]
    hand, exact = ([leaf.T if turn else leaf for leaf in side] for side in sides)
    (found,) = products(taped, [*numbers(taped[0]), product], seen(hand, exact))
    assert (found.kind, found.certified) == (kind, True)
    assert found.detail == words.replace("last", "first" if turn else "last")


def test_matrices_that_one_can_solve_with():
    assert regular([np.eye(3), np.eye(3) + 1])
    assert not regular([np.eye(3), np.ones((3, 3))])
    assert not regular([np.ones((3, 2))])
    assert not regular([np.eye(1)])
    assert not regular([np.full((2, 2), np.nan)])


MISSING = {
    "a factor": (lambda P, X, Q, e: e / X, "missing-factor", "must be multiplied by X"),
    "its square": (lambda P, X, Q, e: e / X**2, "missing-factor", "must be multiplied by X²"),
    "an inverse": (lambda P, X, Q, e: e * P, "missing-factor", "must be multiplied by 1/P"),
    "a matrix": (lambda P, X, Q, e: np.linalg.solve(P, e), "missing-factor", "the matrix P"),
    "an inverse transposed": (
        lambda P, X, Q, e: np.linalg.solve(P.T, P @ e),
        "transpose",
        "P stands where its transpose should, or its inverse's",
    ),
    "a term": (lambda P, X, Q, e: e - 3 * Q, "missing-term", "3 times Q"),
    "a constant": (lambda P, X, Q, e: e + 7.0, "missing-term", "differs by a term"),
}


@pytest.mark.parametrize("how", MISSING)
def test_values_of_the_function_that_are_missing(how, tapes):
    change, kind, said = MISSING[how]
    points, taped = tapes
    exact = [RNG.standard_normal((3, 3)) for _ in points]
    hand = [change(*point, e) for point, e in zip(points, exact, strict=True)]
    first = min(factors(taped, seen(hand, exact)), key=lambda repair: (not repair.certified, repair.rank))
    assert (first.kind, first.certified) == (kind, how != "a constant")
    assert said in first.detail


@pytest.mark.parametrize("name", ["s", "x"])
def test_a_factor_may_be_one_number_or_the_same_at_every_point(name, float64):
    x = RNG.standard_normal(4)
    points = [{"s": np.array(s), "x": x} for s in (1.5, -0.7, 2.2)]
    f = lambda leaves, _: [leaves[0] * jnp.sin(leaves[1]).sum()]
    taped = [record(f, [jnp.asarray(v) for v in point.values()], [], list(point)) for point in points]
    exact = [RNG.standard_normal(4) for _ in points]
    hand = [e / point[name] for e, point in zip(exact, points, strict=True)]
    found = list(factors(taped, seen(hand, exact)))
    assert ("missing-factor", True, f"must be multiplied by {name}") in [
        (repair.kind, repair.certified, repair.detail) for repair in found
    ]


def test_zeros_that_explain_nothing_are_hints(tapes):
    some, other = np.array([[1.0, 0, 2]] * 3), np.array([[3.0, 1, 5]] * 3)
    for hand, exact, kind in ((some, other, "missing-support"), (other, some, "extra-support")):
        found = [(r.kind, r.certified) for r in factors(tapes[1], seen(list(hand), list(exact)))]
        assert (kind, False) in found
        assert (kind, True) not in found


def test_the_other_factor_is_one_of_that_product(float64):
    f = lambda leaves, _: [jnp.sin(leaves[0] * leaves[1])]
    tape = record(f, [jnp.arange(1.0, 4), jnp.arange(2.0, 5)], [], ["u", "v"])
    product, sine = (step.outputs[0] for step in tape.steps)
    assert [_other_factor(tape, part, product) for part in (0, 1, sine)] == [1, 0, None]
    assert _other_factor(tape, 0, sine) is None


def by(what):
    return f"must be multiplied by a factor that depends on {what} alone"


HINTS = {
    by("axis 0"): lambda h, f: h * f,
    by("the output's axis 0"): lambda h, f: h * f[:3, None],
    by("the point"): lambda h, f: h * f[0],
    "differs by a term of 0.079 of its size": lambda h, f: h + 0.1 * np.cos(h) * (h != 0),
    "is zero where it must not be, and wrong elsewhere, too": lambda h, f: h + 1,
    "is not zero where it must be, and wrong elsewhere, too": lambda h, f: h * f * (h < 0.5),
}


@pytest.mark.parametrize("words", HINTS)
def test_what_nothing_explains_is_described(words):
    rng = np.random.default_rng(2)
    hand = [rng.standard_normal((3, 4)) for _ in range(3)]
    for h in hand:
        h[0, 1] = 0
    exact = [HINTS[words](h, 1 + rng.random(4)) for h in hand]
    assert [hint.detail for hint in _hints(Seen("leaf", hand, exact, 1, True, {}))] == [words]


def test_one_factor_for_all_points():
    h = [np.array([1.0, 2.0]), np.array([-1.0, 0.5])]
    assert factor(h, [3 * x for x in h]) == pytest.approx(3)
    assert factor(h, [2j * x for x in h]) == pytest.approx(2j)
    assert factor(h, [3 * h[0], 2 * h[1]]) is None
    assert factor([0 * x for x in h], h) is None
    assert factor([np.array([1e200, 1.0])], [np.array([1e200, 2.0])]) is None  # nor a word of the overflow
