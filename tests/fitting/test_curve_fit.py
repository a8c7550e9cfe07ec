"""curve_fit against SciPy, against NIST, and against itself one by one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

import mvcalc_jax as mv
from benchmarks.strd import nonlinear
from mvcalc_jax import compiling
from mvcalc_jax.fitting.result import Status
from tests.cases import few, long

X = np.linspace(0.0, 4.0, 40)
RNG = np.random.default_rng(5)
Y = 2.5 * np.exp(-1.3 * X) + 0.5 + 0.05 * RNG.normal(size=(6, 40))
START = [1.0, 1.0, 1.0]


def decay(x, a, b, c):
    return a * jnp.exp(-b * x) + c


def decay_jacobian(x, a, b, c):
    e = jnp.exp(-b * x)
    return jnp.stack([e, -a * x * e, jnp.ones_like(x)], axis=-1)


def in_numpy(x, a, b, c):
    return a * np.exp(-b * x) + c


def scipys(y, **options):
    return scipy.optimize.curve_fit(in_numpy, X, y, START, xtol=1e-14, ftol=1e-14, gtol=1e-14, **options)


@pytest.fixture(scope="module")
def batch():
    return mv.curve_fit(decay, X, Y, START)


def test_a_batch_agrees_with_scipy_fit_by_fit(batch):
    assert batch.success.all() and batch.params.dtype == np.float64
    for k, y in enumerate(Y):
        params, cov = scipys(y)
        np.testing.assert_allclose(batch.params[k], params, rtol=1e-6)
        np.testing.assert_allclose(batch.cov[k], cov, rtol=1e-3)
        assert batch.chi2[k] == pytest.approx(np.sum((in_numpy(X, *params) - y) ** 2), rel=1e-10)
    assert (batch.dof == 37).all()


def test_it_unpacks_as_scipys_does_and_one_equals_its_place_in_a_batch(batch):
    popt, pcov = mv.curve_fit(decay, X, Y[2], START)
    np.testing.assert_allclose(popt, batch.params[2], rtol=1e-12)
    np.testing.assert_allclose(pcov, batch.cov[2], rtol=1e-9)


@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.slow
def test_sigma_means_what_it_does_for_scipy(absolute):
    sigma = 0.02 + 0.05 * RNG.random(40)
    fit = mv.curve_fit(decay, X, Y[0], START, sigma, absolute)
    params, cov = scipys(Y[0], sigma=sigma, absolute_sigma=absolute)
    np.testing.assert_allclose(fit.params, params, rtol=1e-6)
    np.testing.assert_allclose(fit.cov, cov, rtol=1e-3)


def test_a_covariance_of_the_data_means_what_it_does_for_scipy():
    covariance = 0.05**2 * (0.6 ** np.abs(np.subtract.outer(np.arange(40), np.arange(40))))
    fit = mv.curve_fit(decay, X, Y[0], START, covariance, True)
    params, cov = scipys(Y[0], sigma=covariance, absolute_sigma=True)
    np.testing.assert_allclose(fit.params, params, rtol=1e-5)
    np.testing.assert_allclose(fit.cov, cov, rtol=1e-2)


@pytest.mark.parametrize("method", few(["gauss-newton", "newton", "steepest"], "gauss-newton"))
@pytest.mark.slow
def test_every_rung_of_the_ladder_ends_at_the_same_minimum(batch, method):
    fit = mv.curve_fit(decay, X, Y[:2], START, method=method)
    assert fit.success.all()
    np.testing.assert_allclose(fit.params, batch.params[:2], rtol=1e-9)


@pytest.mark.parametrize("loss", few(["soft_l1", "huber", "cauchy"], "huber"))
@pytest.mark.slow
def test_robust_losses_agree_with_scipy_and_resist_an_outlier(loss):
    y = Y[0].copy()
    y[5] += 3
    fit = mv.curve_fit(decay, X, y, START, loss=loss, f_scale=0.05)
    params, _ = scipys(y, method="trf", loss=loss, f_scale=0.05, max_nfev=10000)
    assert fit.success
    np.testing.assert_allclose(fit.params, params, rtol=1e-5)
    assert abs(fit.params[0] - 2.5) < 0.2 < abs(mv.curve_fit(decay, X, y, START).params[0] - 2.5)


def test_bounds_hold_a_parameter_and_say_so():
    bounds = ([0.0, 0.0, 0.55], [5.0, 5.0, 9.0])
    fit = mv.curve_fit(decay, X, Y[0], START, bounds=bounds)
    params, _ = scipys(Y[0], bounds=bounds)
    assert fit.success and fit.params[2] == 0.55
    np.testing.assert_allclose(fit.params, params, rtol=1e-5)
    assert np.isnan(fit.stderr[2]) and np.isfinite(fit.stderr[:2]).all()


@pytest.mark.slow
def test_a_fixed_parameter_stays_and_frees_a_degree():
    fit = mv.curve_fit(decay, X, Y[0], [1.0, 1.0, 0.5], fixed=["c"])
    two = mv.curve_fit(lambda x, a, b: decay(x, a, b, 0.5), X, Y[0])
    assert fit.params[2] == 0.5 and fit.stderr[2] == 0 and fit.dof == 38
    np.testing.assert_allclose(fit.params[:2], two.params, rtol=1e-10)
    np.testing.assert_allclose(fit.stderr[:2], two.stderr, rtol=1e-9)


@pytest.mark.slow
def test_masked_points_and_omitted_nans_are_as_if_they_were_not_there():
    mask = RNG.random((6, 40)) > 0.2
    holes = np.where(mask, Y, np.nan)
    masked = mv.curve_fit(decay, X, Y, START, mask=mask)
    omitted = mv.curve_fit(decay, X, holes, START, nan_policy="omit")
    np.testing.assert_allclose(masked.params, omitted.params, rtol=1e-12)
    alone = mv.curve_fit(decay, X[mask[3]], Y[3][mask[3]], START)
    np.testing.assert_allclose(masked.params[3], alone.params, rtol=1e-10)
    assert masked.dof[3] == alone.dof
    assert (mv.curve_fit(decay, X, holes, START).status == Status.NOT_FINITE).all()


def test_a_jacobian_by_hand_gives_the_same_and_a_wrong_one_is_found(batch):
    fit = mv.curve_fit(decay, X, Y[:2], START, jac=decay_jacobian, check_jac=True)
    np.testing.assert_allclose(fit.params, batch.params[:2], rtol=1e-12)
    with pytest.raises(AssertionError, match="wrong"):
        mv.curve_fit(decay, X, Y, START, jac=lambda x, *p: decay_jacobian(x, *p) * -1, check_jac=True)


def test_float32_stays_float32_and_is_good_to_its_own_digits(batch):
    fit = mv.curve_fit(decay, X, Y.astype(np.float32), START)
    assert fit.params.dtype == np.float32 and fit.success.all()
    np.testing.assert_allclose(fit.params, batch.params, rtol=2e-5)


@pytest.mark.slow
def test_each_may_have_its_own_x_start_and_bounds():
    x = X + RNG.random((6, 1))
    y = in_numpy(x, 2.5, 1.3, 0.5)
    upper = np.full((6, 3), 10.0)
    upper[4, 2] = 0.3
    fit = mv.curve_fit(decay, x, y, RNG.random((6, 3)) + 0.5, bounds=(0.0, upper))
    np.testing.assert_allclose(np.delete(fit.params, 4, 0), [[2.5, 1.3, 0.5]] * 5, rtol=1e-10)
    assert fit.params[4, 2] == 0.3


@pytest.mark.slow
def test_several_predictors_as_in_scipy():
    x = RNG.random((2, 30))
    y = 3 * x[0] ** 1.5 + 2 * x[1]
    fit = mv.curve_fit(lambda x, a, b, c: a * x[0] ** b + c * x[1], x, np.stack([y, 2 * y, 3 * y]))
    np.testing.assert_allclose(fit.params, [[3, 1.5, 2], [6, 1.5, 4], [9, 1.5, 6]], rtol=1e-10)


PROBLEMS = {problem.name: problem for problem in nonlinear.problems()}


@pytest.mark.parametrize(  # `benchmarks.nist` does all
    "name", few(["Misra1a", "BoxBOD", "DanWood", "MGH10", "MGH09"], "Misra1a", "MGH09")
)
@pytest.mark.slow
def test_nists_problems_from_both_starts(name):
    problem = PROBLEMS[name]
    fit = mv.curve_fit(problem.f, problem.x, np.stack([problem.y] * 2), problem.starts)
    assert fit.success.all()
    for k in range(2):
        params, deviations = problem.digits(fit.params[k], fit.stderr[k])
        assert params >= 10
        assert deviations >= 9 or name == "Lanczos1"


@pytest.mark.parametrize("many", [1, 1024, 1025, *map(long, (2, 1023, 3000))])
@pytest.mark.slow
def test_batches_around_a_chunks_boundary(many):
    fit = mv.curve_fit(decay, X, np.resize(Y, (many, 40)), START)
    assert fit.shape == (many,) and fit.success.all()
    np.testing.assert_allclose(fit.params[-1], fit.params[(many - 1) % 6], rtol=1e-11)


@pytest.mark.slow
def test_axes_of_the_batch_are_kept_and_sliced(batch):
    fit = mv.curve_fit(decay, X, Y.reshape(2, 3, 40), START)
    assert fit.shape == (2, 3) and fit.cov.shape == (2, 3, 3, 3) and len(fit) == 2
    np.testing.assert_array_equal(fit[1, 2].params, fit.params[1, 2])
    assert fit[:, 0].shape == (2,)
    np.testing.assert_allclose(
        fit.predict(X), in_numpy(X, *np.moveaxis(fit.params[..., None], -2, 0)), rtol=1e-12
    )
    interval = batch.confidence_interval(0.9)
    assert interval.shape == (6, 3, 2) and (interval[..., 0] < batch.params).all()
    assert jax.tree.structure(batch) == jax.tree.structure(jax.tree.map(lambda a: a, batch))


def test_words_and_files(batch, tmp_path):
    assert "converged" in batch[0].message and "standard error" in batch[0].summary()
    assert "median" in batch.summary()
    batch.to_csv(tmp_path / "fits.csv")
    table = np.genfromtxt(tmp_path / "fits.csv", delimiter=",", names=True)
    np.testing.assert_array_equal(table["a"], batch.params[:, 0])
    np.testing.assert_array_equal(table["b_stderr"], batch.stderr[:, 1])
    assert batch[1].to_dict()["params"]["c"] == batch.params[1, 2]


@pytest.mark.slow
def test_gradients_through_a_fit_by_differences():
    with jax.enable_x64(True):
        y, h = Y[:3], 1e-6
        along = RNG.normal(size=40)

        def both(y):
            fit = mv.curve_fit(decay, X, y, START)
            return jnp.concatenate([fit.params, fit.stderr], axis=-1)

        def derived(y):
            values, forward = jax.jvp(both, (y,), (jnp.asarray(along),))
            return values, forward, jax.jacrev(both)(y) @ along

        many = jax.jit(jax.vmap(derived), compiler_options=compiling.quickly())
        values, forward, reverse = many(jnp.asarray(y))
        held = lambda s: mv.curve_fit(lambda x, a, b: s * decay(x, a, b, 0.0), X, Y[0], [1.0, 1.0]).params[0]
        at, slope = jax.jit(jax.value_and_grad(held), compiler_options=compiling.quickly())(2.0)
        np.testing.assert_allclose(slope, -at / 2, rtol=1e-9)
    up, here, down = (mv.curve_fit(decay, X, y + step * along, START) for step in (h, 0, -h))
    difference = np.hstack([up.params - down.params, up.stderr - down.stderr]) / (2 * h)
    np.testing.assert_allclose(forward, difference, rtol=1e-6)
    np.testing.assert_allclose(reverse, forward, rtol=1e-9)
    np.testing.assert_allclose(values[:, :3], here.params, rtol=1e-10)


@pytest.mark.slow
def test_standard_errors_are_the_spread_of_simulated_repeats():
    rng = np.random.default_rng(11)
    y = in_numpy(X, 2.5, 1.3, 0.5) + 0.05 * rng.normal(size=(2000, 40))
    for options in ({}, {"loss": "soft_l1", "f_scale": 0.05}):
        fit = mv.curve_fit(decay, X, y, START, **options)
        spread = fit.params.std(axis=0)
        np.testing.assert_allclose(np.sqrt((fit.stderr**2).mean(axis=0)), spread, rtol=0.05)


@pytest.mark.parametrize(
    ("args", "options", "words"),
    [
        ((3, X, Y), {}, "`f` must be a function|Type-check"),
        ((decay, X[:-1], Y), {}, "`xdata` must have the 40 points"),
        ((decay, X, Y, [1.0, 1.0]), {}, "`p0` must have 3 values"),
        ((decay, X, Y, START, np.ones(39)), {}, "`sigma` must have the 40 points"),
        ((decay, X, Y), {"mask": np.ones(40)}, "`mask` must hold booleans"),
        ((decay, X, Y), {"bounds": ([0, 0, 2], [1, 1, 1])}, "the lower bound of c must be below"),
        ((decay, X, Y), {"bounds": 3}, "`bounds` must be a pair|Type-check"),
        ((decay, X, Y), {"method": "lma"}, "unknown method 'lma'; did you mean 'lm'?"),
        ((decay, X, Y), {"loss": "hubert"}, "did you mean 'huber'"),
        ((decay, X, Y), {"fixed": ["d"]}, "`fixed` must name parameters out of a, b, c"),
        ((decay, X, Y), {"fixed": None}, "`fixed` must be a list of parameters|Type-check"),
        ((decay, X, Y), {"fixed": "ab"}, "`fixed` must be a list of parameters|Type-check"),
        ((decay, X, Y), {"fixed": ["a", 1, "c"]}, "`fixed` holds every parameter"),
        ((decay, X, Y), {"xtol": -1}, "`xtol` must be positive"),
        ((decay, X, Y), {"max_steps": 1.5}, "`max_steps` must be a whole number|Type-check"),
        ((decay, X, np.ones((0, 40))), {}, "the batch is empty"),
        ((decay, X, np.ones((3, 40)), np.ones((2, 3))), {}, "the axes of the batch must fit together"),
        ((decay, X, Y + 1j), {}, "`ydata` must hold real numbers"),
        ((lambda x, a: a * jnp.ones(3), X, Y), {}, "`f` must return \\(40,\\)"),
        ((lambda x, a: np.exp(-a * x), X, Y), {}, "`f` must be written in JAX"),
        ((lambda x, *p: x, X, Y), {}, "`p0` is needed"),
    ],
)
def test_misuse_is_one_clear_error(args, options, words):
    with pytest.raises(Exception, match=words):
        mv.curve_fit(*args, **options)


def test_every_failure_has_its_status_and_harms_no_neighbour(batch):
    x = np.linspace(0, 4, 40)
    y = np.resize(Y[0], (8, 40)).copy()
    y[1, 3], y[2, 4] = np.nan, np.inf
    p0 = np.tile(START, (8, 1))
    p0[3, 1] = np.nan
    sigma = np.full((8, 40), 0.05)
    sigma[4, 7], sigma[5, 0] = 0, -1
    mask = np.ones((8, 40), bool)
    mask[6, 2:] = False
    upper = np.full((8, 3), np.inf)
    upper[7, 0] = -2
    fit = mv.curve_fit(decay, x, y, p0, sigma, mask=mask, bounds=(-1.0, upper))
    assert fit.status[0] > 0
    np.testing.assert_allclose(fit.params[0], batch.params[0], rtol=1e-9)
    expected = [
        *[Status.NOT_FINITE] * 3,
        *[Status.BAD_SIGMA] * 2,
        Status.TOO_FEW_POINTS,
        Status.CROSSED_BOUNDS,
    ]
    np.testing.assert_array_equal(fit.status[1:], expected)
    assert np.isnan(fit.stderr[1:]).all()


@pytest.mark.slow
def test_what_the_data_do_not_determine_is_not_called_converged():
    product = mv.curve_fit(lambda x, a, b: a * b * x, X, 3 * X + 0.1 * Y[0], [1.0, 1.0])
    assert product.status == Status.SINGULAR
    runaway = mv.curve_fit(
        lambda x, a, b: a * (1 - jnp.exp(-b * (x + 1))), X, np.full(40, 2.0) + 0.01 * Y[0] * 0, [1.0, 5.0]
    )
    assert not runaway.success
    idle = mv.curve_fit(lambda x, a, b: a * x + 0 * b, X, X, [0.5, 1.0])
    assert idle.status == Status.DEGENERATE
