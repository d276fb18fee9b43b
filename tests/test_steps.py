"""A step has one name and one command: justfile and hooks say what .ci/run says."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
CI = (ROOT / ".ci" / "run").read_text()


def test_just_calls_each_step_of_ci():
    justfile = (ROOT / "justfile").read_text()
    recipes = re.findall(r"^([a-z]+)(?: \*args)?:\n    @(.*)$", justfile, re.MULTILINE)
    steps = set(re.findall(r"^do_([a-z]+)\(\)", CI, re.MULTILINE)) - {"install"}
    assert {name for name, _ in recipes} == steps
    for name, command in recipes:
        wanted = "bash .ci/run" if name == "ci" else f"bash .ci/run {name}"
        assert command.removesuffix(" {{args}}") == wanted


def test_hooks_run_what_ci_runs():
    [local] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert local["repo"] == "local"
    for hook in local["hooks"]:
        tool = " ".join(hook["entry"].split()[:3])  # `uv run mypy`, `uv run ruff`, …
        assert hook["language"] == "system"
        assert tool in CI, hook["entry"]
