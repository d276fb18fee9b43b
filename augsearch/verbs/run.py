"""One study from start to end: baselines, trials, confirmation, verdict, files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from optuna.exceptions import StorageInternalError

from augsearch.bench.bench import Bench
from augsearch.data.imageset import ImageRows, ImageSet
from augsearch.data.splits import sealed_marks
from augsearch.engines.processes import cpu_threads
from augsearch.errors import AugsearchError, StudyError
from augsearch.files import write_files
from augsearch.progress import Estimate, Progress, Quiet
from augsearch.search.confirm.confirmation import confirm, run_baselines
from augsearch.search.estimate import estimate
from augsearch.search.preview.views import draw_views
from augsearch.search.report.collect import Sources
from augsearch.search.report.files import report_files
from augsearch.search.result import outputs
from augsearch.search.result.proxies import in_words
from augsearch.search.result.recommended import registration
from augsearch.search.result.result import StudyResult
from augsearch.search.trials.loop import classes_in_words, run_trials
from augsearch.search.trials.sampler import SeededPerTrial, build_pruner, distributions
from augsearch.space.policy import Policy
from augsearch.space.space import Space
from augsearch.store.database import DEFAULT_STORAGE, open_storage, owner_lock
from augsearch.store.listing import check_settings
from augsearch.store.runs import made_again
from augsearch.store.study_store import Store
from augsearch.study.origin import Origin, compared, find_origin, hand_on_trials, looks_of
from augsearch.study.records import record_makers
from augsearch.study.setup import Setup, check_output, prepare
from augsearch.study_file import StudyConfig
from augsearch.tracking.mirror import DataReference, Mirror, quiet_mlflow, tracking_uri
from augsearch.tracking.registry import registered_name


def run_study(
    space: str | Path | Space | None = None,
    *,
    data: str | Path | ImageSet | None = None,
    from_study: str | None = None,
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
        space: a space file, the name of a preset, or a Space; None for that of `from_study`.
        data: a folder of images, or an ImageSet; None for the embedded inspection surfaces.
        from_study: name of a finished study on other images (new ones of the same line, another
            plant). Its winner becomes a further baseline, its trials the sampler's prior, and it
            is said how the images differ.
        study: a study file, the name of a preset, or a StudyConfig; None for that of `from_study`,
            else `quick` without data and `standard` with data.
        trials: trials to finish; None for what the study file says.
        seed: of the whole study; the same seed gives the same scores on a CPU of the same kind.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        storage: URL of Optuna's database.
        name: of the study; None for one made of space, data and settings.
        output: directory for the results; None for `runs/<name>`.
        subset: use a stratified part of that many images.
        progress: told what happens.

    Returns:
        What `result.json` holds; `.policy` is the recommended one, `.files` is what was written.

    Raises:
        AugsearchError: anything a user can cause, in one line.
    """
    progress = progress or Quiet()
    setup = _checked(
        space,
        data=data,
        from_study=from_study,
        study=study,
        trials=trials,
        seed=seed,
        device=device,
        name=name,
        subset=subset,
        storage=storage,
        output=output,
        progress=progress,
    )
    with owner_lock(setup.storage, setup.name):
        pass  # before the estimate, which takes a while
    check_output(setup.directory, make=True)
    progress.estimated(estimate(setup))
    try:
        return _run(setup, progress)
    except KeyboardInterrupt:
        progress.note("stopped; nothing that was finished is lost. Go on with:")
        progress.note(setup.command())
        if setup.in_python:
            progress.note(setup.in_python)
        raise
    except StorageInternalError as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        raise StudyError(
            f"--storage {storage}: writing failed ({reason}); finished trials are kept: make "
            "room and run the same command again"
        ) from None
    except AugsearchError:
        progress.note(f"what is finished is kept in the study {setup.name!r}")
        raise


def estimate_study(
    space: str | Path | Space | None = None,
    *,
    data: str | Path | ImageSet | None = None,
    from_study: str | None = None,
    study: str | Path | StudyConfig | None = None,
    trials: int | None = None,
    seed: int = 0,
    device: str = "auto",
    storage: str = DEFAULT_STORAGE,
    name: str | None = None,
    output: str | Path | None = None,
    subset: int | None = None,
    progress: Progress | None = None,
) -> Estimate:
    """Check what `run_study` would check and estimate its cost; makes no study and no directory.

    The arguments and errors are those of `run_study`.
    """
    setup = _checked(
        space,
        data=data,
        from_study=from_study,
        study=study,
        trials=trials,
        seed=seed,
        device=device,
        name=name,
        subset=subset,
        storage=storage,
        output=output,
        progress=progress or Quiet(),
    )
    check_output(setup.directory, make=False)
    return estimate(setup)


