"""What a finished study writes: files for people and programs, and its page in MLflow."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Mapping

import numpy as np
import psutil
import torch

from augsearch.augment.baselines import for_channels
from augsearch.bench.outcome import mean_recall
from augsearch.files import csv_bytes
from augsearch.pictures.front import Kind, PlottedPolicy, front_png
from augsearch.pictures.intervals import Bar, intervals_png
from augsearch.pretraining.prepare import LONGER
from augsearch.search.confirm.also import Supervised
from augsearch.search.confirm.confirmation import (
    Confirmation,
    Entrant,
    scored_images,
)
from augsearch.search.confirm.verdict import Verdict
from augsearch.search.result.proxies import audit
from augsearch.search.result.result import (
    LEVEL,
    FrontPolicy,
    PolicyResult,
    StudyResult,
    versions,
)
from augsearch.search.result.tables import (
    label_draws_table,
    results_table,
    sealed_table,
    split_table,
)
from augsearch.space.handbook.costs import views_microseconds
from augsearch.space.policy import Policy
from augsearch.stats.crossed import MeanEstimate, estimate_mean
from augsearch.store.frozen_trials import full_values, trial_name, trial_policy
from augsearch.store.ranking import feasible
from augsearch.store.runs import BASELINE, CONFIRMATION, SCORING
from augsearch.store.study_store import Store
from augsearch.study.setup import Setup
from augsearch.study_file import StudyConfig
from augsearch.words import channels_in_words


def study_result(
    setup: Setup,
    store: Store,
    confirmed: Confirmation,
    verdict: Verdict,
    supervised: Supervised | None,
    sealed_uses: int,
) -> StudyResult:
    """Everything that a study found, in one object."""
    entrants = confirmed.entrants
    states = [trial.state.name.lower() for trial in store.trials()]
    policies = _policy_results(setup, store, confirmed)
    return StudyResult(
        scoring=SCORING,
        study=setup.name,
        verdict=verdict,
        metric=setup.config.evaluate.measured,
        policies=policies,
        front=_front(store),
        classes=confirmed.changes_of(verdict.recommended),
        kept_classes=confirmed.kept_classes(verdict.recommended),
        proxies=audit(store.complete()),
        supervised=supervised,
        trials={state: states.count(state) for state in ("complete", "pruned", "fail")},
        seed=setup.seed,
        confirmation_seeds=tuple(range(1, max(verdict.seeds.values()) + 1)),
        digests={
            "policy": winning_policy(setup, entrants, verdict).digest,
            "space": setup.space.digest,
            "study": setup.config.digest,
            "data": setup.image_set.digest,
        },
        sealed_split_uses=sealed_uses,
        data=setup.data_facts,
        seconds=_seconds(store),
        device=str(setup.device),
        versions=versions(),
        ahead=_ahead(setup, store),
        command=setup.command(),
    )


def _ahead(setup: Setup, store: Store) -> dict[str, float]:
    """What next verbs would take, as long as trials did."""
    config, certify = setup.config, setup.config.certify
    per_step = [
        outcome.seconds["total"] / outcome.steps for _, outcome in store.complete() if outcome.steps
    ]
    second = float(np.median(per_step)) if per_step else 0.0
    *shorter, longest = certify.budgets
    policies = len(setup.baselines) + min(certify.top + certify.random, len(store.finished()))
    certified = policies * config.pretrain.steps * (sum(shorter) + longest * certify.seeds)
    return {
        "pretrain": second * (config.full.steps or LONGER * config.pretrain.steps),
        "certify": second * certified / (store.kept.parallel or 1),
    }


def _front(store: Store) -> tuple[FrontPolicy, ...]:
    if len(store.aims) == 1:
        return ()
    return tuple(
        FrontPolicy(
            name=trial_name(trial),
            digest=trial_policy(trial).digest,
            values=dict(zip(store.aims, full_values(trial), strict=True)),
        )
        for trial in store.front()
    )


def winning_policy(setup: Setup, entrants: list[Entrant], verdict: Verdict) -> Policy:
    """The recommended policy under its own name, as it acts on these images."""
    winner = next(entrant for entrant in entrants if entrant.name == verdict.recommended)
    if winner.policy is None:
        raise RuntimeError("an encoder without training cannot win")
    policy = setup.as_found(for_channels(winner.policy, setup.image_set.channels))
    return policy.model_copy(update={"name": f"{setup.name}: {winner.name}"})


def _possible(estimate: MeanEstimate, setup: Setup) -> tuple[float, float]:
    """The interval, as far as a score can lie in it: a metric has no value outside [0, 1]."""
    low, high = estimate.interval(LEVEL)
    if setup.config.evaluate.label_free:
        return low, high
    return max(0.0, low), min(1.0, high)


def data_in_words(facts: Mapping[str, str | int]) -> str:
    """The same in a sentence without its full stop."""
    colour = channels_in_words(int(facts["channels"]))
    return (
        f"Images: {facts['name']}, {facts['images']} {colour} images of {facts['classes']} "
        f"classes, {facts['labelled']} with a label; {facts['pool']} for the search, "
        f"{facts['test']} sealed until the confirmation"
    )


def _policy_results(
    setup: Setup, store: Store, confirmed: Confirmation
) -> tuple[PolicyResult, ...]:
    images = scored_images(setup.bench)
    results = []
    for entrant in confirmed.entrants:
        outcomes = confirmed.outcomes[entrant.name]
        scores = tuple(outcome.score for outcome in outcomes)
        over_seeds, over_both = estimate_mean(outcomes, None), estimate_mean(outcomes, images)
        results.append(
            PolicyResult(
                name=entrant.name,
                kind=entrant.kind,
                digest=entrant.policy.digest if entrant.policy else None,
                search_score=entrant.search_score,
                confirmed_scores=scores,
                confirmed_mean=over_seeds.mean,
                confirmed_interval=_possible(over_seeds, setup),
                images_interval=_possible(over_both, setup) if over_both.images else None,
                class_recall=mean_recall(outcomes),
            )
        )
    results.sort(key=lambda result: -(result.confirmed_mean or 0.0))
    seen = {entrant.name for entrant in confirmed.entrants}
    others = [
        PolicyResult(
            name=run.name,
            kind="baseline",
            digest=run.policy.digest if run.policy else None,
            search_score=run.outcome.score,
            confirmed_scores=(),
            confirmed_mean=None,
            confirmed_interval=None,
            images_interval=None,
            class_recall=run.outcome.class_recall,
        )
        for run in store.runs(BASELINE).values()
        if run.name not in seen and run.outcome
    ]
    return (*results, *sorted(others, key=lambda result: -(result.search_score or 0.0)))


def _seconds(store: Store) -> dict[str, float]:
    def total(phase: str) -> float:
        return sum(outcome.seconds["total"] for outcome in store.outcomes(phase).values())

    return {
        "baselines": total(BASELINE),
        "trials": sum(t.duration.total_seconds() for t in store.trials() if t.duration),
        "confirmation": total(CONFIRMATION),
    }


def result_files(
    setup: Setup,
    store: Store,
    policy: Policy,
    result: StudyResult,
    paint: Callable[[Policy], bytes],
) -> dict[str, bytes]:
    """Everything that is written: file name -> content."""
    sealed = sealed_table(setup, store, result)
    return {
        **setup.space.files(),
        **policy.files(),
        "views.png": paint(policy),
        "confirmation.png": _picture(result),
        **({"front.png": _front_picture(setup, store)} if result.front else {}),
        "result.json": _json(result.model_dump(mode="json")),
        "results.csv": csv_bytes(results_table(result)),
        "split.csv": csv_bytes(split_table(setup)),
        "label_draws.csv": csv_bytes(label_draws_table(setup, result)),
        **({} if sealed is None else {"sealed_images.csv": csv_bytes(sealed)}),
        "space.json": _json(setup.settings["space"]),
        **_study_file(setup),
        "environment.json": _json(_environment(setup)),
    }


def _study_file(setup: Setup) -> dict[str, bytes]:
    """The study file as it was read, and the encoder's own file, which it names."""
    encoder, content = setup.config.encoder, setup.settings["study"]
    named, beside = dict(encoder.files), {}
    if own := encoder.encoder_file:
        named["file"] = own.path.name + (f":{own.name}" if own.name else "")
        beside[own.path.name] = own.path.read_bytes()
    whole = {
        **content,
        "encoder": content["encoder"] | named,
        "confirm": content["confirm"] | {"also": setup.config.confirm.also},
    }
    return {"study.json": _json(whole), **beside}


