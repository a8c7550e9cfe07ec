"""The table of local derivatives, second part: steps that move, copy, choose and sum entries of arrays.

Moving, copying and choosing: every entry of the output is one entry of an input, so ∂y/∂x holds ones and zeros. Forward
mode moves changes along; reverse mode carries ∂(result)/∂y back to where each entry came from, and sums where it was
copied. Where it came from is found by letting the step move numbers of entries instead of the entries.
Sums and matrix products are linear in each operand, and are pushed forward as they stand; pulled back, a sum is spread
and a product AB gives Ā = G Bᵀ and B̄ = Aᵀ G.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jax import lax

from mvcalc_jax.calculus.tracing.rule import At, Local, Rule, linear, summed

LinearStep = Callable[[At, int], Local]


def _said(word: str, formula: str, local: LinearStep, partial: str = "1 where taken") -> Rule:
    return Rule(lambda at: word, formula, [partial] * 9, local)


def _applied(at: At, t: Any) -> Any:
    """The step itself, carried out with a change."""
    return np.asarray(at.apply(t)[0])


def _reshaped(at: At, k: int) -> Local:
    return linear(lambda t: np.reshape(t, at.y.shape), lambda g: np.reshape(g, at.xs[0].shape))


def _transposed(at: At, k: int) -> Local:
    order = at.params["permutation"]
    return linear(lambda t: np.transpose(t, order), lambda g: np.transpose(g, np.argsort(order)))


def _reversed(at: At, k: int) -> Local:
    flip = lambda t: np.flip(t, at.params["dimensions"])
    return linear(flip, flip)


def _same(at: At, k: int) -> Local:
    return linear(lambda t: t.astype(at.y.dtype), lambda g: g.astype(at.xs[0].dtype))


def _broadcast(at: At, k: int) -> Local:
    to, shape = at.params["broadcast_dimensions"], at.xs[0].shape
    copied = tuple(d for d in range(at.y.ndim) if d not in to or at.y.shape[d] != shape[list(to).index(d)])
    return linear(lambda t: _applied(at, t), lambda g: np.reshape(summed(g, copied), shape))


def _spread(x: Any, at: At) -> Any:
    """A value for each reduced block, to every entry of the block."""
    shape = at.xs[0].shape
    return np.broadcast_to(
        np.reshape(x, [1 if d in at.params["axes"] else n for d, n in enumerate(shape)]), shape
    )


def _sum(at: At, k: int) -> Local:
    return linear(lambda t: _applied(at, t), lambda g: _spread(g, at))


def _extreme(at: At, k: int) -> Local:
    """Ties share equally."""
    chosen = (at.xs[0] == _spread(at.y, at)).astype(at.y.dtype)
    count = np.sum(chosen, axis=at.params["axes"], dtype=chosen.dtype)
    push = lambda t: summed(t * chosen, at.params["axes"]) / count
    return linear(push, lambda g: _spread(g / count, at) * chosen)


def _extreme_kink(at: At) -> str | None:
    ties = np.sum(at.xs[0] == _spread(at.y, at)) > np.size(at.y)
    return "not differentiable where entries tie; taken: an equal share of each" if ties else None


def _product(at: At, k: int) -> Local:
    """The product of all other entries, from the products before and behind, so that zeros do no harm."""
    axes, x = at.params["axes"], at.xs[0]
    rows = np.moveaxis(x, axes, range(len(axes)))
    flat = rows.reshape(-1, *rows.shape[len(axes) :])
    ones = np.ones_like(flat[:1])
    before = np.concatenate([ones, np.cumprod(flat, axis=0, dtype=x.dtype)[:-1]])
    behind = np.concatenate([ones, np.cumprod(flat[::-1], axis=0, dtype=x.dtype)[:-1]])[::-1]
    others = np.moveaxis((before * behind).reshape(rows.shape), range(len(axes)), axes)
    return linear(lambda t: summed(t * others, axes), lambda g: _spread(g, at) * others)


def _running_sum(at: At, k: int) -> Local:
    back = not at.params["reverse"]
    return linear(lambda t: _applied(at, t), lambda g: np.asarray(at.apply(g, reverse=back)[0]))


def _dot(at: At, k: int) -> Local:
    dimensions, other = at.params["dimension_numbers"], at.xs[1 - k]
    (contracted, batch), swap = dimensions, (lambda a, b: (a, b) if k == 0 else (b, a))
    own_c, other_c = swap(*contracted)
    own_b, other_b = swap(*batch)
    own_kept, other_kept = (
        [d for d in range(x.ndim) if d not in (*c, *b)]
        for x, c, b in ((at.xs[k], own_c, own_b), (other, other_c, other_b))
    )
    batched = list(range(len(own_b)))
    first = len(batched) + (len(own_kept) if k == 0 else 0)  # where y has the axes of the other operand
    theirs = list(range(first, first + len(other_kept)))
    order = [*own_b, *own_kept, *np.take(own_c, np.argsort(other_c)).astype(int)]

    def pull(g: Any) -> Any:
        found = lax.dot_general(
            g, other, ((theirs, other_kept), (batched, other_b)), precision=at.params["precision"]
        )
        return np.transpose(np.asarray(found), np.argsort(order))

    return linear(lambda t: np.asarray(at.apply(*swap(t, other))[0]), pull)


def _select(at: At, k: int) -> Local:
    chosen = at.xs[0] == (k - 1)
    keep = lambda t: np.where(chosen, t, np.zeros_like(t))
    return linear(keep, keep)._replace(value=chosen.astype(at.y.dtype))


def _split(at: At, k: int) -> Local:
    """One input, several outputs that lie side by side in it."""
    sizes, axis = at.params["sizes"], at.params["axis"]
    ends = np.cumsum(sizes)[:-1]

    def pull(g: Sequence[Any]) -> tuple[Any, ...]:
        parts = [np.zeros_like(y) if part is None else part for part, y in zip(g, at.ys, strict=True)]
        return (np.concatenate(parts, axis),)

    return Local(lambda t: np.split(t, ends, axis), pull)


def _unstacked(at: At, k: int) -> Local:
    axis = at.params["axis"]

    def pull(g: Sequence[Any]) -> tuple[Any, ...]:
        parts = [np.zeros_like(y) if part is None else part for part, y in zip(g, at.ys, strict=True)]
        return (np.stack(parts, axis),)

    return Local(lambda t: list(np.moveaxis(t, axis, 0)), pull)


def _moved(*data: int) -> LinearStep:
    """A step that moves the entries of these inputs (of all, if none are named); the rest say where from or to."""

    def local(at: At, k: int) -> Local:
        fill = {"fill_value": -1} if "fill_value" in at.params else {}
        numbers = list(at.xs)
        for j in data or range(len(at.xs)):
            nowhere = np.full(at.xs[j].shape, -1, np.int32)
            numbers[j] = np.arange(nowhere.size, dtype=np.int32).reshape(nowhere.shape) if j == k else nowhere
        return _from(np.asarray(at.apply(*numbers, **fill)[0]), at.xs[k].shape)

    return local


def _from(source: Any, shape: tuple[int, ...]) -> Local:
    """Every entry of the output is the entry of this number of the input, or none of it where that is negative."""
    there = source >= 0

    def push(t: Any) -> Any:
        return np.where(there, np.take(t, np.where(there, source, 0)), np.zeros_like(t, shape=()))

    def pull(g: Any) -> Any:
        found = np.zeros(int(np.prod(shape)), g.dtype)
        np.add.at(found, source[there], g[there])
        return found.reshape(shape)

    return linear(push, pull)


def _beyond(at: At) -> str | None:
    """Whether an index is out of range although it was promised that none is."""
    starts, shape, sizes = at.xs[1], at.xs[0].shape, at.params["slice_sizes"]
    last = [shape[d] - sizes[d] for d in at.params["dimension_numbers"].start_index_map]
    beyond = at.params["mode"] == lax.GatherScatterMode.PROMISE_IN_BOUNDS and np.any(
        (starts < 0) | (starts > last)
    )
    return (
        "an index of {0} is out of range, where jax.grad and jax.jvp differ; taken: jax.jvp's"
        if beyond
        else None
    )


def _sorted(at: At, k: int) -> Local:
    """All operands are put in one order, which one more operand, of positions, shows."""
    axis = at.params["dimension"]
    positions = np.broadcast_to(
        np.expand_dims(
            np.arange(at.xs[k].shape[axis], dtype=np.int32), [d for d in range(at.xs[k].ndim) if d != axis]
        ),
        at.xs[k].shape,
    )
    order = np.asarray(at.apply(*at.xs, positions)[-1])

    def push(t: Any) -> list[Any]:
        zero = [np.zeros_like(y) for y in at.ys]
        zero[k] = np.take_along_axis(t, order, axis)
        return zero

    def pull(g: Sequence[Any]) -> tuple[Any, ...]:
        found = np.zeros_like(at.xs[k])
        if g[k] is not None:
            np.put_along_axis(found, order, g[k], axis)
        return (found,)

    return Local(push, pull)


def _scattered_sum(at: At, k: int) -> Local:
    """x with u added to some entries: both are linear; of u's entries, each is taken back from where it was added."""
    if k == 0:
        return linear(lambda t: t, lambda g: g)
    where, to = at.xs[1], at.params["dimension_numbers"]
    shape = at.xs[2].shape
    window = iter(np.take(shape, to.update_window_dims).astype(int))
    apart = (*to.inserted_window_dims, *to.operand_batching_dims)
    sizes = tuple(1 if d in apart else int(next(window)) for d in range(at.xs[0].ndim))
    numbers = lax.GatherDimensionNumbers(
        offset_dims=to.update_window_dims,
        collapsed_slice_dims=to.inserted_window_dims,
        start_index_map=to.scatter_dims_to_operand_dims,
        operand_batching_dims=to.operand_batching_dims,
        start_indices_batching_dims=to.scatter_indices_batching_dims,
    )

    def pull(g: Any) -> Any:
        return np.asarray(lax.gather(g, where, numbers, sizes, mode=at.params["mode"], fill_value=0))

    return linear(lambda t: np.asarray(at.apply(np.zeros_like(at.xs[0]), where, t)[0]), pull)


