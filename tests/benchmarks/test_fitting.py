"""The race of the fitters: its references are minima, its peers fit, and its verdicts follow from the times."""

import numpy as np
import pytest

from benchmarks import batches, fitting, nist, peers, scaling
from benchmarks.batches import Batch, Model
from benchmarks.harness import Timing
from benchmarks.peers import Found

MAKERS = [problem.make for problem in fitting.PROBLEMS] + [batches.peaks]


def cost(batch, params):
    x = batch.x[..., None, :] if batch.x.ndim == 2 else batch.x
    return np.sum((batch.model.numpy(x, *params.T[..., None]) - batch.y[: len(params)]) ** 2, axis=-1)


@pytest.mark.benchmark
@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_references_are_minima_near_the_starts(make, rng, standard_promotion):
    batch = make(20, 8)
    assert batch.y.shape[0] == batch.p0.shape[0] == 20
    assert batch.exact.shape == batch.unit.shape == (8, batch.p0.shape[1])
    least = cost(batch, batch.exact)
    assert (least <= cost(batch, batch.p0[:8])).all()
    for _ in range(20):
        aside = batch.exact + 1e-3 * batch.unit * rng.standard_normal(batch.exact.shape)
        assert (cost(batch, aside) > least).all()


@pytest.mark.benchmark
@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_a_batch_is_the_same_in_float32(make, standard_promotion):
    batch = make(5, 1)
    narrow = batch.of("float32")
    for wide, single in ((batch.x, narrow.x), (batch.y, narrow.y), (batch.p0, narrow.p0)):
        assert single.dtype == np.float32
        np.testing.assert_array_equal(single.astype(float), wide)


def test_both_models_are_the_same_function(rng, float64, standard_promotion):
    for make in MAKERS:
        batch = make(3, 0)
        np.testing.assert_allclose(
            batch.model.f(batch.x, *batch.p0[0]), batch.model.numpy(batch.x, *batch.p0[0]), rtol=1e-12
        )


def test_errors_are_of_the_worst_parameter_and_infinite_for_a_failure(standard_promotion):
    batch = batches.decays(6, 3)
    params = batch.p0.copy()
    params[:3] = batch.exact
    params[1] *= [1, 1.01, 1.001]
    params[2, 0] = np.nan
    np.testing.assert_allclose(batch.errors(params), [0, 0.01, np.inf])
    assert batch.first(2).errors(params[:2]).shape == (2,)


def test_scipy_finds_the_minima_and_one_bad_fit_is_a_failure_not_an_error(standard_promotion):
    batch = batches.gaussians(6, 6)
    found = peers.scipy(batch)
    assert found.success.all()
    assert batch.errors(found.params).max() < 1e-5
    batch.y[2] = np.nan
    found = peers.scipy(batch)
    assert found.success.tolist() == [True, True, False, True, True, True]
    assert batch.errors(found.params)[2] == np.inf


@pytest.mark.parametrize("name", ["lmfit", "optimistix", "jaxopt"])
def test_peers_that_are_installed_find_the_minima(name, standard_promotion):
    if peers.absent(name):
        pytest.skip(f"{name} is {peers.absent(name)}")
    batch = batches.decays(8, 8)
    fit = getattr(peers, name)
    found = fit(batch) if name == "lmfit" else fit(batch, 1e-8, 4)(2)
    assert found.success.all()
    assert batch.errors(found.params).max() < 1e-5


def test_chunks_must_divide_the_fits():
    with pytest.raises(ValueError, match="must divide the 8 fits; got 3"):
        peers._chunked(lambda p0, y: (p0, y), batches.decays(8, 0), 3)


@pytest.mark.parametrize(("floor", "chosen"), [(0, 1e-7), (1e-6, 1e-5), (1e-3, 1e-2)])
def test_the_loosest_tolerance_that_is_good_enough_is_taken_or_that_is_as_good_as_any(floor, chosen):
    exact = np.ones((4, 2))
    batch = Batch(Model("", abs, abs), exact, exact, exact, exact, exact)
    fit = lambda tolerance: Found(exact * (1 + floor + tolerance / 50), exact)
    assert fitting._loosest((1e-2, 1e-5, 1e-7, 1e-9), fit, batch, "float64") == chosen


def made_up(name, fits, seconds):
    timing = Timing(first=1.0, rounds=(seconds, 2 * seconds, seconds))
    return fitting.Result(fitting.Contender(name, fits), timing, (1e-9, 1e-8), 1.0)


def test_verdicts_follow_from_the_times():
    results = {
        "fit_gaussian": made_up("fit_gaussian", 1000, 0.001),
        "curve_fit": made_up("curve_fit", 1000, 0.01),
        "optimistix": made_up("optimistix", 100, 0.01),
        "jaxopt": made_up("jaxopt", 100, 0.02),
        "SciPy": made_up("SciPy", 10, 0.001),
    }
    race = fitting.Race(
        fitting.PEAKS, "float64", results, (fitting.Contender("lmfit", 0, missing="not installed"),)
    )
    values = {claim: value for claim, _, value in fitting.claims([race])}
    assert values["Gaussian, float64: times SciPy"] == pytest.approx(100)
    assert values["Gaussian, float64: times the best vmapped peer"] == pytest.approx(100)
    assert values["curve_fit, Gaussian, float64: times the best vmapped peer"] == pytest.approx(10)
    assert values["Gaussian, float32: times SciPy"] is None
    held = [bar.held for bar in fitting.verdicts([race])]
    assert held.count(True) == 3
    assert held.count(None) == len(values) - 3
    toy = fitting.verdicts([race], measured=False)
    assert [bar.held for bar in toy] == [None, None, None]
    assert toy[0].words == "Gaussian, float64: 100 times SciPy; the bar is 80"
    rows = {row[0]: row[1:] for row in fitting.table(race).rows}
    assert rows["fit_gaussian"][:7] == (
        "1.00 M",
        "0.50 M – 1.00 M",
        "100",
        "100",
        "1e-09",
        "1e-08",
        "100.00 %",
    )
    assert rows["lmfit"][0] == "not installed"
    said = fitting.conclusion([race])
    assert said.endswith("fit_gaussian does 1.00 M fits/s, 100 times SciPy and 100 times optimistix.")


def test_repeated_fits_are_the_given_ones():
    batch = scaling.repeated(batches.decays(3, 0), 7, "float32")
    assert batch.y.shape == (7, 32)
    assert batch.p0.dtype == np.float32
    np.testing.assert_array_equal(batch.y[5], batch.y[2])


@pytest.mark.benchmark
def test_a_problem_by_its_name(standard_promotion):
    found = fitting.findings(fitting.Config(problems="Gpufit", quick=True))
    assert found.tables[0].title == "Gpufit's spots, 5 × 5 pixels, 5 parameters, float32"
    found = nist.findings(nist.Config(problems="DanWood"))
    assert found.bars[0].words == "this, lm: 2 of 2 fits are solved; the bar is all of them"
    assert [row[:2] for row in found.tables[0].rows[1:]] == [
        ("DanWood (lower)", "1"),
        ("DanWood (lower)", "2"),
    ]


def test_an_unknown_problem_is_refused():
    for suite in (fitting, nist):
        with pytest.raises(ValueError, match="contains '\\?'"):
            suite.findings(suite.Config(problems="?"))
