"""How processes of an engine start and end."""

from __future__ import annotations

import atexit
import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import forkserver
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, SpawnContext


def context_of(module: str) -> ForkServerContext | SpawnContext:
    """How processes are started: never by forking this one, whose threads may hold locks."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([module])  # imported once for all processes and pools
    with _without_interrupts():
        forkserver.ensure_running()
    return context


def _end_server() -> None:
    """End what starts processes. Still importing, it would start its first when this program and
    what the two share are gone, with a traceback."""
    pid = getattr(forkserver._forkserver, "_forkserver_pid", None)
    if pid is not None:
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)


atexit.register(_end_server)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Programs started in here ignore Ctrl-C from their first moment: this one decides what it
    means, and theirs would be a traceback from the midst of an import."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class ByValue:
    """What a process is started with, its tensors with it; comes out as `content` itself.

    Torch sends each tensor as an open file, of which a process can be given fewer than a network
    has tensors. This process's environment comes with it (whose code may run, where caches are):
    the other would have that of the moment when the first process was started.
    """

    def __init__(self, content: object) -> None:
        self._content = content

    def __reduce__(self) -> tuple[Any, ...]:
        return _second, (_Environment(), _Packed(self._content))


class _Environment:
    """Comes out as nothing, in a process that has this one's environment from then on."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _take_environment, (dict(os.environ),)


class _Packed:
    """Comes out as its content."""

    def __init__(self, content: object) -> None:
        self._content = content

    def __reduce__(self) -> tuple[Any, ...]:
        return pickle.loads, (pickle.dumps(self._content),)


def _take_environment(environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)


def _second(_first: None, second: Any) -> Any:
    return second


@contextmanager
def main_module_hidden() -> Iterator[None]:
    """Processes started in here do not import the program's main module again.

    They need nothing from it, and a script or notebook that calls us without the customary
    `if __name__ == "__main__":` would start itself once more in each of them.
    """
    main = sys.modules["__main__"]
    hidden = {name: main.__dict__[name] for name in ("__file__", "__spec__") if name in vars(main)}
    for name in hidden:
        setattr(main, name, None)
    try:
        yield
    finally:
        for name, value in hidden.items():
            setattr(main, name, value)


def end_with_parent() -> None:
    """End this process when its parent has died, even by a signal that it could not handle."""
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
