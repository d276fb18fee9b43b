"""The command line and what it is given, as fixtures."""

import os

import pytest
from command_line import run_small_command, run_verb, write_files
from shared_studies import copy_study


@pytest.fixture
def cli(capsys, monkeypatch):
    """`cli("run", "--space", ...)`: the command line, as the console script enters it."""
    monkeypatch.setenv("OMP_WAIT_POLICY", os.environ.get("OMP_WAIT_POLICY", "PASSIVE"))
    return lambda *arguments: run_verb(arguments, capsys)


@pytest.fixture
def files():
    write_files()


@pytest.fixture(scope="session")
def finished_study(tmp_path_factory, shared):
    """A directory in which the study `small` has been run to its end by the command line."""
    directory = tmp_path_factory.mktemp("finished")
    copy_study(shared.made("of-the-command-line", run_small_command), directory)
    return directory
