"""A classifier as one graph: from a camera's bytes to a decision.

Three parts, so that what makes networks smaller acts on networks alone: `Pixels` before, the
networks, and `Head` after.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from augsearch.deploying.needs import needs
from augsearch.deploying.pixels import Pixels
from augsearch.deploying.quiet import quiet
from augsearch.finetuning.classifier import Classifier
from augsearch.finetuning.combine import TINY

OPSET = 20
IMAGES, SQUARES, LOGITS = "images", "squares", "logits"
PROBABILITIES, GUESS, STOPPED = "probabilities", "guess", "stopped"
EXAMPLE = 1.4
"""Sides of the picture that a graph is traced with, as a multiple of the network's: no size that
means anything special."""


class Body(nn.Module):
    """The networks: `[N, K, C, S, S]` normalised squares to `[N, K, M, classes]` logits of each."""

    def __init__(self, networks: tuple[nn.Module, ...]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, squares: Tensor) -> Tensor:
        count, tiles = squares.shape[:2]
        each = [network(squares.flatten(0, 1)) for network in self.networks]
        logits = torch.stack(each, dim=1)
        return logits.reshape(count, tiles, *logits.shape[1:])


class Head(nn.Module):
    """From `Body`'s logits to `[N, classes]` calibrated probabilities, `[N]` the likeliest class
    and, where there is a threshold, `[N]` whether the picture is stopped."""

    def __init__(self, temperature: float, good: int | None, threshold: float) -> None:
        super().__init__()
        self.temperature, self.good, self.threshold = temperature, good, threshold

    def forward(self, logits: Tensor) -> tuple[Tensor, ...]:
        networks = logits.shape[2]
        each = logits.float().log_softmax(dim=-1).logsumexp(dim=2) - math.log(networks)
        # Of no tile at all it is no number, which `mean` and `clamp` would hide.
        mean = (each.exp().sum(dim=1) / logits.shape[1] + TINY).log()
        probabilities = (mean / self.temperature).softmax(dim=-1)
        guess = probabilities.argmax(dim=-1)
        if self.good is None:
            return probabilities, guess
        # What is no number is stopped.
        return probabilities, guess, ~(1 - probabilities[:, self.good] < self.threshold)


@dataclass(frozen=True)
class Parts:
    """A classifier's graph in its three parts, each in evaluation mode and on the CPU."""

    pixels: Pixels
    body: Body
    head: Head

    @classmethod
    def of(cls, classifier: Classifier) -> Parts:
        """Those of an opened classifier."""
        found, limit = classifier.found, classifier.found.limit
        good = None if limit is None else found.classes.index(limit.good)
        fit = classifier.config.data.fit
        return cls(
            Pixels(found.image_size, found.channels, fit, found.mean, found.std).eval(),
            Body(tuple(map(_plain, classifier.networks))).eval(),
            Head(found.temperature or 1.0, good, 0.0 if limit is None else limit.threshold).eval(),
        )

    @property
    def outputs(self) -> list[str]:
        """Names of what the graph gives."""
        return [PROBABILITIES, GUESS, *([] if self.head.good is None else [STOPPED])]

    def whole(self) -> nn.Module:
        """All three as one module."""
        whole = nn.Sequential(self.pixels, self.body, self.head)
        return whole.eval().requires_grad_(False)

    def example(self) -> Tensor:
        """A batch that graphs are traced with."""
        size = self.pixels.size
        sides = (2, int(EXAMPLE * size) + 3, int(EXAMPLE**2 * size) + 5)
        channels = 3 if self.pixels.channels in (1, 3) else self.pixels.channels
        draw = torch.Generator().manual_seed(0)
        return torch.randint(0, 256, (*sides, channels), dtype=torch.uint8, generator=draw)


def _plain(network: nn.Module) -> nn.Module:
    """On the CPU, in 32 bits and not channels_last, whose strides make a batch of one a special
    case for `torch.export`."""
    return network.cpu().float().to(memory_format=torch.contiguous_format)


