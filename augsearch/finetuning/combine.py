"""One network, the mean of several, or all of them: what held-out folds say pays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, logsumexp

from augsearch.data.imageset import ImageSet
from augsearch.engines.processes import cpu_threads
from augsearch.evaluate.pictures import pooled
from augsearch.finetuning.labels import Rows
from augsearch.finetuning.members import (
    FINAL,
    Logits,
    Member,
    State,
    logits_of,
    mean_state,
    members_of,
    read_member,
    states_by_fold,
    train_members,
)
from augsearch.finetuning.prepare import Prepared
from augsearch.progress import PhaseCost, Progress

Way = Literal["single", "soup", "ensemble"]
SIMPLEST_FIRST: tuple[Way, ...] = ("single", "soup", "ensemble")
TINY = 1e-12
"""Probabilities of pictures are not taken below this before their logarithm."""


@dataclass(frozen=True)
class Held:
    """What a way says of labelled images that it did not learn from.

    Attributes:
        rows: `[n]` of the pool, one for each picture.
        log_probabilities: `[n, K]`.
        score: mean recall over classes.
    """

    rows: Rows
    log_probabilities: Logits
    score: float


def networks_of(way: Way, states: Sequence[State]) -> list[State]:
    """The networks that a way asks."""
    if way == "single":
        return [states[0]]
    return [mean_state(states)] if way == "soup" else list(states)


def said(
    prepared: Prepared, networks: Sequence[State], images: ImageSet, rows: Rows
) -> tuple[Rows, Logits]:
    """One row for each picture, and the logarithm of what the networks think of it on average."""
    each = [log_softmax(logits_of(prepared, network, images, rows), axis=1) for network in networks]
    mean: Logits = logsumexp(np.stack(each), axis=0) - np.log(len(each))
    if images.pictures is None:
        return rows, mean
    first, probabilities = pooled(rows, np.exp(mean), images.pictures)
    return first, np.log(np.maximum(probabilities, TINY))


def held_out(prepared: Prepared, kept: Path) -> dict[Way, Held]:
    """What each possible way says of every fold; empty without folds."""
    ways = possible_ways(prepared)
    parts: dict[Way, list[tuple[Rows, Logits]]] = {way: [] for way in ways}
    for rows, states in states_by_fold(prepared, kept):
        for way in ways:
            networks = networks_of(way, states)
            parts[way].append(said(prepared, networks, prepared.pool.images, np.sort(rows)))
    if not prepared.folds:
        return {}
    found = {}
    for way, pieces in parts.items():
        rows = np.concatenate([piece[0] for piece in pieces])
        logits = np.concatenate([piece[1] for piece in pieces])
        right = logits.argmax(axis=1) == prepared.pool.images.labels[rows]
        score, _ = _mean_recall(right, prepared.pool.images.labels[rows])
        found[way] = Held(rows, logits, score)
    return found


def decided(
    prepared: Prepared, kept: Path, progress: Progress
) -> tuple[Prepared, dict[str, float]]:
    """Whether labelled images are seen through the policy or as they are: by what a network of
    each kind says of held-out folds. The mean recall of each, by its name; empty where nothing had
    to be decided.

    Raises:
        TrialFailure: a loss became non-finite.
    """
    if not prepared.undecided or not prepared.folds:
        return prepared, {}
    wanted = prepared.wanted.model_copy(update={"combine": "single"})
    config = prepared.config.model_copy(update={"finetune": wanted})
    kinds = [replace(prepared, config=config, plain=plain) for plain in (True, False)]
    members = [m for kind in kinds for m in members_of(kind) if m.fold is not FINAL]
    _say_expected(prepared, members, kept, progress)
    train_members(prepared, kept, progress, members, "to choose the views")
    with cpu_threads(prepared.config.compute.threads):
        scores = [held_out(kind, kept)["single"].score for kind in kinds]
    chosen = replace(prepared, plain=scores[0] >= scores[1])
    return chosen, {kind.views.name: score for kind, score in zip(kinds, scores, strict=True)}


def _say_expected(
    prepared: Prepared, choosing: Sequence[Member], kept: Path, progress: Progress
) -> None:
    """How many networks there are in all: those to choose by, and the others of the chosen kind."""
    kinds = [members_of(replace(prepared, plain=plain)) for plain in (True, False)]
    either = {*choosing, *kinds[0], *kinds[1]}
    runs = len({*choosing, *kinds[0]})
    done = sum((kept / member.file).exists() for member in either)
    progress.expected([PhaseCost("networks", runs, min(done, runs), 0.0)], {})


def possible_ways(prepared: Prepared) -> tuple[Way, ...]:
    """Those that the settings allow, simplest first. Weights of networks that begin differently
    have no useful mean."""
    wanted = prepared.wanted
    if wanted.combine != "auto":
        return (wanted.combine,)
    if wanted.seeds == 1:
        return ("single",)
    same_start = prepared.bench.start is not None
    return tuple(way for way in SIMPLEST_FIRST if way != "soup" or same_start)


def choose(prepared: Prepared, held: dict[Way, Held]) -> Way:
    """The simplest way, unless another is better on held-out images by more than its error."""
    ways = possible_ways(prepared)
    chosen = ways[0]
    labels = prepared.pool.images.labels
    for way in ways[1:]:
        if not held:
            break
        one, other = held[chosen], held[way]
        truth = labels[one.rows]
        gain = (other.log_probabilities.argmax(axis=1) == truth).astype(float) - (
            one.log_probabilities.argmax(axis=1) == truth
        )
        mean, error = _mean_recall(gain, truth)
        if mean > error:
            chosen = way
    return chosen


def _mean_recall(values: NDArray[np.generic], labels: NDArray[np.int64]) -> tuple[float, float]:
    """Mean over classes of the mean of each, and its standard error over images."""
    each = [values[labels == label].astype(float) for label in np.unique(labels)]
    mean = float(np.mean([part.mean() for part in each]))
    spread = [part.var(ddof=1) / len(part) if len(part) > 1 else part.var() for part in each]
    return mean, float(np.sqrt(np.sum(spread)) / len(each))


def final_networks(prepared: Prepared, kept: Path, way: Way) -> list[State]:
    """What has learnt from all labels, combined in that way."""
    members = [member for member in members_of(prepared) if member.fold is FINAL]
    if way == "single":
        members = members[:1]
    return networks_of(way, [read_member(kept, member) for member in members])
