"""What goes wrong in the search for causes is raised here, and not reported."""

import pytest


@pytest.fixture(autouse=True)
def _nothing_swallowed(monkeypatch):
    monkeypatch.setattr("mvcalc_jax.verify.trial.DEBUG", True)