def _picture(result: StudyResult) -> bytes:
    bars = []
    for policy in result.policies:
        if policy.confirmed_interval is None or policy.confirmed_mean is None:
            continue
        low, high = policy.confirmed_interval
        bars.append(
            Bar(
                label=policy.name,
                scores=policy.confirmed_scores,
                mean=policy.confirmed_mean,
                low=low,
                high=high,
                wide=policy.images_interval,
                chosen=policy.name == result.verdict.recommended,
                floor=policy.kind == "floor",
            )
        )
    return intervals_png(
        bars,
        title=f"{result.study}\nsealed test images; 95 % intervals over seeds (ticks)"
        + (", thin: and images" if any(bar.wide for bar in bars) else ""),
        axis=f"{result.metric.replace('_', ' ')}, %",
    )


AXES = {
    "worst_recall": ("recall of the class that does worst, %", 100),
    "cost": ("microseconds for the two views of an image", 1),
}
"""For people: each second aim, and what its values are multiplied by."""


def _front_picture(setup: Setup, store: Store) -> bytes:
    """Score against the other aim, for every complete trial and baseline."""
    return front_png(
        front_points(store, setup.config, setup.image_set.channels),
        title=f"{setup.name}\ntrials in the search, of one seed each"
        + ("; scores in full" if setup.config.search.cost_weight else ""),
        x_axis=AXES[store.aims[1]][0],
        y_axis=f"{setup.config.evaluate.measured.replace('_', ' ')}, %",
    )


