"""`augsearch compare` on the command line."""

from pathlib import Path

import pytest
from PIL import Image

from augsearch.search.result.result import load_result
from augsearch.words import percent


@pytest.fixture
def here(finished_study, tmp_path, monkeypatch):
    monkeypatch.chdir(finished_study)
    return tmp_path


def test_two_policies_are_laid_beside_each_other(cli, here):
    result = load_result("runs/small")
    trial = next(policy for policy in result.policies if policy.kind == "candidate")
    baseline = next(
        policy for policy in result.policies if policy.kind == "baseline" and policy.confirmed_mean
    )
    picture = here / "both.webp"
    number = trial.name.removeprefix("trial ")
    said = cli("compare", "small", number, baseline.name.lower(), "--output", picture)
    assert said.code == 0, said.err
    assert f"{trial.name} and {baseline.name}, in the study small" in said.out
    rows = {line.split(":")[0].strip(): line for line in said.out.splitlines()}
    assert percent(trial.search_score) in rows["search"].split()
    assert "validation images" in rows["search"]
    confirmed = rows["confirmation"].split()
    assert {percent(trial.confirmed_mean), percent(baseline.confirmed_mean)} <= set(confirmed)
    assert "sealed images" in rows["confirmation"]
    for name in trial.class_recall:
        assert any(line.split()[:1] == [name] for line in said.out.splitlines())
    assert not any(line.endswith(" ") for line in said.out.splitlines()), "padded in a pipe"
    with Image.open(picture) as drawn:
        assert drawn.format == "WEBP"


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("smal", "0", "1"), "did you mean 'small'? stored: small"),
        (("small", "0", "simclr s=0.7"), "did you mean 'SimCLR s=0.5'?"),
        (("small", "0", "17"), "it has crop only"),
        (("small", "0", "trial-0"), "are the same policy"),
    ],
)
def test_a_name_that_cannot_be_is_one_line(cli, here, names, said):
    assert said in cli("compare", *names, "--output", here / "x.png").refusal
    assert not Path("compare.png").exists()
