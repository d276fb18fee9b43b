"""`augsearch ablate`: what a user can get wrong, and the one command that gets it right."""

from pathlib import Path

import pytest
from command_line import write_images

pytestmark = pytest.mark.usefixtures("files")

FLAGS = {
    "one op": (["--ops", "color_jitter"], "needs two or more operations"),
    "unknown op": (
        ["--ops", "color_jitter,hue"],
        "the space 'small' has no operation 'hue'; it has: resized_crop, color_jitter",
    ),
    "op twice": (["--ops", "color_jitter,color_jitter"], "'color_jitter' stands there twice"),
    "mode": (["--mode", "triples"], "--mode triples: must be one of pairs, leave-one-out, add-one"),
    "protocol": (["--protocol", "byol"], "--protocol byol: must be one of simclr, policy"),
    "protocol elsewhere": (
        ["--protocol", "policy", "--mode", "classes"],
        "--protocol policy: belongs to --mode pairs",
    ),
    "replicates": (["--replicates", "1"], "--replicates 1: must be 2 or more"),
    "replicates of classes": (
        ["--mode", "classes", "--replicates", "2"],
        "--replicates 2: --mode classes needs 3 or more",
    ),
    "no op": (["--mode", "strength"], "name the operation with --op"),
    "unknown swept op": (["--mode", "strength", "--op", "hue"], "has no operation 'hue'"),
    "op elsewhere": (["--op", "color_jitter"], "belongs to --mode strength"),
    "no space": (["--space", "nowhere.yaml"], "nowhere.yaml"),
    "no policy": (["--policy", "nowhere.yaml"], "nowhere.yaml: cannot be read"),
    "op that the policy lacks": (
        ["--mode", "leave-one-out", "--policy", "policy.yaml", "--ops", "color_jitter"],
        "the policy 'mine' has no operation 'color_jitter'; it has: resized_crop, horizontal_flip",
    ),
    "name": (["--name", "a/b"], "--name a/b: use up to 100 letters"),
}


def dry_run(cli, *more, of_a_class=14):
    write_images(pit=of_a_class, scratch=of_a_class)
    return cli(
        "ablate", "--space", "space.yaml", "--study", "study.yaml", "--data", "images",
        "--device", "cpu", "--dry-run", *more,
    )  # fmt: skip


@pytest.mark.parametrize(("flags", "words"), FLAGS.values(), ids=FLAGS)
def test_flags(cli, flags, words):
    assert words in dry_run(cli, *flags).refusal


def test_a_policy_of_another_version_is_refused_with_what_to_do(cli):
    text = Path("policy.yaml").read_text()
    Path("policy.yaml").write_text(f"schema_version: 2\n{text}")
    line = dry_run(cli, "--mode", "leave-one-out", "--policy", "policy.yaml").refusal
    assert line == (
        "policy.yaml:1: schema_version: 2 does not fit: want 1; the file was written by another "
        "version of augsearch: use that one, or write the file anew"
    )


def test_the_section_of_a_study_file(cli):
    study = Path("study.yaml").read_text()
    Path("study.yaml").write_text(study + "ablate: {strengths: [0.5, 1.0]}\n")
    line = dry_run(cli, "--mode", "strength", "--op", "color_jitter").refusal
    assert "study.yaml:9: ablate.strengths: [0.5, 1.0] must begin with 0" in line
    Path("space.yaml").write_text(Path("space.yaml").read_text() + "ablate: {}\n")
    assert "'ablate' belongs in a study file" in dry_run(cli).refusal


def test_a_score_without_labels_has_no_supervised_counterpart(cli):
    study = Path("study.yaml").read_text()
    Path("study.yaml").write_text(
        study.replace("evaluate: {", "evaluate: {score: rankme, ") + "ablate: {supervised: true}\n"
    )
    flags = ["--mode", "strength", "--op", "color_jitter"]
    line = dry_run(cli, *flags, of_a_class=60).refusal
    assert "ablate.supervised: rankme is no accuracy" in line


def test_a_policy_without_operations(cli):
    Path("policy.yaml").write_text("schema_version: 1\nname: bare\nops: []\n")
    line = dry_run(cli, "--mode", "classes", "--policy", "policy.yaml").refusal
    assert line == "no operation acts on these images; the policy 'bare' has none"


@pytest.mark.long
def test_a_space_in_which_nothing_is_searched_can_be_ablated(cli):
    Path("space.yaml").write_text(
        "schema_version: 1\nname: fixed\nops: [{op: resized_crop}, {op: invert, p: 0.5}]\n"
    )
    assert "4 cells" in dry_run(cli).out


def test_a_name_that_a_study_has(cli):
    from augsearch.store.database import open_storage
    from augsearch.store.study_store import Store

    Store(open_storage("sqlite:///augsearch.db"), "small", settings={"seed": 0})
    assert "the study 'small' exists with other settings" in dry_run(cli, "--name", "small").refusal


def test_an_operation_that_does_nothing_where_it_is_swept(cli):
    space = Path("space.yaml").read_text()
    Path("space.yaml").write_text(space + "  - {op: gaussian_blur, sigma: 0.0}\n")
    line = dry_run(cli, "--mode", "strength", "--op", "gaussian_blur").refusal
    assert "the space 'small' has no operation 'gaussian_blur'" in line


def test_a_dry_run_says_what_it_would_take(cli):
    said = dry_run(cli)
    assert said.code == 0
    assert "4 cells, 3 seeds, 12 runs of 4 steps on cpu; expected: " in said.out
