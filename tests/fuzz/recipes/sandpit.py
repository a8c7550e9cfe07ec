"""Calls of the sandpit: games, walks, floors, strategies of one's own."""

import functools

import numpy as np

import mvcalc_jax as mv
from tests.fuzz.files import brought
from tests.fuzz.recipe import Call, plain, recipe

sandpit = mv.sandpit
OWN = {
    "floor.py": "import jax.numpy as jnp\ndef f(x, y): return jnp.sin(x) * y\ndef g(x, y): return x / (x - 3)\n",
    "broken.py": "def f(x, y:\n",
    "fails.py": "import jax.numpy as jnp\nraise SystemExit(4)\n",
    "step.py": "def f(state, position, depth, gradient, hessian):\n    return state, -0.1 * gradient\n"
    "def g(state, position, depth, gradient, hessian):\n    return None\n",
}


def _own(draw, folder, name):
    for file, text in OWN.items():
        (folder / file).write_text(text)
    if draw.chance(0.3):
        return f"{brought(draw, folder, '.py', '.csv')}:f"
    return f"{folder / (name if draw.chance(0.7) else draw.one(tuple(OWN)))}:{draw.one(('f', 'g', 'h', '', 'f:g'))}"


@recipe("sandpit.floor")
def _(draw, folder):
    name = draw.one((*sandpit.FLOORS, _own(draw, folder, "floor.py")))
    return Call(sandpit.floor, (name,), {"seed": draw.whole(0, 99)})


@recipe("sandpit.own_floor")
def _(draw, folder):
    return Call(sandpit.own_floor, (_own(draw, folder, "floor.py"),))


@recipe("sandpit.own_strategy")
def _(draw, folder):
    return Call(sandpit.own_strategy, (_own(draw, folder, "step.py"),), {"patience": 2.0})


@recipe("sandpit.walk")
def _(draw, folder):
    pit, how = (
        sandpit.floor(draw.one(tuple(sandpit.FLOORS)), draw.whole(0, 3)),
        draw.one(tuple(sandpit.STRATEGIES.values())),
    )
    rate = draw.one((None, 0.1, 1e3))
    return Call(
        sandpit.walk, (pit, how, (3.0, 2.0)), {"steps": draw.whole(0, 9), "learning_rate": rate}, keep=(0,)
    )


@recipe("sandpit.basins", seconds=240)
def _(draw, folder):
    pit, how = sandpit.floor(draw.one(tuple(sandpit.FLOORS)), 0), draw.one(tuple(sandpit.STRATEGIES.values()))
    return Call(sandpit.basins, (pit, how), {"points": draw.whole(2, 5), "dips": draw.whole(1, 5)}, keep=(0,))


@recipe("sandpit.compete", seconds=240)
def _(draw, folder):
    strategies = [draw.one(tuple(sandpit.STRATEGIES.values()))]
    return Call(sandpit.compete, ((draw.one(tuple(sandpit.FLOORS)),), draw.whole(1, 3), strategies))


@recipe("sandpit.Game")
def _(draw, folder):
    options = {"strategy": draw.one(tuple(sandpit.STRATEGIES)), "learning_rate": draw.one((None, 0.3))}
    args = (draw.one(tuple(sandpit.FLOORS)), draw.one(sandpit.MODES), draw.whole(0, 99))
    return Call(sandpit.Game, args, options)


def _game(draw):
    game = sandpit.Game(draw.one(("wells", "valley", "random")), draw.one(sandpit.MODES), draw.whole(0, 3))
    for point in draw.rng.uniform(0, 6, (draw.whole(0, 3), 2)):
        if not game.over:
            game.dip(point)
    return game


@recipe("Game.dip", "Game.use", "Game.another", "Game.strategy", "Game.hint", "Game.reveal", "Game.summary")
def _(draw, folder, name):
    which, game = name.split(".")[1], _game(draw)
    args = {
        "dip": ((draw.real() + 3, 3.0),),
        "use": ("adam", 0.1, ("gradient", "adam")),
        "another": ("wells", "depth", 3),
        "strategy": ("adam",),
    }
    return Call(getattr(game, which), args.get(which, ()))


@recipe("Game.save", "Game.to_csv", "Game.load", "Game.from_code")
def _(draw, folder, name):
    which, game = name.split(".")[1], _game(draw)
    if which == "from_code":
        return Call(sandpit.Game.from_code, (game.code,))
    if which != "load":
        return Call(getattr(game, which), (draw.path(folder, ".json" if which == "save" else ".csv"),))
    game.save(folder / "game.json")
    text = (folder / "game.json").read_text()
    if draw.chance(0.7):
        k = draw.whole(0, len(text) - 1)
        changed = draw.one(
            (text[:k], text[:k] + draw.one(('"', "0", "-", "nan", "{", "null", "[]")) + text[k + 1 :])
        )
        (folder / "game.json").write_text(changed)
    return Call(sandpit.Game.load, (draw.one((folder / "game.json", brought(draw, folder, ".json"))),))


@functools.cache
def _pit():
    return sandpit.floor("wells")


@recipe("Floor.depth", "Floor.gradient", "Floor.hessian", "Floor.look", "Floor.heights")
def _(draw, folder, name):
    at = np.abs(draw.array(4, 2)) if name.endswith("heights") else np.array([3.0, draw.real() + 3])
    return Call(getattr(_pit(), name.split(".")[1]), (at,))


@recipe("Strategy.begin", "Strategy.next", "Strategy.rate", spoil=False)
def _(draw, folder, name):
    which, how, p = name.split(".")[1], draw.one(tuple(sandpit.STRATEGIES.values())), np.array([3.0, 2.0])
    if which == "rate":
        return Call(how.rate, (0.1,))
    return (
        Call(how.begin, (p,))
        if which == "begin"
        else Call(how.next, (how.begin(p), p, -1.0, p / 9, np.eye(2), 0.1))
    )


plain(lambda draw, name: Call(sandpit.State), "sandpit.State", spoil=False)


@recipe("Dip.arrow", spoil=False)
def _(draw, folder):
    dip = sandpit.Dip(1.0, 2.0, -3.0, (draw.real(), draw.one((0.0, np.nan, 1e300))), sandpit.Status.DIGGING)
    return Call(lambda: dip.arrow)
