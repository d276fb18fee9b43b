"""Spaces: the point-to-policy map, canonical policies, coupling and grey images."""

from pathlib import Path
from random import Random

import pytest

from augsearch.errors import ConfigError
from augsearch.space.catalogue import OPERATIONS
from augsearch.space.presets import find_config, preset_names
from augsearch.space.space import Space, load_space
from augsearch.space.yaml_file import parse_model

TEXT = """
name: example
strengths:
  light: {low: 0.0, high: 1.0}
ops:
  - op: resized_crop
    scale_min: {low: 0.08, high: 1.0}
  - op: color_jitter
    p: 0.8
    brightness: {strength: light, full: 0.8}
    hue: {low: 0.0, high: 0.2}
  - op: posterize
    p: {choices: [0.0, 0.3]}
    bits_min: {low: 2, high: 7}
  - op: one_of
    p: 0.5
    ops:
      - {op: gaussian_blur, sigma: {low: 0.001, high: 0.05, log: true}}
      - {op: grayscale}
"""


def space_from(text: str = TEXT) -> Space:
    return parse_model(Space, text, "example.yaml")


def middle(space: Space) -> dict[str, float]:
    return {axis.name: axis.form.extremes()[-1] for axis in space.axes()}


def test_axes_are_static_and_named_by_instance():
    names = [axis.name for axis in space_from().axes()]
    assert names == [
        "strength.light",
        "resized_crop.scale_min",
        "color_jitter.hue",
        "posterize.p",
        "posterize.bits_min",
        "gaussian_blur.sigma",
    ]


def test_coupled_values_follow_their_strength():
    space = space_from()
    jitter = space.policy({**middle(space), "strength.light": 0.5}).views[0][1]
    assert jitter.values()["brightness"] == 0.4


def test_a_closed_gate_leaves_no_trace_of_its_parameters():
    space = space_from()
    point = {**middle(space), "posterize.p": 0.0}
    other = {**point, "posterize.bits_min": 3}
    assert space.policy(point).digest == space.policy(other).digest
    assert "posterize" not in [op.op for op in space.policy(point).views[0]]


def test_identity_magnitudes_drop_the_operation():
    space = space_from()
    point = {**middle(space), "strength.light": 0.0, "color_jitter.hue": 0.0}
    assert "color_jitter" not in [op.op for op in space.policy(point).views[0]]


def test_values_are_rounded_to_what_the_file_shows():
    space = space_from()
    policy = space.policy({**middle(space), "resized_crop.scale_min": 0.123456789})
    assert policy.views[0][0].values()["scale_min"] == 0.1235


def test_grey_images_drop_what_acts_on_colour_alone():
    space = space_from().for_channels(1)
    assert "color_jitter.hue" not in [axis.name for axis in space.axes()]
    # A group that colour leaves with one member has nothing to choose from.
    assert [op.op for op in space.ops or ()] == ["resized_crop", "color_jitter", "posterize"]
    assert space_from().for_channels(3) == space_from()


def test_separate_views_have_separate_axes():
    space = space_from(
        "view1: [{op: gaussian_blur, sigma: {low: 0, high: 0.05}}]\n"
        "view2: [{op: gaussian_blur, sigma: {low: 0, high: 0.05}}]\n"
    )
    assert [axis.name for axis in space.axes()] == [
        "view1.gaussian_blur.sigma",
        "view2.gaussian_blur.sigma",
    ]
    policy = space.policy({"view1.gaussian_blur.sigma": 0.01, "view2.gaussian_blur.sigma": 0.0})
    assert not policy.shared
    assert [len(view) for view in policy.views] == [1, 0]


@pytest.mark.parametrize("name", preset_names("spaces"))
def test_presets_are_valid_and_lean(name):
    space = load_space(find_config(name, "spaces"))
    assert space.name == name
    assert 1 <= len(space.axes()) <= 20
    assert len(space.ops or ()) <= 12


