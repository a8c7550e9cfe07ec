"""A figure on a page: its pixels go to every tab that is open, and what the mouse and the keys do there comes back.

matplotlib's own WebAgg does nearly this. Here, besides, a name that was made to point to this machine reaches
nothing (DNS rebinding), there is nothing to download, a message is believed only if it is one of six, and a tab gets
no frame before it has shown the last: where two tabs make frames overtake each other, pixels are lost.

All of it happens on one asyncio loop, so events are handled one at a time, in the order in which they arrive.
"""

import asyncio
import contextlib
import errno
import io
import ipaddress
import json
import secrets
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeGuard
from urllib.parse import urlsplit

import numpy as np
from matplotlib.backend_bases import KeyEvent, MouseButton, MouseEvent
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketClosedError, WebSocketHandler

LARGEST = 2048
"""Bytes of a message; a longer one ends the connection that it came by."""
MOST_TABS = 32
RETRIES = 20
"""Ports that are tried where the first is busy."""
PATIENCE = 1.0
"""Seconds after which a tab that does not say that it has shown a frame is not waited for: it may sleep."""
SHARPNESS = (50, 250)
"""Least and most dots per inch."""


class PageCanvas(FigureCanvasAgg):
    """The canvas of a figure that is shown on pages.

    Args:
        figure: what is drawn.

    Attributes:
        describe: the state that goes with a frame, as JSON can hold it.
        joined: called when there is another tab.
    """

    def __init__(self, figure: Figure):
        super().__init__(figure)
        self.describe: Callable[[], dict[str, Any]] = dict
        self.joined: Callable[[], None] = lambda: None
        self.tabs: set[Events] = set()
        self._number = 0
        self._sent = np.zeros((0, 0), np.uint32)
        self._stale, self._changed = True, False
        self._next: asyncio.TimerHandle | None = None

    def draw(self) -> None:
        self._stale = False
        super().draw()
        self._frame_soon(changed=True)

    def draw_idle(self, *args: Any, **kwargs: Any) -> None:
        self._stale = True
        self._frame_soon(changed=True)

    def blit(self, bbox: Any = None) -> None:
        self._frame_soon(changed=True)

    def join(self, tab: "Events") -> None:
        """Take in a tab; it gets a whole picture."""
        self.tabs.add(tab)
        self.joined()
        self.fit()
        self._frame_soon(changed=False)

    def part(self, tab: "Events") -> None:
        """Forget a tab."""
        self.tabs.discard(tab)
        self.fit()
        self._frame_soon(changed=False)

    def dismiss(self) -> None:
        """Say goodbye to every tab."""
        for tab in list(self.tabs):
            tab.close(1001, "the game has stopped")

    def fit(self) -> None:
        """Draw as finely as the largest tab can show."""
        width, height = self.figure.get_size_inches()
        rooms = [min(tab.room[0] / width, tab.room[1] / height) for tab in self.tabs if tab.room]
        if rooms:
            dpi = float(np.clip(max(rooms), *SHARPNESS))
            if abs(dpi / self.figure.dpi - 1) > 0.01:
                self.figure.set_dpi(dpi)
                self.draw_idle()

    def shown(self) -> None:
        """A tab is ready for another frame."""
        self._frame_soon(changed=False)

    def _frame_soon(self, changed: bool, seconds: float = 0.001) -> None:
        """After what has already arrived is handled, so that many events make one frame."""
        self._changed = self._changed or changed
        if not self.tabs:
            return
        loop = asyncio.get_running_loop()
        if self._next:
            if self._next.when() <= loop.time() + seconds:
                return
            self._next.cancel()
        self._next = loop.call_later(seconds, self._frame)

    def _frame(self) -> None:
        self._next = None
        now = time.monotonic()
        patience = max((tab.sent_at + PATIENCE - now for tab in self.tabs if tab.owes), default=0)
        if patience > 0:
            self._frame_soon(changed=False, seconds=patience)
            return
        ready = [tab for tab in self.tabs if not tab.owes]
        if not (ready and (self._changed or any(tab.fresh for tab in ready))):
            return
        if self._stale:
            self._stale = False
            super().draw()
        self._changed = False
        pixels = np.ascontiguousarray(self.buffer_rgba()).view(np.uint32)[..., 0]
        before, self._sent = self._sent, pixels.copy()
        self._number += 1
        state = json.dumps(self.describe())
        packed: dict[bool, bytes] = {}
        for tab in self.tabs - set(ready):
            tab.fresh = True  # it misses this frame, so that it needs all of the next
        for tab in ready:
            if tab.fresh not in packed:
                packed[tab.fresh] = self._packed(pixels, None if tab.fresh else before)
            tab.give(self._number, state, packed[tab.fresh])

    def _packed(self, pixels: np.ndarray, before: np.ndarray | None) -> bytes:
        """A frame as it travels: a header, and a PNG of what has changed since `before`; all else in it is transparent,
        which takes a quarter of the time of sand."""
        height, width = pixels.shape
        if before is None or before.shape != pixels.shape:
            x, y, image = 0, 0, pixels[..., None].view(np.uint8)[..., :3]
        else:
            y, x = (part := _changed(pixels, before))[0].start, part[1].start
            image = np.where(pixels[part] != before[part], pixels[part], 0)[..., None].view(np.uint8)
        with io.BytesIO() as png:
            Image.fromarray(image).save(png, format="png", compress_level=1)  # it stays within one machine
            return struct.pack(">IHHHH", self._number, x, y, width, height) + png.getvalue()

    def receive(self, tab: "Events", message: Any) -> None:
        """Do what a tab says, if it is something that our page says; all else is as if it had not been said."""
        if not isinstance(message, dict):
            return
        kind = message.get("type")
        handle = _HANDLERS.get(kind) if isinstance(kind, str) else None
        if handle:
            handle(self, tab, message)

    def _mouse(self, tab: "Events", message: dict[str, Any]) -> None:
        x, y, button = (message.get(key) for key in ("x", "y", "button"))
        if not (
            _between(x, -8, 8) and _between(y, -8, 8) and isinstance(button, int) and button in (0, 1, 2)
        ):
            return
        width, height = self.get_width_height()
        kind = _KINDS[message["type"]]
        again = message.get("again") is True and message["type"] == "press"
        event = MouseEvent(
            kind, self, round(x * width), round((1 - y) * height), MouseButton(button + 1), dblclick=again
        )
        self.callbacks.process(kind, event)

    def _key(self, tab: "Events", message: dict[str, Any]) -> None:
        key = message.get("key")
        if isinstance(key, str) and 0 < len(key) <= 16:
            self.callbacks.process("key_press_event", KeyEvent("key_press_event", self, key))

    def _shown(self, tab: "Events", message: dict[str, Any]) -> None:
        if message.get("frame") == tab.owes:
            tab.owes = 0
            self.shown()

    def _room(self, tab: "Events", message: dict[str, Any]) -> None:
        if tab.measured(message.get("width"), message.get("height")):
            self.fit()


