"""What is to be read first: the README and those of rooms. Commands are where others look for them, code prints what it
says, and every picture is one that `python -m experiments.readme` makes."""

import re

import jax
import numpy as np
import pytest
from PIL import Image

from experiments import gallery, readme
from tests.test_command import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
ROOMS = sorted((ROOT / "mvcalc_jax").glob("*/README.md"))
ROOM = [pytest.param(path, id=path.parent.name, marks=pytest.mark.slow) for path in ROOMS]
NUMBER = re.compile(r"(?:at least |with )?-?\d+(?:\.\d*)?(?:e-\d+)?")
OFTEN = re.compile(r"at least |with ")
"""Before the number of starts or boxes, which are another machine's affair."""


def test_start_has_two_commands_on_a_line_each():
    start = README.split("## Start")[1].split("\n## ")[0]
    commands = re.findall(r"^```\n(.*?)^```$", start, re.DOTALL | re.MULTILINE)
    assert len(commands) == 2
    assert all(command.count("\n") == 1 for command in commands)
    assert commands[0].rstrip().endswith("-m experiments.draw_curve")
    assert commands[1].rstrip().endswith("-m pytest -n auto")


@pytest.mark.parametrize("path", [ROOT / "README.md", *ROOM])
def test_code_prints_what_it_says(path, tmp_path, capsys, standard_promotion):
    fences = re.findall(r"^```(\w*)\n(.*?)^```$", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    names, checked = {"__name__": "mistakes"}, 0
    for (kind, code), (following, told) in zip(fences, [*fences[1:], ("", "")], strict=True):
        if kind != "python":
            continue
        assert following == "", "printed answers follow the code"
        file = tmp_path / str(checked) / "mistakes.py"
        file.parent.mkdir()
        file.write_text(code, encoding="utf-8")
        with jax.numpy_rank_promotion("allow"):
            exec(compile(code, str(file), "exec"), names)
        same(capsys.readouterr().out, told)
        checked += 1
    assert checked


def same(said: str, told: str) -> None:
    """Words are equal; numbers to the digits that a machine may differ in."""
    assert NUMBER.sub("#", said) == NUMBER.sub("#", told)
    for a, b in zip(NUMBER.findall(said), NUMBER.findall(told), strict=True):
        assert OFTEN.match(a) or float(a) == pytest.approx(float(b), rel=1e-7, abs=1e-12)


@pytest.mark.parametrize("said", ["f is 2.5", "f was 1.5", "f is 1.5, met by 3"])
def test_a_wrong_answer_is_noticed(said):
    same("f is 1.5", "f is 1.5")
    with pytest.raises(AssertionError):
        same(said, "f is 1.5")


@pytest.mark.parametrize("path", [ROOT / "README.md", *ROOMS], ids=lambda path: path.parent.name)
def test_links_lead_somewhere(path):
    text = path.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)]+)\)|(?:src|href)=\"([^\"]+)\"", text)
    for link in ("".join(pair) for pair in links):
        file, _, heading = link.partition("#")
        assert (path.parent / file).exists(), link
        if heading:
            found = re.findall(r"^#+ (.*)$", (path.parent / file).read_text(encoding="utf-8"), re.MULTILINE)
            assert heading in {title.lower().replace(" ", "-") for title in found}, link
    assert links or path.parent != ROOT


def test_the_readme_shows_what_one_command_makes_and_nothing_else():
    shown = set(re.findall(r"experiments/pictures/([\w.]+)", README))
    assert shown == set(readme.files())
    assert shown == {path.name for path in readme.FOLDER.iterdir()}
    sizes = {name: (readme.FOLDER / name).stat().st_size for name in shown}
    assert sum(sizes.values()) < 2.5e6
    assert max(sizes.values()) < 5e5


def test_every_experiment_has_its_picture_and_its_place():
    assert set(readme.PARTS) == set(gallery.questions())
    for name in readme.PARTS:
        assert f"experiments/{name}.py" in README


def test_a_room_is_a_screen():
    for path in ROOMS:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 90, path


@pytest.mark.slow
def test_pictures_are_made_whole_and_alike(tmp_path, capsys):
    names = ("speed.png", "linear_regression.png")
    for folder in ("first", "second"):
        assert readme.main(readme.Pictures(names, tmp_path / folder)) == 0
    for name in names:
        first, second = (tmp_path / folder / name for folder in ("first", "second"))
        assert first.read_bytes() == second.read_bytes()
        with Image.open(first) as image, Image.open(readme.FOLDER / name) as committed:
            assert image.size == committed.size
    assert {path.name for path in (tmp_path / "first").iterdir()} == set(names)
    assert capsys.readouterr().out.count("kB") == 4


def test_in_few_colours_white_is_white_and_a_small_mark_is_seen():
    shades = np.add.outer(np.arange(200), np.arange(300))[..., None] // 3 + np.array([60, 70, 80])
    shades[:40] = 255
    shades[90:93, 100:103] = (209, 73, 91)
    found = np.asarray(readme.few(Image.fromarray(shades.astype(np.uint8))).convert("RGB")).astype(int)
    assert (found[:40] == 255).all()
    assert np.abs(found - shades).max() < 24
    assert len(np.unique(found.reshape(-1, 3), axis=0)) <= readme.COLOURS


def test_an_unknown_picture_is_named_before_any_work(tmp_path):
    with pytest.raises(ValueError, match=r"unknown name 'hart.gif'.*heart.gif"):
        readme.main(readme.Pictures(("hart.gif",), tmp_path / "none"))
    assert not (tmp_path / "none").exists()


def test_an_experiment_that_fails_leaves_the_picture_as_it_was(tmp_path, monkeypatch):
    monkeypatch.setitem(readme.PARTS, "lagrange", readme.Part("extrema.png", options=("--problem", "none")))
    (path := tmp_path / "lagrange.png").write_bytes(b"before")
    with pytest.raises(OSError, match="lagrange did not end well"):
        readme.make("lagrange.png", path, tmp_path / "scratch")
    assert path.read_bytes() == b"before"
