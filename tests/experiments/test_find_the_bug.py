"""The planted mistakes: each is found where it was planted, and the experiment can tell if one is not."""

import json
from dataclasses import replace
from functools import cache

import jax
import numpy as np
import pytest

import mvcalc_jax as mv
from experiments import backward, find_the_bug
from experiments.find_the_bug import LEAVES, PLANS, PRODUCT, Config, Plan, main
from mvcalc_jax import command
from mvcalc_jax.verify.report import Diagnosis, Leaf, Report
from tests.cases import long

pytestmark = pytest.mark.slow  # what a newer JAX may break is tested in less time elsewhere

TOY = Config(samples=5, seed=1)
MISTAKES = [plan for plan in PLANS if plan.mistake]
STANDING = {
    "the wrong sign",
    "σ′ and Wᵀ in the wrong order",
    "db of two layers swapped",
    "",
}
"""One that is found at a link, one in the product of links, one in two leaves; none."""


def name(plan):
    return f"{plan.mistake or 'none'}{', by link' * plan.by_link}"


def some(plans):
    """Those that stand for the others as they are, these with `-m long`."""
    return [p if p.mistake in STANDING else long(p) for p in plans]


def posed(plan, rng, samples=4):
    """A network that the mistake fits, and random data for it."""
    params = mv.network.init(rng, (1, *plan.hidden, 2))
    return params, rng.normal(size=(1, samples)), rng.normal(size=(2, samples))


@pytest.fixture(scope="module")
def known():
    """The experiment's check, which remembers: the same is asked for more than once."""
    return cache(find_the_bug.check)


@pytest.mark.parametrize("plan", some(PLANS), ids=name)
def test_each_is_found_where_it_was_planted(plan, float64, known):
    report = known(plan, TOY.samples, TOY.seed)
    assert plan.found(report), str(report)
    wrong = [link.name for link in report.links if link.verdict == "wrong"]
    if plan.mistake:
        assert report.verdict == "wrong"
        assert (report.diagnoses[0].kind, report.diagnoses[0].certified) == (plan.kind, True)
        assert wrong == [plan.wrong] * (plan.by_link and plan.wrong != PRODUCT)
    else:
        assert report.verdict == "correct"
        names = ["z¹", "a¹", "z²", "a²", "z³", "a³", "C"]
        assert [link.name for link in report.links] == names * plan.by_link


def test_there_are_ten():
    assert len({plan.mistake for plan in MISTAKES}) == len(MISTAKES) == 10
    assert [plan.mistake for plan in PLANS[:2]] == ["", ""]


def test_what_is_found_is_reported(tmp_path, capsys, monkeypatch, known):
    monkeypatch.setattr(find_the_bug, "check", known)
    plans = (Plan(), *(plan for plan in PLANS if plan.picture == "last_row.png"))
    monkeypatch.setattr(find_the_bug, "PLANS", plans)
    assert main(replace(TOY, out=tmp_path)) == command.DONE
    (run,) = (tmp_path / "find_the_bug").iterdir()
    pictures = {plan.picture for plan in plans if plan.picture}
    assert {path.name for path in run.iterdir()} == {"config.json", "report.md", "results.json", *pictures}
    written, said = (run / "report.md").read_text(), capsys.readouterr().out
    assert all(f"]({picture})" in written for picture in pictures)
    assert "every mistake is found, and none where there is none" in said
    results = json.loads((run / "results.json").read_text())
    for plan, result in zip(plans, results, strict=True):
        assert (result["mistake"], result["found"]) == (plan.mistake, True)
        row = next(line for line in said.splitlines() if line.startswith(plan.mistake or "none"))
        assert row.split()[-1] == "yes"
        assert plan.wrong in row
        assert plan.kind in row
    assert [result["report"]["verdict"] for result in results] == ["correct", "wrong"]


def test_what_is_not_found_fails(tmp_path, capsys, monkeypatch):
    sign = next(plan for plan in PLANS if plan.kind == "sign")
    monkeypatch.setattr(find_the_bug, "PLANS", (sign._replace(mistake="no mistake at all"),))
    assert main(replace(TOY, out=tmp_path)) == command.FAILED
    assert "not right: no mistake at all" in capsys.readouterr().out


def test_only_the_right_answer_is_right():
    leaves = tuple(Leaf("", verdict, (), 0, 0, (), 0, 0) for verdict in ["wrong", *["correct"] * 5])
    cause, hint = (Diagnosis("sign", "", "", certified) for certified in (True, False))
    report = Report("wrong", "", leaves, "", diagnoses=(cause,))
    plan = Plan("the wrong sign", "W¹", "sign")
    assert plan.found(report)
    assert not plan._replace(kind="scale").found(report)
    assert not plan._replace(wrong="b¹").found(report)
    assert not plan.found(replace(report, diagnoses=(hint, cause)))
    assert not plan.found(replace(report, diagnoses=()))
    assert not plan.found(replace(report, verdict="inconclusive"))
    assert not Plan().found(report)
    assert not Plan().found(replace(report, verdict="inconclusive"))


def test_nothing_is_written_before_the_options_are_understood(tmp_path):
    for wrong in ({"samples": 1}, {"seed": -1}, {"device": "abacus"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            main(replace(TOY, out=tmp_path / "runs", **wrong))
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("plan", some([Plan(), *MISTAKES]), ids=name)
def test_a_mistake_changes_what_it_is_said_to_change(plan, float64, rng):
    params, x, y = posed(plan, rng)
    found = backward.by_params(params, x, y, plan.mistake)
    exact = mv.autodiff.gradient(mv.network.cost)(params, x, y)
    same = jax.tree.leaves(jax.tree.map(lambda a, b: np.allclose(a, b, rtol=1e-12, atol=1e-14), found, exact))
    wrong = " ".join(name for name, right in zip(LEAVES, same, strict=True) if not right)
    if not plan.mistake or not plan.by_link:
        assert wrong == plan.wrong
    else:
        assert wrong  # of a link, all leaves below it


@pytest.mark.parametrize("plan", some([Plan(), *MISTAKES]), ids=name)
def test_links_multiply_to_what_comes_back(plan, float64, rng):
    params, x, y = posed(plan, rng)
    product, value = None, x
    for link in backward.links(params, y, plan.mistake):
        J = np.asarray(link.jac(value))
        value = link.f(value)
        J = J.reshape(np.size(value), -1)
        product = J if product is None else J @ product
    np.testing.assert_allclose(value, mv.network.cost(params, x, y), rtol=1e-14)
    passed = np.asarray(backward.by_input(params, x, y, plan.mistake)).ravel()
    assert np.allclose(product[0], passed, rtol=1e-12) == (plan.wrong != PRODUCT)
