"""A long training in MLflow: its curves while it goes on, each value once."""

import sys

import mlflow
import pytest
from pretraining.full_runs import StopsAt, full_config
from small_study import small_images

from augsearch.tracking.client import tracking_uri
from augsearch.verbs.pretrain import pretrain


def runs():
    client = mlflow.MlflowClient(tracking_uri())
    experiment = client.get_experiment_by_name("augsearch")
    found = client.search_runs([experiment.experiment_id], "tags.`augsearch.kind` = 'pretraining'")
    return client, found


def go(**changes):
    asked = {"data": small_images(), "study": full_config(), "output": "out", "device": "cpu"}
    return pretrain("SimCLR s=0.5", **{**asked, **changes})


@pytest.mark.long
def test_a_stopped_training_is_one_run_with_each_value_once(monkeypatch):
    monkeypatch.setattr(sys.modules["augsearch.tracking.live"], "SECONDS", 0.1)
    with pytest.raises(RuntimeError):
        go(progress=StopsAt(8))
    client, (run,) = runs()
    assert run.info.status == "FAILED"
    found = go()
    client, (run,) = runs()
    assert run.info.status == "FINISHED" and run.info.run_name == "out"
    for name, wanted in (("probe_percent", [0, 4, 8, 12]), ("loss", [4, 8, 12])):
        history = client.get_metric_history(run.info.run_id, name)
        assert sorted(metric.step for metric in history) == wanted
    assert run.data.metrics["probe_percent"] == round(100 * found.looks[-1].probe, 2)
    assert any(name.startswith("system/") for name in run.data.metrics)
    assert run.data.tags["augsearch.policy_digest"] == found.policy.digest
    assert run.data.tags["mlflow.note.content"].lstrip().startswith("# out")
    names = {artifact.path for artifact in client.list_artifacts(run.info.run_id)}
    assert {"model.safetensors", "config.json", "policy.yaml", "README.md"} <= names


@pytest.mark.long
def test_a_server_that_is_away_stops_nothing(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    heard = StopsAt(99)
    assert go(progress=heard).steps == 12
    away = [note for note in heard.notes if "cannot be reached" in note]
    assert len(away) == 1 and away[0].endswith("the training goes on")


@pytest.mark.long
def test_it_is_linked_to_its_study(small_here):
    go(study="small", steps=2)
    _, (run,) = runs()
    assert run.data.tags["augsearch.from_study"] == "small" == run.data.params["study"]
