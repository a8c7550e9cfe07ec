"""The picture of a check: what it shows is what was compared, and no report is too odd to be drawn."""

import re

import jax.numpy as jnp
import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.image import AxesImage
from PIL import Image

from mvcalc_jax import verify
from mvcalc_jax.plots import check, matrices
from mvcalc_jax.verify.report import Adequacy, Compared, Diagnosis, Leaf, LinkResult, Report, Slope

pytestmark = pytest.mark.slow  # what a newer JAX may break is tested in less time elsewhere

STEPS = 2.0 ** -np.arange(2, 26)


def leaf(path, verdict, shape):
    return Leaf(path, verdict, shape, 1.0, 0.0, (0,) * len(shape), 0.0, 0.0)


def report(*pairs, verdict="wrong", **more):
    """Of leaves a, b, … with these arrays by hand and by autodiff, all with the same verdict."""
    arrays = [(np.asarray(hand), np.asarray(exact)) for hand, exact in pairs]
    named = list(zip("abcdefgh", arrays, strict=False))
    leaves = tuple(leaf(path, verdict, exact.shape) for path, (_, exact) in named)
    compared = tuple(Compared(path, *both) for path, both in named)
    return Report(verdict, "why", leaves, "check_jacobian(f, jac, *args)", compared=compared, **more)


def off(array, index, by):
    other = np.array(array)
    other[index] += by
    return other


def maps(figure):
    """The heat maps, three to a leaf, and what is drawn on them; the scales of colours are none."""
    return [
        ax
        for ax in figure.axes
        if any(type(image) is AxesImage for image in ax.images) and ax.get_title(loc="left")
    ]


def values(ax):
    return ax.images[0].get_array()


def titles(axes):
    return [ax.get_title(loc="left") for ax in axes]


def words(figure):
    drawn = [text.get_text() for text in figure.texts]
    return "\n".join(drawn + [text.get_text() for ax in figure.axes for text in ax.texts])


def with_gid(ax, name):
    return [artist for artist in ax.get_children() if artist.get_gid() == name]


def test_a_leaf_is_three_heat_maps(rng):
    exact = rng.standard_normal((3, 4))
    hand = off(exact, (1, 2), 50.0)
    figure = check.draw(report((hand, exact)))
    left, middle, right = maps(figure)
    assert titles([left, middle, right]) == ["by hand", "autodiff", "by hand − autodiff"]
    for ax, shown in ((left, hand), (middle, exact), (right, hand - exact)):
        np.testing.assert_array_equal(values(ax), shown)
        assert ax.get_xlim() == (-0.5, 3.5)
        assert ax.get_ylim() == (2.5, -0.5)
        (ring,) = with_gid(ax, "worst")
        np.testing.assert_allclose(ring.center, (2, 1))
        assert len(with_gid(ax, "value")) == 12
    largest = np.abs(exact).max()
    assert left.images[0].get_clim() == middle.images[0].get_clim() == (-largest, largest)
    np.testing.assert_allclose(right.images[0].get_clim(), (-50, 50))
    assert (left.get_xlabel(), left.get_ylabel()) == ("axis 1", "axis 0")
    assert "worst at [1, 2]" in words(figure)
    assert f"{hand[1, 2]:.6g}".replace("-", "−") in words(figure)


def test_rounding_is_white_and_has_no_ring(rng):
    exact = rng.standard_normal((3, 4))
    right = maps(check.draw(report((exact * (1 + 1e-15), exact), verdict="correct")))[2]
    np.testing.assert_allclose(right.images[0].get_clim(), np.abs(exact).max() * np.array([-1e-10, 1e-10]))
    assert not with_gid(right, "worst")
    assert {text.get_text() for text in with_gid(right, "value")} <= {"0", "≈0"}


@pytest.mark.parametrize(
    ("shape", "matrix", "labels"),
    [
        ((), (1, 1), ("", "")),
        ((5,), (1, 5), ("", "axis 0")),
        ((2, 3), (2, 3), ("axis 0", "axis 1")),
        ((2, 3, 5), (2, 15), ("axis 0", "axes 1 × 2 (3 × 5)")),
        ((2, 3, 5, 7), (6, 35), ("axes 0 × 1", "axes 2 × 3 (5 × 7)")),
    ],
    ids=str,
)
def test_any_number_of_axes_is_folded_to_two(shape, matrix, labels, rng):
    exact = rng.standard_normal(shape)
    worst = tuple(n - 1 for n in shape)
    figure = check.draw(report((off(exact, worst, 9.0), exact)))
    left, middle, _ = maps(figure)
    np.testing.assert_array_equal(values(middle), exact.reshape(matrix))
    assert (left.get_ylabel(), left.get_xlabel()) == labels
    (ring,) = with_gid(left, "worst")
    np.testing.assert_allclose(ring.center, (matrix[1] - 1, matrix[0] - 1))
    assert (f"worst at {list(worst)}" if shape else "a single number; worst: ") in words(figure)


