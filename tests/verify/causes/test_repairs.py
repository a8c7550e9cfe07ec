"""Repairs of a leaf as a whole: what undoes a change is found, and nothing is certified that does not."""

import numpy as np
import pytest

from mvcalc_jax.verify.causes.rearranged import PERMUTED, _permutations
from mvcalc_jax.verify.causes.repairs import _ranges, misshapen, repairs
from mvcalc_jax.verify.causes.seen import Seen, factor, matches, spoken
from mvcalc_jax.verify.causes.steps import _said
from mvcalc_jax.verify.causes.variants import Change
from mvcalc_jax.verify.causes.workshop import Mutant
from mvcalc_jax.verify.evidence import Misshapen

RNG = np.random.default_rng(1)
EXACT = [RNG.standard_normal((3, 4, 4)) for _ in range(3)]
SIZES = {"args[0]": 7, "axis 0 of args[1]": 5}


def seen(change, exact=EXACT, out=0):
    return Seen("leaf", [change(e) for e in exact], exact, out, True, SIZES)


def found(change, **more):
    return [(r.kind, r.certified) for r in sorted(repairs(seen(change, **more), []), key=lambda r: r.rank)]


CHANGES = {
    "zero": (np.zeros_like, "zero"),
    "sign": (np.negative, "sign"),
    "scale": (lambda e: e / 5, "scale"),
    "transpose": (lambda e: np.swapaxes(e, 1, 2), "axis-permuted"),
    "flipped": (lambda e: e[:, ::-1], "axis-flipped"),
    "flipped and scaled": (lambda e: 2 * e[::-1], "axis-flipped"),
    "rolled": (lambda e: np.roll(e, 2, 1), "axis-permuted"),
    "shuffled": (lambda e: e[:, [2, 0, 3, 1]], "axis-permuted"),
    "laid out otherwise": (lambda e: e.transpose(1, 0, 2).reshape(e.shape), "axis-permuted"),
    "one row": (lambda e: np.concatenate([2 * e[:1] + 1, e[1:]]), "localised"),
}


@pytest.mark.parametrize("how", CHANGES)
def test_what_undoes_a_change_comes_first_and_is_certified(how):
    change, kind = CHANGES[how]
    first, certified = found(change)[0]
    assert first == kind
    assert certified or how == "one row"


def test_axes_that_change_places_are_likelier_than_three_that_go_round():
    cubes = [RNG.standard_normal((4, 4, 4)) for _ in range(3)]
    for axes, rank in (((0, 2, 1), 0.6), ((2, 1, 0), 0.6), ((1, 2, 0), 4.8)):
        first = min(repairs(seen(lambda e, a=axes: e.transpose(a), cubes), []), key=lambda r: r.rank)
        assert (first.kind, first.certified, first.rank) == ("axis-permuted", True, rank)


def test_a_path_that_counts_otherwise_is_told_by_how_likely_that_is():
    mutant = Mutant("missing-term", (0,), Change(None), "the term a is missing", 3.0, linear=True)
    for how, expected in (
        (("as it is", 0.0), ("missing-term", "the term a is missing", 3.0)),
        (("transposed", 1.0), ("transpose", "the term a is transposed", 2.7)),
        (("times", -1.0), ("sign", "the term a has the wrong sign", 1.8)),
        (("times", 1 / 7), ("scale", "the term a counts 1/7 (7 is the length of args[0]) times", 2.6)),
        (("times", 0.1234567), ("scale", "the term a counts 0.123457 times", 6)),
    ):
        assert _said(mutant, how, SIZES) == expected


def test_noise_is_certified_by_nothing():
    noise = iter(RNG.standard_normal((3, 3, 4, 4)))
    assert not any(certified for _, certified in found(lambda e: e + next(noise)))


def test_one_point_out_of_three_is_not_enough():
    factors = iter((2.0, 2.0, 2.1))
    assert "scale" not in [kind for kind, _ in found(lambda e: next(factors) * e)]


def test_what_differs_by_no_factor_is_not_scaled():
    """Such a block is off in a few entries that are small beside the others."""
    assert "scale" not in [kind for kind, _ in found(lambda e: e + 1e-12 * (np.abs(e) < 0.1))]


def test_transposes_of_matrices_and_across_output_and_input():
    square = [RNG.standard_normal((3, 3)) for _ in range(3)]
    assert found(np.transpose, exact=square)[0] == ("transpose", True)
    assert found(np.transpose, exact=square, out=1)[0] == ("transpose", True)


