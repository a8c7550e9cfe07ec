"""The README: its commands are where others look for them, and its code prints what it says."""

import re

import jax
import pytest

from tests.test_command import ROOT

README = (ROOT / "README.md").read_text()


def test_start_has_two_commands_on_a_line_each():
    start = README.split("## Start")[1].split("\n## ")[0]
    commands = re.findall(r"^```\n(.*?)^```$", start, re.DOTALL | re.MULTILINE)
    assert len(commands) == 2
    assert all(command.count("\n") == 1 for command in commands)
    assert commands[0].rstrip().endswith("-m experiments.draw_curve")
    assert commands[1].rstrip().endswith("-m pytest -n auto")


def test_the_code_prints_what_its_comments_say(capsys, standard_promotion):
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL).group(1)
    with jax.numpy_rank_promotion("allow"):
        exec(compile(code, "README.md", "exec"), {})
    promised = re.findall(r"^print.*#\s(.*)$", code, re.MULTILINE)
    assert capsys.readouterr().out.splitlines() == promised
    assert len(code.strip().splitlines()) <= 20


def test_the_fits_are_as_promised(capsys, standard_promotion):
    code = re.search(r"```python\n(.*?)```", README.split("## Fits by the million")[1], re.DOTALL).group(1)
    exec(compile(code.replace("100_000", "2_000"), "README.md", "exec"), {})
    assert capsys.readouterr().out == "2000 (2000, 3) (2000, 3)\n"
    assert "# 100000 (100000, 3) (100000, 3)\n" in code


@pytest.mark.slow
def test_the_mistakes_are_told_as_promised(capsys, tmp_path, standard_promotion):
    section = README.split("## Why is my gradient wrong?")[1].split("\n## ")[0]
    code, told = re.findall(r"^```(?:python)?\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    file = tmp_path / "mistakes.py"
    file.write_text(code)
    with jax.numpy_rank_promotion("allow"):
        exec(compile(code, str(file), "exec"), {"__name__": "mistakes"})
    assert capsys.readouterr().out == told


def test_the_calculus_is_as_promised(capsys):
    section = README.split("## Calculus you can run")[1].split("\n## ")[0]
    code, told = re.findall(r"^```(?:python)?\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    exec(compile(code, "README.md", "exec"), {})
    said = capsys.readouterr().out
    number = r"(?:at least )?-?\d+(?:\.\d+)?(?:e-\d+)?"
    assert re.sub(number, "#", said) == re.sub(number, "#", told)
    pairs = zip(re.findall(number, said), re.findall(number, told), strict=True)
    for a, b in pairs:  # the last digits, and how many starts led where, are another machine's affair
        assert "at least" in a or float(a) == pytest.approx(float(b), rel=1e-9, abs=1e-12)


@pytest.mark.slow
def test_the_bands_are_as_promised(capsys):
    section = README.split("## Bands that are proven")[1].split("\n## ")[0]
    code, told = re.findall(r"^```(?:python)?\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    exec(compile(code, "README.md", "exec"), {})
    number = r"-?\d+(?:\.\d+)?(?:e-\d+)?"
    said, told = (re.sub(r"with \d+ ", "with # ", words) for words in (capsys.readouterr().out, told))
    assert re.sub(number, "#", said) == re.sub(number, "#", told)
    pairs = zip(re.findall(number, said), re.findall(number, told), strict=True)
    assert all(float(a) == pytest.approx(float(b), rel=1e-6) for a, b in pairs)


def test_the_sandpit_is_as_promised(capsys):
    section = README.split("## The sandpit")[1].split("\n## ")[0]
    code, told = re.findall(r"^```(?:python)?\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)[1:]
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out == told


@pytest.mark.parametrize("path", re.findall(r"\]\(([\w/.]+)\)", README))
def test_pictures_and_links_lead_somewhere(path):
    assert (ROOT / path).exists()
