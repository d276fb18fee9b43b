"""The bench: where the pool lies changes no result."""

from __future__ import annotations

import pytest
import torch
from small_study import small_config, small_images

from augsearch.augment.baselines import crop_only
from augsearch.data.imageset import ImageRows
from augsearch.search import bench as bench_module
from augsearch.search.bench import Bench
from augsearch.search.confirm import scored_images

CPU = torch.device("cpu")


def test_a_pool_too_large_for_the_device_is_streamed_with_the_same_outcome(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    images, config = small_images(), small_config()
    resident = Bench.build(images, config, seed=0, device=CPU)
    monkeypatch.setattr(bench_module, "POOL_SHARE", 0)
    streamed = Bench.build(images, config, seed=0, device=CPU)
    assert isinstance(resident.images, torch.Tensor)
    assert isinstance(streamed.images, ImageRows)
    one, other = (
        bench.try_policy(crop_only(), replicate=0, steps=8, rungs=[4])
        for bench in (resident, streamed)
    )
    assert one.losses == other.losses
    assert one.draw_scores == other.draw_scores


def test_hits_on_the_sealed_images_add_up_to_the_score() -> None:
    bench = Bench.build(small_images(), small_config(), seed=0, device=CPU)
    outcome = bench.untrained(replicate=1, scored="test")
    images = scored_images(bench)
    assert images is not None
    shares = images.shares([outcome])
    assert shares is not None
    recall = [shares[0][images.labels == label].mean() for label in range(6)]
    assert sum(recall) / 6 == pytest.approx(outcome.score)
    assert not bench.untrained(replicate=1, scored="validation").hits
