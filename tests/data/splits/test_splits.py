"""The sealed split, few-label draws and subsets keep classes balanced and groups whole."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from augsearch.data.advice import label_warnings
from augsearch.data.imageset import ImageSet
from augsearch.data.splits.splits import LabelDraw, label_draws, sealed_marks, sealed_split
from augsearch.data.splits.subset import take_subset
from augsearch.errors import DataError


def image_set(
    labels: list[int] | NDArray[np.int64],
    groups: list[int] | NDArray[np.int64] | None = None,
    fixed: tuple[str, ...] = (),
    digest: str = "ab12",
) -> ImageSet:
    """Images whose pixels are their own index."""
    n = len(labels)
    classes = max(np.max(labels, initial=-1) + 1, 0)
    return ImageSet(
        name="set",
        images=np.broadcast_to(np.arange(n, dtype=np.uint8)[:, None, None, None], (n, 1, 8, 8)),
        labels=np.asarray(labels, dtype=np.int64),
        classes=tuple("abcdefgh"[:classes]),
        groups=np.arange(n) if groups is None else np.asarray(groups, dtype=np.int64),
        fixed_split=fixed or ("",) * n,
        paths=tuple(f"{i}.png" for i in range(n)),
        digest=digest,
    )


def grouped(seed: int = 0, n: int = 400) -> ImageSet:
    """Unequal classes in groups of 1 to 9 images, some groups mixed, a tenth unlabelled."""
    rng = np.random.default_rng(seed)
    groups = np.sort(rng.integers(0, n // 5, n))
    main = rng.choice(4, n // 5 + 1, p=[0.6, 0.25, 0.1, 0.05])
    labels = np.where(rng.random(n) < 0.1, rng.integers(0, 4, n), main[groups])
    labels[rng.random(n) < 0.1] = -1
    return image_set(labels, groups, digest=f"{seed:x}")


def rows_of(images: ImageSet, rows: NDArray[np.int64]) -> ImageSet:
    """A part of the images, as if the others were not there yet."""
    return replace(
        images,
        images=images.images[rows],
        labels=images.labels[rows],
        groups=images.groups[rows],
        fixed_split=tuple(images.fixed_split[row] for row in rows),
        paths=tuple(images.paths[row] for row in rows),
        keys=tuple(images.known_by[row] for row in rows),
        digest="a part",
    )


def draws_of(images: ImageSet, **options: Any) -> tuple[LabelDraw, ...]:
    arguments: dict[str, Any] = {
        "labels_per_class": 5, "draws": 6, "seed": 0, "classes": images.classes
    }  # fmt: skip
    pool = sealed_split(images).pool
    return label_draws(images.labels, images.groups, pool, **(arguments | options))


def tiled(images: ImageSet, each: int) -> ImageSet:
    """Every picture cut into so many tiles."""
    rows = np.repeat(np.arange(len(images)), each)
    cut = rows_of(images, rows)
    return replace(
        cut,
        paths=tuple(f"{path}#{n % each}" for n, path in enumerate(cut.paths)),
        pictures=rows,
    )


def test_a_label_is_worth_a_picture_with_all_of_its_tiles() -> None:
    whole = image_set(np.repeat([0, 1, 2], 20))
    cut = tiled(whole, 4)
    assert cut.one_each(np.arange(2, len(cut))).tolist() == [2, *range(4, len(cut), 4)]
    split = sealed_split(cut)
    pictures = cut.pictures
    assert pictures is not None
    assert not np.isin(pictures[split.pool], pictures[split.test]).any()

    def drawn(images: ImageSet, **more: Any) -> tuple[LabelDraw, ...]:
        return label_draws(
            images.labels, images.groups, sealed_split(images).pool, classes=images.classes,
            labels_per_class=3, draws=5, seed=1, pictures=images.pictures, **more,
        )  # fmt: skip

    for side in (None, split.test):
        for draw in drawn(cut, score_on=side):
            fitted, counts = np.unique(pictures[draw.fit], return_counts=True)
            assert counts.tolist() == [4] * 9
            assert np.bincount(whole.labels[fitted]).tolist() == [3, 3, 3]
            scored, counts = np.unique(pictures[draw.score], return_counts=True)
            assert set(counts.tolist()) == {4}
            assert not np.isin(fitted, scored).any()
    # Whole pictures are drawn as they would be if nobody had cut them.
    for draw, uncut in zip(drawn(cut), drawn(whole), strict=True):
        assert np.unique(pictures[draw.fit]).tolist() == uncut.fit.tolist()


@pytest.mark.parametrize("seed", range(8))
def test_sealed_split_is_stratified_and_keeps_groups_whole(seed: int) -> None:
    images = grouped(seed)
    split = sealed_split(images)
    assert not set(images.groups[split.pool]) & set(images.groups[split.test])
    assert not set(split.pool) & set(split.test)
    for index in range(4):
        total = (images.labels == index).sum()
        share = (images.labels[split.test] == index).sum() / total
        assert abs(share - 0.25) <= max(0.05, 4 / total)
        assert (images.labels[split.pool] == index).any()


def test_sealed_split_depends_on_the_images_alone() -> None:
    images = grouped()
    again = replace(
        images,
        name="other",
        paths=images.paths[::-1],
        digest="decoded otherwise",
        keys=images.known_by,
    )
    np.testing.assert_array_equal(sealed_split(images).test, sealed_split(again).test)
    other = replace(images, keys=tuple(f"other {key}" for key in images.known_by))
    assert set(sealed_split(other).test) != set(sealed_split(again).test)


def test_sealed_images_mostly_stay_sealed_when_others_are_added() -> None:
    after = image_set(np.random.default_rng(0).integers(0, 4, 500))
    before = rows_of(after, np.arange(400))
    sealed = set(sealed_split(before).test.tolist())
    still = set(sealed_split(after).test.tolist())
    assert len(sealed & still) >= 0.85 * len(sealed)
    assert len(still & set(sealed_split(before).pool.tolist())) <= 0.05 * 400


def test_sealed_marks_tell_the_same_images_from_others() -> None:
    after = image_set(np.random.default_rng(0).integers(0, 4, 1000))
    before = rows_of(after, np.arange(500))
    marks = set(sealed_marks(after, sealed_split(after).test))
    assert len(marks) == 100
    shared = marks & set(sealed_marks(before, sealed_split(before).test))
    assert 0.3 < len(shared) / 100 < 0.7
    other = replace(after, keys=tuple(f"other {key}" for key in after.known_by))
    assert marks.isdisjoint(sealed_marks(other, sealed_split(other).test))


def test_singletons_are_split_exactly() -> None:
    split = sealed_split(image_set(np.repeat([0, 1], [40, 12])))
    assert (split.test < 40).sum() == 10
    assert (split.test >= 40).sum() == 3
    assert len(split.pool) == 39


def test_classes_of_few_groups_are_on_both_sides_if_they_can() -> None:
    # Class 0: one group of 90 and one of 3; class 1: two groups; class 2: a single group.
    labels = np.repeat([0, 0, 1, 1, 2], [90, 3, 5, 5, 4])
    groups = np.repeat([0, 1, 2, 3, 4], [90, 3, 5, 5, 4])
    split = sealed_split(image_set(labels, groups))
    assert set(groups[split.test]) in ({1, 2}, {1, 3})
    assert 4 in groups[split.pool]


def test_unlabelled_images_stay_in_the_pool_unless_their_group_is_tested() -> None:
    # Twenty pairs of a labelled and an unlabelled image of one part, and five parts unlabelled.
    labels = np.r_[np.tile([0, -1, 1, -1], 10), [-1] * 5]
    groups = np.r_[np.repeat(np.arange(20), 2), 20:25]
    split = sealed_split(image_set(labels, groups))
    assert (labels[split.test] >= 0).all()
    left_out = set(range(45)) - set(split.pool) - set(split.test)
    assert left_out == {int(index) + 1 for index in split.test}
    assert set(range(40, 45)) <= set(split.pool)


def test_without_labels_all_is_pool() -> None:
    split = sealed_split(image_set([-1] * 6))
    assert split.pool.tolist() == list(range(6))
    assert split.test.tolist() == []


def test_the_users_test_wins() -> None:
    fixed = ("test", "train", "test", "", "", "test")
    split = sealed_split(image_set([0, 0, 1, 1, 0, -1], [0, 0, 1, 2, 1, 3], fixed))
    # 1 shares a group with the test but was put into training; 4 shares one and was not.
    assert split.test.tolist() == [0, 2]
    assert split.pool.tolist() == [1, 3]


def test_the_users_training_images_are_not_tested() -> None:
    fixed = ("train",) * 20 + ("",) * 20
    split = sealed_split(image_set(np.tile([0, 1], 20), np.tile(np.arange(20), 2), fixed))
    assert split.test.tolist() == []
    split = sealed_split(image_set(np.tile([0, 1], 20), None, fixed))
    assert len(split.test) == 10
    assert split.test.min() >= 20


def test_draws_are_balanced_and_share_no_group_with_their_score() -> None:
    images = grouped(n=800)
    pool = sealed_split(images).pool
    for draw in draws_of(images):
        assert np.bincount(images.labels[draw.fit]).tolist() == [5, 5, 5, 5]
        assert not set(images.groups[draw.fit]) & set(images.groups[draw.score])
        assert set(images.labels[draw.score]) == {0, 1, 2, 3}
        assert set(draw.fit) | set(draw.score) <= set(pool)
        others = ~np.isin(images.groups[pool], images.groups[draw.fit]) & (images.labels[pool] >= 0)
        np.testing.assert_array_equal(draw.score, pool[others])


def test_draws_differ_and_repeat() -> None:
    images = grouped()
    first, more = draws_of(images), draws_of(images, draws=9)
    assert len({tuple(draw.fit) for draw in more}) == 9
    for one, other in zip(first, more, strict=False):
        np.testing.assert_array_equal(one.fit, other.fit)
    assert tuple(draws_of(images, seed=1)[0].fit) != tuple(first[0].fit)


def test_labels_come_from_as_many_groups_as_possible() -> None:
    images = image_set(np.repeat([0, 1], 40), np.arange(80) // 4)
    for draw in draws_of(images, labels_per_class=3):
        assert len(set(images.groups[draw.fit])) == 6


def test_half_of_the_groups_remain_for_the_score_unless_it_is_taken_elsewhere() -> None:
    images = image_set(np.repeat([0, 1], [6, 40]))
    arguments: dict[str, Any] = {
        "classes": images.classes, "labels_per_class": 10, "draws": 4, "seed": 0,
    }  # fmt: skip
    pool = np.arange(len(images))
    for draw in label_draws(images.labels, images.groups, pool, **arguments):
        assert np.bincount(images.labels[draw.fit]).tolist() == [3, 10]
        assert np.bincount(images.labels[draw.score]).tolist() == [3, 30]
    elsewhere = label_draws(
        images.labels,
        images.groups,
        np.setdiff1d(pool, [0, 45]),
        score_on=np.array([45, 0]),
        **arguments,
    )
    for draw in elsewhere:
        assert np.bincount(images.labels[draw.fit]).tolist() == [5, 10]
        assert draw.score.tolist() == [0, 45]


def test_draws_from_too_few_labels_are_refused_by_name() -> None:
    with pytest.raises(DataError, match=r"at least two classes .* found: a$"):
        draws_of(image_set([0, 0, 0, 0, -1]))
    with pytest.raises(DataError, match="b has 1, c has 0; label more"):
        draws_of(replace(image_set([0] * 9 + [1]), classes=("a", "b", "c")))
    with pytest.raises(DataError, match="b has 1;"):
        draws_of(image_set([0, 0, 0, 0, 1, 1, 1], [0, 1, 2, 3, 4, 4, 4]))


def test_a_class_that_is_nowhere_to_score_is_named() -> None:
    images = image_set(np.repeat([0, 1], 10))
    with pytest.raises(DataError, match="score these classes on: b"):
        draws_of(images, score_on=np.arange(5))


def test_groups_that_every_class_shares_are_reported() -> None:
    shared = image_set([0, 1, 1, 2, 0, 2], [0, 0, 1, 1, 2, 2])
    with pytest.raises(DataError, match="shares all its groups with other classes"):
        label_draws(
            shared.labels, shared.groups, np.arange(6),
            classes=shared.classes, labels_per_class=1, draws=1, seed=0,
        )  # fmt: skip


@pytest.mark.parametrize("n", [20, 50, 200])
def test_subset_keeps_shares_and_the_seal_of_the_whole(n: int) -> None:
    images = replace(grouped(n=250), images=np.zeros((250, 1, 8, 8), np.uint8))
    images.images[:, 0, 0, 0] = np.arange(250)
    part = take_subset(images, n, seed=3)
    kept = part.images[:, 0, 0, 0]
    assert len(part) == n
    np.testing.assert_array_equal(part.labels, images.labels[kept])
    np.testing.assert_array_equal(part.groups, images.groups[kept])
    assert part.paths == tuple(images.paths[i] for i in kept)
    assert set(kept[sealed_split(part).test]) <= set(sealed_split(images).test)
    assert set(kept[sealed_split(part).pool]) <= set(sealed_split(images).pool)
    whole = np.bincount(images.labels + 1) / len(images)
    assert np.abs(np.bincount(part.labels + 1) / n - whole).max() < 0.05 + 2 / n
    assert f"{n} of 250 images (seed 3)" in part.notes[-1]
    assert part.digest == take_subset(images, n, seed=3).digest
    assert len({part.digest, images.digest, take_subset(images, n, seed=4).digest}) == 3


def test_subset_takes_groups_whole() -> None:
    images = image_set(np.repeat([0, 1], 40), np.arange(80) // 4)
    part = take_subset(images, 32, seed=0)
    sizes = np.unique(part.groups, return_counts=True)[1]
    assert (sizes < 4).sum() <= 4  # the last group of each class on each side of the split


def test_subset_of_enough_or_too_few_images() -> None:
    images = image_set(np.repeat([0, 1], 20))
    assert take_subset(images, 40, seed=0) is images
    with pytest.raises(DataError, match="3 images is too small: at least 4"):
        take_subset(images, 3, seed=0)


def test_label_warnings_name_the_classes() -> None:
    assert label_warnings(image_set(np.repeat([0, 1], 30)), 10) == ()
    scarce, short, unequal = label_warnings(image_set(np.repeat([0, 1, 2], [90, 4, 12])), 10)
    assert scarce.endswith(": b 4")
    assert short.endswith(": c 12")
    # 27 leave 20 when a quarter is sealed: ten to fit and ten to score.
    assert label_warnings(image_set(np.repeat([0, 1], 27)), 10) == ()
    assert "fewer than 27" in label_warnings(image_set(np.repeat([0, 1], 26)), 10)[0]
    # Where the user says what is sealed, the others count.
    own = image_set(np.repeat([0, 1], 26), fixed=("test", *[""] * 51))
    assert label_warnings(own, 10) == ()
    many = image_set(np.repeat([0, 1], 24), fixed=(*["test"] * 14, *[""] * 34))
    assert label_warnings(many, 10)[0].endswith(": a 10")
    assert "a has 90 labelled images, b 4" in unequal
    assert "no image has a label" in label_warnings(image_set([-1, -1]), 10)[0]


def test_for_label_free_scores_unlabelled_images_are_held_out_as_well() -> None:
    labels = np.r_[np.tile([0, 1], 20), np.full(60, -1)]
    groups = np.r_[np.arange(40), np.repeat(np.arange(40, 60), 3)]
    groups[-3:] = 0  # beside a labelled image
    images = image_set(labels, groups)
    usual, blind = sealed_split(images), sealed_split(images, unlabelled=True)
    held_out = np.setdiff1d(blind.test, usual.test)
    np.testing.assert_array_equal(blind.test[labels[blind.test] >= 0], usual.test)
    assert (labels[held_out] == -1).all()
    assert len(held_out) == pytest.approx(15, abs=3)
    assert not set(groups[blind.pool]) & set(groups[blind.test])
    part = take_subset(images, 50, seed=0, unlabelled=True)
    assert (part.labels == -1).sum() > 20
    again = sealed_split(part, unlabelled=True)
    assert (part.labels[again.test] == -1).any()
    assert {part.paths[i] for i in again.test} <= {images.paths[i] for i in blind.test}


def test_without_any_label_a_quarter_is_held_out_for_label_free_scores() -> None:
    split = sealed_split(image_set([-1] * 40), unlabelled=True)
    assert len(split.test) == 10
    assert len(split.pool) == 30
    fixed = ("test",) * 8 + ("",) * 32
    split = sealed_split(image_set([-1] * 40, None, fixed), unlabelled=True)
    assert split.test.tolist() == list(range(8))


def test_a_choice_of_shared_groups_that_leaves_none_for_a_class_is_made_anew():
    """Other seeds draw for the confirmation than for the search: where one can, all can."""
    labels = np.array([0, 0, 1, 2, 0, 1, 1, 2])
    groups = np.array([5, 1, 5, 5, 5, 1, 4, 4])
    for seed in range(20):  # 18 of them were refused
        draws = label_draws(
            labels, groups, np.arange(8), labels_per_class=2, draws=3, seed=seed, classes="abc"
        )
        for draw in draws:
            assert set(labels[draw.fit]) == set(labels[draw.score]) == {0, 1, 2}
            assert not set(groups[draw.fit]) & set(groups[draw.score])
    ring = np.array([1, 2, 2, 3, 3, 1])  # three classes, of which any two share a group
    with pytest.raises(DataError, match="shares all its groups"):
        label_draws(
            np.array([0, 0, 1, 1, 2, 2]), ring, np.arange(6), labels_per_class=2, draws=3, seed=0,
            classes="abc",
        )  # fmt: skip
