"""`mvcalc sandpit`: what it refuses, what it says, what it keeps, and how it ends."""

import asyncio
import os
import socket
import sys
import threading
import time
import webbrowser
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mvcalc_jax import dig
from mvcalc_jax.cli import Sandpit
from mvcalc_jax.sandpit import FLOORS, MODES, SCENARIOS, STRATEGIES, Game, ahead, floor, served, view
from mvcalc_jax.sandpit.page import PageCanvas
from tests.test_command import mvcalc, python

PLAIN = Sandpit(browser=False)


@pytest.mark.parametrize(
    ("silly", "sentence"),
    [
        ({"floor": "well"}, "unknown floor 'well'; did you mean 'wells'"),
        ({"floor": "nowhere.py:f"}, "no file nowhere.py"),
        ({"strategy": "newtons"}, "did you mean 'newton'"),
        ({"strategy": "nowhere.py:f"}, "no file nowhere.py"),
        ({"mode": "idle"}, "unknown mode 'idle'"),
        ({"seed": -1}, "`seed` must be at least 0"),
        ({"learning_rate": -2.0}, "must be positive"),
        ({"learning_rate": float("nan")}, "must be finite"),
        ({"scenario": "rock"}, "did you mean 'rocks'"),
        ({"code": "random-7"}, "a code must be FLOOR-SEED-MODE"),
        ({"code": "random-7-depth", "scenario": "rocks"}, "give one of them"),
        ({"port": 99999}, "from 0 to 65535"),
        ({"port": -1}, "from 0 to 65535"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, dict) else None,
)
def test_silly_options_are_a_sentence(silly, sentence, capsys):
    with pytest.raises(ValueError, match=sentence.replace("[", "\\[")):
        dig.play(replace(PLAIN, **silly))
    assert capsys.readouterr().out == ""


def test_a_file_that_is_no_game_is_a_sentence(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        dig.play(replace(PLAIN, resume=tmp_path / "nothing.json"))
    (tmp_path / "some.json").write_text("{}")
    with pytest.raises(ValueError, match="is not the file of a game"):
        dig.play(replace(PLAIN, resume=tmp_path / "some.json"))


@pytest.mark.parametrize("address", ["192.0.2.1", "nowhere.invalid"])
def test_an_address_that_is_not_ours_is_a_sentence(address, capsys):
    with pytest.raises(OSError, match=f"{address}, port 8988") as error:
        dig.play(replace(PLAIN, address=address))
    assert "Unknown error" not in str(error.value) and capsys.readouterr().out == ""


def test_help_names_everything_that_there_is_and_loads_no_jax():
    said = " ".join(mvcalc("sandpit", "--help").stdout.replace("│", " ").split())
    for name in (*FLOORS, *MODES, *STRATEGIES, *SCENARIOS):
        assert name in said, name
    loaded = "import sys; from mvcalc_jax import cli\ntry: cli.main()\nexcept SystemExit: print('jax' in sys.modules)"
    assert python("-c", loaded, "sandpit", "--help").stdout.endswith("False\n")


def played(monkeypatch, points, error=None, keys=""):
    """Have `served.play` dig at some points instead of waiting for somebody to do so."""

    def play(build, *, ready, say, **_):
        figure = Figure(figsize=view.SIZE, dpi=50)
        FigureCanvasAgg(figure)
        pit = build(figure)
        ready()
        for point in points:
            pit._do(pit.session.dig, point)
        for key in keys:
            pit._do(pit.session.press, key)
        if error:
            raise error

    monkeypatch.setattr(served, "play", play)


def test_every_dip_is_said_and_kept_and_gone_on_with(monkeypatch, capsys, tmp_path):
    played(monkeypatch, [(4.4, 1), (3, 3)], KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        dig.play(replace(PLAIN, out=tmp_path))
    out = capsys.readouterr().out
    assert "dip 1 at (4.40, 1.00): " in out and "dip 2 at (3.00, 3.00): " in out
    (run,) = (tmp_path / "sandpit").iterdir()
    assert out.splitlines()[-1] == f"go on with: mvcalc sandpit --resume {run / '1.json'}"
    assert {path.name for path in run.iterdir()} == {"config.json", "1.json", "1.csv", "1.png"}

    played(monkeypatch, [tuple(floor("wells").lowest)], keys=["new"])
    dig.play(replace(PLAIN, resume=run / "1.json", out=tmp_path / "more"))
    out = capsys.readouterr().out
    assert "dip 3 at (1.21, 4.01)" in out and "the phone is found" in out
    assert "a new pit: floor wells, seed 1" in out and "go on with" not in out
    (run,) = (tmp_path / "more" / "sandpit").iterdir()
    assert Game.load(run / "1.json").status.name == "FOUND" and not (run / "2.json").exists()


def test_where_nothing_was_dug_nothing_is_kept(monkeypatch, capsys, tmp_path):
    played(monkeypatch, [], KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        dig.play(replace(PLAIN, out=tmp_path))
    assert capsys.readouterr().out == "nothing was dug, and nothing is kept\n" and not list(
        tmp_path.iterdir()
    )


def test_a_scenario_and_a_code_are_what_they_say(monkeypatch, tmp_path):
    for options, expected in [
        ({"scenario": "rocks"}, ("rocks", 1, "race")),
        ({"code": "saddle-7-depth"}, ("saddle", 7, "depth")),
        ({"floor": "cliff", "seed": 3, "mode": "automatic"}, ("cliff", 3, "automatic")),
    ]:
        state = dig.chosen(replace(PLAIN, **options)).state
        assert (state.floor, state.seed, state.mode) == expected


def test_a_contest_is_a_table(capsys):
    dig.contest(replace(PLAIN, auto=True, floor="wells", seeds=3))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("how often the phone is found over 3 seeds")
    assert [line.split()[0] for line in lines[3:11]] == [*STRATEGIES] and "wells" in lines[2]
    with pytest.raises(ValueError, match="`seeds` must be at least 1"):
        dig.contest(replace(PLAIN, auto=True, seeds=0))


def serve(port=0, address="127.0.0.1", browser=True):
    """What is said while a page is served for a moment."""
    said = []
    figure = Figure(figsize=view.SIZE, dpi=50)
    canvas = PageCanvas(figure)
    pit = view.Pit(figure, say=said.append)

    async def briefly():
        task = asyncio.create_task(
            served._serve(pit, canvas, port, address, browser, said.append, lambda: None)
        )
        await asyncio.sleep(0.3)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(briefly())
    return said


@pytest.fixture
def blind(monkeypatch):
    """There is no display."""
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")


def test_a_busy_port_is_named(blind):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = serve(port)
    assert said[0] == f"port {port} is busy" and f"http://127.0.0.1:{port}/" not in said[1]
    assert said[1].startswith("the sandpit is at http://127.0.0.1:") and said[1].endswith("; Ctrl-C ends it")


def test_without_a_browser_the_way_on_is_said(blind, monkeypatch):
    monkeypatch.setattr(webbrowser, "open", lambda url: pytest.fail("nobody would see it"))
    (where, how) = serve()
    assert where.startswith("the sandpit is at") and "ssh -L" in how and "127.0.0.1" in how


@pytest.mark.parametrize("opened", [True, False])
def test_a_browser_is_opened_where_there_may_be_one(blind, monkeypatch, opened):
    monkeypatch.setenv("DISPLAY", ":0")
    urls = []
    monkeypatch.setattr(webbrowser, "open", lambda url: urls.append(url) or opened)
    said = serve()
    assert urls and urls[0] in said[0]
    assert said[1:] == ([] if opened else [f"no browser could be opened; open {urls[0]} in one"])
    assert len(serve(browser=False)) == 2 and len(urls) == 1


def test_whoever_lets_others_in_is_told(blind):
    said = serve(address="0.0.0.0")
    assert (
        said[0].startswith("the sandpit is at http://127.0.0.1:") and "can play" in said[1] and len(said) == 2
    )


def test_a_stdout_that_is_closed_stops_no_game(monkeypatch, tmp_path):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as closed:
        monkeypatch.setattr(sys, "stdout", closed)
        for _ in range(3):
            dig.say("nobody hears this")


def test_what_is_computed_ahead_is_known_later_and_errors_are_nobodys(monkeypatch):
    monkeypatch.setattr(ahead, "_REST", 0)
    waiting, done = threading.Event(), []
    work = ahead.Ahead([lambda: 1 // 0, lambda: done.append("later")])
    work.submit(waiting.wait)
    pit = floor("wells")
    assert work.par(pit) is None and not work.news()
    waiting.set()
    news, until = False, time.monotonic() + 20
    while not (news and done) and time.monotonic() < until:
        news = news or work.news()
        threading.Event().wait(0.02)
    assert work.par(pit) == Game().par == 3 and done == ["later"]
    work.submit(lambda: done.append("last"))
    work.finish()
    assert done == ["later", "last"]


def test_what_can_wait_waits_for_the_player(monkeypatch):
    monkeypatch.setattr(ahead, "_REST", 30)
    done = []
    work = ahead.Ahead()
    work.disturbed()
    work._later.append(lambda: done.append("later"))
    work.submit(lambda: done.append("now"))
    threading.Event().wait(0.4)
    work.finish()
    assert done == ["now"]


def test_all_programs_ahead_are_sound():
    jobs = ahead.programs(floor("wells"))
    assert len(jobs) == len(STRATEGIES) + 2 * len(FLOORS)
    for job in (jobs[0], jobs[len(STRATEGIES)], jobs[len(STRATEGIES) + 1]):
        job()
    assert np.isfinite(floor("wells").depth(np.array([3.0, 3.0])))
