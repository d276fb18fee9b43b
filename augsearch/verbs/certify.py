"""`augsearch certify`: rerun some of a study's policies for longer, and judge short runs by it.

Scores are like for like: the validation images of the search, never the sealed ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from optuna.trial import FrozenTrial

from augsearch.augment.baselines import for_channels
from augsearch.bench.bench import Bench, derived_seed
from augsearch.bench.outcome import Outcome
from augsearch.data.imageset import ImageSet
from augsearch.engines.processes import cpu_threads
from augsearch.errors import OutputError, StudyError
from augsearch.files import write_files
from augsearch.progress import Progress, Quiet
from augsearch.search.certificate.certificate import FEWEST, Certificate, Tried, certify_scores
from augsearch.search.report.collect import Sources
from augsearch.search.report.files import report_files
from augsearch.space.policy import Policy
from augsearch.store.database import DEFAULT_STORAGE, open_storage, owner_lock
from augsearch.store.frozen_trials import trial_outcome, trial_policy, trial_score
from augsearch.store.runs import BASELINE, CERTIFICATION, made_again
from augsearch.store.study_store import Store
from augsearch.study.jobs import Job, run_beside
from augsearch.study.mirrored import mirror_of
from augsearch.study.painting import views_painter
from augsearch.study.records import record_makers
from augsearch.study.reopen import reopen
from augsearch.study.setup import Setup, check_output, some_images
from augsearch.study_file import CertifyConfig
from augsearch.tracking.tracker import Page
from augsearch.verbs.report import stored_result
from augsearch.words import counted

MIDDLE_SEED = 101
"""Replicate of the budgets between, which have one as a trial does; the longest runs have those
after it. None is of the search (0) or the confirmation (1..), and no run judges itself."""
LOOKED_AT = 256  # images that the distance of two views is measured on


def certify_study(
    name: str,
    *,
    storage: str = DEFAULT_STORAGE,
    random: int | None = None,
    seeds: int | None = None,
    data: str | Path | ImageSet | None = None,
    device: str = "auto",
    progress: Progress | None = None,
) -> Certificate:
    """Rerun policies of a finished study at larger budgets and judge its short runs by them.

    The study file's section `certify` says which. Stopped, it goes on when called again.

    Args:
        name: of the study.
        random, seeds: instead of what the study file says, in later calls as well: trials drawn at
            random, and seeds of the longest runs. More keep the runs that are there.
        storage: URL of Optuna's database.
        data: the images, if they have moved or were not read from files.
        device: as in `run_study`.
        progress: told what happens.

    Raises:
        StudyError: no such study, one that is running, or one with too few finished trials.
        ValueError: `random` is negative, or `seeds` below 1.
    """
    progress = progress or Quiet()
    setup = reopen(name, storage=storage, data=data, device=device, progress=progress)
    setup = _with_wishes(setup, random=random, seeds=seeds)
    config = setup.config
    check_output(setup.directory, make=True)
    with owner_lock(storage, name):
        store = Store(open_storage(storage), name, settings=setup.settings)
        store.asked = {**store.asked, "certify": setup.asked["certify"]}
        if outdated := store.outdated:
            progress.note(made_again(outdated))
        policies = policies_to_certify(store, config.certify, setup.seed)
        jobs = _jobs(setup, policies)
        _announce(setup, store, jobs, progress)
        with cpu_threads(config.compute.threads):
            _run_all(setup, store, jobs, progress)
        tried = _tried(setup, store, policies)
        certificate = certify_scores(name, config.pretrain.steps, tried)
        store.certificate = certificate.model_dump(mode="json")
        _publish(setup, store, certificate, progress)
    return certificate


def _with_wishes(setup: Setup, **wishes: int | None) -> Setup:
    """The setup with these values of `certify`, where one is given."""
    given = {key: value for key, value in wishes.items() if value is not None}
    wanted = CertifyConfig.model_validate({**setup.config.certify.model_dump(), **given})
    return replace(setup, config=setup.config.model_copy(update={"certify": wanted}))


@dataclass(frozen=True)
class Certified:
    """A policy that is run for longer.

    Attributes:
        name: `trial N` or a baseline's name.
        short: its score at a trial's budget; None if the search stopped it before.
        chosen: it is here for that score.
    """

    name: str
    policy: Policy
    short: float | None
    chosen: bool

    def job(self, steps: int, seed: int) -> Job:
        return Job(CERTIFICATION, self.name, self.policy, seed, steps)


def policies_to_certify(store: Store, wanted: CertifyConfig, seed: int) -> list[Certified]:
    """The baselines, random trials, and the best trials that are not among these.

    Trials that the search stopped early are drawn like the others: without them, the ranking of
    the good half alone would be judged.

    Raises:
        StudyError: too few trials.
    """
    trials = store.finished()
    rng = np.random.default_rng(derived_seed(seed, "certify"))
    drawn: dict[str, FrozenTrial] = {}
    for i in rng.permutation(len(trials)):
        if len(drawn) < wanted.random:
            drawn.setdefault(trial_policy(trials[i]).digest, trials[i])
    found = [
        Certified(run.name, run.policy, run.outcome.score, chosen=False)
        for run in store.runs(BASELINE).values()
        if run.policy and run.outcome
    ]
    found += [_certified(trial, chosen=False) for trial in drawn.values()]
    best = store.best_trials(wanted.top)
    found += [_certified(t, chosen=True) for t in best if trial_policy(t).digest not in drawn]
    if sum(not policy.chosen for policy in found) < FEWEST:
        there = counted(len(trials), "finished trial")
        raise StudyError(
            f"the study {store.name!r} has {there}, too few to compare "
            f"rankings: baselines and trials drawn at random must be {FEWEST} or more; run it "
            "with more --trials"
        )
    return found


def _certified(trial: FrozenTrial, *, chosen: bool) -> Certified:
    score = trial_score(trial) if trial_outcome(trial) else None
    return Certified(f"trial {trial.number}", trial_policy(trial), score, chosen)


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
    policies = len({job.policy for job in jobs})
    budgets = " and ".join(str(steps) for steps in _budgets(setup))
    progress.note(
        f"{policies} policies at {budgets} steps, {counted(setup.config.certify.seeds, 'seed')} of "
        f"the longest: about {hours:.1f} hours of computing in all; it may be stopped and goes on"
    )


def _run_all(setup: Setup, store: Store, jobs: Sequence[Job], progress: Progress) -> None:
    done = store.runs(CERTIFICATION)
    todo = [job for job in jobs if job.key not in done]
    progress.phase("certification", len(jobs) - len(todo), len(jobs))
    run_beside(store, setup.bench, todo, progress, setup.engine)


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


def _publish(setup: Setup, store: Store, certificate: Certificate, progress: Progress) -> None:
    """To the study's directory and to MLflow, with the report, which now has the certificate."""
    content = certificate.model_dump(mode="json")
    views = views_painter(setup.bench)
    result = stored_result(store, setup.directory)
    files = {
        "certificate.json": (json.dumps(content, indent=2) + "\n").encode(),
        **report_files(Sources(store, setup.config, setup.storage, setup, views, result)),
    }
    mirror = mirror_of(setup, progress)
    makers = record_makers(store, views, setup.executor_of, setup.as_found)
    mirror.sync(makers)
    trial = certificate.budgets[0]
    page = Page(
        description=f"{certificate.sentence} {certificate.advice}",
        metrics={
            "certificate/spearman": trial.spearman,
            "certificate/doubt_points": trial.doubt,
            "certificate/regret_points": certificate.regret,
            "certificate/bias_points": certificate.bias,
        },
        artifacts=files,
        tags={},
    )
    mirror.amend("Certificate", page)
    try:
        write_files(setup.directory, files)
    except OutputError as error:
        progress.warn(str(error))
