"""What the runs of a triage show, as numbers; no training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy.stats import norm

from augsearch.search.confirm.confirmation import race_plan, scored_images, validation_images
from augsearch.search.confirm.power import SEEDS_SD, smallest_gain
from augsearch.search.triage.train import NONE, best_baseline
from augsearch.stats.crossed import estimate_mean
from augsearch.stats.forecast import GainForecast, foresee_gain
from augsearch.store.frozen_trials import FrozenTrial, trial_curve, trial_name, trial_outcome
from augsearch.store.runs import BASELINE, SUPERVISED, TRIAGE
from augsearch.store.study_store import Store
from augsearch.study.setup import Setup
from augsearch.study.sizes import SizeChoice

NOISE = SEEDS_SD / math.sqrt(2)
"""Standard deviation of one run's score over seeds, in what policies do not share, as measured on
the embedded surfaces."""
LEVEL = 0.95
REACH = float(norm.ppf((1 + LEVEL) / 2))

Training = Literal["none", "SimCLR", "labels"]


class Tried(BaseModel):
    """What one way reached on the images of the search. Scores lie in [0, 1].

    Attributes:
        training: what trained the encoder.
        interval: 95 %; of the floor over seeds, labels and other images; of others for other seeds
            on these images, if these vary as on the embedded surfaces.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    training: Training
    score: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Findings:
    """All that the answer rests on.

    Attributes:
        floor: the encoder without any training.
        tried: SimCLR under baselines and trials, best first; of a trial that was stopped early what
            it would have reached.
        labels: supervised training, best first; empty if the plan had none or it failed.
        label_error: standard error of each of these.
        best: name of the best baseline.
        gain: of a search over it.
        detectable: the smallest gain that the confirmation would show; None where the score is no
            mean over images.
        size: probes at each image size; None where they were not made.
    """

    floor: Tried
    tried: tuple[Tried, ...]
    labels: tuple[Tried, ...]
    label_error: float
    best: str
    gain: GainForecast
    detectable: float | None
    size: SizeChoice | None


def read_findings(setup: Setup, store: Store, size: SizeChoice | None) -> Findings:
    """What is stored of a triage whose runs have ended."""
    bench = setup.bench
    baselines = {
        run.name: run.outcome.score
        for run in store.runs(BASELINE).values()
        if run.policy is not None and run.outcome is not None
    }
    trials = {trial_name(trial): _score(trial, store) for trial in store.finished()}
    best = best_baseline(store)
    draws = store.outcomes(BASELINE)[best, 0].draw_scores
    label_error = math.hypot(NOISE, float(np.std(draws, ddof=1)))
    floors = [
        outcome
        for (name, _), outcome in sorted(store.outcomes(TRIAGE).items())
        if name == bench.floor
    ]
    floor = estimate_mean(floors, validation_images(bench))
    with_labels = {
        name: outcome.score
        for (name, replicate), outcome in store.outcomes(SUPERVISED).items()
        if replicate == 1 and name in (NONE, best)
    }
    return Findings(
        floor=Tried(
            name=bench.floor, training="none", score=floor.mean, interval=floor.interval(LEVEL)
        ),
        tried=_tried({**baselines, **trials}, "SimCLR", NOISE),
        labels=_tried(with_labels, "labels", label_error),
        label_error=label_error,
        best=best,
        gain=foresee_gain(
            list(baselines.values()),
            list(trials.values()),
            NOISE,
            setup.config.search.trials,
            seed=setup.seed,
        ),
        detectable=_detectable(setup),
        size=size,
    )


def _score(trial: FrozenTrial, store: Store) -> float:
    """What a trial reached; of one that was stopped early, what it would have: its last score and
    on top the median of what baselines gained from that step on."""
    if outcome := trial_outcome(trial):
        return outcome.score
    step, score = trial_curve(trial)[-1]
    gains = [
        outcome.score - curve[step]
        for outcome in store.outcomes(BASELINE).values()
        if step in (curve := dict(outcome.curve))
    ]
    return score + (median(gains) if gains else 0.0)


def _tried(scores: dict[str, float], training: Training, error: float) -> tuple[Tried, ...]:
    found = [
        Tried(
            name=name,
            training=training,
            score=score,
            interval=(max(0.0, score - REACH * error), min(1.0, score + REACH * error)),
        )
        for name, score in scores.items()
    ]
    return tuple(sorted(found, key=lambda one: -one.score))


def _detectable(setup: Setup) -> float | None:
    images = scored_images(setup.bench)
    if images is None:
        return None
    return smallest_gain(images, race_plan(setup.config, setup.always_confirmed))
