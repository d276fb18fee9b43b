"""The embedded surfaces: reproducible, well formed, and their planted truth really is planted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from augsearch.augment.build import Renderer
from augsearch.data.embedded.defects import draw_oxide
from augsearch.data.embedded.domains import DESTROYS, DOMAINS, Op
from augsearch.data.embedded.ground import LUMA
from augsearch.data.embedded.scenes import ANGLES, LEVELS, PITCHES, Label
from augsearch.data.embedded.surfaces import CLASSES, SurfaceSpec, draw_marks, draw_surfaces
from augsearch.data.imageset import ImageSet
from augsearch.errors import ConfigError
from augsearch.space.policy import Policy

LABELS: tuple[Label, ...] = tuple(CLASSES)
Features = NDArray[np.float64]


@pytest.fixture(scope="module")
def sets() -> dict[str, ImageSet]:
    return {label: draw_surfaces(SurfaceSpec(label, images_per_class=45)) for label in LABELS}


def luma_of(images: NDArray[np.uint8]) -> Features:
    return np.asarray(np.einsum("c,nchw->nhw", LUMA, images / 255))


def hue_features(images: NDArray[np.uint8]) -> Features:
    """Mean and extremes of both colour differences, relative to the luma: blind to light."""
    luma = np.maximum(luma_of(images), 0.03)
    colour = [(images[:, channel] / 255 / luma) for channel in (0, 2)]
    columns = [colour[i].mean((1, 2)) for i in (0, 1)]
    columns += [np.quantile(c, q, axis=(1, 2)) for c in colour for q in (0.02, 0.1, 0.9, 0.98)]
    return np.stack(columns, axis=1)


def double_angle(images: NDArray[np.uint8]) -> Features:
    """`[N, 2]` mean direction of the streaks as (cos 2θ, sin 2θ): blind to colour and light."""
    dy, dx = np.gradient(luma_of(images), axis=(1, 2))
    # A streak runs across its gradient, and rows count downwards.
    squared = -((dx - 1j * dy) ** 2).mean((1, 2))
    squared /= np.abs(squared)
    return np.stack([squared.real, squared.imag], axis=1)


def luma_features(images: NDArray[np.uint8]) -> Features:
    luma = luma_of(images).reshape(len(images), -1)
    relative = luma / luma.mean(1, keepdims=True)
    return np.asarray(np.quantile(relative, np.linspace(0.01, 0.99, 9), axis=1).T)


def strongest_channel(images: NDArray[np.uint8]) -> Features:
    """`[N, 1]` mean over the pixels of the strongest channel (HSV's value): blind to hue."""
    return np.asarray((images / 255).max(axis=1).mean(axis=(1, 2))[:, None])


def spectrum(images: NDArray[np.uint8]) -> tuple[Features, Features, Features]:
    """Power `[N, S, S]` of the detrended luma, radius in cycles a side and angle `[S, S]`."""
    luma = luma_of(images)
    size = luma.shape[-1]
    window = np.outer(np.hanning(size), np.hanning(size))
    waves = np.fft.fft2((luma - luma.mean((1, 2), keepdims=True)) * window)
    across = np.fft.fftfreq(size, 1 / size)
    radius = np.hypot(across[None, :], across[:, None])
    return np.abs(waves) ** 2, radius, np.arctan2(across[:, None], across[None, :])


def pitch_features(images: NDArray[np.uint8]) -> Features:
    """`[N, 12]` share of the power in rings of the spectrum: blind to direction and colour."""
    power, radius, _ = spectrum(images)
    rings = [power[:, (radius >= r) & (radius < r + 1)].sum(1) for r in range(2, 14)]
    return np.asarray(np.log(np.stack(rings, axis=1) / np.sum(rings, axis=0)[:, None]))


def weave_features(images: NDArray[np.uint8]) -> Features:
    """`[N, 2]` how strongly fine power runs in one direction, and in two that are crossed."""
    power, radius, angle = spectrum(images)
    fine = power * ((radius > 5.5) & (radius < 11))
    total = fine.sum((1, 2))
    return np.stack(
        [np.abs((fine * np.exp(1j * k * angle)).sum((1, 2))) / total for k in (2, 4)], axis=1
    )


def seam_features(images: NDArray[np.uint8]) -> Features:
    """`[N, 19]` columns' mean brightness around the brightest one: where the groove lies."""
    columns = luma_of(images).mean(axis=1)
    columns /= columns.mean(1, keepdims=True)
    seam = 10 + columns[:, 10:-10].argmax(axis=1)
    around = np.clip(seam[:, None] + np.arange(-9, 10), 0, columns.shape[1] - 1)
    return np.take_along_axis(columns, around, axis=1)


READS = {
    "hue": hue_features,
    "orientation": double_angle,
    "brightness": strongest_channel,
    "scale": pitch_features,
    "texture": weave_features,
    "side": seam_features,
    "distance": seam_features,
}
"""Factor -> what a person would measure to tell it."""


def carried(label: Label, images: NDArray[np.uint8]) -> Features:
    extractors = dict.fromkeys(READS[factor] for factor in DOMAINS[label].carriers)
    return np.hstack([extract(images) for extract in extractors])


def after(op: Op, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The images as one view of a policy of this operation alone shows them."""
    policy = Policy.model_validate({"ops": [op]})
    view, _ = Renderer.build(policy).function(0, 0)(torch.from_numpy(images), 0)
    return (view * 255).round().to(torch.uint8).numpy()


def few_label_score(
    features: Features, labels: NDArray[np.int64], groups: NDArray[np.int64]
) -> float:
    """Mean balanced accuracy of a linear classifier with 10 labels a class, on other plates."""
    scores = []
    for draw in range(4):
        rng = np.random.default_rng(draw)
        plates = rng.permutation(np.unique(groups))
        testing = np.isin(groups, plates[: len(plates) // 3])
        training = np.concatenate(
            [
                rng.permutation(np.flatnonzero((labels == c) & ~testing))[:10]
                for c in np.unique(labels)
            ]
        )
        model = make_pipeline(
            StandardScaler(), LogisticRegression(C=1 / features.shape[1], max_iter=500)
        )
        model.fit(features[training], labels[training])
        scores.append(balanced_accuracy_score(labels[testing], model.predict(features[testing])))
    return float(np.mean(scores))


def score(data: ImageSet, features: Features) -> float:
    return few_label_score(features, data.labels, data.groups)


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("image_size", [8, 33, 128])
def test_images_of_any_size_fit_the_contract(label: Label, image_size: int) -> None:
    data = draw_surfaces(SurfaceSpec(label, images_per_class=3, image_size=image_size))
    count = 3 * len(CLASSES[label])
    assert data.images.shape == (count, 3, image_size, image_size)
    assert data.images.dtype == np.uint8
    assert data.classes == tuple(sorted(data.classes))
    assert data.labels.dtype == data.groups.dtype == np.int64
    assert [path.split("/")[0] for path in data.paths] == [data.classes[k] for k in data.labels]
    assert len(set(data.paths)) == len(data.fixed_split) == count
    means = data.images.mean(axis=(1, 2, 3))
    assert means.min() > 20
    assert means.max() < 235


def test_plates_give_two_or_three_images_of_one_class(sets: dict[str, ImageSet]) -> None:
    for data in sets.values():
        plates, sizes = np.unique(data.groups, return_counts=True)
        assert set(sizes) == {2, 3}
        assert all(len(set(data.labels[data.groups == plate])) == 1 for plate in plates)


def test_same_spec_same_images_and_more_images_leave_the_first_alone() -> None:
    spec = SurfaceSpec(images_per_class=3)
    few, again = draw_surfaces(spec), draw_surfaces(spec)
    many = draw_surfaces(replace(spec, images_per_class=5))
    assert few.digest == again.digest
    np.testing.assert_array_equal(few.images, again.images)
    np.testing.assert_array_equal(few.images, many.images[: len(few)])
    np.testing.assert_array_equal(few.groups, many.groups[: len(few)])
    others = [many, draw_surfaces(replace(spec, seed=1))]
    assert len({few.digest, *(other.digest for other in others)}) == 3
    assert not np.array_equal(few.images, others[1].images)


DIGESTS: dict[Label, str] = {
    "defect": "9c3581cf92b368464ada0101fd37d31c",
    "hue": "7ee93e2be661511ce07969ee653ae178",
    "orientation": "4437e18cfff8550ae6e180784b0f0bed",
    "brightness": "6f644c4d02fb80de705f89481ca62557",
    "scale": "4f779af491afc2ba4a96e592092a4c31",
    "texture": "e2e0e87da4330062b2073ac6d637e2ae",
    "position": "344eb920c6d86ede6c46a4e162da4536",
    "hue_orientation": "baaf4eb1fd21ea3950b23f0376fbc667",
    "hue_scale": "12cf1ebfc1333b96bf037c5b9af1463e",
}


@pytest.mark.parametrize("label", LABELS)
def test_the_drawing_has_not_changed_without_a_new_version(label: Label) -> None:
    data = draw_surfaces(SurfaceSpec(label, images_per_class=2, image_size=16))
    assert data.digest == DIGESTS[label]


def test_shuffled_labels_carry_nothing_and_leave_the_pixels_alone(
    sets: dict[str, ImageSet],
) -> None:
    spec = SurfaceSpec("orientation", images_per_class=45, shuffle_labels=True)
    null, truth = draw_surfaces(spec), sets["orientation"]
    np.testing.assert_array_equal(null.images, truth.images)
    np.testing.assert_array_equal(np.bincount(null.labels), np.bincount(truth.labels))
    assert null.digest != truth.digest
    assert score(null, double_angle(null.images)) < 0.4
    assert score(truth, double_angle(truth.images)) > 0.95


def test_the_planted_factor_carries_the_label_and_its_counterpart_does_not(
    sets: dict[str, ImageSet],
) -> None:
    for label, domain in DOMAINS.items():
        data = sets[label]
        assert score(data, carried(label, data.images)) > 0.75, label
        for factor in domain.nuisance:
            if factor in READS:
                assert score(data, READS[factor](data.images)) < 0.45, (label, factor)


@pytest.mark.parametrize("label", DOMAINS)
def test_operations_take_away_and_leave_what_the_table_says(
    label: Label, sets: dict[str, ImageSet]
) -> None:
    data, domain = sets[label], DOMAINS[label]
    clean = score(data, carried(label, data.images))
    for name, op in domain.destroys.items():
        assert score(data, carried(label, after(op, data.images))) < clean - 0.15, name
    for name, op in domain.matches.items():
        assert score(data, carried(label, after(op, data.images))) > clean - 0.12, name


def test_hue_alone_tells_heat_tint_from_stain(sets: dict[str, ImageSet]) -> None:
    data = sets["defect"]
    pair = np.isin(data.labels, [data.classes.index(name) for name in ("heat_tint", "stain")])
    images, labels, groups = data.images[pair], data.labels[pair], data.groups[pair]
    assert few_label_score(hue_features(images), labels, groups) > 0.8
    assert few_label_score(luma_features(images), labels, groups) < 0.62


@pytest.mark.long
def test_pixels_alone_solve_no_set_but_shape_and_hue_help(sets: dict[str, ImageSet]) -> None:
    pixels = {
        label: score(data, data.images.reshape(len(data), -1) / 255) for label, data in sets.items()
    }
    for label, found in pixels.items():
        assert found < 0.7, label
    defect = sets["defect"].images
    informed = np.hstack([hue_features(defect), luma_features(defect)])
    assert score(sets["defect"], informed) > pixels["defect"] + 0.1


def test_streaks_run_at_the_angle_of_their_class_and_a_flip_swaps_the_diagonals(
    sets: dict[str, ImageSet],
) -> None:
    data = sets["orientation"]
    wanted = np.array([ANGLES[data.classes[label]] for label in data.labels])

    def error(images: NDArray[np.uint8], angles: NDArray[np.float64]) -> float:
        pointing = double_angle(images) @ np.array([1, 1j])
        off = np.angle(pointing * np.exp(-2j * np.radians(angles)), deg=True) / 2
        return float(np.median(np.abs(off)))

    assert error(data.images, wanted) < 8
    assert error(data.images[..., ::-1], 180 - wanted) < 8
    assert error(np.rot90(data.images, axes=(2, 3)), wanted + 90) < 8


def test_temper_colours_leave_the_luma_alone() -> None:
    rng = np.random.default_rng(0)
    for hue in (0.0, 50.0, 222.0, 359.0):
        oxide = draw_oxide(hue, 0.4, 24, rng)
        np.testing.assert_allclose(np.einsum("c,chw->hw", LUMA, oxide), 1, rtol=1e-12)
        assert oxide.std(axis=0).max() > 0.05


@pytest.mark.parametrize("label", DOMAINS)
def test_the_table_of_truth_is_consistent(label: Label) -> None:
    domain = DOMAINS[label]
    assert not set(domain.carriers) & set(domain.nuisance)
    assert set(domain.carriers) <= set(DESTROYS)
    assert domain.destroys
    assert domain.matches
    assert len(domain.policies()) == 1 + len(domain.destroys) + len(domain.matches)


@pytest.mark.parametrize(("label", "steps"), [("brightness", LEVELS), ("scale", PITCHES)])
def test_neighbouring_classes_are_evenly_apart(label: Label, steps: dict[str, float]) -> None:
    values = np.sort(list(steps.values()))
    ratios = values[1:] / values[:-1]
    assert ratios.max() / ratios.min() < 1.05


@pytest.mark.parametrize(
    ("field", "value"),
    [("images_per_class", 0), ("image_size", 4), ("seed", -1), ("label", "colour")],
)
def test_a_wrong_spec_is_refused_in_one_line(field: str, value: object) -> None:
    with pytest.raises(ConfigError, match=rf"{field}.*{value}") as caught:
        replace(SurfaceSpec(), **{field: value})  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_marks_lie_where_the_label_does():
    spec = SurfaceSpec("position", images_per_class=6, seed=3)
    marks, images = draw_marks(spec), draw_surfaces(spec).images
    assert marks.shape == (24, 32, 32) and 0.15 < marks.mean() < 0.4
    upright = marks.mean(axis=1)  # seam and groove run from top to bottom
    assert ((upright < 0.25) | (upright > 0.75)).mean() > 0.9
    light = images.mean(axis=(1, 2))  # of each column
    extremes = np.stack([light.argmin(axis=1), light.argmax(axis=1)])
    assert np.take_along_axis(upright, extremes.T, axis=1).mean() > 0.9
    assert draw_marks(SurfaceSpec("hue", images_per_class=2)).all()
