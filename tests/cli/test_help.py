"""Help: where to begin, what options take, examples that parse, and what the shell completes."""

import os
import shlex
import shutil
import subprocess
import sys
import typing
from pathlib import Path

import pytest
import typer.main
from command_line import run_verb

from augsearch.augment.export.targets import ENDINGS
from augsearch.cli import ablate, finetune, options
from augsearch.cli.app import app
from augsearch.model_sections import FinetuneConfig
from augsearch.search.ablation.plan import Mode, Protocol
from augsearch.study.request import EngineName

ROOT: typing.Any = typer.main.get_command(app)


def verbs(command=ROOT, path=()):
    below = getattr(command, "commands", {})
    if path:
        yield path, command
    for name, one in below.items():
        yield from verbs(one, (*path, name))


EXAMPLES = {
    " ".join(path): (command.epilog or "").partition("Example:")[2].split("\n")[1:]
    for path, command in verbs()
}


@pytest.mark.parametrize("verb", EXAMPLES)
def test_every_verb_ends_with_an_example_of_itself_that_parses(verb, capsys):
    (line,) = EXAMPLES[verb]
    program, *words = shlex.split(line)
    assert program == "augsearch"
    assert words[: len(verb.split())] == verb.split()
    assert len(line) <= 80
    command, context, rest = ROOT, None, words
    for name in ("augsearch", *verb.split()):
        command = command if context is None else command.commands[name]
        context = command.make_context(name, rest, parent=context)
        rest = context.args
    assert rest == []
    said = run_verb([*verb.split(), "--help"], capsys)
    assert said.out.rstrip().splitlines()[-1].strip() == line.strip()


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_help_is_never_wider_than_the_terminal(columns, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    for verb in ["", *EXAMPLES]:
        said = run_verb([*verb.split(), "--help"], capsys).out
        for line in said.splitlines():
            assert line == line.rstrip(), "padded"
            alone = "augsearch " in line or "|" in line  # commands and choices are not broken
            assert len(line) <= columns or (alone and len(line) <= 80), line


def test_help_begins_with_where_to_begin_and_shortens_no_line(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    said = run_verb(["--help"], capsys).out
    start = said.index("Start here:")
    assert start < said.index("Find a policy:") < said.index("Options:")
    assert "..." not in said.partition("Start here:")[2]
    begun = [line for line in said[start:].splitlines() if line.startswith("    augsearch ")]
    assert [line.split()[1] for line in begun] == ["run", "triage", "run"]
    for line in begun:
        verb, *words = line.split()[1:]
        ROOT.commands[verb].make_context(verb, words)


def test_options_show_exactly_what_they_take():
    assert get_args(EngineName) == options.ENGINES
    assert get_args(Mode) == ablate.MODES
    assert get_args(Protocol) == ablate.PROTOCOLS
    assert get_args(FinetuneConfig.model_fields["mode"].annotation) == finetune.MODES
    helped = " ".join(subprocess_said("export", "--help").split())
    assert f"One of {', '.join(ENDINGS)}." in helped
    assert "--engine local|workers|ray" in subprocess_said("run", "--help")


def get_args(literal):
    return typing.get_args(literal)


def test_a_wrong_choice_is_one_line_with_the_nearest(capsys):
    Path("policy.yaml").write_text("ops: [{op: horizontal_flip, p: 0.5}]\n")
    line = run_verb(["export", "--policy", "policy.yaml", "--to", "korna"], capsys).refusal
    assert "did you mean 'kornia'?" in line
    assert "torchvision" in line


def subprocess_said(*words, **environment):
    program = (
        f"import sys; sys.argv = {['augsearch', *words]}; from augsearch.cli import main; main()"
    )
    said = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "80", **environment},
    )
    return said.stdout


def completed(*words):
    """What bash would offer after these words."""
    program = (
        "import sys; sys.argv = ['augsearch']\n"
        "from augsearch.cli import main\n"
        "try:\n    main()\n"
        "finally:\n    print([m for m in ('torch', 'optuna') if m in sys.modules])\n"
    )
    line = " ".join(("augsearch", *words))
    said = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={
            **os.environ,
            "_AUGSEARCH_COMPLETE": "complete_bash",
            "COMP_WORDS": f"{line} ",
            "COMP_CWORD": str(len(words) + 1),
        },
    )
    *offered, heavy = filter(None, said.stdout.splitlines())
    assert heavy == "[]"
    return offered


def test_the_shell_completes_names_of_studies_spaces_and_choices(finished_study, tmp_path):
    shutil.copy(finished_study / "augsearch.db", tmp_path)
    assert completed("report") == ["small"]
    assert completed("studies", "show") == ["small"]
    assert completed("report", "--storage", "sqlite:///nowhere.db") == []
    assert "factory" in completed("run", "--space")
    assert completed("run", "--engine") == ["local", "workers", "ray"]
    assert completed("export", "--to") == list(ENDINGS)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_can_be_shown(shell, capsys):
    offered = run_verb(["--help"], capsys).out
    assert "--install-completion" in offered
    assert "--show-completion" in offered
    said = subprocess_said(_AUGSEARCH_COMPLETE=f"source_{shell}")
    assert "augsearch" in said
