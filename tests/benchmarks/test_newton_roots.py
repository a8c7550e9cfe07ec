"""The second look at roots: it finds nothing wrong among a few hundred, and can find something wrong."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import roots
from mvcalc_jax.calculus import newton


@pytest.mark.benchmark
def test_nothing_wrong_among_a_few_hundred():
    found = roots.findings(roots.Config(polynomials=300, others=3))
    assert all(bar.held for bar in found.bars)
    assert found.bars[0].words == "0 answers for 300 polynomials are wrong; the bar is 0"


def test_what_is_wrong_is_found(float64):
    c = np.zeros(roots.DEGREE + 1)
    c[:3] = [2.0, -3.0, 1.0]
    p = roots.Polynomial("exact", 1.0, c, np.array([1.0, 2.0]), np.zeros((0, 2)), 4.0)
    found = newton(roots.expanded, p.start, args=p.args)
    assert roots.judged(p, found) == ""
    assert "off by" in roots.judged(p, replace(found, x=2 + 1e-13))
    assert "its error says" in roots.judged(p, replace(found, x=2 + 1e-15, error=1e-17))
    assert "multiplicity" in roots.judged(p, replace(found, multiplicity=2.0))
    assert "no polynomial is DIVERGED" in roots.judged(p, replace(found, status=roots.S.DIVERGED))
    assert "does not close" in roots.judged(p, replace(found, status=roots.S.CYCLE, period=2, x=5.0))
    assert "no minimum" in roots.judged(p, replace(found, status=roots.S.MINIMUM, x=0.5, message=""))
