"""Trees of arrays in files: `.npz`, whole or not there at all, an array for each leaf, named by its path in the tree.

Arrays are stored without pickle: nothing that a file contains is ever executed.
"""

from pathlib import Path
from typing import Any

import jax
import numpy as np

from mvcalc_jax.atomic import replacing


def save_arrays(path: Path | str, tree: Any) -> None:
    """Write every leaf of a tree of arrays to an `.npz` file, under its path in the tree.

    >>> mv.runs.save_arrays("params.npz", {"W": np.eye(2), "b": np.zeros(2)})
    """
    arrays: Any = {jax.tree_util.keystr(key): np.asarray(leaf) for key, leaf in _leaves(tree)}
    with replacing(Path(path)) as file:
        np.savez(file, **arrays)


def load_arrays(path: Path | str, like: Any) -> Any:
    """Read a tree of arrays that `save_arrays` wrote.

    Args:
        path: of the `.npz` file.
        like: a tree of the structure, dtypes and shapes expected; where it has an axis of length 0, any
            length will do.

    Raises:
        ValueError: where the file is cut short, or its arrays are others.
        OSError: where it cannot be read.

    >>> mv.runs.save_arrays("params.npz", {"W": np.eye(2)})
    >>> mv.runs.load_arrays("params.npz", like={"W": np.eye(2)})["W"].tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    path = Path(path)
    with path.open("rb") as opened:
        try:
            with np.load(opened, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
        except Exception:  # a damaged archive can fail in any way
            raise ValueError(f"{path} is damaged, or no file of arrays; delete it to start anew") from None
    leaves = []
    for key, leaf in _leaves(like):
        name, expected = jax.tree_util.keystr(key), np.asarray(leaf)
        found = arrays.pop(name, None)
        if found is None:
            raise ValueError(
                f"{path} belongs to another kind of run: it lacks {name}; delete it to start anew"
            )
        if found.dtype.kind == "V":  # NumPy writes the bits of a dtype that is not its own, such as bfloat16
            found = found.view(expected.dtype) if found.dtype.itemsize == expected.dtype.itemsize else found
        fits = found.ndim == expected.ndim and all(
            want in (0, got) for want, got in zip(expected.shape, found.shape, strict=True)
        )
        if found.dtype != expected.dtype or not fits:
            raise ValueError(
                f"{path} belongs to another kind of run: {name} must be {expected.dtype}{list(expected.shape)}; "
                f"got {found.dtype}{list(found.shape)}; delete it to start anew"
            )
        leaves.append(found)
    if arrays:
        raise ValueError(f"{path} belongs to another kind of run: it also holds {min(arrays)}")
    return jax.tree.unflatten(jax.tree.structure(like), leaves)


def _leaves(tree: Any) -> list[tuple[Any, Any]]:
    return jax.tree_util.tree_leaves_with_path(tree)
