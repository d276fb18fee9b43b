"""`augsearch sync`: what MLflow lacks is made from Optuna's database."""

from pathlib import Path

import pytest
from small_study import small_images
from studying import mirrored

from augsearch import sync_study
from augsearch.errors import StudyError
from augsearch.tracking.client import client_for, tracking_uri


def shown(study="small"):
    """What people see of each run: its words and numbers, without ids and clocks."""
    found = {}
    for key, one in mirrored(study).items():
        tags = {k: v for k, v in one.data.tags.items() if not k.startswith("mlflow.source")}
        for own in ("mlflow.parentRunId", "mlflow.user", "mlflow.runName"):
            tags.pop(own, None)
        metrics = {k: v for k, v in one.data.metrics.items() if not k.startswith("system/")}
        found[key] = one.info.status, one.data.params, metrics, tags
    return found


def files(study="small"):
    client, runs = client_for(tracking_uri()), mirrored(study)
    return {key: {f.path for f in client.list_artifacts(r.info.run_id)} for key, r in runs.items()}


def plain(found):
    """Without where the experiment's view lies, whose number may be another."""
    status, params, metrics, tags = found["study"]
    note = tags["mlflow.note.content"].split("\n\n[The study's trials")[0]
    return {**found, "study": (status, params, metrics, {**tags, "mlflow.note.content": note})}


def test_a_lost_store_is_as_it_was(small_here, monkeypatch):
    before, before_files = plain(shown()), files()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{Path('new.db').resolve()}")
    done = sync_study("small", data=small_images(), progress=False)
    assert (done.runs, done.verdict, done.images) == (len(before) - 1, True, True)
    assert plain(shown()) == before
    assert files() == before_files
    client = client_for(tracking_uri())
    assert len(client.search_model_versions("name='augsearch.small'")) == 1
    run = mirrored()["study"].info
    began = min(one.info.start_time for key, one in mirrored().items() if key != "study")
    assert (run.start_time, run.end_time) == (began, max(ends()))
    again = {key: run.info.run_id for key, run in mirrored().items()}
    assert sync_study("small", data=small_images(), progress=False) == done
    assert {key: run.info.run_id for key, run in mirrored().items()} == again
    assert mirrored()["study"].info.end_time == max(ends())
    history = client.get_metric_history(again["study"], "trials_complete")
    assert len(history) == 1  # nothing new is nothing to tell


def ends():
    return [one.info.end_time for key, one in mirrored().items() if key != "study"]


@pytest.mark.long
def test_without_the_images_all_but_pictures_is_there(small_here, monkeypatch):
    before, before_files = plain(shown()), files()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{Path('new.db').resolve()}")
    said = []

    class Told:
        def __getattr__(self, name):
            return lambda *_, **__: None

        def warn(self, sentence):
            said.append(sentence)

    done = sync_study("small", progress=Told())
    assert not done.images and done.verdict
    assert "no pictures of views" in said[0] and "--data" in said[0]
    now, now_files = plain(shown()), files()
    assert now.keys() == before.keys()
    for key in before:
        assert now[key][3].pop("augsearch.pictures", "missing") == "missing"
        assert now[key] == before[key], key
        assert before_files[key] - now_files[key] <= {
            *(
                "views.png",
                "confirmation.png",
                "environment.json",
                "label_draws.csv",
                "results.csv",
            ),
            *("sealed_images.csv", "space.json", "space.yaml", "split.csv", "study.json"),
        }
    assert {"report.html", "policy.yaml", "result.json"} <= now_files["study"]


def test_other_images_are_refused(small_here):
    with pytest.raises(StudyError, match="these are not the images of the study"):
        sync_study("small", data=small_images(images_per_class=13), progress=False)


@pytest.mark.long
def test_pictures_come_with_the_images(small_here, monkeypatch):
    before = files()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{Path('new.db').resolve()}")
    assert not sync_study("small", progress=False).images
    assert sync_study("small", data=small_images(), progress=False).images
    assert files() == before


def test_another_study_of_the_name_is_named(small_here):
    client, runs = client_for(tracking_uri()), mirrored()
    client.set_tag(runs["study"].info.run_id, "augsearch.digits", "000000")
    with pytest.raises(StudyError, match="is there; MLFLOW_TRACKING_URI names another store"):
        sync_study("small", data=small_images(), progress=False)
    assert mirrored().keys() == runs.keys()


def test_runs_of_a_database_that_is_gone_are_not_taken_over(small_here):
    client, runs = client_for(tracking_uri()), mirrored()
    client.set_tag(runs["study"].info.run_id, "augsearch.identity", "another")
    client.set_tag(runs["trial/0"].info.run_id, "stale", "yes")
    sync_study("small", data=small_images(), progress=False)
    now = mirrored()
    assert now.keys() == runs.keys() and "stale" not in now["trial/0"].data.tags
    assert now["study"].info.run_id == runs["study"].info.run_id
    assert now["study"].data.tags["augsearch.identity"] != "another"
