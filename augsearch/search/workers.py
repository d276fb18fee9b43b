"""What a worker does: takes jobs of a study from its board until there are none for a while."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any
from uuid import uuid4

import torch

from augsearch.bench.bench import Bench
from augsearch.engines.board import BEAT, Board, Taken
from augsearch.engines.machine import facts
from augsearch.engines.processes import cpu_threads
from augsearch.engines.remote import Codec
from augsearch.errors import AugsearchError, StudyError
from augsearch.progress import Progress
from augsearch.search.trials.loop import work
from augsearch.space.policy import Policy
from augsearch.study.jobs import do_job
from augsearch.study.setup import Setup

Do = Callable[[Bench, Any, "Talking"], Any]
KNOWN: dict[str, tuple[Codec, Do]] = {
    Codec.of(work).name: (Codec.of(work), work),
    Codec.of(do_job).name: (Codec.of(do_job), lambda bench, job, _: do_job((bench, None), job)),
}
"""What a worker may be asked for, by name: nothing else that a database says is run."""
POLL = 1.0
"""Seconds between two looks for a job."""


class Talking:
    """The worker's side of a job, which gives a sign of life meanwhile."""

    def __init__(self, board: Board, worker: str, key: str) -> None:
        self._board, self._worker, self._key = board, worker, key
        self._said: list[str] = []
        self._over, self._unwanted = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)

    def __enter__(self) -> Talking:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def say(self, message: tuple[int, float]) -> None:
        step, score = message
        self._said.append(f"[{step}, {score!r}]")
        self._board.say(self._worker, self._key, self._said)

    def stopped(self) -> bool:
        return self._unwanted.is_set()

    def _live(self) -> None:
        while not self._over.wait(BEAT):
            try:
                wanted = self._board.beat(self._worker, self._key)
            except StudyError:
                wanted = False  # by now the job is another's
            if not wanted:
                self._unwanted.set()
                return


def work_for(
    setup: Setup,
    board_name: str,
    progress: Progress,
    *,
    most: int | None,
    wait: float,
    is_over: Callable[[], bool],
) -> int:
    """Do jobs of a study on this machine; how many were done.

    Args:
        board_name: what the board knows the study by.
        most: jobs after which it ends; None for no limit.
        wait: seconds without a job after which it ends.
        is_over: whether there will be no more jobs, asked when there are none.
    """
    board = Board(setup.storage, board_name)
    board.make()
    worker = f"{socket.gethostname()} {os.getpid()} {uuid4().hex[:8]}"
    board.sign_in(worker, {**facts(), **_hardware(setup)})
    done, idle_since, beaten = 0, time.monotonic(), time.monotonic()
    try:
        while most is None or done < most:
            taken = board.take(worker)
            if taken is not None:
                _do(setup, board, worker, taken, progress)
                done, idle_since = done + 1, time.monotonic()
                continue
            if time.monotonic() - idle_since > wait:
                break
            if time.monotonic() - beaten > BEAT:
                if is_over():
                    break
                board.beat(worker, None)
                beaten = time.monotonic()
            time.sleep(POLL)
    finally:
        with suppress(Exception):  # it is forgotten all the same when it gives no sign of life
            board.sign_out(worker)
    return done


def _hardware(setup: Setup) -> dict[str, str]:
    """What decides which numbers are multiplied here."""
    device = setup.device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    run = setup.bench.pretraining(Policy(ops=()), replicate=0, steps=1)
    return {"device": name, "numbers": "bfloat16" if run.bfloat16 else "float32"}


def _do(setup: Setup, board: Board, worker: str, taken: Taken, progress: Progress) -> None:
    known = KNOWN.get(taken.work)
    if known is None:
        failed = f"a worker does not know {taken.work}; does it run another version of augsearch?"
        board.finish(worker, taken.key, result=None, failed=failed)
        return
    codec, do = known
    try:
        with (
            Talking(board, worker, taken.key) as talking,
            cpu_threads(setup.config.compute.threads),
        ):
            result = do(setup.bench, codec.job.validate_json(taken.job), talking)
    except AugsearchError as error:
        board.finish(worker, taken.key, result=None, failed=str(error))
        progress.warn(str(error))
    except BaseException as error:
        if isinstance(error, Exception):
            said = f"{type(error).__name__}: {error}".splitlines()[0]
            board.finish(worker, taken.key, result=None, failed=f"a worker failed ({said})")
        else:  # told to end: another worker does it
            board.give_back(worker, taken.key)
        raise
    else:
        if not talking.stopped():
            board.finish(
                worker, taken.key, result=codec.result.dump_json(result).decode(), failed=None
            )
