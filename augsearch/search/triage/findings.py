"""What the runs of a triage show, as numbers; no training.

All that is compared was run under the seed of the search: initial weights and label draws move the
scores of all ways alike, and further than policies do.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy.stats import norm

from augsearch.augment.baselines import for_channels
from augsearch.bench.outcome import Outcome
from augsearch.errors import StudyError
from augsearch.search.confirm.also import NONE
from augsearch.search.confirm.confirmation import race_plan
from augsearch.search.confirm.power import SEEDS_SD, detectable_gain
from augsearch.search.triage.train import best_baseline
from augsearch.stats.forecast import GainForecast, foresee_gain
from augsearch.store.frozen_trials import (
    FrozenTrial,
    trial_curve,
    trial_name,
    trial_outcome,
    trial_policy,
)
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
        interval: 95 %, for other seeds and labels on these images; ways move together in it.
        stopped: the trial was stopped early, and this is what it would have reached.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    training: Training
    score: float
    interval: tuple[float, float]
    stopped: bool = False

    @property
    def title(self) -> str:
        """Its name, for tables."""
        return f"{self.name} (stopped early)" if self.stopped else self.name


@dataclass(frozen=True)
class Findings:
    """All that the answer rests on.

    Attributes:
        floor: the encoder without any training.
        baselines, trials: SimCLR under published policies and under the study's first trials, best
            first.
        labels: supervised training, best first; empty if the plan had none or it failed.
        label_lead: how far the best of these is above a probe, fitted on the same labels, on
            features of SimCLR under the best baseline; with its standard error.
        gain: of a search over the best baseline.
        detectable: the smallest gain that the confirmation would show; None where the score is no
            mean over images.
        size: probes at each image size; None where they were not made.
        failed: names of baselines that did not train through.
    """

    floor: Tried
    baselines: tuple[Tried, ...]
    trials: tuple[Tried, ...]
    labels: tuple[Tried, ...]
    label_lead: tuple[float, float]
    gain: GainForecast
    detectable: float | None
    size: SizeChoice | None
    failed: tuple[str, ...] = ()

    @property
    def best(self) -> Tried:
        """The best baseline."""
        return self.baselines[0]


def read_findings(setup: Setup, store: Store, size: SizeChoice | None) -> Findings:
    """What is stored of a triage whose runs have ended.

    Raises:
        StudyError: fewer than two policies train through.
    """
    bench, channels = setup.bench, setup.image_set.channels
    runs = store.runs(BASELINE)
    outcomes = store.outcomes(BASELINE)
    baselines = {name: outcomes[name, 0] for name in setup.baselines if (name, 0) in outcomes}
    trials = {trial_name(trial): trial for trial in store.finished()}
    if len(baselines) + len(trials) < 2 or not baselines:
        reason = next((run.failure for run in runs.values() if run.failure), "no run ended")
        raise StudyError(
            f"fewer than two policies train through ({reason}); lower pretrain.learning_rate in "
            "the study file"
        )
    best = best_baseline(store)
    scores = {name: _score(trial, baselines) for name, trial in trials.items()}
    spread = math.hypot(NOISE, _shared_spread(store, bench.floor))
    with_labels = {
        name: outcome
        for (name, replicate), outcome in store.outcomes(SUPERVISED).items()
        if replicate == 0 and name in (NONE, best)
    }
    # A policy that is tried under two names is one.
    policies = {name: for_channels(setup.baselines[name], channels).digest for name in baselines}
    policies |= {name: trial_policy(trial).digest for name, trial in trials.items()}
    other = {
        policies[name]: score
        for name, score in scores.items()
        if policies[name] not in {policies[baseline] for baseline in baselines}
    }
    return Findings(
        floor=_tried(bench.floor, "none", outcomes[bench.floor, 0].score, spread),
        baselines=_best_first(
            _tried(name, "SimCLR", outcome.score, spread) for name, outcome in baselines.items()
        ),
        trials=_best_first(
            _tried(name, "SimCLR", score, spread).model_copy(
                update={"stopped": trial_outcome(trials[name]) is None}
            )
            for name, score in scores.items()
        ),
        labels=_best_first(
            _tried(name, "labels", one.score, math.hypot(spread, _draw_spread(baselines[best])))
            for name, one in with_labels.items()
        ),
        label_lead=_label_lead(with_labels, baselines[best]),
        gain=foresee_gain(
            list({policies[name]: one.score for name, one in baselines.items()}.values()),
            list(other.values()),
            NOISE,
            setup.config.search.trials,
            seed=setup.seed,
        ),
        detectable=detectable_gain(bench, race_plan(setup.config, setup.always_confirmed)),
        size=size,
        failed=tuple(name for name in setup.baselines if name not in baselines),
    )


def _tried(name: str, training: Training, score: float, error: float) -> Tried:
    ends = max(0.0, score - REACH * error), min(1.0, score + REACH * error)
    return Tried(name=name, training=training, score=score, interval=ends)


def _best_first(tried: Iterable[Tried]) -> tuple[Tried, ...]:
    return tuple(sorted(tried, key=lambda one: -one.score))


def _score(trial: FrozenTrial, baselines: Mapping[str, Outcome]) -> float:
    """What a trial reached; of one that was stopped early, what it would have: its last score and
    on top the median of what baselines gained from that step on."""
    if outcome := trial_outcome(trial):
        return outcome.score
    step, score = trial_curve(trial)[-1]
    gains = [
        outcome.score - curve[step]
        for outcome in baselines.values()
        if step in (curve := dict(outcome.curve))
    ]
    return score + (median(gains) if gains else 0.0)


def _shared_spread(store: Store, floor: str) -> float:
    """Standard deviation over seeds of the encoder without training: what other weights and labels
    do to every way."""
    scores = [one.score for (name, _), one in store.outcomes(TRIAGE).items() if name == floor]
    return float(np.std(scores, ddof=1)) if len(scores) > 1 else 0.0


def _draw_spread(outcome: Outcome) -> float:
    """What another draw of labels does to a score by a single one."""
    return float(np.std(outcome.draw_scores, ddof=1))


def _label_lead(with_labels: Mapping[str, Outcome], best: Outcome) -> tuple[float, float]:
    """See `Findings`: the first draw's labels are those that the supervised runs have."""
    error = math.hypot(math.sqrt(2) * NOISE, _draw_spread(best) / math.sqrt(2))
    if not with_labels:
        return -1.0, error
    return max(one.score for one in with_labels.values()) - best.draw_scores[0], error
