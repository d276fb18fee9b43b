"""What README.md shows is done: its commands, its Python, its spaces.

Whatever would take minutes is estimated only (`--dry-run`) or, where it has no estimate, left to
tests of its own. Marked slow because a study has to be run first; .ci/run runs this file by name.
"""

import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from test_readme import FENCE, README, ROOT, commands_between_words, commands_in

import augsearch
from augsearch.space.space import Space
from augsearch.space.yaml_file import parse_model

PLACEHOLDERS = {"NAME": "small", "path/to/images": "images", "path/to/new/images": "images"}
ESTIMATED = ("run", "ablate")
WITH_A_STUDY_OF_SECONDS = (*ESTIMATED, "triage")
# Servers, what trains for minutes, and a student of a teacher that is as small as itself.
ELSEWHERE = ("ui", "certify", "selftest", "worker", "distill")
QUICK = "\nfinetune: {steps: 4, batch_size: 16, seeds: 1, folds: 2, labels: 4}\n"
NOT_HERE = {"--compare", "--engine"}  # of two that are there; tests/search/test_workers.py


def filled_in(text: str) -> str:
    text = text.replace("runs/NAME", "runs/small").replace("runs/DISTILLED", "runs/FINETUNED")
    for placeholder, value in PLACEHOLDERS.items():
        text = re.sub(rf"(?<![\w/]){placeholder}(?!\w)", value, text)
    return text


def commands() -> list[str]:
    """Each command once, as it is run here: with a study of seconds where one may be named."""
    text = README.read_text()
    found = {}
    for words in commands_in(text) + commands_between_words(text):
        asked = [word for word in words if word != "--dry-run"]
        if words[0] in ESTIMATED:
            asked.append("--dry-run")
        if words[0] in WITH_A_STUDY_OF_SECONDS and "--data" in asked and "--from" not in asked:
            asked += ["--study", "study.yaml"]
        if words[0] == "pilot":
            asked += ["--labels", "2", "--seeds", "2", "--steps", "2"]
        if words[0] not in ELSEWHERE and not NOT_HERE & set(words):
            found[filled_in(shlex.join(asked))] = None
    return list(found)


def blocks(language: str, page: Path = README) -> list[str]:
    return [m["body"] for m in FENCE.finditer(page.read_text()) if m["language"] == language]


@pytest.fixture
def after_a_study(finished_study, tmp_path, monkeypatch):
    """A copy of a directory in which the study `small` has ended."""
    shutil.copytree(finished_study, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("AUGSEARCH_CACHE", str(tmp_path / "here" / "cache"))


@pytest.mark.slow
@pytest.mark.parametrize("command", commands())
def test_commands_do_as_they_say(command, after_a_study, cli):
    if "PRETRAINED" in command or "FINETUNED" in command:
        cli("pretrain", "--study", "small", "--steps", "2", "--output", "runs/PRETRAINED")
    if "FINETUNED" in command:
        Path("quick.yaml").write_text(Path("study.yaml").read_text() + QUICK)
        begins = ("runs/PRETRAINED", "--study", "quick.yaml")
        assert cli("finetune", *begins, "--output", "runs/FINETUNED").code == 0
    said = cli(*shlex.split(command))
    assert said.code == 0, said


@pytest.mark.slow
def test_the_python_runs(after_a_study, monkeypatch):
    monkeypatch.setattr(
        augsearch, "run_study", lambda *_, **__: augsearch.load_result("runs/small")
    )
    [code] = blocks("python")
    scope: dict[str, Any] = {"images": torch.zeros(2, 3, 240, 240, dtype=torch.uint8)}
    exec(filled_in(code), scope)
    assert scope["view1"].shape == (2, 3, 224, 224)
    assert scope["result"].files["report.html"]


def test_the_spaces_are_spaces():
    found = blocks("yaml") + blocks("yaml", ROOT / "docs" / "spaces.md")[:2]
    assert len(found) == 3
    for text in found:
        assert parse_model(Space, f"name: shown\n{text}", "README.md").ops
