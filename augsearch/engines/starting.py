"""How processes of an engine start and end."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, SpawnContext


def context_of(module: str) -> ForkServerContext | SpawnContext:
    """How processes are started: never by forking this one, whose threads may hold locks."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([module])  # imported once for all processes and pools
    return context


class ByValue:
    """What a process is started with, its tensors with it; comes out as `content` itself.

    Torch sends each tensor as an open file, of which a process can be given fewer than a network
    has tensors.
    """

    def __init__(self, content: object) -> None:
        self._content = content

    def __reduce__(self) -> tuple[Any, ...]:
        return pickle.loads, (pickle.dumps(self._content),)


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
