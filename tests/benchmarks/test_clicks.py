"""The benchmark of clicks in a browser says so where there is none."""

from pathlib import Path

import pytest

from benchmarks import clicks
from benchmarks.results import MissingError


def test_without_a_browser_there_is_a_sentence():
    with pytest.raises(MissingError, match="no browser at nowhere; name one with --browser"):
        clicks.findings(clicks.Config(browser=Path("nowhere")))
