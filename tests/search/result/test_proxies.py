"""The audit of label-free scores: correlations, intervals, and who is led astray by what."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from small_study import small_config, small_images, small_space

from augsearch.augment.baselines import trivial_augment
from augsearch.bench.bench import Bench
from augsearch.bench.outcome import Outcome
from augsearch.evaluate.config import EvaluateConfig
from augsearch.evaluate.shared_views import SCORES
from augsearch.search.confirm.verdict import Verdict
from augsearch.search.result.mlflow_page import description, parent_metrics
from augsearch.search.result.proxies import (
    Proxy,
    ProxyAudit,
    audit,
    in_words,
    space_warning,
    strength,
)
from augsearch.search.result.result import PolicyResult, StudyResult
from augsearch.space.policy import Policy
from augsearch.space.space import Space
from augsearch.space.yaml_file import parse_model
from augsearch.stats.ranks import spearman


def outcome(probe: float, knn: float | None = None, **label_free: float) -> Outcome:
    return Outcome(
        score=probe, draw_scores=(probe - 0.01, probe + 0.01), full_probe=probe + 0.05,
        knn=probe if knn is None else knn, class_recall={}, curve=(), losses=(), steps=1,
        images_per_second=1.0, seconds={}, peak_memory_mb=0.0, label_free=label_free,
    )  # fmt: skip


def turning(degrees: float, hue: float) -> Policy:
    return Policy.model_validate(
        {
            "ops": [
                {"op": "rotation", "degrees": degrees},
                {"op": "color_jitter", "p": 0.8, "hue": hue},
            ]
        }
    )


def trials(count: int, seed: int = 0) -> list[tuple[Policy, Outcome]]:
    """The probe goes by hue; `honest` by the probe; `rotation` by how far a policy turns."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        degrees, hue = rng.uniform(0, 180), rng.uniform(0, 0.5)
        probe = 0.8 - 0.4 * hue + rng.normal(0, 0.02)
        found.append(
            (
                turning(degrees, hue),
                outcome(
                    probe,
                    honest=probe + rng.normal(0, 0.02),
                    rotation=0.9 - 0.003 * degrees + rng.normal(0, 0.02),
                    constant=0.5,
                ),
            )
        )
    return found


def by_name(found: list[tuple[Policy, Outcome]]) -> dict[str, Proxy]:
    result = audit(found)
    assert result is not None
    assert result.trials == len(found)
    return {proxy.name: proxy for proxy in result.proxies}


def test_a_proxy_that_goes_by_an_operation_is_flagged_and_an_honest_one_is_not() -> None:
    found = trials(24)
    proxies = by_name(found)
    assert set(proxies) == {"honest", "rotation", "knn", "full_probe"}  # a constant says nothing
    assert proxies["rotation"].confounders[0].what == "rotation"
    assert proxies["rotation"].confounders[0].correlation < -0.9
    assert "follows how strong rotation is" in proxies["rotation"].warning
    # `honest` goes with hue as well, but only because the probe does.
    assert not proxies["honest"].confounders
    assert proxies["honest"].correlation > 0.7
    probe = [o.probe for _, o in found]
    reference = stats.spearmanr([o.label_free["rotation"] for _, o in found], probe)
    assert proxies["rotation"].correlation == pytest.approx(reference.statistic)
    result = audit(found)
    assert result is not None
    assert [row[0] for row in result.rows if row[3]] == ["rotation"]
    assert result.warning("rotation") == proxies["rotation"].warning
    assert result.warning("honest") == result.warning("probe") == ""
    assert "orders 24 trials" in result.sentence
    assert next(row for row in result.rows if row[0] == "knn")[1] == "+1.00"


def test_a_proxy_that_goes_by_strength_as_a_whole_is_flagged() -> None:
    rng = np.random.default_rng(1)
    found = []
    for _ in range(30):
        degrees, hue = rng.uniform(0, 180), rng.uniform(0, 0.5)
        easy = 1 - degrees / 180 - 2 * hue * 0.8
        found.append((turning(degrees, hue), outcome(rng.uniform(0.5, 0.9), contrastive_loss=easy)))
    proxy = by_name(found)["contrastive_loss"]
    assert proxy.confounders[0].what == "overall strength"
    assert "follows the strength of policies" in proxy.warning


@pytest.mark.long
def test_unrelated_scores_are_rarely_flagged() -> None:
    falsely = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        found = [
            (
                turning(rng.uniform(0, 180), rng.uniform(0, 0.5)),
                outcome(rng.uniform(), **{name: rng.uniform() for name in "abcdef"}),
            )
            for _ in range(12)
        ]
        result = audit(found)
        assert result is not None
        falsely += any(proxy.confounders for proxy in result.proxies)
    assert falsely <= 6


