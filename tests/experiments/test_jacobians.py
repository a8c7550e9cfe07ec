"""Jacobians from start to end: areas, the chain rule's numbers, solid maps, singular points, misuse."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from experiments.jacobians import Config, main
from mvcalc_jax import command
from tests.cases import long


def run(tmp_path, **change):
    assert main(replace(Config(out=tmp_path), **change)) == command.DONE
    (run,) = (tmp_path / "jacobians").iterdir()
    return run


@pytest.mark.slow
def test_polar_areas_and_the_courses_chain(tmp_path, capsys):
    found = run(tmp_path)
    pictures = {"cells.png", "linear.png", "gradient.png", "chain.png"}
    assert {file.name for file in found.iterdir()} == {"config.json", "metrics.csv", "report.md", *pictures}
    said = capsys.readouterr().out
    assert f"{9 * np.pi:.10g}" in said
    assert "df/dt =  [  3.6089  ]" in said
    assert "8 of 64 cells touch a point where det J = 0" in said
    with (found / "metrics.csv").open() as file:
        rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]
    assert max(row["middle"] for row in rows) < 1e-13
    assert rows[-2]["corner"] / rows[-1]["corner"] == pytest.approx(2, rel=1e-2)
    report = (found / "report.md").read_text()
    assert report.count("![") == 4
    assert "## What to try next" in report


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"map": "spherical", "chain": "cost", "surface": "saddle", "cells": 4},
            "160 ×                  864 ×",
        ),
        long({"map": "twist", "chain": "motion", "surface": "bowl"}, "errs by rounding alone"),
        (
            {"map": "polar", "at": (0.0, 1.0), "surface": "ripples", "cells": 1},
            "no relative error is measured",
        ),
        long({"map": "elliptic", "at": (0.7, 0.4)}, "the error is 4 times less from the middle"),
    ],
    ids=str,
)
def test_other_maps_chains_and_surfaces(change, said, tmp_path, capsys):
    run(tmp_path, **change)
    out = capsys.readouterr().out
    assert said in out or said.capitalize() in out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"map": "polr"}, "unknown map 'polr'; did you mean 'polar'"),
        ({"surface": "hill"}, "unknown surface 'hill'"),
        ({"chain": "rule"}, "unknown chain"),
        ({"cells": 0}, "`cells` must be at least 1"),
        ({"cells": 41}, "`cells` must be at most 40"),
        ({"map": "spherical", "cells": 11}, "`cells` must be at most 10"),
        ({"at": (1.0,)}, "variables r, φ; got 1"),
        ({"at": (1.0, np.nan)}, "must be finite"),
        ({"t": np.inf}, "`t` must be finite"),
    ],
    ids=str,
)
def test_misuse_is_said_before_anything_is_written(change, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        main(replace(Config(out=tmp_path), **change))
    assert not list(tmp_path.iterdir())
