"""The public names are there, documented, and cheap to list."""

import subprocess
import sys

import augsearch


def test_every_public_name_resolves_and_is_documented():
    for name in augsearch.__all__:
        assert getattr(augsearch, name).__doc__, name


def test_importing_the_package_imports_nothing_heavy():
    program = "import sys, augsearch; print(sorted({'torch','mlflow','optuna'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(augsearch, "nothing_like_this")
