"""Calls of data, of the run directory, and of pictures: all that reads and writes files."""

import json

import numpy as np

import mvcalc_jax as mv
from tests.fuzz.files import DAMAGE, brought
from tests.fuzz.recipe import Call, plain, recipe

data, runs = mv.data, mv.runs


@recipe("data.curve")
def _(draw, folder):
    name = draw.one(
        (*data.CURVES, str(brought(draw, folder, ".svg", ".csv")), str(brought(draw, folder, ".svg", ".csv")))
    )
    return Call(data.curve, (name, draw.whole(2, 40)))


@recipe("data.histogram")
def _(draw, folder):
    name = draw.one(
        (*data.HISTOGRAMS, str(brought(draw, folder, ".csv")), str(brought(draw, folder, ".csv")))
    )
    return Call(data.histogram, (name,), {"bin_width": draw.one((None, None, 0.5))})


@recipe("data.read_table")
def _(draw, folder):
    return Call(data.read_table, (brought(draw, folder, ".csv"),))


@recipe("data.pooled")
def _(draw, folder):
    a, b = (data.HISTOGRAMS[draw.one(tuple(data.HISTOGRAMS))] for _ in range(2))
    return Call(data.pooled, (a, b), keep=(0, 1))


@recipe("Histogram.padded", "Histogram.merged")
def _(draw, folder, name):
    h = data.HISTOGRAMS[draw.one(tuple(data.HISTOGRAMS))]
    return (
        Call(h.padded, (draw.one((0.0, 3.0, 5.5)),))
        if name.endswith("padded")
        else Call(h.merged, (draw.whole(1, 4),))
    )


plain(lambda draw, name: Call(data.fathers_and_sons), "data.fathers_and_sons")


@recipe("runs.load_arrays")
def _(draw, folder):
    like = {"a": np.zeros(3), "b": (np.zeros((0, 2)), np.zeros(2, "i4"))}
    path = brought(draw, folder, ".npz", harm=1.0)
    if draw.chance(0.5):
        path = folder / "arrays.npz"
        runs.save_arrays(path, like)
        if draw.chance(0.8):
            held = bytearray(path.read_bytes())
            held[draw.whole(0, len(held) - 1)] ^= 1 << draw.whole(0, 7)
            path.write_bytes(held[: draw.one((len(held), draw.whole(0, len(held))))])
    return Call(runs.load_arrays, (path, like), keep=(0, 1))


@recipe("runs.settings")
def _(draw, folder):
    from experiments.draw_curve import Config

    run = runs.create("draw_curve", Config(), 0, mv.devices.choose("cpu"), folder)
    path = run / "config.json"
    if draw.chance(0.5):
        described = json.loads(path.read_text())
        where = draw.one((described, described["settings"], described["settings"], described["settings"]))
        where[draw.one(tuple(where))] = draw.one((None, 1, -1.5, "x", [], {}, [1, "2"], True, 1e999))
        path.write_text(json.dumps(described))
    elif draw.chance(0.6):
        path.write_bytes(DAMAGE[draw.one(tuple(DAMAGE))](draw, path.read_bytes()))
    return Call(runs.settings, (run, "draw_curve", Config), keep=(0, 1, 2))


@recipe("runs.save_arrays", "runs.digest", spoil=False)
def _(draw, folder, name):
    tree = {"a": draw.array(2), "b": [draw.array(1, 2), np.float32(draw.one((np.nan, 1.0)))], "c": ()}
    return (
        Call(runs.digest, (tree,))
        if name == "runs.digest"
        else Call(runs.save_arrays, (folder / "a.npz", tree))
    )


@recipe("runs.write_metrics", "atomic.write_text", "runs.report", spoil=False)
def _(draw, folder, name):
    words = draw.one(("", "a\nb", "ünï|code", "\udcff", "a" * 5000, "* [x](y) `z`"))
    if name == "runs.write_metrics":
        return Call(runs.write_metrics, (folder / "m.csv", {words: [1.0, np.nan], "b": np.array([1, 2])}))
    if name == "runs.report":
        blocks = (words, runs.Next("say", words), runs.Verbatim(words), [("a", "b"), (words, "2")])
        return Call(runs.report, (folder, "title", *blocks))
    return Call(mv.atomic.write_text, (folder / "t.txt", words))


@recipe("runs.create", "runs.describe", "runs.require_same_data", "runs.discard_unused", spoil=False)
def _(draw, folder, name):
    from experiments.rules import Config

    made = runs.create("rules", Config(), draw.whole(0, 9), mv.devices.choose("cpu"), folder)
    if name == "runs.require_same_data":
        return Call(runs.require_same_data, (made, draw.one(((), (np.ones(2),)))))
    if name == "runs.discard_unused":
        return Call(runs.discard_unused, (made,))
    if name == "runs.describe":
        return Call(runs.describe, (made, "rules", Config(), mv.devices.choose("cpu")))
    return Call(runs.create, ("rules", Config(), 0, mv.devices.choose("cpu"), folder))


@recipe("plots.save", "plots.drawable")
def _(draw, folder, name):
    path = draw.one(
        (draw.path(folder, ".png", ".svg", ".pdf", ".jpg", ""), str(folder / "no" / "such.png"), str(folder))
    )
    figure = mv.plots.chart()[0]
    return (
        Call(mv.plots.save, (figure, path), keep=(0,))
        if name == "plots.save"
        else Call(mv.plots.drawable, (path,))
    )


@recipe("plots.drawn")
def _(draw, folder):
    at = lambda path: str(mv.plots.drawn(lambda: mv.plots.chart()[0], path))
    return Call(at, (draw.path(folder, ".png", ".svg", ""),))


plain(
    lambda draw, name: Call(getattr(mv.plots, name.split(".")[1])), "plots.chart", "plots.style", spoil=False
)
