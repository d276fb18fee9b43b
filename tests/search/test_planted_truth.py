"""Does the product find what is known to be true? Minutes of training: run with `-m slow`."""

import numpy as np
import pytest

from augsearch.data.surfaces import SurfaceSpec, draw_surfaces
from augsearch.engines.processes import process_count, run_jobs
from augsearch.search.bench import Bench
from augsearch.search.config import load_study_config
from augsearch.search.study import run_study
from augsearch.simclr.device import resolve_device
from augsearch.space.policy import Policy
from augsearch.space.presets import find_config

pytestmark = pytest.mark.slow

SEEDS = (0, 1, 2, 3)
BASE = [
    {"op": "resized_crop", "p": 1.0, "scale_min": 0.2},
    {"op": "color_jitter", "p": 0.8, "brightness": 0.6, "contrast": 0.4},
]
POLICIES = {
    "base": BASE,
    "hue jitter": [*BASE, {"op": "color_jitter", "name": "hue", "p": 1.0, "hue": 0.5}],
    "rotation": [*BASE, {"op": "rotation", "p": 1.0, "degrees": 180.0}],
}
_bench: dict[str, Bench] = {}


def prepare(label):
    config = load_study_config(find_config("quick", "studies"))
    images = draw_surfaces(SurfaceSpec(label=label, images_per_class=150))
    _bench["bench"] = Bench.build(images, config, seed=0, device=resolve_device("cpu"))


def score(job):
    name, replicate = job
    policy = Policy.model_validate({"ops": POLICIES[name]})
    return _bench["bench"].try_policy(policy, replicate=replicate, steps=200).score


def effects(label):
    """Gain of each op over the base policy, one number for each seed."""
    jobs = [(name, seed) for seed in SEEDS for name in POLICIES]
    scores = dict(
        run_jobs(
            score,
            jobs,
            processes=process_count(1, len(jobs)),
            threads=1,
            prepare=prepare,
            shared=(label,),
        )
    )
    return {
        name: np.array([scores[name, seed] - scores["base", seed] for seed in SEEDS])
        for name in ("hue jitter", "rotation")
    }


def test_hue_jitter_and_rotation_change_sign_with_the_factor_that_carries_the_label():
    hue, orientation = effects("hue"), effects("orientation")
    print("where hue carries the label:", hue)
    print("where orientation carries the label:", orientation)
    assert hue["hue jitter"].mean() < -0.1
    assert hue["rotation"].mean() > 0
    assert orientation["hue jitter"].mean() > 0.1
    assert orientation["rotation"].mean() < -0.1


@pytest.mark.parametrize("seed", [0, 1])
def test_shuffled_labels_make_better_vanish(seed):
    images = draw_surfaces(SurfaceSpec(images_per_class=100, shuffle_labels=True, seed=seed))
    result = run_study(
        "factory", data=images, study="quick", trials=4, seed=seed, name="shuffled", device="cpu"
    )
    print(result.verdict.sentence)
    assert result.verdict.code != "better"
    scores = [s for policy in result.policies for s in policy.confirmed_scores]
    assert np.mean(scores) == pytest.approx(1 / 6, abs=0.04)
