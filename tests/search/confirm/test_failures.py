"""Which sealed images a policy has wrong."""

import numpy as np
import pytest

from augsearch.bench.outcome import Outcome
from augsearch.search.confirm.failures import Judged
from augsearch.stats.scored_images import ScoredImages

DRAWS = 20
LABELS = np.array([0, 0, 2, 2])  # class 1 has no sealed image
IMAGES = ScoredImages(LABELS, np.arange(4), DRAWS, by_class=True)


def run_of(hits, mistaken=(), confused=()):
    return Outcome(
        score=0.5, draw_scores=(), full_probe=None, knn=None, class_recall={}, curve=(), losses=(),
        steps=1, images_per_second=1.0, seconds={}, peak_memory_mb=0.0,
        hits=hits, mistaken=mistaken, confused=confused,
    )  # fmt: skip


def two_seeds():
    return [
        run_of((20, 5, 20, 0), (-1, 2, -1, 0), ((0, 2, 15), (2, 0, 20))),
        run_of((20, 9, 8, 0), (-1, 1, 1, 0), ((0, 1, 11), (2, 0, 20), (2, 1, 12))),
    ]


def test_right_is_more_than_half_of_all_probes():
    judged = Judged.of("trial 1", two_seeds(), IMAGES)
    assert judged.often.tolist() == pytest.approx([1, 0.35, 0.7, 0])
    assert judged.right.tolist() == [True, False, True, False]
    assert judged.chance == 0.5  # the third image is right with one seed and wrong with the other


def test_what_it_is_mistaken_for_is_the_commonest_other_class():
    judged = Judged.of("trial 1", two_seeds(), IMAGES)
    assert judged.mistaken.tolist() == [-1, 1, 1, 0]


def test_the_matrix_is_of_classes_that_were_scored():
    judged = Judged.of("trial 1", two_seeds(), IMAGES)
    shares = judged.confused(IMAGES)
    assert shares[0].tolist() == pytest.approx([0.675, 15 / 80])  # the rest was taken for class 1
    assert shares[1].tolist() == pytest.approx([0.5, 0.35])


def test_without_what_was_mistaken_there_is_no_matrix():
    old = [run_of(run.hits) for run in two_seeds()]
    judged = Judged.of("trial 1", old, IMAGES)
    assert judged.mistaken is None and judged.confused(IMAGES) is None
    many = [run_of(run.hits, run.mistaken) for run in two_seeds()]  # too many classes for pairs
    assert Judged.of("trial 1", many, IMAGES).confused(IMAGES) is None
    right = [run_of((20,) * 4, (-1,) * 4)] * 2
    assert np.array_equal(Judged.of("trial 1", right, IMAGES).confused(IMAGES), np.eye(2))


def test_one_seed_or_another_set_of_images_says_nothing():
    assert Judged.of("trial 1", two_seeds()[:1], IMAGES) is None
    assert Judged.of("trial 1", [run_of((1, 2)), run_of((1, 2))], IMAGES) is None
