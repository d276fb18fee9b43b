"""What large batches are trained with: LARS, rates that grow with the batch, a deeper head."""

import pytest
import torch
from timm.optim.lars import Lars
from torch import nn

from augsearch.simclr.config import PretrainConfig
from augsearch.simclr.encoders.build import build_encoder
from augsearch.simclr.encoders.config import EncoderConfig
from augsearch.simclr.optimizer import build_optimizer
from augsearch.simclr.pretrain import projection_head


@pytest.mark.parametrize(
    ("batch", "linear", "root"), [(256, 0.3, 1.2), (512, 0.6, 1.697), (4096, 4.8, 4.8)]
)
def test_rates_are_the_papers(batch, linear, root):
    """Chen et al. 2020: 4.8 for a batch of 4,096, by either rule (appendix B.1)."""
    by_batch = PretrainConfig(batch_size=batch, learning_rate=0.3, learning_rate_scaling="linear")
    by_root = PretrainConfig(batch_size=batch, learning_rate=0.075, learning_rate_scaling="sqrt")
    assert by_batch.peak_learning_rate == pytest.approx(linear)
    assert by_root.peak_learning_rate == pytest.approx(root, abs=1e-3)
    assert PretrainConfig(batch_size=batch).peak_learning_rate == 0.002


def test_lars_is_timms_and_leaves_biases_and_norms_to_plain_momentum():
    encoder = build_encoder(EncoderConfig(width=8, stages=2), 3, 16)
    config = PretrainConfig(optimizer="lars", learning_rate=0.3, weight_decay=1e-4)
    head = projection_head(encoder.feature_dim, config)
    optimizer = build_optimizer(encoder, head, config)
    assert isinstance(optimizer, Lars)
    parameters = [*encoder.parameters(), *head.parameters()]
    torch.manual_seed(0)
    gradients = [torch.randn_like(p) for p in parameters]
    expected = [nn.Parameter(p.detach().clone()) for p in parameters]
    matrices = [p for p in expected if p.ndim > 1]
    vectors = [p for p in expected if p.ndim <= 1]
    reference = Lars(
        [{"params": matrices, "weight_decay": 1e-4}, {"params": vectors, "weight_decay": 0.0}],
        lr=0.3,
        momentum=0.9,
    )
    for _ in range(3):
        for ours, theirs, gradient in zip(parameters, expected, gradients, strict=True):
            ours.grad, theirs.grad = gradient.clone(), gradient.clone()
        optimizer.step()
        reference.step()
    for ours, theirs in zip(parameters, expected, strict=True):
        assert torch.equal(ours, theirs)
    vector, gradient = next(
        (p, g) for p, g in zip(parameters, gradients, strict=True) if p.ndim == 1
    )
    assert vector.shape == gradient.shape  # of which the paper's rate would be a thousandth


def test_a_head_of_three_layers():
    config = PretrainConfig(projection_layers=3, projection_hidden=16, projection_dim=4)
    head = projection_head(8, config)
    linear = [m for m in head if isinstance(m, nn.Linear)]
    assert [(m.in_features, m.out_features) for m in linear] == [(8, 16), (16, 16), (16, 4)]
    assert sum(isinstance(m, nn.BatchNorm1d) for m in head) == 2
    assert head(torch.randn(5, 8)).shape == (5, 4)


def test_what_came_later_is_in_no_older_digest():
    later = {"learning_rate_scaling", "projection_layers"}
    assert not later & PretrainConfig().model_dump().keys()
    assert (
        later
        <= PretrainConfig(learning_rate_scaling="sqrt", projection_layers=3).model_dump().keys()
    )
