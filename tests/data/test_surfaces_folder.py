"""Surfaces as files are the surfaces that were drawn, in a layout that a study reads."""

from pathlib import Path

import numpy as np
import pytest

import augsearch
from augsearch.data.config import DataConfig
from augsearch.data.embedded.surfaces import SurfaceSpec, draw_surfaces
from augsearch.errors import ConfigError, OutputError


def test_a_study_reads_what_was_drawn():
    folder = augsearch.write_surfaces("here/surfaces", images_per_class=5, image_size=24, seed=3)
    assert folder == Path("here/surfaces")
    drawn = draw_surfaces(SurfaceSpec(images_per_class=5, image_size=24, seed=3))
    read = augsearch.load_images(folder, DataConfig(image_size=24))
    assert read.classes == drawn.classes

    def known(images):
        pixels = np.asarray(images.images).reshape(len(images.images), -1)
        order = np.lexsort(pixels.T)
        return pixels[order], images.labels[order], images.groups[order]

    for one, other in zip(known(read)[:2], known(drawn)[:2], strict=True):
        assert np.array_equal(one, other)
    of_read, of_drawn = known(read)[2], known(drawn)[2]
    assert np.array_equal(of_read[:, None] == of_read, of_drawn[:, None] == of_drawn)


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="holds something already; name an empty"):
        augsearch.write_surfaces(tmp_path, images_per_class=2, image_size=16)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(OutputError, match=r"mine\.txt: cannot be written"):
        augsearch.write_surfaces(tmp_path / "mine.txt", images_per_class=2, image_size=16)
    with pytest.raises(ConfigError, match="images_per_class 0 is not in"):
        augsearch.write_surfaces(tmp_path / "new", images_per_class=0)
    assert not (tmp_path / "new").exists()
