"""Cases of a kind, few of which run with every test."""

from collections.abc import Iterable

import pytest


def long(*case, id=None):
    """A case that others stand for: it runs with `-m long`."""
    return pytest.param(*case, id=id, marks=pytest.mark.long)


def few(cases: Iterable[str], *standing: str) -> list:
    """Names of cases to parametrize a test by: those that stand for the others as they are, these with `-m long`."""
    cases = list(cases)
    assert set(standing) <= set(cases)
    return [name if name in standing else long(name) for name in cases]
