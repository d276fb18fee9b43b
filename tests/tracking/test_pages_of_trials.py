"""What MLflow shows of each trial, kept in step with the study, and of stores from before."""

import re
import sys
from pathlib import Path

import pytest
from small_study import small_config, small_images, small_space

from augsearch.progress import Quiet
from augsearch.store.database import open_storage
from augsearch.store.frozen_trials import trial_name, trial_outcome
from augsearch.store.runs import BASELINE
from augsearch.store.study_store import Store
from augsearch.study.records import trial_notes
from augsearch.study.trial_notes import UNANSWERED, Standing, standing, trial_note
from augsearch.tracking.client import client_for, tracking_uri
from augsearch.tracking.experiment import VIEW, view_of
from augsearch.tracking.upkeep import FORM_TAG
from augsearch.verbs.run import run_study
from augsearch.verbs.studies import delete_stored

STORAGE = "sqlite:///augsearch.db"


def run(**changes):
    asked = {"data": small_images(), "study": small_config(), "name": "small", "device": "cpu"}
    return run_study(small_space(), **{**asked, **changes})


def store():
    return Store(open_storage(STORAGE), "small")


def shown():
    """MLflow's runs of the study by key."""
    client = client_for(tracking_uri())
    experiment = client.get_experiment_by_name("augsearch").experiment_id
    return client, {run.data.tags["augsearch.key"]: run for run in client.search_runs([experiment])}


def notes(runs):
    trials = {key: run for key, run in runs.items() if key.startswith("trial/")}
    return {key: run.data.tags["mlflow.note.content"] for key, run in trials.items()}


def views():
    client, _ = shown()
    return {
        key.removeprefix(VIEW): value
        for key, value in client.get_experiment_by_name("augsearch").tags.items()
        if key.startswith(VIEW)
    }


def test_a_trial_says_what_it_reached_gained_and_does_otherwise(small_here):
    _, runs = shown()
    runs = {key: run for key, run in runs.items() if key.startswith("trial/")}
    stands, of_store = standing(store()), store()
    best = max(o.score for (n, _), o in of_store.outcomes(BASELINE).items() if "untrained" not in n)
    assert stands.baseline[1] == best
    for trial in of_store.complete_trials():
        score, run = trial_outcome(trial).score, runs[f"trial/{trial.number}"]
        assert run.data.metrics["score_percent"] == round(100 * score, 2)
        assert run.data.metrics["rung_percent"] == run.data.metrics["score_percent"]
        assert run.data.metrics["gain_points"] == round(100 * (score - best), 2)
        note = run.data.tags["mlflow.note.content"]
        assert note.startswith(f"**{100 * score:.1f} %** in the search: **")
        assert f"best baseline, {stands.baseline[0]} ({100 * best:.1f} %)" in note
        scale = 100 * float(run.data.params["view1.resized_crop.scale_min"])
        row = r"\| resized_crop: scale_min, smallest share of the area that is kept \| "
        assert re.search(rf"{row}{scale:.3g} % \| ", note) or trial_name(trial) == stands.leader[0]
    stopped = [run for run in runs.values() if run.info.status == "KILLED"]
    assert stopped and all("rung_percent" in run.data.metrics for run in stopped)
    assert not any({"score_percent", "gain_points"} & run.data.metrics.keys() for run in stopped)


def test_what_tells_policies_apart_is_no_parameter(small_here):
    _, runs = shown()
    for key, run in runs.items():
        assert not any("digest" in name for name in run.data.params)
        if key.startswith("trial/"):
            assert set(run.data.params) - {"view2"} == {
                name for name in run.data.params if name.startswith("view1.")
            }
            assert len(run.data.tags["augsearch.policy_digest"]) == 12


def test_the_leader_shows_its_policy_and_others_what_differs_from_it(small_here):
    of_store = store()
    first, second = of_store.complete_trials()[:2]
    leads = Standing(None, (trial_name(first), of_store.complete()[0][0]), UNANSWERED)
    own, other = trial_note(first, leads), trial_note(second, leads)
    assert "This is the best trial when this was written:" in own
    assert "- resized_crop, in every view; scale_min " in own
    assert f"What differs from {trial_name(first)}, the best trial when this was written" in other
    assert f"| | {trial_name(second)} | {trial_name(first)} |" in other


@pytest.mark.parametrize(
    ("code", "role"),
    [
        ("better", "the policy of the verdict"),
        ("measures_nothing", "no policy was shown to be worth using"),
        ("as_they_are", "no policy was shown to be worth using"),
    ],
)
def test_no_policy_leads_a_study_that_found_none(small_here, code, role):
    of_store = store()
    result = of_store.kept.result
    verdict = {**result["verdict"], "code": code, "recommended": "trial 1"}
    of_store.kept.decide(of_store.kept.winner, {**result, "verdict": verdict})
    stands = standing(store())
    assert stands.role.endswith(role)
    other = next(one for one in of_store.complete_trials() if trial_name(one) != "trial 1")
    assert f"What differs from trial 1, {stands.role}:" in trial_note(other, stands)


@pytest.mark.long
def test_descriptions_follow_the_study_when_it_goes_on(small_here, monkeypatch):
    monkeypatch.setattr(sys.modules["augsearch.tracking.mirror"], "SECONDS", 0.1)
    _, before = shown()
    assert notes(before) == trial_notes(store())
    run(trials=7)
    _, after = shown()
    assert len(notes(after)) == 7 and notes(after) == trial_notes(store())
    assert "system/cpu_utilization_percentage" in after["study"].data.metrics
    # What was there is the same run, brought up to date.
    assert {before[key].info.run_id for key in notes(before)} <= {
        run.info.run_id for run in after.values()
    }


@pytest.mark.long
def test_a_study_that_is_stopped_is_killed_until_it_goes_on(small_here):
    class Stopped(Quiet):
        def run_ended(self, *_, **__):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(trials=7, progress=Stopped())
    assert shown()[1]["study"].info.status == "KILLED"
    run(trials=7)
    assert shown()[1]["study"].info.status == "FINISHED"


@pytest.mark.long
def test_runs_of_an_older_version_are_made_anew_and_it_is_said(small_here):
    client, before = shown()
    for key in ("trial/0", "trial/1"):
        client.delete_tag(before[key].info.run_id, FORM_TAG)
        client.log_metric(before[key].info.run_id, "score", 0.5)
    heard = []

    class Heard(Quiet):
        def warn(self, sentence):
            heard.append(sentence)

    run(progress=Heard())
    _, after = shown()
    assert after.keys() == before.keys()
    assert not any("score" in run.data.metrics for run in after.values())
    same = [k for k in before if before[k].info.run_id == after[k].info.run_id]
    assert set(before) - set(same) == {"trial/0", "trial/1"}
    assert len([said for said in heard if "2 runs of small as an older version wrote" in said]) == 1


@pytest.mark.long
def test_a_study_has_a_view_of_its_trials_that_goes_with_it(small_here):
    own = view_of("small")
    assert own in views()
    delete_stored(STORAGE, "small")
    assert own not in views()
    assert Path("mlflow.db").is_file()
