"""What a study says beforehand about the gains that it will not see."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from simulated import FLOOR, Run, images
from small_study import small_config, small_images

from augsearch.bench.bench import Bench
from augsearch.search.confirm.confirmation import race_plan
from augsearch.search.confirm.power import (
    IMAGES_SD,
    REST_SD,
    SEEDS_SD,
    power_sentences,
    smallest_gain,
)
from augsearch.search.confirm.race import RacePlan, run_race
from augsearch.stats.scored_images import ScoredImages

PLAN = RacePlan(top=2, baselines=2, seeds=5, max_seeds=15, runs=26)


def runs_in(table, wanted):
    return {(name, seed): table[name][seed - 1] for name, seed in wanted}


@pytest.mark.long
@pytest.mark.parametrize("plan", [PLAN, RacePlan(1, 1, 5, 9, 100)])
def test_that_gain_is_found_in_four_of_five_confirmations(plan):
    sample, tries = images(220, by_class=False), 300
    gain = smallest_gain(sample, plan)
    names = [FLOOR, "a", "b", "c", "d"][: 1 + plan.top + plan.baselines]
    found = 0
    for number in range(tries):
        rng = np.random.default_rng(1000 + number)
        table = {}
        for name in names:
            hits = gain * (name == "a") - (name == FLOOR) + rng.normal(0, IMAGES_SD / 2**0.5, 220)
            hits = hits + rng.normal(0, REST_SD / 2**0.5, (15, 220))
            hits += rng.normal(0, SEEDS_SD / 2**0.5, (15, 1))
            table[name] = [Run(row.mean(), sample.draws * row) for row in hits]
        race = run_race(
            names[1 : 1 + plan.top], names[1 + plan.top :], FLOOR, plan, sample,
            partial(runs_in, table),
        )  # fmt: skip
        found += "a" in race.proven
    assert found / tries == pytest.approx(0.8, abs=0.07)


@pytest.mark.slow
def test_it_shrinks_with_images_and_seeds_and_grows_with_groups_and_rivals():
    gain = smallest_gain(images(60), PLAN)
    assert smallest_gain(images(600), PLAN) < gain
    assert smallest_gain(images(60), replace(PLAN, runs=100)) < gain
    assert smallest_gain(images(60, group=10), PLAN) > gain
    uneven = ScoredImages(np.repeat([0, 1], [4, 56]), np.arange(60), 20, by_class=True)
    assert smallest_gain(uneven, PLAN) > gain  # a rare class counts as much as the other
    assert smallest_gain(images(60), replace(PLAN, baselines=4)) > gain


def test_no_gain_is_smaller_than_what_one_image_moves():
    few = small_images(images_per_class=8)
    bench = Bench.build(few, small_config(), seed=0, device=torch.device("cpu"))
    gain = float(
        power_sentences(bench, race_plan(bench.config))[0]
        .partition("less than about ")[2]
        .split()[0]
    )
    fewest = min(sum(few.labels[bench.split.test] == k) for k in range(len(few.classes)))
    assert gain >= round(100 / fewest / len(few.classes), 1)


@pytest.mark.long
def test_a_study_says_so_before_it_starts():
    config = small_config()
    bench = Bench.build(
        small_images(images_per_class=30), config, seed=0, device=torch.device("cpu")
    )
    assert smallest_gain(images(12, group=2), PLAN) > 0  # groups as few as classes
    gains, share = power_sentences(bench, race_plan(bench.config))
    assert "10 draws of 4 labels per class and 5 fresh seeds" in gains
    # 15 runs of 12 steps, against 4 trials of which half stop at 6, and 4 baselines of 12
    assert f"{100 * 180 / (180 + 36 + 48):.0f} % of all expected steps" in share
    without = config.model_copy(
        update={"confirm": config.confirm.model_copy(update={"share": 0.9})}
    )
    roomy = Bench.build(
        small_images(images_per_class=30), without, seed=0, device=torch.device("cpu")
    )
    assert len(power_sentences(roomy, race_plan(roomy.config))) == 1
