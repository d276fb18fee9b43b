"""Whole studies on the embedded surfaces: results, stores, resuming, faults."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import optuna
import pandas as pd
import pytest
from optuna.trial import TrialState
from small_study import small_config, small_images, small_space

from augsearch.augment.baselines import BASELINES
from augsearch.bench.bench import Bench
from augsearch.engines.processes import Processes
from augsearch.errors import ConfigError, OutputError, StudyError, TrialFailure
from augsearch.progress import Quiet
from augsearch.search.confirm.confirmation import run_baselines
from augsearch.search.trials.loop import run_trials
from augsearch.search.trials.sampler import SeededPerTrial, build_pruner
from augsearch.simclr.device import resolve_device
from augsearch.space.policy import load_policy
from augsearch.store.database import open_storage
from augsearch.store.frozen_trials import trial_curve, trial_outcome, trial_policy, trial_score
from augsearch.store.listing import delete_study
from augsearch.store.study_store import Store
from augsearch.tracking.client import client_for, tracking_uri
from augsearch.verbs.run import run_study
from augsearch.verbs.schemas import schema_texts
from augsearch.verbs.studies import delete_stored, list_stored

STORAGE = "sqlite:///augsearch.db"


class Heard(Quiet):
    """Keeps what a study said."""

    def __init__(self):
        self.warnings, self.ended = [], []

    def warn(self, sentence):
        self.warnings.append(sentence)

    def run_ended(self, run, score, remark):
        self.ended.append(run)


def run(trials=4, seed=0, name="small", learning_rate=0.002, progress=None, **more):
    return run_study(
        more.pop("space", small_space()),
        data=more.pop("data", None) or small_images(),
        study=small_config(learning_rate),
        trials=trials,
        seed=seed,
        name=name,
        device="cpu",
        progress=progress,
        **more,
    )


def mirrored(study="small") -> dict[str, Any]:
    client = client_for(tracking_uri())
    experiment = client.get_experiment_by_name("augsearch")
    runs = client.search_runs(
        [experiment.experiment_id], f"tags.`augsearch.study` = '{study}'", max_results=1000
    )
    return {r.data.tags["augsearch.key"]: r for r in runs}


def test_a_study_leaves_its_answer_in_files_and_every_run_in_mlflow():
    result = run()
    directory = Path("runs/small")
    stored = json.loads((directory / "result.json").read_text())
    jsonschema.validate(stored, json.loads(schema_texts()["result.schema.json"]))
    assert (directory / "views.png").read_bytes().startswith(b"\x89PNG")
    policy = load_policy(directory / "policy.yaml")
    assert policy.digest == result.digests["policy"]
    assert (policy.found_on.image_size, policy.found_on.fit) == (16, "crop")
    assert all(0 < number < 1 for number in (*policy.found_on.mean, *policy.found_on.std))
    assert sum(result.trials.values()) == 4
    split = pd.read_csv(directory / "split.csv").set_index("path")
    drawn = pd.read_csv(directory / "label_draws.csv")
    assert set(split["side"]) == {"pool", "test"}
    assert set(split.loc[drawn["path"], "side"]) == {"pool"}
    assert drawn.groupby(["scored_on", "seed", "draw"]).size().eq(6 * 4).all()
    assert set(drawn.seed[drawn.scored_on == "test"]) == set(result.confirmation_seeds)
    confirmed = [p for p in result.policies if p.confirmed_scores]
    assert [p.kind for p in confirmed].count("baseline") == 2
    assert all(len(p.confirmed_scores) == 5 for p in confirmed)
    assert result.verdict.seeds == {p.name: 5 for p in confirmed}
    kept = Store(open_storage(STORAGE), "small").outcomes("confirmation")
    assert {len(outcome.hits) for outcome in kept.values()} == {result.data["test"]}

    runs = mirrored()
    parent = runs.pop("study")
    assert parent.info.status == "FINISHED"
    assert result.verdict.sentence in parent.data.tags["mlflow.note.content"]
    client = client_for(tracking_uri())
    files = {f.path for f in client.list_artifacts(parent.info.run_id)}
    assert {"policy.yaml", "views.png", "result.json", "space.json", "split.csv"} <= files
    kinds = [key.split("/")[0] for key in runs]
    assert {k: kinds.count(k) for k in kinds} == {"baseline": 5, "trial": 4, "confirmation": 20}
    for key, one in runs.items():
        assert one.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert one.inputs.dataset_inputs[0].dataset.digest == result.digests["data"]
        if key.startswith("trial/"):
            names = {f.path for f in client.list_artifacts(one.info.run_id)}
            assert names == {"policy.yaml", "views.png"}
            assert one.data.params["view1.resized_crop.scale_min"]
    [best] = [one for key, one in runs.items() if key.startswith("baseline/SimCLR s=1/0")]
    curve = client.get_metric_history(best.info.run_id, "probe_score")
    assert [point.step for point in curve] == [6, 12]


def test_the_same_seed_gives_the_same_answer_and_another_seed_does_not():
    def answer(seed, name):
        result = run(trials=3, seed=seed, name=name)
        text = Path(f"runs/{name}/policy.yaml").read_text().replace(name, "")
        return [(p.search_score, p.confirmed_scores) for p in result.policies], text

    first, again, other = answer(0, "one"), answer(0, "two"), answer(1, "three")
    assert first == again
    assert first != other


def test_a_confirmation_stopped_midway_ends_in_the_same_verdict():
    class Interrupting(Heard):
        def run_ended(self, run, score, remark):
            super().run_ended(run, score, remark)
            if sum("seed" in name for name in self.ended) == 7:
                raise KeyboardInterrupt

    undisturbed = run(trials=2, name="undisturbed")
    with pytest.raises(KeyboardInterrupt):
        run(trials=2, name="stopped", progress=Interrupting())
    kept = Store(open_storage(STORAGE), "stopped").runs("confirmation")
    assert 7 <= len(kept) < 20
    heard = Heard()
    resumed = run(trials=2, name="stopped", progress=heard)
    assert len(heard.ended) == 20 - len(kept)
    assert resumed.verdict == undisturbed.verdict


def test_more_trials_continue_a_study_and_train_nothing_twice():
    run(trials=2)
    heard = Heard()
    run(trials=4, progress=heard)
    assert [name for name in heard.ended if name.startswith("trial") and "seed" not in name] == [
        "trial 2",
        "trial 3",
    ]
    assert not {"untrained encoder", "crop only"} & set(heard.ended)
    assert len([key for key in mirrored() if key.startswith("trial/")]) == 4


def test_a_study_killed_in_a_trial_goes_on_with_exactly_what_is_left():
    undisturbed = run(trials=4, name="undisturbed")
    here = Path(__file__).parents[1]
    program = (
        f"import sys; sys.path.insert(0, {str(here)!r})\n"
        "from small_study import *\n"
        "from augsearch.verbs.run import run_study\n"
        "run_study(small_space(), data=small_images(), study=small_config(), trials=4,"
        " name='killed', device='cpu')\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program])
    storage = None
    try:
        for _ in range(3000):
            time.sleep(0.02)
            if process.poll() is not None:
                pytest.fail("the study ended before it could be killed")
            if storage is None and Path("augsearch.db").exists():
                storage = open_storage(STORAGE)
            if storage and "killed" in optuna.get_all_study_names(storage):
                states = [t.state for t in Store(storage, "killed").trials_study.get_trials()]
                if len(states) > 2 and states[-1] == TrialState.RUNNING:
                    break
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    before = Store(open_storage(STORAGE), "killed").finished()
    assert len(before) >= 2

    result = run(trials=4, name="killed")
    store = Store(open_storage(STORAGE), "killed")
    assert [t.number for t in store.finished()][: len(before)] == [t.number for t in before]
    assert len(store.finished()) == 4
    # The dead trial's place is taken by the same point: the answer is the undisturbed one.
    assert [p.confirmed_scores for p in result.policies] == [
        p.confirmed_scores for p in undisturbed.policies
    ]
    keys = [key for key in mirrored("killed") if key.startswith("trial/")]
    assert sorted(keys) == sorted(f"trial/{t.number}" for t in store.finished())


def test_an_interrupt_keeps_what_is_finished():
    class Interrupting(Quiet):
        def run_ended(self, run, score, remark):
            if run == "trial 1":
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(progress=Interrupting())
    assert len(Store(open_storage(STORAGE), "small").finished()) == 2
    assert run().trials["complete"] + run().trials["pruned"] == 4


def test_the_search_goes_on_without_a_tracking_server_and_mlflow_catches_up(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    heard = Heard()
    run(trials=2, progress=heard)
    assert len(heard.warnings) == 1
    assert "cannot be reached" in heard.warnings[0]
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    run(trials=2)
    assert len([key for key in mirrored() if key.startswith("trial/")]) == 2


def test_a_learning_rate_at_which_nothing_trains_is_named_before_the_search():
    with pytest.raises(TrialFailure, match="learning rate"):
        run(learning_rate=1e30)


def test_diverging_baselines_and_trials_fail_with_their_reason():
    config = small_config(learning_rate=1e30)
    bench = Bench.build(small_images(), config, seed=0, device=resolve_device("cpu"))
    store = Store(
        open_storage(STORAGE),
        "diverging",
        settings={},
        sampler=SeededPerTrial(config.search.sampler, seed=0),
        pruner=build_pruner(config.search.pruner),
    )
    with pytest.raises(StudyError, match=r"no baseline trains through: .*learning rate"):
        run_baselines(store, bench, BASELINES, Quiet(), Processes(threads=1))
    with pytest.raises(StudyError, match="2 trials failed, more than the 1 that are replaced"):
        run_trials(store, bench, small_space(), 4, Quiet(), after_each=lambda: None)
    assert all("loss" in trial.user_attrs["failure"] for trial in store.failed())
    points = [tuple(trial.params.values()) for trial in store.failed()]
    assert len(set(points)) == 2


def test_a_search_against_cost_takes_the_price_of_the_views_off_the_score(tmp_path):
    config = small_config()
    search = config.search.model_copy(update={"cost_weight": 50.0, "trials": 2})
    bench = Bench.build(
        small_images(),
        config.model_copy(update={"search": search}),
        seed=0,
        device=resolve_device("cpu"),
    )
    store = Store(
        open_storage(f"sqlite:///{tmp_path}/s.db"),
        "dear",
        settings={},
        sampler=SeededPerTrial(search.sampler, 0),
        pruner=build_pruner(search.pruner),
    )
    run_trials(store, bench, small_space(), 2, Quiet(), after_each=lambda: None)
    for trial in store.best_trials(2):
        price = bench.price(trial_policy(trial))
        assert price > 0
        assert trial.value == pytest.approx(trial_score(trial) - price)
        # Reports show the scores as they were measured.
        outcome = trial_outcome(trial)
        assert [score for _, score in trial_curve(trial)] == pytest.approx(
            [score for step, score in outcome.curve if step in trial.intermediate_values]
        )
        assert trial.intermediate_values
    assert trial_score(store.best_trials(1)[0]) > 0


def test_another_space_under_the_same_name_is_refused_with_the_difference():
    run(trials=1)
    wider = small_space().model_dump(mode="json", exclude_none=True)
    wider["ops"][1]["hue"] = {"low": 0.0, "high": 0.25}
    with pytest.raises(StudyError, match=r"color_jitter\.hue\.high: 0\.5 there, 0\.25 here"):
        run(space=type(small_space()).model_validate(wider))
    with pytest.raises(StudyError, match="seed: 0 there, 1 here"):
        run(seed=1)


def test_a_study_is_driven_by_one_process_at_a_time():
    from augsearch.store.database import owner_lock

    with (
        owner_lock(STORAGE, "small"),
        pytest.raises(StudyError, match="run by another process"),
    ):
        run()
    run(trials=1)


@pytest.mark.parametrize(("trials", "name"), [(0, "x"), (1, "../x"), (1, "a b")])
def test_impossible_requests_are_refused(trials, name):
    with pytest.raises(ConfigError):
        run(trials=trials, name=name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_output_directory_is_refused_before_any_work(tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(OutputError, match="cannot be written"):
        run(output=tmp_path / "locked")


def test_an_output_that_is_a_file_is_refused_before_any_work(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(OutputError, match="taken"):
        run(output=tmp_path / "taken")


def test_an_old_file_store_is_named_before_any_work():
    Path("mlruns/0").mkdir(parents=True)
    Path("mlruns/0/meta.yaml").write_text("name: old")
    with pytest.raises(StudyError, match="MLFLOW_TRACKING_URI"):
        run()


def test_the_sealed_split_remembers_every_look():
    assert run(trials=1).sealed_split_uses == 1
    assert run(trials=1).sealed_split_uses == 1  # the same look again
    storage = open_storage(STORAGE)
    marks = Store(storage, "small").kept.sealed

    def look(name, marks=marks, trials=0):
        store = Store(storage, name, settings={})
        for _ in range(trials):
            store.trials_study.add_trial(optuna.create_trial(value=0.5))
        return store.count_sealed_use(marks)

    assert look("other") == 2
    assert look("other", trials=1) == 3  # at what more trials have found
    delete_study(storage, "other")
    assert look("other") == 4  # another study of that name
    assert look("part", marks[:5]) == 5
    assert look("elsewhere", ["ffffffffffff"]) == 1


def test_deleting_while_mlflow_is_away_deletes_nothing(monkeypatch):
    run(trials=1)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(StudyError, match="nothing is deleted"):
        delete_stored(STORAGE, "small")
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    deleted = delete_stored(STORAGE, "small")
    assert (deleted.runs, deleted.versions) == (1 + 5 + 1 + 20, 1)
    assert not mirrored()
    assert not list_stored(STORAGE)
