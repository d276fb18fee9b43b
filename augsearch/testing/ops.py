"""What every operation promises, as checks that any implementation can be run through.

    import pytest
    from augsearch.testing.ops import CHECKS, Case

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    def test_my_operation(check):
        check(Case(MY_OPERATION, Implementation(slots=1, apply=my_function)))

Each check raises AssertionError with what was promised and what was found. The pictures and the
numbers are fixed, so a check that passes once passes always. pytest is not needed.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from unittest import mock

import numpy as np
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeTensorMode,
)

from augsearch.augment.draws import Draws
from augsearch.augment.executor import Step, run_steps
from augsearch.augment.ops.kornia_ops import IMPLEMENTATIONS
from augsearch.augment.ops.operation import Implementation
from augsearch.space.catalogue import GRAIN, Operation, Parameter
from augsearch.testing.carry_over import BOUNDS, REFERENCE, carried_share, natural_pictures

CPU = torch.device("cpu")
SHAPES = (
    (6, 3, 32, 32),
    (6, 1, 32, 32),
    (3, 3, 24, 40),
    (3, 1, 40, 24),
    (1, 3, 32, 32),
    (1, 1, 17, 19),
    (2, 3, 8, 8),
    (2, 1, 4, 5),
)
ROUNDING = 1e-6
"""Pixels may differ by this where the same numbers are summed in another order."""


@dataclass(frozen=True)
class Case:
    """An operation under test.

    Attributes:
        operation, implementation: what the catalogue says and what computes it.
        interpolates: it reads between pixels, at whole ones only up to rounding.
        pixel_scale: it acts on the finest detail, and does not carry over to other sizes.
        reads_back: the host waits for numbers of the device.
        effect_elsewhere: parameters whose growing effect has a test of its own.
    """

    operation: Operation
    implementation: Implementation
    interpolates: bool = False
    pixel_scale: bool = False
    reads_back: bool = False
    effect_elsewhere: tuple[str, ...] = ()

    def values(self, share: float) -> dict[str, float]:
        """Every parameter that far between its identity and its strongest value."""
        still = {GRAIN.name: GRAIN.default} if self.operation.grained else {}
        return still | {p.name: self.value(p, share) for p in self.operation.parameters}

    def idle_values(self) -> list[dict[str, float]]:
        """Magnitudes at their identities; what shapes the effect at its default, then least."""
        least = self.values(0.0)
        shaping = {p.name: p.default for p in self.operation.parameters if p.identity is None}
        return [least | shaping, least] if shaping else [least]

    def value(self, parameter: Parameter, share: float) -> float:
        """The parameter that far between its identity (or lowest) and its strongest value."""
        start = parameter.low if parameter.identity is None else parameter.identity
        value = start + (strongest(parameter) - start) * share
        return round(value) if parameter.integer else value

    def render(
        self,
        images: Tensor,
        values: dict[str, float],
        *,
        seed: int = 0,
        rows: Tensor | None = None,
        fields: list[int] | None = None,
    ) -> Tensor:
        """The operation on `images`, which stand in `rows` (default: all) of their batch.

        Args:
            fields: collects the slots of the fields that the operation asks for.
        """
        rows = torch.arange(len(images)) if rows is None else rows
        draws = Draws(seed, 0, 0, (0,), int(rows.max()) + 1, CPU)
        name = self.operation.name
        if self.operation.grained:
            values = {GRAIN.name: GRAIN.default, **values}

        def field(slot: int, shape: tuple[int, ...]) -> Tensor:
            if fields is not None:
                fields.append(slot)
            return draws.field(name, rows, shape, slot)

        u = draws.uniform(name, self.implementation.slots)[rows]
        return self.implementation.apply(images, u, values, field)

    def is_random(self) -> bool:
        """True if it uses any number."""
        fields: list[int] = []
        self.render(pictures(1, 3, 32, 32), self.values(1.0), fields=fields)
        return bool(self.implementation.slots or fields)


def strongest(parameter: Parameter) -> float:
    """The bound that is farther from the identity."""
    return parameter.low if parameter.identity == parameter.high else parameter.high


def pictures(n: int, channels: int, height: int, width: int) -> Tensor:
    """Smooth coloured shapes with some grain, as photographs have, on 8-bit levels."""
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.random((n, channels, 5, 5), dtype=np.float32))
    smooth = torch.nn.functional.interpolate(
        coarse, size=(height, width), mode="bicubic", align_corners=True
    )
    grain = torch.from_numpy(rng.normal(0, 0.03, smooth.shape).astype(np.float32))
    return ((smooth * 0.8 + 0.1 + grain).clamp(0, 1) * 255).round() / 255


def difference(first: Tensor, second: Tensor) -> float:
    """The largest difference between two batches; infinite where one is not finite."""
    return float((first - second).abs().nan_to_num(torch.inf, torch.inf).max())


def check_declaration(case: Case) -> None:
    """The catalogue's entry makes sense: bounds hold default and identity, which is at an end."""
    for p in case.operation.parameters:
        where = f"parameter {p.name!r}"
        assert p.name.isidentifier(), f"{where} is no word"
        assert p.name not in {"op", "name", "p", "ops"}, f"{where} is a word of the policy file"
        assert p.low <= p.default <= p.high, f"{where}: the default {p.default} is out of bounds"
        if p.identity is not None:
            assert p.identity in {p.low, p.high}, (
                f"{where}: the identity {p.identity} is neither the lower nor the upper bound, so "
                f"it has no one direction in which it grows"
            )
        if p.integer:
            whole = (p.low, p.high, p.default)
            assert all(float(x).is_integer() for x in whole), f"{where}: {whole} are not all whole"
    names = [p.name for p in case.operation.parameters]
    assert len(set(names)) == len(names), f"parameters {names} have a name twice"


