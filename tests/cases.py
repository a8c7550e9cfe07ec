"""Cases of a kind, few of which run with every test."""

from collections.abc import Iterable

import pytest


def few(cases: Iterable[str], *standing: str) -> list:
    """Names of cases to parametrize a test by: those that stand for the others as they are, these with `-m long`."""
    cases = list(cases)
    assert set(standing) <= set(cases)
    return [name if name in standing else pytest.param(name, marks=pytest.mark.long) for name in cases]
