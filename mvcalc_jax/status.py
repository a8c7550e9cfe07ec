"""How a search can end: a number, for the arrays of a batch, and a sentence, for whoever reads it."""

from enum import IntEnum
from typing import Self


class Spoken(IntEnum):
    """A status whose members are declared as `NAME = number, "sentence"`; above 0 is a success, below 0 none.

    >>> from mvcalc_jax.status import Spoken
    >>> Ended = Spoken("Ended", {"FOUND": (1, "is there"), "LOST": (-1, "is nowhere; look elsewhere")})
    >>> Ended.LOST < 0, Ended(1).sentence
    (True, 'is there')
    """

    sentence: str
    """The status in words, with what to do about it."""

    def __new__(cls, number: int, sentence: str) -> Self:
        member = int.__new__(cls, number)
        member._value_, member.sentence = number, sentence
        return member
