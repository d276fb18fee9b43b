"""Ablations on real runs: stored, mirrored, shared, and no cell twice."""

import html
import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from PIL import Image
from small_study import small_config, small_images

from augsearch.data.imageset import ImageSet
from augsearch.progress import Quiet
from augsearch.search.ablation.estimate import in_sentence
from augsearch.search.ablation.plan import BASE_CROP
from augsearch.search.ablation.prepare import prepare_ablation
from augsearch.search.ablation.request import AblationRequest
from augsearch.search.ablation.result import Ablation
from augsearch.space.space import Space
from augsearch.store.database import open_storage
from augsearch.store.study_store import Store
from augsearch.study_sections import AblateConfig, ComputeConfig, NoPrunerConfig
from augsearch.tracking.client import client_for, tracking_uri
from augsearch.verbs.ablate import ablate, estimate_ablation
from augsearch.verbs.report import report_study
from augsearch.verbs.studies import delete_stored, empty_studies, list_stored, stored_study

STORAGE = "sqlite:///augsearch.db"
REPORT = ("report.html", "report.md", "trials.csv")
SPACE = Space.model_validate(
    {
        "name": "small",
        "ops": [
            {"op": "resized_crop", "scale_min": {"low": 0.1, "high": 1.0}},
            {"op": "color_jitter", "p": 0.8, "hue": {"low": 0.0, "high": 0.5}},
        ],
    }
)


def config(**ablation):
    """Four steps, one process."""
    small = small_config()
    return small.model_copy(
        update={
            "pretrain": small.pretrain.model_copy(update={"steps": 4}),
            "search": small.search.model_copy(update={"pruner": NoPrunerConfig()}),
            "compute": ComputeConfig(threads=2),
            "ablate": AblateConfig(**ablation),
        }
    )


class Heard(Quiet):
    """Counts the runs that end, keeps the notes, and stops after some."""

    def __init__(self, stop_after=10**6):
        self.ended, self.notes, self.stop_after = [], [], stop_after

    def note(self, sentence):
        self.notes.append(sentence)

    def run_ended(self, run, score, remark):
        self.ended.append(run)
        if len(self.ended) == self.stop_after:
            raise KeyboardInterrupt


small = partial(
    ablate, SPACE, data=small_images(), study=config(), replicates=2, device="cpu"
)  # fmt: skip


def parents_and_children():
    client = client_for(tracking_uri())
    [experiment] = [e for e in client.search_experiments() if e.name == "augsearch"]
    runs = client.search_runs([experiment.experiment_id], max_results=1000)
    return (
        {r.info.run_name: r for r in runs if "mlflow.parentRunId" not in r.data.tags},
        [r for r in runs if "mlflow.parentRunId" in r.data.tags],
    )


@pytest.mark.long
def test_a_matrix_is_kept_drawn_and_mirrored():
    first = Heard()
    found = small(name="matrix", progress=first)
    assert len(first.ended) == 8  # four cells, two seeds
    assert "4 cells, 2 seeds, 8 runs of 4 steps on cpu; expected: " in first.notes[-1]
    files = {path.name: path for path in Path("runs/matrix").iterdir()}
    assert set(files) == {*(f"pairs-simclr.{kind}" for kind in ("json", "csv", "png")), *REPORT}
    written = Ablation.model_validate_json(files["pairs-simclr.json"].read_text())
    store = Store(open_storage(STORAGE), "matrix")
    assert written == found == Ablation.model_validate(store.kept.ablations["pairs-simclr"])
    assert files["pairs-simclr.csv"].read_text().count("\n") == 5
    with Image.open(files["pairs-simclr.png"]) as picture:
        assert picture.width > 400
    page = files["report.html"].read_text().partition("<noscript>")[0]
    assert "What was found" in page and html.escape(found.sentences[0].replace("`", "")) in page
    assert page.count("data:image/png") == 1 and "is running" not in page
    assert "--name matrix" in page
    views = [cell.scores for cell in found.cells]
    assert len(set(views)) == 4
    parents, children = parents_and_children()
    assert len(children) == 8
    assert {c.data.tags["augsearch.kind"] for c in children} == {"ablation"}
    assert any(f"{BASE_CROP} > color_jitter" == c.data.params["view1.order"] for c in children)
    note = parents["matrix"].data.tags["mlflow.note.content"]
    assert all(sentence in note for sentence in found.sentences)
    assert parents["matrix"].data.metrics["row_mean_percent/color_jitter"] == pytest.approx(
        100 * found.row_means["color_jitter"], abs=0.01
    )
    # Once more trains nothing and finds the same; more replicates train only the new ones.
    again = Heard()
    assert small(name="matrix", progress=again) == found
    assert again.ended == []
    assert "nothing is left to train" in again.notes[-1]
    [listed] = list_stored(STORAGE)
    assert (listed.name, listed.finished, listed.space) == ("matrix", 8, "small")
    assert listed.verdict == found.sentences[0]
    assert empty_studies(STORAGE) == []  # `studies clean` must not take it for an empty one
    assert len(stored_study(STORAGE, "matrix").rows) == 8
    assert delete_stored(STORAGE, "matrix").runs == 9


