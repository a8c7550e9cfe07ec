"""The page: who may reach it, what it believes, and that every tab shows the figure's pixels."""

import asyncio
import contextlib
import io
import json
import struct
import time

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClosedError, websocket_connect

from mvcalc_jax.sandpit import Game, page
from mvcalc_jax.sandpit.page import PageCanvas, listen, trusted
from mvcalc_jax.sandpit.view import SIZE, Pit

MIDDLE = {"type": "press", "x": 0.3, "y": 0.5, "button": 0}


class Served:
    """A pit that is served on a port of its own, and what a tab of it sees."""

    def __init__(self):
        figure = Figure(figsize=SIZE, dpi=50)
        self.canvas = PageCanvas(figure)
        self.said, self.tabs = [], []
        self.pit = Pit(figure, Game(), say=self.said.append)
        self.canvas.describe = self.pit.describe
        self.server, self.port = listen(self.canvas, "127.0.0.1", 0)
        self.host = f"127.0.0.1:{self.port}"

    async def tab(self, **headers):
        headers = {"Origin": f"http://{self.host}"} | headers
        socket = await websocket_connect(HTTPRequest(f"ws://{self.host}/events", headers=headers))
        self.tabs.append(Screen(socket, self.canvas))
        return self.tabs[-1]

    async def close(self):
        for tab in self.tabs:
            await tab.close()
        self.server.stop()
        await self.server.close_all_connections()

    def get(self, path="/", **headers):
        return AsyncHTTPClient(force_instance=True).fetch(f"http://{self.host}{path}", headers=headers)


def run(scene):
    """Run an async function of a `Served`, and stop serving."""

    async def whole():
        served = Served()
        try:
            await asyncio.wait_for(scene(served), 20)
        finally:
            await served.close()

    asyncio.run(whole())


class Screen:
    """A tab that does what page.html does."""

    def __init__(self, socket, canvas):
        self.socket, self.canvas = socket, canvas
        self.pixels, self.state, self.frames, self.number = None, None, 0, None
        self.gone = False

    def say(self, message):
        return self.socket.write_message(
            message if isinstance(message, (str, bytes)) else json.dumps(message)
        )

    async def close(self):
        """As a tab that is closed."""
        self.socket.close()
        while not self.gone:
            self.gone = await self.socket.read_message() is None

    async def see(self):
        """Show what comes, until all that is there is shown and no more comes for a while."""
        until = time.monotonic() + 15
        while not self.gone and time.monotonic() < until:
            try:
                data = await asyncio.wait_for(self.socket.read_message(), 0.15)
            except TimeoutError:
                if self.number == self.canvas._number and not self.canvas._changed:
                    break
                continue
            if data is None:
                self.gone = True
            elif isinstance(data, str):
                self.state = json.loads(data)
            else:
                await self.show(data)
        return self

    async def show(self, data):
        self.number, x, y, width, height = struct.unpack(">IHHHH", data[:12])
        image = Image.open(io.BytesIO(data[12:])).convert("RGBA")
        if self.pixels is None or self.pixels.size != (width, height):
            self.pixels = Image.new("RGBA", (width, height))
        self.pixels.alpha_composite(image, (x, y))
        self.frames += 1
        with contextlib.suppress(WebSocketClosedError):
            await self.say({"type": "shown", "frame": self.number})


def same(screen, canvas):
    np.testing.assert_array_equal(np.asarray(screen.pixels), np.asarray(canvas.buffer_rgba()))


def test_tabs_show_the_figure_and_one_game():
    async def scene(served):
        one, two = await served.tab(), await served.tab()
        await one.say(MIDDLE)
        await asyncio.gather(one.see(), two.see())
        assert len(served.pit.game.history) == 1
        for tab in (one, two):
            same(tab, served.canvas)
            assert tab.state["left"] == 24
        await two.close()
        await one.say({"type": "key", "key": "r"})
        await one.see()
        again = await (await served.tab()).see()  # a tab that is opened anew shows the game as it is
        assert again.state["over"] and len(served.canvas.tabs) == 2
        for tab in (one, again):
            same(tab, served.canvas)

    run(scene)


