"""What a dry run says of memory, against what the study takes, all its processes together."""

import re
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

STUDY = """
name: memory
data: {image_size: 32}
encoder: {name: small_resnet, width: 16, stages: 2, stem: stride2}
pretrain: {steps: 60, batch_size: 64}
search: {trials: 2, pruner: {kind: none}}
confirm: {top: 1, baselines: 1, seeds: 5, max_seeds: 5, steps: 60, also: []}
compute: {parallel: 2}
"""


def megabytes(process):
    """Of a process and all below it; what they share counts once."""
    found = 0
    for one in [process, *process.children(recursive=True)]:
        try:
            found += one.memory_full_info().pss
        except psutil.Error:
            continue
    return found / 1e6


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="needs Linux's count of memory")
def test_a_dry_run_says_what_a_study_takes():
    Path("study.yaml").write_text(STUDY)
    command = [sys.executable, "-m", "augsearch", "run", "--space", "factory"]
    command += ["--study", "study.yaml", "--device", "cpu"]
    told = subprocess.run([*command, "--dry-run"], check=True, capture_output=True, text=True)
    said = float(re.search(r"([\d,]+) MB of memory", told.stdout + told.stderr)[1].replace(",", ""))
    peak = 0.0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as study:
        running = psutil.Process(study.pid)
        while study.poll() is None:
            try:
                peak = max(peak, megabytes(running))
            except psutil.NoSuchProcess:
                break
            time.sleep(0.2)
    assert study.returncode == 0
    assert 0.8 * peak < said < 1.25 * peak, (said, peak)
