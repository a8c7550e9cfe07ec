"""A case from a table of its mistakes."""

from collections.abc import Callable, Mapping

from benchmarks.bugs.case import Bug, Case, Chain, Subject


def case(
    name: str, subject: Callable[[str], Subject], mistakes: Mapping[str, tuple[str, str, str]] | None = None
) -> Case:
    """The case of `subject`, which takes the name of the mistake to make, or "" for none.

    Each mistake stands with its family, its kinds, and the wrong leaves (of a chain: the wrong links), the last
    two separated by commas.
    """

    def bug(mistake: str, family: str, kinds: str, where: str) -> Bug:
        wrong = subject(mistake)
        link, leaves = (where, ()) if isinstance(wrong, Chain) else ("", _split(where))
        return Bug(mistake, wrong, _split(kinds), leaves, link, family)

    return Case(name, subject(""), tuple(bug(mistake, *row) for mistake, row in (mistakes or {}).items()))


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split(", ")) if text else ()
