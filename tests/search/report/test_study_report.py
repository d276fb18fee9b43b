"""Reports of real studies: finished, running, stopped, without their images, with ablations."""

import re
from functools import partial
from pathlib import Path

import pytest
from reported import TRIALS, text_of
from small_study import small_config, small_images, small_space
from studying import STORAGE, Heard

import augsearch
from augsearch.errors import DataError, StudyError
from augsearch.progress import Quiet
from augsearch.space.space import load_space
from augsearch.store.database import open_storage, owner_lock
from augsearch.store.study_store import Store
from augsearch.study_file import load_study_config
from augsearch.tracking.client import client_for, tracking_uri
from augsearch.verbs.ablate import ablate
from augsearch.verbs.report import report_study
from augsearch.verbs.run import run_study


class Stopped(Quiet):
    """Presses Ctrl-C when a run of that name has ended."""

    def __init__(self, run):
        self.run = run

    def run_ended(self, run, score, remark):
        if run == self.run:
            raise KeyboardInterrupt


def artifacts(study):
    client = client_for(tracking_uri())
    experiment = client.get_experiment_by_name("augsearch").experiment_id
    [parent] = client.search_runs([experiment], f"attributes.run_name = '{study}'")
    return {file.path: file.file_size for file in client.list_artifacts(parent.info.run_id)}


def test_a_run_ends_with_its_report_which_mlflow_has_too(finished, monkeypatch):
    monkeypatch.chdir(finished)
    there = finished / "runs" / "small"
    sizes = artifacts("small")
    for name in ("report.html", "report.md", "trials.csv"):
        assert sizes[name] == (there / name).stat().st_size
    assert (there / "report.html").stat().st_size < 8e6
    page = text_of(there / "report.html")
    store = Store(open_storage(STORAGE), "small")
    assert store.kept.verdict in page.replace("\u00a0", " ")
    assert page.count('class="picture"') == 2  # views of two policies
    assert "--name small" in page and store.kept.winner.digest in page
    assert "space.json and study.json, beside result.json" in page
    assert load_space(there / "space.json").digest == store.kept.result["digests"]["space"]
    assert load_study_config(there / "study.json").digest == store.kept.result["digests"]["study"]
    assert store.kept.verdict.partition(":")[0] in (there / "report.md").read_text()


def test_a_narrower_interval_has_a_name_of_its_own(finished, monkeypatch):
    """As in a study whose test images add to the doubt: this one has too few to tell."""
    monkeypatch.chdir(finished)
    store = Store(open_storage(STORAGE), "small")
    result = store.kept.result
    wide = [{**policy, "images_interval": (0.01, 0.99)} for policy in result["policies"]]
    store.kept.decide(store.kept.winner, {**result, "policies": wide})
    try:
        page = report_study("small", output="wider")
    finally:
        store.kept.decide(store.kept.winner, result)
    cells = re.findall(r"<t[dh][^>]*>([^<]*)</t", text_of(page))
    policy = next(p for p in result["policies"] if p["name"] == result["verdict"]["recommended"])
    low, high = policy["confirmed_interval"]
    chosen = cells.index(f"{policy['name']} ★")
    assert cells[chosen + 2 : chosen + 4] == ["1.0 to 99.0", f"{100 * low:.1f} to {100 * high:.1f}"]
    head = cells.index("95 % interval")
    assert cells[head + 1] == "on these images alone"
    assert "| 1.0 to 99.0 |" in page.with_name("report.md").read_text()


@pytest.mark.long
def test_a_report_of_a_finished_study_needs_its_images_only_for_the_views(finished, monkeypatch):
    monkeypatch.chdir(finished)
    heard = Heard()
    page = text_of(report_study("small", output="elsewhere", progress=heard))
    assert "No pictures of views" in page and "data:image/png" not in page
    assert "--data" in heard.warnings[0]
    own = text_of(finished / "runs" / "small" / "report.html")
    for section in ("verdict", "results", "policy", "classes", "history", "cost", "reproduce"):
        assert f'id="{section}"' in page and f'id="{section}"' in own
    again = text_of(report_study("small", data=small_images(), output="elsewhere"))
    assert again.count('class="picture"') == 2
    with pytest.raises((DataError, StudyError)):
        report_study("small", data=small_images(seed=1), output="elsewhere")


