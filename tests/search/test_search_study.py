"""A whole study between two doubles: what it shows a tracker, and what it asks of an engine."""

import pytest
from doubles import InOrder, RecordingTracker
from small_study import small_config, small_images, small_space

from augsearch.progress import Quiet
from augsearch.search.search_study import search_study
from augsearch.search.trials.trial import Asked, Ended, run
from augsearch.study.prepare import prepare
from augsearch.study.request import StudyRequest


@pytest.fixture(scope="module")
def prepared():
    request = StudyRequest(
        small_space(), data=small_images(), study=small_config(), trials=2, name="small",
        device="cpu",
    )  # fmt: skip
    return prepare(request, progress=Quiet())


@pytest.fixture(autouse=True)
def directory(prepared):
    prepared.directory.mkdir(parents=True)


@pytest.mark.long
def test_a_tracker_is_shown_every_run_and_an_engine_does_all_but_trials(prepared):
    tracker, engine = RecordingTracker(), InOrder()
    result = search_study(prepared, tracker=tracker, engine=engine, progress=Quiet())
    kinds = [record.tags["augsearch.kind"] for record in tracker.records.values()]
    confirmed = sum(len(policy.confirmed_scores) for policy in result.policies)
    assert (kinds.count("baseline"), kinds.count("trial")) == (5, 2)
    assert kinds.count("confirmation") == confirmed == len(engine.jobs) - 5
    assert {job.phase for job in engine.jobs} == {"baseline", "confirmation"}
    page = tracker.pages[""]
    verdict = result.verdict
    assert page.tags == {
        "augsearch.verdict": verdict.badge,
        "augsearch.verdict_code": verdict.code,
    }
    assert page.artifacts["policy.yaml"] == (prepared.directory / "policy.yaml").read_bytes()
    [wanted] = tracker.registered
    assert wanted.model.policy.digest == result.digests["policy"]


@pytest.mark.long
def test_a_tracker_that_is_away_costs_nothing_but_what_it_would_have_shown(prepared):
    tracker = RecordingTracker(away=True)
    result = search_study(prepared, tracker=tracker, engine=InOrder(), progress=Quiet())
    assert result.verdict.sentence and (prepared.directory / "result.json").is_file()
    assert not tracker.records and not tracker.registered


def test_a_trial_runs_where_nothing_but_its_rungs_is_known(prepared):
    asked = Asked("trial 7", prepared.baselines["crop only"], price=0.0)
    heard = []

    def stop_at_once(step, score):
        heard.append((step, score))
        return False

    assert run(prepared.bench, asked, stop_at_once) == Ended()
    assert [step for step, _ in heard] == [6]

    def go_on(step, score):
        return not stop_at_once(step, score)

    whole = run(prepared.bench, asked, go_on)
    assert whole.outcome.curve[0] == heard[0] == heard[1]
    assert (
        whole.outcome.score == prepared.bench.try_policy(asked.policy, replicate=0, steps=12).score
    )
