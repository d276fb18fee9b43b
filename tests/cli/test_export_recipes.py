"""The recipes of docs/exports.md run as they stand there, each in its library."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from export_libraries import LIBRARIES
from PIL import Image

from augsearch.augment.baselines import simclr
from augsearch.augment.export.targets import ENDINGS
from augsearch.space.policy import Policy

PAGE = Path(__file__).resolve().parents[2] / "docs" / "exports.md"
RECIPE = re.compile(
    r"^## (?P<title>[^\n]*)$(?:(?!^## ).)*?^```\nuv run augsearch (?P<command>.*?)\n```\n\n"
    r"^```python\n(?P<code>.*?)^```",
    re.M | re.S,
)
RECIPES = {match["title"]: match for match in RECIPE.finditer(PAGE.read_text())}
IMAGES, EPOCHS = 8, 2
LIBRARY_OF = {library: library for library in LIBRARIES} | {"json": "torchvision"}
TARGET_OF = {library: library for library in LIBRARY_OF} | {"albumentationsx": "albumentations"}
AROUND = """
import sys
sys.modules["augsearch"] = None
sys.path.insert(0, ".")
def train_step(view1, view2):
    assert view1.shape == view2.shape and view1.shape[1:] == (3, 32, 32), view1.shape
    with open("report.txt", "a") as file:
        for view in (*view1, *view2):
            file.write(f"{view.mean().item()!r}\\n")
"""


def test_there_is_a_recipe_for_every_target():
    assert set(RECIPES) == set(ENDINGS)


@pytest.mark.long
@pytest.mark.parametrize("library", LIBRARY_OF)
def test_recipes_run_in_their_library(library, cli, tmp_path, monkeypatch):
    python = LIBRARIES[LIBRARY_OF[library]].python()
    monkeypatch.chdir(tmp_path)
    found = {"image_size": 32, "fit": "crop", "mean": [0.5] * 3, "std": [0.2] * 3}
    policy = Policy.model_validate({**simclr(1).model_dump(exclude_none=True), "found_on": found})
    Path("policy.yaml").write_text(policy.to_yaml())
    rng = np.random.default_rng(0)
    Path("images/all").mkdir(parents=True)
    for number in range(IMAGES):
        pixels = rng.integers(0, 256, (48, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(f"images/all/{number}.png")
    recipe = RECIPES[TARGET_OF[library]]
    assert cli(*recipe["command"].split()).code == 0
    Path("recipe.py").write_text(AROUND + recipe["code"])
    done = subprocess.run(
        [python, "recipe.py"],
        env={**os.environ, "OMP_NUM_THREADS": "1", "NO_ALBUMENTATIONS_UPDATE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    if library == "json":
        assert "view 2: horizontal_flip, p 0.5\n" in done.stdout
        assert "standard deviation uniform 0.0 0.285" in done.stdout  # 2 of 224 pixels, at 32
    elif library == "lightly-train":
        weights = torch.load("out/exported_models/exported_last.pt", weights_only=True)
        assert all(tensor.isfinite().all() for tensor in weights.values())
    else:
        numbers = Path("report.txt").read_text().split()
        assert len(set(numbers)) == len(numbers) == 2 * IMAGES * EPOCHS
