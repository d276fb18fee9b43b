"""A study from its baselines to its verdict: searched, confirmed, judged, written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from augsearch.data.splits.splits import sealed_marks
from augsearch.engines.engine import Engine
from augsearch.files import write_files
from augsearch.progress import Progress
from augsearch.search.begin import begin_search, held_store
from augsearch.search.confirm.also import Supervised, confirm_supervised
from augsearch.search.confirm.confirmation import Confirmation, confirm
from augsearch.search.confirm.verdict import Verdict
from augsearch.search.report.collect import Sources
from augsearch.search.report.columns import telling_columns
from augsearch.search.report.files import report_files
from augsearch.search.result import outputs
from augsearch.search.result.mlflow_page import description, parent_metrics
from augsearch.search.result.proxies import in_words
from augsearch.search.result.recommended import registration
from augsearch.search.result.result import StudyResult
from augsearch.search.trials.loop import classes_in_words
from augsearch.space.policy import Policy
from augsearch.space.space import Space
from augsearch.store.study_store import Store
from augsearch.study.painting import views_painter
from augsearch.study.records import trial_notes
from augsearch.study.setup import Setup
from augsearch.tracking.registry import registered_name
from augsearch.tracking.tracker import Page, Tracker


@dataclass(frozen=True)
class _Found:
    """What all training of a study led to; `sealed_uses` is how often the sealed images have been
    used."""

    confirmed: Confirmation
    verdict: Verdict
    supervised: Supervised | None
    sealed_uses: int


def search_study(
    setup: Setup, *, tracker: Tracker, engine: Engine, progress: Progress
) -> StudyResult:
    """Do what is left of a study, and keep, write and show what it found.

    Args:
        tracker: shown every run that has ended.
        engine: does baselines and confirmation.

    Raises:
        AugsearchError: what is wrong, in one line; nothing that was finished is lost.
    """
    with held_store(setup) as store:
        found = _train(setup, store, tracker, engine, progress)
        return _conclude(setup, store, found, tracker, progress)


def _train(
    setup: Setup, store: Store, tracker: Tracker, engine: Engine, progress: Progress
) -> _Found:
    """Baselines, trials and confirmation."""
    bench, config = setup.bench, setup.config
    show = begin_search(setup, store, tracker, engine, progress, trials=config.search.trials)
    if sentence := classes_in_words(store, config.search.class_loss):
        progress.note(sentence)
    uses = store.count_sealed_use(sealed_marks(setup.image_set, bench.split.test))
    confirmed = confirm(
        store, bench, setup.baselines, progress, engine, always=setup.always_confirmed
    )
    show()
    verdict = confirmed.judge()
    supervised = confirm_supervised(store, bench, confirmed, verdict, progress, engine)
    show()
    return _Found(confirmed, verdict, supervised, uses)


def _conclude(
    setup: Setup,
    store: Store,
    found: _Found,
    tracker: Tracker,
    progress: Progress,
) -> StudyResult:
    """The verdict, kept in one write before any file is."""
    confirmed, verdict = found.confirmed, in_words(found.verdict, setup.config.evaluate)
    result = outputs.study_result(
        setup, store, confirmed, verdict, found.supervised, found.sealed_uses
    )
    if result.proxies and (misleading := result.proxies.warning(setup.config.evaluate.score)):
        progress.warn(misleading)
    policy = outputs.winning_policy(setup, confirmed.entrants, verdict)
    store.kept.decide(policy, result.model_dump(mode="json"))
    files = written_files(setup, store, policy, result)
    write_files(setup.directory, files)
    page = result_page(result, store, setup.space, files)
    wanted = registration(setup, policy, result)
    if tracker.finish(page) and tracker.register(wanted) and wanted.recommended:
        progress.note(f"in MLflow's model registry: {registered_name(setup.name)}")
    return result.written(setup.directory, files, policy)


def result_page(
    result: StudyResult, store: Store, space: Space, files: Mapping[str, bytes]
) -> Page:
    """What a tracker shows of a study that has its verdict."""
    verdict = result.verdict
    return Page(
        description=description(result),
        metrics=parent_metrics(result),
        artifacts=files,
        tags={"augsearch.verdict": verdict.badge, "augsearch.verdict_code": verdict.code},
        notes=trial_notes(store),
        columns=telling_columns(space, store),
    )


def written_files(
    setup: Setup, store: Store, policy: Policy, result: StudyResult
) -> Mapping[str, bytes]:
    """What a study writes, and a tracker keeps."""
    paint = views_painter(setup.bench)
    sources = Sources(store, setup.config, setup.storage, setup, paint, result)
    return {
        **outputs.result_files(setup, store, policy, result, paint),
        **report_files(sources),
    }
