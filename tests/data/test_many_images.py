"""A hundred thousand images."""

import os
import resource
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="kilobytes are Linux's unit of ru_maxrss")
def test_a_dry_run_of_a_hundred_thousand_images_takes_two_gigabytes(tmp_path):
    rng = np.random.default_rng(0)
    for number in range(100_000):
        folder = tmp_path / "images" / f"class{number % 10}"
        folder.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((48, 48)).save(folder / f"{number}.jpg")
    subprocess.run(
        [
            *(sys.executable, "-m", "augsearch", "run", "--space", "natural", "--study", "quick"),
            *("--data", str(tmp_path / "images"), "--dry-run"),
        ],
        check=True,
        cwd=tmp_path,
        env={**os.environ, "AUGSEARCH_CACHE": str(tmp_path / "cache")},
    )
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert most < 2 * 2**20, f"{most / 2**20:.2f} GiB"
