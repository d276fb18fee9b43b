"""Do matrix and class table show what is known to be true? The full version: `-m slow`."""

from functools import partial

import pytest

from augsearch.data.surfaces import SurfaceSpec, draw_surfaces
from augsearch.search.ablate import ablate
from augsearch.search.ablation_plan import middle_policy
from augsearch.search.config import StudyConfig, load_study_config
from augsearch.space.policy import Policy
from augsearch.space.presets import find_config
from augsearch.space.space import Space

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
    matrix = look(mode="pairs", ops=[destroys, keeps])
    print(matrix.sentences)
    assert min(matrix.row_means, key=matrix.row_means.get) == destroys
    pairs = [cell for cell in matrix.cells if cell.op != cell.second]
    assert all(c.gain.shown and c.gain.points < 0 and c.gain.against == keeps for c in pairs)
