"""For lightly: a MultiViewTransform, whose views are made as for torchvision."""

from __future__ import annotations

from augsearch.augment.export.parts import Export, found_on, program_head
from augsearch.augment.export.to_torchvision import needs_kornia, pipelines, torchvision_code
from augsearch.augment.views import ViewPlan
from augsearch.space.policy import Policy

USE = """Needs lightly, torch, torchvision{kornia}. As the transform of lightly's data set:

    dataset = lightly.data.LightlyDataset("images", transform=PolicyTransform())
    (view1, view2), label, name = dataset[0]  # each view [C, {{size}}, {{size}}] float in [0, 1]

{{draws}}

`PolicyTransform(normalise=True)` gives views less MEAN, over STD."""

TRANSFORM = '''

class PolicyTransform(MultiViewTransform):
    """Maps an image to a list of two views of IMAGE_SIZE pixels.

    Args:
        window: see `eight_bits`.
        fit: how pictures become square: crop (the middle), squash, pad (mirrored), or tile (they
            are tiles already, of FOUND_AT pixels).
        normalise: views less MEAN, over STD.
        rank, world_size: of a distributed run; None to ask torch.distributed.
    """

    def __init__(
        self,
        window: tuple[float, float] | None = WINDOW,
        seed: int = 0,
        *,
        fit: str = FIT,
        normalise: bool = False,
        rank: int | None = None,
        world_size: int | None = None,
    ) -> None:
        self.stream = DrawStream(seed, rank, world_size)
        surroundings = Surroundings(FIT, FOUND_AT, MEAN, STD).chosen(fit, normalise)
'''
REST = '''        super().__init__(
            [OneView(view, window, surroundings, self.stream) for view in (view1, SECOND)]
        )

    def state_dict(self) -> dict[str, Any]:
        """The calls so far, and how often each worker was started."""
        return self.stream.state()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on after `state`."""
        self.stream.set_state(state)
'''


def to_lightly(policy: Policy, view_plan: ViewPlan, image_size: int) -> Export:
    """A file with lightly, torch and torchvision, of the same distribution."""
    lines, second = pipelines(view_plan, 8)
    return Export(
        program_head(policy, USE.format(kornia=needs_kornia(view_plan)), image_size)
        + "from typing import Any\n\n"
        + "from lightly.transforms.multi_view_transform import MultiViewTransform\n"
        + torchvision_code(policy, view_plan, ("OneView", "Surroundings"))
        + f"\n\n{found_on(policy, image_size)}{TRANSFORM}{lines}"
        + REST.replace("SECOND", second)
    )
