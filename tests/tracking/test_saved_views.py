"""Saved views follow this version until somebody saves over them."""

import json

import pytest

from augsearch.tracking import experiment
from augsearch.tracking.client import client_for, quiet_mlflow
from augsearch.tracking.experiment import MOST_VIEWS, VIEW, keep_view_of, open_experiment, view_of

TRIALS = VIEW + experiment.TRIALS


@pytest.fixture
def client():
    quiet_mlflow()
    return client_for("sqlite:///mlflow.db")


def tags(client):
    return client.get_experiment_by_name("augsearch").tags


def change(client, **changes):
    number = open_experiment(client)
    view = {**json.loads(tags(client)[TRIALS]), **changes}
    client.set_experiment_tag(number, TRIALS, json.dumps(view))
    return view


def test_an_older_view_that_nobody_touched_is_made_anew(client):
    number = open_experiment(client)
    wanted = json.loads(tags(client)[TRIALS])
    client.set_experiment_tag(number, "mlflow.experiment.primaryMetric.name", "score")
    client.set_experiment_tag(number, "mlflow.note.content", experiment.OLDER_NOTES[0])
    change(client, state="deflate;older", createdAt=5, updatedAt=5)
    open_experiment(client)
    assert json.loads(tags(client)[TRIALS])["state"] == wanted["state"]
    assert tags(client)["mlflow.experiment.primaryMetric.name"] == "score_percent"
    assert tags(client)["mlflow.note.content"] == experiment.NOTE


def test_what_a_person_saved_stays(client):
    theirs = change(client, state="deflate;theirs", createdAt=5, updatedAt=6)
    client.set_experiment_tag(open_experiment(client), "mlflow.note.content", "ours")
    open_experiment(client)
    assert json.loads(tags(client)[TRIALS]) == theirs
    assert tags(client)["mlflow.note.content"] == "ours"


def test_views_of_studies_end_before_mlflows_menu_does(client):
    number = open_experiment(client)
    for study in range(MOST_VIEWS):
        keep_view_of(client, number, f"study {study}", ["view1.order"])
    assert sum(key.startswith(VIEW) for key in tags(client)) == MOST_VIEWS
    keep_view_of(client, number, "study 0", ["view1.rotation.degrees"])  # has its place
    assert VIEW + view_of("study 0") in tags(client)