def _round(at: At, k: int) -> Local:
    def pull(g: Any) -> Any:
        found = np.zeros_like(at.xs[0])
        found[at.params["index"]] = g
        return found

    return linear(lambda t: t[at.params["index"]], pull)


def _rows(at: At, k: int) -> Local:
    def push(t: Any) -> Any:
        found = np.zeros_like(at.y)
        found[k] = t
        return found

    return linear(push, lambda g: g[k])


STRUCTURAL: dict[str, Rule] = {
    "enter": _said("same", "{0}", _same, "1"),
    "copy": _said("same", "{0}", _same, "1"),
    "copy_p": _said("same", "{0}", _same, "1"),
    "convert_element_type": _said("same", "{0}", _same, "1"),
    "reduce_precision": _said("same", "{0}", _same, "1"),
    "reshape": _said("reshaped", "reshape({0})", _reshaped, "1"),
    "squeeze": _said("reshaped", "{0}", _reshaped, "1"),
    "expand_dims": _said("reshaped", "{0}", _reshaped, "1"),
    "transpose": _said("moved", "{0}ᵀ", _transposed),
    "rev": _said("moved", "reversed({0})", _reversed),
    "broadcast_in_dim": _said("copied", "copies of {0}", _broadcast, "1 to each copy"),
    "reduce_sum": _said("sum of entries", "Σ {0}", _sum, "1 to each entry"),
    "reduce_max": Rule(
        lambda at: "choice: the largest", "max {0}", ["1 at the largest"], _extreme, _extreme_kink
    ),
    "reduce_min": Rule(
        lambda at: "choice: the smallest", "min {0}", ["1 at the smallest"], _extreme, _extreme_kink
    ),
    "reduce_prod": _said("product of entries", "Π {0}", _product, "Π of the others"),
    "cumsum": _said("running sum", "cumsum({0})", _running_sum, "1 from there on"),
    "dot_general": Rule(
        lambda at: "product of matrices" if all(at.moves) else "linear map", "{0} @ {1}", ["{1}", "{0}"], _dot
    ),
    "select_n": _said("choice", "{2} if {0} else {1}", _select, "1 if chosen"),
    "split": _said("taken apart", "parts of {0}", _split),
    "unstack": _said("taken apart", "rows of {0}", _unstacked),
    "stack": _said("put together", "stack({0}, …)", _moved()),
    "concatenate": _said("put together", "join({0}, …)", _moved()),
    "pad": _said("put together", "pad({0})", _moved(0, 1)),
    "tile": _said("copied", "copies of {0}", _moved(0), "1 to each copy"),
    "slice": _said("part", "part of {0}", _moved(0)),
    "dynamic_slice": _said("part", "part of {0}", _moved(0)),
    "gather": _said("part", "{0}[{1}]", _moved(0))._replace(kink=_beyond),
    "dynamic_update_slice": _said("put together", "{0} with {1} put in", _moved(0, 1)),
    "scatter": _said("put together", "{0} with {2} put in", _moved(0, 2)),
    "scatter-add": _said("sum", "{0} with {2} added", _scattered_sum, "1 where added"),
    "sort": _said("moved", "sorted({0})", _sorted),
    "entry": _said("part", "{0}[{index}]", _round),
    "rows": _said("put together", "stack({0}, …)", _rows),
}
"""By primitive. `enter`, `entry` and `rows` are steps of `record`: into a function, a loop's round and out of it."""
