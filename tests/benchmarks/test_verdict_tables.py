"""The product's own race and verdict on real confirmation runs that are kept in a table."""

import pytest

from augsearch.search.confirm.race import RacePlan
from benchmarks.claims.replayed import RACES, replayed
from benchmarks.claims.stored_runs import read

REPLAYS = 150


@pytest.mark.parametrize("name", ["surfaces", "shuffled"])
def test_equal_policies_are_rarely_called_better(name):
    plan = RacePlan(top=2, baselines=1, seeds=5, max_seeds=15, runs=RACES["up to 15 seeds"])
    found = replayed(read(name), plan, REPLAYS)
    assert found["mean_looks"] > 1
    assert found["better"] <= 10  # 2.5 % are 4; more than 10 come once in 500 times


def test_a_gain_of_5_points_is_found():
    plan = RacePlan(top=2, baselines=2, seeds=5, max_seeds=15, runs=RACES["8 runs more"])
    found = replayed(read("surfaces"), plan, REPLAYS, gain=True)
    assert found["low"] >= 0.75