def test_a_study_that_does_not_exist_is_one_line(finished, monkeypatch):
    monkeypatch.chdir(finished)
    with pytest.raises(StudyError, match="no study 'nothing'; stored: small"):
        report_study("nothing")
    with pytest.raises(StudyError, match="no study 'nothing'"):
        augsearch.study_frame("nothing")


def test_without_mlflow_the_files_are_written_and_it_is_said(finished, monkeypatch):
    monkeypatch.chdir(finished)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    heard = Heard()
    assert report_study("small", output="alone", progress=heard).is_file()
    assert "did not get the report" in heard.warnings[-1]


def test_more_trials_than_the_verdict_knows_are_pointed_out(finished, monkeypatch):
    monkeypatch.chdir(finished)
    store = Store(open_storage(STORAGE), "small")
    result = store.kept.result
    fewer = {**result["trials"], "complete": result["trials"]["complete"] - 1}
    store.kept.decide(store.kept.winner, {**result, "trials": fewer})
    try:
        page = text_of(report_study("small", output="older"))
    finally:
        store.kept.decide(store.kept.winner, result)
    assert "this verdict is older than the study's last 1 trials" in page


@pytest.mark.long
def test_a_stopped_and_a_running_study_show_what_there_is():
    with pytest.raises(KeyboardInterrupt):
        run_study(
            small_space(),
            data=small_images(),
            study=small_config(),
            trials=TRIALS,
            name="half",
            device="cpu",
            progress=Stopped("trial 1"),
        )
    page = text_of(report_study("half", data=small_images()))
    assert "<h2>No verdict yet</h2>" in page
    assert f"This study is not finished: 2 of {TRIALS} trials are done." in page
    assert "Go on with: augsearch run" in page
    assert 'id="history"' in page and 'id="views"' in page
    assert "Nothing is said yet of marginal effects" in page
    assert Path("runs/half/report.md").is_file() and len(augsearch.study_frame("half")) == 7
    with owner_lock(STORAGE, "half"):
        page = text_of(report_study("half", data=small_images()))
    assert f"This study is still running: 2 of {TRIALS} trials are done." in page
    # Nothing of it is put beside a run that another process is writing.
    assert "report.html" not in artifacts("half")


@pytest.mark.long
def test_before_the_first_trial_there_is_a_report_as_well():
    with pytest.raises(KeyboardInterrupt):
        run_study(
            small_space(),
            data=small_images(),
            study=small_config(),
            name="early",
            device="cpu",
            progress=Stopped("untrained encoder"),
        )
    page = text_of(report_study("early", data=small_images()))
    assert "This study is not finished: 0 of 4 trials are done." in page


@pytest.mark.long
def test_ablations_of_the_same_images_are_in_the_report_as_well(finished, monkeypatch):
    monkeypatch.chdir(finished)
    monkeypatch.setenv("AUGSEARCH_CACHE", str(finished / "cache"))
    steps = small_config().pretrain.model_copy(update={"steps": 4})
    config = small_config().model_copy(update={"pretrain": steps})
    ablate_these = partial(ablate, small_space(), study=config, replicates=2, device="cpu")
    found = ablate_these(data=small_images(), name="pairs")
    other = ablate_these(data=small_images(seed=9), name="others")
    page = text_of(report_study("small", output="with-ablation"))
    assert "Which operations belong together" in page
    assert all(sentence.replace("`", "") in page for sentence in found.sentences)
    assert page.count("data:image/png") == 1  # the matrix; no views, for want of the images
    assert "Ablation pairs" in page and "Ablation others" not in page
    assert other.sentences
    one_pager = Path("with-ablation/report.md").read_text()
    assert "## Which operations belong together" in one_pager
