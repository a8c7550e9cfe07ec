"""A picture that is redrawn while the loop runs: in a window where there is one, else in a browser.

The loop stays in charge. Between two chunks it hands over the chunk, which is drawn, and lets the window or
the page catch up for the rest of a frame's time: so one sees a run of a fraction of a second unfold in
seconds. The page is served on this machine alone, at 127.0.0.1.
"""

import asyncio
import socket
import time
import webbrowser
from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.backends.backend_webagg import WebAggApplication
from matplotlib.backends.backend_webagg_core import NavigationToolbar2WebAgg
from matplotlib.figure import Figure

from mvcalc_jax import interrupts
from mvcalc_jax.descent.result import Result, Stream, Watcher
from mvcalc_jax.options import PORT
from mvcalc_jax.plots import curve
from mvcalc_jax.plots.curve import Target

FRAME = 1 / 16
"""Seconds for a frame: about what a browser manages."""


def where() -> str:
    """Where a live picture appears on this machine, as a phrase.

    >>> mv.plots.live.where().startswith("in a")  # window, or browser
    True
    """
    back_end = plt.get_backend().lower()
    return (
        "in a browser, for there is no window"
        if back_end in ("agg", "webagg")
        else f"in a window ({back_end})"
    )


class Screen:
    """One figure, in a window or on a page; a process can serve one page.

    Args:
        title: of the window or the page.
        size: width and height in inches.
        port: where to serve the page; 8988 unless given, the next free one if it is busy, and any for 0. Where it is
            given, or no browser is to be opened, there is a page even if there could be a window.
        browser: open the page; else only its address is printed.

    >>> screen = mv.plots.live.Screen("a heart", (6, 6))  # doctest: +SKIP
    >>> ax = mv.plots.curve.paper(screen.figure)  # doctest: +SKIP
    >>> while screen.open:  # doctest: +SKIP
    ...     screen.refresh(seconds=mv.plots.live.FRAME)
    """

    def __init__(
        self, title: str, size: tuple[float, float], *, port: int | None = None, browser: bool = True
    ):
        # "agg" is what matplotlib falls back to where there is no window.
        if plt.get_backend().lower() == "agg" or port is not None or not browser:
            plt.switch_backend("webagg")
        self.served = plt.get_backend().lower() == "webagg"
        if self.served:
            self._runner = asyncio.Runner()
            asyncio.set_event_loop(self._runner.get_loop())
            NavigationToolbar2WebAgg.toolitems = ()
        self.figure: Figure = plt.figure(title, figsize=size)
        self._manager: Any = self.figure.canvas.manager
        if self.served:
            self._serve(port, browser)
        else:
            self._manager.show()

    def _serve(self, port: int | None, browser: bool) -> None:
        if port == 0:  # whose number matplotlib would not tell
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
        port = PORT if port is None else port
        with plt.rc_context({"webagg.port": port}):  # `initialize` has a parameter for it, and ignores it
            WebAggApplication.initialize(address="127.0.0.1")
        address = f"http://127.0.0.1:{WebAggApplication.port}/"
        print(f"live at {address} – waiting for the page to be opened", flush=True)
        if browser:
            webbrowser.open(address)

    @property
    def open(self) -> bool:
        """Whether the picture can still be seen."""
        return self.served or plt.fignum_exists(self._manager.num)

    def wait(self) -> None:
        """Return once somebody looks."""
        while self.served and not self._manager.web_sockets:
            self._pump(FRAME)

    def refresh(self, seconds: float = FRAME) -> None:
        """Show the figure as it is now, and let the window or the page work for a while."""
        if self.open:
            self.figure.canvas.draw_idle()
            self._pump(seconds)

    def _pump(self, seconds: float) -> None:
        if self.served:
            with interrupts.Cancelling():
                self._runner.run(asyncio.sleep(seconds))
        else:
            self.figure.canvas.start_event_loop(seconds)


def shown_on(screen: Screen, show: Callable[[Result], None]) -> Watcher:
    """A watcher that draws every chunk with `show` and keeps to the pace of the screen.

    >>> screen = mv.plots.live.Screen("the cost", (6, 4))  # doctest: +SKIP
    >>> ax = screen.figure.add_subplot()  # doctest: +SKIP
    >>> watch = mv.plots.live.shown_on(screen, lambda part: ax.plot(part.trace.step, part.trace.cost))  # doctest: +SKIP
    >>> mv.steepest_descent(..., watch=[watch])  # doctest: +SKIP
    """

    def watch(stream: Stream) -> Stream:
        screen.wait()
        for part in stream:
            began = time.monotonic()
            if screen.open:
                show(part)
            screen.refresh(max(FRAME - (time.monotonic() - began), 0.01))
            yield part
        screen.refresh(0.5)  # the last picture must reach the page before the process ends

    return watch


def drawing_on(screen: Screen, target: Target, attempt: Callable[[Any], np.ndarray]) -> Watcher:
    """A watcher that shows a network drawing: `attempt(params)` is what it draws, (2, k).

    >>> heart = mv.data.curve("heart")  # doctest: +SKIP
    >>> screen = mv.plots.live.Screen("a heart", (6, 6))  # doctest: +SKIP
    >>> drawn = lambda params: np.asarray(mv.network.forward(params, heart.t))  # doctest: +SKIP
    >>> mv.steepest_descent(..., watch=[mv.plots.live.drawing_on(screen, heart, drawn)])  # doctest: +SKIP
    """
    ax = curve.paper(screen.figure)
    curve.draw_target(ax, target)
    line, text = curve.draw_attempt(ax, target.points[:, :1]), curve.draw_caption(ax)

    def show(part: Result) -> None:
        line.set_data(*(drawn := attempt(part.params)))
        text.set_text(curve.caption_of(drawn, curve.how_far(part.steps, float(np.median(part.cost)))))

    return shown_on(screen, show)


def hold() -> None:
    """Keep windows open until their user closes them; a page keeps its last picture by itself.

    >>> mv.plots.live.hold()  # where there is no window, at once
    """
    if plt.get_fignums() and plt.get_backend().lower() != "webagg":
        print("close the window to end", flush=True)
        plt.show(block=True)
