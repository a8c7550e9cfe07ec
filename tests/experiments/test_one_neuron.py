"""One neuron from start to end: the course's numbers, every gate, steps that fail, misuse; and deep networks."""

import csv
from dataclasses import replace

import numpy as np
import pytest

import mvcalc_jax as mv
from experiments import neurons
from experiments.one_neuron import Config, main
from mvcalc_jax import autodiff, command
from tests.cases import long


@pytest.mark.slow
def test_not_from_the_courses_start(tmp_path, capsys):
    assert main(Config(out=tmp_path)) == command.DONE
    (run,) = (tmp_path / "one_neuron").iterdir()
    pictures = {"descent.png", "factors.png", "vanishing.png"}
    assert {file.name for file in run.iterdir()} == {"config.json", "metrics.csv", "report.md", *pictures}
    with (run / "metrics.csv").open() as file:
        rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]
    assert (rows[0]["w"], rows[0]["b"]) == (1.3, -0.1)
    cost = lambda w, b: ((np.tanh(b) - 1) ** 2 + np.tanh(w + b) ** 2) / 2
    for row in rows[::50]:
        assert row["cost"] == pytest.approx(cost(row["w"], row["b"]), rel=1e-12)
    w, b = 1.3, -0.1
    for row in rows[:20]:  # by hand, from the closed form
        assert (row["w"], row["b"]) == (pytest.approx(w, rel=1e-12), pytest.approx(b, rel=1e-12))
        one, two = np.tanh(b), np.tanh(w + b)
        dw, db = two * (1 - two**2), (one - 1) * (1 - one**2)
        w, b = w - 0.7 * dw, b - 0.7 * (dw + db)
    assert (rows[-1]["w"], rows[-1]["b"]) == pytest.approx((-1.87796651, 1.87999831), rel=1e-8)
    assert rows[-1]["cost"] == pytest.approx(0.00103755, rel=1e-5)
    said = capsys.readouterr().out
    assert "-3.66731 · 0.30502 · 1 = -1.118602643" in said
    assert "-3.66731 · 0.30502 · 0 = 0\n" in said
    assert "All answers round right" in said
    assert (run / "report.md").read_text().count("![") == 3


def test_derivatives_at_the_courses_point(float64):
    x, y = np.zeros((1, 1)), np.ones((1, 1))
    (by_hand,) = mv.network.jacobian(neurons.neuron(2.3, -1.2, 1), x, y, activation="tanh")
    exact = -2 * (1 - np.tanh(-1.2)) * (1 - np.tanh(-1.2) ** 2)
    assert by_hand.W.item() == 0
    assert by_hand.b.item() == pytest.approx(exact, rel=1e-14)
    assert round(exact, 4) == -1.1186
    cost = lambda net: mv.network.cost(net, x, y, activation="tanh")
    (by_autodiff,) = autodiff.gradient(cost)(neurons.neuron(2.3, -1.2, 1))
    assert by_autodiff.b.item() == pytest.approx(exact, rel=1e-14)


def test_gates_list_their_inputs():
    assert neurons.gate("not")[0].tolist() == [[0, 1]]
    assert neurons.gate("and")[0].tolist() == [[0, 1, 0, 1], [0, 0, 1, 1]]
    assert neurons.gate("nand")[1].tolist() == [[1, 1, 1, 0]]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("gate", "activation", "wrong"),
    [
        ("and", "logistic", 0),
        long("or", "tanh", 0),
        long("nand", "logistic", 0),
        ("xor", "tanh", 1),
    ],
)
def test_a_neuron_learns_every_gate_but_xor(gate, activation, wrong, tmp_path, capsys):
    config = Config(gate=gate, activation=activation, depth=2, width=1, learning_rate=2.0, out=tmp_path)
    config = replace(config, learning_rate=0.7) if activation == "tanh" else config
    assert main(config) == command.DONE
    told = capsys.readouterr().out
    expected = "All answers round right" if not wrong else f"{wrong} of 4 answers round to the wrong number"
    assert expected in told


def test_equal_weights_stay_equal(float64):
    result = neurons.learn("and", "logistic", (1.3, -0.1), 2.0, 50)
    W = result.trace.params[0].W
    np.testing.assert_array_equal(W[..., 0], W[..., 1])


def test_factors_multiply_to_the_jacobian_and_gradients_shrink(float64):
    chains = neurons.grow("tanh", np.random.default_rng(3))
    assert [len(chain.path("W1")) for chain in chains] == [3, 5, 7]
    rng = np.random.default_rng(3)
    for chain, hidden in zip(chains, range(3), strict=True):
        net = mv.network.init(rng, (1, *(3,) * hidden, 1))
        exact = autodiff.gradient(
            lambda net: mv.network.cost(net, np.array([[0.8]]), np.zeros((1, 1)), activation="tanh")
        )(net)
        np.testing.assert_allclose(chain.product("W1"), exact[0].W, rtol=1e-12)
    sizes = neurons.shrink(6, 4, np.random.default_rng(0))
    assert set(map(len, sizes.values())) == {6}
    logistic = sizes["logistic"]
    assert (logistic[1:] < logistic[:-1] / 2.5).all()
    assert sizes["tanh"][0] / sizes["tanh"][-1] < logistic[0] / logistic[-1] / 20


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gate": "nott"}, "unknown gate 'nott'; did you mean 'not'"),
        ({"activation": "relu"}, "unknown activation"),
        ({"start": (np.nan, 0.0)}, "`start` must be finite"),
        ({"start": (1e4, 0.0)}, "within ±1000"),
        ({"learning_rate": -1.0}, "`learning_rate` must be positive"),
        ({"learning_rate": 1e300}, "below 10⁶"),
        ({"steps": 0}, "`steps` must be at least 1"),
        ({"depth": 31}, "`depth` must be at most 30"),
        ({"width": 0}, "`width` must be at least 1"),
        ({"seed": -1}, "`seed` must be at least 0"),
    ],
    ids=str,
)
def test_misuse_is_said_before_anything_is_written(change, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        main(replace(Config(out=tmp_path), **change))
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_steps_far_too_long_end_on_a_plain_and_are_still_drawn(tmp_path, capsys):
    assert main(Config(learning_rate=1e6, depth=1, width=1, out=tmp_path)) == command.DONE
    assert "0.5" in capsys.readouterr().out
