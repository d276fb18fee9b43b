"""One study from start to end: baselines, trials, confirmation, verdict, files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from augsearch.augment.baselines import for_channels
from augsearch.augment.views import make_view_function
from augsearch.data.imageset import UNLABELLED, ImageSet
from augsearch.errors import OutputError
from augsearch.search.bench import Bench
from augsearch.search.config import StudyConfig
from augsearch.search.confirm import (
    BASELINE,
    CONFIRMATION,
    Entrant,
    confirm,
    judge,
    run_baselines,
)
from augsearch.search.progress import Progress, Quiet
from augsearch.search.records import record_makers
from augsearch.search.result import PolicyResult, StudyResult, mean_interval, versions
from augsearch.search.sampler import SeededPerTrial, build_pruner
from augsearch.search.setup import Setup, output_directory, prepare
from augsearch.search.store import (
    DEFAULT_STORAGE,
    Store,
    open_storage,
    owner_lock,
    trial_outcome,
)
from augsearch.search.trials import run_trials
from augsearch.search.verdict import Verdict
from augsearch.space.policy import Policy
from augsearch.space.space import Space
from augsearch.tracking.figures import views_png
from augsearch.tracking.mirror import DataReference, Mirror, quiet_mlflow, tracking_uri


def run_study(
    space: str | Path | Space,
    *,
    data: str | Path | ImageSet | None = None,
    study: str | Path | StudyConfig | None = None,
    trials: int | None = None,
    seed: int = 0,
    device: str = "auto",
    storage: str = DEFAULT_STORAGE,
    name: str | None = None,
    output: str | Path | None = None,
    subset: int | None = None,
    progress: Progress | None = None,
) -> StudyResult:
    """Search a space on a team's images, confirm the best policies and write the winner.

    A study that was interrupted goes on where it stopped when the same call is made again.

    Args:
        space: a space file, the name of a preset, or a Space.
        data: a folder of images, or an ImageSet; None for the embedded inspection surfaces.
        study: a study file, the name of a preset, or a StudyConfig; None for `quick` without
            data and `standard` with data.
        trials: trials to finish; None for what the study file says.
        seed: of the whole study; the same seed gives the same scores on a CPU.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        storage: URL of Optuna's database.
        name: of the study; None for one made of space, data and settings.
        output: directory for the results; None for `runs/<name>`.
        subset: use a stratified part of that many images.
        progress: told what happens.

    Returns:
        What `result.json` holds.

    Raises:
        AugsearchError: anything a user can cause, in one line.
    """
    progress = progress or Quiet()
    quiet_mlflow()
    tracking_uri()  # an unusable store should stop us before hours of work, not after
    setup = prepare(
        space,
        data=data,
        study=study,
        trials=trials,
        seed=seed,
        device=device,
        name=name,
        subset=subset,
        progress=progress,
    )
    directory = output_directory(output, setup.name)
    return run_prepared(setup, storage=storage, directory=directory, progress=progress)


def run_prepared(setup: Setup, *, storage: str, directory: Path, progress: Progress) -> StudyResult:
    """`run_study` after its checks."""
    bench, config = setup.bench, setup.config
    opened = open_storage(storage)
    with owner_lock(storage, setup.name):
        store = Store(
            opened,
            setup.name,
            settings=setup.settings,
            sampler=SeededPerTrial(config.search.sampler, setup.seed),
            pruner=build_pruner(config.search.pruner),
        )
        mirror = _mirror(setup, progress)

        def mirror_now() -> None:
            mirror.sync(record_makers(store, views))

        views = views_painter(bench)
        try:
            store.bury_dead_trials()
            run_baselines(store, bench, progress)
            mirror_now()
            run_trials(
                store, bench, setup.space, config.search.trials, progress, after_each=mirror_now
            )
            uses = store.count_sealed_use(setup.image_set.digest)
            chosen = confirm(store, bench, progress)
            mirror_now()
        except KeyboardInterrupt:
            store.bury_dead_trials()
            raise
        verdict = judge(store, chosen, config.confirm.seeds)
        store.verdict = verdict.sentence
        result = _result(setup, store, chosen, verdict, uses)
        files = _files(setup, chosen, verdict, result, views)
        _write(directory, files)
        mirror.finish(
            description=_description(result),
            metrics=_parent_metrics(result),
            artifacts=files,
            tags={"augsearch.verdict": verdict.code},
        )
    return result


def views_painter(bench: Bench, count: int = 6) -> Callable[[Policy], bytes]:
    """A function that draws a policy's views of a few of the study's images as PNG."""
    pool = bench.split.pool
    labels = bench.image_set.labels[pool]
    # One image of each class while they last, so that no class stays unseen.
    order = sorted(range(len(pool)), key=lambda i: (int((labels[:i] == labels[i]).sum()), i))
    images = bench.images[torch.as_tensor(order[:count], device=bench.device)]

    def paint(policy: Policy) -> bytes:
        make = make_view_function(
            for_channels(policy, bench.image_set.channels), bench.seed, replicate=0
        )
        views = [view for step in (0, 1) for view in make(images, step)]
        return views_png(
            images.cpu().numpy(),
            [_to_uint8(view) for view in views],
            ["original", *("view 1", "view 2") * 2],
        )

    return paint


def _to_uint8(images: torch.Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return (images.float().clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()


def _mirror(setup: Setup, progress: Progress) -> Mirror:
    image_set = setup.image_set
    return Mirror(
        study=setup.name,
        params={
            "kind": "study",
            "space": setup.space.name,
            "space_digest": setup.space.digest,
            "study_file": setup.study_file,
            "data": image_set.name,
            "data_digest": image_set.digest,
            "seed": str(setup.seed),
            "encoder": setup.config.encoder.name,
            "steps": str(setup.config.pretrain.steps),
            "image_size": str(image_set.image_size),
            "metric": setup.config.evaluate.metric,
        },
        data=DataReference(
            name=image_set.name,
            digest=image_set.digest,
            source=setup.source,
            profile=_data_facts(setup),
        ),
        warn=progress.warn,
    )


def _data_facts(setup: Setup) -> dict[str, str | int]:
    image_set = setup.image_set
    return {
        "name": image_set.name,
        "source": setup.source,
        "digest": image_set.digest,
        "images": len(image_set),
        "labelled": int((image_set.labels != UNLABELLED).sum()),
        "classes": len(image_set.classes),
        "channels": image_set.channels,
        "pool": len(setup.bench.split.pool),
        "test": len(setup.bench.split.test),
    }


def _result(
    setup: Setup, store: Store, chosen: list[Entrant], verdict: Verdict, uses: int
) -> StudyResult:
    seeds = range(1, setup.config.confirm.seeds + 1)
    winner = next(e for e in chosen if e.name == verdict.recommended)
    states = [trial.state.name.lower() for trial in store.trials()]
    return StudyResult(
        study=setup.name,
        verdict=verdict,
        metric=setup.config.evaluate.metric,
        policies=_policy_results(setup, store, chosen),
        trials={state: states.count(state) for state in ("complete", "pruned", "fail")},
        seed=setup.seed,
        confirmation_seeds=tuple(seeds),
        digests={
            "policy": winner.policy.digest if winner.policy else "",
            "space": setup.space.digest,
            "study": setup.config.digest,
            "data": setup.image_set.digest,
        },
        sealed_split_uses=uses,
        data=_data_facts(setup),
        seconds=_seconds(store),
        device=str(setup.device),
        versions=versions(),
        command=setup.command(),
    )


def _policy_results(setup: Setup, store: Store, chosen: list[Entrant]) -> tuple[PolicyResult, ...]:
    confirmed, baselines = store.outcomes(CONFIRMATION), store.runs(BASELINE)
    results = []
    for entrant in chosen:
        outcomes = [confirmed[entrant.name, s] for s in range(1, setup.config.confirm.seeds + 1)]
        scores = tuple(outcome.score for outcome in outcomes)
        mean, interval = mean_interval(scores)
        results.append(
            PolicyResult(
                name=entrant.name,
                kind=entrant.kind,
                digest=entrant.policy.digest if entrant.policy else None,
                search_score=entrant.search_score,
                confirmed_scores=scores,
                confirmed_mean=mean,
                confirmed_interval=interval,
                class_recall={
                    c: float(np.mean([outcome.class_recall[c] for outcome in outcomes]))
                    for c in setup.image_set.classes
                },
            )
        )
    results.sort(key=lambda result: -(result.confirmed_mean or 0.0))
    seen = {entrant.name for entrant in chosen}
    others = [
        PolicyResult(
            name=run.name,
            kind="baseline",
            digest=run.policy.digest if run.policy else None,
            search_score=run.outcome.score,
            confirmed_scores=(),
            confirmed_mean=None,
            confirmed_interval=None,
            class_recall=run.outcome.class_recall,
        )
        for run in baselines.values()
        if run.name not in seen and run.outcome
    ]
    return (*results, *sorted(others, key=lambda result: -(result.search_score or 0.0)))


def _seconds(store: Store) -> dict[str, float]:
    def total(phase: str) -> float:
        return sum(outcome.seconds["total"] for outcome in store.outcomes(phase).values())

    outcomes = filter(None, map(trial_outcome, store.trials()))
    spans = [t.duration.total_seconds() for t in store.trials() if t.duration]
    return {
        "baselines": total(BASELINE),
        "trials": sum(spans),
        "complete_trials": sum(outcome.seconds["total"] for outcome in outcomes),
        "confirmation": total(CONFIRMATION),
    }


def _files(
    setup: Setup,
    chosen: list[Entrant],
    verdict: Verdict,
    result: StudyResult,
    views: Callable[[Policy], bytes],
) -> dict[str, bytes]:
    """Everything that is written: name -> content."""
    winner = next(entrant for entrant in chosen if entrant.name == verdict.recommended)
    if winner.policy is None:
        raise RuntimeError("the untrained encoder cannot win")
    policy = for_channels(winner.policy, setup.image_set.channels)
    policy = policy.model_copy(update={"name": f"{setup.name}: {winner.name}"})

    def dump(content: object) -> bytes:
        return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()

    return {
        "policy.yaml": policy.to_yaml().encode(),
        "views.png": views(policy),
        "result.json": dump(result.model_dump(mode="json")),
        "space.json": dump(setup.settings["space"]),
        "study.json": dump(setup.settings["study"]),
    }


def _write(directory: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = directory / name
        try:
            path.write_bytes(content)
        except OSError as error:
            raise OutputError(
                f"{path}: cannot be written ({error.strerror}); nothing is lost: run the same "
                "command again with another --output"
            ) from None


def _parent_metrics(result: StudyResult) -> dict[str, float]:
    best = next(p for p in result.policies if p.name == result.verdict.recommended)
    return {
        "confirmed_score": best.confirmed_mean or 0.0,
        **{f"trials_{state}": float(count) for state, count in result.trials.items()},
    }


def _description(result: StudyResult) -> str:
    """The study's page in MLflow, as Markdown."""
    rows = [
        f"| {p.name} | {100 * (p.search_score or 0):.1f} | "
        + (f"{100 * p.confirmed_mean:.1f} |" if p.confirmed_mean is not None else "not confirmed |")
        for p in result.policies
    ]
    return "\n".join(
        [
            f"**{result.verdict.sentence}** {result.verdict.advice}",
            "",
            f"| policy | search, {result.metric} % | confirmed on the sealed test split |",
            "|---|---|---|",
            *rows,
        ]
    )
