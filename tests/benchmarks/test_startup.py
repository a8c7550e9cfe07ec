"""The benchmark of start-up: what a diary holds, and what is made of it."""

import os
import sys
import time

import pytest

from benchmarks import startup
from benchmarks.startup import STAGES, Event, Loop, Moment
from tests.test_command import python

RUN = """
import pathlib, sys
folder = pathlib.Path(sys.argv[1])
(folder / "a.part").write_text("")
(folder / "a.part").replace(folder / "a.txt")
import jax, mvcalc_jax
jax.jit(lambda x: x + 1)(1.0)
"""

EVENTS = [
    Event(0.1, 0.1, "import", "python"),
    Event(0.2, 0.2, "import", "jax"),
    Event(0.5, 0.4, "file", "config.json"),
    Event(1.0, 1.2, "compiled", "jit(_advance)"),
    Event(1.1, 1.3, "file", "params.npz"),
    Event(1.2, 1.4, "file", "drawing.png"),
    Event(1.5, 1.9, "compiled", "jit(_advance)"),
    Event(1.6, 2.0, "compiled", "jit(evaluated)"),
    Event(1.7, 2.1, "file", "drawing.gif"),
    Event(1.8, 2.2, "compiled", "jit(evaluated)"),
    Event(2.0, 2.4, "file", "report.md"),
    Event(2.1, 2.5, "end", "end"),
]


def test_a_diary_knows_of_files_and_of_what_is_compiled(tmp_path):
    (tmp_path / "a_run.py").write_text(RUN)
    arguments = [str(tmp_path / "diary"), str(time.monotonic()), "a_run", str(tmp_path)]
    found = python("-m", "benchmarks.milestones", *arguments, env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert found.returncode == 0, found.stderr
    lines = [line.split(" ", 3) for line in (tmp_path / "diary").read_text().splitlines()]
    happened = [(kind, name) for *_, kind, name in lines]
    assert happened == [
        ("import", "python"), ("file", "a.txt"), ("import", "jax"), ("compiled", "jit(<lambda>)"),
    ]  # fmt: skip
    seconds = [float(line[0]) for line in lines]
    assert 0 < seconds[0] <= seconds[-1] < 60
    assert seconds == sorted(seconds)


def test_a_stage_ends_with_the_first_of_its_events_and_the_proof_with_its_last():
    reached = startup.milestones(EVENTS)
    assert list(reached) == list(STAGES)
    assert reached["the loop compiled, the first step taken"] == Moment(1.0, 1.2)
    assert reached[startup.PICTURE] == Moment(1.2, 1.4)
    assert reached[startup.LAST] == Moment(1.8, 2.2)
    later = startup.milestones([event._replace(seconds=event.seconds + 1) for event in EVENTS])
    rows = {stage: row for stage, *row in startup.by_stage([reached, later])[1:]}
    assert rows[startup.PICTURE] == ["1.70", "1.20 – 2.20", "1.40", "+0.10"]


@pytest.mark.parametrize(
    ("moment", "held"), [((2.9, 3.5), True), ((3.1, 3.5), False), ((3.5, 2.5), None), ((4.0, 3.2), False)]
)
def test_only_seconds_that_others_took_leave_a_bar_undecided(moment, held):
    found = startup.judged("it", Moment(*moment), 3.0)
    assert found.held is held
    assert ("others" in found.words) == (held is None)


def test_a_command_that_fails_is_no_time():
    with pytest.raises(RuntimeError, match="failed: no"):
        startup.timed(["-c", "import sys; sys.exit('no')"])
    assert startup.timed(["-c", "pass"]).processors > 0


@pytest.mark.benchmark
def test_a_loop_is_compiled_anew_every_time():
    taken = startup.compilations(2, [Loop("steps", 10, ())])[Loop("steps", 10, ())]
    assert min(moment.seconds for moment in taken) > 0.01


@pytest.mark.benchmark
@pytest.mark.skipif(sys.platform == "win32", reason="Windows counts the seconds of ended processes otherwise")
def test_the_suite_at_toy_size():
    found = startup.findings(startup.Config(quick=True))
    stages, loops = (table.rows for table in found.tables)
    assert [row[0] for row in stages[1:]] == list(STAGES)
    assert len(loops) == 1 + len(startup.SMALL)
    assert len(found.bars) == 3
    assert "programs until then" in found.conclusion
