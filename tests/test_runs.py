"""Run directories and checkpoints: whole or not there, and only read back by what wrote them."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mvcalc_jax as mv
from mvcalc_jax.atomic import replacing, write_text


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "file"
    write_text(path, "before")

    def interrupted():
        with replacing(path) as file:
            file.write(b"half of it")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    write_text(path, "after")
    assert path.read_text() == "after"


def test_a_process_killed_while_writing_leaves_what_was_there(tmp_path):
    path = tmp_path / "file"
    write_text(path, "before")
    half = (
        "import sys, time; from pathlib import Path; from mvcalc_jax.atomic import replacing\n"
        "with replacing(Path(sys.argv[1])) as file:\n"
        "    file.write(b'half of it'); file.flush(); print('half', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", half, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "half\n"
    process.kill()
    process.communicate()
    assert path.read_text() == "before"
    write_text(path, "after")
    assert path.read_text() == "after"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_full_disk_leaves_what_was_there(tmp_path):
    write_text(tmp_path / "file", "before")
    with pytest.raises(OSError, match="No space left"), replacing(tmp_path / "file") as file:
        with Path("/dev/full").open("wb", buffering=0) as full:
            full.write(b"x")
        file.write(b"never")
    assert (tmp_path / "file").read_text() == "before"


TREE = {"layers": (np.arange(6.0).reshape(2, 3), np.ones(2, "float32")), "count": np.array(7)}


def test_arrays_come_back_bit_for_bit(tmp_path):
    mv.runs.save_arrays(tmp_path / "tree.npz", TREE)
    back = mv.runs.load_arrays(tmp_path / "tree.npz", TREE)
    for a, b in zip(jax.tree.leaves(TREE), jax.tree.leaves(back), strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == b.dtype
    with np.load(tmp_path / "tree.npz") as file:
        assert set(file.files) == {"['layers'][0]", "['layers'][1]", "['count']"}


def test_dtypes_that_numpy_does_not_know_come_back(tmp_path):
    tree = {"a": jnp.arange(3, dtype="bfloat16")}
    mv.runs.save_arrays(str(tmp_path / "tree.npz"), tree)
    back = mv.runs.load_arrays(str(tmp_path / "tree.npz"), tree)
    assert back["a"].dtype == "bfloat16"
    np.testing.assert_array_equal(back["a"], tree["a"])
    with pytest.raises(ValueError, match=r"must be float32\[3\]"):
        mv.runs.load_arrays(tmp_path / "tree.npz", {"a": np.zeros(3, "float32")})


@pytest.mark.parametrize("keep", [0, 10, 100, 300, -30, -1])
def test_a_truncated_file_is_said(keep, tmp_path):
    path = tmp_path / "tree.npz"
    mv.runs.save_arrays(path, TREE)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match="is damaged, or no file of arrays"):
        mv.runs.load_arrays(path, TREE)


@pytest.mark.parametrize(
    ("like", "message"),
    [
        ({**TREE, "more": np.zeros(1)}, r"it lacks \['more'\]"),
        ({**TREE, "count": np.array(7.0)}, r"\['count'\] must be float64\[\]; got int64\[\]"),
        (
            {**TREE, "layers": (np.zeros((3, 3)), TREE["layers"][1])},
            r"must be float64\[3, 3\]; got float64\[2, 3\]",
        ),
        ({"count": TREE["count"]}, r"it also holds \['layers'\]\[0\]"),
    ],
)
def test_a_foreign_file_is_said(like, message, tmp_path):
    mv.runs.save_arrays(tmp_path / "tree.npz", TREE)
    with pytest.raises(ValueError, match=message):
        mv.runs.load_arrays(tmp_path / "tree.npz", like)


def test_nothing_in_a_file_is_executed(tmp_path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("a pickle was loaded",))

    np.savez(tmp_path / "trap.npz", **{"['count']": np.array([Trap()], object)})
    with pytest.raises(ValueError, match="damaged"):
        mv.runs.load_arrays(tmp_path / "trap.npz", {"count": np.array(7)})


def bowl(p):
    return (p**2).sum()


@pytest.mark.parametrize("rule", ["steepest", "adam"])
def test_a_checkpoint_resumes_the_run_bit_for_bit(rule, tmp_path, standard_promotion):
    path, start = tmp_path / "checkpoint.npz", np.array([3.0, -2.0], "float32")
    rule = mv.descent.rule(rule, 0.01)
    arguments = (rule, lambda p: 2 * p, start)
    options = {"cost": bowl, "noise": 0.5, "key": jax.random.key(0), "chunk": 10}
    whole = mv.descent.descend(*arguments, steps=60, **options)
    mv.descent.descend(*arguments, steps=30, watch=[mv.runs.checkpoints(path)], **options)
    found = mv.runs.load_arrays(path, mv.descent.begin(rule, start, cost=bowl))
    rest = mv.descent.descend(*arguments, steps=60, resume=found, **options)
    for a, b in zip(jax.tree.leaves(whole), jax.tree.leaves(rest), strict=True):
        np.testing.assert_array_equal(a, b)


def test_checkpoints_are_written_on_the_way_and_after_an_interrupt(tmp_path):
    path, start = tmp_path / "checkpoint.npz", np.ones(2, "float32")
    seen = []

    def watch(stream):
        for k, part in enumerate(stream):
            yield part
            seen.append(path.exists())
            if k == 4:
                raise KeyboardInterrupt

    options = {"steps": 100, "chunk": 10, "cost": bowl, "learning_rate": 0.1}
    mv.steepest_descent(
        lambda p: 2 * p, start, watch=[mv.runs.checkpoints(path, seconds=0.0), watch], **options
    )
    assert all(seen)
    found = mv.runs.load_arrays(path, mv.descent.begin(mv.descent.steepest(0.1), start, cost=bowl))
    assert found.steps == 50
    path.unlink()
    mv.steepest_descent(
        lambda p: 2 * p, start, watch=[mv.runs.checkpoints(path, seconds=1e9), watch], **options
    )
    assert mv.runs.load_arrays(path, mv.descent.begin(mv.descent.steepest(0.1), start, cost=bowl)).steps == 50


@dataclass(frozen=True)
class Config:
    name: str = "heart"
    hidden: tuple[int, ...] = (6, 7)
    rate: float | None = None
    out: Path = Path("runs")


def test_settings_come_back_as_they_were(tmp_path):
    config = Config("star", (3,), 0.5, tmp_path)
    run = mv.runs.create("draw", config, 3, jax.devices()[0], tmp_path)
    assert run.parent == tmp_path / "draw"
    assert run.name.endswith("Z-s3")
    assert mv.runs.settings(run, "draw", Config) == config
    described = json.loads((run / "config.json").read_text())
    assert described["versions"]["jax"] == jax.__version__
    other = mv.runs.create("draw", config, 3, jax.devices()[0], tmp_path)
    assert other != run


def test_settings_from_elsewhere_are_said(tmp_path):
    run = mv.runs.create("draw", Config(), 0, jax.devices()[0], tmp_path)
    with pytest.raises(ValueError, match="is a run of draw, not of fit"):
        mv.runs.settings(run, "fit", Config)
    with pytest.raises(ValueError, match=r"is no run directory: it has no config\.json"):
        mv.runs.settings(tmp_path, "draw", Config)
    (run / "config.json").write_text('{"experiment": "draw", "set')
    with pytest.raises(ValueError, match="is damaged or from elsewhere"):
        mv.runs.settings(run, "draw", Config)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"name": 5}, "name cannot be 5"),
        ({"hidden": "wide"}, "hidden cannot be 'wide'"),
        ({"more": 1}, "there is no setting more"),
        ({"name": ...}, "KeyError: 'name'"),
    ],
)
def test_settings_that_were_changed_by_hand_are_said(change, what, tmp_path):
    run = mv.runs.create("draw", Config(), 0, jax.devices()[0], tmp_path)
    described = json.loads((run / "config.json").read_text())
    changed = {**described["settings"], **change}
    described["settings"] = {name: value for name, value in changed.items() if value is not ...}
    (run / "config.json").write_text(json.dumps(described))
    with pytest.raises(ValueError, match=f"is damaged or from elsewhere .*{what}"):
        mv.runs.settings(run, "draw", Config)


def test_a_run_keeps_its_data(tmp_path):
    data = (np.arange(3.0), np.ones((2, 2)))
    run = mv.runs.create("draw", Config(), 0, jax.devices()[0], tmp_path, data)
    mv.runs.require_same_data(run, data)
    for other in ((np.arange(3.0), np.zeros((2, 2))), (np.arange(3), np.ones((2, 2))), data[:1]):
        with pytest.raises(ValueError, match="have changed since"):
            mv.runs.require_same_data(run, other)


def test_a_run_directory_is_one_process_alone(tmp_path):
    other = f"import mvcalc_jax as mv; from pathlib import Path\nwith mv.runs.alone(Path({str(tmp_path)!r})): pass"
    command = [sys.executable, "-c", other]
    with mv.runs.alone(tmp_path):
        refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert f"another process is at work in {tmp_path}" in refused.stderr
    assert subprocess.run(command, check=False).returncode == 0


def test_a_directory_in_which_nothing_was_computed_is_removed(tmp_path):
    run = mv.runs.create("draw", Config(), 0, jax.devices()[0], tmp_path)
    mv.runs.save_arrays(run / "params.npz", TREE)
    assert not mv.runs.discard_unused(run)
    (run / "params.npz").unlink()
    assert mv.runs.discard_unused(run)
    assert not run.exists()


def test_a_resumed_run_keeps_its_settings():
    mv.runs.require_same(Config(), Config(name="star"), but=("name",))
    with pytest.raises(ValueError, match=r"hidden was \(6, 7\) and cannot become \(9,\)"):
        mv.runs.require_same(Config(), Config(hidden=(9,)), but=("name",))


def test_metrics_are_a_table(tmp_path):
    mv.runs.write_metrics(tmp_path, {"step": np.arange(3), "cost": np.array([1.5, np.nan, 0.1])})
    assert (tmp_path / "metrics.csv").read_text() == "step,cost\n0,1.5\n1,nan\n2,0.1\n"


def test_a_report_says_what_to_try_next(tmp_path, capsys):
    ahead = mv.runs.Next("python -m experiments.more", "more of it")
    run = mv.runs.create("draw", Config(), 0, jax.devices()[0], tmp_path)
    mv.runs.report(
        run, "Why?", ahead, "Because.", mv.runs.Picture("how", "how.png"), [("a", "b"), ("1", "2")]
    )
    written = (run / "report.md").read_text()
    assert written == (
        "# Why?\n\nBecause.\n\n![how](how.png)\n\n*how*\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n"
        "## What to try next\n\n- `python -m experiments.more`: more of it\n"
    )
    said = capsys.readouterr().out
    assert (
        said
        == f"\nWhy?\nBecause.\n\na  b\n1  2\n\nwrote {run}: report.md\nnext: python -m experiments.more\n"
    )


@pytest.mark.parametrize("path", ["", ".", "/"])
def test_a_path_without_a_name_is_a_folder(path):
    with pytest.raises(IsADirectoryError):
        write_text(Path(path), "words")
