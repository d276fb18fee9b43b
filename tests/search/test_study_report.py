"""Reports of real studies: finished, running, stopped, without their images, with two aims."""

import html
import io
import re
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sqlalchemy
from rich.console import Console
from shared_studies import copy_study
from small_study import small_config, small_images, small_space

import augsearch
from augsearch.cli.tables import print_result, print_study
from augsearch.errors import DataError, StudyError
from augsearch.progress import Quiet
from augsearch.search.result.outputs import front_points
from augsearch.search.result.result import StudyResult
from augsearch.space.space import load_space
from augsearch.store.database import open_storage, owner_lock
from augsearch.store.frozen_trials import trial_outcome
from augsearch.store.listing import delete_study
from augsearch.store.stored import stored_config
from augsearch.store.study_store import Store
from augsearch.study_file import NoPrunerConfig, load_study_config
from augsearch.tracking.client import client_for, tracking_uri
from augsearch.verbs.ablate import ablate
from augsearch.verbs.report import report_study
from augsearch.verbs.run import run_study
from augsearch.verbs.studies import stored_study

STORAGE = "sqlite:///augsearch.db"
TRIALS = 6


class Heard(Quiet):
    """Remembers warnings."""

    def __init__(self):
        self.warnings = []

    def warn(self, sentence):
        self.warnings.append(sentence)


class Stopped(Quiet):
    """Presses Ctrl-C when a run of that name has ended."""

    def __init__(self, run):
        self.run = run

    def run_ended(self, run, score, remark):
        if run == self.run:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def finished(tmp_path_factory, finished_small):
    """A directory with the study `small`, run to its end."""
    directory = tmp_path_factory.mktemp("reported")
    copy_study(finished_small, directory)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        patch.setenv("AUGSEARCH_CACHE", str(directory / "cache"))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        run_study(
            small_space(),
            data=small_images(),
            study=small_config(),
            trials=TRIALS,
            name="small",
            device="cpu",
        )
    return directory


def artifacts(study):
    client = client_for(tracking_uri())
    experiment = client.get_experiment_by_name("augsearch").experiment_id
    [parent] = client.search_runs([experiment], f"attributes.run_name = '{study}'")
    return {file.path: file.file_size for file in client.list_artifacts(parent.info.run_id)}


def mirrored_trials(study):
    client = client_for(tracking_uri())
    experiment = client.get_experiment_by_name("augsearch").experiment_id
    wanted = f"tags.`augsearch.study` = '{study}' AND tags.`augsearch.kind` = 'trial'"
    runs = client.search_runs([experiment], wanted)
    return {int(run.data.tags["augsearch.trial"]): run for run in runs}


def text_of(page):
    """The page without plotly's script, its characters as people read them."""
    return html.unescape(page.read_text(encoding="utf-8").partition("<noscript>")[0])


def test_a_run_ends_with_its_report_which_mlflow_has_too(finished, monkeypatch):
    monkeypatch.chdir(finished)
    there = finished / "runs" / "small"
    sizes = artifacts("small")
    for name in ("report.html", "report.md", "trials.csv"):
        assert sizes[name] == (there / name).stat().st_size
    assert (there / "report.html").stat().st_size < 8e6
    page = text_of(there / "report.html")
    store = Store(open_storage(STORAGE), "small")
    assert store.kept.verdict in page
    assert page.count("data:image/png") == 2
    assert "--name small" in page and store.kept.winner.digest in page
    assert "space.json and study.json, beside result.json" in page
    assert load_space(there / "space.json").digest == store.kept.result["digests"]["space"]
    assert load_study_config(there / "study.json").digest == store.kept.result["digests"]["study"]
    assert store.kept.verdict.partition(":")[0] in (there / "report.md").read_text()


def test_a_result_has_its_policy_and_its_files(finished, monkeypatch):
    monkeypatch.chdir(finished)
    result = augsearch.load_result("runs/small")
    store = Store(open_storage(STORAGE), "small")
    assert result.policy == store.kept.winner and result.policy.digest == result.digests["policy"]
    assert result.verdict.sentence == store.kept.verdict
    assert {"policy.yaml", "report.html", "result.json", "views.png"} <= result.files.keys()
    assert all(path.is_file() for path in result.files.values())
    bare = StudyResult.model_validate_json(result.files["result.json"].read_text())
    with pytest.raises(StudyError, match=r"read without its policy; read both with load_result"):
        bare.policy  # noqa: B018
    with pytest.raises(StudyError, match="no finished study has written its result here"):
        augsearch.load_result("runs")


