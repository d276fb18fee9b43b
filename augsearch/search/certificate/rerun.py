"""Some of a study's policies run for longer, and the certificate that follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from augsearch.augment.baselines import for_channels
from augsearch.bench.bench import Bench
from augsearch.bench.outcome import Outcome
from augsearch.engines.processes import cpu_threads
from augsearch.errors import StudyError
from augsearch.progress import Progress
from augsearch.search.certificate.certificate import FEWEST, Certificate, Tried, certify_scores
from augsearch.search.certificate.policies import Certified, policies_to_certify
from augsearch.space.policy import Policy
from augsearch.store.runs import CERTIFICATION
from augsearch.store.study_store import Store
from augsearch.study.jobs import Job, run_jobs
from augsearch.study.setup import Setup, some_images
from augsearch.words import counted

MIDDLE_SEED = 101
"""Replicate of the budgets between, which have one as a trial does; the longest runs have those
after it. None is of the search (0) or the confirmation (1..), and no run judges itself."""
LOOKED_AT = 256  # images that the distance of two views is measured on


def certify_runs(setup: Setup, store: Store, progress: Progress) -> Certificate:
    """Do the longer runs that are missing, judge the short ones by them, and keep the finding.

    Raises:
        StudyError: too few policies, or too few that train through.
    """
    config = setup.config
    policies = policies_to_certify(store, config.certify, setup.seed)
    jobs = _jobs(setup, policies)
    _announce(setup, store, jobs, progress)
    with cpu_threads(config.compute.threads):
        _run_all(setup, store, jobs, progress)
    tried = _tried(setup, store, policies)
    certificate = certify_scores(store.name, config.pretrain.steps, tried)
    store.kept.certificate = certificate.model_dump(mode="json")
    return certificate


def _jobs(setup: Setup, policies: Sequence[Certified]) -> list[Job]:
    """Every run that the certificate needs, beyond those of the search."""
    config = setup.config
    *shorter, longest = _budgets(setup)
    stopped = [policy for policy in policies if policy.short is None]
    return [
        *(policy.job(config.pretrain.steps, 0) for policy in stopped),
        *(policy.job(steps, MIDDLE_SEED) for steps in shorter for policy in policies),
        *(policy.job(longest, seed) for seed in _seeds(setup) for policy in policies),
    ]


def _budgets(setup: Setup) -> list[int]:
    return [setup.config.pretrain.steps * factor for factor in setup.config.certify.budgets]


def _seeds(setup: Setup) -> range:
    """Of the longest runs."""
    return range(MIDDLE_SEED + 1, MIDDLE_SEED + 1 + setup.config.certify.seeds)


def _announce(setup: Setup, store: Store, jobs: Sequence[Job], progress: Progress) -> None:
    """Say what it will cost, from what the trials took."""
    per_step = [
        outcome.seconds["total"] / outcome.steps for _, outcome in store.complete() if outcome.steps
    ]
    hours = float(np.median(per_step)) * sum(job.steps or 0 for job in jobs) / 3600
    policies = len({job.policy.digest for job in jobs if job.policy})
    budgets = " and ".join(str(steps) for steps in _budgets(setup))
    progress.note(
        f"{policies} policies at {budgets} steps, {counted(setup.config.certify.seeds, 'seed')} of "
        f"the longest: about {hours:.1f} hours of computing in all; it may be stopped and goes on"
    )


def _run_all(setup: Setup, store: Store, jobs: Sequence[Job], progress: Progress) -> None:
    done = store.runs(CERTIFICATION)
    todo = [job for job in jobs if job.key not in done]
    progress.phase("certification", len(jobs) - len(todo), len(jobs))
    run_jobs(store, setup.bench, todo, progress, setup.engine_telling(progress.note))


def _scores(
    outcomes: Mapping[tuple[str, int], Outcome], policy: Certified, steps: int, seeds: Sequence[int]
) -> list[float]:
    """Of these runs; empty if one failed."""
    keys = [policy.job(steps, seed).key for seed in seeds]
    if not all(key in outcomes for key in keys):
        return []
    return [outcomes[key].score for key in keys]


def _tried(setup: Setup, store: Store, policies: Sequence[Certified]) -> list[Tried]:
    """What the runs showed, without policies that failed in one of them."""
    outcomes = store.outcomes(CERTIFICATION)
    images = some_images(setup.bench, LOOKED_AT)
    *shorter, longest = _budgets(setup)
    found = []
    for policy in policies:
        if policy.short is None:
            trial = _scores(outcomes, policy, setup.config.pretrain.steps, [0])
        else:
            trial = [policy.short]
        longer = {steps: _scores(outcomes, policy, steps, [MIDDLE_SEED]) for steps in shorter}
        longer[longest] = _scores(outcomes, policy, longest, _seeds(setup))
        if trial and all(longer.values()):
            strength = distance_of_views(setup.bench, policy.policy, images)
            found.append(Tried(policy.name, policy.chosen, strength, trial[0], longer))
    if sum(not policy.chosen for policy in found) < FEWEST:
        raise StudyError(
            f"only {len(found)} policies train through at every budget, too few to compare "
            "rankings; lower pretrain.learning_rate in the study file"
        )
    return found


def distance_of_views(bench: Bench, policy: Policy, images: torch.Tensor) -> float:
    """How strong a policy is: how far apart its two views of an image are.

    Root mean square of their pixels' difference over that of two different images: 0 if nothing
    is done, about 1 if the views are as unlike as images are.

    Args:
        images: uint8 `[N, C, S, S]` on the bench's device.
    """
    fitting = for_channels(policy, bench.image_set.channels)
    first, second = bench.renderer(fitting).function(0, 0)(images, 0)
    clean = images.float() / 255
    apart = (clean - clean.roll(1, 0)).square().mean().sqrt()
    return float((first - second).square().mean().sqrt() / apart)
