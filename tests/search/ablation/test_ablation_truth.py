"""Do matrix and class table show what is known to be true? The full version: `-m slow`."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from augsearch.data.embedded.surfaces import SurfaceSpec, draw_surfaces
from augsearch.space.points import middle_policy
from augsearch.space.policy import Policy
from augsearch.space.presets import find_config
from augsearch.space.space import Space
from augsearch.study_file import StudyConfig, load_study_config
from augsearch.verbs.ablate import ablate

SPACE = Space.model_validate(
    {
        "name": "planted",
        "ops": [
            {"op": "resized_crop", "scale_min": {"low": 0.1, "high": 0.5}},
            {"op": "color_jitter", "name": "light", "brightness": {"low": 0.2, "high": 0.8}},
            {"op": "color_jitter", "name": "hue", "hue": {"low": 0.4, "high": 0.5}},
            {"op": "rotation", "degrees": {"low": 90, "high": 180}},
        ],
    }
)
QUICK = StudyConfig.model_validate(
    {
        "data": {"image_size": 16},
        "encoder": {"width": 8, "stages": 2},
        "pretrain": {"steps": 40, "batch_size": 32},
        "evaluate": {"labels_per_class": 5, "draws": 10},
        "search": {"pruner": {"kind": "none"}},
        "confirm": {"steps": 40},
        "compute": {"threads": 2},  # one process: the machine's cores run other tests
    }
)


@pytest.mark.slow
def test_hue_jitter_is_seen_to_cost_most_where_hue_is_the_label():
    images = draw_surfaces(SurfaceSpec("hue", images_per_class=30, image_size=16, seed=1))
    look = partial(ablate, SPACE, data=images, study=QUICK, device="cpu")
    matrix = look(mode="pairs", ops=["light", "hue"], replicates=2)
    print(matrix.sentences)
    assert matrix.row_means["hue"] < matrix.row_means["light"] - 0.05
    cells = {cell.name: cell for cell in matrix.cells}
    pairs = (cells["light > hue"], cells["hue > light"])
    assert all(pair.gain.points < -8 and pair.gain.against == "light" for pair in pairs)
    for label, recall in cells["light"].class_recall.items():
        assert recall > cells["hue"].class_recall[label]


def both_domains(seed):
    """Classes that hang on hue and classes that hang on orientation, in one set."""
    one, other = (
        draw_surfaces(SurfaceSpec(label, images_per_class=150, seed=seed))
        for label in ("hue", "orientation")
    )
    return replace(
        one,
        images=np.concatenate([one.images, other.images]),
        labels=np.concatenate([one.labels, other.labels + len(one.classes)]),
        classes=tuple(f"a {c}" for c in one.classes) + tuple(f"b {c}" for c in other.classes),
        groups=np.concatenate([one.groups, other.groups + one.groups.max() + 1]),
        fixed_split=one.fixed_split + other.fixed_split,
        paths=tuple(f"hue/{p}" for p in one.paths) + tuple(f"turn/{p}" for p in other.paths),
        digest=f"{one.digest}{other.digest}"[:16],
    )


@pytest.mark.slow
def test_only_the_classes_that_hang_on_a_factor_lose_by_the_operation_that_destroys_it():
    quick = load_study_config(find_config("quick", "studies"))
    found = ablate(
        SPACE, data=both_domains(3000), study=quick, device="cpu", mode="classes",
        ops=["hue", "rotation"], replicates=5,
    )  # fmt: skip
    print(found.sentences)
    gains = {(one.op, one.label): one.gain for one in found.class_gains}
    for op, own, other in (("hue", "a ", "b "), ("rotation", "b ", "a ")):
        hit = [gain for (by, label), gain in gains.items() if by == op and label.startswith(own)]
        spared = [gain for (by, label), gain in gains.items() if by == op and label[:2] == other]
        assert any(gain.shown and gain.points < 0 for gain in hit)
        assert not any(gain.shown and gain.points < 0 for gain in spared)
        assert np.mean([g.points for g in hit]) < np.mean([g.points for g in spared]) - 5


@pytest.mark.slow
@pytest.mark.parametrize("label", ["hue", "orientation"])
def test_the_matrix_and_the_classes_show_the_planted_truth(label):
    destroys, keeps = {"hue": ("hue", "rotation"), "orientation": ("rotation", "hue")}[label]
    images = draw_surfaces(SurfaceSpec(label, images_per_class=150, seed=3000))
    quick = load_study_config(find_config("quick", "studies"))
    assert quick.pretrain.steps >= 200
    look = partial(ablate, SPACE, data=images, study=quick, device="cpu", seed=3000)
    # What destroys the label, in a policy that is good for it otherwise.
    kept = [op for op in middle_policy(SPACE).ops if op.instance != keeps]
    table = look(mode="classes", policy=Policy(ops=tuple(kept)), ops=[destroys])
    print(table.sentences)
    [cost] = table.op_gains
    assert cost.gain.interval[1] < 0
    assert any(one.gain.shown for one in table.class_gains)
    assert all(one.gain.points < 0 for one in table.class_gains)
    # Two comparisons cannot learn their noise from each other: more seeds instead.
    matrix = look(mode="pairs", ops=[destroys, keeps], replicates=5)
    print(matrix.sentences)
    assert min(matrix.row_means, key=matrix.row_means.get) == destroys
    pairs = [cell for cell in matrix.cells if cell.op != cell.second]
    assert all(c.gain.shown and c.gain.points < 0 and c.gain.against == keeps for c in pairs)
