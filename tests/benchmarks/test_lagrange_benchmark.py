"""The benchmark of extrema on constraints: it passes at toy size, and it can fail."""

import numpy as np
import pytest

from benchmarks import constrained

pytestmark = pytest.mark.benchmark


def test_a_wrong_answer_is_noticed(rng):
    case = constrained.budget(rng)
    found = constrained.judged([case])
    assert found.row[:5] == ("1", "1", "0", "0", "0")
    assert not found.bad
    for wrong in (
        case._replace(kinds=-case.kinds),
        case._replace(points=1.01 * case.points),
        case._replace(points=case.points * (1 + 1e-8)),
        case._replace(points=np.concatenate([case.points, 0.5 * case.points]), kinds=np.array([-1, 1])),
    ):
        assert constrained.judged([wrong]).bad


def test_two_problems_of_each_kind():
    assert all(bar.held for bar in constrained.findings(constrained.Config(problems=2)).bars)
