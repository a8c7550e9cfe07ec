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
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import mvcalc_jax as mv
from benchmarks.harness import setting, spoken
from mvcalc_jax import command

QUESTION = (__doc__ or "").partition("\n")[0]
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
BARS = {"click": 0.12, "first click": 0.25, "new pit": 0.1, "start": 3.0}
"""Seconds: for the median of clicks and of new pits, for the first click of all, and from the command to the page."""
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
    """Time clicks in a browser; about a minute. --debug shows where an error comes from."""

    clicks: int = 60
    """Of each kind."""
    browser: Path = CHROMIUM
    """Chromium."""


def main(config: Config) -> int:
    mv.require.whole("clicks", config.clicks, least=2)
    if not config.browser.exists():
        raise ValueError(f"there is no browser at {config.browser}; name one with --browser")
    from playwright.sync_api import sync_playwright

    with mv.devices.computing("cpu") as device:
        print(f"{QUESTION}\n{setting(device)}\n")
    rows: list[tuple[str, ...]] = [("page", "what", "median", "slowest tenth from", "slowest")]
    found: dict[str, list[float]] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(config.browser), args=FLAGS)
        for scale in (1, 2):
            for what, times in timed(browser, config.clicks, scale).items():
                tenth, slowest = np.quantile(times, [0.9, 1])
                rows.append(
                    (f"{1000 * scale} × {700 * scale}", what, *map(spoken, (median(times), tenth, slowest)))
                )
                found.setdefault(what, []).append(median(times))
        browser.close()
    print(mv.text.markdown(rows))
    held = {what: max(found[what]) <= bar for what, bar in BARS.items()}
    for what, bar in BARS.items():
        print(
            f"{'held' if held[what] else 'NOT HELD'}: {what} {spoken(max(found[what]))}; the bar is {spoken(bar)}"
        )
    return command.DONE if all(held.values()) else command.FAILED


def timed(browser: Any, clicks: int, scale: int) -> dict[str, list[float]]:
    """Seconds of everything that is timed, on a page of one size."""
    rng, times = np.random.default_rng(0), {}
    page = browser.new_page(viewport={"width": 1000, "height": 700}, device_scale_factor=scale)
    began = time.perf_counter()
    with hosted() as address:
        page.goto(address)
        page.wait_for_function(
            "() => document.querySelector('canvas').dataset.frame !== undefined", polling=5
        )
        times["start"] = [time.perf_counter() - began]
        page.evaluate(SEEN)
        room, told = (
            page.locator("canvas").bounding_box(),
            "JSON.parse(document.querySelector('canvas').dataset.state)",
        )
        left, top, right, bottom = page.evaluate(f"() => {told}.pit")

        def click() -> None:
            x, y = rng.random(2)
            across, down = left + (right - left) * x, top + (bottom - top) * y
            page.mouse.click(room["x"] + across * room["width"], room["y"] + down * room["height"])

        def once(act: Callable[[], None]) -> float:
            before = page.evaluate("() => window.taken.length")
            act()
            page.wait_for_function(f"() => window.taken.length > {before}", polling=5)
            page.wait_for_timeout(30)  # nobody clicks as fast as that
            return page.evaluate("() => window.taken.at(-1)") / 1000

        press = page.keyboard.press
        times["first click"] = [once(click)]
        page.wait_for_timeout(4000)
        for mode in ("click", "click, by depth alone", "click, automatic", "click, race"):
            taken = []
            while len(taken) < clicks:
                if page.evaluate(f"() => {told}.over"):
                    press("n")
                    page.wait_for_timeout(100)
                taken.append(once(click))
            times[mode] = taken
            press("m")
            page.wait_for_timeout(300)
        times["new pit"] = [once(lambda: press("n")) for _ in range(clicks)]
        times["the end"] = []
        for _ in range(max(2, clicks // 4)):
            times["the end"].append(once(lambda: press("r")))
            once(lambda: press("n"))
        page.close()
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
    command.leave(command.run(main, Config, prog="python -m benchmarks.clicks"))
