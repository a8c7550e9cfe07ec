"""A strategy of the player's own: a function of a file, run in a process beside this one.

Beside it, because whatever it does there – raise, print, loop for ever, end its process – ends that strategy and not
the game, and no thread of an endless loop is left behind. It costs a tenth of a millisecond a step. The process hears
and answers in lines of JSON; see `worker`.
"""

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mvcalc_jax import require
from mvcalc_jax.sandpit.strategies.strategy import Failed, Strategy

PATIENCE = 3.0
"""Seconds that a step may take."""
_LOADING = 60.0
"""Seconds that the file may take to load."""


def own_strategy(name: str, *, patience: float = PATIENCE) -> Strategy:
    r"""The strategy that a function of a file is.

    Args:
        name: FILE.py:f, where f(state, position, depth, gradient, hessian) returns (state, step), all in NumPy. The
            state before the first step is None. A parameter called learning_rate is given that, too.
        patience: seconds that one step may take.

    Raises:
        ValueError: where there is no such function, or it does not take these arguments.

    >>> from pathlib import Path
    >>> _ = Path("mine.py").write_text("def step(state, p, depth, g, H): return state, -0.1 * g\n")
    >>> mine = mv.sandpit.own_strategy("mine.py:step")
    >>> mv.sandpit.walk(mv.sandpit.floor("wells"), mine, (2.0, 4.0)).found
    True
    """
    require.positive("patience", patience)
    strategy = OwnStrategy(name, f"{name}, a strategy of your own", _none, _not_here, patience=patience)
    try:
        strategy.load()
    except Failed as error:
        raise ValueError(str(error)) from None
    return strategy


def _none(position: Any) -> None:
    return None


def _not_here(*_: Any) -> tuple[Any, Any]:
    raise Failed("runs in a process of its own only")


@dataclass(frozen=True, eq=False)
class OwnStrategy(Strategy):
    """A strategy whose `next` asks another process. The state is the number of one that is kept there."""

    patience: float = PATIENCE
    _worker: "list[_Worker]" = field(default_factory=list, repr=False)
    """The process that runs; none before the first call and after one that had to be ended."""
    _lock: Any = field(default_factory=threading.Lock, repr=False)

    def load(self) -> None:
        """Start the process, unless it runs.

        Raises:
            Failed: where the file or the function in it is not what it should be.
        """
        with self._lock:
            self._running()

    def begin(self, position: Any) -> Any:
        """None, as for every player."""
        return None

    def next(
        self, state: Any, position: Any, depth: Any, gradient: Any, hessian: Any, learning_rate: float | None
    ) -> tuple[Any, Any]:
        """The number of the state and the step after one dip.

        Raises:
            Failed: where the function raises, returns something else, or takes too long.
        """
        told = {"state": state, "learning_rate": self.rate(learning_rate)}
        told |= {"position": position, "depth": depth, "gradient": gradient, "hessian": hessian}
        with self._lock:
            answer = self._asked(self._running(), told, self.patience)
        return answer["state"], np.array(answer["step"], float)

    def _running(self) -> "_Worker":
        if not self._worker:
            worker = _Worker(self.name)
            weakref.finalize(self, worker.end)
            self._worker.append(worker)
            self._asked(worker, None, _LOADING)
        return self._worker[0]

    def _asked(self, worker: "_Worker", told: Any, seconds: float) -> dict[str, Any]:
        """What the process answers; if it does not, it is ended, and another is started when it is needed."""
        try:
            answer = worker.asked(told, seconds)
        except Failed as error:
            worker.end()
            self._worker.clear()
            raise Failed(f"{self.name} {error}, loading" if told is None else str(error)) from None
        if "error" in answer:
            if told is None:
                worker.end()
                self._worker.clear()
            raise Failed(answer["error"])
        return answer


class _Worker:
    """A process, and a thread that hears what it says."""

    def __init__(self, name: str):
        root = str(Path(__file__).parents[3])
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(
            # as a file, for as a module it would wait for the whole sandpit; -P: the folder is not to be searched
            [sys.executable, "-P", str(Path(__file__).with_name("worker.py")), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            # a process of so small steps needs no GPU, and starting one takes seconds
            env={"JAX_PLATFORMS": "cpu"} | dict(os.environ) | {"PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True,  # Ctrl-C is for the game
        )
        self._heard: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=_hear, args=(self._process, self._heard), daemon=True).start()

    def asked(self, told: Any, seconds: float) -> dict[str, Any]:
        """The answer to a question; None asks whether the file is loaded."""
        if told is not None:
            with contextlib.suppress(OSError, ValueError):  # a process that is gone has no answer, either
                assert self._process.stdin
                self._process.stdin.write(json.dumps(told, default=lambda a: np.asarray(a).tolist()) + "\n")
                self._process.stdin.flush()
        try:
            line = self._heard.get(timeout=seconds)
        except queue.Empty:
            raise Failed(f"did not return within {seconds:g} s") from None
        if not line:
            raise Failed("ended its process")
        return json.loads(line)

    def end(self) -> None:
        """Kill the process, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError, ValueError):
                assert pipe
                pipe.close()


def _hear(process: subprocess.Popen, heard: "queue.SimpleQueue[str]") -> None:
    """Put every line that a process says into a queue, and "" where it says no more."""
    with contextlib.suppress(OSError, ValueError):
        assert process.stdout
        for line in process.stdout:
            heard.put(line)
    heard.put("")