def _checked(
    space: str | Path | Space | None,
    *,
    storage: str,
    from_study: str | None,
    progress: Progress,
    **arguments: Any,
) -> Setup:
    """A study that could start now: an unusable store should stop it before hours of work."""
    quiet_mlflow()
    tracking_uri()
    origin = find_origin(storage, from_study) if from_study is not None else None
    setup = prepare(space, storage=storage, origin=origin, progress=progress, **arguments)
    check_settings(storage, setup.name, setup.settings)
    if origin is not None:
        progress.note(f"compared with {origin.study}: {compared(origin, setup.bench)}")
    return setup


def _run(setup: Setup, progress: Progress) -> StudyResult:
    bench, config = setup.bench, setup.config
    opened = open_storage(setup.storage)
    with owner_lock(setup.storage, setup.name):
        store = Store(
            opened,
            setup.name,
            settings=setup.settings,
            sampler=SeededPerTrial(config.search.sampler, setup.seed),
            pruner=build_pruner(config.search.pruner),
            aims=config.search.aims,
        )
        store.asked = setup.asked
        store.looks = looks_of(bench)
        mirror = mirror_of(setup, progress)

        def mirror_now() -> None:
            mirror.sync(record_makers(store, views, setup.executor_of, setup.as_found))

        views = views_painter(bench)
        try:
            store.bury_dead_trials()
            if outdated := store.outdated:
                progress.note(made_again(outdated))
            run_baselines(store, bench, setup.baselines, progress)
            mirror_now()
            if setup.origin is not None:
                _hand_on(setup, setup.origin, store, progress)
            with cpu_threads(config.compute.threads):
                run_trials(
                    store, bench, setup.space, config.search.trials, progress, after_each=mirror_now
                )
            if sentence := classes_in_words(store, config.search.class_loss):
                progress.note(sentence)
            uses = store.count_sealed_use(sealed_marks(setup.image_set, bench.split.test))
            confirmed = confirm(store, bench, setup.baselines, progress, beside=setup.beside)
            mirror_now()
        except KeyboardInterrupt:
            store.bury_dead_trials()
            raise
        verdict = in_words(confirmed.judge(), config.evaluate)
        result = outputs.study_result(setup, store, confirmed, verdict, uses)
        if result.proxies and (misleading := result.proxies.warning(config.evaluate.score)):
            progress.warn(misleading)
        policy = outputs.winning_policy(setup, confirmed.entrants, verdict)
        store.decide(policy, result.model_dump(mode="json"))
        files = {
            **outputs.result_files(setup, store, policy, result, views),
            **report_files(Sources(store, config, setup.storage, setup, views, result)),
        }
        write_files(setup.directory, files)
        mirrored = mirror.finish(
            description=outputs.description(result),
            metrics=outputs.parent_metrics(result),
            artifacts=files,
            tags={"augsearch.verdict": verdict.code},
        )
        wanted = registration(setup, policy, result)
        if mirrored and mirror.register(wanted) and wanted.recommended:
            progress.note(f"in MLflow's model registry: {registered_name(setup.name)}")
    return result.written(setup.directory, files, policy)


def _hand_on(setup: Setup, origin: Origin, store: Store, progress: Progress) -> None:
    count = hand_on_trials(origin, store, setup.bench, distributions(setup.space))
    left = len(origin.trials) - count
    old, new = origin.config.evaluate.measured, setup.config.evaluate.measured
    why = "do not fit this space" if old == new else f"were scored by {old}, not by {new},"
    apart = f"; {left} {why} and are left out" if left else ""
    progress.note(f"the sampler begins with {count} trials of {origin.study}{apart}")


def views_painter(bench: Bench, count: int = 6) -> Callable[[Policy], bytes]:
    """A function that draws a policy's views of a few of the study's images as PNG."""
    pool = bench.split.pool
    labels = bench.image_set.labels[pool]
    # One image of each class while they last, so that no class stays unseen.
    order = sorted(range(len(pool)), key=lambda i: (int((labels[:i] == labels[i]).sum()), i))
    shown = ImageRows(bench.image_set.images, pool[order[:count]])
    images = torch.from_numpy(shown[:]).to(bench.device)

    return lambda policy: draw_views(bench.renderer(policy), images, bench.seed)


def mirror_of(setup: Setup, progress: Progress) -> Mirror:
    """The study's place in MLflow."""
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
            "metric": setup.config.evaluate.measured,
        },
        data=DataReference(
            name=image_set.name,
            digest=image_set.digest,
            source=setup.source,
            profile=outputs.data_facts(setup),
        ),
        warn=progress.warn,
    )
