"""How far a long run is: a line that says what it is, then a letter for each block, `.` to do and `x` done.

A block's letter is written once its results are on the disk, so that whoever finds the journal after a crash, of one
process or of many, goes on with what is left. Every process holds a lock on a byte of the journal for as long as it
lives: the system lets go of it however the process ends, and nobody needs to guess from clocks who is still there.
"""

import errno
import json
import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None

PATIENCE = 120.0
"""Seconds that processes wait for each other to begin."""
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
"""What file systems say that know no locks; a single process can do without."""
_PAUSE, _TRIES = 0.1, 30
"""Seconds between two looks; and tries for a lock that others may hold for the moment of such a look."""


class Journal:
    """The journal of a run that is open in this process, which is number `index` of those that work on it.

    Attributes:
        path: where it is.
        blocks: how many there are.
    """

    def __init__(self, path: Path, index: int, blocks: int):
        self.path, self.index, self.blocks = path, index, blocks
        self._file = -1
        self._start = 0

    def begin(self, description: dict[str, Any], part: Path, make: Callable[[], None], force: bool) -> None:
        """Open it: an earlier run's that is described alike, or a new one.

        Args:
            description: of what is being done; anything JSON knows.
            part: the file that the results are in.
            make: makes that file.
            force: whether to begin anew where the description is another.

        Raises:
            ValueError: where it is another, or another process is at work on it.
            TimeoutError: where the first process does not open it.
        """
        description = json.loads(json.dumps(description | {"blocks": self.blocks}))
        if self.index:
            self._follow(description, force)
            return
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
        if not self._patiently(0, 0):
            raise ValueError(
                f"another process is at work on {part}; wait for it, or write to another file. "
                "Processes that are to share the work are told so by --coordinator or --launched"
            )
        found = self._read()
        if found is not None and found != description and part.exists() and not force:
            raise ValueError(_difference(found, description, part))
        if found != description or not part.exists():
            try:
                make()
                line = (json.dumps(description) + "\n").encode()
                os.ftruncate(self._file, 0)
                os.pwrite(self._file, line + b"." * self.blocks + b"\n", 0)
            except OSError as error:
                part.unlink(missing_ok=True)
                self.path.unlink()
                raise OSError(error.errno, error.strerror, str(part)) from error
            os.fsync(self._file)
            self._read()
        self._release(1, 0)

    def done(self) -> list[bool]:
        """Which blocks are done."""
        return [letter == ord("x") for letter in os.pread(self._file, self.blocks, self._start)]

    def mark(self, blocks: Iterable[int]) -> None:
        """Say that the results of these blocks are on the disk."""
        for k in blocks:
            os.pwrite(self._file, b"x", self._start + k)
        os.fsync(self._file)

    def others(self, count: int) -> list[bool]:
        """Which of the processes 0 … count − 1 live, this one among them."""
        return [k == self.index or not self._free(k) for k in range(count)]

    def gone(self) -> bool:
        """Whether the first process has put the results in their place."""
        return not self.path.exists()

    def close(self) -> None:
        """Let go of it."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _follow(self, description: dict[str, Any], force: bool) -> None:
        """Open what the first process has opened."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if self._file < 0:
                with suppress(FileNotFoundError):
                    self._file = os.open(self.path, os.O_RDWR)
            elif not self._free(0) and self._take(self.index, 1):
                found = self._read()
                if found == description and not self.gone():
                    return
                self._release(self.index, 1)
                if found is not None and not force:
                    raise ValueError(_difference(found, description, self.path))
                self.close()  # it may have been another run's
            time.sleep(_PAUSE)
        raise TimeoutError(
            f"process 0 has not opened {self.path} within {PATIENCE:.0f} s; all must see the same folder"
        )

    def _read(self) -> dict[str, Any] | None:
        """The description, or None where there is no whole one."""
        head, tail = b"", b"?"
        while tail and b"\n" not in head:
            tail = os.pread(self._file, 2**16, len(head))
            head += tail
        line, _, _ = head.partition(b"\n")
        self._start = len(line) + 1
        try:
            found = json.loads(line)
            whole = os.fstat(self._file).st_size == self._start + found["blocks"] + 1
        except (ValueError, KeyError, TypeError):
            return None
        return found if whole else None

    def _patiently(self, at: int, length: int) -> bool:
        for _ in range(_TRIES):
            if self._take(at, length):
                return True
            time.sleep(_PAUSE)
        return False

    def _free(self, k: int) -> bool:
        taken = self._take(k, 1)
        if taken:
            self._release(k, 1)
        return taken

    def _take(self, at: int, length: int) -> bool:
        """Lock bytes, all from there on where length is 0, unless another process has one of them."""
        if fcntl is None:
            return True
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, length, at)
        except (BlockingIOError, PermissionError):
            return False
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
        return True

    def _release(self, at: int, length: int) -> None:
        if fcntl is not None:
            fcntl.lockf(self._file, fcntl.LOCK_UN, length, at)


def _difference(was: dict[str, Any], now: dict[str, Any], part: Path) -> str:
    """What has changed since a run was begun, in a sentence."""
    way_on = "put it back to go on, or begin anew with --force (force=True)"
    for key in now:
        if was.get(key) != now[key]:
            if isinstance(now[key], dict):
                return f"the {key} has changed since {part} was begun; {way_on}"
            return f"{part} was begun with {key} {was.get(key)}, and not {now[key]}; {way_on}"
    return f"{part} was begun by another version; {way_on}"
