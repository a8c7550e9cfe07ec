"""A pit on Agg, and hands to play it."""

import numpy as np
from matplotlib.backend_bases import KeyEvent, MouseEvent
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mvcalc_jax.sandpit import Game, view

FAR = (4.4, 1.0)
"""On the course's floor, a hill far from the phone."""


class Table:
    """A pit on Agg, and hands to play it."""

    def __init__(self, game=None, size=view.SIZE, **settings):
        self.figure = Figure(figsize=size, dpi=100)
        self.canvas = FigureCanvasAgg(self.figure)
        self.said = []
        self.pit = view.Pit(self.figure, game or Game(), say=self.said.append, **settings)

    @property
    def game(self):
        return self.pit.game

    @property
    def told(self):
        return self.pit.describe()["told"].replace("\u00a0", " ")

    def mouse(self, x, y, kind="button_press_event", button=1, **more):
        """At a share of the figure, from the upper left corner, as a page has it."""
        width, height = self.canvas.get_width_height()
        event = MouseEvent(kind, self.canvas, x * width, (1 - y) * height, button, **more)
        self.canvas.callbacks.process(kind, event)

    def place(self, x, y):
        """Of a point of the pit."""
        width, height = self.canvas.get_width_height()
        px, py = self.pit._ax.transData.transform((x, y))
        return px / width, 1 - py / height

    def click(self, x, y, **more):
        self.mouse(*self.place(x, y), **more)

    def press(self, name):
        self.mouse(*self.pit.describe()["buttons"][name])

    def key(self, key):
        self.canvas.callbacks.process("key_press_event", KeyEvent("key_press_event", self.canvas, key))

    def pixels(self):
        return np.asarray(self.canvas.buffer_rgba()).copy()

    def win(self):
        self.click(*self.game.floor.lowest)

    def lose(self):
        for k in range(26):
            self.click(FAR[0] + 0.03 * k, FAR[1])
