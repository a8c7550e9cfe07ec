"""The comparison of derivatives: its table, its picture, and that it can find one wrong."""

import re

import numpy as np
import pytest

import mvcalc_jax as mv
from experiments import compare_gradients
from experiments.compare_gradients import Config, main
from mvcalc_jax import command
from mvcalc_jax.models import gaussian

pytestmark = pytest.mark.slow  # from start to end; their parts are tested beside them, in less time


@pytest.fixture
def few(monkeypatch):
    """Only the derivatives that the picture and a quick table need."""
    chosen = [
        d for d in mv.verify.catalogue(0) if d.name in ("network.jacobian, logistic", "gaussian.jacobian")
    ]
    monkeypatch.setattr(mv.verify, "catalogue", lambda seed: chosen)
    return chosen


def test_table_and_picture(few, tmp_path, capsys):
    assert main(Config(out=tmp_path)) == command.DONE
    (run,) = (tmp_path / "compare_gradients").iterdir()
    assert {path.name for path in run.iterdir()} == {"config.json", "metrics.csv", "report.md", "steps.png"}
    said = capsys.readouterr().out
    assert "by hand, all are right" in said
    errors = [
        float(e)
        for e in re.findall(r"\d+e[-+]\d+", next(line for line in said.splitlines() if "gaussian" in line))
    ]
    assert len(errors) == 7
    assert max(errors[:2]) < 1e-13 < errors[2] < errors[3] * 1e3
    assert np.all(np.array(errors[3:6]) < 1e-5)


def test_a_wrong_derivative_fails(few, tmp_path, capsys, monkeypatch):
    broken = [
        d._replace(jac=lambda *args: 1.01 * gaussian.jacobian(*args)) if "gaussian" in d.name else d
        for d in few
    ]
    monkeypatch.setattr(mv.verify, "catalogue", lambda seed: broken)
    monkeypatch.setattr(compare_gradients, "draw", lambda network, run: None)
    assert main(Config(out=tmp_path)) == command.FAILED
    assert "wrong by hand: gaussian.jacobian" in capsys.readouterr().out
