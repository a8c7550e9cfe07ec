"""The second look at fits: it tells minima from other points, and finds no false "converged"."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import batches, hostile
from mvcalc_jax import autodiff
from tests.cases import few

PEAKS, DECAYS = hostile.LAWS


@pytest.mark.parametrize(
    ("law", "f"), [(PEAKS, batches.GAUSSIAN.f), (DECAYS, batches.DECAY.f)], ids=["peaks", "decays"]
)
def test_derivatives_are_autodiffs(law, f, rng, float64):
    θ, x = rng.uniform(0.5, 1.5, (4, 3)), np.linspace(-1, 2, 7)
    values, first, second = law.derivatives(θ[..., None], x)
    for k, point in enumerate(θ):
        value = lambda p: f(x, *p)
        np.testing.assert_allclose(values[k], value(point), rtol=1e-12)
        J, H = (of(value)(point) for of in (autodiff.jacobian, autodiff.hessian))
        np.testing.assert_allclose(np.stack([c[k] for c in first], axis=-1), J, rtol=1e-10, atol=1e-12)
        for i in range(3):
            for j in range(i + 1):
                entry = second[i, j][k] if (i, j) in second else 0 * x
                np.testing.assert_allclose(entry, H[:, i, j], rtol=1e-9, atol=1e-11)


@pytest.mark.benchmark
@pytest.mark.parametrize("law", hostile.LAWS, ids=lambda law: law.name)
def test_a_point_beside_the_minimum_is_not_called_one(law, rng):
    curves = law.curves(200, rng)
    fit = hostile.fitted(law, curves)
    assert hostile.stationary(law, curves, fit)[fit.success].all()
    aside = replace(fit, params=fit.params + 0.05 * fit.stderr)
    assert not hostile.stationary(law, curves, aside)[fit.success & (fit.redchi2 > 1e-20)].any()


@pytest.mark.benchmark
@pytest.mark.parametrize("precision", few(["float64", "float32"], "float64"))
def test_nothing_false_among_a_few_hundred(precision):
    found = hostile.findings(hostile.Config(fits=1000, precision=precision))
    assert [bar.held for bar in found.bars] == [True, True]
    assert found.bars[0].words.startswith("0 of 1\u202f000 fits")


def test_misuse_is_said():
    with pytest.raises(ValueError, match="`fits` must be"):
        hostile.findings(hostile.Config(fits=0))
    with pytest.raises(ValueError, match="unknown precision 'half'"):
        hostile.findings(hostile.Config(precision="half"))
