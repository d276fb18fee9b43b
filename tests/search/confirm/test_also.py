"""Beside the confirmation: the winner where labels train the encoder."""

import numpy as np
import pytest
from small_study import small_config, small_images, small_space

from augsearch.progress import Quiet
from augsearch.search.confirm.also import NONE, _compared
from augsearch.search.result.mlflow_page import description
from augsearch.search.result.result import load_result
from augsearch.stats.scored_images import ScoredImages
from augsearch.store.database import open_storage
from augsearch.store.frame import study_frame
from augsearch.store.runs import ALSO
from augsearch.store.study_store import Store
from augsearch.study.reopen import reopen
from augsearch.study_file import StudyConfig, load_study_config
from augsearch.verbs.report import report_study
from augsearch.verbs.run import run_study
from augsearch.verbs.studies import stored_study

STORAGE = "sqlite:///augsearch.db"


def asking(config):
    confirm = config.confirm.model_copy(update={"also": ("supervised",)})
    return config.model_copy(update={"confirm": confirm})


def test_standard_asks_for_it_and_it_decides_no_digest():
    assert StudyConfig().confirm.also == ("supervised",)
    assert small_config().digest == asking(small_config()).digest


@pytest.mark.long
def test_a_finished_study_gets_it_later_and_says_it_everywhere():
    images = small_images()
    before = run_study(small_space(), data=images, study=small_config(), name="s")
    assert before.supervised is None
    result = run_study(small_space(), data=images, study=asking(small_config()), name="s")
    found = result.supervised
    assert found is not None
    assert load_study_config(result.files["study.json"]).confirm.also == ("supervised",)
    assert {policy.name for policy in found.policies} >= {found.winner, NONE}
    assert len(found.policies) == 3
    assert len(found.gains) == 2
    assert result.verdict == before.verdict  # it is a sentence of its own
    assert found.sentence in description(result)
    assert result.policies == before.policies
    assert load_result("runs/s").supervised == found
    page = report_study("s", data=images)
    assert "With labels instead of SimCLR" in page.read_text()
    assert found.sentence in page.with_suffix(".md").read_text().replace("\\", "")
    store = Store(open_storage(STORAGE), "s")
    runs = store.outcomes(ALSO)
    assert len(runs) == 15
    setup = reopen("s", storage=STORAGE, data=images, device="cpu", progress=Quiet())
    sealed = len(setup.bench.split.test)
    assert all(len(outcome.hits) == sealed for outcome in runs.values())
    frame = study_frame("s")
    assert set(frame[frame.kind == ALSO].scored_on) == {"test"}
    assert {row.scored_on for row in stored_study(STORAGE, "s").rows if row.kind == ALSO} == {
        "test"
    }
    assert "failed" not in stored_study(STORAGE, "s").sections
    again = run_study(small_space(), data=images, study=asking(small_config()), name="s")
    assert again.supervised == found
    assert len(Store(open_storage(STORAGE), "s").outcomes(ALSO)) == 15


@pytest.mark.long
def test_without_labels_to_train_with_it_is_not_tried():
    config = asking(small_config())
    evaluate = config.evaluate.model_copy(update={"score": "lidar"})
    free = config.model_copy(update={"evaluate": evaluate})
    result = run_study(small_space(), data=small_images(images_per_class=40), study=free)
    assert result.supervised is None


class Reading:
    seen = ()

    def __init__(self, hits):
        self.hits = tuple(int(hit) for hit in hits)
        self.score = float(np.mean(hits))


def test_its_intervals_hold_together_for_other_seeds_and_images():
    """Crossed random effects with a known truth: both differences are enclosed in 95 %."""
    rng, images, seeds, studies = np.random.default_rng(1), 120, 5, 400
    truth = {"trial 1": 0.62, "crop only": 0.58, NONE: 0.5}
    sample = ScoredImages(np.zeros(images, int), np.arange(images), draws=20, by_class=False)
    bench = type("B", (), {})()
    bench.config = StudyConfig()
    missed = 0
    for _ in range(studies):
        common = rng.normal(0, 0.15, images)
        outcomes = {}
        for name, mean in truth.items():
            own = mean + common + rng.normal(0, 0.1, images)
            shift = rng.normal(0, 0.02, (seeds, 1))
            outcomes[name] = [Reading(rng.random(images) < row) for row in own + shift]
        found = _compared(bench, "trial 1", outcomes, sample)
        missed += any(
            not gain.low <= truth["trial 1"] - truth[gain.against] <= gain.high
            for gain in found.gains
        )
    assert missed / studies < 0.08
