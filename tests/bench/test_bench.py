"""The bench: where the pool lies changes no result."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from small_study import small_config, small_images

from augsearch.augment.baselines import crop_only
from augsearch.bench import bench as bench_module
from augsearch.bench.bench import Bench
from augsearch.bench.scoring import features_of
from augsearch.bench.supervised import try_supervised
from augsearch.data.cache import load_images
from augsearch.data.imageset import ImageRows
from augsearch.search.confirm.confirmation import scored_images
from augsearch.space.policy import Policy

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


def test_fresh_seeds_have_labels_of_their_own_and_all_policies_of_a_seed_the_same() -> None:
    config = small_config()
    wanted = config.evaluate.model_copy(update={"labels_per_class": 4})
    config = config.model_copy(update={"evaluate": wanted})
    bench = Bench.build(small_images(), config, seed=0, device=CPU)
    again = Bench.build(small_images(), config, seed=0, device=CPU)
    other = Bench.build(small_images(), config, seed=1, device=CPU)

    def labelled(bench: Bench, replicate: int) -> list[list[int]]:
        return [draw.fit.tolist() for draw in bench.label_draws("test", replicate)]

    sets = [labelled(bench, replicate) for replicate in range(4)]
    assert all(one != two for i, one in enumerate(sets) for two in sets[:i])
    assert labelled(again, 2) == sets[2] != labelled(other, 2)
    assert labelled(bench, 0) == [draw.fit.tolist() for draw in bench.draws["test"]]
    test = bench.draws["test"][0].score.tolist()
    assert all(draw.score.tolist() == test for draw in bench.label_draws("test", 3))


def test_what_sealed_images_are_mistaken_for_adds_up() -> None:
    bench = Bench.build(small_images(), small_config(), seed=0, device=CPU)
    outcome = bench.untrained(replicate=1, scored="test")
    rows = bench.scored_rows(bench.split.test)
    labels, draws = bench.image_set.labels[rows], bench.config.evaluate.draws
    missed = draws - np.array(outcome.hits)
    assert missed.any()
    lost = np.zeros(len(rows), dtype=int)
    for place, other, times in outcome.mistakes:
        assert other != labels[place] and times > 0
        lost[place] += times
    assert (lost == missed).all()
    assert bench.untrained(replicate=1, scored="validation").mistakes is None


def test_the_untrained_encoder_has_statistics_of_clean_pool_images() -> None:
    bench = Bench.build(small_images(), small_config(), seed=0, device=CPU)
    run = bench.pretraining(Policy(ops=()), replicate=1, steps=1)
    weights = [w.detach().clone() for w in run.encoder.parameters()]
    torch.manual_seed(7)
    before = torch.get_rng_state()
    run.take_statistics()
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(a, b) for a, b in zip(weights, run.encoder.parameters(), strict=True))
    # In the first layer they are what the pool itself gives: nothing sealed has a part in it.
    norm = next(m for m in run.encoder.modules() if isinstance(m, torch.nn.BatchNorm2d))
    seen: list[torch.Tensor] = []
    norm.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    pool = bench.split.pool
    features_of(bench, run.encoder, pool)
    mean = torch.cat(seen).mean(dim=(0, 2, 3))
    assert torch.allclose(norm.running_mean, mean, atol=0.05 * mean.abs().max().item() + 0.02)
    assert bench.untrained(replicate=1, scored="test").hits == (
        bench.untrained(replicate=1, scored="test").hits
    )


def test_hits_on_the_sealed_images_add_up_to_the_score() -> None:
    bench = Bench.build(small_images(), small_config(), seed=0, device=CPU)
    outcome = bench.untrained(replicate=1, scored="test")
    images = scored_images(bench)
    assert images is not None
    shares = images.shares([outcome])
    assert shares is not None
    recall = [shares[0][images.labels == label].mean() for label in range(6)]
    assert sum(recall) / 6 == pytest.approx(outcome.score)
    # On the images of the search, each is scored by the draws that it is not fitted in.
    checked = bench.untrained(replicate=1, scored="validation")
    assert len(checked.hits) == len(checked.seen) == len(bench.split.pool)
    assert all(0 <= hit <= seen for hit, seen in zip(checked.hits, checked.seen, strict=True))
    assert 0 < sum(checked.seen) < len(checked.seen) * bench.config.evaluate.draws
    assert not bench.untrained(replicate=0, scored="validation").hits  # as hundreds of trials do


def test_tiles_of_a_picture_are_one_of_the_images_that_are_scored(tmp_path) -> None:
    rng = np.random.default_rng(0)
    for number, name in enumerate(("dark", "light")):
        (tmp_path / "set" / name).mkdir(parents=True)
        for picture in range(24):
            pixels = rng.integers(90 * number, 90 * number + 100, (32, 48), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "set" / name / f"{picture}.png")
    config = small_config()
    data = config.data.model_copy(update={"fit": "tile"})
    config = config.model_copy(update={"data": data})
    images = load_images(tmp_path / "set", data)
    assert len(images) == 48 * 6
    bench = Bench.build(images, config, seed=0, device=CPU)
    assert len(bench.split.test) == 12 * 6
    sample = scored_images(bench)
    assert sample is not None
    assert len(sample.labels) == 12
    policy = crop_only()
    outcomes = [
        bench.try_policy(policy, replicate=1, steps=2, scored="test"),
        try_supervised(bench, policy, replicate=1, steps=2, scored="test"),
        bench.untrained(replicate=1, scored="test"),
    ]
    assert images.picture_path(bench.split.test[0]) in {
        f"{name}/{picture}.png" for name in ("dark", "light") for picture in range(24)
    }
    assert {len(one.hits) for one in outcomes} == {12}
    wanted = config.evaluate.labels_per_class
    for draw in bench.label_draws("test", 1):
        assert len(draw.fit) == 2 * wanted * 6
    one = bench.try_policy(policy, replicate=1, steps=2)
    assert len(one.hits) == len(one.seen) == 36
