"""The order of operations is part of the policy, and may be searched."""

from __future__ import annotations

from collections import Counter
from itertools import permutations, product

import pytest
from optuna.distributions import IntDistribution

from augsearch.errors import ConfigError
from augsearch.search.trials.sampler import distributions
from augsearch.space.space import Space, load_space

TEXT = """
ops:
  - {op: resized_crop}
  - op: any_order
    name: rest
    ops:
      - {op: grayscale, p: 0.2}
      - op: block
        ops:
          - {op: gaussian_blur, sigma: {low: 0.0, high: 0.05}}
          - {op: sharpness, amount: 1.0}
      - op: one_of
        ops: [{op: invert}, {op: solarize}]
"""


@pytest.fixture
def space(tmp_path) -> Space:
    (tmp_path / "s.yaml").write_text(TEXT)
    return load_space(tmp_path / "s.yaml")


def names(policy):
    return [op.instance for op in policy.views[0]]


def test_each_point_is_one_order_and_every_order_is_as_likely(space):
    axes = {axis.name: axis for axis in space.axes()}
    assert list(axes) == ["rest.place.block", "rest.place.one_of", "gaussian_blur.sigma"]
    found = Counter()
    for block, choice in product(range(2), range(3)):
        point = {
            "rest.place.block": block,
            "rest.place.one_of": choice,
            "gaussian_blur.sigma": 0.02,
        }
        order = names(space.policy(point))
        assert order[0] == "resized_crop"
        at = order.index("gaussian_blur")
        assert order[at + 1] == "sharpness"  # a block keeps its order
        found[tuple(name for name in order[1:] if name != "sharpness")] += 1
    assert found == Counter(permutations(["grayscale", "gaussian_blur", "one_of"]))


def test_the_place_says_how_many_come_before(space):
    point = {"rest.place.block": 0, "rest.place.one_of": 2, "gaussian_blur.sigma": 0.02}
    assert names(space.policy(point))[1:] == ["gaussian_blur", "sharpness", "grayscale", "one_of"]


def test_the_sampler_sees_whole_numbers(space):
    assert distributions(space)["rest.place.one_of"] == IntDistribution(0, 2)


def test_the_order_is_logged_and_part_of_the_digest(space):
    here, there = (
        space.policy({"rest.place.block": b, "rest.place.one_of": 0, "gaussian_blur.sigma": 0.02})
        for b in (0, 1)
    )
    assert here.digest != there.digest
    assert here.flatten()["view1.order"].startswith("resized_crop > one_of > gaussian_blur")


def test_on_grey_images_an_order_of_one_is_none(tmp_path):
    (tmp_path / "s.yaml").write_text(
        "ops: [{op: any_order, ops: [{op: grayscale}, {op: gamma, gamma: {low: 1.0, high: 2.0}}]}]"
    )
    grey = load_space(tmp_path / "s.yaml").for_channels(1)
    assert [axis.name for axis in grey.axes()] == ["gamma.gamma"]
    assert names(grey.policy({"gamma.gamma": 1.5})) == ["gamma"]


@pytest.mark.parametrize(
    ("ops", "words"),
    [
        ("[{op: any_order, ops: [{op: invert}]}]", "at least 2"),
        ("[{op: any_order, p: 0.5, ops: [{op: invert}, {op: gamma}]}]", "unknown key 'p'"),
        ("[{op: block, ops: [{op: invert}, {op: invert}]}]", "two operations are called 'invert'"),
        (
            "[{op: any_order, ops: [{op: any_order, ops: []}, {op: invert}]}]",
            "'any_order' cannot be nested in 'any_order'; list it at the top",
        ),
    ],
)
def test_impossible_orders_are_refused(tmp_path, ops, words):
    (tmp_path / "s.yaml").write_text(f"ops: {ops}")
    with pytest.raises(ConfigError, match=words):
        load_space(tmp_path / "s.yaml")