def exported(module: nn.Module, example: Tensor, dynamic: Mapping[int, Any]) -> Any:
    """A module as `torch.export` has it, for any size of the dynamic axes, 1 among them."""
    from torch.export import export
    from torch.fx.experimental import _config as settings

    with quiet(), torch.no_grad(), settings.patch(backed_size_oblivious=True):  # type: ignore[attr-defined]
        program = export(module, (example,), dynamic_shapes=(dict(dynamic),))
    # The tracer notes that sizes of 1 were not looked at, and a loaded program would refuse them;
    # the graph is right for them (tests/deploying/test_deploy.py).
    program._guards_code = [guard for guard in program._guards_code if not guard.endswith("!= 1")]
    return program


def any_picture(channels: int) -> dict[int, Any]:
    """Of a batch of pictures: how many and how large, and grey or colour where a network of
    `channels` takes both."""
    from torch.export import Dim

    last = Dim.DYNAMIC if channels in (1, 3) else Dim.STATIC
    return {0: Dim.DYNAMIC, 1: Dim.DYNAMIC, 2: Dim.DYNAMIC, 3: last}


def _any_count(axes: int) -> dict[int, Any]:
    """Of a batch of squares or logits: how many, and how many tiles."""
    from torch.export import Dim

    return {axis: Dim.DYNAMIC if axis < 2 else Dim.STATIC for axis in range(axes)}


@dataclass(frozen=True)
class Graphs:
    """The three parts as ONNX models (`onnx.ModelProto`)."""

    pixels: Any
    body: Any
    head: Any

    @classmethod
    def of(cls, parts: Parts) -> Graphs:
        """What ONNX makes of them."""
        images = parts.example()
        with torch.no_grad():
            squares = parts.pixels(images)
            # Two tiles, so that their number is no constant.
            squares = torch.cat([squares, squares], dim=1)[:, :2]
            logits = parts.body(squares)
        return cls(
            _as_onnx(parts.pixels, images, any_picture(parts.pixels.channels), IMAGES, [SQUARES]),
            _as_onnx(parts.body, squares, _any_count(5), SQUARES, [LOGITS]),
            _as_onnx(parts.head, logits, _any_count(4), LOGITS, parts.outputs),
        )

    def joined(self, metadata: Mapping[str, str], body: Any = None) -> Any:
        """One model of all three, which says of itself what `metadata` does.

        Args:
            body: takes the place of the networks.
        """
        onnx, compose = needs("onnx"), needs("onnx.compose")
        parts = {"pixels": self.pixels, "networks": body or self.body, "head": self.head}
        newest = max(_opset(part) for part in parts.values())
        whole = None
        for name, model in parts.items():
            convert = onnx.version_converter.convert_version
            same = model if _opset(model) == newest else convert(model, newest)
            part = compose.add_prefix(
                _slim(same), f"{name}/", rename_inputs=False, rename_outputs=False
            )
            part.ir_version = self.pixels.ir_version
            if whole is None:
                whole = part
            else:
                between = part.graph.input[0].name
                whole = compose.merge_models(whole, part, [(between, between)])
        assert whole is not None
        onnx.helper.set_model_props(whole, dict(metadata))
        onnx.checker.check_model(whole)
        return whole


def _opset(model: Any) -> int:
    return int(next(one.version for one in model.opset_import if one.domain in ("", "ai.onnx")))


def _as_onnx(
    module: nn.Module,
    example: Tensor,
    dynamic: Mapping[int, Any],
    takes: str,
    gives: list[str],
) -> Any:
    program = exported(module, example, dynamic)
    with quiet():
        found = torch.onnx.export(
            program,
            (),
            dynamo=True,
            input_names=[takes],
            output_names=gives,
            opset_version=OPSET,
            verbose=False,
        )
    assert found is not None
    return _slim(found.model_proto)


def _slim(model: Any) -> Any:
    """Without the exporter's notes, where each node comes from in the source."""
    for node in model.graph.node:
        node.ClearField("doc_string")
        node.ClearField("metadata_props")
    del model.graph.value_info[:]
    return model
