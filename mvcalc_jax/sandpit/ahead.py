"""What will be wanted is computed beside the game: pars, and the programs of floors and strategies not met so far.

JAX compiles a program for a tenth of a second up to one, which nobody is to wait for after a click. XLA does so without
holding Python's lock; what holds it waits until the player does nothing for a while.
"""

import contextlib
import os
import queue
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

import numpy as np

from mvcalc_jax.sandpit import floors
from mvcalc_jax.sandpit.contest import par
from mvcalc_jax.sandpit.floors import FLOORS, Floor
from mvcalc_jax.sandpit.strategies import STRATEGIES, walk

Job = Callable[[], object]
_REST, _LONG = 1.5, 10.0
"""Seconds after an event of the player's in which nothing is begun that can wait; after which a par no longer can."""
_NICE = 10
_MIDDLE = np.array([3.0, 3.0])


class Ahead:
    """A thread that does jobs one after the other: what is wanted now first, then what may be.

    Args:
        later: what may be wanted.
        within: the context of the jobs, for JAX's settings are a thread's own.
    """

    def __init__(
        self,
        later: Iterable[Job] = (),
        within: Callable[[], AbstractContextManager[object]] = contextlib.nullcontext,
    ):
        self._within = within
        self._wanted: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._later = list(later)
        self._pars: dict[Floor, int | None] = {}
        self._unknown: list[Floor] = []
        self._news, self._stopped = False, threading.Event()
        self._asked, self._disturbed = 0.0, time.monotonic()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def par(self, floor: Floor) -> int | None:
        """The par of a floor; None until it is known."""
        if floor not in self._pars:
            self._asked = time.monotonic()
            self._pars[floor] = None
            self._unknown.append(floor)
        return self._pars[floor]

    def _learn_par(self) -> None:
        """That was asked for last."""
        floor = self._unknown.pop()
        self._pars[floor], self._news = par(floor), True

    def submit(self, job: Job) -> None:
        """Have something done soon."""
        self._wanted.put(job)

    def news(self) -> bool:
        """Whether a par has become known since this was asked last."""
        news, self._news = self._news, False
        return news

    def disturbed(self) -> None:
        """The player does something."""
        self._disturbed = time.monotonic()

    def finish(self) -> None:
        """Do what is wanted, but nothing more, and return when it is done."""
        self._stopped.set()
        self._thread.join()

    def _work(self) -> None:
        with contextlib.suppress(
            AttributeError, OSError
        ):  # not on every system; on Linux it is for this thread alone
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        while (job := self._next()) or not self._stopped.is_set():
            with (
                self._within(),
                contextlib.suppress(Exception),
            ):  # whoever wants it will meet the error himself
                if job:
                    job()

    def _next(self) -> Job | None:
        """What to do; None if for a while there is nothing that may be done now."""
        with contextlib.suppress(queue.Empty):
            return self._wanted.get(timeout=0.1)
        now = time.monotonic()
        resting = now > self._disturbed + _REST
        if self._unknown and (resting or now > self._asked + _LONG):
            return self._learn_par
        if self._later and resting and not self._stopped.is_set():
            return self._later.pop(0)
        return None


def programs(floor: Floor) -> list[Job]:
    """Jobs that compile everything that a player may want to go on to from a floor."""
    jobs: list[Job] = [lambda s=s: walk(floor, s, _MIDDLE, 2) for s in STRATEGIES.values()]
    for name in FLOORS:
        jobs += [
            lambda name=name: floors.floor(name, 0).look(_MIDDLE),
            lambda name=name: par(floors.floor(name, 0)),
        ]
    return jobs
