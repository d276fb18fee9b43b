"""Which sealed images a policy has wrong."""

import numpy as np
import pytest

from augsearch.bench.outcome import Outcome
from augsearch.search.confirm.failures import Judged
from augsearch.stats.scored_images import ScoredImages

DRAWS = 20
LABELS = np.array([0, 0, 2, 2])  # class 1 has no sealed image
IMAGES = ScoredImages(LABELS, np.arange(4), DRAWS, by_class=True)


def run_of(hits, mistakes=None):
    return Outcome(
        score=0.5, draw_scores=(), full_probe=None, knn=None, class_recall={}, curve=(), losses=(),
        steps=1, images_per_second=1.0, seconds={}, peak_memory_mb=0.0,
        hits=hits, mistakes=mistakes,
    )  # fmt: skip


def two_seeds():
    return [
        run_of((20, 5, 20, 0), ((1, 2, 15), (3, 0, 20))),
        run_of((20, 9, 8, 0), ((1, 1, 11), (2, 1, 12), (3, 0, 19), (3, 1, 1))),
    ]


def test_right_is_more_than_half_of_all_probes():
    judged = Judged.of("trial 1", two_seeds(), IMAGES)
    assert judged.often.tolist() == pytest.approx([1, 0.35, 0.7, 0])
    assert judged.right.tolist() == [True, False, True, False]


def test_half_is_not_more_than_half():
    """As a mean of floats it would be, by the last digit."""
    seeds = [run_of((hits, 20, 20, 20)) for hits in (13, 9, 11, 8, 9)]
    judged = Judged.of("trial 1", seeds, IMAGES)
    assert judged.often[0] == 0.5 and not judged.right[0]


def test_what_it_is_mistaken_for_is_the_commonest_other_class_over_all_seeds():
    judged = Judged.of("trial 1", two_seeds(), IMAGES)
    assert judged.mistaken.tolist() == [-1, 2, 1, 0]  # 15 times class 2, 11 times class 1
    seeds = [run_of((19, 20, 20, 20), ((0, 1, 1),))] * 2
    seeds.append(run_of((15, 20, 20, 20), ((0, 2, 5),)))
    assert Judged.of("trial 1", seeds, IMAGES).mistaken[0] == 2


def test_the_matrix_is_of_classes_that_were_scored():
    judged = Judged.of("trial 1", two_seeds(), IMAGES)
    shares = judged.confused(IMAGES)
    assert shares[0].tolist() == pytest.approx([0.675, 15 / 80])  # the rest was taken for class 1
    assert shares[1].tolist() == pytest.approx([39 / 80, 0.35])


def test_without_what_was_mistaken_there_is_no_matrix():
    old = [run_of(run.hits) for run in two_seeds()]
    judged = Judged.of("trial 1", old, IMAGES)
    assert judged.mistaken is None and judged.confused(IMAGES) is None
    right = [run_of((20,) * 4, ())] * 2
    assert np.array_equal(Judged.of("trial 1", right, IMAGES).confused(IMAGES), np.eye(2))


def test_one_seed_or_another_set_of_images_says_nothing():
    assert Judged.of("trial 1", two_seeds()[:1], IMAGES) is None
    assert Judged.of("trial 1", [run_of((1, 2)), run_of((1, 2))], IMAGES) is None


def test_as_many_change_by_chance_as_between_two_equal_policies():
    """Halves of five seeds have three and two, and differ by more than two policies of five."""
    rng = np.random.default_rng(0)
    count, seeds = 4000, 5
    images = ScoredImages(np.arange(count) % 2, np.arange(count), DRAWS, by_class=True)
    skill = rng.uniform(0.2, 0.8, count)

    def policy():
        drift = rng.normal(0, 0.15, (seeds, count))
        hits = rng.binomial(DRAWS, np.clip(skill + drift, 0, 1))
        return Judged.of("equal", [run_of(tuple(row)) for row in hits.tolist()], images)

    one, other = policy(), policy()
    changed = (one.right != other.right).sum() / 2
    assert (one.chance + other.chance) / 2 == pytest.approx(changed, rel=0.12)
