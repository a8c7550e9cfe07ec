"""A suite in a process of its own: memory, precision and compiled programs end with it, and so does a crash."""

import contextlib
import importlib
import multiprocessing
import signal
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import fields
from multiprocessing.connection import Connection, wait
from typing import Any

from benchmarks import results
from benchmarks.results import Measured, MissingError
from mvcalc_jax import command, devices, text


class Why(str):
    """What a suite ended with in place of findings, in a sentence."""

    broken: bool = False


class Broken(Why):
    """An error in the suite, rather than something that is not there."""

    broken = True


class OnlyHere(Why):
    """Asked for a GPU, where all of the suite computes on the processor."""


def each(modules: Sequence[str], quick: bool, device: str) -> Iterator[tuple[str, Measured | Why, float]]:
    """What each suite finds, or why it finds nothing, and its seconds.

    Whoever measures is alone; quick ones, which do not, share the cores, and come as they are done.
    """
    spawn, at_once = multiprocessing.get_context("spawn"), devices.cores() if quick else 1
    waiting, running = list(modules), {}
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                here, there = spawn.Pipe(duplex=False)
                process = spawn.Process(target=_answer, args=(there, waiting[0], quick, device))
                process.start()
                there.close()
                running[here] = waiting.pop(0), process, time.perf_counter()
            for here in wait(list(running)):
                module, process, began = running.pop(here)
                yield module, _received(here, process), time.perf_counter() - began
    finally:
        for _, process, _ in running.values():
            process.terminate()
            process.join()


def _received(here: Any, process: Any) -> Measured | Why:
    with contextlib.suppress(EOFError):
        return here.recv()
    process.join()
    code = process.exitcode
    died = signal.strsignal(-code) if code < 0 else f"with exit code {code}"
    return Broken(f"its process died ({died})")


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
        if isinstance(why, ModuleNotFoundError) and why.name == module:
            return Broken(f"there is no {module}")
        return Why(results.advice(why))
    except Exception as error:
        traceback.print_exc()
        said = command.sentence(error) if command.meant_for_the_user(error) else text.first_line(error)
        return Broken(f"{type(error).__name__}: {said}")
