"""What a policy's views are expected to cost, from the operations' measured costs."""

from __future__ import annotations

import pytest

from augsearch.space.catalogue import OPERATIONS
from augsearch.space.handbook.costs import (
    Cost,
    CostTable,
    measured_costs,
    views_microseconds,
)
from augsearch.space.policy import Policy

TABLE = CostTable(
    "a machine",
    "2026-01-01",
    {"invert": (Cost(32, "kornia", 4.0), Cost(32, "fused", 1.0), Cost(96, "fused", 12.0))},
)


def test_costs_scale_with_the_pixels_from_the_nearest_size():
    assert TABLE.microseconds("invert", 32, "fused") == 1.0
    assert TABLE.microseconds("invert", 16, "fused") == 0.25
    assert TABLE.microseconds("invert", 192, "fused") == 48.0
    assert TABLE.microseconds("invert", 96, "kornia") == 36.0
    assert TABLE.microseconds("gamma", 32, "fused") == 0.0


def test_every_operation_has_been_measured():
    for name in OPERATIONS:
        for size in (32, 96):
            assert measured_costs().microseconds(name, size, "kornia") > 0, name


def cost(*ops, executor="auto"):
    return views_microseconds(Policy.model_validate({"ops": list(ops)}), 32, executor)


def test_a_policy_costs_what_its_open_gates_cost_in_both_views():
    clahe = {"op": "clahe"}
    one = measured_costs().microseconds("clahe", 32, "kornia")
    assert cost(clahe) == pytest.approx(2 * one)
    assert cost({**clahe, "p": 0.25}) == pytest.approx(0.5 * one)
    group = {"op": "one_of", "ops": [clahe, {"op": "invert", "p": 0}]}
    assert cost({**group, "p": 0.5}) == pytest.approx(0.5 * one)
    assert cost({"op": "color_jitter", "hue": 0.2}) < cost(
        {"op": "color_jitter", "hue": 0.2}, executor="kornia"
    )