@pytest.mark.parametrize("shape", [(200, 200), (201, 3), (300, 400), (1, 5000), (777, 201)], ids=str)
def test_one_wrong_entry_of_many_stays_visible(shape, rng):
    exact = rng.standard_normal(shape)
    at = tuple(int(rng.integers(n)) for n in shape)
    hand = off(exact * (1 + 1e-15), at, 0.25)
    figure = check.draw(report((hand, exact)))
    left, middle, right = maps(figure)
    assert max(values(left).shape) <= matrices.CELLS
    sides = np.array(matrices.block(shape))
    cell = tuple(np.array(at) // sides)
    for ax, shown in ((left, hand), (middle, exact), (right, hand - exact)):
        assert values(ax)[cell] == shown[at]
        (ring,) = with_gid(ax, "worst")
        assert np.all(np.abs(np.array(ring.center)[::-1] - at) <= sides / 2)
        assert ring.width >= sides[1] * 0.9
        np.testing.assert_allclose(sorted(ax.get_xlim()), (-0.5, shape[1] - 0.5))
    assert np.sum(np.abs(values(right)) > 1e-9) == 1
    assert ("each cell: the worst of" in words(figure)) == (max(sides) > 1)
    assert not with_gid(left, "value")


def test_blocks_that_do_not_fill_their_edge(rng):
    error = rng.random((405, 7))
    (i, j), sides = matrices.coarse(error)
    assert sides == (3, 1)
    assert i.shape == (135, 7)
    np.testing.assert_array_equal(error[i, j], error.reshape(135, 3, 7).max(axis=1))
    (i, j), sides = matrices.coarse(error[:401])
    assert sides == (3, 1)
    assert i.max() == 400
    assert i.shape == (134, 7)


@pytest.mark.parametrize("shape", [(3, 4), (20, 30)], ids=str)
def test_what_is_infinite_or_nan_is_marked_and_spoils_no_scale(shape, rng):
    exact = rng.standard_normal(shape)
    hand = off(exact, (1, 1), 0.5)
    hand[0, 0], hand[2, 3] = np.nan, -np.inf
    figure = check.draw(report((hand, exact)))
    left, middle, right = maps(figure)
    largest = np.abs(exact).max()
    assert left.images[0].get_clim() == middle.images[0].get_clim() == (-largest, largest)
    np.testing.assert_allclose(right.images[0].get_clim(), (-0.5, 0.5))
    for ax in (left, right):
        assert set(map(tuple, np.argwhere(np.ma.getmaskarray(values(ax))))) == {(0, 0), (2, 3)}
        if shape == (3, 4):
            assert {"NaN", "−∞"} <= {text.get_text() for text in with_gid(ax, "value")}
        else:
            (crosses,) = with_gid(ax, "not finite")
            np.testing.assert_array_equal(crosses.get_xydata(), [(0, 0), (3, 2)])
    assert "yellow: infinite or NaN" in words(figure)
    colour = left.images[0].cmap(np.ma.masked)[:3]
    along = (
        left.images[0].cmap(np.linspace(0, 1, 50))[:, :3],
        right.images[0].cmap(np.linspace(0, 1, 50))[:, :3],
    )
    assert min(np.abs(colours - colour).max(axis=1).min() for colours in along) > 0.3


def test_complex_numbers_are_shown_by_real_part_and_magnitude(rng):
    exact = rng.standard_normal((3, 4)) + 1j * rng.standard_normal((3, 4))
    figure = check.draw(report((exact.conj(), exact)))
    left, middle, right = maps(figure)
    assert titles([left, middle, right]) == [
        "by hand (real part)",
        "autodiff (real part)",
        "|by hand − autodiff|",
    ]
    np.testing.assert_array_equal(values(middle), exact.real)
    np.testing.assert_allclose(values(right), 2 * np.abs(exact.imag))
    assert right.images[0].get_clim()[0] == 0
    assert "complex" in words(figure)


def test_wrong_leaves_come_first_and_those_left_out_are_counted(rng):
    arrays = [rng.standard_normal((2, 3)) for _ in range(7)]
    verdicts = ["correct", "wrong", "correct", "inconclusive", "correct", "wrong", "correct"]
    whole = report(*[(a, a) for a in arrays])
    leaves = tuple(
        leaf(each.path, verdict, (2, 3)) for each, verdict in zip(whole.leaves, verdicts, strict=True)
    )
    figure = check.draw(Report("wrong", "why", leaves, "again", compared=whole.compared))
    for axes, k in zip(maps(figure)[::3], (1, 5, 3, 0), strict=True):
        np.testing.assert_array_equal(values(axes), arrays[k])
    assert "3 more leaves not shown: 3 correct" in words(figure)
    figure = check.draw(Report("correct", "why", leaves[:5], "again", compared=whole.compared[:5]))
    assert "1 more leaf not shown: 1 correct" in words(figure)


def test_causes_stand_at_their_leaves_or_at_the_top(rng):
    a = rng.standard_normal((2, 3))
    causes = (
        Diagnosis("sign", "a, b", "has the wrong sign", True),
        Diagnosis("scale", "b", "is twice too large", False),
        Diagnosis("primal-mismatch", "fwd", "returns another value", True),
    )
    figure = check.draw(report((-a, a), (-a, a), (a, a), diagnoses=causes))
    said = words(figure)
    assert said.count("cause: sign: has the wrong sign") == 2
    assert "twice" not in said
    assert "cause: primal-mismatch in fwd: returns another value" in said


@pytest.mark.parametrize(
    "strange",
    [
        Report("inconclusive", "f raises ValueError: no", (), "again"),
        Report("wrong", "jac(…) must have shape (3,); got (2,)", (), "again"),
        Report("wrong", "why " * 300, (leaf("a", "wrong", (9, 9)),), "again"),
        report((np.zeros((0, 3)), np.zeros((0, 3))), verdict="correct"),
        report((np.zeros((2, 3)), np.zeros((2, 3))), verdict="correct", adequacy=Adequacy(8, 8)),
    ],
    ids=["undecided", "shape", "not kept", "empty", "zero"],
)
def test_a_report_with_little_to_show_says_why(strange, tmp_path):
    figure = check.draw(strange)
    assert strange.verdict in words(figure)
    assert " ".join(strange.reason.split()[:3]) in words(figure)
    strange.plot(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("hand", "exact"),
    [
        (np.full((3, 4), np.nan), np.ones((3, 4))),
        (np.full((30, 40), -np.inf), np.ones((30, 40))),
        (1e308 * np.ones((3, 4)), -1e308 * np.ones((3, 4))),
        (np.full((3, 4), 5e-324), np.zeros((3, 4))),
        (np.ones((3, 4)), np.zeros((3, 4))),
        (np.ones((8, 8)) * -1.234e-12, np.ones((8, 8))),
        (np.ones((3, 4), bool), np.ones((3, 4))),
        (jnp.ones((3, 4), jnp.bfloat16), np.ones((3, 4))),
        (np.ones((3, 4)), 1j * np.ones((3, 4))),
    ],
    ids=["nan", "inf", "huge", "tiny", "of zero", "long numbers", "bool", "bfloat16", "real for complex"],
)
def test_no_numbers_are_too_odd(hand, exact, tmp_path):
    report((hand, exact)).plot(tmp_path / "a.png")


def chain(verdicts, wrong):
    right = Report("correct", "", (), "")
    found = {"wrong": wrong, "correct": right, "inconclusive": right}
    links = [LinkResult(f"link {k}", verdict, found[verdict]) for k, verdict in enumerate(verdicts)]
    return Report("wrong", "a link is wrong", (), "again", tuple(links))


def test_a_chain_has_a_box_for_every_link_and_heat_maps_of_the_wrong_ones(rng):
    a = rng.standard_normal((2, 3))
    wrong = report((-a, a), diagnoses=(Diagnosis("sign", "a", "has the wrong sign", True),))
    figure = check.draw(chain(["correct", "wrong", "inconclusive"], wrong))
    boxes = with_gid(figure.axes[0], "link")
    assert len(boxes) == 3
    assert len({mpl.colors.to_hex(box.get_edgecolor()) for box in boxes}) == 3
    drawn = [text.get_text() for text in figure.axes[0].texts]
    for name in ("link 0", "link 1", "link 2", "✓ correct", "✗ wrong", "? inconclusive", "sign"):
        assert name in drawn
    assert len(maps(figure)) == 3
    assert "link 1: a" in words(figure)
    assert "cause: sign: has the wrong sign" in words(figure)


def test_a_link_as_a_whole_may_have_the_cause(rng):
    a = rng.standard_normal((2, 3))
    cause = Diagnosis("wrong-intermediate", "link 0", "is evaluated elsewhere", True)
    wrong = report((-a, a), diagnoses=(cause, Diagnosis("sign", "a", "has the wrong sign", False)))
    assert "cause: wrong-intermediate: is evaluated elsewhere" in words(check.draw(chain(["wrong"], wrong)))


@pytest.mark.parametrize(
    ("verdicts", "boxes"),
    [
        (["correct"] * 24, 24),
        (["correct"] * 12 + ["wrong"] + ["correct"] * 17, 3),
        (["wrong", "correct"] * 100, 49),
    ],
    ids=["short", "long", "endless"],
)
def test_a_long_chain_is_told_in_short(verdicts, boxes, rng):
    figure = check.draw(chain(verdicts, report((np.ones((2, 3)), np.zeros((2, 3))))))
    assert len(with_gid(figure.axes[0], "link")) == boxes
    if boxes == 3:
        assert "link 0 … link 11" in words(figure)
        assert "12 links" in words(figure)


def test_the_remainder_by_hand_and_by_autodiff():
    slope = Slope(STEPS, 0.7 * STEPS, 0.3 * STEPS**3, 1e-16, 1.0004)
    (ax,) = check.draw(report(slope=slope)).axes
    lines = {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}
    assert list(lines) == ["autodiff", "by hand: slope 1.00"]
    np.testing.assert_array_equal(lines["by hand: slope 1.00"].get_ydata(), slope.by_hand)
    np.testing.assert_array_equal(lines["autodiff"].get_ydata(), slope.autodiff)
    powers = [np.polyfit(np.log(STEPS), np.log(guide.get_ydata()), 1)[0] for guide in with_gid(ax, "guide")]
    np.testing.assert_allclose(powers, [1, 3])
    (floor,) = ax.patches
    assert floor.get_extents().transformed(ax.transData.inverted()).ymax == pytest.approx(1e-16)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")


@pytest.mark.parametrize(
    ("hand", "noise", "said"),
    [
        (0 * STEPS, 0.0, "slope hidden by rounding"),
        (np.full(24, np.nan), 1e-16, "infinite or NaN"),
        (STEPS, np.inf, "slope hidden by rounding"),
    ],
    ids=["zero", "nan", "noise"],
)
def test_a_remainder_that_cannot_be_read(hand, noise, said, tmp_path):
    drawn = report(slope=Slope(STEPS, hand, STEPS**3, noise, float("nan")))
    (ax,) = check.draw(drawn).axes
    assert f"by hand: {said}" in [text.get_text() for text in ax.get_legend().get_texts()]
    nothing = report(slope=Slope(STEPS, hand * np.nan, 0 * STEPS, noise, float("nan")))
    assert "0, infinite or NaN at every h" in words(check.draw(nothing))
    for each in (drawn, nothing):
        each.plot(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf", ".PNG"])
def test_saved_whole_and_the_same_each_time(suffix, tmp_path, rng):
    a = rng.standard_normal((3, 4))
    path = tmp_path / f"a{suffix}"
    assert report((-a, a)).plot(str(path)) == path
    first = path.read_bytes()
    assert first.startswith({".svg": b"<?xml", ".pdf": b"%PDF"}.get(suffix, b"\x89PNG"))
    assert report((-a, a)).plot(path) == path
    assert path.read_bytes() == first
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["a.jpg", "a", "a.png.txt", ".png"])
def test_other_kinds_of_file_are_refused_before_anything_is_written(name, tmp_path):
    with pytest.raises(ValueError, match=rf"must end in \.png, \.svg or \.pdf; got .*{re.escape(name)}"):
        report().plot(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_drawing_changes_nobodys_settings(rng):
    before = dict(mpl.rcParams)
    check.draw(report((np.ones(3), np.zeros(3)), slope=Slope(STEPS, STEPS, STEPS**3, 1e-16, 1.0)))
    assert dict(mpl.rcParams) == before


def test_dollars_are_no_mathematics_and_words_stay_on_the_sheet(rng, tmp_path):
    a = rng.standard_normal((3, 4))
    path = "args[0]['$x_1$'] $\\frac"
    causes = (Diagnosis("sign", path, "`return W @ x_$` MMMM " * 30, True),)
    odd = Report(
        "wrong",
        "WHY $x^$ " * 60,
        (leaf(path, "wrong", (3, 4)),),
        "$\n$",
        (),
        causes,
        compared=(Compared(path, -a, a),),
    )
    figure = check.draw(odd)
    figure.draw_without_rendering()
    assert all(text.get_window_extent().x1 <= figure.bbox.x1 for text in figure.texts)
    assert path in words(figure)
    tops = [text.get_window_extent() for text in figure.texts]
    assert all(not a.overlaps(b) for k, a in enumerate(tops) for b in tops[:k])


def test_real_reports(tmp_path, rng, float64):
    W, x = rng.standard_normal((3, 3)), rng.standard_normal(3)

    def f(x):
        return jnp.tanh(W @ x)

    def jac(x):
        return (jnp.diag(1 - jnp.tanh(W @ x) ** 2) @ W).T

    found = verify.check_jacobian(f, jac, x)
    with Image.open(found.plot(tmp_path / "a.png")) as image:
        assert image.width > 1000
    figure = check.draw(found)
    np.testing.assert_allclose(values(maps(figure)[0]), values(maps(figure)[1]).T)
    assert "transpose" in words(figure)
    right = verify.check_jacobian(f, lambda x: jac(x).T, x)
    assert "✓ correct" in words(check.draw(right))
