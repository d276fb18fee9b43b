"""Several processes that train together are one process with the joint batch."""

import multiprocessing
import os
import socket
from datetime import timedelta
from functools import partial

import pytest
import torch
import torch.distributed as dist
from timm.layers.norm_act import BatchNormAct2d
from torch import nn

from augsearch.errors import DataError, DeviceError
from augsearch.simclr.accumulate import backward
from augsearch.simclr.loss import nt_xent
from augsearch.simclr.ranks import ALONE, JointBatchNorm, Ranks, joined
from augsearch.verbs.distill import distill
from augsearch.verbs.finetune import finetune
from augsearch.verbs.pilot import pilot

IMAGES = 6
WORLD = 2


def network():
    """Batch norm of torch and of timm, in float64."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Conv2d(4, 5, 3, bias=False),
        BatchNormAct2d(5),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    ).double()


def head():
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Linear(5, 6, bias=False), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3)
    ).double()


def views():
    torch.manual_seed(2)
    return torch.randn(2, IMAGES, 2, 8, 8, dtype=torch.float64)


def step(ranks, chunk):
    """Loss, gradients and statistics of this rank's part of the batch."""
    encoder, project = ranks.joint(network()), ranks.joint(head())
    mine = views()[:, ranks.part(IMAGES)].flatten(0, 1)
    loss = backward(
        encoder,
        project,
        mine,
        loss_of=partial(nt_xent, temperature=0.2),
        chunk_size=chunk,
        separate=False,
        reseed=lambda _: None,
        buffers_of=encoder,
        ranks=ranks,
    )
    parameters = [*encoder.parameters(), *project.parameters()]
    ranks.sum_gradients(parameters)
    state = {**encoder.state_dict(), **{f"head.{k}": v for k, v in project.state_dict().items()}}
    return loss, [p.grad for p in parameters], state


def one_rank(rank, port, chunk, answers):
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    dist.init_process_group("gloo", rank=rank, world_size=WORLD, timeout=timedelta(seconds=60))
    loss, gradients, state = step(Ranks(rank, WORLD, rank), chunk)
    answers.put(
        (rank, loss.item(), [g.tolist() for g in gradients], state["1.running_var"].tolist())
    )
    dist.destroy_process_group()


def in_ranks(chunk):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    processes = [
        context.Process(target=one_rank, args=(rank, port, chunk, answers)) for rank in range(WORLD)
    ]
    for process in processes:
        process.start()
    found = sorted(answers.get(timeout=120) for _ in processes)
    for process in processes:
        process.join(30)
    return found


@pytest.mark.long
def test_loss_and_gradients_are_those_of_one_process_with_the_joint_batch():
    loss, gradients, state = step(ALONE, chunk=IMAGES)
    for _, its_loss, its_gradients, its_variance in in_ranks(chunk=IMAGES):
        assert its_loss == pytest.approx(loss.item(), abs=1e-12)
        for mine, whole in zip(its_gradients, gradients, strict=True):
            assert torch.allclose(torch.tensor(mine, dtype=whole.dtype), whole, rtol=0, atol=1e-8)
        assert its_variance == pytest.approx(state["1.running_var"].tolist(), abs=1e-12)


@pytest.mark.long
def test_ranks_agree_when_each_takes_its_part_in_chunks():
    (_, loss, gradients, _), (_, other_loss, other, _) = in_ranks(chunk=2)
    assert loss == other_loss
    for mine, its in zip(gradients, other, strict=True):
        assert torch.allclose(torch.tensor(mine), torch.tensor(its), rtol=0, atol=1e-12)


def test_joint_batch_norm_has_the_keys_and_in_evaluation_the_values_of_what_it_replaces():
    plain, replaced = network().eval(), network().eval()
    Ranks(0, 2).joint(replaced)
    assert sum(isinstance(m, JointBatchNorm) for m in replaced.modules()) == 2
    assert list(plain.state_dict()) == list(replaced.state_dict())
    images = views()[0]
    assert torch.allclose(plain(images), replaced(images), rtol=0, atol=1e-12)


def test_what_takes_no_statistics_is_left_as_it_is():
    body = network()
    still = (body[1],)
    Ranks(0, 2).joint(body, still)
    assert isinstance(body[1], nn.BatchNorm2d) and isinstance(body[4], JointBatchNorm)


def test_sixteen_bits_keep_the_precision_of_the_statistics():
    norm = nn.BatchNorm2d(3).eval()
    norm.running_mean.fill_(100.3)
    inputs = (100.3 + torch.randn(4, 3, 5, 5)).bfloat16()
    joint = JointBatchNorm(norm)
    assert joint(inputs).dtype == torch.bfloat16
    wanted = norm(inputs.float())
    assert torch.allclose(joint(inputs).float(), wanted, atol=0.02)


def test_a_cluster_without_torchrun_is_told(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    for name in ("RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(DeviceError, match=r"RANK, LOCAL_RANK.* is not there"), joined("cpu"):
        pass


def test_parts_of_a_batch():
    ranks = [Ranks(rank, 3) for rank in range(3)]
    assert [each.batch(32, 100) for each in ranks] == [30, 30, 30]
    assert ranks[0].batch(32, 20) == 18
    assert [list(range(30))[each.part(30)] for each in ranks] == [
        list(range(10)), list(range(10, 20)), list(range(20, 30)),
    ]  # fmt: skip
    with joined("cpu") as alone:
        assert alone == ALONE


def test_a_batch_must_be_enough_for_every_rank():
    from augsearch.augment.baselines import BASELINES
    from augsearch.augment.build import Renderer
    from augsearch.simclr.config import PretrainConfig
    from augsearch.simclr.encoders.config import EncoderConfig
    from augsearch.simclr.pretrain import Pretraining

    with pytest.raises(DataError, match="3 processes need at least 6 images a step, found 5"):
        Pretraining(
            torch.zeros(5, 3, 16, 16, dtype=torch.uint8),
            Renderer.build(BASELINES["crop only"]).function(0, 0),
            EncoderConfig(width=8, stages=2),
            PretrainConfig(steps=1),
            seed=0,
            device=torch.device("cpu"),
            mean=[0.5] * 3,
            std=[0.25] * 3,
            ranks=Ranks(0, 3),
        )


@pytest.mark.parametrize("executor", ["kornia", "fused"])
def test_ranks_draw_what_one_process_would(executor):
    from augsearch.augment.baselines import BASELINES
    from augsearch.augment.build import Renderer

    torch.manual_seed(0)
    images = torch.randint(0, 256, (6, 3, 16, 16), dtype=torch.uint8)
    renderer = Renderer.build(BASELINES["SimCLR s=1"], executor)
    whole = renderer(images, 16, seed=3, step=5)
    parts = [
        renderer(images[part], 16, seed=3, step=5, first=part.start).chunk(2)
        for part in (Ranks(rank, 3).part(6) for rank in range(3))
    ]
    joint = torch.cat([view for number in (0, 1) for view in (part[number] for part in parts)])
    assert torch.allclose(joint, whole, rtol=0, atol=1e-6)


@pytest.mark.parametrize("verb", [finetune, distill, pilot])
def test_what_works_in_one_process_says_so_to_several(monkeypatch, verb):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(DeviceError, match=f"{verb.__name__} works in one process"):
        verb("nothing")
