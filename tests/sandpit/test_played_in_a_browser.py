"""The sandpit in a real browser: games are played by clicking, and what the page shows is what the rules say."""

import asyncio
import base64
import contextlib
import json
import re
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from PIL import Image

from mvcalc_jax.sandpit import Game, floor, served, view
from tests.test_command import ROOT

pytestmark = pytest.mark.slow

FAR = (4.4, 1.0)
RAPID = """
(events) => {
  const canvas = document.querySelector("canvas"), room = canvas.getBoundingClientRect();
  for (const [type, x, y, button, detail] of events)
    canvas.dispatchEvent(new MouseEvent(type, {
      clientX: room.left + x * room.width, clientY: room.top + y * room.height,
      button, detail, buttons: 1, bubbles: true,
    }));
}
"""
PIXELS = """
() => {
  const canvas = document.querySelector("canvas");
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let text = "";
  for (let at = 0; at < data.length; at += 32768) text += String.fromCharCode(...data.subarray(at, at + 32768));
  return [canvas.width, canvas.height, btoa(text)];
}
"""


class Host:
    """A game served from a thread of this process, so that the rules can be asked while the page is looked at."""

    def __init__(self, game):
        self.game, self.said, self._ready = game, [], threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        assert self._ready.wait(30)
        self.address = re.search(r"http://\S+/", self.said[0]).group()

    def _serve(self):
        def build(figure):
            self.pit = view.Pit(figure, self.game, say=self.said.append)
            return self.pit

        def ready():
            self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
            self._ready.set()

        with contextlib.suppress(asyncio.CancelledError):
            served.play(build, port=0, browser=False, say=self.said.append, ready=ready)

    def stop(self):
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()

    def ask(self, question):
        """An answer from the thread in which the game is played."""
        answer = asyncio.run_coroutine_threadsafe(answered(question), self._loop)
        return answer.result(10)

    def pixels(self):
        return self.ask(lambda: np.asarray(self.pit.figure.canvas.buffer_rgba()).copy())


async def answered(question):
    return question()


class Tab:
    """A tab, and what can be done there."""

    def __init__(self, browser, address, width=1000, height=700):
        self.page = browser.new_page(viewport={"width": width, "height": height})
        self.errors = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(address)
        self.page.wait_for_selector("canvas[data-frame]", timeout=10_000)

    def state(self):
        return json.loads(self.page.evaluate("document.querySelector('canvas').dataset.state"))

    def place(self, point):
        left, top, right, bottom = self.state()["pit"]
        x, y = point
        return left + (right - left) * x / 6, bottom - (bottom - top) * y / 6

    def mouse(self, place, **how):
        room = self.page.locator("canvas").bounding_box()
        at = room["x"] + place[0] * room["width"], room["y"] + place[1] * room["height"]
        self.page.mouse.click(*at, **how)

    def click(self, point, **how):
        self.mouse(self.place(point), **how)

    def press(self, name):
        self.mouse(self.state()["buttons"][name])

    def until(self, condition):
        """Wait until the page's state fulfils a condition, written in JavaScript."""
        state = "JSON.parse(document.querySelector('canvas').dataset.state)"
        self.page.wait_for_function(f"() => {{ const state = {state}; return {condition}; }}", timeout=15_000)

    def dips(self, count):
        self.until(f"state.dips.length === {count}")

    def pixels(self):
        width, height, data = self.page.evaluate(PIXELS)
        return np.frombuffer(base64.b64decode(data), np.uint8).reshape(height, width, 4)


def require_same(host, *tabs):
    """Require every tab to show what the rules say, to the pixel, once everything that was done has arrived."""
    for _ in range(100):
        tabs[0].page.wait_for_timeout(50)
        state = json.loads(json.dumps(host.ask(host.pit.describe)))
        pixels = host.pixels()[..., :3]
        seen = [(tab.state(), tab.pixels()[..., :3]) for tab in tabs]
        if all(told == state and np.array_equal(shown, pixels) for told, shown in seen):
            break
    for told, shown in seen:
        assert told == state
        np.testing.assert_array_equal(shown, pixels)
    assert not any(tab.errors for tab in tabs)


@pytest.fixture
def host():
    host = Host(Game())
    yield host
    host.stop()


@pytest.fixture
def tab(browser, host):
    tab = Tab(browser, host.address)
    yield tab
    tab.page.close()


