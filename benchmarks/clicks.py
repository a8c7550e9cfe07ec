"""How long from a click in the sandpit to its image, in a real browser?

    python -m benchmarks.clicks

`mvcalc sandpit` is started and opened in headless Chromium; from then on the browser's own clock counts: from the
mouse button down to the next repaint after the image that answers it was drawn. Clicks in every mode, new pits of the
same floor, and the end, at which what lay below is shown; on a page of 1000 by 700 pixels, and on one of twice as many
in each direction, as fine screens have them. The first click comes as soon as the page is there.
"""

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import mvcalc_jax as mv
from benchmarks import results
from benchmarks.harness import spoken
from benchmarks.results import Bar, Findings, MissingError, Table

QUESTION = (__doc__ or "").partition("\n")[0]
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
BARS = {"click": 0.12, "first click": 0.25, "new pit": 0.1, "start": 3.0}
"""Seconds, for the median: of clicks, of first clicks and of new pits, and from the command to the page."""
STATE = "JSON.parse(document.querySelector('canvas').dataset.state)"
SEEN = """
() => {
  const canvas = document.querySelector("canvas");
  let began = null;
  window.taken = [];
  const begin = () => { if (began === null) began = performance.now(); };
  addEventListener("mousedown", begin, true);
  addEventListener("keydown", begin, true);
  new MutationObserver(() => requestAnimationFrame(() => {
    if (began !== null) window.taken.push(performance.now() - began);
    began = null;
  })).observe(canvas, { attributes: true, attributeFilter: ["data-frame"] });
}
"""


@dataclass(frozen=True)
class Config:
    """Time clicks in a browser; about a minute."""

    clicks: int = 60
    """Of each kind."""
    starts: int = 5
    """Of the command, each with its first click."""
    browser: Path = CHROMIUM
    """Chromium."""
    quick: bool = False
    """One start, two clicks of each kind, on the smaller page."""


def findings(config: Config) -> Findings:
    mv.require.whole("clicks", config.clicks, least=2)
    mv.require.whole("starts", config.starts, least=1)
    config = replace(config, clicks=2, starts=1) if config.quick else config
    if not config.browser.exists():
        raise MissingError(f"there is no browser at {config.browser}; name one with --browser")
    from playwright.sync_api import sync_playwright

    rows: list[tuple[str, ...]] = [("page", "what", "median", "slowest tenth from", "slowest")]
    found: dict[str, list[float]] = {}
    seconds = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(config.browser), args=FLAGS)
        for scale in (1,) if config.quick else (1, 2):
            page = f"{1000 * scale} × {700 * scale}"
            seconds[page] = timed(browser, config, scale)
            for what, times in seconds[page].items():
                rows.append((page, what, *map(spoken, (median(times), *np.quantile(times, [0.9, 1])))))
                found.setdefault(what, []).append(median(times))
        browser.close()
    worst = {what: max(found[what]) for what in BARS}
    return Findings(
        [Table("", rows)],
        [
            Bar(
                None if config.quick else worst[what] <= bar,
                f"{what}: {spoken(worst[what])}; the bar is {spoken(bar)}",
            )
            for what, bar in BARS.items()
        ],
        f"In the median a click is seen after {spoken(worst['click'])}, the first one after "
        f"{spoken(worst['first click'])}, a new pit after {spoken(worst['new pit'])}; the page is there "
        f"{spoken(worst['start'])} after the command.",
        "A headless browser on the machine of the game, which draws without a graphics card.",
        {"seconds": seconds},
    )


def timed(browser: Any, config: Config, scale: int) -> dict[str, list[float]]:
    """Seconds of everything that is timed, on a page of one size."""
    times: dict[str, list[float]] = {"start": [], "first click": []}
    for start in range(config.starts):
        page = browser.new_page(viewport={"width": 1000, "height": 700}, device_scale_factor=scale)
        began = time.perf_counter()
        with hosted() as address:
            page.goto(address)
            page.wait_for_function(
                "() => document.querySelector('canvas').dataset.frame !== undefined", polling=5
            )
            times["start"].append(time.perf_counter() - began)
            hand = Hand(page, start)
            times["first click"].append(hand.once(hand.click))
            if start == config.starts - 1:
                page.wait_for_timeout(4000)  # until what is computed ahead no longer counts
                times |= hand.played(config.clicks)
        page.close()
    return times


class Hand:
    """What a player does on a page, with the seconds that it takes until it is seen."""

    def __init__(self, page: Any, seed: int):
        page.evaluate(SEEN)
        self._page, self._rng = page, np.random.default_rng(seed)
        self._room = page.locator("canvas").bounding_box()
        self._pit = page.evaluate(f"() => {STATE}.pit")

    def click(self) -> None:
        """Anywhere in the pit."""
        (left, top, right, bottom), (x, y), room = self._pit, self._rng.random(2), self._room
        across, down = left + (right - left) * x, top + (bottom - top) * y
        self._page.mouse.click(room["x"] + across * room["width"], room["y"] + down * room["height"])

    def once(self, act: Callable[[], None]) -> float:
        """Seconds from the mouse button or the key to the repaint."""
        before = self._page.evaluate("() => window.taken.length")
        act()
        self._page.wait_for_function(f"() => window.taken.length > {before}", polling=5)
        self._page.wait_for_timeout(30)  # nobody clicks as fast as that
        return self._page.evaluate("() => window.taken.at(-1)") / 1000

    def played(self, clicks: int) -> dict[str, list[float]]:
        """Clicks in every mode, new pits and ends."""
        times: dict[str, list[float]] = {}
        press = self._page.keyboard.press
        for mode in ("click", "click, by depth alone", "click, automatic", "click, race"):
            times[mode] = []
            while len(times[mode]) < clicks:
                if self._page.evaluate(f"() => {STATE}.over"):
                    self.once(lambda: press("n"))
                times[mode].append(self.once(self.click))
            self.once(lambda: press("m"))
            self._page.wait_for_timeout(300)
        times["new pit"] = [self.once(lambda: press("n")) for _ in range(clicks)]
        times["the end"] = []
        for _ in range(max(2, clicks // 4)):
            times["the end"].append(self.once(lambda: press("r")))
            self.once(lambda: press("n"))
        return times


@contextmanager
def hosted() -> Iterator[str]:
    """The address of a game."""
    with tempfile.TemporaryDirectory() as out:
        code = "from mvcalc_jax.cli import main; main()"
        options = ["sandpit", "--no-browser", "--port", "0", "--out", out]
        process = subprocess.Popen([sys.executable, "-c", code, *options], stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout
            said = process.stdout.readline()
            found = re.search(r"http://\S+/", said)
            if not found:
                raise RuntimeError(f"the sandpit said {said!r}")
            yield found.group()
        finally:
            process.kill()
            process.communicate()


if __name__ == "__main__":
    results.leave(findings, Config)
