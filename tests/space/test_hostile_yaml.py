"""YAML that somebody made to do harm, and YAML that came out wrong: one line each, at once."""

import random
import time
from typing import Any

import pytest

from augsearch.errors import ConfigError
from augsearch.space.policy import Policy
from augsearch.space.space import Space
from augsearch.space.yaml_file import DEEPEST, LONGEST, load_model, parse_model
from augsearch.study_file import StudyConfig

POLICY = """
name: p
schema_version: 1
ops:
  - {op: resized_crop, scale_min: 0.2}
  - {op: color_jitter, p: 0.8, brightness: 0.4, hue: 0.1}
"""
SPACE = """
name: s
ops:
  - op: resized_crop
    scale_min: {low: 0.1, high: 1.0}
  - op: gaussian_noise
    p: {choices: [0.2, 0.8]}
    std: &a {low: 0.0, high: 0.3}
"""
STUDY = """
name: t
data: {image_size: 32, window: [0, 4095]}
encoder: {width: 8, stages: 2}
pretrain: {steps: 12, learning_rate: 2e-3}
search: {trials: 4, sampler: {kind: tpe}, pruner: {kind: successive_halving, first_rung: 6}}
"""
KINDS: dict[str, tuple[Any, str]] = {
    "policy": (Policy, POLICY),
    "space": (Space, SPACE),
    "study": (StudyConfig, STUDY),
}
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
TOKENS = (
    *("&a ", "*a", "<<: ", "- ", ": ", "? ", "{", "}", "[", "]", ",", "|\n", ">\n", "!!", "---\n"),
    *("!!python/name:os.system ", "!!set ", "!!binary ", "!!timestamp ", "!!int ", "!!float "),
    *("null", "true", "~", ".nan", ".inf", "-1", "1e999", "0x", "0o8", "1_0", "2001-99-99", "1:2"),
    *("9" * 50, "9" * 5000, "\t", "\r", "\x00", "\x1b[31m", "\ufeff", "\u2028", "é", "'", '"'),
    *("name", "ops", "op", "p", "custom", "file", "low", "high", "choices", "image_size"),
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LAUGHS, "aliases .* make 490,329,064 entries"),
        ("ops: &a [*a]", "f.yaml:1: contains itself"),
        ("ops: [&a {op: gaussian_noise, p: *a}]", "contains itself"),
        ("ops: " + "[" * 500, f"nested more than {DEEPEST} levels"),
        ("a: " + "{a: " * 500 + "}" * 500, f"nested more than {DEEPEST} levels"),
        ("\n".join(" " * level + "- " for level in range(200)), "f.yaml:51: is nested more than"),
        ("x" * (LONGEST + 1), "is longer than 100,000 characters"),
        ("name: " + "9" * 5000, "is not valid YAML"),
        ("name: 2001-99-99", "is not valid YAML: month"),
        ("? [a, b]\n: c", "is not valid YAML"),
        ("!!python/object/apply:os.system ['touch here']", "f.yaml:1: tags .* are not read"),
        ("name: a\nops: !!set {a, b}", r"f.yaml:2: tags \(!!set\) are not read"),
        ("name: s\nschema_version: " + "9" * 50, "another version of augsearch"),
        (f"schema_version: {'x' * 90_000}", "schema_version: 'x{79}… does not fit"),
        ("name: \x00", "is not valid YAML"),
        ('schema_version: 1\nname: "\\e[31mred"', r"f.yaml:2: holds a control character \(.x1b"),
        ('schema_version: 1\nname: "\\u009b31m"', r"control character \(.x9b\)"),
    ],
)
def test_what_would_hang_or_break_is_one_line(text, said):
    for model, _ in KINDS.values():
        begin = time.process_time()
        with pytest.raises(ConfigError, match=said) as refused:
            parse_model(model, text, "f.yaml")
        assert "\n" not in str(refused.value) and time.process_time() - begin < 2


def test_a_file_is_not_read_further_than_it_may_go(tmp_path):
    path = tmp_path / "zeros.yaml"
    with path.open("wb") as file:
        file.truncate(10 << 30)  # a hole of ten gigabytes
    with pytest.raises(ConfigError, match="is longer than"):
        load_model(Space, path)


def test_aliases_as_people_use_them_are_fine():
    text = SPACE + "  - {op: gaussian_noise, name: more, p: 0.5, std: *a}\n"
    assert len(parse_model(Space, text, "f.yaml").ops or ()) == 3


def changed(text, rng):
    """The text with some characters, lines or values otherwise."""
    for _ in range(rng.randint(0, 3)):
        place, other = sorted(rng.choices(range(len(text) + 1), k=2))
        kind = rng.randrange(6)
        if kind == 0:
            text = text[:place] + rng.choice(TOKENS) + text[place:]
        elif kind == 1:
            text = text[:place] + rng.choice(TOKENS) + text[min(len(text), place + 4) :]
        elif kind == 2:
            text = text[:place] + text[min(other, place + 20) :]
        elif kind == 3:
            text = text[:other] + text[place:other][:200] + text[other:]
        elif kind == 4:
            lines = text.split("\n")
            rng.shuffle(lines)
            text = "\n".join(lines)
        else:
            words = text.split(" ")
            words[rng.randrange(len(words))] = rng.choice(TOKENS)
            text = " ".join(words)
    return text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("inputs", [100, pytest.param(34_000, marks=pytest.mark.slow)])
def test_no_text_makes_a_traceback(kind, inputs):
    model, whole = KINDS[kind]
    taken = 0
    for seed in range(inputs):
        text = changed(whole, random.Random(f"{kind}-{inputs}-{seed}"))
        begin = time.process_time()
        try:
            parse_model(model, text, "f.yaml")
            taken += 1
        except ConfigError as error:
            assert "\n" not in str(error), (seed, text)
        except Exception as error:  # of whatever kind: it names the text that made it
            raise AssertionError((seed, text)) from error
        assert time.process_time() - begin < 2, (seed, text)
    assert 0 < taken < inputs
