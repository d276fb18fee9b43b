"""A study without any label, from images to verdict."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_study import small_config, small_images, small_space

from augsearch.augment.baselines import crop_only
from augsearch.bench.bench import Bench
from augsearch.bench.outcome import Outcome
from augsearch.data.imageset import UNLABELLED, ImageSet
from augsearch.errors import DataError
from augsearch.evaluate.shared_views import SCORES
from augsearch.progress import Quiet
from augsearch.store.database import open_storage
from augsearch.store.study_store import Store
from augsearch.tracking.client import client_for, tracking_uri
from augsearch.verbs.run import run_study

CPU = torch.device("cpu")


def without_labels(images: ImageSet, kept: int = 0) -> ImageSet:
    """The images with the labels of the first `kept` of them."""
    labels = np.where(np.arange(len(images)) < kept, images.labels, UNLABELLED)
    return replace(images, labels=labels, classes=images.classes if kept else ())


def config_with(score: str):
    config = small_config()
    return config.model_copy(
        update={"evaluate": config.evaluate.model_copy(update={"score": score})}
    )


class Heard(Quiet):
    def __init__(self) -> None:
        self.estimate: Any = None

    def estimated(self, estimate) -> None:
        self.estimate = estimate


def run(images: ImageSet, score: str = "lidar", **more):
    return run_study(
        small_space(), data=images, study=config_with(score), name="blind", device="cpu", **more
    )


@pytest.mark.long
def test_a_study_without_labels_ends_in_a_verdict_that_says_so() -> None:
    heard = Heard()
    result = run(without_labels(small_images()), progress=heard)
    assert "No label was used" in result.verdict.sentence
    assert "labels" not in result.verdict.basis
    assert "lidar, a proxy, which is not the accuracy" in result.verdict.sentence
    assert "evaluate.score: probe" in result.verdict.advice
    assert "no image has a label" in heard.estimate.warnings[0]
    assert any("lidar is confounded by color_jitter, resized_crop" in warning
               for warning in heard.estimate.warnings)  # fmt: skip
    assert result.metric == "lidar"
    assert result.proxies is None
    assert result.data["labelled"] == 0
    assert result.data["test"] == pytest.approx(0.25 * 72, abs=3)
    confirmed = [p for p in result.policies if p.confirmed_scores]
    assert all(0 < score < 1 for p in confirmed for score in p.confirmed_scores)
    assert all(p.class_recall == {} for p in result.policies)

    store = Store(open_storage("sqlite:///augsearch.db"), "blind")
    complete = store.complete()
    assert complete
    for _, outcome in complete:
        assert outcome.score == outcome.label_free["lidar"]
        assert (outcome.probe, outcome.full_probe, outcome.knn) == (None, None, None)
        assert [score for _, score in outcome.curve][-1] == outcome.score
        assert len(outcome.curve) == 2
    client = client_for(tracking_uri())
    experiment = client.get_experiment_by_name("augsearch")
    logged = client.search_runs(
        [experiment.experiment_id], "tags.`augsearch.kind` = 'confirmation'"
    )[0].data.metrics
    assert {"label_free/rankme", "label_free/rotation", "score_percent"} <= logged.keys()
    assert not {"probe_percent", "knn_percent", "full_probe_percent"} & logged.keys()
    stored = json.loads(Path("runs/blind/result.json").read_text())
    assert stored["proxies"] is None


def test_a_probe_without_labels_is_refused_with_the_way_out() -> None:
    with pytest.raises(DataError, match=r"no image has a label.*evaluate\.score"):
        run(without_labels(small_images()), score="probe")


def test_too_few_images_for_a_label_free_score_are_refused() -> None:
    images = without_labels(small_images())
    few = replace(
        images,
        images=images.images[:40],
        labels=images.labels[:40],
        groups=np.arange(40),
        fixed_split=("",) * 40,
        paths=images.paths[:40],
    )
    with pytest.raises(DataError, match="at least 16 images in the test split, found 10"):
        run(few)


def test_labels_that_do_not_suffice_for_a_probe_leave_a_label_free_study_alone() -> None:
    images = without_labels(small_images(), kept=3)
    bench = Bench.build(images, config_with("rankme"), seed=0, device=CPU)
    outcome = bench.untrained(replicate=0, scored="test")
    assert outcome.score == outcome.label_free["rankme"]
    assert outcome.probe is None


def test_a_label_free_search_of_labelled_images_shows_the_probe_beside() -> None:
    images = small_images(images_per_class=16)
    by_probe, blind = (
        Bench.build(images, config_with(score), seed=0, device=CPU).try_policy(
            crop_only(), replicate=0, steps=4, rungs=[2]
        )
        for score in ("probe", "alignment_uniformity")
    )
    assert by_probe.score == by_probe.probe == by_probe.curve[-1][1]
    assert blind.score == blind.label_free["alignment_uniformity"] == blind.curve[-1][1]
    assert blind.probe == by_probe.probe
    assert blind.label_free == by_probe.label_free
    assert set(blind.label_free) == set(SCORES)


def test_outcomes_stored_before_there_were_label_free_scores_are_read() -> None:
    stored = {
        "score": 0.5, "draw_scores": [0.4, 0.6], "full_probe": 0.6, "knn": 0.5,
        "class_recall": {"a": 0.5}, "curve": [[4, 0.5]], "losses": [], "steps": 4,
        "images_per_second": 1.0, "seconds": {}, "peak_memory_mb": 0.0,
    }  # fmt: skip
    outcome = Outcome.model_validate_json(json.dumps(stored))
    assert outcome.label_free == {}
    assert outcome.probe == outcome.score
