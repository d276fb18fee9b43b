"""What a study says beforehand about the gains that it will not see."""

import numpy as np
import pytest
import torch
from simulated import images
from small_study import small_config, small_images

from augsearch.search.bench import Bench
from augsearch.search.crossed import _estimate
from augsearch.search.power import IMAGES_SD, REST_SD, SEEDS_SD, power_sentences, smallest_gain
from augsearch.search.race import ALPHA


def test_that_gain_is_found_in_four_of_five_confirmations():
    sample, seeds, tries = images(220), 6, 1500
    gain = smallest_gain(sample, seeds, candidates=2)
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(tries):
        values = gain + rng.normal(0, IMAGES_SD, 220) + rng.normal(0, REST_SD, (seeds, 220))
        values += rng.normal(0, SEEDS_SD, (seeds, 1))
        found += _estimate(values.mean(axis=1), values, sample).p_value <= ALPHA / 2
    assert found / tries == pytest.approx(0.8, abs=0.06)


def test_it_shrinks_with_images_and_seeds_and_grows_with_groups():
    gain = smallest_gain(images(200), 5, 2)
    assert smallest_gain(images(1000), 5, 2) < gain
    assert smallest_gain(images(200), 10, 2) < gain
    assert smallest_gain(images(200, group=10), 5, 2) > gain


def test_no_gain_is_smaller_than_what_one_image_moves():
    few = small_images(images_per_class=8)
    bench = Bench.build(few, small_config(), seed=0, device=torch.device("cpu"))
    gain = float(power_sentences(bench)[0].partition("gains below about ")[2].split()[0])
    fewest = min(sum(few.labels[bench.split.test] == k) for k in range(len(few.classes)))
    assert gain >= round(100 / fewest / len(few.classes), 1)


def test_a_study_says_so_before_it_starts():
    config = small_config()
    bench = Bench.build(
        small_images(images_per_class=30), config, seed=0, device=torch.device("cpu")
    )
    assert smallest_gain(images(12, group=2), 5, 2) > 0  # groups as few as classes
    gains, share = power_sentences(bench)
    assert "10 draws of 4 labels a class and 5 fresh seeds" in gains
    # 15 runs of 12 steps, against 4 trials of which half stop at 6, and 4 baselines of 12
    assert f"{100 * 180 / (180 + 36 + 48):.0f} % of all expected steps" in share
    without = config.model_copy(
        update={"confirm": config.confirm.model_copy(update={"share": 0.9})}
    )
    roomy = Bench.build(
        small_images(images_per_class=30), without, seed=0, device=torch.device("cpu")
    )
    assert len(power_sentences(roomy)) == 1
