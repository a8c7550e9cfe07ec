"""What suites find, as JSON and as Markdown; and the command that runs many of them, in processes of their own."""

import importlib
import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import __main__ as command_line
from benchmarks import apart, document, results
from benchmarks.harness import Timing
from benchmarks.results import Bar, Findings, Section, Table
from mvcalc_jax import arguments, command

SUITE = '''"""{question}

    python -m fakes.{name}

By looking.
"""

import os, time
from dataclasses import dataclass
from pathlib import Path
from benchmarks import results
from benchmarks.results import Bar, Findings, MissingError, Table
from mvcalc_jax import plots


@dataclass(frozen=True)
class Config:
    """Look; a moment."""

    quick: bool = False
    """Look once."""


def findings(config):
    {body}


if __name__ == "__main__":
    results.leave(findings, Config)
'''
FOUND = (
    'Findings([Table("", [("", "n"), ("one", "1")])], [Bar({held}, "one is 1; the bar is 1")], "It is.", "Only one.", '
    '{{"n": [1.0]}}, {{"one": plots.chart()[0]}})'
)
BODIES = {
    "fine": "return " + FOUND.format(held=True),
    "bad": "return " + FOUND.format(held=False),
    "missing": 'raise MissingError("needs a moon")',
    "absent": "import no_such_library",
    "broken": "return [][0]",
    "dying": "os._exit(7)",
    "waits": 'Path("waits").touch(); time.sleep(60)',
}


@pytest.fixture
def fakes(tmp_path, monkeypatch):
    """A package of suites that take no time, in place of the real ones; and an empty current directory."""
    package = tmp_path / "fakes"
    package.mkdir()
    (package / "__init__.py").touch()
    for name, body in BODIES.items():
        (package / f"{name}.py").write_text(SUITE.format(question=f"Is it {name}?", name=name, body=body))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(command_line, "PACKAGE", "fakes")
    monkeypatch.setattr(
        command_line,
        "GROUPS",
        {"some": ("fine", "bad", "missing", "absent"), "others": (*tuple(BODIES)[4:], "unwritten")},
    )
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == "fakes"]:
        del sys.modules[name]


def section(**changes):
    setting = {
        "platform": "cpu",
        "device": "cpu",
        "processor": "P",
        "cores": 2,
        "python": "3",
        "versions": {"jax": "1"},
    }
    kept = Section(
        "fine", "Is it?", "By looking.", "python -m benchmarks.fine", False, "2020-01-01 00:00 UTC", 1.5, setting,
        tables=[Table("T", [["", "n"], ["one", "1"]])],
        bars=[Bar(True, "yes"), Bar(False, "no"), Bar(None, "who knows")],
        conclusion="It is.", limits="Only one.", numbers={"n": 1}, figures=["fine-one.png"],
    )  # fmt: skip
    return replace(kept, **changes)


def test_everything_raw_becomes_json():
    numbers = {
        ("a", 1): np.arange(3), "timing": Timing(1.0, (2.0, np.float64(3))), "bar": Bar(None, "w"),
        "jax": jnp.float32(0.5), "none": [None, True, np.bool_(False), float("nan"), -np.inf, 7],
    }  # fmt: skip
    assert json.loads(json.dumps(results.plain(numbers), allow_nan=False)) == {
        "a, 1": [0, 1, 2], "timing": {"first": 1.0, "rounds": [2.0, 3.0]}, "bar": {"held": None, "words": "w"},
        "jax": 0.5, "none": [None, True, False, "nan", "-inf", 7],
    }  # fmt: skip
    with pytest.raises(TypeError, match="JSON has no function; leave it out"):
        results.plain({"f": test_everything_raw_becomes_json})


def test_parts_of_a_suite_add_up():
    one = Findings([Table("a", [])], [Bar(True, "a")], "A.", numbers={"a": 1})
    both = one + Findings([Table("b", [])], conclusion="B.", limits="C.", numbers={"b": 2})
    assert [table.title for table in both.tables] == ["a", "b"]
    assert (both.bars, both.conclusion, both.limits) == ([Bar(True, "a")], "A.\n\nB.", "C.")
    assert both.numbers == {"a": 1, "b": 2}


