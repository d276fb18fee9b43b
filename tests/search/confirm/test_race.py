"""The race: who gets more seeds, what several looks cost, and how it resumes."""

import numpy as np
import pytest
from simulated import FLOOR, Run, hit_runs, images, race_of

from augsearch.search.confirm.race import ALPHA, RacePlan, run_race
from augsearch.simclr.config import PretrainConfig
from augsearch.study_file import StudyConfig
from augsearch.study_sections import ConfirmConfig, SearchConfig, SuccessiveHalvingConfig

PLAN = RacePlan(top=2, baselines=2, seeds=5, max_seeds=15, runs=1000)


def noisy(rng, mean, spread=0.02, seeds=15):
    return list(rng.normal(mean, spread, seeds))


def scores(rng, first, second, a=0.7, b=0.65, spread=0.02):
    return {
        "candidates": {
            "first": noisy(rng, first, spread),
            "second": noisy(rng, second, spread),
        },
        "baselines": {"a": noisy(rng, a, spread), "b": noisy(rng, b, spread)},
        "floor": {FLOOR: noisy(rng, 0.3, spread)},
    }


def test_a_clear_winner_is_found_at_the_first_look():
    race = race_of(scores(np.random.default_rng(0), 0.9, 0.6), PLAN)
    assert race.proven == ("first",)
    assert [look.seeds for look in race.looks] == [5]
    assert race.looks[0].alpha == pytest.approx(ALPHA / 3)


def test_who_is_clearly_behind_gets_no_more_seeds_and_who_is_in_question_does():
    race = race_of(scores(np.random.default_rng(1), 0.705, 0.5, b=0.4), PLAN)
    seeds = {name: len(runs) for name, runs in race.readings.items()}
    assert seeds["second"] == 5
    assert seeds["b"] == 5  # beaten by the one that is left
    assert seeds["first"] == seeds["a"] == seeds[FLOOR] == 15
    assert [look.seeds for look in race.looks] == [5, 8, 12, 15]
    assert sum(look.alpha for look in race.looks) == pytest.approx(ALPHA)


def test_candidates_that_equal_a_baseline_stop_the_race():
    rng = np.random.default_rng(2)
    table = scores(rng, 0.7, 0.7, spread=0.002)
    race = race_of(table, PLAN)
    assert not race.proven
    assert race.looks[-1].seeds < 15
    assert any(gap.hopeless for gap in race.gaps.values())


@pytest.mark.parametrize(("runs", "stages"), [(0, [5]), (20, [5]), (26, [5, 6]), (32, [5, 8])])
def test_the_share_of_compute_is_kept_and_the_last_look_spends_what_is_left(runs, stages):
    plan = RacePlan(2, 2, 5, 15, runs)
    race = race_of(scores(np.random.default_rng(3), 0.702, 0.702, b=0.7), plan)
    assert [look.seeds for look in race.looks] == stages
    used = sum(len(some) for name, some in race.readings.items() if name != FLOOR)
    assert used <= max(runs, 20)
    assert sum(look.alpha for look in race.looks) == pytest.approx(ALPHA)


def test_a_diverging_policy_makes_room_for_the_next_best_and_is_not_asked_again():
    table = scores(np.random.default_rng(4), 0.7, 0.7, b=0.7)
    runs = {name: [Run(s) for s in row] for kind in table.values() for name, row in kind.items()}
    runs["third"], runs["c"] = runs["second"], runs["b"]
    asked = []

    def fetch(wanted):
        asked.extend(wanted)
        bad = [("first", 3), ("b", 7)]
        return {key: None if key in bad else runs[key[0]][key[1] - 1] for key in wanted}

    names = (["first", "second", "third"], ["a", "b", "c"])
    race = run_race(*names, FLOOR, PLAN, None, fetch)
    assert race.candidates == ("second", "third")
    assert race.baselines == ("a", "c")
    assert max(seed for name, seed in asked if name == "first") == 5
    assert max(seed for name, seed in asked if name == "b") <= 8
    again = run_race(*names, FLOOR, PLAN, None, fetch)
    assert again.gaps == race.gaps


