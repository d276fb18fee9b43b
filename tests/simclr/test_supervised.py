"""The supervised counterpart of a SimCLR run."""

import numpy as np
import pytest
import torch

from augsearch.augment.build import Renderer
from augsearch.errors import TrialFailure
from augsearch.simclr.config import PretrainConfig
from augsearch.simclr.encoders.config import EncoderConfig
from augsearch.simclr.supervised import LabelledImages, train_supervised
from augsearch.space.policy import Policy

CPU = torch.device("cpu")
COLOURS = ((200, 40, 40), (40, 200, 40), (40, 40, 200))


def coloured(count, seed=0):
    """Noisy images whose class is their colour."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    means = np.array(COLOURS)[labels][:, :, None, None]
    images = np.clip(means + rng.normal(0, 40, (count, 3, 16, 16)), 0, 255).astype(np.uint8)
    return torch.from_numpy(images), torch.from_numpy(labels)


def trained(ops=(), *, seed=0, **config):
    images, labels = coloured(24)
    policy = Policy.model_validate({"ops": list(ops)})
    return train_supervised(
        LabelledImages(images, labels, 3, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25)),
        Renderer.build(policy).function(seed, 0),
        EncoderConfig(width=4, stages=1),
        PretrainConfig(**{"steps": 60, "batch_size": 16, "learning_rate": 0.02, **config}),
        seed=seed,
        device=CPU,
    )


def accuracy(network):
    images, labels = coloured(60, seed=1)
    with torch.no_grad():
        predicted = network((images.float() / 255 - 0.5) / 0.25).argmax(dim=1)
    return float((predicted == labels).float().mean())


def test_it_learns_what_the_labels_say_unless_the_augmentation_takes_that_away():
    network, losses = trained()
    assert losses[-1] < 0.5 * losses[0]
    assert not network.training
    assert accuracy(network) > 0.95
    confused, _ = trained([{"op": "grayscale"}])
    assert accuracy(confused) < 0.8


def test_the_same_seed_gives_the_same_network_and_leaves_the_global_generator_alone():
    state = torch.random.get_rng_state()
    first, losses = trained(steps=5)
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.rand(3)
    second, again = trained(steps=5)
    assert losses == again
    for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    assert trained(steps=5, seed=1)[1] != losses


def test_the_first_loss_is_cross_entropy_over_both_views():
    network, losses = trained(steps=1, learning_rate=1e-12, precision="float32")
    images, labels = coloured(24)
    # Identity views: whichever 16 images the batch has, both copies have the same logits.
    rows = np.random.default_rng([0, 1, 0]).permutation(24)[:16]
    network.train()
    logits = network((images[rows].float().repeat(2, 1, 1, 1) / 255 - 0.5) / 0.25)
    wanted = -logits.log_softmax(1)[torch.arange(32), labels[rows].repeat(2)].mean()
    assert losses == [pytest.approx(float(wanted.detach()), rel=1e-4)]


def test_a_loss_that_is_not_finite_is_a_failure():
    with pytest.raises(TrialFailure, match="supervised loss became"):
        trained(learning_rate=1e30, optimizer="sgd", warmup_fraction=0)