def test_a_section_comes_back_from_json():
    before = section()
    after = results.from_json(json.loads(json.dumps(results.as_json(before))))
    assert after == before
    assert after.failed
    with pytest.raises(TypeError):
        results.from_json({"tables": [], "bars": []})


def test_a_section_as_markdown():
    said = results.markdown(section(), "figures")
    for words in (
        "**T**",
        "| one | 1 |",
        "- held: yes\n- NOT HELD: no\n- not measured: who knows",
        "Limits: Only one.",
    ):
        assert words in said
    assert "![fine-one](figures/fine-one.png)" in said
    assert "png" not in results.markdown(section())
    assert "Not measured: needs a moon" in results.markdown(section(said="needs a moon"))


def test_the_document_says_where_another_machine_measured_and_keeps_a_gpu_apart():
    faster = section().setting | {"processor": "Q"}
    gpu = section().setting | {"platform": "gpu", "device": "G"}
    groups = {"some": ("fine", "other", "quick")}
    some = [
        section(),
        section(suite="other", setting=faster),
        section(suite="quick", quick=True),
        section(setting=gpu),
    ]
    said = document.written(some, groups, "figures")
    assert said.count("cores of P") == 2  # at the top, and of the GPU
    assert said.count("cores of Q") == said.count("## Some, on a GPU") == said.count(document.QUICK) == 1
    assert said.index("| fine | NOT HELD | no |") < said.index("## Some\n") < said.index("## Some, on a GPU")
    assert "on a GPU" not in document.written(some[:3], groups, "figures")


def alone(name, monkeypatch):
    monkeypatch.setattr(sys, "argv", [name])
    suite = importlib.import_module(f"fakes.{name}")
    with pytest.raises(SystemExit) as ended:
        results.leave(suite.findings, suite.Config)
    return ended.value.code


def test_a_suite_alone_is_printed_and_its_bars_are_its_exit_code(fakes, monkeypatch, capsys):
    assert alone("fine", monkeypatch) == command.DONE
    said = capsys.readouterr()
    assert said.out.startswith("Is it fine?\ncpu (cpu), ")
    assert "| one | 1 |\n\n- held: one is 1; the bar is 1\n\nIt is.\n\nLimits: Only one.\n" in said.out
    assert "wrote runs/benchmarks/fine-one.png" in said.err
    assert (fakes / "runs/benchmarks/fine-one.png").read_bytes().startswith(b"\x89PNG")
    assert alone("bad", monkeypatch) == command.FAILED
    assert alone("missing", monkeypatch) == command.MISUSED
    assert "python -m fakes.missing: needs a moon" in capsys.readouterr().err


@pytest.mark.slow
def test_all_suites_in_one_command_whatever_becomes_of_some(fakes, capfd):
    out = fakes / "out"
    names = ("fine", "bad", "missing", "absent", "broken", "dying", "unwritten")
    assert command_line.main(command_line.Config(names, quick=True, device="cpu", out=out)) == command.FAILED
    said = capfd.readouterr()
    assert said.out == f"wrote {out}/RESULTS.md\n"
    assert "7/7  fakes." in said.err
    found = command_line.read(out)
    assert list(found) == list(names)
    assert [name for name in names if found[name].failed] == ["bad", "broken", "dying", "unwritten"]
    assert found["fine"].how == "By looking."
    assert found["fine"].command == "python -m fakes.fine --quick"
    assert found["fine"].numbers == {"n": [1.0]}
    words = {"missing": "needs a moon", "absent": "needs no_such_library, which is not installed"}
    words |= {"broken": "IndexError: list index out of range", "dying": "its process died (with exit code 7)"}
    words |= {"unwritten": "there is no fakes.unwritten"}
    for name, why in words.items():
        assert found[name].said.startswith(why)
        assert found[name].question == ("" if name == "unwritten" else f"Is it {name}?")
    assert {path.name for path in (out / "figures").iterdir()} == {"fine-one.png", "bad-one.png"}
    document = (out / "RESULTS.md").read_text()
    assert "| bad, quick | NOT HELD | one is 1; the bar is 1 |" in document
    assert "![fine-one](figures/fine-one.png)" in document

    # Run again alone, a suite replaces its section, and no other.
    (fakes / "fakes/bad.py").write_text(
        (fakes / "fakes/fine.py").read_text().replace("Is it fine", "Is it better")
    )
    assert command_line.main(command_line.Config(("bad",), device="cpu", out=out)) == command.DONE
    again = command_line.read(out)
    assert list(again) == list(names)
    assert again.pop("bad").question == "Is it better?"
    del found["bad"]
    assert again == found


