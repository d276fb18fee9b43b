"""Simulated confirmations of equal policies: what the product says falsely, in a small version of
`benchmarks/claims/verdict.py --simulated`."""

import pytest

from benchmarks.claims.confirmations import World, grouped, replays, single

COUNT = 120


@pytest.mark.parametrize(
    "world",
    [
        World(single(5, 195), 0.20),
        World(single(20, 20, 20), 0.12, tail="t3"),
        World(grouped(5, 30), 0.12),
        World(single(30, 30, 30), 0.12, baselines=4),
        World(single(40, 40), 0.0, label_sd=0.03, by_image=False),
    ],
    ids=["small class", "heavy tails", "groups", "four baselines", "label draws"],
)
def test_little_is_said_falsely_of_equal_policies(world):
    errors = list(replays(world, COUNT))
    # 2.5 % of 120 are 3, of classes 6; 10 and 15 come once in a thousand times.
    assert sum(e.code == "better" for e in errors) <= 10
    assert sum(e.code == "worse" for e in errors) <= 10
    assert sum(e.barred for e in errors) <= 10
    assert sum(e.flagged for e in errors) <= 15


def test_labels_that_all_seeds_share_make_equal_policies_differ():
    """What was wrong: a seed more tells nothing of other labels."""
    world = World(single(40, 40), 0.0, label_sd=0.03, shared_labels=True, by_image=False)
    errors = list(replays(world, COUNT))
    assert sum(e.code in ("better", "worse") for e in errors) > 15


def test_a_gain_of_ten_points_is_found():
    errors = list(replays(World(single(60, 60, 60), 0.12, lead=0.10), 40))
    assert sum(e.code == "better" for e in errors) >= 30
