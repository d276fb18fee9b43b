"""The warning about erased structures comes for thin lines, not for noise, light or large areas."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from augsearch.data.config import DataConfig
from augsearch.data.detail import detail_warning, lost_detail
from augsearch.data.listing.sources import find_images


def surface(seed: int, *, noise: float, line: int = 0, disc: int = 0) -> NDArray[np.uint8]:
    """256 x 256 pixels under uneven light, with a dark line or disc of this many pixels."""
    rng = np.random.default_rng(seed)
    drawn = Image.new("L", (256, 256), 128)
    pen = ImageDraw.Draw(drawn)
    if line:
        pen.line([(30, rng.uniform(40, 220)), (226, rng.uniform(40, 220))], fill=60, width=line)
    if disc:
        x, y = rng.uniform(90, 160, 2)
        pen.ellipse([x - disc / 2, y - disc / 2, x + disc / 2, y + disc / 2], fill=60)
    light = 40 * np.sin(3 * np.arange(256) / 256)
    pixels = np.asarray(drawn) + light + rng.normal(0, noise, (256, 256))
    return pixels.round().clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("noise", [0, 3, 8])
def test_only_lines_thinner_than_a_reduced_pixel_are_lost(noise: float) -> None:
    def lost(size: int, **shape: int) -> float:
        return float(
            np.mean([lost_detail(surface(s, noise=noise, **shape), size) for s in range(4)])
        )

    assert lost(32) == 0
    assert lost(32, disc=100) < 0.1
    assert lost(32, line=12) < 0.1
    assert lost(32, line=2) > 0.8
    assert lost(128, line=2) < 0.1
    assert lost(256, line=1) == 0


def test_fine_texture_is_lost_and_coarse_texture_is_not() -> None:
    rng = np.random.default_rng(0)
    for grain, low, high in ((2, 0.8, 1.0), (16, 0.0, 0.1)):
        cells = rng.integers(60, 200, (256 // grain, 256 // grain), dtype=np.uint8)
        texture = np.asarray(Image.fromarray(cells).resize((256, 256), Image.Resampling.BICUBIC))
        assert low <= lost_detail(texture, 32) <= high


def test_warning_offers_a_size_that_would_do(tmp_path: Path) -> None:
    for seed in range(10):
        (tmp_path / "ok").mkdir(exist_ok=True)
        picture = surface(seed, noise=2, line=2 if seed < 3 else 0)
        Image.fromarray(picture).save(tmp_path / "ok" / f"{seed}.png")
    (tmp_path / "ok" / "broken.png").write_bytes(b"")
    paths = [record.path for record in find_images(tmp_path)]
    warning = detail_warning(tmp_path, paths, DataConfig(image_size=32))
    assert warning is not None
    assert "about 30% of the pictures (typically 256 x 256 pixels)" in warning
    assert "image_size: 64 would keep them; or fit: tile" in warning
    assert detail_warning(tmp_path, paths, DataConfig(image_size=64)) is None
    assert detail_warning(tmp_path, paths, DataConfig(image_size=32, fit="tile")) is None


def test_a_size_above_that_of_the_pictures_is_said(tmp_path: Path) -> None:
    for number in range(3):
        Image.fromarray(surface(number, noise=3)).save(tmp_path / f"{number}.png")
    paths = [record.path for record in find_images(tmp_path)]
    for fit in ("crop", "squash", "tile"):
        warning = detail_warning(tmp_path, paths, DataConfig(image_size=320, fit=fit))
        assert "image_size: 320 is above that of the pictures themselves" in (warning or "")
        assert "typically 256 x 256 pixels" in (warning or "")
    assert detail_warning(tmp_path, paths, DataConfig(image_size=256)) is None
