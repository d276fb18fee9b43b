"""Rows of an array, and batches of them that a thread reads ahead."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from itertools import cycle, islice

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from augsearch.data.imageset import ImageRows, normalisation
from augsearch.data.stream import batches_of

CPU = torch.device("cpu")
IMAGES = np.random.default_rng(0).integers(0, 256, (20, 3, 4, 4), dtype=np.uint8)
ROWS = np.array([7, 3, 19, 0, 11, 4])


def order() -> Iterator[NDArray[np.int64]]:
    return cycle([np.array([0, 5]), np.array([4, 1]), np.array([2, 3])])


def test_rows_are_an_array_of_their_own() -> None:
    rows, copied = ImageRows(IMAGES, ROWS), IMAGES[ROWS]
    assert rows.shape == copied.shape
    assert rows.nbytes == copied.nbytes
    assert len(rows) == 6
    np.testing.assert_array_equal(rows[1:3], copied[1:3])
    np.testing.assert_array_equal(rows[np.array([5, 0])], copied[[5, 0]])
    assert normalisation(rows) == normalisation(copied)


@pytest.mark.parametrize("images", [ImageRows(IMAGES, ROWS), torch.from_numpy(IMAGES[ROWS])])
def test_batches_come_in_their_order(images: ImageRows | torch.Tensor) -> None:
    for batch, chosen in zip(islice(batches_of(images, order(), CPU), 7), order(), strict=False):
        np.testing.assert_array_equal(batch.numpy(), IMAGES[ROWS[chosen]])


def test_one_batch_is_read_ahead_and_none_before_the_first_is_wanted() -> None:
    asked: list[NDArray[np.int64]] = []

    def watched() -> Iterator[NDArray[np.int64]]:
        for chosen in order():
            asked.append(chosen)
            yield chosen

    batches = batches_of(ImageRows(IMAGES, ROWS), watched(), CPU)
    assert not asked
    next(batches)
    assert len(asked) == 2
    next(batches)
    assert len(asked) == 3


def test_the_thread_ends_with_its_batches() -> None:
    before = set(threading.enumerate())
    batches = batches_of(ImageRows(IMAGES, ROWS), order(), CPU)
    next(batches)
    (reader,) = set(threading.enumerate()) - before
    del batches
    gc.collect()
    reader.join(timeout=300)
    assert not reader.is_alive()
