"""The benchmark of Taylor series at toy size; and that it can miss a bar."""

import numpy as np

from benchmarks import catalogue, taylor


def test_a_bar_can_be_missed(float64, monkeypatch):
    few = taylor.Config(points=1, functions=2)
    assert [bar.held for bar in taylor.digits(few).bars] == [True, None, True]
    monkeypatch.setattr(taylor, "DIGITS", 17)
    assert [bar.held for bar in taylor.digits(few).bars] == [False, None, True]


def test_a_wrong_function_is_noticed(float64):
    entry = catalogue.FUNCTIONS[0]
    assert taylor.judged(entry, 1)[0] > 14
    wrong = entry._replace(f=lambda x: np.float64(1 + 1e-9) * entry.f(x))
    assert taylor.judged(wrong, 1)[0] < 9.5
