"""The search itself: ask for a point, run its policy, tell the score; exactly as many as wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Protocol

from augsearch.bench.bench import Bench
from augsearch.engines.engine import Crew, Engine, Lost, Returned, Talk
from augsearch.progress import Progress, step_listener
from augsearch.search.trials.course import Course, UnderWay
from augsearch.search.trials.known import known_baselines
from augsearch.search.trials.sampler import SeededPerTrial
from augsearch.search.trials.trial import Asked, Ended, Stop, run
from augsearch.space.space import Space
from augsearch.store.ranking import ClassLimit, Reference, feasible, reference
from augsearch.store.runs import BASELINE
from augsearch.store.study_store import Store


class Trainer(Protocol):
    """Where trials are trained."""

    def start(self, live: UnderWay) -> None:
        """Begin with a trial; there are never more than the degree says."""

    def hear(self, live: UnderWay) -> Ended | None:
        """Wait for what is next of a trial and let the course know a rung; None if it goes on."""


def run_trials(
    store: Store,
    bench: Bench,
    space: Space,
    wanted: int,
    progress: Progress,
    after_each: Callable[[], None],
    *,
    engine: Engine | None = None,
    shares: Sequence[Bench] = (),
) -> None:
    """Run trials until `wanted` are complete or pruned; failed ones are replaced.

    Args:
        after_each: called when a trial has ended and is stored.
        engine: trains trials, as many at once as there are shares; None: here, one by one.
        shares: the bench for each of those, for instance on a device of its own. How many there
            are decides what the sampler knows when it is asked, so it is part of the answer.

    Raises:
        StudyError: as many trials failed as a quarter of those of the study, and one more.
    """
    search = bench.config.search
    limit = search.class_loss
    classes = None if limit is None else ClassLimit(_reference(store), limit)
    known = known_baselines(store, bench, space, classes)
    done = len(store.finished())
    if known.sentence and done < wanted:
        progress.note(known.sentence)
    progress.phase("trials", done, wanted)
    if done >= wanted:
        return
    course = Course(
        store,
        bench,
        space,
        SeededPerTrial(
            search.sampler,
            bench.seed,
            known=known.trials,
            identity=lambda point: space.policy(point).digest,
        ),
        wanted=wanted,
        allowed=max(1, max(wanted, search.trials) // 4),
        limit=classes,
    )

    def ended(live: UnderWay, how: Ended) -> None:
        score, remark = course.end(live, how)
        progress.run_ended(live.asked.name, score, remark)

    with ExitStack() as stack:
        trainer: Trainer = _Here(course, bench, progress)
        if engine is not None:
            trainer = _Beside(course, stack.enter_context(engine.crew(work, shares)))
        follow(course, trainer, max(1, len(shares)), ended, after_each)


def follow(
    course: Course,
    trainer: Trainer,
    degree: int,
    ended: Callable[[UnderWay, Ended], object],
    after_each: Callable[[], None],
) -> None:
    """The course from its first trial to its last, so many at once."""
    live: list[UnderWay] = []
    clock, to_show = 0, False
    while True:
        try:
            while len(live) < degree and course.wants(len(live)):
                asked = course.ask(clock)
                live.append(asked)
                if asked.stored is None:
                    trainer.start(asked)
        finally:
            if to_show:  # no process waits for that
                after_each()
                to_show = False
        if not live:
            return
        first = min(live, key=lambda trial: trial.due)
        clock = first.due[0]
        if first.stored is not None:
            if course.play(first):
                live.remove(first)
        elif how := trainer.hear(first):
            live.remove(first)
            ended(first, how)
            to_show = True


class _Here:
    """Trains in this process, one trial at a time."""

    def __init__(self, course: Course, bench: Bench, progress: Progress) -> None:
        self._course, self._bench, self._progress = course, bench, progress

    def start(self, live: UnderWay) -> None:
        pass

    def hear(self, live: UnderWay) -> Ended | None:
        """The whole of it: nothing happens beside it."""
        return run(
            self._bench,
            live.asked,
            partial(self._course.rung, live),
            step_listener(self._progress, live.asked.name, self._bench.config.pretrain.steps),
        )


class _Beside:
    """Trains somewhere else, several trials at a time.

    What trains does not wait at its rungs: it goes on until it is told to stop, which costs some
    steps where it is stopped, and saves the waiting where it is not.
    """

    def __init__(self, course: Course, crew: Crew[Asked]) -> None:
        self._course, self._crew = course, crew
        self._member: dict[int, int] = {}

    def start(self, live: UnderWay) -> None:
        taken = self._member.values()
        member = next(member for member in range(len(self._crew)) if member not in taken)
        self._member[live.place] = member
        self._crew.start(member, live.asked)

    def hear(self, live: UnderWay) -> Ended | None:
        """What is next of a trial, waited for; None if it goes on."""
        member = self._member[live.place]
        try:
            said = self._crew.hear(member)
        except Lost as error:
            said = Returned(Ended(failure=str(error)))
        if isinstance(said, Returned):
            how: Ended = said.result
        elif self._course.rung(live, *said):
            return None
        else:
            self._crew.stop(member)
            how = Ended()
        del self._member[live.place]
        return how


def work(bench: Bench, asked: Asked, talk: Talk) -> Ended:
    """One trial in a process beside others."""

    def on_rung(step: int, score: float) -> bool:
        talk.say((step, score))
        return not talk.stopped()

    def on_step(_step: int, _images_per_second: float) -> None:
        if talk.stopped():
            raise Stop

    return run(bench, asked, on_rung, on_step)


def classes_in_words(store: Store, class_loss: float | None) -> str:
    """Whether trials kept every class within the limit; empty if there is none."""
    if class_loss is None:
        return ""
    complete = store.complete_trials()
    kept = sum(feasible(trial) for trial in complete)
    limit = f"no class loses more than {class_loss:g} points against {_reference(store).name}"
    if kept == 0:
        return (
            f"limit on classes: {limit}. In the search none of the {len(complete)} complete trials "
            "keeps it, by one seed each; those that come closest are confirmed, which decides"
        )
    return (
        f"limit on classes: {limit}. In the search {kept} of the {len(complete)} complete trials "
        f"{'keeps' if kept == 1 else 'keep'} it, by one seed each; the confirmation decides"
    )


def _reference(store: Store) -> Reference:
    return reference(
        (name, run.outcome)
        for (name, _), run in store.runs(BASELINE).items()
        if run.policy is not None and run.outcome is not None
    )
