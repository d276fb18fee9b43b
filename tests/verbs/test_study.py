"""Whole studies on the embedded surfaces: answers, MLflow, seeds, deletion."""

import json
from pathlib import Path

import jsonschema
import pandas as pd
import pytest
from studying import STORAGE, Heard, mirrored, run

from augsearch.errors import StudyError
from augsearch.space.policy import load_policy
from augsearch.store.database import open_storage
from augsearch.store.study_store import Store
from augsearch.tracking.client import client_for, tracking_uri
from augsearch.verbs.schemas import schema_texts
from augsearch.verbs.studies import delete_stored, list_stored


def test_a_study_leaves_its_answer_in_files_and_every_run_in_mlflow(small_here):
    result = small_here
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
    # It begins before its baselines do.
    assert parent.info.start_time <= min(one.info.start_time for one in runs.values())
    for key, one in runs.items():
        assert one.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert one.inputs.dataset_inputs[0].dataset.digest == result.digests["data"]
        if key.startswith("trial/"):
            names = {f.path for f in client.list_artifacts(one.info.run_id)}
            assert names == {"policy.yaml", "views.png"}
            assert one.data.params["view1.resized_crop.scale_min"]
    [best] = [one for key, one in runs.items() if key.startswith("baseline/SimCLR s=1/0")]
    curve = client.get_metric_history(best.info.run_id, "rung_percent")
    assert [point.step for point in curve] == [6, 12]


@pytest.mark.long
def test_the_same_seed_gives_the_same_answer_and_another_seed_does_not(small_here):
    def answer(result, name):
        text = Path(f"runs/{name}/policy.yaml").read_text().replace(name, "")
        return [(p.search_score, p.confirmed_scores) for p in result.policies], text

    first = answer(small_here, "small")
    again = answer(run(seed=0, name="two"), "two")
    other = answer(run(seed=1, name="three"), "three")
    assert first == again
    assert first != other


@pytest.mark.long
def test_the_search_goes_on_without_a_tracking_server_and_mlflow_catches_up(
    small_here, monkeypatch
):
    Path("mlflow.db").unlink()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    heard = Heard()
    run(trials=6, progress=heard)
    assert len(heard.warnings) == 1
    assert "cannot be reached" in heard.warnings[0]
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    run(trials=6)
    assert len([key for key in mirrored() if key.startswith("trial/")]) == 6


def test_deleting_while_mlflow_is_away_deletes_nothing(small_here, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(StudyError, match="nothing is deleted"):
        delete_stored(STORAGE, "small")
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    deleted = delete_stored(STORAGE, "small")
    assert (deleted.runs, deleted.versions) == (1 + 5 + 4 + 20, 1)
    assert not mirrored()
    assert not list_stored(STORAGE)
