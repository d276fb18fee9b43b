"""Policies: YAML there and back, digests, instance names."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augsearch.errors import ConfigError
from augsearch.space.catalogue import OPERATIONS, Operation
from augsearch.space.policy import FoundOn, Policy, load_policy
from augsearch.space.yaml_file import CONTROL, parse_model


def operations(operation: Operation, name: str = "") -> st.SearchStrategy[dict]:
    numbers = {
        p.name: st.integers(int(p.low), int(p.high))
        if p.integer
        else st.floats(p.low, p.high, allow_nan=False)
        for p in operation.numbers
    }
    fixed = {"op": st.just(operation.name), "p": st.floats(0, 1)}
    return st.fixed_dictionaries(fixed | numbers | ({"name": st.just(name)} if name else {}))


def view() -> st.SearchStrategy[list[dict]]:
    plain = st.lists(st.sampled_from(sorted(OPERATIONS)), unique=True, max_size=5).flatmap(
        lambda names: st.tuples(*(operations(OPERATIONS[name]) for name in names))
    )
    members = st.tuples(
        operations(OPERATIONS["invert"], "member 1"), operations(OPERATIONS["gamma"], "member 2")
    )
    group = st.builds(lambda p, ops: {"op": "one_of", "p": p, "ops": ops}, st.floats(0, 1), members)
    return st.builds(lambda ops, groups: [*ops, *groups], plain, st.lists(group, max_size=1))


names = st.text(max_size=20).filter(lambda name: not CONTROL.search(name))
policies = st.one_of(
    st.builds(lambda ops, name: {"ops": ops, "name": name}, view(), names),
    st.builds(lambda one, two: {"view1": one, "view2": two}, view(), view()),
).map(Policy.model_validate)


@pytest.mark.parametrize("name", ["\x1f", "a\x1b[31mb", "\x9b"])
def test_a_name_that_no_file_may_hold_is_refused(name):
    with pytest.raises(ValueError, match="control character"):
        Policy(name=name, ops=())


@pytest.mark.long
@settings(deadline=None, max_examples=150)
@given(policies)
def test_yaml_there_and_back_loses_nothing(policy):
    again = parse_model(Policy, policy.to_yaml(), "policy.yaml")
    assert again == policy
    assert again.digest == policy.digest


@pytest.mark.parametrize("name", ["\x85", "a\x85b", "a\u2028b", "\ufeffé"])
def test_a_name_keeps_line_breaks_that_yaml_folds(name):
    policy = Policy(name=name, ops=())
    assert parse_model(Policy, policy.to_yaml(), "policy.yaml") == policy


def test_digest_ignores_the_name_and_nothing_else():
    policy = Policy.model_validate({"ops": [{"op": "invert", "p": 0.5}]})
    assert policy.model_copy(update={"name": "other"}).digest == policy.digest
    changed = Policy.model_validate({"ops": [{"op": "invert", "p": 0.25}]})
    assert changed.digest != policy.digest


def test_digests_are_those_of_versions_without_grain():
    ops: list[dict[str, Any]] = [
        {"op": "gaussian_noise", "std": 0.1},
        {"op": "one_of", "ops": [{"op": "jpeg"}, {"op": "equalize"}]},
        {"op": "sharpness", "p": 0.5, "amount": 2.0},
    ]
    policy = Policy.model_validate({"ops": ops})
    assert policy.digest == "0d8473c0f443"  # as augsearch gave it before operations had a grain
    assert "grain" not in policy.to_yaml()
    assert not [key for key in policy.flatten() if key.endswith("grain")]
    finer = Policy.model_validate({"ops": [{**ops[0], "grain": 1 / 224}, *ops[1:]]})
    assert finer.digest != policy.digest
    assert finer.flatten()["view1.gaussian_noise.grain"] == 1 / 224
    assert parse_model(Policy, finer.to_yaml(), "policy.yaml") == finer


def test_where_a_policy_was_found_is_kept_and_changes_no_view():
    policy = Policy.model_validate({"ops": [{"op": "invert"}]})
    where = FoundOn(image_size=32, fit="crop", mean=(0.5,), std=(0.2,))
    found = policy.model_copy(update={"found_on": where})
    assert found.digest == policy.digest
    assert parse_model(Policy, found.to_yaml(), "policy.yaml").found_on == where
    assert "found_on" not in policy.to_yaml()


def test_flattened_values_compare_side_by_side():
    shared = Policy.model_validate({"ops": [{"op": "color_jitter", "hue": 0.1}]})
    assert shared.flatten()["view1.color_jitter.hue"] == 0.1
    assert shared.flatten()["view2"] == "as view1"
    apart = Policy.model_validate({"view1": [], "view2": [{"op": "invert", "name": "negative"}]})
    assert apart.flatten() == {
        "view1.order": "",
        "view2.order": "negative",
        "view2.negative.p": 1.0,
    }


def test_two_operations_of_one_name_would_share_draws_and_are_refused():
    with pytest.raises(ConfigError, match="two operations are called 'invert'"):
        parse_model(Policy, "ops: [{op: invert}, {op: invert}]", "p.yaml")
    parse_model(Policy, "ops: [{op: invert}, {op: invert, name: again}]", "p.yaml")


def test_another_schema_version_is_refused(tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text("schema_version: 2\nops: []\n")
    with pytest.raises(ConfigError, match=r"policy.yaml:1: schema_version: 2 does not fit"):
        load_policy(path)
