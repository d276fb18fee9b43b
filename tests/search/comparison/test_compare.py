"""Two policies of a study beside each other: by name, value by value, on the same images."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_study import small_images

from augsearch import compare_policies
from augsearch.errors import StudyError
from augsearch.space.handbook.policy_words import policy_differences
from augsearch.stats.crossed import estimate_difference
from augsearch.store.runs import BASELINE, CONFIRMATION
from augsearch.store.stored import find_study

STORAGE = "sqlite:///augsearch.db"


def compared(*names, **options):
    return compare_policies("small", *names, data=small_images(), **options)


def confirmed_pair(result):
    """The best trial and the best baseline that were confirmed."""
    best = {policy.kind: policy.name for policy in reversed(result.policies)}
    return best["candidate"], best["baseline"]


def test_values_scores_and_recalls_are_those_of_the_study(small_here):
    trial, baseline = confirmed_pair(small_here)
    found = compared(trial, baseline)
    store = find_study(STORAGE, "small")
    runs = store.outcomes(CONFIRMATION)
    ours, theirs = (
        [outcome for (name, _), outcome in sorted(runs.items()) if name == wanted]
        for wanted in found.names
    )
    by_name = {policy.name: policy for policy in small_here.policies}
    assert found.names == (trial, baseline)
    assert found.searched.ours == by_name[trial].search_score
    assert found.searched.theirs == store.outcomes(BASELINE)[baseline, 0].score
    assert found.searched.interval is None
    assert found.confirmed.ours == pytest.approx(by_name[trial].confirmed_mean)
    assert found.confirmed.theirs == pytest.approx(by_name[baseline].confirmed_mean)
    seeds = min(len(ours), len(theirs))
    assert found.confirmed.seeds == seeds >= 2
    over_seeds = estimate_difference(ours[:seeds], theirs[:seeds], None)
    assert found.confirmed.gain == pytest.approx(over_seeds.mean)
    assert found.confirmed.interval[0] < over_seeds.mean < found.confirmed.interval[1]
    assert found.on_sealed
    assert {one.name for one in found.classes} == set(by_name[trial].class_recall)
    assert found.differing == policy_differences(*policies_of(store, *found.names)) != ()


def policies_of(store, *names):
    runs = {name: run for (name, _), run in store.runs(CONFIRMATION).items()}
    return [runs[name].policy for name in names]


def test_the_other_way_round_is_the_same_with_another_sign(small_here):
    trial, baseline = confirmed_pair(small_here)
    one = compared(trial, baseline)
    other = compared(baseline, trial)
    assert other.confirmed.gain == pytest.approx(-one.confirmed.gain)
    assert other.confirmed.interval == pytest.approx(
        tuple(-x for x in one.confirmed.interval[::-1])
    )


def test_the_picture_shows_both_with_the_same_random_numbers(small_here):
    trial, baseline = confirmed_pair(small_here)
    found = compared(trial, baseline, output="both.png")
    assert found.files == (Path("both.png"),)
    with Image.open("both.png") as picture:
        assert picture.format == "PNG"
    again = compared(baseline, trial, output="again.png")
    for (original, *views), (same, *swapped) in zip(
        found.preview.rows, again.preview.rows, strict=True
    ):
        np.testing.assert_array_equal(original, same)
        for view, other in zip(views, (*swapped[2:], *swapped[:2]), strict=True):
            np.testing.assert_array_equal(view, other)


def test_a_name_is_taken_as_people_write_it(small_here):
    trial, baseline = confirmed_pair(small_here)
    number = trial.removeprefix("trial ")
    for named in (number, f"trial-{number}", f"Trial {number}"):
        found = compared(named, baseline.upper())
        assert found.names == (trial, baseline)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (
            ("0", "simclr s=0.7"),
            r"simclr s=0.7: .*; did you mean 'SimCLR s=.*'\? it has .*SimCLR s=1",
        ),
        (
            ("999", "SimCLR s=1"),
            r"999: the study 'small' has no policy of that name; it has .* 0",
        ),
        (("0", "untrained encoder"), r"untrained encoder: is no policy"),
        (("0", "trial 0"), r"0 and trial 0 are the same policy"),
    ],
)
def test_a_name_that_cannot_be(small_here, names, said):
    with pytest.raises(StudyError, match=said):
        compared(*names)


def test_without_its_images_there_is_no_picture(small_here):
    trial, baseline = confirmed_pair(small_here)
    found = compare_policies("small", trial, baseline)  # they were given in Python
    assert found.files == ()
    assert not Path("compare.png").exists()
    with_images = compared(trial, baseline)
    assert found.confirmed.gain == with_images.confirmed.gain
    assert found.confirmed.interval is not None  # for other seeds
    assert {one.interval for one in found.classes} == {None}
