"""Before the search the baselines, after it the confirmation.

Confirmation races the search's winners against the best baselines: all are trained again, on fresh
seeds, at a larger budget, and scored on the sealed test split.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from augsearch.bench.bench import FROZEN, Bench
from augsearch.bench.outcome import Outcome, mean_recall
from augsearch.engines.engine import Engine
from augsearch.errors import StudyError
from augsearch.evaluate.metrics import METRICS
from augsearch.progress import Progress
from augsearch.search.confirm.classes import ClassChange, ClassChanges, KeptClasses
from augsearch.search.confirm.decide import decide
from augsearch.search.confirm.race import Fetch, Race, RacePlan, Wanted, run_race
from augsearch.search.confirm.verdict import Verdict
from augsearch.space.policy import Policy
from augsearch.stats.classes import class_differences, level_of_each
from augsearch.stats.scored_images import ScoredImages
from augsearch.store.frozen_trials import trial_name, trial_policy, trial_score
from augsearch.store.runs import BASELINE, CONFIRMATION
from augsearch.store.study_store import Store
from augsearch.study.jobs import Job, run_jobs
from augsearch.study_file import StudyConfig

SPARE = 2
"""Trials held ready in case a winner diverges on a fresh seed."""


@dataclass(frozen=True)
class Entrant:
    """A policy in the confirmation; `policy` is None for the untrained encoder."""

    name: str
    kind: Literal["candidate", "baseline", "floor"]
    policy: Policy | None
    search_score: float

    def job(self, seed: int) -> Job:
        return Job(CONFIRMATION, self.name, self.policy, seed)


@dataclass(frozen=True)
class Confirmation:
    """A finished race.

    Attributes:
        entrants: who took part.
        outcomes: of each of them, seeds 1, 2, ... in order.
        images: the sealed images where scores are means over them.
        class_loss: most points of recall that a class may lose; None for any number.
        sealed: the sealed images that have a label; recalls are means over them in any case.
        classes: names, in the order of their numbers.
    """

    entrants: list[Entrant]
    race: Race
    images: ScoredImages | None
    outcomes: Mapping[str, Sequence[Outcome]]
    class_loss: float | None
    sealed: ScoredImages | None
    classes: tuple[str, ...]

    def judge(self) -> Verdict:
        """The verdict on it."""
        barred = {
            name: kept.sentence
            for name in self.race.candidates
            if (kept := self.kept_classes(name)) and not kept.holds
        }
        return decide(self.race, self.images, barred, frozen=self.race.floor == FROZEN)

    def kept_classes(self, name: str) -> KeptClasses | None:
        """What a policy costs the class that it costs most, against the baseline that the search
        compared trials with (the next best one if that failed); None without a limit."""
        if self.class_loss is None:
            return None
        baselines = [entrant for entrant in self.entrants if entrant.kind == "baseline"]
        against = max(baselines, key=lambda baseline: baseline.search_score).name
        found = self.class_changes(name, against, choices=len(self.race.candidates)).classes
        losses = {one.name: 100 * (one.theirs - one.ours) for one in found}
        ends = {
            one.name: (-100 * one.interval[1], -100 * one.interval[0])
            for one in found
            if one.interval
        }
        broken = [label for label, (low, _) in ends.items() if low > self.class_loss]
        worst = max(broken or losses, key=losses.__getitem__)
        return KeptClasses(
            limit=self.class_loss,
            against=against,
            worst=worst,
            loss=losses[worst],
            interval=ends.get(worst),
        )

    def changes_of(self, recommended: str) -> ClassChanges | None:
        """Which classes gain and lose by the recommended policy against the best of the other
        kind; None without labels."""
        if not self.classes or self.sealed is None:
            return None
        kinds = {entrant.name: entrant.kind for entrant in self.entrants}
        other = "candidate" if kinds[recommended] == "baseline" else "baseline"
        rivals = [name for name, kind in kinds.items() if kind == other]
        against = max(rivals, key=lambda name: fmean(one.score for one in self.outcomes[name]))
        choices = max(len(self.race.candidates), len(self.race.baselines))
        return self.class_changes(recommended, against, choices=choices)

    def class_changes(self, ours: str, against: str, *, choices: int) -> ClassChanges:
        """Two policies class by class, over the seeds that both have.

        Args:
            choices: how many policies either might have been.
        """
        seeds = min(len(self.outcomes[ours]), len(self.outcomes[against]))
        first, second = (self.outcomes[name][:seeds] for name in (ours, against))
        recalls = mean_recall(first), mean_recall(second)
        found = class_differences(first, second, self.sealed) if self.sealed else {}
        level = level_of_each(len(found), choices)
        numbers = {name: number for number, name in enumerate(self.classes)}
        return ClassChanges(
            ours=ours,
            against=against,
            seeds=seeds,
            classes=tuple(
                ClassChange(
                    name=name,
                    ours=recall,
                    theirs=recalls[1][name],
                    interval=_within(found[numbers[name]].interval(level))
                    if numbers[name] in found
                    else None,
                )
                for name, recall in recalls[0].items()
                if name in recalls[1]
            ),
        )


def _within(ends: tuple[float, float]) -> tuple[float, float]:
    """Ends that a difference of two recalls can have."""
    return max(-1.0, ends[0]), min(1.0, ends[1])


def run_baselines(
    store: Store, bench: Bench, baselines: Mapping[str, Policy], progress: Progress, engine: Engine
) -> None:
    """Every baseline and the untrained encoder once, at a trial's budget; resumes."""
    done = store.runs(BASELINE)
    policies: dict[str, Policy | None] = {bench.floor: None, **baselines}
    progress.phase("baselines", len(done), len(policies))
    jobs = [
        Job(BASELINE, name, policy, 0) for name, policy in policies.items() if (name, 0) not in done
    ]
    run_jobs(store, bench, jobs, progress, engine)
    if len(store.outcomes(BASELINE)) < 2:
        reason = next(run.failure for run in store.runs(BASELINE).values() if run.failure)
        raise StudyError(f"no baseline trains through: {reason}")


