"""Pictures on a disk, which a pretraining reads."""

import numpy as np
import pytest
from PIL import Image
from small_study import small_images


@pytest.fixture
def folder(tmp_path):
    """A folder of 72 pictures in three classes."""
    images = small_images()
    root = tmp_path / "pictures"
    for number, (pixels, label) in enumerate(zip(images.images, images.labels, strict=True)):
        path = root / images.classes[label] / f"{number:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.moveaxis(pixels, 0, -1)).save(path)
    return root
