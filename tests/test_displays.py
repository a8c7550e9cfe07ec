"""What a user gets back: it prints and shows itself in a notebook, whole or many at once, and inside JAX."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mvcalc_jax as mv
from mvcalc_jax import calculus
from tests.test_text import Page, squeezed

X = np.linspace(-2, 2, 9)


def wave(x):
    return jnp.sin(x) * x


def bowl(p):
    return p @ p


def descend(p, **options):
    return mv.steepest_descent(lambda p: 2 * p, p, cost=bowl, steps=4, learning_rate=0.1, **options)


def enclose(x):
    return mv.taylor_enclosure(lambda x: x * x * x, x, 0.5, 2)


def enclose_several(x):
    return mv.taylor_enclosure(lambda p: 2 * p, np.array([x, x]), 0.5, 1)


def twice(tree):
    """As `jax.vmap` puts two together."""
    return jax.tree.map(lambda leaf: jnp.stack([jnp.asarray(leaf)] * 2), tree)


def line(x, a, b):
    return a * x + b


def fitted(y):
    return mv.curve_fit(line, X, y, p0=[1.0, 1.0])


def network():
    params = mv.network.init(np.random.default_rng(0), (1, 2, 1))
    return mv.network.factors(params, np.ones((1, 3), np.float32), np.ones((1, 3), np.float32))


def game():
    played = mv.sandpit.Game("wells")
    played.dip((3, 3))
    return played


RESULTS = {
    "report": (lambda: mv.check_jacobian(bowl, lambda p: p, X[:3]), "wrong"),
    "fit": (lambda: fitted(2 * X + 1), "converged"),
    "fits": (lambda: fitted(np.stack([2 * X + 1, X * np.nan])), "infinite or NaN"),
    "failed fits": (lambda: fitted(np.stack([X * np.nan, X * np.nan])), "infinite or NaN"),
    "regression": (lambda: mv.linear_regression(X, X**2), "R²"),
    "enclosure": (lambda: enclose(0.5), "h^2, h = x - 0.5, |h| <= 0.5"),
    "enclosure of an array": (
        lambda: mv.taylor_enclosure(lambda x: jnp.stack([x * x, -x]), 1.0, 0.5, 1),
        "1 + [1.5, 2.5] h",
    ),
    "enclosures": (lambda: twice(result("enclosure")), "2 enclosures of order 2"),
    "enclosure in several variables": (lambda: enclose_several(0.5), "x0 = (0.5, 0.5)"),
    "interval": (lambda: mv.Interval(0.5, 0.75), "[0.5, 0.75]"),
    "intervals": (lambda: mv.Interval(np.zeros((3, 4)), np.ones((3, 4))), "and 2 more"),
    "polynomial": (lambda: mv.taylor(jnp.exp, 0.0, 30), "and 11 more"),
    "polynomials": (lambda: twice(result("polynomial")), "2 polynomials of order 30"),
    "polynomial in several variables": (lambda: mv.taylor(bowl, np.ones(2), 2), "(1, 0, 0, 1)"),
    "root that is proven": (lambda: mv.verified_root(lambda x: x - 0.5, (0, 1)), "exactly one root"),
    "range that is proven": (lambda: mv.verified_range(lambda x: 2 * x, (0, 1)), "f lies in"),
    "integral that is proven": (lambda: mv.verified_integral(lambda x: 2 * x, 0, 1), "the integral lies in"),
    "descent": (lambda: descend(X), "took all 4 steps"),
    "descents": (lambda: jax.vmap(descend)(np.ones((2, 3))), "2 of 2 members"),
    "descent without a cost": (
        lambda: mv.steepest_descent(lambda p: {"a": 2 * p["a"]}, {"a": X}, steps=1, learning_rate=0.1),
        "['a']",
    ),
    "derivative": (lambda: mv.derivative(wave, 0.5), "±"),
    "derivatives": (lambda: mv.derivative(wave, np.linspace(0.1, 1, 12)), "and 2 more"),
    "root": (lambda: mv.newton(lambda x: x * x - 2, 1.0), "1.414213562373095"),
    "critical points": (lambda: mv.critical_points(bowl, ((-1, 1), (-1, 2))), "1 minimum"),
    "extrema": (lambda: mv.lagrange(lambda p: p[0], lambda p: p @ p - 1, (1.0, 0.5)), "2 stationary points"),
    "rules": (lambda: mv.trace_rules(wave)(0.5), "product"),
    "pair": (lambda: calculus.rules.sin * calculus.rules.exp, "f′ = "),
    "change of variables": (lambda: calculus.change_of_variables("polar", [1.0, 0.5]), "det J"),
    "areas": (lambda: calculus.areas("polar"), "cells"),
    "directional derivative": (
        lambda: calculus.directional_derivative(bowl, [1.0, 2.0], [1.0, 0.0]),
        "D_u f",
    ),
    "factors": (network, "∂C/∂W¹ = "),
    "game": (game, "24 dips left"),
    "contest": (lambda: mv.sandpit.compete(["wells"], 2), "2 seeds"),
}


@cache
def result(name):
    return RESULTS[name][0]()


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_prints_and_shows_itself_alike(name, float64, standard_promotion):
    page = Page(result(name)._repr_html_())
    assert RESULTS[name][1] in page.words
    assert squeezed(page.words) == squeezed(str(result(name)))
    assert "color" not in page.styles and "background" not in page.styles
    assert len(str(result(name)).splitlines()) < 40


def test_a_million_fits_are_a_few_lines(float64):
    many = 10**6
    fits = jax.tree.map(lambda a: np.broadcast_to(a, (many, *np.shape(a))), result("fit"))
    assert fits.shape == (many,)
    assert len(fits._repr_html_()) < 4000
    assert "1\u202f000\u202f000" in str(fits) and len(str(fits).splitlines()) < 8


TREES = ("fit", "fits", "enclosure", "enclosure in several variables", "intervals", "polynomial", "descent")


@pytest.mark.parametrize("name", TREES)
@pytest.mark.parametrize("transform", [jax.jit, jax.vmap])
def test_inside_jax_numbers_are_not_known(name, transform, float64):
    shown = []

    def look(tree):
        shown.append((str(tree), Page(tree._repr_html_()).words))
        return tree

    transform(look)(twice(result(name)))
    ((said, words),) = shown
    assert said == words and said.endswith(mv.text.TRACED)


def test_records_stay_what_they_are(float64):
    estimate = result("derivative")
    assert estimate == tuple(estimate) and type(estimate)(*estimate) == estimate
    leaves, tree = jax.tree.flatten(result("descent"))
    again = jax.tree.unflatten(tree, leaves)
    assert type(again) is mv.Result and jax.tree.leaves(tuple(again)) == leaves
    assert mv.Interval(0.0, 1.0) == mv.Interval(0.0, 1.0)
    assert jax.tree.leaves(mv.Interval(0.0, 1.0)) == [0.0, 1.0]
