"""`augsearch pilot` on the command line."""

from pathlib import Path

import pytest
from piloting.pilots import go


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--labels", "many"], "--labels many: want whole numbers"),
        (["--labels", "10,5"], "--labels"),
        (["--compare", "a", "b"], "a: holds no pilot.json"),
        (["--policy", "gone.yaml"], "gone.yaml"),
        (["--study", "never-run"], "never-run"),
        (["--compare", "a", "b", "--dry-run"], "--dry-run: is not for --compare"),
    ],
)
def test_what_is_wrong_is_one_line(cli, options, said):
    assert said in cli("pilot", *options).refusal
    assert not Path("runs").exists()


@pytest.mark.long
def test_pilots_of_two_plants_are_laid_side_by_side(cli):
    for name in ("a", "b"):  # of the same images
        found = go(output=name)
    ended = cli("pilot", "--compare", "a", "b", "--output", "both")
    assert ended.code == 0 and found.recommendation.title in ended.out
    assert "SimCLR under the found policy" in Path("both/report.html").read_text()
    assert (
        "do not belong to a comparison"
        in cli("pilot", "--compare", "a", "b", "--output", "a").refusal
    )
