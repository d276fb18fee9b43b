"""Pictures on a disk, which a pretraining reads."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pretraining.full_runs import full_config
from shared_studies import copy_study
from small_study import small_images

from augsearch.verbs.run import run_study

SPACE = """
schema_version: 1
name: tiny
ops: [{op: resized_crop, scale_min: {low: 0.1, high: 1.0}}]
"""


@pytest.fixture
def studied(shared, own_directories):
    """A folder of pictures, and here their finished study `line`, of which a run made one."""

    def make():
        Path("space.yaml").write_text(SPACE)
        run_study(
            "space.yaml",
            data=written(Path("pictures").resolve()),
            study=full_config(steps=6, patience=2),
            name="line",
            device="cpu",
        )

    copy_study(shared.made("line of pictures", make), Path.cwd())
    return Path("pictures").resolve()


@pytest.fixture
def folder(tmp_path):
    """A folder of 72 pictures in six classes."""
    return written(tmp_path / "pictures")


def written(root):
    """The pictures below `root`, which is given back."""
    images = small_images()
    for number, (pixels, label) in enumerate(zip(images.images, images.labels, strict=True)):
        path = root / images.classes[label] / f"{number:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.moveaxis(pixels, 0, -1)).save(path)
    return root