def test_a_tab_that_shows_nothing_holds_up_no_other(monkeypatch):
    monkeypatch.setattr(page, "PATIENCE", 0.2)

    async def scene(served):
        asleep, awake = await served.tab(), await served.tab()
        await awake.see()
        before = awake.frames
        for _ in range(5):
            await awake.say(
                {"type": "press", "x": np.random.default_rng().uniform(0.1, 0.6), "y": 0.5, "button": 0}
            )
            await awake.see()
        assert awake.frames >= before + 5
        await asleep.see()  # it wakes up
        for tab in (asleep, awake):
            same(tab, served.canvas)

    run(scene)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "https://127.0.0.1"},
        {"Host": "elsewhere.example"},
        {"Host": "elsewhere.example", "Origin": "http://elsewhere.example"},
        {"Host": "127.0.0.1.elsewhere.example", "Origin": "http://127.0.0.1.elsewhere.example"},
        {"Host": "192.0.2.1", "Origin": "http://192.0.2.1"},
    ],
    ids=lambda headers: " ".join(f"{name}={value}" for name, value in headers.items()),
)
def test_other_pages_and_names_are_refused(headers):
    async def scene(served):
        with pytest.raises(HTTPClientError) as refused:
            await served.tab(**headers)
        assert refused.value.code == 403
        assert not served.canvas.tabs

    run(scene)


def test_a_page_under_a_foreign_name_is_refused():
    async def scene(served):
        page = await served.get()
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        nonce = policy.split("'nonce-")[1].split("'")[0]
        assert f'<script nonce="{nonce}">' in page.body.decode() and len(nonce) > 16
        with pytest.raises(HTTPClientError, match="403"):
            await served.get(Host="elsewhere.example")
        with pytest.raises(HTTPClientError, match="403"):
            await served.get("/anything", Host="elsewhere.example")

    run(scene)


@pytest.mark.parametrize(
    "path", ["/1/download.png", "/js/mpl.js", "/_static/css/page.css", "/1/ws", "/../page.py"]
)
def test_nothing_else_is_served(path):
    async def scene(served):
        with pytest.raises(HTTPClientError, match="404"):
            await served.get(path)

    run(scene)


CLICK = {"type": "press", "x": 0.5, "y": 0.5, "button": 0}
GARBAGE = [
    "", "no JSON", "[]", "null", "3", '"press"', "{", "[" * 1500, b"\x00\xff", b"{}",
    {}, {"type": 3}, {"type": None}, {"type": ["press"]}, {"type": "press"}, {"type": "__init__"},
    # what matplotlib's own page may say
    {"type": "refresh"}, {"type": "draw"}, {"type": "resize", "width": 1e9, "height": 1e9},
    {"type": "set_device_pixel_ratio", "device_pixel_ratio": 1e9}, {"type": "toolbar_button", "name": "save_figure"},
    # clicks that are none
    CLICK | {"x": float("nan")}, CLICK | {"x": float("inf")}, CLICK | {"x": "0.5"}, CLICK | {"x": True},
    CLICK | {"y": [0.5]}, CLICK | {"x": 10**40}, CLICK | {"button": {}}, CLICK | {"button": 77},
    CLICK | {"button": 1.5}, CLICK | {"again": True}, CLICK | {"button": 2}, CLICK | {"x": 7},
    CLICK | {"type": "release"}, CLICK | {"type": "move"},
    # keys that are none
    {"type": "key"}, {"type": "key", "key": ""}, {"type": "key", "key": 5}, {"type": "key", "key": "n" * 500},
    {"type": "key", "key": "q"}, {"type": "key", "key": "__import__('os')"},
    # sizes and frames that are none
    {"type": "room"}, {"type": "room", "width": -1, "height": 5}, {"type": "room", "width": 1e300, "height": 1e300},
    {"type": "shown"}, {"type": "shown", "frame": "x"}, {"type": "shown", "frame": 99},
]  # fmt: skip