def front_points(store: Store, config: StudyConfig, channels: int) -> list[PlottedPolicy]:
    """Every complete trial and baseline in two aims, scores in full. Trials go by their numbers."""
    aim, (_, factor) = store.aims[1], AXES[store.aims[1]]
    front = {trial.number for trial in store.front()}
    points = []
    for trial in store.complete_trials():
        kind: Kind = "front" if trial.number in front else "beaten"
        kind = kind if feasible(trial) else "broken"
        score, other = full_values(trial)
        points.append(PlottedPolicy(str(trial.number), factor * other, 100 * score, kind))
    for run in store.runs(BASELINE).values():
        if run.policy and run.outcome:
            other = min(run.outcome.class_recall.values(), default=0.0)
            if aim == "cost":
                fitting = for_channels(run.policy, channels)
                other = views_microseconds(fitting, config.data.side, config.compute.executor)
            points.append(
                PlottedPolicy(run.name, factor * other, 100 * run.outcome.score, "baseline")
            )
    return points


def front_note(config: StudyConfig) -> str:
    """How the scores on the front differ from those that the search went by; may be empty."""
    weight = config.search.cost_weight
    if not weight:
        return ""
    return (
        "Scores of trials and baselines are shown in full. The search compared trials by the score "
        f"less {weight:g} points for each millisecond of their views (search.cost_weight)."
    )


def _json(content: object) -> bytes:
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def _environment(setup: Setup) -> dict[str, object]:
    """Machine and versions: on another number of threads a CPU rounds differently."""
    device = setup.device
    return {
        "versions": versions(),
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "torch_threads": torch.get_num_threads(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else str(device),
    }