_KINDS = {"press": "button_press_event", "release": "button_release_event", "move": "motion_notify_event"}
_HANDLERS: dict[str, Any] = {
    "press": PageCanvas._mouse,
    "release": PageCanvas._mouse,
    "move": PageCanvas._mouse,
    "key": PageCanvas._key,
    "shown": PageCanvas._shown,
    "room": PageCanvas._room,
}


def _between(value: Any, low: float, high: float) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high


def _changed(now: np.ndarray, before: np.ndarray) -> tuple[slice, slice]:
    """The rectangle outside which two pictures are equal; at least a pixel, so that every frame is a picture."""
    differs = now != before
    rows, columns = np.flatnonzero(differs.any(1)), np.flatnonzero(differs.any(0))
    if not len(rows):
        return slice(0, 1), slice(0, 1)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


class _Guarded(RequestHandler):
    """A request is answered only if it calls this machine by a name that nobody else can give it."""

    def prepare(self) -> None:
        if not trusted(self.request.headers.get("Host", ""), self.settings["names"]):
            self.send_error(403)


class Home(_Guarded):
    """The page."""

    def get(self) -> None:
        nonce = secrets.token_urlsafe(16)
        source = f"'nonce-{nonce}'"
        self.set_header(
            "Content-Security-Policy",
            f"default-src 'none'; script-src {source}; style-src {source}; img-src data: blob:; "
            f"connect-src 'self' ws://{self.request.host}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        )
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "no-store")
        self.write(self.settings["page"].replace("NONCE", nonce))


