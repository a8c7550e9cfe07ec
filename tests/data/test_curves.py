"""Curves: the heart's anchors, every curve in its square, and the reader's own files."""

import numpy as np
import pytest

from mvcalc_jax.data import CURVES, curve
from mvcalc_jax.data.curves import resample


def test_heart_is_the_courses():
    heart = curve("heart")
    assert heart.t.shape == (1, 100)
    assert heart.t[0, 1] == pytest.approx(0.01)
    np.testing.assert_allclose(heart.points[:, 0], (0.5, 0.625), atol=1e-12)
    np.testing.assert_allclose(heart.points.min(axis=1), (0.1, 0.075), atol=1e-3)
    np.testing.assert_allclose(heart.points.max(axis=1), (0.9, 0.7976), atol=5e-5)


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("samples", [2, 37, 100])
def test_every_curve_lies_in_the_square_in_order(name, samples):
    c = curve(name, samples)
    assert c.points.shape == (2, samples)
    assert c.points.min() >= 0.05
    assert c.points.max() <= 0.95
    assert (np.diff(c.t) > 0).all()
    assert c.t[0, 0] == 0
    assert c.t[0, -1] == (pytest.approx(1 - 1 / samples) if c.closed else 1)


@pytest.mark.parametrize("name", [n for n in CURVES if curve(n).closed])
def test_closed_curves_come_back_without_a_jump(name):
    points = curve(name, 1000).points
    lengths = np.hypot(*np.diff(np.concatenate([points, points[:, :1]], axis=1)))
    assert lengths[-1] < 3 * lengths.mean()
    assert lengths.max() < 0.03


def test_polygons_are_walked_at_equal_speed():
    lengths = np.hypot(*np.diff(curve("star", 500).points))
    assert np.median(lengths) == pytest.approx(lengths.max(), rel=1e-6)


CSV = {
    "plain": "0,0\n1,0\n1,1\n0,1\n0,0\n",
    "header": "x,y\n0,0\n1,0\n1,1\n0,1\n0,0\n",
    "windows": "0,0\r\n1,0\r\n1,1\r\n0,1\r\n0,0\r\n",
    "blanks": "\n0,0\n\n1,0\n1,1\n \n0,1\n0,0\n\n",
    "comment": "# a square\n0,0\n1,0\n1,1\n0,1\n0,0\n",
    "tabs": "0\t0\n1\t0\n1\t1\n0\t1\n0\t0\n",
    "spaces": "0 0\n1   0\n1 1\n0 1\n0 0\n",
    "semicolons": "0,0;0,0\n1,0;0,0\n1,0;1,0\n0,0;1,0\n0,0;0,0\n",
    "mark": "\ufeff0,0\n1,0\n1,1\n0,1\n0,0\n",
    "named": "time,y,x\n9,0,0\n9,0,1\n9,1,1\n9,1,0\n9,0,0\n",
    "repeats": "0,0\n0,0\n1,0\n1,1\n1,1\n0,1\n0,0\n",
}


@pytest.mark.parametrize("kind", CSV)
def test_a_square_from_a_csv_file_however_it_is_written(kind, tmp_path):
    path = tmp_path / "square.csv"
    path.write_text(CSV[kind], encoding="utf-8", newline="")
    square = curve(str(path), 8)
    assert square.closed
    assert square.name == "square"
    expected = 0.1 + 0.8 * np.array([[0, 0.5, 1, 1, 1, 0.5, 0, 0], [0, 0, 0, 0.5, 1, 1, 1, 0.5]])
    np.testing.assert_allclose(square.points, expected, atol=1e-12)


