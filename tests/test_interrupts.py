"""Ctrl-C at the wrong moment: before a command has begun, while something is loaded, where an exception is dropped."""

import signal
import subprocess
import sys
import time

import pytest

from tests.test_command import ROOT

BEGUN = """
import sys, time
sys.argv[0] = {program!r}
from mvcalc_jax import interrupts
interrupts.end_on_interrupt()
{then}
"""
WORK = """
from mvcalc_jax import command
def work(args):
    {work}
    while True: time.sleep(0.02)
command.leave(command.guarded(work, prog="x"))
"""


def interrupted(then, program="/somewhere/bin/mvcalc"):
    """Exit code, stdout and stderr of a process that is interrupted once it says "now"."""
    code = BEGUN.format(program=program, then=then)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, text=True, **pipes)
    assert process.stdout.readline() == "now\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


FOREVER = "print('now', flush=True)\nwhile True: time.sleep(0.02)"


def test_before_a_command_has_begun_the_process_ends():
    assert interrupted(FOREVER) == (130, "", "")


def test_whoever_imports_the_package_keeps_what_interrupts_mean():
    code, _, err = interrupted(FOREVER, "/somebody/elses.py")
    assert code != 130 and err.endswith("KeyboardInterrupt\n")


def test_a_command_is_stopped():
    assert interrupted(WORK.format(work="print('now', flush=True)")) == (130, "", "\nx: stopped\n")


def test_what_is_being_loaded_is_loaded_first(tmp_path):
    (tmp_path / "slow.py").write_text(
        "import time\nprint('now', flush=True)\nfor _ in range(9): time.sleep(0.05)\nprint('loaded', flush=True)\n"
    )
    work = WORK.format(work=f"sys.path.insert(0, {str(tmp_path)!r}); import slow")
    assert interrupted(work) == (130, "loaded\n", "\nx: stopped\n")


def test_what_loads_for_ever_is_stopped(tmp_path):
    (tmp_path / "endless.py").write_text(FOREVER.replace("print", "import time\nprint"))
    work = WORK.format(work=f"sys.path.insert(0, {str(tmp_path)!r}); import endless")
    impatient = f"interrupts._PATIENCE = 0.1\n{work}"
    assert interrupted(impatient) == (130, "", "\nx: stopped\n")


DEAF = """
class Deaf:
    def __del__(self):
        print("now", flush=True)
        sys.stdin.readline()
"""


@pytest.mark.parametrize("then", ["", "; time.sleep(50)"], ids=["at work", "asleep"])
def test_one_that_is_dropped_comes_again(then):
    began = time.monotonic()
    assert interrupted(DEAF + WORK.format(work=f"Deaf(){then}")) == (130, "", "\nx: stopped\n")
    assert time.monotonic() - began < 40


SERVED = """
import asyncio
async def busy():
    try:
        while True: await asyncio.sleep(0)  # an interrupt comes in the middle of an event, as likely as not
    finally:
        print("cancelled")
async def served():
    other = asyncio.ensure_future(busy())
    await asyncio.sleep(0)
    print("now", flush=True)
    while True: await asyncio.sleep(0.01)
"""


def test_what_asyncio_runs_is_cancelled_between_two_events():
    run = f"exec({SERVED!r}, globals())\n    with interrupts.Cancelling(): asyncio.run(served())"
    code, out, err = interrupted(WORK.format(work=run))
    assert (code, err) == (130, "\nx: stopped\n") and out == "cancelled\n"
