"""Several processes on one or many hosts, which share the blocks of one run.

Each has a run of consecutive blocks and writes them to their place in the one file, on a file system that all of
them see. They need to hear of each other only at the beginning, when JAX's multi-host runtime tells them who they are
and the journal that all have come, and at the end, from the journal. In between each is on its own, for JAX's runtime
would end all of them, work and all, once it misses one.
"""

import time
from dataclasses import dataclass

import jax

from mvcalc_jax import require
from mvcalc_jax.fitting import journal
from mvcalc_jax.fitting.journal import Journal

_PAUSE = 0.1


@dataclass(frozen=True)
class Host:
    """A process by its number, out of how many."""

    index: int = 0
    count: int = 1

    def share(self, blocks: int) -> range:
        """The blocks that are this process's."""
        return range(blocks * self.index // self.count, blocks * (self.index + 1) // self.count)


ALONE = Host()


def meet(coordinator: str | None = None, processes: int | None = None, process_id: int | None = None) -> Host:
    """Wait for the other processes, and learn which of them this is.

    Args:
        coordinator: HOST:PORT at which process 0 can be reached; None where a launcher that JAX knows, such as
            srun or mpirun, has started them all.
        processes: how many there are.
        process_id: which this is, from 0.

    Raises:
        ValueError: where only some of these are given.
        ConnectionError: where the others are not met.
    """
    given = [value is not None for value in (coordinator, processes, process_id)]
    if any(given) and not all(given):
        raise ValueError("--coordinator, --processes and --process-id must be given together")
    if processes is not None and process_id is not None:
        require.whole("--processes", processes, least=1)
        require.whole("--process-id", process_id, least=0)
        if process_id >= processes:
            raise ValueError(f"--process-id must be below --processes, {processes}; got {process_id}")
    try:
        jax.distributed.initialize(coordinator, processes, process_id)
        host = Host(jax.process_index(), jax.process_count())
        jax.distributed.shutdown()  # it waits for all
    except (ValueError, RuntimeError) as error:
        first = (str(error).splitlines() or ["it does not say why"])[0]
        where = f"at {coordinator}" if coordinator else "by a launcher's environment"
        raise ConnectionError(f"the processes did not meet {where}: {first}") from error
    return host


def gather(host: Host, book: Journal) -> None:
    """In the first process, wait until every other has opened the journal; they know of the first by its journal.

    Raises:
        TimeoutError: where one does not come.
    """
    until = time.monotonic() + journal.PATIENCE
    while host.index == 0 and not all(alive := book.others(host.count)):
        if time.monotonic() > until:
            raise TimeoutError(
                f"process {alive.index(False)} of {host.count} has not come within {journal.PATIENCE:.0f} s; "
                "all must see the same folder"
            )
        time.sleep(_PAUSE)


def wait(host: Host, book: Journal) -> None:
    """Wait until every process has done its part; then the first may put the results in their place.

    The first looks after all others, and they after the first, which ends if one of them does.

    Raises:
        ConnectionError: where one has ended before.
    """
    while host.count > 1:
        alive = book.others(host.count)
        if book.gone() if host.index else all(book.done()):
            return
        for k in range(1 if host.index else host.count):
            if not alive[k]:
                raise ConnectionError(
                    f"process {k} of {host.count} has ended before its part was done; "
                    "what there is is kept: start all of them again to go on"
                )
        time.sleep(_PAUSE)