def test_nobody_left_is_no_race():
    def fetch(wanted):
        return {key: None if key[0] == "only" else Run(0.5 + key[1] / 100) for key in wanted}

    assert run_race(["only"], ["a"], FLOOR, PLAN, None, fetch) is None


def test_a_race_asks_for_each_run_once_and_for_the_same_ones_again():
    table = scores(np.random.default_rng(1), 0.705, 0.7)
    first, second = [], []
    race_of(table, PLAN, asked=first)
    race_of(table, PLAN, asked=second)
    flat = [key for stage in first for key in stage]
    assert first == second
    assert len(flat) == len(set(flat))


def falsely_better(plan, tries, seed, sample=None, equal=True):
    """Share of races in which one of two candidates, equal to both baselines, is "better"."""
    rng = np.random.default_rng(seed)
    count = 0
    for _ in range(tries):
        common = rng.normal(0, 0.03, 15)
        table = {
            "candidates": {n: 0.7 + common + rng.normal(0, 0.02, 15) for n in "wx"},
            "baselines": {n: 0.7 + common + rng.normal(0, 0.02, 15) for n in "yz"},
            "floor": {FLOOR: np.full(15, 0.3)},
        }
        if not equal:  # one baseline is so weak that only the other matters
            table["baselines"]["z"] = table["baselines"]["z"] - 0.2
        count += bool(race_of(table, plan, sample).proven)
    return count / tries


@pytest.mark.parametrize("equal", [True, False])
@pytest.mark.parametrize("runs", [0, 40, 1000])
def test_several_looks_do_not_make_equal_policies_better_more_often(runs, equal):
    plan = RacePlan(2, 2, 5, 15, runs)
    # 2.5 % are allowed, and 600 tries of that give up to 24 at three standard deviations.
    assert falsely_better(plan, 600, seed=runs, equal=equal) <= 0.04


def test_a_gain_on_these_images_alone_is_not_called_better():
    """Equal in truth, but each policy suits other images. Over seeds alone they look different."""
    rng = np.random.default_rng(5)
    sample = images(100)
    plan = RacePlan(1, 1, 5, 15, 1000)
    with_images = without = 0
    for _ in range(150):
        odds = {name: rng.uniform(0.2, 0.9, 100) for name in ("c", "a")}
        table = {name: hit_runs(rng.binomial(20, p, (15, 100)), sample) for name, p in odds.items()}
        scores = {
            "candidates": {"c": table["c"]},
            "baselines": {"a": table["a"]},
            "floor": {FLOOR: hit_runs(rng.binomial(20, 0.1, (15, 100)), sample)},
        }
        with_images += bool(race_of(scores, plan, sample).proven)
        without += bool(race_of(scores, plan).proven)
    assert with_images <= 10  # 2.5 % of 150 are 4
    assert without > 40


def test_the_share_is_of_expected_steps():
    config = StudyConfig(
        search=SearchConfig(trials=24, pruner=SuccessiveHalvingConfig(first_rung=100)),
        pretrain=PretrainConfig(steps=400),
        confirm=ConfirmConfig(steps=450),
    )
    assert config.rungs == (100, 200)  # half of the trials are expected to end at either
    assert config.search_steps == 24 * (100 + 100 // 2 + 200 // 4) + 4 * 400
    whole = config.search_steps + config.confirm_runs * config.confirm.steps
    assert config.confirm_runs * config.confirm.steps <= config.confirm.share * whole
    assert (config.confirm_runs + 1) * config.confirm.steps > config.confirm.share * (
        whole + config.confirm.steps
    )


@pytest.mark.parametrize("values", [{"seeds": 4}, {"seeds": 8, "max_seeds": 6}, {"share": 1.0}])
def test_impossible_confirmations_are_refused(values):
    with pytest.raises(ValueError, match=r"seeds|share"):
        ConfirmConfig(**values)
