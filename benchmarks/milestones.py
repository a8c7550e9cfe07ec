"""Runs a module as `python -m` does, and keeps a diary of it: every file put in place, every program compiled.

    python -m benchmarks.milestones DIARY BEGUN MODULE [ARGUMENT …]

The module is not changed, and need not know: Python tells of files that are renamed and of modules that are imported,
and JAX of what it has compiled. BEGUN is `time.monotonic()` when the process was asked for. DIARY is a new file with a
line for each event: seconds since then, seconds of all processors that the process has used, its kind, its name.
"""

import runpy
import sys
import time
from pathlib import Path
from typing import Any

COMPILED = "backend_compile_duration"
"""The end of JAX's name for what XLA has compiled."""


class Diary:
    """Writes down what happens, when it happens."""

    def __init__(self, path: Path, begun: float):
        self._file, self._begun = path.open("x", buffering=1), begun
        self._listening = False

    def add(self, kind: str, name: str) -> None:
        seconds = time.monotonic() - self._begun
        self._file.write(f"{seconds:.4f} {time.process_time():.4f} {kind} {name}\n")

    def audit(self, event: str, args: tuple[Any, ...]) -> None:
        """What Python is about to do; a file is put in place by renaming it, which takes no time."""
        if event == "os.rename":
            self.add("file", Path(str(args[1])).name)
        elif event == "import" and args[0] == "jax":
            self.add("import", "jax")
        if event == "import" and not self._listening and hasattr(sys.modules.get("jax"), "monitoring"):
            self._listening = True
            sys.modules["jax"].monitoring.register_event_duration_secs_listener(self.listen)

    def listen(self, event: str, seconds: float, **about: Any) -> None:
        """What JAX has done."""
        if event.endswith(COMPILED):
            self.add("compiled", str(about.get("fun_name")))


if __name__ == "__main__":
    path, begun, module, *rest = sys.argv[1:]
    diary = Diary(Path(path), float(begun))
    diary.add("import", "python")
    sys.addaudithook(diary.audit)
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