def test_leaves_that_hold_each_others_derivative():
    other = [RNG.standard_normal((3, 4, 4)) for _ in range(3)]
    mine = Seen("mine", other, EXACT, 0, True, SIZES)
    theirs = Seen("theirs", EXACT, other, 0, True, SIZES)
    swapped = [r for r in repairs(mine, [theirs]) if r.kind == "swapped-leaves"]
    assert swapped[0].certified and swapped[0].detail == "mine and theirs hold each other's derivatives"


def test_symmetry_is_asked_of_what_must_be_symmetric_alone():
    symmetric = [e[0] + e[0].T for e in EXACT]
    assert found(np.triu, exact=symmetric, out=1)[0] == ("asymmetric", True)
    plain = [e[0] for e in EXACT]
    assert "asymmetric" not in [kind for kind, _ in found(np.triu, exact=plain, out=1)]
    assert found(lambda e: (e + e.T) / 2, exact=plain, out=1)[0] == ("asymmetric", True)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (1.0, "1"),
        (-2.0, "-2"),
        (0.5, "1/2"),
        (7.0, "7 (7 is the length of args[0])"),
        (1 / 5, "1/5 (5 is the length of axis 0 of args[1])"),
        (7 / 5, "7/5 (the lengths of axes)"),
        (1 / 35, "1/(5·7) (the lengths of axes)"),
        (6 / 7, "6/7 (7 is the length of args[0])"),
        (7 / 6, "7/6 (7 is the length of args[0])"),
        (np.sqrt(7), "√7 (7 is the length of args[0])"),
        (2 * np.pi, "2π"),
        (0.1234567, "0.123457"),
        (2j, "0+2j"),
    ],
)
def test_factors_in_words(number, said):
    assert spoken(number, SIZES) == said


def test_axes_change_places_across_output_and_input_unless_there_are_very_many():
    square = seen(np.copy, [e[0] for e in EXACT], 1)
    assert list(_permutations(square, [0, 1])) == [(1, 0)]
    many = seen(np.copy, [np.zeros((2,) * (PERMUTED + 1))], PERMUTED - 1)
    assert list(_permutations(many, list(range(PERMUTED + 1)))) == [
        (*range(PERMUTED - 1), PERMUTED, PERMUTED - 1)
    ]


def test_six_ranges_are_named_and_no_more():
    assert _ranges(np.array([0, 1, 2, 5, 7, 8])) == "0–2, 5, 7–8"
    assert _ranges(np.arange(0, 12, 2)) == "0, 2, 4, 6, 8, 10"
    assert _ranges(np.arange(0, 14, 2)) == "0, 2, 4, 6, 8, 10…"


def test_the_one_factor():
    assert factor([2 * e for e in EXACT], EXACT) == pytest.approx(0.5)
    assert factor([2 * EXACT[0], 3 * EXACT[1]], EXACT[:2]) is None
    assert factor([np.zeros(2)], [np.ones(2)]) is None
    assert factor([np.ones(2)], [np.zeros(2)]) is None
    assert factor([np.array([1j])], [np.array([2.0 + 0j])]) == pytest.approx(-2j)


def test_matching_to_rounding():
    e = np.array([1.0, 2.0])
    assert matches([e + 1e-12], [e], [0 * e])
    assert not matches([e + 1e-6], [e], [0 * e])
    assert not matches([e[:1]], [e], [e])
    assert not matches([e + 1e-10], [e], [e + 1e-9])  # not much less than what there is to explain
    assert not matches([e * np.nan], [e], [0 * e])


MISSHAPEN = {
    "transposed": (lambda e: e.T, "transpose"),
    "flat": (np.ravel, "shape"),
    "not summed": (lambda e: np.stack([e / 4, 3 * e / 4]), "missing-sum"),
    "one row only": (lambda e: e[:1], "shape"),
}


@pytest.mark.parametrize("how", MISSHAPEN)
def test_leaves_of_the_wrong_shape(how):
    change, kind = MISSHAPEN[how]
    exact = EXACT[0][:, :, 0]
    one = Seen("leaf", [np.full((3, 4), np.nan)], [exact], 0, True, SIZES)
    repair = misshapen(one, Misshapen("must have another shape", change(exact), 0))
    assert repair.kind == kind
    assert repair.detail.startswith("must have another shape")
