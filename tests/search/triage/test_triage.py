"""Is a search worth it here?"""

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from small_study import small_config, small_images, small_space

from augsearch.augment.baselines import BASELINES
from augsearch.bench.bench import FROZEN, UNTRAINED
from augsearch.errors import AugsearchError, ConfigError
from augsearch.progress import Quiet
from augsearch.search.confirm.also import NONE
from augsearch.search.triage.answer import Code, Triage, _next, _reason, _title, caution, decide
from augsearch.search.triage.findings import NOISE, Findings, Tried
from augsearch.search.triage.plan import MOST_TRIALS, SHARE, SLACK, triage_plan
from augsearch.search.triage.train import FLOORS
from augsearch.space.policy import load_policy
from augsearch.stats.forecast import foresee_gain
from augsearch.store.database import open_storage
from augsearch.store.runs import BASELINE, CONFIRMATION, SUPERVISED, TRIAGE
from augsearch.store.study_store import Store
from augsearch.study.prepare import prepare
from augsearch.study.request import StudyRequest
from augsearch.study_file import load_study_config
from augsearch.verbs.report import report_study
from augsearch.verbs.run import run_study
from augsearch.verbs.triage import triage_study

STORAGE = "sqlite:///augsearch.db"


def tried(name, score, training="SimCLR"):
    return Tried(name=name, training=training, score=score, interval=(score, score))


def findings(baselines, trials=(), *, floor=0.5, frozen=False, lead=None, detectable=0.02):
    names = [*BASELINES][: len(baselines)]
    scores = dict(zip(names, baselines, strict=True))
    ranked = sorted(names, key=scores.__getitem__, reverse=True)
    return Findings(
        floor=tried(FROZEN if frozen else UNTRAINED, floor, "none"),
        baselines=tuple(tried(name, scores[name]) for name in ranked),
        trials=tuple(tried(f"trial {n}", score) for n, score in enumerate(trials)),
        labels=() if lead is None else (tried(NONE, max(baselines) + lead, "labels"),),
        label_lead=(-1.0 if lead is None else lead, 0.03),
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
    "frozen features are as good": ({**ALIKE, "floor": 0.805, "frozen": True}, "frozen"),
    "frozen features are worse": ({**SPREAD, "floor": 0.7, "frozen": True}, "search"),
    "labels are better": ({**SPREAD, "lead": 0.13}, "labels_alone"),
    "labels may be better": ({**SPREAD, "lead": 0.03}, "search"),
    "labels are better than no search": ({**ALIKE, "lead": 0.045}, "labels_alone"),
    "no gain could be shown": ({**SPREAD, "detectable": 0.2}, "more_labels"),
    "nothing learns": ({**ALIKE, "floor": 0.8}, "measures_nothing"),
    "only labels teach": ({**ALIKE, "floor": 0.8, "lead": 0.06}, "labels_alone"),
    "nothing is left to gain": ({"baselines": [1.0, 1.0, 0.995], "floor": 1.0}, "as_it_is"),
}


@pytest.mark.parametrize(("case", "code"), CASES.values(), ids=CASES)
def test_the_answer_follows_from_the_findings(case, code):
    assert decide(findings(**case)) == code


def test_it_says_when_the_published_policies_are_worse_than_none():
    """As where the class is a position, which all of them crop away."""
    lost = {"baselines": [0.37, 0.35, 0.32, 0.30], "trials": [0.40, 0.33]}
    assert "(44.0 %): they remove what tells" in caution(findings(**lost, floor=0.44))
    assert caution(findings(**lost, floor=0.37)) == ""
    assert caution(findings(**lost, floor=0.44, frozen=True)) == ""  # the frozen ones may be best


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
def test_after_a_study_its_report_keeps_the_verdict(small_here):
    said = []

    class Heard(Quiet):
        def note(self, sentence):
            said.append(sentence)

    found = triage_study(
        small_space(), data=small_images(), study=small_config(), name="small", progress=Heard()
    )
    page = Path("runs/small/report.md").read_text().replace("\\", "")
    assert small_here.verdict.sentence in page
    assert "still running" not in page
    assert any(small_here.verdict.sentence in sentence for sentence in said)
    assert len(found.ways) >= 6


@pytest.mark.long
def test_too_few_policies_that_train_are_one_line():
    with pytest.raises(AugsearchError, match="loss became nan"):
        triage_study(small_space(), data=small_images(), study=small_config(1e9), name="s")


@pytest.mark.slow
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
    floor = next(way for way in found.ways if way.training == "none")
    assert floor.score == store.outcomes(BASELINE)[floor.name, 0].score

    page = report_study("s", data=images)
    assert "Is a search worth it here?" in page.read_text()
    assert found.title in page.read_text()
    assert Triage.model_validate(store.kept.triage) == found


@pytest.mark.parametrize("code", get_args(Code))
def test_every_answer_has_a_reason_and_what_to_do_next(code, tmp_path):
    setup = prepare(
        StudyRequest(small_space(), data=small_images(), study=small_config(), name="s"),
        progress=Quiet(),
    )
    found = findings(**SPREAD, lead=0.1, frozen=code == "frozen")
    title, reason = _title(code, found), _reason(code, found, 48)
    assert title and reason.endswith(".") and "None" not in reason
    said = _next(code, found, setup)
    assert "--name s" not in said
    if code in ("search", "more_labels", "measures_nothing"):
        assert "begun in Python" in said
    if code == "as_it_is":
        assert said == "augsearch export --policy runs/s/baseline.yaml --to kornia"
    asked = replace(setup, in_python="")
    if code == "search":
        assert _next(code, found, asked).startswith("augsearch run ")
    if code == "more_labels":
        assert "augsearch triage --space space.yaml" in _next(code, found, asked).replace(
            "small.yaml", "space.yaml"
        )


@pytest.mark.long
def test_it_leaves_its_answer_and_the_best_baseline():
    found = triage_study(small_space(), data=small_images(), study=small_config(), name="s")
    policy = load_policy("runs/s/baseline.yaml")
    assert policy.digest == BASELINES[found.best].digest
    assert policy.found_on.image_size == 16
    assert found.next
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
