"""What two policies of a study differ in, in their operations and in what they reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

from augsearch.bench.outcome import Outcome, mean_recall
from augsearch.search.comparison.named import Side
from augsearch.search.confirm.classes import ClassChange
from augsearch.search.confirm.confirmation import scored_images, sealed_images
from augsearch.search.preview.sheet import Preview, preview
from augsearch.space.handbook.policy_words import Difference, policy_differences
from augsearch.stats.classes import class_differences, level_of_each
from augsearch.stats.crossed import estimate_difference
from augsearch.study.setup import Setup

Ends = tuple[float, float]
LEVEL = 0.95


@dataclass(frozen=True)
class Scores:
    """Two scores on the same images, in [0, 1].

    Attributes:
        ours, theirs: None where there is no run.
        gain: ours less theirs, over the seeds that both have.
        interval: of the gain, 95 %; None where one seed is all there is.
        seeds: that both have.
    """

    ours: float | None
    theirs: float | None
    gain: float | None = None
    interval: Ends | None = None
    seeds: int = 0


@dataclass(frozen=True)
class Compared:
    """Two policies of a study beside each other.

    Attributes:
        names: of the first and the second.
        differing: what differs, and what it is in the first and in the second.
        searched: on the validation images, in the search.
        confirmed: on the sealed images, on fresh seeds.
        classes: recalls, and intervals of their difference where they are known.
        on_sealed: whether recalls are of sealed images, else of validation images.
        preview: views of both; None without the images.
    """

    study: str
    metric: str
    names: tuple[str, str]
    differing: tuple[Difference, ...]
    searched: Scores
    confirmed: Scores
    classes: tuple[ClassChange, ...]
    on_sealed: bool
    preview: Preview | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """The picture's pages."""
        return self.preview.files if self.preview else ()


def compare(study: str, metric: str, one: Side, other: Side, setup: Setup | None) -> Compared:
    """Two policies of a study, without a picture.

    Args:
        setup: the study with its images, whose classes and groups intervals need; None if they
            are not there.
    """
    seeds = sorted(one.confirmed.keys() & other.confirmed.keys())
    pairs = [[side.confirmed[seed] for seed in seeds] for side in (one, other)]
    ran = [[side.searched] if side.searched else [] for side in (one, other)]
    recalls = pairs if seeds else ran
    return Compared(
        study=study,
        metric=metric,
        names=(one.name, other.name),
        differing=policy_differences(one.policy, other.policy),
        searched=_scores(ran, ran, None),
        confirmed=_scores([list(side.confirmed.values()) for side in (one, other)], pairs, setup),
        classes=_classes(recalls[0], recalls[1], setup if seeds else None),
        on_sealed=bool(seeds),
    )


def draw(one: Side, other: Side, setup: Setup, seed: int) -> Preview:
    """The same images under both policies, with the same random numbers."""
    return preview(
        one.policy.model_copy(update={"name": one.name}),
        setup.image_set,
        baseline=other.policy.model_copy(update={"name": other.name}),
        seed=seed,
        executor=setup.config.compute.executor,
        kinds=("first", "second"),
        strips=False,
    )


def _scores(
    runs: Sequence[Sequence[Outcome]], pairs: Sequence[Sequence[Outcome]], setup: Setup | None
) -> Scores:
    """Means of all runs of either side; the gain is over those that both have."""
    ours, theirs = (fmean(run.score for run in own) if own else None for own in runs)
    first, second = pairs
    found = Scores(ours, theirs, seeds=min(len(first), len(second)))
    if not (first and second):
        return found
    if found.seeds < 2:
        return replace(found, gain=first[0].score - second[0].score)
    images = scored_images(setup.bench) if setup else None
    estimate = estimate_difference(first, second, images)
    return replace(found, gain=estimate.mean, interval=estimate.interval(LEVEL))


def _classes(
    ours: Sequence[Outcome], theirs: Sequence[Outcome], setup: Setup | None
) -> tuple[ClassChange, ...]:
    sealed = sealed_images(setup.bench) if setup else None
    found = class_differences(ours, theirs, sealed) if sealed else {}
    level = level_of_each(len(found))
    numbers = {name: at for at, name in enumerate(setup.image_set.classes)} if setup else {}
    recalls = mean_recall(ours), mean_recall(theirs)
    return tuple(
        ClassChange(
            name=name,
            ours=recall,
            theirs=recalls[1][name],
            interval=found[numbers[name]].interval(level) if numbers.get(name) in found else None,
        )
        for name, recall in recalls[0].items()
        if name in recalls[1]
    )
