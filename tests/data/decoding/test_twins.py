"""Twins by their pixels, near twins by their thumbnails."""

import numpy as np

from augsearch.data.decoding import twins
from augsearch.data.decoding.twins import joined_groups, near_twins, same_pixels

RNG = np.random.default_rng(0)
LOOKS = RNG.uniform(50, 150, (6, 16, 16)).astype(np.float32)


def test_another_exposure_is_a_near_twin_and_another_picture_is_none():
    looks = np.concatenate([LOOKS, 1.4 * LOOKS[2:3] + 9, LOOKS[4:5] + RNG.normal(size=(16, 16))])
    assert near_twins(looks.astype(np.float32)).tolist() == [0, 1, 2, 3, 4, 5, 2, 4]


def test_twins_of_twins_are_linked_across_blocks(monkeypatch):
    monkeypatch.setattr(twins, "BLOCK", 2)
    drift = np.stack([LOOKS[0] + 3.0 * k * (LOOKS[1] - 100) / 30 for k in range(6)])
    apart = near_twins(drift[[0, 5]].astype(np.float32))
    assert apart.tolist() == [0, 1]
    assert near_twins(drift.astype(np.float32)).tolist() == [0] * 6


def test_flat_pictures_are_no_near_twins_unless_equal():
    flat = np.full((3, 16, 16), 80, np.float32)
    flat[1] += 1e-3 * RNG.normal(size=(16, 16))
    assert near_twins(flat).tolist() == [0, 1, 0]


def test_many_pictures_are_linked_by_equal_thumbnails_only(monkeypatch):
    monkeypatch.setattr(twins, "MOST", 2)
    looks = np.concatenate([LOOKS[:2], 1.4 * LOOKS[:1], LOOKS[:1]])
    assert near_twins(looks).tolist() == [0, 1, 2, 0]


def test_only_linked_pictures_are_read_and_every_pixel_counts():
    pictures = [np.zeros((2, 2), np.uint8) for _ in range(5)]
    pictures[2][0, 0] = 1
    asked = []

    def read(index):
        asked.append(index)
        return None if index == 4 else pictures[index]

    found = same_pixels(
        np.array([0, 1, 0, 0, 0]), read, lambda digest, rows: [digest(row) for row in rows]
    )
    assert asked == [0, 2, 3, 4]
    assert found.tolist() == [0, 1, 2, 0, 4]


def test_numbers_of_the_same_kind_are_compared_whatever_their_width():
    pictures = [np.full((2, 2), 7, kind) for kind in (np.uint16, np.int32, np.float32)]
    found = same_pixels(
        np.zeros(3, np.int64), pictures.__getitem__, lambda f, rows: [*map(f, rows)]
    )
    assert found.tolist() == [0, 0, 2]


def test_groups_that_share_a_twin_become_one():
    groups, same = np.array([0, 0, 2, 3, 3, 5]), np.array([0, 1, 1, 3, 4, 4])
    assert joined_groups(groups, same).tolist() == [0, 0, 0, 3, 3, 3]