def test_below_ten_trials_with_a_probe_the_audit_is_silent() -> None:
    found = trials(9)
    unprobed = found[0][1].model_copy(update={"draw_scores": ()})
    assert audit([*found, (found[0][0], unprobed)]) is None
    assert audit(trials(10)) is not None


@pytest.mark.long
def test_real_trials_are_audited_and_mlflow_is_told() -> None:
    bench = Bench.build(small_images(), small_config(), seed=0, device=torch.device("cpu"))
    rng = np.random.default_rng(0)
    found = []
    for _ in range(10):
        policy = turning(rng.uniform(0, 180), rng.uniform(0, 0.5))
        found.append((policy, bench.try_policy(policy, replicate=0, steps=2)))
    result = audit(found)
    assert result is not None
    assert {proxy.name for proxy in result.proxies} == {"knn", "full_probe", *SCORES}
    best = PolicyResult(
        name="trial 1", kind="candidate", digest=None, search_score=0.5, confirmed_scores=(),
        confirmed_mean=0.5, confirmed_interval=None, class_recall={},
    )  # fmt: skip
    verdict = Verdict.model_construct(  # type: ignore[call-arg]  # as much as is read
        code="measures_nothing", sentence="A.", basis="", advice="B.", recommended="trial 1"
    )
    study = StudyResult.model_construct(  # type: ignore[call-arg]  # as much as is read
        verdict=verdict,
        policies=(best,),
        trials={},
        metric="accuracy",
        proxies=result,
        sealed_split_uses=1,
    )
    metrics = parent_metrics(study)
    assert metrics["proxy/knn"] == next(p.correlation for p in result.proxies if p.name == "knn")
    page = description(study)
    assert result.sentence in page and "| knn | " in page
    assert ProxyAudit.model_validate_json(result.model_dump_json()) == result


def test_outcomes_without_label_free_scores_still_compare_the_probes() -> None:
    found = [(p, o.model_copy(update={"label_free": {}})) for p, o in trials(12)]
    assert set(by_name(found)) == {"knn", "full_probe"}


def test_the_interval_covers_the_truth() -> None:
    """Spearman of a bivariate normal with correlation r is 6/pi asin(r/2)."""
    rng = np.random.default_rng(0)
    truth = 6 / np.pi * np.arcsin(0.6 / 2)
    covered = 0
    for _ in range(1000):
        one = rng.normal(size=24)
        found = spearman(one, 0.6 * one + 0.8 * rng.normal(size=24))
        covered += found.low <= truth <= found.high
    assert covered == pytest.approx(950, abs=25)


def test_strength_is_the_gate_times_the_share_of_what_an_operation_can_do() -> None:
    (rotation, jitter) = turning(45, 0.1).views[0]
    assert strength(rotation) == pytest.approx(0.25)
    assert strength(jitter) == pytest.approx(0.8 * 0.2)
    flip = Policy.model_validate({"ops": [{"op": "horizontal_flip", "p": 0.5}]}).views[0][0]
    assert strength(flip) == 0.5


def test_members_of_a_group_count_by_their_share() -> None:
    rng = np.random.default_rng(0)
    found = []
    for _ in range(20):
        share = rng.uniform()
        policy = Policy.model_validate(
            {"ops": [{"op": "one_of", "p": share, "ops": [
                {"op": "rotation", "degrees": 90}, {"op": "invert"}]}]}
        )  # fmt: skip
        found.append((policy, outcome(rng.uniform(), rotation=-share)))
    whats = {c.what for c in by_name(found)["rotation"].confounders}
    assert whats == {"rotation", "invert", "overall strength"}
    assert audit([(trivial_augment(), o) for _, o in found]) is not None


def test_what_misleads_a_score_is_known_before_the_search() -> None:
    turned = parse_model(
        Space, "name: s\nops:\n  - op: rotation\n    degrees: {low: 0, high: 45}\n", "s.yaml"
    )
    assert "rotation is confounded by rotation:" in space_warning(
        turned, EvaluateConfig(score="rotation")
    )
    assert space_warning(small_space(), EvaluateConfig(score="rotation")) == ""
    assert space_warning(turned, EvaluateConfig()) == ""
    assert "color_jitter, resized_crop" in space_warning(
        small_space(), EvaluateConfig(score="lidar")
    )


def test_a_verdict_without_labels_says_so_and_one_with_labels_is_left_alone() -> None:
    verdict = Verdict.model_construct(  # type: ignore[call-arg]  # as much as is read
        code="better", sentence="A.", advice="B.", basis="Of other seeds, each with its own labels."
    )
    assert in_words(verdict, EvaluateConfig()) == verdict
    blind = in_words(verdict, EvaluateConfig(score="rankme"))
    assert blind.basis == "Of other seeds."
    assert blind.sentence.startswith("A. No label was used: points are of rankme")
    assert blind.code == "better"
