"""The process of a player's strategy: `python worker.py FILE.py:f`; it imports little, so that it is there soon.

It answers in lines of JSON: {} once the file is loaded, then for each line {state, position, …} a line {state, step}.
States stay here, where they may be anything; what goes out are numbers by which they are found again. A line {error}
says what went wrong. What the player's code prints goes to stderr, and it finds nothing to read.
"""

import inspect
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from mvcalc_jax import named

_KEPT = 10_000
"""States that are kept: the last ones."""
_ARGUMENTS = ("state", "position", "depth", "gradient", "hessian")


def main(name: str) -> None:
    """Load a player's function, and answer until nobody asks any more."""
    heard, said = _pipes()
    threading.Thread(target=_end_with_the_game, args=(os.getppid(),), daemon=True).start()
    try:
        target = named.targets((name,))[0]
        f, rated = _taking(name, target.value)
    except (ValueError, OSError) as error:
        _say(said, {"error": str(error)})
        return
    _say(said, {})
    states: dict[int, Any] = {}
    for number, line in enumerate(heard):
        told = json.loads(line)
        state = None if told["state"] is None else states.get(told["state"])
        arrays = [np.array(told[what]) for what in ("position", "gradient", "hessian")]
        rate = {"learning_rate": told["learning_rate"]} if rated else {}
        try:
            returned = f(state, arrays[0], told["depth"], *arrays[1:], **rate)
            states[number], step = _pair(returned)
        except _NoStep as wrong:
            answer = {"error": str(wrong)}
        except BaseException as error:
            answer = {"error": f"raised {named.blame(error, target.file)}"}
        else:
            answer = {"state": number, "step": step.tolist()}
        states.pop(number - _KEPT, None)
        _say(said, answer)


class _NoStep(Exception):
    """What was returned instead of a state and a step, in a sentence."""


def _pair(returned: Any) -> tuple[Any, np.ndarray]:
    """A state and a step."""
    if not (isinstance(returned, (tuple, list)) and len(returned) == 2):
        raise _NoStep(f"must return (state, step); got {_short(returned)}")
    state, step = returned
    try:
        step = np.asarray(step, float)
    except (TypeError, ValueError):
        raise _NoStep(f"must return a step of two numbers; got {_short(step)}") from None
    if step.shape != (2,):
        raise _NoStep(f"must return a step of two numbers, of shape (2,); got {step.shape}")
    return state, step


def _short(value: Any) -> str:
    """A value, as much of it as a sentence has room for."""
    try:
        words = repr(value)
    except Exception:  # the player's own class may fail at that, too
        words = type(value).__name__
    return words if len(words) <= 60 else f"{words[:57]}…"


def _taking(name: str, value: Any) -> tuple[Callable[..., Any], bool]:
    """A function of the five arguments, and whether it takes the learning rate, too."""
    listed = ", ".join(_ARGUMENTS)
    if not callable(value):
        raise ValueError(f"{name} must be a function of ({listed}); got {type(value).__name__}")
    try:
        signature = inspect.signature(value)
    except ValueError:  # some functions written in C do not tell
        return value, False
    rated = "learning_rate" in signature.parameters
    try:
        signature.bind(*_ARGUMENTS, **({"learning_rate": 1.0} if rated else {}))
    except TypeError:
        raise ValueError(f"{name} must be a function of ({listed}); got one of {signature}") from None
    return value, rated


def _pipes() -> tuple[TextIO, TextIO]:
    """What is heard and where to answer, out of reach of the player's code."""
    heard, said = os.fdopen(os.dup(0), encoding="utf-8"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    with Path(os.devnull).open() as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return heard, said


def _say(said: TextIO, answer: dict[str, Any]) -> None:
    said.write(json.dumps(answer) + "\n")
    said.flush()


def _end_with_the_game(parent: int) -> None:
    """An endless loop shall not outlive the game."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1])
