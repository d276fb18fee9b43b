"""The comparison with other libraries runs, and runs without them."""

import importlib.util
import sys
from pathlib import Path

import pytest
import torch

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
PEERS = ("lightly", "albumentations", "stable_pretraining")


@pytest.fixture
def peers(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    for name in PEERS:
        monkeypatch.setitem(sys.modules, name, None)  # importing it fails, installed or not
    threads = torch.get_num_threads()
    spec = importlib.util.spec_from_file_location("peers", BENCHMARKS / "peers.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "peers", module)
    with torch.random.fork_rng():
        spec.loader.exec_module(module)
        yield module
    torch.set_num_threads(threads)


def test_quick_run_without_any_peer(peers, capsys):
    peers.main(["--quick"])
    lines = capsys.readouterr().out.splitlines()
    missing = [line for line in lines if "not installed" in line]
    ours = [line for line in lines if peers.OURS in line]
    assert len(missing) == 2 * len(PEERS) + 2 * 3  # views of two sizes, training with two stems
    assert len(ours) == 4
    assert all(line.endswith("1.00  1.00-1.00") for line in ours)  # compared with itself


def test_unknown_option_is_refused(peers):
    with pytest.raises(SystemExit) as stopped:
        peers.main(["--slow"])
    assert stopped.value.code == 2


def test_pipelines_here_meet_the_policy(peers):
    policy = peers.Policy(16)
    images = peers.smooth_images(64, 16)
    pairs = peers.torchvision_pairs(images, policy)
    ours = peers.check_views(64, peers.augsearch_views(policy, "fused")(images, 0), 16)
    for views in (
        peers.augsearch_views(policy, "kornia")(images, 0),
        peers.kornia_views(policy)(images, 0),
        pairs.batch(0, 64),
    ):
        assert peers.check_views(64, views, 16) == pytest.approx(ours, rel=0.2)


def test_views_that_are_wrong_are_noticed(peers):
    views = peers.augsearch_views(peers.Policy(16), "fused")(peers.smooth_images(8, 16), 0)
    with pytest.raises(AssertionError, match="shape"):
        peers.check_views(8, views, 32)
    with pytest.raises(AssertionError, match="pixels run"):
        peers.check_views(8, (views[0], views[1] * 255), 16)
    with pytest.raises(AssertionError, match="same"):
        peers.check_views(8, (views[0], views[0]), 16)


def test_loader_gives_one_epoch_after_another(peers):
    images = torch.zeros(6, 3, 8, 8)
    loader = peers.loader_of(peers.Pairs(list(images), lambda x: (x, x + 1)), 4, 0)
    views_from = peers.views_from(loader)
    for _ in range(3):  # each an epoch: the incomplete batch is dropped
        first, second = views_from(images, 0)
        assert first.shape == (4, 3, 8, 8)
        assert torch.equal(second, first + 1)


def test_the_fastest_number_of_workers_is_taken(peers, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(peers.time, "perf_counter", lambda: clock[0])

    def build(workers):
        def epoch():
            clock[0] += {0: 3.0, 1: 1.0, 2: 2.0}[workers]
            return workers

        return epoch

    tried = {}
    scale = peers.Scale(workers=(0, 1, 2), images=6, batch=2)
    assert peers.fastest(build, scale, tried)() == 1
    assert tried == {0: 2.0, 1: 6.0, 2: 3.0}