@pytest.mark.long
def test_a_stopped_ablation_lends_its_cells_and_a_sweep_has_a_supervised_counterpart():
    stopping = Heard(stop_after=2)
    with pytest.raises(KeyboardInterrupt):
        small(mode="leave-one-out", progress=stopping, replicates=3)
    [stopped] = list_stored(STORAGE)
    page = report_study(stopped.name).read_text()
    assert "did not come to its end: 2 runs done" in page and "--mode leave-one-out" in page
    command = stopping.notes[-2].split()
    assert command[:2] == ["augsearch", "ablate"]
    assert command[command.index("--mode") + 1] == "leave-one-out"
    rest = Heard()
    classes = small(mode="classes", progress=rest, replicates=3)
    assert len(rest.ended) == 7  # of three cells with three seeds
    assert set(stopping.ended).isdisjoint(rest.ended)
    whole = Heard()
    left = small(mode="leave-one-out", progress=whole, replicates=3)
    assert whole.ended == []
    assert left.op_gains == classes.op_gains
    assert left.class_gains == classes.class_gains
    assert {path.name for path in Path("runs", classes.study).iterdir()} == {
        *(f"classes.{kind}" for kind in ("json", "csv", "png")), "classes-gains.png", *REPORT
    }  # fmt: skip
    score = {cell.name: cell.mean for cell in left.cells}
    hue = {one.op: one.gain for one in left.op_gains}["color_jitter"]
    assert hue.points == pytest.approx(100 * (score["policy"] - score["without color_jitter"]))
    found = small(
        study=config(strengths=(0.0, 1.0), supervised=True), mode="strength", op="color_jitter"
    )
    assert [(cell.training, cell.share) for cell in found.cells] == [
        ("simclr", 0.0), ("simclr", 1.0), ("supervised", 0.0), ("supervised", 1.0)
    ]  # fmt: skip
    assert all(0 <= score <= 1 for cell in found.cells for score in cell.scores)
    assert found.cells[0].digest == found.cells[2].digest
    assert found.cells[0].scores != found.cells[2].scores
    _, children = parents_and_children()
    kinds = [child.data.tags["augsearch.kind"] for child in children]
    assert kinds.count("supervised") == 4


@pytest.mark.long
def test_a_dry_run_counts_what_is_there_and_leaves_nothing():
    before = set(Path().iterdir())
    request = AblationRequest(
        SPACE, data=small_images(), study=config(), mode="add-one", replicates=3, device="cpu"
    )
    estimate = estimate_ablation(request)
    assert (estimate.cells, estimate.done, estimate.left) == (2, 0, 6)
    assert 0 < estimate.seconds < 600
    assert in_sentence(estimate).startswith("ablation add-one-small-inspection-surfaces:")
    assert set(Path().iterdir()) == before


def test_what_does_nothing_to_grey_images_is_left_out_with_a_note():
    colour = small_images()
    grey = ImageSet(**{**vars(colour), "images": colour.images[:, :1].copy(), "digest": "grey"})
    heard = Heard()
    request = AblationRequest(
        "factory", data=grey, study=config(), mode="pairs", device="cpu",
        ops=["grayscale", "color_jitter", "gaussian_noise"],
    )  # fmt: skip
    prepared = prepare_ablation(request, heard)
    assert prepared.plan.ops == ("color_jitter", "gaussian_noise")
    assert prepared.left_out == ("grayscale",)
    assert "no effect on these images, left out: grayscale" in heard.notes
    jitter = prepared.plan.cells[0].policy.views[0][-1]
    assert jitter.values()["hue"] == 0


PROGRAM = """\
import time
from augsearch import ablate
from augsearch.progress import Quiet

class Waiting(Quiet):
    ended = 0

    def run_ended(self, run, score, remark):
        self.ended += 1
        if self.ended == 2:
            print("two cells", flush=True)
            time.sleep(600)

ablate(
    "factory", study="study.yaml", mode="add-one", ops=["color_jitter", "gaussian_noise"],
    replicates=2, subset=60, device="cpu", name="killed", progress=Waiting(),
)
"""
STUDY = """\
data: {image_size: 16}
encoder: {width: 4, stages: 1}
pretrain: {steps: 60, batch_size: 16}
evaluate: {labels_per_class: 4, draws: 10}
search: {pruner: {kind: none}}
confirm: {steps: 60}
compute: {threads: 2}
"""


@pytest.mark.long
def test_a_killed_process_leaves_its_cells_and_none_is_computed_twice():
    Path("study.yaml").write_text(STUDY)
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "two cells\n", "it ended before it could be killed"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
    kept = Store(open_storage(STORAGE), "killed").all_runs()
    heard = Heard()
    found = ablate(
        "factory", study="study.yaml", mode="add-one", ops=["color_jitter", "gaussian_noise"],
        replicates=2, subset=60, device="cpu", name="killed", progress=heard,
    )  # fmt: skip
    runs = Store(open_storage(STORAGE), "killed").all_runs()
    assert len(heard.ended) == 6 - len(kept) < 6
    assert len({(run.name, run.replicate) for run in runs}) == len(runs) == 6
    assert runs[: len(kept)] == kept
    assert len(found.cells) == 3
    _, children = parents_and_children()
    assert len(children) == 6
    assert json.loads(Path("runs/killed/add-one.json").read_text())["study"] == "killed"
