"""Does the product find what is known to be true? The full version takes minutes: `-m slow`."""

import numpy as np
import pytest

from augsearch.bench.bench import UNTRAINED
from augsearch.data.embedded.domains import DOMAINS
from augsearch.data.embedded.surfaces import SurfaceSpec, draw_surfaces
from augsearch.search.selftest.planted import (
    SPACE,
    PlantedRun,
    effects,
    paired_gain,
    planted_jobs,
    score_jobs,
)
from augsearch.verbs.run import run_study

pytestmark = pytest.mark.long

SEEDS = (3000, 3001, 3002, 3003)  # used nowhere else
STEPS = 200


@pytest.mark.parametrize(
    "label",
    [name if name == "hue" else pytest.param(name, marks=pytest.mark.slow) for name in DOMAINS],
)
def test_what_destroys_the_label_is_seen_within_seconds(label):
    domain = DOMAINS[label]
    jobs = [PlantedRun(label, policy, SEEDS[0], steps=60) for policy in ("base", *domain.destroys)]
    scores = {job.policy: score for job, score in score_jobs(jobs, processes=1)}
    print(scores)
    assert all(scores[policy] < scores["base"] - 0.02 for policy in domain.destroys)


def test_what_varies_the_nuisance_is_seen_to_help_within_seconds():
    jobs = [
        PlantedRun("orientation", policy, SEEDS[0], steps=60) for policy in ("base", "hue jitter")
    ]
    scores = {job.policy: score for job, score in score_jobs(jobs, processes=1)}
    assert scores["hue jitter"] > scores["base"] + 0.1


def test_a_gain_is_paired_by_seed():
    gain = paired_gain([0.5, 0.7, 0.9], [0.4, 0.6, 0.81])
    assert gain.mean == pytest.approx(0.29 / 3)
    # Student's t for two degrees of freedom is 4.303 at 97.5 %.
    reach = 4.3027 * np.std([0.1, 0.1, 0.09], ddof=1) / np.sqrt(3)
    assert (gain.low, gain.high) == pytest.approx((gain.mean - reach, gain.mean + reach), rel=1e-4)


def test_an_effect_is_found_only_where_its_whole_interval_lies_on_the_right_side():
    scores = {"base": [0.5, 0.6, 0.7], "rotation": [0.3, 0.39, 0.51], "hue jitter": [0.4, 0.7, 0.8]}
    hurt, helped = effects(DOMAINS["orientation"], scores)
    assert (hurt.op, hurt.expected, hurt.found) == ("rotation", "hurts", True)
    assert (helped.op, helped.expected, helped.found) == ("hue jitter", "helps", False)


@pytest.mark.slow
@pytest.mark.parametrize("label", DOMAINS)
def test_every_planted_truth_is_found_on_unseen_instances(label):
    domain = DOMAINS[label]
    jobs = planted_jobs([label], SEEDS, STEPS)
    found = dict(score_jobs(jobs))
    policies = (UNTRAINED, *domain.policies())
    scores = {
        name: [found[PlantedRun(label, name, seed, STEPS)] for seed in SEEDS] for name in policies
    }
    for effect in effects(domain, scores):
        print(label, effect)
        assert effect.found if effect.expected == "hurts" else effect.gain.mean > 0.01
    best = max(domain.matches, key=lambda name: np.mean(scores[name]))
    assert np.mean(scores[UNTRAINED]) < np.mean(scores[best]) - 0.05


@pytest.mark.slow
def test_a_study_beats_simclr_where_that_destroys_the_label():
    images = draw_surfaces(SurfaceSpec("orientation", images_per_class=150, seed=3000))
    result = run_study(SPACE, data=images, study="quick", seed=3000, name="planted", device="cpu")
    print(result.verdict.sentence)
    assert result.verdict.code == "better"


@pytest.mark.slow
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
