"""What a search asks and stops when trials run side by side: the same whatever runs faster."""

import random
from contextlib import suppress

import pytest
from optuna.trial import TrialState
from small_study import small_config, small_images, small_space
from studying import STORAGE

from augsearch.bench.bench import Bench
from augsearch.bench.outcome import Outcome
from augsearch.errors import StudyError
from augsearch.search.trials.course import Course
from augsearch.search.trials.loop import follow
from augsearch.search.trials.sampler import SeededPerTrial
from augsearch.search.trials.trial import Ended
from augsearch.simclr.device import resolve_device
from augsearch.store.database import open_storage
from augsearch.store.frozen_trials import KILLED
from augsearch.store.study_store import Store


@pytest.fixture(scope="module")
def bench():
    config = small_config()
    pretrain = config.pretrain.model_copy(update={"steps": 60})
    return Bench.build(
        small_images(),
        config.model_copy(update={"pretrain": pretrain}),
        seed=0,
        device=resolve_device("cpu"),
    )


class Trainer:
    """Scores that follow from the point alone, heard one by one as from other processes."""

    def __init__(self, course, bench, *, fails=(), dies_after=10**9):
        self.course, self.bench = course, bench
        self.fails, self.left = fails, dies_after
        self.started = []

    def start(self, live):
        self.started.append(live.place)

    def score(self, live, step):
        point = repr(sorted(live.trial.params.items()))
        return (
            random.Random(f"{point}").random() / 2 + random.Random(f"{point} {step}").random() / 9
        )

    def hear(self, live):
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1
        step = live.ahead[0]
        if live.place in self.fails:
            return Ended(failure="the loss is NaN")
        if step == self.bench.config.pretrain.steps:
            score = self.score(live, step)
            return Ended(outcome_of(score))
        return None if self.course.rung(live, step, self.score(live, step)) else Ended()


def outcome_of(score):
    return Outcome(
        score=score,
        draw_scores=(score,),
        full_probe=None,
        knn=None,
        class_recall={},
        curve=(),
        losses=(),
        steps=60,
        images_per_second=1.0,
        seconds={},
        peak_memory_mb=0.0,
    )


def search(bench, *, degree, wanted=12, name="s", **trainer):
    """Follow a course to its end, or to where its process dies; its store and what it trained."""
    store = Store(open_storage(STORAGE), name, settings={})
    store.bury_dead_trials()
    course = Course(
        store,
        bench,
        small_space(),
        SeededPerTrial(bench.config.search.sampler, 0),
        wanted=wanted,
        allowed=3,
        limit=None,
    )
    trained = Trainer(course, bench, **trainer)
    with suppress(KeyboardInterrupt):
        follow(course, trained, degree, course.end, lambda: None)
    return store, trained.started


def told(store):
    """All that a search decided, under the names that people see."""
    return [
        (t.number, t.state, t.params, t.values, t.intermediate_values, t.user_attrs["policy"])
        for t in store.trials()
    ]


@pytest.mark.parametrize("degree", [1, 2, 3, 5])
def test_the_budget_is_exact_and_what_failed_is_replaced(bench, degree):
    store, started = search(bench, degree=degree, fails=(1, 4))
    assert len(store.finished()) == 12 and len(store.failed()) == 2
    assert sorted(started) == list(range(14))
    assert {t.state for t in store.finished()} == {TrialState.COMPLETE, TrialState.PRUNED}


def test_another_degree_is_another_search(bench):
    alone, beside = (told(search(bench, degree=d, name=f"d{d}")[0]) for d in (1, 2))
    # The second point is asked before the first has shown anything.
    assert alone[0] == beside[0] and alone != beside


@pytest.mark.parametrize(
    ("degree", "after"),
    [
        (2, 7),
        *(
            pytest.param(degree, after, marks=pytest.mark.long)
            for degree in (1, 2, 3)
            for after in (1, 3, 5, 8, 11, 14)
        ),
    ],
)
def test_a_search_that_died_anywhere_comes_to_the_same_end(bench, degree, after):
    undisturbed, _ = search(bench, degree=degree, name="undisturbed", fails=(4,))
    disturbed, _ = search(bench, degree=degree, name="disturbed", fails=(4,), dies_after=after)
    kept = {t.number for t in disturbed.trials()}
    disturbed, again = search(bench, degree=degree, name="disturbed", fails=(4,))
    assert told(disturbed) == told(undisturbed)
    assert not kept & set(again), "what had ended is not trained again"
    # Once more, dying in between, changes nothing either.
    assert search(bench, degree=degree, name="disturbed", fails=(4,))[1] == []


def test_more_trials_of_a_search_are_those_that_it_would_have_had(bench):
    at_once, _ = search(bench, degree=2, name="at once", wanted=12)
    search(bench, degree=2, name="in parts", wanted=5)
    in_parts, started = search(bench, degree=2, name="in parts", wanted=12)
    assert told(in_parts) == told(at_once) and min(started) == 5


def test_a_search_goes_on_with_another_degree(bench):
    search(bench, degree=3, wanted=7, dies_after=9)
    before = told(Store(open_storage(STORAGE), "s"))
    store, _ = search(bench, degree=1, wanted=12)
    assert len(store.finished()) == 12
    assert [trial for trial in told(store) if trial[0] in {b[0] for b in before}] == before
    numbers = [number for number, *_ in told(store)]
    assert numbers == list(range(12))


def test_a_study_of_an_older_version_keeps_its_names(bench):
    """Its trials have no number of their own, and what died left a gap in the database's."""
    store, _ = search(bench, degree=1, wanted=4)
    study = store.trials_study
    for trial in study.get_trials():
        attributes = {k: v for k, v in trial.user_attrs.items() if k != "number"}
        if trial.number == 2:
            old = Store(open_storage(STORAGE), "old", settings={})
            dead = old.trials_study.ask()
            old._storage.set_trial_user_attr(dead._trial_id, KILLED, True)
            old.trials_study.tell(dead, state=TrialState.FAIL)
        old = Store(open_storage(STORAGE), "old", settings={})
        trial.user_attrs = attributes
        old.trials_study.add_trial(trial)
    assert [t.number for t in old.trials()] == [0, 1, 3, 4]
    whole, _ = search(bench, degree=1, wanted=8, name="s")
    after, started = search(bench, degree=1, wanted=8, name="old")
    assert started == [4, 5, 6, 7]
    assert [t.number for t in after.trials()] == [0, 1, 3, 4, 5, 6, 7, 8]
    assert [t.params for t in after.trials()] == [t.params for t in whole.trials()]


def test_too_many_failures_end_it_in_words(bench):
    with pytest.raises(StudyError, match="4 trials failed, more than the 3 that are replaced"):
        search(bench, degree=2, fails=range(100))
