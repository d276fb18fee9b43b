"""The self-test: every line real, and a line that fails where something is wrong."""

import pytest
from typer.testing import CliRunner

from augsearch.cli.app import app
from augsearch.errors import ConfigError
from augsearch.search.selftest import selftest
from augsearch.search.selftest.selftest import parse_seed, run_selftest


@pytest.mark.slow
def test_every_check_passes_within_three_minutes(capsys):
    result = CliRunner().invoke(app, ["selftest", "--seed", "7"])
    print(result.output)
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert [line.split()[0] for line in lines] == ["ok"] * 8 + ["all"]


@pytest.mark.long
def test_a_short_version_repeats_its_score_and_says_what_it_saw():
    checks = {c.name: c for c in run_selftest(labels=("orientation",), seeds=1, steps=60)}
    assert list(checks)[:4] == ["installation", "draws", "embedded images", "executors agree"]
    assert all(checks[name].passed for name in list(checks)[:4])
    assert checks["same seed, same score"].passed
    assert "rotation hurts: -" in checks["planted orientation"].seen


def test_other_bits_fail_their_line_and_the_command(monkeypatch):
    monkeypatch.setattr(selftest, "DRAWS", "f" * 32)
    monkeypatch.setattr(selftest, "_training", lambda *_: iter(()))
    result = CliRunner().invoke(app, ["selftest"])
    assert result.exit_code == 1
    failed = [line for line in result.output.splitlines() if line.startswith("FAILED")]
    assert len(failed) == 1
    assert "draws" in failed[0]


def test_executors_that_disagree_fail_their_line(monkeypatch):
    monkeypatch.setattr(selftest, "LEVELS", 0.0)
    passed, seen = selftest._executors()
    assert not passed
    assert "of 255 levels" in seen


def test_seeds_are_numbers_or_today():
    assert parse_seed("12") == 12
    assert parse_seed("today") > 700_000
    with pytest.raises(ConfigError, match=r"tomorrow.*whole number"):
        parse_seed("tomorrow")
