"""Is what is known to be true of the embedded domains found? Training runs that say so.

A seed stands for a new instance: images, label draws, initial weights and batches all follow from
it. Policies of one seed share them, so gains are paired by seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from scipy import stats

from augsearch.bench.bench import UNTRAINED, Bench
from augsearch.data.embedded.domains import DOMAINS, Domain
from augsearch.data.embedded.scenes import Label
from augsearch.data.embedded.surfaces import SurfaceSpec, draw_surfaces
from augsearch.engines.processes import Processes
from augsearch.simclr.device import resolve_device
from augsearch.space.space import Space
from augsearch.study_file import StudyConfig, load_study_config

BASE = "base"
IMAGES_PER_CLASS = 150

SPACE = Space.model_validate(
    {
        "name": "planted",
        "ops": [
            # Two views of a policy in which all else is off still differ.
            {"op": "affine", "name": "shift", "translate": 0.15},
            {"op": "resized_crop", "scale_min": {"choices": [0.08, 0.3, 1.0]}},
            {"op": "horizontal_flip", "p": {"choices": [0.0, 0.5]}},
            {"op": "rotation", "degrees": {"choices": [0.0, 180.0]}},
            {
                "op": "color_jitter",
                "p": 0.8,
                "brightness": {"choices": [0.0, 0.8]},
                "hue": {"choices": [0.0, 0.5]},
            },
            {"op": "gaussian_blur", "sigma": {"choices": [0.0, 0.1]}},
        ],
    }
)
"""One small space for all domains: it does not know which of them it is searched on."""


@dataclass(frozen=True)
class PlantedRun:
    """One run of one policy of a domain; `policy` is a name in `Domain.policies`, or the floor."""

    label: Label
    policy: str
    seed: int
    steps: int


@dataclass(frozen=True)
class PairedGain:
    """Mean of differences that are paired by seed, with its t-based 95 % interval over seeds."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Effect:
    """What one operation does to the base policy of its domain.

    Attributes:
        op: its name in `Domain.destroys` or `Domain.matches`.
        expected: what the planted truth says.
        gain: its score less the base's.
    """

    op: str
    expected: Literal["hurts", "helps"]
    gain: PairedGain

    @property
    def found(self) -> bool:
        """Whether the whole interval lies on the side that the truth says."""
        return self.gain.high < 0 if self.expected == "hurts" else self.gain.low > 0


def quick_config() -> StudyConfig:
    """The budget that the truth is found at: that of the preset `quick`."""
    return load_study_config("quick")


def planted_jobs(labels: Sequence[Label], seeds: Sequence[int], steps: int) -> list[PlantedRun]:
    """Every policy of these domains and the untrained encoder, on every seed."""
    return [
        PlantedRun(label, policy, seed, steps)
        for label in labels
        for seed in seeds
        for policy in (UNTRAINED, *DOMAINS[label].policies())
    ]


def score_jobs(
    jobs: Sequence[PlantedRun], processes: int | None = None
) -> Iterator[tuple[PlantedRun, float]]:
    """The few-label score of every job on the cores of this machine, as each ends."""
    return Processes(threads=1, most=processes).run(score_job, None, jobs)


def score_job(_: None, job: PlantedRun) -> float:
    """The score of a run, on validation images; the same job gives the same bits on a CPU."""
    bench = _bench(job.label, job.seed)
    if job.policy == UNTRAINED:
        return bench.untrained(replicate=job.seed, scored="validation").score
    policy = DOMAINS[job.label].policies()[job.policy]
    return bench.try_policy(policy, replicate=job.seed, steps=job.steps).score


def effects(domain: Domain, scores: Mapping[str, Sequence[float]]) -> list[Effect]:
    """What each operation did, from the scores of a domain's policies, seeds in one order."""
    expected: list[tuple[Literal["hurts", "helps"], str]] = [
        *(("hurts", name) for name in domain.destroys),
        *(("helps", name) for name in domain.matches),
    ]
    return [Effect(name, says, paired_gain(scores[name], scores[BASE])) for says, name in expected]


def paired_gain(scores: Sequence[float], reference: Sequence[float]) -> PairedGain:
    """How far `scores` lie above `reference`, seed by seed (two seeds or more)."""
    gaps = np.asarray(scores) - np.asarray(reference)
    interval = stats.ttest_1samp(gaps, 0).confidence_interval(0.95)
    return PairedGain(float(gaps.mean()), float(interval.low), float(interval.high))


@lru_cache(maxsize=1)
def _bench(label: Label, seed: int) -> Bench:
    """The bench of one instance; a process keeps the one that it works on."""
    images = draw_surfaces(SurfaceSpec(label, images_per_class=IMAGES_PER_CLASS, seed=seed))
    return Bench.build(images, quick_config(), seed=seed, device=resolve_device("cpu"))
