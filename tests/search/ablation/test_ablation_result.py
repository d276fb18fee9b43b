"""From scores to findings, and to sentences."""

from typing import Any

import numpy as np
import pytest

from augsearch.bench.outcome import Outcome
from augsearch.search.ablation.analysis import analyse, comparable_means
from augsearch.search.ablation.plan import (
    Cell,
    plan_leave_one_out,
    plan_pairs,
    plan_strength,
)
from augsearch.search.ablation.words import changed_by, in_words
from augsearch.space.points import middle_policy, operations
from augsearch.space.policy import Policy
from augsearch.space.space import Space
from augsearch.stats.scored_images import ScoredImages

SPACE = Space.model_validate(
    {
        "name": "plates",
        "ops": [
            {"op": "resized_crop", "scale_min": {"low": 0.2, "high": 1.0}},
            {"op": "color_jitter", "hue": {"low": 0.0, "high": 0.4}},
            {"op": "gaussian_blur", "sigma": {"low": 0.0, "high": 0.04}},
        ],
    }
)
OPS = operations(middle_policy(SPACE))
CHANGES = {name: changed_by(op) for name, op in OPS.items()}
SEEDS = 4


def outcome(score, recall=None):
    return Outcome(
        score=score, draw_scores=(), full_probe=None, knn=None, class_recall=recall or {},
        curve=(), losses=(), steps=1, images_per_second=1, seconds={}, peak_memory_mb=0,
    )  # fmt: skip


def outcomes(plan, truth, noise=0.004, recall=None):
    """Runs of every cell about `truth(cell)`, with a common effect of each seed."""
    rng = np.random.default_rng(0)
    common = rng.normal(0, 0.05, SEEDS)
    return {
        (cell.training, cell.name): [
            outcome(
                truth(cell) + seed + rng.normal(0, noise),
                {k: v + rng.normal(0, noise) for k, v in recall(cell).items()} if recall else {},
            )
            for seed in common
        ]
        for cell in plan.cells
    }


def pairs(truth, **more):
    plan = plan_pairs(OPS, "simclr", 0.08)
    found = analyse(plan, outcomes(plan, truth, **more), {})
    return found, in_words(plan, found, CHANGES)


def planted(cell: Cell) -> float:
    """Colour is good, a crop before it better; everything else is as the better of the two."""
    if cell.name == "resized_crop > color_jitter":
        return 0.7
    return 0.6 if "color_jitter" in cell.name else 0.5


def test_a_matrix_shows_the_pair_that_is_better_than_its_parts():
    found, sentences = pairs(planted)
    clear = {cell.name: cell.gain for cell in found.cells if cell.gain and cell.gain.shown}
    assert list(clear) == ["resized_crop > color_jitter"]
    gain = clear["resized_crop > color_jitter"]
    assert gain.against == "color_jitter"
    assert gain.interval[0] < 10 < gain.interval[1]
    assert gain.points == pytest.approx(10, abs=1)
    assert sentences[0].startswith("The best pair is resized_crop, then color_jitter: 7")
    assert sentences[0].endswith("better than all others.")
    assert "1 of 6 pairs are better than the better of their two operations alone" in sentences[1]
    by_hand = np.mean([c.mean for c in found.cells if c.op == "resized_crop"])
    assert found.row_means["resized_crop"] == pytest.approx(by_hand)


def test_a_matrix_of_equals_claims_nothing():
    _, sentences = pairs(lambda cell: 0.5)
    assert "the intervals do not allow calling it the best" in sentences[0]
    assert sentences[1].startswith("8 of 8 other cells may be as good, 3 of them single operations")
    assert sentences[2].startswith("No pair is shown to differ")


def test_an_interval_is_without_what_a_seed_adds_to_all_cells():
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 0.01, (6, 3))
    moved = scores + np.array([0.0, 0.3, -0.2])
    for plain, shifted in zip(comparable_means(scores), comparable_means(moved), strict=True):
        assert shifted.error == pytest.approx(plain.error)
    assert comparable_means(moved)[0].mean == pytest.approx(moved[0].mean())


def recall_without_hue(cell: Cell) -> dict[str, float]:
    hurt = 0.0 if cell.name == "without color_jitter" else 0.14
    return {"heat_tint": 0.8 - hurt, "scratch": 0.6}


