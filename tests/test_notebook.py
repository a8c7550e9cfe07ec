"""In a notebook: its cells are run by a real kernel, and what they show is what was promised."""

import base64
import importlib.util
import io
import json
import os
import re
import subprocess
import sys

import pytest
from PIL import Image

from tests.test_command import ROOT

NEEDED = ("nbclient", "ipykernel", "ipywidgets", "ipympl")
SAYS = """
import jax.numpy as jnp
import numpy as np
import mvcalc_jax as mv

x = np.linspace(-4, 4, 32)
y = 3 * np.exp(-((x - 0.5) ** 2) / 2) + 0.1 * np.random.default_rng(0).normal(size=(3, 32))
"""
CELLS = {
    "imports": SAYS,
    "report": "report = mv.check_jacobian(lambda p: p @ p, lambda p: 3 * p, x[:3])\nreport",
    "picture of a report": "report.plot()",
    "fit": "mv.fit_gaussian(x, y[0])",
    "fits": "mv.fit_gaussian(x, y)",
    "regression": "line = mv.linear_regression(x, y[0])\nline",
    "picture of a regression": "line.plot()",
    "enclosure": "band = mv.taylor_enclosure(lambda x: x * x, 1.0, 0.5, order=1)\nband",
    "picture of an enclosure": "band.plot()",
    "progress": """
run = mv.steepest_descent(lambda p: 2 * p, x[:3], cost=lambda p: p @ p, steps=50, learning_rate=0.1, progress=True)
""",
    "descent": "run",
    "pyplot": "import matplotlib.pyplot as plt\nplt.plot(x)\nplt.get_fignums()",
    "picture beside pyplot": "band.plot()",
    "sandpit": "pit = mv.sandpit.play()\npit",
    "click": """
canvas = pit.figure.canvas
seen, (left, top, right, bottom) = np.array(canvas.buffer_rgba()), pit.describe()["pit"]
width, height = canvas.get_width_height()
where = dict(x=width * (left + right) / 2, y=height * (top + bottom) / 2, guiEvent={}, modifiers=[])


def sent(**message):
    canvas._handle_custom_msg(message, [])


sent(type="initialized")
sent(type="button_press", button=0, buttons=1, **where)
sent(type="button_release", button=0, buttons=0, **where)
sent(type="draw")
[(round(dip.x, 2), round(dip.y, 2)) for dip in pit.game.history], bool((seen != np.array(canvas.buffer_rgba())).any())
""",
    "key": 'sent(type="key_press", key="kh", **where)\npit.game.left',
    "game": "pit.game",
    "figures": "plt.get_fignums()",
}
WITHOUT = {
    "imports": f"import sys\nsys.modules |= dict(ipympl=None, ipywidgets=None){SAYS}",
    "progress": CELLS["progress"],
    "sandpit": "try:\n    mv.sandpit.play()\nexcept ImportError as error:\n    print(error)",
}


def executed(cells, directory):
    """The outputs of each cell, when a kernel has run them all."""
    for name in NEEDED:
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed: pip install {name}")
    made = [
        {
            "cell_type": "code",
            "id": str(k),
            "metadata": {},
            "source": code,
            "outputs": [],
            "execution_count": None,
        }
        for k, code in enumerate(cells.values())
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python"}}
    path = directory / "cells.ipynb"
    path.write_text(json.dumps({"cells": made, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))
    kept = {
        name: str(directory / name.lower())
        for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")
    }
    command = "from nbclient.cli import NbClientApp; NbClientApp.launch_instance()"
    run = [sys.executable, "-c", command, "--inplace", "--timeout=120", str(path)]
    places = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        run, env={**os.environ, **kept, "PYTHONPATH": places}, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    outputs = [cell["outputs"] for cell in json.loads(path.read_text())["cells"]]
    return dict(zip(cells, outputs, strict=True))


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    return executed(CELLS, tmp_path_factory.mktemp("notebook"))


def only(outputs):
    """What a cell's one output is made of, by its kind."""
    assert [output["output_type"] for output in outputs] == ["execute_result"]
    return {
        kind: "".join(data) if isinstance(data, list) else data for kind, data in outputs[0]["data"].items()
    }


@pytest.mark.slow
def test_nothing_is_said_on_stderr(outputs):
    assert not [each for shown in outputs.values() for each in shown if each.get("name") == "stderr"]
    assert not outputs["imports"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("report", "wrong: 1 of 1 leaves of jac are not the derivative of f"),
        ("fit", "converged"),
        ("fits", "how they ended"),
        ("regression", "residual standard error"),
        ("enclosure", "1 + [1.5, 2.5] h"),
        ("descent", "took all 50 steps"),
        ("game", "21 dips left"),
    ],
)
def test_results_show_themselves(cell, told, outputs):
    shown = only(outputs[cell])
    assert set(shown) == {"text/plain", "text/html"}
    assert told in shown["text/html"]


@pytest.mark.slow
@pytest.mark.parametrize("cell", [name for name in CELLS if name.startswith("picture")])
def test_pictures_show_themselves_once(cell, outputs):
    shown = only(outputs[cell])
    assert set(shown) == {"text/plain", "image/png"}
    picture = Image.open(io.BytesIO(base64.b64decode(shown["image/png"])))
    assert min(picture.size) > 300 and len(picture.convert("RGB").getcolors(2**24)) > 100


@pytest.mark.slow
def test_pyplot_knows_none_of_them(outputs):
    shown = [output["output_type"] for output in outputs["pyplot"]]
    assert shown == ["execute_result", "display_data"]  # its own line, drawn by pyplot
    assert only(outputs["figures"])["text/plain"] == "[]"


@pytest.mark.slow
def test_progress_is_a_widget(outputs):
    (bar,) = outputs["progress"]
    assert "application/vnd.jupyter.widget-view+json" in bar["data"]


@pytest.mark.slow
def test_the_sandpit_is_played_with_clicks_and_keys(outputs):
    shown = only(outputs["sandpit"])
    assert {"application/vnd.jupyter.widget-view+json", "image/png"} < set(shown) and "text/html" not in shown
    assert only(outputs["click"])["text/plain"] == "([(3.0, 3.0)], True)"
    assert only(outputs["key"])["text/plain"] == "21"  # a dip, and a hint for three


@pytest.mark.slow
def test_without_widgets_there_is_text_and_the_sandpit_says_what_it_needs(tmp_path):
    outputs = executed(WITHOUT, tmp_path)
    said = "".join(line for each in outputs["progress"] if each["name"] == "stderr" for line in each["text"])
    assert re.search(r"100%.* 50\.0/50\.0 .*cost ", said)
    (told,) = outputs["sandpit"]
    (line,) = told["text"]
    assert told["name"] == "stdout" and "%pip install ipympl" in line
