"""The comparison with other libraries runs, and runs without them."""

import sys
import time

import pytest
import torch

from benchmarks.peers import compare, training, views
from benchmarks.peers.contest import OURS, Scale

PEERS = ("lightly", "albumentations", "stable_pretraining")


@pytest.fixture(autouse=True)
def no_peers(monkeypatch):
    for name in PEERS:
        monkeypatch.setitem(sys.modules, name, None)  # importing it fails, installed or not
    threads = torch.get_num_threads()
    with torch.random.fork_rng():
        yield
    torch.set_num_threads(threads)


def test_quick_run_without_any_peer(capsys):
    compare.main(["--quick"])
    lines = capsys.readouterr().out.splitlines()
    missing = [line for line in lines if "not installed" in line]
    ours = [line for line in lines if OURS in line]
    assert len(missing) == 2 * len(PEERS) + 2 * 3  # views of two sizes, training with two stems
    assert len(ours) == 4
    assert all(line.endswith("1.00  1.00-1.00") for line in ours)  # compared with itself


def test_unknown_option_is_refused():
    with pytest.raises(SystemExit) as stopped:
        compare.main(["--slow"])
    assert stopped.value.code == 2


def test_pipelines_here_meet_the_policy():
    policy = views.Policy(16)
    images = views.smooth_images(64, 16)
    pairs = views.torchvision_pairs(images, policy)
    ours = views.check_views(64, views.augsearch_views(policy, "fused")(images, 0), 16)
    for pair in (
        views.augsearch_views(policy, "kornia")(images, 0),
        views.kornia_views(policy)(images, 0),
        pairs.batch(0, 64),
    ):
        assert views.check_views(64, pair, 16) == pytest.approx(ours, rel=0.2)


def test_views_that_are_wrong_are_noticed():
    pair = views.augsearch_views(views.Policy(16), "fused")(views.smooth_images(8, 16), 0)
    with pytest.raises(AssertionError, match="shape"):
        views.check_views(8, pair, 32)
    with pytest.raises(AssertionError, match="pixels run"):
        views.check_views(8, (pair[0], pair[1] * 255), 16)
    with pytest.raises(AssertionError, match="same"):
        views.check_views(8, (pair[0], pair[0]), 16)


def test_loader_gives_one_epoch_after_another():
    images = torch.zeros(6, 3, 8, 8)
    loader = training.loader_of(views.Pairs(list(images), lambda x: (x, x + 1)), 4, 0)
    views_from = training.views_from(loader)
    for _ in range(3):  # each an epoch: the incomplete batch is dropped
        first, second = views_from(images, 0)
        assert first.shape == (4, 3, 8, 8)
        assert torch.equal(second, first + 1)


def test_the_fastest_number_of_workers_is_taken(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])

    def build(workers):
        def epoch():
            clock[0] += {0: 3.0, 1: 1.0, 2: 2.0}[workers]
            return workers

        return epoch

    tried = {}
    scale = Scale(workers=(0, 1, 2), images=6, batch=2)
    assert training.fastest(build, scale, tried)() == 1
    assert tried == {0: 2.0, 1: 6.0, 2: 3.0}
