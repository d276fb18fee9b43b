"""The order of batches follows from the seed alone."""

from __future__ import annotations

from itertools import islice

import numpy as np

from augsearch.simclr.randomness import batches


def test_each_epoch_shows_each_image_at_most_once_and_drops_the_rest() -> None:
    seen = list(islice(batches(10, 4, seed=1), 6))
    for epoch in (seen[:2], seen[2:4], seen[4:]):
        shown = np.concatenate(epoch)
        assert len(np.unique(shown)) == 8
        assert shown.max() < 10
    assert not np.array_equal(seen[0], seen[2])


def test_no_image_is_left_out_for_good() -> None:
    assert set(np.concatenate(list(islice(batches(10, 4, seed=1), 20)))) == set(range(10))


def test_same_seed_same_order() -> None:
    def order(seed: int) -> list[list[int]]:
        return [batch.tolist() for batch in islice(batches(50, 8, seed), 20)]

    assert order(7) == order(7)
    assert order(7) != order(8)