def test_what_others_have_found_is_taken_over_and_published(fakes, monkeypatch, capsys):
    gpu = section().setting | {"platform": "gpu"}
    for folder, suite, setting in (
        ("a", "fine", section().setting),
        ("b", "bad", section().setting),
        ("b", "fine", gpu),
    ):
        found = section(suite=suite, setting=setting, figures=(name := f"{suite}-one.png",))
        command_line.Folder(fakes / folder).add(results.Measured(found, {name: b"PNG"}))
    monkeypatch.setattr(command_line, "ROOT", fakes)
    monkeypatch.setattr(command_line, "PUBLISHED", fakes / "benchmarks/measured")
    assert (
        command_line.main(command_line.Config(take=(fakes / "a", fakes / "b"), publish=True)) == command.DONE
    )
    assert list(command_line.read(fakes / "benchmarks/measured")) == ["fine", "bad", "fine, gpu"]
    said = (fakes / "RESULTS.md").read_text()
    assert "## Some, on a GPU" in said
    assert "(benchmarks/measured/figures/bad-one.png)" in said
    assert (fakes / "benchmarks/measured/figures/bad-one.png").read_bytes() == b"PNG"


def test_misuse_of_the_command(fakes, capsys):
    run = lambda *names, **given: command_line.main(command_line.Config(names, **given))
    for call, said in (
        (lambda: run("fin"), "unknown suite 'fin'; did you mean 'fine'"),
        (lambda: run("fine", device="tpu"), "unknown device 'tpu'"),
        (
            lambda: arguments.parse(command_line.Config, ["--publish", "--out", "x"]),
            "--out is not for --publish",
        ),
        (lambda: run(take=(fakes / "nowhere",)), "nowhere is no folder of results"),
    ):
        with pytest.raises(ValueError, match=said):
            call()
    (fakes / "results.json").write_text("{}")
    with pytest.raises(ValueError, match=r"results\.json is damaged"):
        run("fine", out=fakes)
    assert run(show=True) == command.DONE
    assert "others  broken     Is it broken?" in capsys.readouterr().out


RUN = """
from benchmarks import __main__ as of
from mvcalc_jax import command
of.PACKAGE, of.GROUPS = "fakes", {"some": ("fine", "waits")}
command.leave(command.run(of.main, of.Config, prog="p"))
"""


@pytest.mark.slow
def test_an_interrupt_keeps_what_is_done(fakes):
    where = [str(fakes), str(Path(command_line.__file__).parent.parent)]
    run = f"import sys; sys.path[:0] = {where}\n{RUN}"
    process = subprocess.Popen(
        [sys.executable, "-c", run, "--device", "cpu", "--out", "out"], stderr=subprocess.PIPE, text=True
    )
    until = time.monotonic() + 60
    while not (fakes / "waits").exists() and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == command.INTERRUPTED, said
    assert "p: stopped" in said
    assert list(command_line.read(fakes / "out")) == ["fine"]


def test_the_command_knows_every_suite():
    here = Path(command_line.__file__).parent
    suites = {path.stem for path in here.glob("*.py") if "\n    results.leave(findings" in path.read_text()}
    apart = {"guard"}  # compares revisions, and is run by itself
    assert suites - apart <= {name for names in command_line.GROUPS.values() for name in names}


@pytest.mark.benchmark
@pytest.mark.parametrize("name", [name for names in command_line.GROUPS.values() for name in names])
def test_every_suite_runs_at_its_quick_size(name):
    ((_, found, _),) = apart.each([f"benchmarks.{name}"], quick=True, device="cpu")
    if isinstance(found, apart.Why) and not found.broken:
        pytest.skip(f"{name}: {found}")
    assert isinstance(found, results.Measured), found
    assert found.section.tables
    assert found.section.conclusion
    assert found.section.numbers or found.section.bars
    json.dumps(results.as_json(found.section), allow_nan=False)
