"""Work that can be done beside other work: XLA compiles without holding Python's lock, so a second core helps."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from mvcalc_jax.descent.result import Stream
from mvcalc_jax.devices import computing

T = TypeVar("T")


class Aside:
    """Two more threads, which compute on a given device and in a given precision; use it in a `with`.

    If the `with` is left by an exception, Ctrl-C for one, what has not begun is dropped, and descents that were
    given `watch` end after their present chunk.

    >>> with mv.aside.Aside(precision="float64") as aside:
    ...     later = aside.submit(jnp.sin, 1.0)
    >>> print(f"{later.result():.12f}")
    0.841470984808
    """

    def __init__(self, device: str = "auto", precision: str = "float32"):
        self._setting = device, precision
        self._pool = ThreadPoolExecutor(2)
        self._stopped = threading.Event()

    def submit(self, f: Callable[..., T], *args: Any) -> Future[T]:
        """Have `f(*args)` done; `.result()` waits for it."""

        def job() -> T:
            with computing(*self._setting):  # these settings hold for one thread alone
                return f(*args)

        return self._pool.submit(job)

    def watch(self, stream: Stream) -> Stream:
        """A watcher: ends a descent early once its result is no longer wanted."""
        for part in stream:
            yield part
            if self._stopped.is_set():
                return

    def __enter__(self) -> "Aside":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._stopped.set()
        self._pool.shutdown(cancel_futures=kind is not None)