def confirm(
    store: Store,
    bench: Bench,
    policies: Mapping[str, Policy],
    progress: Progress,
    engine: Engine,
    *,
    always: str | None = None,
) -> Confirmation:
    """Run the confirmation to its end; resumes.

    An entrant that diverges or collapses on any seed leaves, and the next best takes its place.

    Args:
        policies: the baselines.
        always: one of them that takes part in any case, whatever its score was.

    Raises:
        StudyError: no trial or no baseline trains through on every seed.
    """
    entrants = _line_up(store, policies, bench.floor, bench.config.confirm.top + SPARE, always)
    images = scored_images(bench)
    race = run_race(
        [name for name, entrant in entrants.items() if entrant.kind == "candidate"],
        [name for name, entrant in entrants.items() if entrant.kind == "baseline"],
        bench.floor,
        race_plan(bench.config, always),
        images,
        _trainer(store, bench, entrants, progress, engine),
    )
    if race is None:
        raise StudyError(
            "no trial, or no baseline, trained through on every fresh seed; lower "
            "pretrain.learning_rate in the study file"
        )
    confirmed = store.outcomes(CONFIRMATION)
    return Confirmation(
        entrants=[entrants[name] for name in (race.floor, *race.baselines, *race.candidates)],
        race=race,
        images=images,
        outcomes={
            name: [confirmed[name, seed] for seed in range(1, len(readings) + 1)]
            for name, readings in race.readings.items()
        },
        class_loss=bench.config.search.class_loss,
        sealed=sealed_images(bench),
        classes=bench.image_set.classes,
    )


def _line_up(
    store: Store,
    policies: Mapping[str, Policy],
    floor: str,
    candidates: int,
    always: str | None,
) -> dict[str, Entrant]:
    """The floor, the baselines and the best trials by name, each kind in the order in which they
    are asked to take part."""
    tried = store.outcomes(BASELINE)
    baselines = [
        Entrant(name, "baseline", policy, tried[name, 0].score)
        for name, policy in policies.items()
        if (name, 0) in tried
    ]
    # A trial that breaks a limit does so by one noisy run: it comes later, and is not left out.
    winners = [
        Entrant(trial_name(trial), "candidate", trial_policy(trial), trial_score(trial))
        for trial in store.best_trials(candidates)
    ]
    entrants = (
        Entrant(floor, "floor", None, tried[floor, 0].score),
        *sorted(baselines, key=lambda entrant: (entrant.name != always, -entrant.search_score)),
        *winners,
    )
    return {entrant.name: entrant for entrant in entrants}


def _trainer(
    store: Store,
    bench: Bench,
    entrants: Mapping[str, Entrant],
    progress: Progress,
    engine: Engine,
) -> Fetch:
    """What the race fetches its readings from: the store, after what it lacks has been trained."""

    def fetch(asked: Wanted) -> Mapping[tuple[str, int], Outcome | None]:
        runs = store.runs(CONFIRMATION)
        missing = [key for key in asked if key not in runs]
        if missing:
            until = max(seed for _, seed in asked)
            there = len(asked) - len(missing)
            progress.phase("confirmation", there, len(asked), round=f"up to seed {until}")
            jobs = [entrants[name].job(seed) for name, seed in missing]
            run_jobs(store, bench, jobs, progress, engine)
            runs = store.runs(CONFIRMATION)
        return {key: runs[key].outcome for key in asked}

    return fetch


def race_plan(config: StudyConfig, always: str | None = None) -> RacePlan:
    """The race that a study file asks for; `always` is that of `confirm`."""
    return RacePlan(
        top=config.confirm.top,
        baselines=config.confirm.baselines + (always is not None),
        seeds=config.confirm.seeds,
        max_seeds=config.confirm.max_seeds,
        runs=config.confirm_runs,
    )


def scored_images(bench: Bench) -> ScoredImages | None:
    """The sealed images as a sample; None where the score is not a mean over images."""
    config = bench.config.evaluate
    if config.label_free or METRICS[config.metric].mean_over is None:
        return None
    return sealed_images(bench)


def sealed_images(bench: Bench) -> ScoredImages | None:
    """The sealed images that have a label; None if there are no probes."""
    if not bench.draws:
        return None
    return _sample(bench, bench.split.test)


def validation_images(bench: Bench) -> ScoredImages | None:
    """The images of the search that have a label; None if there are no probes."""
    return _sample(bench, bench.split.pool) if bench.draws else None


def _sample(bench: Bench, rows: NDArray[np.int64]) -> ScoredImages:
    counted = bench.scored_rows(rows)
    return ScoredImages(
        labels=bench.image_set.labels[counted],
        groups=bench.image_set.groups[counted],
        draws=bench.config.evaluate.draws,
        by_class=METRICS[bench.config.evaluate.metric].mean_over == "classes",
    )
