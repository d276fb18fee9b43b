"""What is said before hours are spent."""

from dataclasses import replace

import numpy as np
import pytest
from small_study import small_images

from augsearch.data.advice import classes_in_words, levels_warning, pool_warnings


def test_pictures_of_few_grey_levels_are_pointed_out():
    images = small_images()
    assert levels_warning(images) is None
    dark = replace(images, images=np.asarray(images.images) // 32)
    assert "100% of the pictures hold fewer than 16 grey levels" in levels_warning(dark)


@pytest.mark.parametrize(
    ("pool", "batch", "steps", "words"),
    [
        (100, 32, 50, []),
        (100, 128, 50, ["pretrain.batch_size 128 is larger than the 100 images to train on"]),
        (100, 8, 4, ["pretrain.steps 4 of 8 images see 32 of the 100 images", "13 steps"]),
    ],
)
def test_a_batch_or_a_training_that_does_not_fit_the_pool(pool, batch, steps, words):
    said = " ".join(pool_warnings(pool, batch, steps))
    assert bool(said) == bool(words)
    assert all(word in said for word in words)


def test_classes_are_named_with_their_numbers():
    images = small_images()
    labels = images.labels.copy()
    labels[0] = -1
    text = classes_in_words(replace(images, labels=labels), np.arange(7))
    assert text.startswith(f"classes: {images.classes[0]} 11, {images.classes[1]} 12")
    assert text.endswith("without a label: 1; sealed test: 7 images, drawn")
    many = replace(images, classes=tuple(f"c{k:02d}" for k in range(40)), labels=labels % 40)
    text = classes_in_words(many, np.arange(7))
    assert "c29" in text and "c30" not in text
    assert "(40 in all)" in text


def test_tiles_are_counted_as_the_pictures_that_they_are_of():
    images = small_images()
    cut = replace(images, pictures=np.arange(len(images)) // 3, labels=images.labels * 0)
    text = classes_in_words(cut, np.arange(6))
    assert f"{images.classes[0]} {len(images) // 3}," in text
    assert text.endswith(f"sealed test: 2 images, drawn, cut into {len(images)} tiles")
