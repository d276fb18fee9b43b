"""How a study begins: its store, its baselines, its first trials."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from augsearch.engines.engine import Engine
from augsearch.engines.machine import differing
from augsearch.engines.processes import cpu_threads
from augsearch.engines.remote import Remote
from augsearch.errors import StudyError
from augsearch.progress import Progress
from augsearch.search.confirm.confirmation import run_baselines
from augsearch.search.trials.degree import degree, shares
from augsearch.search.trials.loop import run_trials
from augsearch.search.trials.sampler import distributions
from augsearch.store.database import open_storage, owner_lock
from augsearch.store.runs import made_again
from augsearch.store.study_store import Store
from augsearch.study.origin import Origin, hand_on_trials, looks_of
from augsearch.study.painting import views_painter
from augsearch.study.records import record_makers
from augsearch.study.setup import Setup
from augsearch.tracking.tracker import Tracker


@contextmanager
def held_store(setup: Setup) -> Iterator[Store]:
    """The study's store, which no other process adds to meanwhile."""
    opened = open_storage(setup.storage)
    with owner_lock(setup.storage, setup.name) as still_held:
        store = Store(
            opened,
            setup.name,
            settings=setup.settings,
            aims=setup.config.search.aims,
        )
        store.kept.digits = setup.digits
        store.kept.asked = setup.asked
        store.kept.looks = looks_of(setup.bench)
        try:
            yield store
        except (KeyboardInterrupt, StudyError):
            if still_held():  # else what is under way is another's
                store.bury_dead_trials()
            raise


def begin_search(
    setup: Setup,
    store: Store,
    tracker: Tracker,
    engine: Engine,
    progress: Progress,
    *,
    trials: int,
) -> Callable[[], None]:
    """Do what is left of the baselines and of the first `trials`; gives what shows a tracker every
    run that has ended."""
    bench = setup.bench
    paint = views_painter(bench)
    told: dict[str, dict[str, str]] = {}

    def show(*, at_end: bool = True) -> None:
        makers = record_makers(store, paint, setup)
        tracker.sync(makers, at_end=at_end)
        _compare_workers(engine, told, progress)

    store.bury_dead_trials()
    show(at_end=False)  # the study begins here, not with its first run's end
    if outdated := store.outdated:
        progress.note(made_again(outdated))
    run_baselines(store, bench, setup.baselines, progress, engine)
    show()
    if setup.origin is not None:
        _hand_on(setup, setup.origin, store, progress)
    if trials:
        at_once = _at_once(setup, store, engine, progress)
        with cpu_threads(setup.config.compute.threads):
            run_trials(
                store,
                bench,
                setup.space,
                trials,
                progress,
                after_each=partial(show, at_end=False),
                engine=engine if at_once > 1 or setup.engine_name != "local" else None,
                shares=shares(setup, at_once),
            )
        show()
    return show


def _compare_workers(engine: Engine, known: dict[str, dict[str, str]], progress: Progress) -> None:
    """Warn once of each worker whose versions or hardware may score otherwise than the first's."""
    if not isinstance(engine, Remote):
        return
    for worker, there in engine.board.workers().items():
        first = next(iter(known.values()), there)
        if worker not in known and (found := differing(first, there)):
            progress.warn(
                f"the worker on {there.get('host', worker)} is not as the one on "
                f"{first.get('host')}: {found}; scores of the two may differ"
            )
        known[worker] = there


def _at_once(setup: Setup, store: Store, engine: Engine, progress: Progress) -> int:
    """How many trials are trained side by side from here on; kept, and said where it matters."""
    before = store.kept.parallel
    now = degree(setup, store, engine, setup.config.search.trials)
    if before and now != before:
        progress.note(
            f"compute.parallel is {now}, and was {before}: what is left of the search is another "
            "one from here on"
        )
    store.kept.parallel = now
    if now > 1 and len(store.finished()) < setup.config.search.trials:
        progress.note(f"{now} trials are trained side by side (compute.parallel)")
    return now


def _hand_on(setup: Setup, origin: Origin, store: Store, progress: Progress) -> None:
    count = hand_on_trials(origin, store, setup.bench, distributions(setup.space))
    left = len(origin.trials) - count
    old, new = origin.config.evaluate.measured, setup.config.evaluate.measured
    why = "do not fit this space" if old == new else f"were scored by {old}, not by {new},"
    apart = f"; {left} {why} and are left out" if left else ""
    progress.note(f"the sampler begins with {count} trials of {origin.study}{apart}")
