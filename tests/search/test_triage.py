"""Is a search worth it here?"""

from pathlib import Path

import pytest
from small_study import small_config, small_images, small_space

from augsearch.augment.baselines import BASELINES
from augsearch.bench.bench import FROZEN, UNTRAINED
from augsearch.errors import ConfigError
from augsearch.search.triage.answer import Triage, decide
from augsearch.search.triage.findings import NOISE, Findings, Tried
from augsearch.search.triage.plan import MOST_TRIALS, SHARE, SLACK, triage_plan
from augsearch.search.triage.train import FLOORS, NONE
from augsearch.space.policy import load_policy
from augsearch.stats.forecast import foresee_gain
from augsearch.store.database import open_storage
from augsearch.store.runs import BASELINE, CONFIRMATION, SUPERVISED, TRIAGE
from augsearch.store.study_store import Store
from augsearch.study_file import load_study_config
from augsearch.verbs.report import report_study
from augsearch.verbs.run import run_study
from augsearch.verbs.triage import triage_study

STORAGE = "sqlite:///augsearch.db"


def tried(name, score, training="SimCLR"):
    return Tried(name=name, training=training, score=score, interval=(score, score))


def findings(baselines, trials=(), *, floor=0.5, frozen=False, labels=None, detectable=0.02):
    names = [*BASELINES][: len(baselines)]
    scores = dict(zip(names, baselines, strict=True))
    scores |= {f"trial {n}": score for n, score in enumerate(trials)}
    return Findings(
        floor=tried(FROZEN if frozen else UNTRAINED, floor, "none"),
        tried=tuple(tried(name, score) for name, score in scores.items()),
        labels=() if labels is None else (tried(NONE, labels, "labels"),),
        label_error=0.03,
        best=max(names, key=scores.__getitem__),
        gain=foresee_gain(list(baselines), list(trials), NOISE, 48),
        detectable=detectable,
        size=None,
    )


SPREAD = {"baselines": [0.77, 0.81, 0.82, 0.86], "trials": [0.82, 0.72]}
ALIKE = {"baselines": [0.80, 0.80, 0.81, 0.80], "trials": [0.80, 0.79]}
CASES = {
    "policies differ": (SPREAD, "search"),
    "policies are alike": (ALIKE, "as_it_is"),
    "frozen features are better": ({**SPREAD, "floor": 0.93, "frozen": True}, "frozen"),
    "frozen features are worse": ({**SPREAD, "floor": 0.7, "frozen": True}, "search"),
    "labels are better": ({**SPREAD, "labels": 0.99}, "labels_alone"),
    "labels may be better": ({**SPREAD, "labels": 0.88}, "search"),
    "no gain could be shown": ({**SPREAD, "detectable": 0.2}, "more_labels"),
    "nothing learns": ({**ALIKE, "floor": 0.8}, "more_labels"),
    "only labels teach": ({**ALIKE, "floor": 0.8, "labels": 0.83}, "labels_alone"),
}


@pytest.mark.parametrize(("case", "code"), CASES.values(), ids=CASES)
def test_the_answer_follows_from_the_findings(case, code):
    assert decide(findings(**case)) == code


@pytest.mark.parametrize("name", ["standard", "pretrained"])
def test_it_plans_a_tenth_of_the_study(name):
    plan = triage_plan(load_study_config(name), BASELINES)
    assert plan.share <= SHARE + SLACK
    assert plan.supervised


def test_longer_studies_have_more_trials_in_it():
    config = load_study_config("standard")
    longer = config.model_copy(update={"search": config.search.model_copy(update={"trials": 200})})
    short, long = (triage_plan(one, BASELINES) for one in (config, longer))
    assert short.trials < long.trials
    assert max(short.share, long.share) <= SHARE + SLACK


@pytest.fixture
def longer():
    """A study of which a tenth pays for trials, on the images of the other tests."""
    config = small_config()
    search = config.search.model_copy(update={"trials": 100})
    return config.model_copy(update={"search": search})


def few_trials(config):
    return config.model_copy(update={"search": config.search.model_copy(update={"trials": 4})})


@pytest.mark.long
def test_the_study_goes_on_from_it_and_is_the_same_as_without(longer):
    images = small_images()
    found = triage_study(small_space(), data=images, study=longer, name="s")
    store = Store(open_storage(STORAGE), "s")
    trials = len(store.finished())
    assert 1 <= trials <= MOST_TRIALS
    assert len(store.outcomes(TRIAGE)) == FLOORS
    assert {name for name, _ in store.outcomes(SUPERVISED)} == {NONE, found.best}
    assert not store.runs(CONFIRMATION) and not store.kept.sealed
    before = {run.key: run.ended for run in store.all_runs()}
    again = triage_study(small_space(), data=images, study=longer, name="s")
    assert again == found
    assert {run.key: run.ended for run in store.all_runs()} == before

    whole = run_study(small_space(), data=images, study=few_trials(longer), name="s")
    alone = run_study(small_space(), data=images, study=few_trials(longer), name="alone")
    assert whole.policies == alone.policies
    assert whole.policy.digest == alone.policy.digest
    there = Store(open_storage(STORAGE), "s").all_runs()
    assert before.items() <= {run.key: run.ended for run in there}.items()

    page = report_study("s", data=images)
    assert "Is a search worth it here?" in page.read_text()
    assert found.title in page.with_suffix(".md").read_text()
    assert Triage.model_validate(store.kept.triage) == found


@pytest.mark.long
def test_it_leaves_its_answer_and_the_best_baseline():
    found = triage_study(small_space(), data=small_images(), study=small_config(), name="s")
    policy = load_policy("runs/s/baseline.yaml")
    assert policy.digest == BASELINES[found.best].digest
    assert policy.found_on.image_size == 16
    assert (found.code == "search") == found.next.startswith("begun in Python")
    scores = {way.name: way.score for way in found.ways if way.training == "SimCLR"}
    outcomes = Store(open_storage(STORAGE), "s").outcomes(BASELINE)
    assert scores[found.best] == outcomes[found.best, 0].score == max(scores.values())
    assert {"report.html", "trials.csv", "triage.json"} <= {
        path.name for path in Path("runs/s").iterdir()
    }
    assert Triage.model_validate_json(Path("runs/s/triage.json").read_text()) == found
    assert len(found.findings) >= 4


def test_scores_without_labels_are_refused():
    config = small_config()
    evaluate = config.evaluate.model_copy(update={"score": "lidar"})
    with pytest.raises(ConfigError, match=r"evaluate\.score lidar"):
        triage_study(
            small_space(),
            data=small_images(images_per_class=40),
            study=config.model_copy(update={"evaluate": evaluate}),
        )
