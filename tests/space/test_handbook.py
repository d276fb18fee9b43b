"""What can be read about an operation, and its measured cost."""

import json

import pytest

from augsearch.errors import ConfigError
from augsearch.space.catalogue import OPERATIONS
from augsearch.space.handbook.costs import NOT_MEASURED, Cost, load_costs
from augsearch.space.handbook.handbook import FAMILIES, cost_text, describe_op, describe_ops

TABLE = {
    "machine": "here",
    "date": "2026-11-24",
    "ops": {"invert": {"32": {"kornia": 4.4, "fused": 1.0}, "96": {"kornia": 1234.5}}},
}


def test_families_hold_every_operation_once():
    named = [operation.name for family in FAMILIES.values() for operation in family]
    assert sorted(named) == sorted(OPERATIONS)
    assert [one.name for one in describe_ops()] == named


def test_one_operation():
    one = describe_op("resized_crop")
    assert one.operation is OPERATIONS["resized_crop"]
    assert one.family == "geometry"
    assert one.summary == (
        "Cut a random rectangle and resize it to the full image; the backbone of SimCLR."
    )
    assert describe_op("invert").summary == "Negative image."


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(ConfigError, match=r"no operation 'rotatoin'; did you mean 'rotation'\?"):
        describe_op("rotatoin")
    with pytest.raises(ConfigError, match="no operation 'xyzzy'; `augsearch ops` lists them"):
        describe_op("xyzzy")


def test_costs_are_read_by_size_and_executor(tmp_path):
    path = tmp_path / "costs.json"
    path.write_text(json.dumps(TABLE))
    costs = load_costs(path)
    assert (costs.machine, costs.date) == ("here", "2026-11-24")
    assert costs.ops["invert"] == (
        Cost(32, "kornia", 4.4), Cost(32, "fused", 1.0), Cost(96, "kornia", 1234.5),
    )  # fmt: skip
    shown = cost_text(costs.ops["invert"])
    assert shown == "kornia 4 µs at 32 px, 1,234 µs at 96 px; fused 1 µs at 32 px"


def test_without_a_file_nothing_is_measured(tmp_path):
    assert load_costs(tmp_path / "costs.json") is NOT_MEASURED
    assert cost_text(()) == "not measured"


def test_the_costs_that_ship_are_of_operations_that_exist():
    assert set(load_costs().ops) <= set(OPERATIONS)
