"""The conformance suite itself: an operation that breaks a promise fails the check for it."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import torch

from augsearch.augment.ops.grain import grid_of, spread
from augsearch.augment.ops.operation import Implementation
from augsearch.space.catalogue import Operation, Parameter
from augsearch.testing import ops
from augsearch.testing.ops import CHECKS, Case

STRENGTH = Parameter("strength", 0.0, 1.0, "most light", identity=0.0, default=0.5)
TINT = Parameter("tint", 0.0, 1.0, "most colour", identity=0.0, default=0.0, colour_only=True)
SHARE = Parameter("share", 0.1, 1.0, "what it covers", identity=None, default=0.5)
BITS = Parameter("bits", 1, 8, "fewest bits", identity=8, default=4, integer=True)


def glow(images, u, values, field):
    """A good operation: a random amount of light, and grain that follows it."""
    amount = u[:, 0].view(-1, 1, 1, 1) * values["strength"]
    return (images + amount * (0.5 + 0.1 * field(0, tuple(images.shape[1:])))).clamp(0, 1)


def case(apply, slots=1, parameters=(STRENGTH,), **flags) -> Case:
    operation = Operation("glow", "Light.", parameters, flags.pop("colour_only", False))
    return Case(operation, Implementation(slots, apply), **flags)


def failed(subject: Case) -> set[str]:
    """Names of the checks that the operation fails; anything but an AssertionError is a bug."""
    names = set()
    for check in CHECKS:
        try:
            check(subject)
        except AssertionError as error:
            assert str(error), "a failed check says what is wrong"
            names.add(check.__name__)
    return names


def test_all_checks_are_listed():
    assert {name for name in vars(ops) if name.startswith("check_")} == {
        check.__name__ for check in CHECKS
    }


def test_a_good_operation_passes():
    assert failed(case(glow)) == set()


def test_noise_on_cells_passes():
    assert failed(case(dust_in_cells)) == set()


def test_a_good_operation_without_numbers_passes():
    def negative(images, u, values, field):
        return 1 - images

    assert failed(case(negative, slots=0, parameters=())) == set()


def test_a_good_operation_on_colour_passes():
    def tinted(images, u, values, field):
        if images.shape[1] == 1:
            return images
        light = u[:, :, None, None] * values["strength"]
        return (images * (1 - light)).clamp(0, 1)

    assert failed(case(tinted, slots=3, colour_only=True)) == set()


def no_identity(images, u, values, field):
    return glow(images, u, values, field) * 0.99


def identity_only_for_small_numbers(images, u, values, field):
    return torch.where(u[:, :1, None, None] > 0.95, images * 0.9, glow(images, u, values, field))


def not_clamped(images, u, values, field):
    return images + u[:, :, None, None] * values["strength"]


def below_zero(images, u, values, field):
    return images - u[:, :, None, None] * values["strength"]


def divided_by_contrast(images, u, values, field):
    spread = images.amax((1, 2, 3), keepdim=True) - images.amin((1, 2, 3), keepdim=True)
    amount = u[:, :, None, None] * values["strength"]
    return torch.lerp(images, (images - images.amin((1, 2, 3), keepdim=True)) / spread, amount)


def doubled(images, u, values, field):
    return glow(images, u, values, field).double()


def cut(images, u, values, field):
    return glow(images, u, values, field)[..., :-1]


def turned(images, u, values, field):
    return glow(images, u, values, field).mT


def coloured(images, u, values, field):
    return glow(images, u, values, field).expand(-1, 3, -1, -1)


def wants_three_channels(images, u, values, field):
    assert images.shape[1] == 3, "three channels, please"
    return glow(images, u, values, field)


def balanced_over_the_batch(images, u, values, field):
    mean = images.mean((0, 2, 3), keepdim=True)
    return torch.lerp(images, mean.expand_as(images), u[:, :, None, None] * values["strength"])


def one_number_per_batch(images, u, values, field):
    return glow(images, u[:1].expand_as(u), values, field)


def more_for_larger_batches(images, u, values, field):
    return glow(images, u * len(images) / 400, values, field)


def neighbours_numbers(images, u, values, field):
    return glow(images, u.roll(1, 0), values, field)


def in_place(images, u, values, field):
    return images.add_(u[:, :, None, None] * values["strength"]).clamp_(0, 1)


def flattened_memory(images, u, values, field):
    """Takes the pixels in the order in which they lie in memory."""
    flat = images.permute(0, 2, 3, 1) if images.is_contiguous() else images
    return glow(images, u * flat.reshape(len(flat), -1)[:, 1:2].clamp(0.3), values, field)


def global_torch(images, u, values, field):
    return glow(images, u, values, lambda slot, shape: torch.rand(len(images), *shape))


def global_python(images, u, values, field):
    return glow(images, u * random.random(), values, field)


def deaf(images, u, values, field):
    return (images + values["strength"] / 2).clamp(0, 1)


def rows_alike(images, u, values, field):
    return glow(images, torch.full_like(u, 0.5), values, lambda slot, shape: torch.ones(1, *shape))


def timid(images, u, values, field):
    return glow(images, u, {"strength": values["strength"] * 1e-3}, field)


def weaker_when_stronger(images, u, values, field):
    strength = values["strength"] * (1.2 - values["strength"])
    return glow(images, u, {"strength": 4 * strength}, field)


def gated_inside(images, u, values, field):
    acts = u[:, :1, None, None] < 0.5
    return torch.where(acts, glow(images, u, values, field), images)


def in_pixels(images, u, values, field):
    """Moves by whole pixels, whatever the size."""
    return torch.lerp(images, images.roll(2, 3), u[:, :, None, None] * values["strength"])


def dust_in_pixels(images, u, values, field):
    """Noise in every pixel, which averages out in smaller pictures."""
    return (images + values["strength"] * (field(0, tuple(images.shape[1:])) - 0.5)).clamp(0, 1)


def dust_in_cells(images, u, values, field):
    cells = field(0, (images.shape[1], *grid_of(images, 1 / 32))) - 0.5
    dust = spread(cells, *images.shape[2:]) * values["strength"] * u[:, :, None, None]
    return (images + dust).clamp(0, 1)


def on_the_host(images, u, values, field):
    return glow(images, u, values, field) * torch.ones(32)[: images.shape[-1]]


def waiting(images, u, values, field):
    return glow(images, u, values, field) if u.sum().item() else images


def counting(images, u, values, field):
    chosen = (u[:, 0] >= 0).nonzero()[:, 0]
    return images.index_copy(0, chosen, glow(images, u, values, field)[chosen])


BROKEN = [
    (no_identity, {"check_identity"}),
    (identity_only_for_small_numbers, {"check_identity"}),
    (not_clamped, {"check_form", "check_flat_images"}),
    (below_zero, {"check_form", "check_flat_images"}),
    (divided_by_contrast, {"check_flat_images"}),
    (turned, {"check_form"}),
    (coloured, {"check_form"}),
    (wants_three_channels, {"check_form", "check_grey"}),
    (balanced_over_the_batch, {"check_rows"}),
    (one_number_per_batch, {"check_rows"}),
    (more_for_larger_batches, {"check_rows"}),
    (neighbours_numbers, {"check_rows"}),
    (in_place, {"check_input_is_kept"}),
    (flattened_memory, {"check_input_is_kept"}),
    (global_torch, {"check_global_generators", "check_draws"}),
    (global_python, {"check_global_generators", "check_draws"}),
    (deaf, {"check_draws"}),
    (rows_alike, {"check_draws"}),
    (waiting, {"check_devices"}),
    (counting, {"check_devices"}),
    (timid, {"check_effect"}),
    (weaker_when_stronger, {"check_effect"}),
    (gated_inside, {"check_gate"}),
    (in_pixels, {"check_size"}),
    (dust_in_pixels, {"check_size"}),
]


@pytest.mark.parametrize(("apply", "checks"), BROKEN, ids=lambda x: getattr(x, "__name__", ""))
def test_a_broken_promise_is_found(apply, checks):
    assert checks <= failed(case(apply))


def test_a_wrong_size_or_type_is_found():
    with pytest.raises(AssertionError, match=r"shape became \[6, 3, 32, 31\]"):
        ops.check_form(case(cut))
    with pytest.raises(AssertionError, match=r"type became torch.float64"):
        ops.check_form(case(doubled))


def test_every_check_has_something_that_fails_it():
    found = set().union(*(checks for _, checks in BROKEN))
    assert found | {"check_declaration"} == {check.__name__ for check in CHECKS}


def test_tensors_on_another_device_are_found():
    with pytest.raises(AssertionError, match="several devices"):
        ops.check_devices(case(on_the_host))


def test_numbers_where_none_are_declared_are_found():
    def noisy(images, u, values, field):
        return (images + 0.2 * torch.rand(len(images), 1, 1, 1)).clamp(0, 1)

    assert "check_draws" in failed(case(noisy, slots=0, parameters=()))


def test_colour_that_acts_on_grey_images_is_found():
    assert "check_grey" in failed(case(glow, colour_only=True))

    def tinted(images, u, values, field):
        return glow(images, u, {"strength": values["strength"] + values["tint"]}, field)

    assert "check_grey" in failed(case(tinted, parameters=(STRENGTH, TINT)))


def test_a_shaping_parameter_that_changes_something_at_identity_is_found():
    def offset(images, u, values, field):
        return glow(images, u, values, field) * (1 - 0.1 * max(0.0, values["share"] - 0.2))

    assert "check_identity" in failed(case(offset, parameters=(STRENGTH, SHARE)))


def test_flags_switch_off_what_they_say():
    assert "check_size" not in failed(case(in_pixels, pixel_scale=True))
    assert "check_effect" not in failed(case(timid, effect_elsewhere=("strength",)))
    assert "check_devices" not in failed(case(waiting, reads_back=True))

    def blurred(images, u, values, field):
        return (glow(images, u, values, field) + 5e-5).clamp(0, 1)

    assert "check_identity" in failed(case(blurred))
    assert "check_identity" not in failed(case(blurred, interpolates=True))


@pytest.mark.parametrize(
    "parameter",
    [
        replace(STRENGTH, default=2.0),
        replace(STRENGTH, identity=0.5),
        replace(STRENGTH, name="p"),
        replace(STRENGTH, name="two words"),
        replace(BITS, default=4.5),
    ],
    ids=["default", "identity", "reserved", "no word", "no whole number"],
)
def test_a_declaration_that_makes_no_sense_is_found(parameter):
    with pytest.raises(AssertionError, match=repr(parameter.name)):
        ops.check_declaration(case(glow, parameters=(parameter,)))


def test_a_name_twice_is_found():
    with pytest.raises(AssertionError, match="twice"):
        ops.check_declaration(case(glow, parameters=(STRENGTH, STRENGTH)))
