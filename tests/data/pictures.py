"""Small random pictures on disk, and how tests of `load_images` read them."""

from pathlib import Path

import numpy as np
from PIL import Image

from augsearch.data.config import DataConfig

CONFIG = DataConfig(image_size=8)


def picture(path: Path, seed: int, *, colour: bool = False) -> Path:
    shape = (8, 8, 3) if colour else (8, 8)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path
