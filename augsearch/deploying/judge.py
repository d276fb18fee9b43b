"""Whether a form of the classifier may be taken, and how long it takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from augsearch.deploying.result import Speed
from augsearch.deploying.runtimes import Pictures, Run
from augsearch.finetuning.result import Loss
from augsearch.words import percent

BLOCKS, SECONDS, WARM, FEWEST, MOST = 3, 1.0, 5, 20, 200
"""Of timing one form: how often it has its turn, how long a turn takes, how many pictures before
they count, and between how many and how many that do."""


@dataclass(frozen=True)
class Limits:
    """What a form may lose, as shares of right decisions.

    Attributes:
        most, most_of_class: overall, and in any class.
        proven: whether the upper end of the loss counts, or the loss that was seen: 8 bits round
            so much that they must prove themselves, the other forms compute as torch does.
    """

    most: float
    most_of_class: float
    proven: bool


def why_refused(
    overall: Loss | None, by_class: Mapping[str, Loss], names: Mapping[str, str], limits: Limits
) -> str | None:
    """Why a form may not be taken; None if it may.

    Args:
        names: what a loss of each class is called, such as `in class scratches`.
    """
    if overall is None:
        none = "no labelled picture that was not learnt from shows what it loses"
        return none if limits.proven else None
    missing = [name for name in names if name not in by_class]
    if missing and limits.proven:
        return f"no picture shows what is lost {names[missing[0]]}"

    def counts(loss: Loss) -> float:
        return loss.high if limits.proven else loss.value

    each = [("overall", overall, limits.most)]
    if by_class:
        worst = max(by_class, key=lambda name: counts(by_class[name]))
        each.append((names[worst], by_class[worst], limits.most_of_class))
    over = [
        f"{percent(max(0.0, loss.value))} points lost {what}, up to {percent(loss.high)} by "
        f"{loss.of} pictures; the limit is {percent(limit)}"
        for what, loss, limit in each
        if counts(loss) > limit
    ]
    return "; ".join(over) or None


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