def test_an_open_line_from_a_csv_file(tmp_path):
    (tmp_path / "line.csv").write_text("0,0\n3,0\n3,1\n")
    line = curve(str(tmp_path / "line.csv"), 5)
    assert not line.closed
    np.testing.assert_allclose(line.t[0], [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(line.points[0], 0.1 + 0.8 * np.array([0, 1, 2, 3, 3]) / 3)


BAD_CSV = {
    "": "holds no numbers",
    "x,y\n": "holds no numbers",
    "1,2\n3,abc\n": "line 2: column 2 must be a number; got 'abc'",
    "1,2\n3\n": "line 2: a number is missing in column 2",
    "1,2\n3,\n": "line 2: a number is missing in column 2",
    "1\n2\n": "line 1: columns x, y are needed; got 1 column",
    "1,2,3\n4,5,6\n": "line 1: columns x, y are needed; got 3 columns",
    "1,2\nnan,3\n": "line 2: column 1 must be a finite number from -1e+100 to 1e+100; got nan",
    "1,2\n3,inf\n": "line 2: column 2 must be a finite number from -1e+100 to 1e+100; got inf",
    "1,2\n3,-1e302\n": "line 2: column 2 must be a finite number from -1e+100 to 1e+100; got -1e302",
    f"1,2\n3,{'9' * 5000}\n": "line 2: column 2 must be a finite number from -1e+100 to 1e+100; got 9999",
    f"1,2\n3,{'9' * 200_000}\n": "line 2: field larger than field limit",
    "1,2\n": "at least two different points",
    "1,2\n1,2\n": "at least two different points",
}


@pytest.mark.parametrize(("text", "message"), BAD_CSV.items(), ids=lambda text: repr(text[:80]))
def test_bad_csv_is_one_clear_line(text, message, tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(ValueError) as error:
        curve(str(path))
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 300


@pytest.mark.parametrize("corner", [1e15, -1e15, 1e-15])
def test_a_square_keeps_its_shape_wherever_it_lies(corner):
    size = min(1.0, abs(corner))
    square = np.array([[0, 1, 1, 0, 0], [0, 0, 1, 1, 0]]) * size + corner
    drawn = resample("square", [square], 8)
    expected = 0.1 + 0.8 * np.array([[0, 0.5, 1, 1, 1, 0.5, 0, 0], [0, 0, 0, 0.5, 1, 1, 1, 0.5]])
    np.testing.assert_allclose(drawn.points, expected, atol=1e-12)


def test_the_largest_numbers_allowed_are_drawn(tmp_path):
    (tmp_path / "huge.csv").write_text("-1e100,-1e100\n1e100,-1e100\n1e100,1e100\n")
    drawn = curve(str(tmp_path / "huge.csv"), 3)
    np.testing.assert_allclose(drawn.points, [[0.1, 0.9, 0.9], [0.1, 0.1, 0.9]])


SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10">{}</svg>'


def svg(tmp_path, *shapes, samples=8):
    (tmp_path / "drawing.svg").write_text(SVG.format("".join(shapes)))
    return curve(str(tmp_path / "drawing.svg"), samples)


def test_svg_paths_stand_upright(tmp_path):
    drawn = svg(tmp_path, '<path d="M0,10 L10,10 L10,0 L0,0 Z"/>')
    assert drawn.closed
    np.testing.assert_allclose(drawn.points[:, :3], 0.1 + 0.8 * np.array([[0, 0.5, 1], [0, 0, 0]]), atol=1e-9)


def test_svg_shapes_transforms_and_curves(tmp_path):
    circle = svg(tmp_path, '<circle cx="5" cy="5" r="2" transform="scale(3) translate(1 1)"/>', samples=100)
    np.testing.assert_allclose(np.hypot(*(circle.points - 0.5)), 0.4, atol=2e-3)
    bezier = svg(tmp_path, '<path d="M0 0 C 0 10 10 10 10 0"/>', samples=50)
    assert not bezier.closed
    assert bezier.points[1].argmin() in (24, 25)


def test_svg_with_several_paths_lifts_the_pen(tmp_path):
    drawn = svg(tmp_path, '<path d="M0 0 H4"/>', '<path d="M6 0 H10"/>', samples=9)
    assert not drawn.closed
    assert drawn.breaks == (4,)
    gaps = np.diff(drawn.points[0])
    assert gaps.argmax() == 3
    np.testing.assert_allclose(np.delete(gaps, 3), 0.08, atol=1e-9)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SVG.format(""), "draws nothing"),
        (SVG.format("<text>hello</text>"), "draws nothing"),
        ("<svg><path", "is not an SVG file that can be read"),
        ("hello", "is not an SVG file that can be read"),
        (SVG.format('<path d="M 1 1"/>'), "draws nothing"),
        ("<html><body>hi</body></html>", "is not an SVG file that can be read"),
        (
            '<g xmlns="http://www.w3.org/2000/svg"><path d="M0 0 H4"/></g>',
            "is not an SVG file that can be read",
        ),
        (SVG.format('<path d="M0 0 L 1e400 1"/>'), r"every coordinate must be .* to 1e\+100; got inf"),
        (SVG.format('<path d="M0 0 L 1 -1e200"/>'), r"every coordinate must be .* to 1e\+100; got 1e\+200"),
        (SVG.format('<circle cx="1" cy="1e400" r="2"/>'), "every coordinate must be"),
    ],
)
def test_bad_svg_is_one_clear_line(text, message, tmp_path):
    path = tmp_path / "bad.svg"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        curve(str(path))


def test_what_is_not_there_or_no_curve_is_said(tmp_path):
    with pytest.raises(ValueError, match="did you mean 'heart'"):
        curve("hart")
    with pytest.raises(FileNotFoundError, match=r"there is no file .*none\.csv"):
        curve(str(tmp_path / "none.csv"))
    with pytest.raises(ValueError, match="`samples` must be at least 2; got 1"):
        curve("heart", 1)
    (tmp_path / "image.csv").write_bytes(b"\x89PNG\xff\xfe\x00")
    with pytest.raises(ValueError, match="is not a text file"):
        curve(str(tmp_path / "image.csv"))
