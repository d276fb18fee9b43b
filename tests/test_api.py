"""The public names are there, documented, and cheap to list."""

import subprocess
import sys

import augsearch


def test_every_public_name_resolves_and_is_documented():
    for name in augsearch.__all__:
        assert getattr(augsearch, name).__doc__, name


def test_importing_the_package_imports_nothing_heavy():
    program = "import sys, augsearch; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert not {b"torch", b"mlflow", b"optuna"} & set(run.stdout.split())


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(augsearch, "nothing_like_this")
