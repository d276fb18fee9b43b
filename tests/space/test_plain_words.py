"""Broken files are refused in words of the product: file, line, key, and what would be right."""

import re
from pathlib import Path

import pytest

from augsearch.errors import ConfigError
from augsearch.space.policy import Policy, load_policy
from augsearch.space.space import Space, load_space
from augsearch.study_file import StudyConfig, load_study_config

OPS = """\
from augsearch import CustomOp, Parameter
gain = CustomOp("Gain.", (Parameter("most", 0, 1, "most", 0, 0.5),), 1, lambda images, *_: images)
"""
LOAD = {Space: load_space, Policy: load_policy, StudyConfig: load_study_config}
PYDANTIC = re.compile(
    r"\b(input|tuple|dictionary|validation|extract|instance|parse|NoneType|dict)\b"
)

ONE_OF = "ops:\n  - op: one_of\n    ops:\n      - op: invert\n"
ORDER = "ops:\n  - op: any_order\n    ops:\n      - op: invert\n"
CUSTOM = "ops:\n  - op: custom\n    of: my_ops.py:gain\n    parameters:\n      most: "
RANGE_IN_POLICY = "a mapping does not fit: want one number; ranges, choices and strengths belong"

SPACES = {
    "ops: []\n": "1: the space is empty",
    "ops: invert\n": "1: ops: 'invert' does not fit: want a list",
    "ops:\n  - invert\n": "2: ops.0: 'invert' does not fit: want an entry like `op: invert`",
    "ops:\n  - 7\n": "2: ops.0: 7 does not fit: want a mapping of keys to values",
    "ops:\n  - p: 1\n": "2: ops.0: the key 'op' is missing",
    "ops:\n  - op: one_of\n    ops: []\n": "3: ops.one_of.ops: has 0 entries, want at least 2",
    ONE_OF: "3: ops.one_of.ops: has 1 entries, want at least 2",
    ONE_OF + "      - op: one_of\n        ops: [{op: gamma}, {op: solarize}]\n": (
        "5: ops.one_of.ops.one_of: 'one_of' cannot be nested in 'one_of'; list its members in "
        "the outer one"
    ),
    ONE_OF + "      - op: block\n        ops: [{op: gamma}]\n": (
        "5: ops.one_of.ops.block: 'block' cannot be nested in 'one_of'; it is a member of an "
        "'any_order'; list its operations themselves"
    ),
    ORDER + "      - op: any_order\n        ops: [{op: gamma}, {op: solarize}]\n": (
        "5: ops.any_order.ops.any_order: 'any_order' cannot be nested in 'any_order'; list it at "
        "the top"
    ),
    ORDER + "      - op: block\n        ops: [{op: block, ops: [{op: gamma}]}]\n": (
        "6: ops.any_order.ops.block.ops.block: 'block' cannot be nested in 'block'"
    ),
    "ops:\n  - op: gamma\n    gamma: [1, 2]\n": "3: ops.gamma.gamma: a list does not fit: want a n",
    "ops:\n  - op: gamma\n    gamma:\n": "3: ops.gamma.gamma: an empty value does not fit",
    "ops:\n  - op: gamma\n    gamma: {low: a, high: 2}\n": "3: ops.gamma.gamma.low: 'a' does not f",
    "ops:\n  - op: gamma\n    gamma: {low: 1}\n": "3: ops.gamma.gamma: the key 'high' is missing",
    "ops:\n  - op: gamma\n    gamma: {choices: []}\n": "3: ops.gamma.gamma.choices: has 0 entries",
    "ops:\n  - op: gamma\n    gamma: {choices: 3}\n": "3: ops.gamma.gamma.choices: 3 does not fit",
    "ops:\n  - op: gamma\n    gamma: {low: 1, high: 2, log: maybe}\n": "want true or false",
    "ops:\n  - op: gamma\n    name: 3\n": "3: ops.gamma.name: 3 does not fit: want a text",
    "strengths: [a]\nops: [{op: gamma}]\n": "1: strengths: a list does not fit: want a mapping",
    "schema_version: 2\nops: [{op: gamma}]\n": "1: schema_version: 2 does not fit: want 1",
    CUSTOM + "[1]\n": "5: ops.custom.parameters.most: a list does not fit: want a number",
    CUSTOM + "{low: 0}\n": "5: ops.custom.parameters.most: the key 'high' is missing",
    "ops:\n  - op: custom\n    of: 3\n": "3: ops.custom.of: 3 does not fit: want a text",
    "ops: [{op: gamma}]\npretrain: {steps: 3}\n": (
        "2: pretrain: 'pretrain' belongs in a study file (--study), not in a space"
    ),
}
POLICIES = {
    "ops: 3\n": "1: ops: 3 does not fit: want a list",
    "ops:\n  - op: one_of\n    ops: []\n": "3: ops.one_of.ops: has 0 entries, want at least 2",
    "ops:\n  - op: gamma\n    gamma: {low: 1, high: 2}\n": f"3: ops.gamma.gamma: {RANGE_IN_POLICY}",
    "ops:\n  - op: gamma\n    p: {choices: [0, 1]}\n": f"3: ops.gamma.p: {RANGE_IN_POLICY}",
    CUSTOM + "{low: 0, high: 0.2}\n": f"5: ops.custom.parameters.most: {RANGE_IN_POLICY}",
    CUSTOM + "a\n": "5: ops.custom.parameters.most: 'a' does not fit: want a number",
    "ops:\n  - op: gamma\n    gamma: 9\n": "3: ops.gamma.gamma: 9 does not fit: want at most 4",
    "ops:\n  - op: gamma\n    p: -1\n": "3: ops.gamma.p: -1 does not fit: want at least 0",
    "ops:\n  - op: posterize\n    bits_min: 2.5\n": "2.5 does not fit: want a whole number",
    "ops:\n  - op: gamma\n    gamma: .inf\n": "3: ops.gamma.gamma: inf does not fit: want a finite",
    ORDER + "      - op: gamma\n": (
        "2: ops.any_order: 'any_order' belongs in a space; a policy has one order: list the op"
    ),
    "ops:\n  - op: block\n    ops: [{op: gamma}]\n": "2: ops.block: 'block' belongs in a space",
    "strengths: {a: {low: 0, high: 1}}\nops: []\n": (
        "1: strengths: 'strengths' belongs in a space (--space), not in a policy"
    ),
}
STUDIES = {
    "pretrain: 3\n": "1: pretrain: 3 does not fit: want a mapping of keys to values",
    "pretrain:\n": "1: pretrain: an empty value does not fit: want a mapping of keys to values",
    "pretrain: {steps: a}\n": "1: pretrain.steps: 'a' does not fit: want a whole number",
    "pretrain: {learning_rate: 0}\n": "1: pretrain.learning_rate: 0 does not fit: want above 0",
    "pretrain: {batch_norm: x}\n": "'x' does not fit: want 'joint' or 'separate'",
    "search: {sampler: {kind: tpee}}\n": "unknown kind 'tpee'; did you mean 'tpe'?",
    "search: {sampler: {startup_trial: 3}}\n": "did you mean 'startup_trials'?",
    "search: {pruner: {kind: none, first_rung: 3}}\n": "unknown key 'first_rung'; known: kind",
    "data: {window: full}\n": "data.window: 'full': want auto, or [black, white], the lower",
    "data: {window: [3, 1]}\n": "data.window: [3, 1]: want auto, or [black, white], the lower",
    "ops: [{op: gamma}]\n": "1: ops: 'ops' belongs in a space (--space), not in a study",
}
CASES = [
    (model, text, words)
    for model, texts in ((Space, SPACES), (Policy, POLICIES), (StudyConfig, STUDIES))
    for text, words in texts.items()
]


@pytest.mark.parametrize(("model", "text", "words"), CASES)
def test_a_broken_file_is_explained_in_one_line(model, text, words):
    Path("my_ops.py").write_text(OPS)
    Path("file.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        LOAD[model](Path("file.yaml"))
    line = str(caught.value)
    assert line.startswith("file.yaml:")
    assert words in line
    assert "\n" not in line
    assert not PYDANTIC.search(line), line
    assert "more problem" not in line


def test_a_space_without_a_name_is_called_by_its_file():
    Path("my-line.yaml").write_text("ops: [{op: gamma, gamma: {low: 1.0, high: 2.0}}]\n")
    assert load_space("my-line.yaml").name == "my-line"
    Path("my-line.yaml").write_text("name: mine\nops: [{op: gamma, gamma: {low: 1, high: 2}}]\n")
    assert load_space("my-line.yaml").name == "mine"
