"""What goes wrong in the search for causes is raised here, and not reported; and a way to do without it."""

import pytest


@pytest.fixture(autouse=True)
def _nothing_swallowed(monkeypatch):
    monkeypatch.setattr("mvcalc_jax.verify.trial.DEBUG", True)


@pytest.fixture
def unexplained(monkeypatch):
    """No causes are sought, which takes longer than the verdict: for tests that look at verdicts alone."""
    monkeypatch.setattr("mvcalc_jax.verify.trial.diagnosed", lambda *_: ())
