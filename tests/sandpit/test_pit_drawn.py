"""What is seen of the pit: the same however it is drawn, at any size, and no words in the way of others."""

import itertools

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from mvcalc_jax.sandpit import FLOORS, SCENARIOS, STRATEGIES, Game, Status, view
from mvcalc_jax.sandpit import words as words_
from mvcalc_jax.sandpit.strategies import End
from mvcalc_jax.sandpit.words import Lane, Notice
from tests.cases import long
from tests.sandpit.table import Table

PLAYS = {
    "digging": ["dig", "dig", "h", "dig"],
    "won": ["dig", "win"],
    "lost, and another": ["lose", "n", "dig"],
    "modes": ["dig", "m", "dig", "m", "dig", "m", "dig", "m", "dig"],
    "a race and then none": ["M", "dig", "m", "dig"],
    "a race after many dips": ["dig"] * 15 + ["M", "r", "dig", "right", "s"],
    "choices": ["s", "S", "S", "m", "right", "left", "c", "dig", "C", "F", "dig"],
}


@pytest.mark.slow
@pytest.mark.parametrize("play", PLAYS)
def test_what_is_drawn_in_parts_is_what_is_drawn_at_once(play):
    table = Table()
    for number, what in enumerate(PLAYS[play]):
        if what == "dig":
            table.click(0.4 + 0.35 * (number % 15), 0.8 + 0.2 * (number % 11))
        elif what in ("win", "lose"):
            getattr(table, what)()
        else:
            table.key(what)
    in_parts = table.pixels()
    table.canvas.draw()
    np.testing.assert_array_equal(in_parts, table.pixels())


def sights(words):
    """What the board may have to say, the longest of each kind."""
    about = [words_.sentence(family.title) for family in FLOORS.values()]
    about += [scenario.sentence for scenario in SCENARIOS.values()]
    yield from (words._replace(about=sentence) for sentence in about)
    said = [
        *Status,
        "the phone lies where 1.875 ≤ x ≤ 2.25 and 4.125 ≤ y ≤ 4.5",
        "a sentence " * 40,
        "folder/" * 26,
        "≤ " * 60,
    ]
    said += [f"trust-region {end} in a hollow that is not the deepest, to (12.3, 45.6)" for end in End]
    yield from (words._replace(notice=Notice(words_.sentence(sentence), "wrong")) for sentence in said)
    dips = [(-9.0 + k / 4, 12.34) for k in range(26)]
    yield from (words._replace(dips=dips[:k], left=25 - k, score="22 under par 25") for k in (0, 13, 14, 25))
    lanes = [
        Lane(name, 25, -8.88, ended)
        for name, ended in zip([*STRATEGIES, "mine.py:step"], SHORT * 2, strict=False)
    ]
    yield words._replace(lanes=lanes, mode="race", rate_words="0.025")
    for k, name in enumerate(("scenario", "floor", "strategy")):
        chosen = max((SCENARIOS, FLOORS, STRATEGIES)[k], key=len)
        yield words._replace(
            chosen=words.chosen | {name: chosen}, mode="automatic", code="plateau-123456-automatic"
        )


SHORT = [*words_._ENDED.values()]


def test_no_words_overlap_and_none_are_cut_off(table):
    panel, base = table.pit._panel, table.pit.session.words()
    for words in sights(base):
        panel.show(words)
        visible = [t for t in table.pit._board.findobj(Text) if t.get_visible() and t.get_text().strip()]
        boxes = [(t.get_text(), t.get_window_extent()) for t in visible]
        for text, box in boxes:
            assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= 915 and box.y1 <= 640, f"{text!r} is cut off"
        for (a, one), (b, two) in itertools.combinations(boxes, 2):
            apart = min(one.x1, two.x1) - max(one.x0, two.x0), min(one.y1, two.y1) - max(one.y0, two.y0)
            assert min(apart) < 1, f"{a!r} and {b!r} overlap"
        message = panel._message.get_window_extent()  # where letters are no wider than usual
        assert message.y0 >= 512 and message.y1 <= 580 and message.x1 <= 896, words.notice


LARGE = long((18.4, 12.8))


@pytest.mark.slow
@pytest.mark.parametrize("size", [(9.2, 6.4), (12, 6.4), (6, 8), (4.6, 3.2), LARGE])
def test_a_figure_of_any_shape_can_be_played(size):
    table = Table(size=size)
    for point in [(1, 1), (5, 4)]:
        table.click(*point)
        dip = table.game.history[-1]
        assert (dip.x, dip.y) == pytest.approx(point, abs=0.02)
    scale = min(size[0] / 9.2, size[1] / 6.4)
    assert table.pit._panel._message.get_fontsize() == pytest.approx(9 * scale)
    table.figure.set_size_inches(10, 7)
    table.canvas.callbacks.process("resize_event", None)
    table.canvas.draw()
    table.click(3, 1)
    assert (table.game.history[-1].x, table.game.history[-1].y) == pytest.approx((3, 1), abs=0.02)
    table.pit._board.set_position(table.pit._board.get_position())
    width, height = table.pit._ax.get_window_extent().size
    assert width == pytest.approx(height)


def test_a_canvas_that_cannot_draw_in_parts_draws_at_once():
    class Whole(FigureCanvasAgg):
        supports_blit = False

    seen = []
    for canvas in (FigureCanvasAgg, Whole):
        figure = Figure(figsize=view.SIZE, dpi=100)
        canvas(figure)
        pit = view.Pit(figure, Game(), say=lambda line: None)
        for point in [(4.4, 1), (2, 2), tuple(pit.game.floor.lowest)]:
            pit._do(pit.session.dig, point)
        seen.append(np.asarray(figure.canvas.buffer_rgba()).copy())
    np.testing.assert_array_equal(*seen)
