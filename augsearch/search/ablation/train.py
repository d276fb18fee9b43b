"""An ablation's store, the training of its cells, and what they show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from augsearch.bench.outcome import Outcome
from augsearch.errors import StudyError
from augsearch.progress import Progress
from augsearch.search.ablation.analysis import Key, analyse
from augsearch.search.ablation.cells import done_in, job_key, run_of, take_over
from augsearch.search.ablation.estimate import estimate_runs, in_sentence
from augsearch.search.ablation.prepare import Prepared
from augsearch.search.ablation.result import Ablation
from augsearch.search.ablation.words import in_words
from augsearch.search.confirm.confirmation import validation_images
from augsearch.search.result.result import versions
from augsearch.store.database import open_storage, owner_lock, told_when_unwritable
from augsearch.store.listing import stores_with
from augsearch.store.runs import made_again
from augsearch.store.study_store import Store
from augsearch.study.jobs import run_jobs
from augsearch.study.setup import check_output


@contextmanager
def ablation_store(prepared: Prepared, progress: Progress) -> Iterator[Store]:
    """The ablation's store for as long as it is worked on, with the cells that others lend.

    When the work is interrupted, it is said how to go on.

    Raises:
        StudyError: another process works on it, or the store cannot be written.
    """
    setup = prepared.setup
    check_output(setup.directory, make=True)
    opened = open_storage(setup.storage)
    try:
        with (
            told_when_unwritable(setup.storage, "finished cells"),
            owner_lock(setup.storage, setup.name),
        ):
            store = Store(opened, setup.name, settings=prepared.settings)
            store.kept.digits = setup.digits
            store.kept.asked = {
                "command": prepared.command,
                "in_python": setup.in_python,
                "directory": str(Path.cwd()),
                "space_name": setup.space.name,
                "output": None if setup.output is None else str(setup.output.resolve()),
            }
            if outdated := store.outdated:
                progress.note(made_again(outdated))
            for lender in stores_with(opened, prepared.settings, but=setup.name):
                take_over(store, lender, prepared.jobs())
            progress.note(in_sentence(estimate_runs(prepared, done_in([store]))))
            yield store
    except KeyboardInterrupt:
        progress.note("stopped; finished work is kept. Continue with:")
        progress.note(prepared.command)
        if setup.in_python:
            progress.note(setup.in_python)
        raise


def train_cells(
    prepared: Prepared, store: Store, progress: Progress, after_each: Callable[[], object]
) -> Ablation:
    """Train the cells that are missing, compare all of them, and keep what was found.

    Args:
        after_each: called after each run that was trained, and once when all are there.
    """
    jobs, done = prepared.jobs(), done_in([store])
    todo = [job for job in jobs if job_key(job) not in done]
    progress.phase("ablation", len(jobs) - len(todo), len(jobs))
    setup = prepared.setup
    run_jobs(store, setup.bench, todo, progress, setup.engine, after_each=after_each)
    after_each()
    found = _compared(prepared, store)
    store.kept.add_ablation(found.title, found.model_dump(mode="json"))
    return found


def _compared(prepared: Prepared, store: Store) -> Ablation:
    setup, plan, done = prepared.setup, prepared.plan, done_in([store])
    outcomes: dict[Key, list[Outcome]] = {}
    failures: dict[Key, str] = {}
    for cell in plan.cells:
        runs = [run_of(cell, seed, done) for seed in prepared.seeds]
        whole = [run.outcome for run in runs if run.outcome]
        if len(whole) == len(runs):
            outcomes[cell.training, cell.name] = whole
        else:
            failures[cell.training, cell.name] = next(r.failure for r in runs if not r.outcome)
    if not outcomes:
        raise StudyError(
            f"no cell of {setup.name!r} trained through ({next(iter(failures.values()))}); lower "
            "pretrain.learning_rate in the study file"
        )
    found = analyse(plan, outcomes, failures, validation_images(setup.bench))
    needed = {job_key(job) for job in prepared.jobs()}
    return Ablation(
        study=setup.name,
        title=plan.title,
        mode=plan.mode,
        protocol=plan.protocol,
        metric=setup.config.evaluate.measured,
        steps=setup.config.pretrain.steps,
        seeds=prepared.seeds,
        ops=plan.ops,
        cells=found.cells,
        row_means=found.row_means,
        op_gains=found.op_gains,
        class_gains=found.class_gains,
        sentences=in_words(plan, found, prepared.changes),
        left_out=prepared.left_out,
        data=setup.data_facts,
        seed=setup.seed,
        seconds=sum(
            run.outcome.seconds["total"] for key, run in done.items() if key in needed and
            run.outcome
        ),
        device=str(setup.device),
        versions=versions(),
        command=prepared.command,
    )  # fmt: skip
