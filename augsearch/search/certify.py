"""`augsearch certify`: rerun some of a study's policies for longer, and judge short runs by it.

Scores are like for like: the validation images of the search, never the sealed ones.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from augsearch.augment.baselines import for_channels
from augsearch.data.imageset import ImageSet
from augsearch.engines.processes import cpu_threads
from augsearch.errors import OutputError, StudyError
from augsearch.search.bench import Bench, derived_seed
from augsearch.search.beside import BASELINE, CERTIFICATION, Job, run_beside
from augsearch.search.certificate import FEWEST, Certificate, Tried, certify_scores
from augsearch.search.config import CertifyConfig
from augsearch.search.outputs import write_files
from augsearch.search.progress import Progress, Quiet
from augsearch.search.records import record_makers
from augsearch.search.reopen import reopen
from augsearch.search.report import stored_result
from augsearch.search.report_content import Sources
from augsearch.search.report_files import report_files
from augsearch.search.setup import Setup, check_output, some_images
from augsearch.search.store import (
    DEFAULT_STORAGE,
    Store,
    open_storage,
    owner_lock,
    trial_policy,
    trial_score,
)
from augsearch.search.study import mirror_of, views_painter
from augsearch.space.policy import Policy
from augsearch.tracking.report.words import counted

FIRST_SEED = 101
"""Replicates of certification: none that the search (0) or the confirmation (1..) has used."""
LOOKED_AT = 256  # images that the distance of two views is measured on


def certify_study(
    name: str,
    *,
    storage: str = DEFAULT_STORAGE,
    data: str | Path | ImageSet | None = None,
    device: str = "auto",
    progress: Progress | None = None,
) -> Certificate:
    """Rerun policies of a finished study at larger budgets and judge its short runs by them.

    The study file's section `certify` says which. Stopped, it goes on when called again.

    Args:
        name: of the study.
        storage: URL of Optuna's database.
        data: the images, if they have moved or were not read from files.
        device: as in `run_study`.
        progress: told what happens.

    Raises:
        StudyError: no such study, one that is running, or one with too few finished trials.
    """
    progress = progress or Quiet()
    setup = reopen(name, storage=storage, data=data, device=device, progress=progress)
    config, bench = setup.config, setup.bench
    check_output(setup.directory, make=True)
    with owner_lock(storage, name):
        store = Store(open_storage(storage), name, settings=setup.settings)
        chosen = policies_to_certify(store, config.certify, setup.seed)
        budgets = [config.pretrain.steps * factor for factor in config.certify.budgets]
        _announce(setup, store, len(chosen), budgets, progress)
        with cpu_threads(config.compute.threads):
            _run_all(store, bench, chosen, budgets, config.certify.seeds, progress)
        certificate = certify_scores(
            name, config.pretrain.steps, _tried(store, bench, chosen, budgets, config.certify.seeds)
        )
        store.certificate = certificate.model_dump(mode="json")
        _publish(setup, store, certificate, progress)
    return certificate


def policies_to_certify(
    store: Store, wanted: CertifyConfig, seed: int
) -> dict[str, tuple[Policy, float, bool]]:
    """Name -> (policy, score in the search, whether it is here for that score).

    The baselines, random complete trials, and the best trials that are not among these.

    Raises:
        StudyError: too few complete trials.
    """
    trials = store.best_trials(10**6)
    rng = np.random.default_rng(derived_seed(seed, "certify"))
    drawn = {trials[i].number for i in rng.permutation(len(trials))[: wanted.random]}
    found: dict[str, tuple[Policy, float, bool]] = {
        run.name: (run.policy, run.outcome.score, False)
        for run in store.runs(BASELINE).values()
        if run.policy and run.outcome
    }
    for place, trial in enumerate(trials):
        if trial.number in drawn or place < wanted.top:
            policy, score = trial_policy(trial), trial_score(trial)
            found[f"trial {trial.number}"] = (policy, score, trial.number not in drawn)
    fair = sum(not is_chosen for _, _, is_chosen in found.values())
    if fair < FEWEST:
        there = counted(len(trials), "complete trial")
        raise StudyError(
            f"the study {store.name!r} has {there}, too few to compare "
            f"rankings: baselines and trials drawn at random must be {FEWEST} or more; run it "
            "with more --trials"
        )
    return found


def _announce(
    setup: Setup, store: Store, policies: int, budgets: Sequence[int], progress: Progress
) -> None:
    """Say what it will cost, from what the trials took."""
    per_step = [
        outcome.seconds["total"] / outcome.steps for _, outcome in store.complete() if outcome.steps
    ]
    runs = policies * setup.config.certify.seeds
    hours = float(np.median(per_step)) * runs * sum(budgets) / 3600
    steps = " and ".join(str(budget) for budget in budgets)
    progress.note(
        f"{policies} policies at {steps} steps with {setup.config.certify.seeds} seeds each: about "
        f"{hours:.1f} hours of computing in all; it may be stopped and goes on"
    )


def _run_all(
    store: Store,
    bench: Bench,
    chosen: dict[str, tuple[Policy, float, bool]],
    budgets: Sequence[int],
    seeds: int,
    progress: Progress,
) -> None:
    done = store.runs(CERTIFICATION)
    jobs = [
        Job(CERTIFICATION, name, policy.model_dump_json(exclude_none=True), seed, steps)
        for steps in budgets
        for seed in range(FIRST_SEED, FIRST_SEED + seeds)
        for name, (policy, _, _) in chosen.items()
    ]
    todo = [job for job in jobs if job.key not in done]
    progress.phase("certification", len(jobs) - len(todo), len(jobs))
    run_beside(store, bench, todo, progress)


def _tried(
    store: Store,
    bench: Bench,
    chosen: dict[str, tuple[Policy, float, bool]],
    budgets: Sequence[int],
    seeds: int,
) -> list[Tried]:
    """What the runs showed, without policies that failed in one of them."""
    outcomes = store.outcomes(CERTIFICATION)
    images = some_images(bench, LOOKED_AT)
    found = []
    for name, (policy, short, is_chosen) in chosen.items():
        scores = {}
        for steps in budgets:
            keys = [
                Job(CERTIFICATION, name, None, seed, steps).key
                for seed in range(FIRST_SEED, FIRST_SEED + seeds)
            ]
            if all(key in outcomes for key in keys):
                scores[steps] = [outcomes[key].score for key in keys]
        if len(scores) == len(budgets):
            strength = distance_of_views(bench, policy, images)
            found.append(Tried(name, is_chosen, strength, short, scores))
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


def _publish(setup: Setup, store: Store, certificate: Certificate, progress: Progress) -> None:
    """To the study's directory and to MLflow, with the report, which now has the certificate."""
    content = certificate.model_dump(mode="json")
    bench, views = setup.bench, views_painter(setup.bench)
    result = stored_result(store, setup.directory)
    files = {
        "certificate.json": (json.dumps(content, indent=2) + "\n").encode(),
        **report_files(Sources(store, setup.config, setup.storage, setup, views, result)),
    }
    mirror = mirror_of(setup, progress)
    makers = record_makers(store, views, lambda policy: bench.renderer(policy).executor)
    mirror.sync(makers)
    trial = certificate.budgets[0]
    mirror.amend(
        section="Certificate",
        text=f"{certificate.sentence} {certificate.advice}",
        metrics={
            "certificate/spearman": trial.spearman,
            "certificate/doubt_points": trial.doubt,
            "certificate/regret_points": certificate.regret,
            "certificate/bias_points": certificate.bias,
        },
        artifacts=files,
    )
    try:
        write_files(setup.directory, files)
    except OutputError as error:
        progress.warn(str(error))