def check_form(case: Case) -> None:
    """Grey or colour, square or not, one image or several: same shape, float32, in [0, 1]."""
    for shape in SHAPES:
        images = pictures(*shape)
        for share in (0.3, 1.0):
            _assert_form(case.render(images, case.values(share)), images, f"share {share}")


def check_flat_images(case: Case) -> None:
    """Black, white and grey images have no contrast to divide by, and stay in [0, 1]."""
    for level in (0.0, 0.5, 1.0):
        for channels in (1, 3):
            images = torch.full((2, channels, 32, 32), level)
            _assert_form(case.render(images, case.values(1.0)), images, f"images all {level}")


def _assert_form(out: Tensor, images: Tensor, where: str) -> None:
    where = f"{where}, images {list(images.shape)}"
    assert out.shape == images.shape, f"{where}: the shape became {list(out.shape)}"
    assert out.dtype == torch.float32, f"{where}: the type became {out.dtype}"
    assert out.isfinite().all(), f"{where}: some pixels are not finite"
    low, high = float(out.min()), float(out.max())
    assert low >= 0, f"{where}: pixels go down to {low}"
    assert high <= 1, f"{where}: pixels go up to {high}"


def check_identity(case: Case) -> None:
    """With every parameter at its identity nothing changes, whatever is drawn."""
    if all(p.identity is None for p in case.operation.parameters):
        return
    tolerance = 1e-4 if case.interpolates else ROUNDING
    for shape in SHAPES:
        images = pictures(*shape)
        images[0, :, :2] = 1.0
        for values in case.idle_values():
            off = difference(case.render(images, values), images)
            assert off <= tolerance, (
                f"images {list(shape)}: {values} should change nothing and changes a pixel by {off}"
            )


def check_input_is_kept(case: Case) -> None:
    """The images that come in are not written to, and may lie in memory as they like."""
    images, values = pictures(4, 3, 32, 32), case.values(0.6)
    before = images.clone()
    out = case.render(images, values)
    assert torch.equal(images, before), "the images that came in were changed"
    channels_last = images.contiguous(memory_format=torch.channels_last)
    off = difference(case.render(channels_last, values), out)
    assert off <= 10 * ROUNDING, f"images in channels_last differ by {off}"
    repeated = images[:1].expand(4, -1, -1, -1)
    off = difference(case.render(repeated, values), case.render(repeated.clone(), values))
    assert off <= ROUNDING, f"images that share memory differ by {off}"


def check_rows(case: Case) -> None:
    """A row depends on its own image and numbers: not on other rows, nor on how many there are."""
    images, values = pictures(6, 3, 32, 32), case.values(0.6)
    before = case.render(images, values)
    images[2] = 1 - images[2]
    after = case.render(images, values)
    others = [0, 1, 3, 4, 5]
    assert torch.equal(after[others], before[others]), "a row changed with another row's image"
    for rows in ([3], [0, 1], [5, 1]):
        some = case.render(images[rows], values, rows=torch.tensor(rows))
        off = difference(some, after[rows])
        assert off <= ROUNDING, f"rows {rows} of 6 by themselves differ by {off}"


def check_draws(case: Case) -> None:
    """The same numbers give the same pixels, bit for bit; other numbers give others."""
    images, values = pictures(1, 3, 32, 32).repeat(12, 1, 1, 1), case.values(0.6)
    out = case.render(images, values)
    assert torch.equal(case.render(images, values), out), "the same numbers gave other pixels"
    seed_matters = not torch.equal(case.render(images, values, seed=1), out)
    rows_differ = any(not torch.equal(out[0], other) for other in out[1:])
    if case.is_random():
        assert seed_matters, "other numbers gave the same pixels"
        assert rows_differ, "12 rows of one image, each with its own numbers, are all the same"
    else:
        assert not seed_matters, "it draws no numbers, yet another seed gave other pixels"
        assert not rows_differ, "it draws no numbers, yet rows of one image differ"


