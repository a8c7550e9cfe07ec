"""A suite in a process of its own: memory, precision and compiled programs end with it, and so does a crash."""

import contextlib
import importlib
import multiprocessing
import signal
import traceback
from dataclasses import fields
from multiprocessing.connection import Connection
from typing import Any

from benchmarks import results
from benchmarks.results import Measured, MissingError
from mvcalc_jax import command, text


class Why(str):
    """What a suite ended with in place of findings, in a sentence."""

    broken: bool = False


class Broken(Why):
    """An error in the suite, rather than something that is not there."""

    broken = True


class OnlyHere(Why):
    """Asked for a GPU, where all of the suite computes on the processor."""


def run(module: str, quick: bool, device: str) -> Measured | Why:
    """What a suite finds, or why it finds nothing."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_answer, args=(there, module, quick, device))
    process.start()
    there.close()
    try:
        return here.recv()
    except EOFError:
        process.join()
        code = process.exitcode or 0
        died = signal.strsignal(-code) if code < 0 else f"with exit code {code}"
        return Broken(f"its process died ({died})")
    finally:
        process.terminate()
        process.join()


def _answer(there: Connection, module: str, quick: bool, device: str) -> None:
    with contextlib.suppress(KeyboardInterrupt):
        there.send(_found(module, quick, device))


def _found(module: str, quick: bool, device: str) -> Measured | Why:
    try:
        suite: Any = importlib.import_module(module)
        known = {field.name for field in fields(suite.Config)}
        if device == "gpu" and "device" not in known:
            return OnlyHere("all of it computes on the processor")
        chosen = {"device": device} if "device" in known else {}
        return results.measured(suite, suite.Config(quick=quick, **chosen))
    except (MissingError, ModuleNotFoundError) as why:
        return Why(results.advice(why))
    except Exception as error:
        traceback.print_exc()
        said = command.sentence(error) if command.meant_for_the_user(error) else text.first_line(error)
        return Broken(f"{type(error).__name__}: {said}")