def test_classes_name_whom_an_operation_costs():
    plan = plan_leave_one_out(middle_policy(SPACE), list(OPS), "classes")
    runs = outcomes(plan, lambda cell: 0.6, recall=recall_without_hue)
    found = analyse(plan, runs, {})
    shown = [(one.op, one.label) for one in found.class_gains if one.gain.shown]
    assert shown == [("color_jitter", "heat_tint")]
    first, *rest = in_words(plan, found, CHANGES)
    assert first.startswith("Hue matters to `heat_tint`: color_jitter costs it 1")
    assert "points (95 % interval 1" in first
    assert any("Not shown to help or to hurt" in sentence for sentence in rest)


def test_what_an_operation_gains_is_the_policy_less_the_policy_without_it():
    plan = plan_leave_one_out(middle_policy(SPACE), list(OPS), "leave-one-out")
    found = analyse(plan, outcomes(plan, lambda c: 0.5 if c.op == "gaussian_blur" else 0.6), {})
    gains = {one.op: one.gain for one in found.op_gains}
    assert gains["gaussian_blur"].points == pytest.approx(10, abs=1)
    assert gains["gaussian_blur"].shown
    assert not gains["resized_crop"].shown
    sentences = in_words(plan, found, CHANGES)
    assert sentences[0].startswith("gaussian_blur gains ")


def test_a_sweep_says_whom_the_same_augmentation_helps_and_hurts():
    most = OPS["color_jitter"].with_values({"hue": 0.4})
    plan = plan_strength(
        middle_policy(SPACE), "color_jitter", (most, most), (0.0, 0.5, 1.0), list(OPS),
        supervised=True,
    )  # fmt: skip

    def truth(cell):
        return 0.6 + (0.1 if cell.training == "simclr" else -0.1) * cell.share

    found = analyse(plan, outcomes(plan, truth), {})
    sentences = in_words(plan, found, CHANGES)
    assert sentences[0].startswith("SimCLR is best with color_jitter at 1 of the bound")
    assert sentences[1].startswith("Supervised training is best without color_jitter")
    assert sentences[-1].startswith("At 1 of the bound color_jitter helps SimCLR by ")
    assert "costs supervised training 10." in sentences[-1]


def test_a_cell_that_failed_is_named_and_compared_with_nothing():
    plan = plan_pairs(OPS, "policy", 0.08)
    runs = outcomes(plan, planted)
    del runs["simclr", "color_jitter"]
    found = analyse(plan, runs, {("simclr", "color_jitter"): "features collapsed"})
    cells = {cell.name: cell for cell in found.cells}
    assert cells["color_jitter"].mean is None
    assert cells["color_jitter > gaussian_blur"].gain is None
    assert cells["color_jitter > gaussian_blur"].mean is not None
    assert "Without a score, because a run failed: color_jitter (features collapsed)." in in_words(
        plan, found, CHANGES
    )


@pytest.mark.parametrize(
    ("op", "words"),
    [
        ({"op": "color_jitter", "brightness": 0.3, "hue": 0.1}, "one of brightness and hue"),
        ({"op": "affine", "zoom": 1.5}, "size"),
        ({"op": "median_blur"}, "fine detail"),
        (
            {"op": "one_of", "ops": [{"op": "rotation"}, {"op": "grayscale"}]},
            "orientation or colour",
        ),
    ],
)
def test_what_an_operation_changes_in_words(op, words):
    assert changed_by(Policy.model_validate({"ops": [op]}).views[0][0]) == words


def test_gains_of_classes_allow_for_other_images():
    """An operation suits these images of a class by chance; seeds alone would be sure of it."""
    plan = plan_leave_one_out(middle_policy(SPACE), list(OPS), "classes")
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 40)
    sample = ScoredImages(labels, np.arange(80), 20, by_class=True)
    false, alone = 0, 0
    for _ in range(60):
        runs: Any = {}
        for cell in plan.cells:
            suits = rng.normal(10, 4, 80)
            own = [np.clip(suits + rng.normal(0, 0.5, 80), 0, 20).round() for _ in range(SEEDS)]
            runs["simclr", cell.name] = [
                outcome(
                    hits.mean() / 20,
                    {c: hits[labels == k].mean() / 20 for k, c in enumerate("ab")},
                ).model_copy(update={"hits": tuple(hits.astype(int))})
                for hits in own
            ]
        for images in (sample, None):
            gains = analyse(plan, runs, {}, images).class_gains
            said = any(one.gain.shown for one in gains)
            false, alone = (false + said, alone) if images else (false, alone + said)
    assert false <= 9  # 5 % of 60 are 3
    assert alone > 40
