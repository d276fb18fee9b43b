"""What a finished study says is the same in its files, its tables, its page and MLflow."""

import io
import re

import numpy as np
import pandas as pd
import pytest
import sqlalchemy
from reported import TRIALS, text_of
from rich.console import Console
from studying import STORAGE

import augsearch
from augsearch.cli.terminal.stored import print_study
from augsearch.cli.terminal.tables import print_result
from augsearch.errors import StudyError
from augsearch.search.result.result import StudyResult
from augsearch.store.database import open_storage
from augsearch.store.listing import delete_study
from augsearch.store.study_store import Store
from augsearch.tracking.client import client_for, tracking_uri
from augsearch.verbs.studies import stored_study


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
    for section in shown.sections:
        rows = section.runs
        assert len({(row.kind, row.scored_on, row.state) for row in rows}) == 1, section.title
        assert ("sealed" in section.title) == (rows[0].scored_on == "test")
        scores = [row.score for row in rows]
        assert scores == sorted(scores, reverse=True)
    assert sum(len(section.runs) for section in shown.sections) == len(shown.rows)
    stopped = [row for row in shown.rows if row.state == "pruned"]
    assert stopped and {row.step for row in stopped} == {6}
    said = io.StringIO()
    console = Console(file=said, width=120)
    print_study(shown, console, every=True)
    text = said.getvalue()
    assert "balanced accuracy in %" in text
    titles = [section.title for section in shown.sections]
    places = [text.index(title) for title in titles]
    assert places == sorted(places)
    assert titles[0].startswith("Confirmation: sealed images")
    assert "Search, stopped early: validation images, score when stopped" in titles
    assert "Search, baselines: validation images, one seed" in titles
    for row in shown.rows:  # every single one
        named = f"{row.policy}, seed {row.seed}" if row.seed else row.policy
        assert any(line.split("  ")[0].strip() == named for line in text.splitlines()), named


def test_a_study_in_short_has_a_line_for_each_confirmed_policy(finished, monkeypatch):
    monkeypatch.chdir(finished)
    result = StudyResult.model_validate_json((finished / "runs/small/result.json").read_text())
    said = io.StringIO()
    print_study(stored_study(STORAGE, "small"), Console(file=said, width=80), every=False)
    confirmation = said.getvalue().partition("Confirmation: ")[2].partition("Search")[0]
    for policy in result.policies:
        if policy.confirmed_mean is None:
            continue
        (line,) = [one for one in confirmation.splitlines() if one.startswith(f" {policy.name} ")]
        low, high = policy.interval
        assert f" {100 * policy.confirmed_mean:.1f} " in line
        assert f" {100 * low:.1f} to {100 * high:.1f} " in line
        assert (f"{policy.name} *" in line) == (policy.name == result.verdict.recommended)


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
