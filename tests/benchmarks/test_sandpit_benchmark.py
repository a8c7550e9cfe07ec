"""The benchmark of the sandpit: at toy size it holds its bars, and it can fail to."""

import numpy as np
import pytest

from benchmarks import sandpit
from mvcalc_jax.sandpit import FLOORS, floor


@pytest.mark.benchmark
def test_a_few_pits_of_every_family_and_a_small_contest():
    found = sandpit.findings(sandpit.Config(pits=3, seeds=5))
    assert found.bars[2].held  # the others are times
    assert [row[0] for row in found.tables[0].rows[1:]] == list(FLOORS)
    assert "trust-region" in [row[0] for row in found.tables[1].rows]


def test_other_minima_elsewhere_are_seen(monkeypatch):
    def told(shift):
        pits = {name: [(floor(name, seed).minima + shift).tolist() for seed in range(2)] for name in FLOORS}
        return sandpit.json.dumps(pits)

    monkeypatch.setattr(sandpit, "_run", lambda *_, **__: told(0))
    assert sandpit.elsewhere(2, FLOORS) == 0
    monkeypatch.setattr(sandpit, "_run", lambda *_, **__: told(1e-5))
    np.testing.assert_allclose(sandpit.elsewhere(2, FLOORS), 1e-5)
    monkeypatch.setattr(sandpit, "_run", lambda *_, **__: '{"random": [[[1, 1]]]}')
    assert sandpit.elsewhere(1, FLOORS) == np.inf
