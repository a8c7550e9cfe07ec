"""Histograms: errors against simulated repeats, what each estimator is known for, open and masked bins, misuse.

A program is compiled for each shape of the data; so most histograms here have 19 bins.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import ndtr

import mvcalc_jax as mv
from mvcalc_jax import compiling
from mvcalc_jax.fitting import histogram
from mvcalc_jax.fitting.result import Status

MEN = mv.data.histogram("galton-men")
EDGES = np.append(MEN.centres - 0.5, MEN.centres[-1] + 0.5)
MEAN, STDDEV = 69.2, 2.57
"""Of heights, about, in inches."""


def shares(edges, mean=MEAN, stddev=STDDEV):
    return np.diff(ndtr((np.asarray(edges) - mean) / stddev))


@pytest.fixture(scope="module")
def repeats():
    """2000 histograms of 1000 people in bins of 2 and of 4 inches, and the fits of each estimator to them."""
    values = np.random.default_rng(1886).normal(MEAN, STDDEV, (2000, 1000))
    return {
        (width, estimator): mv.fit_histogram(
            samples=values, edges=69 + width * np.arange(-10, 11), estimator=estimator
        )
        for width in (2, 4)
        for estimator in histogram.SHAPES
    }


@pytest.mark.slow
def test_the_likelihood_has_no_bias_and_the_least_errors(repeats):
    for width in (2, 4):
        fit = repeats[width, "likelihood"]
        assert fit.success.all()
        of_mean, of_stddev = fit.params[:, 1:].std(axis=0)
        assert abs(fit.params[:, 1].mean() - MEAN) < 4 * of_mean / 2000**0.5
        assert abs(fit.params[:, 2].mean() - STDDEV) < 0.005
        assert repeats[width, "integrated"].params[:, 2].std() > 1.1 * of_stddev
    assert repeats[2, "likelihood"].params[:, 2].std() == pytest.approx(0.059, abs=0.003)
    assert repeats[2, "integrated"].params[:, 2].std() == pytest.approx(0.092, abs=0.005)


def test_midpoints_make_a_peak_too_wide(repeats):
    bias = {width: repeats[width, "midpoint"].params[:, 2].mean() - STDDEV for width in (2, 4)}
    assert bias[2] == pytest.approx(0.055, abs=0.01)
    assert bias[4] == pytest.approx(0.24, abs=0.01)
    for width in (2, 4):
        assert abs(repeats[width, "integrated"].params[:, 2].mean() - STDDEV) < 0.012


def test_standard_errors_are_what_repeats_show(rng):
    """Within 5 %, of which 1.6 % is the repeats' own; the number of people varies, too, as Poisson's does."""
    edges = 69 + 2.0 * np.arange(-10, 11)
    counts = rng.poisson(1000 * shares(edges), (2000, 20))
    for estimator in histogram.SHAPES:
        fit = mv.fit_histogram(counts, edges, estimator=estimator)
        assert fit.success.all()
        claimed = np.sqrt((fit.stderr**2).mean(axis=0))
        np.testing.assert_allclose(claimed, fit.params.std(axis=0), rtol=0.05)


def test_the_optimum_is_scipys_and_the_covariance_the_inverse_information():
    fit = mv.fit_histogram(MEN.counts, EDGES)

    def deviance(theta):
        F = theta[0] * shares(EDGES, *theta[1:])
        y = MEN.counts
        return 2 * np.sum(F - y + np.where(y > 0, y * np.log(np.where(y > 0, y, 1) / F), 0))

    best = minimize(
        deviance, fit.params * 1.01, method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-11}
    )
    np.testing.assert_allclose(fit.params, best.x, rtol=1e-6)
    assert fit.chi2 == pytest.approx(best.fun, rel=1e-10)
    assert fit.dof == 16
    J = np.stack([(shares(EDGES, *(fit.params + d)[1:]) * (fit.params + d)[0]
                   - shares(EDGES, *(fit.params - d)[1:]) * (fit.params - d)[0]) / 2e-5
                  for d in 1e-5 * np.eye(3)])  # fmt: skip
    information = (J / fit.predict(EDGES)) @ J.T
    np.testing.assert_allclose(fit.cov, np.linalg.inv(information), rtol=1e-6, atol=1e-9)


def test_raw_values_are_counted_as_the_data_are(rng):
    values = rng.normal(70, 2.5, 500)
    own = mv.data.histograms.bin_values("own", values, 1.5)
    fit = mv.fit_histogram(samples=values, bin_width=1.5)
    assert fit.dof == len(own.counts) - 3
    assert fit.params[0] == pytest.approx(500, abs=1)
    assert fit.params[1:] == pytest.approx((own.mean, own.stddev), abs=0.15)
    between = mv.fit_histogram(samples=values, edges=EDGES)
    counts = np.histogram(values, EDGES)[0]
    np.testing.assert_array_equal(between.params, mv.fit_histogram(counts, EDGES).params)


def test_open_bins_say_what_lies_beyond():
    """Two bins for both tails are worth a lot; without them the fit must guess what they hold, and says so."""
    edges = np.array([-np.inf, *np.linspace(66.5, 72, 18), np.inf])
    exact = 1000 * shares(edges)
    fit = mv.fit_histogram(exact, edges)
    np.testing.assert_allclose(fit.params, (1000, MEAN, STDDEV), rtol=1e-8)
    np.testing.assert_allclose(fit.predict(edges), exact, rtol=1e-8)
    inner = np.linspace(66.5, 72, 20)
    cut = mv.fit_histogram(1000 * shares(inner), inner)
    np.testing.assert_allclose(cut.params, (1000, MEAN, STDDEV), rtol=1e-7)
    assert cut.stderr[2] > 3 * fit.stderr[2]
    single = mv.fit_histogram(exact.astype("float32"), edges)
    assert single.params.dtype == np.float32
    np.testing.assert_allclose(single.params, (1000, MEAN, STDDEV), rtol=1e-4)


def test_masked_bins_and_missing_counts_tell_nothing():
    exact = 500 * shares(EDGES)
    mask = np.arange(19) != 9
    spoiled = np.where(mask, exact, 1e6)
    spoiled[7] = np.nan
    fit = mv.fit_histogram(spoiled, EDGES, mask=mask, nan_policy="omit")
    np.testing.assert_allclose(fit.params, (500, MEAN, STDDEV), rtol=1e-8)
    assert fit.dof == 19 - 2 - 3


@pytest.mark.parametrize("scale", [1.0, 1e3, 1e9])
def test_noise_free_counts_of_any_size_give_their_peak_back(scale):
    """The deviance is nearly 0 there, a difference of numbers as large as the counts."""
    fit = mv.fit_histogram(scale * shares(EDGES), EDGES)
    assert fit.success
    np.testing.assert_allclose(fit.params, (scale, MEAN, STDDEV), rtol=1e-9)


def test_a_start_from_moments_is_all_but_there():
    fit = mv.fit_histogram(MEN.counts, EDGES)
    assert fit.nit <= 4
    assert fit.params[0] == pytest.approx(481, abs=0.5)


def test_fixed_and_bounded_parameters_stay():
    bounds = ([0, 0, 3.2], np.inf)
    fit = mv.fit_histogram(MEN.counts, EDGES, p0=(481, 70, 2.5), fixed=["mean"], bounds=bounds)
    assert fit.params[1:].tolist() == [70, 3.2]
    assert fit.stderr[0] == pytest.approx(481**0.5, rel=0.02)
    assert fit.stderr[1] == 0
    assert np.isnan(fit.stderr[2])


def test_one_bad_histogram_harms_no_other():
    counts, edges = np.tile(MEN.counts, (6, 1)), np.tile(EDGES, (6, 1))
    counts[1, 4] = -1
    counts[2, 4] = np.nan
    counts[3] = np.where(np.arange(19) < 2, 7, 0)
    edges[4, 3] = edges[4, 2]
    fit = mv.fit_histogram(counts, edges)
    wrong = [Status.BAD_COUNTS, Status.NOT_FINITE, Status.FEW_BINS, Status.BAD_EDGES]
    assert fit.status[1:5].tolist() == wrong
    assert np.isnan(fit.params[1:5]).all()
    assert np.isnan(fit.stderr[1:5]).all()
    assert "1 the edges of the bins must increase" in fit.message
    alone = mv.fit_histogram(MEN.counts, EDGES)
    for k in (0, 5):
        assert fit[k].success
        np.testing.assert_allclose(fit[k].params, alone.params, rtol=1e-10)
        np.testing.assert_allclose(fit[k].cov, alone.cov, rtol=1e-6, atol=1e-9)


def test_batches_of_any_shape(rng):
    means = rng.uniform(66, 72, (2, 3))
    shifts = rng.uniform(-1, 1, (2, 3, 1))
    counts = np.stack(
        [
            [1000 * shares(EDGES + d, m) for m, d in zip(*r, strict=True)]
            for r in zip(means, shifts, strict=True)
        ]
    )
    fit = mv.fit_histogram(counts, EDGES + shifts)
    assert fit.params.shape == (2, 3, 3)
    np.testing.assert_allclose(fit.params[..., 1], means, rtol=1e-8)
    assert fit.predict(EDGES).shape == counts.shape


def test_a_sample_that_is_not_finite_spoils_its_own_histogram_only(rng):
    values = rng.normal(MEAN, STDDEV, (6, 200))
    values[1, 7] = np.inf
    counts, edges = histogram._counted(values, EDGES, None)
    assert np.isnan(counts[1]).all()
    assert np.isfinite(counts[[0, 2, 3, 4, 5]]).all()
    np.testing.assert_array_equal(edges, EDGES)


@pytest.mark.slow
def test_fits_are_differentiated_by_their_counts():
    """All scaled alike, the area is too, and nothing else changes; by a finite difference, each count's own pull."""
    with jax.enable_x64(True), jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):
        counts = jnp.asarray(MEN.counts)
        derived = jax.jacrev(lambda y: mv.fit_histogram(y, EDGES).params)
        J = np.asarray(jax.jit(derived, compiler_options=compiling.quickly())(counts))
    np.testing.assert_allclose(
        J @ MEN.counts, (mv.fit_histogram(MEN.counts, EDGES).params[0], 0, 0), atol=1e-8
    )
    bump = 1e-3 * np.eye(19)[[4, 9]]
    up, down = (mv.fit_histogram(MEN.counts + d, EDGES).params for d in (bump, -bump))
    np.testing.assert_allclose(J[:, [4, 9]].T, (up - down) / 2e-3, rtol=1e-5, atol=1e-8)


