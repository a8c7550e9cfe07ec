"""A progress bar: steps, steps a second, and the cost. In a notebook by its widgets, or as text where it has none;
else on stderr, and silent where that is no terminal."""

import sys
from threading import RLock

import numpy as np

from mvcalc_jax.descent.result import Stream, Watcher


def progress_bar(steps: int, begun: int = 0) -> Watcher:
    """A watcher that shows how far a run has come of `steps`, `begun` of which were taken before.

    >>> watch = mv.descent.progress_bar(3)  # on a terminal; `progress=True` does the same
    >>> mv.steepest_descent(lambda p: p, np.float32([1.0]), steps=3, learning_rate=0.5, watch=[watch]).steps
    3
    """

    def watch(stream: Stream) -> Stream:
        from tqdm.auto import tqdm  # which, in a notebook without widgets, says what to install

        if not hasattr(tqdm, "_lock"):
            tqdm.set_lock(RLock())  # its own choice would load multiprocessing, for a tenth of a second
        silent = False if "ipykernel" in sys.modules else None  # None: where stderr is no terminal
        with tqdm(total=steps, initial=begun, unit=" steps", unit_scale=True, disable=silent) as bar:
            for part in stream:
                if part.cost is not None:
                    label = "median cost" if np.ndim(part.cost) else "cost"
                    bar.set_postfix_str(f"{label} {np.median(part.cost):.4g}", refresh=False)
                bar.update(part.steps - bar.n)
                yield part

    return watch
