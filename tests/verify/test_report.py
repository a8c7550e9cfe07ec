"""Reports: what is printed, what is JSON, and that they do not change."""

import dataclasses
import json

import jax.numpy as jnp
import numpy as np
import pytest

import mvcalc_jax as mv
from mvcalc_jax.verify import Leaf, Link, Report
from mvcalc_jax.verify.report import Adequacy, Diagnosis, LinkResult

pytestmark = pytest.mark.slow  # what a newer JAX may break is tested in less time elsewhere

X = np.array([1.3, 0.4, 2.2])
LINK = Link("sine", jnp.sin, lambda x: jnp.diag(jnp.cos(x)))
SUM = Link("sum of squares", lambda x: (x**2).sum(), lambda x: 2 * x)


@pytest.fixture(scope="module")
def reports():
    wrong = SUM._replace(jac=lambda x: x)
    return {
        "correct": mv.check_jacobian(SUM.f, SUM.jac, X),
        "wrong": mv.check_jacobian(wrong.f, wrong.jac, X),
        "misshapen": mv.check_jacobian(SUM.f, lambda x: x[:2], X),
        "raising": mv.check_jacobian(SUM.f, lambda x: 1 / 0, X),
        "nan": mv.check_jacobian(SUM.f, lambda x: np.nan * x, X),
        "inconclusive": mv.check_jacobian(lambda x: jnp.log(-x).sum(), SUM.jac, X),
        "chain": mv.check_chain([LINK, SUM], X),
        "broken chain": mv.check_chain([LINK, wrong], X, lambda x: 2 * jnp.sin(x) * jnp.cos(x)),
        "backward": mv.check_vjp(jnp.sin, lambda x: (jnp.sin(x), x), lambda x, g: (g**2 * jnp.cos(x),), X),
    }


NAMES = [
    "correct",
    "wrong",
    "misshapen",
    "raising",
    "nan",
    "inconclusive",
    "chain",
    "broken chain",
    "backward",
]
FIELDS = ["verdict", "reason", "leaves", "links", "diagnoses", "adequacy", "missed", "slope", "again"]


@pytest.mark.parametrize("name", NAMES)
def test_every_report_is_json_and_text(name, reports):
    report = reports[name]
    plain = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert plain == json.loads(json.dumps(report.to_dict()))
    assert [field for field in FIELDS if field not in plain] == []
    text = str(report)
    assert text.startswith(f"{report.verdict}: {report.reason}\n")
    assert text.endswith(f"again: {report.again}")
    for leaf in report.leaves:
        assert leaf.path in text
    for diagnosis in report.diagnoses:
        said = f"{diagnosis.kind} in {diagnosis.where}: {diagnosis.detail}"
        assert ("cause: " if diagnosis.certified else "hint: ") + said in text
    for link in report.links:
        assert link.name in text


@pytest.mark.parametrize("name", NAMES)
def test_only_what_is_correct_passes(name, reports):
    report = reports[name]
    if report.verdict == "correct":
        report.require_correct()
        return
    with pytest.raises(AssertionError) as failure:
        report.require_correct()
    assert str(failure.value) == str(report)


def test_what_a_correct_one_shows(reports):
    text = str(reports["correct"])
    assert "adequacy: would have caught" in text
    assert "probes" not in text and "cause" not in text
    assert reports["correct"].error < 1e-12
    header, row = text.splitlines()[1:3]
    assert header.split() == [
        "leaf",
        "verdict",
        "shape",
        "error",
        "worst",
        "at",
        "by",
        "hand",
        "autodiff",
        "ratio",
        "grade",
    ]
    assert row.split()[-1] == "A"


def test_what_a_chain_shows(reports):
    text = str(reports["broken chain"])
    link, leaf = (
        next(line for line in text.splitlines() if line.startswith(start)) for start in ("link", "leaf")
    )
    assert link.split() == ["link", "verdict", "error", "cause"]
    assert text.index(link) < text.index(leaf)
    assert "cause: scale in sum of squares" in text
    plain = reports["broken chain"].to_dict()["links"]
    assert [entry["verdict"] for entry in plain] == ["correct", "wrong"]
    assert plain[1]["report"]["diagnoses"][0]["kind"] == "scale"


def test_they_are_frozen(reports):
    report = reports["broken chain"]
    parts = (
        (report, "verdict"),
        (report.leaves[0], "path"),
        (report.diagnoses[0], "kind"),
        (report.links[0], "name"),
    )
    for part, field in parts:
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(part, field, "correct")
    with pytest.raises(dataclasses.FrozenInstanceError):
        reports["correct"].adequacy.caught = 99


def test_the_same_seed_gives_the_same_report(reports):
    again = mv.check_jacobian(SUM.f, SUM.jac, X)
    assert dataclasses.replace(again, again="") == dataclasses.replace(reports["correct"], again="")


def test_numbers_that_are_none_are_null():
    leaf = Leaf("args[0]", "wrong", (2,), float("inf"), float("nan"), (1,), float("nan"), 2.0)
    z = Leaf("args[1]", "wrong", (), 1.0, 0.0, (), 1 + 2j, 0j)
    inner = Report("wrong", "because", (leaf,), "again")
    report = Report(
        "wrong", "because", (leaf, z), "again()", (LinkResult("f", "wrong", inner),),
        (Diagnosis("sign", "args[0]", "has the wrong sign", False),), Adequacy(1, 2, ("a",), ("b",)), 1e-9,
    )  # fmt: skip
    plain = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert plain["leaves"][0]["error"] is None and plain["leaves"][0]["ratio"] is None
    assert plain["leaves"][1]["by_hand"] == [1.0, 2.0]
    assert plain["adequacy"] == {"caught": 1, "planted": 2, "invisible": ["a"], "warnings": ["b"]}
    text = str(report)
    assert "hint: sign in args[0]: has the wrong sign" in text
    assert "adequacy: would have caught 1 of 2 planted mistakes; a; b" in text
    assert "is missed with probability 1e-09" in text
    assert report.error == np.inf and np.isnan(Report("wrong", "", (), "").error)


def test_plot_draws_into_a_file(reports, tmp_path):
    assert reports["wrong"].plot(tmp_path / "report.svg").read_text().startswith("<?xml")
