"""fit_gaussian: every kind of peak, its own starts, and what it says of data that hold none."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mvcalc_jax as mv
from mvcalc_jax.fitting.gaussian import MODELS
from mvcalc_jax.fitting.result import Status
from tests.cases import long

RNG = np.random.default_rng(3)
X = np.linspace(-5.0, 5.0, 32)


@pytest.fixture(autouse=True)
def _from_the_beginning():
    """The random numbers of a test do not depend on which others run."""
    RNG.bit_generator.state = np.random.default_rng(3).bit_generator.state


def peak(x, A, m, s):
    return A * np.exp(-((x - m) ** 2) / (2 * s**2))


def random_peaks(many, x=X):
    A, m, s = 10 ** RNG.uniform(-2, 3, many), RNG.uniform(-2, 2, many), RNG.uniform(0.5, 2, many)
    return np.stack([A, m, s], axis=1), peak(x, A[:, None], m[:, None], s[:, None])


@pytest.mark.slow
def test_it_agrees_with_curve_fit_of_the_same_model():
    theta, y = random_peaks(50)
    y += 0.05 * theta[:, :1] * RNG.normal(size=y.shape)
    mine = mv.fit_gaussian(X, y)
    generic = mv.curve_fit(lambda x, A, m, s: A * jnp.exp(-((x - m) ** 2) / (2 * s**2)), X, y, theta)
    assert mine.names == ("amplitude", "mean", "stddev") and mine.success.all() and generic.success.all()
    np.testing.assert_allclose(mine.params, generic.params, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(mine.cov, generic.cov, rtol=1e-6, atol=1e-12 * theta[:, 0].max() ** 2)
    np.testing.assert_allclose(mine.chi2, generic.chi2, rtol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_peaks_without_noise_are_found_to_the_last_digits(dtype):
    theta, y = random_peaks(250)
    fit = mv.fit_gaussian(X.astype(dtype), y.astype(dtype))
    assert fit.success.all() and fit.params.dtype == dtype
    tolerance = {np.float32: 3e-5, np.float64: 1e-11}[dtype]
    np.testing.assert_allclose(fit.params[:, [0, 2]], theta[:, [0, 2]], rtol=tolerance)
    np.testing.assert_allclose(fit.params[:, 1], theta[:, 1], atol=tolerance)


@pytest.mark.slow
def test_area_and_amplitude_are_the_same_fit_in_other_words():
    theta, y = random_peaks(20)
    y += 0.05 * theta[:, :1] * RNG.normal(size=y.shape)
    height, area = mv.fit_gaussian(X, y), mv.fit_gaussian(X, y, model="area")
    np.testing.assert_allclose(area.params[:, 1:], height.params[:, 1:], rtol=1e-8, atol=1e-8)
    A, s = height.params[:, 0], height.params[:, 2]
    np.testing.assert_allclose(area.params[:, 0], A * s * np.sqrt(2 * np.pi), rtol=1e-8)
    into = np.stack([s, 0 * s, A], axis=1) * np.sqrt(2 * np.pi)  # ∂area/∂(A, m, s)
    np.testing.assert_allclose(
        area.cov[:, 0, 0], np.einsum("bi,bij,bj->b", into, height.cov, into), rtol=1e-6
    )


def test_a_peak_on_an_offset_up_or_down():
    theta, y = random_peaks(100)
    sign = np.where(RNG.random(100) < 0.5, -1, 1)[:, None]
    fit = mv.fit_gaussian(X, sign * y + 7 * theta[:, :1], model="offset")
    assert fit.success.all()
    np.testing.assert_allclose(fit.params[:, 0], sign[:, 0] * theta[:, 0], rtol=1e-8)
    np.testing.assert_allclose(fit.params[:, 3], 7 * theta[:, 0], rtol=1e-8)


@pytest.mark.slow
def test_two_peaks_from_a_start():
    y = peak(X, 2, -2, 0.8) + peak(X, 1, 1.5, 1.2)
    fit = mv.fit_gaussian(X, y, peaks=2, p0=[1, -1, 1, 1, 2, 1])
    assert fit.names[3:] == ("amplitude2", "mean2", "stddev2")
    np.testing.assert_allclose(fit.params, [2, -2, 0.8, 1, 1.5, 1.2], rtol=1e-9)


@pytest.mark.parametrize(
    ("model", "widths"),
    [long("2d", (1.1, 1.1)), ("2d-oval", (0.9, 1.4))],
)
@pytest.mark.slow
def test_images_are_fitted_in_pixels(model, widths):
    rows, columns = np.mgrid[:9, :11]
    m, n = 4 + RNG.random(30), 3 + RNG.random(30)
    u, v = (columns - m[:, None, None]) / widths[0], (rows - n[:, None, None]) / widths[1]
    images = 50 * np.exp(-(u**2 + v**2) / 2) + 10
    fit = mv.fit_gaussian(None, images, model=model)
    assert fit.success.all()
    np.testing.assert_allclose(fit.params[:, 1:3], np.stack([m, n], axis=1), rtol=1e-9)
    np.testing.assert_allclose(fit.params[:, 3:-1], [widths[: 1 if model == "2d" else 2]] * 30, rtol=1e-9)
    points = np.stack([columns.ravel(), rows.ravel()])
    again = mv.fit_gaussian(points, images.reshape(30, -1), model=model)
    np.testing.assert_array_equal(fit.params, again.params)


@pytest.mark.parametrize("scale", [1e-15, 1.0, 1e15])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.slow
def test_scales_of_x_and_y_do_not_matter(scale, dtype):
    theta, y = random_peaks(20)
    y = y / theta[:, :1]
    tall = mv.fit_gaussian(X.astype(dtype), (y * scale).astype(dtype))
    wide = mv.fit_gaussian((X * scale).astype(dtype), y.astype(dtype))
    assert tall.success.all() and wide.success.all()
    np.testing.assert_allclose(tall.params[:, 0], scale, rtol=1e-4)
    np.testing.assert_allclose(wide.params[:, 2], scale * theta[:, 2], rtol=1e-4)


@pytest.mark.slow
def test_weights_masks_bounds_and_fixed_parameters():
    theta, y = random_peaks(1)
    y = y[0] / theta[0, 0] + 0.02 * RNG.normal(size=32)
    masks = RNG.permuted(np.arange(32) >= np.full((40, 1), 3), axis=1)
    spoilt, mask = np.where(masks, y, 1e3), masks[0]
    masked = mv.fit_gaussian(X, spoilt, mask=masks)
    np.testing.assert_allclose(masked.params[0], mv.fit_gaussian(X[mask], y[mask]).params, rtol=1e-8)
    loud = mv.fit_gaussian(X, spoilt, sigma=np.where(masks, 0.02, 1e9))  # from a start that they do not spoil
    assert loud.success.all()
    np.testing.assert_allclose(loud.params, masked.params, rtol=1e-6)
    bounds = (-np.inf, [np.inf, np.inf, 0.4])
    narrow = mv.fit_gaussian(X, y, p0=[1, theta[0, 1], 1], fixed=["mean"], bounds=bounds)
    assert narrow.params[2] == 0.4 and narrow.success
    assert narrow.params[1] == theta[0, 1] and narrow.dof == 30
    robust = mv.fit_gaussian(X, np.where(abs(X) > 4.6, 5, y), loss="cauchy", f_scale=0.02)
    np.testing.assert_allclose(robust.params, masked.params[0], atol=0.05)


@pytest.mark.parametrize("model", [long("amplitude"), "offset"])
@pytest.mark.slow
def test_data_without_a_peak_have_a_status_and_no_error_bars(model):
    y = np.zeros((6, 32))
    y[1] = 3
    y[2] = X
    y[3, 10] = np.nan
    y[4] = peak(X, 1, 12, 3)
    y[5] = peak(X, 1, 0, 1)
    fit = mv.fit_gaussian(X, y, model=model)
    assert not fit.success[[0, 1, 3, 4]].any() and fit.success[5]  # a slope has a best peak, too
    assert fit.status[0] == Status.DEGENERATE and fit.status[3] == Status.NOT_FINITE
    assert np.isnan(fit.stderr[fit.status < 0]).all()


def test_two_points_are_too_few():
    assert mv.fit_gaussian(X[:2], peak(X[:2], 1, 0, 1)).status == Status.TOO_FEW_POINTS


@pytest.mark.slow
def test_standard_errors_are_the_spread_of_simulated_repeats():
    rng = np.random.default_rng(4)
    for model in ("amplitude", "area", "offset"):
        y = peak(X, 2, 0.3, 1.1) + 0.05 * rng.normal(size=(2000, 32))
        fit = mv.fit_gaussian(X, y, model=model)
        np.testing.assert_allclose(fit.params.std(axis=0), np.median(fit.stderr, axis=0), rtol=0.05)


@pytest.mark.parametrize(
    ("args", "options", "words"),
    [
        ((X, X), {"model": "lorentz"}, "unknown model 'lorentz'"),
        ((X, X), {"peaks": 2}, "`p0` is needed for 2 peaks"),
        ((X, X), {"peaks": 0}, "`peaks` must be at least 1"),
        ((X, X), {"peaks": 2, "model": "2d"}, "`peaks` must be 1 in a plane"),
        ((None, X), {}, "`x` is needed"),
        ((None, X), {"model": "2d"}, "`y` must be images"),
        ((X, X), {"model": "2d"}, "`xdata`|`x` must be"),
        ((X, X), {"p0": [1, 0, -1]}, "p0's stddev must be positive"),
        ((X, X), {"fixed": ["mean"]}, "`p0` is needed where a parameter is fixed"),
        ((X, X), {"fixed": np.array([0, 1])}, "`p0` is needed where a parameter is fixed|Type-check"),
        ((X, X[:5]), {}, "`xdata` must have the 5 points"),
    ],
)
def test_misuse_is_one_clear_error(args, options, words):
    with pytest.raises((ValueError, TypeError), match=words):
        mv.fit_gaussian(*args, **options)


def test_every_model_has_a_name_and_a_start():
    for model in MODELS:
        assert mv.fitting.gaussian.family_of(model).names
        assert callable(mv.fitting.gaussian.automatic(model))


def test_of_a_fit_only_numbers_are_asked(unchecked):
    x = np.linspace(-2, 2, 9)
    fit = mv.fit_gaussian(x, np.exp(-(x**2)))
    for wrong in ("a", None, jax.random.key(0), jax.ShapeDtypeStruct((2,), "float32")):
        with pytest.raises(TypeError, match=r"`x` must hold (real )?numbers"):
            fit.predict(wrong)
        with pytest.raises(TypeError, match="`level` must be a single number"):
            fit.confidence_interval(wrong)


@pytest.mark.parametrize("name", ["x", "y", "sigma", "mask", "p0"])
@pytest.mark.parametrize(
    "value",
    [[[1.0], [1.0, 2.0]], jax.random.key(0), np.ma.masked_array(np.ones(9), True)],
    ids=["ragged", "key", "masked"],
)
def test_what_is_no_array_is_said_and_nothing_masked_is_counted(name, value, unchecked):
    x = np.linspace(-2, 2, 9)
    given = {"x": x, "y": np.exp(-(x**2))} | {name: value}
    said = "must be an array, all rows|must hold (real )?numbers|without a mask"
    with pytest.raises((TypeError, ValueError), match=said):
        mv.fit_gaussian(**given)


def test_points_of_the_other_order_of_bytes_are_the_same():
    x = np.linspace(-2, 2, 9)
    y = np.exp(-(x**2))
    np.testing.assert_array_equal(
        mv.fit_gaussian(x.astype(">f8"), y.astype(">f8")).params, mv.fit_gaussian(x, y).params
    )
