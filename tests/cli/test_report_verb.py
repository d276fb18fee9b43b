"""`augsearch report` as people call it."""

import pytest


@pytest.fixture
def here(finished_study, monkeypatch):
    monkeypatch.chdir(finished_study)


def test_a_report_is_written_where_it_is_asked_for(cli, here, tmp_path):
    said = cli("report", "small", "--output", tmp_path / "there")
    assert said.code == 0 and "wrote" in said.out
    page = (tmp_path / "there" / "report.html").read_text()
    assert page.count('<img src="data:image/png') == 2 and "pit" in page
    assert {file.name for file in (tmp_path / "there").iterdir()} == {
        "report.html",
        "report.md",
        "trials.csv",
    }


def test_a_study_that_does_not_exist_is_refused(cli, here):
    assert cli("report", "smal").refusal == (
        "there is no study 'smal'; did you mean 'small'? stored: small"
    )


def test_nothing_stored_is_refused_and_nothing_is_made(cli, tmp_path):
    refusal = cli("report", "small").refusal
    assert refusal == "there is no study 'small': nothing is stored at sqlite:///augsearch.db"
    assert list(tmp_path.iterdir()) == []


def test_images_that_are_not_the_studys_are_refused(cli, here, tmp_path):
    assert "nowhere" in cli("report", "small", "--data", tmp_path / "nowhere").refusal


def test_a_directory_that_cannot_be_written_is_refused(cli, here, tmp_path):
    (tmp_path / "file").write_text("")
    assert "file" in cli("report", "small", "--output", tmp_path / "file").refusal
