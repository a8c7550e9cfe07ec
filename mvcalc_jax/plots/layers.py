"""Where the nodes of a graph without cycles are drawn: in layers, each below those that it depends on.

Sugiyama's way: a node's layer is the length of the longest path to it; an edge over several layers runs through a place
of its own in each; the order within the layers has every node near its neighbours; then so have their positions.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise
from typing import NamedTuple

import numpy as np

_SWEEPS, _STARTS = 6, 6
_NARROW = 0.5
"""The room that an edge takes as it passes between nodes, which take 1."""


class Placed(NamedTuple):
    """Nodes and edges with their places: x in widths of a node, y the number of the layer, 0 the first.

    >>> found = mv.plots.layers.placed({"x": [], "y": ["x"]})
    >>> found.nodes, found.edges
    ({'x': (0.0, 0), 'y': (0.0, 1)}, {('x', 'y'): [(0.0, 0), (0.0, 1)]})
    """

    nodes: dict[str, tuple[float, int]]
    edges: dict[tuple[str, str], list[tuple[float, int]]]


def placed(parents: Mapping[str, Sequence[str]]) -> Placed:
    """Places for the nodes of a graph, each named with those that it depends on, which come before it.

    >>> found = mv.plots.layers.placed({"x": [], "sin": ["x"], "product": ["x", "sin"]})
    >>> {name: layer for name, (_, layer) in found.nodes.items()}
    {'x': 0, 'sin': 1, 'product': 2}
    """
    layer: dict[str, int] = {}
    for node, above in parents.items():
        layer[node] = 1 + max((layer[p] for p in above), default=-1)
    for node in reversed(list(parents)):  # nearer to those that need it, so that edges are short
        below = [layer[child] for child, above in parents.items() if node in above]
        if below and parents[node]:
            layer[node] = min(below) - 1
    last = 1 + max(layer.values())
    rows: list[list[tuple]] = [[] for _ in range(last)]
    links: dict[tuple, list[tuple]] = {}
    for node in parents:
        rows[layer[node]].append((node,))
    paths = {}
    for node, above in parents.items():
        for parent in dict.fromkeys(above):
            between = [(parent, node, y) for y in range(layer[parent] + 1, layer[node])]
            for place in between:
                rows[place[2]].append(place)
            paths[parent, node] = path = [(parent,), *between, (node,)]
            for a, b in pairwise(path):
                links.setdefault(a, []).append(b)
                links.setdefault(b, []).append(a)
    best = None
    for shuffle in range(_STARTS):  # one start may end at an order that no exchange improves
        mixed = np.random.default_rng(shuffle)
        if shuffle:
            rows = [[row[k] for k in mixed.permutation(len(row))] for row in rows]
        for sweep in range(_SWEEPS):
            x = {place: float(k) for row in rows for k, place in enumerate(row)}
            for row in rows if sweep % 2 == 0 else rows[::-1]:
                _settle(row, x, links, reorder=True)
            _swap(rows, links)
            crossed = sum(_crossings(a, b, links) for a, b in pairwise(rows))
            if best is None or crossed < best[0]:
                best = crossed, [list(row) for row in rows]
    rows = best[1] if best else rows
    x = {place: float(k) for row in rows for k, place in enumerate(row)}
    for sweep in range(_SWEEPS):
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            _settle(row, x, links, reorder=False)
    level = {place: y for y, row in enumerate(rows) for place in row}
    nodes = {node: (x[(node,)], level[(node,)]) for node in parents}
    return Placed(nodes, {edge: [(x[p], level[p]) for p in path] for edge, path in paths.items()})


def _settle(
    row: list[tuple], x: dict[tuple, float], links: Mapping[tuple, list[tuple]], reorder: bool
) -> None:
    """Move the places of a layer to the middle of their neighbours, as near as the room that each takes allows."""
    wanted = {p: float(np.mean([x[q] for q in links.get(p, [p])])) for p in row}
    if reorder:
        row.sort(key=lambda p: wanted[p])
    width = [1.0 if len(p) == 1 else _NARROW for p in row]
    room = np.concatenate([[0], np.cumsum([(a + b) / 2 for a, b in pairwise(width)])])
    blocks: list[list[float]] = []  # the nearest increasing sequence: neighbours that collide share a mean
    for p, offset in zip(row, room, strict=True):
        blocks.append([wanted[p] - offset, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (a, n), (b, m) = blocks[-2:]
            blocks[-2:] = [[(a * n + b * m) / (n + m), n + m]]
    spots = np.repeat([b[0] for b in blocks], [int(b[1]) for b in blocks]) + room
    x.update(zip(row, map(float, spots), strict=True))


def _crossings(upper: list[tuple], lower: list[tuple], links: Mapping[tuple, list[tuple]]) -> int:
    """How many pairs of edges between two layers cross."""
    below = {place: k for k, place in enumerate(lower)}
    ends = [(k, below[q]) for k, p in enumerate(upper) for q in links.get(p, []) if q in below]
    return sum((a[0] - b[0]) * (a[1] - b[1]) < 0 for a, b in combinations(ends, 2))


def _swap(rows: list[list[tuple]], links: Mapping[tuple, list[tuple]]) -> None:
    """Exchange neighbours wherever fewer edges cross then."""
    for y, row in enumerate(rows):
        near = [rows[k] for k in (y - 1, y + 1) if 0 <= k < len(rows)]
        for k in range(len(row) - 1):
            before = sum(_crossings(row, other, links) for other in near)
            row[k], row[k + 1] = row[k + 1], row[k]
            if sum(_crossings(row, other, links) for other in near) >= before:
                row[k], row[k + 1] = row[k + 1], row[k]
