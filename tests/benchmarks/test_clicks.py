"""The benchmark of clicks in a browser: it runs at toy size, and says so where there is no browser."""

from pathlib import Path

import pytest

from benchmarks import clicks
from tests.conftest import CHROMIUM


def test_without_a_browser_there_is_a_sentence():
    with pytest.raises(ValueError, match="no browser at nowhere; name one with --browser"):
        clicks.main(clicks.Config(browser=Path("nowhere")))


@pytest.mark.benchmark
@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}: install Debian's chromium")
def test_clicks_are_timed_in_every_mode(capsys):
    clicks.main(clicks.Config(clicks=2, starts=1))  # what is held depends on who else uses the machine
    said = capsys.readouterr().out
    for what in ("start", "first click", "click", "click, automatic", "click, race", "new pit", "the end"):
        assert said.count(f"| {what} |") == 2
    assert said.count("held: ") + said.count("HELD: ") == 4
