"""The benchmark of extrema on constraints: it passes at toy size, and it can fail."""

import numpy as np
import pytest

from benchmarks import constrained
from mvcalc_jax import command

pytestmark = pytest.mark.benchmark


def test_a_wrong_answer_is_noticed(rng):
    case = constrained.budget(rng)
    row, bad = constrained.judged([case])
    assert row[:5] == ("1", "1", "0", "0", "0")
    assert not bad
    for wrong in (
        case._replace(kinds=-case.kinds),
        case._replace(points=1.01 * case.points),
        case._replace(points=case.points * (1 + 1e-8)),
        case._replace(points=np.concatenate([case.points, 0.5 * case.points]), kinds=np.array([-1, 1])),
    ):
        assert constrained.judged([wrong])[1]


def test_it_runs_at_toy_size(capsys):
    assert constrained.main(constrained.Config(problems=2)) == command.DONE
    assert "all found, judged and priced rightly" in capsys.readouterr().out
