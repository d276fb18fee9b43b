"""The main job needs no network: it runs in a network namespace that has only loopback."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[1] / "shared"
ISOLATE = ["unshare", "--map-root-user", "--net"]


def isolation_works() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*ISOLATE, "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.long
@pytest.mark.skipif(not isolation_works(), reason="unshare cannot make a network namespace here")
def test_the_main_job_runs_without_a_network(tmp_path):
    program = (
        f"import sys; sys.path.insert(0, {str(SHARED)!r})\n"
        "import socket\n"
        "try:\n"
        "    socket.create_connection(('192.0.2.1', 80), timeout=1)\n"
        "    raise SystemExit('this is not isolated')\n"
        "except OSError: pass\n"
        "from small_study import *\n"
        "from augsearch.verbs.run import run_study\n"
        "run_study(small_space(), data=small_images(), study=small_config(), trials=1, name='n')\n"
    )
    run = subprocess.run(
        [*ISOLATE, sys.executable, "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert (tmp_path / "runs/n/policy.yaml").exists()
