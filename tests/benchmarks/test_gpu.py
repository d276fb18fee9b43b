"""The GPU benchmark runs with few packages, keeps what it found, and compares equal things."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from augsearch.simclr.encoders.build import build_encoder
from augsearch.simclr.loss import nt_xent
from benchmarks.gpu import run as gpu
from benchmarks.gpu.at_once import StackedWeights
from benchmarks.gpu.device_run import Report, Run
from benchmarks.gpu.scale import POLICY, TOY
from benchmarks.shared.kornia_eager import kornia_eager
from benchmarks.speed.augmentation import smooth_images
from benchmarks.speed.step import GPU_CASES

ROOT = Path(__file__).parents[2]
MISSING = ("optuna", "mlflow", "psutil", "timm", "typer", "rich", "matplotlib", "filelock")


@pytest.fixture(autouse=True)
def as_it_was():
    threads = torch.get_num_threads()
    with torch.random.fork_rng():
        yield
    torch.set_num_threads(threads)


@pytest.mark.slow
def test_quick_run_where_most_packages_are_missing(tmp_path):
    """In processes that the benchmark starts, too: every Python begins with sitecustomize."""
    lines = ["import sys", *(f"sys.modules[{name!r}] = None" for name in MISSING)]
    (tmp_path / "sitecustomize.py").write_text("\n".join(lines))
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu.run", "--device=cpu", "--quick", "--out", tmp_path],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "gpu-cpu-quick.json").read_text())
    assert found["left_out"] == []
    parts = found["parts"]
    assert parts["f waiting"][0]["draws_equal_cpu"]
    assert {t["name"] for t in parts["a steps"][0]["timings"]} >= {"encoder only", "fused"}
    assert len(parts["b views"][0]["timings"]) == 4
    ways = {way["way"]: way["gain"] for way in parts["d at once"][0]["ways"]}
    assert set(ways) == {"processes", "threads, own streams", "stacked weights"}
    assert all(gain > 0 for gain in ways.values())
    assert parts["c trials, medians"][0]["busy_in_training"] == "unknown"
    assert parts["e modes"][0]["timings"][0]["ratio"] == 1


def test_what_there_is_no_time_for_is_named(tmp_path, capsys):
    assert gpu.main(["--device=cpu", "--quick", "--minutes=0", "--out", str(tmp_path)]) == 0
    found = json.loads((tmp_path / "gpu-cpu-quick.json").read_text())
    assert found["parts"] == {}
    assert found["left_out"] == [f"part {letter}: no time left" for letter in gpu.PARTS]
    assert capsys.readouterr().out.count("no time left") == len(gpu.PARTS)


@pytest.mark.parametrize(
    ("argument", "words"),
    [("--parts=az", "no part z; there are fbadce"), ("--device=gpu", "unknown device 'gpu'")],
)
def test_what_does_not_exist_is_refused(capsys, argument, words):
    with pytest.raises(SystemExit) as stopped:
        gpu.main([argument])
    assert stopped.value.code == 2
    assert words in capsys.readouterr().err


def test_what_cannot_run_is_left_out_with_the_reason(tmp_path):
    report = Report("trouble", tmp_path, deadline=time.monotonic() + 60)
    run = Run(torch.device("cpu"), report, repeats=1, warmup=0)

    def broken():
        raise RuntimeError("no compiler\nfor this")

    found = run.working("a step", {"first": lambda: int, "compiled": broken, "last": lambda: int})
    assert list(found) == ["first", "last"]
    assert report.troubles == ["a step, compiled: RuntimeError: no compiler"]
    assert not report.failed
    run.attempt("part x", lambda: run.working("a step", {"compiled": broken, "last": lambda: int}))
    assert report.troubles[1:] == ["part x: RuntimeError: no compiler\nfor this"]
    assert report.failed


def test_stacked_weights_learn_as_each_network_alone():
    stacked = StackedWeights(TOY, 3, torch.device("cpu"))
    views = torch.randn(3, 16, 3, 16, 16)
    losses = stacked.losses(views)
    losses.sum().backward()
    assert len(set(losses.tolist())) == 3
    for trial, network in enumerate(stacked.networks):
        first, second = network(views[trial]).chunk(2)
        alone = nt_xent(first, second, TOY.config().temperature)
        alone.backward()
        torch.testing.assert_close(losses[trial], alone)
        for name, weight in network.named_parameters():
            torch.testing.assert_close(stacked.weights[name].grad[trial], weight.grad)


def test_vit_small_is_the_published_one():
    (config,) = (case.encoder for case in GPU_CASES if "ViT" in case.name)
    encoder = build_encoder(config, 3, 224)
    assert encoder.feature_dim == 384
    # Touvron et al. 2021, table 1: 22 million with the classifier, whose 1,000 x 385 are missing.
    weights = sum(parameter.numel() for parameter in encoder.parameters())
    assert weights == 22_050_664 - 385_000


def test_kornia_tuned_makes_views_of_the_same_kind():
    images = smooth_images(512, 32, torch.device("cpu"))
    means = []
    for tuned_for in (None, torch.device("cpu")):
        torch.manual_seed(0)
        first, second = kornia_eager(POLICY, 32, tuned_for)(images)
        assert first.shape == second.shape == (512, 3, 32, 32)
        assert not torch.equal(first, second)
        assert -1e-5 <= first.min() <= first.max() <= 1 + 1e-5
        means.append(float(first.mean()))
    assert means[0] == pytest.approx(means[1], abs=0.05)
