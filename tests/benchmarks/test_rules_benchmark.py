"""The benchmark of traced rules: its measure sees what it should."""

import numpy as np
import pytest

from benchmarks import rules


def test_units_in_the_last_place():
    assert rules.ulps((1.0, 2.0), (1.0, 2.0)) == 0
    assert rules.ulps(np.nextafter(1.0, 2), 1.0) == 1
    assert rules.ulps(1.0, np.inf) == np.inf
    assert rules.ulps(np.inf, np.inf) == 0


def test_misuse():
    with pytest.raises(ValueError, match="`functions` must be at least 1"):
        rules.findings(rules.Config(functions=0))
