"""The search itself: ask for a point, run its policy, tell the score; exactly as many as wanted."""

from __future__ import annotations

from collections.abc import Callable

from augsearch.bench.bench import Bench
from augsearch.errors import StudyError
from augsearch.progress import Progress, step_listener
from augsearch.search.trials.known import known_baselines
from augsearch.search.trials.sampler import SeededPerTrial, distributions
from augsearch.search.trials.trial import ask, pruned_by, run, tell
from augsearch.space.space import Space
from augsearch.store.ranking import ClassLimit, Reference, feasible, reference
from augsearch.store.runs import BASELINE
from augsearch.store.study_store import Store


def run_trials(
    store: Store,
    bench: Bench,
    space: Space,
    wanted: int,
    progress: Progress,
    after_each: Callable[[], None],
) -> None:
    """Run trials until `wanted` are complete or pruned; failed ones are replaced.

    Args:
        after_each: called when a trial has ended and is stored.

    Raises:
        StudyError: as many trials failed as a quarter of those of the study, and one more.
    """
    axes, search = distributions(space), bench.config.search
    allowed = max(1, max(wanted, search.trials) // 4)
    limit = search.class_loss
    classes = None if limit is None else ClassLimit(_reference(store), limit)
    known = known_baselines(store, bench, space, classes)
    store.trials_study.sampler = SeededPerTrial(
        search.sampler,
        bench.seed,
        known=known.trials,
        identity=lambda point: space.policy(point).digest,
    )
    if known.sentence and len(store.finished()) < wanted:
        progress.note(known.sentence)
    progress.phase("trials", len(store.finished()), wanted)
    while len(store.finished()) < wanted:
        failed = store.failed()
        if len(failed) > allowed:
            reason = failed[-1].user_attrs.get("failure", "unknown reason")
            raise StudyError(
                f"{len(failed)} trials failed, more than the {allowed} that are replaced; the "
                f"last: {reason}"
            )
        trial, asked = ask(store, bench, space, axes)
        ended = run(
            bench,
            asked,
            pruned_by(trial, asked, len(bench.config.search.aims)),
            step_listener(progress, asked.name, bench.config.pretrain.steps),
        )
        score, remark = tell(store, bench, trial, asked, ended, classes)
        progress.run_ended(asked.name, score, remark)
        after_each()


def classes_in_words(store: Store, class_loss: float | None) -> str:
    """Whether trials kept every class within the limit; empty if there is none."""
    if class_loss is None:
        return ""
    complete = store.complete_trials()
    kept = sum(feasible(trial) for trial in complete)
    limit = f"no class loses more than {class_loss:g} points against {_reference(store).name}"
    if kept == 0:
        return (
            f"in the search, of one seed each, it is true of none of the {len(complete)} complete "
            f"trials that {limit}; those that break it least are confirmed, which decides"
        )
    return (
        f"in the search, of one seed each, it is true of {kept} of the {len(complete)} complete "
        f"trials that {limit}; the confirmation decides"
    )


def _reference(store: Store) -> Reference:
    return reference(
        (name, run.outcome)
        for (name, _), run in store.runs(BASELINE).items()
        if run.policy is not None and run.outcome is not None
    )
