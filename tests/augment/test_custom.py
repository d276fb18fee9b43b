"""An operation of a user's own is checked, searched, logged and exported like the others."""

from __future__ import annotations

import os
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from augsearch.augment.build import Renderer
from augsearch.augment.export.export import export_policy
from augsearch.augment.ops.operation import Implementation
from augsearch.errors import ConfigError, OutputError
from augsearch.space.custom import CustomOp
from augsearch.space.policy import Policy, load_policy
from augsearch.space.space import load_space
from augsearch.testing.ops import CHECKS, Case, pictures
from augsearch.verbs.export import write_export

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "own_ops.md").read_text()
CODE, TEST = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
SPACE = """
ops:
  - {op: resized_crop}
  - {op: custom, of: my_ops.py:banding, p: 0.5, parameters: {gain: {low: 0.0, high: 0.4}}}
"""


@pytest.fixture
def directory(tmp_path) -> Path:
    (tmp_path / "my_ops.py").write_text(CODE)
    (tmp_path / "space.yaml").write_text(SPACE)
    return tmp_path


@pytest.fixture
def policy(directory) -> Policy:
    return load_space(directory / "space.yaml").policy({"banding.gain": 0.3})


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_conformance_suite_takes_it(policy, check):
    custom = policy.views[0][1].custom
    check(Case(custom.operation("banding"), Implementation(custom.slots, custom.apply)))


@pytest.mark.long
def test_the_page_shows_a_space_and_a_test_that_work(directory):
    space = re.search(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    (directory / "space.yaml").write_text(space[1])
    assert len(load_space(directory / "space.yaml").axes()) == 2
    (directory / "test_my_ops.py").write_text(TEST)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_my_ops.py"]
    done = subprocess.run(
        command, check=False, cwd=directory, capture_output=True, text=True, timeout=600,
        env={**os.environ, "PYTHONPATH": str(directory)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert f"{len(CHECKS)} passed" in done.stdout


def test_its_values_are_searched_and_logged(directory, policy):
    space = load_space(directory / "space.yaml")
    assert [axis.name for axis in space.axes()] == ["banding.gain"]
    assert policy.flatten()["view1.banding.gain"] == 0.3
    assert policy.flatten()["view1.order"] == "resized_crop > banding"
    assert names(space.policy({"banding.gain": 0.0})) == ["resized_crop"]  # its identity


def names(policy):
    return [op.instance for op in policy.views[0]]


def test_it_runs_inside_a_fused_policy(policy):
    images = (pictures(8, 3, 32, 32) * 255).to(torch.uint8)
    fused, reference = Renderer.build(policy), Renderer.build(policy, "kornia")
    assert fused.executor == "fused; kornia: banding"
    assert (fused(images, 32, seed=0) - reference(images, 32, seed=0)).abs().max() < 1e-5
    plain = Renderer.build(Policy(ops=policy.ops[:1]))(images, 32, seed=0)
    changed = (fused(images, 32, seed=0) - plain).abs().amax((1, 2, 3)) > 1e-3
    assert 2 <= changed.sum() <= 14


def test_a_policy_and_its_file_travel_together(policy, tmp_path):
    there = tmp_path / "there"
    there.mkdir()
    for name, content in policy.files().items():
        (there / name).write_bytes(content)
    assert sorted(path.name for path in there.iterdir()) == ["my_ops.py", "policy.yaml"]
    loaded = load_policy(there / "policy.yaml")
    assert loaded.digest == policy.digest
    assert loaded.to_yaml() == policy.to_yaml()
    # As JSON, as databases and other processes get it.
    assert Policy.model_validate_json(policy.model_dump_json()) == policy


def test_a_file_that_has_changed_is_another_operation(policy, directory):
    (directory / "policy.yaml").write_text(policy.to_yaml())
    (directory / "my_ops.py").write_text(CODE.replace("2 * field", "3 * field"))
    with pytest.raises(ConfigError, match=r"policy.yaml:\d+: .*my_ops.py has changed"):
        load_policy(directory / "policy.yaml")
    changed = load_space(directory / "space.yaml").policy({"banding.gain": 0.3})
    assert changed.digest != policy.digest


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("my_ops.py:banding", "my_ops.py", "does not name an operation; want `file.py:name`"),
        ("my_ops.py:banding", "other.py:banding", "there is no file .*other.py"),
        ("my_ops.py:banding", "my_ops.py:bands", "has no CustomOp called 'bands'; it has: banding"),
        ("{gain: ", "{gian: ", "unknown parameter 'gian'; it has: gain"),
        ("high: 0.4", "high: 0.6", r"gain: 0.6 is outside the bounds \[0, 0.5\]"),
        ("low: 0.0", "low: 0.45", "low 0.45 is above high 0.4"),
    ],
)
def test_mistakes_in_the_space(directory, old, new, words):
    (directory / "space.yaml").write_text(SPACE.replace(old, new))
    with pytest.raises(ConfigError, match=words) as found:
        load_space(directory / "space.yaml")
    assert "space.yaml:4" in str(found.value)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("def band", "1 / 0\n\n\ndef band", "does not run: ZeroDivisionError"),
        ("default=0.2", "default=0.9", "gain: default 0.9 is outside its bounds"),
        ('Parameter("gain"', 'Parameter("p"', "a parameter cannot be called 'p'"),
    ],
)
def test_mistakes_in_the_file(directory, old, new, words):
    (directory / "my_ops.py").write_text(CODE.replace(old, new))
    with pytest.raises(ConfigError, match=words):
        load_space(directory / "space.yaml")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "(1, rows, 1)",
            "(7,)",
            r"my_ops.py:banding: on images \[\d+, 3, 32, 32\] with gain 0.3: band, line \d+: \w+E",
        ),
        ("return (images", "return (images[..., 1:]", "band gave the shape .*want the same shape"),
        ("clamp(0, 1)", "add(0.9)", r"band gave pixels from .* to \d\..*; want \[0, 1\]"),
        ("clamp(0, 1)", "log().log()", "band gave pixels that are not finite"),
    ],
)
def test_an_operation_that_fails_is_named(directory, old, new, words):
    (directory / "my_ops.py").write_text(CODE.replace(old, new))
    policy = load_space(directory / "space.yaml").policy({"banding.gain": 0.3})
    with pytest.raises(ConfigError, match=words):
        Renderer.build(policy)(pictures(8, 3, 32, 32), 32, seed=0)


