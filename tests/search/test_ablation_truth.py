"""Do matrix and class table show what is known to be true? The full version: `-m slow`."""

from functools import partial

import pytest

from augsearch.data.surfaces import SurfaceSpec, draw_surfaces
from augsearch.search.ablate import ablate
from augsearch.search.config import StudyConfig, load_study_config
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
@pytest.mark.parametrize(
    ("label", "destroys", "keeps"), [("hue", "hue", "rotation"), ("orientation", "rotation", "hue")]
)
def test_the_matrix_and_the_classes_show_the_planted_truth(label, destroys, keeps):
    images = draw_surfaces(SurfaceSpec(label, images_per_class=150, seed=3000))
    quick = load_study_config(find_config("quick", "studies"))
    assert quick.pretrain.steps >= 200
    look = partial(ablate, SPACE, data=images, study=quick, device="cpu", seed=3000)
    matrix = look(mode="pairs", ops=["light", "hue", "rotation"])
    print(matrix.sentences)
    assert min(matrix.row_means, key=matrix.row_means.get) == destroys
    worse = {c.name for c in matrix.cells if c.gain and c.gain.shown and c.gain.points < 0}
    assert {f"light > {destroys}", f"{destroys} > light"} <= worse
    table = look(mode="classes", ops=[destroys, keeps])
    print(table.sentences)
    gains = {one.op: one.gain for one in table.op_gains}
    assert gains[destroys].interval[1] < 0
    assert gains[keeps].points > gains[destroys].points + 5
    assert any(one.op == destroys and one.gain.shown for one in table.class_gains)
    assert not any(
        one.op == keeps and one.gain.shown and one.gain.points < 0 for one in table.class_gains
    )