@pytest.mark.slow
def test_two_peaks_are_told_apart():
    exact = 600 * shares(EDGES, 64, 1.5) + 400 * shares(EDGES, 71, 2)
    fit = mv.fit_histogram(exact, EDGES, peaks=2, p0=(500, 63, 2, 500, 72, 2))
    assert fit.names == ("area1", "mean1", "stddev1", "area2", "mean2", "stddev2")
    np.testing.assert_allclose(fit.params, (600, 64, 1.5, 400, 71, 2), rtol=1e-7)
    np.testing.assert_allclose(fit.predict(EDGES), exact, rtol=1e-7)


GOOD = [1, 5, 9, 5, 1]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"counts": None}, ValueError, "give either `counts` with their `edges`, or `samples`"),
        ({"samples": [1.0, 2, 3]}, ValueError, "give either `counts` with their `edges`, or `samples`"),
        ({"edges": None}, ValueError, "`edges` are needed with counts"),
        ({"edges": range(5)}, ValueError, r"one value more than counts .* got shapes \(5,\) and \(5,\)"),
        ({"edges": [0, 1, 1, 2, 3, 4]}, ValueError, "`edges` must increase; got 1 after 1 at index 2"),
        ({"edges": [0, 1, np.nan, 2, 3, 4]}, ValueError, "`edges` must increase; got nan after 1 at index 2"),
        ({"counts": [1, 5, -9, 5, 1]}, ValueError, "`counts` must not be negative; got -9 at index 2"),
        ({"counts": [1, 5, np.nan, 5, 1]}, ValueError, "`counts` must be finite; got nan at index 2"),
        ({"counts": [0, 5, 9, 0, 0]}, ValueError, "at least 3 bins must hold something, .* got 2"),
        ({"counts": ["a"] * 5}, TypeError, "`counts` must hold real numbers"),
        ({"estimator": "midpint"}, ValueError, "did you mean 'midpoint'"),
        ({"estimator": "midpoint", "edges": [-np.inf, *range(5)]}, ValueError, "`edges` must be finite for the"),
        ({"bin_width": 1.0}, ValueError, "`bin_width` is for samples"),
        ({"fixed": ["mean"]}, ValueError, "`p0` is needed where a parameter is fixed"),
        ({"peaks": 2}, ValueError, "`p0` is needed for 2 peaks; give area1, mean1"),
        ({"p0": (1, 2, 0)}, ValueError, "p0's stddev must be positive"),
        ({"p0": (1, 2)}, ValueError, "`p0` must have 3 values"),
        ({"counts": None, "edges": None, "samples": [[1.0, np.nan]]}, ValueError, "`samples` must be finite"),
        ({"counts": None, "samples": [1.0], "edges": [3, 2, 1]}, ValueError, "`edges` of samples must be incr"),
        ({"counts": None, "edges": None, "samples": [1.0, 1, 2]}, ValueError, "at least 3 bins must hold"),
    ],
    ids=str,
)  # fmt: skip
def test_misuse_is_said(change, error, message):
    with pytest.raises(error, match=message):
        mv.fit_histogram(**({"counts": GOOD, "edges": range(6)} | change))


def test_samples_cannot_be_counted_inside_jit():
    with pytest.raises(TypeError, match="`samples` cannot be counted inside jit"):
        jax.jit(lambda v: mv.fit_histogram(samples=v).params)(jnp.arange(5.0))


def test_amplitude_follows_from_the_area():
    """Bins of an inch are narrow beside the peak: the fullest holds its amplitude, but for what the bin smooths."""
    fit = mv.fit_histogram(MEN.counts, EDGES)
    area, mean, stddev = fit.params
    fullest = fit.predict(mean + np.array([-0.5, 0.5]))[0]
    assert area * 1.0 / (stddev * math.sqrt(2 * math.pi)) == pytest.approx(fullest, rel=0.007)