def test_the_answer_of_a_study_is_one_write(finished, monkeypatch):
    """Between two writes a reader or a kill would leave a verdict without its winner."""
    monkeypatch.chdir(finished)
    storage = open_storage(STORAGE)
    store = Store(storage, "small")
    winner = store.kept.winner
    other = winner.model_copy(update={"name": "another"})
    writes = []
    result = store.kept.result

    def count(connection):
        writes.append(1)

    sqlalchemy.event.listen(storage.engine, "commit", count)
    try:
        store.kept.decide(other, {**result, "verdict": {**result["verdict"], "sentence": "other"}})
        assert len(writes) == 1
        store.trials_study.set_user_attr("verdict", "of an older version, killed in between")
        assert (store.kept.winner.name, store.kept.verdict) == ("another", "other")
    finally:
        sqlalchemy.event.remove(storage.engine, "commit", count)
        store.kept.decide(winner, result)
    early = Store(storage, "early", settings={})
    early.trials_study.set_user_attr("verdict", "of an older version, killed in between")
    assert (early.kept.verdict, early.kept.winner, early.kept.result) == ("", None, {})
    delete_study(storage, "early")


def test_a_study_is_shown_in_sections_whose_scores_are_alike(finished, monkeypatch):
    monkeypatch.chdir(finished)
    shown = stored_study(STORAGE, "small")
    assert {row.scored_on for row in shown.rows if row.kind == "confirmation"} == {"test"}
    assert {row.scored_on for row in shown.rows if row.kind != "confirmation"} == {"validation"}
    for title, rows in shown.sections.items():
        assert len({(row.scored_on, row.state) for row in rows}) == 1, title
        assert ("sealed" in title) == (rows[0].scored_on == "test")
        scores = [row.score for row in rows]
        assert scores == sorted(scores, reverse=True)
    assert sum(map(len, shown.sections.values())) == len(shown.rows)
    stopped = [row for row in shown.rows if row.state == "pruned"]
    assert stopped and {row.step for row in stopped} == {6}
    said = io.StringIO()
    console = Console(file=said, width=120)
    print_study(shown, console)
    text = said.getvalue()
    assert "small, balanced accuracy in %" in text
    places = [text.index(title) for title in shown.sections]
    assert places == sorted(places)
    assert "stopped early: score at the last rung, validation images" in text


def test_the_interval_of_a_score_is_the_same_wherever_it_is_shown(finished, monkeypatch):
    """For other seeds and, where images add to it, other test images."""
    monkeypatch.chdir(finished)
    there = finished / "runs" / "small"
    result = StudyResult.model_validate_json((there / "result.json").read_text())
    chosen = next(p for p in result.policies if p.name == result.verdict.recommended)
    low, high = chosen.interval
    shown = f"{100 * low:.1f} to {100 * high:.1f}"
    said = io.StringIO()
    console = Console(file=said, width=160)
    print_result(result, there, console)
    [line] = [row for row in said.getvalue().splitlines() if f"{chosen.name} *" in row]
    assert shown in line
    [line] = [row for row in (there / "report.md").read_text().splitlines() if " ★ |" in row]
    assert line.endswith(f"| {shown} |")
    [tags] = [
        version.tags
        for version in client_for(tracking_uri()).search_model_versions("name='augsearch.small'")
    ]
    assert tags["interval"] == f"{shown} %"
    row = pd.read_csv(there / "results.csv").set_index("policy").loc[chosen.name]
    assert tuple(row[["confirmed_low", "confirmed_high"]]) == pytest.approx((low, high))
    narrow = row[["same_images_low", "same_images_high"]]
    assert tuple(narrow) == pytest.approx(chosen.confirmed_interval)
    cells = re.findall(r"<t[dh][^>]*>([^<]*)</t", text_of(there / "report.html"))
    assert cells[cells.index(f"{chosen.name} ★") + 2] == shown


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
    assert again.count("data:image/png") == 2
    with pytest.raises((DataError, StudyError)):
        report_study("small", data=small_images(seed=1), output="elsewhere")


