"""A stream of fits that is stopped, killed or shared among processes makes the bytes of one that is not."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mvcalc_jax.fitting.hosts import Host
from mvcalc_jax.fitting.journal import Journal
from mvcalc_jax.fitting.stream import fit_file
from tests.cases import long
from tests.fitting.conftest import FITS

pytestmark = pytest.mark.usefixtures("small_blocks")
ROOT = Path(__file__).parent.parent.parent

CHILD = """
import os, signal, sys
from mvcalc_jax.fitting import batch, journal, stream
batch.size_of = lambda *args: batch.Size(32, 128)
stream._SECONDS, journal.PATIENCE = 0.0, 60.0
left, mark = int(os.environ.get("BLOCKS", 10**9)), journal.Journal.mark
def counted(self, blocks):
    global left
    mark(self, blocks)
    left -= 1
    if left == 0:
        os.kill(os.getpid(), getattr(signal, os.environ["BY"]))
journal.Journal.mark = counted
from mvcalc_jax.cli import main
main()
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("compiled")


def child(folder, cache, *args, **environment):
    """A `mvcalc fit y.npy` in a process of its own, with small blocks; it compiles once for all tests."""
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, "fit", "y.npy", "--x", "x.npy", "--no-pictures", *args],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "JAX_COMPILATION_CACHE_DIR": str(cache),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            **environment,
        },
    )


def ended(process):
    out, err = process.communicate(timeout=180)
    return process.returncode, out, err


def stopped(folder, **options):
    """A run that is stopped after its second block."""
    calls = []

    def stop(progress):
        calls.append(progress)
        if len(calls) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_file(folder / "y.npy", watch=stop, **options)


def test_what_has_changed_is_not_gone_on_with(curves, tmp_path):
    stopped(tmp_path)
    assert not (tmp_path / "y_fits.npy").exists()
    with pytest.raises(
        ValueError, match="was begun with model amplitude, and not offset; put it back to go on, or"
    ):
        fit_file(tmp_path / "y.npy", model="offset")
    with pytest.raises(ValueError, match="was begun with max_steps None, and not 3"):
        fit_file(tmp_path / "y.npy", max_steps=3)
    np.save(tmp_path / "y.npy", curves[1])
    with pytest.raises(ValueError, match=r"the file y.npy has changed since .* was begun; put it back"):
        fit_file(tmp_path / "y.npy")
    assert fit_file(tmp_path / "y.npy", force=True).fitted == FITS


def test_a_journal_can_be_read(curves, tmp_path):
    stopped(tmp_path)
    line, letters = (tmp_path / "y_fits.npy.journal").read_text().splitlines()
    assert json.loads(line)["model"] == "amplitude"
    assert letters == "xx...."


def test_a_damaged_journal_is_begun_anew(curves, tmp_path):
    stopped(tmp_path)
    book = tmp_path / "y_fits.npy.journal"
    book.write_bytes(book.read_bytes()[:-3])
    assert fit_file(tmp_path / "y.npy").fitted == FITS


def test_shares_are_all_blocks_once():
    for blocks, count in ((7, 3), (2, 5), (100, 8)):
        assert [k for index in range(count) for k in Host(index, count).share(blocks)] == list(range(blocks))


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_bytes(curves, tmp_path, cache):
    wanted = fit_file(tmp_path / "y.npy", tmp_path / "whole.npy", x=tmp_path / "x.npy").out.read_bytes()
    code, _, _ = ended(child(tmp_path, cache, BLOCKS="2", BY="SIGKILL"))
    assert code == -signal.SIGKILL
    assert (tmp_path / "y_fits.npy.journal").read_text().splitlines()[1] == "xx...."
    code, out, err = ended(child(tmp_path, cache, BLOCKS="1", BY="SIGINT"))
    assert code == 130
    kept = int(re.search(r"(\d+) of 700 fits are done and kept; the same command goes on from there", err)[1])
    assert kept in (256, 384)  # the block that Ctrl-C met may or may not have been written
    code, out, err = ended(child(tmp_path, cache, XLA_FLAGS="--xla_force_host_platform_device_count=4"))
    assert (code, err) == (0, "")
    assert f"{700 - kept} of them in" in out
    assert (tmp_path / "y_fits.npy").read_bytes() == wanted
    assert sorted(path.name for path in tmp_path.glob("y_fits*")) == ["y_fits.npy"]


def test_a_file_that_another_process_works_on_is_left_alone(curves, tmp_path, monkeypatch):
    part = tmp_path / "y_fits.npy.part"
    holder = f"""
import sys
from pathlib import Path
from mvcalc_jax.fitting.journal import Journal
part = Path({str(part)!r})
book = Journal(part.with_suffix(".journal"), 0, 6)
book.begin({{}}, part, part.touch, False)
print("held", flush=True)
sys.stdin.read()
"""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    monkeypatch.setattr("mvcalc_jax.fitting.journal._TRIES", 2)
    with subprocess.Popen([sys.executable, "-c", holder], **pipes) as process:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(ValueError, match=r"another process is at work on .*y_fits.npy.part; wait for it"):
            fit_file(tmp_path / "y.npy")
        process.stdin.close()


def two(folder, cache, port, *args, environments=({}, {})):
    join = ("--coordinator", f"127.0.0.1:{port}", "--processes", "2", "--process-id")
    both = [child(folder, cache, *args, *join, str(k), **environments[k]) for k in range(2)]
    return [ended(process) for process in both]


@pytest.fixture
def port():
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.mark.slow
def test_two_processes_make_the_bytes_of_one(curves, tmp_path, cache, port):
    wanted = fit_file(tmp_path / "y.npy", tmp_path / "whole.npy", x=tmp_path / "x.npy").out.read_bytes()
    first, second = two(tmp_path, cache, port)
    assert (first[0], second[0]) == (0, 0), first[2] + second[2]
    assert "700 fits of 12 points" in first[1]
    assert not second[1]
    assert (tmp_path / "y_fits.npy").read_bytes() == wanted


@pytest.mark.slow
@pytest.mark.parametrize("dying", [0, long(1)])
def test_when_one_of_two_dies_the_other_says_so_and_one_can_go_on_alone(dying, curves, tmp_path, cache, port):
    wanted = fit_file(tmp_path / "y.npy", tmp_path / "whole.npy", x=tmp_path / "x.npy").out.read_bytes()
    environments = [{}, {}]
    environments[dying] = {"BLOCKS": "1", "BY": "SIGKILL"}
    results = two(tmp_path, cache, port, environments=environments)
    assert results[dying][0] == -signal.SIGKILL
    code, _, err = results[1 - dying]
    assert code == 2
    assert f"process {dying} of 2 has ended before its part was done" in err
    assert (tmp_path / "y_fits.npy.journal").read_text().splitlines()[1].count("x") == 4
    code, _, err = ended(child(tmp_path, cache))
    assert code == 0, err
    assert (tmp_path / "y_fits.npy").read_bytes() == wanted


def test_a_journal_of_several_knows_who_lives(tmp_path):
    book = Journal(tmp_path / "journal", 0, 3)
    book.begin({}, tmp_path / "part", (tmp_path / "part").touch, False)
    assert book.others(3) == [True, False, False]
    book.mark([1])
    assert book.done() == [False, True, False]
    book.close()
