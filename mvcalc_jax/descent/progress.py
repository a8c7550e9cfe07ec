"""A progress bar on stderr: steps, steps a second, and the cost. Silent where stderr is no terminal."""

import numpy as np
from tqdm import tqdm

from mvcalc_jax.descent.result import Stream, Watcher


def progress_bar(steps: int) -> Watcher:
    """A watcher that shows how far a run has come of `steps`."""

    def watch(stream: Stream) -> Stream:
        with tqdm(total=steps, unit=" steps", unit_scale=True, disable=None) as bar:
            for part in stream:
                bar.update(part.steps - bar.n)
                if part.cost is not None:
                    label = "median cost" if np.ndim(part.cost) else "cost"
                    bar.set_postfix_str(f"{label} {np.median(part.cost):.4g}", refresh=False)
                yield part

    return watch
