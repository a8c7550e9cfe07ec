"""The benchmark of Taylor series at toy size; and that it can miss a bar."""

import numpy as np
import pytest

from benchmarks import catalogue, taylor


@pytest.mark.benchmark
def test_the_first_functions_have_their_digits(capsys, monkeypatch):
    monkeypatch.setattr(taylor, "SPEED", (1, 3))
    monkeypatch.setattr(taylor, "RADII", taylor.RADII[:2])
    monkeypatch.setattr(taylor, "TIMES", np.inf)
    assert taylor.main(taylor.Config(points=1, nested=2, functions=3, boxes=1000)) == 0
    printed = capsys.readouterr().out
    assert "3 functions covered" in printed
    assert "per box" in printed


def test_a_wrong_function_is_noticed(float64):
    entry = catalogue.FUNCTIONS[0]
    assert taylor.judged(entry, 1)[0] > 14
    wrong = entry._replace(f=lambda x: np.float64(1 + 1e-9) * entry.f(x))
    assert taylor.judged(wrong, 1)[0] < 9.5
