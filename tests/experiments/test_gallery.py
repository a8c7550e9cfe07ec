"""The list of experiments, how one is run by its name, and the page of all pictures."""

import json
import subprocess
from types import SimpleNamespace

import pytest

from experiments import __main__ as front
from experiments import gallery
from mvcalc_jax import command, output
from tests.test_command import ROOT, python


def test_a_line_for_each_experiment(capsys):
    assert front.main([]) == command.DONE
    said = capsys.readouterr().out.splitlines()
    scripts = {
        path.stem for path in (ROOT / "experiments").glob("*.py") if "class Config" in path.read_text()
    }
    assert {line.split()[0] for line in said[: said.index("")]} == scripts
    assert all(line.split(maxsplit=1)[1].rstrip(".)").strip() for line in said[: said.index("")])


def test_one_is_run_by_its_name():
    for name in ("two_populations", "two-populations"):
        found = python("-m", "experiments", name, "--first", "womn")
        assert found.returncode == command.MISUSED
        assert "unknown histogram" in found.stderr
    for wrong, what in {"two_population": "experiment", "--al": "option"}.items():
        with pytest.raises(ValueError, match=f"unknown {what} '{wrong}'; did you mean"):
            front.main([wrong])
    with pytest.raises(ValueError, match="--out is only for --all"):
        front.main(["--out", "x"])


PICTURE = b"\x89PNG"
REPORT = (
    "# How <deep>?\n\n| a | b |\n\nSome words & more.\n\n![one *picture*](a b.png)\n\n![another](c.gif)\n"
)


def made(root, name, stamp="1", report=REPORT):
    run = root / name / stamp
    run.mkdir(parents=True)
    (run / "report.md").write_text(report)
    return run


def test_the_page_links_every_picture(tmp_path):
    runs = {name: made(tmp_path, name) for name in ("deep", "wide")}
    page = gallery.build(tmp_path, runs)
    text = page.read_text()
    assert page == tmp_path / "gallery.html"
    for link in ("deep/1/a%20b.png", "wide/1/c.gif", "deep/1/report.md"):
        assert f'href="{link}"' in text
    assert "How &lt;deep&gt;?" in text
    assert "Some words &amp; more." in text
    assert text.count("<figure>") == 4


def test_the_newest_run_that_has_a_report(tmp_path):
    assert gallery.newest(tmp_path / "deep") is None
    first = made(tmp_path, "deep", "2")
    (tmp_path / "deep" / "9").mkdir()
    assert gallery.newest(tmp_path / "deep") == first
    later = made(tmp_path, "deep", "1")
    assert gallery.newest(tmp_path / "deep") == later


@pytest.fixture
def pretended(monkeypatch):
    """Experiments that end with the codes given, by name, and leave a run behind if they are done."""
    codes = {"good": 0, "bad": 1, "last": 0}

    def run(args, **_):
        name, out = args[2].removeprefix("experiments."), front.Path(args[4])
        if codes[name] == 0:
            made(out, name)
        said = '{"title": "well"}' if codes[name] == 0 else ""
        return SimpleNamespace(returncode=codes[name], stdout=said, stderr="what went wrong\nmore")

    monkeypatch.setattr(subprocess, "run", run)
    return codes


def test_one_that_fails_harms_no_other(pretended, tmp_path, capsys):
    made(tmp_path, "bad", "of yesterday")
    assert front.run_all(tmp_path, list(pretended)) == command.FAILED
    out, err = capsys.readouterr()
    assert "failed: bad" in out
    assert "2 experiments" in out
    assert "what went wrong" in err
    page = (tmp_path / "gallery.html").read_text()
    assert 'id="last"' in page
    assert 'id="bad"' not in page


def test_all_experiments_in_one_document(pretended, tmp_path, capfd):
    with output.one_document():
        assert front.run_all(tmp_path, list(pretended)) == command.FAILED
    document = json.loads(capfd.readouterr().out)
    assert document["gallery"] == str(tmp_path / "gallery.html") and document["failed"] == ["bad"]
    good, bad = (document["experiments"][name] for name in ("good", "bad"))
    assert (good["exit_code"], good["title"]) == (0, "well")
    assert (bad["exit_code"], bad["error"]) == (1, "what went wrong\nmore")


def test_after_an_interrupt_the_page_shows_what_there_is(pretended, tmp_path):
    pretended["bad"] = command.INTERRUPTED
    with pytest.raises(KeyboardInterrupt):
        front.run_all(tmp_path, list(pretended))
    page = (tmp_path / "gallery.html").read_text()
    assert 'id="good"' in page
    assert 'id="last"' not in page