def test_natural_contains_the_policy_of_simclr():
    space = load_space(find_config("natural.yaml", "spaces"))
    point = {axis.name: 0.0 for axis in space.axes()}
    point |= {"strength.colour": 1.0, "resized_crop.scale_min": 0.08, "horizontal_flip.p": 0.5}
    point |= {"grayscale.p": 0.2, "gaussian_blur.sigma": 0.009, "erasing.area": 0.05}
    jitter = next(op for op in space.policy(point).views[0] if op.op == "color_jitter")
    assert jitter.values() == {"brightness": 0.8, "contrast": 0.8, "saturation": 0.8, "hue": 0.2}


@pytest.mark.parametrize(
    ("wrong", "line", "says"),
    [
        (("op: posterize", "op: posterise"), 12, "did you mean 'posterize'"),
        (("hue:", "heu:"), 11, "did you mean 'hue'"),
        (("high: 0.2}", "high: 0.7}"), 11, "outside the bounds [0, 0.5]"),
        (("low: 0.08, high: 1.0", "low: 0.9, high: 0.1"), 7, "low 0.9 is above high 0.1"),
        (("low: 0.08, high", "low: 0.08, hihg"), 7, "unknown key 'hihg'"),
        (("low: 2, high: 7", "low: 2.5, high: 7"), 14, "not a whole number"),
        (("full: 0.8", "full: 1.8"), 10, "outside the bounds"),
        (("strength: light", "strength: lihgt"), None, "not declared under `strengths`"),
        (("p: 0.8", "p: often"), 9, "'often' does not fit: want a number"),
        (("p: 0.8", "p: .nan"), 9, "finite"),
        (("name: example", "nam: example"), 2, "did you mean 'name'"),
        (("name: example", "name: example\nname: again"), 3, "stands here twice"),
        (("op: posterize", "op: resized_crop"), None, "unknown key"),
        (("op: grayscale", "op: one_of"), 19, "'one_of' cannot be nested in 'one_of'"),
        (("log: true", "log: true, low: 0"), 18, "twice"),
    ],
)
def test_mistakes_are_named_with_line_key_and_remedy(wrong, line, says):
    assert wrong[0] in TEXT
    with pytest.raises(ConfigError) as caught:
        space_from(TEXT.replace(wrong[0], wrong[1], 1))
    message = str(caught.value)
    assert "\n" not in message
    assert says in message
    if line is not None:
        assert message.startswith(f"example.yaml:{line}:")


@pytest.mark.parametrize("text", ["", "- a\n- b", "just words", "ops: []", "ops: [", "\t:"])
def test_files_that_are_no_space_are_refused_in_one_line(text):
    with pytest.raises(ConfigError, match=r"example\.yaml") as caught:
        space_from(text)
    assert "\n" not in str(caught.value)


def test_missing_files_and_presets_are_named(tmp_path: Path):
    with pytest.raises(ConfigError, match="did you mean the preset 'factory'"):
        find_config("facotry.yaml", "spaces")
    with pytest.raises(ConfigError, match="presets: factory"):
        find_config(tmp_path / "mine.yaml", "spaces")


def test_every_operation_has_bounds_that_hold_its_identity_and_default():
    for operation in OPERATIONS.values():
        for parameter in operation.parameters:
            assert parameter.low <= parameter.default <= parameter.high
            if parameter.identity is not None:
                assert parameter.low <= parameter.identity <= parameter.high


def test_random_points_lie_within_what_is_searched():
    space, rng = space_from(), Random(0)
    points = [space.random_point(rng) for _ in range(200)]
    for axis in space.axes():
        low, high = min(axis.form.extremes()), max(axis.form.extremes())
        values = [point[axis.name] for point in points]
        assert low <= min(values) and max(values) <= high
        assert len(set(values)) > 1
        assert not axis.integer or all(value == int(value) for value in values)
    # Uniform in the logarithm from 0.001 to 0.05: half lies below the geometric mean.
    below = sum(point["gaussian_blur.sigma"] < 0.00707 for point in points)
    assert 70 < below < 130
    assert all(space.policy(point) for point in points)
