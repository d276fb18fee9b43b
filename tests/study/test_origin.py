"""A study that begins from an earlier one: its winner, its trials, how its images looked."""

import dataclasses

import numpy as np
import pytest
from small_study import small_config, small_images, small_space

from augsearch.errors import StudyError
from augsearch.progress import Quiet
from augsearch.space.space import Space
from augsearch.store.database import open_storage
from augsearch.store.kept import ANSWER
from augsearch.store.study_store import Store
from augsearch.study_sections import GpConfig, NoPrunerConfig
from augsearch.verbs.run import run_study

pytestmark = pytest.mark.long

STORAGE = "sqlite:///augsearch.db"


class Noted(Quiet):
    def __init__(self):
        self.notes = []

    def note(self, sentence):
        self.notes.append(sentence)


class Stopped(Noted):
    """Presses Ctrl-C as soon as a note holds those words, or that many trials have ended."""

    def __init__(self, words="", trials=0):
        super().__init__()
        self.words, self.left = words, trials

    def note(self, sentence):
        super().note(sentence)
        if self.words and self.words in sentence:
            raise KeyboardInterrupt

    def run_ended(self, run, score, remark):
        self.left -= run.startswith("trial")
        if self.left == 0 and run.startswith("trial"):
            raise KeyboardInterrupt


HANDED_ON = "the sampler begins with"


def darker(image_set):
    return dataclasses.replace(image_set, images=image_set.images // 3, digest="darker")


@pytest.fixture
def first(small_here):
    """The study that others begin from."""
    return Store(open_storage(STORAGE), "small")


def run_second(progress=None, **more):
    arguments = {"data": darker(small_images()), "name": "second", "device": "cpu", **more}
    return run_study(from_study="small", progress=progress or Noted(), **arguments)


def run_second_until(words="", ended=0, **more):
    """What was noted until then."""
    progress = Stopped(words, ended)
    with pytest.raises(KeyboardInterrupt):
        run_second(progress, **more)
    return progress.notes


def test_the_old_winner_is_a_baseline_and_the_old_trials_are_the_samplers_prior(first):
    progress = Noted()
    result = run_second(progress)
    store = Store(open_storage(STORAGE), "second")
    # Space and study file are the first one's, without being named again.
    assert store.kept.settings["space"] == first.kept.settings["space"]
    assert store.kept.settings["study"] == first.kept.settings["study"]
    names = {policy.name: policy for policy in result.policies}
    assert names["winner of small"].kind == "baseline"
    tried = store.runs("baseline")["winner of small", 0]
    assert tried.policy.ops == first.kept.winner.ops
    # The prior is seen by the sampler alone: as many trials as asked are the study's own.
    complete = [t for t in first.trials() if t.state.name == "COMPLETE"]
    assert len(store.prior()) == len(complete) > 0
    assert len(store.finished()) == 4
    assert {t.number for t in store.trials()}.isdisjoint(t.number for t in store.prior())
    # Its scores are moved to the level of the new images by what the baselines did.
    old, new = first.outcomes("baseline"), store.outcomes("baseline")
    common = [key for key in old if key[0] != "untrained encoder"]
    shift = np.mean([new[key].score - old[key].score for key in common])
    handed = sorted(t.value for t in store.prior())
    assert handed == pytest.approx(sorted(t.value + shift for t in complete))
    assert any("told apart" in note and "brightness" in note for note in progress.notes)
    assert any(f"begins with {len(complete)} trials of small" in n for n in progress.notes)


def test_it_goes_on_without_handing_on_the_trials_twice(first):
    run_second_until(ended=2, trials=2)
    before = Store(open_storage(STORAGE), "second")
    prior, seen = before.prior(), before.finished()
    run_second_until(ended=2, trials=4)
    store = Store(open_storage(STORAGE), "second")
    assert store.prior() == prior
    assert store.finished()[:2] == seen and len(store.finished()) == 4


@pytest.mark.slow
def test_trials_outside_another_space_are_left_out(first):
    text = small_space().model_dump(mode="json", exclude_none=True)
    text["ops"][1]["hue"] = {"low": 0.0, "high": 1e-9}
    notes = run_second_until(HANDED_ON, space=Space.model_validate(text))
    assert any("begins with 0 trials of small; " in note for note in notes)


def test_a_study_without_a_verdict_or_that_is_not_there_is_refused(first):
    with pytest.raises(StudyError, match="there is no study 'none'; stored: small"):
        run_study(from_study="none", data=small_images(), device="cpu")
    first.trials_study.set_user_attr(ANSWER, {})
    with pytest.raises(StudyError, match="--from small: this study has no verdict yet"):
        run_second()


def test_alike_images_are_called_alike(first):
    notes = run_second_until("compared with small", data=small_images(seed=3), trials=1)
    [said] = [note for note in notes if note.startswith("compared with small")]
    assert "told apart" in said and "search again" not in said.partition("beside")[0]


def config_with(config, **search):
    return config.model_copy(update={"search": config.search.model_copy(update=search)})


def test_the_old_winner_is_confirmed_whatever_its_score_was(first):
    config = small_config()
    few = config.model_copy(update={"confirm": config.confirm.model_copy(update={"baselines": 1})})
    result = run_second(study=few, trials=1)
    confirmed = [p.name for p in result.policies if p.confirmed_mean is not None]
    baselines = {p.name for p in result.policies if p.kind == "baseline"} & set(confirmed)
    assert len(baselines) == 2 and "winner of small" in baselines


@pytest.mark.slow
def test_trials_become_a_prior_of_other_aims(first):
    two = config_with(small_config(), aims=("score", "cost"), pruner=NoPrunerConfig())
    run_second(study=two)
    second = Store(open_storage(STORAGE), "second")
    outcomes = [outcome for _, outcome in first.complete()]
    assert len(second.prior()) == len(outcomes)
    assert all(len(trial.values) == 2 and trial.values[1] > 0 for trial in second.prior())
    # And a study with two aims hands on what a study with one is told.
    with pytest.raises(KeyboardInterrupt):
        run_study(
            from_study="second", study=small_config(), data=small_images(seed=4), name="third",
            device="cpu", trials=1, progress=Stopped(HANDED_ON),
        )  # fmt: skip
    third = Store(open_storage(STORAGE), "third")
    assert len(third.prior()) == len(second.complete())
    assert all(len(trial.values) == 1 for trial in third.prior())


@pytest.mark.slow
def test_trials_become_a_prior_under_a_limit_on_classes(first):
    sampler = GpConfig(startup_trials=1)
    strict = config_with(small_config(), class_loss=2.0, sampler=sampler)
    run_second_until(HANDED_ON, study=strict)
    store = Store(open_storage(STORAGE), "second")
    losses = [trial.constraints["class_loss"] for trial in store.prior()]
    assert len(losses) == len(first.complete())
    baselines = first.outcomes("baseline").items()
    best = max(
        (run for (name, _), run in baselines if name != "untrained encoder"), key=lambda r: r.score
    )
    worst = [
        max(100 * (recall - outcome.class_recall[c]) for c, recall in best.class_recall.items())
        for _, outcome in first.complete()
    ]
    assert sorted(losses) == pytest.approx(sorted(loss - 2 for loss in worst))


def test_trials_that_were_scored_by_something_else_are_no_prior(first):
    config = small_config()
    other = config.evaluate.model_copy(update={"metric": "accuracy"})
    notes = run_second_until(
        HANDED_ON, study=config.model_copy(update={"evaluate": other}), trials=1
    )
    assert any("were scored by balanced_accuracy, not by accuracy, and" in n for n in notes)