class Events(_Guarded, WebSocketHandler):
    """What goes to and fro between a tab and the canvas."""

    def initialize(self) -> None:
        self.canvas: PageCanvas = self.settings["canvas"]
        self.fresh, self.owes, self.sent_at = True, 0, 0.0
        self.room: tuple[float, float] | None = None

    def prepare(self) -> None:
        super().prepare()
        if not self._finished and not self.check_origin(self.request.headers.get("Origin", "")):
            self.send_error(403)  # every browser says where a page is from; who does not is no page of ours

    def check_origin(self, origin: str) -> bool:
        return origin == f"{self.request.protocol}://{self.request.headers.get('Host')}"

    def open(self, *args: str, **kwargs: str) -> None:
        if len(self.canvas.tabs) >= MOST_TABS:
            self.close(1013, "too many tabs")
            return
        self.set_nodelay(True)
        with contextlib.suppress(ValueError):
            self.measured(*(float(self.get_query_argument(side, "")) for side in ("width", "height")))
        self.canvas.join(self)

    def measured(self, width: Any, height: Any) -> bool:
        """Take note of how many pixels the tab has room for, if that can be."""
        if not (_between(width, 1, 1e5) and _between(height, 1, 1e5)):
            return False
        self.room = (float(width), float(height))
        return True

    def on_close(self) -> None:
        self.canvas.part(self)

    def on_message(self, message: str | bytes) -> None:
        try:
            content = json.loads(message)
        except (ValueError, RecursionError):
            return
        self.canvas.receive(self, content)

    def give(self, number: int, state: str, frame: bytes) -> None:
        """Send a frame, which the tab then owes to show."""
        self.fresh, self.owes, self.sent_at = False, number, time.monotonic()
        with contextlib.suppress(WebSocketClosedError):  # `on_close` sees to a tab that is gone
            for message in (state, frame):
                written = self.write_message(message, binary=isinstance(message, bytes))
                asyncio.ensure_future(written).add_done_callback(asyncio.Future.exception)


class Missing(_Guarded):
    """Everything else."""

    def prepare(self) -> None:
        super().prepare()
        if not self._finished:
            self.send_error(404)


def trusted(host: str, names: frozenset[str] | None) -> bool:
    """Whether a `Host` header names this machine by itself.

    A stranger's page can have its own name resolved to this machine, and then counts as coming from here; it cannot
    do so with a number, nor with a name that is not a stranger's to give.

    Args:
        host: the header, perhaps with a port.
        names: of this machine, in lower case, if it is served to others; None if it is not, and then only numbers
            of loopback count.
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    try:
        return ipaddress.ip_address(name).is_loopback or names is not None
    except ValueError:
        return name == "localhost" or name in (names or ())


def listen(canvas: PageCanvas, address: str, port: int) -> tuple[HTTPServer, int]:
    """Serve a canvas at an address; at the next port that is free if the first is busy.

    Args:
        canvas: of the figure.
        address: 127.0.0.1, or another of this machine's, or 0.0.0.0 for all of them.
        port: the first that is tried; 0 for any.

    Returns:
        The server, and its port.

    Raises:
        OSError: if this machine has no such address, or no port is free.
    """
    own = None if loopback(address) else frozenset({socket.gethostname().lower(), socket.getfqdn().lower()})
    app = Application(
        [("/", Home), ("/events", Events)],
        canvas=canvas,
        page=Path(__file__).with_name("page.html").read_text(encoding="utf-8"),
        names=own,
        default_handler_class=Missing,
        log_function=lambda handler: None,
        websocket_max_message_size=LARGEST,
        websocket_ping_interval=30,
        websocket_ping_timeout=20,
    )
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for candidate in [*range(port, min(port + RETRIES, 2**16))] if port else [0]:
        try:
            opened = socket.create_server((address, candidate), family=family)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                why = str(error.strerror).partition(" (while")[0]  # Python adds the address, in its own way
                raise OSError(error.errno, f"{why}: {address}, port {candidate}") from None
            continue
        server = HTTPServer(app, max_body_size=LARGEST, max_header_size=16_384, idle_connection_timeout=60)
        opened.setblocking(False)
        server.add_socket(opened)
        return server, opened.getsockname()[1]
    raise OSError(errno.EADDRINUSE, f"the ports from {port} on are busy; choose another with --port")


def loopback(address: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"
