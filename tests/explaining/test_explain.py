"""An explanation from end to end, on a classifier that takes seconds; and what it refuses."""

import importlib.util
import json
import shutil
from dataclasses import replace
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from finetuning.small_finetuning import go
from jsonschema import validate
from PIL import Image
from small_study import small_images

from augsearch import explain
from augsearch.errors import ConfigError, DataError
from augsearch.explaining.result import Explained

SHEETS = {"explained-right.png", "explained-wrong.png", "map.png"}


@pytest.fixture
def tuned(shared):
    """A fine-tuning of a few labels in `out`."""
    made = shared.made("tuned for explaining", lambda: go(labels=4))
    shutil.copytree(made / "out", "out")
    return "out"


def explained(directory="out", **changes):
    asked = {"data": small_images(), "images": 6, "device": "cpu"}
    return explain(directory, **{**asked, **changes})


@pytest.mark.long
def test_from_a_classifier_to_what_its_decisions_rest_on(tuned):
    images = small_images()
    found = explained()
    directory = Path("out/explained")
    assert found.files.keys() == {path.name for path in directory.iterdir()}
    content = json.loads((directory / "explain.json").read_text())
    assert Explained.model_validate(content) == found
    validate(content, Explained.model_json_schema())
    split = pd.read_csv("out/split.csv").set_index("path")["side"]
    assert len(found.decisions) == 6 and found.sealed == (split == "test").sum()
    assert all(split[one.path] == "test" for one in found.decisions)
    wrong = [not one.right for one in found.decisions]
    assert wrong == sorted(wrong, reverse=True) and any(wrong)
    learnt = set(pd.read_csv("out/labels.csv")["path"])
    truth = dict(zip(images.paths, np.array(images.classes)[images.labels], strict=True))
    for one in found.decisions:
        assert len(one.nearest) == 3 and {near.path for near in one.nearest} <= learnt
        assert all(near.label == truth[near.path] for near in one.nearest)
        assert [each.method for each in one.maps] == ["Grad-CAM", "integrated gradients"]
    unsure = pd.read_csv(directory / "unsure.csv")
    assert set(unsure.path).isdisjoint(learnt) and (split[unsure.path] == "pool").all()
    assert unsure.entropy.is_monotonic_decreasing and found.doubtful >= len(unsure) > 0
    assert found.judged == (split.isin(["pool", "test"])).sum()
    places = pd.read_csv(directory / "map.csv")
    assert set(places.side) == {"learnt from", "sealed"} and len(places) == found.sealed + 24
    for name in SHEETS & set(found.files):
        with Image.open(directory / name) as picture:
            picture.load()
    page = (directory / "explain.html").read_text()
    for check in found.checks:
        assert all(sentence.replace("'", "&#39;") in page for sentence in check.warnings)
    assert not all(check.passed for check in found.checks)  # four steps teach nothing
    (run,) = mlflow.search_runs(
        search_all_experiments=True,
        filter_string="params.kind = 'explanation'",
        output_format="list",
    )
    assert run.info.status == "FINISHED"
    shown = run.data.metrics["holds_percent/Grad-CAM"]
    assert shown == pytest.approx(100 * found.checks[0].holds.value, abs=0.01)

    with pytest.raises(ConfigError, match=r"^out/explained: holds an explanation; give another"):
        explained()
    mine = directory / "mine.png"
    shutil.copy(directory / "map.png", mine)
    again = explained(force=True)
    assert mine.is_file()
    same = {"seconds": 0.0}
    assert again.model_copy(update=same) == found.model_copy(update=same)


@pytest.mark.slow
def test_with_umap_the_map_has_a_second_view(tuned):
    pytest.importorskip("umap", reason="umap-learn is not installed")
    found = explained()
    assert found.umap
    places = pd.read_csv("out/explained/map.csv")
    assert {"pca_x", "pca_y", "umap_x", "umap_y"} <= set(places)
    assert np.isfinite(places.filter(like="umap")).all(axis=None)
    assert "UMAP keeps neighbours together" in Path("out/explained/explain.html").read_text()
    shutil.copy("out/explained/map.csv", "before.csv")
    explained(force=True)
    assert Path("out/explained/map.csv").read_bytes() == Path("before.csv").read_bytes()


@pytest.mark.long
def test_of_a_picture_of_tiles_the_loudest_is_explained():
    images = small_images()
    numbers = np.arange(len(images))
    pictures = numbers % 6 * 6 + numbers // 12  # two tiles of one class each
    tiles = replace(images, pictures=pictures, groups=pictures)
    go(data=tiles, labels=3)
    found = explained(data=tiles, images=4)
    sealed = pd.read_csv("out/split.csv").query("side == 'test'")
    assert found.sealed * 2 == len(sealed) and len(found.decisions) == 4
    assert {one.path for one in found.decisions} <= set(sealed.path)


@pytest.mark.long
def test_what_is_refused_is_one_line(tuned, monkeypatch):
    with pytest.raises(ConfigError, match=r"^nothing: holds no finetune\.json; name a directory"):
        explained("nothing")
    images = small_images()
    others = replace(images, classes=tuple(f"other {name}" for name in images.classes))
    with pytest.raises(ConfigError, match="the classifier knows clean"):
        explained(data=others)
    split = pd.read_csv("out/split.csv")
    rows = np.flatnonzero(np.isin(images.paths, split[split.side == "pool"].path))
    with pytest.raises(DataError, match="has no labelled sealed images, whose decisions could"):
        explained(data=part(images, rows))
    Path("there").mkdir()
    Path("there/letter.txt").write_text("mine")
    for force in (False, True):
        with pytest.raises(ConfigError, match=r"^there: is there already and holds no explanation"):
            explained(output="there", force=force)
    assert [path.name for path in Path("there").iterdir()] == ["letter.txt"]
    with pytest.raises(ConfigError, match=r"^--images 1: must be 2 or more"):
        explained(images=1)
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "captum" else find(name)
    )
    with pytest.raises(ConfigError, match=r"package captum, which is not installed: install aug"):
        explained()
    assert not Path("out/explained").exists()


def part(images, rows):
    return replace(
        images,
        images=images.images[rows],
        labels=images.labels[rows],
        groups=images.groups[rows],
        fixed_split=tuple(images.fixed_split[row] for row in rows),
        paths=tuple(images.paths[row] for row in rows),
    )


@pytest.mark.slow
def test_maps_point_at_what_was_planted():
    from benchmarks.studies.explanations import maps_row

    row = maps_row("position", 1, 40, 150)
    assert row["accuracy"] >= 0.9
    assert np.mean(row["maps"]["integrated gradients"]["learnt"]["most"]) >= 0.8
    checks = {"learnt": row["checks"], **row["controls"]}
    passed = {
        name: {check["method"] for check in each if not check["warnings"]}
        for name, each in checks.items()
    }
    assert "integrated gradients" in passed["learnt"]
    assert not passed["never learnt"] and not passed["shuffled"]