def test_garbage_changes_nothing():
    async def scene(served):
        tab = await served.tab()
        await tab.see()
        for message in GARBAGE:
            if isinstance(message, dict):
                message = json.dumps(message)
            await tab.socket.write_message(message, binary=isinstance(message, bytes))
        await tab.see()
        assert not served.pit.game.history and served.pit.session.games == [served.pit.game]
        assert served.canvas.figure.dpi == 50
        await tab.say(MIDDLE)
        await tab.see()
        assert len(served.pit.game.history) == 1
        same(tab, served.canvas)

    run(scene)


def test_a_huge_message_ends_its_connection_alone():
    async def scene(served):
        tab, flood = await served.tab(), await served.tab()
        await flood.socket.write_message("x" * 3_000_000)
        await flood.see()
        assert flood.gone and flood.socket.close_code in (
            1009,
            None,
        )  # the word may be lost with the connection
        await tab.say(MIDDLE)
        await tab.see()
        assert len(served.pit.game.history) == 1

    run(scene)


def test_no_more_tabs_than_there_is_room_for(monkeypatch):
    monkeypatch.setattr(page, "MOST_TABS", 2)

    async def scene(served):
        tabs = [await served.tab() for _ in range(3)]
        await tabs[2].see()
        assert tabs[2].socket.close_code == 1013 and len(served.canvas.tabs) == 2

    run(scene)


def test_the_sharpness_follows_the_largest_tab():
    async def scene(served):
        small, large = await served.tab(), await served.tab()
        await small.say({"type": "room", "width": 460, "height": 800})
        await large.say({"type": "room", "width": 1380, "height": 960})
        await asyncio.gather(small.see(), large.see())
        assert large.pixels.size == (1380, 960)
        same(small, served.canvas)
        await large.close()
        await small.see()
        assert small.pixels.size == (460, 320)
        await small.say({"type": "room", "width": 90_000, "height": 90_000})
        await small.see()
        assert small.pixels.size == (2300, 1600)

    run(scene)


@pytest.mark.parametrize(
    ("host", "names", "good"),
    [
        ("127.0.0.1:8988", None, True),
        ("localhost", None, True),
        ("LOCALHOST:1", None, True),
        ("[::1]:8988", None, True),
        ("127.1.2.3", None, True),
        ("", None, False),
        ("evil.example:8988", None, False),
        ("localhost.evil.example", None, False),
        ("192.0.2.7:8988", None, False),
        ("192.0.2.7:8988", {"lab"}, True),
        ("lab:8988", {"lab"}, True),
        ("evil.example", {"lab"}, False),
        ("[::1", None, False),
        ("user@127.0.0.1", None, True),
    ],
)
def test_hosts_are_trusted_that_nobody_else_can_name(host, names, good):
    assert trusted(host, names and frozenset(names)) is good


def test_a_busy_port_leads_to_the_next_and_none_is_said():
    async def scene(served):
        again, port = listen(served.canvas, "127.0.0.1", served.port)
        assert served.port < port < served.port + page.RETRIES
        again.stop()
        with pytest.raises(OSError, match="address"):
            listen(served.canvas, "192.0.2.1", 8988)

    run(scene)


def test_no_free_port_is_a_sentence(monkeypatch):
    monkeypatch.setattr(page, "RETRIES", 1)

    async def scene(served):
        with pytest.raises(OSError, match="busy; choose another with --port"):
            listen(served.canvas, "127.0.0.1", served.port)

    run(scene)


@pytest.mark.slow
def test_matplotlibs_settings_are_as_they_were():
    before = dict(mpl.rcParams)
    Served_ = Figure(figsize=SIZE)
    Pit(Served_, Game(), say=lambda line: None)
    assert dict(mpl.rcParams) == before