def test_the_command_is_played_to_a_win_and_keeps_it(browser, tmp_path):
    command = "from mvcalc_jax.cli import main; main()"
    arguments = ["sandpit", "--no-browser", "--port", "0", "--out", str(tmp_path)]
    process = subprocess.Popen(
        [sys.executable, "-c", command, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        address = re.search(r"http://127\.0\.0\.1:\d+/", process.stdout.readline()).group()
        tab = Tab(browser, address)
        tab.page.screenshot(path=str(tmp_path / "sand.png"))
        for k, point in enumerate([(3.0, 2.0), (2.4, 2.8), (1.6, 3.6), (1.22, 4.0)], 1):
            tab.click(point)
            tab.dips(k)
        tab.until("state.status === 'found'")
        tab.page.wait_for_timeout(200)
        tab.page.screenshot(path=str(tmp_path / "won.png"))
        tab.press("new")
        tab.until("state.seed === 1")
        tab.click(FAR)
        tab.dips(1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        tab.page.wait_for_selector("#gone:not([hidden])", timeout=5000)
        tab.page.close()
    finally:
        process.kill()
    assert process.returncode == 130 and err == "\nmvcalc: stopped\n"
    lines = out.splitlines()
    assert sum(bool(re.match(r"dip \d", line)) for line in lines) == 5 and any(
        "the phone is found" in line for line in lines
    )
    (run,) = (tmp_path / "sandpit").iterdir()
    assert {path.name for path in run.iterdir()} == {
        "config.json",
        *(f"{k}.{s}" for k in "12" for s in ("csv", "json", "png")),
    }
    assert f"go on with: mvcalc sandpit --resume {run}/2.json" in lines[-1]
    won, going = (Game.load(run / f"{k}.json") for k in "12")
    assert won.status.name == "FOUND" and len(going.history) == 1 and not going.over
    assert (run / "1.csv").read_text().count("\n") == 5
    sand, won = (
        np.asarray(Image.open(tmp_path / name).convert("RGB"), int) for name in ("sand.png", "won.png")
    )
    assert np.mean(np.abs(sand - won).sum(axis=2) > 30) > 0.3  # the relief is there


def test_a_game_is_lost_by_clicking(host, tab, tmp_path):
    for k in range(26):
        tab.click((FAR[0] + 0.04 * k, FAR[1]))
    tab.until("state.over")
    assert tab.state()["status"] == "lost" and len(tab.state()["dips"]) == 26
    assert tab.page.locator("#told").inner_text().startswith("The phone is lost")
    require_same(host, tab)
    tab.click((2, 2))
    tab.until("state.told.includes('over')")
    tab.page.screenshot(path=str(tmp_path / "lost.png"))
    assert len(host.pit.game.history) == 26
    require_same(host, tab)


def test_an_automatic_game_is_played_by_clicking(host, tab):
    tab.press("mode:automatic")
    tab.until("state.mode === 'automatic'")
    tab.press("strategy:on")
    tab.press("strategy:on")
    tab.until("state.strategy === 'hybrid'")
    x, y = tab.state()["buttons"]["rate"]
    tab.mouse((x - 0.02, y))
    tab.until("state.rate < 0.3")
    tab.click((4, 3.7))
    tab.until("state.dips.length > 1")
    assert [dip.by for dip in host.pit.game.history[1:]] == ["hybrid"] * (len(host.pit.game.history) - 1)
    require_same(host, tab)


def test_two_tabs_lose_no_dip_of_eighty_rapid_clicks(browser, host, tab):
    other, rng = Tab(browser, host.address, 700, 600), np.random.default_rng(5)
    for seed in range(4):
        phone, points = floor("wells", seed).lowest, rng.uniform(0.1, 5.9, (40, 2))
        points = points[np.linalg.norm(points - phone, axis=1) > 0.3][:20]
        clicks = [("mousedown", *tab.place(point), 0, 1) for point in points]
        for which, part in ((tab, clicks[::2]), (other, clicks[1::2])):
            which.page.evaluate(RAPID, part)
        tab.dips(20)
        other.dips(20)
        dug = [tuple(dip[:2]) for dip in tab.state()["dips"]]
        for part in (points[::2], points[1::2]):  # in the order in which each tab clicked
            order = [np.argmin(np.linalg.norm(np.array(dug) - point, axis=1)) for point in part]
            assert order == sorted(order)
            assert all(np.linalg.norm(dug[k] - point) < 0.04 for k, point in zip(order, part, strict=True))
        tab.page.keyboard.press("n")
        tab.until(f"state.seed === {seed + 1}")
    assert sum(line.startswith("dip ") for line in host.said) == 80
    require_same(host, tab, other)
    other.page.close()


def test_whatever_two_tabs_do_they_show_the_same_game(browser, host, tab):
    other, rng = Tab(browser, host.address, 1200, 500), np.random.default_rng(6)
    for chunk in range(4):
        for which in (tab, other):
            places = rng.uniform(-0.2, 1.2, (10, 2))
            types = rng.choice(
                ["mousedown", "mousedown", "mousedown", "mouseup", "mousemove", "contextmenu"], 10
            )
            events = [
                (str(kind), *place, int(rng.choice([0, 0, 0, 1, 2])), int(rng.choice([1, 1, 1, 2])))
                for kind, place in zip(types, places.tolist(), strict=True)
            ]
            which.page.evaluate(RAPID, events)
            for key in rng.choice([*"nrhamMfsScC", "ArrowLeft", "ArrowRight", "q", "Tab", "Escape"], 3):
                which.page.keyboard.press(key)
            which.click((3, 3), click_count=2)
            which.click((2, 3), button="right")
            if chunk % 3 == 0:
                which.page.set_viewport_size(
                    {"width": int(rng.integers(400, 1500)), "height": int(rng.integers(300, 900))}
                )
    for which in (tab, other):
        which.page.wait_for_timeout(250)  # the last resize is said after a while
    require_same(host, tab, other)
    assert not any("error inside" in line for line in host.said)
    tab.page.keyboard.press("n")
    tab.until("!state.over && state.dips.length === 0")
    other.click((3, 1))
    tab.until("state.dips.length > 0")
    require_same(host, tab, other)
    other.page.close()


def test_a_tab_that_is_closed_leaves_the_game_to_the_next(browser, host):
    tab = Tab(browser, host.address)
    tab.click(FAR)
    tab.dips(1)
    tab.page.close()
    again = Tab(browser, host.address, 500, 400)
    assert len(again.state()["dips"]) == 1
    again.click((2, 2))
    again.dips(2)
    dip = host.pit.game.history[-1]
    assert (dip.x, dip.y) == pytest.approx((2, 2), abs=0.03)
    again.page.set_viewport_size({"width": 1300, "height": 900})
    again.page.wait_for_function("() => document.querySelector('canvas').width > 1200", timeout=5000)
    again.click((5, 5))
    again.dips(3)
    dip = host.pit.game.history[-1]
    assert (dip.x, dip.y) == pytest.approx((5, 5), abs=0.02)
    require_same(host, again)
    again.page.close()
