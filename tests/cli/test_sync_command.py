"""`augsearch sync` on the command line."""

from pathlib import Path

import pytest
from studying import STORAGE, mirrored, run

from augsearch import sync_study
from augsearch.errors import StudyError
from augsearch.store.database import owner_lock


def test_a_study_without_a_verdict_is_shown_as_it_stands(monkeypatch, cli):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")

    class Stops:
        def __getattr__(self, name):
            return lambda *_, **__: None

        def run_ended(self, run, score, remark):
            if run.startswith("trial"):
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(progress=Stops())
    refused = cli("sync")
    assert "cannot be reached" in refused.refusal and "nothing is lost" in refused.refusal
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{Path('new.db').resolve()}")
    ended = cli("sync")
    assert ended.code == 0 and "no verdict yet; MLflow has them" in ended.out
    assert mirrored()["study"].info.status == "KILLED" and len(mirrored()) > 5


def test_what_cannot_be_shown_is_said(small_here, cli):
    assert "there is no study 'smal'" in cli("sync", "smal").refusal
    assert "--data" in cli("sync", "--data", "images").refusal
    with (
        owner_lock(STORAGE, "small"),
        pytest.raises(StudyError, match="its own process keeps MLflow up to date"),
    ):
        sync_study("small", progress=False)
    Path("augsearch.db").unlink()
    assert "nothing is stored" in cli("sync").refusal
