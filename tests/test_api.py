"""The public names are there, documented, and cheap to list."""

import subprocess
import sys

import pytest

import augsearch
from augsearch.errors import ConfigError


def test_every_public_name_resolves_and_is_documented():
    for name in augsearch.__all__:
        assert getattr(augsearch, name).__doc__, name


def test_importing_the_package_imports_nothing_heavy():
    program = "import sys, augsearch; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert not {b"torch", b"mlflow", b"optuna"} & set(run.stdout.split())


@pytest.mark.long
def test_tab_completion_and_pydoc_see_the_public_names():
    program = (
        "import pydoc, augsearch\n"
        "names = dir(augsearch)\n"
        "assert set(augsearch.__all__) <= set(names)\n"
        "assert '__version__' in names and names == sorted(names)\n"
        "import rlcompleter; found = rlcompleter.Completer({'augsearch': augsearch})\n"
        "assert found.complete('augsearch.run_s', 0).startswith('augsearch.run_study')\n"
        "page = pydoc.plain(pydoc.render_doc(augsearch))\n"
        "assert 'run_study(' in page and 'class StudyResult' in page\n"
        "from augsearch import *\n"
        "assert run_study is augsearch.run_study and load_space('natural').name == 'natural'\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    ("load", "known"),
    [(augsearch.load_space, "natural"), (augsearch.load_study_config, "standard")],
)
def test_whatever_reads_a_file_takes_a_preset_by_its_name(load, known, tmp_path):
    assert load(known) == load(f"{known}.yaml")
    with pytest.raises(ConfigError, match=rf"preset '{known}'\? presets: .*{known}"):
        load(known[:-1])
    with pytest.raises(ConfigError, match=rf"no such file, .* presets: .*{known}"):
        load(tmp_path / "none.yaml")


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(augsearch, "nothing_like_this")
