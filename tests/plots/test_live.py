"""The live picture, in a real browser: the page shows the drawing, and it changes while the network learns."""

import re
import subprocess
import sys

import numpy as np
import pytest

from tests.test_command import ROOT


@pytest.mark.slow
def test_page_shows_learning_and_keeps_the_last_picture(browser, tmp_path):
    arguments = [
        "--live",
        "--no-browser",
        "--steps",
        "4000",
        "--race",
        "--out",
        str(tmp_path),
        "--port",
        "8997",
    ]
    command = [sys.executable, "-m", "experiments.draw_curve", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        address = re.search(r"http://127\.0\.0\.1:8997/", process.stdout.readline())
        assert address
        page = browser.new_page(viewport={"width": 640, "height": 720})
        page.goto(address.group())
        page.wait_for_selector("canvas")
        shots = {page.screenshot()}
        while process.poll() is None and len(shots) == 1:  # on a busy machine it may take its time
            page.wait_for_timeout(300)
            shots.add(page.screenshot())
        out, err = process.communicate(timeout=60)
        shots.add(page.screenshot(path=str(tmp_path / "last.png")))
        last = pixels(tmp_path / "last.png")
    finally:
        process.kill()
    assert process.returncode == 0, err
    assert "drawing.png" in out
    assert len(shots) > 1, "the picture never changed"
    assert red(last) > 200, "the network's curve is not on the page"


def pixels(path):
    from PIL import Image

    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def red(image):
    """How many pixels have the colour of the network's attempt."""
    return int(np.sum(np.abs(image - (209, 73, 91)).sum(axis=2) < 30))
