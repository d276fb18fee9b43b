"""The commands of the README and the pages exist, with their options."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
import typer.main
from PIL import Image

from augsearch.cli.app import app
from tools import readme_picture

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<body>.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`((?:uv run )?augsearch [^`\n]+)`")
USAGE_ERROR: Any = typer.BadParameter.__base__  # of the click that typer carries
SHELLS = {"", "sh", "bash", "console", "shell", "text"}


def commands_in(text: str) -> list[list[str]]:
    """Words of each `augsearch ...` in the fenced blocks that are for a shell."""
    blocks = (block["body"] for block in FENCE.finditer(text) if block["language"] in SHELLS)
    return [command for block in blocks for command in commands_of(block)]


def commands_between_words(text: str) -> list[list[str]]:
    """Words of each `augsearch ...` in running text, where what must follow may be left out."""
    return [command for code in SPAN.findall(FENCE.sub("", text)) for command in commands_of(code)]


def commands_of(code: str) -> list[list[str]]:
    found = []
    for line in code.replace("\\\n", " ").splitlines():
        for part in re.split(r"&&|;|\|", line):
            if "augsearch " not in part:
                continue
            words = shlex.split(part.strip().removeprefix("$ "), comments=True)
            if words[:2] == ["uv", "run"]:
                words = words[2:]
            if words[:1] == ["augsearch"]:
                found.append(words[1:])
    return found


def parse(words: list[str]) -> None:
    """Parse as the command line would, down to the verb, without running it."""
    command: Any = typer.main.get_command(app)
    context = command.make_context("augsearch", [*words], resilient_parsing=False)
    while context.args or getattr(context, "_protected_args", None):
        rest = [*getattr(context, "_protected_args", []), *context.args]
        name, command, rest = context.command.resolve_command(context, rest)
        context = command.make_context(name, rest, parent=context)


def test_this_test_refuses_what_does_not_exist():
    for wrong in ("run --spcae factory", "rum --space factory", "studies drop", "certify"):
        with pytest.raises(USAGE_ERROR):
            parse(shlex.split(wrong))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_exist(page):
    for words in commands_in(page.read_text()):
        parse(words)
    for words in commands_between_words(page.read_text()):
        try:
            parse(words)
        except USAGE_ERROR as error:
            assert type(error).__name__ == "MissingParameter", words


def test_readme_shows_the_verbs():
    shown = {words[0] for words in commands_in(README.read_text())}
    assert {
        "run",
        "preview",
        "export",
        "certify",
        "ablate",
        "ui",
        "pretrain",
        "finetune",
        "pilot",
        "explain",
        "embed",
    } <= shown


def test_constraints_name_versions_only():
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        assert re.fullmatch(r"(#.*|)|[A-Za-z0-9._-]+==[A-Za-z0-9.+!_-]+( ;.*)?", line), line
        assert "://" not in line


@pytest.mark.long
def test_the_first_picture_is_what_its_script_draws():
    """Up to what another version of Pillow draws otherwise."""
    study = json.loads(readme_picture.STUDY.read_text(encoding="utf-8"))
    drawn = np.asarray(readme_picture.picture(study), dtype=float)
    with Image.open(readme_picture.PICTURE) as kept:
        assert np.abs(drawn - np.asarray(kept.convert("RGB"), dtype=float)).mean() < 2
