"""A study that begins from an earlier one: its winner, its trials, how its images looked."""

import dataclasses

import numpy as np
import pytest
from small_study import small_config, small_images, small_space

from augsearch.errors import StudyError
from augsearch.search.progress import Quiet
from augsearch.search.store import Store, open_storage
from augsearch.search.study import run_study
from augsearch.space.space import Space

STORAGE = "sqlite:///augsearch.db"


class Noted(Quiet):
    def __init__(self):
        self.notes = []

    def note(self, sentence):
        self.notes.append(sentence)


def darker(image_set):
    return dataclasses.replace(image_set, images=image_set.images // 3, digest="darker", keys=())


@pytest.fixture
def first():
    run_study(small_space(), data=small_images(), study=small_config(), name="first", device="cpu")
    return Store(open_storage(STORAGE), "first")


def run_second(progress=None, **more):
    arguments = {"data": darker(small_images()), "name": "second", "device": "cpu", **more}
    return run_study(from_study="first", progress=progress or Noted(), **arguments)


def test_the_old_winner_is_a_baseline_and_the_old_trials_are_the_samplers_prior(first):
    progress = Noted()
    result = run_second(progress)
    store = Store(open_storage(STORAGE), "second")
    # Space and study file are the first one's, without being named again.
    assert store.settings["space"] == first.settings["space"]
    assert store.settings["study"] == first.settings["study"]
    names = {policy.name: policy for policy in result.policies}
    assert names["winner of first"].kind == "baseline"
    tried = store.runs("baseline")["winner of first", 0]
    assert tried.policy.ops == first.winner.ops
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
    assert any(f"begins with {len(complete)} trials of first" in n for n in progress.notes)


def test_it_goes_on_without_handing_on_the_trials_twice(first):
    run_second(trials=2)
    before = Store(open_storage(STORAGE), "second")
    prior, seen = before.prior(), before.finished()
    run_second(trials=4)
    store = Store(open_storage(STORAGE), "second")
    assert store.prior() == prior
    assert store.finished()[:2] == seen and len(store.finished()) == 4


def test_trials_outside_another_space_are_left_out(first):
    text = small_space().model_dump(mode="json", exclude_none=True)
    text["ops"][1]["hue"] = {"low": 0.0, "high": 1e-9}
    progress = Noted()
    run_second(progress, space=Space.model_validate(text))
    assert any("begins with 0 trials of first; " in note for note in progress.notes)


def test_a_study_without_a_verdict_or_that_is_not_there_is_refused(first):
    with pytest.raises(StudyError, match="there is no study 'none'; stored: first"):
        run_study(from_study="none", data=small_images(), device="cpu")
    first.trials_study.set_user_attr("winner", None)
    with pytest.raises(StudyError, match="--from first: this study has no verdict yet"):
        run_second()


def test_alike_images_are_called_alike(first):
    progress = Noted()
    other = small_images(seed=3)
    run_second(progress, data=other, trials=1)
    [said] = [note for note in progress.notes if note.startswith("compared with first")]
    assert "told apart" in said and "search again" not in said.partition("beside")[0]