def check_global_generators(case: Case) -> None:
    """Randomness comes in as an argument: no global generator is used."""

    def states() -> list[object]:
        return [torch.get_rng_state().tolist(), random.getstate(), str(np.random.get_state())]  # noqa: NPY002

    before = states()
    case.render(pictures(2, 3, 32, 32), case.values(1.0))
    assert states() == before, "a global random generator was used"


def check_devices(case: Case) -> None:
    """Everything is made where the images are, and the host never waits to read a number.

    Pretended tensors of a pretended CUDA device show it on every machine.
    """
    if case.reads_back:
        return
    values = case.values(0.6)
    n, slots = 4, case.implementation.slots
    problem = ""
    with FakeTensorMode():
        images = torch.empty(n, 3, 32, 32, device="cuda")
        u = torch.empty(n, slots, device="cuda")
        try:
            out = case.implementation.apply(
                images, u, values, lambda _, shape: torch.empty(n, *shape, device="cuda")
            )
            assert out.device == images.device, f"images of {images.device} became {out.device}"
        except (DataDependentOutputException, DynamicOutputShapeException) as error:
            problem = f"the host has to wait for a number of the device: {error}"
        except RuntimeError as error:
            problem = f"tensors of several devices meet: {error}"
    assert not problem, problem


def check_effect(case: Case) -> None:
    """The mean change of the images grows with each magnitude, from nothing to something."""
    images = pictures(96, 3, 32, 32)
    for p in case.operation.parameters:
        if p.identity is None or p.name in case.effect_elsewhere:
            continue
        for place, idle in enumerate(case.idle_values()):
            effects = []
            for share in (0.0, 0.06, 0.25, 1.0):
                out = case.render(images, idle | {p.name: case.value(p, share)})
                effects.append((out - images).abs().mean().item())
            changes = ", ".join(f"{effect:.4f}" for effect in effects)
            # Where a shaping parameter is at its least, little may be left.
            assert place or effects[-1] > effects[0] + 1e-3, (
                f"{p.name} at its strongest does little: {changes}"
            )
            assert all(later >= 0.95 * earlier for earlier, later in pairwise(effects)), (
                f"the change does not grow with {p.name}: {changes}"
            )


def check_size(case: Case) -> None:
    """What it does to pictures of 96 pixels is, seen at 32, as much as what it does to 32.

    Lengths that are no shares of the side fail, and so does what acts on every pixel by itself:
    `augsearch.augment.ops.grain` has what helps.
    """
    if case.pixel_scale:
        return
    shaping = {p.name: p.default for p in case.operation.parameters if p.identity is None}
    values = case.values(0.6) | shaping
    images = natural_pictures(24, 3, 96)
    share = carried_share(case.operation.name, case.implementation, values, images)
    low, high = BOUNDS
    assert low <= share <= high, (
        f"what it does to pictures of 96 pixels, seen at {REFERENCE}, is {share:.2f} of what it "
        f"does to {REFERENCE} pixels; want {low} to {high}"
    )


def check_gate(case: Case) -> None:
    """In a policy it acts on as many samples as its `p` says, and leaves the others alone."""
    name, p = case.operation.name, 0.3
    images = pictures(1, 3, 16, 16).repeat(400, 1, 1, 1)
    draws = Draws(0, 0, 0, (0,), 400, CPU)
    with mock.patch.dict(IMPLEMENTATIONS, {name: case.implementation}):
        out = run_steps(images, [Step(name, name, p, case.values(1.0))], draws)
    changed = (out != images).flatten(1).any(1)
    drawn = draws.uniform(name, 1)[:, 0] < p
    assert not changed[~drawn].any(), "samples whose gate is closed changed"
    acts = changed[drawn].float().mean().item()
    # Some draws, such as 8 bits, change nothing.
    assert acts > 0.7, f"at its strongest it changes {acts:.0%} of the samples that it acts on"
    share = drawn.float().mean().item()
    assert abs(share - p) < 0.08, f"the gate of p = {p} is open for {share:.0%} of the samples"


def check_grey(case: Case) -> None:
    """On grey images, what acts on colour alone does nothing."""
    images, values = pictures(4, 1, 32, 32), case.values(1.0)
    out = case.render(images, values)
    if case.operation.colour_only:
        assert torch.equal(out, images), "it acts on colour alone, yet a grey image changed"
    for p in case.operation.parameters:
        if p.colour_only:
            idle = values | {p.name: case.value(p, 0.0)}
            off = difference(case.render(images, idle), out)
            assert off == 0, f"{p.name} acts on colour alone, yet changes a grey image by {off}"


CHECKS: tuple[Callable[[Case], None], ...] = (
    check_declaration,
    check_form,
    check_flat_images,
    check_identity,
    check_input_is_kept,
    check_rows,
    check_draws,
    check_global_generators,
    check_devices,
    check_effect,
    check_size,
    check_gate,
    check_grey,
)
