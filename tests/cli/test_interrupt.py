"""An interrupt is never lost, and never a traceback."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = """
import signal, sys, time, weakref
from augsearch.cli.app import _interrupt_again

sys.unraisablehook = _interrupt_again

class Thing: pass

def let_go(_):
    signal.raise_signal(signal.SIGINT)  # what a callback raises is ignored
    for _ in range(1000): pass

thing = Thing()
seen = weakref.ref(thing, let_go)
try:
    del thing
    time.sleep(20)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.long
def test_it_comes_once_more():
    # Where these tests were started in the background, a child would ignore it.
    handled = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    ended = subprocess.run(
        [sys.executable, "-c", handled + SCRIPT],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.stdout == "interrupted\n" and ended.stderr == ""


STUDY = """
name: tiny
data: {image_size: 16}
encoder: {width: 8, stages: 2, stem: stride2}
pretrain: {steps: 60, batch_size: 32}
evaluate: {labels_per_class: 4, draws: 10}
search: {trials: 2, pruner: {kind: none}}
confirm: {top: 1, baselines: 2, seeds: 5, steps: 60, also: []}
"""


@pytest.mark.long
@pytest.mark.parametrize("later", [0.3, 2.0])
def test_it_may_come_while_processes_start(later):
    """They import torch then, for seconds; the terminal sends it to them as well."""
    Path("tiny.yaml").write_text(STUDY)
    command = [sys.executable, "-u", "-m", "augsearch", "run", "--space", "factory"]
    said = Path("said")
    with said.open("w") as log:
        study = subprocess.Popen(
            [*command, "--study", "tiny.yaml"],
            stdout=log,
            stderr=log,
            start_new_session=True,
            # Started in the background, it would ignore the signal.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
        )
        patience = time.monotonic() + 120
        while "baselines: " not in said.read_text() and time.monotonic() < patience:
            time.sleep(0.05)
        time.sleep(later)
        os.killpg(study.pid, signal.SIGINT)
        assert study.wait(60) == 130
    time.sleep(1)  # who outlives it would still write
    assert "Traceback" not in said.read_text() and "Continue with:" in said.read_text()
