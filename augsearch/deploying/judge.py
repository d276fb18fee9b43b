"""Whether a form of the classifier may be taken, and how long it takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from augsearch.deploying.result import Speed
from augsearch.deploying.runtimes import Pictures, Run
from augsearch.finetuning.result import Loss
from augsearch.words import percent

BLOCKS, SECONDS, WARM, FEWEST, MOST = 3, 1.0, 5, 20, 200
"""Of timing one form: how often it has its turn, how long a turn takes, how many pictures before
they count, and between how many and how many that do."""


def why_refused(
    overall: Loss | None,
    by_class: Mapping[str, Loss],
    classes: Sequence[str],
    *,
    most: float,
    most_of_class: float,
) -> str | None:
    """Why a form may not be taken; None if it may.

    Args:
        most, most_of_class: upper ends of the loss, overall and in any class, that may be.
    """
    if overall is None:
        return "no labelled picture that was not learnt from shows what it loses"
    if missing := [name for name in classes if name not in by_class]:
        return f"no picture shows what {missing[0]} loses"
    worst = max(by_class, key=lambda name: by_class[name].high)
    for what, loss, limit in (
        ("overall", overall, most),
        (f"in class {worst}", by_class[worst], most_of_class),
    ):
        if loss.high > limit:
            seen = f"{percent(max(0.0, loss.value))} points lost {what}"
            return (
                f"{seen}, up to {percent(loss.high)} by {loss.of} pictures; the limit is "
                f"{percent(limit)}"
            )
    return None


def speeds(forms: Mapping[str, Callable[[], Run]], picture: Pictures) -> dict[str, Speed]:
    """Of each form, for one picture at a time; in turns, so that what else the machine does meets
    all alike, and only one is loaded at a time, since the threads of idle ones take its cores.

    Args:
        forms: what loads each.
    """
    taken: dict[str, list[float]] = {name: [] for name in forms}
    for _ in range(BLOCKS):
        for name, load in forms.items():
            taken[name] += _turn(load(), picture[None])
    return {
        name: Speed(p50=float(np.median(ms)), p95=float(np.percentile(ms, 95)))
        for name, ms in taken.items()
    }


def _turn(run: Run, batch: Pictures) -> list[float]:
    """Milliseconds of every picture."""
    for _ in range(WARM):
        run(batch)
    taken: list[float] = []
    begin = time.perf_counter()
    while len(taken) < FEWEST or (len(taken) < MOST and time.perf_counter() - begin < SECONDS):
        start = time.perf_counter()
        run(batch)
        taken.append(1000 * (time.perf_counter() - start))
    return taken