@pytest.mark.long
@pytest.mark.parametrize("target", ["kornia", "torchvision"])
def test_exported_files_carry_it_along(policy, target, tmp_path):
    (tmp_path / "exported.py").write_text(export_policy(policy, target, 32))
    use = (
        "views = exported.build_views(seed=0)(torch.rand(4, 3, 32, 32))"
        if target == "kornia"
        else "views = exported.build_transform()(torch.rand(3, 32, 32))"
    )
    program = f"import sys, torch, exported\n{use}\nassert 'augsearch' not in sys.modules\n"
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, timeout=600)


def test_an_export_does_not_overwrite_what_it_is_made_of(policy, directory):
    (directory / "policy.yaml").write_text(policy.to_yaml())
    for name in ("policy.yaml", "my_ops.py"):
        with pytest.raises(OutputError, match="name another file"):
            write_export(directory / "policy.yaml", "kornia", directory / name)
    assert load_policy(directory / "policy.yaml").digest == policy.digest


def test_an_exported_kornia_file_renders_the_same(policy, tmp_path):
    (tmp_path / "exported.py").write_text(export_policy(policy, "kornia", 32))
    scope: dict[str, Any] = {"__name__": "exported"}
    sys.modules["exported"] = type(sys)("exported")  # dataclasses look their module up
    try:
        exec((tmp_path / "exported.py").read_text(), scope)
    finally:
        del sys.modules["exported"]
    images = pictures(4, 3, 32, 32)
    views = scope["build_views"](seed=5)(images)
    ours = policy.build(32, seed=5)(images)
    assert all((a - b).abs().max() < 1e-5 for a, b in zip(views, ours, strict=True))


@pytest.mark.long
def test_views_with_a_custom_op_can_be_sent_to_another_process(policy, tmp_path):
    images = pictures(2, 3, 32, 32)
    views = policy.build(32, seed=5)
    (tmp_path / "sent.pickle").write_bytes(pickle.dumps((views, images)))
    program = (
        "import pickle, torch\n"
        "views, images = pickle.load(open('sent.pickle', 'rb'))\n"
        "torch.save(views(images)[0], 'drawn.pt')\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, timeout=600)
    assert (torch.load(tmp_path / "drawn.pt") - views(images)[0]).abs().max() < 1e-5


def test_names_that_would_clash_in_an_exported_file_are_refused(directory):
    (directory / "my_ops.py").write_text(
        CODE.replace("def band(", "def crop_boxes(").replace("=band,", "=crop_boxes,")
    )
    policy = load_space(directory / "space.yaml").policy({"banding.gain": 0.3})
    with pytest.raises(ConfigError, match="rename 'crop_boxes'"):
        export_policy(policy, "kornia", 32)


def test_a_custom_op_is_checked_when_it_is_made():
    with pytest.raises(ValueError, match="slots is -1"):
        CustomOp("doc", (), -1, lambda *_: None)


def test_rounding_beyond_white_is_no_mistake(directory):
    (directory / "my_ops.py").write_text(CODE.replace("clamp(0, 1)", "clamp(-1e-6, 1 + 1e-6)"))
    policy = load_space(directory / "space.yaml").policy({"banding.gain": 0.3})
    Renderer.build(policy)(pictures(8, 3, 32, 32), 32, seed=0)


def test_too_little_memory_inside_it_is_left_to_the_training_loop(directory):
    body = "raise torch.OutOfMemoryError('CUDA out of memory')"
    (directory / "my_ops.py").write_text(
        "import torch\n" + CODE.replace("gain = 2 * field(0, (1, rows, 1)) - 1", body)
    )
    policy = load_space(directory / "space.yaml").policy({"banding.gain": 0.3})
    with pytest.raises(torch.OutOfMemoryError):
        Renderer.build(policy)(pictures(8, 3, 32, 32), 32, seed=0)


def test_the_ends_of_what_is_searched_are_known(directory):
    space = load_space(directory / "space.yaml")
    (strongest,) = space.custom_ops()  # at its lowest it does nothing
    assert strongest.values() == {"gain": 0.4}
    assert strongest.p == 1
    (directory / "space.yaml").write_text(SPACE.replace("low: 0.0", "low: 0.1"))
    ends = load_space(directory / "space.yaml").custom_ops()
    assert [op.values()["gain"] for op in ends] == [0.1, 0.4]


def test_a_changed_file_is_one_line_outside_of_files_too(policy, directory):
    stored = policy.model_dump_json()
    (directory / "my_ops.py").write_text(CODE + "\n# better\n")
    with pytest.raises(ConfigError, match=r"my_ops.py has changed"):
        Policy.model_validate_json(stored)
    with pytest.raises(ConfigError, match=r"my_ops.py has changed"):
        policy.files()
    # The operation that is at hand stays what it was.
    assert policy.views[0][1].values() == {"gain": 0.3}
    (directory / "my_ops.py").unlink()
    with pytest.raises(ConfigError, match=r"there is no file .*my_ops.py"):
        Policy.model_validate_json(stored)