def test_the_table_holds_every_run_with_what_it_showed(finished, monkeypatch):
    monkeypatch.chdir(finished)
    frame = augsearch.study_frame("small")
    store = Store(open_storage(STORAGE), "small")
    trials = frame[frame["kind"] == "trial"]
    assert list(trials["trial"]) == [trial.number for trial in store.trials()]
    assert list(frame["kind"].unique()) == ["trial", "baseline", "confirmation"]
    assert set(trials["state"]) <= {"complete", "pruned"}
    complete = trials[trials["state"] == "complete"]
    for trial in store.best_trials(TRIALS):
        row = complete[complete["trial"] == trial.number].iloc[0]
        assert row["score"] == row["value/score"] == trial.value
        recalls = row.filter(like="recall/").astype(float)
        assert np.isclose(recalls.mean(), row["probe"])  # balanced accuracy
        for name, value in trial.params.items():
            assert row[f"searched/{name}"] == value
        assert row["seconds/total"] > 0 and row["view1.order"]
    stopped = trials[trials["state"] == "pruned"]
    assert stopped["score"].isna().all() and stopped["last_score"].notna().all()
    assert set(frame[frame["kind"] == "confirmation"]["scored_on"]) == {"test"}
    file = pd.read_csv(finished / "runs" / "small" / "trials.csv")
    assert list(file.columns) == list(frame.columns) and len(file) == len(frame)


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
    assert "Nothing is said of importance" in page
    assert Path("runs/half/report.md").is_file() and len(augsearch.study_frame("half")) == 7
    with owner_lock(STORAGE, "half"):
        page = text_of(report_study("half", data=small_images()))
    assert f"This study is still running: 2 of {TRIALS} trials are done." in page
    # Nothing of it is put beside a run that another process is writing.
    assert "report.html" not in artifacts("half")


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
def test_two_aims_show_their_front_in_full_scores():
    """Also where the search took a price off: baselines and trials are shown alike."""
    config = small_config()
    searching = config.search.model_copy(
        update={"aims": ("score", "cost"), "pruner": NoPrunerConfig(), "cost_weight": 500.0}
    )
    result = run_study(
        small_space(),
        data=small_images(),
        study=config.model_copy(update={"search": searching}),
        trials=3,
        name="two",
        device="cpu",
    )
    page = text_of(Path("runs/two/report.html"))
    assert "<h2>Two aims at once</h2>" in page
    assert "less 500 points for each millisecond" in page
    store = Store(open_storage(STORAGE), "two")
    front = store.front()
    section = page.partition('<section id="front">')[2].partition("</section>")[0]
    assert section.count('<th scope="row"') == len(front)
    full = {t.number: trial_outcome(t).score for t in store.trials()}
    assert all(t.values[0] < full[t.number] for t in store.trials())  # noqa: PD011
    costs = {t.number: t.values[1] for t in store.trials()}  # noqa: PD011
    assert [t.number for t in front] == sorted(
        (
            a
            for a in full
            if not any(
                full[b] >= full[a] and costs[b] <= costs[a] and (full[b], costs[b]) !=
                (full[a], costs[a])
                for b in full
            )
        ),
        key=lambda number: -full[number],
    )  # fmt: skip
    shown = [p.values["score"] for p in result.front]  # noqa: PD011
    assert shown == [full[t.number] for t in front]
    points = {p.label: p.y / 100 for p in front_points(store, stored_config(store), 3)}
    baselines = {n: o.score for (n, _), o in store.outcomes("baseline").items()}
    for label, height in points.items():
        own = full[int(label)] if label.isdigit() else baselines[label]
        assert height == pytest.approx(own)
    children = mirrored_trials("two")
    for number, run in children.items():
        assert run.data.metrics["score"] == pytest.approx(full[number])
        assert run.data.metrics["price"] > 0
    frame = augsearch.study_frame("two")
    frame = frame[frame["kind"] == "trial"].set_index("name")
    for number, score in full.items():
        assert frame.loc[f"trial {number}", "score"] == pytest.approx(score)
    # Stopped here and given again, it is estimated by what is left.
    left = augsearch.estimate_study(
        small_space(),
        data=small_images(),
        study=config.model_copy(update={"search": searching}),
        trials=4,
        name="two",
        device="cpu",
    )
    assert {p.name: (p.runs, p.done) for p in left.phases} == {
        "baselines": (5, 5),
        "trials": (4, 3),
        "confirmation": (20, 20),
    }


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
