"""The guard of the hot paths: who is called slower, and that a revision can be compared with itself."""

import pytest

from benchmarks import guard
from benchmarks.guard import Compared


@pytest.mark.parametrize(
    ("compared", "said"),
    [
        (Compared(1.0, 0.98, 1.03, 20), "as fast"),
        (Compared(1.09, 1.06, 1.12, 20), "as fast"),
        (Compared(1.2, 1.17, 1.24, 20), "SLOWER"),
        (Compared(1.2, 1.02, 1.5, 99), "SLOWER"),
        (Compared(1.2, 0.9, 1.5, 99), "not certain"),
        (Compared(1.0, 0.9, 1.2, 99), "not certain"),
        (Compared(absent="no such path"), "not compared: no such path"),
    ],
)
def test_slower_is_more_than_a_tenth(compared, said):
    assert str(compared) == said


class Clock:
    """A worker of which every call takes so long."""

    def __init__(self, *seconds):
        self.seconds, self.asked = seconds, 0

    def run(self, path, calls=1, slow=0.0):
        self.asked += 1
        if not self.seconds:
            raise LookupError("no such path")
        return calls * self.seconds[self.asked % len(self.seconds)] * (1 + slow)


@pytest.mark.parametrize("slow", [0.0, 0.2])
def test_what_is_planted_is_found(slow):
    found = guard.compare("", Clock(1.0, 1.01), Clock(1.0, 1.02), limit=1, slow=slow)
    assert found.certain and found.slower == (slow > 0) and found.pairs == guard.LEAST
    assert found.ratio == pytest.approx(1 + slow, abs=0.03)


def test_a_path_that_a_revision_lacks_is_not_compared():
    assert guard.compare("", Clock(), Clock(1.0), limit=1).absent == "no such path"


def test_a_revision_that_git_does_not_know_is_refused():
    with pytest.raises(ValueError, match="`against` must be a revision"), guard.checked_out("no-such"):
        pass


@pytest.mark.parametrize("options", [{"paths": "no such"}, {"limit": 0}, {"repeats": 0}])
def test_misuse_is_told_before_any_work(options):
    with pytest.raises(ValueError, match=f"`{next(iter(options))}`"):
        guard.findings(guard.Config(**options))


@pytest.mark.benchmark
def test_the_guard_runs_at_toy_size():
    found = guard.findings(guard.Config(quick=True))
    assert len(found.tables[0].rows) == 1 + len(guard.PATHS)
    assert not any(compared.absent for compared in found.numbers.values())
