"""Where a pit is seen: in a window where there is one, else on a page that this machine serves to itself."""

import asyncio
import os
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from mvcalc_jax import interrupts
from mvcalc_jax.options import PORT
from mvcalc_jax.sandpit.page import PageCanvas, listen, loopback
from mvcalc_jax.sandpit.view import SIZE, Pit

OFTEN = 0.2
"""Seconds after which it is looked for what has become known beside the game."""


def play(
    build: Callable[[Figure], Pit],
    *,
    port: int | None = None,
    address: str = "127.0.0.1",
    browser: bool = True,
    say: Callable[[str], None] = print,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Show a pit until its window is closed, or until Ctrl-C.

    Args:
        build: puts a pit on a figure.
        port: of the page; the next that is free if it is busy, and any for 0. Where it is given, or no browser is to
            be opened, there is a page even if there could be a window.
        address: of this machine, by which the page is reached.
        browser: whether a browser is opened; else only the address is said.
        say: takes each line that is said.
        ready: called once the pit can be played.

    Raises:
        KeyboardInterrupt: after Ctrl-C.
        OSError: if the page cannot be served.
    """
    own = window() if port is None and browser and loopback(address) else None
    if own is not None:
        pit = build(own)
        timer = own.canvas.new_timer(interval=round(1000 * OFTEN))
        timer.add_callback(pit.catch_up)
        timer.start()
        say("the sandpit is in a window; close it to end")
        ready()
        plt.show(block=True)
        return
    figure = Figure(figsize=SIZE, dpi=100)
    canvas = PageCanvas(figure)
    pit = build(figure)
    canvas.describe, canvas.joined = pit.describe, pit.session.disturb
    with interrupts.Cancelling():
        asyncio.run(_serve(pit, canvas, PORT if port is None else port, address, browser, say, ready))


def window() -> Figure | None:
    """An empty figure in a window, if there can be one; matplotlib's own keys do nothing there."""
    with mpl.rc_context({"toolbar": "None", "figure.raise_window": True}):
        figure = plt.figure("The sandpit", figsize=SIZE, dpi=100)
    manager = figure.canvas.manager
    if figure.canvas.required_interactive_framework is None or manager is None:
        plt.close(figure)
        return None
    if manager.key_press_handler_id is not None:
        figure.canvas.mpl_disconnect(manager.key_press_handler_id)
    return figure


async def _serve(
    pit: Pit,
    canvas: PageCanvas,
    port: int,
    address: str,
    browser: bool,
    say: Callable[[str], None],
    ready: Callable[[], None],
) -> None:
    server, served = listen(canvas, address, port)
    if served != port and port:
        say(f"port {port} is busy")
    host = "127.0.0.1" if address in ("0.0.0.0", "") else f"[{address}]" if ":" in address else address
    url = f"http://{host}:{served}/"
    say(f"the sandpit is at {url}; Ctrl-C ends it")
    if not loopback(address):
        say("everybody who reaches this machine there can play, and see what you do")
    if not (browser and _can_open()):
        if loopback(address):
            tunnel = f"ssh -L {served}:127.0.0.1:{served} {socket.gethostname()}"
            say(f"open that in a browser; from another machine: {tunnel}, and open it there")
    else:
        threading.Thread(target=_open, args=(url, asyncio.get_running_loop(), say), daemon=True).start()
    ready()
    try:
        while True:
            await asyncio.sleep(OFTEN)
            pit.catch_up()
    finally:
        server.stop()
        canvas.dismiss()
        await server.close_all_connections()


def _can_open() -> bool:
    """Whether a browser that is opened would be seen: without a display it would be one of letters in this terminal."""
    seen = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
    return seen or sys.platform in ("darwin", "win32")


def _open(url: str, loop: asyncio.AbstractEventLoop, say: Callable[[str], None]) -> None:
    try:
        opened = webbrowser.open(url)
    except webbrowser.Error:
        opened = False
    if not opened:
        loop.call_soon_threadsafe(say, f"no browser could be opened; open {url} in one")
