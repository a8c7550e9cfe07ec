"""Ctrl-C at the wrong moment: before a command has begun, while something is loaded, where an exception is dropped.

Before a command has begun, an interrupt ends the process. Later it is a `KeyboardInterrupt`, but not while a module is
loaded, for C extensions crash on one, and not as an exception that nobody hears: then it comes again a moment later.
"""

# Nothing is imported here that Python has not loaded already: until all of this is read, an interrupt is a traceback.
import _signal  # pyright: ignore[reportMissingImports] – no stub knows it
import _thread
import os
import sys
import time

_MOMENT, _PATIENCE = 0.02, 3.0
"""Seconds until an interrupt is tried again, and for how long: a module of the user's may never end to load."""


def end_on_interrupt() -> None:
    """From now on an interrupt ends the process at once: nothing has begun, and nothing is lost.

    Whoever imports a command as a library keeps what interrupts mean to them: while Python looks for a module to run,
    the program is called -m, and a script that pip has made mvcalc.
    """
    program = sys.argv[0].replace("\\", "/").rpartition("/")[2]
    as_usual = _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler
    if as_usual and program in ("-m", "mvcalc", "mvcalc.exe"):
        _signal.signal(_signal.SIGINT, _end)


class Heard:
    """Within it, an interrupt is a `KeyboardInterrupt` at the next moment at which that does no harm."""

    def __enter__(self) -> None:
        self._ours = _signal.getsignal(_signal.SIGINT) in (_end, _signal.default_int_handler)
        self._since, self._dropped = 0.0, sys.unraisablehook
        try:
            if self._ours:
                _signal.signal(_signal.SIGINT, self._raise)
                sys.unraisablehook = self._hear
        except ValueError:  # it is not the main thread, and never hears an interrupt
            self._ours = False

    def __exit__(self, *_: object) -> None:
        if self._ours:
            sys.unraisablehook = self._dropped
            _signal.signal(_signal.SIGINT, _signal.default_int_handler)

    def _raise(self, _: int, frame: object) -> None:
        now = time.monotonic()
        self._since = self._since or now
        if _loading(frame) and now - self._since < _PATIENCE:
            _again()
            return
        self._since = 0.0
        raise KeyboardInterrupt

    def _hear(self, about: "sys.UnraisableHookArgs") -> None:
        if issubclass(about.exc_type, KeyboardInterrupt):
            _again()
        else:
            self._dropped(about)


class Cancelling:
    """Within it, an interrupt that would be `Heard` is left to asyncio, which cancels what it runs, between two events.

    That it does only where it finds Python's own handler.
    """

    def __enter__(self) -> None:
        self._before = _signal.getsignal(_signal.SIGINT)
        self._ours = isinstance(getattr(self._before, "__self__", None), Heard)
        if self._ours:
            _signal.signal(_signal.SIGINT, _signal.default_int_handler)

    def __exit__(self, *_: object) -> None:
        if self._ours:
            _signal.signal(_signal.SIGINT, self._before)


def _end(*_: object) -> None:
    os._exit(130)


def _loading(frame: object) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":  # pyright: ignore[reportAttributeAccessIssue]
            return True
        frame = frame.f_back  # pyright: ignore[reportAttributeAccessIssue]
    return False


def _again() -> None:
    main = _thread.get_ident()  # it is the main thread that hears

    def later() -> None:
        time.sleep(_MOMENT)
        if hasattr(_signal, "pthread_kill"):
            _signal.pthread_kill(main, _signal.SIGINT)  # a real one, that wakes from a sleep
        else:
            _thread.interrupt_main()

    _thread.start_new_thread(later, ())
