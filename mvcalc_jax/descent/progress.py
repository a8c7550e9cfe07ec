"""A progress bar on stderr: steps, steps a second, and the cost. Silent where stderr is no terminal."""

from collections.abc import Generator

import numpy as np
from tqdm import tqdm

from mvcalc_jax.descent.result import Result


def progress_bar(
    stream: Generator[Result, None, None], *, steps: int
) -> Generator[Result, None, None]:
    """Pass every chunk on, and show how far it has come of `steps`."""
    with tqdm(total=steps, unit=" steps", unit_scale=True, disable=None) as bar:
        for part in stream:
            bar.update(part.steps - bar.n)
            if part.cost is not None:
                label = "median cost" if np.ndim(part.cost) else "cost"
                bar.set_postfix_str(f"{label} {np.median(part.cost):.4g}", refresh=False)
            yield part
